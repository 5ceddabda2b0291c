-- interpret.lua - a program on the tape: what rondo.cell runs until it is compiled.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local functions = require "rondo.equations.functions"
local tensor = require "rondo.tensor"

local interpret = {}

local ops = {}

function ops.add(a, b) return a + b end

function ops.sub(a, b) return a - b end

function ops.mul(a, b) return a * b end

function ops.div(a, b) return a / b end

function ops.neg(a) return -a end

local function line_value(line, value_of, parameters)
  local total
  for _, one in ipairs(line.matrices) do
    local part = tensor.linear(value_of(one.source), parameters[one.parameter])
    total = total and total + part or part
  end
  return line.bias and total + parameters[line.name .. "_b"] or total
end

-- A vector where a state is written must have a row for each row of the batch.
local function as_rows(value, like)
  local is_rows = tensor.is_tensor(value) and value.ndim == 2
  return is_rows and value or core.zeros { like:size(1), like:size(2) } + value
end

-- The states after a step by name, out of x (batch, features) and the states before; parameters by name.
function interpret.step(p, parameters, x, states)
  local values = {}
  local function value_of(node)
    local found = values[node]
    if found == nil then
      local op = node.op
      if op == "number" then
        found = node.value
      elseif op == "x" then
        found = x
      elseif op == "before" then
        found = p.state_of[node.name].stop and states[node.name]:detach() or states[node.name]
      elseif op == "vector" then
        found = parameters[node.name]
      elseif op == "line" then
        found = line_value(node.line, value_of, parameters)
      else
        local a = value_of(node.args[1])
        local b = node.args[2] and value_of(node.args[2])
        found = op == "call" and functions[node.name].tensor(a, b) or op ~= "call" and ops[op](a, b)
      end
      values[node] = found
    end
    return found
  end
  local after = {}
  for _, state in ipairs(p.states) do
    after[state.name] = as_rows(value_of(state.root), states[state.name])
  end
  if interpret.on_values then -- diagnose/inside.lua looks
    interpret.on_values(values)
  end
  return after
end

-- The table that rondo.cell is given without equations.
function interpret.definition(p)
  local state, lines = {}, {}
  for i, one in ipairs(p.states) do
    state[i] = { one.name, first = one.first, stops = one.stop or nil, whole = one.whole or nil }
  end
  for i, line in ipairs(p.lines) do
    lines[i] = line.name
  end
  local function params(c)
    local list = {}
    for _, one in ipairs(p.parameters) do
      local columns = one.kind == "matrix" and (one.source == "x" and c.input_size or c.hidden_size) or nil
      list[one.name] = { c.hidden_size, columns, init = one.init }
    end
    return list
  end
  return { name = p.name, help = p.help, state = state, lines = lines, params = params,
    step = function(parameters, x, states) return interpret.step(p, parameters, x, states) end }
end

return interpret
