-- alone.lua - tests see no plugins and no ledger of the person who runs them: neither this process nor the commands it
-- starts.
--
-- busted runs it first (.busted). A spec that wants a user's folder or a path sets it in its own command.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local theirs = { HOME = true, XDG_DATA_HOME = true, RONDO_PLUGIN_PATH = true, RONDO_PLUGIN_TRUST = true,
  XDG_STATE_HOME = true, RONDO_LEDGER = true }

local getenv = core.getenv
core.getenv = function(name)
  return not theirs[name] and getenv(name) or nil
end

local before = "export XDG_DATA_HOME=/nonexistent RONDO_LEDGER=off; unset RONDO_PLUGIN_PATH RONDO_PLUGIN_TRUST\n"
for _, call in ipairs { { os, "execute" }, { io, "popen" } } do
  local where, name = table.unpack(call)
  local plain = where[name]
  where[name] = function(command, ...)
    return plain(command and before .. command, ...)
  end
end
