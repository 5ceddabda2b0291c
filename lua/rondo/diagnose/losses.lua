-- diagnose/losses.lua - the loss of a batch, and that of one time step of it alone.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local losses = require "rondo.loss"
local trainer_evaluation = require "rondo.trainer_evaluation"

local parts = {}

-- The loss where none is given: cross-entropy for targets that are ids, else the mean square.
function parts.default(y, target)
  return target.ndim < y.ndim and losses.CrossEntropyLoss() or losses.MSELoss()
end

-- The loss tensor of the whole batch, as the Trainer has it.
function parts.whole(batch, y)
  return (batch.loss(y, batch.y, trainer_evaluation.weight_of(batch, y)))
end

-- Does the output have a time step for each of the batch's?
function parts.has_time(batch, y)
  local x = type(batch.x) == "table" and batch.x[1] or batch.x
  local by_step = y.ndim >= 3 and y:size(2) == x:size(2)
  local target = batch.y
  return by_step and (target == nil or target.ndim >= 2 and target:size(2) == y:size(2))
end

local function at_time(t, k)
  return t and t.ndim >= 2 and t:slice(2, k, k) or t
end

-- At least one target of step k counts?
local function counts(batch, target, weight)
  if batch.entropy then
    return target:ne(0):sum():item() > 0
  end
  return not weight or weight:abs():sum():item() > 0
end

-- The loss of step k alone, or nil where nothing of it counts.
function parts.of_step(batch, y, k)
  local target = at_time(batch.y, k)
  local weight = at_time(trainer_evaluation.weight_of(batch, y), k)
  if target and not counts(batch, target, weight) then
    return nil
  end
  return (batch.loss(y:slice(2, k, k), target, weight))
end

-- At most `most` of the steps 1..n, evenly spread, the last among them.
function parts.times(n, most)
  local list, count = {}, math.min(n, most)
  for i = 1, count do
    list[i] = (i * n + count - 1) // count
  end
  return list
end

-- A tensor of +1 and -1, the same at each call with these numbers (Rademacher; Hutchinson 1990). The random numbers of
-- the script and its layers are not touched.
function parts.signs(rows, width, layer, probe)
  local t = core.zeros { rows, width }
  t:fill_uniform(0, 1, { seed = 1, purpose = "user", layer = layer, update = probe })
  return t:ge(0.5) * 2 - 1
end

return parts
