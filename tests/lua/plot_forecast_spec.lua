-- plot_forecast_spec.lua - what a picture of a forecast shows: history, truth, forecast, intervals, at their times.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local forecasts = require "rondo.forecast.forecast"
local plot = require "rondo.plot.forecast"
local support = dofile "tests/lua/support.lua"

local have = core.run { "gnuplot", "--version" }
local function with_gnuplot(name, f)
  it(name, have and f or function() pending "gnuplot is not installed" end)
end

-- Windows of y(row) = row with these origins; the forecast is a tenth too high.
local function forecast(origins, horizon, more)
  local given = { name = "gru", horizon = horizon, season = 2 }
  for key, value in pairs(more or {}) do
    given[key] = value
  end
  for _, origin in ipairs(origins) do
    local entry = { series = "s", target = "load", origin = origin, history = {}, truth = {}, point = {} }
    for row = 1, origin do
      entry.history[row] = row
    end
    for h = 1, horizon do
      entry.truth[h], entry.point[h] = origin + h, 1.1 * (origin + h)
    end
    if given.time then
      entry.times = {}
      for h = 1, horizon do
        entry.times[h] = given.time(origin + h)
      end
    end
    if given.quantiles then
      entry.quantiles = given.quantiles(entry.point)
    end
    given[#given + 1] = entry
  end
  return forecasts.new(given)
end

local function line(picture, name)
  for _, one in ipairs(picture.lines) do
    if one.name == name then
      return one
    end
  end
end

local function intervals(point)
  local all = { [0.05] = {}, [0.25] = {}, [0.5] = {}, [0.75] = {}, [0.95] = {} }
  for h, value in ipairs(point) do
    for level, values in pairs(all) do
      values[h] = value + 10 * (level - 0.5)
    end
  end
  return all
end

describe("a picture of a forecast", function()
  it("has one window's history, truth and forecast, which begins at the last known value", function()
    local picture = plot.picture(forecast({ 20 }, 3))
    assert.same({ xs = { 20, 21, 22, 23 }, ys = { 20, 21, 22, 23 } },
      { xs = line(picture, "truth").xs, ys = line(picture, "truth").ys })
    assert.same({ 20, 21, 22, 23 }, line(picture, "forecast").xs)
    assert.same({ 20, 1.1 * 21, 1.1 * 22, 1.1 * 23 }, line(picture, "forecast").ys)
    local history = line(picture, "history")
    assert.equal(20, history.xs[#history.xs])
    assert.equal("row", picture.x.label)
    assert.equal("load", picture.y.label)
    assert.equal("Forecast by gru", picture.title)
  end)
  it("joins forecasts of one step", function()
    local picture = plot.picture(forecast({ 10, 11, 12 }, 1))
    assert.same({ 11, 12, 13 }, line(picture, "forecast").xs)
    assert.same({ 10, 11, 12, 13 }, line(picture, "truth").ys)
  end)
  it("leaves out windows that overlap a later one, and parts those that are drawn", function()
    local drawn = line(plot.picture(forecast({ 10, 11, 12, 13 }, 2)), "forecast")
    assert.same({ 11, 12, 13, 13, 13, 14, 15 }, drawn.xs)
    assert.is_true(drawn.ys[4] ~= drawn.ys[4])
  end)
  it("bounds intervals by pairs of quantiles, the widest behind", function()
    local picture = plot.picture(forecast({ 20 }, 2, { quantiles = intervals }))
    assert.same({ "90 % interval", "50 % interval" }, { picture.lines[1].name, picture.lines[2].name })
    local wide = line(picture, "90 % interval")
    assert.equal("band", wide.style)
    assert.near(1.1 * 21 - 4.5, wide.lower[1], 1e-9)
    assert.near(1.1 * 22 + 4.5, wide.upper[2], 1e-9)
    assert.truthy(line(picture, "median"))
    assert.is_nil(line(picture, "forecast"))
  end)
  it("counts times back from those of the forecast, months by the calendar", function()
    local hours = plot.picture(forecast({ 20 }, 2, { time_unit = "seconds",
      time = function(row) return row * 3600 end }))
    local history = line(hours, "history")
    assert.equal(20 * 3600, history.xs[#history.xs])
    assert.equal(19 * 3600, history.xs[#history.xs - 1])
    assert.is_true(hours.x.time)
    local months = plot.picture(forecast({ 13 }, 1, { time_unit = "months",
      time = function(row) return os.time { year = 2000, month = row, day = 1, hour = 12 } // 86400 * 86400 end }))
    history = line(months, "history")
    assert.equal("2001-01-01", os.date("!%Y-%m-%d", history.xs[#history.xs]))
    assert.equal("2000-12-01", os.date("!%Y-%m-%d", history.xs[#history.xs - 1]))
  end)
  it("has no line of truth where nothing came", function()
    local future = forecast({ 20 }, 2)
    future[1].truth = { 0 / 0, 0 / 0 }
    assert.is_nil(line(plot.picture(future), "truth"))
    future[1].truth = nil
    assert.is_nil(line(plot.picture(future), "truth"))
  end)
  it("has a panel for each series and target, four at most", function()
    local several = forecast({ 20, 20, 20, 20, 20 }, 2)
    for i, entry in ipairs(several) do
      entry.series = "s" .. i
    end
    local picture = plot.picture(several)
    assert.equal(4, #picture.panels)
    assert.equal("s2", picture.panels[2].title)
    assert.equal("Forecast by gru (4 of 5 series)", picture.title)
  end)
  with_gnuplot("is drawn as SVG", function()
    local folder = support.folder()
    assert.is_true(plot.draw(forecast({ 20 }, 2, { quantiles = intervals }), folder .. "/f.svg", { title = "Load" }))
    local svg = support.read(folder .. "/f.svg")
    for _, text in ipairs { "Load", "history", "truth", "median", "90 % interval" } do
      assert.truthy(svg:find(">" .. text .. "<", 1, true), text)
    end
    support.remove(folder)
  end)
  it("is refused where there is nothing to draw", function()
    assert.matches("expected a Forecast, as trainer:predict%(windows%) gives it, got a table",
      support.failure(plot.draw, {}, "x.svg"))
    assert.matches("the forecast has no windows", support.failure(plot.draw, forecast({}, 2), "x.svg"))
    assert.matches("expected a path ending in .svg or .png, or nil for the terminal, got a boolean",
      support.failure(plot.draw, forecast({ 20 }, 2), true))
    local ok, message = plot.draw(forecast({ 20 }, 2), "x.pdf")
    assert.is_nil(ok)
    assert.matches("a picture's name ends in .svg or .png", message)
  end)
end)
