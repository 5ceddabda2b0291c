-- diagnose_spec.lua - the gradient, looked at: equalities for every cell, lags, gates, a model left as it was.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local DOUBLE = core.real == "double"

rondo.cell { name = "test.seen", state = { "h" },
  params = function(c)
    return { z_x = { c.hidden_size, c.input_size }, z_h = { c.hidden_size, c.hidden_size }, z_b = { c.hidden_size },
      n_x = { c.hidden_size, c.input_size } }
  end,
  step = function(p, x, s)
    local z = (rondo.linear(x, p.z_x, p.z_b) + rondo.linear(s.h, p.z_h)):sigmoid()
    local n = rondo.linear(x, p.n_x):tanh()
    return { h = z * s.h + (1 - z) * n }
  end }

rondo.cell { name = "test.equations", equations = { f = "sigmoid(W_f x + U_f h + b_f)", n = "tanh(W_n x + b_n)",
  h = "f*h + (1 - f)*n" } }

local function cells()
  local list = support.cells()
  list[#list + 1], list[#list + 2] = "test.seen", "test.equations"
  return list
end

-- A model of a cell and a batch for it.
local function set_up(cell, given)
  rondo.manual_seed(3)
  local layer = { cell = cell, input_size = 3, hidden_size = 6 }
  for key, value in pairs(given or {}) do
    layer[key] = value
  end
  local model = rondo.Sequential { rondo.RNN(layer), rondo.Linear { 2 } }
  return model, { rondo.randn { 3, 5, 3 }, rondo.randn { 3, 5, 2 } }
end

describe("the contributions of the steps to dL/dW", function()
  for _, cell in ipairs(cells()) do
    it("sum to the engine's gradient: " .. cell, function()
      local model, batch = set_up(cell)
      local found = rondo.diagnose(model, batch, { gates = false, lyapunov = false, jacobians = 0, probes = 0 })
      local limit = DOUBLE and 1e-12 or 2e-5 -- sums of 15 rows in another order, in units of the largest number
      assert.is_true(found.check.difference <= limit, tostring(found.check.difference))
    end)
  end

  -- Five-point differences, as rule C6 has them.
  local function quotient(f, p, element, step)
    local was = p[element]
    local function at(k)
      rondo.no_grad(function() p[element] = was + k * step end)
      return f()
    end
    local a, b, c, d = at(-2), at(-1), at(1), at(2)
    at(0)
    return (a - 8 * b + 8 * c - d) / (12 * step)
  end

  for _, cell in ipairs(cells()) do
    it("are the difference quotient: " .. cell, function()
      if not DOUBLE then
        return -- differences of float32 say nothing to 1e-8
      end
      local model, batch = set_up(cell)
      local loss = rondo.MSELoss()
      local found = rondo.diagnose(model, batch, { loss = loss, gates = false, lyapunov = false, jacobians = 0,
        probes = 0, lags = 1 })
      local function value()
        return rondo.no_grad(function() return (loss(model(batch[1]), batch[2])):item() end)
      end
      for _, p in ipairs(found.layers[1].parameters) do
        local c = found.layers[1].contributions[p.name]
        for _, element in ipairs(c and { { 1, p.tensor.ndim == 2 and 1 or nil }, p.tensor:size() } or {}) do
          local numeric = quotient(value, p.tensor, element, 1e-3)
          assert.is_true(math.abs(c.sum[element] - numeric) <= 1e-8, ("%s: %.12g against %.12g"):format(p.full,
            c.sum[element], numeric))
        end
      end
    end)
  end

  it("hold for stacks, both ways, lengths, resets and learned states", function()
    for _, given in ipairs { { num_layers = 2 }, { bidirectional = true, num_layers = 2 }, { learn_state = true },
      { zoneout = 0.2 }, { num_layers = 2, connections = "residual", input_size = 6 } } do
      rondo.manual_seed(5)
      local model, batch = set_up("lstm", given)
      batch[1] = rondo.randn { 3, 5, given.input_size or 3 }
      batch.lengths = rondo.tensor { 5, 2, 3 }
      local found = rondo.diagnose(model, batch, { gates = false, lyapunov = false, jacobians = 0, probes = 0 })
      assert.is_true(found.check.difference <= (DOUBLE and 1e-12 or 2e-5), tostring(found.check.difference))
    end
    local model, batch = set_up("gru", { bidirectional = true })
    batch.resets = rondo.tensor { { 0, 0, 1, 0, 0 }, { 0, 1, 0, 0, 1 }, { 0, 0, 0, 0, 0 } }
    local found = rondo.diagnose(model, batch, { lyapunov = false })
    assert.is_true(found.check.difference <= (DOUBLE and 1e-12 or 2e-5), tostring(found.check.difference))
  end)

  it("are kept where they are asked for", function()
    local model, batch = set_up "gru"
    local found = rondo.diagnose(model, batch, { keep = true })
    local c, sum = found.layers[1].contributions.z_h, nil
    for _, part in ipairs(c.parts) do
      sum = sum and sum + part or part
    end
    assert.equal(5, #c.parts)
    assert.equal(0, c.norm[1]) -- the state before the first step is 0
    support.same(c.sum, sum)
  end)
end)

describe("the gradient by lag", function()
  local LENGTH = 24

  -- h(t) = r I h(t-1) + x(t), on zeros; L = the sum of the states.
  local function linear(kind, r)
    rondo.manual_seed(1)
    local model = rondo.VanillaRNN { input_size = 2, hidden_size = 5, activation = "identity", bias = "none",
      recurrent_init = kind == "orthogonal" and "orthogonal" or { "identity", r } }
    if kind == "orthogonal" then
      for _, p in ipairs(model:parameter_list()) do
        if p.name == "layer1.a_h" then
          rondo.no_grad(function() p.tensor:copy(p.tensor * r) end)
        end
      end
    end
    return rondo.diagnose(model, { rondo.zeros(2, LENGTH, 2) }, { loss = function(y) return y:sum() end })
  end

  for _, kind in ipairs { "identity", "orthogonal" } do
    for _, r in ipairs { 0.5, 1.0, 1.5 } do
      it(("has slope log r for a linear network that starts as r times %s: r = %g"):format(kind, r), function()
        local one = linear(kind, r).layers[1]
        local exact = kind == "identity" or DOUBLE
        local limit = exact and 1e-6 or 1e-5 -- an orthogonal matrix of floats is one to 1e-7 an entry
        assert.is_true(math.abs(one.slope - math.log(r)) <= limit, tostring(one.slope))
        assert.is_true(math.abs(one.lyapunov - math.log(r)) <= limit, tostring(one.lyapunov))
        assert.is_true(math.abs(one.radius.a_h - r) <= limit, tostring(one.radius.a_h))
        assert.is_true(math.abs(one.step_radius[1].radius - r) <= limit, tostring(one.step_radius[1].radius))
        for i, row in ipairs(one.lag.norm) do -- each line of the heat map, not the mean alone
          for lag = 1, one.lag.times[i] - 1 do
            assert.is_true(math.abs(math.log(row[lag + 1] / row[1]) - lag * math.log(r)) <= 1e-5 * lag)
          end
        end
      end)
    end
  end

  it("ends at the memory horizon", function()
    assert.equal(7, linear("identity", 0.5).layers[1].horizon) -- 2^-7 < 1 % < 2^-6
    assert.is_nil(linear("identity", 1.0).layers[1].horizon)
  end)

  it("is looked at from at most 32 loss times, the last among them", function()
    local model = rondo.GRU { input_size = 1, hidden_size = 2 }
    local batch = { rondo.zeros(1, 50, 1), rondo.zeros(1, 50, 2) }
    local one = rondo.diagnose(model, batch, { contributions = false }).layers[1]
    assert.equal(32, #one.lag.times)
    assert.equal(50, one.lag.times[32])
    assert.equal(50, #one.lag.norm[32])
    assert.equal(one.lag.times[5], #one.lag.norm[5])
  end)

  it("is of the last step where the model gives one output", function()
    local model = rondo.Sequential { rondo.GRU { input_size = 1, hidden_size = 2, return_sequences = false },
      rondo.Linear { 1 } }
    local one = rondo.diagnose(model, { rondo.randn { 2, 6, 1 }, rondo.randn { 2, 1 } }).layers[1]
    assert.same({ 6 }, one.lag.times)
    assert.equal(6, #one.lag.norm[1])
  end)
end)

describe("the norms of ds(T)/ds(k)", function()
  it("by random signs are those of all rows of the Jacobian", function()
    local model, batch = set_up("lstm", { hidden_size = 16 })
    local few = rondo.diagnose(model, batch, { probes = 64, contributions = false }).layers[1]
    local all = rondo.diagnose(model, batch, { exact = true, contributions = false }).layers[1]
    for k = 1, 5 do -- 64 signs x 3 rows: a few percent
      assert.is_true(math.abs(few.jacobian[k] / all.jacobian[k] - 1) < 0.1)
    end
    assert.is_true(math.abs(all.jacobian[5] - math.sqrt(32)) < 1e-5) -- the identity over h and c
  end)

  it("are the products of the steps' Jacobians", function()
    local matrices = require "rondo.diagnose.matrices"
    local model, batch = set_up "gru"
    batch[1] = batch[1]:slice(1, 1, 1):contiguous()
    batch[2] = batch[2]:slice(1, 1, 1):contiguous()
    local one = rondo.diagnose(model, batch, { exact = true, contributions = false }).layers[1]
    local product
    for k = 5, 2, -1 do
      local j = matrices.step_jacobian(one, one.steps[k], 1)
      product = product and product:matmul(j) or j
    end
    assert.is_true(math.abs(product:norm() / one.jacobian[1] - 1) < 1e-5)
  end)
end)

describe("the spectral radius", function()
  local radius = require("rondo.diagnose.matrices").spectral_radius

  it("is right for complex pairs, defective and nilpotent matrices", function()
    assert.is_true(math.abs(radius(rondo.tensor { { 0, -2 }, { 2, 0 } }) - 2) < 1e-6)
    assert.is_true(math.abs(radius(rondo.tensor { { 0.5, 100 }, { 0, 0.5 } }) - 0.5) < 1e-5)
    assert.equal(0, radius(rondo.tensor { { 0, 1 }, { 0, 0 } }))
    assert.is_nil(radius(rondo.tensor { { 1 / 0, 1 }, { 0, 0 } }))
  end)
end)

describe("gates and states", function()
  it("are traced as the cell names them, while predicting", function()
    local model, batch = set_up "gru"
    local seen = model:trace(batch[1])
    support.same(seen.output, model:predict(batch[1]))
    assert.equal(seen[1], seen["1.layer1"])
    assert.same({ 3, 5, 6 }, seen[1].gates.z:size())
    local z, n, h = seen[1].gates.z, seen[1].gates.n_x, seen[1].states.h
    for t = 2, 5 do -- h = (1 - z) n + z h'
      local again = (1 - z:select(2, t)) * n:select(2, t) + z:select(2, t) * h:select(2, t - 1)
      assert.is_true(again:allclose(h:select(2, t), { rtol = 0, atol = 1e-6 }))
    end
  end)

  it("of a cell in Lua are the local variables of its step", function()
    local model, batch = set_up "test.seen"
    local one = model:trace(batch[1])[1]
    local z, n, h = one.gates.z, one.gates.n, one.states.h
    local again = z:select(2, 3) * h:select(2, 2) + (1 - z:select(2, 3)) * n:select(2, 3)
    assert.is_true(again:allclose(h:select(2, 3), { rtol = 0, atol = 1e-6 }))
  end)

  it("of equations that are not compiled are their lines", function()
    local model, batch = set_up "test.equations"
    local one = model:trace(batch[1])[1]
    local again = one.gates.f:select(2, 3) * one.states.h:select(2, 2)
      + (1 - one.gates.f:select(2, 3)) * one.gates.n:select(2, 3)
    assert.is_true(again:allclose(one.states.h:select(2, 3), { rtol = 0, atol = 1e-6 }))
  end)

  it("stay where the user has them, whatever the lengths and directions", function()
    local model, batch = set_up("lstm", { bidirectional = true })
    local seen = model:trace(batch[1], { lengths = rondo.tensor { 2, 5, 0 } })
    local back = seen["1.layer1.reverse"]
    assert.equal(0, back.gates.f[{ 1, 4, 1 }])
    assert.is_true(back.gates.f[{ 1, 2, 1 }] > 0)
    assert.equal(0, back.gates.f[{ 3, 1, 1 }])
  end)

  it("count as saturated below 0.05 and above 0.95, a tanh by (v + 1) / 2", function()
    local saturation = require("rondo.diagnose.inside").saturation
    local share, kind = saturation { rondo.tensor { { 0.01, 0.5 } }, rondo.tensor { { 0.99, 0.3 } } }
    assert.equal("gate", kind)
    assert.is_true(math.abs(share - 0.5) < 1e-6)
    share, kind = saturation { rondo.tensor { { -0.99, 0.5, 0.2, 0.95 } } }
    assert.equal("squashed", kind)
    assert.is_true(math.abs(share - 0.5) < 1e-6)
    assert.is_nil((saturation { rondo.tensor { { 0.5, 2 } } }))
  end)
end)

describe("rondo.diagnose", function()
  it("gives the ratio of update to weight and takes the optimizer's step back", function()
    local model, batch = set_up "gru"
    local optimizer = rondo.optim.Adam { lr = 0.01 }
    local names, parameters = {}, {}
    for i, p in ipairs(model:parameter_list()) do
      names[i], parameters[i] = p.name, p.tensor
    end
    optimizer:bind(parameters, names)
    local before = model:parameters()[2]:clone()
    local found = rondo.diagnose(model, batch, { optimizer = optimizer })
    support.same(before, model:parameters()[2])
    local wanted = 0.01 * math.sqrt(before:numel()) / before:norm() -- Adam's first step is lr in every element
    assert.equal(names[2], found.updates[2].name)
    assert.is_true(math.abs(found.updates[2].ratio / wanted - 1) < 1e-3)
    assert.equal(0, optimizer.handle:updates())
  end)

  it("leaves mode, random numbers and, without contributions, gradients as they were", function()
    local model, batch = set_up "lstm"
    model:train()
    local calls = require("rondo.random").calls()
    rondo.diagnose(model, batch, { contributions = false })
    assert.is_true(model.training)
    assert.equal(calls, require("rondo.random").calls())
    assert.is_nil(model:parameters()[1].grad)
    assert.is_true(model:parameters()[1].requires_grad)
  end)

  it("reads as a page", function()
    local model, batch = set_up("lstm", { num_layers = 2 })
    local text = tostring(rondo.diagnose(model, batch))
    assert.matches("1%.layer2 %(LSTM 'layer 1', layer 2, cell lstm, 5 steps%)", (text:gsub("RNN", "LSTM")))
    assert.matches("memory horizon", text)
    assert.matches("saturated +i ", text)
    assert.matches("sum to the engine's gradient within", text)
  end)

  it("says what it is not given", function()
    local model, batch = set_up "gru"
    assert.matches("diagnose: expected a model, got a number", support.failure(rondo.diagnose, 3, batch))
    assert.matches("diagnose: expected a batch { x, y }, got a userdata",
      support.failure(rondo.diagnose, model, batch[1]))
    assert.matches("diagnose: the batch needs its targets", support.failure(rondo.diagnose, model, { batch[1] }))
    assert.matches("diagnose: unknown option 'lag' %(did you mean 'lags'%?%)",
      support.failure(rondo.diagnose, model, batch, { lag = 3 }))
    assert.matches("diagnose: Linear has no recurrent layer of a cell",
      support.failure(rondo.diagnose, rondo.Linear { 3, 2 }, batch))
    assert.matches("trace: Linear has no recurrent layer of a cell", support.failure(function()
      rondo.Linear({ 3, 2 }):trace(batch[1])
    end))
  end)
end)
