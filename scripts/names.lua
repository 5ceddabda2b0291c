-- names.lua - new names: a model of lines, and how many of its names are not in the training list.
--   rondo run scripts/names.lua --data names.txt --count 20
--   rondo sample runs/names --length 100                      (more of them)
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"

local opt = rondo.args { "Learns a list of names, one a line, and writes new ones.",
  data = { help = "text file, one name a line; without it 32,032 names of the catalog", type = "string" },
  train_share = { 0.9, min = 0.01, max = 0.99, help = "first part of the list, to train on; the rest validates" },
  cell = { "gru", choices = rondo.plugins.cells, help = "recurrent cell" },
  hidden_size = { 128, min = 1, max = 65536, help = "width of the state" },
  batch_size = { 32, min = 1, help = "names side by side" },
  lr = { 3e-3, min = 0, max = 1000, help = "learning rate" },
  epochs = 8,
  count = { 20, min = 1, help = "names to write" },
  temperature = { 0.9, min = 0, max = 100, help = "below 1 safer names" },
  run_dir = { "runs/names", help = "run folder" },
}

local path = opt.data or assert(rondo.data.get "names")
local text = assert(rondo.data.Text.open(path))
local train, valid = text:split(opt.train_share)
local batches = { unit = "line", batch_size = opt.batch_size } -- each from a fresh state, padded to the longest
local train_batches, valid_batches = train:sequences(batches), valid:sequences(batches)
local model = rondo.Sequential { rondo.OneHot { #text.vocab }, rondo.RNN { cell = opt.cell,
  hidden_size = opt.hidden_size }, rondo.Linear { #text.vocab } }
local steps = opt.epochs * #train_batches
local trainer = rondo.Trainer { options = opt, model = model, vocab = text.vocab, loss = rondo.CrossEntropyLoss(),
  optimizer = rondo.optim.Adam { lr = opt.lr }, clip_grad_norm = 5,
  schedule = rondo.optim.CosineLR { total_steps = steps, warmup_steps = math.min(100, steps // 10) } }
trainer:fit(train_batches, valid_batches)

local known, n_known = {}, 0
for name in text.vocab:decode(train:ids(1, #train)):gmatch "[^\n]+" do
  known[name], n_known = true, n_known + 1
end

-- The model ends a name with a line feed and begins the next anew.
local names, new, written = {}, 0, ""
for piece in model:generate { length = 1000 * opt.count, temperature = opt.temperature, seed = opt.seed } do
  written = written .. piece
  if piece == "\n" then
    local name = written:sub(1, -2)
    written = ""
    names[#names + 1] = name
    new = new + (known[name] and 0 or 1)
    print(name .. (known[name] and "   (in the list)" or ""))
  end
  if #names == opt.count then
    break
  end
end
print(("%d of %d names are not among the %d of the training list"):format(new, #names, n_known))
