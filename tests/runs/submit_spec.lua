-- submit_spec.lua - tasks of a sweep for Slurm and GNU parallel.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local support = dofile "tests/lua/support.lua"

local TOY = support.read "tests/runs/sweep_toy.lua"

local folder
setup(function()
  folder = support.folder()
  support.write(folder .. "/toy.lua", TOY)
end)
teardown(function() support.remove(folder) end)

local function sweep(arguments, before)
  return support.rondo(folder, "sweep " .. arguments, before)
end

local function swept(arguments)
  local out, err, code = sweep(arguments)
  assert.equal(0, code, err)
  return out, err
end

describe("a job array", function()
  -- An sbatch that runs the tasks one after another, as long as they ask to be put back; an scontrol that notes it.
  local function fake_slurm()
    local bin = folder .. "/bin"
    assert(core.mkdir(bin))
    support.write(bin .. "/sbatch", [[#!/bin/bash
printf '%s\n' "$@" >sbatch.words
for last; do :; done
n=$(sed -n 's/^#SBATCH --array=1-//p' "$last")
for i in $(seq "$n"); do
    rm -f requeued
    export SLURM_ARRAY_JOB_ID=100 SLURM_ARRAY_TASK_ID=$i
    bash "$last"
    echo "$i $?" >>statuses
    if [ -e requeued ]; then
        bash "$last"
        echo "$i $?" >>statuses
    fi
done
echo Submitted batch job 100
]])
    support.write(bin .. "/scontrol", [[#!/bin/sh
echo "$@" >>scontrol.words
case $1 in
show) echo "JobId=100 ArrayJobId=100 JobState=${FAKE_STATE:-RUNNING} Reason=None" ;;
requeue) touch requeued ;;
esac
]])
    assert(os.execute(("chmod +x '%s/sbatch' '%s/scontrol'"):format(bin, bin)))
    return ("PATH='%s':$PATH"):format(bin)
  end
  -- Trial 2 is told that its time ends, once, by its batch shell.
  local HINT = TOY:gsub("trainer:fit", [[
if opt.width == 3 and not io.open "hinted" then
  trainer:on("step_end", function(_, facts)
    if facts.step == 5 then
      io.open("hinted", "w"):close()
      local stat = function(pid) return io.open("/proc/" .. pid .. "/stat"):read "a" end
      local sweep = stat("self"):match "%%) %%a (%%d+)"
      os.execute("kill -USR1 " .. stat(sweep):match "%%) %%a (%%d+)")
    end
  end)
end
trainer:fit]])

  it("has a task for each trial, one of which is stopped and put back", function()
    support.write(folder .. "/hint.lua", HINT)
    local path = fake_slurm()
    local _, err, code = sweep("hint.lua --width 2,3,4 --pause 0.03 --submit slurm --sbatch=--time=1:00 "
      .. "--out \"array's out\"", path)
    assert.equal(0, code, err)
    assert.matches("sweep: Submitted batch job 100, 3 tasks; later: rondo sweep 'array'\\''s out' %-%-report", err)
    assert.equal("--time=1:00\narray's out/slurm.sh\n", support.read(folder .. "/sbatch.words"))
    assert.equal("1 0\n2 75\n2 0\n3 0\n", support.read(folder .. "/statuses"))
    assert.equal("show job --oneliner 100_2\nrequeue 100_2\n", support.read(folder .. "/scontrol.words"))
    assert.matches("stopped by SIGTERM after step .*done: %d+ steps",
      support.read(folder .. "/array's out/trial-002/log.txt"))
    assert.equal(3, select(2, swept("\"array's out\""):gsub(" done\n", "")))
    local text = support.read(folder .. "/array's out/slurm.sh")
    assert.matches("#SBATCH %-%-array=1%-3\n", text)
    assert.matches("#SBATCH %-%-signal=B:USR1@%d+\n", text)
  end)
  it("leaves a task that was cancelled as it is", function()
    os.remove(folder .. "/hinted")
    os.remove(folder .. "/statuses")
    local _, err, code = sweep("hint.lua --width 2,3 --pause 0.03 --submit slurm --out cancelled",
      "FAKE_STATE=COMPLETING " .. fake_slurm())
    assert.equal(0, code, err)
    assert.equal("1 0\n2 75\n", support.read(folder .. "/statuses"))
  end)
  it("that is refused says what Slurm said", function()
    support.write(folder .. "/bin/sbatch", "#!/bin/sh\necho 'invalid partition' >&2\nexit 1\n")
    local _, err, code = sweep("toy.lua --width 2,3 --submit slurm --out refused",
      ("PATH='%s/bin':$PATH"):format(folder))
    assert.equal(3, code)
    assert.matches("sbatch refused refused/slurm.sh: invalid partition", err)
  end)
  it("is written where there is no Slurm", function()
    local _, err, code = sweep("toy.lua --width 2,3 --submit slurm --out nowhere",
      ("PATH='%s/bin'"):format(require("rondo.places").prefix()))
    assert.equal(3, code)
    assert.matches("sbatch cannot be started %(sbatch: No such file or directory%); nowhere/slurm.sh is written", err)
  end)
end)

describe("the line of GNU parallel", function()
  it("runs every trial", function()
    local out = swept "toy.lua --width 2,3,4 --submit parallel --jobs 2 --out \"par's out\""
    assert.matches("^seq 3 | parallel %-%-quote %-%-jobs 2 /.*/bin/rondo sweep 'par'\\''s out' %-%-trial {} "
      .. "%-%-threads %d+ %-%-progress lines\n$", out)
    if not core.run { "parallel", "--version" } then
      return pending "GNU parallel is missing"
    end
    assert(os.execute(("cd '%s' && %s 2>parallel.err"):format(folder, out:gsub("\n", ""))))
    local _, done = swept("\"par's out\""):gsub("done\n", "")
    assert.equal(3, done)
  end)
  it("is not printed for a folder that it would misread", function()
    local _, err, code = sweep "toy.lua --width 2,3 --submit parallel --out '{}'"
    assert.equal(2, code)
    assert.matches("GNU parallel reads braces", err)
  end)
end)
