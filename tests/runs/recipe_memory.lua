--[[ recipe_memory.lua - what the text recipe needs: at most 20 MB of Lua heap, 100 MB resident at the peak.

usage: rondo run tests/runs/recipe_memory.lua [OPTION...]      options of scripts/text_generation.lua

The heap is read at every step, just before the next batch, garbage included; the peak is the system's own
figure for the whole process, n-grams included. And from the third step on no step may ask the system for memory;
the first validation and the first sample may (their shapes are new).
SPDX-License-Identifier: MIT ]]

local rondo = require "rondo"
local core = require "rondo.core"
local HEAP_MB, RESIDENT_MB = 20, 100

local watch = { heap = 0, allocated = 0, steps = 0 }
function watch:on_step_end(trainer)
  self.heap = math.max(self.heap, collectgarbage "count" * 1024 / 1e6)
  self.steps = trainer.step
  local now = core.memory().system_allocations
  if self.steps > 3 then
    self.allocated = self.allocated + now - self.before
  end
  self.before = now
end
function watch:on_evaluate_end() self.before = core.memory().system_allocations end
function watch:on_epoch_end() self.before = core.memory().system_allocations end

local Trainer = rondo.Trainer
rondo.Trainer = function(given)
  given.callbacks = given.callbacks or {}
  table.insert(given.callbacks, watch)
  return Trainer(given)
end
dofile(core.lib_dir() .. "/../../share/rondo/scripts/text_generation.lua")

local _, peak = core.rss()
print(("%d steps: Lua heap at most %.1f MB (allowed: %d), resident at most %.1f MB (allowed: %d), %d allocations in "
  .. "steps from the third on (allowed: 0)"):format(watch.steps, watch.heap, HEAP_MB, peak / 1e6, RESIDENT_MB,
  watch.allocated))
os.exit(watch.heap <= HEAP_MB and peak <= RESIDENT_MB * 1e6 and watch.allocated == 0)
