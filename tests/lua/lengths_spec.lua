-- lengths_spec.lua - sequences of unequal length, masks, and both directions.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local same = support.same

describe("lengths", function()
  it("give every sequence what it has alone", function()
    local rnn = rondo.LSTM { 3, 5, num_layers = 2, return_state = true }
    local x = rondo.rand(3, 6, 3)
    local y, state = rnn(x, { lengths = { 4, 0, 6 } })
    local alone, own = rnn(x:slice(1, 1, 1):slice(2, 1, 4))
    same(alone, y:slice(1, 1, 1):slice(2, 1, 4))
    same(rondo.zeros(1, 2, 5), y:slice(1, 1, 1):slice(2, 5, 6))
    same(rondo.zeros(6, 5), y:select(1, 2))
    for i = 1, 4 do
      same(own[i]:select(1, 1), state[i]:select(1, 1))
      same(rondo.zeros(5), state[i]:select(1, 2))
    end
  end)
  it("are a mask with all ones in front", function()
    local rnn, x = rondo.GRU { 3, 5 }, rondo.rand(2, 4, 3)
    same(rnn(x, { lengths = { 2, 4 } }), rnn(x, nil, { mask = { { 1, 1, 0, 0 }, { 1, 1, 1, 1 } } }))
  end)
  it("take the last output that counts", function()
    local all = rondo.GRU { 3, 5, seed = 3 }
    local last = rondo.GRU { 3, 5, seed = 3, return_sequences = false }
    local x = rondo.rand(2, 4, 3)
    local y = all(x, { mask = { { 0, 1, 1, 0 }, { 1, 0, 0, 1 } } })
    local z = last(x, { mask = { { 0, 1, 1, 0 }, { 1, 0, 0, 1 } } })
    same(y:select(1, 1):select(1, 3), z:select(1, 1))
    same(y:select(1, 2):select(1, 4), z:select(1, 2))
  end)
  it("say what is wrong with them", function()
    local rnn, x = rondo.GRU { 3, 5, name = "g" }, rondo.rand(2, 4, 3)
    local says = function(text, how) assert.matches(text, support.failure(rnn, x, nil, how), 1, true) end
    says("GRU 'g': expected a mask (2, 4) or lengths (2), got (3)", { lengths = { 1, 2, 3 } })
    says("GRU 'g': lengths must be integers 0..4, got 5 in row 2", { lengths = { 1, 5 } })
    says("GRU 'g': a mask holds 0 and 1, or ids, got 0.5 at (1, 1)",
      { mask = { { 0.5, 1, 1, 1 }, { 1, 1, 1, 1 } } })
    says("lengths and mask say the same; give one of them", { lengths = { 1, 2 }, mask = { { 1 } } })
    says("unknown option 'length' beside the input (did you mean 'lengths'?)", { length = { 1, 2 } })
    says("lengths must be a tensor or a table of numbers, got a number", { lengths = 3 })
    says("expected { lengths =, mask =, resets = } after the states, got a number", 3)
  end)
end)

describe("ids of 0 in an Embedding", function()
  local function model(sequences)
    return rondo.Sequential { rondo.Embedding { 7, 3 }, rondo.Dropout { 0 },
      rondo.GRU { 5, num_layers = 2, return_sequences = sequences }, rondo.Linear { 2 } }
  end
  it("are left out by all that follows", function()
    local net = model(false)
    local ids = rondo.tensor { { 3, 1, 4, 0, 0 }, { 0, 2, 0, 7, 1 }, { 1, 2, 3, 4, 5 } }
    local y = net(ids)
    same(net(rondo.tensor { { 3, 1, 4 } }):select(1, 1), y:select(1, 1))
    same(net(rondo.tensor { { 2, 7, 1 } }):select(1, 1), y:select(1, 2))
    same(net(rondo.tensor { { 1, 2, 3, 4, 5 } }):select(1, 1), y:select(1, 3))
  end)
  it("inside another Sequential too", function()
    local net = rondo.Sequential { rondo.Sequential { rondo.Embedding { 7, 3 } },
      rondo.GRU { 3, 5, return_sequences = false } }
    same(net(rondo.tensor { { 3, 1 } }), net(rondo.tensor { { 3, 1, 0 } }))
  end)
  it("are inputs of zeros with mask = false, and where a stream is read on", function()
    local net = model(true)
    local ids = rondo.tensor { { 3, 0, 4 } }
    local whole = net(ids, { mask = false })
    same(whole, (net:advance(ids)))
    assert.is_false(whole:allclose(net(ids), { rtol = 0, atol = 1e-6 }))
  end)
end)

describe("both directions", function()
  it("are two layers, one over the reversed sequence", function()
    local rnn = rondo.LSTM { 2, 3, bidirectional = true, return_state = true }
    local y, state = rnn(rondo.rand(2, 4, 2))
    assert.same({ 2, 4, 6 }, y:size())
    assert.equal(4, #state)
    same(state[1], y:slice(3, 1, 3):select(2, 4)) -- forward ends with the last step
    same(state[3], y:slice(3, 4, 6):select(2, 1)) -- reverse with the first
    local names = {}
    for name in rnn:named_parameters() do
      names[#names + 1] = name
    end
    assert.equal("layer1.i_x", names[1])
    assert.equal("layer1.reverse.i_x", names[13])
    assert.equal(24, #names)
  end)
  it("merge after every layer of a stack", function()
    local rnn = rondo.GRU { 2, 3, num_layers = 2, bidirectional = true }
    assert.equal(2 * (3 * 3 * (2 + 3 + 1)) + 2 * (3 * 3 * (6 + 3 + 1)), rnn:parameter_count())
    assert.equal(3, rondo.GRU { 2, 3, bidirectional = true, merge = "sum" }(rondo.rand(1, 2, 2)):size(3))
  end)
  it("merge as they are told", function()
    local x = rondo.rand(2, 4, 2)
    local layer = function() return rondo.GRU { 2, 3, seed = 5 } end
    local a, b = rondo.Bidirectional { layer(), merge = "none" }(x)
    local merge = function(how) return rondo.Bidirectional { layer(), merge = how }(x) end
    same(rondo.concat({ a, b }, 3), merge "concat")
    same(a + b, merge "sum")
    same(a * b, merge "mul")
    same((a + b) * 0.5, merge "average")
  end)
  it("begin at the last step that counts", function()
    local bi = rondo.Bidirectional { rondo.LSTM { 2, 3, num_layers = 2, return_sequences = false } }
    local x = rondo.rand(2, 5, 2)
    local y = bi(x, { lengths = { 3, 5 } })
    assert.same({ 2, 6 }, y:size())
    same(bi(x:slice(1, 1, 1):slice(2, 1, 3)), y:slice(1, 1, 1))
    local stack = rondo.LSTM { 2, 3, bidirectional = true, num_layers = 2, return_sequences = false }
    same(stack(x:slice(1, 1, 1):slice(2, 1, 3)), stack(x, { lengths = { 3, 5 } }):slice(1, 1, 1))
  end)
  it("are saved with a model and found again", function()
    local folder = support.folder()
    local model = rondo.Sequential { rondo.Embedding { 7, 3 },
      rondo.LSTM { 4, bidirectional = true, merge = "average" },
      rondo.Bidirectional { rondo.GRU { hidden_size = 4, return_sequences = false }, merge = "sum" },
      rondo.Linear { 2 } }
    local ids = rondo.tensor { { 3, 1, 4, 0 }, { 2, 7, 1, 5 } }
    rondo.save(folder .. "/m.h5", { model = model })
    same(model(ids), rondo.load(folder .. "/m.h5").model(ids))
    support.remove(folder)
  end)
  it("are no language model", function()
    local folder = support.folder()
    support.write(folder .. "/t.txt", ("ab"):rep(50))
    local text = rondo.data.Text.open(folder .. "/t.txt")
    local model = rondo.Sequential { rondo.OneHot { 2 }, rondo.GRU { 3, bidirectional = true }, rondo.Linear { 2 } }
    local trainer = rondo.Trainer { model = model, loss = rondo.CrossEntropyLoss(), optimizer = rondo.optim.Adam {},
      epochs = 1, quiet = true }
    assert.matches("GRU 'layer 2' reads both ways: a stateful source, which is read on from batch to batch, needs",
      support.failure(trainer.fit, trainer, text:sequences { stateful = true, batch_size = 2, seq_len = 5 }), 1, true)
    model.vocab = text.vocab
    assert.matches("generate: GRU 'layer 2' reads both ways, so that it sees what it is to predict",
      support.failure(model.generate, model, {}), 1, true)
    support.remove(folder)
  end)
  it("want layers with state, two of them, that read step by step", function()
    local function fails(text, given)
      assert.matches("Bidirectional: " .. text, support.failure(rondo.Bidirectional, given), 1, true)
    end
    fails("expected a recurrent layer, as in Bidirectional { LSTM { ... } }, or a module with advance(x, states), got "
      .. "a Linear", { rondo.Linear { 2 } })
    fails("its layer is not asked for its state (return_state); advance() returns it",
      { rondo.GRU { 2, return_state = true } })
    local own = rondo.Residual { rondo.GRU { 2, 2 } }
    fails("a Residual is not made again by itself; give the layer that reads backward, backward_layer = ...", { own })
    fails("layer and backward_layer are the same; each direction has parameters of its own",
      { own, backward_layer = own })
    fails("expected a recurrent layer, as in Bidirectional { LSTM { ... } }, or a module with advance(x, states), got "
      .. "a number", { own, backward_layer = 3 })
    fails("its layers must read step by step, but LSTM 'layer 1' reads both ways", { own,
      backward_layer = rondo.Sequential { rondo.LSTM { 2, 2, bidirectional = true } } })
  end)
  it("are two outputs with merge = none, which no layer around them can hand on", function()
    for _, class in ipairs { "Sequential", "Residual", "TimeDistributed" } do
      assert.matches(class .. ": a Bidirectional with merge = \"none\" has two outputs, and one is handed on; call it "
        .. "in a class of your own", support.failure(rondo[class],
        { rondo.Bidirectional { rondo.GRU { 2, 3 }, merge = "none" } }), 1, true)
    end
  end)
end)

-- h(t) = tanh(U x + W h(t - 1) + b) as a class of a script, which knows of no mask; h(0) = 0.
local Cell = rondo.Module "Cell"
function Cell:init(rnn, last)
  local w = rnn:weights()
  self.u, self.w, self.b = w.U:clone(), w.W:clone(), w.B:clone()
  for _, p in ipairs { self.u, self.w, self.b } do
    p.requires_grad = true
  end
  rawset(self, "last", last)
end
function Cell:advance(x, states)
  local h, list = states and states.h or rondo.zeros(x:size(1), self.w:size(1)), {}
  for t = 1, x:size(2) do
    h = (rondo.linear(x:select(2, t), self.u) + rondo.linear(h, self.w) + self.b):tanh()
    list[t] = h:unsqueeze(2)
  end
  return self.last and h or rondo.concat(list, 2), { h = h }
end

describe("both directions of a cell in Lua", function()
  local hows = { {}, { lengths = { 4, 0, 2, 5 } },
    { mask = { { 1, 0, 1, 1, 0 }, { 0, 0, 1, 1, 1 }, { 0, 0, 0, 0, 0 }, { 1, 1, 1, 1, 1 } } } }
  -- The same net twice: of a plugin's cell, and of the class above.
  local function pair(merge, last)
    local rnn = rondo.Bidirectional { rondo.VanillaRNN { 3, 4, return_sequences = not last }, merge = merge }
    return rnn, rondo.Bidirectional { Cell(rnn.ahead, last), backward_layer = Cell(rnn.reverse, last), merge = merge }
  end
  local function near(a, b)
    assert.same(a:size(), b:size())
    assert.is_true(a:allclose(b, { rtol = 0, atol = 1e-6 }))
  end
  it("are those of a plugin's cell, with lengths and holes: outputs, and states carried on", function()
    for _, merge in ipairs { "concat", "sum", "mul", "average", "none" } do
      for _, how in ipairs(hows) do
        local rnn, own = pair(merge)
        local x, states, mine = rondo.randn(4, 5, 3), nil, nil
        for _ = 1, 2 do
          local want, second, got, other
          want, states, second = rnn:advance(x, states, how)
          got, mine, other = own:advance(x, mine, how)
          near(want, got)
          near(states[1], mine[1].h)
          near(states[2], mine[2].h)
          if merge == "none" then
            near(second, other)
          end
        end
      end
    end
  end)
  it("give the last output that each has read", function()
    local rnn, own = pair("concat", true)
    local x = rondo.randn(4, 5, 3)
    for _, how in ipairs(hows) do
      near(rnn(x, nil, how), own(x, nil, how))
    end
  end)
  it("give every sequence what it has alone, bit for bit", function()
    local _, own = pair "concat"
    local x, mask = rondo.randn(4, 5, 3), hows[3].mask
    local y, states = own:advance(x, nil, hows[3])
    for b = 1, 4 do
      local steps, places = {}, {}
      for t = 1, 5 do
        if mask[b][t] == 1 then
          places[#places + 1] = t
          steps[#places] = x:slice(1, b, b):slice(2, t, t)
        else
          same(rondo.zeros(8), y:select(1, b):select(1, t))
        end
      end
      if #steps > 0 then
        local want, after = own:advance(rondo.concat(steps, 2))
        for i, t in ipairs(places) do
          same(want:select(1, 1):select(1, i), y:select(1, b):select(1, t))
        end
        same(after[1].h:select(1, 1), states[1].h:select(1, b))
        same(after[2].h:select(1, 1), states[2].h:select(1, b))
      end
    end
  end)
  it("have the gradients of a plugin's cell", function()
    local rnn, own = pair "concat"
    local x = rondo.randn(4, 5, 3)
    local loss, weights = rondo.MSELoss { reduction = "sum" }, rondo.randn(4, 5, 8)
    loss(rnn(x, hows[3]), weights):backward()
    loss(own(x, hows[3]), weights):backward()
    local want = rnn.reverse:weights()
    for letter, p in pairs { U = own.reverse.u, W = own.reverse.w, B = own.reverse.b } do
      assert.is_true(want[letter].grad:allclose(p.grad, { rtol = 1e-5, atol = 1e-5 }), letter)
    end
  end)
  it("have dropout with a mask for each step, padded or not", function()
    rondo.manual_seed(3)
    local own = rondo.Bidirectional { rondo.Sequential { rondo.Dropout { 0.5 }, rondo.GRU { 3, 3 } },
      backward_layer = rondo.Sequential { rondo.Dropout { 0.5 }, rondo.GRU { 3, 3 } } }
    local x = rondo.ones(1, 4, 3)
    near(own(x), own(x, { lengths = { 4 } }))
    local same_mask = own(x, { lengths = { 4 } }):slice(2, 1, 2)
    near(own(x:slice(2, 1, 2)):slice(3, 1, 3), same_mask:slice(3, 1, 3))
  end)
  it("refuse resets, and what is no sequence", function()
    local _, own = pair "sum"
    assert.matches("Cell: resets are for recurrent layers of cells (RNN, LSTM, ...)",
      support.failure(own, rondo.ones(1, 2, 3), { resets = { { 0, 1 } } }), 1, true)
    assert.matches("Cell: expected input (batch, time, features), got (2, 3)",
      support.failure(own, rondo.ones(2, 3)), 1, true)
    assert.is_nil(own:describe())
  end)
  it("are saved with a model where layers of the library are given", function()
    local folder = support.folder()
    local layer = function() return rondo.Residual { rondo.GRU { 3, 3 } } end
    local model = rondo.Sequential { rondo.Linear { 3, 3 },
      rondo.Bidirectional { layer(), backward_layer = layer(), merge = "sum" }, rondo.Linear { 2 } }
    local x, how = rondo.randn(2, 4, 3), { lengths = { 3, 1 } }
    local y = model(x, how)
    assert.equal(2 * 3 * 3 * 7 + 3 * 4 + 2 * 4, model:parameter_count())
    rondo.save(folder .. "/m.h5", { model = model })
    same(y, rondo.load(folder .. "/m.h5").model(x, how))
    support.remove(folder)
  end)
end)
