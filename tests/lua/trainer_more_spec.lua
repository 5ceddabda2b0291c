-- trainer_more_spec.lua - averages, accumulation, plateaus, hooks, logs and frozen parts in a training.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local json = require "rondo.json"
local support = dofile "tests/lua/support.lua"

local folder, text
setup(function()
  folder = support.folder()
  text = assert(rondo.data.Text.open(support.write(folder .. "/t.txt", support.sentences(60))))
end)
teardown(function() support.remove(folder) end)

local function trainer_of(run, given)
  rondo.manual_seed(4)
  local o = { quiet = true, run_dir = run and folder .. "/" .. run, epochs = 3, log_every = 3, vocab = text.vocab,
    loss = rondo.CrossEntropyLoss { label_smoothing = 0.1 }, optimizer = rondo.optim.Adam { lr = 0.01, amsgrad = true },
    model = rondo.Sequential { rondo.Embedding { #text.vocab, 5 }, rondo.GRU { 6 }, rondo.Dropout { 0.1 },
      rondo.Linear { #text.vocab } } }
  for key, value in pairs(given or {}) do
    o[key] = value
  end
  return rondo.Trainer(o)
end

local function sources()
  local train, valid = text:split(0.8)
  return train:sequences { seq_len = 8, batch_size = 10, stateful = true },
    valid:sequences { seq_len = 8, batch_size = 4, stateful = true }
end

local function fit(trainer)
  return trainer:fit(sources())
end

local function last_file(run)
  local steps = require("rondo.run_folder").steps_of(folder .. "/" .. run)
  return ("%s/%s/checkpoints/step-%012d.h5"):format(folder, run, steps[#steps])
end

-- A run of three parts ends with the bytes of a whole one.
local function resumes(name, given)
  local function run(folder_name, more)
    local o = given()
    for key, value in pairs(more) do
      o[key] = value
    end
    return fit(trainer_of(folder_name, o))
  end
  local whole = run(name .. "_whole", {})
  run(name .. "_parts", { max_steps = whole.step // 3 })
  run(name .. "_parts", { max_steps = whole.step // 3 * 2, resume = true })
  local parts = run(name .. "_parts", { resume = true })
  assert.equal(support.read(last_file(name .. "_whole")), support.read(last_file(name .. "_parts")))
  assert.equal(support.read(folder .. "/" .. name .. "_whole/checkpoints/best.h5"),
    support.read(folder .. "/" .. name .. "_parts/checkpoints/best.h5"))
  return whole, parts
end

local function weights(model)
  local list = {}
  for _, p in ipairs(model:parameters()) do
    list[#list + 1] = p:table()
  end
  return list
end

describe("averaged weights", function()
  it("of an exponential mean go on exactly", function()
    local whole = resumes("ema", function() return { ema = 0.9 } end)
    assert.equal(whole.step, whole.average.count)
  end)
  it("of NT-ASGD, groups, a cycle and a plateau go on exactly", function()
    local whole = resumes("asgd", function()
      return { optimizer = rondo.optim.ASGD { lr = 30, nonmono = 1, momentum = 0.9, weight_decay = 1e-3,
          groups = { { match = { "bias", "_b" }, weight_decay = 0 } } },
        eval_every = 2, epochs = 4, schedule = rondo.optim.OneCycleLR { total_steps = 40 },
        callbacks = { rondo.callbacks.ReduceLROnPlateau { patience = 1, factor = 0.9, min_delta = 0.5 } } }
    end)
    assert.is_true(whole.average.count > 0, "the trigger was not met: the test shows nothing")
    assert.is_true(whole.schedule.scale < 1)
  end)
  it("are what evaluation, the best checkpoint and the model afterwards have", function()
    local trainer = fit(trainer_of("shown", { ema = 0.9, epochs = 1 }))
    local _, valid = sources()
    local shown = weights(trainer.model)
    local loss = trainer:evaluate(valid).loss
    assert.equal(trainer.history.valid.loss[1], loss)
    local best = assert(rondo.load(folder .. "/shown/checkpoints/best.h5"))
    assert.same(shown, weights(best.model))
    assert.same(shown, weights(assert(rondo.load(last_file "shown")).model))
    local trained = trainer_of(nil).model
    assert(assert(rondo.load(last_file "shown")):load_into(trained, rondo.optim.Adam(trained, { amsgrad = true })))
    trainer.average:hide()
    assert.same(weights(trained), weights(trainer.model))
    assert.not_same(shown, weights(trainer.model))
  end)
  it("go on where a second fit goes on", function()
    local once, twice = trainer_of(nil, { ema = 0.9, epochs = 2 }), trainer_of(nil, { ema = 0.9, epochs = 1 })
    fit(once)
    twice = fit(twice)
    twice.epochs = 2
    rondo.manual_seed(4)
    fit(twice)
    assert.same(weights(once.model), weights(twice.model))
  end)
  it("of an optimizer bound by hand have the model's names", function()
    local model = rondo.Sequential { rondo.Linear { 1, 1 }, rondo.Linear { 1, 1 } }
    local data = { { rondo.ones(1, 1), rondo.ones(1, 1) } }
    local function trainer(parameters)
      return rondo.Trainer { model = model, loss = rondo.MSELoss(), epochs = 1, quiet = true,
        optimizer = rondo.optim.ASGD(parameters, { lr = 0.1, average_from = 1 }) }:fit(data)
    end
    assert.same({ "2.weight", "2.bias" }, trainer(model[2]:parameters()).average.names)
    assert.matches("parameter 1 of the optimizer is not the model's",
      support.failure(trainer, { rondo.parameter(rondo.ones(1)) }))
  end)
  it("that are not whole in a file are refused", function()
    local average = require("rondo.average").new({ rondo.parameter(rondo.ones(1)) }, { "w" }, 0.9)
    local archive = require("rondo.core").archive()
    archive:put("average/count", "many")
    assert.equal("f: its count of averaged weights is no count", select(2, average:restore(archive, "f")))
    archive = require("rondo.core").archive()
    archive:put("average/count", 3)
    local ok, message = average:restore(archive, "f")
    assert.is_nil(ok)
    assert.equal("f: it has averaged weights, but none for 'w'", message)
    archive:put("average/weights/w", rondo.ones(2))
    assert.is_nil((average:restore(archive, "f")))
  end)
  it("of both kinds at once are refused", function()
    assert.matches("ema and optim.ASGD are two averages", support.failure(trainer_of, nil,
      { ema = 0.9, optimizer = rondo.optim.ASGD {} }))
  end)
end)

describe("gradient accumulation", function()
  it("goes on exactly, also where an epoch ends between two updates", function()
    local whole = resumes("accumulated", function() return { accumulate = 4, epochs = 5 } end)
    local source = sources()
    assert.is_true(#source % 4 > 0, "the test wants batches left over")
    assert.equal(5 * (#source // 4 + 1), whole.step)
  end)
  it("is the mean of the batches", function()
    local function trained(batches, accumulate)
      rondo.manual_seed(1)
      local model = rondo.Sequential { rondo.Linear { 2, 1 } }
      rondo.Trainer { model = model, loss = rondo.MSELoss(), optimizer = rondo.optim.SGD { lr = 0.1 }, epochs = 1,
        accumulate = accumulate, quiet = true }:fit(batches)
      return weights(model)
    end
    local a, b = rondo.tensor { { 1, 2 } }, rondo.tensor { { 3, -1 } }
    local apart = trained({ { a, rondo.ones(1, 1) }, { b, rondo.ones(1, 1) } }, 2)
    local joined = trained({ { rondo.concat({ a, b }, 1), rondo.ones(2, 1) } }, 1)
    for i = 1, 2 do
      assert.is_true(rondo.tensor(apart[i]):allclose(rondo.tensor(joined[i])))
    end
  end)
end)

it("accumulation has the bits of a loop that plays the batches one after the other", function()
  local function start()
    rondo.manual_seed(1)
    local model = rondo.Sequential { rondo.Linear { 3, 2 }, rondo.Linear { 2, 1 } }
    local data = {}
    for i = 1, 3 do
      data[i] = { rondo.randn(4, 3), rondo.randn(4, 1) }
    end
    return model, data
  end
  local model, data = start()
  rondo.Trainer { model = model, loss = rondo.MSELoss(), optimizer = rondo.optim.Adam { lr = 0.1 }, epochs = 1,
    accumulate = 3, quiet = true }:fit(data)
  local by_trainer = weights(model)
  model, data = start()
  local opt = rondo.optim.Adam(model, { lr = 0.1 })
  for i = 1, 3 do
    rondo.MSELoss()(model(data[i][1]), data[i][2]):backward(1 / 3)
  end
  opt:step()
  assert.same(weights(model), by_trainer)
end)

describe("a list of batches", function()
  it("may weigh what counts", function()
    local model = rondo.Sequential { rondo.Linear { 1, 1 } }
    local trainer = rondo.Trainer { model = model, loss = rondo.MSELoss(), optimizer = rondo.optim.SGD { lr = 0 },
      epochs = 1, quiet = true }
    rondo.no_grad(function() for _, p in ipairs(model:parameters()) do p:fill(0) end end)
    local data = { { rondo.ones(2, 1), rondo.tensor { { 3 }, { 100 } }, rondo.tensor { { 1 }, { 0 } } } }
    assert.equal(9, trainer:fit(data):evaluate(data).loss)
  end)
end)

it("a function may be the loss: it returns the loss, its sum and the count of what counted", function()
  local mse = rondo.MSELoss()
  local function by_row(output, target)
    local loss, sum, n = mse(output, target)
    return loss, sum, n / 2
  end
  local trainer = rondo.Trainer { model = rondo.Sequential { rondo.Linear { 1, 2 } }, loss = by_row, epochs = 1,
    optimizer = rondo.optim.SGD { lr = 0 }, quiet = true }
  local data = { { rondo.zeros(3, 1), rondo.ones(3, 2) } }
  assert.equal(2, trainer:fit(data):evaluate(data).loss)
end)

describe("ReduceLROnPlateau", function()
  local function rates(options, losses)
    local plateau = rondo.callbacks.ReduceLROnPlateau(options)
    local trainer = { optimizer = { lr = 1.0 }, say = function() end, step = 0 }
    local list = {}
    for i, loss in ipairs(losses) do
      plateau:on_evaluate_end(trainer, { val_loss = loss })
      list[i] = trainer.optimizer.lr
    end
    return list
  end
  it("waits, reduces, and stops at its floor", function()
    assert.same({ 1, 1, 0.5, 0.5, 0.3, 0.3, 0.3 }, rates({ factor = 0.5, patience = 2, min_lr = 0.3 },
      { 3, 3, 3, 3, 3, 3, 3 }))
    assert.same({ 1, 1, 1, 1 }, rates({ patience = 2 }, { 3, 3, 2, 2 }))
  end)
  it("goes on exactly without a schedule too", function()
    local whole = resumes("plateau", function()
      return { callbacks = { rondo.callbacks.ReduceLROnPlateau { patience = 1, factor = 0.5, min_delta = 1 } } }
    end)
    assert.is_true(whole.optimizer.lr < 0.01)
  end)
  it("cools down after a change", function()
    assert.same({ 1, 0.5, 0.5, 0.5, 0.25 }, rates({ factor = 0.5, patience = 1, cooldown = 2 }, { 3, 3, 3, 3, 3 }))
  end)
  it("wants a validation and a figure that is there", function()
    local plateau = rondo.callbacks.ReduceLROnPlateau { monitor = "val_lost" }
    assert.matches("ReduceLROnPlateau: it watches 'val_lost', but fit was given no validation part",
      support.failure(function() trainer_of(nil, { callbacks = { plateau } }):fit((sources())) end))
    assert.matches("ReduceLROnPlateau: there is no figure 'val_lost'",
      support.failure(plateau.on_evaluate_end, plateau, {}, {}))
  end)
end)

describe("hooks", function()
  it("are called at every event, in order", function()
    local seen = {}
    local trainer = trainer_of("hooks", { epochs = 1, max_steps = 1 })
    for _, event in ipairs(rondo.callbacks.events) do
      trainer:on(event, function(t, facts)
        assert.equal(trainer, t)
        assert.equal("table", type(facts))
        seen[#seen + 1] = event
      end)
    end
    trainer.eval_every = 1
    fit(trainer)
    assert.same({ "on_fit_begin", "on_epoch_begin", "on_step_begin", "on_gradients", "on_step_end", "on_evaluate_begin",
      "on_evaluate_end", "on_save", "on_save", "on_fit_end" }, seen)
  end)
  it("see the gradients before they are clipped", function()
    local norm
    local trainer = trainer_of(nil, { max_steps = 1, clip_grad_norm = 1e-3 })
    trainer:on("gradients", function(t) norm = rondo.clip_grad_norm(t.parameters, 1e9) end)
    fit(trainer)
    assert.equal(trainer.grad_norm, norm)
    assert.is_true(norm > 1e-3)
  end)
  it("that are not known are named", function()
    local trainer = trainer_of(nil)
    assert.matches("there is no event 'step_edn' %(did you mean 'on_step_end'%?%)",
      support.failure(trainer.on, trainer, "step_edn", print))
    assert.matches("Trainer:on: expected a function, got a nil", support.failure(trainer.on, trainer, "step_end"))
  end)
end)

describe("trainer:log", function()
  it("puts a figure into metrics.jsonl", function()
    local trainer = trainer_of("logged", { epochs = 1 })
    trainer:on("epoch_end", function(t) t:log("horizon", 2.5) end)
    fit(trainer)
    local found
    for line in io.lines(folder .. "/logged/metrics.jsonl") do
      local entry = assert(json.decode(line))
      found = entry.split == "log" and entry or found
    end
    assert.equal(2.5, found.horizon)
    assert.equal(trainer.step, found.step)
  end)
  it("refuses what cannot be logged", function()
    local trainer = trainer_of(nil)
    trainer:log("fine", 1) -- no run folder: nothing happens
    assert.matches("expected a name other than t, step, epoch and split, got 'step'",
      support.failure(trainer.log, trainer, "step", 1))
    assert.matches("'w' must be a number, a string or a boolean, got a table",
      support.failure(trainer.log, trainer, "w", {}))
  end)
end)

describe("a frozen part", function()
  it("stays as it was, is in the checkpoint, and the run goes on exactly", function()
    local first
    local function given()
      local model = rondo.Sequential { rondo.Embedding { #text.vocab, 5, seed = 9 }, rondo.LSTM { 6, seed = 8 },
        rondo.Linear { #text.vocab, seed = 7 } }
      model[1]:freeze()
      first = model[1]:parameters()[1]:table()
      return { model = model, optimizer = rondo.optim.AdamW { lr = 0.02, weight_decay = 0.3 } }
    end
    local whole = resumes("frozen", given)
    assert.same(first, whole.model[1]:parameters()[1]:table())
    local config = assert(rondo.load(last_file "frozen_whole")).config
    assert.same({ "1.weight" }, config.frozen)
  end)
end)
