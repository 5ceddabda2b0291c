-- space.lua - what a sweep draws from: lists and ranges of options, and trial i of them.
--
-- Trial i is a pure function of (seed, i) and the space. Option k, in the order of names, has the random numbers of
-- layer k and row i of the user's stream (core/BITS.md, rule 8); where all are lists, a permutation of the grid does.
-- A logarithmic range takes no library's exp: u is a multiple of 2^-24, and (high / low)^u a product of repeated square
-- roots, which are the same on every machine.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local sorted = require("rondo.sorted").sorted

local space = {}

local FRACTION_BITS = 24
local MOST_TRIALS = 1000000

-- A number as short as it can be read back.
function space.text_of(value)
  if math.type(value) ~= "float" then
    return tostring(value)
  end
  for digits = 6, 17 do
    local text = ("%%.%dg"):format(digits):format(value)
    if tonumber(text) == value then
      return text
    end
  end
  return tostring(value)
end

-- Six digits, so that what a table shows can be typed.
local function six_digits(x, low, high)
  return math.max(low, math.min(high, tonumber(("%.6g"):format(x)) + 0.0))
end

local function power(ratio, u)
  local bits, root, result = math.tointeger(u * (1 << FRACTION_BITS)), ratio, 1.0
  for k = FRACTION_BITS - 1, 0, -1 do
    root = math.sqrt(root)
    if bits >> k & 1 == 1 then
      result = result * root
    end
  end
  return result
end

local draws = {}

function draws.uniform(range, stream, i)
  return six_digits(range.low + core.uniform(stream, i, 0) * (range.high - range.low), range.low, range.high)
end

function draws.loguniform(range, stream, i)
  return six_digits(range.low * power(range.high / range.low, core.uniform(stream, i, 0)), range.low, range.high)
end

function draws.int(range, stream, i)
  return range.low + (core.bits(stream, i, 0) * (range.high - range.low + 1) >> 32)
end

function draws.choice(list, stream, i)
  return list[1 + (core.bits(stream, i, 0) * #list >> 32)]
end

local Range = { __name = "rondo.sweep.Range" }
Range.__index = Range

function Range:__tostring()
  return ("%s:%s:%s"):format(self.kind, space.text_of(self.low), space.text_of(self.high))
end

local function range(kind, low, high)
  local a, b = tonumber(low), tonumber(high)
  if kind == "int" then
    a, b = math.tointeger(a), math.tointeger(b)
  end
  if type(low) == "table" or not a or not b or a ~= a or b ~= b or a == -math.huge or b == math.huge or a >= b
    or (kind == "int" and b - a >= 1 << 32) then
    errors.raise("sweep.%s: expected %s low < high, got %s, %s", kind, kind == "int" and "integers" or "numbers",
      tostring(low), tostring(high))
  elseif kind == "loguniform" and a <= 0 then
    errors.raise("sweep.loguniform: low must be greater than 0, got %s", tostring(low))
  end
  if kind ~= "int" then
    a, b = a + 0.0, b + 0.0
  end
  return setmetatable({ kind = kind, low = a, high = b }, Range)
end

space.makers = {}
for _, kind in ipairs { "uniform", "loguniform", "int" } do
  space.makers[kind] = function(low, high) return range(kind, low, high) end
end

function space.makers.choice(...)
  local first = ...
  local list = select("#", ...) == 1 and type(first) == "table" and first or { ... }
  if #list == 0 then
    errors.raise "sweep.choice: expected at least one value"
  end
  return list
end

-- ---- reading ----------------------------------------------------------------------------------------------------

local function check_value(where, value)
  local kind = type(value)
  if kind == "table" then
    for _, entry in ipairs(value) do
      check_value(where, entry)
    end
    if next(value) == nil or #value > 0 then
      return
    end
  elseif kind == "string" or kind == "boolean" or (kind == "number" and value == value) then
    return
  end
  errors.raise("Sweep: %s must be numbers, texts, true, false, or lists of them for options that may be repeated, "
    .. "got a %s", where, kind)
end

local function check_name(where, name)
  if type(name) ~= "string" or not name:find "^%a[%w_]*$" then
    errors.raise("Sweep: %s has '%s', which is no name of an option; they are written as hidden_size", where,
      tostring(name))
  end
end

function space.check_fixed(fixed)
  for name, value in pairs(fixed) do
    check_name("fixed", name)
    check_value("fixed." .. name, value)
  end
end

local function check_settings(list)
  for i, setting in ipairs(list) do
    if type(setting) ~= "table" then
      errors.raise("Sweep: entry %d of the space must be a table of options, got a %s", i, type(setting))
    end
    for name, value in pairs(setting) do
      check_name(("setting %d of the space"):format(i), name)
      check_value(("space[%d].%s"):format(i, name), value)
    end
  end
end

local function check_domain(name, domain)
  check_name("space", name)
  if getmetatable(domain) == Range then
    return
  elseif type(domain) ~= "table" then
    errors.raise("Sweep: space.%s is a single value, %s; it belongs to fixed", name, tostring(domain))
  elseif #domain == 0 or next(domain, #domain) ~= nil then
    errors.raise("Sweep: space.%s must be a list of values, or a range like rondo.sweep.uniform(0, 0.5)", name)
  end
  for i, value in ipairs(domain) do
    check_value(("space.%s[%d]"):format(name, i), value)
  end
end

-- Checks a space: its names in order, and whether it is a list of whole settings.
function space.check(given)
  local names, seen = {}, {}
  local is_list = #given > 0
  if is_list then
    check_settings(given)
  end
  for name, domain in sorted(given) do
    if not is_list then
      check_domain(name, domain)
      names[#names + 1] = name
    elseif math.type(name) ~= "integer" then
      errors.raise("Sweep: a space is options with their lists and ranges, or a list of whole settings, not both")
    end
  end
  for _, setting in ipairs(is_list and given or {}) do
    for name in pairs(setting) do
      if not seen[name] then
        seen[name], names[#names + 1] = true, name
      end
    end
  end
  table.sort(names)
  if #names == 0 then
    errors.raise "Sweep: the space is empty; give it options with lists or ranges of values"
  end
  return names, is_list
end

function space.has_range(given)
  for name, domain in sorted(given) do
    if getmetatable(domain) == Range then
      return name
    end
  end
end

-- ---- trials -----------------------------------------------------------------------------------------------------

-- A domain as a list, for a grid.
local function values_of(name, domain)
  if getmetatable(domain) ~= Range then
    return domain
  elseif domain.kind ~= "int" or domain.high - domain.low >= MOST_TRIALS then
    errors.raise("Sweep: a grid needs lists, and %s is %s; give a list, or search = \"random\"", name, tostring(domain))
  end
  local list = {}
  for value = domain.low, domain.high do
    list[#list + 1] = value
  end
  return list
end

-- How many settings a grid has.
function space.grid_size(given, names)
  local n = 1
  for _, name in ipairs(names) do
    n = n * #values_of(name, given[name])
    if n > MOST_TRIALS then
      errors.raise("Sweep: this grid has more than %d settings; take search = \"random\"", MOST_TRIALS)
    end
  end
  return n
end

-- Setting i of a grid: the last name changes fastest.
function space.grid_trial(given, names, i)
  local params, rest = {}, i - 1
  for k = #names, 1, -1 do
    local list = values_of(names[k], given[names[k]])
    params[names[k]] = list[rest % #list + 1]
    rest = rest // #list
  end
  return params
end

-- Draw i. Where there are lists alone no setting comes twice: the draws are places of a permuted grid.
function space.random_trial(given, names, seed, i)
  if not space.has_range(given) then
    local place = core.permuted(i, 1, space.grid_size(given, names), { seed = seed, purpose = "user", layer = 0 })
    return space.grid_trial(given, names, place[1])
  end
  local params = {}
  for k, name in ipairs(names) do
    local domain = given[name]
    local kind = getmetatable(domain) == Range and domain.kind or "choice"
    params[name] = draws[kind](domain, { seed = seed, purpose = "user", layer = k }, i)
  end
  return params
end

-- ---- as text ----------------------------------------------------------------------------------------------------

-- What sweep.json holds of a space; a range is its text.
function space.describe(given)
  local described = {}
  for name, domain in pairs(given) do
    described[name] = getmetatable(domain) == Range and tostring(domain) or domain
  end
  return described
end

local function range_of(text)
  local kind, low, high = text:match "^(%l+):([^:]+):([^:]+)$"
  return kind and kind ~= "choice" and rawget(space.makers, kind) and space.makers[kind](low, high)
end

-- The space that describe() described.
function space.restore(described)
  local given = {}
  for name, domain in pairs(described) do
    given[name] = type(domain) == "string" and range_of(domain) or domain
  end
  return given
end

-- A word of the command line in the type in which it is the same word.
local function typed(word)
  local n = tonumber(word)
  if word == "true" or word == "false" then
    return word == "true"
  end
  return n and space.text_of(n) == word and n or word
end

-- "lstm,gru", "loguniform:1e-4:1e-2", "choice:a" -> a domain; else nil and the one value, "fixed:a,b" as it stands.
function space.parse(text)
  local as_it_is = text:match "^fixed:(.*)$"
  local found = not as_it_is and range_of(text)
  local list = text:match "^choice:(.+)$" or (text:find(",", 1, true) and text)
  if as_it_is then
    return nil, as_it_is
  elseif found then
    return found
  elseif not list then
    return nil, typed(text)
  end
  local values = {}
  for word in (list .. ","):gmatch "([^,]*)," do
    values[#values + 1] = typed(word)
  end
  return values
end

return space
