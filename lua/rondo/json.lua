-- json.lua - writes JSON with sorted keys and 17 digits, so that equal values give equal bytes.
--
-- Reading is dkjson's; a value read back is equal to the one written.
-- SPDX-License-Identifier: MIT
local whole_file = require "rondo.whole_file"

local json = {}

local FILE_BYTES = 16 << 20
local DEPTH = 100 -- of tables in tables, in what is read

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r" }

local function text(value)
  return '"' .. value:gsub('[%c"\\\127]', function(c)
    return escapes[c] or ("\\u%04x"):format(c:byte())
  end) .. '"'
end

-- A number: integers as such; floats with 17 digits; what JSON lacks (inf, nan) as a string.
local function number(value)
  if math.type(value) == "integer" then
    return tostring(value)
  elseif value ~= value or value == math.huge or value == -math.huge then
    return text(tostring(value))
  end
  local digits = ("%.17g"):format(value)
  return digits:find("[%.e]") and digits or digits .. ".0"
end

local encode

local function list(value)
  local parts = {}
  for i = 1, #value do
    parts[i] = encode(value[i])
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function object(value, first)
  local keys, parts, done = {}, {}, {}
  for _, key in ipairs(first or {}) do
    if value[key] ~= nil then
      parts[#parts + 1] = text(key) .. ":" .. encode(value[key])
      done[key] = true
    end
  end
  for key in pairs(value) do
    if not done[key] then
      keys[#keys + 1] = tostring(key)
    end
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    parts[#parts + 1] = text(key) .. ":" .. encode(value[key])
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

-- `first`: keys of the outermost object that come before the others.
function encode(value, first)
  local kind = type(value)
  if kind == "number" then
    return number(value)
  elseif kind == "string" then
    return text(value)
  elseif kind == "boolean" then
    return tostring(value)
  elseif kind == "table" then
    return (#value > 0 or next(value) == nil and not first) and list(value) or object(value, first)
  end
  return "null"
end

json.encode = encode

-- A text of any bytes as one that JSON can hold: what is no UTF-8 becomes U+FFFD.
function json.valid(s)
  local parts, from = {}, 1
  while true do
    local n, bad = utf8.len(s, from)
    if n then
      parts[#parts + 1] = s:sub(from)
      return table.concat(parts)
    end
    parts[#parts + 1] = s:sub(from, bad - 1) .. "\u{FFFD}"
    from = bad + 1
  end
end

-- No deeper than DEPTH, with names for keys: what walks a value may then do so by calling itself.
local function is_sound(value, left)
  if type(value) ~= "table" then
    return true
  end
  if left == 0 then
    return false
  end
  for key, inner in pairs(value) do
    if type(key) == "table" or not is_sound(inner, left - 1) then
      return false
    end
  end
  return true
end

-- A value, or nil and a message. The text may be anybody's.
function json.decode(source)
  local whole, value, after, message = pcall(require("dkjson").decode, source, 1, nil)
  if not whole or not is_sound(value, DEPTH) then
    return nil, ("it is nested more than %d deep, or has tables for keys"):format(DEPTH)
  elseif value == nil then
    return nil, message or "not JSON"
  elseif source:find("%S", after) then
    return nil, "there is something behind its end"
  end
  return value
end

-- The object or list in a file; or nil and a message that names the file.
function json.read(path)
  local source, message = whole_file.read(path, FILE_BYTES)
  if not source then
    return nil, message
  end
  local value
  value, message = json.decode(source)
  if type(value) ~= "table" then
    return nil, ("%s: %s"):format(path, message or "neither an object nor a list")
  end
  return value
end

return json
