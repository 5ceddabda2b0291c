-- 1_chars.lua - what a user writes: run as it stands by tests/runs. SPDX-License-Identifier: MIT
-- Train a character-level language model on a text file, then write a sample.
--   rondo run chars.lua --data book.txt --epochs 20         (Ctrl-C saves and stops)
--   rondo run chars.lua --data book.txt --resume            (goes on from runs/chars)
--   rondo sample runs/chars --prompt "Once " --length 400 --temperature 0.8
local rondo = require "rondo"

local opt = rondo.args { "Character-level language model.",   -- a default gives name and type
  data = { required = true, help = "UTF-8 text file" },
  cell = { "lstm", choices = rondo.plugins.cells },           -- built-in or plugin
  hidden_size = 256, num_layers = 2, dropout = 0.2,
  seq_len = 64, batch_size = 32, epochs = 20, lr = 2e-3,
  run_dir = "runs/chars",                                   -- --seed --threads --resume ... come along
}

local text = assert(rondo.data.Text.open(opt.data, { level = "char" }))
local train, valid = text:split(0.9)

local model = rondo.Sequential {
  rondo.Embedding { #text.vocab, 64 },
  rondo.RNN { cell = opt.cell, hidden_size = opt.hidden_size,
            num_layers = opt.num_layers, dropout = opt.dropout },
  rondo.Linear { #text.vocab },                               -- input sizes are inferred
}

local trainer = rondo.Trainer { options = opt, model = model, vocab = text.vocab,
  loss = rondo.CrossEntropyLoss(), metrics = { "perplexity" },
  optimizer = rondo.optim.Adam { lr = opt.lr }, clip_grad_norm = 5,
  callbacks = { rondo.callbacks.EarlyStopping { monitor = "val_loss", patience = 3 } },
}
trainer:fit(train:sequences { seq_len = opt.seq_len, batch_size = opt.batch_size, stateful = true },
            valid:sequences { seq_len = opt.seq_len, batch_size = opt.batch_size, stateful = true })

for piece in model:generate { prompt = "The ", length = 400, temperature = 0.8 } do
  io.write(piece)
end
print()
