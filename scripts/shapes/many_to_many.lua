-- many_to_many.lua - a sequence of inputs, an output for each: what the words of a request are about.
--   rondo run scripts/shapes/many_to_many.lua
-- encoder_decoder.lua is the other kind, where the output has a length of its own.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"

local opt = rondo.args { "Many to many, aligned: a tag for each word.",
  train = { type = "string", help = "TSV of intent, words, tags; without it 'snips' of the catalog" },
  valid = { type = "string", help = "the same, held back" },
  cell = { "lstm", choices = rondo.plugins.cells, help = "recurrent cell" },
  hidden_size = 64, lr = 3e-3, batch_size = 32, epochs = 4,
}
rondo.manual_seed(opt.seed)

local function sentences(path)
  local rows = assert(rondo.data.Table.open(path, { columns = { "intent", "words", "tags" } }))
  local list = { words = {}, tags = {} }
  for i = 1, #rows do
    list.words[i], list.tags[i] = {}, {}
    for word in rows.words[i]:gmatch "%S+" do table.insert(list.words[i], word) end
    for tag in rows.tags[i]:gmatch "%S+" do table.insert(list.tags[i], tag) end
  end
  return list
end
local train = sentences(opt.train or assert(rondo.data.get("snips", { part = "train" })))
local valid = sentences(opt.valid or assert(rondo.data.get("snips", { part = "valid" })))
local words = rondo.data.Vocab.from(train.words, { min_count = 2, unk = true })
local tags = rondo.data.Vocab.from(train.tags)
local function batches(part, shuffle)
  return rondo.data.Batches { x = words:encode_all(part.words), y = tags:encode_all(part.tags),
    batch_size = opt.batch_size, shuffle = shuffle }
end

local model = rondo.Sequential {
  rondo.Embedding { #words, 64 },
  rondo.Dropout { 0.3 },
  rondo.RNN { cell = opt.cell, hidden_size = opt.hidden_size, bidirectional = true },
  rondo.Dropout { 0.3 },
  rondo.Linear { #tags },                      -- at every step
}
local trainer = rondo.Trainer { options = opt, model = model, loss = rondo.CrossEntropyLoss(), tokenizer = words,
  labels = tags, optimizer = rondo.optim.Adam { lr = opt.lr }, clip_grad_norm = 1,
  metrics = { "accuracy", rondo.metrics.SpanF1 { tags } } }
trainer:fit(batches(train, true), batches(valid))

local figures = trainer:evaluate(batches(valid))
print(("tags of words, %d sentences to train on, %d held back: words, and spans"):format(#train.words, #valid.words))
print(("  the most frequent tag of a word  %5.1f %%, F1 %.1f"):format(100 * trainer.baselines[1].accuracy,
  100 * trainer.baselines[1].span_f1))
print(("  %-32s %5.1f %%, F1 %.1f"):format(opt.cell .. ", both ways", 100 * figures.accuracy, 100 * figures.span_f1))
