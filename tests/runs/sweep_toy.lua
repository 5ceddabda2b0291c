-- sweep_toy.lua - thirty updates with three validations, for sweeps to run; `trouble` says what goes wrong at step 12.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local opt = rondo.args { "toy", lr = 1e-2, width = 4, note = "", trouble = "", pause = 0.0, shuffle = true,
  words = {}, max_steps = 30, eval_every = 10, save_every = 5, log_every = 5 }
rondo.manual_seed(opt.seed)
local data = {}
for i = 1, 7 do data[i] = { rondo.randn(4, 5, 3), rondo.randn(4, 1) } end
local trainer = rondo.Trainer { options = opt, loss = rondo.MSELoss(), optimizer = rondo.optim.Adam { lr = opt.lr },
  model = rondo.Sequential { rondo.GRU { 3, opt.width, return_sequences = false, dropout = 0.1 }, rondo.Linear { 1 } },
  schedule = rondo.optim.CosineLR { total_steps = opt.max_steps } }
trainer:on("step_end", function(_, facts)
  require("rondo.core").pause(opt.pause)
  if facts.step == 12 and opt.trouble == "error" then error "it cannot be done" end
  if facts.step == 12 and opt.trouble == "nan" then
    rondo.no_grad(function() trainer.parameters[1]:fill(0 / 0) end)
  end
  if facts.step == 12 and opt.trouble == "kill" then
    local mark = opt.run_dir .. "/killed"
    if not io.open(mark) then
      io.open(mark, "w"):close()
      require("rondo.core").run { "kill", "-KILL", io.open "/proc/self/stat":read "a":match "^%d+" }
    end
  end
end)
trainer:fit(data, data)
print(opt.note)
