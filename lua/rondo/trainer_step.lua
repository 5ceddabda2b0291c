-- trainer_step.lua - what a Trainer does in one update: batches, gradients, the optimizer's step.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local evaluation = require "rondo.trainer_evaluation"
local random = require "rondo.random"
local release_states = require("rondo.sequential").release_states

local step = {}

-- Trains on one batch: outputs, loss, gradients, which are added to those that are there. batch: x, y, how, weight and
-- states (or nil), stateful, share (nil: 1) of the update. Returns the loss's sum, its count, and the states after.
-- This is the seam for long sequences (run in segments: borders first, then backward from the last segment):
-- nothing outside knows how a batch is played.
function step:train_step(batch)
  local y, after = self:forward(batch)
  local loss, sum, count = self.loss(y, batch.y, self.weight_of(batch, y))
  if not sum then
    sum, count = loss:item(), 1
  end
  if sum ~= sum or sum == math.huge or sum == -math.huge then
    self:diverged("the loss")
  end
  local penalty = self.model:penalty()
  local whole = penalty == 0 and loss or loss + penalty -- what is reported is the loss alone
  whole:backward(batch.share)
  loss:release()
  if not rawequal(y, batch.x) then
    y:release()
  end
  return sum, count, after
end

-- Clips, checks and applies the gradients; returns their norm.
function step:update()
  local norm, bad = core.clip_grad_norm(self.parameters, self.clip_grad_norm or 0)
  if bad then
    self:diverged(("the gradient of '%s'"):format(self.names[bad]))
  end
  if self.clip_grad_value then
    core.clip_grad_value(self.parameters, self.clip_grad_value)
  end
  local kept, scalars = self:kept_before_update(norm)
  self.optimizer:step()
  if kept then
    self:check_update(kept, scalars)
  end
  if self.ema then
    self.average:update()
  end
  self.step = self.step + 1
  if self.schedule then
    self.schedule:set(self.step)
  end
  return norm
end

-- Batch number `index` of the update's `n`: the loss's sum and count.
function step:one_batch(source, index, n)
  local x, y, how, weight = source:batch(self.position + 1, self.epoch + 1)
  random.set_update(self.step * self.accumulate + index - 1) -- each batch has dropout masks of its own
  local batch = { x = x, y = y, how = how, weight = weight, states = self.states, stateful = source.stateful,
    share = n > 1 and 1 / n or nil }
  local sum, count, after = self:train_step(batch)
  if source.releases then
    evaluation.release_batch(x, y, how, weight)
  end
  if self.states and not rawequal(self.states, self.begun.states) then
    release_states(self.states)
  end
  self.states, self.position = after, self.position + 1
  return sum, count
end

function step:one_update(source)
  local n = math.min(self.accumulate, #source - self.position)
  local sum, count = 0.0, 0.0
  self:call("on_step_begin", { step = self.step + 1 })
  self.optimizer:zero_grad()
  self.begun = { source = source, position = self.position, epoch = self.epoch, n = n, states = self.states }
  for index = 1, n do
    local batch_sum, batch_count = self:one_batch(source, index, n)
    sum, count = sum + batch_sum, count + batch_count
  end
  self.last_loss = sum / math.max(count, 1)
  self:call("on_gradients", { step = self.step + 1, loss = self.last_loss })
  self.rate = self.optimizer.lr
  self.grad_norm = self:update()
  if self.begun.states then
    release_states(self.begun.states) -- they were kept so that the update could be played again
  end
  self.begun = nil
  local p = self.pending
  p.sum, p.count = p.sum + sum, p.count + count
  p.epoch_sum, p.epoch_count = p.epoch_sum + sum, p.epoch_count + count
  self:after_update(source, count)
end

return step
