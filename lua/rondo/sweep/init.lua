-- sweep/init.lua - rondo.Sweep { script =, fixed =, space =, ... }: many runs of one script, and which was best.
--
-- A trial is a setting of the options in `space`; it is run once, or with each of `seeds` seeds. The list of runs is
-- known before the first begins, but for successive halving: there all are paused at a rung, and the best go on.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local figures = require "rondo.sweep.figures"
local folder = require "rondo.sweep.folder"
local options = require "rondo.options"
local scheduler = require "rondo.sweep.scheduler"
local screen = require "rondo.sweep.screen"
local space = require "rondo.sweep.space"
local standings = require "rondo.sweep.standings"

local specs = {
  { name = "script", kind = "string", required = true, help = "the Lua script to run, one with rondo.args" },
  { name = "fixed", kind = "table", help = "options that are the same in every trial" },
  { name = "space", kind = "table", required = true, help = "options with a list or a range of values; or a list of "
    .. "whole settings" },
  { name = "search", kind = "choice", choices = { "grid", "random", "halving" },
    help = "grid: every setting; random: draws; halving: draws, of which the best go on. Without it grid, or random "
      .. "where trials are given" },
  { name = "trials", kind = "int", min = 1, max = 1000000, help = "how many settings" },
  { name = "seed", kind = "int", def = 1, min = 0, max = 0xffffffff, help = "seed of the draws" },
  { name = "seeds", kind = "int", min = 1, max = 10000, help = "runs of each setting, with the seeds 1, 2, ...; "
    .. "without it one, with the script's own seed" },
  { name = "monitor", kind = "string", def = "val_loss", help = "the figure to compare by" },
  { name = "mode", kind = "choice", def = "min", choices = { "min", "max" }, help = "which way is better" },
  { name = "factor", kind = "int", def = 3, min = 2, max = 100, help = "halving: one of so many goes on at a rung" },
  { name = "out", kind = "string", def = "runs/sweep", help = "folder of the sweep" },
}
local run_specs = {
  { name = "jobs", kind = "int", def = 1, min = 1, max = 4096, help = "runs at a time" },
  { name = "threads", kind = "int", min = 1, max = 4096, help = "threads in all; without it one per CPU" },
  { name = "trials", kind = "table", help = "run only these, { 3, 5 }" },
  { name = "submit", kind = "choice", def = "local", choices = { "local", "slurm", "parallel" },
    help = "slurm: a job array; parallel: the line of GNU parallel; both return at once" },
  { name = "sbatch", kind = "table", help = "more options for sbatch, as \"--time=2:00:00\"" },
  { name = "resume", kind = "bool", def = true, help = "go on with what is in the folder" },
  { name = "overwrite", kind = "bool", def = false, help = "start anew in the folder of another sweep" },
  { name = "progress", kind = "choice", def = "auto", choices = { "auto", "bar", "lines", "none" },
    help = "how progress is shown" },
  { name = "quiet", kind = "bool", def = false, help = "say nothing but what failed" },
}

-- What the sweep itself says to each run.
local TAKEN = { run_dir = "out", resume = "resume", overwrite = "overwrite", threads = "threads", pause_at = "search" }

local Sweep = {}
Sweep.__index = Sweep
Sweep.__name = "rondo.Sweep"

local function check_names(self)
  for _, name in ipairs(self.names) do
    if self.fixed[name] ~= nil then
      errors.raise("Sweep: option '%s' is both fixed and in the space", name)
    elseif TAKEN[name] or (name == "seed" and self.seeds) then
      errors.raise("Sweep: '%s' cannot be in the space: the sweep gives it to each run (its own option '%s')", name,
        TAKEN[name] or "seeds")
    end
  end
  for name in pairs(self.fixed) do
    if TAKEN[name] or (name == "seed" and self.seeds) then
      errors.raise("Sweep: '%s' cannot be fixed: the sweep gives it to each run (its own option '%s')", name,
        TAKEN[name] or "seeds")
    end
  end
end

-- ---- halving ----------------------------------------------------------------------------------------------------

-- Steps at which a round ends, and how many trials go on from each: 9 trials by 3 with 900 steps are paused at 100
-- (3 go on) and at 300 (1 goes on to its end).
local function rungs_of(self)
  local most, each = self.fixed.max_steps, self.fixed.eval_every
  if math.type(most) ~= "integer" then
    errors.raise "Sweep: halving needs fixed.max_steps, the updates of a whole run"
  end
  local counts, n = {}, self.trials
  while n > 1 do
    n = math.max(1, n // self.factor)
    counts[#counts + 1] = n
  end
  local first = most
  for _ = 1, #counts do
    first = first // self.factor
  end
  if #counts == 0 then
    errors.raise "Sweep: halving needs more than one trial"
  elseif first < 1 then
    errors.raise("Sweep: max_steps = %d are too few for %d rounds by a factor of %d", most, #counts, self.factor)
  elseif each and (math.type(each) ~= "integer" or each < 1 or first % each ~= 0) then
    errors.raise("Sweep: eval_every must divide %d, the steps of the first round, got %s", first, tostring(each))
  end
  self.fixed.eval_every = each or first -- a round ends with a validation that an undisturbed run makes as well
  local rungs = {}
  for i, goes_on in ipairs(counts) do
    rungs[i] = { step = first, goes_on = goes_on }
    first = first * self.factor
  end
  return rungs
end

-- ---- making one -------------------------------------------------------------------------------------------------

local function settle_search(self, is_list)
  if is_list then
    if self.search then
      errors.raise("Sweep: a list of settings is tried as it is; leave search out")
    end
    self.search, self.trials = "list", math.min(self.trials or #self.space, #self.space)
    return
  end
  self.search = self.search or (self.trials or space.has_range(self.space)) and "random" or "grid"
  if self.search == "grid" then
    local size = space.grid_size(self.space, self.names)
    self.trials = math.min(self.trials or size, size)
  elseif not self.trials then
    errors.raise("Sweep: search = \"%s\" needs trials, the number of settings", self.search)
  elseif not space.has_range(self.space) then
    self.trials = math.min(self.trials, space.grid_size(self.space, self.names))
  end
  if self.search == "halving" then
    self.rungs = rungs_of(self)
  end
end

local function new(given)
  local o = options.resolve("Sweep", specs, given)
  local self = setmetatable(o, Sweep)
  local fixed = {}
  for name, value in pairs(o.fixed or {}) do
    fixed[name] = value
  end
  self.fixed = fixed
  if self.out == "" then
    errors.raise "Sweep: out must be a folder, got \"\""
  end
  self.out = self.out:gsub("(.)/+$", "%1")
  space.check_fixed(fixed)
  local is_list
  self.names, is_list = space.check(self.space)
  check_names(self)
  settle_search(self, is_list)
  return self
end

-- The options of trial i: the same every time.
function Sweep:params(i)
  if not math.tointeger(i) or i < 1 or i > self.trials then
    errors.raise("Sweep: trials are 1..%d, got %s", self.trials, tostring(i))
  elseif self.search == "list" then
    return self.space[i]
  elseif self.search == "grid" then
    return space.grid_trial(self.space, self.names, i)
  end
  return space.random_trial(self.space, self.names, self.seed, i)
end

-- The runs of some trials (nil: of all), those of the first seed first.
function Sweep:runs(trials)
  local list = {}
  for seed = 1, self.seeds or 1 do
    for i = 1, trials and #trials or self.trials do
      local trial = trials and trials[i] or i
      list[#list + 1] = { trial = trial, seed = self.seeds and seed, params = self:params(trial),
        folder = folder.of_run(self.out, trial, self.seeds and seed) }
    end
  end
  return list
end

local function describe(self)
  return { script = self.script, fixed = self.fixed, space = space.describe(self.space), search = self.search,
    trials = self.trials, seed = self.seed, seeds = self.seeds, monitor = self.monitor, mode = self.mode,
    factor = self.factor, cwd = core.realpath "." }
end

-- The sweep in a folder, as it was begun; nil and a message where there is none.
local function open(out)
  local there = folder.description(out)
  if not there or type(there.space) ~= "table" then
    return errors.outside(("%s: holds no sweep (no sweep.json)"):format(out))
  elseif there.cwd ~= core.realpath "." then
    errors.stop(errors.USAGE, ("%s: this sweep was begun in %s; go there first"):format(out, tostring(there.cwd)))
  end
  return new { script = there.script, fixed = there.fixed, space = space.restore(there.space), seed = there.seed,
    search = there.search ~= "list" and there.search or nil, trials = there.trials, seeds = there.seeds,
    monitor = there.monitor, mode = there.mode, factor = there.factor, out = out }
end

-- ---- running ----------------------------------------------------------------------------------------------------

local function claim(self, o)
  local text, message = folder.read(self.script)
  if not text then
    errors.stop(errors.USAGE, ("sweep: the script cannot be read: %s"):format(message))
  end
  folder.claim(self.out, describe(self), text, o)
end

local function divide(o)
  local cpus = o.threads or core.threads()
  if o.jobs > cpus then
    errors.notice("%d jobs on %d threads would hinder each other; %d run at a time", o.jobs, cpus, cpus)
  end
  local jobs = math.min(o.jobs, cpus)
  return jobs, math.max(1, cpus // jobs)
end

-- Rounds of successive halving. Each ends when all its runs have; who goes on is decided by figures alone.
local function halve(self, runner)
  local trials
  for _, rung in ipairs(self.rungs) do
    local list = self:runs(trials)
    for _, run in ipairs(list) do
      run.pause_at = rung.step
    end
    local signal = runner:run(list)
    if signal then
      return signal
    end
    trials = standings.best_at(self, list, rung)
  end
  return runner:run(self:runs(trials))
end

local function stopped(self, signal)
  local done, n = 0, 0
  for _, run in ipairs(self:runs()) do
    local state = folder.state(run.folder)
    n, done = n + 1, done + (scheduler.is_over(run, state) and 1 or 0)
  end
  errors.stop(signal == "SIGINT" and errors.INTERRUPTED or errors.TEMPFAIL, ("sweep: stopped by %s with %d of %d runs "
    .. "done; what was running has saved, and the same command goes on"):format(signal, done, n))
end

-- Runs the trials (nil: all) to their ends.
local function run_here(self, o, trials)
  local jobs, threads = divide(o)
  local view = screen.new { progress = o.progress, quiet = o.quiet, monitor = self.monitor, mode = self.mode,
    out = self.out }
  local runner = scheduler.new { script = self.script, fixed = self.fixed, monitor = self.monitor, mode = self.mode,
    jobs = jobs, threads = threads, view = view }
  core.catch_signals(true)
  local ok, signal = pcall(function()
    if self.rungs and not trials then
      return halve(self, runner)
    end
    return runner:run(self:runs(trials))
  end)
  core.catch_signals(false)
  if not ok then
    error(signal, 0)
  elseif signal then
    stopped(self, signal)
  end
  return standings.failed(self, trials)
end

-- Runs what is not done, and returns how many trials failed. With submit it hands the trials over and returns 0.
function Sweep:run(given)
  local o = options.resolve("Sweep:run", run_specs, given)
  for _, i in ipairs(o.trials or {}) do
    self:params(i)
    if self.rungs then
      errors.raise "Sweep:run: halving chooses its trials itself; leave trials out"
    end
  end
  if o.submit ~= "local" then
    if self.rungs then
      errors.raise("Sweep: halving compares its trials as they run, so it runs on one machine; submit = \"%s\" is for "
        .. "grid and random", o.submit)
    end
    claim(self, o)
    return require("rondo.sweep.submit")[o.submit](self, o)
  end
  local _ <close> = folder.lock(self.out)
  claim(self, o)
  return run_here(self, o, o.trials)
end

-- Runs one trial, with all its seeds: what a task of a job array does. Other trials may be running elsewhere.
function Sweep:run_trial(i, given)
  local o = options.resolve("Sweep:run_trial", run_specs, given)
  self:params(i)
  if self.rungs then
    errors.raise "Sweep:run_trial: halving compares its trials as they run; a single one has no place in it"
  end
  claim(self, o)
  return run_here(self, o, { i })
end

-- ---- what there is ----------------------------------------------------------------------------------------------

-- What is known so far, for tables and reports: see standings.table.
function Sweep:table()
  return standings.table(self)
end

-- The best trial that is done: { trial =, params =, folder =, [monitor] = }; nil and a message if none is.
function Sweep:best()
  local t = standings.table(self)
  if not t.best then
    return errors.outside(("%s: no trial is done yet"):format(self.out))
  end
  local row = t.trials[t.best]
  return { trial = row.trial, params = row.params, folder = row.runs[1].folder, spread = row.spread, n = row.n,
    [self.monitor] = row.value }
end

-- The table as text, the best first.
function Sweep:text()
  return standings.text(standings.table(self))
end
Sweep.__tostring = Sweep.text

-- Writes a page with the table, curves and parallel coordinates.
function Sweep:report(path)
  return require("rondo.report").write({ self.out }, path or self.out .. "/report.html")
end

-- Steps and values of the monitored figure of a run, for curves.
function Sweep:curve(run)
  return figures.curve(run.folder, self.monitor)
end

return { Sweep = new, open = open, run = Sweep.run }
