-- read.lua - what rondo.cell is given beside `equations`, checked; the program of it, ready to be run and to be
-- written.
-- SPDX-License-Identifier: MIT
local differentiate = require "rondo.equations.differentiate"
local errors = require "rondo.errors"
local functions = require "rondo.equations.functions"
local initial = require "rondo.initial"
local options = require "rondo.options"
local parse = require "rondo.equations.parse"
local program = require "rondo.equations.program"
local schedule = require "rondo.equations.schedule"

local read = {}

read.specs = {
  { name = "name", kind = "string", required = true, help = "how it is found: RNN { cell = name }" },
  { name = "equations", kind = "table", required = true,
    help = "in place of state, params and step: right sides by name, { h = \"tanh(W x + U h + b)\" }" },
  { name = "output", kind = "string", def = "h", help = "of equations: the name that is the output" },
  { name = "init", kind = "table", help = "of equations: initial values by parameter, { b_f = 1, U = "
    .. "\"orthogonal\" }" },
  { name = "first", kind = "table", help = "of equations: states before the first step where not 0, { m = -1e30 }" },
  { name = "whole", kind = "table", help = "of equations: states that zoneout leaves alone, { \"c\", \"n\" }" },
  { name = "constants", kind = "table", help = "of equations: numbers by name" },
  { name = "help", kind = "string", help = "one line that says what it is" },
  { name = "license", kind = "string", help = "of equations: the license of the C file" },
}

local function what(o)
  return ("cell '%s'"):format(o.name)
end

local function check_name(o, name)
  if type(name) ~= "string" or not name:find "^[a-z][a-z0-9_]*$" or #name > 31 then
    errors.raise("%s: an equation is named by small letters, digits and _, at most 31, as in h = \"tanh(...)\", got %s",
      what(o), type(name) == "string" and "'" .. name .. "'" or tostring(name))
  elseif name == "x" or functions[name] then
    errors.raise("%s: '%s' is %s and cannot be computed by an equation", what(o), name, name == "x" and "the input"
      or "a function")
  elseif o.constants and o.constants[name] then
    errors.raise("%s: '%s' is a constant and cannot be computed by an equation", what(o), name)
  end
end

local function read_equations(o)
  local cell = { name = o.name, help = o.help or "made from equations", license = o.license, equations = {},
    by_name = {}, output = o.output, constants = o.constants or {}, first = o.first or {}, whole = {} }
  for name, text in pairs(o.equations) do
    check_name(o, name)
    if type(text) ~= "string" then
      errors.raise("%s: equation '%s' must be a text, got a %s", what(o), name, type(text))
    end
    local equation = { name = name, text = (text:gsub("%s", " ")) }
    cell.equations[#cell.equations + 1], cell.by_name[name] = equation, equation
  end
  table.sort(cell.equations, function(a, b) return a.name < b.name end)
  if not cell.by_name[o.output] then
    errors.raise("%s: no equation makes the output '%s'%s", what(o), o.output, o.output == "h"
      and "; output = \"name\" says which one does" or "")
  end
  for name, value in pairs(cell.constants) do
    if type(name) ~= "string" or type(value) ~= "number" or value ~= value or functions[name] or name == "x" then
      errors.raise("%s: constants are numbers by name, as in { slope = 0.2 }, got %s = %s", what(o), tostring(name),
        tostring(value))
    end
  end
  for _, equation in ipairs(cell.equations) do
    equation.tree = parse.equation(equation)
  end
  return cell
end

local function names_of(list)
  local names = {}
  for i, one in ipairs(list) do
    names[i] = one.name
  end
  return names
end

-- `first` and `whole` name states, which are known once the order is.
local function check_states(o, p)
  for name, value in pairs(o.first or {}) do
    if not p.state_of[name] or type(value) ~= "number" then
      errors.raise("%s: 'first' has numbers by state, and states are %s; got %s = %s", what(o),
        table.concat(names_of(p.states), ", "), tostring(name), tostring(value))
    end
  end
  for _, name in ipairs(o.whole or {}) do
    if not p.state_of[name] then
      errors.raise("%s: 'whole' names '%s', and states are %s", what(o), tostring(name),
        table.concat(names_of(p.states), ", "))
    end
    p.state_of[name].whole = true
  end
end

local function check_init(o, p, written, value)
  local given = type(value) == "number" and { "constant", value } or value
  local found = false
  for _, one in ipairs(p.parameters) do
    if one.written == written then
      local must
      one.init, must = initial.check(given, { vector = one.kind ~= "matrix" })
      if not one.init then
        errors.raise("%s: init of '%s' must be a number, or %s", what(o), written, must)
      end
      found = true
    end
  end
  if not found then
    local near, list = program.nearest_parameter(p, written)
    errors.raise("%s: init names '%s', and parameters are %s%s", what(o), tostring(written), table.concat(list, ", "),
      near and (" (did you mean '%s'?)"):format(near) or "")
  end
end

-- The core has one rule for all matrices of a line but that of x.
local function check_one_rule(o, p)
  local first = {}
  for _, one in ipairs(p.parameters) do
    if one.kind == "matrix" and one.source ~= "x" then
      local text = one.init and table.concat(one.init, " ") or "default"
      local other = first[one.line]
      if other and other.text ~= text then
        errors.raise("%s: '%s' and '%s' stand in one sum, so their initial values must follow one rule", what(o),
          other.written, one.written)
      end
      first[one.line] = { text = text, written = one.written }
    end
  end
end

local function make(o)
  local p = program.make(read_equations(o))
  check_states(o, p)
  for written, value in pairs(o.init or {}) do
    check_init(o, p, written, value)
  end
  check_one_rule(o, p)
  differentiate.run(p)
  schedule.run(p)
  return p
end

-- The program of rondo.cell { name =, equations = ... }; raises what is wrong, with the column.
function read.program(given)
  local o = options.resolve("cell", read.specs, given)
  local ok, result = pcall(make, o)
  if ok then
    return result
  elseif parse.is_fault(result) then
    errors.raise("%s: %s", what(o), parse.told(result))
  end
  error(result, 0)
end


return read
