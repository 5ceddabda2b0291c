-- differentiate.lua - the backward pass of a program, by symbols.
--
-- Reverse mode on the graph: dL/dnode of every node out of those of the nodes that read it, last first. What comes in
-- are the leaves dnext (dL/dstate after the step) and dtemp (of what a matrix multiplies, made by the core); what goes
-- out is dL/d of each line, of each state before the step, and of each vector.
-- SPDX-License-Identifier: MIT
local functions = require "rondo.equations.functions"

local differentiate = {}

local rules = {}

function rules.add(_, d)
  return d, d
end

function rules.sub(g, d)
  return d, g:neg(d)
end

function rules.neg(g, d)
  return g:neg(d)
end

function rules.mul(g, d, node)
  local a, b = node.args[1], node.args[2]
  if a == b then
    return g:mul(g:number(2), g:mul(d, a)), nil
  end
  return g:mul(d, b), g:mul(d, a)
end

-- y = a / b: dL/da = d / b, dL/db = -(d / b) y.
function rules.div(g, d, node)
  local over = g:div(d, node.args[2])
  return over, g:neg(g:mul(over, node))
end

function rules.call(g, d, node)
  if node.name == "layernorm" then
    return g:normback(d, node)
  end
  return functions[node.name].back(g, d, node, table.unpack(node.args))
end

-- Adds to program.back: line, before, vector: dL/d of it by line, by name of state, by name of vector.
function differentiate.run(p)
  local g, d = p.graph, {}
  local last = #g.nodes
  g.factoring = true
  local function add(node, more)
    if more and node.op ~= "number" then
      d[node] = d[node] and g:add(d[node], more) or more
    end
  end
  for _, state in ipairs(p.states) do
    if not state.stop then
      add(state.root, g:leaf("dnext", state.name))
    end
  end
  for _, temp in ipairs(p.temps) do
    add(temp.node, g:leaf("dtemp", temp.name))
  end
  for id = last, 1, -1 do
    local node = g.nodes[id]
    local rule = rules[node.op]
    if rule and d[node] and not g.is_number(d[node], 0) then
      local changes = table.pack(rule(g, d[node], node))
      for i, arg in ipairs(node.args) do
        add(arg, changes[i])
      end
    end
  end
  g.factoring = nil
  p.back = { line = {}, before = {}, vector = {} }
  for id = 1, last do
    local node = g.nodes[id]
    if node.op == "line" then
      p.back.line[node.line] = d[node] or g:number(0)
    elseif node.op == "before" or node.op == "vector" then
      p.back[node.op][node.name] = d[node]
    end
    if d[node] and node.label and not d[node].label and #d[node].args > 0 then
      d[node].label = "d" .. node.label
    end
  end
  for _, state in ipairs(p.states) do -- the core hands nothing on through them
    if state.stop then
      p.back.before[state.name] = nil
    end
  end
  p.last_forward = last
end

return differentiate
