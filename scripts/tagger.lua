-- tagger.lua - many-to-many: a tag for each word, by a network that reads both ways.
--   rondo run scripts/tagger.lua --train "$(rondo data get wnut17 train)" --valid "$(rondo data get wnut17 valid)"
--   rondo run scripts/tagger.lua --train snips.train.tsv --valid snips.valid.tsv --min-count 2    (label, words, tags)
--   echo "Ada lives in London" | rondo run scripts/tagger.lua --from runs/tagger
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"

local opt = rondo.args { "Tags words: names, places, slots of a command.",
  train = { help = "CoNLL columns (word first, tag last), or TSV: label, words, tags", type = "string" },
  valid = { help = "a file like it", type = "string" },
  from = { help = "run folder of a tagger that is trained: tags lines of standard input", type = "string" },
  min_count = { 1, min = 1, help = "rarer words are read as <unk>" },
  lowercase = { true, help = "read letters as small ones" },
  cell = { "lstm", choices = rondo.plugins.cells, help = "recurrent cell" },
  embedding_dim = { 100, min = 1, max = 65536, help = "features of a word" },
  hidden_size = { 64, min = 1, max = 65536, help = "width of the state, each way" },
  num_layers = { 1, min = 1, max = 4096, help = "recurrent layers" },
  dropout = { 0.3, min = 0, max = 0.99, help = "of words' features and before the output" },
  weight_decay = { 0.01, min = 0, max = 1000, help = "of all but biases" },
  batch_size = { 8, min = 1, help = "sentences side by side" },
  lr = { 5e-3, min = 0, max = 1000, help = "learning rate" },
  ema = { 0.98, min = 0, max = 0.9999999, help = "decay of averaged weights" },
  epochs = 20, run_dir = "runs/tagger",
}

local function words_of(line)
  local list = {}
  for word in line:gmatch "%S+" do
    list[#list + 1] = word
  end
  return list
end

if opt.from then
  local model = assert(rondo.load(opt.from)).model
  for line in io.lines() do
    local words = words_of(line)
    local tags = #words > 0 and model.labels:decode(model:predict(words):argmax(-1)) or {}
    for i, word in ipairs(words) do
      print(word .. "\t" .. tags[i])
    end
    print()
  end
  return
elseif not (opt.train and opt.valid) then
  error("give --train and --valid, or --from", 0)
end

local function open(path)
  if not path:find "%.tsv$" then
    return assert(rondo.data.Conll.open(path))
  end
  local rows, data = assert(rondo.data.Table.open(path, { columns = { "label", "words", "tags" } })), { words = {},
    tags = {} }
  for i = 1, #rows do
    data.words[i], data.tags[i] = words_of(rows.words[i]), words_of(rows.tags[i])
  end
  return data
end

local train, valid = open(opt.train), open(opt.valid)
local words = rondo.data.Vocab.from(train.words, { min_count = opt.min_count, lowercase = opt.lowercase, unk = true })
local tags = rondo.data.Vocab.from(train.tags)
local function batches(d, shuffle)
  return rondo.data.Batches { x = words:encode_all(d.words), y = tags:encode_all(d.tags),
    batch_size = opt.batch_size, shuffle = shuffle }
end

local model = rondo.Sequential {
  rondo.Embedding { #words, opt.embedding_dim }, -- what follows leaves the padding out
  rondo.Dropout { opt.dropout },
  rondo.RNN { cell = opt.cell, hidden_size = opt.hidden_size, num_layers = opt.num_layers, bidirectional = true,
    dropout = opt.num_layers > 1 and opt.dropout or 0.0 },
  rondo.Dropout { opt.dropout },
  rondo.Linear { #tags },
}
local trainer = rondo.Trainer { options = opt, model = model, loss = rondo.CrossEntropyLoss(), tokenizer = words,
  labels = tags, optimizer = rondo.optim.AdamW { lr = opt.lr, weight_decay = opt.weight_decay },
  ema = opt.ema > 0 and opt.ema or nil, clip_grad_norm = 1,
  metrics = { "accuracy", rondo.metrics.SpanF1 { tags } },
  callbacks = { rondo.callbacks.Checkpoint { monitor = "val_span_f1", mode = "max" },
    rondo.callbacks.EarlyStopping { monitor = "val_span_f1", mode = "max", patience = 8 } } }
trainer:fit(batches(train, true), batches(valid))

local best, naive = trainer.best, trainer.baselines[1]
print(("validation span F1 %.4f after step %d; the most frequent tag of each word has %.4f (accuracy %.4f)"):format(
  best.value, best.step, naive.span_f1, naive.accuracy))
