-- 7_loop.lua - what a user writes: run as it stands by tests/runs. SPDX-License-Identifier: MIT
-- The training loop by hand: loss, gradients, clipping, a schedule, a checkpoint.
local rondo = require "rondo"
rondo.manual_seed(1)

local model <close> = rondo.Sequential { rondo.LSTM { input_size = 2, hidden_size = 32, return_sequences = false },
                                       rondo.Linear { 1 } }
local opt   = rondo.optim.SGD(model:parameters(), { lr = 0.1, momentum = 0.9 })
local sched = rondo.optim.CosineLR(opt, { total_steps = 500, warmup_steps = 50 })
local mse   = rondo.MSELoss()

local function adding_problem(batch, time)             -- the sum of the two marked numbers
  local x, y = rondo.rand(batch, time, 2), rondo.zeros(batch, 1)
  x:select(3, 2):fill(0)                               -- dimensions and positions count from 1
  for b = 1, batch do
    local i, j = math.random(1, time // 2), math.random(time // 2 + 1, time)
    x[{ b, i, 2 }], x[{ b, j, 2 }] = 1, 1
    y[{ b, 1 }] = x[{ b, i, 1 }] + x[{ b, j, 1 }]
  end
  return x, y
end

model:train()
for step = 1, 500 do
  local x, y = adding_problem(64, 30)
  opt:zero_grad()
  local loss = mse(model(x), y)
  loss:backward()
  for name, p in model:named_parameters() do           -- p.grad is a tensor like p
    if step % 100 == 0 then print(name, table.concat(p:size(), "x"), p.grad:norm()) end
  end
  local norm = rondo.clip_grad_norm(model:parameters(), 1)
  opt:step(); sched:step()
  if step % 50 == 0 then
    print(("step %4d  loss %.5f  |g| %.3f  lr %.4f"):format(step, loss:item(), norm, opt.lr))
  end
end
assert(rondo.save("adding.h5", { model = model, optimizer = opt, step = 500 }))
local ckpt = assert(rondo.load "adding.h5")
print(ckpt.step, ckpt.model)
