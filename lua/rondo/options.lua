-- options.lua - checks a table of options against a list of what is allowed.
--
-- One list describes the options of one constructor: { name=, kind=, def=, min=, max=, choices=, help=,
-- required= }. A cell's own list comes from its plugin in the same form, so that all messages read alike.
-- Kinds: int real bool choice string table function init any; init: see initial.lua.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local errors = require "rondo.errors"

local options = {}

local function shown(value)
  if type(value) == "string" then
    return ("%q"):format(value)
  elseif type(value) == "number" then
    return math.type(value) == "integer" and tostring(value) or ("%.14g"):format(value)
  end
  return type(value) == "boolean" and tostring(value) or "a " .. type(value)
end

local function range_text(spec)
  local low, high = spec.min, spec.max
  local show = function(x) return ("%.14g"):format(x) end
  if low and high and high < math.huge then
    return (" %s..%s"):format(show(low), show(high))
  elseif low and low > -math.huge then
    return " at least " .. show(low)
  elseif high and high < math.huge then
    return " at most " .. show(high)
  end
  return ""
end

local kinds = {}

function kinds.int(value, spec)
  local n = type(value) == "number" and math.tointeger(value)
  if not n then
    return nil, "an integer" .. range_text(spec)
  elseif (spec.min and n < spec.min) or (spec.max and n > spec.max) then
    return nil, range_text(spec):sub(2)
  end
  return n
end

function kinds.real(value, spec)
  if type(value) ~= "number" or value ~= value then
    return nil, "a number" .. range_text(spec)
  elseif (spec.min and value < spec.min) or (spec.max and value > spec.max) then
    return nil, range_text(spec):sub(2)
  end
  return value + 0.0
end

function kinds.bool(value)
  if type(value) ~= "boolean" then
    return nil, "true or false"
  end
  return value
end

function kinds.choice(value, spec)
  for _, choice in ipairs(spec.choices) do
    if value == choice then
      return value
    end
  end
  local near = type(value) == "string" and core.nearest(value, spec.choices)
  local list = '"' .. table.concat(spec.choices, '", "') .. '"'
  return nil, ("one of %s%s"):format(list, near and (' (did you mean "%s"?)'):format(near) or "")
end

for _, name in ipairs { "string", "table", "function" } do
  kinds[name] = function(value)
    if type(value) ~= name then
      return nil, "a " .. name
    end
    return value
  end
end

function kinds.init(value, spec)
  return require("rondo.initial").check(value, spec)
end

function kinds.any(value)
  return value
end

-- Checks one value: the value in its kind, or nil and what it must be.
function options.check(value, spec)
  return kinds[spec.kind](value, spec)
end

local function names_of(specs)
  local names = {}
  for i, spec in ipairs(specs) do
    names[i] = spec.name
  end
  return names
end

local function unknown(what, name, specs)
  local names = names_of(specs)
  local near = core.nearest(tostring(name), names)
  table.sort(names)
  errors.raise("%s: unknown option '%s'%s", what, tostring(name), near and
    (" (did you mean '%s'?)"):format(near) or "; options are " .. table.concat(names, ", "))
end

local Found = { __tostring = function() return "options.of: the options of a constructor" end }
local looking = false

-- What constructor f checks its argument against, { what =, specs =, positional = }, or nil if it checks nothing.
-- f is called and left where it would check: so readers and editors see the very tables that count.
function options.of(f, given)
  looking = true
  local ok, found = pcall(f, given or {})
  looking = false
  return not ok and getmetatable(found) == Found and found or nil
end

-- Values by name from `given`; its array part fills the options named in `positional`.
function options.resolve(what, specs, given, positional)
  if looking then
    error(setmetatable({ what = what, specs = specs, positional = positional or {} }, Found), 0)
  end
  given = given or {}
  if type(given) ~= "table" then
    errors.raise("%s: expected a table of options, got %s", what, shown(given))
  end
  local class = getmetatable(given)
  if type(class) == "table" and rawget(class, "is_module_class") then
    errors.raise("%s: expected a table of options, got a %s; write %s { ... } with braces around it", what,
      class.class_name, what)
  end
  local named, by_name = {}, {}
  for _, spec in ipairs(specs) do
    by_name[spec.name] = spec
  end
  for key, value in pairs(given) do
    local name = math.type(key) == "integer" and (positional or {})[key] or key
    if not by_name[name] then
      if math.type(key) == "integer" then
        errors.raise("%s: takes at most %d positional argument(s), got number %d", what, #(positional or {}), key)
      end
      unknown(what, name, specs)
    elseif named[name] ~= nil then
      errors.raise("%s: option '%s' is given twice", what, name)
    end
    named[name] = value
  end
  local values = {}
  for _, spec in ipairs(specs) do
    local value = named[spec.name]
    if value == nil then
      if spec.required then
        errors.raise("%s: option '%s' is required", what, spec.name)
      end
      values[spec.name] = spec.def
    else
      local ok, must = options.check(value, spec)
      if ok == nil then
        errors.raise("%s: option '%s' must be %s, got %s", what, spec.name, must, shown(value))
      end
      values[spec.name] = ok
    end
  end
  return values
end

return options
