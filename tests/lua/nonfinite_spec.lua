-- nonfinite_spec.lua - the first number that is not finite: named, replayed from a capsule, gone back from.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

rondo.cell { name = "test.log", state = { "h" },
  params = function(c)
    return { a_x = { c.hidden_size, c.input_size, init = 0 }, a_b = { c.hidden_size, init = 1 } }
  end,
  step = function(p, x, s)
    local a = rondo.linear(x, p.a_x, p.a_b)
    return { h = s.h * 0.5 + (a - x:slice(2, 1, 1)):log() }
  end }

local made = 0

require("rondo.errors").on_notice = function() end

local function trainer_of(model, given)
  made = made + 1
  local o = { model = model, loss = rondo.MSELoss(), optimizer = rondo.optim.SGD { lr = 0.01 }, quiet = true,
    run_dir = folder .. "/" .. made, epochs = 2, progress = "none" }
  for key, value in pairs(given or {}) do
    o[key] = value or nil
  end
  return rondo.Trainer(o)
end

local function broken(trainer, batches)
  local failure = support.failure(trainer.fit, trainer, batches)
  assert.equal(4, failure.code)
  return failure.message, failure.message:match "`rondo replay (.-)`"
end

-- Ones, with one huge number: row 2, step 3.
local function one_huge(value)
  local x = rondo.ones(2, 4, 2)
  x[{ 2, 3, 1 }] = value
  return x
end

local function first_of(path, given)
  local found = assert(rondo.replay(path, given))
  assert.is_true(found.same)
  return require("rondo.diagnose.search").sentence(found.trail[1]), found
end

describe("the first number that is not finite", function()
  before_each(function() rondo.manual_seed(4) end)

  it("in a state of a C cell is named by layer, state, time step and row", function()
    local model = rondo.Sequential { rondo.VanillaRNN { 2, 3, activation = "relu", num_layers = 2,
      input_init = { "constant", 1e20 }, recurrent_init = "identity" }, rondo.Linear { 1 } }
    local message, capsule = broken(trainer_of(model), { { one_huge(core.real == "double" and 1e300 or 1e30),
      rondo.zeros(2, 4, 1) } })
    assert.matches("^diverged at step 1: the loss is not finite; first, 'a' of 1%.layer1 at time step 3, row 2, unit 1 "
      .. "is inf %(lr 0.01, last loss ", message)
    assert.equal("'a' of 1.layer1 at time step 3, row 2, unit 1 is inf", (first_of(capsule)))
  end)

  it("in a cell in Lua is named too", function()
    local model = rondo.Sequential { rondo.RNN { cell = "test.log", input_size = 2, hidden_size = 3 },
      rondo.Linear { 1 } }
    local x = rondo.zeros(2, 4, 2)
    x[{ 2, 3, 1 }] = 2 -- log(1 - 2)
    local message, capsule = broken(trainer_of(model), { { x, rondo.zeros(2, 4, 1) } })
    assert.matches("first, state 'h' of 1%.layer1 at time step 3, row 2, unit 1 is nan", message)
    assert.equal("state 'h' of 1.layer1 at time step 3, row 2, unit 1 is nan", (first_of(capsule)))
  end)

  it("in a layer without time is named by its place", function()
    local model = rondo.Sequential { rondo.GRU { 2, 3 }, rondo.Linear { 1 } }
    rondo.no_grad(function() model[2].bias:fill(1 / 0) end)
    local message = broken(trainer_of(model), { { rondo.ones(2, 4, 2), rondo.zeros(2, 4, 1) } })
    assert.matches("^diverged at step 1: the parameter '2%.bias' is not finite; first, the parameter '2%.bias' at "
      .. "element %(1%) is inf", message)
  end)

  it("in the data is named as such", function()
    local model = rondo.Sequential { rondo.GRU { 2, 3 }, rondo.Linear { 1 } }
    local message, capsule = broken(trainer_of(model), { { one_huge(0 / 0), rondo.zeros(2, 4, 1) } })
    assert.matches("first, the input at time step 3, row 2, unit 1 is nan", message)
    local _, found = first_of(capsule)
    assert.equal("forward", found.trail[2].phase)
  end)

  it("in a loss that a script wrote needs that loss to be replayed", function()
    local model = rondo.Sequential { rondo.GRU { 2, 3 }, rondo.Linear { 1 } }
    local loss = function(y) return (y * 0 - 1):log():sum() end
    local message, capsule = broken(trainer_of(model, { loss = loss }),
      { { rondo.ones(2, 4, 2), rondo.zeros(2, 4, 1) } })
    assert.matches("first, the loss is nan", message)
    local found, why = rondo.replay(capsule)
    assert.is_nil(found)
    assert.matches("its loss is a function of a script; rondo.replay%(path, { loss = ... }%) there", why)
    assert.equal("the loss is nan", (first_of(capsule, { loss = loss })))
  end)

  it("in the gradients is found on the way back, with the masks of that update", function()
    if core.real == "double" then
      return -- a loss is summed in double: there it overflows before the gradients do
    end
    local model = rondo.Sequential { rondo.VanillaRNN { 2, 4, activation = "relu", num_layers = 2, dropout = 0.2,
      recurrent_dropout = 0.1, recurrent_init = { "identity", 3e9 } }, rondo.Linear { 1 } }
    local batches = {}
    for i = 1, 3 do
      batches[i] = { rondo.randn { 3, 4, 2 }, rondo.randn { 3, 4, 1 } }
    end
    local message, capsule = broken(trainer_of(model, { accumulate = 2 }), batches)
    assert.matches("^diverged at step 1: the gradient of '1.layer1.a_x' is not finite; first, dL/dh of 1%.layer%d at "
      .. "time step %d, row %d, unit %d is ", message)
    local _, found = first_of(capsule)
    assert.equal(1, found.trail[1].batch)
    assert.equal("backward", found.trail[1].phase)
  end)

  it("in the optimizer's own numbers is found though gradients and weights are finite", function()
    local model = rondo.Sequential { rondo.VanillaRNN { 2, 3 }, rondo.Linear { 1 } }
    local huge = core.real == "double" and 1e200 or 1e25
    local trainer = trainer_of(model, { optimizer = rondo.optim.Adam { lr = 0.01 },
      loss = function(y, target) return (y - target):sum() * huge end })
    local message, capsule = broken(trainer, { { rondo.ones(2, 4, 2), rondo.zeros(2, 4, 1) } })
    assert.matches("^diverged at step 1: the optimizer's 'square' of '1%.layer1%.a_x' is not finite; first, the "
      .. "optimizer's 'square' of '1%.layer1%.a_x' at element %(1, 1%) is inf", message)
    assert.is_true(model:parameters()[1]:is_finite())
    first_of(capsule, { loss = function(y, target) return (y - target):sum() * huge end })
  end)

  it("is found in a stream's carried state", function()
    local text = support.write(folder .. "/stream.txt", ("the cat sat on the mat. "):rep(40))
    text = rondo.data.Text.open(text)
    local model = rondo.Sequential { rondo.OneHot { #text.vocab }, rondo.VanillaRNN { 4, activation = "identity",
      recurrent_init = { "identity", core.real == "double" and 1e12 or 8 } }, rondo.Linear { #text.vocab } }
    local trainer = trainer_of(model, { loss = rondo.CrossEntropyLoss(), optimizer = rondo.optim.SGD { lr = 1e-30 } })
    local _, capsule = broken(trainer, text:sequences { seq_len = 8, batch_size = 2, stateful = true })
    local first, found = first_of(capsule)
    assert.is_true(found.step > 1)
    assert.matches("layer1", first)
  end)
end)

describe("where an update is a part of a sequence", function()
  local function linear(size)
    rondo.manual_seed(4)
    return rondo.Sequential { rondo.VanillaRNN { 2, 3, activation = "identity", recurrent_init = { "identity", size } },
      rondo.Linear { 1 } }
  end

  it("the trail is that of the window, and its capsule has the state that it began with", function()
    local batches = {}
    for i = 1, 2 do
      batches[i] = { rondo.ones(2, 24, 2), rondo.zeros(2, 24, 1) }
    end
    batches[2][1][{ 1, 10, 1 }] = 1 / 0 -- windows of 4 new steps and 2 old ones: this one begins at step 7
    local message, capsule = broken(trainer_of(linear(0.5), { bptt = { k1 = 4, k2 = 6 } }), batches)
    assert.matches("^diverged at step 9: the loss is not finite; first, 'a' of 1%.layer1 at time step 4, row 1, ",
      message)
    local first, found = first_of(capsule)
    assert.matches("'a' of 1%.layer1 at time step 4, row 1, unit 1 is ", first)
    assert.equal(9, found.step)
  end)

  it("segments are seen as the whole sequence is", function()
    support.write(folder .. "/segments.lua", [[
      local rondo = require "rondo"
      rondo.manual_seed(4)
      local model = rondo.Sequential { rondo.VanillaRNN { 2, 3, activation = "identity",
        recurrent_init = { "identity", 0.5 } }, rondo.Linear { 1 } }
      local x = rondo.ones(2, 3000, 2)
      x[{ 2, 1870, 1 }] = 1 / 0
      local trainer = rondo.Trainer { model = model, loss = rondo.MSELoss(), optimizer = rondo.optim.SGD { lr = 0.01 },
        memory = arg[1], run_dir = "segments", quiet = true }
      trainer:on("step_begin", function(self) print(self.planned.cuts) end)
      trainer:fit { { x, rondo.zeros(2, 3000, 1) } }]]) -- a process of its own: the plan counts what memory is held
    local out, err, code = support.rondo(folder, "run segments.lua " .. (core.real == "double" and "500KB" or "280KB"))
    assert.equal(4, code, err)
    assert.equal("true\n", out)
    assert.matches("first, 'a' of 1%.layer1 at time step 1870, row 2, unit 1 is ", err)
    out, err, code = support.rondo(folder, "replay segments/capsules/step-000000000001.h5")
    assert.equal(0, code, err)
    assert.matches("1  forward    'a' of 1%.layer1 at time step 1870, row 2, unit 1 is ", out)
  end)
end)

describe("a capsule", function()
  it("is refused where it is none", function()
    local path = folder .. "/plain.h5"
    assert(rondo.save(path, { model = rondo.Linear { 1, 1 } }))
    local found, message = rondo.replay(path)
    assert.is_nil(found)
    assert.matches("plain.h5: is no capsule; capsules lie in RUN/capsules", message)
    assert.matches("replay: expected the path of a capsule, got a number", support.failure(rondo.replay, 3))
  end)

  it("of a script's own class is replayed with the model", function()
    rondo.manual_seed(2)
    local Net = rondo.Module "Net"
    function Net:init() self.body = rondo.GRU { 1, 2 } end
    function Net:forward(x) return self.body(x) * (1 / 0) end
    local capsule = select(2, broken(trainer_of(Net()), { { rondo.ones(1, 3, 1), rondo.zeros(1, 3, 2) } }))
    local found, message = rondo.replay(capsule)
    assert.is_nil(found)
    assert.matches("its model is a class of a script", message)
    assert.matches("the model's output at time step 1, row 1, unit 1 is ", (first_of(capsule, { model = Net() })))
  end)
end)

describe('on_nonfinite = "rollback"', function()
  -- Diverges at any rate over about 1, from weights that a rate below it would have kept.
  local function steep(given)
    rondo.manual_seed(1)
    local model = rondo.Sequential { rondo.Linear { 1, 1 } }
    local o = { optimizer = rondo.optim.SGD { lr = 40.0 }, on_nonfinite = "rollback", epochs = 2,
      rollback_factor = 0.005 }
    for key, value in pairs(given or {}) do
      o[key] = value
    end
    local batches = {}
    for i = 1, 100 do
      batches[i] = { rondo.tensor { { 1 } }, rondo.tensor { { 3 } } }
    end
    return trainer_of(model, o), batches
  end

  it("goes back to the last checkpoint with a lower rate, as often as it must", function()
    local trainer, batches = steep()
    trainer:fit(batches)
    assert.equal(200, trainer.step)
    assert.equal(1, trainer.rollbacks)
    assert.is_true(math.abs(trainer.optimizer.lr - 0.2) < 1e-9)
    assert.is_true(trainer.last_loss < 1e-3)
    local log = support.read(trainer.run_dir .. "/log.txt")
    assert.matches("Going back to step %d+: the rate goes from 40 to 0.2 %(1 of at most 3 times%)", log)
  end)

  it("ends with status 4 where it was tried often enough", function()
    local trainer, batches = steep { rollback_factor = 1.0, rollback_tries = 2 }
    local message = broken(trainer, batches)
    assert.matches("^diverged at step", message)
    assert.equal(2, trainer.rollbacks)
  end)

  it("leaves no figures of the steps it has taken back", function()
    local trainer, batches = steep { log_every = 1 }
    trainer:fit(batches)
    local last = 0
    for step in support.read(trainer.run_dir .. "/metrics.jsonl"):gmatch '"step":(%d+),[^\n]*"split":"train"' do
      assert.equal(last + 1, tonumber(step))
      last = last + 1
    end
    assert.equal(200, last)
  end)

  it("needs a run folder", function()
    local trainer, batches = steep { run_dir = false }
    assert.matches('Trainer: on_nonfinite = "rollback" goes back to a checkpoint; give run_dir to have any',
      support.failure(trainer.fit, trainer, batches))
  end)
end)
