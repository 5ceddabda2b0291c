-- cli/plan.lua - rondo plan SCRIPT|RUN: what memory a training takes. The script is run up to its fit().
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local errors = require "rondo.errors"
local json = require "rondo.json"

-- The script of a run folder and the file with its options.
local function of_run(folder)
  local path = folder .. "/config.json"
  local config, message = json.read(path)
  if not config or type(config.script) ~= "string" then
    errors.stop(errors.DATA, message or folder .. ": its config.json names no script")
  elseif not core.stat(config.script) then
    errors.stop(errors.DATA, ("%s: its script %s is not there; give the script itself"):format(folder, config.script))
  end
  return config.script, path
end

return function(arguments, cli)
  local subject = arguments[1]
  if subject == "--help" or subject == "-h" then
    io.stdout:write("Usage: rondo plan SCRIPT|RUN [--option value ...]\n\n"
      .. "Runs a script, or that of a run folder with its options, up to its training, and says what memory a batch\n"
      .. "of it takes, and how little would do in segments. Options are the script's; --memory 64MB is the budget.\n")
    return 0
  elseif not subject or subject:sub(1, 2) == "--" then
    errors.stop(errors.USAGE, "plan: give a script or a run folder, as in `rondo plan scripts/adding.lua`")
  end
  local all = table.move(arguments, 1, #arguments, 1, {})
  local stat = core.stat(subject)
  if stat and stat.kind == "dir" then
    local script, config = of_run(subject)
    all = table.move(arguments, 2, #arguments, 4, { script, "--config", config })
  end
  require("rondo.memory_plan").asked = true
  require "rondo.cli.run"(all, cli)
  errors.stop(errors.SCRIPT, ("plan: %s has ended without a training"):format(all[1]))
end
