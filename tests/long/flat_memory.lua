--[[ flat_memory.lua - resident memory stays flat over 100,000 steps of a training loop written by hand.

usage: lua5.4 tests/long/flat_memory.lua [STEPS]

The loop makes tensors at every step and frees none of them by hand: the collector has to be told of native
memory (lua/README.md). What 2,000 steps have needed must do for the rest, but for 2 MiB of slack.
SPDX-License-Identifier: MIT ]]

local rondo = require "rondo"
local steps, warm_up, slack = tonumber(arg[1]) or 100000, 2000, 2 << 20

local function resident_bytes()
  for line in io.lines("/proc/self/status") do
    local kib = line:match("^VmRSS:%s+(%d+) kB")
    if kib then return tonumber(kib) * 1024 end
  end
end

rondo.manual_seed(1)
local model = rondo.Sequential { rondo.LSTM { input_size = 2, hidden_size = 16, return_sequences = false },
                                 rondo.Linear { 1 } }
local optimizer = rondo.optim.SGD(model:parameters(), { lr = 0.1, momentum = 0.9 })
local mse = rondo.MSELoss()
model:train()

local function step()
  local x, y = rondo.rand(16, 10, 2), rondo.zeros(16, 1)
  x:select(3, 2):fill(0)
  for b = 1, 16 do
    local i, j = math.random(1, 5), math.random(6, 10)
    x[{ b, i, 2 }], x[{ b, j, 2 }] = 1, 1
    y[{ b, 1 }] = x[{ b, i, 1 }] + x[{ b, j, 1 }]
  end
  optimizer:zero_grad()
  local loss = mse(model(x), y)
  loss:backward()
  rondo.clip_grad_norm(model:parameters(), 1)
  optimizer:step()
  return loss
end

local before
for n = 1, steps do
  local loss = step()
  if n == warm_up then before = resident_bytes() end
  if n % (steps // 10) == 0 then
    print(("step %6d  loss %.5f  resident %6.1f MiB  Lua %5.2f MiB"):format(n, loss:item(),
      resident_bytes() / 2 ^ 20, collectgarbage "count" / 1024))
  end
end
local grown = resident_bytes() - before
print(("grown by %.2f MiB since step %d (allowed: %.2f)"):format(grown / 2 ^ 20, warm_up, slack / 2 ^ 20))
os.exit(grown <= slack)
