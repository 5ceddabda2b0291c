-- run_folder.lua - a run on disk: config.json, status.json, metrics.jsonl, log.txt, checkpoints/step-<12 digits>.h5,
-- best.h5.
--
-- One trainer at a time (a lock on .lock). `last` is a lookup: the highest step whose file opens. Old
-- checkpoints are removed after the new one is safe, never before.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local json = require "rondo.json"
local whole_file = require "rondo.whole_file"

local run_folder = {}

local HEAD = { schema = 1, program = "rondo", version = core.VERSION } -- the first line of figures
local MOST_WAITING = 10000 -- lines of figures, 2 MB, that a full disk keeps waiting

local Run = {}
Run.__index = Run

local function join(...)
  return (table.concat({ ... }, "/"):gsub("//+", "/")) -- runs/a/ is runs/a
end

-- Steps of the checkpoints in a run folder, ascending.
local function steps_of(path)
  local steps = {}
  for _, name in ipairs(core.listdir(join(path, "checkpoints")) or {}) do
    local digits = name:match("^step%-(%d+)%.h5$")
    if digits and #digits == 12 then
      steps[#steps + 1] = math.tointeger(tonumber(digits))
    end
  end
  table.sort(steps)
  return steps
end
run_folder.steps_of = steps_of

function run_folder.step_file(path, step)
  return join(path, "checkpoints", ("step-%012d.h5"):format(step))
end

-- The file to use for a path: itself, or of a run folder the best checkpoint, else the last.
function run_folder.checkpoint_of(path)
  local stat = core.stat(path)
  if not stat then
    return errors.outside(("%s: there is no such file or run folder"):format(path), errors.DATA)
  elseif stat.kind ~= "dir" then
    return path
  end
  local best = join(path, "checkpoints", "best.h5")
  if core.stat(best) then
    return best
  end
  local steps = steps_of(path)
  if #steps > 0 then
    return run_folder.step_file(path, steps[#steps])
  end
  return errors.outside(("%s: holds no checkpoint; is it a run folder?"):format(path), errors.DATA)
end

-- True if a run has been here.
local function used(path)
  return core.stat(join(path, "metrics.jsonl")) or core.stat(join(path, "config.json")) or #steps_of(path) > 0
end

local function must(ok, message, path)
  if not ok then
    message = tostring(message)
    errors.stop(errors.DATA, message:find(path, 1, true) and message
      or ("%s: cannot be written: %s"):format(path, message))
  end
  return ok
end

local function make_folders(path)
  local so_far = path:sub(1, 1) == "/" and "/" or ""
  for part in join(path, "checkpoints"):gmatch("[^/]+") do
    so_far = so_far .. part
    if not core.stat(so_far) then
      local ok, message = core.mkdir(so_far)
      must(ok, message, so_far)
    end
    so_far = so_far .. "/"
  end
end

local function clear(path)
  for _, name in ipairs(core.listdir(join(path, "checkpoints")) or {}) do
    if name:match("^step%-%d+%.h5$") or name == "best.h5" or name:find("%.tmp%.") then
      core.remove(join(path, "checkpoints", name))
    end
  end
  for _, name in ipairs { "metrics.jsonl", "config.json", "status.json", "log.txt" } do
    core.remove(join(path, name))
  end
  for _, name in ipairs(core.listdir(path) or {}) do
    if name:find "^events%.out%.tfevents%." then
      core.remove(join(path, name))
    end
  end
end

local LEFT = { [""] = { "^config%.json%.tmp%.%d+$", "^status%.json%.tmp%.%d+$" },
  checkpoints = { "^step%-%d+%.h5%.tmp%.%d+$", "^best%.h5%.tmp%.%d+$" } }

-- What writers have left that were killed: the lock says that they are no more, whatever has their numbers now.
local function sweep(path)
  for part, patterns in pairs(LEFT) do
    for _, name in ipairs(core.listdir(join(path, part)) or {}) do
      if name:find(patterns[1]) or name:find(patterns[2]) then
        core.remove(join(path, part, name))
      end
    end
  end
end

-- True while a Trainer of this machine, or a save that outlives it for a moment, is at work in the folder.
function run_folder.is_held(path)
  return core.locked(join(path, ".lock")) == true
end

-- Opens a run folder for training. A used one needs resume or overwrite (exit 2); `in_script`: those are fields of
-- the Trainer's table, and there is no command line to give them on.
function run_folder.open(path, resume, overwrite, in_script)
  local go_on = in_script and "resume = true" or "--resume"
  local anew = in_script and "overwrite = true" or "--overwrite"
  if path == "" then
    errors.stop(errors.USAGE, ("the name of the run folder is empty; give %s a folder"):format(
      in_script and "run_dir" or "--run-dir"))
  elseif resume and overwrite then
    errors.stop(errors.USAGE, ("%s: give %s to go on or %s to start anew, not both"):format(path, go_on, anew))
  elseif used(path) and not resume and not overwrite then
    errors.stop(errors.USAGE, ("%s: a run is here already; go on with %s, or start anew with %s"):format(path, go_on,
      anew))
  end
  make_folders(path)
  collectgarbage() -- a run that an error has ended in this process may hold the lock still
  local lock, message = core.lock(join(path, ".lock"))
  if not lock and message:find("another process", 1, true) then
    errors.stop(errors.USAGE, ("%s: another process is training here (%s)"):format(path, message))
  end
  must(lock, message, join(path, ".lock"))
  sweep(path)
  if overwrite then
    clear(path)
  end
  return setmetatable({ path = path, lock = lock, keep = 3, keep_every = 0, waiting = {}, lost = 0 }, Run)
end

function Run:steps()
  return steps_of(self.path)
end

function Run:file(step)
  return run_folder.step_file(self.path, step)
end

function Run:best_file()
  return join(self.path, "checkpoints", "best.h5")
end

-- config.json: everything as resolved, and where it ran.
function Run:write_config(config)
  config.version, config.host, config.kernels = core.VERSION, core.hostname(), core.kernels()
  config.threads, config.real = core.threads(), core.real
  local path = join(self.path, "config.json")
  self.config_text = json.encode(config) .. "\n"
  local ok, message = core.write_file(path, self.config_text)
  must(ok, message, path)
end

-- status.json: how the run stands (running, done, stopped, diverged, failed), and since when; and so in the ledger. A
-- courtesy as the log is. `best`: monitor, value and step of best.h5.
function Run:write_status(state, best)
  local path = join(self.path, "status.json")
  local there, now = json.read(path), os.date "!%Y-%m-%dT%H:%M:%SZ"
  core.write_file(path, json.encode({ state = state, started = there and there.started or now,
    ended = state ~= "running" and now or nil, best = best }, { "state" }) .. "\n")
  require("rondo.ledger").enter(self.path, state)
end

-- The validation at a run's end is no part of its state: a run that goes on has it at its own end.
local function is_final(line)
  return line:find('"split":"valid"', 1, true) and line:find('"final":true', 1, true)
end

-- Byte offset after the last line that belongs to a state at `step`.
local function kept_bytes(path, step)
  local file = whole_file.open(path)
  if not file then
    return nil
  end
  local bytes = 0
  for line in whole_file.lines(file, path) do
    local line_step = math.tointeger(tonumber(line:match('"step":(%d+)')))
    if line:sub(-1) ~= "\n" or (line_step and line_step > step) or is_final(line) then
      break
    end
    bytes = bytes + #line
  end
  file:close()
  return bytes
end

-- Opens metrics.jsonl and log.txt; lines past `step` are dropped (a resumed curve must not double back).
function Run:open_logs(step)
  local path = join(self.path, "metrics.jsonl")
  local bytes = kept_bytes(path, step)
  if bytes then
    local ok, why = core.truncate(path, bytes)
    must(ok, why, path)
  end
  local message
  self.metrics, message = core.append(path)
  must(self.metrics, message, path)
  self.metrics_path = path
  if not bytes or bytes == 0 then
    self:metric(HEAD)
  end
  if self.tensorboard then
    self.events, message = require("rondo.tensorboard").open(self.path, step)
    must(self.events, message, self.path)
  end
  path = join(self.path, "log.txt")
  self.log_handle, message = core.append(path)
  must(self.log_handle, message, path)
end

-- The logs of a run that goes back to `step`.
function Run:reopen_logs(step)
  for _, name in ipairs { "metrics", "log_handle", "events" } do
    if self[name] then
      self[name]:close()
    end
  end
  self:open_logs(step)
end

-- The same line for TensorBoard, a courtesy: where it cannot be written there are no more.
function Run:add_event(line)
  local ok, message = self.events:add(line)
  if not ok then
    self.events:close()
    self.events = nil
    self.notice(message .. "; TensorBoard gets no more figures of this session")
  end
end

-- A line of figures. What the disk does not take waits in memory for the next line; `notice` is told once, and of
-- lines that are lost.
function Run:metric(line)
  if self.events then
    self:add_event(line)
  end
  local first = { "t", "step", "epoch", "split", "loss" }
  local waiting = self.waiting
  waiting[#waiting + 1] = json.encode(line, first) .. "\n"
  local ok, message = self.metrics:write(table.concat(waiting))
  if ok then
    self.waiting = {}
  elseif #waiting == 1 then
    self.notice(message .. "; the figures wait until it can be written")
  elseif #waiting > MOST_WAITING then
    table.remove(waiting, 1)
    self.lost = self.lost + 1
  end
end

-- The log is a courtesy: a full disk shows at the next checkpoint.
function Run:log(text)
  if self.log_handle then
    self.log_handle:write(os.date("!%Y-%m-%dT%H:%M:%SZ ") .. text .. "\n")
  end
end

-- Files that were removed while they are open have no name any more: new ones are.
local function reopen(self, key, open, name)
  local path = join(self.path, name)
  local made = not core.stat(path) and open(path)
  if made then
    self[key]:close()
    self[key] = made
  end
  return made
end

-- Somebody may have removed the folder, or parts of it: what can be made again is, and it is said.
local function make_again(self)
  local checkpoints = join(self.path, "checkpoints")
  local gone = not core.stat(self.metrics_path) and self.metrics_path or not core.stat(checkpoints) and checkpoints
  if not gone or not core.mkdir(checkpoints) then
    return
  end
  self.notice(gone .. " was removed; what the run folder lacks is made again")
  reopen(self, "lock", core.lock, ".lock")
  reopen(self, "log_handle", core.append, "log.txt")
  if reopen(self, "metrics", core.append, "metrics.jsonl") then
    core.write_file(join(self.path, "config.json"), self.config_text)
    self:metric(HEAD)
  end
end

-- Saves an archive under a name. Nil, message where the disk does not take it: then what was there is there still.
local function save(self, archive, file)
  make_again(self)
  return archive:save(file)
end

-- Saves the archive as the checkpoint of `step`, then removes all but the last `keep` and those of every
-- `keep_every` steps. Its file's name; nil, message.
function Run:save(archive, step)
  local file = self:file(step)
  local digests, message = save(self, archive, file)
  if not digests then
    return nil, message
  end
  local steps = self:steps()
  for i = 1, #steps - self.keep do
    local stays = steps[i] == step or self.keep_every > 0 and steps[i] % self.keep_every == 0
    if not stays then
      core.remove(self:file(steps[i]))
    end
  end
  return file
end

function Run:save_best(archive)
  return save(self, archive, self:best_file())
end

function Run:close()
  if #self.waiting > 0 and not self.metrics:write(table.concat(self.waiting)) then
    self.lost = self.lost + #self.waiting
  end
  if self.lost > 0 then
    self.notice(("%s: %d lines of figures could not be written"):format(self.metrics_path, self.lost))
  end
  for _, name in ipairs { "metrics", "log_handle", "events", "lock" } do
    if self[name] then
      self[name]:close()
      self[name] = nil
    end
  end
end

return run_folder
