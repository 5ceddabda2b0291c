-- trainer_evaluation.lua - what a Trainer does with a model without training it: figures, outputs, validation.
--
-- Where the training keeps averaged weights, all of it is done with them.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local figures = require "rondo.figures"
local metrics = require "rondo.metrics"
local release_states = require("rondo.sequential").release_states
local text = require "rondo.data.text"
local trainer_state = require "rondo.trainer_state"

local evaluation = {}

-- A module of the user's that has no place for what stands beside the input would not miss it.
local function check_takes(model, name)
  local known = debug.getinfo(model[name], "u")
  if known.nparams < 4 and not known.isvararg then
    errors.raise("%s: the batches have lengths, masks or resets, which its %s(x, states) has no place for; define "
      .. "%s(x, states, how) and call its layers with how", model:label(), name, name)
  end
end

-- The model on a batch (x, how, states, stateful): its output, and the carried state after it.
function evaluation:forward(batch)
  local x, states, how = batch.x, batch.states, batch.how
  if how then
    check_takes(self.model, batch.stateful and "advance" or "forward")
  end
  if batch.stateful then
    if not self.model.advance then
      errors.raise("%s carries no state: a stateful source needs a model of library layers or a method "
        .. "advance(x, states)", self.model:label())
    end
    local ahead = not states and self.model:reads_ahead()
    if ahead then
      errors.raise("%s reads both ways: a stateful source, which is read on from batch to batch, needs a model that "
        .. "reads forward", ahead:label())
    end
    return self.model:advance(x, states, how)
  end
  return how and self.model(x, nil, how) or self.model(x), nil
end

local function evaluate_batches(self, source, interruptible)
  local meter, states = metrics.meter(self.metrics, self.loss, source), nil
  for k = 1, #source do
    local x, target, how, weight = source:batch(k, 1)
    local y, after = self:forward { x = x, states = states, how = how, stateful = source.stateful }
    local loss, sum, n = self.loss(y, target, weight)
    meter.add(y, target, weight, sum or loss:item(), n or 1)
    loss:release()
    y:release()
    if source.releases then
      x:release()
      target:release()
    end
    if states then
      release_states(states)
    end
    states = after
    if interruptible and core.interrupted() then
      return nil
    end
  end
  if states then
    release_states(states)
  end
  return meter.facts()
end

-- Runs f with the averaged weights in the model, where the training keeps any.
function evaluation:with_average(f, ...)
  if self.average then
    return self.average:with(f, ...)
  end
  return f(...)
end

function evaluation:evaluate_source(source, interruptible)
  return self:with_average(self.model.evaluating, self.model, evaluate_batches, self, source, interruptible)
end

-- Figures of the model on a source: { loss =, perplexity =, ... }; state starts at its first values.
-- Of a Text: those that `rondo evaluate` prints.
function evaluation:evaluate(source)
  if text.is_text(source) then
    return self:with_average(self.model.evaluate, self.model, source)
  end
  return errors.blame(self.evaluate_source, self, figures.source(source), false)
end

function evaluation:predict(x)
  return self:with_average(self.model.predict, self.model, x)
end

-- Validates and keeps the figures; false if a signal came before the end.
function evaluation:validate(source)
  self:call("on_evaluate_begin", { epoch = self.epoch + 1, step = self.step })
  local facts = self:evaluate_source(source, true)
  self.view:pause()
  if not facts then
    return false
  end
  self.evaluated = self.step
  trainer_state.append(self.history, "valid", { step = self.step, loss = facts.loss })
  self:keep_best(facts)
  self:report_validation(facts)
  local named = { epoch = self.epoch + 1, step = self.step }
  for name, value in pairs(facts) do
    named["val_" .. name] = value
  end
  self.facts = named
  if self.optimizer:validated(facts.loss) then
    self:say(("step %d: the validation does not become better; the weights are averaged from here"):format(self.step))
  end
  self:call("on_evaluate_end", named)
  return true
end

return evaluation
