-- diagnose.lua - what diagnose_every = "auto" costs a training: processor time with and without, by pairs.
--   lua5.4 tests/bench/diagnose.lua [PAIRS]        from the source folder, with a build's paths set
-- Fails where the median of the ratios is above 1.03.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local rondo = require "rondo"

local PAIRS, MOST = tonumber(arg[1]) or 12, 1.03
local words = { "the", "cat", "sat", "on", "a", "mat", "and", "saw", "one", "big", "dog" }

core.threads(1)
rondo.manual_seed(1)
local path, text = os.tmpname(), {}
for i = 1, 20000 do
  text[i] = words[rondo.random(#words)]
end
assert(core.write_file(path, table.concat(text, " ")))
text = rondo.data.Text.open(path)
os.remove(path)

-- Processor seconds of a training, and how often it was looked at.
local function train(shape, every)
  rondo.manual_seed(1)
  local model = rondo.Sequential { rondo.OneHot { #text.vocab },
    rondo.LSTM { shape.hidden, num_layers = shape.layers }, rondo.Linear { #text.vocab } }
  local looks, last = 0, nil
  local watch = { on_step_end = function(_, trainer)
    looks, last = looks + (trainer.diagnosis ~= last and 1 or 0), trainer.diagnosis
  end }
  local trainer = rondo.Trainer { model = model, loss = rondo.CrossEntropyLoss(), diagnose_every = every,
    optimizer = rondo.optim.Adam { lr = 2e-3 }, max_steps = shape.steps, callbacks = { watch }, quiet = true,
    progress = "none" }
  local begun = os.clock()
  trainer:fit(text:sequences { seq_len = shape.seq_len, batch_size = shape.batch, stateful = true })
  return os.clock() - begun, looks
end

local failed = false
for _, shape in ipairs { { hidden = 128, layers = 2, batch = 50, seq_len = 50, steps = 400 },
  { hidden = 16, layers = 1, batch = 4, seq_len = 20, steps = 60000 } } do
  local ratios, looks = {}, 0
  for i = 1, PAIRS do
    local plain = train(shape)
    local looked, n = train(shape, "auto")
    ratios[i], looks = looked / plain, looks + n
  end
  table.sort(ratios)
  local median = (ratios[(PAIRS + 1) // 2] + ratios[PAIRS // 2 + 1]) / 2
  print(("LSTM %d x %d, batch %d x %d: %.3f of the time, %d pairs, %d looks"):format(shape.hidden, shape.layers,
    shape.batch, shape.seq_len, median, PAIRS, looks))
  failed = failed or median > MOST
end
os.exit(failed and 1 or 0)
