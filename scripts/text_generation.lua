-- text_generation.lua - a language model of a text, by characters, words or pieces, beside the n-grams it must beat.
--   rondo run text_generation.lua                            (the King James Bible, from Debian packages)
--   rondo run text_generation.lua --data book.txt --run-dir runs/book
--   rondo run text_generation.lua --data shakespeare.txt --config char_rnn.lua
--   rondo run text_generation.lua --data book.txt --level bpe --vocab-size 2000
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"

local opt = rondo.args { "Language model of a text, with n-grams beside it.",
  data = { help = "text file; without it the King James Bible", type = "string" },
  level = { "char", choices = { "char", "byte", "word", "bpe" }, help = "what a symbol is" },
  vocab_size = { 0, min = 0, help = "ids in all: of bpe 256 bytes and what is merged (0: 1000), of others the most "
    .. "frequent symbols (0: all)" },
  min_count = { 1, min = 1, help = "rarer symbols have no id of their own" },
  lowercase = { false, help = "read letters as small ones" },
  punctuation = { false, help = "level word: punctuation marks are words of their own" },
  unit = { "stream", choices = { "stream", "line", "document" }, help = "what is read from a fresh state; documents "
    .. "are parted by blank lines" },
  valid = { help = "text file to validate on, in place of the last part of the text", type = "string" },
  train_share = { 0.9, min = 0.01, max = 0.99, help = "first part of the text, to train on; the rest validates" },
  cell = { "lstm", choices = rondo.plugins.cells, help = "recurrent cell" },
  cell_option = { {}, help = "option of the cell, as reset=before; `rondo help CELL` lists them (may be repeated)" },
  hidden_size = { 256, min = 1, max = 65536, help = "width of the state" },
  num_layers = { 2, min = 1, max = 4096, help = "recurrent layers" },
  bias = { "one", choices = { "none", "one", "two" }, help = "bias vectors of a line" },
  input = { "auto", choices = { "auto", "onehot", "embedding" }, help = "how a symbol enters; auto: words and "
    .. "pieces by embedding, others one-hot" },
  tied = { false, help = "the output shares the embedding's matrix; --embedding-dim must be --hidden-size" },
  embedding_dim = { 64, min = 1, max = 65536, help = "with --input embedding" },
  dropout = { 0.3, min = 0, max = 0.99, help = "between layers and before the output" },
  init_scale = { 0.0, min = 0, max = 10, help = "initial values uniform within +-this; 0: each layer's own" },
  seq_len = { 100, min = 1, help = "steps of truncated backpropagation" },
  batch_size = { 32, min = 1, help = "stretches of the text side by side" },
  carry_over = { false, help = "keep the state from epoch to epoch" },
  loss = { "mean", choices = { "mean", "sum", "batch" }, help = "reduction; batch: sum over time, mean over rows" },
  optimizer = { "adam",
    choices = { "sgd", "asgd", "rmsprop", "adam", "adamw", "nadam", "adagrad", "adadelta", "lion" } },
  lr = { 3e-3, min = 0, max = 1000, help = "learning rate" },
  alpha = { 0.99, min = 0, max = 1, help = "decay of rmsprop" },
  weight_decay = { type = "real", min = 0, max = 1000, help = "of all but biases; else the optimizer's own" },
  ema = { 0.999, min = 0, max = 0.9999999, help = "decay of averaged weights, as 0.999; 0: off" },
  accumulate = { 1, min = 1, help = "batches of one update" },
  lr_decay = { 0.85, min = 0, max = 1, help = "factor of lr for each epoch after --lr-decay-after" },
  lr_decay_after = { 8, min = 0, help = "epochs at the full rate" },
  clip_norm = { 5.0, min = 0, help = "largest norm of all gradients; 0: off" },
  clip_value = { 0.0, min = 0, help = "largest size of one gradient; 0: off" },
  run_dir = { help = "run folder (default runs/<name of the text>); none: keep nothing", type = "string" },
  epochs = 20,
  patience = { 3, min = 0, help = "epochs without a better validation before it stops; 0: never" },
  sample_length = { 300, min = 0, help = "symbols of the samples; 0: none" },
  json = { false, help = "end with one JSON object on stdout: steps, best validation, n-grams, sample" },
  prompt = { "", help = "what the samples go on from" },
  ngrams = { 5, min = 0, max = 5, help = "largest n of the n-grams; 0: none" },
}

local recurrent = { cell = opt.cell, hidden_size = opt.hidden_size, num_layers = opt.num_layers, bias = opt.bias,
  dropout = opt.dropout }
for _, setting in ipairs(opt.cell_option) do
  local name, value = setting:match "^([%w_-]+)=(.*)$"
  if not name then
    require("rondo.errors").stop(2, ("--cell-option must be NAME=VALUE, got '%s'"):format(setting))
  end
  local words = { ["true"] = true, ["false"] = false }
  local typed = words[value]
  name = name:gsub("-", "_")
  recurrent[name] = typed == nil and (tonumber(value) or value) or typed
end

local NGRAM_SYMBOLS = 20000000
local path = opt.data or assert(rondo.data.kjv())
-- Without a run folder of its own choice a run is kept under the name of its text.
opt.run_dir = opt.run_dir or "runs/" .. path:match("[^/]*$"):gsub("(.)%.[^.]*$", "%1")
if opt.run_dir == "none" then
  opt.run_dir = nil
end
local size = opt.vocab_size > 0 and opt.vocab_size or nil
local text = assert(rondo.data.Text.open(path, { level = opt.level, lowercase = opt.lowercase,
  punctuation = opt.punctuation, min_count = opt.min_count, vocab_size = opt.level == "bpe" and size or nil,
  max_vocab = opt.level ~= "bpe" and size or nil,
  unk = opt.level ~= "bpe" and (size ~= nil or opt.min_count > 1) or nil }))
local train, valid -- the vocabulary is that of the training part
if opt.valid then
  train, valid = text, assert(rondo.data.Text.open(opt.valid, { vocab = text.vocab }))
else
  train, valid = text:split(opt.train_share)
end
local usable, why = text.vocab:encode(opt.prompt)
if not usable then
  require("rondo.errors").stop(2, "--prompt: " .. why)
end
-- Lines are batches of their own; a stream and documents are read on, chunk after chunk.
local batches = { unit = opt.unit, seq_len = opt.seq_len, batch_size = opt.batch_size, stateful = opt.unit ~= "line" }
local valid_batches = valid:sequences(batches)
batches.carry_over = opt.carry_over
local train_batches = train:sequences(batches)

local onehot = opt.input == "onehot" or (opt.input == "auto" and (opt.level == "char" or opt.level == "byte"))
local layers = {
  onehot and rondo.OneHot { #text.vocab } or rondo.Embedding { #text.vocab, opt.embedding_dim },
  rondo.RNN(recurrent),
}
if opt.dropout > 0 then
  layers[#layers + 1] = rondo.Dropout { opt.dropout }
end
if opt.tied and onehot then
  require("rondo.errors").stop(2, "--tied shares an embedding's matrix: it needs --input embedding")
end
layers[#layers + 1] = rondo.Linear { #text.vocab, tied_to = opt.tied and 1 or nil }
local model = rondo.Sequential(layers)

-- char-rnn's initial values: everything uniform, then the forget gate's bias beside x at 1.
if opt.init_scale > 0 then
  rondo.no_grad(function()
    local layer = 0
    for name, p in model:named_parameters() do
      layer = layer + 1
      if p.requires_grad then -- not a constant of the cell
        p:fill_uniform(-opt.init_scale, opt.init_scale, { seed = opt.seed, purpose = "init", layer = 100000 + layer })
      end
      if opt.cell == "lstm" and (name:match "%.f_bx?$") then
        p:fill(1)
      end
    end
  end)
end

local makers = { sgd = "SGD", asgd = "ASGD", rmsprop = "RMSprop", adam = "Adam", adamw = "AdamW", nadam = "NAdam",
  adagrad = "Adagrad", adadelta = "Adadelta", lion = "Lion" }
local optimizer = rondo.optim[makers[opt.optimizer]] { lr = opt.lr, weight_decay = opt.weight_decay,
  alpha = opt.optimizer == "rmsprop" and opt.alpha or nil,
  groups = opt.weight_decay and { { ndim = 1, weight_decay = 0 } } or nil }
local updates_per_epoch = (#train_batches + opt.accumulate - 1) // opt.accumulate

-- What a reader compares with. It is said from within fit(), so that it stands in the run's log, and so that a run
-- folder that will not do is refused before the n-grams are counted.
local baselines = {}
local comparison = {}
function comparison.on_fit_begin(_, trainer)
  trainer:say(("%s: %d symbols, %d different (%s level); %s %d train, %s %d validate"):format(path, #text, #text.vocab,
    opt.level, opt.valid and "all" or "the first", #train, opt.valid and "of " .. opt.valid or "the last", #valid))
  if opt.ngrams > 0 and #text > NGRAM_SYMBOLS then
    trainer:notice(("no n-grams: their tables would be too large for a text of more than %d symbols"):format(
      NGRAM_SYMBOLS))
  elseif opt.ngrams > 0 then
    baselines = rondo.data.ngram.nats(train, valid, opt.ngrams)
    collectgarbage() -- its tables are large, and training makes little garbage
    trainer:say(rondo.data.ngram.table(baselines, nil, valid_batches.chars_per_symbol))
  end
end
function comparison.on_fit_end(_, trainer)
  local best = trainer.best
  if best then
    trainer:say(("on the validation part, after step %d:\n%s"):format(best.step,
      rondo.data.ngram.table(baselines, best.value, valid_batches.chars_per_symbol)))
  end
end

local callbacks = { comparison }
if opt.patience > 0 then
  callbacks[#callbacks + 1] = rondo.callbacks.EarlyStopping { patience = opt.patience }
end
if opt.sample_length > 0 and not opt.quiet then
  callbacks[#callbacks + 1] = rondo.callbacks.Sample { prompt = opt.prompt, length = opt.sample_length }
end

local trainer = rondo.Trainer { options = opt, model = model, vocab = text.vocab,
  loss = rondo.CrossEntropyLoss { reduction = opt.loss }, metrics = { "perplexity", "bits_per_char" },
  optimizer = optimizer, callbacks = callbacks, accumulate = opt.accumulate, ema = opt.ema > 0 and opt.ema or nil,
  schedule = opt.lr_decay < 1 and rondo.optim.StepLR { gamma = opt.lr_decay, step_size = updates_per_epoch,
    decay_after = opt.lr_decay_after * updates_per_epoch } or nil,
  clip_grad_norm = opt.clip_norm > 0 and opt.clip_norm or nil,
  clip_grad_value = opt.clip_value > 0 and opt.clip_value or nil,
}

trainer:fit(train_batches, valid_batches)

local json, sample = require "rondo.json", {}
if opt.sample_length > 0 then
  for piece in model:generate { prompt = opt.prompt, length = opt.sample_length, temperature = 0.8 } do
    sample[#sample + 1] = piece
    if not opt.json then
      io.write(piece)
    end
  end
end
if opt.json then
  local best = trainer.best
  print(json.encode { data = path, run_dir = opt.run_dir, steps = trainer.step, epochs = trainer.epoch,
    parameters = model:parameter_count(), val_loss = best and best.value, best_step = best and best.step,
    val_bits_per_char = best and best.value / math.log(2) / (valid_batches.chars_per_symbol or 1),
    ngrams = baselines, sample = #sample > 0 and json.valid(table.concat(sample)) or nil })
elseif opt.sample_length > 0 then
  print()
end
