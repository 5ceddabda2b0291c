-- graph.lua - expressions as a graph in which the same expression is one node.
--
-- A node has id, op, args (nodes), and of a leaf value or name. Arguments have smaller ids than what they are arguments
-- of, so that ids are an order of computation. Ops: number; the leaves x, before (a state of the step before), vector,
-- line; add sub mul div neg; choose (a, b, p, q: p where a > b, else q); call (name: a function of functions.lua); and
-- in derivatives the leaves dnext, dtemp and normback (d, y: the derivative of layernorm). What makes nodes simplifies
-- as much as reading the result takes: numbers, 0 and 1, signs.
-- SPDX-License-Identifier: MIT
local functions = require "rondo.equations.functions"

local graph = {}
graph.__index = graph

function graph.new()
  return setmetatable({ nodes = {}, known = {} }, graph)
end

local function intern(g, key, node)
  local found = g.known[key]
  if not found then
    node.id = #g.nodes + 1
    node.args = node.args or {}
    g.nodes[node.id], g.known[key] = node, node
    found = node
  end
  return found
end

function graph:number(value)
  value = value == math.floor(value) and math.abs(value) < 1e15 and math.tointeger(value) or value
  return intern(self, "number " .. ("%.17g"):format(value), { op = "number", value = value })
end

function graph:leaf(op, name)
  return intern(self, op .. " " .. tostring(name), { op = op, name = name })
end

local COMMUTES = { add = true, mul = true }

local function make(g, op, name, args)
  local ids = {}
  for i, arg in ipairs(args) do
    ids[i] = arg.id
  end
  if COMMUTES[op] then
    table.sort(ids)
  end
  return intern(g, ("%s %s %s"):format(op, name or "", table.concat(ids, " ")), { op = op, name = name, args = args })
end

-- A node of its own for each line, whatever its terms.
function graph:line(line)
  return intern(self, "line " .. line.key, { op = "line", line = line })
end

local function is(node, value)
  return node.op == "number" and node.value == value
end

function graph:neg(a)
  if a.op == "number" then
    return self:number(-a.value)
  elseif a.op == "neg" then
    return a.args[1]
  elseif a.op == "sub" then
    return self:sub(a.args[2], a.args[1])
  end
  return make(self, "neg", nil, { a })
end

-- a b + a c = a (b + c), for derivatives; nil where a and b have no factor in common.
local function common_factor(a, b)
  if a.op ~= "mul" or b.op ~= "mul" then
    return nil
  end
  for i = 1, 2 do
    for j = 1, 2 do
      if a.args[i] == b.args[j] then
        return a.args[i], a.args[3 - i], b.args[3 - j]
      end
    end
  end
end

function graph:add(a, b)
  if a.op == "number" and b.op == "number" then
    return self:number(a.value + b.value)
  elseif is(a, 0) then
    return b
  elseif is(b, 0) then
    return a
  elseif b.op == "neg" then
    return self:sub(a, b.args[1])
  elseif a.op == "neg" then
    return self:sub(b, a.args[1])
  end
  local factor, p, q = common_factor(a, b)
  if self.factoring and factor then
    return self:mul(factor, self:add(p, q))
  end
  return make(self, "add", nil, { a, b })
end

function graph:sub(a, b)
  if a.op == "number" and b.op == "number" then
    return self:number(a.value - b.value)
  elseif is(b, 0) then
    return a
  elseif is(a, 0) then
    return self:neg(b)
  elseif a == b then
    return self:number(0)
  elseif b.op == "neg" then
    return self:add(a, b.args[1])
  end
  local factor, p, q = common_factor(a, b)
  if self.factoring and factor then
    return self:mul(factor, self:sub(p, q))
  end
  return make(self, "sub", nil, { a, b })
end

function graph:mul(a, b)
  if a.op == "number" and b.op == "number" then
    return self:number(a.value * b.value)
  elseif is(a, 0) or is(b, 0) then
    return self:number(0)
  elseif is(a, 1) then
    return b
  elseif is(b, 1) then
    return a
  elseif is(a, -1) then
    return self:neg(b)
  elseif is(b, -1) then
    return self:neg(a)
  elseif a.op == "neg" then
    return self:neg(self:mul(a.args[1], b))
  elseif b.op == "neg" then
    return self:neg(self:mul(a, b.args[1]))
  end
  return make(self, "mul", nil, { a, b })
end

function graph:div(a, b)
  if a.op == "number" and b.op == "number" and b.value ~= 0 then
    return self:number(a.value / b.value)
  elseif is(a, 0) then
    return a
  elseif is(b, 1) then
    return a
  elseif a.op == "neg" then
    return self:neg(self:div(a.args[1], b))
  elseif b.op == "neg" then
    return self:neg(self:div(a, b.args[1]))
  end
  return make(self, "div", nil, { a, b })
end

function graph:choose(a, b, p, q)
  if p == q then
    return p
  elseif p.op == "neg" and (q.op == "neg" or is(q, 0)) or q.op == "neg" and is(p, 0) then
    return self:neg(self:choose(a, b, self:neg(p), self:neg(q)))
  end
  return make(self, "choose", nil, { a, b, p, q })
end

function graph:call(name, ...)
  local args, numbers = { ... }, {}
  for i, arg in ipairs(args) do
    numbers[i] = arg.op == "number" and arg.value or nil
  end
  if #numbers == #args and functions[name].number then
    return self:number(functions[name].number(table.unpack(numbers)))
  end
  return make(self, "call", name, args)
end

function graph:normback(d, y)
  return is(d, 0) and d or make(self, "normback", nil, { d, y })
end

-- a to the power of a number.
function graph:power(a, exponent)
  local whole = math.tointeger(exponent)
  if exponent < 0 then
    return self:div(self:number(1), self:power(a, -exponent))
  elseif exponent == 0.5 then
    return self:call("sqrt", a)
  elseif not whole then
    return self:call("exp", self:mul(self:number(exponent), self:call("log", a)))
  elseif whole == 0 then
    return self:number(1)
  elseif whole == 1 then
    return a
  end
  local half = self:power(a, whole // 2)
  local square = self:mul(half, half)
  return whole % 2 == 0 and square or self:mul(square, a)
end

function graph.is_number(node, value)
  return is(node, value)
end

return graph
