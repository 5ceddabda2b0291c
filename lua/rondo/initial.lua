-- initial.lua - initial values by name: what the options input_init, recurrent_init, bias_init, weight_init take.
--
-- An initialiser is a name, or a name with its numbers: "orthogonal", { "uniform", -0.1, 0.1 }. For a recurrent layer
-- it may also be a table by line, { f = { "constant", 1 } }; lines that are not in it keep what their cell says.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local errors = require "rondo.errors"

local initial = {}

-- Numbers that follow the name, with their defaults (those of Keras); false: must be given. values(rows, columns, a, b)
-- is what fill_init takes. matrix, vector: has a meaning for nothing else.
local kinds = {
  zero = { values = function() return { kind = "zero" } end },
  constant = { false, values = function(_, _, a) return { kind = "constant", a = a } end },
  uniform = { -0.05, 0.05, values = function(_, _, a, b) return { kind = "uniform", a = a, b = b } end },
  normal = { 0, 0.05, values = function(_, _, a, b) return { kind = "normal", a = a, b = b } end },
  truncated = { 0, 0.05, values = function(_, _, a, b) return { kind = "truncated", a = a, b = b } end },
  chrono = { false, 1, vector = true, values = function(_, _, a, b) -- b log u, u uniform in [1, a - 1], the same u
    return { kind = "chrono", a = a, b = b } -- in all lines of a layer (Tallec & Ollivier 2018, eq. 16)
  end },
  glorot_uniform = { matrix = true, values = function() return { kind = "glorot" } end },
  glorot_normal = { matrix = true, values = function(rows, columns) -- Glorot & Bengio 2010, eq. 12
    return { kind = "normal", a = 0, b = math.sqrt(2 / (rows + columns)) }
  end },
  he_uniform = { matrix = true, values = function(_, columns) -- the variance of He et al. 2015, eq. 10
    return { kind = "uniform", a = -math.sqrt(6 / columns), b = math.sqrt(6 / columns) }
  end },
  he_normal = { matrix = true, values = function() return { kind = "he" } end },
  orthogonal = { matrix = true, values = function() return { kind = "orthogonal" } end },
  identity = { 1, matrix = true, values = function(_, _, a) return { kind = "identity", a = a } end },
}

local function fits(kind, vector)
  return not (vector and kind.matrix or not vector and kind.vector)
end

local function names(vector)
  local list = {}
  for name, kind in pairs(kinds) do
    if fits(kind, vector) then
      list[#list + 1] = name
    end
  end
  table.sort(list)
  return list
end

-- One initialiser as { name, a, b }; or nil and what it must be.
local function check_one(value, vector)
  local given = type(value) == "table" and value or { value }
  local name = given[1]
  local kind = type(name) == "string" and kinds[name]
  if not kind or not fits(kind, vector) then
    local list = names(vector)
    local near = type(name) == "string" and not kind and core.nearest(name, list)
    return nil, ("one of %s%s, or { name, numbers }"):format(table.concat(list, ", "),
      near and (" (did you mean '%s'?)"):format(near) or "")
  end
  for key in pairs(given) do
    if math.type(key) ~= "integer" or key > #kind + 1 then
      return nil, ("'%s' with %s"):format(name, #kind == 0 and "nothing behind it"
        or ("at most %d number%s"):format(#kind, #kind > 1 and "s" or ""))
    end
  end
  local found = { name }
  for i = 1, #kind do
    local number = given[i + 1] == nil and kind[i] or given[i + 1]
    if type(number) ~= "number" then
      return nil, ("'%s' with %s, as in { \"%s\", %s }"):format(name, #kind == 1 and "a number" or "two numbers", name,
        kind[2] and ("%g, %g"):format(kind[1] or 100, kind[2]) or "1")
    end
    found[i + 1] = number
  end
  return found
end

-- spec.vector: for biases; spec.lines: of a recurrent layer, which may name lines.
function initial.check(value, spec)
  if type(value) == "string" or type(value) == "table" and value[1] ~= nil or not spec.lines then
    return check_one(value, spec.vector)
  elseif type(value) ~= "table" then
    return nil, "an initialiser, or a table of them by line"
  end
  local found = { by_line = {} }
  for line, one in pairs(value) do
    local must
    found.by_line[line], must = check_one(one, spec.vector)
    if must then
      return nil, ("for line '%s' %s"):format(line, must)
    end
  end
  return found
end

-- What fill_init takes, for a tensor of this shape.
function initial.values(found, shape)
  local name, a, b = table.unpack(found)
  return kinds[name].values(shape[1], shape[2] or 1, a, b)
end

-- rondo.init(t, "orthogonal"): fills a tensor, a parameter too, from the user's random numbers. Returns it.
function initial.init(t, given)
  local tensor, random = require "rondo.tensor", require "rondo.random"
  if not tensor.is_tensor(t) then
    errors.raise("init: expected a tensor and an initialiser, got a %s", type(t))
  end
  local found, must = check_one(given, t.ndim ~= 2)
  if not found then
    errors.raise("init: expected%s %s, got %s", t.ndim ~= 2 and ", for a tensor that is no matrix," or "", must,
      type(given) == "table" and "a table" or tostring(given))
  end
  return tensor.no_grad(errors.blame, t.fill_init, t, initial.values(found, t:size()), random.next_call())
end

-- The option that rules a parameter of a cell, and its line; nil where none does. Of two bias vectors of a line, which
-- are only ever added, the first has the values.
local function ruled_by(name, t, all)
  local line, source = name:match "^(.*)_([^_]*)$"
  if t.ndim == 2 then
    return source == "x" and "input_init" or "recurrent_init", line
  elseif line and source:find "^bx?$" or line and source == "bh" and not all[line .. "_bx"] then
    return "bias_init", line
  elseif not (line and source == "bh") then
    return "recurrent_init", name, true
  end
end

-- Fills the parameters of one layer of a stack as its options say, with the random numbers that are theirs.
function initial.of_layer(label, layer, o, seed, number)
  local tensor, random = require "rondo.tensor", require "rondo.random"
  local all, lines, wanted = {}, {}, {}
  for _, entry in ipairs(layer:parameters()) do
    all[entry[1]] = entry[2]
  end
  for i, entry in ipairs(layer:parameters()) do
    local option, line, vector = ruled_by(entry[1], entry[2], all)
    local given = option and entry[2].requires_grad and o[option]
    if option and entry[2].requires_grad then
      lines[option] = lines[option] or {}
      lines[option][line] = true
    end
    local found = given and (given.by_line and given.by_line[line] or not (given.by_line or vector) and given)
    if found then
      if kinds[found[1]].matrix and entry[2].ndim ~= 2 then
        errors.raise("%s: option '%s': '%s' is for matrices, and %s is a vector", label, option, found[1], line)
      end
      wanted[i] = found
    end
  end
  for _, option in ipairs { "input_init", "recurrent_init", "bias_init" } do
    for line in pairs(o[option] and o[option].by_line or {}) do
      if not (lines[option] and lines[option][line]) then
        local known = {}
        for name in pairs(lines[option] or {}) do
          known[#known + 1] = name
        end
        table.sort(known)
        errors.raise("%s: option '%s' names line '%s'; it can name %s", label, option, line,
          #known > 0 and table.concat(known, ", ") or "none")
      end
    end
  end
  tensor.no_grad(function()
    for i, found in pairs(wanted) do
      local t = layer:parameters()[i][2]
      t:fill_init(initial.values(found, t:size()), random.init_stream(seed, number, i - 1))
    end
  end)
end

return initial
