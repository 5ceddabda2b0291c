-- data/scaler_kinds.lua - of each kind of scaler: options of its own, and the stage that fitting it makes.
--
-- stage(options, seen): seen:moments(stages) and seen:quantile(q) are of a column of the training part behind the
-- stages before and these.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"

local LOW, HIGH = -2.0, 3.0 -- where Box-Cox's lambda is looked for
local ENOUGH = 1e-8

local function affine(shift, scale)
  return { kind = "affine", a = shift, b = scale > 0 and scale or 1.0 } -- a column that does not vary is shifted alone
end

local OFFSET = { name = "offset", kind = "real", def = 0.0, help = "is added first: all values must be above 0 then" }

local kinds = {}

kinds.StandardScaler = { stage = function(_, seen)
  local m = seen:moments()
  return affine(m.mean, m.deviation)
end }

kinds.MinMaxScaler = { stage = function(_, seen)
  local m = seen:moments()
  return affine(m.low, m.high - m.low)
end }

kinds.MeanScaler = { stage = function(_, seen) -- of sizes, as of counts and sales: 0 stays 0
  return affine(0.0, seen:moments().size)
end }

kinds.RobustScaler = { stage = function(_, seen)
  return affine(seen:quantile(0.5), seen:quantile(0.75) - seen:quantile(0.25))
end }

kinds.LogScaler = { options = { OFFSET }, stage = function(o, seen)
  local stage = { kind = "log", a = o.offset }
  seen:moments { stage } -- refuses what has no logarithm
  return stage
end }

kinds.DifferenceScaler = { options = { { name = "lag", kind = "int", def = 1, min = 1, max = 1 << 20,
  help = "rows back: 1, or a season" } }, stage = function(o) return { kind = "difference", a = o.lag } end }

-- The most of a function that has one, by golden sections (Kiefer 1953).
local function most(f, low, high)
  local share = (math.sqrt(5) - 1) / 2
  local a, b = high - share * (high - low), low + share * (high - low)
  local fa, fb = f(a), f(b)
  while high - low > ENOUGH do
    if fa > fb then
      high, b, fb = b, a, fa
      a = high - share * (high - low)
      fa = f(a)
    else
      low, a, fa = a, b, fb
      b = low + share * (high - low)
      fb = f(b)
    end
  end
  return (low + high) / 2
end

-- lambda by maximum likelihood: -n/2 log s2(lambda) + (lambda - 1) sum log y  (Box and Cox 1964, eq. 8)
kinds.BoxCoxScaler = { options = { OFFSET, { name = "lambda", kind = "real", help = "the power; default: the likeliest "
  .. "of -2..3 on the training part" } }, stage = function(o, seen)
  local logs = seen:moments { { kind = "box_cox", a = o.offset, b = 0.0 } }
  local lambda = o.lambda or logs.deviation == 0 and 1.0 or most(function(power)
    local m = seen:moments { { kind = "box_cox", a = o.offset, b = power } }
    return (power - 1) * logs.mean - core.natural_log(m.deviation)
  end, LOW, HIGH)
  return { kind = "box_cox", a = o.offset, b = lambda }
end }

return kinds
