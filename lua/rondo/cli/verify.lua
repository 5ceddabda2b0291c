-- cli/verify.lua - rondo verify RUN: does it give the same bits once more?
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local errors = require "rondo.errors"
local run_folder = require "rondo.run_folder"

local function must(value, message)
  if not value then
    errors.stop(errors.DATA, message)
  end
  return value
end

local function say(run, stretch, result)
  local what = ("%s: step %d to %d"):format(run, stretch.from, stretch.to)
  if result.same then
    return ("%s: identical (state digest %s)\n"):format(what, result.digest)
  end
  return ("%s: differs: %s\n"):format(what, result.difference)
end

-- What to say where a training has removed a checkpoint of the stretch meanwhile.
local function gone(run, stretch)
  for _, step in ipairs { stretch.from, stretch.to } do
    local file = run_folder.step_file(run, step)
    if step > 0 and not core.stat(file) and run_folder.is_held(run) then
      return ("%s: the training that is at work there has removed it; verify the run when it has ended, or give it "
        .. "--keep-every"):format(file)
    end
  end
end

return function(arguments, cli)
  local parser = cli.parser("verify", "Runs stretches of a training again, each from one of its checkpoints to the "
    .. "next, by its script and options, and compares the states bit by bit. Exit status 5 where one differs.")
  parser:argument("run", "run folder")
  parser:option("--stretches", "how many, at random (default 3)"):argname "<n>"
    :convert(cli.number("--stretches", "int", 1, 1000000))
  parser:option("--seed", "of the choice (default 1)"):argname "<n>":convert(cli.number("--seed", "int", 0, 2 ^ 31))
  parser:option("--threads", "for the runs; bits do not depend on it (default: as the run had)"):argname "<n>"
    :convert(cli.number("--threads", "int", 0, 256))
  local o = cli.parse(parser, arguments)
  local verify = require "rondo.verify"
  local run = must(core.realpath(o.run))
  local how = must(verify.script_of(run))
  how.threads = o.threads or how.threads
  local list = verify.stretches(run)
  must(list[1], ("%s: holds no checkpoint to run to"):format(o.run))
  local same = true
  for _, stretch in ipairs(verify.choose(list, o.stretches or 3, o.seed or 1)) do
    local result, message = verify.stretch(run, stretch, how)
    must(result, not result and gone(run, stretch) or message)
    io.stdout:write(say(o.run, stretch, result))
    io.stdout:flush()
    same = same and result.same
  end
  return same and 0 or errors.BROKEN
end
