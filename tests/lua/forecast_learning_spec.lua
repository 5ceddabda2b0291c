-- forecast_learning_spec.lua - Forecasters learn what can be known of made series, whose best forecast is a formula,
-- and their intervals hold what they say.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local made_series = dofile "tests/lua/made_series.lua"
local support = dofile "tests/lua/support.lua"
local normals = made_series.normals

local folder

local function series_of(name, columns, rows)
  return made_series.series_of(folder, columns, rows, name)
end

-- z_t = 1.2 z_(t-1) - 0.5 z_(t-2) + e_t, 20 + 5 z_t in the file. Best: the recursion without its noise.
local function autoregressive()
  local rows, z = {}, { 0, 0 }
  for i, e in ipairs(normals(1100, 3)) do
    z = { 1.2 * z[1] - 0.5 * z[2] + e, z[1] }
    rows[i] = { ("%.6f"):format(20 + 5 * z[1]) }
  end
  return series_of("autoregressive", { "value" }, rows)
end

local function best_error(windows)
  local sum, n = 0.0, 0
  for i = 1, windows.count do
    local w = windows:window(i)
    local a, b = (w.history[w.origin] - 20) / 5, (w.history[w.origin - 1] - 20) / 5
    for h = 1, windows.horizon do
      a, b = 1.2 * a - 0.5 * b, a
      sum, n = sum + (20 + 5 * a - w.truth[h]) ^ 2, n + 1
    end
  end
  return math.sqrt(sum / n)
end

local function fitted(given, train, more)
  rondo.manual_seed(1)
  local model = rondo.Forecaster(given)
  local options = { model = model, loss = model:loss(), epochs = 12, progress = "none", quiet = true,
    clip_grad_norm = 1, optimizer = rondo.optim.Adam { lr = 1e-2 } }
  for key, value in pairs(more or {}) do
    options[key] = value
  end
  options.schedule = rondo.optim.CosineLR { total_steps = options.epochs * #train }
  return rondo.Trainer(options):fit(train)
end

describe("what is learned", function()
  local series, train, test, scaler
  setup(function()
    folder = support.folder()
    series = autoregressive()
    train, test = series:split { 800, 300 }
    scaler = rondo.data.StandardScaler():fit(train)
  end)
  teardown(function() support.remove(folder) end)
  local function windows(part, more)
    local given = { input = 6, horizon = 3, scaler = scaler, batch_size = 32, shuffle = part == train }
    for key, value in pairs(more or {}) do
      given[key] = value
    end
    return part:windows(given)
  end

  for _, form in ipairs { "direct", "recursive", "seq2seq" } do
    it(("of an autoregression is near the best there is: %s"):format(form), function()
      local trainer = fitted({ form = form, hidden_size = 12, ar_window = 4 }, windows(train))
      local best = best_error(windows(test))
      local rmse = trainer:evaluate(windows(test), { metrics = { "rmse" } }).rmse
      assert.is_true(rmse < 1.06 * best, ("%s: %.3f, the best is %.3f"):format(form, rmse, best))
    end)
  end
  for _, output in ipairs { "quantiles", "gaussian", "student_t" } do
    it(("holds its intervals: %s"):format(output), function()
      local trainer = fitted({ form = output == "gaussian" and "recursive" or "direct", output = output,
        hidden_size = 8, ar_window = 4 }, windows(train))
      local figures = trainer:evaluate(windows(test), { metrics = { "rmse", "coverage" } })
      assert.is_true(figures.rmse < 1.08 * best_error(windows(test)))
      -- 298 windows of 3 steps that hang together: a standard error of some 2.5 in 100
      assert.is_true(math.abs(figures.coverage_80 - 0.8) < 0.08, ("%s: %.3f"):format(output, figures.coverage_80))
    end)
  end
  it("of a season needs its baseline alone", function()
    local rows = {}
    for i, e in ipairs(normals(400, 5)) do
      rows[i] = { ("%.5f"):format(100 + 0.5 * i + 20 * math.sin(2 * math.pi * i / 12) + e) }
    end
    local seasonal = series_of("seasonal", { "value" }, rows)
    local first, last = seasonal:split { 300, 100 }
    local s = rondo.data.StandardScaler():fit(first)
    local function w(part)
      return part:windows { input = 24, horizon = 6, scaler = s, season = 12, batch_size = 32, shuffle = part == first }
    end
    local trainer = fitted({ hidden_size = 8, baseline = "seasonal", normalize = "last", ar_window = 6 }, w(first))
    -- the noise of a season ago and today's, sqrt(2), bounds what repeats it; levels beyond those trained on
    assert.is_true(trainer:evaluate(w(last), { metrics = { "rmse" } }).rmse < 1.5)
  end)
  it("of a column that is known ahead is used at its step", function()
    local rows, help, e = {}, normals(500, 6), normals(500, 7)
    for i = 1, 500 do
      rows[i] = { ("%.5f"):format(3 * help[i] + 0.5 * e[i]), ("%.5f"):format(help[i]) }
    end
    local both = series_of("known", { "value", "help" }, rows)
    local first, last = both:split { 400, 100 }
    local s = rondo.data.StandardScaler():fit(first)
    for _, form in ipairs { "direct", "recursive", "seq2seq" } do
      local function w(part)
        return part:windows { input = 4, horizon = 3, target = "value", known = { "help" }, scaler = s, batch_size = 32,
          shuffle = part == first }
      end
      local trainer = fitted({ form = form, hidden_size = 12 }, w(first), { epochs = 40 })
      local rmse = trainer:evaluate(w(last), { metrics = { "rmse" } }).rmse
      assert.is_true(rmse < 0.75, ("%s: %.3f, of which 0.5 is noise and 3 the column"):format(form, rmse))
    end
  end)
  it("of counts is their mean and their spread", function()
    rondo.manual_seed(8)
    local params, rows = rondo.full({ 700, 2 }, 0.3), {}
    for i = 1, 700 do
      params[{ i, 1 }] = 8 + 6 * math.sin(2 * math.pi * i / 7)
    end
    local core, keys = require "rondo.native", {}
    for i = 1, 700 do
      keys[i] = i
    end
    local counts = core.draw_likelihood(params, "negative_binomial", { seed = 4 }, keys, keys):table()
    for i, n in ipairs(counts) do
      rows[i] = { ("%d"):format(n) }
    end
    local first, last = series_of("counts", { "sold" }, rows):split { 500, 200 }
    local function w(part)
      return part:windows { input = 14, horizon = 1, batch_size = 32, shuffle = part == first }
    end
    local trainer = fitted({ output = "negative_binomial", hidden_size = 12, normalize = "mean" }, w(first))
    local figures = trainer:evaluate(w(last), { metrics = { "rmse", "coverage" }, quantiles = { 0.05, 0.95 } })
    local variance = 0.0 -- of the best forecast: m + a m^2, its mean over the season
    for i = 1, 7 do
      local m = 8 + 6 * math.sin(2 * math.pi * i / 7)
      variance = variance + (m + 0.3 * m * m) / 7
    end
    assert.is_true(figures.rmse < 1.2 * math.sqrt(variance), ("%.3f of %.3f"):format(figures.rmse, variance ^ 0.5))
    assert.is_true(figures.coverage_90 > 0.85, figures.coverage_90)
  end)
end)

describe("a forecast", function()
  it("has the same bits with one thread and with two", function()
    local path = support.folder()
    local rows = { "value" }
    for i, e in ipairs(normals(120, 9)) do
      rows[i + 1] = ("%.4f"):format(10 * math.sin(i / 4) + e)
    end
    support.write(path .. "/z.csv", table.concat(rows, "\n"))
    support.write(path .. "/f.lua", [[
      local rondo = require "rondo"
      local train, test = assert(rondo.data.Series.from_csv "z.csv"):split { 80, 40 }
      local s = rondo.data.StandardScaler():fit(train)
      local function w(part) return part:windows { input = 12, horizon = 4, scaler = s, batch_size = 16 } end
      for _, form in ipairs { "direct", "recursive", "seq2seq" } do
        local model = rondo.Forecaster { form = form, output = "student_t", hidden_size = 40, normalize = "standard" }
        local trainer = rondo.Trainer { model = model, loss = model:loss(), optimizer = rondo.optim.Adam { lr = 1e-2 },
          epochs = 2, progress = "none", quiet = true }
        trainer:fit(w(train))
        for _, entry in ipairs(trainer:predict(w(test), { paths = 20 })) do
          print(table.concat(entry.point, " "), table.concat(entry.quantiles[0.9], " "))
        end
      end]])
    local one, why = support.rondo(path, "run f.lua --threads 1")
    assert.equal("", why)
    assert.is_true(#one > 1000)
    assert.equal(one, (support.rondo(path, "run f.lua --threads 2")))
    support.remove(path)
  end)
end)
