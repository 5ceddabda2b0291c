-- data/batches.lua - Batches { x =, y =, batch_size =, ... }: examples of unequal length as batches for a Trainer.
--
-- A source is addressed by number, as sequences.lua says: batch(k, epoch) depends on nothing but these, the data and
-- the seed. With a batch come the lengths (or the mask) of its sequences, for the model, and where targets are
-- numbers of every step the weight of each step, for the loss. Targets that are ids need none: 0 does not count.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local buckets = require "rondo.data.buckets"
local columns = require "rondo.data.columns"
local errors = require "rondo.errors"
local expect = require "rondo.expect"
local options = require "rondo.options"
local tensor = require "rondo.tensor"

local specs = {
  { name = "x", kind = "any", required = true, help = "a list of id lists or of tensors (time, features) or "
    .. "(features); or a list of such lists, the inputs of the model" },
  { name = "y", kind = "any", required = true, help = "a list of ids, id lists, numbers (floats), lists of numbers, "
    .. "tensors" },
  { name = "batch_size", kind = "int", def = 32, min = 1, max = 1 << 20, help = "examples side by side" },
  { name = "shuffle", kind = "bool", def = false, help = "a new order each epoch" },
  { name = "bucket_by_length", kind = "bool", def = true,
    help = "examples of similar length share a batch, so that little is padded" },
  { name = "lengths", kind = "table", help = "how many steps of each example count, its first; all" },
  { name = "mask", kind = "table", help = "for each example a list of 0 and 1: which of its steps count" },
}

local Batches = { __name = "rondo.Batches" }
Batches.__index = Batches

function Batches:__len()
  return (self.count + self.batch_size - 1) // self.batch_size
end

function Batches:__tostring()
  return ("%d examples in %d batches of up to %d"):format(self.count, #self, self.batch_size)
end

-- What the numbers of a run depend on.
function Batches:describe()
  return { kind = "batches", examples = self.count, steps = self.steps, batch_size = self.batch_size,
    shuffle = self.shuffle, bucket_by_length = self.bucket }
end

-- Steps of an example that its lengths or its mask leave: a function of t, or nil for all.
local function kept_steps(self, row)
  if self.lengths_given then
    local n = self.lengths_given[row]
    return function(t) return t <= n end
  elseif self.mask_given then
    local mask = self.mask_given[row]
    return function(t) return mask[t] ~= 0 end
  end
end

local function mask_of(self, rows)
  local values, longest = {}, 1
  for _, row in ipairs(rows) do
    longest = math.max(longest, #self.mask_given[row])
  end
  for _, row in ipairs(rows) do
    for t = 1, longest do
      values[#values + 1] = (self.mask_given[row][t] or 0) ~= 0 and 1 or 0
    end
  end
  return core.tensor(values, { #rows, longest }, "sequence")
end

-- { lengths = } or { mask = } as a call of a model takes it. Ids are a mask themselves.
local function what_counts(self, rows, x)
  local first = self.inputs[1]
  if self.mask_given then
    return { mask = mask_of(self, rows) }
  elseif not first.steps then
    return nil
  elseif first.kind == "ids" and not self.lengths_given then
    return { mask = type(x) == "table" and x[1] or x }
  end
  local list = {}
  for b, row in ipairs(rows) do
    list[b] = self.lengths_given and self.lengths_given[row] or first:length(row)
  end
  return { lengths = core.tensor(list) }
end

-- 1 at each step of numbers that counts, 0 elsewhere: (B, T, 1), or nil where targets have no steps or are ids.
local function weight_of(self, rows)
  local target = self.target
  if not target.steps or target.kind == "ids" then
    return nil
  end
  local values, longest = {}, 1
  for _, row in ipairs(rows) do
    longest = math.max(longest, target:length(row))
  end
  for _, row in ipairs(rows) do
    local kept, n = kept_steps(self, row), target:length(row)
    for t = 1, longest do
      values[#values + 1] = t <= n and (not kept or kept(t)) and 1 or 0
    end
  end
  return core.tensor(values, { #rows, longest, 1 }, "sequence")
end

-- Numbers of the examples of batch k of an epoch.
function Batches:rows(k, epoch)
  k, epoch = expect.batch(k, epoch, #self)
  return buckets.batch(self, k, epoch)
end

-- Batch k of an epoch: x (a list of tensors where there are several inputs), y, { lengths | mask = }, weight.
function Batches:batch(k, epoch)
  local rows = self:rows(k, epoch)
  local x = self.inputs[1]:batch(rows)
  if self.several then
    x = { x }
    for i = 2, #self.inputs do
      x[i] = self.inputs[i]:batch(rows)
    end
  end
  local keep = (self.lengths_given or self.mask_given) and function(row) return kept_steps(self, row) end or nil
  return x, self.target:batch(rows, keep), what_counts(self, rows, x), weight_of(self, rows)
end

-- for x, y, info in batches: one epoch from its beginning; the next loop is the next epoch.
function Batches:__call(_, control)
  if control == nil then
    self.cursor = 0
  end
  self.cursor = self.cursor + 1
  if self.cursor > #self then
    self.epoch = self.epoch + 1
    return nil
  end
  local x, y, how, weight = self:batch(self.cursor, self.epoch)
  return x, y, { index = self.cursor, count = #self, epoch = self.epoch, first = self.cursor == 1,
    rows = self:rows(self.cursor, self.epoch), weight = weight, how = how }
end

-- Share of an epoch's steps of x that is padding.
function Batches:padding(epoch)
  local padded, all = 0, 0
  for k = 1, #self do
    local rows = self:rows(k, epoch)
    for _, input in ipairs(self.inputs) do
      local longest = 1
      for _, row in ipairs(rows) do
        longest = math.max(longest, input:length(row))
      end
      for _, row in ipairs(rows) do
        padded, all = padded + longest - input:length(row), all + longest
      end
    end
  end
  return padded / math.max(all, 1)
end

-- ---- making one -----------------------------------------------------------------------------------------

-- A list of lists or of tensors for each input: then x[1] is such a list itself.
local function is_several(x)
  local first = type(x) == "table" and x[1]
  return tensor.is_tensor(first) and first.ndim == 3
    or type(first) == "table" and (type(first[1]) == "table" or tensor.is_tensor(first[1]))
end

local function check_count(self, what, n)
  if n ~= self.count then
    errors.raise("Batches: x has %d examples, but %s has %d", self.count, what, n)
  end
end

local function check_lengths(self, list)
  check_count(self, "lengths", #list)
  for i, n in ipairs(list) do
    local most = self.inputs[1]:length(i)
    if math.type(n) ~= "integer" or n < 0 or n > most then
      errors.raise("Batches: lengths: entry %d must be an integer 0..%d, the steps there are, got %s", i, most,
        tostring(n))
    end
  end
end

local function check_mask(self, list)
  check_count(self, "mask", #list)
  for i, mask in ipairs(list) do
    local steps = self.inputs[1]:length(i)
    if type(mask) ~= "table" or #mask ~= steps then
      errors.raise("Batches: mask: entry %d must be a list of %d numbers, the steps there are, got %s", i, steps,
        type(mask) == "table" and #mask or "a " .. type(mask))
    end
  end
end

local function check_given(self, o)
  if o.lengths and o.mask then
    errors.raise("Batches: lengths and mask say the same; give one of them")
  elseif (o.lengths or o.mask) and not self.inputs[1].steps then
    errors.raise("Batches: %s is of steps, and x has none", o.lengths and "lengths" or "mask")
  elseif o.lengths then
    check_lengths(self, o.lengths)
  elseif o.mask then
    check_mask(self, o.mask)
  end
  self.lengths_given, self.mask_given = o.lengths, o.mask
end

local function new(given)
  local o = options.resolve("Batches", specs, given)
  local several = is_several(o.x)
  local self = setmetatable({ inputs = {}, several = several, batch_size = o.batch_size, shuffle = o.shuffle,
    releases = true, cursor = 0, epoch = 1, symbol_name = "example" }, Batches)
  for i, list in ipairs(several and o.x or { o.x }) do
    self.inputs[i] = columns.new(list, several and ("Batches: x[%d]"):format(i) or "Batches: x")
  end
  self.target = columns.new(o.y, "Batches: y")
  self.count = #self.inputs[1].list
  for i = 2, #self.inputs do
    check_count(self, ("x[%d]"):format(i), #self.inputs[i].list)
  end
  check_count(self, "y", #self.target.list)
  check_given(self, o)
  self.steps = 0
  for i = 1, self.count do
    self.steps = self.steps + self.inputs[1]:length(i)
  end
  self.symbol_name = self.target.steps and "step" or "example"
  self.bucket = o.bucket_by_length
  function self.lengths(list)
    local lengths = {}
    for i, row in ipairs(list) do
      lengths[i] = 0
      for _, input in ipairs(self.inputs) do
        lengths[i] = lengths[i] + input:length(row)
      end
    end
    return lengths
  end
  return self
end

return { Batches = new }
