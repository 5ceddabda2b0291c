-- cli/help.lua - rondo help: the overview, a command's help, or a cell's options from its plugin's table.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"

local function range_of(option)
  if option.kind == "choice" then
    return table.concat(option.choices, "|")
  elseif option.kind == "bool" then
    return "true|false"
  end
  return ("%.6g..%.6g"):format(option.min, option.max)
end

local function show_cell(cell)
  print(("%s: %s\n\nOptions of the cell:"):format(cell.name, cell.help or ""))
  for _, option in ipairs(cell.options) do
    print(("  %-16s %-24s %s (default %s)"):format(option.name, range_of(option), option.help or "",
      tostring(option.def)))
  end
  if #cell.options == 0 then
    print("  none")
  end
  print("\nOptions of every recurrent layer:")
  for _, option in ipairs(require("rondo.rnn").options) do
    print(("  %-16s %-24s %s"):format(option.name, option.choices and table.concat(option.choices, "|")
      or option.kind, option.help or ""))
  end
end

return function(arguments, cli)
  local topic = arguments[1]
  if not topic or topic == "--help" or topic == "-h" then
    print(cli.overview())
    return 0
  end
  local names = cli.command_names()
  for _, name in ipairs(names) do
    if name == topic then
      return require("rondo.cli." .. name)({ "--help" }, cli)
    end
  end
  local core = require "rondo.native"
  local cell = core.cell(topic)
  if cell then
    show_cell(cell)
    return 0
  end
  local near = core.nearest(topic, table.move(core.cells(), 1, #core.cells(), #names + 1, names))
  errors.stop(errors.USAGE, ("help: no command or cell '%s'%s"):format(topic, near and
    (" (did you mean '%s'?)"):format(near) or "; commands and cells are " .. table.concat(names, ", ")))
end
