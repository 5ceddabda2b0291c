-- expect.lua - checks of the arguments of functions that take no table of options: a sentence for the wrong ones.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"

local expect = {}

-- A value as messages name it.
local function shown(value)
  if type(value) == "number" then
    return math.type(value) == "integer" and tostring(value) or ("%.14g"):format(value)
  elseif type(value) == "string" then
    return ("%q"):format(value)
  end
  return type(value) == "boolean" and tostring(value) or "a " .. type(value)
end

-- `what`: the function and the argument, as "batch: the number of a batch".
function expect.integer(what, value, low, high)
  local n = type(value) == "number" and math.tointeger(value)
  if not n or n < low or (high and n > high) then
    errors.raise("%s must be an integer %s, got %s", what, high and ("%d..%d"):format(low, high)
      or ("of at least %d"):format(low), shown(value))
  end
  return n
end

function expect.number(what, value)
  if type(value) ~= "number" then
    errors.raise("%s must be a number, got %s", what, shown(value))
  end
  return value
end

-- kind: what type() says.
function expect.kind(what, value, kind)
  if type(value) ~= kind then
    errors.raise("%s must be a %s, got %s", what, kind, shown(value))
  end
  return value
end

-- The number of a batch and of an epoch, as sources take them.
function expect.batch(k, epoch, count)
  return expect.integer("batch: the number of a batch", k, 1, count),
    expect.integer("batch: the epoch", epoch == nil and 1 or epoch, 0)
end

-- Ids as a list: of a number, a list or a tensor.
function expect.ids(what, ids)
  local meta = type(ids) == "userdata" and getmetatable(ids)
  if type(ids) == "table" then
    return ids
  elseif type(ids) == "number" then
    return { ids }
  elseif type(meta) == "table" and meta.__name == "rondo.Tensor" then
    return ids:reshape(ids:numel()):table()
  end
  errors.raise("%s: expected ids, a number, a list or a tensor, got %s", what, shown(ids))
end

return expect
