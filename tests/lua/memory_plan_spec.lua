-- memory_plan_spec.lua - long sequences in segments: the bits of the whole, memory as planned, what is refused.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local rondo = require "rondo"
local plan_of = require "rondo.memory_plan"
local support = dofile "tests/lua/support.lua"

local numbers = support.sequences
local ROWS, T, FEATURES = 5, 180, 4

local function bits(model)
  return support.bits(model:parameters())
end

-- Ids 1..6, trailing zeros where there are lengths.
local function ids(lengths)
  local list = {}
  for b = 1, ROWS do
    list[b] = {}
    for t = 1, T do
      list[b][t] = t <= (lengths and lengths[b] or T) and 1 + (b * 7 + t * t * 3) % 6 or 0
    end
  end
  return rondo.tensor(list):contiguous "sequence"
end

local LENGTHS = { 93, 180, 7, 178, 178 }

local function tagger(cell, given)
  local o = { input_size = FEATURES }
  for key, value in pairs(given or {}) do
    o[key] = value
  end
  return support.tagger(cell, o)
end

local function trainer_of(make, given)
  rondo.manual_seed(3)
  local o = { model = make(), loss = rondo.MSELoss(), optimizer = rondo.optim.Adam { lr = 0.02 }, quiet = true,
    max_steps = 3 }
  for key, value in pairs(given or {}) do
    o[key] = key ~= "source" and value or nil
  end
  return rondo.Trainer(o)
end

local function fitted(make, given, batch)
  local trainer = trainer_of(make, given)
  trainer:fit(given and given.source or { batch })
  return trainer
end

local function with(given, more)
  local all = {}
  for key, value in pairs(given or {}) do
    all[key] = value
  end
  for key, value in pairs(more) do
    all[key] = value
  end
  return all
end

-- The least memory that a batch can be trained in.
local function least_of(make, given, batch)
  return trainer_of(make, given):plan(given and given.source or { batch }):of().least.bytes
end

-- Trained at once and in the shortest segments: the same weights and the same loss.
local function same_in_segments(make, given, batch, what)
  local whole = fitted(make, given, batch)
  local memory = math.ceil(least_of(make, given, batch) * 1.2)
  local parts = fitted(make, with(given, { memory = memory }), batch)
  assert.is_true(parts.planned.cuts, what or "it was not cut: the test shows nothing")
  assert.equal(bits(whole.model), bits(parts.model), what)
  assert.is_near(whole.last_loss, parts.last_loss, 1e-12 * math.abs(whole.last_loss), what)
end

describe("segments have the bits of the whole", function()
  it("for every cell", function()
    local batch = { numbers(1, ROWS, T, FEATURES), numbers(2, ROWS, T, 3) }
    for _, cell in ipairs(support.cells()) do
      same_in_segments(tagger(cell), {}, batch, cell)
    end
  end)
  it("for every cell with rows of unequal length", function()
    local batch = { numbers(1, ROWS, T, FEATURES), numbers(2, ROWS, T, 3), lengths = rondo.tensor(LENGTHS) }
    for _, cell in ipairs(support.cells()) do
      same_in_segments(tagger(cell), {}, batch, cell)
    end
  end)
  it("with every regulariser, in stacks, with learned states", function()
    local batch = { numbers(1, ROWS, T, FEATURES), numbers(2, ROWS, T, 3) }
    same_in_segments(tagger("lstm", { num_layers = 3, dropout = 0.2, input_dropout = 0.1, recurrent_dropout = 0.2,
      weight_drop = 0.3, zoneout = 0.1, learn_state = true }), {}, batch)
  end)
  it("in a language model over padded lines", function()
    for _, loss in ipairs { rondo.CrossEntropyLoss(), rondo.CrossEntropyLoss { label_smoothing = 0.1,
      class_weights = { 1, 2, 0.5, 0.25, 1, 1 } }, rondo.CrossEntropyLoss { reduction = "batch" },
      rondo.CrossEntropyLoss { reduction = "sum" } } do
      same_in_segments(function()
        return rondo.Sequential { rondo.Embedding { 6, 5, dropout = 0.2 }, rondo.GRU { 7, input_dropout = 0.1 },
          rondo.Dropout { 0.2 }, rondo.Dropout { 0.2, variational = true }, rondo.LayerNorm {},
          rondo.Linear { 6 } }
      end, { loss = loss }, { ids(LENGTHS), ids(LENGTHS) })
    end
  end)
  it("where a sequence has one answer", function()
    local function model()
      return rondo.Sequential { rondo.Embedding { 6, 5 }, rondo.LSTM { 6, return_sequences = false },
        rondo.Linear { 3 } }
    end
    same_in_segments(model, { loss = rondo.CrossEntropyLoss() }, { ids(LENGTHS), rondo.tensor { 1, 2, 3, 1, 2 } })
    same_in_segments(model, { loss = rondo.CrossEntropyLoss() }, { ids(), rondo.tensor { 1, 2, 3, 1, 2 } })
    same_in_segments(function()
      return rondo.Sequential { rondo.GRU { 6, input_size = FEATURES }, rondo.Pool { "last" }, rondo.Linear { 1 } }
    end, {}, { numbers(1, ROWS, T, FEATURES), numbers(2, ROWS, 1) })
  end)
  it("with other losses, weights, masks at the end, shares of an update", function()
    local x, y = numbers(1, ROWS, T, FEATURES), numbers(2, ROWS, T, 3)
    local mask, weight = ids(LENGTHS):ne(0), numbers(3, ROWS, T, 1):gt(0) * 0.5 + 0.25
    same_in_segments(tagger "gru", { loss = rondo.HuberLoss() }, { x, y, weight })
    same_in_segments(tagger "gru", { loss = rondo.CosineLoss() }, { x, y, mask = mask })
    same_in_segments(function()
      return rondo.Sequential { rondo.GRU { 8, input_size = FEATURES }, rondo.Linear { 9 } }
    end, { loss = rondo.QuantileLoss { quantiles = { 0.1, 0.5, 0.9 } } }, { x, y, weight })
    same_in_segments(tagger "gru", { accumulate = 3, source = { { x, y }, { x, y }, { x, y } } })
  end)
  it("through Residual and Highway", function()
    same_in_segments(function()
      return rondo.Sequential { rondo.Linear { FEATURES, 6 }, rondo.Residual { rondo.GRU { 6 } },
        rondo.Highway { rondo.LSTM { 6 } }, rondo.Linear { 3 } }
    end, {}, { numbers(1, ROWS, T, FEATURES), numbers(2, ROWS, T, 3), lengths = LENGTHS })
  end)
  it("in a layer of a plugin and in a user's class", function()
    local Net = rondo.Module "Net"
    function Net:init()
      self.cell, self.head = rondo.GRU { FEATURES, 8 }, rondo.Linear { 8, 3 }
    end
    function Net:advance(x, states)
      local h, after = self.cell:advance(x, states and states.cell)
      return self.head(h), { cell = after, unchanged = states and states.unchanged or rondo.zeros { 1 } }
    end
    function Net:forward(x) return (self:advance(x)) end
    same_in_segments(Net, {}, { numbers(1, ROWS, T, FEATURES), numbers(2, ROWS, T, 3) })
  end)
  it("in windows of truncated backpropagation", function()
    local batch = { numbers(1, ROWS, T, FEATURES), numbers(2, ROWS, T, 3) }
    local given = { bptt = { k1 = 20, k2 = 45, burn_in = 3 } }
    local memory = math.ceil(least_of(tagger "lstm", given, batch) * 1.1)
    assert.equal(bits(fitted(tagger "lstm", given, batch).model),
      bits(fitted(tagger "lstm", with(given, { memory = memory }), batch).model))
  end)
  it("of a text's stream, and the validation has its figures", function()
    local folder = support.folder()
    local text = assert(rondo.data.Text.open(support.write(folder .. "/t.txt", support.sentences(60))))
    local train, valid = text:split(0.8)
    local function run(memory)
      local trainer = trainer_of(function()
        return rondo.Sequential { rondo.Embedding { #text.vocab, 5 }, rondo.LSTM { 6 }, rondo.Linear { #text.vocab } }
      end, { loss = rondo.CrossEntropyLoss(), memory = memory, epochs = 2, metrics = { "perplexity" } })
      trainer:fit(train:sequences { seq_len = 120, batch_size = 6, stateful = true },
        valid:sequences { seq_len = 120, batch_size = 2, stateful = true })
      return bits(trainer.model), trainer.history.valid.loss[1], trainer:plan():of().least.bytes
    end
    local whole, loss, least = run()
    local cut, loss_cut = run(math.ceil(least * 1.15))
    assert.equal(whole, cut)
    assert.is_near(loss, loss_cut, 1e-12 * loss)
    support.remove(folder)
  end)
end)

-- ---- a source that streams ------------------------------------------------------------------------------

-- Sequences of any length, made part by part; how much was asked for at once is seen.
local function streamed(steps, batches)
  local source = setmetatable({ longest = 0 }, { __len = function() return batches or 1 end })
  local function made(k, from, to)
    local x, y = {}, {}
    for b = 1, ROWS do
      x[b], y[b] = {}, {}
      for t = from, to do
        x[b][t - from + 1] = { math.sin(b + t * 0.3 + k), math.cos(t * 0.1 * b), b, 1 }
        y[b][t - from + 1] = { math.sin(b + t * 0.3 - 1), 0, 1 }
      end
    end
    return rondo.tensor(x):contiguous "sequence", rondo.tensor(y):contiguous "sequence"
  end
  function source.steps() return steps end
  function source:part(k, _, from, to)
    self.longest = math.max(self.longest, to - from + 1)
    return made(k, from, to)
  end
  return source, setmetatable({ batch = function(_, k) return made(k, 1, steps) end }, getmetatable(source))
end

describe("a source with part()", function()
  it("is never asked for more than a segment, and has the bits of its batches", function()
    local source, list = streamed(T, 2)
    local whole = fitted(tagger "lstm", { source = list })
    local memory = math.ceil(least_of(tagger "lstm", { source = source }) * 1.1)
    source.longest = 0
    local parts = trainer_of(tagger "lstm", { memory = memory, epochs = 1, max_steps = 3 })
    parts:fit(source, source)
    assert.is_true(source.longest <= T / 2, source.longest)
    local again = fitted(tagger "lstm", { source = list, max_steps = 2, epochs = 1 })
    assert.equal(bits(again.model), bits(parts.model))
    assert.is_near(again:evaluate(list).loss, parts.history.valid.loss[1], 1e-12)
    assert.equal(3, whole.step)
  end)
  it("is read in windows", function()
    local source, list = streamed(T)
    local bptt = { k1 = 8, k2 = 20 }
    assert.equal(bits(fitted(tagger "gru", { source = list, bptt = bptt }).model),
      bits(fitted(tagger "gru", { source = source, bptt = bptt }).model))
    assert.equal(8, source.longest)
  end)
  it("must give what it is asked for", function()
    local source = (streamed(T))
    local part = source.part
    function source:part(k, epoch, from, to) return part(self, k, epoch, from, math.max(from, to - 1)) end
    assert.matches("the source was asked for steps 1 to %d+, and gave %d+ of them",
      support.failure(fitted, tagger "gru", { source = source, memory = "1MB" }))
  end)
  it("needs an output for each step", function()
    local function model()
      return rondo.Sequential { rondo.GRU { 6, input_size = FEATURES, return_sequences = false }, rondo.Linear { 3 } }
    end
    assert.matches("Trainer: a source with part() needs a model with an output for each step",
      support.failure(fitted, model, { source = (streamed(T)) }), 1, true)
  end)
end)

-- ---- the plan -------------------------------------------------------------------------------------------

-- What the pool gave out at most during a training's third update.
local function seen_by(trainer, batch)
  local seen
  trainer:on("step_begin", function()
    collectgarbage()
    core.new_peaks()
  end)
  trainer:on("step_end", function() seen = core.memory().asked_peak end)
  trainer:fit { batch }
  return seen
end

local function within_a_tenth(planned, seen, what)
  assert.is_true(math.abs(planned / seen - 1) < 0.1, ("%s: planned %.0f, seen %d"):format(what, planned, seen))
end

-- In functions of their own, so that nothing of one is alive in the other.
local function in_segments(make, batch, memory, what)
  collectgarbage()
  collectgarbage()
  local trainer = trainer_of(make, { memory = memory })
  local seen = seen_by(trainer, batch)
  local facts = trainer.planned:of()
  within_a_tenth(facts.segment and facts.segment.bytes or facts.whole, seen, what)
  assert.is_true(seen <= facts.budget, what .. ": over the budget")
end

local function whole(make, batch, what)
  local trainer = trainer_of(make)
  local facts = trainer:plan({ batch }):of()
  within_a_tenth(facts.whole, seen_by(trainer, batch), what .. ", whole")
  return facts.least.bytes
end

local function as_planned(cell, rows, steps, hidden)
  local what = ("%s, B = %d, T = %d, H = %d"):format(cell, rows, steps, hidden)
  local make = tagger(cell, { hidden_size = hidden })
  local batch = { numbers(1, rows, steps, FEATURES), numbers(2, rows, steps, 3) }
  local least = whole(make, batch, what)
  in_segments(make, batch, math.ceil(least * 1.1), what)
  in_segments(make, batch, math.ceil(least * 1.5), what)
end

describe("memory is as planned", function()
  local shapes = { { 4, 200, 16 }, { 20, 300, 8 }, { 1, 300, 64 }, { 8, 400, 32 } }
  -- sanitized it is ten times as slow, and what is asked of the pool is the same
  for _, shape in ipairs(os.getenv "ASAN_OPTIONS" and { shapes[1] } or shapes) do
    it(("within a tenth, for every cell, B = %d, T = %d, H = %d"):format(table.unpack(shape)), function()
      for _, cell in ipairs(support.cells()) do
        as_planned(cell, table.unpack(shape))
      end
    end)
  end
  it("of an update, where bptt makes windows of a batch", function()
    local batch = { numbers(1, 8, 400, FEATURES), numbers(2, 8, 400, 3) }
    for _, bptt in ipairs { { k1 = 100 }, { k1 = 30, k2 = 90 }, { k1 = 500 } } do
      local trainer = trainer_of(tagger("lstm", { hidden_size = 32 }), { bptt = bptt })
      local plan, most = trainer:plan { batch }, math.min(400, bptt.k2 or bptt.k1)
      assert.matches(("^T = %d steps of 8 rows"):format(most), tostring(plan))
      within_a_tenth(plan:of(most).whole, seen_by(trainer, batch), most .. " steps")
    end
  end)
  it("grows with the square root of the steps", function()
    local trainer = trainer_of(tagger "lstm")
    local plan = trainer:plan { { numbers(1, ROWS, 600, FEATURES), numbers(2, ROWS, 600, 3) } }
    local function least(steps)
      local facts = plan:of(steps)
      return facts.least.bytes - plan.kept
    end
    assert.is_near(10, least(1e8) / least(1e6), 0.2)
    assert.is_near(100, plan:of(1e8).whole / plan:of(1e6).whole, 0.2)
  end)
end)

describe("a plan", function()
  local batch = { numbers(1, ROWS, T, FEATURES), numbers(2, ROWS, T, 3) }
  local long = { numbers(1, ROWS, 600, FEATURES), numbers(2, ROWS, 600, 3) }

  it("says it in words", function()
    local trainer = trainer_of(tagger "lstm")
    local text = tostring(trainer:plan({ long }, { steps = 5000, memory = "4MB" }))
    assert.matches("^T = 5,000 steps of 5 rows need [%d.]+ MB at once; %d+ KB of it are weights, optimizer and "
      .. "the batch\n"
      .. "  least, in segments of %d+: +[%d.]+ [KM]B, %d%.%d times the time\n"
      .. "  for 4 MB, segments of %d+: +[%d.]+ [KM]B, %d%.%d times the time$", text)
    assert.matches("\n  1 KB are too little$", tostring(trainer:plan(nil, { memory = "1KB" })))
    assert.matches("\n  1 GB are enough for all at once$", tostring(trainer:plan(nil, { memory = "1 GB" })))
  end)
  it("leaves no trace in what is trained", function()
    local plain = fitted(tagger "lstm", { max_steps = 2 }, batch)
    local trainer = trainer_of(tagger("lstm"), { max_steps = 2 })
    trainer:plan { batch }
    trainer:fit { batch }
    assert.equal(bits(plain.model), bits(trainer.model))
  end)
  it("needs a source", function()
    assert.matches("Trainer:plan: give a source of batches, as fit() gets one",
      support.failure(trainer_of(tagger "lstm").plan, trainer_of(tagger "lstm")), 1, true)
  end)
  it("reads sizes with their units", function()
    assert.same({ 64 << 20, 3 << 19, 2048, 10, 77 }, { plan_of.bytes "64MB", plan_of.bytes "1.5 mib",
      plan_of.bytes "2KB", plan_of.bytes "10B", plan_of.bytes(77) })
    assert.same({ "64 MB", "1.5 MB", "2 KB", "10 bytes", "2.3 GB" }, { plan_of.text(64 << 20), plan_of.text(3 << 19),
      plan_of.text(2048), plan_of.text(10), plan_of.text(2.3 * 2 ^ 30) })
    for _, wrong in ipairs { "64", "MB", "-1MB", 0, 1.5, "64TB" } do
      assert.matches("Trainer: memory must be like \"64MB\" or \"1.5GB\", got ",
        support.failure(trainer_of, tagger "lstm", { memory = wrong }), 1, true)
    end
  end)
end)

describe("memory is refused", function()
  local batch = { numbers(1, ROWS, T, FEATURES), numbers(2, ROWS, T, 3) }
  local function refused(sentence, make, given, other)
    local o = with({ memory = "60KB" }, given or {})
    assert.matches(sentence, support.failure(fitted, make, o, other or batch), 1, true)
  end

  it("where it is too little, with what is needed", function()
    assert.matches("Trainer: memory: 1 KB are too little: 180 steps of 5 rows need at least %d+ KB %(in segments of "
      .. "%d+ steps%)", support.failure(fitted, tagger "lstm", { memory = "1KB" }, batch))
    assert.matches("Trainer: memory: 1 KB are too little: 3 steps of 5 rows need at least %d+ KB %(there is nothing to "
      .. "be cut%)", support.failure(fitted, tagger "lstm", { memory = "1KB" },
      { batch[1]:slice(2, 1, 3), batch[2]:slice(2, 1, 3) }))
  end)
  it("of a model that reads both ways", function()
    refused("Trainer: memory: RNN 'layer 1' reads both ways, and so cannot be read in parts",
      tagger("lstm", { bidirectional = true }))
    refused("Trainer: memory: Pool 'layer 2' needs the whole sequence at once, and so cannot be read in parts",
      function()
        return rondo.Sequential { rondo.GRU { 6, input_size = FEATURES }, rondo.Pool { "mean" }, rondo.Linear { 3 } }
      end)
  end)
  it("of a Pool behind rows of unequal length", function()
    local function model()
      return rondo.Sequential { rondo.GRU { 6, input_size = FEATURES }, rondo.Pool { "last" }, rondo.Linear { 1 } }
    end
    refused("Trainer: Pool { \"last\" } sees only the part in which its rows end; in parts let the layer before it "
      .. "give its last output itself: return_sequences = false", model, {},
      { batch[1], numbers(3, ROWS, 1), lengths = LENGTHS })
  end)
  it("of a loss that is not known to add up", function()
    refused("Trainer: memory: the loss is a function; whether it adds up over time can be told of the library's losses "
      .. "alone", tagger "lstm", { loss = function(y, target) return ((y - target) * (y - target)):mean() end })
  end)
  it("with ActivityRegularization", function()
    refused("Trainer: memory: ActivityRegularization adds a mean over the whole sequence to the loss, which cannot be "
      .. "read in segments", function()
      return rondo.Sequential { rondo.GRU { 6, input_size = FEATURES }, rondo.ActivityRegularization { ar = 1 },
        rondo.Linear { 3 } }
    end)
  end)
  it("where resets and holes part the rows", function()
    local sentence = "Trainer: memory: resets, and masks with holes inside a sequence, part its rows in a way that "
      .. "only the whole sequence has; leave the option memory out, or give lengths"
    refused(sentence, tagger "vanilla", {}, { batch[1], batch[2], resets = rondo.rand(ROWS, T):gt(0.8) })
    refused(sentence, tagger "vanilla", {}, { batch[1], batch[2], mask = rondo.rand(ROWS, T):gt(0.3) })
  end)
end)
