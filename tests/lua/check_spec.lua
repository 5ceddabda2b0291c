-- check_spec.lua - rondo.check: right gradients are found right, wrong ones wrong, in C and in Lua.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local DOUBLE = core.real == "double"

local function message(...)
  return tostring(support.failure(...))
end

-- A cell of one line in Lua with this function instead of tanh.
local function cell_with(name, f)
  rondo.cell { name = name, state = { "h" },
    params = function(c)
      return { a_x = { c.hidden_size, c.input_size }, a_h = { c.hidden_size, c.hidden_size }, a_b = { c.hidden_size } }
    end,
    step = function(p, x, s) return { h = f(rondo.linear(x, p.a_x, p.a_b) + rondo.linear(s.h, p.a_h)) } end }
  return name
end

-- tanh whose derivative is `factor` times what it is.
local function tanh_times(factor)
  return rondo.Function { name = "tanh",
    forward = function(ctx, x)
      ctx.y = x:tanh()
      return ctx.y
    end,
    backward = function(ctx, dy) return dy * (1 - ctx.y * ctx.y) * factor end }
end

describe("rondo.check.gradients", function()
  it("reports the worst difference and where it is", function()
    local p = rondo.parameter(rondo.tensor { 0.5, -0.25 })
    local report = rondo.check.gradients(function() return (p * p * p):sum() end, { p })
    assert.is_true(report.worst < (DOUBLE and 1e-8 or 1e-2))
    assert.matches("check.gradients: expected a list of parameters", message(rondo.check.gradients, print, {}))
    assert.matches("parameter 1 must be a leaf that requires a gradient", message(rondo.check.gradients, print,
      { rondo.ones(1) }))
  end)

  it("finds a gradient that a Function forgets", function()
    local p = rondo.parameter(rondo.tensor { 1, 2 })
    local wrong = tanh_times(0.5)
    local report = rondo.check.gradients(function() return wrong(p):sum() end, p)
    assert.is_true(report.worst > 0.05)
    assert.matches("^gradients and differences are at most .* apart: of parameter 1, element %d, .* say",
      tostring(report))
  end)
end)

describe("rondo.check.cell", function()
  it("finds every cell of the tree right", function()
    for _, name in ipairs(support.cells()) do
      local report = rondo.check.cell(name, { input_size = 3, hidden_size = 4, batch = 2, time = 3 })
      assert.is_true(report.ok, tostring(report))
      assert.is_true(report.max_rel_error < (DOUBLE and 1e-8 or 1e-3), tostring(report))
    end
  end)

  it("tries other numbers where a corner lies between two differences", function()
    assert.is_true(rondo.check.cell("vanilla", { activation = "relu" }).ok)
    assert.is_true(rondo.check.cell(cell_with("test.relu", function(a) return a:relu() end), { hidden_size = 3 }).ok)
  end)

  it("takes options of the cell and of stacks, and nothing else", function()
    local report = rondo.check.cell("gru", { hidden_size = 2, time = 2, reset = "before", num_layers = 2,
      bidirectional = true, learn_state = true, zoneout = 0.2 })
    assert.is_true(report.ok, tostring(report))
    assert.equal("gru", report.cell)
    assert.matches("gru: gradients of %d+ numbers agree with differences to", tostring(report))
    assert.matches("unknown option 'tim' %(did you mean", message(rondo.check.cell, "gru", { tim = 2 }))
    assert.matches("option 'time' must be 1..64, got 0", message(rondo.check.cell, "gru", { time = 0 }))
    assert.matches("expected the name of a cell, got a nil", message(rondo.check.cell))
    assert.matches("check.cell: expected a table of options, got 3", message(rondo.check.cell, "gru", 3))
    assert.matches("did you mean 'gru'", message(rondo.check.cell, "grv"))
  end)

  it("finds a Lua cell right, and wrong where one of its functions is", function()
    local right = rondo.check.cell(cell_with("test.right", tanh_times(1)))
    assert.is_true(right.ok, tostring(right))
    for _, factor in ipairs { 0, -1, 1.05, 0.95 } do
      local report = rondo.check.cell(cell_with("test.wrong", tanh_times(factor)))
      assert.is_false(report.ok, factor)
      assert.matches("^[%l _]+%[[%d, ]+%]$", report.worst)
      assert.matches("test.wrong: gradients are WRONG: of .*%] .*, and differences say", tostring(report))
      assert.is_true(math.abs(report.analytic - report.numeric) > 0.01 * math.abs(report.numeric))
    end
  end)

  it("finds one line of a Lua cell wrong that is cut off the tape", function()
    rondo.cell { name = "test.cut", state = { "h", "c" },
      params = function(c) return { a_x = { c.hidden_size, c.input_size } } end,
      step = function(p, x, s)
        local c = s.c * 0.5 + rondo.linear(x, p.a_x)
        return { h = c:tanh() * s.h:detach():sigmoid(), c = c }
      end }
    local report = rondo.check.cell "test.cut"
    assert.is_false(report.ok)
    assert.matches("^state h%[", report.worst)
  end)

  it("leaves the user's random numbers and precision alone", function()
    rondo.manual_seed(5)
    local wanted = rondo.random()
    rondo.manual_seed(5)
    local before = rondo.precision()
    rondo.check.cell("vanilla", { hidden_size = 2 })
    assert.equal(wanted, rondo.random())
    assert.equal(before, rondo.precision())
  end)

  it("finds C cells wrong that are", function() -- in a process of its own, which loads them
    local folder = support.folder()
    local bad = core.lib_dir() .. "/../../tests/bad"
    if core.stat(bad) then -- not where Rondo is installed
      local script = support.write(folder .. "/check.lua", ([[
        local rondo = require "rondo"
        for _, name in ipairs { "right", "no_direct_term", "wrong_derivative" } do
          assert(rondo.plugins.load("%s/" .. name .. ".so"))
          print(name, rondo.check.cell(name).ok)
        end]]):format(bad))
      local out, err = support.rondo(folder, ("run '%s'"):format(script))
      -- the last is wrong by 0.1 %, which float does not tell from rounding
      assert.equal(("right\ttrue\nno_direct_term\tfalse\nwrong_derivative\t%s\n"):format(not DOUBLE), out, err)
    end
    support.remove(folder)
  end)
end)
