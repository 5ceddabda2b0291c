-- messages_spec.lua - what the library says to mistakes that no other spec makes.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local core = require "rondo.core"
local support = dofile "tests/lua/support.lua"

local folder, text
setup(function()
  folder = support.folder()
  text = assert(rondo.data.Text.open(support.write(folder .. "/t.txt", support.sentences(60))))
end)
teardown(function() support.remove(folder) end)

local function says(pattern, f, ...)
  assert.matches(pattern, tostring(support.failure(f, ...)))
end

local function trainer_of(given)
  local o = { model = rondo.Sequential { rondo.Linear { 1, 1 } }, loss = rondo.MSELoss(),
    optimizer = rondo.optim.SGD { lr = 0.1 }, quiet = true, epochs = 1 }
  for key, value in pairs(given or {}) do
    o[key] = value
  end
  return rondo.Trainer(o)
end

local PAIRS = { { rondo.ones(2, 1), rondo.ones(2, 1) } }

describe("names", function()
  it("that are not there are mistakes, and the nearest one helps", function()
    says("rondo has no 'lstm' %(did you mean 'LSTM'%?%)", function() return rondo.lstm {} end)
    says("rondo has no 'abacus'$", function() return rondo.abacus end)
    says("rondo.optim has no 'Adan' %(did you mean 'Adam'%?%)", function() return rondo.optim.Adan {} end)
    says("rondo.callbacks has no 'Samples' %(did you mean 'Sample'%?%)", function() return rondo.callbacks.Samples end)
    says("rondo.data has no 'text' %(did you mean 'Text'%?%)", function() return rondo.data.text end)
    assert.is_nil(rondo._NAME)
  end)
end)

describe("tables of options", function()
  it("are checked as a whole", function()
    says("Linear: expected a table of options, got 3", rondo.Linear, 3)
    says("Embedding: takes at most 2 positional argument%(s%), got number 3", rondo.Embedding, { 1, 2, 3 })
    says("Linear: option 'out_features' is given twice", rondo.Linear, { 3, out_features = 3 })
    says("Dropout: option 'p' must be a number 0..0.99999, got \"half\"", rondo.Dropout, { "half" })
    says("Linear: option 'bias' must be true or false, got 1", rondo.Linear, { 3, bias = 1 })
    says("LayerNorm: unknown option 'zeal'; options are eps, features, name", rondo.LayerNorm, { zeal = 1 })
    says("args: expected a table of options with their defaults", require("rondo.args").args, "x")
  end)
end)

describe("layers", function()
  it("that do not fit say which sizes", function()
    local chain = function(...) return rondo.Sequential { rondo.Linear { 2, 3 }, ... } end
    says("Linear 'layer 2': in_features is 4, but its input has 3 features", chain, rondo.Linear { 4, 1 })
    says("LSTM 'layer 2': input_size is 4, but its input has 3 features", chain, rondo.LSTM { 4, 1 })
    says("LayerNorm 'layer 2': features is 4, but its input has 3", chain, rondo.LayerNorm { 4 })
    says("Linear: expected input %(..., 2%), got %(5, 3%)", rondo.Linear { 2, 1 }, rondo.ones(5, 3))
    says("LSTM: expected 2 state tensors, got 1", rondo.LSTM { 2, 3 }, rondo.ones(1, 1, 2), { rondo.zeros(1, 3) })
    says("LSTM: its cell is 'lstm'; use RNN", rondo.LSTM, { 3, cell = "gru" })
    says("RNN: option 'cell' is required; cells are", rondo.RNN, { 3 })
  end)
  it("are what a Sequential takes", function()
    says("Sequential: expected a list of layers", rondo.Sequential, {})
    says("Sequential: layer 2 is a number, expected a layer", rondo.Sequential, { rondo.Linear { 1 }, 7 })
    says("Sequential: unknown option 'name'; it takes a list of layers", rondo.Sequential,
      { rondo.Linear { 1 }, name = "x" })
    says("Module: expected a name", rondo.Module, 3)
    says("Net has no forward%(%): define function Net:forward%(x%)", rondo.Module "Net"(), rondo.ones(1))
  end)
end)

describe("functions", function()
  it("check what they are given", function()
    says("manual_seed: expected an integer 0..4294967295, got %-1", rondo.manual_seed, -1)
    says("random: expected integers low <= high, got 3, 1", rondo.random, 3, 1)
    says("rand: sizes must be integers, got 2.5", rondo.rand, 2.5)
    says("no_grad: expected a function, got a number", rondo.no_grad, 3)
    says("clip_grad_norm: expected a list of parameters", rondo.clip_grad_norm, 3, 1)
    says("ngram: the order must be an integer 1..8, got 9", rondo.data.ngram.nats, text, text, 9)
    says("ngram: expected two texts %(data.Text.open%), got a nil and a table", rondo.data.ngram.nats, nil, text)
    says("ngram: expected two texts", rondo.data.ngram.nats, text, { vocab = 1 })
    says("save: expected a path, got a nil", rondo.save, nil, { model = rondo.Linear { 1, 1 } })
    says("save: model must be a module, got a number", rondo.save, "x.h5", { model = 3 })
    says("load: expected a path, got a nil", rondo.load)
    says("plugins.load: expected a path, got a number", rondo.plugins.load, 3)
    says("StepLR has no optimizer yet", function() rondo.optim.StepLR { step_size = 2 }:step() end)
    local report, message, code = rondo.plugins.load(folder .. "/t.txt")
    assert.is_nil(report)
    assert.matches("t.txt", message)
    assert.equal(2, code)
  end)
end)

describe("texts", function()
  it("check what they are given", function()
    says("Text.open: expected a path, got a nil", rondo.data.Text.open)
    says("split: expected a fraction between 0 and 1, got 1.5", text.split, text, 1.5)
    says("sequences: carry_over needs stateful = true", text.sequences, text, { carry_over = true })
    local _, one = text:split(1 - 0.5 / #text)
    says("the validation part has 1 symbol%(s%), and a sequence needs at least 2", one.sequences, one, {})
  end)
  it("are generated by models with a vocabulary and a state", function()
    says("generate: Sequential has no vocabulary", function()
      rondo.Sequential { rondo.Linear { 1, 1 } }:generate {}
    end)
    local Net = rondo.Module "Net"
    local net = Net()
    net.vocab = text.vocab
    says("generate: Net carries no state", function() net:generate {} end)
  end)
end)

describe("the Trainer", function()
  it("checks its parts", function()
    says("Trainer: model must be a module, got a number", trainer_of, { model = 3 })
    says("Trainer: optimizer must be made by rondo.optim, got a table", trainer_of, { optimizer = {} })
    says("Trainer: schedule must be made by rondo.optim, got a number", trainer_of, { schedule = 3 })
    says("Trainer: unknown option 'modle'", rondo.Trainer, { modle = 3 })
    says("fit: expected a source of batches .*, got an empty table", trainer_of().fit, trainer_of(), {})
    says("%-%-overwrite needs a run folder", trainer_of().fit, trainer_of { overwrite = true }, PAIRS)
  end)
  it("has one run folder for itself", function()
    local lock = (function()
      trainer_of({ run_dir = folder .. "/locked" }):fit(PAIRS)
      return assert(core.lock(folder .. "/locked/.lock"))
    end)()
    local again = trainer_of { run_dir = folder .. "/locked", resume = true, epochs = 2 }
    says("locked: another process is training here", again.fit, again, PAIRS)
    lock:close()
    again:fit(PAIRS)
    assert.equal(2, again.step)
  end)
  it("does not take a lock that cannot be made for another process", function()
    local run = folder .. "/unlockable"
    core.mkdir(run)
    core.mkdir(run .. "/.lock")
    local trainer = trainer_of { run_dir = run }
    local failure = support.failure(trainer.fit, trainer, PAIRS)
    assert.equal(3, failure.code)
    assert.matches("unlockable/.lock: Is a directory", failure.message)
  end)
  it("starts anew, with a notice, where there is nothing to resume", function()
    local said = {}
    local trainer = trainer_of { run_dir = folder .. "/none", resume = true }
    trainer.view.say = function(_, line) said[#said + 1] = line end
    trainer:fit(PAIRS)
    assert.matches("note: .*none: no checkpoint to go on from; starting anew", table.concat(said, "\n"))
  end)
  it("does not start anew over checkpoints that are all damaged", function()
    local run = folder .. "/broken"
    trainer_of({ run_dir = run }):fit(PAIRS)
    support.write(run .. "/checkpoints/step-000000000001.h5", "no")
    local trainer = trainer_of { run_dir = run, resume = true, epochs = 2 }
    trainer.view.say = function() end
    says("broken: none of its checkpoints can be read", trainer.fit, trainer, PAIRS)
  end)
  it("goes on with another optimizer's rate, not with another optimizer", function()
    local run, said = folder .. "/rate", {}
    trainer_of({ run_dir = run, optimizer = rondo.optim.Adam { lr = 0.1 } }):fit(PAIRS)
    local trainer = trainer_of { run_dir = run, resume = true, epochs = 2, optimizer = rondo.optim.Adam { lr = 0.2 } }
    trainer.view.say = function(_, line) said[#said + 1] = line end
    trainer:fit(PAIRS)
    assert.matches("going on with other settings: optimizer.lr is 0.1 there and 0.2 here", table.concat(said, "\n"))
    assert.equal(0.2, trainer.optimizer.lr)
    trainer = trainer_of { run_dir = run, resume = true, epochs = 3,
      optimizer = rondo.optim.SGD { lr = 0.2, momentum = 0.9 } }
    trainer.view.say = function() end
    says("holds no optimizer state 'momentum/1.weight'", trainer.fit, trainer, PAIRS)
  end)
  it("cannot go on from weights alone", function()
    local run = folder .. "/weights"
    trainer_of({ run_dir = run }):fit(PAIRS)
    assert(rondo.save(run .. "/checkpoints/step-000000000009.h5", { model = trainer_of().model }))
    local trainer = trainer_of { run_dir = run, resume = true }
    says("holds weights but no training to go on with; use %-%-init%-from", trainer.fit, trainer, PAIRS)
  end)
end)

describe("checkpoints of another model", function()
  it("are refused by the parameter's name", function()
    local path = folder .. "/small.h5"
    assert(rondo.save(path, { model = rondo.Sequential { rondo.Linear { 1, 1 } } }))
    local ckpt = assert(rondo.load(path))
    local larger = rondo.Sequential { rondo.Linear { 1, 1 }, rondo.Linear { 1 } }
    assert.matches("is of another model: it has no parameter '2.weight'", select(2, ckpt:load_into(larger)))
    local barer = rondo.Sequential { rondo.Linear { 1, 1, bias = false } }
    assert.matches("is of another model: its parameter '1.bias' is not in this one", select(2, ckpt:load_into(barer)))
  end)
  it("with a description that cannot be built say why", function()
    local archive = core.archive()
    archive:put("format", "rondo-checkpoint 1")
    archive:put("config", '{"model":{"kind":"LSTM","hidden_size":"big"}}')
    assert(archive:save(folder .. "/big.h5"))
    says("its model cannot be built: LSTM: option 'hidden_size' must be an integer", function()
      return assert(rondo.load(folder .. "/big.h5")).model
    end)
    archive = core.archive()
    archive:put("format", "rondo-checkpoint 1")
    archive:put("config", "{")
    assert(archive:save(folder .. "/half.h5"))
    assert.matches("its description is unreadable", select(2, rondo.load(folder .. "/half.h5")))
  end)
end)

describe("callbacks", function()
  it("are told of each event", function()
    local seen = {}
    local watch = setmetatable({}, { __index = function(_, event)
      return event:find "^on_" and function(_, _, facts) seen[#seen + 1] = event .. facts.step end or nil
    end })
    trainer_of({ callbacks = { watch } }):fit(PAIRS, PAIRS)
    assert.same({ "on_fit_begin0", "on_epoch_begin0", "on_step_begin1", "on_gradients1", "on_step_end1",
      "on_evaluate_begin1", "on_evaluate_end1", "on_epoch_end1", "on_fit_end1" }, seen)
  end)
  it("choose what is best and how many stay", function()
    local sizes = { seq_len = 8, batch_size = 4, stateful = true }
    local n = #text.vocab
    local model = rondo.Sequential { rondo.OneHot { n }, rondo.VanillaRNN { 4 }, rondo.Linear { n } }
    local said = {}
    local trainer = rondo.Trainer { model = model, vocab = text.vocab, loss = rondo.CrossEntropyLoss(), epochs = 3,
      optimizer = rondo.optim.Adam { lr = 1e-2 }, metrics = { "accuracy" }, progress = "none",
      run_dir = folder .. "/chosen",
      callbacks = { rondo.callbacks.Checkpoint { monitor = "val_accuracy", mode = "max", keep = 1 },
        rondo.callbacks.Sample { prompt = "the", length = 9 } } }
    trainer.view.say = function(_, line) said[#said + 1] = line end
    trainer:fit(text:sequences(sizes), text:sequences(sizes))
    assert.is_true(trainer.best.value > 0 and trainer.best.value < 1)
    assert.equal(1, #require("rondo.run_folder").steps_of(folder .. "/chosen"))
    assert.matches("sample after epoch 3:\nthe.........\n", table.concat(said, "\n"))
    assert.equal(3, select(2, support.read(folder .. "/chosen/metrics.jsonl"):gsub('"split":"sample","text":"the', "")))
  end)
end)
