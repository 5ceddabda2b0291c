-- plugin_install.lua - puts a plugin into the user's own folder, where it is found from then on, and takes it away.
--
-- Under its name there is only ever a whole file that this Rondo loads: a copy is loaded from the folder under a hidden
-- name first, so that what is refused there is refused here, and then renamed over an older one.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local places = require "rondo.places"

local install = {}

local OWNER_WRITES, FILE_MODE = 448, 420 -- octal 700, 644

local function stop(code, format, ...)
  errors.stop(code, "plugins: " .. format:format(...))
end

-- The user's folder; it is made where it is not there, writable by the user alone whatever his umask is.
local function folder()
  local path = places.user_plugins()
  if not path then
    stop(errors.USAGE, "there is no place for it: set HOME or XDG_DATA_HOME to a folder of yours")
  end
  if not core.stat(path) then
    local ok, message = core.mkdir(path)
    if ok then
      ok, message = core.chmod(path, OWNER_WRITES)
    end
    if not ok then
      stop(errors.DATA, "%s", message)
    end
  end
  return path
end

local function load_or_stop(path, shown)
  local report, message = core.load_plugin(path)
  if not report then
    stop(errors.USAGE, "%s", shown and message:gsub(path:gsub("%p", "%%%0"), (shown:gsub("%%", "%%%%"))) or message)
  end
  return report
end

local function read(path)
  local file, message = io.open(path, "rb")
  local bytes = file and file:read "a"
  if not bytes then
    stop(errors.DATA, "%s", message or path .. ": cannot be read")
  end
  file:close()
  return bytes
end

local function has(list, name)
  for _, each in ipairs(list or {}) do
    if each == name then
      return true
    end
  end
end

-- What the plugin has in common with those that are there, `before`: the older files of its name in the user's folder;
-- notes of what comes first, or comes second from now on. Ends where another of his has one of its names.
local function compare(report, before)
  local older, notes = {}, {}
  for _, there in ipairs(before) do
    local mine = there.found == "of the user"
    if mine and there.name == report.name then
      older[#older + 1] = there
    end
    for kind, called in pairs { cells = "cell", layers = "layer", kernels = "backend" } do
      for _, name in ipairs(report[kind]) do
        local what = ("%s '%s'"):format(called, name)
        if not has(there[kind], name) or (mine and there.name == report.name) then -- luacheck: ignore 542
        elseif mine then
          stop(errors.USAGE, "your plugin '%s' has a %s too; `rondo plugins remove %s` first", there.name, what,
            there.name)
        elseif there.found == "on the path" then
          notes[#notes + 1] = ("%s on RONDO_PLUGIN_PATH has a %s too and comes first"):format(there.path, what)
        elseif there.found == "installed" then
          notes[#notes + 1] = ("its %s comes before that of %s"):format(what, there.path)
        end
      end
    end
  end
  return older, notes
end

-- Installs a file: its report, with the path it has from now on, and what was there before.
function install.file(path)
  if path:find "%.c$" then
    stop(errors.USAGE, "%s is a source, not a plugin; `rondo check %s` builds and checks it, and this line keeps what "
      .. "is built: cc -O3 $(pkg-config --cflags rondo-plugin) -shared %s -o %s", path, path, path,
      path:gsub("c$", "so"))
  end
  if path:find "%.lua$" then
    stop(errors.USAGE, "%s is a script: --plugin %s uses its cells as they are, and `rondo compile-cell %s` makes a "
      .. "plugin of those that are equations", path, path, path)
  end
  local before = core.plugins()
  local report = load_or_stop(require("rondo.plugins").path_of(path))
  local older, notes = compare(report, before)
  local place = folder()
  local target, hidden = ("%s/%s.so"):format(place, report.name), ("%s/.%s.so"):format(place, report.name)
  local ok, message = core.write_file(hidden, read(report.path))
  if ok then
    ok, message = core.chmod(hidden, FILE_MODE)
  end
  if not ok then
    stop(errors.DATA, "%s", message)
  end
  local loaded <close> = setmetatable({}, { __close = function() core.remove(hidden) end }) -- luacheck: ignore 211
  load_or_stop(hidden, target)
  ok, message = core.rename(hidden, target)
  if not ok then
    stop(errors.DATA, "%s", message)
  end
  for _, there in ipairs(older) do
    if there.path ~= core.realpath(target) then
      core.remove(there.path)
    end
  end
  report.path, report.older, report.notes = target, older, notes
  return report
end

-- Takes away the user's plugin of this name, or file of this name: its path.
function install.remove(name)
  local known = {}
  for _, there in ipairs(core.plugins()) do
    if there.found == "of the user" then
      local file = there.path:match "[^/]*$"
      if there.name == name or file == name or file == name .. ".so" then
        local ok, message = core.remove(there.path)
        if not ok then
          stop(errors.DATA, "%s", message)
        end
        return there.path
      end
      known[#known + 1] = there.name or file
    end
  end
  local near = core.nearest(name, known)
  stop(errors.USAGE, "you have no plugin '%s'%s", name, near and (" (did you mean '%s'?)"):format(near) or #known > 0
    and "; there is " .. table.concat(known, ", ") or ": none is in " .. tostring(places.user_plugins()))
end

return install
