-- step_spec.lua - y, s = model:step(x, s): the bits of the sequence, and a state that only the caller has.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"
local same = support.same

local function gradients(model)
  local list = {}
  for name, p in model:named_parameters() do
    list[name] = p.grad and p.grad:clone() or nil
    p:zero_grad()
  end
  return list
end

describe("step", function()
  it("has the outputs and gradients of the sequence, bit for bit, for every cell", function()
    for _, cell in ipairs(support.cells()) do
      local model = rondo.Sequential { rondo.RNN { cell = cell, input_size = 3, hidden_size = 4, num_layers = 2 },
        rondo.LayerNorm(), rondo.Linear { 2 } }
      local recurrent = model[1]
      local x = rondo.randn(3, 5, 3)
      local whole, s = model(x), nil
      for t = 1, 5 do
        local y
        y, s = model:step(x:select(2, t), s)
        assert.same({ 3, 2 }, y:size())
        same(whole:select(2, t), y, cell)
      end
      recurrent(x):sum():backward()
      local want = gradients(recurrent)
      local sum
      s = nil
      for t = 1, 5 do
        local y
        y, s = recurrent:step(x:select(2, t), s)
        sum = sum and sum + y:sum() or y:sum()
      end
      sum:backward()
      for name, gradient in pairs(gradients(recurrent)) do
        same(want[name], gradient, cell .. " " .. name)
      end
    end
  end)
  it("reads streams of any number side by side", function()
    local model = rondo.Sequential { rondo.Embedding { 9, 3 }, rondo.LSTM { 4, num_layers = 2 }, rondo.Linear { 9 } }
    local one, many = rondo.tensor { { 3, 1, 4, 1 } }, rondo.tensor { { 2, 7, 1, 8 }, { 2, 8, 1, 8 }, { 2, 8, 4, 5 } }
    local want_one, want_many, a, b = model(one), model(many), nil, nil
    for t = 1, 4 do
      local y
      y, a = model:step(one:select(2, t), a)
      same(want_one:select(2, t), y)
      y, b = model:step(many:select(2, t), b)
      same(want_many:select(2, t), y)
    end
  end)
  it("leaves the state it was given as it was", function()
    local layer = rondo.GRU { 3, 4 }
    local x = rondo.randn(2, 3)
    local _, s = layer:step(x)
    local first, second = layer:step(x, s), layer:step(x, s)
    same(first, second)
  end)
  it("gives the output of the step where only the last is asked for", function()
    local layer = rondo.GRU { 3, 4, return_sequences = false, learn_state = true }
    assert.same({ 2, 4 }, (layer:step(rondo.randn(2, 3))):size())
  end)
  it("calls advance of a class of one's own", function()
    local Net = rondo.Module "Net"
    function Net:init() self.rnn = rondo.GRU { 3, 4 } end
    assert.matches("Net carries no state: define advance%(x, states%)",
      support.failure(function() Net():step(rondo.zeros(1, 3)) end))
    function Net:advance(x, states) return self.rnn:advance(x, states) end
    local net = Net()
    local x = rondo.randn(2, 3)
    same(net.rnn(x:unsqueeze(2)):select(2, 1), (net:step(x)))
  end)
  it("says what it expects", function()
    local function fails(pattern, model, ...)
      assert.matches(pattern, support.failure(model.step, model, ...))
    end
    local model = rondo.Sequential { rondo.Embedding { 9, 3 }, rondo.GRU { 4 } }
    fails("step: Embedding 'layer 1' expects ids %(batch%), got %(2, 3%)", model, rondo.ones(2, 3))
    fails("expected one step, features %(batch, features%) or ids %(batch%), got %(1, 2, 3%)", model,
      rondo.ones(1, 2, 3))
    fails("or ids %(batch%), got a nil", model)
    fails("the state is what the step before returned, or nil, got a number", model, rondo.ones(2), 3)
    local both = rondo.Sequential { rondo.LSTM { 3, 4, bidirectional = true } }
    fails("LSTM 'layer 1' reads both ways: it has no output before the whole sequence", both, rondo.zeros(1, 3))
    fails("Bidirectional reads both ways", rondo.Bidirectional { rondo.GRU { 3, 4 } }, rondo.zeros(1, 3))
    local gru = rondo.GRU { 3, 4 }
    local _, s = gru:step(rondo.zeros(2, 3))
    fails("GRU: expected state 'h' %(5, 4%), got %(2, 4%)", gru, rondo.zeros(5, 3), s)
  end)
end)
