-- compare_spec.lua - the table of a network beside its baselines, its verdict, rolling origins, the feed-forward net.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local compare, B = rondo.forecast.compare, rondo.baselines

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local function series(values, name)
  local lines = { "v" }
  for i, v in ipairs(values) do lines[i + 1] = ("%.7g"):format(v) end
  local path = support.write(("%s/%s.csv"):format(folder, name or "s"), table.concat(lines, "\n") .. "\n")
  return assert(rondo.data.Series.from_csv(path))
end

-- A forecast of n windows whose errors repeat a list; the truth is 10.
local function forecast(name, errors, n, target)
  local f = { name = name, horizon = 1, season = 1 }
  for i = 1, n or 8 do
    f[i] = { series = "s", target = target or "v", origin = i + 3, history = { 1, 2, 3 }, truth = { 10.0 },
      point = { 10.0 + errors[(i - 1) % #errors + 1] } }
  end
  return rondo.forecast.Forecast(f)
end

local function judged(...)
  return select(2, compare(...))
end

local silent = { file = false }

describe("the table", function()
  it("has a line for each forecast, and ends with the verdict", function()
    local path = folder .. "/table.txt"
    local file = assert(io.open(path, "w"))
    local skill = compare({ forecast("net", { 1, -1 }), forecast("net", { 2, -2 }) }, { forecast("naive", { 4 }),
      forecast("drift", { 5, -6 }) }, { file = file })
    file:close()
    assert.is_true(skill)
    assert.equal([[
                MAE           RMSE          sMAPE          MASE
net, 2 seeds  1.500 ± 0.707  1.500 ± 0.707  15.11 ± 7.20  1.500 ± 0.707
naive         4.000          4.000          33.33         4.000
drift         5.500          5.523          62.86         5.500
net, 2 seeds, beats ...
]], support.read(path):gsub("net beats[^\n]*", "net, 2 seeds, beats ..."))
  end)
  it("has coverage and pinball loss where there are quantiles", function()
    local f = forecast("net", { 1 })
    for _, entry in ipairs(f) do entry.quantiles = { [0.1] = { 9.0 }, [0.9] = { 12.0 } } end
    local text = judged(f, { forecast("naive", { 4 }) }, silent).table
    assert.matches("MASE +in 80 %% +pinball\n", text)
    assert.matches("net +1.000 +1.000 +9.524 +1.000 +100.0 %% +0.1500\n", text) -- (0.1 * 1 + 0.1 * 2) / 2
    assert.matches("naive +4.000 +4.000 +33.333 +4.000\n", text)
  end)
  it("has notes on what does not count", function()
    local f, g = forecast("net", { -10 }), forecast("naive", { 1 })
    for _, all in ipairs { f, g } do for _, entry in ipairs(all) do entry.truth = { 0.0 } end end
    for _, entry in ipairs(f) do entry.point = { 0.0 } end
    assert.matches("\nnote: sMAPE: 8 of 8 steps have truth 0 and forecast 0 and count as 0\n",
      judged(f, { g }, silent).table)
  end)
  it("is one for each target, and then one verdict by MASE", function()
    local function both(name, a, b)
      local f = { name = name, horizon = 1, season = 1 }
      for _, part in ipairs { forecast(name, { a }, 8, "v"), forecast(name, { b }, 8, "w") } do
        for _, entry in ipairs(part) do f[#f + 1] = entry end
      end
      return rondo.forecast.Forecast(f)
    end
    local skill, v = compare(both("net", 1, 3), { both("naive", 2, 2) }, silent)
    assert.is_false(skill)
    assert.is_true(v.by_target.v.skill)
    assert.is_false(v.by_target.w.skill)
    assert.matches("^v:\n.*\nw:\n.*\nAll 2 targets: net does not beat the best baseline, naive, by more than the "
      .. "spread: MASE 2.000 against 2.000", v.table)
  end)
end)

describe("the verdict", function()
  it("names what it rests on", function()
    -- Squares of the net's errors are 1 and 4 by turns, of the baseline's 16: differences -15 and -12 have covariances
    -- 2.25 (-1)^k (8 - k) / 8. Two places back: 2.25 (1 - 4/3 7/8 + 2/3 6/8) = 0.75; sqrt(0.75 / 8) / (4 + sqrt(2.5))
    local v = judged({ forecast("net", { 1, 2 }), forecast("net", { 1, 2 }) }, { forecast("naive", { 4 }) }, silent)
    assert.equal("net beats the best baseline, naive, by 2.419: RMSE 1.581 against 4.000 (spread 0.0000 over 2 seeds, "
      .. "0.0549 over the windows).", v.text)
  end)
  it("is that a network as good as the baseline has no skill", function()
    local skill, v = compare(forecast("net", { 4 }), { forecast("naive", { 4 }) }, silent)
    assert.is_false(skill)
    assert.equal("net does not beat the best baseline, naive, by more than the spread: RMSE 4.000 against 4.000 "
      .. "(spread 0.0000 over the windows; of one seed).", v.text)
  end)
  it("is that what seeds differ by is no skill", function()
    local runs = { forecast("net", { 1 }), forecast("net", { 7 }) } -- 4 +- 4.24
    assert.is_false((compare(runs, { forecast("naive", { 6 }) }, silent)))
    assert.is_true((compare(runs, { forecast("naive", { 9 }) }, silent)))
  end)
  it("is that what windows differ by is no skill", function()
    assert.is_false((compare(forecast("net", { 0, 0, 0, 9 }), { forecast("naive", { 5 }) }, silent)))
    assert.is_true((compare(forecast("net", { 0, 0, 0, 9 }), { forecast("naive", { 9 }) }, silent)))
  end)
  it("is that one window and one seed show nothing", function()
    local net, naive = forecast("net", { 1 }, 1), forecast("naive", { 4 }, 1)
    local skill, v = compare(net, { naive }, silent)
    assert.is_false(skill)
    assert.equal("net cannot be judged by one window and one seed: RMSE 1.000 against 4.000 of naive.", v.text)
    v = judged({ net, forecast("net", { 2 }, 1) }, { naive }, silent)
    assert.is_true(v.skill)
    assert.matches("(spread 0.7071 over 2 seeds, of one window).", v.text, 1, true)
  end)
  it("goes by the metric that is asked for", function()
    local net, naive = forecast("net", { 0, 0, 0, 9 }, 400), forecast("naive", { 4 }, 400)
    assert.is_false((compare(net, { naive }, silent)))
    local v = judged(net, { naive }, { metric = "mae", file = false })
    assert.is_true(v.skill)
    assert.matches("MAE 2.250 against 4.000", v.text)
    assert.is_true(judged(net, { naive }, { metric = "mase", file = false }).skill)
  end)
  it("goes by pinball loss where all have quantiles", function()
    local net, naive = forecast("net", { 1 }), forecast("naive", { 1 })
    for _, entry in ipairs(net) do entry.quantiles = { [0.1] = { 9.0 }, [0.9] = { 12.0 } } end
    for _, entry in ipairs(naive) do entry.quantiles = { [0.1] = { 0.0 }, [0.9] = { 20.0 } } end
    local v = judged(net, { naive }, { metric = "pinball", file = false })
    assert.is_true(v.skill)
    assert.matches("pinball loss 0.1500 against 1.000", v.text)
  end)
  it("says where there is nothing to judge by", function()
    local v = judged(forecast("net", { 1 }), { forecast("naive", { 4 }) }, { metric = "pinball", file = false })
    assert.is_false(v.skill)
    assert.equal("net cannot be judged: there is no pinball loss of it and of a baseline.", v.text)
  end)
  it("is that a forecast that is no number has no skill", function()
    assert.is_false((compare(forecast("net", { 0 / 0 }), { forecast("naive", { 4 }) }, silent)))
  end)
  it("wants forecasts of the same windows, and their truth", function()
    local net, naive = forecast("net", { 1 }), forecast("naive", { 4 })
    local function refused(text, ...) assert.matches(text, support.failure(compare, ...), 1, true) end
    refused("compare: the network must be a Forecast, or a list of those of several seeds, got a number", 3, { naive })
    refused("compare: expected a list of the baselines' forecasts, rondo.baselines.all(windows), got a Forecast", net,
      naive)
    refused("compare: expected a list of the baselines' forecasts, rondo.baselines.all(windows), got an empty list",
      net, {})
    refused("compare: expected a list of the baselines' forecasts, rondo.baselines.all(windows), got a nil", net)
    refused("compare: baseline 1 must be a Forecast, or a list of those of several seeds, got a string", net, { "x" })
    refused("compare: 'net' and 'naive' are not of the same windows; make both from one source", net,
      { forecast("naive", { 1 }, 7) })
    refused("compare: option 'metric' must be one of", net, { naive }, { metric = "smape" })
    for _, f in ipairs { net, naive } do for _, entry in ipairs(f) do entry.truth = nil end end
    refused("compare: the truth of no window is known: there is nothing to compare", net, { naive }, silent)
  end)
end)

-- Forecasts of the last third of a series by a net, over three seeds, and the verdict.
local function verdict_on(values, name)
  local train, valid, test = series(values, name):split { 0.5, 0.2, 0.3 }
  local scaler = rondo.data.StandardScaler():fit(train)
  local function windows(part, shuffle)
    return part:windows { input = 3, horizon = 1, scaler = scaler, batch_size = 32, shuffle = shuffle }
  end
  local runs = {}
  for seed = 1, 3 do
    rondo.manual_seed(seed)
    runs[seed] = B.FeedForward({ hidden_size = 12, epochs = 20, lr = 1e-2, loss = rondo.MSELoss() })
      :fit(windows(train, true), windows(valid)):forecast(windows(test))
  end
  return judged(runs, B.all(windows(test)), silent)
end

describe("a trained net", function()
  it("has no skill on a random walk", function()
    rondo.manual_seed(7)
    local y = { 0.0 }
    for t, e in ipairs(rondo.randn(599):table()) do y[t + 1] = y[t] + e end
    local v = verdict_on(y, "walk")
    assert.is_false(v.skill)
    assert.matches("does not beat the best baseline", v.text)
  end)
  it("has skill on a series that can be learned, but not by lines", function()
    local y = { 0.3 }
    for t = 2, 600 do y[t] = 3.9 * y[t - 1] * (1 - y[t - 1]) end -- the logistic map
    local v = verdict_on(y, "map")
    assert.is_true(v.skill)
    assert.is_true(v.value < 0.5 * v.best_value)
  end)
end)

describe("the feed-forward net", function()
  local function windows(part, given)
    given.input, given.batch_size = 4, 16
    return part:windows(given)
  end
  local function wave()
    local y = {}
    for t = 1, 200 do y[t] = 5.0 + (t % 4) end
    return series(y, "wave"):split { 0.6, 0.2, 0.2 }
  end
  it("has as many parameters as the network, within a unit", function()
    local train = wave()
    local network = rondo.Sequential { rondo.GRU { input_size = 1, hidden_size = 8, return_sequences = false },
      rondo.Linear { 2 } }
    local net = B.FeedForward { like = network, epochs = 1 }
    net:fit(windows(train, { horizon = 2 }))
    assert.is_true(math.abs(net.model:parameter_count() - network:parameter_count()) <= 4 + 1 + 2)
  end)
  it("forecasts several steps on the scale of the data, with quantiles", function()
    local train, valid, test = wave()
    local scaler = rondo.data.StandardScaler():fit(train)
    rondo.manual_seed(1)
    local net = B.FeedForward({ hidden_size = 16, epochs = 60, lr = 1e-2 })
    net:fit(windows(train, { horizon = 3, scaler = scaler, shuffle = true }),
      windows(valid, { horizon = 3, scaler = scaler }))
    local w = windows(test, { horizon = 3, scaler = scaler })
    local f = net:forecast(w)
    assert.equal(w.count, #f)
    assert.same({ 0.1, 0.5, 0.9 }, f:levels())
    assert.is_true(net:evaluate(w, { metrics = { "rmse" } }).rmse < 0.2)
    assert.is_nil(net:forecast(w, { quantiles = {} })[1].quantiles)
    assert.matches("^feed%-forward net %(131 parameters%)$", f.name) -- 4 x 16 + 16 + 16 x 3 + 3
  end)
  it("keeps the weights of its best validation", function()
    local train, valid = wave()
    rondo.manual_seed(1)
    local net = B.FeedForward({ hidden_size = 4, epochs = 12, lr = 0.3 })
    net:fit(windows(train, { shuffle = true }), windows(valid, {}))
    local trainer = rondo.Trainer { model = net.model, loss = rondo.HuberLoss(), optimizer = rondo.optim.SGD { lr = 0 },
      epochs = 1, quiet = true }
    assert.equal(net.best, trainer:evaluate(windows(valid, {})).loss)
  end)
  it("takes several targets", function()
    local path = support.write(folder .. "/two.csv", "a,b\n" .. ("1,10\n2,20\n"):rep(40))
    local s = assert(rondo.data.Series.from_csv(path))
    local w = windows(s, { horizon = 2, target = { "a", "b" }, scaler = rondo.data.StandardScaler():fit(s) })
    rondo.manual_seed(1)
    local f = B.FeedForward({ hidden_size = 12, epochs = 40, lr = 1e-2 }):fit(w):forecast(w)
    assert.equal(2 * w.count, #f)
    local by = f:metrics { "mae", by = "target" }
    assert.is_true(by.a.mae < 0.2 and by.b.mae < 2)
  end)
  it("gets the window as a Forecaster makes it, and what is known ahead", function()
    local y = {}
    for t = 1, 240 do y[t] = t + 3.0 * (t % 4) end -- beyond all that was seen in training
    local train, valid, test = series(y, "climbs"):split { 0.6, 0.2, 0.2 }
    local scaler = rondo.data.StandardScaler():fit(train)
    local function w(part) return windows(part, { horizon = 2, scaler = scaler, season = 4 }) end
    local function rmse(given)
      rondo.manual_seed(1)
      given.hidden_size, given.epochs, given.lr = 8, 40, 1e-2
      return B.FeedForward(given):fit(w(train), w(valid)):evaluate(w(test), { metrics = { "rmse" } }).rmse
    end
    local plain = rmse {}
    assert.is_true(rmse { normalize = "last" } < 0.2 * plain)
    assert.is_true(rmse { baseline = "seasonal" } < 0.1 * plain)
    local like = rondo.Forecaster { hidden_size = 4, baseline = "seasonal", normalize = "last" }
    like:take_windows(w(train))
    local net = B.FeedForward({ like = like, epochs = 1 }):fit(w(train))
    assert.equal("seasonal last", net.model.sizes.baseline .. " " .. net.model.sizes.normalize)
  end)
  it("reads columns that are known ahead", function()
    -- Two series of noise, which a column tells ahead, with a column that never changes.
    local lines = { "who,v,next,size" }
    rondo.manual_seed(2)
    local e = rondo.randn(400):table()
    for t = 1, 400 do
      lines[t + 1] = ("%s,%.5g,%.5g,%d"):format(t % 2 == 0 and "a" or "b", e[t], e[t], t % 2)
    end
    local s = assert(rondo.data.Series.from_csv(support.write(folder .. "/known.csv", table.concat(lines, "\n")),
      { id = "who" }))
    local train, test = s:split { 0.8, 0.2 }
    for _, ids in ipairs { "one_hot", "embedding" } do
      local function w(part)
        return windows(part, { horizon = 2, target = "v", known = { "next" }, static = { "size" }, ids = ids })
      end
      local net = B.FeedForward({ hidden_size = 24, epochs = 30, lr = 2e-2 }):fit(w(train))
      assert.is_true(net:evaluate(w(test)).rmse < 0.5 * B.Persistence({}):evaluate(w(test)).rmse)
    end
  end)
  it("says what it wants", function()
    local train = wave()
    local one = "FeedForward: give either like, the network that it is compared with, or hidden_size"
    assert.matches(one, support.failure(B.FeedForward, {}))
    assert.matches(one, support.failure(B.FeedForward, { hidden_size = 3, like = rondo.Linear { 1, 1 } }))
    assert.matches("FeedForward: option 'like' must be a module, got a number", support.failure(B.FeedForward,
      { like = 3 }))
    local net = B.FeedForward { hidden_size = 2 }
    assert.matches("FeedForward: fit expects windows of a series, series:windows { input =, horizon = }, got a table",
      support.failure(net.fit, net, {}))
    assert.matches("FeedForward: a window of 4 steps is shorter than the season, 12", support.failure(net.fit,
      B.FeedForward { hidden_size = 2, baseline = "seasonal" }, windows(train, { season = 12 })))
    assert.matches('FeedForward: baseline = "seasonal" needs windows with a season', support.failure(net.fit,
      B.FeedForward { hidden_size = 2, baseline = "seasonal" }, windows(train, {})))
    assert.matches("FeedForward: fit it first, on the windows of the training part",
      support.failure(net.forecast, net, windows(train, {})))
    assert.equal("baseline: FeedForward", tostring(net))
  end)
end)

describe("a rolling origin", function()
  local y = {}
  for t = 1, 100 do y[t] = t + (t % 3) + 0.0 end
  local function rolled(given)
    local fits = {}
    given.series, given.from = series(y, "rolled"), given.from or 0.7
    given.fit = given.fit or function(train, seed, block)
      fits[#fits + 1] = ("%d %s %d"):format(#train, tostring(seed), block)
      return function(part)
        return B.Drift({}):forecast(part:windows { input = 2, horizon = given.horizon or 1 })
      end
    end
    return rondo.forecast.rolling_origin(given), fits
  end
  local function origins(f)
    local list = {}
    for i, entry in ipairs(f) do list[i] = entry.origin end
    return list
  end
  local function from_to(a, b)
    local list = {}
    for i = a, b do list[#list + 1] = i end
    return list
  end
  it("refits before each block, on what lies before it, and asks at each origin once", function()
    local runs, fits = rolled { blocks = 3 }
    assert.same({ "70 nil 1", "80 nil 2", "90 nil 3" }, fits)
    assert.equal(1, #runs)
    assert.same(from_to(70, 99), origins(runs[1]))
  end)
  it("misses no origin with a horizon of several rows", function()
    local runs, fits = rolled { blocks = 2, horizon = 4, from = 71 }
    assert.same({ "70 nil 1", "83 nil 2" }, fits)
    assert.same(from_to(70, 96), origins(runs[1]))
    for _, entry in ipairs(runs[1]) do
      assert.same(table.move(y, entry.origin + 1, entry.origin + 4, 1, {}), entry.truth)
    end
  end)
  it("fits once without refit", function()
    local runs, fits = rolled { refit = false }
    assert.same({ "70 nil 1" }, fits)
    assert.same(from_to(70, 99), origins(runs[1]))
  end)
  it("cuts many series at the same rows, if they have as many", function()
    local function of(n)
      local lines = { "who,v" }
      for t = 1, 50 do lines[#lines + 1] = ("a,%d"):format(t * (1 + t % 5)) end
      for t = 1, n do lines[#lines + 1] = ("b,%d"):format(t % 5) end
      local path = support.write(folder .. "/many.csv", table.concat(lines, "\n"))
      return rondo.forecast.rolling_origin { series = assert(rondo.data.Series.from_csv(path, { id = "who" })),
        from = 0.8, blocks = 2, fit = function()
          return function(part) return B.HoltWinters({}):forecast(part:windows { input = 2, season = 5 }) end
        end }
    end
    local f = of(50)[1]
    assert.equal(20, #f)
    assert.equal("Holt-Winters, one for each series", f.name)
    assert.matches("rolling_origin: the series have 50 and 40 rows; all must have as many, or take one, "
      .. "series:one(name)", support.failure(of, 40), 1, true)
  end)
  it("is a run for each seed, which starts anew at each block", function()
    local drawn = {}
    local runs = rolled { blocks = 2, seeds = { 5, 6 }, fit = function()
      drawn[#drawn + 1] = rondo.random()
      return function(part) return B.Drift({}):forecast(part:windows { input = 2 }) end
    end }
    assert.equal(2, #runs)
    assert.equal(drawn[1], drawn[2])
    assert.not_equal(drawn[1], drawn[3])
    assert.is_boolean((compare(runs, { runs[1] }, silent)))
  end)
  it("says what it wants", function()
    local function refused(text, given)
      assert.matches(text, support.failure(rolled, given), 1, true)
    end
    refused("rolling_origin: option 'from' must be a row 2..100 or a share between 0 and 1, got 101", { from = 101 })
    refused("rolling_origin: 2 rows from row 99 on are fewer than the horizon, 3", { from = 99, horizon = 3 })
    refused("rolling_origin: fit must give a function(part), got a nil", { fit = function() end })
    refused("rolling_origin: what fit gives must give a Forecast, as baseline:forecast(windows) is, got a number",
      { fit = function() return function() return 3 end end })
    assert.matches("rolling_origin: option 'series' must be a series (rondo.data.Series.from_csv), got a number",
      support.failure(rondo.forecast.rolling_origin, { series = 3, from = 2, fit = print }), 1, true)
  end)
end)
