-- lua_cell.lua - cells written in Lua: what rondo.cell takes, and a layer of such a cell.
--
-- A layer has the methods of one that core.rnn makes; lua_steps.lua runs it. Parameters are numbered as those of a C
-- cell: line by line the matrices (x, the states, what else there is) and biases, then vectors; so that lines of the
-- same names in the same order have the same initial values. Lua's tables have no order: lines are sorted by name, or
-- stand as the option `lines` says.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local initial = require "rondo.initial"
local names = require "rondo.names"
local options = require "rondo.options"
local random = require "rondo.random"
local stack_options = require "rondo.stack_options"
local tensor = require "rondo.tensor"

local lua_cell = {}

local specs = {
  { name = "name", kind = "string", required = true, help = "how it is found: RNN { cell = name }" },
  { name = "state", kind = "any", required = true,
    help = "list of names, or of { name, width =, first =, stops =, whole = }, or a function of the sizes; the first "
      .. "is the output" },
  { name = "params", kind = "function", required = true,
    help = "params(c): parameters by name, { rows, columns, init =, frozen = }; c has the sizes and options" },
  { name = "step", kind = "function", required = true,
    help = "step(p, x, s, c): the states after a step by name, out of x (batch, features) and the states before" },
  { name = "options", kind = "table", help = "list of { name =, kind =, def =, min =, max =, choices =, help = }" },
  { name = "lines", kind = "table", help = "lines in the order of initial values; else by name" },
  { name = "help", kind = "string", def = "", help = "one line that says what it is" },
}
lua_cell.specs = specs

-- ---- the definition -----------------------------------------------------------------------------------------

local KINDS = { int = true, real = true, bool = true, choice = true, string = true }
local NAME = "^[a-z][a-z0-9_.-]*$"

local function check_option(what, spec, taken)
  if type(spec) ~= "table" or type(spec.name) ~= "string" or not spec.name:find(NAME) then
    errors.raise("%s: an option is a table with a name, as in { name = \"size\", kind = \"int\", def = 3 }", what)
  elseif not KINDS[spec.kind] then
    errors.raise("%s: option '%s' must be of kind int, real, bool, choice or string, got %s", what, spec.name,
      tostring(spec.kind))
  elseif taken[spec.name] then
    errors.raise("%s: option '%s' is there already; choose another name", what, spec.name)
  elseif spec.kind == "choice" and (type(spec.choices) ~= "table" or #spec.choices == 0) then
    errors.raise("%s: option '%s' needs its choices, a list of texts", what, spec.name)
  end
  taken[spec.name] = true
  if spec.def == nil then
    errors.raise("%s: option '%s' needs a default, def = ...", what, spec.name)
  end
  local _, must = options.check(spec.def, spec)
  if must then
    errors.raise("%s: the default of option '%s' must be %s, got %s", what, spec.name, must, tostring(spec.def))
  end
end

local Cell = { __name = "rondo.Cell" } -- a definition
Cell.__index = Cell

function Cell:__tostring()
  return ("cell '%s', written in Lua"):format(self.name)
end

function lua_cell.define(given)
  local o = options.resolve("cell", specs, given)
  if not o.name:find(NAME) or #o.name > 63 then
    errors.raise("cell: a name has at most 63 of the letters [a-z0-9_.-] and begins with one of a-z, got '%s'", o.name)
  end
  local what = ("cell '%s'"):format(o.name)
  if type(o.state) ~= "table" and type(o.state) ~= "function" then
    errors.raise("%s: option 'state' must be a list of names, as in { \"h\" }, or a function that returns one, "
      .. "got a %s", what, type(o.state))
  end
  local taken = {}
  for _, spec in ipairs(stack_options.list) do
    taken[spec.name] = true
  end
  local list = {}
  for k, spec in ipairs(o.options or {}) do
    check_option(what, spec, taken)
    list[k] = { help = "" }
    for key, value in pairs(spec) do
      list[k][key] = value
    end
  end
  o.options, o.trainable, o.in_lua = list, true, true
  return setmetatable(o, Cell)
end

-- ---- what a definition says for given sizes -----------------------------------------------------------------

-- Sizes and options as params, state and step are given them.
local function configuration(like)
  local c = { input_size = like.input_size, hidden_size = like.hidden_size }
  for name, value in pairs(like.options) do
    c[name] = value
  end
  return names.strict(("c of cell '%s'"):format(like.cell), c)
end

local function is_size(n)
  return math.type(n) == "integer" and n >= 1 and n <= 1 << 24
end

-- States as { name, width, first = }.
local function states_of(what, cell, c)
  local given, list, seen = cell.state, {}, {}
  if type(given) == "function" then
    given = errors.within(given, c)
  end
  if type(given) ~= "table" or #given == 0 then
    errors.raise("%s: 'state' must be a list of at least one name, as in { \"h\" }", what)
  end
  for k, entry in ipairs(given) do
    local of = type(entry) == "table" and entry or { entry }
    local name, width = of[1], of.width or c.hidden_size
    if type(name) ~= "string" or not name:find "^[a-z][a-z0-9_]*$" then
      errors.raise("%s: state %d must be a name [a-z][a-z0-9_]*, or a table that begins with one, got %s", what, k,
        tostring(name))
    elseif seen[name] then
      errors.raise("%s: state '%s' is there twice", what, name)
    elseif not is_size(width) then
      errors.raise("%s: the width of state '%s' must be a positive integer, got %s", what, name, tostring(width))
    elseif type(of.first or 0) ~= "number" then
      errors.raise("%s: the first value of state '%s' must be a number, got a %s", what, name, type(of.first))
    end
    seen[name] = true
    list[k] = { name, width, first = of.first ~= 0 and of.first or nil, stops = of.stops, whole = of.whole }
  end
  return list
end

local BIASES = { b = 1, bx = 2, bh = 3 }

-- One parameter as { name =, shape =, values =, frozen =, line =, source = }; a vector has no line.
local function parameter_of(what, name, given)
  if type(name) ~= "string" or not name:find "^[a-z][a-z0-9_]*$" then
    errors.raise("%s: a parameter is named [a-z][a-z0-9_]*, got %s", what, tostring(name))
  elseif type(given) ~= "table" or not is_size(given[1]) or given[2] ~= nil and not is_size(given[2])
    or given[3] ~= nil then
    errors.raise("%s: parameter '%s' must be { rows, columns } or { size }, as in { c.hidden_size, c.input_size }",
      what, name)
  end
  local one = { name = name, shape = { given[1], given[2] }, frozen = given.frozen }
  local line, source = name:match "^(.+)_([^_]+)$"
  if given[2] and not line then
    errors.raise("%s: matrix '%s' must be named by its line and what it multiplies, as in f_x, f_h", what, name)
  elseif given[2] or BIASES[source] then
    one.line, one.source = line, source
  end
  for key in pairs(given) do
    if key ~= 1 and key ~= 2 and key ~= "init" and key ~= "frozen" then
      errors.raise("%s: parameter '%s' has no field '%s'; there are init and frozen", what, name, tostring(key))
    end
  end
  if given.init == nil then
    one.values = { kind = "default" }
  elseif type(given.init) == "number" then
    one.values = { kind = "constant", a = given.init }
  elseif tensor.is_tensor(given.init) then
    one.copy = given.init
  else
    local found, must = initial.check(given.init, { vector = not given[2] })
    if not found then
      errors.raise("%s: init of parameter '%s' must be a number, a tensor or %s", what, name, must)
    end
    one.values = initial.values(found, one.shape)
  end
  return one
end

-- Places of lines in the order of initial values.
local function rank_lines(what, list, wanted)
  local lines, rank = {}, {}
  for _, one in ipairs(list) do
    if one.line and not lines[one.line] then
      lines[one.line] = true
      lines[#lines + 1] = one.line
    end
  end
  table.sort(lines)
  for k, line in ipairs(wanted or lines) do
    if not lines[line] then
      errors.raise("%s: option 'lines' names '%s'; lines are %s", what, tostring(line), table.concat(lines, ", "))
    end
    rank[line] = k
  end
  for _, line in ipairs(lines) do
    if not rank[line] then
      errors.raise("%s: option 'lines' lacks line '%s'", what, line)
    end
  end
  return rank
end

-- Numbers the sources that matrices are fed: x is 0, then come the states, then the rest by name.
local function number_sources(list, states)
  local number, rest = { x = 0 }, {}
  for k, state in ipairs(states) do
    number[state[1]] = k
  end
  for _, one in ipairs(list) do
    if one.shape[2] and not number[one.source] then
      number[one.source] = true
      rest[#rest + 1] = one.source
    end
  end
  table.sort(rest)
  for k, source in ipairs(rest) do
    number[source] = #states + k
  end
  return number
end

local function parameters_of(what, cell, c, states)
  local given, list = errors.within(cell.params, c), {}
  if type(given) ~= "table" then
    errors.raise("%s: params() must return a table of parameters by name, got a %s", what, type(given))
  end
  for name, entry in pairs(given) do
    list[#list + 1] = parameter_of(what, name, entry)
  end
  local rank, number = rank_lines(what, list, cell.lines), number_sources(list, states)
  local function place(one)
    local within = one.shape[2] and number[one.source] or one.line and 1000 + BIASES[one.source] or 0
    return one.line and rank[one.line] or math.huge, within, one.name
  end
  table.sort(list, function(a, b)
    local a1, a2, a3 = place(a)
    local b1, b2, b3 = place(b)
    if a1 ~= b1 then
      return a1 < b1
    elseif a2 ~= b2 then
      return a2 < b2
    end
    return a3 < b3
  end)
  for _, one in ipairs(list) do
    one.number = one.shape[2] and number[one.source]
  end
  return list
end

-- ---- a layer ------------------------------------------------------------------------------------------------

local Layer = { __name = "rondo.LuaLayer" }
Layer.__index = Layer

local function names_whole(states, name)
  for _, state in ipairs(states) do
    if state[1] == name then
      return state.whole
    end
  end
end

-- What is done to sources, states and matrices in training; a message where an option has nothing to do.
local function regularisers(what, like, states, list)
  local r = { input = like.input_dropout, recurrent = like.recurrent_dropout, weights = like.weight_drop, hold = {} }
  local has_matrix = false
  for _, one in ipairs(list) do
    has_matrix = has_matrix or one.shape[2] and one.source ~= "x" and not one.frozen
  end
  for _, option in ipairs { "recurrent_dropout", "weight_drop" } do
    if like[option] > 0 and not has_matrix then
      errors.raise("%s: option '%s' has nothing to drop: no state of the cell %s meets a matrix", what, option,
        like.cell)
    end
  end
  local by_name = {}
  for k, state in ipairs(states) do
    if not state.whole then
      by_name[state[1]] = k
      by_name[#by_name + 1] = state[1]
    end
    r.hold[k] = not state.whole and type(like.zoneout) == "number" and like.zoneout or 0
  end
  for name, share in pairs(type(like.zoneout) == "table" and like.zoneout or {}) do
    if not by_name[name] then
      errors.raise(names_whole(states, name) and "%s: option 'zoneout': the state '%s' means nothing apart from others "
        .. "and cannot be held; these can: %s" or "%s: option 'zoneout' names no state '%s'; there are: %s", what, name,
        table.concat(by_name, ", "))
    end
    r.hold[by_name[name]] = share
  end
  return r
end

-- like: as core.rnn takes it.
function lua_cell.layer(cell, like)
  if like.bias ~= 1 then
    errors.raise("%s: option 'bias' is for cells of plugins; params() of the cell %s says which biases it has",
      like.label, cell.name)
  end
  local self = setmetatable({ definition = cell, label = like.label, input_size = like.input_size, seed = like.seed,
    number = like.layer }, Layer)
  self.c = configuration(like)
  self.state_list = states_of(like.label, cell, self.c)
  self.parameter_list = parameters_of(like.label, cell, self.c, self.state_list)
  self.regularisers = regularisers(like.label, like, self.state_list, self.parameter_list)
  for i, one in ipairs(self.parameter_list) do
    local t = core.zeros(one.shape)
    if one.copy then
      t:copy(one.copy)
    else
      t:fill_init(one.values, random.init_stream(like.seed, like.layer, i - 1))
    end
    t.requires_grad = not one.frozen
    one.tensor = t
  end
  return self
end

-- List of { name, tensor }.
function Layer:parameters()
  local list = {}
  for i, one in ipairs(self.parameter_list) do
    list[i] = { one.name, one.tensor }
  end
  return list
end

function Layer:states()
  return self.state_list
end

function Layer:output_size()
  return self.state_list[1][2]
end

return lua_cell
