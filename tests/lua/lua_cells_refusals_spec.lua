-- lua_cells_refusals_spec.lua - what rondo.cell and layers of cells in Lua say to what they cannot do.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local function message(...)
  return tostring(support.failure(...))
end

local function one_line(c)
  return { a_x = { c.hidden_size, c.input_size }, a_h = { c.hidden_size, c.hidden_size }, a_b = { c.hidden_size } }
end

rondo.cell { name = "test.kept", state = { "h" }, params = one_line, step = function(_, _, s) return { h = s.h } end }

local function define(changes)
  local given = { name = "test.bad", state = { "h" }, params = one_line, step = function() end }
  for key, value in pairs(changes) do
    given[key] = value
  end
  return rondo.cell(given)
end

local function run(changes, options)
  define(changes)
  local given = { cell = "test.bad", input_size = 2, hidden_size = 3 }
  for key, value in pairs(options or {}) do
    given[key] = value
  end
  return rondo.RNN(given)(rondo.randn(2, 3, 2))
end

describe("rondo.cell refuses", function()
  for says, changes in pairs {
    ["option 'nam'"] = { nam = "x" },
    ["a plugin has a cell of this name"] = { name = "lstm" },
    ["begins with one of a%-z, got 'Mgu'"] = { name = "Mgu" },
    ["option 'state' must be a list of names"] = { state = "h" },
    ["an option is a table with a name"] = { options = { "leak" } },
    ["option 'leak' must be of kind int, real, bool, choice or string, got number"] = { options = { { name = "leak",
      kind = "number" } } },
    ["option 'dropout' is there already"] = { options = { { name = "dropout", kind = "real", def = 0 } } },
    ["option 'way' needs its choices"] = { options = { { name = "way", kind = "choice", def = "a" } } },
    ["option 'leak' needs a default"] = { options = { { name = "leak", kind = "real" } } },
    ["the default of option 'leak' must be a number"] = { options = { { name = "leak", kind = "real", def = "x" } } },
  } do
    it(says, function()
      assert.matches(says, message(define, changes))
    end)
  end
end)

describe("a layer of a Lua cell refuses", function()
  for says, changes in pairs {
    ["'state' must be a list of at least one name"] = { state = {} },
    ["state 1 must be a name"] = { state = { 3 } },
    ["state 'h' is there twice"] = { state = { "h", "h" } },
    ["the width of state 'h' must be a positive integer, got 1.5"] = { state = { { "h", width = 1.5 } } },
    ["the first value of state 'h' must be a number, got a string"] = { state = { { "h", first = "x" } } },
    ["c of cell 'test.bad' has no 'hiden_size' %(did you mean 'hidden_size'%?%)"] = { params = function(c)
      return { c.hiden_size }
    end },
    ["params%(%) must return a table of parameters by name, got a nil"] = { params = function() end },
    ["a parameter is named %[a%-z%]%[a%-z0%-9_%]%*, got 1"] = { params = function() return { { 3 } } end },
    ["parameter 'a_x' must be { rows, columns } or { size }"] = { params = function() return { a_x = 3 } end },
    ["matrix 'w' must be named by its line and what it multiplies"] = { params = function()
      return { w = { 3, 2 } }
    end },
    ["parameter 'b' has no field 'initial'"] = { params = function() return { b = { 3, initial = 1 } } end },
    ["init of parameter 'b' must be a number, a tensor or one of"] = { params = function()
      return { b = { 3, init = "normall" } }
    end },
    ["option 'lines' names 'b'; lines are a"] = { lines = { "b" } },
    ["option 'lines' lacks line 'a'"] = { lines = {} },
    ["step%(%) must return a table of the new states, as in { h = ... }, got a nil"] = {},
    ["step%(%) must return state 'h' as a tensor, got a number"] = { step = function() return { h = 1 } end },
    ["step%(%) must return state 'h' as %(2, 3%), got %(2, 2%)"] = { step = function(_, x) return { h = x } end },
    ["step%(%) returned 'g', which is no state of the cell"] = { step = function(_, _, s)
      return { h = s.h, g = s.h }
    end },
    ["p of cell 'test.bad' has no 'a_y'"] = { step = function(p) return { h = p.a_y } end },
    ["s of cell 'test.bad' has no 'c'"] = { step = function(_, _, s) return { h = s.c } end },
  } do
    it(says, function()
      assert.matches(says, message(run, changes))
    end)
  end

  it("options that it cannot have", function()
    local keep = { step = function(_, _, s) return { h = s.h } end }
    assert.matches("option 'bias' is for cells of plugins; params%(%) of the cell test.bad says", message(run, keep,
      { bias = "two" }))
    assert.matches("option 'zoneout' names no state 'c'; there are: h", message(run, keep, { zoneout = { c = 0.5 } }))
    assert.matches("mask what rondo.linear%(..., p.a_h%) is fed, and step%(%) did not call it", message(run, keep,
      { recurrent_dropout = 0.5 }))
    local swapped = { step = function(p, _, s) return { h = rondo.linear(s.h, p.a_x) } end }
    assert.matches("option 'input_dropout' matrix 'a_x' is fed %(2, 2%), got %(2, 3%)", message(run, swapped,
      { input_dropout = 0.5 }))
    keep.params = function() return { a_b = { 3 } } end
    for _, option in ipairs { "recurrent_dropout", "weight_drop" } do
      assert.matches("has nothing to drop: no state of the cell test.bad meets a matrix", message(run, keep,
        { [option] = 0.5 }))
    end
  end)

  it("input, states and resets of another shape, as a C cell does", function()
    for _, cell in ipairs { "vanilla", "test.kept" } do
      local layer = rondo.RNN { cell = cell, input_size = 3, hidden_size = 5 }
      local x = rondo.zeros(2, 4, 3)
      assert.matches("expected input %(batch, time, 3%), got %(2, 4, 2%)", message(layer, rondo.zeros(2, 4, 2)))
      assert.matches("at least one row and one step, got %(2, 0, 3%)", message(layer, rondo.zeros(2, 0, 3)))
      assert.matches("expected state 'h' %(2, 5%), got %(1, 5%)", message(layer, x, { rondo.zeros(1, 5) }))
      assert.matches("expected 1 state tensors, got 0", message(layer, x, {}))
      assert.matches("expected resets %(2, 4%), got %(2, 3%)", message(layer, x, nil, { resets = rondo.zeros(2, 3) }))
      local twos = rondo.full({ 2, 4 }, 2)
      assert.matches("resets hold 0 and 1, got 2 at %(1, 1%)", message(layer, x, nil, { resets = twos }))
    end
  end)

  it("precision int8, which its products do not have", function()
    local layer = rondo.RNN { cell = "test.kept", input_size = 3, hidden_size = 5 }
    local before = rondo.precision()
    local known, why = pcall(rondo.precision, "int8")
    if known then
      local says = message(layer, rondo.zeros(1, 1, 3))
      rondo.precision(before)
      assert.matches("precision 'int8' is for cells of plugins; 'test.kept' is written in Lua", says)
    else
      assert.matches("int8", why) -- a build in double, or a backend without
    end
  end)

  it("nothing of what step() raises: its line is blamed", function()
    local text = message(run, { step = function(p, x) return { h = rondo.linear(x, p.a_h) } end })
    assert.matches("lua_cells_refusals_spec.lua:%d+: linear:", text)
  end)
end)
