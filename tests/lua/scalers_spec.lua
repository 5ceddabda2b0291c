-- scalers_spec.lua - robust, log, Box-Cox, differences and chains: fitted on one part, kept, taken back.
--
-- Expected numbers are the formulas', or R's quantile() and optimize() of the log-likelihood.
-- SPDX-License-Identifier: MIT
local support = require "tests.lua.support"
local json = require "rondo.json"
local rondo = require "rondo"

local data = rondo.data
local from_scaler = require("rondo.data.scalers").from
local folder

setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

-- A series of a column, whose rows behind the first n are of no use to anyone.
local function series(values, n)
  local text = "v\n" .. table.concat(values, "\n") .. "\n"
  local s = assert(data.Series.from_csv(support.write(folder .. "/v.csv", text)))
  return s, s:slice(1, n or #values)
end

local DIGITS = { 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9 }

local function airline(i) return math.exp(5 + i / 60 + 0.3 * math.sin(i * math.pi / 6)) + i % 5 end

local function long(n)
  local values = {}
  for i = 1, n do values[i] = ("%.6f"):format(airline(i)) end
  return series(values)
end

describe("a scaler", function()
  it("is robust by median and quartiles", function()
    local _, part = series(table.move({ 1e9, -1e9 }, 1, 2, 16, table.move(DIGITS, 1, 15, 1, {})), 15)
    local scaler = data.RobustScaler():fit(part)
    assert.same({ 5.0, 4.5 }, { scaler.shift.v, scaler.scale.v }) -- quantile() of R
    support.same(rondo.tensor { -4 / 4.5, 4 / 4.5 }, scaler:transform(rondo.tensor { 1.0, 9 }, "v"))
    local negative = data.RobustScaler():fit((series { -8, -1, 0, 3, 1e-3, 12345.678, -0.5 }))
    assert.equal(0.0, negative.shift.v)
    assert.near(2.2505, negative.scale.v, 1e-12) -- 1.5005 and -0.75
  end)
  it("takes logarithms, with an offset where asked", function()
    local _, part = series { 1, 2, 4 }
    local scaler = data.LogScaler():fit(part)
    local there = scaler:transform(rondo.tensor { 1.0, 2 }, "v")
    assert.is_true(there:allclose(rondo.tensor { 0.0, math.log(2) }, { rtol = 1e-6, atol = 1e-7 }))
    assert.is_true(scaler:inverse(there, "v"):allclose(rondo.tensor { 1.0, 2 }, { rtol = 1e-6, atol = 1e-6 }))
    scaler = data.LogScaler { offset = 1 }:fit((series { 0, 2 }))
    assert.near(0, scaler:transform(rondo.tensor { 0.0 }, "v"):item(), 1e-7)
  end)
  it("finds Box-Cox's lambda by maximum likelihood on its part alone", function()
    local function lambda(values, n)
      local _, part = series(values, n)
      return data.BoxCoxScaler():fit(part):stages("v")[1].b
    end
    local squares, powers = {}, {}
    for i = 1, 20 do squares[i], powers[i] = i * i, ("%.17g"):format(math.exp(i / 4)) end
    squares[21] = 1e-9
    assert.near(0.362634855527, lambda(squares, 20), 1e-5)
    assert.near(0, lambda(powers), 1e-5)
    assert.near(0.69761423538, lambda(DIGITS), 1e-5)
    assert.equal(1.0, lambda { 7, 7, 7 })
  end)
  it("applies Box-Cox there and back, and ends where its range ends", function()
    local _, part = series(DIGITS)
    local scaler = data.BoxCoxScaler { lambda = 0.5 }:fit(part)
    local there = scaler:transform(rondo.tensor { 4.0, 9 }, "v")
    assert.is_true(there:allclose(rondo.tensor { 2.0, 4 }, { rtol = 1e-6, atol = 1e-6 }))
    local back = scaler:inverse(rondo.tensor { 2.0, 4, -2, -9 }, "v")
    assert.is_true(back:allclose(rondo.tensor { 4.0, 9, 0, 0 }, { rtol = 1e-5, atol = 1e-6 }))
  end)
  it("is a chain, each behind those before", function()
    local s = long(96)
    local train = s:split { 72, 24 }
    local scaler = data.ChainScaler { data.LogScaler(), data.DifferenceScaler { lag = 12 }, data.StandardScaler() }
    scaler:fit(train)
    assert.equal("LogScaler, DifferenceScaler, StandardScaler of v", tostring(scaler))
    local logs, sum, squares = {}, 0, 0
    for i = 1, 72 do logs[i] = math.log(tonumber(("%.6f"):format(airline(i)))) end
    for i = 13, 72 do sum = sum + logs[i] - logs[i - 12] end
    for i = 13, 72 do squares = squares + (logs[i] - logs[i - 12] - sum / 60) ^ 2 end
    local stage = scaler:stages("v")[3]
    assert.near(sum / 60, stage.a, 1e-12)
    assert.near(math.sqrt(squares / 60), stage.b, 1e-12)
    local w = train:windows { input = 3, horizon = 14, scaler = scaler }
    local x, y = w:batch(1)
    assert.equal(72 - 14 - 15 + 1, w.count) -- 12 rows before the first input
    assert.near((logs[13] - logs[1] - stage.a) / stage.b, x[{ 1, 1, 1 }], 1e-5)
    assert.near((logs[29] - logs[17] - stage.a) / stage.b, y[{ 1, 14 }], 1e-5)
  end)
  it("may be one for each column", function()
    local path = support.write(folder .. "/two.csv", "a,b\n1,0\n2,4\n4,0\n8,4\n")
    local s = assert(data.Series.from_csv(path))
    local scaler = data.ColumnScaler { data.MinMaxScaler(), a = data.LogScaler() }:fit(s)
    assert.equal("ColumnScaler of a, b", tostring(scaler))
    local again = from_scaler(json.decode(json.encode(scaler:describe())))
    for _, one in ipairs { scaler, again } do
      local x = s:windows { input = 3, target = "a", scaler = one }:batch(1)
      support.same(rondo.tensor { 0.0, 1, 0 }, x:select(3, 2):select(1, 1))
      assert.near(math.log(4), x[{ 1, 3, 1 }], 1e-6)
    end
    scaler = data.ColumnScaler { b = data.MeanScaler() }:fit(s)
    support.same(rondo.tensor { 1.0, 2, 4 }, s:windows { input = 3, target = "a", scaler = scaler }:batch(1)
      :select(3, 1):select(1, 1))
    local function says(text, f, ...) assert.matches(text, support.failure(f, ...), 1, true) end
    says("ColumnScaler: columns have scalers of their own; take one at a time, by its name", scaler.transform, scaler,
      s:values())
    says("ColumnScaler: one scaler is for the columns that are not named, got 2", data.ColumnScaler,
      { data.MeanScaler(), data.MeanScaler() })
    says("ColumnScaler: expected scalers, as in ChainScaler { LogScaler(), StandardScaler() }, got a number for column "
      .. "'b'", data.ColumnScaler, { b = 1 })
  end)
  it("in windows is taken back by what the window knows", function()
    local train, test = long(120):split { 84, 36 }
    for _, chain in ipairs { { data.StandardScaler() }, { data.RobustScaler() }, { data.MinMaxScaler() },
      { data.LogScaler() }, { data.BoxCoxScaler(), data.StandardScaler() }, { data.DifferenceScaler() },
      { data.LogScaler(), data.DifferenceScaler { lag = 12 }, data.DifferenceScaler(), data.StandardScaler() } } do
      local scaler = data.ChainScaler(chain):fit(train)
      local w = test:windows { input = 5, horizon = 14, scaler = scaler }
      for _, i in ipairs { 1, w.count } do
        local window = w:window(i)
        local back = w:unscale(nil, select(2, w:of { i }):table()[1], window)
        for h = 1, 14 do
          assert.near(window.truth[h], back[h], 2e-4 * window.truth[h], tostring(scaler))
        end
      end
    end
  end)
  it("comes back from a checkpoint with the same bits", function()
    local train, test = long(96):split { 72, 24 }
    for _, scaler in ipairs { data.RobustScaler(), data.ChainScaler { data.BoxCoxScaler(),
      data.DifferenceScaler { lag = 7 }, data.StandardScaler() } } do
      scaler:fit(train)
      local again = from_scaler(json.decode(json.encode(scaler:describe())))
      assert.same(scaler:describe(), again:describe())
      local a, b = test:windows { input = 5, scaler = scaler }, test:windows { input = 5, scaler = again }
      support.same((a:batch(1)), (b:batch(1)))
      assert.same(a:unscale(nil, { 0.1 }, a:window(1)), b:unscale(nil, { 0.1 }, b:window(1)))
    end
  end)
  it("is not made of what is none", function()
    local good = data.LogScaler():fit((series(DIGITS))):describe()
    for _, break_it in ipairs { function(d) d.kind = "x" end, function(d) d.members = nil end,
      function(d) d.members = { 1 } end, function(d) d.shared = nil end, function(d) d.shared.v = {} end,
      function(d) d.shared.v[1].kind = "x" end, function(d) d.shared.v[1].a = "x" end,
      function(d) d.series = { a = 1 } end, function(d) d.columns = nil end } do
      local d = json.decode(json.encode(good))
      break_it(d)
      assert.is_nil(from_scaler(d))
    end
    assert.is_nil(from_scaler(nil))
  end)
  it("of one part only has nothing of another", function()
    for _, make in ipairs { data.RobustScaler, data.BoxCoxScaler, data.LogScaler, data.MeanScaler } do
      local values = table.move(DIGITS, 1, 15, 1, {})
      values[16] = 1000
      local _, a = series(values, 15)
      local first = json.encode(make():fit(a):describe())
      values[16] = 3
      local _, b = series(values, 15)
      assert.equal(first, json.encode(make():fit(b):describe()))
    end
  end)
  it("passes over what is missing", function()
    local path = support.write(folder .. "/m.csv", "v,w\n1,1\n,2\n3,4\n,8\n5,16\n")
    local s = assert(data.Series.from_csv(path, { missing = "previous" }))
    assert.same({ 3.0, 5.0 }, { data.StandardScaler():fit(s).shift.v, data.MinMaxScaler():fit(s).scale.v + 1 })
    local stages = data.ChainScaler { data.DifferenceScaler { lag = 2 }, data.MeanScaler() }:fit(s):stages "v"
    assert.equal(2.0, stages[2].b) -- of 3 - 1 and 5 - 3
  end)
  it("says what is wrong", function()
    local function says(text, f, ...) assert.matches(text, support.failure(f, ...), 1, true) end
    local _, part = series { 3, 2, 0, 5 }
    local scaler = data.LogScaler()
    says("column 'v', row 3: 0 is not above 0 and has no logarithm; give LogScaler { offset = a number that makes all "
      .. "of the column's positive }", scaler.fit, scaler, part)
    scaler = data.BoxCoxScaler { offset = -4 }
    says("column 'v', row 1: 3 with the offset is not above 0 and has no logarithm; give BoxCoxScaler", scaler.fit,
      scaler, part)
    local s = series { 3, 2, 1, 5, -1, 7 }
    scaler = data.LogScaler():fit((s:split { 4, 2 }))
    local w = s:windows { input = 2, scaler = scaler }
    says("column 'v', row 5: -1 is not above 0", w.batch, w, 1)
    says("ChainScaler: takes 1..8 scalers, got 0", data.ChainScaler, {})
    says("ChainScaler: expected scalers, as in ChainScaler { LogScaler(), StandardScaler() }, got a number at place 1",
      data.ChainScaler, { 1 })
    scaler = data.ChainScaler { data.DifferenceScaler(), data.StandardScaler() }:fit(s)
    says("ChainScaler: differences need the rows before; windows apply them, and windows:unscale takes them back",
      scaler.transform, scaler, rondo.tensor { 1.0 }, "v")
    local path = support.write(folder .. "/late.csv", "v,w\n1,1\n2,\n3,\n4,\n5,\n6,2\n")
    s = assert(data.Series.from_csv(path, { missing = "previous" }))
    scaler = data.StandardScaler()
    says("StandardScaler: column 'w' has no value in the rows that it is fitted on", scaler.fit, scaler, s:slice(2, 4))
    says("no window has room in rows 1..4: it needs 5 rows before its origin (with what differences take) and 1 behind "
      .. "it", part.windows, part, { input = 2, scaler = data.DifferenceScaler { lag = 3 }:fit(part) })
  end)
end)
