-- cli/plugins.lua - rondo plugins: what was found, and why something was refused.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"

return function(arguments, cli)
  local parser = cli.parser("plugins", "Lists the plugins, their cells and kernels, and what was refused.")
  parser:argument("file", "also try these plugin files"):args "*"
  parser:flag("--json", "one JSON object: plugins, kernels")
  local o = cli.parse(parser, arguments)
  local core = require "rondo.native"
  local failed
  for _, path in ipairs(o.file) do
    local report, message = core.load_plugin(require("rondo.plugins").path_of(path))
    if not report then
      io.stderr:write("rondo: ", message, "\n")
      failed = true
    end
  end
  if o.json then
    local kernels = {}
    for i, entry in ipairs(core.kernel_list()) do
      kernels[i] = { name = entry.name, help = entry.help, in_use = not entry.why_not, why_not = entry.why_not,
        inexact = entry.inexact }
    end
    io.stdout:write(require("rondo.json").encode { plugins = core.plugins(), kernels = kernels }, "\n")
    return failed and errors.USAGE or 0
  end
  for _, p in ipairs(core.plugins()) do
    if p.refusal then
      print(("refused   %s\n          %s"):format(p.path, p.refusal))
    else
      local brings = {}
      for _, cell in ipairs(p.cells or {}) do
        brings[#brings + 1] = "cell " .. cell
      end
      for _, layer in ipairs(p.layers or {}) do
        brings[#brings + 1] = "layer " .. layer
      end
      for _, kernel in ipairs(p.kernels or {}) do
        brings[#brings + 1] = "kernels " .. kernel
      end
      print(("%-16s %-8s %s\n          %s"):format(p.name, p.version or "", table.concat(brings, ", "), p.path))
    end
  end
  print("\nkernel backends, best first:")
  for _, entry in ipairs(core.kernel_list()) do
    print(("  %-10s %s"):format(entry.name, entry.why_not or
      entry.inexact and "in use; its products are not the bit contract's" or "in use"))
  end
  return failed and errors.USAGE or 0
end
