-- trainer_spec.lua - the Trainer: exact resume, run folders, checkpoints, ends, memory.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local core = require "rondo.core"
local json = require "rondo.json"
local support = dofile "tests/lua/support.lua"

local folder, text
setup(function()
  folder = support.folder()
  text = assert(rondo.data.Text.open(support.write(folder .. "/t.txt", support.sentences(60))))
end)
teardown(function() support.remove(folder) end)

-- A small language model with everything that has state: two layers, regularisers, Adam, a schedule, carried state.
local function trainer_of(run, given)
  rondo.manual_seed(4)
  local o = { quiet = true, run_dir = run and folder .. "/" .. run, epochs = 3, log_every = 3, vocab = text.vocab,
    loss = rondo.CrossEntropyLoss(), optimizer = rondo.optim.Adam { lr = 0.01 }, clip_grad_norm = 1,
    schedule = rondo.optim.CosineLR { total_steps = 40, warmup_steps = 5 }, metrics = { "perplexity", "accuracy" } }
  o.model = rondo.Sequential { rondo.Embedding { #text.vocab, 5 },
    rondo.LSTM { 6, num_layers = 2, dropout = 0.2, variational = true, input_dropout = 0.1, recurrent_dropout = 0.1,
      zoneout = { c = 0.2, h = 0.05 }, weight_drop = 0.2, connections = "highway" },
    rondo.Dropout { 0.1 }, rondo.Linear { #text.vocab } }
  for key, value in pairs(given or {}) do
    o[key] = value
  end
  return rondo.Trainer(o)
end

local function parts_of(whole)
  local train, valid = whole:split(0.8)
  return train:sequences { seq_len = 8, batch_size = 10, stateful = true },
    valid:sequences { seq_len = 8, batch_size = 4, stateful = true }
end

local function fit(trainer)
  return trainer:fit(parts_of(text))
end

local function last_file(run)
  local steps = require("rondo.run_folder").steps_of(folder .. "/" .. run)
  return ("%s/%s/checkpoints/step-%012d.h5"):format(folder, run, steps[#steps])
end

describe("a run that is stopped and resumed", function()
  it("gives the same bytes as one that is not", function()
    fit(trainer_of("whole"))
    fit(trainer_of("parts", { max_steps = 7 }))
    fit(trainer_of("parts", { max_steps = 20, resume = true }))
    fit(trainer_of("parts", { resume = true }))
    assert.equal(support.read(last_file "whole"), support.read(last_file "parts"))
  end)
  it("gives the same bytes with shuffled batches and numbers of a script's own", function()
    local function run(name, given)
      local noise = { on_step_end = function(_, trainer) -- a script that disturbs the weights by rondo.random
        rondo.no_grad(function()
          local w = trainer.parameters[1]
          w[{ 1, 1 }] = w[{ 1, 1 }] + 0.01 * rondo.random()
        end)
      end }
      given.callbacks, given.save_every = { noise }, 5
      given.optimizer = rondo.optim.RMSprop { lr = 0.01 }
      trainer_of(name, given):fit(text:sequences { seq_len = 8, batch_size = 10 })
    end
    run("shuffled", {})
    run("shuffled2", { max_steps = 8 })
    run("shuffled2", { max_steps = 23, resume = true })
    run("shuffled2", { resume = true })
    assert.equal(support.read(last_file "shuffled"), support.read(last_file "shuffled2"))
  end)
  it("gives the same state with more validations and another number of threads", function()
    local threads = core.threads()
    core.threads(1)
    fit(trainer_of("often", { eval_every = 4 }))
    core.threads(threads)
    local a, b = assert(rondo.load(last_file "whole")), assert(rondo.load(last_file "often"))
    assert.equal(a.digests.state, b.digests.state)
    assert.not_equal(a.digests.file, b.digests.file)
  end)
  it("gives the same bytes when the signal came during a validation", function()
    local trainer = trainer_of "signal"
    local validations = 0
    trainer.model.evaluating = function(self, f, ...)
      validations = validations + 1
      local real = core.interrupted
      if validations == 2 then
        core.interrupted = function() return "SIGTERM" end
      end
      local results = table.pack(getmetatable(self).evaluating(self, f, ...))
      if validations ~= 2 then
        core.interrupted = real
      end
      return table.unpack(results, 1, results.n)
    end
    local interrupted = core.interrupted
    local failure = support.failure(fit, trainer)
    core.interrupted = interrupted
    assert.equal(75, failure.code)
    assert.equal(1, trainer.epoch)
    fit(trainer_of("signal", { resume = true }))
    assert.equal(support.read(last_file "whole"), support.read(last_file "signal"))
  end)
  it("has its best checkpoint also if it was killed between that and the other one", function()
    for _, step in ipairs { "save", "save_best" } do
      local trainer = trainer_of(step, { epochs = 1 })
      trainer[step] = function(self)
        if self.best_due or step == "save" then
          error "killed"
        end
      end
      assert.matches("killed", support.failure(fit, trainer))
      fit(trainer_of(step, { epochs = 1, resume = true }))
    end
    fit(trainer_of("once", { epochs = 1 }))
    local best = support.read(folder .. "/once/checkpoints/best.h5")
    assert.equal(best, support.read(folder .. "/save/checkpoints/best.h5"))
    assert.equal(best, support.read(folder .. "/save_best/checkpoints/best.h5"))
  end)
  it("has the figures of its end once, and none of an earlier end", function()
    for _, steps in ipairs { 7, 7, 8 } do
      local ends = {}
      fit(trainer_of("ended", { max_steps = steps, resume = core.stat(folder .. "/ended") ~= nil }))
      for line in io.lines(folder .. "/ended/metrics.jsonl") do
        local entry = assert(json.decode(line))
        ends[#ends + 1] = entry.final and entry.step or nil
      end
      assert.same({ steps }, ends)
    end
  end)
  it("keeps no metrics line past its checkpoint", function()
    local steps = {}
    for line in io.lines(folder .. "/parts/metrics.jsonl") do
      local entry = assert(json.decode(line))
      if entry.split == "train" then
        steps[#steps + 1] = entry.step
      end
    end
    local sorted = table.move(steps, 1, #steps, 1, {})
    table.sort(sorted)
    assert.same(sorted, steps)
    assert.equal(3, steps[1])
  end)
  it("takes an older checkpoint where the newest is damaged, and says so", function()
    fit(trainer_of("damaged", { keep = 5 }))
    support.write(last_file "damaged", "not a checkpoint")
    local said = {}
    local trainer = trainer_of("damaged", { resume = true })
    trainer.view.say = function(_, line) said[#said + 1] = line end
    fit(trainer)
    assert.matches("note: .*not a Rondo checkpoint", table.concat(said, "\n"))
    assert.equal(support.read(last_file "whole"), support.read(last_file "damaged"))
  end)
  it("refuses other batches", function()
    local failure = support.failure(function()
      trainer_of("whole", { resume = true }):fit(text:sequences { seq_len = 9, batch_size = 10, stateful = true })
    end)
    assert.matches("was made with other data or batches", tostring(failure))
  end)
  it("refuses a text that was changed and is as long as it was", function()
    local words = support.sentences(60):gsub("t", "s", 1)
    local changed = assert(rondo.data.Text.open(support.write(folder .. "/changed.txt", words), { vocab = text.vocab }))
    local trainer = trainer_of("whole", { resume = true })
    local failure = support.failure(function() trainer:fit(parts_of(changed)) end)
    assert.matches("was made with other data, whose digest is %x+, of these %x+; its weights alone", tostring(failure))
  end)
  it("goes on from a checkpoint that has no digest of its text, as older ones", function()
    local train, valid = parts_of(text)
    train.digest = false
    trainer_of("older", { max_steps = 7 }):fit(train, valid)
    fit(trainer_of("older", { resume = true }))
    assert.equal(support.read(last_file "whole"), support.read(last_file "older"))
  end)
  it("asks a source of a script's own for its digest, where it has one", function()
    local batches = parts_of(text)
    local function fit_on(run, digest, given)
      local source = setmetatable({ digest = digest, batch = function(_, k, epoch) return batches:batch(k, epoch) end },
        { __len = function() return #batches end })
      return trainer_of(run, given):fit(source)
    end
    fit_on("field", "no function", { max_steps = 2 })
    fit_on("named", function() return "mine" end, { max_steps = 2 })
    fit_on("named", function() return "mine" end, { max_steps = 3, resume = true })
    local failure = support.failure(fit_on, "named", function() return ("other"):rep(100) end, { resume = true })
    assert.matches("whose digest is mine, of these [other]+; its weights", tostring(failure))
    assert.is_true(#tostring(failure) < 300)
    for _, digest in ipairs { 7, {}, true } do
      assert.matches("digest%(%) of the source must give a string, got a " .. type(digest),
        tostring(support.failure(fit_on, "wrong", function() return digest end)))
    end
  end)
end)

describe("a run folder", function()
  it("that is used needs resume or overwrite", function()
    local failure = support.failure(fit, trainer_of "whole")
    assert.equal(2, failure.code)
    assert.matches("go on with resume = true, or start anew with overwrite = true", failure.message)
    failure = support.failure(fit, trainer_of("whole", { options = {} }))
    assert.matches("go on with %-%-resume, or start anew with %-%-overwrite", failure.message)
    failure = support.failure(fit, trainer_of("whole", { resume = true, overwrite = true }))
    assert.matches("give resume = true to go on or overwrite = true to start anew, not both", failure.message)
    fit(trainer_of("anew", { epochs = 1 }))
    fit(trainer_of("anew", { epochs = 1, overwrite = true }))
  end)
  it("has its four parts", function()
    local config = assert(json.decode(support.read(folder .. "/whole/config.json")))
    assert.equal("Adam", config.depends_on.optimizer.kind)
    assert.equal(core.hostname(), config.host)
    local first = assert(json.decode(support.read(folder .. "/whole/metrics.jsonl"):match "[^\n]+"))
    assert.equal(1, first.schema)
    assert.matches("epoch 3/3", support.read(folder .. "/whole/log.txt"))
    assert.is_truthy(core.stat(folder .. "/whole/checkpoints/best.h5"))
  end)
  it("keeps the last N checkpoints and the best", function()
    fit(trainer_of("keep", { keep = 2, save_every = 5 }))
    assert.equal(2, #require("rondo.run_folder").steps_of(folder .. "/keep"))
    assert.is_truthy(core.stat(folder .. "/keep/checkpoints/best.h5"))
  end)
  it("that cannot be made is code 3", function()
    local failure = support.failure(fit, trainer_of "t.txt/run")
    assert.equal(3, failure.code)
    assert.matches("t.txt/run", failure.message)
  end)
end)

describe("weights", function()
  it("are taken from a run, without its training", function()
    local trainer = trainer_of("fresh", { init_from = folder .. "/whole", epochs = 1, max_steps = 1 })
    local before = fit(trainer):evaluate(text:sequences { seq_len = 8, batch_size = 4, stateful = true })
    assert.equal(1, trainer.step)
    assert.is_true(before.loss < 2.9)
  end)
  it("of another model are refused by name", function()
    local other = trainer_of(nil, { init_from = folder .. "/whole",
      model = rondo.Sequential { rondo.Embedding { #text.vocab, 9 }, rondo.Linear { #text.vocab } } })
    local failure = support.failure(fit, other)
    assert.equal(3, failure.code)
    assert.matches("is of another model: parameter '1.weight' is %(%d+, 5%) there and %(%d+, 9%) here", failure.message)
  end)
end)

describe("a training", function()
  it("stops early, and its counters survive a stop", function()
    local make = function() return { rondo.callbacks.EarlyStopping { patience = 2, min_delta = 9 } } end
    local whole = fit(trainer_of("early", { epochs = 9, callbacks = make() }))
    assert.equal(3, whole.epoch)
    fit(trainer_of("early2", { epochs = 2, callbacks = make() }))
    local rest = fit(trainer_of("early2", { epochs = 9, callbacks = make(), resume = true }))
    assert.equal(3, rest.epoch)
    assert.equal(support.read(last_file "early"), support.read(last_file "early2"))
  end)
  it("that was stopped early stays so when it is resumed, unless patience has grown", function()
    local make = function(n) return { rondo.callbacks.EarlyStopping { patience = n, min_delta = 9 } } end
    fit(trainer_of("early3", { epochs = 9, callbacks = make(2) }))
    local again = fit(trainer_of("early3", { epochs = 9, callbacks = make(2), resume = true }))
    assert.equal(3, again.epoch)
    assert.matches("nothing left to do", support.read(folder .. "/early3/log.txt"))
    assert.equal(4, fit(trainer_of("early3", { epochs = 9, callbacks = make(3), resume = true })).epoch)
  end)
  it("that stops early needs something to watch", function()
    local message = support.failure(function()
      local sizes = { seq_len = 8, batch_size = 10, stateful = true }
      trainer_of(nil, { callbacks = { rondo.callbacks.EarlyStopping() } }):fit(text:sequences(sizes))
    end)
    assert.matches("it watches 'val_loss', but fit was given no validation part", message)
    message = support.failure(fit, trainer_of(nil, { callbacks = { rondo.callbacks.EarlyStopping {
      monitor = "val_f1" } } }))
    assert.matches("there is no figure 'val_f1'", message)
  end)
  it("that diverges names the tensor, keeps the last checkpoint and is code 4", function()
    local w = rondo.Sequential { rondo.Linear { 1, 1 } }
    local trainer = rondo.Trainer { model = w, loss = rondo.MSELoss(), optimizer = rondo.optim.SGD { lr = 1e6 },
      run_dir = folder .. "/diverges", epochs = 100, quiet = true }
    local failure = support.failure(trainer.fit, trainer, { { rondo.tensor { { 1e9 } }, rondo.tensor { { 0 } } } })
    assert.equal(4, failure.code)
    assert.matches("diverged at step %d+: the ", failure.message)
    assert.matches("The last good checkpoint is .*step%-%d+%.h5", failure.message)
    assert.is_truthy(core.stat(failure.message:match "checkpoint is (.-%.h5)"))
  end)
  it("allocates nothing from the third step on", function()
    local seen, heap = {}, {}
    local watch = { on_step_end = function(_, _, facts)
      seen[facts.step] = core.memory().system_allocations
      collectgarbage()
      heap[facts.step] = collectgarbage "count"
    end }
    fit(trainer_of(nil, { epochs = 4, callbacks = { watch } }))
    assert.is_true(#seen > 20)
    assert.equal(seen[3], seen[12]) -- the rest of the first epoch
    assert.equal(seen[16], seen[#seen])
    assert.is_true(heap[#heap] - heap[3] < 64)
  end)
  it("reports what it is asked for", function()
    local facts = trainer_of(nil):evaluate(text:sequences { seq_len = 8, batch_size = 4, stateful = true })
    assert.is_true(math.abs(facts.perplexity - math.exp(facts.loss)) < 1e-9)
    assert.is_true(facts.accuracy >= 0 and facts.accuracy < 0.5)
    assert.matches("unknown metric 'perplexty' %(did you mean 'perplexity'%?%)",
      support.failure(trainer_of, nil, { metrics = { "perplexty" } }))
  end)
  it("with carried state needs a model that carries it", function()
    local Net = rondo.Module "Net"
    function Net:init() self.body = rondo.Linear { 1, 1 } end
    function Net:forward(x) return self.body(x) end
    assert.matches("Net carries no state", support.failure(fit, trainer_of(nil, { model = Net() })))
  end)
end)

describe("rondo.save and rondo.load", function()
  it("bring back model, optimizer and step", function()
    local model = rondo.Sequential { rondo.GRU { 2, 4, return_sequences = false }, rondo.Linear { 1 } }
    local opt = rondo.optim.Adam(model:parameters(), { lr = 0.01 })
    local x = rondo.rand(3, 5, 2)
    model(x):sum():backward()
    opt:step()
    assert(rondo.save(folder .. "/m.h5", { model = model, optimizer = opt, step = 1 }))
    local ckpt = assert(rondo.load(folder .. "/m.h5"))
    assert.equal(1, ckpt.step)
    assert.is_true(ckpt.model(x):allclose(model(x), { rtol = 0, atol = 0 }))
    local again = rondo.optim.Adam(ckpt.model:parameters(), { lr = 0.5 })
    assert(ckpt:load_into(ckpt.model, again))
    assert.equal(0.01, again.lr)
    assert.equal(1, again:updates())
  end)
  it("give nil, a sentence and 3 for what is no checkpoint", function()
    local ckpt, message, code = rondo.load(folder .. "/t.txt")
    assert.is_nil(ckpt)
    assert.matches("t.txt.*not a Rondo checkpoint", message)
    assert.equal(3, code)
    assert.is_nil(rondo.load(folder .. "/nothing"))
    local archive = core.archive()
    archive:put("format", "something else")
    assert(archive:save(folder .. "/other.h5"))
    assert.matches("not a checkpoint of this program", select(2, rondo.load(folder .. "/other.h5")))
  end)
  it("refuse a description that its own parameters do not bear out", function()
    local archive = core.archive()
    archive:put("format", "rondo-checkpoint 1")
    archive:put("config", '{"model":{"kind":"LSTM","hidden_size":65536,"input_size":65536}}')
    assert(archive:save(folder .. "/forged.h5"))
    local ckpt = assert(rondo.load(folder .. "/forged.h5"))
    assert.matches("describes a model much larger than the parameters it holds",
      support.failure(function() return ckpt.model end))
  end)
  it("never run what a file says", function()
    local archive = core.archive()
    archive:put("format", "rondo-checkpoint 1")
    archive:put("config", '{"model":{"kind":"__index"}}')
    assert(archive:save(folder .. "/odd.h5"))
    local ckpt = assert(rondo.load(folder .. "/odd.h5"))
    assert.matches("describes no model of library layers", support.failure(function() return ckpt.model end))
  end)
  it("cannot rebuild a script's own class, and say so", function()
    local Net = rondo.Module "Net"
    function Net:init() self.body = rondo.Linear { 1, 1 } end
    assert(rondo.save(folder .. "/net.h5", { model = Net() }))
    local ckpt = assert(rondo.load(folder .. "/net.h5"))
    assert.matches("its model is a class of a script", support.failure(function() return ckpt.model end))
    assert.is_true(ckpt:load_into(Net()))
  end)
end)
