-- copy_memory.lua - ten symbols to be written after a delay: how much a state keeps. The naive loss beside ours.
--   rondo run scripts/copy_memory.lua                            (T = 100, LSTM with chrono biases)
--   rondo run scripts/copy_memory.lua --cell vanilla
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"

local opt = rondo.args { "Ten symbols, written again after T steps (Arjovsky et al. 2016).",
  cell = { "lstm", choices = rondo.plugins.cells, help = "recurrent cell" },
  seq_len = { 100, min = 2, help = "T, steps between what is read and what is written" },
  hidden_size = { 128, min = 1, max = 65536, help = "width of the state" },
  batch_size = { 50, min = 1, help = "sequences of an update" },
  lr = { 2e-3, min = 0, max = 1000, help = "learning rate of Adam" },
  clip = { 1.0, min = 0, help = "largest norm of the gradient" },
  no_chrono = { false, help = "lstm: without first biases for memories of T steps (Tallec & Ollivier 2018)" },
  max_steps = { 10000, min = 1, help = "updates at most" },
  stop_below = { 1e-3, min = 0, help = "stop where the loss on validation sequences is below" },
}

rondo.manual_seed(opt.seed)
local function sequences(split, batches)
  return rondo.data.tasks.CopyMemory { split = split, seq_len = opt.seq_len, batch_size = opt.batch_size,
    batches = batches }
end

local chrono = opt.cell == "lstm" and not opt.no_chrono and opt.seq_len + 20 or nil
local model = rondo.Sequential { rondo.OneHot { 10 },
  rondo.RNN { cell = opt.cell, hidden_size = opt.hidden_size, chrono = chrono }, rondo.Linear { 9 } }
local trainer = rondo.Trainer { options = opt, model = model, loss = rondo.CrossEntropyLoss(),
  optimizer = rondo.optim.RMSprop { lr = opt.lr, alpha = 0.9 }, clip_grad_norm = opt.clip }
trainer:on("evaluate_end", function(self, facts)
  if facts.val_loss < opt.stop_below then
    self:stop(("the loss is below %g"):format(opt.stop_below))
  end
end)
trainer:fit(sequences("train", 200), sequences("valid", 10))

-- Symbols that are right, of the ten that are asked for.
local test, right, written = sequences("test", 40), 0.0, 0
model:evaluating(function()
  for k = 1, #test do
    local x, y = test:batch(k)
    local hit = model(x):argmax(-1):eq(y):slice(2, opt.seq_len + 11, opt.seq_len + 20)
    right, written = right + hit:sum():item(), written + hit:numel()
  end
end)
local figures = trainer:evaluate(test)
print(("copy memory, T = %d: nats a step on %d sequences never trained on, and symbols that are right"):format(
  opt.seq_len, #test * opt.batch_size))
print(("  all but the symbols known  %.4f    12.5 %%   10 ln 8 / (T + 20)"):format(test.naive))
print("  Bai et al. 2018            LSTM 0.0204, GRU 0.0197, RNN 0.0202   table 1: T = 1000, 16,000 parameters")
print(("  %-26s %.6f %5.1f %%   %d parameters, %d updates of %d sequences"):format(opt.cell, figures.loss,
  100 * right / written, model:parameter_count(), trainer.step, opt.batch_size))
