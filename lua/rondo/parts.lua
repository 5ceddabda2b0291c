-- parts.lua - sequences as parts along time: what a model is to be called with for some of their steps.
--
-- A batch in memory is cut by views. A source that has part(k, epoch, from, to) -> x, y, how, weight and
-- steps(k, epoch) is asked for no more than a part at a time, so that a batch may be larger than memory; lengths that
-- come with a part are counted from its first step and may go beyond its last. Lengths of a cut batch do likewise, and
-- a mask or ids that leave out steps at the ends of rows alone are lengths: rows then lie as in the whole sequence.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local mask = require "rondo.mask"
local module = require "rondo.module"
local random = require "rondo.random"
local tensor = require "rondo.tensor"

local parts = {}

local Parts = {}
Parts.__index = Parts

-- Can the trainer's model be read in parts? `what` begins the message: "Trainer: memory".
function parts.check(what, model, loss)
  if not model.advance then
    errors.raise("%s: %s cannot be read in parts: that needs a model of library layers in one list, or a method "
      .. "advance(x, states)", what, model:label())
  end
  local ahead, why = model:reads_ahead()
  if ahead then
    errors.raise("%s: %s %s, and so cannot be read in parts", what, ahead:label(), why)
  elseif type(loss) ~= "table" or not loss.summed then
    errors.raise("%s: the loss is a %s; whether it adds up over time can be told of the library's losses alone", what,
      type(loss) == "function" and "function" or "class of its own")
  end
end

-- Does a layer of this class lie in the model?
function parts.has(model, class_name)
  if model.class_name == class_name then
    return true
  end
  for _, child in model:children() do
    if parts.has(child, class_name) then
      return true
    end
  end
  return false
end

-- Do its ids say which steps count?
local function masks_its_ids(model, x, stateful)
  local first = module.is_library(model) and model[1] or nil
  return not stateful and x.ndim == 2 and type(first) == "table" and first.masks_ids or false
end

local function as_tensor(value)
  return type(value) == "table" and core.tensor(value) or value
end

-- How the steps of a batch count: lengths as a list, or a mask that has holes; and the resets.
local function read_how(self, how, library)
  local given = how and as_tensor(how.mask)
  given = (library or not rawequal(given, self.x)) and given or nil -- a script's class finds them in the ids
  local lengths = how and as_tensor(how.lengths)
  self.resets = how and as_tensor(how.resets) or nil
  if not lengths and (given or self.ids_mask) then
    lengths = core.leading_steps(given or self.x)
    self.mask = not lengths and given or nil
    self.holes = lengths == nil
  end
  self.lengths = lengths and lengths:table() or nil
end

-- Do rows end before the batch does?
function Parts:is_ragged()
  for _, n in ipairs(self.lengths or {}) do
    if n < self.steps then
      return true
    end
  end
  return self.holes
end

-- The parts of a batch: x, y, how, weight, stateful. per_step: does the model give an output, and has y a target, for
-- each step?
function parts.of_batch(model, batch, per_step)
  if not tensor.is_tensor(batch.x) or batch.x.ndim < 2 then
    errors.raise("Trainer: only a batch with one input (batch, time, ...) can be read in parts")
  end
  local self = setmetatable({ x = batch.x, y = batch.y, weight = batch.weight, per_step = per_step,
    steps = batch.x:size(2), rows = batch.x:size(1), ids_mask = masks_its_ids(model, batch.x, batch.stateful) }, Parts)
  if per_step and (batch.y.ndim < 2 or batch.y:size(2) ~= self.steps) then
    errors.raise("Trainer: x has %d steps, and y %s", self.steps, batch.y.ndim < 2 and "none" or batch.y:size(2))
  end
  read_how(self, batch.how, module.is_library(model))
  self.pooled = not per_step and self:is_ragged() and parts.has(model, "Pool")
  return self
end

-- The dimension of a weight that is time, where the weight has all steps; a weight broadcasts to the target.
local function time_of(self)
  local weight = self.weight
  local d = weight.ndim - (self.y.ndim - 2)
  return self.per_step and d >= 1 and weight:size(d) == self.steps and d or nil
end

local function ask(self, from, to)
  local x, y, how, weight = self.source:part(self.k, self.epoch, from, to)
  if x:size(2) ~= to - from + 1 then
    errors.raise("the source was asked for steps %d to %d, and gave %d of them", from, to, x:size(2))
  end
  local owned = { x, y, weight }
  for _, t in pairs(how or {}) do
    owned[#owned + 1] = tensor.is_tensor(t) and t or nil
  end
  self.rows = x:size(1)
  local holes = false
  if masks_its_ids(self.model, x, self.source.stateful) and not (how and (how.lengths or how.mask)) then
    local lengths = core.leading_steps(x) -- nil where there is a hole
    holes = lengths == nil or lengths:lt(x:size(2)):sum():item() > 0
  end
  return { x = x, y = y, how = how, weight = weight, owned = owned,
    holes = holes or how ~= nil and (how.mask or how.resets) ~= nil }
end

-- The parts of batch k of a source that is asked for them.
function parts.of_source(model, source, k, epoch)
  local self = setmetatable({ source = source, k = k, epoch = epoch, per_step = true, steps = source:steps(k, epoch),
    model = model }, Parts)
  parts.release(ask(self, 1, 1)) -- which tells the rows
  return self
end

-- Steps from..to: { x, y, how, weight }, and what is to be released behind it.
function Parts:part(from, to)
  if self.source then
    return ask(self, from, to)
  end
  if self.pooled and (from > 1 or to < self.steps) then
    errors.raise("Trainer: Pool { \"last\" } sees only the part in which its rows end; in parts let the layer before "
      .. "it give its last output itself: return_sequences = false")
  end
  local part = { owned = {}, holes = self.holes or self.resets ~= nil }
  local function own(t)
    part.owned[#part.owned + 1] = t
    return t
  end
  part.x = own(self.x:slice(2, from, to))
  part.y = self.per_step and own(self.y:slice(2, from, to)) or self.y
  if self.lengths then
    local rest = {}
    for b, n in ipairs(self.lengths) do
      rest[b] = math.max(0, n - from + 1)
    end
    part.how = { lengths = own(core.tensor(rest)) }
  elseif self.mask then
    part.how = { mask = own(self.mask:slice(2, from, to)) }
  end
  if self.resets then
    part.how = part.how or {}
    part.how.resets = own(self.resets:slice(2, from, to))
  end
  local d = self.weight and time_of(self)
  part.weight = d and own(self.weight:slice(d, from, to)) or self.weight
  return part
end

-- What a part's call of the model has in place of a mask: in a model of the library ids are one themselves, but in a
-- stream.
local function reading(model, how, stateful)
  if stateful or not module.is_library(model) then
    return how
  end
  return mask.read(how, mask.AUTO)
end

-- The model over a part that begins `at` steps after the first that this update plays: output and states after.
-- last: the layer of a Sequential to end with.
function parts.advance(model, part, states, how)
  return random.later(how.at, model.advance, model, part.x, states, reading(model, part.how, how.stateful), how.last)
end

function parts.release(part)
  for _, t in pairs(part.owned) do
    t:release()
  end
end

-- Runs f with lengths that may go beyond an input.
function parts.within(f, ...)
  local before = core.parts(true)
  local results = table.pack(pcall(f, ...))
  core.parts(before)
  if not results[1] then
    error(results[2], 0)
  end
  return table.unpack(results, 2, results.n)
end

return parts
