-- submit.lua - hands a sweep's trials to others: a Slurm job array, or the command line of GNU parallel.
--
-- Task i is `rondo sweep FOLDER --trial i`, which takes all else from sweep.json. Slurm's directives hold nothing that
-- would need quotes: folders and options are in the shell's part of the script, quoted for it.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local scheduler = require "rondo.sweep.scheduler"

local submit = {}

local GRACE_SECONDS = 60 -- before the time limit, to save

-- A word as a POSIX shell reads it back.
local function quoted(word)
  if word:find "^[%w_@%%+=:,./-]+$" then
    return word
  end
  return "'" .. word:gsub("'", "'\\''") .. "'"
end
submit.quoted = quoted

local function program()
  local path = scheduler.program()
  return path:sub(1, 1) == "/" and path or core.realpath(path) or path
end

local ARRAY = [==[
#!/bin/bash
# A task for each trial of the sweep in %s; `sbatch` on this file submits it again, and what is done is skipped.
#SBATCH --job-name=rondo-sweep
#SBATCH --array=1-%d
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=/dev/null
#SBATCH --signal=B:USR1@%d
cd -- %s || exit 1
exec >>%s/slurm-"$SLURM_ARRAY_TASK_ID".log 2>&1
# The signal before the time limit, and that of a preemption, reach the trial as one at which it saves.
trap 'kill -TERM "$trial"' USR1 TERM
%s sweep %s --trial "$SLURM_ARRAY_TASK_ID" --threads "${SLURM_CPUS_PER_TASK:-1}" --progress lines &
trial=$!
wait "$trial"
status=$?
while kill -0 "$trial" 2>/dev/null; do # a trap ends wait early
    wait "$trial"
    status=$?
done
# Stopped, and to go on: this task (one job id of an array stands for all of it). One that is cancelled, or put back by
# Slurm itself, is no longer RUNNING.
task=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
if [ "$status" -eq 75 ] && scontrol show job --oneliner "$task" | grep -q 'JobState=RUNNING'; then
    scontrol requeue "$task"
fi
exit "$status"
]==]

-- The script of the job array.
function submit.script(sweep)
  return ARRAY:format(sweep.out:gsub("%c", "?"), sweep.trials, GRACE_SECONDS, quoted(core.realpath "."),
    quoted(sweep.out), quoted(program()), quoted(sweep.out))
end

-- Writes the script into the sweep's folder and gives it to sbatch.
function submit.slurm(sweep, o)
  local path = sweep.out .. "/slurm.sh"
  local ok, message = core.write_file(path, submit.script(sweep))
  if not ok then
    errors.stop(errors.DATA, "sweep: " .. message)
  end
  local words = table.move(o.sbatch or {}, 1, #(o.sbatch or {}), 2, { "sbatch" })
  words[#words + 1] = path
  local result, why = core.run(words)
  if not result then
    errors.stop(errors.DATA, ("sweep: sbatch cannot be started (%s); %s is written, submit it where Slurm is"):format(
      why, path))
  elseif result.code ~= 0 then
    errors.stop(errors.DATA, ("sweep: sbatch refused %s: %s"):format(path, (result.stderr:gsub("%s+$", ""))))
  end
  io.stderr:write(("sweep: %s, %d tasks; later: rondo sweep %s --report\n"):format(result.stdout:gsub("%s+$", ""),
    sweep.trials, quoted(sweep.out)))
  return 0
end

-- Prints the line; what it starts is in this folder, so it is to be run here.
function submit.parallel(sweep, o)
  if sweep.out:find "[{}]" then
    errors.stop(errors.USAGE, ("%s: GNU parallel reads braces in a command; give a folder without"):format(sweep.out))
  end
  local threads = math.max(1, (o.threads or core.threads()) // o.jobs)
  io.stdout:write(("seq %d | parallel --quote --jobs %d %s sweep %s --trial {} --threads %d --progress lines\n"):format(
    sweep.trials, o.jobs, quoted(program()), quoted(sweep.out), threads))
  return 0
end

return submit
