-- parity.lua - is the number of ones odd? Trained on short sequences, asked about long ones.
--   rondo run scripts/parity.lua                                 (vanilla)
--   rondo run scripts/parity.lua --cell lstm
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"

local opt = rondo.args { "Parity of sequences longer than any it was trained on (Deletang et al. 2023).",
  cell = { "vanilla", choices = rondo.plugins.cells, help = "recurrent cell" },
  seq_len = { 40, min = 2, help = "longest sequence trained on; lengths are 1 to this" },
  test_len = { 500, min = 2, help = "longest sequence asked about; lengths are seq_len + 1 to this" },
  hidden_size = { 32, min = 1, max = 65536, help = "width of the state" },
  batch_size = { 64, min = 1, help = "sequences of an update, all of one length" },
  lr = { 3e-3, min = 0, max = 1000, help = "learning rate of Adam" },
  clip = { 1.0, min = 0, help = "largest norm of the gradient" },
  max_steps = { 10000, min = 1, help = "updates at most" },
}

rondo.manual_seed(opt.seed)
local function sequences(split, batches, shortest, longest)
  return rondo.data.tasks.Parity { split = split, min_len = shortest, seq_len = longest, batch_size = opt.batch_size,
    batches = batches }
end

local model = rondo.Sequential {
  rondo.RNN { cell = opt.cell, input_size = 1, hidden_size = opt.hidden_size, return_sequences = false },
  rondo.Linear { 1 } }
local trainer = rondo.Trainer { options = opt, model = model, loss = rondo.BCEWithLogitsLoss(),
  optimizer = rondo.optim.Adam { lr = opt.lr }, clip_grad_norm = opt.clip, metrics = { "accuracy" } }
trainer:on("evaluate_end", function(self, facts)
  if facts.val_loss < 1e-3 then
    self:stop "the loss is below 0.001"
  end
end)
trainer:fit(sequences("train", 200, 1, opt.seq_len), sequences("valid", 40, 1, opt.seq_len))

local short = trainer:evaluate(sequences("test", 40, 1, opt.seq_len))
local long = trainer:evaluate(sequences("test", 80, opt.seq_len + 1, opt.test_len))
print(("parity: sequences of 1 to %d bits to train on, of %d to %d in the test"):format(opt.seq_len, opt.seq_len + 1,
  opt.test_len))
print("                           right     loss (guessing: 0.6931)")
print("  guessing                 50.00 %")
print("  Deletang et al. 2023     RNN and LSTM 100 %, transformer 52.3 %   table 1: tested on 41 to 500 bits")
print(("  %-14s 1 to %3d  %6.2f %%   %.4f   %d parameters, %d updates of %d sequences"):format(opt.cell, opt.seq_len,
  100 * short.accuracy, short.loss, model:parameter_count(), trainer.step, opt.batch_size))
print(("  %-14s %d to %d %6.2f %%   %.4f"):format("", opt.seq_len + 1, opt.test_len, 100 * long.accuracy, long.loss))
