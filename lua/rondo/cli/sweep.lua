-- cli/sweep.lua - rondo sweep SCRIPT --option VALUES ...: many runs of a script, and a table of them.
--
-- What is not an option of the sweep is one of the script: one value is fixed, several or a range make the space.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local json = require "rondo.json"

local function usage(message, ...)
  errors.stop(errors.USAGE, "sweep: " .. message:format(...))
end

local function options(cli)
  local parser = cli.parser("sweep", "Runs a script with many settings of its options, each run a process with a "
    .. "folder of its own, and prints a table, the best first. All options that are not listed here are the script's: "
    .. "--cell lstm,gru is a list, --lr loguniform:1e-4:1e-2, --dropout uniform:0:0.5 and --hidden-size int:32:256 are "
    .. "ranges, --epochs 3 is fixed (--data fixed:a,b.txt too, with its comma). Lists alone are tried one and all; "
    .. "with --trials settings are drawn, trial i the same every time. A sweep that was stopped goes on by the same "
    .. "command: what is done is skipped, what was running goes on. Ends with status 5 where trials failed.")
  parser:argument("script", "a Lua script with rondo.args, or the folder of a sweep to go on with")
  parser:option("--search", "grid: every setting; random: draws; halving: draws, the worst of which are paused at "
    .. "rungs, while the best go on to --max-steps"):argname "<how>":choices { "grid", "random", "halving" }
  parser:option("--trials", "how many settings"):argname "<n>":convert(cli.number("--trials", "int", 1, 1000000))
  parser:option("--seeds", "runs of each, with the script's --seed 1, 2, ...; the table has mean and deviation")
    :argname "<n>":convert(cli.number("--seeds", "int", 1, 10000))
  parser:option("--seed", "seed of the draws"):argname "<n>":convert(cli.number("--seed", "int", 0, 0xffffffff))
  parser:option("--jobs", "runs at a time, which share the threads"):argname "<n>":default(1)
    :convert(cli.number("--jobs", "int", 1, 4096))
  parser:option("--threads", "threads in all; one per CPU without it"):argname "<n>"
    :convert(cli.number("--threads", "int", 0, 4096))
  parser:option("--monitor", "the figure to compare by"):argname "<name>"
  parser:option("--mode", "which way is better"):argname "<way>":choices { "min", "max" }
  parser:option("--factor", "halving: one of so many goes on"):argname "<n>"
    :convert(cli.number("--factor", "int", 2, 100))
  parser:option("--out", "folder of the sweep (default runs/sweep)"):argname "<folder>"
  parser:option("--set", "an option of the script that has the name of one of these (may be repeated)")
    :argname "<name=values>":count "*"
  parser:option("--submit", "slurm: a job array, trial i is task i; parallel: print the line for GNU parallel")
    :argname "<where>":choices { "local", "slurm", "parallel" }:default "local"
  parser:option("--sbatch", "an option for sbatch, as --sbatch=--time=2:00:00 (may be repeated)"):argname "<option>"
    :count "*"
  parser:option("--trial", "run this trial alone: what a task of a job array does"):argname "<i>"
    :convert(cli.number("--trial", "int", 1, 1000000))
  parser:option("--progress", "how progress is shown"):argname "<how>":choices { "auto", "bar", "lines", "none" }
    :default "auto"
  parser:flag("--report", "run nothing; the table, and report.html, of what is there")
  parser:flag("--overwrite", "start anew in the folder of another sweep")
  parser:flag("--json", "a JSON object for each trial in place of the table")
  parser:flag("--quiet", "say nothing but what failed")
  return parser
end

local OWN = { search = 1, trials = 1, seeds = 1, seed = 1, jobs = 1, threads = 1, monitor = 1, mode = 1, factor = 1,
  out = 1, set = 1, submit = 1, sbatch = 1, trial = 1, progress = 1, report = 0, overwrite = 0, json = 0, quiet = 0,
  help = 0 }

-- Arguments of the sweep, and those of the script as a list of { name, text }; a flag has the text "true".
local function sorted_out(arguments)
  local mine, theirs, i = {}, {}, 1
  while i <= #arguments do
    local word = arguments[i]
    local name, text = word:match "^%-%-([%w_-]+)=(.*)$"
    name = name or word:match "^%-%-([%w_-]+)$"
    local following = arguments[i + 1]
    if name and not text and OWN[name] ~= 0 and following and (not following:find "^%-%-%a" or OWN[name]) then
      text, i = following, i + 1
    end
    if not name or OWN[name] then
      mine[#mine + 1] = name and text and ("--%s=%s"):format(name, text) or word
    else
      theirs[#theirs + 1] = { name, text or "true" }
    end
    i = i + 1
  end
  return mine, theirs
end

-- Sorts the script's options into those that are fixed and the space; one that is given twice is a list to the script.
local function settings_of(theirs, set)
  local space, fixed = require "rondo.sweep.space", {}
  local domains = {}
  for _, text in ipairs(set) do
    local name, values = text:match "^([%w_-]+)=(.*)$"
    if not name then
      usage("--set must be NAME=VALUES, got '%s'", text)
    end
    theirs[#theirs + 1] = { name, values }
  end
  for _, entry in ipairs(theirs) do
    local name = entry[1]:gsub("-", "_")
    local ok, domain, value = pcall(space.parse, entry[2])
    if not ok then
      usage("--%s %s: %s", entry[1], entry[2], errors.bare(domain))
    elseif domain then
      domains[name] = domain
    elseif fixed[name] ~= nil then
      fixed[name] = type(fixed[name]) == "table" and fixed[name] or { fixed[name] }
      table.insert(fixed[name], value)
    else
      fixed[name] = value
    end
  end
  return domains, fixed
end

-- The sweep that the command line describes, or that of a folder. What raises is the user's.
local function sweep_of(o, theirs)
  local library, core = require "rondo.sweep", require "rondo.core"
  local stat = core.stat(o.script)
  if stat and stat.kind == "dir" then
    for _, name in ipairs { "search", "trials", "seeds", "seed", "monitor", "mode", "factor", "out" } do
      if o[name] ~= nil then
        usage("--%s belongs to a new sweep; %s has its own", name, o.script)
      end
    end
    if #theirs > 0 then
      usage("--%s belongs to a new sweep; %s has its own options", theirs[1][1], o.script)
    end
    local found, message, code = library.open(o.script)
    return found or errors.stop(code, message)
  end
  local space, fixed = settings_of(theirs, o.set)
  if next(space) == nil then
    usage "give an option of the script several values, as --cell lstm,gru or --lr loguniform:1e-4:1e-2"
  end
  return library.Sweep { script = o.script, space = space, fixed = fixed, search = o.search, trials = o.trials,
    seeds = o.seeds, seed = o.seed, monitor = o.monitor, mode = o.mode, factor = o.factor, out = o.out }
end

local function show(sweep, o)
  if o.json then
    local t = sweep:table()
    for _, row in ipairs(t.trials) do
      row.best = row.trial == t.best or nil
      io.stdout:write(json.encode(row, { "trial", "state", "value", "spread", "n", "params" }), "\n")
    end
    return
  end
  io.stdout:write(sweep:text())
  local best = sweep:best()
  if best then
    local words = require("rondo.sweep.scheduler").command(sweep.script, sweep.fixed, best.params)
    for i, word in ipairs(words) do
      words[i] = require("rondo.sweep.submit").quoted(word)
    end
    io.stdout:write(("\nbest: trial %d, %s %.6g (%s)\n%s\n"):format(best.trial, sweep.monitor, best[sweep.monitor],
      best.folder, table.concat(words, " ")))
  end
end

return function(arguments, cli)
  local mine, theirs = sorted_out(arguments)
  local o = cli.parse(options(cli), mine)
  local ok, sweep = pcall(sweep_of, o, theirs)
  if not ok then
    if errors.is_stop(sweep) then
      error(sweep, 0)
    end
    usage("%s", (errors.bare(tostring(sweep)):gsub("^Sweep: ", "")))
  end
  local how = { jobs = o.jobs, threads = o.threads ~= 0 and o.threads or nil, submit = o.submit, sbatch = o.sbatch,
    overwrite = o.overwrite, progress = o.progress, quiet = o.quiet }
  local failed = 0
  if o.trial then
    if o.trial > sweep.trials then
      usage("--trial must be 1..%d, got %d", sweep.trials, o.trial)
    end
    failed = sweep:run_trial(o.trial, how)
    return failed > 0 and errors.BROKEN or 0
  elseif not o.report then
    failed = sweep:run(how)
    if o.submit ~= "local" then
      return 0
    end
  else
    local written, message, code = sweep:report()
    if not written then
      errors.stop(code or errors.DATA, message)
    end
  end
  show(sweep, o)
  return failed > 0 and errors.BROKEN or 0
end
