-- weights_spec.lua - model:weights(): parameters by the letters of formulas.
--
-- That formulas computed with them give the layer's output is shown in lua/README.md, whose blocks run as tests.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local function parameter(model, name)
  for each, p in model:named_parameters() do
    if each == name then
      return p
    end
  end
  error("no " .. name)
end

describe("weights", function()
  it("of a simple network are U W B V C, or W_xh W_hh W_hy", function()
    local model = rondo.Sequential { rondo.VanillaRNN { 3, 4 }, rondo.Dropout(), rondo.Linear { 2 } }
    local w = model:weights()
    assert.equal(parameter(model, "1.layer1.a_x"), w.U)
    assert.equal(parameter(model, "1.layer1.a_h"), w.W)
    assert.equal(parameter(model, "1.layer1.a_b"), w.B)
    assert.equal(parameter(model, "3.weight"), w.V)
    assert.equal(parameter(model, "3.bias"), w.C)
    assert.same({ true, true, true }, { w.W_xh == w.U, w.W_hh == w.W, w.W_hy == w.V })
  end)
  it("are the parameters themselves", function()
    local layer = rondo.VanillaRNN { 1, 1, seed = 1 }
    local w, x = layer:weights(), rondo.ones(1, 1, 1)
    rondo.no_grad(function()
      w.U:fill(0)
      w.B:fill(0.5)
    end)
    assert.is_true(math.abs(layer(x):item() - (math.exp(1) - 1) / (math.exp(1) + 1)) < 1e-6) -- tanh(1/2)
    layer(x):sum():backward()
    assert.is_true(w.B.grad:item() > 0)
  end)
  it("of gates are by line and by gate", function()
    local lstm = rondo.LSTM { 3, 4, peephole = true }:weights()
    for gate, line in pairs { input = "i", forget = "f", candidate = "g", output = "o" } do
      assert.equal(lstm[line].U, lstm[gate].U)
      assert.equal(lstm[line].W, lstm[gate].W)
      assert.equal(lstm[line].B, lstm[gate].B)
    end
    assert.same({ 4 }, lstm.p_f:size())
    local layer = rondo.GRU { 3, 4 }
    local gru = layer:weights()
    assert.equal(gru.z.U, gru.update.U)
    assert.equal(parameter(layer, "layer1.n_x_x"), gru.candidate.U)
    assert.equal(parameter(layer, "layer1.n_h_h"), gru.candidate.W)
    assert.equal(parameter(layer, "layer1.n_x_b"), gru.candidate.B)
    assert.same({ 4, 4 }, rondo.GRU { 3, 4, reset = "before" }:weights().candidate.W_q:size())
    assert.same({ 4, 3 }, rondo.RNN { 3, 4, cell = "mingru" }:weights().z.U:size())
  end)
  it("of several layers are by number, of two directions under reverse", function()
    local stack = rondo.LSTM { 3, 4, num_layers = 2, bidirectional = true }
    local model = rondo.Sequential { stack, rondo.GRU { 5 }, rondo.Linear { 2 } }
    local w = model:weights()
    assert.equal(parameter(model, "1.layer2.reverse.f_h"), w[2].reverse.forget.W)
    assert.equal(parameter(model, "2.layer1.r_x"), w[3].reset.U)
    assert.equal(parameter(model, "3.weight"), w.V)
    local both = rondo.Bidirectional { rondo.VanillaRNN { 3, 4 } }
    assert.equal(parameter(both, "ahead.layer1.a_x"), both:weights().U)
    assert.equal(parameter(both, "reverse.layer1.a_x"), both:weights().reverse.U)
  end)
  it("says what is not there, and why", function()
    local function fails(pattern, f)
      assert.matches(pattern, support.failure(f))
    end
    local model = rondo.Sequential { rondo.VanillaRNN { 3, 4, bias = "two" } }
    fails("B is the sum of B_x and B_h", function() return model:weights().B end)
    assert.same({ 4 }, model:weights().B_h:size())
    fails("weights of Sequential has no 'V'", function() return model:weights().V end)
    fails("made with bias = \"none\"", function() return rondo.VanillaRNN { 3, 4, bias = "none" }:weights().B end)
    fails("there are 2 recurrent layers; take weights%(%)%[1%].U", function()
      return rondo.VanillaRNN { 3, 4, num_layers = 2 }:weights().U
    end)
    fails("no 'forgot' %(did you mean 'forget'%?%)", function() return rondo.LSTM { 3, 4 }:weights().forgot end)
    fails("line 'f' has no 'X'", function() return rondo.LSTM { 3, 4 }:weights().f.X end)
    fails("input size is not known yet", function() return rondo.LSTM { 4 }:weights() end)
  end)
end)
