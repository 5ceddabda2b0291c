-- 5_tagging.lua - what a user writes: run as it stands by tests/runs. SPDX-License-Identifier: MIT
-- Tag each word (names, places ...): bidirectional LSTM, CoNLL columns.
local rondo = require "rondo"
local opt = rondo.args { "Sequence tagging.", train = { required = true }, valid = { required = true },
  hidden_size = 128, batch_size = 32, epochs = 10, lr = 1e-3, run_dir = "runs/tagger" }

local train = assert(rondo.data.Conll.open(opt.train, { word = 1, tag = -1 }))
local valid = assert(rondo.data.Conll.open(opt.valid, { word = 1, tag = -1 }))
local words = rondo.data.Vocab.from(train.words, { min_count = 2, unk = true })
local tags  = rondo.data.Vocab.from(train.tags)

local model = rondo.Sequential {
  rondo.Embedding { #words, 100 },
  rondo.Dropout { 0.3 },
  rondo.LSTM { hidden_size = opt.hidden_size, num_layers = 2, bidirectional = true, dropout = 0.3 },
  rondo.Linear { #tags },                                -- (batch, time, 2 * hidden) -> (batch, time, tags)
}
local function batches(d, shuffle)
  return rondo.data.Batches { x = words:encode_all(d.words), y = tags:encode_all(d.tags),
    batch_size = opt.batch_size, shuffle = shuffle, bucket_by_length = true }
end
local trainer = rondo.Trainer { options = opt, model = model, loss = rondo.CrossEntropyLoss(),
  optimizer = rondo.optim.Adam { lr = opt.lr }, metrics = { "accuracy", rondo.metrics.SpanF1 { tags } },
  callbacks = { rondo.callbacks.ReduceLROnPlateau { factor = 0.5, patience = 1 } } }
trainer:fit(batches(train, true), batches(valid))

local best = model:predict(words:encode { "Ada", "lives", "in", "London" }):argmax(-1)
print(table.concat(tags:decode(best), " "))
