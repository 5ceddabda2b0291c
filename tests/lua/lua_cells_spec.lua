-- lua_cells_spec.lua - cells written in Lua: the same numbers as C cells, the same surface, and their refusals.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local random = require "rondo.random"
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local TOLERANCE = core.real == "double" and 1e-12 or 1e-5

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local function message(...)
  return tostring(support.failure(...))
end

-- ---- cells that are there in C as well ----------------------------------------------------------------------

local function gate(p, line, x, h)
  return rondo.linear(x, p[line .. "_x"], p[line .. "_b"]) + rondo.linear(h, p[line .. "_h"])
end

local function lines(list)
  return function(c)
    local params = {}
    for _, line in ipairs(list) do
      params[line .. "_x"] = { c.hidden_size, c.input_size }
      params[line .. "_h"] = { c.hidden_size, c.hidden_size }
      params[line .. "_b"] = { c.hidden_size }
    end
    return params
  end
end

rondo.cell {
  name = "test.vanilla",
  state = { "h" },
  params = lines { "a" },
  step = function(p, x, s)
    return { h = gate(p, "a", x, s.h):tanh() }
  end,
}

rondo.cell {
  name = "test.lstm",
  state = { "h", "c" },
  lines = { "i", "f", "g", "o" },
  params = function(c)
    local params = lines { "i", "f", "g", "o" }(c)
    params.f_b.init = 1
    return params
  end,
  step = function(p, x, s)
    local i, f = gate(p, "i", x, s.h):sigmoid(), gate(p, "f", x, s.h):sigmoid()
    local g, o = gate(p, "g", x, s.h):tanh(), gate(p, "o", x, s.h):sigmoid()
    local c = f * s.c + i * g
    return { h = o * c:tanh(), c = c }
  end,
}

rondo.cell {
  name = "test.mgu", -- Zhou and others, 2016
  state = { "h" },
  params = lines { "f", "n" },
  step = function(p, x, s)
    local f = gate(p, "f", x, s.h):sigmoid()
    return { h = (1 - f) * s.h + f * gate(p, "n", x, f * s.h):tanh() }
  end,
}

-- Outputs, last states and all gradients of a call, as a list.
local function numbers(cell, options, how, training)
  local given = { cell = cell, input_size = 3, hidden_size = 5, seed = 1, return_state = true }
  for name, value in pairs(options) do
    given[name] = value
  end
  local layer = rondo.RNN(given)
  rondo.manual_seed(3)
  random.set_update(7, 11)
  local x = rondo.parameter(rondo.randn(3, 6, 3))
  layer:train(training)
  local y, states = layer(x, nil, how)
  local list, sum = { y, table.unpack(states) }, 0
  for k, t in ipairs(list) do
    sum = sum + (t * t * k):sum()
  end
  sum:backward()
  for _, p in ipairs(layer:parameters()) do
    list[#list + 1] = p.grad
  end
  list[#list + 1] = x.grad
  random.set_update(0)
  return list
end

local HOWS = {
  {},
  { lengths = { 5, 2, 0 } },
  { mask = { { 1, 0, 1, 1, 0, 0 }, { 0, 0, 0, 0, 0, 0 }, { 1, 1, 1, 1, 1, 1 } } },
  { resets = { { 0, 0, 1, 1, 0, 0 }, { 1, 0, 0, 0, 0, 0 }, { 0, 0, 0, 0, 0, 1 } } },
  { lengths = { 4, 6, 1 }, resets = { { 0, 0, 1, 1, 0, 1 }, { 1, 0, 0, 0, 0, 0 }, { 0, 0, 0, 0, 0, 1 } } },
}

local function agrees(c_cell, lua_cell, options, training)
  for k, how in ipairs(HOWS) do
    local a, b = numbers(c_cell, options, how, training), numbers(lua_cell, options, how, training)
    assert.equal(#a, #b)
    for i, t in ipairs(a) do
      local scale = math.max(1, t:abs():max():item())
      assert.is_true((t - b[i]):abs():max():item() <= TOLERANCE * scale, ("reading %d, tensor %d"):format(k, i))
    end
  end
end

describe("a cell in Lua has the numbers of the C cell:", function()
  for name, options in pairs {
    ["one layer"] = {},
    ["a stack"] = { num_layers = 2, connections = "highway" },
    ["both directions"] = { num_layers = 2, bidirectional = true, merge = "sum" },
    ["learned first states"] = { learn_state = true, bidirectional = true },
    ["named initial values"] = { input_init = "he_uniform", bias_init = { "constant", 0.5 } },
  } do
    it(name, function()
      agrees("vanilla", "test.vanilla", options, false)
      agrees("lstm", "test.lstm", options, false)
      agrees("mgu", "test.mgu", options, false)
    end)
  end

  for name, options in pairs {
    ["dropout between layers"] = { num_layers = 2, dropout = 0.3 },
    ["input_dropout"] = { input_dropout = 0.3, bidirectional = true },
    ["recurrent_dropout"] = { recurrent_dropout = 0.4 },
    ["weight_drop"] = { weight_drop = 0.4 },
    ["zoneout"] = { zoneout = 0.3, bidirectional = true },
    ["all of them"] = { zoneout = 0.2, weight_drop = 0.1, input_dropout = 0.3, recurrent_dropout = 0.1 },
  } do
    it("in training with " .. name, function()
      agrees("vanilla", "test.vanilla", options, true)
      agrees("lstm", "test.lstm", options, true)
    end)
  end

  it("where zoneout blends, by state", function()
    agrees("lstm", "test.lstm", { zoneout = { c = 0.3 } }, false)
    agrees("lstm", "test.lstm", { zoneout = { c = 0.3 } }, true)
  end)
end)

describe("a cell in Lua", function()
  it("begins with the bits of the C cell whose lines have its order, by name too", function()
    for lua_cell, c_cell in pairs { ["test.lstm"] = "lstm", ["test.mgu"] = "mgu" } do
      local given = { input_size = 3, hidden_size = 5, seed = 9, num_layers = 2, recurrent_init = "orthogonal" }
      given.cell = lua_cell
      local a = rondo.RNN(given):parameters()
      given.cell = c_cell
      for i, p in ipairs(rondo.RNN(given):parameters()) do
        support.same(p, a[i])
      end
    end
  end)

  it("gives padded rows the bits that they have alone", function()
    local layer = rondo.RNN { cell = "test.lstm", input_size = 3, hidden_size = 17, return_state = true }
    local x = rondo.randn(4, 9, 3)
    local lengths = { 3, 9, 1, 5 }
    local y, states = layer(x, nil, { lengths = lengths })
    for b, n in ipairs(lengths) do
      local alone, last = layer(x:slice(1, b, b):slice(2, 1, n))
      support.same(alone, y:slice(1, b, b):slice(2, 1, n))
      for k, state in ipairs(last) do
        support.same(state, states[k]:slice(1, b, b))
      end
    end
  end)

  it("has the same bits step by step, outputs, states and gradients", function()
    local layer = rondo.RNN { cell = "test.lstm", input_size = 3, hidden_size = 5 }
    local x = rondo.randn(2, 4, 3)
    local whole, after = layer:advance(x)
    whole:sum():backward()
    local wanted = {}
    for i, p in ipairs(layer:parameters()) do
      wanted[i] = p.grad:contiguous()
    end
    layer:zero_grad()
    local sum, s = 0, nil
    for t = 1, 4 do
      local y
      y, s = layer:step(x:select(2, t), s)
      support.same(whole:select(2, t):detach(), y:detach())
      sum = sum + y:sum()
    end
    sum:backward()
    support.same(after[2]:detach(), s[2]:detach())
    for i, p in ipairs(layer:parameters()) do
      assert.is_true(p.grad:allclose(wanted[i], { rtol = 1e-5, atol = 1e-6 }))
    end
  end)

  it("is carried from chunk to chunk as a C cell is, whatever the loss looks at", function()
    for k, how in ipairs { {}, { lengths = { 3, 1 } }, { resets = { { 0, 1, 0 }, { 0, 0, 0 } } } } do
      local grads = {}
      for i, cell in ipairs { "lstm", "test.lstm" } do
        local layer = rondo.RNN { cell = cell, input_size = 3, hidden_size = 5, seed = 1, num_layers = 2 }
        rondo.manual_seed(2)
        local s
        for _ = 1, 3 do
          local y
          y, s = layer:advance(rondo.randn(2, 3, 3), s, how)
          y:select(2, 1):sum():backward()
          assert.is_false(s[4].requires_grad)
        end
        grads[i] = layer:parameters()[2].grad
      end
      assert.is_true(grads[2]:allclose(grads[1], { rtol = 1e-4, atol = 1e-6 }), k)
    end
  end)

  it("has the same bits on any number of threads", function()
    local before, found = core.threads(), {}
    for _, n in ipairs { 1, 3 } do
      core.threads(n)
      found[n] = numbers("test.mgu", { hidden_size = 64 }, HOWS[2], true)
    end
    core.threads(before)
    for i, t in ipairs(found[1]) do
      support.same(t, found[3][i])
    end
  end)

  it("has parameters by the names that params() gave, in the order of a C cell", function()
    local model = rondo.Sequential { rondo.RNN { 4, cell = "test.lstm" }, rondo.Linear { 2 } }
    model(rondo.randn(1, 2, 3))
    local found = {}
    for name in model:named_parameters() do
      found[#found + 1] = name
    end
    assert.equal("i_x i_h i_b f_x f_h f_b g_x g_h g_b o_x o_h o_b 2.weight 2.bias",
      (table.concat(found, " "):gsub("1%.layer1%.", "")))
    assert.equal(model[1]:parameters()[2], model:weights().i.W)
    assert.matches("%(test.lstm%)", tostring(model))
    model:freeze "i_"
    assert.is_false(model[1]:parameters()[1].requires_grad)
  end)

  it("is listed, found by name and shown", function()
    local listed = {}
    for _, name in ipairs(rondo.plugins.cells) do
      listed[name] = true
    end
    assert.is_true(listed["test.mgu"] and listed.lstm and true)
    assert.matches("did you mean 'test.mgu', which is written in Lua", message(rondo.RNN, { 4, cell = "test.mgi" }))
    local again = rondo.cell { name = "test.again", state = { "h" }, params = lines { "a" }, step = function() end }
    assert.equal("cell 'test.again', written in Lua", tostring(again))
  end)

  it("may have options, other widths and first values, and constants", function()
    rondo.cell {
      name = "test.options",
      help = "leaky sums",
      options = { { name = "leak", kind = "real", def = 0.5, min = 0, max = 1 } },
      state = function(c) return { { "h", width = 2 }, { "m", width = c.hidden_size, first = 3 } } end,
      params = function(c)
        return { a_x = { c.hidden_size, c.input_size, init = { "uniform", -1, 1 } },
          a_c = { 2, c.hidden_size, init = rondo.full({ 2, c.hidden_size }, 0.25), frozen = true } }
      end,
      step = function(p, x, s, c)
        local m = s.m * c.leak + rondo.linear(x, p.a_x)
        return { h = rondo.linear(m, p.a_c), m = m }
      end,
    }
    local layer = rondo.RNN { cell = "test.options", input_size = 1, hidden_size = 4, leak = 1.0, learn_state = true }
    assert.same({ 1, 1, 2 }, layer(rondo.zeros(1, 1, 1)):size())
    assert.equal(3, layer(rondo.zeros(1, 1, 1))[{ 1, 1, 1 }]) -- 4 * 0.25 * 3
    local names = {}
    for name, p in layer:named_parameters() do
      names[#names + 1] = name .. (p.requires_grad and "" or " fixed")
    end
    assert.same({ "layer1.a_x", "layer1.a_c fixed", "layer1.h_0", "layer1.m_0" }, names)
    layer:unfreeze()
    assert.is_false(layer:parameters()[2].requires_grad)
    assert.matches("did you mean 'leak'", message(rondo.RNN, { 4, cell = "test.options", leek = 1 }))
    assert.matches("option 'leak' must be 0..1, got 2", message(rondo.RNN, { 4, cell = "test.options", leak = 2 }))
  end)

  it("is in a checkpoint by its name, and must be defined before", function()
    local layer = rondo.RNN { cell = "test.mgu", input_size = 2, hidden_size = 3, num_layers = 2 }
    local path = folder .. "/mgu.h5"
    assert(rondo.save(path, { model = layer }))
    local again = assert(rondo.load(path)).model
    local x = rondo.randn(1, 3, 2)
    support.same(layer(x), again(x))
    local there = "print(pcall(function() return rondo.load(arg[1]).model end))"
    local code = support.write(folder .. "/load.lua", 'local rondo = require "rondo" ' .. there)
    local pipe = io.popen(("lua5.4 '%s' '%s' 2>&1"):format(code, path))
    local text = pipe:read "a"
    pipe:close()
    assert.matches("its cell 'test.mgu' is written in Lua; define it with rondo.cell first", text)
  end)

  it("learns in a Trainer and reads backward", function()
    rondo.manual_seed(1)
    local model = rondo.Sequential { rondo.Bidirectional { rondo.RNN { 8, cell = "test.mgu" }, merge = "sum" },
      rondo.Linear { 1 } }
    local x = rondo.randn(8, 5, 2)
    local y = x:sum(3):unsqueeze(3)
    local opt, first, loss = nil, nil, nil
    for _ = 1, 30 do
      loss = rondo.MSELoss()(model(x), y)
      opt = opt or rondo.optim.Adam(model:parameters(), { lr = 0.05 })
      first = first or loss:item()
      loss:backward()
      opt:step()
      opt:zero_grad()
    end
    assert.is_true(loss:item() < first / 4)
  end)
end)

describe("a Lua file of cells", function()
  local function rondo_command(line)
    local out, err, code = support.rondo(folder, line)
    assert.equal(0, code, err)
    return out, err
  end

  it("is loaded as a plugin is, where a cell is named", function()
    support.write(folder .. "/mine.lua", [[
      local rondo = require "rondo"
      rondo.cell { name = "mine.leaky", help = "leaky sums", state = { "h" },
        options = { { name = "leak", kind = "real", def = 0.5, min = 0, max = 1, help = "share of the old" } },
        params = function(c)
          return { a_x = { c.hidden_size, c.input_size }, a_h = { c.hidden_size, c.hidden_size } }
        end,
        step = function(p, x, s, c)
          local a = (rondo.linear(x, p.a_x) + rondo.linear(s.h, p.a_h)):tanh()
          return { h = c.leak * s.h + (1 - c.leak) * a }
        end }]])
    support.write(folder .. "/t.txt", support.sentences(60))
    assert.matches("share of the old", rondo_command "help mine.leaky --plugin mine.lua")
    rondo_command("train t.txt --plugin mine.lua --cell mine.leaky --run-dir run --epochs 1 --hidden-size 8 "
      .. "--batch-size 4 --seq-len 20 --seed 3 --progress none")
    local one = rondo_command "sample run --plugin mine.lua --length 20 --seed 1 --prompt the"
    assert.equal(24, #one)
    local _, err, code = support.rondo(folder, "sample run --length 20")
    assert.equal(3, code)
    assert.matches("'mine.leaky' is written in Lua; define it with rondo.cell first, or load its file", err)
    assert.matches("mine.leaky", rondo_command "info run --plugin mine.lua")
  end)

  it("must define one", function()
    support.write(folder .. "/none.lua", "return 1")
    support.write(folder .. "/broken.lua", "return return")
    assert.matches("none.lua defines no cell", select(2, rondo.plugins.load(folder .. "/none.lua")))
    assert.matches("broken.lua:1: unexpected symbol", select(2, rondo.plugins.load(folder .. "/broken.lua")))
    assert.matches("No such file", select(2, rondo.plugins.load(folder .. "/nowhere.lua")))
    local report = rondo.plugins.load(support.write(folder .. "/again.lua", [[
      require("rondo").cell { name = "test.vanilla2", state = { "h" }, params = print, step = print }]]))
    assert.same({ "test.vanilla2" }, report.cells)
    assert.equal("cell", report.kind)
  end)
end)
