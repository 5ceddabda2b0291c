-- cli/replay.lua - rondo replay CAPSULE: the update that broke, once more, and what in it was first not finite.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"

return function(arguments, cli)
  local parser = cli.parser("replay", "Plays the update of a capsule again, which a training has left where a number "
    .. "was not finite, and shows the trail: what was first not finite, at which time step, and what followed from it. "
    .. "The status is 0 where the same numbers are found at the same places, else 3.")
  parser:argument("capsule", "RUN/capsules/step-....h5")
  parser:option("--threads", "worker threads; 0: one per CPU"):argname "<n>"
    :convert(cli.number("--threads", "int", 0, 256))
  parser:flag("--json", "one JSON object")
  cli.plugin_option(parser)
  local o = cli.parse(parser, arguments)
  require("rondo.plugins").load_from(arguments)
  if o.threads then
    require("rondo.native").threads(o.threads)
  end
  local capsule = require "rondo.diagnose.capsule"
  local found, message, code = require("rondo").replay(o.capsule)
  if not found then
    errors.stop(code or errors.DATA, cli.with_plugin_hint(message))
  end
  if o.json then
    local list = table.move(found.trail, 1, #found.trail, 1, {})
    io.stdout:write(require("rondo.json").encode { step = found.step, same = found.same, trail = list }, "\n")
  else
    io.stdout:write(("step %d\n"):format(found.step), table.concat(capsule.lines(found.trail), "\n"), "\n",
      found.same and "as in the training\n" or "not as in the training, where it was:\n",
      found.same and "" or table.concat(capsule.lines(found.recorded), "\n") .. "\n")
  end
  return found.same and 0 or errors.DATA
end
