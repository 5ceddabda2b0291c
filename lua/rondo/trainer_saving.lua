-- trainer_saving.lua - checkpoints of a Trainer: when a disk takes them, is slow, or does not.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local callbacks = require "rondo.callbacks"
local errors = require "rondo.errors"
local progress = require "rondo.progress"
local trainer_state = require "rondo.trainer_state"

local saving = {}

local SLOW_SECONDS, SLOW_SHARE = 1, 0.2 -- what is said of a slow disk, once

local function say_slow(self, seconds)
  local now = core.time()
  local since = now - (self.saved_at or self.started)
  if not self.slow and seconds > SLOW_SECONDS and seconds > SLOW_SHARE * since then
    self.slow = true
    self:notice(("saving took %.1f s of the last %.1f s; a larger --save-every saves less often"):format(seconds,
      since))
  end
  self.saved_at = now
end

-- Where the last checkpoint is, for a sentence.
function saving:last_good()
  return self.saved and ("the last checkpoint is %s"):format(self.run:file(self.saved)) or "nothing is saved yet"
end

-- Writes the state (of_best: as best.h5, with averaged weights). Nil, message where there is no room for it on the
-- disk, or in memory for the copy that is written.
local function write(self, of_best)
  local ok, made = pcall(function()
    return of_best and self:with_average(trainer_state.archive, self) or trainer_state.archive(self)
  end)
  if not ok then
    return nil, ("cannot save step %d: %s"):format(self.step, errors.bare(tostring(made)))
  end
  local archive <close> = made
  if of_best then
    return self.run:save_best(archive)
  end
  return self.run:save(archive, self.step)
end

-- Saves this step. A disk that does not take it ends no training: that is said, and the next checkpoint is tried again.
function saving:save()
  if not self.run then
    return true
  end
  local began = core.time()
  local file, message
  do
    local _ <close> = self.view.bar and progress.busy(("saving step %d"):format(self.step)) or nil
    file, message = write(self)
  end
  self.view:pause()
  if not file then
    return nil, message
  end
  self.saved, self.unsaved, self.last_file = self.step, false, file
  say_slow(self, core.time() - began)
  self:call("on_save", { step = self.step, path = file, best = false })
  return true
end

function saving:save_when_due()
  local ok, message = self:save()
  if not ok then
    self:notice(("%s; the training goes on and tries again at the next checkpoint; %s"):format(message,
      self:last_good()))
  end
end

-- Remembers that these figures are the best so far; the file is written when the step is complete.
function saving:keep_best(facts)
  local value = facts[self.monitor:match("^val_(.*)$") or self.monitor]
  if value and callbacks.better(value, self.best and self.best.value, self.monitor_mode, 0) then
    self.best_before = self.best -- what best.h5 holds
    self.best = { value = value, step = self.step }
    self.best_due = true
  end
end

-- Where the disk does not take it, the best is what best.h5 holds, so that a later one that is better is saved.
function saving:save_best()
  if self.best_due and self.run then
    local ok, message = write(self, true)
    self.view:pause()
    if ok then
      self:call("on_save", { step = self.step, path = self.run:best_file(), best = true })
    else
      local value = self.best.value
      self.best = self.best_before
      self:notice(("%s; the best so far, %.4f at step %d, is not kept"):format(message, value, self.step))
    end
  end
  self.best_due, self.best_before = nil, nil
end

return saving
