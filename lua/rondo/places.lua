-- places.lua - where this Rondo lies: its prefix, and the folder of its recipes and catalog.
--
-- LuaRocks knows two kinds of folders, of Lua files and of modules, so that a rock has all it needs in these.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"

local places = {}

function places.prefix()
  local prefix = core.lib_dir():gsub("/lib/rondo/?$", ""):gsub("/lib/lua/5%.4/rondo/?$", "")
  return prefix
end

-- The folder with scripts/ and datasets/.
function places.share()
  local share = places.prefix() .. "/share/rondo"
  return core.stat(share) and share or places.prefix() .. "/share/lua/5.4/rondo/share"
end

return places
