-- cells.lua - where cells of plugins and cells written in Lua meet.
--
-- A cell is found by name: core.cell's table, or the definition that rondo.cell made, which has the same fields. A
-- layer of either has the same methods, and layers run by the same call, so that nobody else tells them apart.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local lua_cell = require "rondo.lua_cell"
local lua_steps = require "rondo.lua_steps"

local cells = {}

local defined, order = {}, {} -- by name; and the names as they were defined
cells.made = {} -- a name for each call of rondo.cell in this process

-- A plugin takes the place of the cell of this name that was made of equations.
function cells.replace_by_plugin(name)
  defined[name] = nil
  for i = #order, 1, -1 do
    if order[i] == name then
      table.remove(order, i)
    end
  end
end

-- rondo.cell { name =, state =, params =, step = }: a cell of steps on tensors; or { name =, equations = }. Defining it
-- again replaces it for the layers that are made from then on.
function cells.cell(given)
  local by_equations = type(given) == "table" and given.equations ~= nil and require "rondo.equations"
  local cell = errors.blame(by_equations and by_equations.define or lua_cell.define, given)
  cells.made[#cells.made + 1] = cell.name
  if not defined[cell.name] then
    if by_equations and by_equations.is_compiled(cell) then
      return cell
    elseif core.cell(cell.name) then
      errors.raise("cell '%s': a plugin has a cell of this name; choose another", cell.name)
    end
    order[#order + 1] = cell.name
  end
  defined[cell.name] = cell
  return cell
end

-- Names of all cells as of now.
function cells.names()
  return table.move(order, 1, #order, #core.cells() + 1, core.cells())
end

-- The cell of this name; nil, message where there is none.
function cells.find(name)
  if defined[name] then
    return defined[name]
  end
  local cell, message = core.cell(name)
  if cell then
    return cell
  end
  local near = not message:find("did you mean", 1, true) and core.nearest(name, order)
  return nil, near and ("%s (did you mean '%s', which is written in Lua?)"):format(message, near) or message
end

-- The same, or an error.
function cells.need(name)
  local cell, message = cells.find(name)
  return cell or errors.raise("%s", message)
end

-- The options of a stack out of its description in a file, which says where its cell was written.
function cells.of_description(description)
  local given = {}
  for key, value in pairs(description) do
    given[key] = value
  end
  given.cell_in = nil
  if description.cell_in == "Lua" and not cells.find(tostring(description.cell)) then
    errors.raise("its cell '%s' is written in Lua; define it with rondo.cell first, or load its file "
      .. "(rondo.plugins.load, --plugin FILE.lua)", tostring(description.cell))
  end
  return given
end

-- A layer as core.rnn makes it.
function cells.layer(like)
  local cell = defined[like.cell]
  return cell and lua_cell.layer(cell, like) or core.rnn(like)
end

-- core.run_layers for layers of one cell, whatever it is.
function cells.run_layers(list, x, states, hows, both)
  if type(list[1]) == "userdata" then
    return core.run_layers(list, x, states, hows, both)
  end
  local outputs, final, used = {}, {}, 0
  for k, layer in ipairs(list) do
    local n, mine = #layer:states(), nil
    if states then
      mine = table.move(states, used + 1, used + n, 1, {})
    end
    local y, after = lua_steps.run(layer, not both and outputs[k - 1] or x, mine, hows[k])
    outputs[k] = y
    table.move(after, 1, n, used + 1, final)
    used = used + n
  end
  if both then
    return outputs[1], outputs[2], final
  end
  return outputs[#outputs], final
end

return cells
