-- over_time_spec.lua - Pool, Repeat, TimeDistributed, ActivityRegularization, Residual, Highway, Embedding's options.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local same = support.same

local function near(want, got)
  assert.is_true(math.abs(want - got) <= 1e-5 * math.max(1, math.abs(want)), ("%s instead of %s"):format(got, want))
end

local function fails(text, f, ...)
  assert.matches(text, support.failure(f, ...), 1, true)
end

local function checked(f, parameters)
  assert.is_true(rondo.check.gradients(f, parameters).worst < 1e-2)
end

-- The model after it was saved and loaded.
local function reloaded(model)
  local path = os.tmpname()
  assert(rondo.save(path, { model = model }))
  local again = assert(rondo.load(path)).model
  os.remove(path)
  return again
end

describe("Pool", function()
  local x = rondo.rand(2, 4, 3)
  it("takes the last step, the mean or the maximum", function()
    same(x:select(2, 4), rondo.Pool { "last" }(x))
    same(x:mean(2), rondo.Pool { "mean" }(x))
    same(x:max(2), rondo.Pool { how = "max" }(x))
  end)
  it("is 0 for a sequence of length 0", function()
    for _, how in ipairs { "last", "mean", "max" } do
      same(rondo.zeros(3), rondo.Pool { how }(x, { lengths = { 0, 4 } }):select(1, 1))
    end
  end)
  it("leaves out id 0 in a model", function()
    local model = rondo.Sequential { rondo.Embedding { 9, 3 }, rondo.Pool { "mean" }, rondo.Linear { 2 } }
    same(model(rondo.tensor { { 4, 5 } }), model(rondo.tensor { { 0, 4, 0, 5 } }))
    assert.matches("Pool 'layer 2' +%(batch, 3%) +0\n", tostring(model))
  end)
  it("has gradients", function()
    local gru = rondo.GRU { 3, 3 }
    for _, how in ipairs { "last", "mean" } do
      local model = rondo.Sequential { gru, rondo.Pool { how } }
      checked(function() return model(x, { lengths = { 2, 4 } }):sum() end, gru:parameters())
    end
    local a, b = rondo.parameter(x:clone()), rondo.parameter(x:clone())
    rondo.Pool { "max" }(a):sum():backward()
    b:max(2):sum():backward()
    same(b.grad, a.grad)
  end)
  it("is saved with a model", function()
    local model = rondo.Sequential { rondo.Linear { 3, 3 }, rondo.Pool { "max" } }
    same(model(x), reloaded(model)(x))
  end)
  it("says what is wrong", function()
    fails("Pool: option 'how' is required", rondo.Pool, {})
    fails('Pool: option \'how\' must be one of "last", "mean", "max", got "sum"', rondo.Pool, { "sum" })
    fails("Pool: a reset parts the sequence that it makes one vector of", rondo.Pool { "max" }, x,
      { resets = { { 0, 1, 0, 0 }, { 0, 0, 0, 0 } } })
    fails("Pool 'p': expected input (batch, time, ...), got (3)", rondo.Pool { "max", name = "p" }, rondo.zeros(3))
  end)
  it("is no part of what is read on from chunk to chunk, but the last step is", function()
    local folder = support.folder()
    support.write(folder .. "/t.txt", ("ab"):rep(50))
    local text = rondo.data.Text.open(folder .. "/t.txt")
    local function model(how)
      local m = rondo.Sequential { rondo.OneHot { 2 }, rondo.GRU { 3 }, rondo.Pool { how }, rondo.Linear { 2 } }
      m.vocab = text.vocab
      return m
    end
    local trainer = rondo.Trainer { model = model "mean", loss = rondo.CrossEntropyLoss(),
      optimizer = rondo.optim.Adam {}, epochs = 1, quiet = true }
    fails("Pool 'layer 3' needs the whole sequence at once: a stateful source, which is read on", trainer.fit, trainer,
      text:sequences { stateful = true, batch_size = 2, seq_len = 5 })
    local m = model "max"
    fails("generate: Pool 'layer 3' needs the whole sequence at once, and a text is read piece by piece", m.generate, m,
      {})
    local piece = model "last":generate { prompt = "ab", length = 1, echo = false, seed = 1 }()
    assert.is_true(piece == "a" or piece == "b")
    support.remove(folder)
  end)
end)

describe("Repeat", function()
  it("makes n steps of a vector, and adds up their gradients", function()
    local x = rondo.parameter(rondo.rand(2, 3))
    local y = rondo.Repeat { 4 }(x)
    assert.same({ 2, 4, 3 }, y:size())
    for t = 1, 4 do
      same(x:detach(), y:select(2, t))
    end
    y:sum():backward()
    same(rondo.full({ 2, 3 }, 4), x.grad)
  end)
  it("is in the summary and in a checkpoint", function()
    local model = rondo.Sequential { rondo.Linear { 3, 2 }, rondo.Repeat { 5 }, rondo.GRU { 2 } }
    local x = rondo.rand(1, 3)
    same(model(x), reloaded(model)(x))
    assert.matches("Repeat 'layer 2' +%(batch, 5, 2%)", tostring(model))
  end)
  it("says what it expects", function()
    fails("Repeat: option 'n' is required", rondo.Repeat, {})
    fails("Repeat: expected input (batch, features), got (1, 2, 3)", rondo.Repeat { 2 }, rondo.zeros(1, 2, 3))
  end)
  it("is no language model", function()
    assert.is_truthy(rondo.Sequential { rondo.Repeat { 2 } }:reads_ahead())
  end)
end)

describe("TimeDistributed", function()
  it("of a layer of single steps is that layer", function()
    local linear, x = rondo.Linear { 3, 2 }, rondo.rand(2, 4, 3)
    same(linear(x), rondo.TimeDistributed { linear }(x))
    same(linear(x), rondo.TimeDistributed { linear }(x:contiguous()))
  end)
  it("reads a sequence in every step", function()
    local inner = rondo.GRU { 3, 2, return_sequences = false }
    local x = rondo.rand(2, 4, 5, 3)
    local y = rondo.TimeDistributed { inner }(x)
    assert.same({ 2, 4, 2 }, y:size())
    same(inner(x:select(2, 3)), y:select(2, 3))
    checked(function() return (rondo.TimeDistributed { inner }(x) * y:detach()):sum() end, inner:parameters())
  end)
  it("gives what its layer gives, of any rank", function()
    local x = rondo.rand(2, 4, 5, 3)
    same(x, rondo.TimeDistributed { rondo.Dropout { 0 } }(x))
    assert.same({ 2, 4, 5, 6 }, rondo.TimeDistributed { rondo.GRU { 3, 6 } }(x):size())
  end)
  it("reads letters in words: padding of both", function()
    local words = rondo.TimeDistributed { rondo.Sequential { rondo.Embedding { 9, 3 },
      rondo.GRU { 2, bidirectional = true, return_sequences = false } } }
    local model = rondo.Sequential { words, rondo.LSTM { 4, return_sequences = false }, rondo.Linear { 2 } }
    same(model(rondo.tensor { { { 1, 2 }, { 3, 0 } } }),
      model(rondo.tensor { { { 1, 2, 0 }, { 0, 0, 0 }, { 0, 3, 0 }, { 0, 0, 0 } } }))
    assert.is_nil(model:reads_ahead())
    same(model(rondo.ones(1, 2, 3)), model:predict(rondo.ones(2, 3))) -- one example
    assert.matches("TimeDistributed 'layer 1' +%(batch, time, 4%)", tostring(model))
    same(model(rondo.ones(1, 2, 3)), reloaded(model)(rondo.ones(1, 2, 3)))
  end)
  it("says what it expects", function()
    fails("TimeDistributed: expected a layer, as in TimeDistributed { LSTM { ... } }, got a number",
      rondo.TimeDistributed, { 3 })
    fails("TimeDistributed: expected input (batch, time, ...), got (3)", rondo.TimeDistributed { rondo.Linear { 2 } },
      rondo.zeros(3))
    local Odd = rondo.Module "Odd"
    function Odd.forward() return rondo.zeros(5, 2) end
    fails("TimeDistributed: its layer gave (5, 2) for 6 steps", rondo.TimeDistributed { Odd() }, rondo.zeros(2, 3, 1))
    assert.is_nil(rondo.TimeDistributed { Odd() }:describe())
  end)
end)

describe("ActivityRegularization", function()
  local function penalty(layer, x, how)
    layer(x, how)
    return layer:penalty()
  end
  it("adds the formula, and passes on what it reads", function()
    local x = rondo.parameter(rondo.randn(2, 5, 3))
    local layer = rondo.ActivityRegularization { ar = 2, tar = 3 }
    assert.is_true(rawequal(x, layer(x)))
    local change = x:slice(2, 2, 5) - x:slice(2, 1, 4)
    local want = (x * x):mean() * 2 + (change * change):mean() * 3
    local got = layer:penalty()
    near(want:item(), got:item())
    want:backward()
    local gradient = x.grad:clone()
    x:zero_grad()
    got:backward()
    assert.is_true(x.grad:allclose(gradient, { rtol = 1e-5, atol = 1e-6 }))
  end)
  it("counts valid steps, each beside the one before it that counts", function()
    local x = rondo.tensor { { { 1 }, { 100 }, { 3 }, { 4 } }, { { 2 }, { 0 / 0 }, { 0 / 0 }, { 0 / 0 } } }
    local how = { mask = { { 1, 0, 1, 1 }, { 1, 0, 0, 0 } } }
    near((1 + 9 + 16 + 4) / 4, penalty(rondo.ActivityRegularization { ar = 1 }, x, how):item())
    near(((3 - 1) ^ 2 + (4 - 3) ^ 2) / 2, penalty(rondo.ActivityRegularization { tar = 1 }, x, how):item())
    near(0, penalty(rondo.ActivityRegularization { tar = 1 }, x, { lengths = { 0, 0 } }):item())
  end)
  it("has nothing to add in evaluation, without recording or with nothing to do", function()
    local layer, x = rondo.ActivityRegularization { ar = 1 }, rondo.ones(1, 2, 3)
    assert.equal(0, penalty(layer:eval(), x))
    assert.equal(0, rondo.no_grad(penalty, layer:train(), x))
    assert.equal(0, penalty(rondo.ActivityRegularization {}, x))
    assert.equal(0, penalty(rondo.ActivityRegularization { tar = 1 }, rondo.ones(1, 1, 3)))
    assert.is_truthy(penalty(layer, x):item())
    assert.equal(0, layer:penalty()) -- given once
  end)
  local function model()
    return rondo.Sequential { rondo.LSTM { 2, 3, seed = 1 }, rondo.ActivityRegularization { tar = 0.5 },
      rondo.Dropout { 0 }, rondo.ActivityRegularization { ar = 0.25 }, rondo.Linear { 2, seed = 2 } }
  end
  it("trains in a Trainer as in a loop by hand, and what is reported is the loss", function()
    local x, y = rondo.rand(4, 6, 2), rondo.rand(4, 6, 2)
    local loss, reported = rondo.MSELoss(), nil
    local one, other = model(), model()
    local sgd = rondo.optim.SGD(one:parameters(), { lr = 0.5 })
    local whole = loss(one(x), y)
    local plain = whole:item();
    (whole + one:penalty()):backward()
    sgd:step()
    local trainer = rondo.Trainer { model = other, loss = loss, optimizer = rondo.optim.SGD { lr = 0.5 }, max_steps = 1,
      quiet = true }
    trainer:on("step_end", function(_, facts) reported = facts.loss end)
    trainer:fit { { x, y } }
    near(plain, reported)
    for i, p in ipairs(one:parameters()) do
      same(p, other:parameters()[i])
    end
  end)
  it("compares no steps across a reset", function()
    local x = rondo.tensor { { { 1 }, { 3 }, { 10 }, { 14 } } }
    local layer = rondo.ActivityRegularization { tar = 1 }
    near((4 + 16) / 2, penalty(layer, x, { resets = { { 0, 0, 1, 0 } } }):item())
    near(16, penalty(layer, x, { mask = { { 0, 1, 1, 1 } }, resets = { { 0, 0, 1, 0 } } }):item())
  end)
  it("is saved with a model, and says what it expects", function()
    local again = reloaded(model())
    assert.same({ 0.0, 0.5 }, { again[2].options.ar, again[2].options.tar })
    fails("ActivityRegularization: expected input (batch, time, features), got (2, 3)",
      rondo.ActivityRegularization { ar = 1 }, rondo.ones(2, 3))
    fails("ActivityRegularization 'a': expected a mask (1, 2) or lengths (1), got (3)",
      rondo.ActivityRegularization { ar = 1, name = "a" }, rondo.ones(1, 2, 3), { lengths = { 1, 1, 1 } })
  end)
end)

describe("Residual and Highway", function()
  local x = rondo.rand(2, 4, 3)
  it("are their formulas", function()
    local f = rondo.GRU { 3, 3 }
    same(x + f(x), rondo.Residual { f }(x))
    local highway = rondo.Highway { f }
    local g = rondo.linear(x, highway.gate_weight, highway.gate_bias):sigmoid()
    assert.is_true(highway(x):allclose(g * f(x) + (1 - g) * x, { rtol = 1e-5, atol = 1e-6 }))
    same(rondo.full({ 3 }, -1), highway.gate_bias)
    same(rondo.full({ 3 }, -3), rondo.Highway { f, gate_bias = -3 }.gate_bias)
  end)
  it("have gradients", function()
    local model = rondo.Sequential { rondo.Residual { rondo.Linear { 3, 3 } }, rondo.Highway { rondo.Linear { 3 } } }
    checked(function() return (model(x) * x):sum() end, model:parameters())
  end)
  it("carry state: two halves are the whole, step by step too", function()
    local model = rondo.Sequential { rondo.Residual { rondo.LSTM { 3, 3 } },
      rondo.Highway { rondo.Residual { rondo.GRU { 3 } }, rondo.Linear { 3 } }, rondo.Linear { 2 } }
    local whole, states, parts = model(x), nil, {}
    for t = 1, 4 do
      parts[t], states = model:advance(x:slice(2, t, t), states)
    end
    same(whole, rondo.concat(parts, 2))
    rondo.Sequential.release_states(states)
  end)
  it("give 0 in steps that do not count", function()
    local holes = rondo.tensor { { { 1, 2, 3 }, { 0 / 0, 0 / 0, 0 / 0 }, { 4, 5, 6 } } }
    for _, class in ipairs { rondo.Residual, rondo.Highway } do
      local y = rondo.Sequential { class { rondo.GRU { 3, 3 } } }(holes, { mask = { { 1, 0, 1 } } })
      same(rondo.zeros(1, 3), y:select(2, 2))
      assert.is_true(y:is_finite())
    end
  end)
  it("leave a mask to what follows", function()
    local model = rondo.Sequential { rondo.Embedding { 9, 3 }, rondo.Residual { rondo.GRU { 3 } },
      rondo.Pool { "last" } }
    same(model(rondo.tensor { { 4, 5 } }), model(rondo.tensor { { 4, 5, 0 } }))
  end)
  it("are saved with a model, infer sizes and name parameters by layer", function()
    local model = rondo.Sequential { rondo.Linear { 3, 5 }, rondo.Residual { rondo.LSTM { 5 }, name = "r" },
      rondo.Highway { rondo.Linear { 5 }, gate_bias = -2 } }
    same(model(x), reloaded(model)(x))
    local names = {}
    for name in model:named_parameters() do
      names[name] = true
    end
    assert.is_true(names["2.1.layer1.i_x"] and names["3.1.weight"] and names["3.gate_weight"])
    assert.matches("Residual 'r' +%(batch, time, 5%)", tostring(model))
    assert.matches("    LSTM 'layer 1' +%(batch, time, 5%)", tostring(model))
    assert.equal(2, #rondo.Highway { rondo.Linear { 3, 3 }, rondo.Dropout { 0 } })
  end)
  it("wait for the first call where no size is given", function()
    local model = rondo.Highway { rondo.GRU { 3 } }
    fails("its input size is not known yet", model.parameters, model)
    model(x)
    assert.equal(3 * 3 * 7 + 3 * 4, model:parameter_count())
    local Own = rondo.Module "Own"
    function Own.forward(_, v) return v end
    local mixed = rondo.Sequential { Own(), rondo.Highway { Own() }, rondo.Linear { 2 } }
    assert.same({ 2, 4, 2 }, mixed(x):size())
    assert.is_nil(rondo.Residual { Own() }:describe())
  end)
  it("want the width that they are given", function()
    fails("Residual: adds what its layers give to what they read; they give 4 features of 3", rondo.Residual,
      { rondo.Linear { 3, 4 } })
    fails("Highway 'layer 2': adds what its layers give to what they read; they give 4 features of 5", rondo.Sequential,
      { rondo.Linear { 3, 5 }, rondo.Highway { rondo.Linear { 4 } } })
    fails("Residual: adds what its layers give to what they read; they give (2, 3) of (2, 4, 3)",
      rondo.Residual { rondo.GRU { 3, 3, return_sequences = false } }, x)
    fails("Residual: expected a list of layers, as in Residual { LSTM { ... } }", rondo.Residual, {})
    fails("Highway: layer 1 is a number, expected a layer", rondo.Highway, { 3 })
    fails("Highway: unknown option 'gate_bais' (did you mean 'gate_bias'?)", rondo.Highway,
      { rondo.Linear { 3 }, gate_bais = 1 })
    fails("the file describes a Residual without layers", rondo.Residual.from_description, { layers = {} })
  end)
end)

describe("Embedding", function()
  local matrix = { { 1, 2 }, { 3, 4 }, { 5, 6 } }
  it("takes a matrix, which it copies", function()
    local given = rondo.tensor(matrix)
    local a, b = rondo.Embedding { weights = given }, rondo.Embedding { 3, 2, weights = matrix }
    given:fill(0)
    for _, layer in ipairs { a, b } do
      same(rondo.tensor { { { 5, 6 }, { 0, 0 }, { 1, 2 } } }, layer(rondo.tensor { { 3, 0, 1 } }))
      assert.is_true(layer.weight.requires_grad)
    end
    assert.matches("Embedding 'layer 1' +%(batch, time, 2%) +6\n", tostring(rondo.Sequential { a }))
  end)
  it("frozen is a parameter that is saved and not trained", function()
    local model = rondo.Sequential { rondo.Embedding { weights = matrix, frozen = true }, rondo.Linear { 1 } }
    assert.equal(3, #model:parameters())
    local opt = rondo.optim.SGD(model:parameters(), { lr = 1 })
    local ids = rondo.tensor { { 1, 2 } }
    local before = model(ids)
    before:sum():backward()
    opt:step()
    same(rondo.tensor(matrix), model[1].weight)
    assert.is_false(model(ids):allclose(before, { rtol = 0, atol = 1e-6 }))
    local again = reloaded(model)
    same(rondo.tensor(matrix), again[1].weight)
    assert.is_false(again[1].weight.requires_grad)
    model:unfreeze()
    model(ids):sum():backward()
    assert.is_truthy(model[1].weight.grad)
  end)
  it("drops whole ids for an update, with the rest scaled up", function()
    local layer = rondo.Embedding { 200, 2, dropout = 0.25, seed = 3 }
    local ids = {}
    for id = 1, 200 do
      ids[id] = id
    end
    ids = rondo.tensor { ids, ids }
    local plain, dropped = layer:eval()(ids), layer:train()(ids)
    same(dropped:select(1, 1), dropped:select(1, 2))
    same(dropped, layer(ids)) -- the mask of this update
    local zeros, rows, full = 0, dropped:select(1, 1):table(), plain:select(1, 1):table()
    for id, row in ipairs(rows) do
      if row[1] == 0 and row[2] == 0 then
        zeros = zeros + 1
      else
        near(full[id][1] / 0.75, row[1])
        near(full[id][2] / 0.75, row[2])
      end
    end
    assert.is_true(zeros > 25 and zeros < 80)
    layer(ids):sum():backward()
    for id, row in ipairs(layer.weight.grad:table()) do
      near(rows[id][1] == 0 and 0 or 2 / 0.75, row[1])
    end
    require("rondo.random").count_update()
    assert.is_false(dropped:allclose(layer(ids)))
  end)
  it("says what is wrong with a matrix", function()
    fails("Embedding: option 'num_embeddings' is required", rondo.Embedding, {})
    fails("Embedding: option 'embedding_dim' is required", rondo.Embedding, { 3 })
    fails("Embedding: option 'weights' must be a tensor or a table of rows, got a number", rondo.Embedding,
      { weights = 3 })
    fails("Embedding: option 'weights' must be (num_embeddings, embedding_dim), got (2)", rondo.Embedding,
      { weights = { 1, 2 } })
    fails("Embedding: num_embeddings is 4, but weights are (3, 2)", rondo.Embedding, { 4, weights = matrix })
    fails("Embedding: embedding_dim is 3, but weights are (3, 2)", rondo.Embedding, { 3, 3, weights = matrix })
    fails("Embedding: weights are the matrix; leave out weight_init", rondo.Embedding,
      { weights = matrix, weight_init = "zero" })
    fails("Embedding: option 'weights' holds numbers that are not finite", rondo.Embedding,
      { weights = { { 1, 0 / 0 } } })
  end)
end)
