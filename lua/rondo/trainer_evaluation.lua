-- trainer_evaluation.lua - what a Trainer does with a model without training it: figures, outputs, validation.
--
-- Where the training keeps averaged weights, all of it is done with them.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local expect = require "rondo.expect"
local figures = require "rondo.figures"
local loss = require "rondo.loss"
local metrics = require "rondo.metrics"
local module = require "rondo.module"
local parts = require "rondo.parts"
local predict = require "rondo.forecast.predict"
local progress = require "rondo.progress"
local release_states = require("rondo.sequential").release_states
local text = require "rondo.data.text"
local trainer_state = require "rondo.trainer_state"

local SEGMENT = 256 -- steps of a part, where no plan of memory says it

local evaluation = {}

-- A module of the user's that has no place for what stands beside its inputs would not miss it.
local function check_takes(model, name, inputs)
  local known = debug.getinfo(model[name], "u")
  local n = inputs and #inputs or 2
  if known.nparams < n + 2 and not known.isvararg then
    local arguments = inputs and n .. " inputs" or "x, states"
    errors.raise("%s: the batches have lengths, masks or resets, which its %s(%s) has no place for; define "
      .. "%s(%s, how) and call its layers with how", model:label(), name, arguments, name, arguments)
  end
end

-- The model's answer to x, or to the inputs that x is a list of, with how behind it. Ids that are their own mask are
-- told to models of the library alone: a script's class finds them in the ids.
local function call(model, x, how)
  local several = type(x) == "table" and x
  local library = module.is_library(model)
  if how and not library and rawequal(how.mask, several and x[1] or x) then
    how = nil
  elseif how then
    check_takes(model, "forward", several)
  end
  if not several then
    return (model(x, nil, how))
  end
  local inputs = table.move(x, 1, #x, 1, {})
  inputs[#inputs + 1] = how
  return (model(table.unpack(inputs)))
end

-- The model on a batch (x, how, states, stateful): its output, and the carried state after it.
function evaluation:forward(batch)
  local x, states, how = batch.x, batch.states, batch.how
  if self.model.teach and self.model.training then
    self.model:teach(batch.y, batch.weight)
  end
  if batch.stateful then
    if not self.model.advance then
      errors.raise("%s carries no state: a stateful source needs a model of library layers or a method "
        .. "advance(x, states)", self.model:label())
    end
    local ahead, why
    if not states then
      ahead, why = self.model:reads_ahead()
    end
    if ahead then
      errors.raise("%s %s: a stateful source, which is read on from batch to batch, needs a model that reads forward, "
        .. "step by step", ahead:label(), why)
    end
    if how then
      check_takes(self.model, "advance")
    end
    return self.model:advance(x, states, how)
  end
  return call(self.model, x, how), nil
end

-- Gives back the memory of a batch that the source does not keep.
function evaluation.release_batch(x, y, how, weight)
  for _, t in ipairs(type(x) == "table" and x or { x }) do
    t:release()
  end
  y:release()
  if weight then
    weight:release()
  end
  for _, t in pairs(how or {}) do
    if type(t) == "userdata" then -- a list of numbers will do as well
      t:release()
    end
  end
end

-- The weight of a batch's loss (x, y, how, weight), given the output: where the target is a sequence of numbers beside
-- the input, the steps that lengths or a mask leave out do not count. Ids say so themselves, by 0.
function evaluation.weight_of(batch, output)
  local how, x, target = batch.how, batch.x, batch.y
  if batch.weight == nil and how and (how.lengths or how.mask) and type(x) == "userdata" and output.ndim > 2
    and target.ndim == output.ndim and x:size(2) == output:size(2) then
    local _, weight = loss.counted("Trainer", output, target, { lengths = how.lengths, mask = how.mask })
    return weight
  end
  return batch.weight
end

-- Adds batch k to a meter, and to what is gathered of forecasts; returns the states after it.
local function evaluate_batch(self, source, k, states, into)
  local x, target, how, weight = source:batch(k, 1)
  local batch = { x = x, y = target, states = states, how = how, weight = weight, stateful = source.stateful }
  local y, after = self:forward(batch)
  weight = evaluation.weight_of(batch, y)
  local value, sum, n = self.loss(y, target, weight)
  into.meter.add(y, target, weight, sum or value:item(), n or 1)
  value:release()
  if into.gathered then
    into.gathered:add(source:rows(k, 1), x, y)
  end
  y:release()
  if source.releases then
    evaluation.release_batch(x, target, how, weight)
  end
  if states then
    release_states(states)
  end
  return after
end

-- Adds batch k to a meter part by part, where all of it is not to be in memory; returns the states after it.
local function evaluate_in_parts(self, source, k, states, meter)
  local read = self:parts_of(source, k, 1)
  local size = self.planned and self.planned:segment(read.steps, read.rows) or SEGMENT
  for from = 1, read.steps, size do
    local part = read:part(from, math.min(read.steps, from + size - 1))
    local y, after = parts.advance(self.model, part, states, { at = 0, stateful = source.stateful })
    if self.per_step or from + size > read.steps then
      local weight = evaluation.weight_of({ x = part.x, y = part.y, how = part.how, weight = part.weight }, y)
      local value, sum, n = self.loss(y, part.y, weight)
      meter.add(y, part.y, weight, sum, n)
      value:release()
    end
    y:release()
    parts.release(part)
    release_states(states)
    states = after
  end
  self:release_parts(source, read)
  return states
end

-- Is a source to be evaluated in parts: one that gives no more, or where the training has its batches in segments?
local function comes_in_parts(self, source)
  if source.part then
    self:prepare_parts(source)
  end
  return source.part or self.planned and self.planned.cuts
end

-- list: metrics, else the Trainer's; given: what a forecast takes, where source is windows of a series.
local function evaluate_batches(self, source, interruptible, list, given)
  list = list or self.metrics
  local meter, states = metrics.meter(list, self.loss, source), nil
  local gathered = metrics.of_forecasts(list, source)
    and predict.collector(self.model, source, predict.needs(list, given), self.loss)
  local in_parts, into = not gathered and comes_in_parts(self, source), { meter = meter, gathered = gathered }
  local busy <close> = self.view.bar and progress.busy(interruptible and "validating" or "evaluating") or nil
  for k = 1, #source do
    if busy then
      busy:at(k - 1, #source)
    end
    if in_parts then
      states = parts.within(evaluate_in_parts, self, source, k, states, meter)
    else
      states = evaluate_batch(self, source, k, states, into)
    end
    if not source.stateful then
      release_states(states)
      states = nil
    end
    if interruptible and core.interrupted() then
      return nil
    end
  end
  if states then
    release_states(states)
  end
  local facts = meter.facts()
  if meter.counted() == 0 then -- a loss of 0 would be the best there ever was
    errors.raise("%s: nothing of it counts (targets are 0, weights are 0, or lengths are): it has no loss",
      interruptible and "the validation part" or "evaluate")
  end
  return gathered and gathered:figures(list, facts) or facts
end

-- Runs f with the averaged weights in the model, where the training keeps any.
function evaluation:with_average(f, ...)
  expect.kind("with_average: what is run", f, "function")
  if self.average then
    return self.average:with(f, ...)
  end
  return f(...)
end

function evaluation:evaluate_source(source, ...)
  if self.model.take_windows and predict.is_windows(source) then
    self.model:take_windows(source)
  end
  return self:with_average(self.model.evaluating, self.model, evaluate_batches, self, source, ...)
end

-- Figures of the model on a source: { loss =, perplexity =, ... }; state starts at its first values.
-- Of a Text: those that `rondo evaluate` prints. how: { metrics = } in place of the Trainer's, and for windows of a
-- series what a forecast takes; figures of forecasts are on the scale of the data.
function evaluation:evaluate(source, how)
  if text.is_text(source) then
    return self:with_average(self.model.evaluate, self.model, source)
  end
  local list, rest = predict.split(how)
  return errors.blame(self.evaluate_source, self, figures.source(source), false, list and metrics.check(list), rest)
end

-- The model's output for an example or a batch; of windows of a series a Forecast (forecast/predict.lua).
function evaluation:predict(x, how)
  if predict.is_windows(x) then
    return errors.blame(self.with_average, self, predict.windows, self.model, x, how, self.loss)
  end
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
