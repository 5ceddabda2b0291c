-- many_to_one.lua - a sequence of inputs, one output: is a review good or bad?
--   rondo run scripts/shapes/many_to_one.lua
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"

local opt = rondo.args { "Many to one: the sentiment of a sentence.",
  data = { {}, help = "TSV of label and sentence; without it the reviews 'uci_*' of the catalog" },
  cell = { "gru", choices = rondo.plugins.cells, help = "recurrent cell" },
  hidden_size = 32, lr = 1e-2, batch_size = 32, epochs = 8,
}
rondo.manual_seed(opt.seed)

if #opt.data == 0 then
  for i, name in ipairs { "uci_amazon", "uci_imdb", "uci_yelp" } do
    opt.data[i] = assert(rondo.data.get(name))
  end
end
-- Every fifth sentence of each file is held back.
local train, valid = { label = {}, text = {} }, { label = {}, text = {} }
for _, path in ipairs(opt.data) do
  local rows = assert(rondo.data.Table.open(path, { columns = { "label", "text" } }))
  for i = 1, #rows do
    local part = i % 5 == 0 and valid or train
    part.label[#part.label + 1], part.text[#part.text + 1] = rows.label[i], rows.text[i]
  end
end
local words = rondo.data.Tokenizer { level = "word", lowercase = true, punctuation = true, min_count = 2, unk = true }
words:fit(train.text)
local labels = rondo.data.Labels.from(train.label)
local function batches(part, shuffle)
  return rondo.data.Batches { x = words:encode_all(part.text, { max_len = 60 }), y = labels:encode_all(part.label),
    batch_size = opt.batch_size, shuffle = shuffle }
end

local model = rondo.Sequential {
  rondo.Embedding { #words.vocab, 32 },        -- what is padding counts in nothing from here
  rondo.Dropout { 0.5 },
  rondo.RNN { cell = opt.cell, hidden_size = opt.hidden_size, bidirectional = true, return_sequences = false },
  rondo.Dropout { 0.5 },
  rondo.Linear { #labels },
}
local trainer = rondo.Trainer { options = opt, model = model, loss = rondo.CrossEntropyLoss(), tokenizer = words,
  labels = labels, optimizer = rondo.optim.Adam { lr = opt.lr }, clip_grad_norm = 1, metrics = { "accuracy" } }
trainer:fit(batches(train, true), batches(valid))

print(("sentiment of sentences, %d to train on, %d held back"):format(#train.text, #valid.text))
for _, naive in ipairs(trainer.baselines) do
  print(("  %-26s %5.1f %%"):format(naive.what, 100 * naive.accuracy))
end
print(("  %-26s %5.1f %%"):format(opt.cell .. ", both ways", 100 * trainer:evaluate(batches(valid)).accuracy))
