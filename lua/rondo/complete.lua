-- complete.lua - what can follow a name that was begun, for the prompt: fields and methods, without calling anything.
-- SPDX-License-Identifier: MIT
local complete = {}

local KEYWORDS = { "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in",
  "local", "nil", "not", "or", "repeat", "return", "then", "true", "until", "while" }

local function add_keys(value, into)
  if type(value) == "table" then
    for key in pairs(value) do
      if type(key) == "string" and key:find "^%a[%w_]*$" then
        into[key] = true
      end
    end
  end
end

-- Names that value.NAME or value:NAME may be.
local function names_in(value)
  local names, meta = {}, debug.getmetatable(value)
  add_keys(value, names)
  local index = type(meta) == "table" and meta.__index
  add_keys(index, names)
  for i = 1, type(index) == "function" and 2 or 0 do -- a tensor's methods are with the function that looks them up
    local _, methods = debug.getupvalue(index, i)
    add_keys(methods, names)
  end
  return names
end

-- The value of a path like rondo.optim, or nil.
local function value_of(path, env)
  local value = env
  for name in path:gmatch "[^.:]+" do
    local ok, inner = pcall(function() return value[name] end)
    if not ok or inner == nil then
      return nil
    end
    value = inner
  end
  return value
end

-- What to insert after `text` (the line before the cursor), and the names to show if several could follow.
function complete.at(text, env)
  local word = text:match "[%a_][%w_.:]*$" or ""
  local path, begun = word:match "^(.*)[.:]([%w_]*)$"
  begun = begun or word
  local value = value_of(path or "", env)
  local names = value ~= nil and names_in(value) or {}
  for _, keyword in ipairs(path and {} or KEYWORDS) do
    names[keyword] = true
  end
  local found = {}
  for name in pairs(names) do
    if name:sub(1, #begun) == begun and (begun ~= "" or name:sub(1, 1) ~= "_") then
      found[#found + 1] = name
    end
  end
  table.sort(found)
  if #found == 0 or (begun == "" and not path) then
    return nil
  end
  local first, last, n = found[1], found[#found], #begun
  while n < #first and first:byte(n + 1) == last:byte(n + 1) do
    n = n + 1
  end
  local insert = first:sub(#begun + 1, n)
  return insert, insert == "" and #found > 1 and table.concat(found, "  ") or nil
end

return complete
