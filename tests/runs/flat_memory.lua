--[[ flat_memory.lua - resident memory stays flat over 100,000 steps of a training loop written by hand.

usage: lua5.4 tests/runs/flat_memory.lua [STEPS]

The loop is that of tests/samples/7_loop.lua. It makes tensors at every step and frees none of them by hand:
the collector has to be told of native memory (lua/README.md). What the first tenth of the steps, and 1,000
of them at least, has needed must do for the rest, but for 2 MiB of slack.
SPDX-License-Identifier: MIT ]]

local rondo = require "rondo"
local core = require "rondo.core"
local steps, slack = tonumber(arg[1]) or 100000, 2 << 20
local warm_up = math.max(1000, steps // 10)

rondo.manual_seed(1)
local model <close> = rondo.Sequential { rondo.LSTM { input_size = 2, hidden_size = 32, return_sequences = false },
                                       rondo.Linear { 1 } }
local opt   = rondo.optim.SGD(model:parameters(), { lr = 0.1, momentum = 0.9 })
local sched = rondo.optim.CosineLR(opt, { total_steps = steps, warmup_steps = 50 })
local mse   = rondo.MSELoss()

local function adding_problem(batch, time)
  local x, y = rondo.rand(batch, time, 2), rondo.zeros(batch, 1)
  x:select(3, 2):fill(0)
  for b = 1, batch do
    local i, j = math.random(1, time // 2), math.random(time // 2 + 1, time)
    x[{ b, i, 2 }], x[{ b, j, 2 }] = 1, 1
    y[{ b, 1 }] = x[{ b, i, 1 }] + x[{ b, j, 1 }]
  end
  return x, y
end

model:train()
local before
for step = 1, steps do
  local x, y = adding_problem(64, 30)
  opt:zero_grad()
  local loss = mse(model(x), y)
  loss:backward()
  rondo.clip_grad_norm(model:parameters(), 1)
  opt:step(); sched:step()
  if step == warm_up then
    before = core.rss()
  end
  if step % (steps // 10) == 0 then
    print(("step %6d  loss %.5f  resident %6.2f MiB  Lua %5.2f MiB"):format(step, loss:item(), core.rss() / 2 ^ 20,
      collectgarbage "count" / 1024))
  end
end
local grown = core.rss() - before
print(("grown by %.2f MiB since step %d (allowed: %.2f)"):format(grown / 2 ^ 20, warm_up, slack / 2 ^ 20))
os.exit(grown <= slack)
