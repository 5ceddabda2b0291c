-- baselines_spec.lua - what a network must beat: by hand-computed numbers, against R, and the known figures of series.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local ar = require "rondo.forecast.ar"
local catalog = require "rondo.data.catalog"
local choose = require "rondo.forecast.choose"
local holt_winters = require "rondo.forecast.holt_winters"
local least_squares = require "rondo.forecast.least_squares"
local minimise = require "rondo.forecast.minimise"
local support = dofile "tests/lua/support.lua"

local B = rondo.baselines
local NAN = 0 / 0

-- Windows over a list of values, the first origin at row `first`; what a part of a series gives.
local function windows(values, given)
  local w = { horizon = given.horizon or 1, season = given.season, targets = { "v" } }
  w.count = given.count or #values - given.first - w.horizon + 1
  function w.window(_, i, target)
    local origin = given.first + i - 1
    local history = setmetatable({}, { __len = function() return origin end, __index = function(_, t)
      return t >= 1 and t <= origin and values[t] or nil
    end })
    local truth = {}
    for k = 1, w.horizon do truth[k] = values[origin + k] or NAN end
    return { series = "s", target = target, origin = origin, history = history, truth = truth }
  end
  return w
end

local function series(name, column)
  return assert(rondo.data.Series.from_csv(assert(rondo.data.get(name)))):values(column):table()
end

local function near(expected, got, tolerance)
  assert.is_true(math.abs(expected - got) <= (tolerance or 1e-12) * math.max(1, math.abs(expected)),
    ("expected %.15g, got %.15g"):format(expected, got))
end

local function all_near(expected, got, tolerance)
  assert.equal(#expected, #got)
  for i = 1, #expected do near(expected[i], got[i], tolerance) end
end

-- Point forecast of a baseline behind all of a list, h steps.
local function ahead(baseline, values, h, season)
  return baseline:forecast(windows(values, { first = #values, horizon = h, season = season, count = 1 }))[1].point
end

-- A random series without libm: uniform numbers of Rondo's own stream.
local function noise(n, seed)
  rondo.manual_seed(seed)
  return rondo.randn(n):table()
end

describe("a naive baseline", function()
  it("says the last value", function()
    assert.same({ 8.0, 8.0 }, ahead(B.Persistence {}, { 1.0, 2.0, 8.0 }, 2))
  end)
  it("says the value a season ago, over and over", function()
    assert.same({ 3.0, 4.0, 3.0 }, ahead(B.SeasonalNaive { 2 }, { 1.0, 2.0, 3.0, 4.0 }, 3))
  end)
  it("takes the season of the windows, if it was given none", function()
    assert.same({ 3.0, 4.0 }, ahead(B.SeasonalNaive {}, { 1.0, 2.0, 3.0, 4.0 }, 2, 2))
  end)
  it("says the last value before a whole season was seen", function()
    assert.same({ 2.0, 2.0 }, ahead(B.SeasonalNaive { 12 }, { 1.0, 2.0 }, 2))
  end)
  it("lets the season grow as it grew from the one before", function()
    -- (2 + 4) / (1 + 2) = 2; two seasons ahead 4
    assert.same({ 4.0, 8.0, 8.0 }, ahead(B.SeasonalNaiveGrowth { 2 }, { 1.0, 2.0, 2.0, 4.0 }, 3))
  end)
  it("lets it grow by a difference where values are not all positive", function()
    -- ((2 + 3) - (0 + 1)) / 2 = 2
    assert.same({ 4.0, 5.0, 6.0 }, ahead(B.SeasonalNaiveGrowth { 2 }, { 0.0, 1.0, 2.0, 3.0 }, 3))
  end)
  it("draws the line from the first value through the last", function()
    assert.same({ 5.5, 7.0 }, ahead(B.Drift {}, { 1.0, 2.0, 4.0 }, 2))
  end)
end)

describe("least squares", function()
  it("solve to rounding what a squared matrix cannot", function()
    -- Lauchli's matrix: X'X is singular in double. y is the sum of the columns.
    local e = 1e-9
    local b = least_squares.solve({ { 1.0, e, 0.0 }, { 1.0, 0.0, e } }, { 2.0, e, e })
    all_near({ 1, 1 }, b, 1e-6)
  end)
  it("give the sums of squares of all nested models", function()
    -- y = 1 2 4: its mean leaves 14/3, the line through it 1/6
    local _, sums = least_squares.solve({ { 1.0, 1.0, 1.0 }, { 1.0, 2.0, 3.0 } }, { 1.0, 2.0, 4.0 })
    all_near({ 14 / 3, 1 / 6 }, sums, 1e-12)
    near(21, sums[0])
  end)
  it("give a column that depends on others coefficient 0", function()
    local b = least_squares.solve({ { 1.0, 1.0, 1.0 }, { 2.0, 2.0, 2.0 }, { 1.0, 2.0, 3.0 } }, { 3.0, 5.0, 7.0 })
    all_near({ 1, 0, 2 }, b)
  end)
end)

describe("minimise", function()
  it("finds the bottom of Rosenbrock's valley", function()
    local x, value = minimise(function(at) return (1 - at[1]) ^ 2 + 100 * (at[2] - at[1] ^ 2) ^ 2 end, { -1.2, 1.0 },
      { { -2, 2 }, { -2, 2 } })
    all_near({ 1, 1 }, { x[1], x[2] }, 1e-4)
    assert.is_true(value < 1e-8)
  end)
  it("stays in its box, and takes what is no number as worse", function()
    local x = minimise(function(at) return at[1] < 0.1 and NAN or at[1] end, { 0.5 }, { { 0.0, 1.0 } })
    near(0.1, x[1], 1e-6)
    near(1, minimise(function(at) return -at[1] end, { 0.5 }, { { 0.0, 1.0 } })[1])
  end)
end)

describe("choose", function()
  local function saying(value)
    return function()
      return { begin = function() return { add = function() end, predict = function() return { value } end } end }
    end
  end
  it("takes what foretells the last fifth best, from fits on what is before", function()
    local y, seen = {}, nil
    for t = 1, 100 do y[t] = t <= 80 and 1.0 or 2.0 end
    local function look(early)
      seen = #early
      return saying(1.0)()
    end
    assert.equal(2, choose(y, 1, { look, saying(2.0), saying(NAN) }))
    assert.equal(80, seen)
  end)
  it("does not choose where values are too few, or none is a number", function()
    assert.is_nil(choose({ 1.0, 2.0, 3.0, 4.0, 5.0 }, 1, { saying(1.0) }))
    assert.is_nil(choose(noise(20, 1), 5, { saying(1.0) }))
    assert.is_nil(choose(noise(40, 1), 1, { saying(NAN) }))
  end)
end)

describe("an autoregression", function()
  it("has the coefficients and forecasts of R's ar.ols", function()
    -- a <- ar.ols(lynx, aic = FALSE, order.max = 2); a$ar; predict(a, n.ahead = 3)
    local model = ar.fit(series("lynx", "trapped"), { order = 2, log = false, season = 1, horizon = 3 })
    all_near({ 1.152422588168, -0.606229046553 }, model.b, 1e-10)
    all_near({ 3012.98212149, 2123.58040122, 1330.81033213 }, ahead(B.AR { 2, log = false }, series("lynx", "trapped"),
      3), 1e-10)
  end)
  it("of logarithms has those of R's", function()
    -- a <- ar.ols(log(window(AirPassengers, end = c(1956, 12))), aic = FALSE, order.max = 13)
    -- exp(predict(a, n.ahead = 14)$pred)
    local train = table.move(series("airline", "passengers"), 1, 96, 1, {})
    all_near({ 316.305584873, 310.443160194, 347.940057075, 345.225340045, 359.038363890, 420.804676413, 460.334494097,
      447.451493582, 398.329401697, 344.334207608, 309.532126011, 345.416139238, 356.227542947, 349.839157854 },
      ahead(B.AR { 13, log = true }, train, 14), 1e-10)
  end)
  it("chooses its order by the smallest AIC", function()
    -- y_t = 1.5 y_(t-1) - 0.8 y_(t-2) + e_t
    local e, y = noise(400, 2), { 0.0, 0.0 }
    for t = 3, 400 do y[t] = 1.5 * y[t - 1] - 0.8 * y[t - 2] + e[t] end
    local model = ar.fit(y, { season = 1, horizon = 1, log = false })
    assert.is_true(model.order >= 2 and model.order <= 4)
    near(1.5, model.b[1], 0.1)
    near(-0.8, model.b[2], 0.1)
  end)
  it("asks back a season at least", function()
    local y = {}
    for t = 1, 200 do y[t] = 10.0 + (t % 20 == 0 and 5.0 or 0.0) end
    local f = ahead(B.AR { season = 20, log = false }, y, 20)
    near(15, f[20], 1e-6)
    near(10, f[19], 1e-6)
  end)
  it("chooses logarithms where they help, and only there", function()
    local grows, e = {}, noise(200, 2)
    for t = 1, 200 do grows[t] = math.exp(0.03 * t + 0.02 * e[t]) end
    assert.is_true(ar.fit(grows, { season = 1, horizon = 6 }).log)
    local flat = {}
    for t = 1, 200 do flat[t] = 100 + 3 * e[t] + (t % 7) end
    flat[3] = -1.0
    assert.is_false(ar.fit(flat, { season = 1, horizon = 6 }).log)
  end)
  it("is the mean of a series without movement", function()
    assert.same({ 5.0, 5.0 }, ahead(B.AR {}, { 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0 }, 2))
    assert.same({ 5.0 }, ahead(B.AR {}, { 5.0 }, 1))
  end)
  it("of logarithms goes on behind a value that is not positive", function()
    local y = { 1.0, 2.0, 3.0, 2.0, 1.0, 2.0, 3.0, 2.0, 1.0, 2.0, 3.0, 2.0, 0.0, 2.0 }
    local f = B.AR({ 2, log = true }):forecast(windows(y, { first = 12 }))
    assert.equal(2, #f)
    assert.is_true(f[2].point[1] > 0 and f[2].point[1] < math.huge)
  end)
end)

describe("Holt-Winters", function()
  local train = table.move(series("airline", "passengers"), 1, 96, 1, {})
  local function given(values, seasonal, season)
    return holt_winters.given(values, { season = season, seasonal = seasonal, alpha = 0.4, beta = 0.05, gamma = 0.6 })
  end
  local function ahead_of(model, values, h)
    local state = model.begin()
    for _, y in ipairs(values) do state:add(y) end
    return state:predict(h)
  end
  -- tr <- window(AirPassengers, end = c(1956, 12))
  it("smooths as R's HoltWinters with the same parameters, multiplicative", function()
    -- h <- HoltWinters(tr, 0.4, 0.05, 0.6, "multiplicative"); h$SSE; predict(h, 14)
    local model = given(train, "multiplicative", 12)
    near(8453.88413261, model.squares, 1e-10)
    all_near({ 319.176386297, 312.169768175, 366.377535214, 363.341208757, 365.008989841, 415.158489720, 455.029436968,
      439.371183429, 386.523214149, 338.140939285, 298.298417864, 341.328015590, 353.576965517, 345.515679946 },
      ahead_of(model, train, 14), 1e-10)
  end)
  it("smooths as R's, additive", function()
    -- h <- HoltWinters(tr, 0.4, 0.05, 0.6, "additive"); h$SSE; predict(h, 14)
    local model = given(train, "additive", 12)
    near(16017.6201934, model.squares, 1e-10)
    all_near({ 326.228174234, 322.781147078, 363.162477698, 360.237477471, 362.070453701, 400.186183896, 427.425087193,
      409.776676540, 365.519467563, 329.199775853, 304.428325588, 344.359627906, 360.280480502, 356.833453347 },
      ahead_of(model, train, 14), 1e-10)
  end)
  it("smooths as R's with a season of an odd length", function()
    -- HoltWinters(ts(nottem, frequency = 11), 0.1, 0.05, 0.3)$SSE
    local model = holt_winters.given(series("nottem", "temperature"), { season = 11, seasonal = "additive", alpha = 0.1,
      beta = 0.05, gamma = 0.3 })
    near(21893.115756668, model.squares, 1e-6)
  end)
  it("smooths as R's without a season", function()
    -- h <- HoltWinters(lynx, 0.4, 0.05, gamma = FALSE); h$SSE; predict(h, 3)
    local lynx = series("lynx", "trapped")
    local model = given(lynx, "additive", 1)
    near(287918225.159, model.squares, 1e-10)
    all_near({ 2454.61069891, 2495.92491276, 2537.23912662 }, ahead_of(model, lynx, 3), 1e-10)
  end)
  it("finds parameters at least as good as R's", function()
    -- HoltWinters(tr, seasonal = "multiplicative")$SSE is 8392.82161363, "additive" 9869.92839533
    local function squares(seasonal) return holt_winters.fit(train, { season = 12, seasonal = seasonal }).squares end
    assert.is_true(squares "multiplicative" <= 8392.8217)
    assert.is_true(squares "additive" <= 9869.9284)
    -- HoltWinters(ts(co2[1:300], frequency = 12))$SSE
    local co2 = table.move(series("co2", "co2"), 1, 300, 1, {})
    assert.is_true(holt_winters.fit(co2, { season = 12, seasonal = "additive" }).squares <= 28.1524)
  end)
  it("takes the kind that foretells better, and additive where values are not positive", function()
    local auto = { season = 12, seasonal = "auto", horizon = 1 }
    assert.equal("Holt-Winters, multiplicative", holt_winters.fit(train, auto).name)
    local shifted = {}
    for t, y in ipairs(train) do shifted[t] = y - 200 end
    assert.equal("Holt-Winters, additive", holt_winters.fit(shifted, { season = 12, seasonal = "multiplicative" }).name)
  end)
  it("may let its trend fade", function()
    local line = {}
    for t = 1, 40 do line[t] = 10.0 + t end
    local f = ahead(B.HoltWinters { 1, damped = true }, line, 30)
    assert.is_true(f[30] < 79 and f[30] > 50)
    near(80, ahead(B.HoltWinters { 1 }, line, 30)[30], 1e-6)
  end)
  it("goes without a season where there are not two, and is persistence of three values", function()
    local auto = { season = 60, seasonal = "auto", horizon = 1 }
    assert.equal("Holt-Winters without a season", holt_winters.fit(train, auto).name)
    assert.same({ 3.0 }, ahead(B.HoltWinters { 12 }, { 1.0, 2.0, 3.0 }, 1))
  end)
end)

describe("the known figures", function()
  local function rmse(baseline, w) return baseline:evaluate(w, { metrics = { "rmse" } }).rmse end
  -- Windows of the last rows of a file, one step.
  local function last(path, rows, column, season)
    local s = assert(rondo.data.Series.from_csv(path, { columns = column and { column } }))
    return s:slice(-rows):windows { input = 24, season = season }
  end
  it("of airline passengers, the last third, one step", function()
    local w = last(assert(rondo.data.get "airline"), 48, nil, 12)
    assert.equal(48, w.count)
    near(41.85366, rmse(B.SeasonalNaive {}, w), 1e-6)
    near(14.04741, rmse(B.AR { 13, log = true }, w), 1e-6)
  end)
  it("of monthly sunspots, the last fifth, one step", function()
    local w = last(assert(rondo.data.get "sunspots"), 564)
    near(20.0907, rmse(B.Persistence {}, w), 1e-5)
    near(18.20627, rmse(B.AR { 24 }, w), 1e-6)
  end)
  it("of the weather at JFK an hour ahead, the last fifth", function()
    local path = catalog.where((select(2, catalog.read())).weather_jfk.files[1])
    if not path then
      return pending "weather_jfk is neither in RONDO_DATA nor in the cache"
    end
    near(1.617489, rmse(B.Persistence {}, last(path, 1742, "temp", 24)), 1e-6)
  end)
end)

describe("a baseline", function()
  local airline = series("airline", "passengers")
  it("is fitted on what lies before the first origin alone", function()
    local changed = table.move(airline, 1, #airline, 1, {})
    for t = 98, 144 do changed[t] = 1000.0 - changed[t] end
    for _, baseline in ipairs { B.AR {}, B.HoltWinters { 12 }, B.SeasonalNaiveGrowth { 12 } } do
      local a = baseline:forecast(windows(airline, { first = 96, season = 12 }))
      local b = baseline:forecast(windows(changed, { first = 96, season = 12 }))
      assert.same(a[1].point, b[1].point)
      assert.same(a[1].quantiles, b[1].quantiles)
      assert.same(a[2].point, b[2].point) -- its origin is the value that did not change
      assert.equal(a.name, b.name)
    end
  end)
  it("has quantiles of its own errors, about the forecast", function()
    local e, y = noise(600, 3), { 0.0 }
    for t = 2, 600 do y[t] = y[t - 1] + e[t] end
    local m = B.Persistence({}):evaluate(windows(y, { first = 400, horizon = 4 }))
    assert.is_true(m.coverage_80 > 0.7 and m.coverage_80 < 0.9)
    local f = B.Persistence({}):forecast(windows(y, { first = 400, horizon = 4 }), { quantiles = { 0.1, 0.9 } })
    local q = f[1].quantiles
    near(2, (q[0.9][4] - q[0.1][4]) / (q[0.9][1] - q[0.1][1]), 0.4) -- sqrt(4) as wide
    assert.is_nil(B.Persistence({}):forecast(windows(y, { first = 400 }), { quantiles = {} })[1].quantiles)
  end)
  it("has quantiles of relative errors where it grows by factors", function()
    local f = B.AR({ 13, log = true }):forecast(windows(airline, { first = 96 }))
    for _, entry in ipairs(f) do
      near(f[1].quantiles[0.9][1] / f[1].point[1], entry.quantiles[0.9][1] / entry.point[1], 1e-12)
    end
  end)
  it("reads each value of a series a few times only, however many windows there are", function()
    local reads, y = 0, noise(1200, 4)
    local w = windows(y, { first = 600, horizon = 12, season = 24 })
    local window = w.window
    function w.window(...)
      local made = window(...)
      local origin = made.origin
      made.history = setmetatable({}, { __len = function() return origin end, __index = function(_, t)
        reads = reads + 1
        return t <= origin and y[t] or nil
      end })
      return made
    end
    B.AR({}):forecast(w)
    assert.is_true(reads < 4 * 1200, reads)
  end)
  it("holds the last value over missing ones, and begins at the first known one", function()
    local f = B.SeasonalNaive({ 2 }):forecast(windows({ NAN, 1.0, 2.0, NAN, 4.0, 5.0 }, { first = 4 }))
    assert.same({ 2.0 }, f[1].point) -- 1 2 2
    assert.same({ 2.0 }, f[2].point) -- 1 2 2 4
  end)
  it("keeps series and targets apart, in the order of the windows", function()
    local values = { a = { 1.0, 2.0, 3.0, 4.0 }, b = { 10.0, 20.0, 30.0, 40.0 } }
    local w = { horizon = 1, count = 4, targets = { "x", "y" } }
    function w.window(_, i, target)
      local name, origin = i % 2 == 1 and "a" or "b", 2 + (i - 1) // 2
      local history = table.move(values[name], 1, origin, 1, {})
      for t = 1, origin do history[t] = history[t] + (target == "y" and 100 or 0) end
      return { series = name, target = target, origin = origin, history = history, truth = { NAN } }
    end
    local said = {}
    for i, entry in ipairs(B.Persistence({}):forecast(w)) do
      said[i] = ("%s%s %g"):format(entry.series, entry.target, entry.point[1])
    end
    assert.equal("ax 2, ay 102, bx 20, by 120, ax 3, ay 103, bx 30, by 130", table.concat(said, ", "))
  end)
  it("refuses what are no windows", function()
    local b = B.Persistence {}
    assert.matches("Persistence: forecast: expected windows of a series, series:windows { input =, horizon = }, got a "
      .. "number", support.failure(b.forecast, b, 3))
    assert.matches("Persistence: forecast: there are no windows", support.failure(b.forecast, b, windows({ 1.0 },
      { first = 1 })))
    assert.matches("Persistence: forecast: option 'quantiles' must be a list of numbers between 0 and 1, got 90",
      support.failure(b.forecast, b, windows({ 1.0, 2.0 }, { first = 1 }), { quantiles = { 90 } }))
    assert.matches("Persistence: series 's' has no value before row 2; give it a longer history",
      support.failure(b.forecast, b, windows({ NAN, 2.0 }, { first = 1 })))
    assert.matches("forecast:metrics: unknown metric 'rmsd'", support.failure(b.evaluate, b, windows({ 1.0, 2.0 },
      { first = 1 }), { metrics = { "rmsd" } }))
    assert.matches("SeasonalNaive: unknown option 'sesaon' %(did you mean 'season'%?%)",
      support.failure(B.SeasonalNaive, { sesaon = 3 }))
    assert.matches("HoltWinters: option 'seasonal' must be one of", support.failure(B.HoltWinters, { seasonal = "x" }))
  end)
  it("says what it is", function()
    assert.equal("baseline: AR", tostring(B.AR {}))
  end)
end)

describe("all baselines", function()
  it("are those that need no training, with names", function()
    local names = {}
    for i, f in ipairs(B.all(windows(series("airline", "passengers"), { first = 96, season = 12 }))) do
      names[i] = f.name
    end
    assert.equal("persistence; seasonal naive (12); seasonal naive with growth (12); drift; AR(16); Holt-Winters, "
      .. "multiplicative", table.concat(names, "; "))
  end)
  it("are four without a season", function()
    assert.equal(4, #B.all(windows({ 1.0, 2.0, 3.0, 5.0, 4.0, 6.0 }, { first = 4 })))
  end)
end)
