-- 3_sentiment.lua - what a user writes: run as it stands by tests/runs. SPDX-License-Identifier: MIT
-- Many-to-one: the sentiment of a review, from sequences of unequal length.
local rondo = require "rondo"
local opt = rondo.args { "Sentiment classification.",
  train = { required = true, help = "TSV: label, text" }, valid = { required = true },
  max_vocab = 20000, max_len = 200, hidden_size = 128, batch_size = 64, epochs = 5, lr = 1e-3,
  run_dir = "runs/sentiment" }

local tok   = rondo.data.Tokenizer { level = "word", lowercase = true, max_vocab = opt.max_vocab }
local train = assert(rondo.data.Table.open(opt.train, { columns = { "label", "text" } }))
local valid = assert(rondo.data.Table.open(opt.valid, { columns = { "label", "text" } }))
tok:fit(train.text)                                    -- id 0 is padding, 1.. are tokens
local labels = rondo.data.Labels.from(train.label)

local function batches(t, shuffle)                     -- pads to the longest of a batch; similar
  return rondo.data.Batches { x = tok:encode_all(t.text, { max_len = opt.max_len }),
    y = labels:encode_all(t.label), batch_size = opt.batch_size,
    shuffle = shuffle, bucket_by_length = true }       -- lengths share one, so little is padded
end

local model = rondo.Sequential {
  rondo.Embedding { #tok.vocab, 100 },  -- the mask follows the data from here
  rondo.Bidirectional { rondo.LSTM { hidden_size = opt.hidden_size, return_sequences = false } },
  rondo.Dropout { 0.5 },
  rondo.Linear { #labels },
}
print(model)
local trainer = rondo.Trainer { options = opt, model = model, loss = rondo.CrossEntropyLoss(), tokenizer = tok,
  labels = labels, optimizer = rondo.optim.Adam { lr = opt.lr }, metrics = { "accuracy", "f1" } }
trainer:fit(batches(train, true), batches(valid))

local p = model:predict(tok:encode "not bad at all"):softmax(-1)
for i, name in labels:each() do print(("%-10s %.3f"):format(name, p[{ 1, i }])) end
