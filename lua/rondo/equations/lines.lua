-- lines.lua - the sums of an equation: what of them the core forms as a line, with which matrices and bias.
--
-- A sum's products with matrices, and the vector added to them that nothing else reads, are one line: a = b + W x + U
-- h. Products that are subtracted are a line of their own, so is a product that several sums share, and a second matrix
-- on the same source. A line has: matrices (each name, source: x, before or a node, col), bias (a name or nil), key,
-- equation, sign.
-- SPDX-License-Identifier: MIT
local parse = require "rondo.equations.parse"

local lines = {}

-- The terms of a sum, left to right, as { tree =, minus = }.
local function flatten(tree, minus, list)
  if tree.op == "+" or tree.op == "-" then
    flatten(tree.a, minus, list)
    flatten(tree.b, minus ~= (tree.op == "-"), list)
  elseif tree.op == "neg" then
    flatten(tree.a, not minus, list)
  else
    list[#list + 1] = { tree = tree, minus = minus }
  end
  return list
end

-- How often each matrix and vector is named, so that shared ones are known before anything is built.
function lines.count(cell)
  local count = {}
  local function visit(tree)
    if tree.op == "product" then
      count[tree.matrix] = (count[tree.matrix] or 0) + 1
    elseif tree.op == "name" then
      count[tree.name] = (count[tree.name] or 0) + 1
    end
    for _, child in ipairs { tree.a or false, tree.b or false, tree.arg or false } do
      if child then
        visit(child)
      end
    end
    for _, child in ipairs(tree.args or {}) do
      visit(child)
    end
  end
  for _, equation in ipairs(cell.equations) do
    visit(equation.tree)
  end
  cell.count = count
end

local function key_of(line)
  local names = {}
  for i, one in ipairs(line.matrices) do
    names[i] = one.matrix
  end
  table.sort(names)
  return table.concat(names, " ")
end

-- What a matrix multiplies: a node that is x, a state of the step before, or computed.
local function source_of(b, equation, tree)
  local node = b:node_or_x(equation, tree.arg)
  if node.op == "number" or node.op == "vector" then
    parse.fault(equation, tree.arg.col, "'%s' can multiply x, a state, or what an equation computes, and not a %s",
      tree.matrix, node.op == "number" and "number" or "parameter")
  end
  local known = b.matrices[tree.matrix]
  if known and known ~= node then
    parse.fault(equation, tree.col, "matrix '%s' has multiplied something else already; give this one a name of its "
      .. "own", tree.matrix)
  end
  b.matrices[tree.matrix] = node
  return { matrix = tree.matrix, source = node, col = tree.col }
end

local function finish(b, equation, line)
  line.key, line.equation = key_of(line), equation
  if not b.lines[line.key] then
    b.lines[line.key] = line
    b.lines[#b.lines + 1] = line
  end
  return b.graph:line(b.lines[line.key])
end

-- Lines of the terms with one sign, as a list; each is placed where its first product stands. Marks what is in one.
local function gather(b, equation, terms, minus)
  local made = {}
  local function line_for(source)
    for _, line in ipairs(made) do
      local free = not line.shared
      for _, one in ipairs(line.matrices) do
        free = free and one.source ~= source
      end
      if free then
        return line
      end
    end
  end
  for i, term in ipairs(terms) do
    if term.minus == minus and term.tree.op == "product" then
      local one = source_of(b, equation, term.tree)
      local shared = b.cell.count[one.matrix] > 1
      local line = not shared and line_for(one.source)
      if not line then
        line = { matrices = {}, place = i, shared = shared }
        made[#made + 1] = line
      end
      line.matrices[#line.matrices + 1] = one
      term.taken = true
    end
  end
  return made
end

local function give_bias(b, terms, minus, made)
  for _, term in ipairs(terms) do
    local tree = term.tree
    local line = made[1] and not made[1].shared and not made[1].bias and made[1]
    if line and term.minus == minus and tree.op == "name" and b:is_vector(tree) and b.cell.count[tree.name] == 1 then
      line.bias, term.taken = tree.name, true
    end
  end
end

-- The node of a sum (or of a product with a matrix, a sum of one).
function lines.sum(b, equation, tree)
  local terms, place = flatten(tree, false, {}), {}
  for _, minus in ipairs { false, true } do
    local made = gather(b, equation, terms, minus)
    give_bias(b, terms, minus, made)
    for _, line in ipairs(made) do
      place[line.place] = finish(b, equation, line)
    end
  end
  local total
  for i, term in ipairs(terms) do
    local node = place[i] or not term.taken and b:node(equation, term.tree)
    if node and not total then
      total = term.minus and b.graph:neg(node) or node
    elseif node then
      total = term.minus and b.graph:sub(total, node) or b.graph:add(total, node)
    end
  end
  return total
end

return lines
