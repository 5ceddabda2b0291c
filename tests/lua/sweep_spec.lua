-- sweep_spec.lua - what a sweep's trials are: lists and ranges, drawn the same every time; and what it refuses.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local space = require "rondo.sweep.space"
local support = dofile "tests/lua/support.lua"

local function sweep(given)
  given.script = given.script or "toy.lua"
  return rondo.Sweep(given)
end

local function all(given)
  local s, list = sweep(given), {}
  for i = 1, s.trials do
    list[i] = s:params(i)
  end
  return list
end

describe("a grid", function()
  it("is every setting, the last name changing fastest", function()
    assert.same({ { a = 1, b = "x" }, { a = 1, b = "y" }, { a = 2, b = "x" }, { a = 2, b = "y" } },
      all { space = { b = { "x", "y" }, a = { 1, 2 } } })
  end)
  it("counts a range of integers out", function()
    assert.same({ { n = 3 }, { n = 4 }, { n = 5 } }, all { search = "grid", space = { n = rondo.sweep.int(3, 5) } })
  end)
  it("needs lists", function()
    assert.matches('a grid needs lists, and lr is uniform:0:1; give a list, or search = "random"',
      support.failure(sweep, { search = "grid", space = { lr = rondo.sweep.uniform(0, 1) } }))
    assert.matches('more than 1000000 settings; take search = "random"', support.failure(sweep, { search = "grid",
      space = { a = rondo.sweep.int(1, 10000), b = rondo.sweep.int(1, 10000) } }))
  end)
end)

describe("trial i of a random search", function()
  local lr, units = rondo.sweep.loguniform(1e-4, 1e-2), rondo.sweep.int(8, 40)
  local given = { search = "random", trials = 200, seed = 7,
    space = { lr = lr, units = units, p = rondo.sweep.uniform(0, 0.5), cell = { "lstm", "gru", "mgu" } } }

  it("is the same whatever else is asked", function()
    local one, other = sweep(given), sweep(given)
    local third = one:params(3)
    other:params(1)
    assert.same(third, other:params(3))
  end)
  it("does not depend on how many trials there are", function()
    local few = sweep { search = "random", trials = 5, seed = 7, space = given.space }
    assert.same(sweep(given):params(5), few:params(5))
  end)
  it("is another with another seed", function()
    local other = sweep { search = "random", trials = 5, seed = 8, space = given.space }
    assert.not_same(sweep(given):params(5), other:params(5))
  end)
  it("lies in the ranges and covers them", function()
    local below, least, most, cells, units_seen = 0, 1, 0, {}, {}
    for _, params in ipairs(all(given)) do
      assert.is_true(params.lr >= 1e-4 and params.lr <= 1e-2)
      assert.equal("float", math.type(params.p))
      below = below + (params.lr < 1e-3 and 1 or 0)
      least, most = math.min(least, params.p), math.max(most, params.p)
      cells[params.cell], units_seen[params.units] = true, true
    end
    assert.is_true(below > 75 and below < 125, below) -- half of a logarithmic range; 7 deviations are 50
    assert.is_true(least < 0.03 and most > 0.47 and most <= 0.5)
    assert.same({ lstm = true, gru = true, mgu = true }, cells)
    assert.is_true(units_seen[8] and units_seen[40] and not units_seen[41])
  end)
  it("is what the random numbers say, with six digits", function()
    local core = require "rondo.native"
    for i = 1, 20 do
      local u = core.uniform({ seed = 7, purpose = "user", layer = 2 }, i, 0) -- cell, lr, p, units
      local value = sweep(given):params(i).lr
      assert.is_true(math.abs(value / (1e-4 * 100 ^ u) - 1) < 6e-6)
      assert.equal(value, tonumber(("%.6g"):format(value)))
    end
  end)
  it("takes no setting twice where there are lists alone", function()
    local seen = {}
    for _, params in ipairs(all { search = "random", trials = 100, space = { a = { 1, 2, 3 }, b = { "x", "y" } } }) do
      seen[#seen + 1] = params.a .. params.b
    end
    table.sort(seen)
    assert.same({ "1x", "1y", "2x", "2y", "3x", "3y" }, seen)
  end)
end)

describe("a list of settings", function()
  it("is tried as it is", function()
    assert.same({ { cell = "lstm" }, { cell = "lstm", cell_option = { "peephole=true" } } },
      all { space = { { cell = "lstm" }, { cell = "lstm", cell_option = { "peephole=true" } } } })
  end)
  it("has no search", function()
    assert.matches("a list of settings is tried as it is; leave search out", support.failure(sweep,
      { search = "grid", space = { { a = 1 } } }))
    assert.matches("or a list of whole settings, not both", support.failure(sweep,
      { space = { { a = 1 }, b = { 1 } } }))
    assert.matches("entry 1 of the space must be a table of options, got a number", support.failure(sweep,
      { space = { 1 } }))
  end)
end)

describe("rounds of halving", function()
  local function halving(more)
    local given = { search = "halving", trials = 9, space = { lr = rondo.sweep.uniform(0, 1) },
      fixed = { max_steps = 900 } }
    for key, value in pairs(more or {}) do
      given[key] = value
    end
    return given
  end
  it("end where one of `factor` goes on", function()
    assert.same({ { step = 100, goes_on = 3 }, { step = 300, goes_on = 1 } }, sweep(halving()).rungs)
    assert.same({ { step = 125, goes_on = 6 }, { step = 250, goes_on = 3 }, { step = 500, goes_on = 1 } },
      sweep(halving { trials = 12, factor = 2, fixed = { max_steps = 1000 } }).rungs)
  end)
  it("end with a validation", function()
    assert.equal(100, sweep(halving()).fixed.eval_every)
    assert.equal(50, sweep(halving { fixed = { max_steps = 900, eval_every = 50 } }).fixed.eval_every)
  end)
  it("are refused where they cannot be", function()
    assert.matches("halving needs fixed.max_steps", support.failure(sweep, halving { fixed = {} }))
    assert.matches("max_steps = 8 are too few for 2 rounds by a factor of 3", support.failure(sweep,
      halving { fixed = { max_steps = 8 } }))
    assert.matches("eval_every must divide 100, the steps of the first round, got 70", support.failure(sweep,
      halving { fixed = { max_steps = 900, eval_every = 70 } }))
    assert.matches("halving needs more than one trial", support.failure(sweep, halving { trials = 1 }))
    assert.matches("halving compares its trials as they run", support.failure(function()
      sweep(halving()):run { submit = "slurm" }
    end))
    assert.matches("halving chooses its trials itself; leave trials out", support.failure(function()
      sweep(halving()):run { trials = { 1 } }
    end))
    assert.matches("a single one has no place in it", support.failure(function() sweep(halving()):run_trial(1) end))
  end)
end)

describe("a sweep", function()
  it("refuses what is no setting", function()
    local function why(given)
      return support.failure(sweep, given)
    end
    assert.matches("space.lr is a single value, 0.1; it belongs to fixed", why { space = { lr = 0.1 } })
    assert.matches("space.lr must be a list of values, or a range", why { space = { lr = {} } })
    assert.matches("the space is empty", why { space = {} })
    assert.matches("space has 'a b', which is no name of an option", why { space = { ["a b"] = { 1 } } })
    assert.matches("fixed has 'x%-y', which is no name", why { space = { a = { 1 } }, fixed = { ["x-y"] = 1 } })
    assert.matches("space.a%[2%] must be numbers, texts, .* got a function", why { space = { a = { 1, print } } })
    assert.matches("option 'lr' is both fixed and in the space", why { space = { lr = { 1 } }, fixed = { lr = 2 } })
    assert.matches("'run_dir' cannot be fixed: the sweep gives it to each run %(its own option 'out'%)",
      why { space = { lr = { 1 } }, fixed = { run_dir = "x" } })
    assert.matches("'seed' cannot be in the space: .*'seeds'", why { space = { seed = { 1, 2 } }, seeds = 2 })
    assert.matches('search = "random" needs trials', why { space = { lr = rondo.sweep.uniform(0, 1) } })
    assert.matches('out must be a folder', why { space = { lr = { 1 } }, out = "" })
    assert.matches("trials are 1..2, got 3", support.failure(function()
      sweep({ space = { lr = { 1, 2 } } }):params(3)
    end))
  end)
  it("refuses ranges that are none", function()
    assert.matches("sweep.uniform: expected numbers low < high, got 1, 1", support.failure(rondo.sweep.uniform, 1, 1))
    assert.matches("sweep.int: expected integers low < high, got 1.5, 3", support.failure(rondo.sweep.int, 1.5, 3))
    assert.matches("low must be greater than 0, got 0", support.failure(rondo.sweep.loguniform, 0, 1))
    assert.matches("expected at least one value", support.failure(rondo.sweep.choice))
  end)
  it("reads the words of a command line", function()
    assert.same({ "lstm", "gru" }, space.parse "lstm,gru")
    assert.same({ 1, 0.5, "1e-3", "007", true, "" }, space.parse "1,0.5,1e-3,007,true,")
    assert.same({ "a" }, space.parse "choice:a")
    assert.equal("loguniform:0.0001:0.01", tostring(space.parse "loguniform:1e-4:1e-2"))
    assert.same({ n = 2, nil, "a,b" }, table.pack(space.parse "fixed:a,b"))
    assert.same({ n = 2, nil, 3 }, table.pack(space.parse "3"))
    assert.same({ n = 2, nil, "c:/x:y" }, table.pack(space.parse "c:/x:y"))
  end)
  it("describes its space so that it can be made again", function()
    local given = { lr = rondo.sweep.loguniform(1e-4, 1e-2), cell = { "a", "uniform:0:1" } }
    local again = space.restore(space.describe(given))
    assert.equal(tostring(given.lr), tostring(again.lr))
    assert.same(given.cell, again.cell)
  end)
end)

describe("rondo.sorted", function()
  it("goes through a table in the order of its keys", function()
    local list = {}
    for k, v in rondo.sorted { b = 1, a = 2, [2] = "y", [1] = "x" } do
      list[#list + 1] = ("%s %s"):format(k, v)
    end
    assert.same({ "1 x", "2 y", "a 2", "b 1" }, list)
  end)
  it("takes tables", function()
    assert.matches("sorted: expected a table, got a nil", support.failure(rondo.sorted))
  end)
end)
