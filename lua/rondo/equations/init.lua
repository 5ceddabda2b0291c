-- equations/init.lua - rondo.cell { name =, equations = ... }: a cell that is its equations, interpreted or compiled.
--
-- It is a cell written in Lua, whose step computes the equations on the tape, until it is compiled: then the plugin
-- that was made of it is found under its name.
-- SPDX-License-Identifier: MIT
local build = require "rondo.equations.build"
local errors = require "rondo.errors"
local interpret = require "rondo.equations.interpret"
local lua_cell = require "rondo.lua_cell"
local options = require "rondo.options"
local plugins = require "rondo.plugins"
local prove = require "rondo.equations.prove"
local read = require "rondo.equations.read"
local write_c = require "rondo.equations.write_c"

local equations = {}

local compiled = {} -- by name: the C text that was loaded
local made = {} -- the cells of this process, in order
equations.made = made

-- The file of a cell: what follows the last dot of its name.
function equations.file_name(cell)
  return cell.name:match "[^.]*$" .. ".c"
end

function equations.source(cell, file)
  return write_c.text(cell.program, file or equations.file_name(cell))
end

-- As build.cached.
function equations.build(cell, text, check)
  local stops = false
  for _, node in ipairs(cell.program.graph.nodes) do
    stops = stops or node.op == "call" and node.name == "stop"
  end
  return build.cached(cell.name, text, { check = check, stops = stops })
end

local compile_specs = {
  { name = "check", kind = "bool", def = true, help = "also run the rules of rondo check, once for each version" },
}
equations.compile_specs = compile_specs

-- Loads the plugin of a cell, and holds it against the equations. true, or nil, message.
function equations.load(cell, object, text)
  if compiled[cell.name] == text then
    return true, prove.equal(cell.program)
  elseif compiled[cell.name] then
    return nil, ("cell '%s' has been compiled with other equations before, and a plugin stays until the program ends; "
      .. "give these a name of their own"):format(cell.name)
  end
  local loaded, message = plugins.load(object)
  if not loaded then
    return nil, message
  end
  local difference, where = prove.equal(cell.program)
  if not difference then
    return nil, where
  end
  compiled[cell.name] = text
  return true, difference
end

-- cell:compile { check = false }: from here on the cell's name means the plugin that is made of it. Returns a report: c
-- and plugin (paths), cached, difference; or nil, message.
local function compile(cell, given)
  local o = options.resolve("compile", compile_specs, given or {})
  local text = equations.source(cell)
  local object, source, cached = equations.build(cell, text, o.check)
  if not object then
    return nil, source, cached
  end
  local ok, difference = equations.load(cell, object, text)
  if not ok then
    return errors.outside(difference)
  end
  require("rondo.cells").replace_by_plugin(cell.name)
  return { c = source, plugin = object, cached = cached, difference = difference }
end

-- The definition that rondo.cell makes of equations.
function equations.define(given)
  local p = read.program(given)
  local cell = lua_cell.define(interpret.definition(p))
  cell.program = p
  cell.compile = function(self, o)
    return errors.blame(compile, self, o)
  end
  made[#made + 1] = cell
  return cell
end

-- Is it, word for word, the cell that was compiled under its name?
function equations.is_compiled(cell)
  return cell.program ~= nil and compiled[cell.name] == equations.source(cell)
end

return equations
