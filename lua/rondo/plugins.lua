-- plugins.lua - rondo.plugins: what was found, and loading more.
--
-- rondo.plugins.cells is the list of cells as of now; load(path) returns the plugin's report, or nil, message.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"

local plugins = {}

local cell_list = {} -- marks lists made here, so that rondo.args can renew them after --plugin

function plugins.is_cell_list(list)
  return type(list) == "table" and getmetatable(list) == cell_list
end

-- Every plugin file that was loaded or refused.
function plugins.list()
  return core.plugins()
end

-- A script that defines cells; whatever else it does is done too.
local function run_script(path)
  local made = require("rondo.cells").made
  local before, seen = #made, {}
  local report = { kind = "cell", name = path:match "([^/]*)%.lua$", path = path, cells = {}, layers = {} }
  local chunk, message = loadfile(path)
  if not chunk then
    return errors.outside(message, errors.USAGE)
  end
  chunk(path)
  for i = before + 1, #made do
    if not seen[made[i]] then
      seen[made[i]] = true
      report.cells[#report.cells + 1] = made[i]
    end
  end
  if #report.cells == 0 then
    return errors.outside(path .. " defines no cell; rondo.cell { name = ... } does", errors.USAGE)
  end
  return report
end

-- A plugin file, or a Lua script that calls rondo.cell.
function plugins.load(path)
  if type(path) ~= "string" then
    errors.raise("plugins.load: expected a path, got a %s", type(path))
  elseif path:find "%.lua$" then
    return run_script(path)
  end
  local report, message = core.load_plugin(path)
  if not report then
    return errors.outside(message, errors.USAGE)
  end
  report.kind = #report.cells > 0 and "cell" or #report.layers > 0 and "layer" or "kernel"
  return report
end

-- A file that was named on the command line: mgu.so is the one in this folder.
function plugins.path_of(argument)
  return argument:find("/", 1, true) and argument or "./" .. argument
end

-- Loads the files of every --plugin in a list of arguments, once.
local loaded = {}
function plugins.load_from(list)
  for i, argument in ipairs(list) do
    local path = argument:match "^%-%-plugin=(.*)$" or (argument == "--plugin" and list[i + 1])
    if path and not loaded[path] then
      local report, message = plugins.load(plugins.path_of(path))
      if not report then
        errors.stop(errors.USAGE, message)
      end
      loaded[path] = true
    end
  end
end

return setmetatable(plugins, { __index = function(_, key)
  if key == "cells" then
    return setmetatable(require("rondo.cells").names(), cell_list)
  end
end })
