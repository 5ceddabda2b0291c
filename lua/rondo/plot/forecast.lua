-- plot/forecast.lua - rondo.plot.forecast(forecast, path): history, truth, forecast and intervals of a Forecast.
--
-- A panel for each series and target, MOST_PANELS at most. Windows that overlap the one drawn behind them are left out,
-- so forecasts of one step are one line, and those of a day stand side by side. Times of the history, which a
-- Forecast does not hold, are those of other windows, or counted back by the last step of time seen.
-- SPDX-License-Identifier: MIT
local calendar = require "rondo.calendar"
local errors = require "rondo.errors"
local forecasts = require "rondo.forecast.forecast"
local gnuplot = require "rondo.plot.gnuplot"
local options = require "rondo.options"

local MOST_PANELS = 4
local STEPS = 240 -- of the horizon of all windows of a panel together, at most; but one window is always drawn
local PANEL_HEIGHT, PANEL_LINES = 270, 18 -- where there are several
local SHARE = 0.5 -- of the steps drawn, as much history stands before them, and a season or two at least

local specs = {
  { name = "width", kind = "int", help = "pixels; of a terminal columns" },
  { name = "height", kind = "int", help = "pixels; of a terminal lines" },
  { name = "title", kind = "string", help = "above the picture; default: who forecasts" },
}

-- ---- times -------------------------------------------------------------------------------------------------

-- The same second of the month so many months on.
local function months_on(time, months)
  local date = os.date("!*t", math.floor(time))
  local month = date.year * 12 + date.month - 1
  return calendar.month_begin(month + months) + time - calendar.month_begin(month)
end

-- A function from a row of the series to where it stands, and whether that is a time.
local function places_of(entries, unit)
  local known, last_row, step = {}, nil, nil
  for _, entry in ipairs(entries) do
    for h, time in ipairs(entry.times or {}) do
      known[entry.origin + h] = time
      last_row = math.max(last_row or 0, entry.origin + h)
    end
  end
  for row in pairs(known) do
    if known[row + 1] then
      local d = known[row + 1] - known[row]
      step = step and math.min(step, d) or d
    end
  end
  if not last_row or (not step and unit ~= "months") then
    return function(row) return row end, false
  end
  local first_row = last_row
  for row in pairs(known) do
    first_row = math.min(first_row, row)
  end
  return function(row)
    if known[row] then
      return known[row]
    elseif unit == "months" then
      return months_on(known[first_row], row - first_row)
    end
    return known[first_row] + (row - first_row) * step
  end, unit ~= "number"
end

-- ---- one panel ---------------------------------------------------------------------------------------------

-- Of the windows of one series and target those that are drawn, in the order of time.
local function choose(entries, horizon)
  table.sort(entries, function(a, b) return a.origin < b.origin end)
  local chosen, before = {}, math.huge
  for i = #entries, 1, -1 do
    if entries[i].origin + horizon <= before and (#chosen == 0 or (#chosen + 1) * horizon <= STEPS) then
      table.insert(chosen, 1, entries[i])
      before = entries[i].origin
    end
  end
  return chosen
end

local function line(name, color, more)
  local made = { name = name, color = color, xs = {}, ys = {} }
  for key, value in pairs(more or {}) do
    made[key] = value
  end
  return made
end

local function put(to, x, y)
  to.xs[#to.xs + 1], to.ys[#to.ys + 1] = x, y
end

-- A gap between windows that do not follow each other.
local function part(to, x)
  if #to.xs > 0 then
    put(to, x, 0 / 0)
  end
end

-- The pairs of quantiles that bound intervals, the widest first: { low, high, level in percent }.
local function intervals_of(levels)
  local pairs_of = {}
  for i = 1, #levels // 2 do
    local low, high = levels[i], levels[#levels + 1 - i]
    if math.abs(low + high - 1) < 1e-6 then
      pairs_of[#pairs_of + 1] = { low, high, (high - low) * 100 }
    end
  end
  return pairs_of
end

local function draw_history(lines, chosen, place, season)
  local first, last = chosen[1], chosen[#chosen]
  local drawn = last.origin + #last.point - first.origin
  local back = math.max(8, math.ceil(SHARE * drawn), math.min(2 * season, 2 * STEPS))
  local history = line("history", "muted")
  local n = #first.history
  for k = math.max(1, n - back + 1), n do
    put(history, place(first.origin - n + k), first.history[k])
  end
  local truth = line("truth", 7)
  for i, entry in ipairs(chosen) do
    local h, came = entry.history, entry.truth
    local from = i == 1 and #h or math.max(1, #h - (entry.origin - chosen[i - 1].origin - #entry.point) + 1)
    for k = from, #h do -- what lies between the windows came too
      put(truth, place(entry.origin - #h + k), h[k])
    end
    for step = 1, came and #entry.point or 0 do
      put(truth, place(entry.origin + step), came[step])
    end
  end
  local any = 0
  for _, y in ipairs(truth.ys) do
    any = any + (y == y and 1 or 0)
  end
  lines[#lines + 1] = history
  lines[#lines + 1] = any > 1 and truth or nil
end

local function draw_forecast(lines, chosen, place, levels)
  local joined = #chosen[1].point == 1
  local bands = intervals_of(levels)
  for b, one in ipairs(bands) do
    bands[b] = { name = ("%.4g %% interval"):format(one[3]), color = 1, style = "band", xs = {}, lower = {}, upper = {},
      low = one[1], high = one[2] }
  end
  local median = line(levels[1] and "median" or "forecast", 2, { width = joined and 1.4 or 2.2 })
  for i, entry in ipairs(chosen) do
    local middle = entry.quantiles and entry.quantiles[0.5] or entry.point
    if not joined and i > 1 then
      part(median, place(entry.origin))
    end
    if not joined then
      put(median, place(entry.origin), entry.history[#entry.history])
    end
    for step, value in ipairs(middle) do
      local x = place(entry.origin + step)
      put(median, x, value)
      for _, band in ipairs(bands) do
        local n = #band.xs + 1
        band.xs[n], band.lower[n], band.upper[n] = x, entry.quantiles[band.low][step], entry.quantiles[band.high][step]
      end
    end
  end
  for i = #bands, 1, -1 do -- the widest behind
    bands[i].low, bands[i].high = nil, nil
    table.insert(lines, 1, bands[i])
  end
  lines[#lines + 1] = median
end

local function panel_of(group, forecast, levels)
  local place, is_time = places_of(group.entries, forecast.time_unit)
  local chosen = choose(group.entries, forecast.horizon)
  local lines = {}
  draw_history(lines, chosen, place, forecast.season)
  draw_forecast(lines, chosen, place, levels)
  return { title = group.title, x = { time = is_time or nil, label = not is_time and "row" or nil },
    y = { label = group.target }, lines = lines }
end

-- ---- the picture -------------------------------------------------------------------------------------------

-- Entries by series and target, in the order in which they come.
local function groups_of(forecast)
  local groups, by_name = {}, {}
  local many = {}
  for _, entry in ipairs(forecast) do
    local key = entry.series .. "\0" .. entry.target
    many[entry.series] = true
    if not by_name[key] then
      by_name[key] = { series = entry.series, target = entry.target, entries = {} }
      groups[#groups + 1] = by_name[key]
    end
    table.insert(by_name[key].entries, entry)
  end
  local first = next(many)
  for _, group in ipairs(groups) do
    group.title = next(many, first) and group.series or nil
  end
  return groups
end

local function picture(forecast, title)
  local groups, levels, panels = groups_of(forecast), forecast:levels(), {}
  for i = 1, math.min(#groups, MOST_PANELS) do
    panels[i] = panel_of(groups[i], forecast, levels)
  end
  local left_out = #groups > MOST_PANELS and (" (%d of %d series)"):format(MOST_PANELS, #groups) or ""
  title = (title or ("Forecast by %s"):format(forecast.name)) .. left_out
  if #panels == 1 then
    panels[1].title = title
    return panels[1]
  end
  return { title = title, panels = panels }
end

-- The picture of a forecast, as gnuplot.lua takes them.
local function checked(forecast, title)
  if not forecasts.is_forecast(forecast) then
    errors.raise("plot.forecast: expected a Forecast, as trainer:predict(windows) gives it, got a %s", type(forecast))
  elseif #forecast == 0 then
    errors.raise "plot.forecast: the forecast has no windows"
  end
  return picture(forecast, title)
end

-- Draws a forecast into an SVG or PNG file, without a path as characters: true, or nil, message, code.
local function draw(forecast, path, given)
  local o = options.resolve("plot.forecast", specs, given)
  if path ~= nil and type(path) ~= "string" then
    errors.raise("plot.forecast: expected a path ending in .svg or .png, or nil for the terminal, got a %s", type(path))
  end
  local made = errors.blame(checked, forecast, o.title)
  local panels = made.panels and (#made.panels <= 3 and #made.panels or (#made.panels + 1) // 2)
  local height = o.height or panels and panels * (path and PANEL_HEIGHT or PANEL_LINES) or nil
  return gnuplot.draw(made, { path = path, width = o.width, height = height })
end

return { draw = draw, picture = checked }
