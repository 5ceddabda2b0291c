-- folder.lua - a sweep on disk: sweep.json, a copy of the script, and a folder for each run.
--
-- A run's folder is that of its Trainer, and holds trial.json (what it is, and how it ended) besides. Errors and
-- messages of the process are in log.txt, its output in stdout.log.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local differences = require("rondo.trainer_state").differences
local errors = require "rondo.errors"
local json = require "rondo.json"
local whole_file = require "rondo.whole_file"

local folder = {}

local SCHEMA = 1
local SCRIPT_BYTES = 16 << 20

local function must(ok, message)
  return ok or errors.stop(errors.DATA, "sweep: " .. tostring(message))
end

local function read(path)
  return whole_file.read(path, SCRIPT_BYTES)
end
folder.read = read

-- ---- sweep.json -------------------------------------------------------------------------------------------------

-- What is in a folder, or nil.
function folder.description(out)
  return (json.read(out .. "/sweep.json"))
end

-- The first line in which two texts are not equal.
local function differing_line(a, b)
  local n, next_a, next_b = 0, (a .. "\n"):gmatch "(.-)\n", (b .. "\n"):gmatch "(.-)\n"
  repeat
    n = n + 1
    local line_a, line_b = next_a(), next_b()
  until line_a ~= line_b or line_a == nil
  return n
end

-- What two descriptions do not share. More trials and seeds, where no trial depends on others, only add.
local function changes(there, here)
  local list = {}
  local adds = there.search == here.search and here.search ~= "halving"
  for _, name in ipairs { "script", "search", "seed", "fixed", "space" } do
    list = differences({ [name] = there[name] }, { [name] = here[name] }, "", list)
  end
  for _, name in ipairs { "trials", "seeds" } do
    if adds and math.type(there[name]) == "integer" and (here[name] or 0) >= there[name] then
      there[name] = here[name]
    end
    list = differences({ [name] = there[name] }, { [name] = here[name] }, "", list)
  end
  for _, name in ipairs(here.search == "halving" and { "factor", "monitor", "mode" } or {}) do
    list = differences({ [name] = there[name] }, { [name] = here[name] }, "", list)
  end
  return list
end

local function refuse(out, what)
  errors.stop(errors.USAGE, ("%s: another sweep is here: %s; give another folder, or overwrite this one"):format(out,
    what))
end

-- Takes away what an earlier sweep has left: the runs' own files, never a folder that is not one of a run.
local function clear(out)
  local run_folder = require "rondo.run_folder"
  for _, name in ipairs(core.listdir(out) or {}) do
    local path = out .. "/" .. name
    if name:find "^trial%-%d+" and core.stat(path .. "/trial.json") then
      core.remove(path .. "/trial.json")
      core.remove(path .. "/stdout.log")
      run_folder.open(path, false, true):close()
    end
  end
  core.remove(out .. "/sweep.json") -- last: a half that was cleared is cleared again
end

-- Makes the folder that of this sweep, or checks that it is.
function folder.claim(out, here, script_text, how)
  local there = folder.description(out)
  if there and how.overwrite then
    clear(out)
    there = nil
  elseif there and how.resume == false then
    errors.stop(errors.USAGE, ("%s: a sweep is here already; go on with resume = true, or start anew with "
      .. "overwrite = true"):format(out))
  end
  if there and tonumber(there.schema) and tonumber(there.schema) > SCHEMA then
    errors.stop(errors.USAGE, ("%s: a newer Rondo has begun a sweep here (its schema is %s, this Rondo's is %d)")
      :format(out, there.schema, SCHEMA))
  end
  here = json.decode(json.encode(here))
  if there then
    local list = changes(there, here)
    local kept = read(out .. "/script.lua")
    if #list > 0 then
      refuse(out, table.concat(list, ", ", 1, math.min(#list, 3)) .. (#list > 3 and ", and more" or ""))
    elseif kept and kept ~= script_text then
      refuse(out, ("%s is not what it was, from line %d on (%s/script.lua is as it was)"):format(here.script,
        differing_line(kept, script_text), out))
    end
  end
  here.schema = SCHEMA
  must(core.mkdir(out))
  must(core.write_file(out .. "/script.lua", script_text))
  must(core.write_file(out .. "/sweep.json", json.encode(here) .. "\n"))
end

-- One sweep at a time in a folder.
function folder.lock(out)
  must(core.mkdir(out))
  local lock, message = core.lock(out .. "/.lock")
  if not lock and message:find("another process", 1, true) then
    errors.stop(errors.USAGE, ("%s: another process is sweeping here"):format(out))
  end
  return must(lock, message)
end

-- ---- runs -------------------------------------------------------------------------------------------------------

-- The folder of trial i, and of one of its seeds.
function folder.of_run(out, i, seed)
  return ("%s/trial-%03d%s"):format(out, i, seed and ("-seed-%d"):format(seed) or "")
end

-- What is known of a run: { state = "running", "paused", "done", "failed" or "diverged", ... }, or nil.
function folder.state(path)
  return (json.read(path .. "/trial.json"))
end

function folder.set_state(path, state)
  must(core.mkdir(path))
  must(core.write_file(path .. "/trial.json", json.encode(state, { "trial", "seed", "state" }) .. "\n"))
end

return folder
