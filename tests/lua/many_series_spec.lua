-- many_series_spec.lua - many series in one model: long and wide files, scales of their own, what is the same for all.
-- SPDX-License-Identifier: MIT
local support = require "tests.lua.support"
local rondo = require "rondo"

local data = rondo.data
local folder

setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local function open(text, given)
  return data.Series.from_csv(support.write(folder .. "/many.csv", text), given)
end

-- Shops b (rows mixed with the others'), a and c: sales are 100, 1 and 10 times the day.
local function shops(given)
  local lines = { "day,shop,sales,size" }
  for day = 1, 12 do
    for _, shop in ipairs { { "b", 100, 3 }, { "a", 1, 7 }, { "c", 10, 5 } } do
      if shop[1] ~= "c" or day > 4 then
        lines[#lines + 1] = ("2024-01-%02d,%s,%d,%d"):format(day, shop[1], shop[2] * day, shop[3])
      end
    end
  end
  return open(table.concat(lines, "\n") .. "\n", given or { id = "shop" })
end

describe("a file with an id column", function()
  it("is as many series as it has ids", function()
    local s = assert(shops())
    assert.same({ "b", "a", "c" }, s:names())
    assert.same({ "sales", "size" }, s.columns)
    assert.equal(folder .. "/many.csv: 32 rows of 3 series of sales, size", tostring(s))
    support.same(rondo.tensor { 100.0, 200, 300 }, s:one "b":values("sales", 1, 3))
    support.same(rondo.tensor { { 120.0, 5 } }, s:one "c":values(nil, -1, -1))
    assert.same({ 1704412800.0 }, s:one "c":times(1, 1)) -- date -u -d 2024-01-05 +%s
    local summary = s:summary()
    assert.same({ 3, "shop", "seconds", 86400.0, {} }, { summary.series, summary.id, summary.unit, summary.step,
      summary.unread })
  end)
  it("splits each series by shares, rows or times", function()
    local s = assert(shops())
    local train, test = s:split { 0.75, 0.25 }
    assert.same({ 24, 8 }, { #train, #test })
    support.same(rondo.tensor { 110.0, 120 }, test:one "c":values "sales")
    train, test = s:split { "2024-01-05" }
    assert.same({ "b", "a" }, train:names())
    assert.same({ "b", "a", "c" }, test:names())
    train, test = s:split { 8, 4 }
    assert.same({ 24, 8 }, { #train, #test })
    assert.equal(6, #s:slice(-2, -1))
  end)
  it("has windows that never cross from one series into another", function()
    local s = assert(shops())
    local w = s:windows { input = 3, horizon = 2, target = "sales", batch_size = 64 }
    assert.equal(8 + 8 + 4, w.count)
    local x, y = w:batch(1)
    for i = 1, w.count do
      local scale = i <= 8 and 100 or i <= 16 and 1 or 10
      local first = x[{ i, 1, 1 }]
      assert.same({ first + scale, first + 2 * scale }, { x[{ i, 2, 1 }], x[{ i, 3, 1 }] })
      assert.same({ first + 3 * scale, first + 4 * scale }, y:select(1, i):table())
      assert.equal(i <= 8 and 3 or i <= 16 and 7 or 5, x[{ i, 1, 2 }])
    end
    assert.same({ "a", 3, 3 }, { w:window(9).series, w:window(9).origin, #w:window(9).history })
    local _, test = s:split { 0.75, 0.25 }
    w = test:windows { input = 3, horizon = 1, target = "sales" }
    assert.equal(3 + 3 + 2, w.count)
    assert.equal(90.0, w:window(7).history[5] / 1)
    assert.equal(100.0, w:window(7).history[6])
  end)
  it("scales each series by its own numbers, and what is static by all", function()
    local s = assert(shops())
    local scaler = data.MinMaxScaler():fit(s)
    local w = s:windows { input = 2, target = "sales", static = { "size" }, past = {}, scaler = scaler,
      batch_size = 64 }
    assert.same({ "sales", "size" }, w.features)
    local x, y = w:batch(1)
    local first = x:select(1, 1) -- of b: 100..1200
    assert.is_true(first:allclose(rondo.tensor { { 0.0, 0 }, { 1 / 11, 0 } }, { rtol = 0, atol = 1e-6 }))
    assert.is_true(x:select(1, 11):allclose(rondo.tensor { { 0.0, 1 }, { 1 / 11, 1 } }, { rtol = 0, atol = 1e-6 }))
    assert.near(2 / 7, y[{ 21, 1 }], 1e-6) -- of c: 50..120
    assert.near(70, w:unscale("sales", { 2 / 7 }, w:window(21))[1], 1e-9)
    local shared = data.MinMaxScaler { per_series = false }:fit(s)
    x = s:windows { input = 2, target = "sales", scaler = shared, past = {} }:batch(1)
    assert.near(99 / 1199, x[{ 1, 1, 1 }], 1e-6)
  end)
  it("has a digest of all series, also where each target is one", function()
    local s = assert(shops())
    local function digest(series, given)
      given.input = 2
      return series:windows(given):digest()
    end
    assert.not_equal(digest(s, { target = "sales" }), digest(s:one "a", { target = "sales" }))
    assert.not_equal(digest(s, { target = "sales" }), digest(s, { target = "sales", static = { "size" }, past = {} }))
    local both = { target = { "sales", "size" }, separate = true }
    assert.equal(digest(s, both), digest(assert(shops()), both))
    assert.not_equal(digest(s, both), digest(s, { target = { "sales" }, separate = true, past = { "size" } }))
  end)
  it("tells the model which series it is, where asked", function()
    local s = assert(shops())
    local x = s:windows { input = 2, target = "sales", past = {}, ids = "embedding", batch_size = 64 }:batch(1)
    assert.same({ { 26, 2, 1 }, { 26 } }, { x[1]:size(), x[2]:size() }) -- 10, 10 and 6
    assert.same({ 1.0, 2.0, 3.0 }, { x[2][{ 1 }], x[2][{ 11 }], x[2][{ 26 }] })
    local w = s:one "a":windows { input = 2, target = "sales", past = {}, ids = "one_hot" }
    assert.same({ "sales", "is b", "is a", "is c" }, w.features)
    support.same(rondo.tensor { { 1.0, 0, 1, 0 }, { 2, 0, 1, 0 } }, w:batch(1):select(1, 1))
  end)
  it("trains one model for all, which knows them again", function()
    local s = assert(shops())
    local train, valid = s:split { 0.75, 0.25 }
    local scaler = data.StandardScaler():fit(train)
    local Model = rondo.Module "Shops"
    function Model:init()
      self.ids = rondo.Embedding { 3, 2 }
      self.rnn = rondo.GRU { input_size = 1, hidden_size = 4, return_sequences = false }
      self.out = rondo.Linear { 1 }
    end
    function Model:forward(x, ids)
      return self.out(rondo.concat({ self.rnn(x), self.ids(ids) }, 2))
    end
    rondo.manual_seed(1)
    local function windows(part, shuffle)
      return part:windows { input = 3, target = "sales", past = {}, scaler = scaler, ids = "embedding",
        shuffle = shuffle }
    end
    local trainer = rondo.Trainer { model = Model(), loss = rondo.MSELoss(), optimizer = rondo.optim.Adam { lr = 2e-2 },
      epochs = 5, quiet = true, run_dir = folder .. "/run" }
    trainer:fit(windows(train, true), windows(valid))
    assert.is_true(trainer.history.valid.loss[5] < trainer.history.valid.loss[1])
    local config = rondo.load(folder .. "/run").config.series
    assert.same({ "b", "a", "c" }, config.names)
    local again = assert(shops()):one "c":windows_like(config, { future = true })
    local x = again:batch(1)
    assert.equal(3.0, x[2][{ 1 }])
    assert.near(scaler:stages("sales", "c")[1].a, again.scaler:stages("sales", "c")[1].a, 0)
    local other = assert(open("day,shop,sales,size\n1,z,1,1\n2,z,2,1\n3,z,3,1\n4,z,4,1\n", { id = "shop" }))
    assert.matches("the model knows series by their ids, and 'z' is not among the 3 it was trained on",
      support.failure(other.windows_like, other, config), 1, true)
    config.ids, config.names = nil, nil
    assert.matches("it was not fitted on a series 'z'; give it numbers of its own by scaler:adapt(part)",
      support.failure(other.windows_like, other, config), 1, true)
    scaler:adapt(other)
    assert.equal(2.5, scaler:stages("sales", "z")[1].a)
  end)
  it("begins a series where all its columns have begun", function()
    local s = assert(open("shop,x,y\na,,1\na,2,2\nb,5,5\na,3,\nb,6,6\n", { id = "shop", missing = "previous" }))
    support.same(rondo.tensor { { 2.0, 2 }, { 3, 2 } }, s:one "a":values())
    support.same(rondo.tensor { 5.0, 6 }, s:one "b":values "x")
  end)
  it("begins a series at a row where a column lacks its value, which it had before", function()
    local s = assert(open("shop,x,y\na,1,\na,,2\na,3,3\na,4,4\n", { id = "shop", missing = "previous" }))
    support.same(rondo.tensor { { 1.0, 2 }, { 3, 3 }, { 4, 4 } }, s:one "a":values())
    local x = s:windows { input = 2, horizon = 1, target = "y", past = { "x" } }:batch(1)
    support.same(rondo.tensor { { { 1.0, 2 }, { 3, 3 } } }, x)
  end)
  it("knows steps of months", function()
    local s = assert(open("t,shop,x\n2023-12-31,a,1\n2024-01-31,a,2\n2024-02-29,a,3\n2024-02-01,b,4\n",
      { id = "shop" }))
    assert.same({ "months", 1.0, true }, { s:summary().unit, s:summary().step, s:summary().regular })
  end)
  it("is refused where a series has no order or no value", function()
    local path = folder .. "/many.csv: "
    local function refused(text, given) return select(2, open(text, given)) end
    assert.equal(path .. "series 'a': its row 2 does not come after the one before it; rows of a series go forward in "
      .. "time", refused("t,shop,x\n2024-01-02,a,1\n2024-01-01,b,1\n2024-01-01,a,2\n", { id = "shop" }))
    assert.equal(path .. "series 'b' has no value of 'x' that it could begin with; leave the column or the series out",
      refused("shop,x\na,1\nb,\n", { id = "shop", missing = "previous" }))
    assert.equal(path .. "row 2 has no 'shop', which says what series it is of", refused("shop,x\na,1\n,2\n",
      { id = "shop" }))
    assert.equal(path .. "there is no column 'shops' (did you mean 'shop'?)", refused("shop,x\na,1\n",
      { id = "shops" }))
    assert.equal(path .. "column 'shop' is the id; it cannot be one of the columns of values", refused("shop,x\n1,1\n",
      { id = "shop", columns = { "shop" } }))
  end)
  it("says what is of one series alone", function()
    local s = assert(shops())
    local function says(text, f, ...) assert.matches(text, support.failure(f, ...), 1, true) end
    says("Series: there are 3 series in this part; take one by its name, series:one(\"b\")", s.values, s)
    says("Series: there is no series 'd'; it has b, a, c", s.one, s, "d")
    says("split: part 2 has no row of any series", s.split, s, { 12, 1, 1 })
    local scaler = data.DifferenceScaler():fit(s)
    says("windows: the scaler takes differences of 'size', which is static; give it one of its own by ColumnScaler",
      s.windows, s, { input = 2, target = "sales", static = { "size" }, scaler = scaler })
  end)
end)

describe("a wide file", function()
  it("is a series for each target where they are separate", function()
    local lines = { "a,other,b" }
    for i = 1, 10 do lines[i + 1] = ("%d,%d,%d"):format(i, -i, 100 * i) end
    local s = assert(open(table.concat(lines, "\n") .. "\n"))
    local scaler = data.MinMaxScaler():fit(s)
    local w = s:windows { input = 3, horizon = 2, target = { "a", "b" }, separate = true, scaler = scaler,
      batch_size = 64, ids = "embedding" }
    assert.same({ "target", "other" }, w.features)
    assert.same({ { "target" }, { 1 }, 12 }, { w.targets, w.target_features, w.count })
    local x, y = w:batch(1)
    support.same(x[1]:slice(1, 1, 6), x[1]:slice(1, 7, 12))
    assert.same({ 12, 2 }, y:size())
    assert.same({ 1.0, 2.0 }, { x[2][{ 1 }], x[2][{ 12 }] })
    local window = w:window(7)
    assert.same({ "b", "b", 3 }, { window.series, window.target, window.origin })
    assert.same({ 100.0, 200.0, 300.0 }, table.move(window.history, 1, 3, 1, {}))
    assert.near(400, w:unscale(nil, { 3 / 9 }, window)[1], 1e-9)
    local config = w:config()
    assert.same({ "a", "b" }, config.targets)
    support.same((s:windows_like(config, { batch_size = 64 }):batch(1))[1], x[1])
  end)
end)
