-- figures.lua - figures as people read them, and sources of batches in one form.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local tensor = require "rondo.tensor"

local figures = {}

-- A sum over what it is of, which may be weights that are less than 1 together; 0 where nothing counts.
function figures.mean(sum, count)
  return count > 0 and sum / count or 0.0
end

-- Text of a loss with the metrics named: "loss 1.5231 - perplexity 4.59".
function figures.text(facts, prefix, names)
  local parts = { ("%sloss %.4f"):format(prefix, facts.loss) }
  for _, name in ipairs(names) do
    if facts[name] then
      parts[#parts + 1] = ("%s%s %.4g"):format(prefix, name, facts[name])
    end
  end
  return table.concat(parts, " - ")
end

local List = {}
List.__index = List

function List:__len()
  return #self.batches
end

function List:batch(k)
  local batch = self.batches[k]
  local how = { lengths = batch.lengths, mask = batch.mask, resets = batch.resets }
  return batch[1], batch[2], next(how) ~= nil and how or nil, batch[3]
end

-- A source as the Trainer wants it: an object with batch(), or part() (parts.lua), and a length, or a list of { x, y }
-- or { x, y, weight }, with lengths, mask or resets of x by name.
function figures.source(given)
  local own = type(given) == "table" and (given.batch or given.part)
  if type(own) == "function" then
    return given
  elseif type(given) == "table" and type(given[1]) == "table" then
    return setmetatable({ batches = given }, List)
  end
  local what = "a " .. type(given)
  if type(given) == "table" then
    what = given[1] == nil and "an empty table" or ("a list that begins with a %s"):format(tensor.is_tensor(given[1])
      and "tensor" or type(given[1]))
  end
  errors.raise("fit: expected a source of batches (Batches { ... }, text:sequences { ... }) or a list of { x, y }, "
    .. "got %s", what)
end

return figures
