-- native.lua - the C module, opened with the settings of the environment on first use.
--
-- RONDO_THREADS, RONDO_KERNELS, RONDO_PLUGIN_PATH, RONDO_PLUGIN_TRUST are read here and nowhere else; and so is
-- --kernel on the command line, since the core is opened once, before a script sees its options.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local errors = require "rondo.errors"
local places = require "rondo.places"

local threads = core.getenv "RONDO_THREADS"
if threads and threads ~= "" then
  local n = math.tointeger(tonumber(threads))
  if not n or n < 0 then
    errors.stop(errors.USAGE, ("RONDO_THREADS must be a number of threads, got '%s'"):format(threads))
  end
  threads = n
else
  threads = nil
end

-- Not in a program that runs with another's rights: there the environment could name what is loaded.
local function setting(name)
  local value = core.getenv(name)
  return value ~= "" and value or nil
end

local function from_command_line(option)
  for i, argument in ipairs(arg or {}) do
    local value = argument:match("^" .. option:gsub("%-", "%%-") .. "=(.+)$")
    if value or argument == option then
      return value or arg[i + 1]
    end
  end
end

local ok, message = pcall(core.open, {
  threads = threads,
  kernels = from_command_line "--kernel" or setting "RONDO_KERNELS",
  plugin_path = setting "RONDO_PLUGIN_PATH",
  user_dir = places.user_dir(),
  trust_plugins = setting "RONDO_PLUGIN_TRUST" == "1",
})
if not ok then
  errors.stop(errors.USAGE, (message:gsub("^[^\n]-%.lua:%d+: ", "")))
end

return core
