-- forecast_spec.lua - the Forecast record: its metrics by hand-computed numbers, its CSV, what it refuses.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local errors = require "rondo.errors"
local support = dofile "tests/lua/support.lua"

local NAN = 0 / 0

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local function near(expected, got)
  assert.is_true(math.abs(expected - got) < 1e-12, ("expected %.17g, got %.17g"):format(expected, got))
end

-- One window: errors 1 and 2 on truths 5 and 8.
local function entry(fields)
  local made = { series = "s", target = "v", origin = 4, history = { 1, 2, 3, 4 }, truth = { 5, 8 }, point = { 4, 10 } }
  for name, value in pairs(fields or {}) do
    made[name] = value
  end
  return made
end

local function forecast(fields, ...)
  local given = { horizon = 2, season = 1, ... }
  given[1] = given[1] or entry()
  for name, value in pairs(fields or {}) do
    given[name] = value
  end
  return rondo.forecast.Forecast(given)
end

local function with_quantiles()
  return entry { quantiles = { [0.1] = { 3, 9 }, [0.5] = { 4, 10 }, [0.9] = { 6, 11 } } }
end

describe("the metrics of a forecast", function()
  it("are MAE, RMSE and sMAPE as their formulas say", function()
    local m = forecast():metrics { "mae", "rmse", "smape" }
    near(1.5, m.mae)                                    -- (1 + 2) / 2
    near(math.sqrt(2.5), m.rmse)                        -- (1 + 4) / 2
    near(100 / 2 * (2 * 1 / 9 + 2 * 2 / 18), m.smape)
    assert.is_nil(m.mase)
  end)
  it("scale MASE by the seasonal naive error before the evaluated part", function()
    near(1.5, forecast():metrics({ "mase" }).mase)                  -- steps of the history are 1
    near(0.75, forecast({ season = 2 }):metrics({ "mase" }).mase)   -- |3 - 1| and |4 - 2| are 2
  end)
  it("take the scale of MASE from the earliest origin of each series", function()
    local later = entry { origin = 5, history = { 1, 2, 3, 4, 400 } }
    local other = entry { series = "t", history = { 0, 3, 0, 3 } }
    near((1.5 + 1.5 + 0.5) / 3, forecast(nil, later, entry(), other):metrics({ "mase" }).mase)
  end)
  it("do not count steps whose truth is missing", function()
    local m = forecast(nil, entry { truth = { 5, NAN } }):metrics { "mae", "rmse" }
    assert.same({ mae = 1.0, rmse = 1.0 }, m)
  end)
  it("are coverage of each interval, and pinball loss of each quantile and in the mean", function()
    local m = forecast(nil, with_quantiles()):metrics { "coverage", "pinball" }
    near(0.5, m.coverage_80)                            -- 5 lies in 3..6, 8 not in 9..11
    near((0.1 * 2 + 0.9 * 1) / 2, m["pinball_0.1"])
    near((0.5 * 1 + 0.5 * 2) / 2, m["pinball_0.5"])
    near((0.1 * 1 + 0.1 * 3) / 2, m["pinball_0.9"])
    near((0.55 + 0.75 + 0.2) / 3, m.pinball)
  end)
  it("are all of them where none are named", function()
    local named = {}
    for name in pairs((forecast(nil, with_quantiles()):metrics())) do named[#named + 1] = name end
    table.sort(named)
    assert.equal("coverage_80 mae mase pinball pinball_0.1 pinball_0.5 pinball_0.9 rmse smape",
      table.concat(named, " "))
  end)
  it("come by step, series or target", function()
    local f = forecast(nil, entry(), entry { series = "t", target = "w", truth = { 4, 10 } })
    assert.same({ { mae = 0.5 }, { mae = 1.0 } }, (f:metrics { "mae", by = "step" }))
    assert.same({ s = { mae = 1.5 }, t = { mae = 0.0 } }, (f:metrics { "mae", by = "series" }))
    assert.same({ v = { mae = 1.5 }, w = { mae = 0.0 } }, (f:metrics { "mae", by = "target" }))
  end)
  it("count 0 of 0 as no error in sMAPE, and say so", function()
    local m, notes = forecast(nil, entry { truth = { 0, 1 }, point = { 0, 1 } }):metrics { "smape" }
    assert.equal(0.0, m.smape)
    assert.same({ "sMAPE: 1 of 2 steps have truth 0 and forecast 0 and count as 0" }, notes)
  end)
  it("leave out series whose history is constant in MASE, and say so", function()
    local flat = entry { series = "flat", history = { 7, 7, 7 } }
    local m, notes = forecast(nil, entry(), flat):metrics { "mase" }
    near(1.5, m.mase)
    assert.same({ "MASE: 2 of 4 steps do not count: before the evaluated part of their series no two values 1 apart "
      .. "differ" }, notes)
  end)
  it("are none where no truth is known, and say so", function()
    local m, notes = forecast(nil, entry { truth = { NAN, NAN } }):metrics()
    assert.same({}, m)
    assert.same({ "no step of the forecast has a known truth: there are no figures" }, notes)
  end)
  it("say where coverage is asked for and there are no quantiles", function()
    local m, notes = forecast():metrics { "coverage" }
    assert.same({}, m)
    assert.same({ "coverage and pinball: the forecast has no quantiles" }, notes)
  end)
  it("that are not known are refused", function()
    local f = forecast()
    assert.matches("forecast:metrics: unknown metric 'rmsd' %(did you mean 'rmse'%?%)",
      support.failure(f.metrics, f, { "rmsd" }))
    assert.matches("forecast:metrics: unknown group 'hour'; there are step, series, target",
      support.failure(f.metrics, f, { "mae", by = "hour" }))
    assert.matches('forecast:metrics: expected a list of names, { "mae", "rmse" }, got a string',
      support.failure(f.metrics, f, "mae"))
  end)
end)

describe("sampled paths", function()
  it("give quantiles on the line between neighbours, as R's quantile()", function()
    local paths = { { 1, 10 }, { 3, 30 }, { 2, 20 }, { 4, 40 }, { 5, 50 } }
    local f = forecast(nil, entry { paths = paths })
    assert.same({ 0.1, 0.5, 0.9 }, f:levels())
    near(1.4, f[1].quantiles[0.1][1]) -- quantile(1:5, 0.1)
    near(46, f[1].quantiles[0.9][2])
  end)
end)

describe("the CSV of a forecast", function()
  local function csv(f)
    local path = folder .. "/f.csv"
    assert.is_true(f:csv(path))
    return support.read(path)
  end
  it("has a line for each step, with quantiles and missing truths", function()
    local one = with_quantiles()
    one.truth, one.series, one.point = { 5.25, NAN }, 'a "b", c', { rondo.tensor({ 112.3 }):item(), 1e-3 }
    assert.equal([[
series,target,origin,time,step,truth,forecast,q0.1,q0.5,q0.9
"a ""b"", c",v,4,,1,5.25,112.3,3,4,6
"a ""b"", c",v,4,,2,,0.001,9,10,11
]], csv(forecast(nil, one)))
  end)
  local function times(unit, a, b)
    local text = csv(forecast({ time_unit = unit }, entry { times = { a, b } }))
    return text:match "v,4,([^,]*),1," .. " " .. text:match "v,4,([^,]*),2,"
  end
  it("has times as months, days, instants or numbers", function()
    assert.equal("1959-01 1959-02", times("months", -347155200, -344476800)) -- date -u -d 1959-01-01 +%s
    assert.equal("1959-01-31 1959-02-28", times("months", -344563200, -342144000))
    assert.equal("1959-01-01 1959-01-02", times("seconds", -347155200, -347068800))
    assert.equal("1959-01-01T00:00:00Z 1959-01-01T01:00:00Z", times("seconds", -347155200, -347151600))
    assert.equal("7 7.5", times("number", 7, 7.5))
  end)
  it("goes to an open file", function()
    local path = folder .. "/open.csv"
    local file = assert(io.open(path, "w"))
    assert.is_true(forecast():csv(file))
    file:close()
    assert.matches("^series,target,origin,time,step,truth,forecast\ns,v,4,,1,5,4\n", support.read(path))
  end)
  it("that cannot be written is said", function()
    local ok, message, code = forecast():csv(folder .. "/none/f.csv")
    assert.is_nil(ok)
    assert.equal(("cannot write the forecast: %s/none/f.csv: No such file or directory"):format(folder), message)
    assert.equal(errors.DATA, code)
    ok, message = forecast():csv "/dev/full"
    assert.is_nil(ok)
    assert.equal("cannot write the forecast: No space left on device", message)
  end)
  it("is asked for by a path or a file", function()
    assert.matches("forecast:csv: expected a path or an open file, got a nil", support.failure(forecast().csv,
      forecast()))
  end)
end)

describe("a Forecast", function()
  it("says what it is", function()
    assert.equal("forecast by AR: 1 windows of 2 steps", tostring(forecast { name = "AR" }))
  end)
  it("refuses what is none", function()
    local function refused(text, ...)
      assert.matches(text, support.failure(forecast, ...), 1, true)
    end
    refused("Forecast: expected a list of entries with name =, horizon =, got horizon 0", { horizon = 0 })
    refused("Forecast: entry 1 must be a table with series, target, origin, point...", nil, { point = { 1, 2 } })
    refused("Forecast: entry 1: point must be a list of 2 numbers, the horizon, got 1", nil, entry { point = { 1 } })
    refused("Forecast: entry 1: truth must be a list of 2 numbers, the horizon, got a number", nil,
      entry { truth = 3 })
    refused("Forecast: entry 1: quantile 0.5 must be a list of 2 numbers, the horizon, got 0", nil,
      entry { quantiles = { [0.5] = {} } })
    refused("Forecast: entry 1: quantiles are keyed by numbers between 0 and 1, got 50", nil,
      entry { quantiles = { [50] = { 1, 2 } } })
    refused("Forecast: entry 2 has other quantiles than the first one", nil, entry(), with_quantiles())
    refused("Forecast: entry 2 has other quantiles than the first one", nil, with_quantiles(), entry())
  end)
end)
