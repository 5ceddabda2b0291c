-- program.lua - equations as the core's declaration of a cell: states, lines by phase, temps, vectors, parameters.
--
-- A program has: name, help, equations in order of computation, graph, and
--   states       each name, root (its value after the step), first, stop; the first is the output
--   temps        computed vectors that matrices multiply: each name, node, phase
--   lines        each name, phase, matrices (each matrix, source), bias, from_x, states and temps (sets by index)
--   vectors      names of parameters that are no bias
--   parameters   in the core's order: each name (z_x), written (W_z), kind: matrix, bias, vector; line, source
--   phases       how many
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local errors = require "rondo.errors"
local functions = require "rondo.equations.functions"
local graph = require "rondo.equations.graph"
local lines = require "rondo.equations.lines"
local order = require "rondo.equations.order"
local parse = require "rondo.equations.parse"

local program = {}

local MOST = { states = 16, temps = 16, lines = 32, vectors = 32 } -- core/engine/layout.h

-- ---- trees to nodes -------------------------------------------------------------------------------------------

local Builder = {}
Builder.__index = Builder

function Builder:is_vector(tree)
  return not (tree.before or tree.name == "x" or self.cell.by_name[tree.name] or self.cell.constants[tree.name])
end

function Builder:name(equation, tree)
  local name, cell = tree.name, self.cell
  if name == "x" then
    parse.fault(equation, tree.col, "x has as many numbers as the input has features: a matrix must make a vector of "
      .. "it, as in W x")
  elseif cell.constants[name] then
    return self.graph:number(cell.constants[name])
  elseif cell.by_name[name] then
    return tree.before and self.graph:leaf("before", name) or self.value[name]
  end
  return self.graph:leaf("vector", name)
end

local binary = { ["*"] = "mul", ["/"] = "div" }

-- The node of a tree.
function Builder:node(equation, tree)
  local op = tree.op
  if op == "number" then
    return self.graph:number(tree.value)
  elseif op == "name" then
    return self:name(equation, tree)
  elseif op == "+" or op == "-" or op == "neg" or op == "product" then
    return lines.sum(self, equation, tree)
  elseif op == "call" then
    local args = {}
    for i, arg in ipairs(tree.args) do
      args[i] = self:node(equation, arg)
    end
    if functions[tree.name].along and (args[1].op == "number" or args[1].op == "vector") then
      parse.fault(equation, tree.args[1].col, "%s needs what differs from row to row, not a %s", tree.name,
        args[1].op == "number" and "number" or "parameter")
    end
    return self.graph:call(tree.name, table.unpack(args))
  elseif op == "^" then
    local exponent = tree.exponent
    local value = exponent.kind == "number" and tonumber(exponent.text) or self.cell.constants[exponent.text]
    if not value then
      parse.fault(equation, exponent.col, "an exponent is a number or a constant, and '%s' is none", exponent.text)
    end
    return self.graph:power(self:node(equation, tree.a), tree.minus and -value or value)
  end
  return self.graph[binary[op]](self.graph, self:node(equation, tree.a), self:node(equation, tree.b))
end

-- The source of a matrix; x is the one vector that is read nowhere else.
local source_node = Builder.node
function Builder:node_or_x(equation, tree)
  if tree.op == "name" and tree.name == "x" and not tree.before then
    return self.graph:leaf("x", "x")
  end
  return source_node(self, equation, tree)
end

-- ---- checks of names ------------------------------------------------------------------------------------------

local function check_read(cell, equation)
  order.walk(equation.tree, function(node)
    local name = node.name
    local defined = cell.by_name[name]
    if node.before and not defined then
      parse.fault(equation, node.col, "%s' is the value of the step before, and %s", name, name == "x"
        and "x has none: keep it by an equation of its own" or ("no equation makes '%s'"):format(name))
    elseif name ~= "x" and not defined and not cell.constants[name] then
      if not name:find "^[a-z][a-z0-9_]*$" or #name > 31 then
        parse.fault(equation, node.col, "'%s' is made of other letters than a-z, 0-9 and _, or longer than 31", name)
      elseif name:find "_b[xh]?$" then
        parse.fault(equation, node.col, "'%s' ends as the core's names of biases do; choose another name", name)
      end
    end
  end)
end

-- ---- phases and names -----------------------------------------------------------------------------------------

-- The phase in which a node can be computed.
local function phase_of(node, phases)
  local found = phases[node]
  if not found then
    found = 0
    if node.op == "line" then
      found = node.line.phase
    end
    for _, arg in ipairs(node.args) do
      found = math.max(found, phase_of(arg, phases))
    end
    phases[node] = found
  end
  return found
end

local function is_free(source)
  return source.op == "x" or source.op == "before"
end

-- Phases of lines, in the order in which they were found: sources come first.
local function place_lines(b)
  local phases = {}
  for _, line in ipairs(b.lines) do
    line.phase = 0
    for _, one in ipairs(line.matrices) do
      if not is_free(one.source) then
        line.phase = math.max(line.phase, phase_of(one.source, phases) + 1)
      end
    end
  end
  b.phases = phases
end

local function unique(name, taken)
  local found, k = name, 1
  while taken[found] do
    k = k + 1
    found = name .. k
  end
  taken[found] = true
  return found
end

local function source_name(p, source)
  if source.op == "x" or source.op == "before" then
    return source.name
  end
  return p.temp_of[source].name
end

-- Computed vectors that a matrix multiplies. Their names stand in those of parameters, whose last _ parts line and
-- source.
local function name_temps(b, p)
  local taken = { x = true, b = true, bx = true, bh = true }
  for name in pairs(b.cell.kept) do
    taken[name] = true
  end
  for _, line in ipairs(b.lines) do
    for _, one in ipairs(line.matrices) do
      if not is_free(one.source) and not p.temp_of[one.source] then
        local label = one.source.label and one.source.label:gsub("_", "") or "q"
        local temp = { name = unique(label, taken), node = one.source, phase = phase_of(one.source, b.phases) }
        p.temp_of[one.source] = temp
        p.temps[#p.temps + 1] = temp
      elseif one.source.op == "before" and one.source.name:find "_" then
        parse.fault(b.cell.by_name[one.source.name], 1, "matrix '%s' multiplies '%s', whose name must be without _",
          one.matrix, one.source.name)
      end
    end
  end
  table.sort(p.temps, function(a, c) return a.name < c.name end)
  for i, temp in ipairs(p.temps) do
    temp.index = i
  end
end

-- What the names of a line's matrices have in common behind their capital letters: z of W_z and U_z.
local function base_name(line)
  local base
  for _, one in ipairs(line.matrices) do
    local rest = one.matrix:gsub("^%u+_*", ""):lower()
    if base and base ~= rest then
      base = ""
    end
    base = base or rest
  end
  return base:find "^[a-z][a-z0-9_]*$" and base or line.equation.name
end

local function name_lines(b, p)
  local count, taken = {}, {}
  for _, line in ipairs(b.lines) do
    line.base = base_name(line)
    count[line.base] = (count[line.base] or 0) + 1
  end
  for _, line in ipairs(b.lines) do
    local name = line.base
    if count[name] > 1 then
      local sources = {}
      for i, one in ipairs(line.matrices) do
        sources[i] = source_name(p, one.source)
      end
      name = name .. "_" .. table.concat(sources)
    end
    line.name = unique(name, taken)
  end
end

-- ---- the declaration ------------------------------------------------------------------------------------------

local function add_states(b, p)
  local cell, names = b.cell, { b.cell.output }
  for name in pairs(cell.kept) do
    if name ~= cell.output then
      names[#names + 1] = name
    end
  end
  table.sort(names, function(a, c) return a == cell.output and c ~= a or c ~= cell.output and a < c end)
  for i, name in ipairs(names) do
    local root = b.value[name]
    p.states[i] = { name = name, index = i, root = root, first = cell.first[name] or 0,
      stop = root.op == "call" and root.name == "stop", whole = cell.whole[name] or false }
    p.state_of[name] = p.states[i]
  end
end

-- Lines that read states alone, then both, then x alone: what one source feeds in a phase lies side by side.
local function rank(line)
  local fed = next(line.states) or next(line.temps)
  return not line.from_x and 1 or fed and 2 or 3
end

local function describe_lines(b, p)
  for i, line in ipairs(b.lines) do
    line.found, line.states, line.temps, line.of = i, {}, {}, {}
    for _, one in ipairs(line.matrices) do
      if one.source.op == "x" then
        line.from_x, line.of.x, one.parameter = true, one.matrix, line.name .. "_x"
      elseif one.source.op == "before" then
        local index = p.state_of[one.source.name].index
        line.states[index], line.of[one.source.name] = true, one.matrix
        one.parameter = line.name .. "_" .. one.source.name
      else
        local temp = p.temp_of[one.source]
        line.temps[temp.index], line.of[temp.name] = true, one.matrix
        one.parameter = line.name .. "_" .. temp.name
      end
    end
    p.lines[i] = line
  end
  table.sort(p.lines, function(a, c)
    if a.phase ~= c.phase then
      return a.phase < c.phase
    elseif rank(a) ~= rank(c) then
      return rank(a) < rank(c)
    end
    return a.found < c.found
  end)
end

-- In the order of core/engine/layout_place.c.
local function list_parameters(p)
  local function add(name, written, kind, line, source)
    p.parameters[#p.parameters + 1] = { name = name, written = written, kind = kind, line = line, source = source }
  end
  for _, line in ipairs(p.lines) do
    local function matrix(source)
      if line.of[source] then
        add(line.name .. "_" .. source, line.of[source], "matrix", line, source)
      end
    end
    matrix "x"
    for _, list in ipairs { p.states, p.temps } do
      for _, source in ipairs(list) do
        matrix(source.name)
      end
    end
    if line.bias then
      add(line.name .. "_b", line.bias, "bias", line)
    end
  end
  for _, name in ipairs(p.vectors) do
    add(name, name, "vector")
  end
end

local function find_vectors(b, p)
  local list = {}
  for _, node in ipairs(b.graph.nodes) do
    if node.op == "vector" then
      list[#list + 1] = node.name
    end
  end
  table.sort(list)
  p.vectors = list
end

local function check_sizes(p)
  for kind, most in pairs(MOST) do
    if #p[kind] > most then
      errors.raise("cell '%s': %d %s, and a cell can have %d", p.name, #p[kind], kind, most)
    end
  end
  local seen = {}
  for _, one in ipairs(p.parameters) do
    if seen[one.name] then
      errors.raise("cell '%s': '%s' and '%s' are both called '%s' by the core; rename one of them", p.name,
        seen[one.name], one.written, one.name)
    end
    seen[one.name] = one.written
  end
end

-- ---- the whole ------------------------------------------------------------------------------------------------

local function build(cell)
  local b = setmetatable({ cell = cell, graph = graph.new(), value = {}, lines = {}, matrices = {} }, Builder)
  lines.count(cell)
  for _, equation in ipairs(cell.equations) do
    check_read(cell, equation)
  end
  for _, equation in ipairs(cell.equations) do
    local node = b:node(equation, equation.tree)
    b.value[equation.name] = node
    if not node.label and node.op ~= "number" and node.op ~= "before" and node.op ~= "vector" then
      node.label = equation.name
    end
  end
  return b
end

-- cell: name, help, equations, by_name, output, constants, first, whole; read.lua makes it. May raise a fault.
function program.make(cell)
  order.resolve(cell)
  local b = build(cell)
  local p = { name = cell.name, help = cell.help, license = cell.license, equations = cell.equations, graph = b.graph,
    states = {}, state_of = {}, temps = {}, temp_of = {}, lines = {}, parameters = {}, output = cell.output,
    values = b.value }
  add_states(b, p)
  place_lines(b)
  name_temps(b, p)
  name_lines(b, p)
  describe_lines(b, p)
  find_vectors(b, p)
  list_parameters(p)
  check_sizes(p)
  p.phases = 1
  for _, line in ipairs(p.lines) do
    p.phases = math.max(p.phases, line.phase + 1)
  end
  return p
end

-- The nearest of the names that `init` may have, and all of them.
function program.nearest_parameter(p, name)
  local list = {}
  for i, one in ipairs(p.parameters) do
    list[i] = one.written
  end
  return core.nearest(name, list), list
end

return program
