-- forecast/heads.lua - what a forecast of one step is: the numbers of each kind, and how a layer's output becomes them.
--
-- A layer gives numbers without bounds, (..., P) of them for each value to forecast. Quantiles are made from the one
-- nearest the median outward, each by a step of softplus, so that none lies beyond its neighbour whatever the layer
-- says; what must be positive is softplus plus a floor.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"

local heads = {}

heads.kinds = { "point", "quantiles", "gaussian", "student_t", "negative_binomial" }

local FLOOR = 1e-4 -- of scales, on the scale of the model, where targets are about 1
local WIDTHS = { point = 1, gaussian = 2, student_t = 3, negative_binomial = 2 }
heads.DEFAULT = { 0.1, 0.5, 0.9 }

-- How many numbers a kind has.
function heads.width(kind, quantiles)
  return WIDTHS[kind] or #quantiles
end

-- A list of levels, checked; `what` begins the messages.
function heads.check_quantiles(what, list)
  if #list == 0 then
    errors.raise("%s: quantiles must be a list of at least one number, as in { 0.1, 0.5, 0.9 }", what)
  end
  for i, q in ipairs(list) do
    if type(q) ~= "number" or not (q > 0 and q < 1) then
      errors.raise("%s: quantiles are numbers between 0 and 1, got %s", what, tostring(q))
    elseif i > 1 and q <= list[i - 1] then
      errors.raise("%s: quantiles ascend, got %.6g behind %.6g", what, q, list[i - 1])
    end
  end
  return list
end

-- Place of the level nearest 1/2.
function heads.middle(quantiles)
  local best = 1
  for i, q in ipairs(quantiles) do
    best = math.abs(q - 0.5) < math.abs(quantiles[best] - 0.5) and i or best
  end
  return best
end

local function column(x, k)
  return x:slice(-1, k, k)
end

-- Quantiles that do not cross: the middle one as it is, the others by steps of softplus from it. A sum of IEEE numbers
-- with one that is not negative is never below the first, so rounding crosses none either.
local function ascending(raw, quantiles)
  local n, middle, list = #quantiles, heads.middle(quantiles), {}
  list[middle] = column(raw, middle)
  for k = middle + 1, n do
    list[k] = list[k - 1] + column(raw, k):softplus()
  end
  for k = middle - 1, 1, -1 do
    list[k] = list[k + 1] - column(raw, k):softplus()
  end
  return n == 1 and raw or core.concat(list, -1)
end

local function positive(raw, how)
  return how == "log" and raw:exp() or raw:softplus() + FLOOR
end

-- Columns of raw, those of `bounded` made positive and moved up by the number there.
local function bounded(raw, n, moved, how)
  local list = {}
  for k = 1, n do
    list[k] = column(raw, k)
    if moved[k] then
      list[k] = positive(list[k], how) + moved[k]
    end
  end
  return core.concat(list, -1)
end

-- Degrees of freedom lie above 2, where there is a variance.
local MOVED = { gaussian = { [2] = 0 }, student_t = { [2] = 0, [3] = 2 }, negative_binomial = { [1] = 0, [2] = 0 } }

-- The numbers (..., P) of a kind, of numbers without bounds. how: "softplus" (nil) or "log", of positive ones.
function heads.numbers(kind, raw, quantiles, how)
  if kind == "quantiles" then
    return ascending(raw, quantiles)
  elseif kind == "point" then
    return raw
  end
  return bounded(raw, WIDTHS[kind], MOVED[kind], how)
end

-- An output whose last dimension has the numbers of all steps, H * P of them, as (..., H, P) like the target (..., H).
function heads.spread(what, output, target, width)
  if output.ndim ~= target.ndim or target.ndim == 0 then
    return output
  elseif output:size(-1) ~= target:size(-1) * width then
    errors.raise("%s: expected %d numbers for each of %d values, a last dimension of %d or (..., %d, %d), got %d", what,
      width, target:size(-1), target:size(-1) * width, target:size(-1), width, output:size(-1))
  end
  local shape = target:size()
  shape[#shape + 1] = width
  return output:reshape(shape)
end

return heads
