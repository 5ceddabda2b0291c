-- sentiment.lua - many-to-one: the class of a text, from sequences of unequal length.
--   rondo run scripts/sentiment.lua --train films.train.tsv --valid films.valid.tsv       (lines: label, tab, text)
--   rondo run scripts/sentiment.lua --train "$(rondo data get uci_imdb)"                  (a tenth validates)
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"

local opt = rondo.args { "Classifies texts by what they feel like, or by any other label.",
  train = { required = true, help = "TSV: label, text" },
  valid = { help = "TSV like it; without, the last part of train", type = "string" },
  train_share = { 0.9, min = 0.01, max = 0.99, help = "without --valid: the share of train to train on" },
  min_count = { 2, min = 1, help = "rarer words are read as <unk>" },
  max_vocab = { 20000, min = 2, help = "ids in all" },
  max_len = { 200, min = 1, help = "words of a text that are read" },
  cell = { "lstm", choices = rondo.plugins.cells, help = "recurrent cell" },
  embedding_dim = { 64, min = 1, max = 65536, help = "features of a word" },
  hidden_size = { 64, min = 1, max = 65536, help = "width of the state" },
  dropout = { 0.5, min = 0, max = 0.99, help = "of words' features and before the output" },
  weight_decay = { 0.01, min = 0, max = 1000, help = "of all but biases" },
  batch_size = { 32, min = 1, help = "texts side by side" },
  lr = { 3e-3, min = 0, max = 1000, help = "learning rate" },
  ema = { 0.995, min = 0, max = 0.9999999, help = "decay of averaged weights" },
  epochs = 12, run_dir = "runs/sentiment",
}

local function open(path)
  return assert(rondo.data.Table.open(path, { columns = { "label", "text" } }))
end
local train = open(opt.train)
local valid = opt.valid and open(opt.valid)
if not valid then
  train, valid = train:split { opt.train_share, 1 - opt.train_share, shuffle = true }
end
local tok = rondo.data.Tokenizer { level = "word", lowercase = true, punctuation = true, min_count = opt.min_count,
  max_vocab = opt.max_vocab }:fit(train.text)
local labels = rondo.data.Labels.from(train.label)

local function batches(t, shuffle)
  return rondo.data.Batches { x = tok:encode_all(t.text, { max_len = opt.max_len }), y = labels:encode_all(t.label),
    batch_size = opt.batch_size, shuffle = shuffle }
end

local model = rondo.Sequential {
  rondo.Embedding { #tok.vocab, opt.embedding_dim }, -- what follows leaves the padding out
  rondo.Dropout { opt.dropout },
  rondo.Bidirectional { rondo.RNN { cell = opt.cell, hidden_size = opt.hidden_size, return_sequences = false } },
  rondo.Dropout { opt.dropout },
  rondo.Linear { #labels },
}
local trainer = rondo.Trainer { options = opt, model = model, loss = rondo.CrossEntropyLoss(), tokenizer = tok,
  labels = labels, optimizer = rondo.optim.AdamW { lr = opt.lr, weight_decay = opt.weight_decay },
  ema = opt.ema > 0 and opt.ema or nil, clip_grad_norm = 1, metrics = { "accuracy", "f1" },
  callbacks = { rondo.callbacks.Checkpoint { monitor = "val_accuracy", mode = "max" },
    rondo.callbacks.EarlyStopping { monitor = "val_accuracy", mode = "max", patience = 4 } } }
trainer:fit(batches(train, true), batches(valid))

local best, naive = trainer.best, trainer.baselines
print(("validation accuracy %.4f after step %d; %s has %.4f, %s %.4f"):format(best.value, best.step, naive[1].what,
  naive[1].accuracy, naive[2].what, naive[2].accuracy))
