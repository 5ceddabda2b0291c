-- batches_spec.lua - rondo.data.Batches: padding, buckets, orders, masks through the Trainer, resume.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local Batches = rondo.data.Batches
local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local function values(t)
  local list = t:reshape(t:numel()):table()
  for i, v in ipairs(list) do list[i] = ("%g"):format(v) end
  return table.concat(list, " ")
end

-- Sequences of 1..most ids, the same everywhere; their class is told by the first id.
local function sequences(n, most)
  local x, y = {}, {}
  for i = 1, n do
    x[i] = {}
    for t = 1, 1 + i * 7 % most do x[i][t] = (i * 7 + t * (i % 5)) % 6 + 1 end
    y[i] = x[i][1] % 2 + 1
  end
  return x, y
end

describe("a batch", function()
  it("of id lists is padded with 0 on the right and lies in sequence order", function()
    local source = Batches { x = { { 4, 2 }, { 3 }, {} }, y = { 1, 2, 1 }, batch_size = 3, bucket_by_length = false }
    local x, y, how, weight = source:batch(1)
    assert.same({ 3, 2 }, x:size())
    assert.equal("4 2 3 0 0 0", values(x))
    assert.equal("sequence", x.order)
    assert.equal("1 2 1", values(y))
    assert.is_nil(weight)
    assert.is_true(rawequal(how.mask, x)) -- ids are a mask
  end)
  it("of ids for every step is padded with ids that do not count", function()
    local _, y = Batches { x = { { 4, 2 }, { 3 } }, y = { { 1, 2 }, { 2 } } }:batch(1)
    assert.equal("2 0 1 2", values(y)) -- the shorter one comes first
  end)
  it("of tensors has their lengths, and weights where targets are numbers of steps", function()
    local a, b = rondo.tensor { { 1, 2 }, { 3, 4 }, { 5, 6 } }, rondo.tensor { { 7, 8 } }
    local x, y, how, weight = Batches { x = { a, b }, y = { { 1.5, 2.5, 3.5 }, { 4.5 } } }:batch(1)
    assert.equal("7 8 0 0 0 0 1 2 3 4 5 6", values(x))
    assert.same({ 2, 3, 1 }, y:size())
    assert.equal("4.5 0 0 1.5 2.5 3.5", values(y))
    assert.equal("1 0 0 1 1 1", values(weight))
    assert.same({ 2, 3, 1 }, weight:size())
    assert.equal("1 3", values(how.lengths))
    assert.equal("sequence", x.order)
  end)
  it("of examples without time has none", function()
    local x, y, how, weight = Batches { x = rondo.tensor { { 1, 2 }, { 3, 4 } }, y = { 0.5, 1.5 } }:batch(1)
    assert.equal("1 2 3 4", values(x))
    assert.same({ 2, 1 }, y:size())
    assert.is_nil(weight)
    assert.is_nil(how)
    x, y = Batches { x = { 3, 1 }, y = { rondo.tensor { 1, 2 }, rondo.tensor { 3, 4 } } }:batch(1)
    assert.equal("3 1", values(x))
    assert.equal("1 2 3 4", values(y))
  end)
  it("of several inputs has a tensor for each, each as long as it must be", function()
    local x, y, how = Batches { x = { { { 1, 2, 3 }, { 4 } }, { { 5 }, { 6, 7 } } },
      y = { { 5, 6 }, { 7, 8, 9 } } }:batch(1)
    assert.equal("4 0 0 1 2 3", values(x[1])) -- 3 ids in all before 4
    assert.equal("6 7 5 0", values(x[2]))
    assert.equal("7 8 9 5 6 0", values(y))
    assert.is_true(rawequal(how.mask, x[1]))
  end)
  it("keeps what lengths or a mask leave", function()
    local x, y, how = Batches { x = { { 4, 2, 1 }, { 3, 3, 3 } }, y = { { 1, 1, 1 }, { 2, 2, 2 } },
      lengths = { 2, 3 }, bucket_by_length = false }:batch(1)
    assert.equal("4 2 1 3 3 3", values(x))
    assert.equal("1 1 0 2 2 2", values(y))
    assert.equal("2 3", values(how.lengths))
    local a, b = rondo.rand(2, 3), rondo.rand(3, 3)
    local _, target, given, weight = Batches { x = { a, b }, y = { { 1.0, 2.0 }, { 3.0, 4.0, 5.0 } },
      mask = { { 0, 1 }, { 1, 0, 1 } }, bucket_by_length = false }:batch(1)
    assert.equal("1 2 0 3 4 5", values(target))
    assert.equal("0 1 0 1 0 1", values(weight))
    assert.equal("0 1 0 1 0 1", values(given.mask))
  end)
end)

describe("an epoch", function()
  local function all(source, epoch)
    local rows = {}
    for k = 1, #source do table.move(source:rows(k, epoch), 1, source.batch_size, #rows + 1, rows) end
    return rows
  end
  it("has every example once, in an order of the seed and the epoch", function()
    local x, y = sequences(301, 13)
    local source = Batches { x = x, y = y, batch_size = 4, shuffle = true }
    local one, two = all(source, 1), all(source, 2)
    assert.equal(76, #source)
    assert.not_same(one, two)
    assert.same(one, all(source, 1))
    assert.same(one, all(Batches { x = x, y = y, batch_size = 4, shuffle = true }, 1))
    rondo.manual_seed(2)
    assert.not_same(one, all(source, 1))
    rondo.manual_seed(1)
    table.sort(one)
    for i = 1, 301 do assert.equal(i, one[i]) end
    assert.equal(301, #one)
  end)
  it("without shuffle is the same each time, and without buckets in the order of the list", function()
    local x, y = sequences(50, 13)
    local source = Batches { x = x, y = y, batch_size = 8 }
    assert.same(all(source, 1), all(source, 7))
    local rows = all(Batches { x = x, y = y, batch_size = 8, bucket_by_length = false }, 1)
    for i = 1, 50 do assert.equal(i, rows[i]) end
  end)
  it("pads little where batches are of similar length", function()
    local x, y = sequences(4000, 29)
    local given = { x = x, y = y, batch_size = 32, shuffle = true }
    local bucketed = Batches(given):padding(1)
    given.bucket_by_length = false
    assert.is_true(bucketed < 0.02, bucketed)
    assert.is_true(Batches(given):padding(1) > 0.4)
  end)
  it("is read by a for loop, the next one by the next", function()
    local x, y = sequences(9, 4)
    local source, seen, orders = Batches { x = x, y = y, batch_size = 4, shuffle = true }, 0, {}
    for epoch = 1, 2 do
      orders[epoch] = ""
      for _, target, info in source do
        seen = seen + target:size(1)
        assert.equal(#info.rows, target:size(1))
        assert.equal(epoch, info.epoch)
        orders[epoch] = orders[epoch] .. table.concat(info.rows, " ") .. " "
      end
    end
    assert.equal(18, seen)
    assert.not_equal(orders[1], orders[2])
    assert.equal("9 examples in 3 batches of up to 4", tostring(source))
  end)
end)

describe("the Trainer", function()
  local function classifier(cell)
    rondo.manual_seed(3)
    return rondo.Sequential { rondo.Embedding { 6, 4 }, rondo.Bidirectional { cell or rondo.LSTM { 5,
      return_sequences = false } }, rondo.Linear { 2 } }
  end
  local function trainer_of(model, more)
    local given = { model = model, loss = rondo.CrossEntropyLoss(), optimizer = rondo.optim.Adam { lr = 2e-2 },
      metrics = { "accuracy", "f1" }, epochs = 3, progress = "none", quiet = true }
    for key, value in pairs(more or {}) do given[key] = value end
    return rondo.Trainer(given)
  end
  it("learns a class of sequences of unequal length", function()
    local x, y = sequences(120, 9)
    local source = Batches { x = x, y = y, batch_size = 16, shuffle = true }
    local trainer = trainer_of(classifier(), { epochs = 25 }):fit(source, source)
    assert.is_true(trainer:evaluate(source).accuracy > 0.95)
    assert.is_true(trainer.baselines[1].accuracy < 0.7)
  end)
  it("has the same figures of a padded batch and of each sequence alone", function()
    local x, y = sequences(24, 9)
    local trainer = trainer_of(classifier())
    local together = trainer:evaluate(Batches { x = x, y = y, batch_size = 24 })
    local alone = trainer:evaluate(Batches { x = x, y = y, batch_size = 1 })
    assert.is_true(math.abs(together.loss - alone.loss) < 1e-6)
    assert.equal(alone.accuracy, together.accuracy)
  end)
  it("tells a model without an Embedding which steps count", function()
    local x, y = sequences(12, 9)
    local model = rondo.Sequential { rondo.OneHot { 6 }, rondo.GRU { 5, return_sequences = false }, rondo.Linear { 2 } }
    local trainer = trainer_of(model)
    local together = trainer:evaluate(Batches { x = x, y = y, batch_size = 12 })
    assert.is_true(math.abs(together.loss - trainer:evaluate(Batches { x = x, y = y, batch_size = 1 }).loss) < 1e-6)
  end)
  it("takes sequences of features, and a loss of every step that counts", function()
    local x, y = {}, {}
    for i = 1, 30 do
      x[i] = rondo.rand(7 + i * 5 % 23, 12)
      y[i] = {}
      for t = 1, x[i]:size(1) do y[i][t] = x[i][{ t, 1 }] end
    end
    local model = rondo.Sequential { rondo.GRU { 6, input_size = 12 }, rondo.Linear { 1 } }
    for _, loss in ipairs { rondo.MSELoss(), rondo.HuberLoss() } do
      local trainer = rondo.Trainer { model = model, loss = loss, optimizer = rondo.optim.Adam(), quiet = true,
        progress = "none", epochs = 1 }
      local together = trainer:evaluate(Batches { x = x, y = y, batch_size = 30 })
      local alone = trainer:evaluate(Batches { x = x, y = y, batch_size = 1 })
      assert.is_true(math.abs(together.loss - alone.loss) < 1e-6)
      trainer:fit(Batches { x = x, y = y, batch_size = 8, shuffle = true })
    end
  end)
  it("weighs whole steps of a cosine loss", function()
    local x, y = {}, {}
    for i = 1, 6 do x[i], y[i] = rondo.rand(i, 3), rondo.rand(i, 2) end
    local model = rondo.Sequential { rondo.GRU { 4, input_size = 3 }, rondo.Linear { 2 } }
    local trainer = rondo.Trainer { model = model, loss = rondo.CosineLoss(), optimizer = rondo.optim.Adam(),
      quiet = true, progress = "none", epochs = 1 }
    local together = trainer:evaluate(Batches { x = x, y = y, batch_size = 6 })
    assert.is_true(math.abs(together.loss - trainer:evaluate(Batches { x = x, y = y, batch_size = 1 }).loss) < 1e-6)
  end)
  it("gives a script's own class its inputs, and lengths where ids do not tell them", function()
    local seen = {}
    local Pair = rondo.Module "Pair"
    function Pair:init()
      self.embed, self.out = rondo.Embedding { 9, 3 }, rondo.Linear { 3, 9 }
    end
    function Pair:forward(source, shifted, how)
      seen[#seen + 1] = { source:size(1), shifted:size(2), how }
      return self.out(self.embed(shifted))
    end
    local trainer = trainer_of(Pair(), { metrics = {}, epochs = 1 })
    trainer:fit(Batches { x = { { { 1, 2, 3 }, { 4 } }, { { 5 }, { 6, 7 } } }, y = { { 5 }, { 7, 8 } } })
    assert.same({ { 2, 2 } }, seen)
    local Frames = rondo.Module "Frames"
    function Frames:init() self.rnn = rondo.GRU { 4, input_size = 3, return_sequences = false } end
    function Frames:forward(x, _, how)
      seen = how
      return self.rnn(x, nil, how)
    end
    trainer_of(Frames(), { metrics = {}, epochs = 1 }):fit(Batches { x = { rondo.rand(2, 3), rondo.rand(5, 3) },
      y = { 1, 2 } })
    assert.is_truthy(seen.lengths)
    local Deaf = rondo.Module "Deaf"
    function Deaf:init() self.out = rondo.Linear { 3, 2 } end
    function Deaf:forward(x, ids) return self.out(x:select(2, 1)), ids end
    local message = support.failure(function()
      trainer_of(Deaf(), { epochs = 1 }):evaluate(Batches { x = { { rondo.rand(2, 3) }, { { 1, 2 } } }, y = { 1 } })
    end)
    assert.matches("Deaf: the batches have lengths, masks or resets, which its forward(2 inputs) has no place for; "
      .. "define forward(2 inputs, how) and call its layers with how", tostring(message), 1, true)
  end)
  it("takes lengths with batches of a list", function()
    local model = rondo.Sequential { rondo.GRU { 4, input_size = 3, return_sequences = false }, rondo.Linear { 2 } }
    local x = rondo.rand(2, 5, 3)
    local trainer = trainer_of(model)
    local short = trainer:evaluate { { x, rondo.tensor { 1, 2 }, lengths = { 3, 3 } } }
    assert.equal(trainer:evaluate { { x:slice(2, 1, 3), rondo.tensor { 1, 2 } } }.loss, short.loss)
  end)
  it("goes on from a stop to the bytes of a run without one", function()
    local x, y = sequences(100, 9)
    local function run(dir, more)
      rondo.manual_seed(1)
      local source = Batches { x = x, y = y, batch_size = 8, shuffle = true }
      more.run_dir, more.save_every, more.metrics = folder .. "/" .. dir, 5, {}
      trainer_of(classifier(), more):fit(source, source)
    end
    run("whole", { max_steps = 30 })
    run("parts", { max_steps = 17 })
    run("parts", { max_steps = 30, resume = true })
    local name = "/checkpoints/step-000000000030.h5"
    assert.equal(support.read(folder .. "/whole" .. name), support.read(folder .. "/parts" .. name))
    local message = support.failure(function()
      trainer_of(classifier(), { run_dir = folder .. "/whole", resume = true }):fit(Batches { x = x, y = y,
        batch_size = 4 })
    end)
    assert.matches("made with other data or batches: data.batch_size is 8 there and 4 here", tostring(message), 1, true)
  end)
end)

describe("Batches", function()
  local function says(text, given)
    assert.matches(text, support.failure(Batches, given), 1, true)
  end
  it("says what is wrong with its lists", function()
    says("Batches: option 'x' is required", { y = { 1 } })
    says("Batches: x: expected a list with an entry for each example, got an empty one", { x = {}, y = {} })
    says("Batches: x: expected a list with an entry for each example, got a string", { x = "abc", y = { 1 } })
    says("Batches: x: entry 1 is a string, expected an id, a number, a list of these or a tensor (features) or "
      .. "(time, features)", { x = { "abc" }, y = { 1 } })
    says("Batches: x: entry 2 is a string, expected a list of ids like the first", { x = { { 1 }, "a" }, y = { 1, 2 } })
    says("Batches: y: entry 2 is a number (a float), expected an id like the first", { x = { { 1 }, { 1 } },
      y = { 1, 0.5 } })
    says("Batches: x: entry 2 has 3 features, the first has 2", { x = { rondo.rand(4, 2), rondo.rand(4, 3) },
      y = { 1, 2 } })
    says("Batches: x: entry 2 is a tensor (2, 3, 4), expected a tensor (time, features) like the first",
      { x = { rondo.rand(4, 2), rondo.rand(2, 3, 4) }, y = { 1, 2 } })
    says("Batches: x: entry 2 is a list of strings, expected a list of ids like the first", { x = { { 1 }, { "a" } },
      y = { 1, 2 } })
    says("Batches: x has 2 examples, but y has 1", { x = { { 1 }, { 2 } }, y = { 1 } })
    says("Batches: x has 2 examples, but x[2] has 1", { x = { { { 1 }, { 2 } }, { { 1 } } }, y = { 1, 2 } })
    says("Batches: unknown option 'bucket_by_lenght' (did you mean 'bucket_by_length'?)", { x = { { 1 } }, y = { 1 },
      bucket_by_lenght = true })
  end)
  it("says what is wrong with lengths and masks", function()
    local two = { { 1, 2 }, { 3 } }
    says("Batches: lengths and mask say the same; give one of them", { x = two, y = { 1, 2 }, lengths = { 1, 1 },
      mask = { { 1, 1 }, { 1 } } })
    says("Batches: lengths is of steps, and x has none", { x = { 1, 2 }, y = { 1, 2 }, lengths = { 1, 1 } })
    says("Batches: x has 2 examples, but lengths has 1", { x = two, y = { 1, 2 }, lengths = { 1 } })
    says("Batches: lengths: entry 2 must be an integer 0..1, the steps there are, got 2", { x = two, y = { 1, 2 },
      lengths = { 1, 2 } })
    says("Batches: mask: entry 1 must be a list of 2 numbers, the steps there are, got 1", { x = two, y = { 1, 2 },
      mask = { { 1 }, { 1 } } })
    says("Batches: mask: entry 2 must be a list of 1 numbers, the steps there are, got a number", { x = two,
      y = { 1, 2 }, mask = { { 1, 1 }, 1 } })
  end)
end)
