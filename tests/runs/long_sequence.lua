--[[ long_sequence.lua - trains on one sequence of many steps within a budget, and says what memory and time it took.

usage: lua5.4 tests/runs/long_sequence.lua T H B BUDGET LIMIT_MB [updates]

The source makes its steps as they are asked for, so that nothing of the length of the sequence is in memory but the
borders of its segments. Fails where the resident memory of the whole process was ever above LIMIT_MB, where what was
asked of the pool was above the budget or more than a tenth from the plan, or where the loss does not fall.
SPDX-License-Identifier: MIT ]]
local rondo = require "rondo"
local core = require "rondo.core"

local T, H, B, budget, limit, updates = tonumber(arg[1]), tonumber(arg[2]), tonumber(arg[3]), arg[4], tonumber(arg[5]),
  tonumber(arg[6] or 2)
local KINDS, LAG = 50, 3

-- Symbol t of row b: of no period, and the same whenever it is asked for.
local function symbol(b, t)
  return t < 1 and 1 or 1 + (t * t * 31 + t * 17 * b + (t >> 3) * b * b) % KINDS
end

local source = setmetatable({ symbol_name = "step" }, { __len = function() return 1 end })
function source.steps() return T end
function source.part(_, _, _, from, to)
  local x, y = {}, {}
  for b = 1, B do
    local read, wanted = {}, {}
    for t = from, to do
      read[t - from + 1], wanted[t - from + 1] = symbol(b, t), symbol(b, t - LAG)
    end
    x[b], y[b] = read, wanted
  end
  local dense_x <close> = rondo.tensor(x)
  local dense_y <close> = rondo.tensor(y)
  return dense_x:contiguous "sequence", dense_y:contiguous "sequence"
end

local function highest()
  local file <close> = assert(io.open "/proc/self/status")
  return tonumber(file:read("a"):match "VmHWM:%s*(%d+)") / 1024
end

rondo.manual_seed(1)
local model = rondo.Sequential { rondo.Embedding { KINDS, 32 }, rondo.LSTM { H }, rondo.Linear { KINDS } }
local trainer = rondo.Trainer { model = model, loss = rondo.CrossEntropyLoss(), quiet = true, max_steps = updates,
  optimizer = rondo.optim.Adam { lr = 5e-3 }, memory = budget }
local losses, start, seconds = {}, nil, 0
trainer:on("step_begin", function()
  collectgarbage()
  core.new_peaks()
  start = core.time()
end)
trainer:on("step_end", function(_, facts)
  losses[#losses + 1], seconds = facts.loss, core.time() - start
end)
trainer:fit(source)
local plan, seen = trainer.planned:of(), core.memory().asked_peak
print(tostring(trainer.planned))
print(("seen: %.1f MB asked of the pool, %.1f MB resident at most, %.1f s an update, losses %s"):format(seen / 2 ^ 20,
  highest(), seconds, table.concat(losses, " ")))
local planned = plan.segment and plan.segment.bytes or plan.whole
assert(seen <= plan.budget, "over the budget")
assert(math.abs(planned / seen - 1) < 0.1, "the plan said " .. planned)
assert(highest() < limit, "over the limit")
assert(losses[#losses] < losses[1], "the loss does not fall")
