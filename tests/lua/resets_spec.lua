-- resets_spec.lua - sequences that begin inside a batch, states that are the caller's, documents in full chunks.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local same = support.same

local function part(x, row, from, to)
  return x:slice(1, row, row):slice(2, from, to)
end

-- Learned first states are zeros at first: makes them different.
local function stir(model)
  rondo.no_grad(function()
    for name, p in model:named_parameters() do
      if name:match "_0$" then
        p:copy(rondo.rand(p:size(1)))
      end
    end
  end)
end

describe("resets", function()
  local x = rondo.rand(2, 6, 3)
  local resets = { { 0, 0, 1, 0, 0, 0 }, { 0, 1, 0, 0, 1, 0 } }
  for _, learned in ipairs { false, true } do
    local with = learned and " with learned first states" or ""
    it("give each sequence what it has alone" .. with, function()
      local rnn = rondo.LSTM { 3, 5, num_layers = 2, return_state = true, learn_state = learned }
      stir(rnn)
      local _, before = rnn(rondo.rand(2, 4, 3))
      local y, after = rnn(x, before, { resets = resets })
      local first, goes_on = rnn(part(x, 1, 1, 2), { before[1]:slice(1, 1, 1), before[2]:slice(1, 1, 1),
        before[3]:slice(1, 1, 1), before[4]:slice(1, 1, 1) })
      same(first, part(y, 1, 1, 2))
      local second, ends = rnn(part(x, 1, 3, 6))
      same(second, part(y, 1, 3, 6))
      same(rnn(part(x, 2, 2, 4)), part(y, 2, 2, 4))
      same(rnn(part(x, 2, 5, 6)), part(y, 2, 5, 6))
      for i = 1, 4 do
        same(ends[i]:select(1, 1), after[i]:select(1, 1))
        assert.is_false(goes_on[i]:allclose(ends[i], { rtol = 0, atol = 1e-9 }))
      end
    end)
    it("part what is read both ways" .. with, function()
      for _, layer in ipairs { rondo.GRU { 3, 4, bidirectional = true, num_layers = 2, learn_state = learned },
        rondo.Bidirectional { rondo.LSTM { 3, 4, learn_state = learned }, merge = "sum" } } do
        stir(layer)
        local y = layer(x, { resets = resets })
        same(layer(part(x, 1, 1, 2)), part(y, 1, 1, 2))
        same(layer(part(x, 1, 3, 6)), part(y, 1, 3, 6))
        same(layer(part(x, 2, 1, 1)), part(y, 2, 1, 1))
        same(layer(part(x, 2, 2, 4)), part(y, 2, 2, 4))
        same(layer(part(x, 2, 5, 6)), part(y, 2, 5, 6))
      end
    end)
  end
  it("go with lengths, masks and the mask of an Embedding", function()
    local rnn = rondo.GRU { 3, 4 }
    local y = rnn(x, { resets = resets, lengths = { 4, 6 } })
    same(rnn(part(x, 1, 3, 4)), part(y, 1, 3, 4))
    same(rondo.zeros(1, 2, 4), part(y, 1, 5, 6))
    local net = rondo.Sequential { rondo.Embedding { 7, 3 }, rondo.Dropout { 0 }, rnn, rondo.LSTM { 4, 5 } }
    local ids = rondo.tensor { { 3, 1, 4, 0, 5 }, { 2, 6, 0, 0, 0 } }
    local out = net(ids, { resets = { { 0, 0, 1, 0, 0 }, { 0, 1, 0, 0, 0 } } })
    same(net(rondo.tensor { { 3, 1 } }), part(out, 1, 1, 2))
    same(net(rondo.tensor { { 4, 0, 5 } }), part(out, 1, 3, 5))
    same(net(rondo.tensor { { 6 } }), part(out, 2, 2, 2))
    same(rondo.zeros(1, 3, 5), part(out, 2, 3, 5))
  end)
  it("are nothing where all are 0", function()
    local rnn = rondo.GRU { 3, 4 }
    same(rnn(x), rnn(x, { resets = rondo.zeros(2, 6) }))
  end)
  it("say what is wrong with them", function()
    local rnn = rondo.GRU { 3, 5, name = "g" }
    local says = function(text, how) assert.matches(text, support.failure(rnn, x, nil, how), 1, true) end
    says("GRU 'g': expected resets (2, 6), got (2, 1)", { resets = { { 1 }, { 0 } } })
    says("GRU 'g': resets hold 0 and 1, got 3 at (2, 1)", { resets = { { 1, 0, 0, 0, 0, 0 }, { 3, 0, 0, 0, 0, 0 } } })
    says("resets must be a tensor or a table of numbers, got a number", { resets = 2 })
  end)
  it("give learned first states the gradient of every sequence that begins with them", function()
    local rnn = rondo.GRU { 3, 4, learn_state = true, return_state = true }
    local function gradients(f)
      for _, p in ipairs(rnn:parameters()) do p:zero_grad() end
      f():sum():backward()
      local list = {}
      for _, p in ipairs(rnn:parameters()) do list[#list + 1] = p.grad:slice(1, 1, p:size(1)) * 1 end
      return list
    end
    local together = gradients(function() return (rnn(x, { resets = resets })) end)
    local alone = gradients(function()
      local function of(...) return (rnn(part(x, ...))):sum() end
      return of(1, 1, 2) + of(1, 3, 6) + of(2, 1, 1) + of(2, 2, 4) + of(2, 5, 6)
    end)
    for i = 1, #alone do
      assert.is_true(alone[i]:allclose(together[i], { rtol = 1e-4, atol = 1e-5 }))
    end
  end)
  it("reach a recurrent layer through a module that hands them on", function()
    local Wrap = rondo.Module "WrapOfResets"
    function Wrap:init(layer) self.layer = layer end
    function Wrap:forward(input, states, how) return self.layer(input, states, how) end
    local rnn = rondo.GRU { 3, 4 }
    local net = rondo.Sequential { Wrap(rnn), rondo.Linear { 4, 2 } }
    local y = net(x, { resets = resets })
    same(net(part(x, 1, 3, 6)), part(y, 1, 3, 6))
    function Wrap:advance(input, states, how) return self.layer:advance(input, states, how) end
    same((net:advance(part(x, 1, 3, 6))), part((net:advance(x, nil, { resets = resets })), 1, 3, 6))
  end)
end)

describe("padding", function()
  it("is not looked at, by layers that read both ways in a stack, and has no gradient", function()
    local nan = 0 / 0
    local net = rondo.Sequential { rondo.Bidirectional { rondo.LSTM { 2, 3, num_layers = 2 } },
      rondo.GRU { 6, 3, num_layers = 2, bidirectional = true, return_sequences = false } }
    local x = rondo.tensor { { { 1, 2 }, { 3, 1 }, { nan, nan } }, { { nan, nan }, { nan, nan }, { nan, nan } } }
    local y = net(x, { lengths = { 2, 0 } })
    same(net(part(x, 1, 1, 2)), y:slice(1, 1, 1))
    same(rondo.zeros(6), y:select(1, 2))
    y:sum():backward()
    for _, p in ipairs(net:parameters()) do
      assert.is_true(p.grad:is_finite())
    end
  end)
  it("of a whole row leaves the first state, learned or given", function()
    local rnn = rondo.LSTM { 3, 4, num_layers = 2, learn_state = true, return_state = true }
    stir(rnn)
    local x = rondo.rand(2, 5, 3)
    local _, after = rnn(x, { lengths = { 5, 0 } })
    local firsts = {}
    for name, p in rnn:named_parameters() do
      if name:match "_0$" then firsts[#firsts + 1] = p end
    end
    local _, given = rnn(rondo.rand(2, 2, 3))
    local _, kept = rnn(x, given, { lengths = { 0, 5 } })
    for i = 1, 4 do
      same(firsts[i] * 1, after[i]:select(1, 2))
      same(given[i]:select(1, 1), kept[i]:select(1, 1))
    end
  end)
end)

describe("a step", function()
  it("goes from state to state, by any number of rows", function()
    local net = rondo.Sequential { rondo.Embedding { 7, 3 }, rondo.LSTM { 4, num_layers = 2 }, rondo.Linear { 5 } }
    local ids = rondo.tensor { { 3, 1, 0 }, { 2, 7, 5 } }
    local whole = net:advance(ids)
    local y, state
    for t = 1, 3 do
      y, state = net:step(ids:select(2, t), state)
      same(whole:select(2, t), y)
    end
    assert.same({ 1, 5 }, net:step(rondo.tensor { 4 }):size())
    assert.same({ 9, 5 }, net:step(rondo.ones(9)):size())
    local last = rondo.Sequential { rondo.Embedding { 7, 3 }, rondo.GRU { 1, return_sequences = false } }
    assert.same({ 2, 1 }, last:step(rondo.ones(2)):size())
    local gru = rondo.GRU { 3, 4 }
    local x = rondo.rand(2, 2, 3)
    local _, first = gru:step(x:select(2, 1))
    same(gru(x):select(2, 2), (gru:step(x:select(2, 2), first)))
  end)
  it("of what has no state is refused", function()
    assert.matches("Linear carries no state: define advance(x, states)",
      support.failure(rondo.Linear { 2, 3 }.step, rondo.Linear { 2, 3 }, rondo.ones(1, 2)), 1, true)
  end)
end)

describe("documents in full chunks", function()
  local content = "abc\nde\n\nfghijklmn\n\nop\n\nqrstu\n\nabc abc\n\nfor\n"
  local function trained(sizes, o)
    rondo.manual_seed(3)
    local text = assert(rondo.data.Text.open(support.write(folder .. "/d.txt", content)))
    local model = rondo.Sequential { rondo.OneHot { #text.vocab }, rondo.LSTM { 7, num_layers = 2, learn_state = true },
      rondo.Linear { #text.vocab } }
    local trainer = rondo.Trainer { model = model, loss = rondo.CrossEntropyLoss { reduction = "sum" }, epochs = 4,
      optimizer = rondo.optim.SGD { lr = o.lr }, accumulate = o.accumulate, quiet = true }
    sizes.unit = "document"
    trainer:fit(text:sequences(sizes))
    local alone = text:sequences { unit = "document", batch_size = 1, seq_len = 100, shuffle = false }
    return model, trainer:evaluate(alone).loss
  end
  it("train as each would alone, read whole", function()
    -- one update an epoch; the gradients of `accumulate` batches are divided by their number
    local alone, loss = trained({ batch_size = 1, seq_len = 100, shuffle = false, bucket_by_length = false },
      { lr = 0.06, accumulate = 6 })
    local rows, same_loss = trained({ batch_size = 2, seq_len = 100, stateful = true }, { lr = 0.01, accumulate = 1 })
    assert.is_true(math.abs(loss - same_loss) < 1e-5, loss - same_loss)
    local other = rows:parameters()
    for i, p in ipairs(alone:parameters()) do
      assert.is_true(p:allclose(other[i], { rtol = 1e-4, atol = 1e-5 }))
    end
    local _, untrained = trained({ batch_size = 2, seq_len = 100, stateful = true }, { lr = 1e-9, accumulate = 1 })
    assert.is_true(untrained - loss > 0.05, untrained - loss)
  end)
end)

describe("a Trainer", function()
  local function of(model, o)
    return rondo.Trainer { model = model, loss = rondo.MSELoss(), optimizer = rondo.optim.SGD { lr = 0.1 }, epochs = 1,
      quiet = true, metrics = o }
  end
  it("hands on what stands beside the input", function()
    local seen = {}
    local Reader = rondo.Module "ReaderOfHow"
    function Reader:init() self.layer = rondo.GRU { 1, 2, return_sequences = false } end
    function Reader:forward(x, states, how)
      seen[#seen + 1] = how and table.concat(how.lengths, " ") or "none"
      return self.layer(x, states, how)
    end
    local x, y = rondo.rand(2, 3, 1), rondo.rand(2, 2)
    of(Reader()):fit({ { x, y, lengths = { 3, 1 } }, { x, y } }, { { x, y, lengths = { 2, 2 } } })
    assert.same({ "3 1", "none", "2 2" }, seen)
  end)
  it("refuses a module that has no place for it", function()
    local Deaf = rondo.Module "Deaf"
    function Deaf:init() self.layer = rondo.GRU { 1, 2 } end
    function Deaf:forward(x) return self.layer(x) end
    function Deaf:advance(x, states) return self.layer:advance(x, states) end
    local x = rondo.rand(2, 3, 1)
    local trainer = of(Deaf())
    assert.matches("Deaf: the batches have lengths, masks or resets, which its forward(x, states) has no place for; "
      .. "define forward(x, states, how) and call its layers with how",
      support.failure(trainer.fit, trainer, { { x, rondo.rand(2, 3, 2), lengths = { 3, 1 } } }), 1, true)
    local source = setmetatable({ stateful = true, batch = function()
      return x, rondo.rand(2, 3, 2), { resets = { { 0, 1, 0 }, { 0, 0, 0 } } }
    end }, { __len = function() return 1 end })
    assert.matches("Deaf: the batches have lengths, masks or resets, which its advance(x, states) has no place for",
      support.failure(trainer.fit, trainer, source), 1, true)
  end)
end)
