-- sorted.lua - for k, v in rondo.sorted(t): a table in the order of its keys, numbers before texts.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"

local function before(a, b)
  local ta, tb = type(a), type(b)
  if ta ~= tb then
    return ta < tb
  elseif ta == "number" or ta == "string" then
    return a < b
  end
  return tostring(a) < tostring(b)
end

local function sorted(t)
  if type(t) ~= "table" then
    errors.raise("sorted: expected a table, got a %s", type(t))
  end
  local keys, i = {}, 0
  for key in pairs(t) do
    keys[#keys + 1] = key
  end
  table.sort(keys, before)
  return function()
    i = i + 1
    return keys[i], t[keys[i]]
  end
end

return { sorted = sorted }
