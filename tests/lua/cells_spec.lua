-- cells_spec.lua - cells that no other library has, against their papers' equations written with tape operations.
--
-- Outputs and all gradients of a weighed sum agree to 1e-12 in the double build and 1e-5 in float, relative to the
-- largest number where that is above 1. Equation numbers are in the cells' own files.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local rondo = require "rondo"

local TOLERANCE = core.real == "double" and 1e-12 or 1e-5
local ROWS, STEPS = 3, 5

local function named(layer)
  local list = {}
  for name, p in layer:named_parameters() do
    list[name:gsub("^layer1%.", "")] = p
  end
  return list
end

-- Line `name`: its biases and the products with what feeds it, by name of the source.
local function line(w, name, sources)
  local sum
  for source, value in pairs(sources) do
    local matrix = w[name .. "_" .. source]
    if matrix then
      local product = core.linear(value, matrix)
      sum = sum and sum + product or product
    end
  end
  for _, bias in ipairs { "_b", "_bx", "_bh" } do
    sum = w[name .. bias] and sum + w[name .. bias] or sum
  end
  return assert(sum, name)
end

local function largest_difference(a, b)
  local scale = math.max(1, b:abs():max():item())
  return (a - b):abs():max():item() / scale
end

local function randomise(w)
  local names = {}
  for name in pairs(w) do
    names[#names + 1] = name
  end
  table.sort(names)
  rondo.no_grad(function()
    for i, name in ipairs(names) do
      if w[name].requires_grad then
        w[name]:fill_uniform(-0.8, 0.8, { seed = 11, layer = i })
      end
    end
  end)
end

-- step(w, x, s, o): the output; s holds what is carried, zeros(width) makes first values.
local function agrees(cell, step, given, shapes)
  given = given or {}
  for _, sizes in ipairs(shapes or { { 4, 6 }, { 5, 5 } }) do
    for _, bias in ipairs { "none", "one", "two" } do
      local o = { cell = cell, input_size = sizes[1], hidden_size = sizes[2], bias = bias, seed = 4 }
      for key, value in pairs(given) do
        o[key] = value
      end
      local layer = rondo.RNN(o)
      local w = named(layer)
      randomise(w)
      local x = rondo.randn(ROWS, STEPS, o.input_size)
      x.requires_grad = true
      local y = layer(x)
      local weights = rondo.randn(ROWS, STEPS, y:size(3))
      local function gradients(output)
        for _, p in pairs(w) do
          p:zero_grad()
        end
        x:zero_grad()
        ;(output * weights):sum():backward()
        local list = { x = x.grad:clone() }
        for name, p in pairs(w) do
          list[name] = p.requires_grad and p.grad:clone() or nil
        end
        return list
      end
      local want_gradients = gradients(layer(x))
      local s, list = { zeros = function(width) return rondo.zeros(ROWS, width) end }, {}
      for t = 1, STEPS do
        list[t] = step(w, x:select(2, t), s, o):unsqueeze(2)
      end
      local reference = rondo.concat(list, 2)
      local label = ("%s, bias %s, %d to %d"):format(cell, bias, sizes[1], sizes[2])
      assert.is_true(largest_difference(y, reference) <= TOLERANCE, label .. ": output")
      for name, gradient in pairs(gradients(reference)) do
        local difference = largest_difference(want_gradients[name], gradient)
        assert.is_true(difference <= TOLERANCE, ("%s: gradient of %s, %g"):format(label, name, difference))
      end
    end
  end
end

describe("a cell is its paper's equations:", function()
  it("minimal gated unit", function()
    agrees("mgu", function(w, x, s, o)
      local h = s.h or s.zeros(o.hidden_size)
      local f = line(w, "f", { x = x, h = h }):sigmoid()
      local n = line(w, "n", { x = x, q = f * h }):tanh()
      s.h = (1 - f) * h + f * n
      return s.h
    end)
  end)
  it("independently recurrent network", function()
    for _, activation in ipairs { "relu", "tanh" } do
      agrees("indrnn", function(w, x, s, o)
        local a = line(w, "a", { x = x }) + w.u * (s.h or s.zeros(o.hidden_size))
        s.h = activation == "relu" and a:relu() or a:tanh()
        return s.h
      end, { activation = activation })
    end
  end)
  it("minimal GRU", function()
    for _, candidate in ipairs { "linear", "positive" } do
      agrees("mingru", function(w, x, s, o)
        local z, n = line(w, "z", { x = x }):sigmoid(), line(w, "n", { x = x })
        if candidate == "positive" then
          n = core.where(n:ge(0), n + 0.5, n:sigmoid())
        end
        s.h = (1 - z) * (s.h or s.zeros(o.hidden_size)) + z * n
        return s.h
      end, { candidate = candidate })
    end
  end)
  it("minimal LSTM", function()
    agrees("minlstm", function(w, x, s, o)
      local f, i = line(w, "f", { x = x }):sigmoid(), line(w, "i", { x = x }):sigmoid()
      local h = s.h or s.zeros(o.hidden_size)
      s.h = f / (f + i) * h + i / (f + i) * line(w, "n", { x = x })
      return s.h
    end)
  end)
  it("simple recurrent unit", function()
    for _, highway_bias in ipairs { 0, -1.5 } do
      agrees("sru", function(w, x, s, o)
        local c = s.c or s.zeros(o.hidden_size)
        local f = (line(w, "f", { x = x }) + w.v_f * c):sigmoid()
        local r = (line(w, "r", { x = x }) + w.v_r * c):sigmoid()
        local skip = w.s_x and core.linear(x, w.s_x) or x
        s.c = f * c + (1 - f) * core.linear(x, w.u_x)
        return r * s.c + (1 - r) * skip * math.sqrt(1 + 2 * math.exp(highway_bias))
      end, { highway_bias = highway_bias })
    end
  end)
  it("multiplicative LSTM", function()
    agrees("mul_lstm", function(w, x, s, o)
      local h, c = s.h or s.zeros(o.hidden_size), s.c or s.zeros(o.hidden_size)
      local from = { x = x, m = core.linear(x, w.mx_x) * core.linear(h, w.mh_h) }
      local i, f = line(w, "i", from):sigmoid(), line(w, "f", from):sigmoid()
      s.c = f * c + i * line(w, "g", from):tanh()
      s.h = line(w, "o", from):sigmoid() * s.c:tanh()
      return s.h
    end)
  end)
  it("recurrent highway network", function()
    for _, given in ipairs { {}, { depth = 1 }, { depth = 10 }, { depth = 3, coupled = false } } do
      agrees("rhn", function(w, x, s, o)
        local h = s.h or s.zeros(o.hidden_size)
        for l = 1, given.depth or 5 do
          local from = l == 1 and { x = x, h = h } or { ["s" .. l - 1] = h }
          local function gate(name) return line(w, name .. l, from) end
          local n, t = gate "n":tanh(), gate "t":sigmoid()
          local c = given.coupled == false and gate "c":sigmoid() or 1 - t
          h = n * t + h * c
        end
        s.h = h
        return h
      end, given)
    end
  end)
  -- eq. 8-14, without the stabiliser: it must not change the output
  it("scalar LSTM of xLSTM", function()
    for _, forget in ipairs { "sigmoid", "exp" } do
      agrees("slstm", function(w, x, s, o)
        local from = { x = x, h = s.h or s.zeros(o.hidden_size) }
        local a = line(w, "f", from)
        local i, f = line(w, "i", from):exp(), forget == "exp" and a:exp() or a:sigmoid()
        s.c = f * (s.c or s.zeros(o.hidden_size)) + i * line(w, "z", from):tanh()
        s.n = f * (s.n or s.zeros(o.hidden_size)) + i
        s.h = line(w, "o", from):sigmoid() * s.c / s.n
        return s.h
      end, { forget = forget })
    end
  end)
  it("scalar LSTM of xLSTM with heads", function()
    agrees("slstm", function(w, x, s, o)
      local list, width = {}, o.hidden_size // o.heads
      for k = 1, o.heads do
        local head = s[k] or { h = s.zeros(width), c = s.zeros(width), n = s.zeros(width) }
        local function sum(gate) return line(w, gate .. k, { x = x, ["h" .. k] = head.h }) end
        local i, f = sum "i":exp(), sum "f":sigmoid()
        local c, n = f * head.c + i * sum "z":tanh(), f * head.n + i
        s[k] = { c = c, n = n, h = sum "o":sigmoid() * c / n }
        list[k] = s[k].h
      end
      return rondo.concat(list, 2)
    end, { heads = 2 }, { { 4, 6 }, { 5, 4 } })
    local ok, message = pcall(rondo.RNN, { cell = "slstm", input_size = 2, hidden_size = 5, heads = 2 })
    assert.is_false(ok)
    assert.matches("option 'heads' must divide hidden_size", tostring(message))
  end)
  it("Legendre memory unit", function()
    for _, given in ipairs { { order = 1, theta = 2 }, { order = 6, theta = 4 }, { order = 32, theta = 100 } } do
      agrees("lmu", function(w, x, s, o)
        local h, m = s.h or s.zeros(o.hidden_size), s.m or s.zeros(given.order)
        local u = line(w, "u", { x = x, h = h }) + core.linear(m, w.e_m)
        s.m = core.linear(m, w.a_m) + core.linear(u, w.b_u)
        s.h = line(w, "w", { x = x, h = h, q = s.m }):tanh()
        return s.h
      end, given)
    end
  end)
  it("LSTM with peepholes, coupled gates, projection, hard gates and layer norm", function()
    local forms = { { peephole = true }, { coupled = true }, { projection = 3 }, { gate = "hard_sigmoid" },
      { layer_norm = true }, { peephole = true, layer_norm = true, projection = 2 },
      { peephole = true, coupled = true, projection = 4, gate = "hard_sigmoid", layer_norm = true } }
    for _, given in ipairs(forms) do
      agrees("lstm", function(w, x, s, o)
        local n = o.hidden_size
        local h, c = s.h or s.zeros(given.projection or n), s.c or s.zeros(n)
        local function gate(a)
          return given.gate == "hard_sigmoid" and (a * 0.2 + 0.5):relu() - (a * 0.2 - 0.5):relu() or a:sigmoid()
        end
        local place, sums = { i = 0, f = 1, g = 2, o = 3 }, nil
        if given.layer_norm then
          sums = core.layer_norm(core.linear(x, w.gates_x), w.gain_x)
            + core.layer_norm(core.linear(h, w.back_h), w.gain_h)
        end
        local function sum(name)
          if not sums then
            return line(w, name, { x = x, h = h })
          end
          local at = place[name] - (given.coupled and 1 or 0)
          return sums:slice(2, at * n + 1, (at + 1) * n) + w["shift_" .. name]
        end
        local function peephole(name, cell) return w["p_" .. name] and w["p_" .. name] * cell or 0 end
        local f = gate(sum "f" + peephole("f", c))
        local i = given.coupled and 1 - f or gate(sum "i" + peephole("i", c))
        s.c = f * c + i * sum "g":tanh()
        local seen = given.layer_norm and core.layer_norm(s.c, w.gain_c, w.shift_c) or s.c
        local m = gate(sum "o" + peephole("o", s.c)) * seen:tanh()
        s.h = given.projection and core.linear(m, w.p_m) or m
        return s.h
      end, given)
    end
  end)
end)

describe("first values", function()
  -- order 1: dm/dt = (u - m) / theta. order 2: theta dm/dt = [-1 -1; 3 -3] m + [1; -3] u, whose exponential is
  -- exp(-2 v) (cos(w v) I + sin(w v) / w (A + 2 I)) with v = 1 / theta, w = sqrt 2; B' = A^-1 (A' - I) B.
  it("of a Legendre memory are the exponential of its state space", function()
    local w = named(rondo.RNN { cell = "lmu", input_size = 2, hidden_size = 3, order = 1, theta = 5 })
    assert.is_true(math.abs(w.a_m:item() - math.exp(-1 / 5)) < TOLERANCE)
    assert.is_true(math.abs(w.b_u:item() - (1 - math.exp(-1 / 5))) < TOLERANCE)
    w = named(rondo.RNN { cell = "lmu", input_size = 2, hidden_size = 3, order = 2, theta = 3 })
    local v, root = 1 / 3, math.sqrt(2)
    local c, s = math.exp(-2 * v) * math.cos(root * v), math.exp(-2 * v) * math.sin(root * v) / root
    local a = rondo.tensor { { c + s, -s }, { 3 * s, c - s } }
    assert.is_true(largest_difference(w.a_m, a) < TOLERANCE)
    local d = (a - rondo.tensor { { 1, 0 }, { 0, 1 } }):matmul(rondo.tensor { { 1 }, { -3 } })
    local b = rondo.tensor { { -3, 1 }, { -3, -1 } }:matmul(d) / 6 -- the inverse of [-1 -1; 3 -3]
    assert.is_true(largest_difference(w.b_u, b) < TOLERANCE)
  end)
  it("that are constants stay: no gradient, no unfreezing", function()
    local model = rondo.Sequential { rondo.RNN { cell = "lmu", input_size = 2, hidden_size = 3 } }
    model:freeze()
    model:unfreeze()
    for name, p in model:named_parameters() do
      assert.equal(not name:find "a_m$" and not name:find "b_u$", p.requires_grad, name)
    end
  end)
  it("of a GRU with chrono: the update gate keeps for 1 to 49 steps", function()
    for _, reset in ipairs { "after", "before" } do
      local horizon = named(rondo.GRU { 3, 64, reset = reset, chrono = 50 }).z_b:exp() -- z / (1 - z)
      assert.is_true((-horizon):max():item() <= -1 and horizon:max():item() <= 49.001 and horizon:max():item() > 40)
    end
  end)
  it("of an sLSTM's forget gates follow the power law, head by head", function()
    local function law(bias, p)
      for j = 1, 5 do
        local want = 5 - 12 * ((j - 1) / 4) ^ p
        assert.is_true(math.abs(bias[{ j }] - want) < 12 * TOLERANCE)
      end
    end
    local o = { cell = "slstm", input_size = 2, hidden_size = 10, heads = 2 }
    law(named(rondo.RNN(o)).f1_b, 0.3) -- the exponent of a first block
    o.power_law = 1.6
    law(named(rondo.RNN(o)).f2_b, 1.6)
    o.forget = "exp" -- of exp the argument is the logarithm of the gate
    law(-((-named(rondo.RNN(o)).f1_b):exp() - 1):log(), 1.6)
    o.power_law = 0
    assert.equal(0, named(rondo.RNN(o)).f1_b:abs():max():item())
    assert.equal(5, rondo.RNN({ cell = "slstm", input_size = 2, hidden_size = 1 }):weights().f.B:item())
  end)
  it("of an LSTM with chrono: the input gate's biases mirror the forget gate's", function()
    local w = named(rondo.LSTM { 3, 64, chrono = 50 })
    assert.is_true((w.f_b + w.i_b):abs():max():item() == 0)
    local horizon = w.f_b:exp()
    assert.is_true((-horizon):max():item() <= -1 and horizon:max():item() <= 49.001 and horizon:max():item() > 40)
  end)
end)

describe("learn_state", function()
  it("is a parameter per state, at first what the state would be", function()
    for _, cell in ipairs { "lstm", "slstm", "gru" } do
      local plain = rondo.RNN { cell = cell, input_size = 3, hidden_size = 4, seed = 2 }
      local learned = rondo.RNN { cell = cell, input_size = 3, hidden_size = 4, seed = 2, learn_state = true }
      local x = rondo.randn(2, 5, 3)
      assert.is_true(plain(x):allclose(learned(x), { rtol = 0, atol = 0 }))
      assert.equal(#plain:parameters() + (cell == "gru" and 1 or cell == "lstm" and 2 or 3), #learned:parameters())
    end
  end)
  it("has the gradient of the state that is given instead", function()
    local layer = rondo.LSTM { 3, 4, num_layers = 2, bidirectional = true, learn_state = true }
    local w, x = {}, rondo.randn(3, 5, 3)
    for name, p in layer:named_parameters() do
      w[name] = p
    end
    assert.is_true(rondo.check.gradients(function() return (layer(x) * layer(x)):sum() end,
      { w["layer1.h_0"], w["layer1.reverse.c_0"], w["layer2.reverse.h_0"] }).worst < 1e-2)
    local h, c = rondo.zeros(3, 4), rondo.zeros(3, 4)
    h.requires_grad = true
    local one = rondo.LSTM { 3, 4, seed = 1 }
    local same = rondo.LSTM { 3, 4, seed = 1, learn_state = true }
    one(x, { h, c }):sum():backward()
    same(x):sum():backward()
    for name, p in same:named_parameters() do
      if name == "layer1.h_0" then
        assert.is_true(largest_difference(p.grad, h.grad:sum(1)) <= TOLERANCE)
      end
    end
  end)
end)
