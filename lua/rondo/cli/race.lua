-- cli/race.lua - rondo race CELL...: cells on the classic tasks, of equal size, within one budget, as a table.
--
-- The folder of a race holds race.json, what its runs have in common, and a run folder for each: TASK/CELL/SEED. A run
-- that is over there is not made again, so that the same command goes on, and one with more cells adds to it.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local json = require "rondo.json"

local BESIDE = { "lstm", "gru", "vanilla" } -- a cell that is given alone
local SECONDS = { s = 1, min = 60, h = 3600 }

local function usage(message, ...)
  errors.stop(errors.USAGE, "race: " .. message:format(...))
end

local function options(cli)
  local parser = cli.parser("race", "Trains cells on tasks that are known from the literature, with several seeds, "
    .. "and prints a table for each task and one of all: mean and standard deviation of the best validation, how often "
    .. "the task was solved, the memory horizon (the longest lag at which other inputs, there and before, move the "
    .. "last output by a tenth of what other inputs everywhere move it), tokens a second and nanoseconds a unit. "
    .. "Tasks: adding, copy and parity are made, with a length after a colon if it is to be another, adding:600; jsb, "
    .. "Bach's chorales, and text, by characters, need data and are left out where these are not here. With a budget "
    .. "of time each run has the same share of it, for training, validations and checkpoints, and a second figure "
    .. "compares at equal updates; with one of updates no figure but the speed depends on a clock. A race that was "
    .. "stopped goes on by the same command; with more cells, these get the share that the others had. To have a cell "
    .. "trained anew, delete its folders, TASK/CELL.")
  parser:argument("cell", "a cell; one alone has lstm, gru and vanilla beside it; without one: every cell"):args "*"
  parser:option("--tasks", "of adding, copy, parity, jsb, text, with commas between"):argname "<list>"
    :default(require("rondo.race.tasks").default)
  parser:option("--match", "params: each cell as wide as brings its model's trained parameters nearest to those of an "
    .. "LSTM of width 32; width: 32 for every cell"):argname "<what>":choices { "params", "width" }:default "params"
  parser:option("--seeds", "runs of each cell on each task"):argname "<n>":default(3)
    :convert(cli.number("--seeds", "int", 1, 10000))
  parser:option("--seed", "seed of the first; the others follow"):argname "<n>":default(1)
    :convert(cli.number("--seed", "int", 0, 0xfffff000))
  parser:option("--budget", "time of the whole race, as 90s, 10min, 2h, which its runs share equally; or updates of "
    .. "each run, as 2000updates"):argname "<text>":default "10min"
  parser:option("--data", "the text of task text; without it the King James Bible, where it is")
    :argname "<file>"
  parser:option("--run-dir", "folder of the race"):argname "<folder>":default "runs/race":hidden_name "--run_dir"
  parser:flag("--overwrite", "start anew in the folder of another race")
  parser:option("--into", "also put the tables into a file, between its lines 'race: begin' and 'race: end'")
    :argname "<file>"
  parser:option("--threads", "worker threads; 0: one per CPU"):argname "<n>"
    :convert(cli.number("--threads", "int", 0, 256))
  parser:flag("--json", "JSON lines in place of tables: a run each, then a cell on a task each")
  parser:flag("--quiet", "say nothing while it runs")
  cli.plugin_option(parser)
  return parser
end

-- ---- what is raced ----------------------------------------------------------------------------------------------

-- "10min" as { seconds = 600 }, "2000updates" as { updates = 2000 }.
local function budget_of(text)
  local number, unit = text:match "^([%d.]+) ?(%l+)$"
  number = tonumber(number)
  local updates = unit and unit:find "^updates?$" and math.tointeger(number)
  if updates and updates > 0 then
    return { updates = updates }
  elseif number and number > 0 and SECONDS[unit] then
    return { seconds = number * SECONDS[unit] }
  end
  usage("--budget must be a time, as 90s, 10min or 2h, or updates of each run, as 2000updates, got '%s'", text)
end

-- Why a cell cannot be raced, or nil.
local function why_not(name, cli)
  local cell, message = require("rondo.cells").find(name)
  return not cell and cli.with_plugin_hint(message) or require("rondo.bench").why_not { task = "train", cell = name }
end

local function add_new(list, name)
  for _, other in ipairs(list) do
    if other == name then
      return
    end
  end
  list[#list + 1] = name
end

local function cells_of(o, cli)
  local list = {}
  for _, name in ipairs(o.cell) do
    local why = why_not(name, cli)
    if why then
      usage("%s", why)
    end
    add_new(list, name)
  end
  for _, name in ipairs(#list == 0 and require("rondo.cells").names() or #list == 1 and BESIDE or {}) do
    if not why_not(name, cli) then
      add_new(list, name)
    end
  end
  return list
end

local function tasks_of(o, say)
  local tasks, list, seen = require "rondo.race.tasks", {}, {}
  for word in o.tasks:gmatch "[^,]+" do
    local read = tasks.read(word)
    if not seen[read.folder] then
      seen[read.folder] = true
      local task, why = tasks.open(read, o)
      list[#list + 1] = task
      if not task then
        say(("task %s is left out: %s"):format(read.name, why), true)
      end
    end
  end
  if #list == 0 then
    usage("--tasks %s: there is nothing to race on", o.tasks)
  end
  return list
end

-- Every run, those of the first seed first, so that a race that is stopped knows something of everything.
local function entries_of(o, tasks, cells)
  local run, width = require "rondo.race.run", require("rondo.race.tasks").WIDTH
  local hidden, list = {}, {}
  for _, task in ipairs(tasks) do
    local wanted = o.match == "params" and run.count(task, "lstm", width)
    for _, cell in ipairs(cells) do
      hidden[task.folder .. cell] = wanted and run.width(task, cell, wanted) or width
    end
  end
  for seed = o.seed, o.seed + o.seeds - 1 do
    for _, task in ipairs(tasks) do
      for _, cell in ipairs(cells) do
        list[#list + 1] = { task = task, cell = cell, seed = seed, hidden = hidden[task.folder .. cell],
          folder = ("%s/%s/%s/%d"):format(o.run_dir, task.folder, cell, seed) }
      end
    end
  end
  return list
end

-- ---- the folder -------------------------------------------------------------------------------------------------

local function must(ok, message)
  return ok or errors.stop(errors.DATA, "race: " .. tostring(message))
end

-- What a folder's race was begun with, and its share; written where it is new.
local function share_of(o, n_runs)
  local core, path = require "rondo.native", o.run_dir .. "/race.json"
  local there = json.read(path)
  for _, name in ipairs(there and { "budget", "match", "data" } or {}) do
    if there[name] ~= o[name] then
      usage("%s: a race with --%s %s is here; give the same, another --run-dir, or --overwrite to start anew",
        o.run_dir, name, there[name] or "not given")
    end
  end
  local budget = budget_of(o.budget)
  local share = there and tonumber(there.share) or budget.seconds and budget.seconds / n_runs
  must(core.write_file(path, json.encode { budget = o.budget, match = o.match, data = o.data, share = share } .. "\n"))
  return { updates = budget.updates, seconds = share }
end

local function lock_folder(o)
  local core = require "rondo.native"
  must(core.mkdir(o.run_dir))
  local lock, message = core.lock(o.run_dir .. "/.lock")
  if not lock and message:find("another process", 1, true) then
    usage("%s: another race is running here", o.run_dir)
  end
  return must(lock, message)
end

-- Folders of the runs that a race's folder holds.
local function runs_in(folder)
  local core, list = require "rondo.native", { folder }
  for _ = 1, 3 do -- task, cell, seed
    local below = {}
    for _, path in ipairs(list) do
      for _, name in ipairs(core.listdir(path) or {}) do
        below[#below + 1] = path .. "/" .. name
      end
    end
    list = below
  end
  return list
end

-- Takes the results of another race away, if there is one; its runs then start anew.
local function clear(o)
  local core, run_folder = require "rondo.native", require "rondo.run_folder"
  for _, path in ipairs(core.stat(o.run_dir .. "/race.json") and runs_in(o.run_dir) or {}) do
    if core.stat(path .. "/checkpoints") then
      core.remove(path .. "/result.json")
      run_folder.open(path, false, true):close()
    end
  end
  core.remove(o.run_dir .. "/race.json") -- last: a half that was cleared is cleared again
end

-- ---- the race ---------------------------------------------------------------------------------------------------

local function describe(task, r)
  return ("%s, %s, seed %d: %s after %d updates, %.0f s%s"):format(r.task, r.cell, r.seed,
    r.figure and task.form:format(r.figure) or "nothing", r.updates, r.seconds,
    r.diverged and ", diverged" or r.solved and ", solved" or "")
end

-- Runs what is not over; results by task and cell.
local function race(entries, share, o, say)
  local run, by = require "rondo.race.run", {}
  for i, entry in ipairs(entries) do
    local result, code = run.result(entry.folder), nil
    if not result then
      result, code = run.go(entry, share, entry.folder)
      collectgarbage()
      if result then
        say(("%d of %d: %s"):format(i, #entries, describe(entry.task, result)))
      end
    end
    if result and o.json then
      io.stdout:write(json.encode(result, { "task", "cell", "seed" }), "\n")
      io.stdout:flush()
    end
    if code then
      errors.stop(code, ("race: stopped at run %d of %d (%s, %s, seed %d); the same command goes on"):format(i,
        #entries, entry.task.folder, entry.cell, entry.seed))
    end
    local of_task = by[entry.task] or {}
    by[entry.task], of_task[entry.cell] = of_task, of_task[entry.cell] or {}
    table.insert(of_task[entry.cell], result)
  end
  return by
end

-- ---- what is shown ----------------------------------------------------------------------------------------------

-- The processor, as the system calls it.
local function machine()
  local file = io.open "/proc/cpuinfo"
  local name = file and file:read "a":match "model name%s*: ([^\n]+)"
  if file then
    file:close()
  end
  return name or "a CPU"
end

-- What was raced, and how: the lines below the tables.
local function colophon(o, share, arguments)
  local core = require "rondo.native"
  local limit = share.updates and ("at most %d updates a run"):format(share.updates)
    or ("%s in all, at most %.3g s a run"):format(o.budget, share.seconds)
  return ("%d seed%s from %d, %s, %s; %s, %d thread%s, kernels `%s`:\n`rondo race %s`\n"):format(o.seeds,
    o.seeds > 1 and "s" or "", o.seed, o.match == "params" and "equal parameters" or "equal width", limit, machine(),
    core.threads(), core.threads() > 1 and "s" or "", core.kernels():match "^%w+", table.concat(arguments, " "))
end

local function report(tasks, cells, by, o, last)
  local standings = require "rondo.race.standings"
  local parts, rows_of = {}, {}
  for i, task in ipairs(tasks) do
    rows_of[task] = standings.rows(task, cells, by[task])
    parts[i] = standings.task_text(task, rows_of[task])
  end
  if o.json then
    for _, task in ipairs(tasks) do
      for _, row in ipairs(rows_of[task]) do
        io.stdout:write(json.encode(row, { "task", "place", "cell" }), "\n")
      end
    end
  end
  parts[#parts + 1] = standings.summary_text(tasks, cells, rows_of)
  parts[#parts + 1] = last
  return table.concat(parts, "\n")
end

-- Puts the tables into a file; without a text it looks whether that can be done.
local function into(path, text)
  local marked = require "rondo.marked"
  local ok, message, code = (text and marked.put or marked.around)(path, "race", text)
  if not ok then
    errors.stop(code, "race: --into " .. message)
  end
end

return function(arguments, cli)
  local o = cli.parse(options(cli), arguments)
  require("rondo.plugins").load_from(arguments)
  local core = require "rondo.native"
  if o.threads then
    core.threads(o.threads)
  end
  local function say(text, always)
    if always or not o.quiet then
      io.stderr:write("race: ", text, "\n")
    end
  end
  budget_of(o.budget)
  if o.into then
    into(o.into)
  end
  local cells, tasks = cells_of(o, cli), tasks_of(o, say)
  local _ <close> = lock_folder(o)
  local entries = entries_of(o, tasks, cells)
  if o.overwrite then
    clear(o)
  end
  local share = share_of(o, #entries)
  local text = report(tasks, cells, race(entries, share, o, say), o, colophon(o, share, arguments))
  if o.into then
    into(o.into, text)
  end
  if not o.json then
    io.stdout:write(text)
  end
  return 0
end
