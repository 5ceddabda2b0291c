-- names.lua - a field that a table of the library does not have is a mistake, and the nearest name helps.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"

local names = {}

-- Raises for a field `key` of the table called `label`; `known` are lists (name -> anything) of what it has.
-- Names that begin with _ are asked for by tools that look what a table is: they get nil.
function names.unknown(label, key, ...)
  if type(key) ~= "string" or key:sub(1, 1) == "_" then
    return nil
  end
  local all = {}
  for _, known in ipairs { ... } do
    for name in pairs(known) do
      all[#all + 1] = name
    end
  end
  table.sort(all)
  local near = require("rondo.core").nearest(key, all)
  errors.raise("%s has no '%s'%s", label, key, near and (" (did you mean '%s'?)"):format(near) or "")
end

-- Makes a finished table answer so; returns it.
function names.strict(label, table)
  return setmetatable(table, { __index = function(t, key) return names.unknown(label, key, t) end })
end

return names
