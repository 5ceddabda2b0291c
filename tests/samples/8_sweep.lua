-- 8_sweep.lua - what a user writes: run as it stands by tests/runs. SPDX-License-Identifier: MIT
-- A sweep over hyper-parameters of another script; each trial is a run of its own.
--   rondo run sweep.lua --jobs 2                        two at a time on this machine
--   rondo run sweep.lua --submit slurm                  one job array: trial i is task i
--   rondo run sweep.lua --report                        table and HTML of what is there
local rondo = require "rondo"
local opt = rondo.args { "Sweep.", trials = 12, out = "runs/sweep", jobs = 1, report = false,
  submit = { "local", choices = { "local", "slurm", "parallel" } } }

local sweep = rondo.Sweep {
  script = "chars.lua", fixed = { data = "book.txt", epochs = 3 },
  space  = { cell = { "lstm", "gru", "mgu" },          -- a list: one of
             hidden_size = { 64, 128, 256 },
             lr = rondo.sweep.loguniform(1e-4, 1e-2),
             dropout = rondo.sweep.uniform(0, 0.5) },
  search = "random", trials = opt.trials, seed = 7,     -- "grid" too; trial i is the same every time
  monitor = "val_loss", mode = "min", out = opt.out }

if not opt.report then
  local failed = sweep:run { jobs = opt.jobs, submit = opt.submit, resume = true }  -- done ones are skipped
  if failed > 0 then warn(("%d trials failed; see %s/*/log.txt"):format(failed, opt.out)) end
end
if opt.submit ~= "local" then return end                -- look again later with --report
local best = assert(sweep:best())
print(("best: trial %d, val_loss %.4f"):format(best.trial, best.val_loss))
for k, v in rondo.sorted(best.params) do print("", k, v) end
sweep:report(opt.out .. "/report.html")
