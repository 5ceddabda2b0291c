-- connections_spec.lua - what leads round the layers of a stack: residual and highway connections.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local ROWS, STEPS, INPUT, HIDDEN = 3, 5, 4, 6

-- What a call that fails says.
local function message(...)
  return tostring(support.failure(...))
end

local function input(width)
  local x = core.zeros { ROWS, STEPS, width }
  x:fill_uniform(-1, 1, { seed = 5 })
  return x
end

describe("connections", function()
  local function two(kind, given)
    local o = { input_size = HIDDEN, hidden_size = HIDDEN, num_layers = 2, seed = 3, connections = kind }
    for key, value in pairs(given or {}) do
      o[key] = value
    end
    return rondo.GRU(o)
  end
  -- The layers of a stack one by one, without connections.
  local function parts(stack)
    local list = {}
    for i = 1, 2 do
      list[i] = rondo.GRU { input_size = HIDDEN, hidden_size = HIDDEN, seed = 1 }
      for name, p in stack:named_parameters() do
        for mine, q in list[i]:named_parameters() do
          if name:gsub("^layer%d%.", "") == mine:gsub("^layer%d%.", "") and name:find("^layer" .. i) then
            rondo.no_grad(function() q:copy(p) end)
          end
        end
      end
    end
    return list
  end
  it("add what a layer reads to what it gives", function()
    local stack, x = two "residual", input(HIDDEN)
    local f = parts(stack)
    local first = x + f[1](x)
    assert.same((first + f[2](first)):table(), stack(x):table())
  end)
  it("mix them by a gate that lets most of what is read pass at first", function()
    local stack, x = two "highway", input(HIDDEN)
    local f, gates = parts(stack), {}
    for name, p in stack:named_parameters() do
      gates[name] = p
    end
    assert.same(core.full({ HIDDEN }, -1):table(), gates["layer2.gate_bias"]:table())
    local y = x
    for i = 1, 2 do
      local at = ("layer%d.gate_"):format(i)
      local g = core.linear(y, gates[at .. "weight"], gates[at .. "bias"]):sigmoid()
      y = g * f[i](y) + (1 - g) * y
    end
    assert.is_true(stack(x):allclose(y, { rtol = 0, atol = 1e-6 }))
    stack(x):sum():backward()
    assert.is_true(gates["layer1.gate_weight"].grad:abs():max():item() > 0)
  end)
  it("go round dropout", function()
    local stack, x = two("residual", { dropout = 0.9, input_dropout = 0.9 }), input(HIDDEN)
    rondo.no_grad(function()
      for _, p in ipairs(stack:parameters()) do
        p:fill(0)
      end
    end)
    assert.same(x:table(), stack(x):table())
  end)
  it("are left out where a layer gives another number of features", function()
    local stack = rondo.GRU { input_size = INPUT, hidden_size = HIDDEN, num_layers = 2, connections = "highway" }
    local names = {}
    for name in stack:named_parameters() do
      names[#names + 1] = name:find "gate_" and name or nil
    end
    assert.same({ "layer2.gate_weight", "layer2.gate_bias" }, names)
  end)
  it("give 0 in steps that do not count, whatever lies there", function()
    for _, kind in ipairs { "residual", "highway" } do
      local stack, x = two(kind), input(HIDDEN)
      local mask = core.tensor { { 1, 1, 0, 0, 0 }, { 0, 0, 1, 1, 0 }, { 1, 1, 1, 1, 1 } }
      local clean = stack(x, { mask = mask })
      x[{ 1, 4, 2 }] = 0 / 0
      local y = stack(x, { mask = mask })
      assert.same(clean:table(), y:table())
      assert.equal(0, y:select(1, 1):slice(2 - 1, 3, 5):abs():max():item())
      local lengths = stack(x:slice(1, 2, 3), { lengths = core.tensor { 2, 5 } })
      assert.equal(0, lengths:select(1, 1):slice(1, 3, 5):abs():max():item())
    end
  end)
  it("say where they do not fit", function()
    assert.matches("option 'connections' is \"residual\", but no layer gives as many features as it reads",
      message(rondo.GRU, { input_size = INPUT, hidden_size = HIDDEN, connections = "residual" }))
    assert.matches("the last steps of two directions have no one input",
      message(two, "residual", { bidirectional = true, return_sequences = false }))
    local stack = two("residual", { return_sequences = false })
    assert.same({ ROWS, HIDDEN }, stack(input(HIDDEN)):size())
    assert.matches("is that of Pool { \"last\" } behind a layer",
      message(stack, input(HIDDEN), { lengths = core.tensor { 5, 2, 1 } }))
  end)
end)
