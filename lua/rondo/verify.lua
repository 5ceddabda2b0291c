-- verify.lua - stretches of a run once more, from one checkpoint to the next: the same bits, or what differs first.
--
-- A stretch is a run of its own in a temporary folder that holds the earlier checkpoint alone: the script of the run
-- goes on from it by the run's options and pauses where the later one was saved.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local json = require "rondo.json"
local run_folder = require "rondo.run_folder"
local scheduler = require "rondo.sweep.scheduler"
local whole_file = require "rondo.whole_file"

local verify = {}

local PAUSE_SECONDS = 0.02

-- What config.json says of script and folder; or nil, message, code.
function verify.script_of(run)
  local path = run .. "/config.json"
  local config, message = json.read(path)
  if not config or type(config.script) ~= "string" or type(config.directory) ~= "string" then
    return errors.outside(message or ("%s: does not say which script was run, and where"):format(path), errors.DATA)
  elseif not core.stat(config.directory) then
    return errors.outside(("%s: the run was started in %s, which is not here"):format(path, config.directory),
      errors.DATA)
  end
  return { script = config.script, directory = config.directory, threads = config.threads }
end

-- Stretches between neighbouring checkpoints, as { from, to }; where there is one checkpoint, from the beginning.
function verify.stretches(run)
  local steps, list = run_folder.steps_of(run), {}
  for i = 2, #steps do
    list[#list + 1] = { from = steps[i - 1], to = steps[i] }
  end
  if #steps == 1 then
    list[1] = { from = 0, to = steps[1] }
  end
  return list
end

-- k of them, the same for the same seed, in order.
function verify.choose(list, k, seed)
  math.randomseed(seed)
  local chosen = table.move(list, 1, #list, 1, {})
  for i = 1, math.min(k, #chosen) do
    local j = math.random(i, #chosen)
    chosen[i], chosen[j] = chosen[j], chosen[i]
  end
  chosen = table.move(chosen, 1, math.min(k, #chosen), 1, {})
  table.sort(chosen, function(a, b) return a.from < b.from end)
  return chosen
end

local function first_difference(a, b)
  for i = 1, math.max(#a, #b) do
    if a[i] ~= b[i] and not (a[i] ~= a[i] and b[i] ~= b[i]) then
      return i
    end
  end
end

local function shape_text(shape)
  return "(" .. table.concat(shape, ", ") .. ")"
end

-- Values of an entry as a flat list or a text.
local function flat(archive, name)
  local value = archive:get(name)
  if type(value) == "userdata" then -- a tensor
    value = value:reshape(value:numel()):table()
  end
  return type(value) == "table" and value or { value }
end

-- What differs first in the state of two archives, by name; nil: nothing.
function verify.difference(there, here)
  for _, name in ipairs(there:names "") do
    if not name:find "^history/" then
      if not here:has(name) then
        return ("'%s' is not there"):format(name)
      end
      local a, b = shape_text(there:shape(name)), shape_text(here:shape(name))
      if there:kind(name) ~= here:kind(name) or (there:kind(name) ~= "text" and a ~= b) then
        return ("'%s' is %s %s, it was %s %s"):format(name, here:kind(name), b, there:kind(name), a)
      end
      local old, new = flat(there, name), flat(here, name)
      local place = first_difference(old, new)
      if place and there:kind(name) == "text" then
        return ("the text '%s' is another"):format(name)
      elseif place then
        return ("'%s' %s, number %d of %d: %.9g, it was %.9g"):format(name, a, place, #old, new[place], old[place])
      end
    end
  end
  for _, name in ipairs(here:names "") do
    if not name:find "^history/" and not there:has(name) then
      return ("'%s' was not there"):format(name)
    end
  end
end

local function wait_for(process)
  while true do
    local how = process:poll()
    if how then
      return how
    elseif core.interrupted() then
      process:stop()
    end
    core.pause(PAUSE_SECONDS)
  end
end

-- Runs the script from a copy of the earlier checkpoint to the later one. True; or nil, message.
local function run_again(run, stretch, o, folder)
  local words = { "env", "-C", o.directory, "RONDO_LEDGER=off", scheduler.program(), "run", o.script, "--config",
    run .. "/config.json", "--run-dir", folder, "--resume", "--pause-at", tostring(stretch.to), "--progress", "none" }
  if o.threads then
    table.move({ "--threads", tostring(o.threads) }, 1, 2, #words + 1, words)
  end
  local log = folder .. "/verify.log"
  local process, message = core.spawn(words, folder .. "/stdout.log", log)
  if not process then
    return nil, message
  end
  core.catch_signals(true) -- so that the folder goes, whatever ends this
  local how = wait_for(process)
  local signal = core.interrupted()
  core.catch_signals(false)
  if signal then
    errors.stop(signal == "SIGINT" and errors.INTERRUPTED or errors.TEMPFAIL, ("verify: stopped by %s"):format(signal))
  end
  if core.stat(run_folder.step_file(folder, stretch.to)) then
    return true
  end
  local text = whole_file.read(log) or ""
  return nil, ("the script did not come to step %d (%s): %s"):format(stretch.to, how.signal and "signal " .. how.signal
    or "exit status " .. how.code, text:match "([^\n]+)\n*$" or "it said nothing")
end

local function remove(folder)
  for _, name in ipairs(core.listdir(folder .. "/checkpoints") or {}) do
    core.remove(folder .. "/checkpoints/" .. name)
  end
  core.remove(folder .. "/checkpoints")
  for _, name in ipairs(core.listdir(folder) or {}) do
    core.remove(folder .. "/" .. name)
  end
  core.remove(folder)
end

local function compare(run, stretch, folder)
  local paths = { run_folder.step_file(run, stretch.to), run_folder.step_file(folder, stretch.to) }
  local archives, digests = {}, {}
  for i, path in ipairs(paths) do
    local archive, facts = core.load_archive(path)
    if not archive then
      return nil, facts
    end
    archives[i], digests[i] = archive, facts
  end
  local same = digests[1].state == digests[2].state
  return { same = same, digest = digests[1].state,
    difference = not same and verify.difference(archives[1], archives[2]) or nil }
end

-- { same =, digest =, difference = text } of a stretch; or nil, message. o: script, directory, threads.
function verify.stretch(run, stretch, o)
  local folder = os.tmpname()
  core.remove(folder)
  core.mkdir(folder .. "/checkpoints")
  local guard <close> = setmetatable({}, { __close = function() remove(folder) end })
  if stretch.from > 0 then
    local bytes, message = whole_file.read(run_folder.step_file(run, stretch.from))
    local ok = bytes
    if bytes then
      ok, message = core.write_file(run_folder.step_file(folder, stretch.from), bytes)
    end
    if not ok then
      return nil, message
    end
  end
  local ok, message = run_again(run, stretch, o, folder)
  if not ok then
    return nil, message
  end
  assert(guard)
  return compare(run, stretch, folder)
end

return verify
