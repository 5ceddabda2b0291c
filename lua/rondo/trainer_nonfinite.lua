-- trainer_nonfinite.lua - what a Trainer does when a number is no longer finite.
--
-- Looking costs nothing until then: the loss is a number that is there, and the norm pass over the gradients sees
-- what is not finite. An optimizer's own numbers can only overflow where gradients or the rate are huge; then, and only
-- then, they are looked at too. What was computed first is found by playing the update again (diagnose/search.lua),
-- written down in a capsule (diagnose/capsule.lua), and the run ends with status 4 or goes back to its last checkpoint.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local tensor = require "rondo.tensor"
local release_states = require("rondo.sequential").release_states
local trainer_state = require "rondo.trainer_state"

local nonfinite = {}

-- Beyond this the square of a gradient, which optimizers keep, may overflow.
local HUGE = core.real == "double" and 1e150 or 1e15
local BACK = {} -- thrown by a step that is to be tried again

-- ---- what an update begins with ------------------------------------------------------------------------------

local function copied(states)
  if tensor.is_tensor(states) then
    return states:clone()
  elseif type(states) ~= "table" then
    return states
  end
  local copy = {}
  for key, value in pairs(states) do
    copy[key] = copied(value)
  end
  return copy
end
nonfinite.copied_states = copied

-- Keeps what it takes to play this update again: whole, where its batches are played at once; else (a window of steps,
-- segments, a source that is read in parts) by the Trainer's own means, from a copy of the states.
function nonfinite:begin_update(source, n)
  local whole = not (self.bptt or source.part or self.planned and self.planned.cuts)
  self.begun = { source = source, position = self.position, epoch = self.epoch, n = n, whole = whole,
    offset = self.offset, tail = self.tail, states = whole and self.states or copied(self.states) }
end

-- ---- noticing -------------------------------------------------------------------------------------------------

-- Weights and slots as they are, where the update may make them overflow: { tensor, copy } by pairs; else nil.
function nonfinite:kept_before_update(norm)
  local clip = self.clip_grad_norm or 0
  norm = clip > 0 and math.min(norm, clip) or norm
  if norm < HUGE and self.optimizer.lr < HUGE then
    return nil
  end
  local kept = {}
  for _, slot in ipairs(self.optimizer.handle:slots()) do
    kept[#kept + 1] = { slot.tensor, slot.tensor:clone() }
  end
  for _, p in ipairs(self.parameters) do
    kept[#kept + 1] = { p, p:detach():clone() }
  end
  return kept, self.optimizer.handle:scalars()
end

-- After the update: ends the run where it has made what is not finite.
function nonfinite:check_update(kept, scalars)
  local search = require "rondo.diagnose.search"
  local trail = search.trail()
  search.after_update(trail, self)
  if #trail == 0 then
    return
  end
  for _, pair in ipairs(kept) do
    tensor.no_grad(pair[1].copy, pair[1], pair[2])
  end
  for name, value in pairs(scalars) do
    self.optimizer.handle:set_scalar(name, value)
  end
  self:diverged(trail[1].tensor, trail)
end

-- ---- finding and telling --------------------------------------------------------------------------------------

local function broken_parameter(self)
  for i, p in ipairs(self.parameters or {}) do
    if not p:is_finite() then
      return ("the parameter '%s'"):format(self.names[i])
    end
  end
end

-- The trail of the update that is under way, and a capsule of it, where there is a run folder.
local function look(self, updated)
  local begun = self.begun
  local search = require "rondo.diagnose.search"
  local trail = (begun.whole and search.update or search.window)(self, begun)
  for _, entry in ipairs(updated or {}) do
    trail[#trail + 1] = entry
  end
  local file
  if self.run and not self.replaying and not begun.source.part then
    file = require("rondo.diagnose.capsule").write(self, begun, trail)
  end
  return trail, file
end

local function message_of(self, what, trail, capsule)
  local kept = self.saved and self.run and (" The last good checkpoint is %s."):format(self.run:file(self.saved))
    or " Nothing was saved before."
  local first = trail[1] and ("; first, %s"):format(require("rondo.diagnose.search").sentence(trail[1])) or ""
  local replay = capsule and (" `rondo replay %s` shows the trail."):format(capsule) or ""
  local advice = self.clip_grad_norm and "Try a smaller lr." or "Try a smaller lr or clip_grad_norm."
  return ("diverged at step %d: %s is not finite%s (lr %.4g, last loss %.4g).%s%s %s"):format(self.step + 1, what,
    first, self.optimizer.lr, self.last_loss or 0 / 0, kept, replay, advice)
end

-- Ends a run whose numbers are no longer finite, or starts it again from its last checkpoint: nothing of this step is
-- saved as a state. what: what was seen; updated: a trail, where the optimizer's step has made it.
function nonfinite:diverged(what, updated)
  if self.searching then
    error(self.searching, 0) -- it is played again to find the trail
  elseif not self.begun then
    return -- a trial, of which the memory counts alone (memory_plan.lua)
  end
  self.view:clear()
  what = not updated and broken_parameter(self) or what
  local ok, trail, capsule = pcall(look, self, updated)
  if not ok then
    self:say(("the batch could not be played again to find the first such number: %s"):format(tostring(trail)))
    trail = {}
  end
  self.trail = trail
  if self.replaying then
    error(BACK, 0)
  end
  local message = message_of(self, what, trail, capsule)
  if self.run then
    self.run:log(message)
  end
  self.failure = message
  if self.on_nonfinite == "rollback" and self.saved and (self.rollbacks or 0) < self.rollback_tries then
    error(BACK, 0)
  end
  errors.stop(errors.DIVERGED, message)
end

-- ---- going back -----------------------------------------------------------------------------------------------

-- Puts the last checkpoint back, with a lower rate: by the factor once more for each time it was this one.
local function roll_back(self)
  local at = self.step + 1
  if self.states then
    release_states(self.states)
  end
  local opened, failure = trainer_state.newest(self)
  local ok, message, code = nil, failure, nil
  if opened then
    ok, message, code = trainer_state.restore(self, opened)
  end
  if not ok then
    errors.stop(code or errors.DATA, ("%s Going back failed: %s"):format(self.failure, tostring(message)))
  end
  self.rollbacks = (self.rollbacks or 0) + 1
  local again = self.rolled and self.rolled.step == self.step
  self.rolled = { step = self.step, times = again and self.rolled.times + 1 or 1 }
  local factor, before = self.rollback_factor ^ self.rolled.times, self.optimizer.lr
  if self.schedule then
    self.schedule.scale = self.schedule.scale * factor
    self.schedule:set(self.step)
  else
    self.optimizer.lr = before * factor
  end
  self.saved, self.unsaved, self.stopping, self.best_due, self.begun = self.step, false, nil, nil, nil
  self.run:reopen_logs(self.step)
  self:notice(("%s Going back to step %d: the rate goes from %.4g to %.4g (%d of at most %d times)."):format(
    self.failure, self.step, before, self.optimizer.lr, self.rollbacks, self.rollback_tries))
  self:call("on_rollback", { step = self.step, from = at, lr = self.optimizer.lr, message = self.failure })
end

-- The loop, begun again from the last checkpoint as often as is asked for.
function nonfinite:guarded(loop, source, valid)
  self.source = source
  if self.on_nonfinite == "rollback" then
    if not self.run then
      errors.raise('Trainer: on_nonfinite = "rollback" goes back to a checkpoint; give run_dir to have any')
    elseif not self.saved then
      self:save()
    end
  end
  while true do
    local results = table.pack(pcall(loop, self, source, valid))
    if results[1] then
      return table.unpack(results, 2, results.n)
    elseif results[2] ~= BACK then
      error(results[2], 0)
    end
    roll_back(self)
  end
end

-- Plays one update that is known to break: its trail, or nil if it does not break.
function nonfinite:broken_update(source)
  self.replaying = true
  local ok, message = pcall(self.one_update, self, source)
  self.replaying = nil
  if not ok and message ~= BACK then
    error(message, 0)
  end
  return not ok and self.trail or nil
end

return nonfinite
