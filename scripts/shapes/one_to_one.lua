-- one_to_one.lua - one input, one output: banknotes, true or forged. A sequence of one step is a feed-forward net.
--   rondo run scripts/shapes/one_to_one.lua
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"

local opt = rondo.args { "One to one: is a banknote true or forged?",
  data = { type = "string", help = "CSV of four measures and a class; without it 'banknote' of the catalog" },
  cell = { "vanilla", choices = rondo.plugins.cells, help = "recurrent cell" },
  hidden_size = 16, lr = 1e-2, epochs = 20,
}
rondo.manual_seed(opt.seed)

local rows = assert(rondo.data.Table.open(opt.data or assert(rondo.data.get "banknote")))
local train, valid = rows:split { 0.8, 0.2, shuffle = true }
local labels = rondo.data.Labels.from(train.class)
local function batches(part, shuffle)
  local notes = {}
  for i = 1, #part do
    notes[i] = rondo.tensor { { part.variance[i] + 0.0, part.skewness[i] + 0.0, part.curtosis[i] + 0.0,
      part.entropy[i] + 0.0 } } -- (time, features): one step of four
  end
  return rondo.data.Batches { x = notes, y = labels:encode_all(part.class), shuffle = shuffle }
end

local model = rondo.Sequential {
  rondo.RNN { cell = opt.cell, input_size = 4, hidden_size = opt.hidden_size, return_sequences = false },
  rondo.Linear { #labels },
}
local trainer = rondo.Trainer { options = opt, model = model, loss = rondo.CrossEntropyLoss(), labels = labels,
  optimizer = rondo.optim.Adam { lr = opt.lr }, metrics = { "accuracy" } }
trainer:fit(batches(train, true), batches(valid))

print(("banknotes, %d to train on, %d held back"):format(#train, #valid))
print(("  the most frequent class  %5.1f %%"):format(100 * trainer.baselines[1].accuracy))
print(("  %-24s %5.1f %%"):format(opt.cell .. ", one step", 100 * trainer:evaluate(batches(valid)).accuracy))
