-- cli/run.lua - rondo run SCRIPT: stock Lua with the module at hand.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"

return function(arguments)
  local script = arguments[1]
  if script == "--help" or script == "-h" then
    io.stdout:write("Usage: rondo run SCRIPT [--option value ...]\n\n"
      .. "Runs a Lua script; - reads it from stdin. `rondo run SCRIPT --help` shows the script's own options.\n"
      .. "--traceback shows where in the code an error was raised.\n")
    return 0
  elseif not script then
    errors.stop(errors.USAGE, "run: give a script, as in `rondo run chars.lua --epochs 5`")
  end
  local file = script
  if script == "-" then
    file = nil -- the script is on stdin
  end
  local chunk, message = loadfile(file)
  if not chunk then
    errors.stop(message:find "^cannot %a+ " and errors.USAGE or errors.SCRIPT, message)
  end
  _G.arg = table.move(arguments, 2, #arguments, 1, { [0] = script })
  local result = chunk(table.unpack(arguments, 2))
  return math.type(result) == "integer" and result or 0
end
