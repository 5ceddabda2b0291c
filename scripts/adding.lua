-- adding.lua - the adding problem: what a state must carry over hundreds of steps. Published figures beside ours.
--   rondo run scripts/adding.lua                                 (T = 200, GRU)
--   rondo run scripts/adding.lua --cell vanilla --seq-len 600
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"

local opt = rondo.args { "The sum of the two marked numbers among T (Hochreiter & Schmidhuber 1997).",
  cell = { "gru", choices = rondo.plugins.cells, help = "recurrent cell" },
  seq_len = { 200, min = 2, help = "T, steps of a sequence" },
  hidden_size = { 64, min = 1, max = 65536, help = "width of the state" },
  batch_size = { 50, min = 1, help = "sequences of an update" },
  lr = { 2e-3, min = 0, max = 1000, help = "learning rate of Adam" },
  clip = { 1.0, min = 0, help = "largest norm of the gradient" },
  chrono = { 0, min = 0, help = "lstm, gru: first biases for memories of so many steps" },
  max_steps = { 4000, min = 1, help = "updates at most" },
  stop_below = { 5e-4, min = 0, help = "stop where the error on validation sequences is below" },
}

rondo.manual_seed(opt.seed)
local function sequences(split, batches)
  return rondo.data.tasks.Adding { split = split, seq_len = opt.seq_len, batch_size = opt.batch_size,
    batches = batches }
end

local model = rondo.Sequential {
  rondo.RNN { cell = opt.cell, input_size = 2, hidden_size = opt.hidden_size, return_sequences = false,
    chrono = opt.chrono > 0 and opt.chrono or nil },
  rondo.Linear { 1 },
}
local trainer = rondo.Trainer { options = opt, model = model, loss = rondo.MSELoss(),
  optimizer = rondo.optim.Adam { lr = opt.lr }, clip_grad_norm = opt.clip }
trainer:on("evaluate_end", function(self, facts)
  if facts.val_loss < opt.stop_below then
    self:stop(("the error is below %g"):format(opt.stop_below))
  end
end)
trainer:fit(sequences("train", 200), sequences("valid", 20))

local test = sequences("test", 100)
local figures = trainer:evaluate(test)
print(("adding problem, T = %d: mean squared error on %d sequences never trained on"):format(opt.seq_len,
  #test * opt.batch_size))
print(("  always saying 1          %.4f     1/6; Le et al. 2015 and Bai et al. 2018 print 0.1767"):format(test.naive))
print("  Bai et al. 2018          RNN 0.177, LSTM 0.164, GRU 5.3e-5    table 1: T = 600, 70,000 parameters")
print(("  %-24s %.6f   %d parameters, %d updates of %d sequences"):format(opt.cell, figures.loss,
  model:parameter_count(), trainer.step, opt.batch_size))
