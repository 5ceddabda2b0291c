-- data/scalers.lua - StandardScaler, MinMaxScaler, MeanScaler: columns of a series brought to one scale and back.
--
-- All are (x - shift) / scale, column by column, fitted on one part of a series, the training part, alone: fit reads
-- nothing of the others. A column that does not vary has scale 1. Sums are doubles.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local series = require "rondo.data.series"
local tensor = require "rondo.tensor"

local ROWS = 4096 -- read at a time

-- Of each kind: numbers that are kept while values go by, and shift and scale in the end.
local kinds = {}

kinds.StandardScaler = {
  add = function(s, x) -- Welford 1962, "Note on a method for calculating corrected sums of squares and products"
    s.n = s.n + 1
    local d = x - s.mean
    s.mean = s.mean + d / s.n
    s.squares = s.squares + d * (x - s.mean)
  end,
  finish = function(s) return s.mean, math.sqrt(s.squares / s.n) end,
}

kinds.MinMaxScaler = {
  add = function(s, x)
    s.low, s.high = math.min(s.low, x), math.max(s.high, x)
  end,
  finish = function(s) return s.low, s.high - s.low end,
}

kinds.MeanScaler = { -- of sizes, as of counts and sales: 0 stays 0
  add = function(s, x)
    s.n, s.size = s.n + 1, s.size + math.abs(x)
  end,
  finish = function(s) return 0.0, s.size / s.n end,
}

local Scaler = { __name = "rondo.Scaler" }
Scaler.__index = Scaler

function Scaler:__tostring()
  return self.kind .. (self.columns and " of " .. table.concat(self.columns, ", ") or ", not fitted")
end

-- Takes shift and scale of each column from a part of a series; the scaler itself.
function Scaler:fit(part)
  if not series.is_series(part) then
    errors.raise("%s: fit expects a series (rondo.data.Series.from_csv) or a part of one, got a %s", self.kind,
      type(part))
  end
  local kind, sums = kinds[self.kind], {}
  for i = 1, part.num_columns do
    sums[i] = { n = 0, mean = 0.0, squares = 0.0, size = 0.0, low = math.huge, high = -math.huge }
  end
  for from = 1, #part, ROWS do
    for _, row in ipairs(part:values(nil, from, math.min(from + ROWS - 1, #part)):table()) do
      for i, x in ipairs(row) do
        kind.add(sums[i], x)
      end
    end
  end
  self.columns, self.shift, self.scale = part.columns, {}, {}
  self.rows = { first = part.first, last = part.last }
  for i, name in ipairs(part.columns) do
    local shift, scale = kind.finish(sums[i])
    self.shift[name], self.scale[name] = shift, scale > 0 and scale or 1.0
  end
  return self
end

local function check_column(self, name)
  if not self.columns then
    errors.raise("%s: fit it on the training part first", self.kind)
  elseif not self.shift[name] then
    local near = core.nearest(tostring(name), self.columns)
    errors.raise("%s: it was not fitted on a column '%s'%s", self.kind, tostring(name),
      near and (" (did you mean '%s'?)"):format(near) or "; columns are " .. table.concat(self.columns, ", "))
  end
end

-- What the core does with a column in a window (lua/src/windows.c).
function Scaler:stages(name)
  check_column(self, name)
  return { { kind = "affine", a = self.shift[name], b = self.scale[name] } }
end

-- What a checkpoint keeps.
function Scaler:describe()
  return { kind = self.kind, shift = self.shift, scale = self.scale }
end

-- Shift and scale of one column as numbers, of several as tensors along the last dimension of x.
local function numbers_of(self, x, wanted)
  if not self.columns then
    errors.raise("%s: fit it on the training part first", self.kind)
  elseif not tensor.is_tensor(x) then
    errors.raise("%s: expected a tensor of values, got a %s", self.kind, type(x))
  end
  local names = type(wanted) == "string" and { wanted } or wanted or self.columns
  local shift, scale = {}, {}
  for i, name in ipairs(names) do
    check_column(self, name)
    shift[i], scale[i] = self.shift[name], self.scale[name]
  end
  if type(wanted) == "string" then
    return shift[1], scale[1]
  elseif x.ndim == 0 or x:size(-1) ~= #names then
    errors.raise("%s: the last dimension of values must be the %d columns %s, got %s", self.kind, #names,
      table.concat(names, ", "), x.ndim == 0 and "no dimensions" or tostring(x:size(-1)))
  end
  return core.tensor(shift), core.tensor(scale)
end

-- Values of the columns (nil: all that were fitted) on the common scale. Of one column, x has any shape.
function Scaler:transform(x, wanted)
  local shift, scale = numbers_of(self, x, wanted)
  return (x - shift) / scale
end

-- And back in the unit of the columns.
function Scaler:inverse(x, wanted)
  local shift, scale = numbers_of(self, x, wanted)
  return x * scale + shift
end

local scalers = {}
for name in pairs(kinds) do
  scalers[name] = function() return setmetatable({ kind = name }, Scaler) end
end
return scalers
