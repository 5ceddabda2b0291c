-- trainer_step.lua - what a Trainer does in one update: batches, gradients, the optimizer's step.
--
-- A batch is played at once, or in segments where the option memory asks for it (memory_plan.lua); with the option bptt
-- an update is a window of steps (trainer_bptt.lua).
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local bptt = require "rondo.trainer_bptt"
local errors = require "rondo.errors"
local evaluation = require "rondo.trainer_evaluation"
local figures = require "rondo.figures"
local memory_plan = require "rondo.memory_plan"
local parts = require "rondo.parts"
local random = require "rondo.random"
local release_states = require("rondo.sequential").release_states

local step = {}

-- ---- sequences in parts ---------------------------------------------------------------------------------

-- Row operations sum in storage order: it is to be that of steps, as the library's sources have it.
local function in_sequence_order(source, batch)
  local x = batch.x
  if type(x) == "userdata" and x.ndim > 1 and x.order ~= "sequence" then
    batch.x = x:contiguous "sequence"
    if source.releases then
      x:release()
    end
  end
end

-- Batch k of a source, to be read in parts.
function step:parts_of(source, k, epoch)
  if source.part then
    return parts.of_source(self.model, source, k, epoch)
  end
  local x, y, how, weight = source:batch(k, epoch)
  local batch = { x = x, y = y, how = how, weight = weight, stateful = source.stateful }
  in_sequence_order(source, batch)
  local read = parts.of_batch(self.model, batch, self.per_step)
  read.how = how
  return read
end

function step.release_parts(_, source, read)
  if source.releases and read.x then
    evaluation.release_batch(read.x, read.y, read.how, read.weight)
  end
end

-- The length of segments for a batch, or nil.
function step:segment_of(batch)
  local plan, x = self.planned, batch.x
  if not plan then
    return nil
  elseif batch.parts then
    return plan:segment(batch.parts.steps)
  end
  return type(x) == "userdata" and x.ndim > 1 and plan:segment(x:size(2), x:size(1)) or nil
end

-- Does the model give an output for each step? One step tells.
local function gives_outputs(self, source)
  local x, y, how, weight
  if source.part then
    x, y, how, weight = source:part(1, 1, 1, 1)
  else
    x, y, how, weight = source:batch(1, 1)
  end
  if type(x) ~= "userdata" or x.ndim < 2 then
    errors.raise("Trainer: only batches with one input (batch, time, ...) can be read in parts")
  end
  local output, after = self.model:evaluating(self.model.advance, self.model, x:slice(2, 1, 1))
  local per_step = output.ndim > 2
  output:release()
  release_states(after)
  if source.releases or source.part then
    evaluation.release_batch(x, y, how, weight)
  end
  return per_step
end

-- What options bptt and memory need to know before the first update.
function step:prepare_parts(source, what)
  what = what or self.memory and "Trainer: memory" or self.bptt and "Trainer: bptt"
    or source.part and "Trainer: a source with part()"
  if not what then
    return
  end
  parts.check(what, self.model, self.loss)
  self.per_step = gives_outputs(self, source)
  if source.part and not self.per_step then
    errors.raise("Trainer: a source with part() needs a model with an output for each step")
  elseif self.bptt and self.accumulate > 1 then
    errors.raise("Trainer: accumulate adds up whole batches, bptt has updates inside of them; choose one")
  end
end

-- What memory a batch of a source (nil: the one of the last fit) takes, at once and in segments; { steps = 5000,
-- memory = "64MB" } asks for other numbers. Nothing is trained.
function step:plan(source, given)
  return errors.blame(memory_plan.ask, self, source, given)
end

-- ---- batches ----------------------------------------------------------------------------------------------

-- Trains on one batch: outputs, loss, gradients, which are added to those that are there. batch: x, y, how, weight and
-- states (or nil), stateful, share (nil: 1) of the update. Returns the loss's sum, its count, and the states after.
-- Nothing outside knows how a batch is played: at once, or in segments, with the same bits.
function step:train_step(batch)
  local size = self:segment_of(batch)
  if batch.parts or size then
    collectgarbage() -- of a source that does not release them, the batches before this one
    return bptt.in_segments(self, batch, size)
  end
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
  local lr = self.lr_factor and self.optimizer.lr
  if lr then
    self.optimizer.lr = lr * self.lr_factor
  end
  local kept, scalars = self:kept_before_update(norm)
  self.optimizer:step()
  if lr then
    self.optimizer.lr = lr
  end
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
  local batch = { states = self.states, stateful = source.stateful, share = n > 1 and 1 / n or nil }
  if source.part then
    batch.parts = self:parts_of(source, self.position + 1, self.epoch + 1)
  else
    batch.x, batch.y, batch.how, batch.weight = source:batch(self.position + 1, self.epoch + 1)
    if self.planned then
      in_sequence_order(source, batch)
    end
  end
  random.set_update(self.step * self.accumulate + index - 1) -- each batch has dropout masks of its own
  local sum, count, after = self:train_step(batch)
  if source.releases and batch.x then
    evaluation.release_batch(batch.x, batch.y, batch.how, batch.weight)
  end
  if self.states and not rawequal(self.states, self.begun.states) then
    release_states(self.states)
  end
  self.states, self.position = after, self.position + 1
  return sum, count
end

-- The batches of an update, or its window: the loss's sum and count. Gradients are added to those that are there.
function step:play(source, n)
  if self.bptt then
    return bptt.one_window(self, source)
  end
  local sum, count = 0.0, 0.0
  for index = 1, n do
    local batch_sum, batch_count = self:one_batch(source, index, n)
    sum, count = sum + batch_sum, count + batch_count
  end
  return sum, count
end

function step:one_update(source)
  local n = math.min(self.accumulate, #source - self.position)
  self:call("on_step_begin", { step = self.step + 1 })
  self.optimizer:zero_grad()
  self:begin_update(source, n)
  local sum, count = self:play(source, n)
  self.last_loss = figures.mean(sum, count)
  self:call("on_gradients", { step = self.step + 1, loss = self.last_loss })
  self.rate = self.optimizer.lr * (self.lr_factor or 1)
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
