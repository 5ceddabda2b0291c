-- loss.lua - losses: callables that return the loss, its exact sum and its count.
--
-- loss(output, target, weight): weight (where a loss takes one) broadcasts to the output; what has weight 0 does
-- not count. Cross-entropy leaves out targets of 0 instead. In place of a weight any loss takes what a model takes
-- beside its input, { lengths = } or { mask = }: the steps that this leaves out do not count.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local heads = require "rondo.forecast.heads"
local mask = require "rondo.mask"
local options = require "rondo.options"

local loss = {}

local REDUCTION = { name = "reduction", kind = "choice", def = "mean", choices = { "mean", "sum", "batch" },
  help = "mean over what counts, sum, or sum over time and mean over the batch" }

-- Target and weight where `how` may say which steps of the output (batch, time, ...) count: ids of the others become 0,
-- else the weight is 0 there. rows: the output has several numbers for each of the target, which are no ids.
function loss.counted(what, output, target, how, rows)
  if type(how) ~= "table" then
    return target, how
  end
  local steps = (mask.given(mask.read(how)))
  if not steps then
    return target, nil
  end
  local counts, ids = core.valid_steps(output, steps, what), target.ndim < output.ndim and not rows
  for d = 3, (ids or rows) and target.ndim or output.ndim do
    counts = counts:unsqueeze(d)
  end
  if ids then
    return target * counts, nil
  end
  return target, counts
end

-- The count of a loss whose output has several numbers for each of the target.
local function count_numbers(_, target, same, weight)
  return core.mse(target, same, "sum", weight)
end

-- own: its options. f(self, output, target, weight) -> loss tensor, sum (nats, errors), count of what counted. output:
-- which of heads.kinds its output is, where it has several numbers for each of the target.
local function loss_class(name, own, f, prepare, output)
  local class = { class_name = name, output = output }
  local specs = table.move(own, 1, #own, 2, { REDUCTION })
  class.__index = class
  class.__name = "rondo." .. name
  class.specs = specs

  local function call(self, y, target, weight)
    target, weight = loss.counted(name, y, target, weight, output)
    return f(self, y, target, weight)
  end

  function class:__call(...)
    return errors.blame(call, self, ...)
  end

  function class:describe()
    local description = { kind = name }
    for _, spec in ipairs(specs) do
      description[spec.name] = self[spec.name]
    end
    return description
  end

  -- For a sequence that comes in parts: the loss of a part, summed; what the sum of all of them is divided by, given
  -- the count of all and the batch's rows; and the count of a part, without its output.
  function class:summed()
    local copy = {}
    for key, value in pairs(self) do
      copy[key] = value
    end
    copy.reduction = "sum"
    return setmetatable(copy, class)
  end

  function class:divisor(all, rows)
    return self.reduction == "mean" and all or self.reduction == "batch" and rows or 1
  end

  function class:count(target, weight)
    target, weight = loss.counted(name, target, target, weight)
    if class.count_ids then
      return class.count_ids(self, target)
    end
    local value, _, n = (output and count_numbers or f)(self, target, target, weight)
    value:release()
    return n
  end

  loss[name] = function(given)
    local self = setmetatable(options.resolve(name, specs, given, { "reduction" }), class)
    if prepare then
      prepare(self)
    end
    return self
  end
  return class
end

local function cross_entropy(self, output, target, weight)
  if weight then
    errors.raise("CrossEntropyLoss: takes no weights of positions; a target of 0 is not counted")
  end
  return core.cross_entropy(output, target, self.reduction, self.label_smoothing, self.weights)
end

-- Numbers become a tensor once; sum and count are weighted then, and nats (metrics) are counted apart.
local function prepare_entropy(self)
  local given = self.class_weights
  for i, w in ipairs(given or {}) do
    if type(w) ~= "number" or not (w >= 0 and w < math.huge) then
      errors.raise("CrossEntropyLoss: class_weights must be numbers at least 0, got %s for class %d", tostring(w), i)
    end
  end
  if given and #given == 0 then
    errors.raise("CrossEntropyLoss: class_weights must be a list with one number for each class")
  end
  self.weights = given and core.tensor(given) or nil
  self.plain = not given and self.label_smoothing == 0
end

-- The ids that are not 0, or the weights of their classes.
local function count_ids(self, target)
  local counts <close> = self.weights and core.embedding(target, self.weights:unsqueeze(2)) or target:ne(0)
  local zero, _, n = core.mse(counts, counts, "sum", counts)
  zero:release()
  return n
end

loss_class("CrossEntropyLoss", {
  { name = "label_smoothing", kind = "real", def = 0.0, min = 0, max = 0.999999,
    help = "share of the target that is spread over all classes" },
  { name = "class_weights", kind = "table", help = "a number for each class; the mean is over them" },
}, cross_entropy, prepare_entropy).count_ids = count_ids

loss_class("MSELoss", {}, function(self, output, target, weight)
  return core.mse(output, target, self.reduction, weight)
end)

loss_class("L1Loss", {}, function(self, output, target, weight)
  return core.l1(output, target, self.reduction, weight)
end)

loss_class("HuberLoss", { { name = "delta", kind = "real", def = 1.0, min = 1e-12, help = "where the square ends" } },
  function(self, output, target, weight)
    return core.huber(output, target, self.reduction, weight, self.delta)
  end)

loss_class("BCEWithLogitsLoss", { { name = "pos_weight", kind = "real", def = 1.0, min = 0, help = "weight of ones" } },
  function(self, output, target, weight)
    return core.bce_with_logits(output, target, self.reduction, weight, self.pos_weight)
  end)

loss_class("CosineLoss", {}, function(self, output, target, weight)
  if weight and weight.ndim == output.ndim and weight:size(-1) == 1 then
    weight = weight:squeeze(-1) -- of a step, not of its features
  end
  return core.cosine_loss(output, target, self.reduction, weight)
end)

-- ---- forecasts: several numbers say what is expected of each value of the target ---------------------------------

-- Target (..., H), output (..., H, P) or (..., H P), of which P numbers stand together.
local function likelihood_loss(name, kind, own, quantiles_of)
  loss_class(name, own, function(self, output, target, weight)
    local quantiles = quantiles_of(self)
    local y = heads.spread(name, output, target, heads.width(kind, quantiles))
    if self.positive and self.positive ~= "given" then
      y = heads.numbers(kind, y, quantiles, self.positive)
    end
    return core.likelihood_loss(y, target, kind, self.reduction, weight, quantiles)
  end, quantiles_of, kind)
end

likelihood_loss("QuantileLoss", "quantiles", { { name = "quantiles", kind = "table",
  help = "levels, ascending; default: { 0.1, 0.5, 0.9 }" }, { name = "ascending", kind = "bool", def = false,
  help = "the output is the middle one and, before softplus, steps from each to the next: they cannot cross" } },
function(self)
  self.quantiles, self.positive = self.quantiles or heads.DEFAULT, self.ascending and "softplus" or "given"
  return heads.check_quantiles("QuantileLoss", self.quantiles)
end)

local POSITIVE = { name = "positive", kind = "choice", def = "given", choices = { "given", "softplus", "log" },
  help = "how the output has what must be positive: as it is, before softplus, or as its logarithm" }

for name, kind in pairs { GaussianLoss = "gaussian", StudentTLoss = "student_t",
  NegativeBinomialLoss = "negative_binomial" } do
  likelihood_loss(name, kind, { POSITIVE }, function() return nil end)
end

return loss
