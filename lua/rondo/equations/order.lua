-- order.lua - which value a name stands for, and in which order equations are computed.
--
-- h' is h of the step before. Without the mark, a name stands for its value of this step wherever that can be had: not
-- where reading would go round in a circle. Circles are opened at the output first, wherever an equation that the
-- output needs reads it; then at names that read themselves or are read with a mark, within each circle that is left.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local parse = require "rondo.equations.parse"

local order = {}

-- Every name of an equation that another one defines, with its node of the tree.
local function walk(tree, visit)
  if tree.op == "name" then
    visit(tree)
  end
  for _, child in ipairs { tree.a or false, tree.b or false, tree.arg or false } do
    if child then
      walk(child, visit)
    end
  end
  for _, child in ipairs(tree.args or {}) do
    walk(child, visit)
  end
end
order.walk = walk

-- Names that `from` needs for its value of this step, itself only if it goes round.
local function needed(cell, from)
  local found, list = {}, { from }
  while #list > 0 do
    local name = table.remove(list)
    walk(cell.by_name[name].tree, function(node)
      if cell.by_name[node.name] and not node.before and not found[node.name] then
        found[node.name] = true
        list[#list + 1] = node.name
      end
    end)
  end
  return found
end

local function each_read(cell, visit)
  for _, equation in ipairs(cell.equations) do
    walk(equation.tree, function(node)
      if cell.by_name[node.name] then
        visit(equation, node)
      end
    end)
  end
end

local function open_at_output(cell)
  local needs = needed(cell, cell.output)
  needs[cell.output] = true
  each_read(cell, function(equation, node)
    if node.name == cell.output and needs[equation.name] then
      node.before = true
    end
  end)
end

local function open_circles(cell)
  local keeps, needs = {}, {}
  each_read(cell, function(equation, node)
    if node.name == equation.name or node.before then
      keeps[node.name] = true
    end
  end)
  for _, equation in ipairs(cell.equations) do
    needs[equation.name] = needed(cell, equation.name)
  end
  each_read(cell, function(equation, node)
    if keeps[node.name] and (node.name == equation.name or needs[node.name][equation.name]) then
      node.before = true
    end
  end)
end

-- The equations so that each comes after what it needs; of several the first by name.
local function sorted(cell)
  local done, list = {}, {}
  local function visit(equation, path)
    if done[equation.name] then
      return
    end
    path[#path + 1] = equation.name
    walk(equation.tree, function(node)
      local other = not node.before and cell.by_name[node.name]
      for i, name in ipairs(path) do
        if other and name == other.name then
          local circle = table.concat(path, ", which needs ", i) .. ", which needs " .. name
          parse.fault(equation, node.col, "this goes round in a circle: %s; write %s' for the value of the step before",
            circle, name)
        end
      end
      if other then
        visit(other, path)
      end
    end)
    path[#path] = nil
    done[equation.name] = true
    list[#list + 1] = equation
  end
  for _, equation in ipairs(cell.equations) do
    visit(equation, {})
  end
  return list
end

-- Of the names that stand for parameters in other equations, one that is like `name`.
local function meant_by(cell, name)
  local list, seen = {}, { x = true }
  walk(cell.by_name[name].tree, function(node)
    seen[node.name or "x"] = true
  end)
  for _, equation in ipairs(cell.equations) do
    walk(equation.tree, function(node)
      if not (seen[node.name] or cell.by_name[node.name]) then
        seen[node.name], list[#list + 1] = true, node.name
      end
    end)
  end
  local near = core.nearest(name, list)
  return near and ("; did you mean it by '%s'?"):format(near) or ""
end

-- What the output needs, of this step or any before.
local function check_used(cell)
  local used, list = { [cell.output] = true }, { cell.output }
  while #list > 0 do
    walk(cell.by_name[table.remove(list)].tree, function(node)
      if cell.by_name[node.name] and not used[node.name] then
        used[node.name] = true
        list[#list + 1] = node.name
      end
    end)
  end
  for _, equation in ipairs(cell.equations) do
    if not used[equation.name] then
      parse.fault(equation, 1, "'%s' is never used: '%s', the output, does not need it%s", equation.name, cell.output,
        meant_by(cell, equation.name))
    end
  end
end

-- cell: equations (sorted by name, each name, text, tree), by_name, output. Marks reads with `before`, puts the
-- equations in order, and sets cell.kept: by name, is it a state?
function order.resolve(cell)
  open_at_output(cell)
  open_circles(cell)
  cell.equations = sorted(cell)
  check_used(cell)
  cell.kept = { [cell.output] = true }
  each_read(cell, function(_, node)
    if node.before then
      cell.kept[node.name] = true
    end
  end)
end

return order
