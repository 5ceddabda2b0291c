-- annotations.lua - the public interface out of lua/library: names, types of arguments and results, fields of options.
--
-- Types are what they say, parsed: { kind = "name" | "list" | "either" | "literal" | "table" | "function", ... }.
-- SPDX-License-Identifier: MIT
local annotations = {}

local parse_either

local function skip(s)
  s.at = s.text:find("%S", s.at) or #s.text + 1
end

local function take(s, pattern)
  skip(s)
  local found = s.text:match("^" .. pattern, s.at)
  s.at = s.at + #(found or "")
  return found
end

-- { name?: type, [string]: type }
local function parse_fields(s)
  local fields = {}
  while not take(s, "}") do
    local name = take(s, "%b[]") or take(s, "[%w_]+") or error("a field is expected: " .. s.text)
    take(s, "%?")
    if not take(s, ":") then
      error("':' is expected: " .. s.text)
    end
    fields[#fields + 1] = { name = name, type = parse_either(s) }
    take(s, ",")
  end
  return { kind = "table", fields = fields }
end

local function parse_generic(s, name)
  local types = {}
  repeat
    types[#types + 1] = parse_either(s)
  until not take(s, ",")
  take(s, ">")
  return { kind = "map", name = name, key = types[1], value = types[2] }
end

local function parse_one(s)
  if take(s, "{") then
    return parse_fields(s)
  elseif take(s, "%(") then
    local inner = parse_either(s)
    take(s, "%)")
    return inner
  end
  if take(s, "%[") then -- a tuple
    local tuple = { kind = "table", fields = {} }
    repeat
      tuple.fields[#tuple.fields + 1] = { name = ("[%d]"):format(#tuple.fields + 1), type = parse_either(s) }
    until not take(s, ",")
    take(s, "%]")
    return tuple
  end
  local literal = take(s, '%b""')
  if literal then
    return { kind = "literal", value = literal:sub(2, -2) }
  end
  local name = take(s, "[%w_.]+%*?") or error("a type is expected: " .. s.text:sub(s.at))
  if name == "fun" then
    take(s, "%b()")
    if take(s, ":") then
      repeat parse_either(s) until not take(s, ",")
    end
    return { kind = "function" }
  elseif take(s, "<") then
    return parse_generic(s, name)
  end
  return { kind = "name", name = name }
end

local function parse_postfix(s)
  local one = parse_one(s)
  while true do
    if s.text:sub(s.at, s.at + 1) == "[]" then
      s.at, one = s.at + 2, { kind = "list", of = one }
    elseif s.text:sub(s.at, s.at) == "?" then
      s.at, one = s.at + 1, { kind = "either", { kind = "name", name = "nil" }, one }
    else
      return one
    end
  end
end

function parse_either(s)
  local first = parse_postfix(s)
  local all = { kind = "either", first }
  while take(s, "|") do
    all[#all + 1] = parse_postfix(s)
  end
  return #all == 1 and first or all
end

-- The type at the start of a text, and what stands behind it.
function annotations.type(text)
  local s = { text = text, at = 1 }
  local found = parse_either(s)
  return found, text:sub(s.at)
end

local function new_block()
  return { params = {}, results = {} }
end

-- A bare line belongs to what follows it; a @class begins the fields of that name.
local function read_tag(api, block, tag, rest)
  if tag == "class" then
    local name, base = rest:match "^([%w_.]+):?%s*([%w_.]*)"
    api.classes[name] = api.classes[name]
      or { name = name, base = base ~= "" and base or nil, fields = {}, methods = {} }
    block.class = api.classes[name]
  elseif tag == "field" then
    local name, behind = rest:match "^(%b[])%??%s+(.*)$"
    if not name then
      name, behind = rest:match "^([%w_]+)%??%s+(.*)$"
    end
    local kind, help = annotations.type(behind)
    local fields = block.class.fields
    fields[#fields + 1] = { name = name, type = kind, help = help }
  elseif tag == "param" then
    local name, behind = rest:match "^([%w_.]+)%??%s+(.*)$"
    block.params[#block.params + 1] = { name = name, type = annotations.type(behind) }
  elseif tag == "return" then
    block.results[#block.results + 1] = annotations.type(rest)
  elseif tag == "alias" then
    local name, behind = rest:match "^([%w_.]+)%s+(.*)$"
    api.aliases[name] = annotations.type(behind)
  end
end

local function read_function(api, locals, block, path)
  local class, name = path:match "^(%w+):([%w_]+)$"
  local entry = { path = path, name = name or path, params = block.params, results = block.results }
  if class then
    local methods = locals[class].methods
    methods[#methods + 1] = entry
  else
    api.functions[#api.functions + 1] = entry
  end
end

local function read_file(api, path)
  local locals, block, class = {}, new_block(), nil
  for line in io.lines(path) do
    local tag, rest = line:match "^%-%-%-@(%l+)%s+(.*)$"
    local named = line:match "^function ([%w_.:]+)%("
    local own = line:match "^local (%w+) = {}"
    if tag then
      block.class = block.class or class
      read_tag(api, block, tag, rest)
      class = block.class
    elseif named then
      read_function(api, locals, block, named)
      block = new_block()
    elseif own then
      locals[own] = class
      block = new_block()
    elseif line == "" then
      block, class = new_block(), nil
    end
  end
end

-- The whole of a folder: { functions = list, classes = by name, aliases = by name }.
function annotations.read(folder)
  local api = { functions = {}, classes = {}, aliases = {} }
  for _, name in ipairs { "rondo", "options", "series", "forecaster", "diagnose", "plot", "sweep" } do
    read_file(api, ("%s/%s.lua"):format(folder, name))
  end
  return api
end

return annotations
