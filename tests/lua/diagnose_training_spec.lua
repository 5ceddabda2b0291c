-- diagnose_training_spec.lua - a training whose gradients are looked at: same bits, lines of metrics, when it is due.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local json = require "rondo.json"
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local folder, text
setup(function()
  folder = support.folder()
  text = rondo.data.Text.open(support.write(folder .. "/text.txt", ("the cat sat on the mat, and "):rep(60)))
end)
teardown(function() support.remove(folder) end)

local function train(name, given)
  rondo.manual_seed(3)
  local model = rondo.Sequential { rondo.OneHot { #text.vocab }, rondo.LSTM { 8, num_layers = 2, dropout = 0.2 },
    rondo.Linear { #text.vocab } }
  local o = { model = model, loss = rondo.CrossEntropyLoss(), optimizer = rondo.optim.Adam { lr = 0.01 },
    clip_grad_norm = 0.5, run_dir = folder .. "/" .. name, max_steps = 12, quiet = true, vocab = text.vocab }
  for key, value in pairs(given or {}) do
    o[key] = value
  end
  local trainer = rondo.Trainer(o)
  return trainer:fit(text:sequences { seq_len = 10, batch_size = 6, stateful = true })
end

local function lines_of(name)
  local list = {}
  for line in support.read(folder .. "/" .. name .. "/metrics.jsonl"):gmatch "[^\n]+" do
    local found = json.decode(line)
    if found.split == "diagnosis" then
      list[#list + 1] = found
    end
  end
  return list
end

describe("a training with diagnose_every", function()
  it("has the same bits as without", function()
    train "plain"
    train("looked", { diagnose_every = 3 })
    local file = "/checkpoints/step-000000000012.h5"
    assert.is_true(support.read(folder .. "/plain" .. file) == support.read(folder .. "/looked" .. file))
  end)

  it("writes what it has seen to the metrics", function()
    local lines = lines_of "looked"
    assert.equal(4, #lines)
    local line = lines[2]
    assert.equal(6, line.step)
    assert.equal(4, line.rows)
    assert.equal(10, line.steps)
    assert.is_true(line.seconds > 0 and line.t > 0 and line.epoch > 0)
    assert.is_true(line.clip_rate >= 0 and line.clip_rate <= 1)
    local layer = line.layers[2]
    assert.equal("2.layer2", layer.name)
    assert.equal("lstm", layer.cell)
    assert.same({ 0, 1, 2, 4, 8, 9 }, layer.lags)
    assert.equal(6, #layer.by_lag)
    assert.equal(10, #layer.gradient)
    assert.is_true(layer.radius.f_h > 0 and layer.saturation.f >= 0)
    assert.is_true(line.updates["2.layer1.i_h"] > 0 and line.updates["2.layer1.i_h"] < 1)
  end)

  it("looks at lengths, weights, several batches of an update and classes of a script", function()
    local Net = rondo.Module "Net"
    function Net:init() self.body, self.head = rondo.GRU { 2, 4 }, rondo.Linear { 4, 1 } end
    function Net:forward(x, _, how) return self.head(self.body(x, nil, how)) end
    local batches = {}
    for i = 1, 4 do
      batches[i] = { rondo.randn { 5, 6, 2 }, rondo.randn { 5, 6, 1 }, lengths = rondo.tensor { 6, 5, 2, 1, 6 } }
    end
    local trainer = rondo.Trainer { model = Net(), loss = rondo.MSELoss(), optimizer = rondo.optim.SGD { lr = 0.1 },
      accumulate = 2, epochs = 2, diagnose_every = 1, quiet = true }
    trainer:fit(batches)
    assert.equal("body.layer1", trainer.diagnosis.layers[1].name)
    assert.equal(4, trainer.diagnosis.rows)
    assert.equal(6, #trainer.diagnosis.layers[1].gradient)
  end)

  it("looks at the beginning of a batch where an update is a window of it", function()
    local looked = train("windows", { bptt = { k1 = 4, k2 = 6 }, diagnose_every = 2 })
    train("plain windows", { bptt = { k1 = 4, k2 = 6 } })
    assert.equal(10, #looked.diagnosis.layers[1].gradient)
    local file = "/checkpoints/step-000000000012.h5"
    assert.is_true(support.read(folder .. "/windows" .. file) == support.read(folder .. "/plain windows" .. file))
  end)

  it('looks as often as its share of the time allows: "auto"', function()
    local now, plain = 1000.0, core.time
    core.time = function()
      now = now + 0.01
      return now
    end
    local looks = 0
    local watch = { on_step_end = function(_, trainer)
      looks = looks + (trainer.diagnosis and 1 or 0)
      trainer.diagnosis = nil
    end }
    local ok, message = pcall(train, "auto", { callbacks = { rondo.callbacks.Diagnose { share = 0.3 }, watch },
      max_steps = 40 })
    core.time = plain
    assert(ok, message)
    assert.is_true(looks >= 2 and looks < 20)
  end)

  it("is asked for by a number or \"auto\"", function()
    assert.matches('Trainer: diagnose_every must be a number of updates, or "auto", got often',
      support.failure(train, "wrong", { diagnose_every = "often" }))
  end)
end)
