-- scheduler.lua - the processes of a sweep: so many at once, each a run of its own, until all have ended.
--
-- A run is { trial, seed, folder, params }. What became of it is in trial.json before the next one begins, so that a
-- sweep killed at any moment goes on where it was: a run that has no end there is started with --resume. On a
-- signal the children get SIGTERM, at which a Trainer saves; they are waited for.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local figures = require "rondo.sweep.figures"
local folder = require "rondo.sweep.folder"
local places = require "rondo.places"
local run_folder = require "rondo.run_folder"
local sorted = require("rondo.sorted").sorted
local text_of = require("rondo.sweep.space").text_of

local scheduler = {}

local PAUSE_SECONDS = 0.02
local MOST_RESTARTS = 3
local LOG_LINES = 5

local Scheduler = {}
Scheduler.__index = Scheduler

-- The command that runs this Rondo.
function scheduler.program()
  local path = places.prefix() .. "/bin/rondo"
  return core.stat(path) and path or "rondo"
end

local function add_option(words, name, value)
  local kebab = name:gsub("_", "-")
  if type(value) == "table" then
    for _, entry in ipairs(value) do
      add_option(words, name, entry)
    end
  elseif type(value) == "boolean" then
    words[#words + 1] = (value and "--" or "--no-") .. kebab
  else
    words[#words + 1] = ("--%s=%s"):format(kebab, type(value) == "string" and value or text_of(value))
  end
end

-- The words that run a trial by hand, without what says where and how.
function scheduler.command(script, fixed, params)
  local words, all = { "rondo", "run", script }, {}
  for _, values in ipairs { fixed, params } do
    for name, value in pairs(values) do
      all[name] = value
    end
  end
  for name, value in sorted(all) do
    add_option(words, name, value)
  end
  return words
end

-- o: script, fixed, monitor, mode, jobs, threads (of each), view.
function scheduler.new(o)
  return setmetatable({ o = o, running = {}, restarts = {}, told = {} }, Scheduler)
end

local function argv_of(self, run)
  local words = scheduler.command(self.o.script, self.o.fixed, run.params)
  words[1] = scheduler.program()
  if run.seed then
    add_option(words, "seed", run.seed)
  end
  add_option(words, "threads", self.o.threads)
  add_option(words, "run_dir", run.folder)
  words[#words + 1] = "--resume"
  if self.o.fixed.progress == nil then
    words[#words + 1] = "--progress=none"
  end
  if run.pause_at then
    add_option(words, "pause_at", run.pause_at)
  end
  return words
end

-- True where the run needs no process: it has ended, or has come as far as it is to go now.
function scheduler.is_over(run, state)
  if not state then
    return false
  elseif state.state == "paused" then
    return run.pause_at ~= nil and state.step >= run.pause_at
  end
  return state.state == "done" or state.state == "diverged"
end

local function state_of(run, state, more)
  local all = { trial = run.trial, seed = run.seed, params = run.params, state = state }
  for key, value in pairs(more or {}) do
    all[key] = value
  end
  folder.set_state(run.folder, all)
  run.state = all
  return all
end

function Scheduler:start(run)
  state_of(run, "running")
  local process, message = core.spawn(argv_of(self, run), run.folder .. "/stdout.log", run.folder .. "/log.txt")
  if not process then
    errors.stop(errors.DATA, ("sweep: trial %d cannot be started: %s"):format(run.trial, message))
  end
  self.running[#self.running + 1] = { run = run, process = process }
end

-- ---- ends -------------------------------------------------------------------------------------------------------

local function last_step(run)
  local steps = run_folder.steps_of(run.folder)
  return steps[#steps] or 0
end

-- A run that its script ended as it should: its figure, or why it has none.
local function finished(self, run)
  local value, names = figures.best(run.folder, self.o.monitor, self.o.mode)
  if value then
    return state_of(run, "done", { value = value, step = last_step(run) })
  end
  local near = core.nearest(self.o.monitor, names)
  return state_of(run, "failed", { code = 0, why = ("it has no figure '%s'%s"):format(self.o.monitor,
    near and (" (did you mean '%s'?)"):format(near) or #names > 0 and "; there are " .. table.concat(names, ", ")
    or "; its Trainer needs a validation and the run folder that --run-dir names") })
end

local function failed(run, how)
  local lines = figures.log_end(run.folder, LOG_LINES)
  return state_of(run, how.code == errors.DIVERGED and "diverged" or "failed", { code = how.code, signal = how.signal,
    why = how.signal and ("ended by signal %d"):format(how.signal) or (lines[#lines] or ("exit status %d"):format(
    how.code)), log = lines })
end

-- What became of a run; nil where it is to be started again.
local function judge(self, run, how)
  if how.code == 0 then
    return finished(self, run)
  elseif how.code == errors.TEMPFAIL and run.pause_at and last_step(run) >= run.pause_at then
    return state_of(run, "paused", { step = last_step(run) })
  elseif how.signal or how.code == errors.TEMPFAIL or how.code == errors.INTERRUPTED then
    local n = (self.restarts[run] or 0) + 1
    self.restarts[run] = n
    if self.stopping or n <= MOST_RESTARTS then
      return nil
    end
  end
  return failed(run, how)
end

-- A wrong command line is wrong for all: the sweep ends as the script has.
local function check_usage(self, run, how)
  if how.code == errors.USAGE and not self.any_begun and not self.stopping then
    self.usage = ("trial %d cannot begin: %s"):format(run.trial, run.state.why:gsub("^rondo: ", ""))
    core.remove(run.folder .. "/trial.json") -- it is as if it had not been started
  elseif run.state then
    self.any_begun = true
  end
end

local function reap(self)
  for i = #self.running, 1, -1 do
    local entry = self.running[i]
    local how = entry.process:poll()
    if how then
      table.remove(self.running, i)
      if judge(self, entry.run, how) then
        check_usage(self, entry.run, how)
        self.o.view:ended(entry.run)
      elseif not self.stopping then
        self.o.view:restarted(entry.run, how)
        table.insert(self.waiting, 1, entry.run)
      end
    end
  end
end

local function stop_all(self)
  for _, entry in ipairs(self.running) do
    entry.process:stop()
  end
end

-- The next run whose folder is free.
local function next_run(self)
  for i, run in ipairs(self.waiting) do
    if not run_folder.is_held(run.folder) then
      return table.remove(self.waiting, i)
    elseif not self.told[run] then
      self.told[run] = true
      self.o.view:say(("%s: another process is training here; it is waited for"):format(run.folder))
    end
  end
end

-- Runs all of a list that are not over. Returns the name of the signal that ended it early, or nil.
function Scheduler:run(list)
  self.waiting, self.stopping = {}, nil
  for _, run in ipairs(list) do
    run.state = folder.state(run.folder)
    if not scheduler.is_over(run, run.state) then
      self.waiting[#self.waiting + 1] = run
    end
  end
  self.o.view:begin(list)
  while #self.running > 0 or (#self.waiting > 0 and not self.stopping) do
    local signal = core.interrupted() or (self.usage and "usage")
    if signal and not self.stopping then
      self.stopping = signal
      stop_all(self)
    end
    while not self.stopping and #self.running < self.o.jobs and #self.waiting > 0 do
      local run = next_run(self)
      if not run then
        break
      end
      self:start(run)
    end
    core.pause(PAUSE_SECONDS)
    reap(self)
    self.o.view:draw(self.running)
  end
  self.o.view:clear()
  if self.usage then
    errors.stop(errors.USAGE, "sweep: " .. self.usage)
  end
  return self.stopping or core.interrupted()
end

return scheduler
