-- data/columns.lua - one input or target of many examples: what its entries are, and how some become one tensor.
--
-- Kinds, told by the first entry: `id` integers; `number` floats; `ids` lists of integers, a step each; `numbers` lists
-- of floats, a step each; `vector` tensors (features); `sequence` tensors (time, features). Steps are padded with 0
-- on the right to the longest of a batch; tensors (batch, time, ...) lie in sequence order.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local tensor = require "rondo.tensor"

local columns = {}

local Column = {}
Column.__index = Column

local NAMES = { id = "an id", number = "a number (a float)", ids = "a list of ids", numbers = "a list of numbers",
  vector = "a tensor (features)", sequence = "a tensor (time, features)" }

-- The kind of an entry; an empty list is of either kind of lists.
local function kind_of(value)
  if math.type(value) then
    return math.type(value) == "integer" and "id" or "number"
  elseif type(value) == "table" and (value[1] == nil or math.type(value[1])) then
    return value[1] == nil and "empty" or math.type(value[1]) == "integer" and "ids" or "numbers"
  elseif tensor.is_tensor(value) and (value.ndim == 1 or value.ndim == 2) then
    return value.ndim == 1 and "vector" or "sequence"
  end
  return nil
end

local function shown(value)
  if tensor.is_tensor(value) then
    return "a tensor (" .. table.concat(value:size(), ", ") .. ")"
  elseif type(value) == "table" then
    return value[1] == nil and "an empty list" or "a list of " .. type(value[1]) .. "s"
  end
  return type(value) == "number" and NAMES[kind_of(value)] or "a " .. type(value)
end

local function check_entry(self, what, i, value)
  local kind = kind_of(value)
  if kind == "empty" and (self.kind == "ids" or self.kind == "numbers") then
    return
  elseif kind ~= self.kind then
    errors.raise("%s: entry %d is %s, expected %s like the first", what, i, shown(value), NAMES[self.kind])
  elseif self.features and value:size(-1) ~= self.features then
    errors.raise("%s: entry %d has %d features, the first has %d", what, i, value:size(-1), self.features)
  end
end

-- A column of a list, or of a tensor whose first dimension counts the examples.
function columns.new(list, what)
  if tensor.is_tensor(list) then
    local whole = list
    list = {}
    for i = 1, whole.ndim > 1 and whole:size(1) or 0 do
      list[i] = whole:select(1, i)
    end
  end
  if type(list) ~= "table" or #list == 0 then
    errors.raise("%s: expected a list with an entry for each example, got %s", what, type(list) == "table"
      and "an empty one" or "a " .. type(list))
  end
  local kind
  for i = 1, #list do
    kind = kind_of(list[i])
    if kind ~= "empty" then
      break
    end
  end
  if not kind then
    errors.raise("%s: entry 1 is %s, expected an id, a number, a list of these or a tensor (features) or "
      .. "(time, features)", what, shown(list[1]))
  end
  local self = setmetatable({ list = list, what = what, kind = kind == "empty" and "ids" or kind }, Column)
  self.steps = self.kind == "ids" or self.kind == "numbers" or self.kind == "sequence"
  self.features = (self.kind == "vector" or self.kind == "sequence") and list[1]:size(-1) or nil
  for i = 1, #list do
    check_entry(self, what, i, list[i])
  end
  return self
end

-- Steps of an entry; 1 where it has no time.
function Column:length(i)
  local value = self.list[i]
  return not self.steps and 1 or self.kind == "sequence" and value:size(1) or #value
end

-- Lists side by side, padded: (B, T). Where keep (lists of 0 and 1) has a 0, so has the result.
local function pad_lists(self, rows, longest, keep)
  local values, n = {}, 0
  for _, row in ipairs(rows) do
    local list, kept = self.list[row], keep and keep(row)
    for t = 1, longest do
      n = n + 1
      values[n] = (not kept or kept(t)) and list[t] or 0
    end
  end
  return core.tensor(values, { #rows, longest }, "sequence")
end

local function pad_sequences(self, rows, longest)
  local out = core.zeros({ #rows, longest, self.features }, "sequence")
  for b, row in ipairs(rows) do
    local from = self.list[row]
    if from:size(1) > 0 then
      local place = out:select(1, b)
      place:slice(1, 1, from:size(1)):copy(from)
    end
  end
  return out
end

local function stack_vectors(self, rows)
  local out = core.zeros { #rows, self.features }
  for b, row in ipairs(rows) do
    out:select(1, b):copy(self.list[row])
  end
  return out
end

local function plain(self, rows)
  local values = {}
  for b, row in ipairs(rows) do
    values[b] = self.list[row]
  end
  return self.kind == "id" and core.tensor(values) or core.tensor(values, { #rows, 1 })
end

-- The entries `rows` as one tensor: id (B), number (B, 1), ids (B, T), numbers (B, T, 1), vector (B, F), sequence
-- (B, T, F). Ids of steps for which keep(row)(t) is false become 0.
function Column:batch(rows, keep)
  if not self.steps then
    return self.kind == "vector" and stack_vectors(self, rows) or plain(self, rows)
  end
  local longest = 1
  for _, row in ipairs(rows) do
    longest = math.max(longest, self:length(row))
  end
  if self.kind == "sequence" then
    return pad_sequences(self, rows, longest)
  end
  local out = pad_lists(self, rows, longest, self.kind == "ids" and keep or nil)
  return self.kind == "ids" and out or out:unsqueeze(3)
end

return columns
