-- places.lua - where this Rondo lies: its prefix, the folder of its recipes and catalog; and what the user adds to it.
--
-- LuaRocks knows two kinds of folders, of Lua files and of modules, so that a rock has all it needs in these.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"

local places = {}

function places.prefix()
  local prefix = core.lib_dir():gsub("/lib/rondo/?$", ""):gsub("/lib/lua/5%.4/rondo/?$", "")
  return prefix
end

-- The folder with scripts/, datasets/ and template/.
function places.share()
  local share = places.prefix() .. "/share/rondo"
  return core.stat(share) and share or places.prefix() .. "/share/lua/5.4/rondo/share"
end

local function absolute(name)
  local path = core.getenv(name)
  return path and path:sub(1, 1) == "/" and path or nil
end

-- The user's own folder, of which `plugins-N` is searched for plugins; nil where the environment names no home.
function places.user_dir()
  local home = absolute "HOME"
  local data = absolute "XDG_DATA_HOME" or home and home .. "/.local/share"
  return data and data .. "/rondo"
end

-- The ledger of runs: what RONDO_LEDGER names (`off`: nil), else a file of the user's state.
function places.ledger()
  local named, home = core.getenv "RONDO_LEDGER", absolute "HOME"
  if named and named ~= "" then
    return named ~= "off" and named or nil
  end
  local state = absolute "XDG_STATE_HOME" or home and home .. "/.local/state"
  return state and state .. "/rondo/ledger.sqlite"
end

local major = core.abi:match "^%d+"

-- The folder in it.
function places.user_plugins()
  local path = places.user_dir()
  return path and ("%s/plugins-%s"):format(path, major)
end

-- The folder beside the program.
function places.plugins()
  return ("%s/plugins-%s/%s"):format(core.lib_dir(), major, core.real == "float" and "f32" or "f64")
end

-- The folder with include/ and share/pkgconfig/, share/cmake/: what the authors of plugins compile with.
function places.kit()
  local prefix = places.prefix()
  return core.stat(prefix .. "/share/pkgconfig/rondo-plugin.pc") and prefix or places.share()
end

-- The program of that name behind `rondo check`, or nil.
function places.checker(name)
  for _, folder in ipairs { places.prefix() .. "/libexec/rondo", core.lib_dir() } do
    if core.stat(folder .. "/" .. name) then
      return folder .. "/" .. name
    end
  end
end

return places
