-- bptt_spec.lua - truncated backpropagation through time: windows of steps, what they begin with, resume.
--
-- What an update's gradient is, is written out again with the model's own calls: state by state, window by window.
-- Over 400 lines: those are written out beside what is compared with them.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local bits, numbers = support.bits, support.sequences
local T, ROWS, FEATURES = 23, 5, 4

local folder, text
setup(function()
  folder = support.folder()
  text = assert(rondo.data.Text.open(support.write(folder .. "/t.txt", support.sentences(60))))
end)
teardown(function() support.remove(folder) end)

local function weights(model)
  return bits(model:parameters())
end

-- A source of batches, the same again in each epoch.
local function source_of(batches, stateful)
  return setmetatable({ batch = function(_, k) return table.unpack(batches[k], 1, 4) end, stateful = stateful },
    { __len = function() return #batches end })
end

local function pairs_of(n, steps)
  local list = {}
  for k = 1, n do
    list[k] = { numbers(10 + k, ROWS, steps or T, FEATURES), numbers(20 + k, ROWS, steps or T, 3) }
  end
  return list
end

local function tagger(cell, given)
  local o = { input_size = FEATURES }
  for key, value in pairs(given or {}) do
    o[key] = value
  end
  return support.tagger(cell, o)
end

local function trainer_of(make, given)
  rondo.manual_seed(3)
  local o = { model = make(), loss = rondo.MSELoss(), optimizer = rondo.optim.SGD { lr = 0.1 }, quiet = true }
  for key, value in pairs(given or {}) do
    o[key] = value
  end
  return rondo.Trainer(o)
end

-- Weights after some updates.
local function trained(make, given, source)
  local trainer = trainer_of(make, given)
  trainer:fit(source)
  return weights(trainer.model), trainer
end

describe("bptt with k2 of at least T", function()
  it("has the bits of full backpropagation through time, for every cell", function()
    for _, cell in ipairs(support.cells()) do
      local make, source = tagger(cell), source_of(pairs_of(2))
      local full = trained(make, { epochs = 2 }, source)
      assert.equal(full, trained(make, { epochs = 2, bptt = { k1 = T, k2 = T } }, source), cell)
      assert.equal(full, trained(make, { epochs = 2, bptt = { k1 = 100, k2 = 300 } }, source), cell)
    end
  end)
  it("has them with dropout, zoneout, weight drop, lengths and learned states", function()
    local make = tagger("lstm", { num_layers = 2, dropout = 0.3, recurrent_dropout = 0.2, weight_drop = 0.2,
      zoneout = 0.1,
      learn_state = true })
    local batches = pairs_of(2)
    batches[1][3] = { lengths = rondo.tensor { 13, 23, 4, 18, 18 } }
    local source = source_of(batches)
    assert.equal(trained(make, { epochs = 2 }, source), trained(make, { epochs = 2, bptt = { k1 = 50 } }, source))
  end)
  it("has them where a stream is read in its own chunks", function()
    local source = source_of(pairs_of(4), true)
    assert.equal(trained(tagger "gru", { epochs = 2 }, source),
      trained(tagger "gru", { epochs = 2, bptt = { k1 = T } }, source))
  end)
  it("is what \"full\" says", function()
    assert.is_nil(trainer_of(tagger "gru", { bptt = "full" }).bptt)
  end)
end)

-- The gradient of the losses of steps from..to, which flows from step `first` on, whose state is given.
local function reference(model, x, y, first, from, to, state)
  model:zero_grad()
  if first < from then
    local _
    _, state = model:advance(x:slice(2, first, from - 1), state)
  end
  local out = model:advance(x:slice(2, from, to), state)
  local loss = rondo.MSELoss()(out, y:slice(2, from, to))
  loss:backward()
end

-- The state before step `first`, as the weights of now give it.
local function state_before(model, x, from, first, state)
  if first == from then
    return state
  end
  local _, after = rondo.no_grad(model.advance, model, x:slice(2, from, first - 1), state)
  return after
end

local function step_down(model, lr)
  rondo.no_grad(function()
    for _, p in ipairs(model:parameters()) do
      p:copy(p - p.grad * lr)
    end
  end)
end

-- Updates of k1 steps over windows of k2, written out: the states a window begins with are those that the update
-- before it left, with the weights that it had.
local function by_hand(make, x, y, k1, k2, stream)
  rondo.manual_seed(3)
  local model = make()
  model:train()
  local steps, position, begin, state = x:size(2), 0, 1, nil
  while position < steps do
    local to = math.min(steps, position + k1)
    reference(model, x, y, begin, position + 1, to, state)
    local next_begin = math.max(1, math.min(stream and to + k1 or steps, to + k1) - k2 + 1)
    state = state_before(model, x, begin, next_begin, state)
    begin, position = next_begin, to
    step_down(model, 0.1)
  end
  return model
end

-- SGD rounds once where the script above rounds twice.
local function alike(model, other)
  for i, p in ipairs(model:parameters()) do
    assert.is_true(p:allclose(other:parameters()[i], { rtol = 1e-5, atol = 1e-6 }))
  end
end

describe("a window", function()
  for _, case in ipairs { { 7, 7 }, { 7, 12 }, { 5, 20 }, { 3, 4 }, { 1, 1 }, { 6, 50 } } do
    it(("of k1 = %d, k2 = %d is what the script above writes out"):format(case[1], case[2]), function()
      local batch = pairs_of(1)
      local _, trainer = trained(tagger "lstm", { epochs = 1, bptt = { k1 = case[1], k2 = case[2] } }, source_of(batch))
      assert.equal((T + case[1] - 1) // case[1], trainer.step)
      alike(trainer.model, by_hand(tagger "lstm", batch[1][1], batch[1][2], case[1], case[2]))
    end)
  end
  it("reaches over the borders of a stream's batches", function()
    local batches = pairs_of(3, 6)
    local x = rondo.concat({ batches[1][1], batches[2][1], batches[3][1] }, 2):contiguous "sequence"
    local y = rondo.concat({ batches[1][2], batches[2][2], batches[3][2] }, 2):contiguous "sequence"
    local _, trainer = trained(tagger "gru", { epochs = 1, bptt = { k1 = 4, k2 = 9 } }, source_of(batches, true))
    alike(trainer.model, by_hand(tagger "gru", x, y, 4, 9, true))
  end)
  it("of k2 = T has, bit for bit, the gradient of its losses through all steps before them", function()
    for _, cell in ipairs(support.cells()) do
      local batch = pairs_of(1)[1]
      local make = tagger(cell)
      local _, trainer = trained(make, { max_steps = 3, optimizer = rondo.optim.SGD { lr = 0.0 }, bptt = { k1 = 8,
        k2 = 23 } },
        source_of { batch })
      rondo.manual_seed(3)
      local model = make()
      model:train()
      reference(model, batch[1], batch[2], 1, 17, T, nil)
      for i, p in ipairs(model:parameters()) do
        if p.grad then
          assert.equal(bits { p.grad }, bits { trainer.model:parameters()[i].grad }, cell)
        end
      end
    end
  end)
  it("takes masks with holes and resets as they are", function()
    local batches = pairs_of(2)
    batches[1][3] = { resets = rondo.rand(ROWS, T):gt(0.8) }
    batches[2][3] = { mask = rondo.rand(ROWS, T):gt(0.3) }
    local once = trained(tagger "gru", { epochs = 2, bptt = { k1 = 5, k2 = 9 } }, source_of(batches))
    assert.equal(once, trained(tagger "gru", { epochs = 2, bptt = { k1 = 5, k2 = 9 } }, source_of(batches)))
  end)
  it("passes rows that have ended by", function()
    local batches = pairs_of(1)
    batches[1][3] = { lengths = rondo.tensor { 6, 2, 1, 5, 4 } }
    local _, trainer = trained(tagger "gru", { epochs = 2, bptt = { k1 = 5, k2 = 9 } }, source_of(batches))
    for _, p in ipairs(trainer.model:parameters()) do
      assert.is_true(p:is_finite())
    end
  end)
end)

describe("burn-in", function()
  it("leaves the first steps without loss and gradient", function()
    local batch = pairs_of(1)[1]
    local _, trainer = trained(tagger "lstm", { epochs = 1, bptt = { burn_in = 9 } }, source_of { batch })
    rondo.manual_seed(3)
    local model = tagger "lstm"()
    model:train()
    local state = state_before(model, batch[1], 1, 10, nil)
    reference(model, batch[1], batch[2], 10, 10, T, state)
    step_down(model, 0.1)
    alike(trainer.model, model)
  end)
  it("of a whole sequence is refused", function()
    local message = support.failure(trained, tagger "lstm", { epochs = 1, bptt = { burn_in = T } },
      source_of(pairs_of(1)))
    assert.matches("Trainer: bptt: burn_in is 23, and a sequence has only 23 steps", message, 1, true)
  end)
end)

describe("a model with one output for a sequence", function()
  local function classifier()
    return rondo.Sequential { rondo.LSTM { 6, input_size = FEATURES, return_sequences = false }, rondo.Linear { 1 } }
  end
  local function batch()
    return { numbers(1, ROWS, T, FEATURES), numbers(2, ROWS, 1) }
  end

  it("has one update for each, whose gradient flows k2 steps back", function()
    local given = batch()
    local _, trainer = trained(classifier, { epochs = 1, bptt = { k2 = 6 } }, source_of { given })
    rondo.manual_seed(3)
    local model = classifier()
    model:train()
    local state = state_before(model, given[1], 1, 18, nil)
    local loss = rondo.MSELoss()(model:advance(given[1]:slice(2, 18, T), state), given[2])
    loss:backward()
    step_down(model, 0.1)
    alike(trainer.model, model)
  end)
  it("cannot have updates inside of it", function()
    local message = support.failure(trained, classifier, { epochs = 1, bptt = { k1 = 4, k2 = 6 } },
      source_of { batch() })
    assert.matches("Trainer: bptt: the model gives one output for a sequence of 23 steps, so there is one "
      .. "update for each; "
      .. "give k2 alone, the steps that gradient flows over, and not k1 = 4", message, 1, true)
  end)
  it("cannot read a stream", function()
    local message = support.failure(trained, classifier, { epochs = 1, bptt = { k2 = 6 } }, source_of({ batch() },
      true))
    assert.matches("Trainer: bptt: the model gives one output for all steps of a batch; a stream needs one for "
      .. "each step",
      message, 1, true)
  end)
end)

describe("a random length", function()
  local function run(more)
    local lengths, rates = {}, {}
    local trainer = trainer_of(tagger "gru", { epochs = 1, bptt = { k1 = 20, random = 3 } })
    trainer:on("step_end", function(self, facts)
      lengths[#lengths + 1], rates[#rates + 1] = self.position * T + self.offset, facts.lr
    end)
    trainer:fit(source_of(pairs_of(more or 30), true))
    for i = #lengths, 2, -1 do
      lengths[i] = lengths[i] - lengths[i - 1]
    end
    return lengths, rates, trainer
  end

  it("is drawn around k1, sometimes around its half, and the rate goes with it", function()
    local lengths, rates, trainer = run(200)
    local sum, halves = 0, 0
    for i = 1, #lengths - 1 do
      sum, halves = sum + lengths[i], halves + (lengths[i] < 14 and 1 or 0)
      assert.equal(0.1 * (lengths[i] / 20), rates[i])
    end
    local n = #lengths - 1
    assert.is_near(19.5 - 0.5, sum / n, 0.8) -- 0.95 of 20 and 0.05 of 10, rounded down
    assert.is_true(halves >= 3 and halves <= 30, halves)
    assert.equal(0.1, trainer.optimizer.lr)
  end)
  it("is the same whenever it is drawn", function()
    assert.same((run()), (run()))
  end)
  it("needs something to be drawn around", function()
    assert.matches("Trainer: bptt: random needs k1, the length that others are drawn around",
      support.failure(trainer_of, tagger "gru", { bptt = { random = 5 } }), 1, true)
  end)
end)

describe("a stopped run", function()
  local function last_file(run)
    local steps = require("rondo.run_folder").steps_of(folder .. "/" .. run)
    return ("%s/%s/checkpoints/step-%012d.h5"):format(folder, run, steps[#steps])
  end
  local function language(run, given)
    local o = { run_dir = folder .. "/" .. run, epochs = 2, loss = rondo.CrossEntropyLoss(), vocab = text.vocab,
      optimizer = rondo.optim.Adam { lr = 0.01 } }
    for key, value in pairs(given) do
      o[key] = value
    end
    local trainer = trainer_of(function()
      return rondo.Sequential { rondo.Embedding { #text.vocab, 5 }, rondo.LSTM { 6 }, rondo.Dropout { 0.2 },
        rondo.Linear { #text.vocab } }
    end, o)
    local train, valid = text:split(0.8)
    return trainer:fit(train:sequences { seq_len = 10, batch_size = 8, stateful = true },
      valid:sequences { seq_len = 10, batch_size = 4, stateful = true })
  end
  for name, bptt in pairs { chunks = { k1 = 7 }, overlap = { k1 = 4, k2 = 15 }, random = { k1 = 12, k2 = 16,
    random = 3 },
    burn = { k1 = 6, k2 = 8, burn_in = 12 } } do
    it("goes on with the same bits at any update: " .. name, function()
      local whole = language(name, { bptt = bptt })
      local stop = whole.step // 3
      language(name .. "_parts", { bptt = bptt, max_steps = stop })
      language(name .. "_parts", { bptt = bptt, max_steps = stop + 1, resume = true })
      language(name .. "_parts", { bptt = bptt, max_steps = 2 * stop + 1, resume = true })
      language(name .. "_parts", { bptt = bptt, resume = true })
      assert.equal(support.read(last_file(name)), support.read(last_file(name .. "_parts")))
    end)
  end
  it("of sequences goes on inside one", function()
    local function run(name, given)
      local o = { run_dir = folder .. "/" .. name, epochs = 2, bptt = { k1 = 5, k2 = 11 } }
      for key, value in pairs(given) do
        o[key] = value
      end
      return select(2, trained(tagger "lstm", o, source_of(pairs_of(2))))
    end
    run("inside", {})
    run("inside_parts", { max_steps = 2 })
    run("inside_parts", { max_steps = 8, resume = true })
    run("inside_parts", { resume = true })
    assert.equal(support.read(last_file "inside"), support.read(last_file "inside_parts"))
  end)
end)

describe("the option bptt", function()
  local function refused(bptt, sentence, more)
    local o = more or {}
    o.bptt = bptt
    assert.matches(sentence, support.failure(function()
      trainer_of(tagger "gru", o):fit(source_of(pairs_of(1)))
    end), 1, true)
  end

  it("may be a number, \"35\" or \"35,70\"", function()
    for given, want in pairs { [35] = { 35, 35 }, ["35"] = { 35, 35 }, ["35,70"] = { 35, 70 } } do
      local o = trainer_of(tagger "gru", { bptt = given }).bptt
      assert.same(want, { o.k1, o.k2 })
    end
  end)
  it("says what it takes", function()
    refused("often", "Trainer: bptt must be \"full\", \"35\" or \"35,70\" (steps between updates, steps back), "
      .. "got 'often'")
    refused({ k1 = 0 }, "Trainer: bptt: option 'k1' must be")
    refused({ kk = 2 }, "Trainer: bptt: unknown option 'kk'")
    refused({ k1 = 20, k2 = 10 }, "Trainer: bptt: k2, the steps gradient flows over, must be at least k1, the steps of "
      .. "an update; got k1 = 20, k2 = 10")
  end)
  it("does not go with accumulation", function()
    refused({ k1 = 5 }, "Trainer: accumulate adds up whole batches, bptt has updates inside of them; choose one",
      { accumulate = 2 })
  end)
  it("needs a loss that adds up", function()
    refused({ k1 = 5 }, "Trainer: bptt: the loss is a function; whether it adds up over time can be told of the "
      .. "library's "
      .. "losses alone", { loss = function(y, target) return ((y - target) * (y - target)):mean() end })
  end)
  it("needs a model that reads forward", function()
    refused({ k1 = 5 }, "Trainer: bptt: LSTM 'layer 1' reads both ways, and so cannot be read in parts",
      { model = rondo.Sequential { rondo.LSTM { 4, bidirectional = true }, rondo.Linear { 3 } } })
    local Twice = rondo.Module "Twice"
    function Twice:init() self.net = rondo.Linear { FEATURES, 3 } end
    function Twice:forward(x) return self.net(x) end
    refused({ k1 = 5 }, "Trainer: bptt: Twice cannot be read in parts: that needs a model of library layers in "
      .. "one list, "
      .. "or a method advance(x, states)", { model = Twice() })
  end)
  it("needs one input", function()
    local batch = pairs_of(1)[1]
    assert.matches("Trainer: only batches with one input (batch, time, ...) can be read in parts",
      support.failure(trained, tagger "gru", { epochs = 1, bptt = 5 }, source_of { { { batch[1], batch[1] },
        batch[2] } }),
      1, true)
  end)
  it("needs a target for each step", function()
    local batch = pairs_of(1)[1]
    assert.matches("Trainer: x has 23 steps, and y 22", support.failure(trained, tagger "gru", { epochs = 1, bptt = 5 },
      source_of { { batch[1], batch[2]:slice(2, 1, 22) } }), 1, true)
  end)
  it("takes a user's class with advance()", function()
    local Net = rondo.Module "Net"
    function Net:init()
      self.cell, self.head = rondo.GRU { FEATURES, 8 }, rondo.Linear { 8, 3 }
    end
    function Net:advance(x, states)
      local h, after = self.cell:advance(x, states)
      return self.head(h), after
    end
    function Net:forward(x) return (self:advance(x)) end
    local batch = pairs_of(1)
    local _, trainer = trained(Net, { epochs = 1, bptt = { k1 = 7, k2 = 12 } }, source_of(batch))
    alike(trainer.model, by_hand(Net, batch[1][1], batch[1][2], 7, 12))
  end)
  it("goes with the regularisers of Merity et al.", function()
    local train = text:split(0.8)
    local trainer = trainer_of(function()
      return rondo.Sequential { rondo.Embedding { #text.vocab, 5 }, rondo.LSTM { 6, weight_drop = 0.5 },
        rondo.ActivityRegularization { ar = 2, tar = 1 }, rondo.Linear { #text.vocab } }
    end, { loss = rondo.CrossEntropyLoss(), epochs = 1, bptt = { k1 = 12, random = 3 } })
    trainer:fit(train:sequences { seq_len = 10, batch_size = 8, stateful = true })
    assert.is_true(trainer.last_loss < 5)
  end)
end)
