-- limits_spec.lua - the smallest and the largest that the library takes: right, compared with a formula or another way
-- to the same numbers, or refused with a sentence.
--
-- core_spec.lua, mistakes_spec.lua and the C tests have the limits of single options and operations.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"
local same, failure = support.same, support.failure

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)
before_each(function() rondo.manual_seed(1) end)

require("rondo.errors").on_notice = function() end

local function trainer(given)
  local o = { loss = rondo.CrossEntropyLoss(), optimizer = rondo.optim.SGD { lr = 0.1 }, max_steps = 2, quiet = true,
    progress = "none" }
  for name, value in pairs(given) do
    o[name] = value
  end
  return rondo.Trainer(o)
end

-- ---- the smallest ------------------------------------------------------------------------------------------------

describe("every cell, both ways, two layers", function()
  for _, cell in ipairs(support.cells()) do
    local function layer(both, more)
      local o = { cell = cell, input_size = 1, hidden_size = 1, num_layers = 2, bidirectional = both, seed = 3 }
      for name, value in pairs(more or {}) do
        o[name] = value
      end
      return rondo.RNN(o)
    end
    it(("of one unit, one row, one step is its row of a batch: %s"):format(cell), function()
      for _, both in ipairs { false, true } do
        local net = layer(both)
        local x = rondo.randn(3, 2, 1)
        local y = net(x)
        for row = 1, 3 do
          same(net(x:slice(1, row, row)), y:slice(1, row, row))
        end
        same(net(x:slice(2, 1, 1)):slice(1, 2, 2), net(x:slice(1, 2, 2):slice(2, 1, 1)))
      end
    end)
    it(("has nothing of a row of length 0: %s"):format(cell), function()
      for _, both in ipairs { false, true } do
        local net, alone = layer(both, { return_state = true }), layer(both, { return_state = true })
        local x = rondo.randn(2, 3, 1)
        local y = net(x, { lengths = { 0, 3 } })
        local z, after = alone(x:slice(1, 2, 2))
        assert.equal(0, y:slice(1, 1, 1):norm())
        same(y:slice(1, 2, 2), z)
        y:sum():backward()
        z:sum():backward()
        for i, p in ipairs(net:parameters()) do
          same(p.grad or rondo.zeros(p:size()), alone:parameters()[i].grad or rondo.zeros(p:size()))
        end
        local empty = select(2, net(x:slice(1, 1, 1), { lengths = { 0 } }))
        assert.equal(#after, #empty)
      end
    end)
    it(("refuses a sequence without steps: %s"):format(cell), function()
      for _, both in ipairs { false, true } do
        assert.matches("the input must have at least one row and one step, got %(2, 0, 1%)",
          failure(layer(both), rondo.zeros(2, 0, 1)))
        assert.matches("the input must have at least one row and one step, got %(0, 2, 1%)",
          failure(layer(both), rondo.zeros(0, 2, 1)))
      end
    end)
  end
end)

describe("one class", function()
  it("is always right: loss 0, accuracy and F1 1, perplexity 1, and no gradient", function()
    local model = rondo.Sequential { rondo.OneHot { 1 }, rondo.GRU { 1 }, rondo.Linear { 1 } }
    local t = trainer { model = model, metrics = { "perplexity", "bits_per_char", "accuracy", "top_5_accuracy",
      "f1_macro", "f1_micro" } }
    local before = model[3].weight:clone()
    local data = { { rondo.ones(1, 4), rondo.ones(1, 4) } }
    t:fit(data, data)
    assert.same({ loss = 0, perplexity = 1, bits_per_char = 0, accuracy = 1, top_5_accuracy = 1, f1_macro = 1,
      f1_micro = 1 }, t:evaluate(data))
    same(before, model[3].weight)
  end)
  it("is all that a text of one symbol can say", function()
    local text = rondo.data.Text.open(support.write(folder .. "/a.txt", ("a"):rep(100)))
    local model = rondo.Sequential { rondo.OneHot { 1 }, rondo.GRU { 1 }, rondo.Linear { 1 } }
    local t = trainer { model = model, vocab = text.vocab }
    t:fit(text:sequences { seq_len = 5, batch_size = 2 })
    assert.equal(1, #text.vocab)
    assert.equal(0, t.last_loss)
    local written = ""
    for piece in model:generate { prompt = "a", length = 4, seed = 1 } do
      written = written .. piece
    end
    assert.equal("aaaaa", written)
  end)
end)

describe("a validation of which nothing counts", function()
  local model = rondo.Sequential { rondo.OneHot { 2 }, rondo.Linear { 2 } }
  local seen, absent = { { rondo.ones(1, 3), rondo.ones(1, 3) } }, { { rondo.ones(1, 3), rondo.zeros(1, 3) } }
  it("has no loss, where 0 would be the best there ever was", function()
    assert.matches("the validation part: nothing of it counts %(targets are 0, weights are 0, or lengths are%): it has "
      .. "no loss", failure(function() trainer { model = model }:fit(seen, absent) end))
    assert.matches("evaluate: nothing of it counts", failure(function() trainer { model = model }:evaluate(absent) end))
  end)
  it("is not the same as one batch of it", function()
    local t = trainer { model = model, metrics = { "accuracy" } }
    local both = { absent[1], seen[1] }
    assert.same(t:evaluate(seen), t:evaluate(both))
  end)
  it("may be all that there is to learn from, and teaches nothing", function()
    local before = model[2].weight:clone()
    local t = trainer { model = model }
    t:fit(absent)
    assert.equal(0, t.last_loss)
    same(before, model[2].weight)
  end)
end)

it("weights that are less than 1 together give the mean that they are the weights of", function()
  local model = rondo.Sequential { rondo.Linear { 1, 1, weight_init = "zero", bias = false } }
  local t = trainer { model = model, loss = rondo.MSELoss(), optimizer = rondo.optim.SGD { lr = 1e-30 }, log_every = 1 }
  local data = { { rondo.ones(2, 1), rondo.tensor { { 1 }, { 2 } }, rondo.tensor { { 0.125 }, { 0.125 } } } }
  assert.equal(2.5, t:evaluate(data).loss)
  t:fit(data)
  assert.equal(2.5, t.last_loss)
  assert.same({ 2.5, 2.5 }, t.history.train.loss)
end)

it("a series as long as one window has one, and is too short for a longer one", function()
  local rows = { "v" }
  for i = 1, 8 do
    rows[#rows + 1] = tostring(i)
  end
  local series = rondo.data.Series.from_csv(support.write(folder .. "/s.csv", table.concat(rows, "\n") .. "\n"))
  local x, y = series:windows { input = 1, horizon = 7, target = "v" }:batch(1, 1)
  assert.same({ { { 1 } } }, x:table())
  assert.same({ { 2, 3, 4, 5, 6, 7, 8 } }, y:table())
  assert.matches("windows: no window has room in rows 1..8: it needs 1 rows before its origin and 8 behind it",
    failure(series.windows, series, { input = 1, horizon = 8, target = "v" }))
end)

-- ---- the largest -------------------------------------------------------------------------------------------------

describe("a thousand layers", function()
  it("in one stack have the bits of a thousand layers by themselves, and are restored", function()
    local stack = rondo.Sequential { rondo.VanillaRNN { 2, 2, num_layers = 1000, recurrent_init = "orthogonal",
      input_init = "orthogonal" } }
    local list = {}
    for i = 1, 1000 do
      list[i] = rondo.VanillaRNN { 2, 2 }
    end
    local chain = rondo.Sequential(list)
    local a, b = stack:parameters(), chain:parameters()
    rondo.no_grad(function()
      for i, p in ipairs(a) do
        b[i]:copy(p)
      end
    end)
    local x = rondo.randn(2, 3, 2)
    local y, z = stack(x), chain(x)
    assert.is_true(y:norm() > 0)
    same(y, z)
    y:sum():backward()
    z:sum():backward()
    for i, p in ipairs(a) do
      same(p.grad, b[i].grad)
    end
    trainer { model = stack, loss = rondo.MSELoss(), optimizer = rondo.optim.Adam {}, max_steps = 1,
      run_dir = folder .. "/deep" }:fit { { x, rondo.ones(2, 3, 2) } }
    local opened = assert(rondo.load(folder .. "/deep"))
    same(opened.model(x), stack:eval()(x))
  end)
  it("may each be inside of another, and are shown", function()
    local model = rondo.Linear { 1, 1 }
    for _ = 1, 1000 do
      model = rondo.Residual { model }
    end
    assert.matches("Parameters: 2$", tostring(model))
    assert.equal(2, #model:parameters())
    local y = model(rondo.zeros(1, 2, 1))
    assert.same({ 1, 2, 1 }, y:size())
  end)
  it("beyond what a checkpoint can name are refused before the training, not behind it", function()
    local model = rondo.Linear { 1, 1 }
    for _ = 1, 600 do
      model = rondo.Sequential { model }
    end
    assert.matches("Trainer: no checkpoint can hold this training: archive: a name has 1..1024 bytes, got 12%d%d; "
      .. "without run_dir it is not kept", failure(function()
        trainer { model = model, loss = rondo.MSELoss(), run_dir = folder .. "/nested" }:fit { {
          rondo.ones(1, 1), rondo.ones(1, 1) } }
      end))
    assert.is_nil(core.stat(folder .. "/nested/config.json"))
  end)
  it("are 4096 at most in one stack", function()
    assert.matches("GRU: option 'num_layers' must be 1..4096, got 4097", failure(rondo.GRU, { 1, 1,
      num_layers = 4097 }))
  end)
end)

describe("ten million ids", function()
  it("are all told apart, and a step of SGD touches those that it has read", function()
    local V = 10000000
    local model = rondo.Sequential { rondo.Embedding { V, 1, weight_init = "zero" } }
    local weight = model[1].weight
    local t = trainer { model = model, loss = rondo.MSELoss(), optimizer = rondo.optim.SGD { lr = 0.5 }, max_steps = 1 }
    t:fit { { rondo.tensor { { V, V - 1, 1, V } }, rondo.tensor { { { 4 }, { 8 }, { 12 }, { 4 } } } } }
    -- lr dL/dy = 0.5 * 2 (0 - target) / 4, and V is read twice
    assert.same({ 2, 2, 3, 0 }, { weight[{ V, 1 }], weight[{ V - 1, 1 }], weight[{ 1, 1 }], weight[{ V - 2, 1 }] })
    assert.equal(7, weight:sum():item())
    assert.matches("ids must be integers 0..10000000, got 10000001 at %(1, 1%)", failure(model,
      rondo.tensor { { V + 1 } }))
  end)
  it("are 2^24 at most, which a float tells apart", function()
    assert.matches("option 'num_embeddings' must be 1..16777216, got 16777217", failure(rondo.Embedding,
      { (1 << 24) + 1, 1 }))
  end)
end)

describe("a million steps", function()
  local T = 1000000
  local net, x
  setup(function()
    net = rondo.VanillaRNN { 1, 1, activation = "identity", bias = "none", return_state = true }
    rondo.no_grad(function()
      for _, p in ipairs(net:parameters()) do
        p:fill(1)
      end
    end)
    -- 1, -1, 1, ...: h goes 1, 0, 1, ..., exactly
    x = (rondo.zeros(1, T // 2, 2) + rondo.tensor { 1, -1 }):reshape(1, T, 1)
  end)
  teardown(function() net, x = nil, nil end) -- other specs measure memory
  it("have the states and the gradient of the formula", function()
    local y, state = net(x)
    assert.same({ 1, 0, 0 }, { y[{ 1, T - 1, 1 }], y[{ 1, T, 1 }], state[1]:item() })
    assert.equal(T / 2, y:sum():item())
    state[1]:sum():backward()
    local by_name = {}
    for name, p in net:named_parameters() do
      by_name[name] = p.grad:item()
    end
    -- dh(T)/dw is the sum of h before each step, dh(T)/du that of x
    assert.same({ ["layer1.a_h"] = T / 2 - 0.0, ["layer1.a_x"] = 0 }, by_name)
  end)
  it("may be one row beside one that ends a step earlier", function()
    local _, state = net(rondo.concat({ x, x }, 1), { lengths = { T - 1, T } })
    assert.same({ { 1 }, { 0 } }, state[1]:table())
  end)
end)

it("sizes whose product is more than memory can be are refused", function()
  for _, shape in ipairs { { 1 << 31, 1 << 31, 1 << 31 }, { 1 << 32, 1 << 32 }, { 1 << 62, 4 },
    { math.maxinteger, 2 } } do
    assert.matches("a tensor of this shape is larger than memory can be", failure(rondo.zeros, table.unpack(shape)))
  end
  assert.matches("out of memory: %d+%.%d MiB were asked for", failure(rondo.zeros, 1 << 44))
end)

-- ---- the command line --------------------------------------------------------------------------------------------

describe("rondo train", function()
  local SMALL = " --hidden-size 1 --batch-size 1 --seq-len 1 --num-layers 1 --ngrams 0 --sample-length 0 --quiet "
  setup(function()
    support.write(folder .. "/t.txt", support.sentences(20))
    support.write(folder .. "/none.txt", "")
  end)
  local function train(arguments)
    local _, err, code = support.rondo(folder, "train " .. arguments)
    return code, err
  end
  it("of one unit, one row, one step", function()
    local code, err = train("t.txt --max-steps 2 --run-dir run" .. SMALL)
    assert.equal(0, code, err)
  end)
  it("refuses what no recipe can do by a sentence, as the mistake of who has asked", function()
    local function refused(code, message, arguments)
      local got, err = train(arguments .. " --run-dir none --quiet")
      assert.equal("rondo: " .. message .. "\n", err)
      assert.equal(code, got)
    end
    refused(2, "vocabulary: its size must be at least 2, got 1", "t.txt --vocab-size 1")
    refused(2, "vocabulary: no symbol occurs min_count (100000) times", "t.txt --min-count 100000")
    refused(2, "Text.open: option 'vocab_size' must be 256..8388607, got 1", "t.txt --level bpe --vocab-size 1")
    refused(2, "windows: no window has room in rows 1..5: it needs 1 rows before its origin and 50 behind it",
      "s.csv --horizon 50")
    refused(3, "'none.txt' is empty", "t.txt --valid none.txt")
  end)
end)
