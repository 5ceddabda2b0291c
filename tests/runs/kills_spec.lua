-- kills_spec.lua - SIGKILL at random moments of a training, half of them aimed at its saves: what is there under a
-- real name is whole, what is left over is swept at the next start, and the end has the bytes of an unbroken run.
--
-- RONDO_TEST_KILLS is the number of kills (20; scripts/test_long.sh takes 200).
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local json = require "rondo.json"
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local STEPS = 12
local KILLS = math.tointeger(tonumber(os.getenv "RONDO_TEST_KILLS" or 20))
-- Saves 2 MB at every step, and keeps a best one at some.
local OPTIONS = "--hidden-size 96 --num-layers 2 --seq-len 10 --batch-size 11 --dropout 0.2 --ngrams 0 "
  .. "--sample-length 0 --save-every 1 --eval-every 5 --log-every 1 --threads 2 --quiet --max-steps " .. STEPS

-- Runs the command and kills it: `any` after some seconds; else at its n-th save, some seconds after the child that
-- builds the file's image is there (`image`), the temporary file is there (`write`) or has gone again (`rename`).
-- Prints the process, its status and whether that child was there in the end. All that is waited for is looked at
-- without starting a program, which would take longer than a save.
local KILLER = [=[
cd "$1"; aim=$2 nth=$3 delay=$4; shift 4
exec {never}<> <(:)
pause() { read -rt "$1" -u $never || true; }
rondo "$@" >.stdout 2>.stderr </dev/null &
pid=$! seen=0 before=
running() { word=; read -rd '' word <"/proc/$pid/cmdline"; [ -n "$word" ]; }
look() {
    case $aim in
    image) now=; read -r now <"/proc/$pid/task/$pid/children" ;;
    *) now=; for file in run/checkpoints/*.tmp.$pid; do [ -e "$file" ] && now=there; done ;;
    esac
    if [ "$aim" = rename ]; then [ -n "$before" ] && [ -z "$now" ]; else [ -z "$before" ] && [ -n "$now" ]; fi
}
if [ "$aim" = any ]; then
    for ((; delay > 20000; delay -= 20000)); do
        pause 0.02
        running || break
    done
else
    while [ $seen -lt "$nth" ] && running; do
        if look; then seen=$((seen + 1)); else pause 0.0003; fi
        before=$now
    done
fi
printf -v seconds '%d.%06d' $((delay / 1000000)) $((delay % 1000000))
pause "$seconds"
child=; read -r child <"/proc/$pid/task/$pid/children"
running && kill -KILL $pid
wait $pid
echo "$pid $? ${child:+child}"
]=]

local folder, path
setup(function()
  folder = support.folder()
  path = folder .. "/run"
  support.write(folder .. "/t.txt", support.sentences(120))
  support.write(folder .. "/killer", KILLER)
end)
teardown(function() support.remove(folder) end)

-- A run that nobody kills, to its end.
local function train()
  local _, err, status = support.rondo(folder, "train t.txt --run-dir run --resume " .. OPTIONS)
  assert.equal(0, status, err)
end

-- Process, status and whether a child was there of a run that was killed, or ended before.
local function killed(aim, nth, delay)
  os.remove(path .. "/config.json") -- which is written once the last checkpoint is loaded
  local pipe <close> = io.popen(("bash '%s/killer' '%s' %s %d %d train t.txt --run-dir run --resume %s 2>/dev/null"
    ):format(folder, folder, aim, nth, math.floor(delay * 1e6), OPTIONS))
  local pid, code, child = pipe:read "a":match "^(%d+) (%d+) (%l*)\n$"
  return pid, tonumber(code), child == "child"
end

-- Names of files that a writer has not given their own yet.
local function temporaries()
  local found = {}
  for _, place in ipairs { path, path .. "/checkpoints" } do
    for _, name in ipairs(core.listdir(place) or {}) do
      found[#found + 1] = name:find(".tmp.", 1, true) and name or nil
    end
  end
  return found
end

-- Where a kill came, by what it has left; every checkpoint under its own name opens.
local function aftermath(pid, child, where)
  local started = core.stat(path .. "/config.json") -- else it has come before the folder was swept
  local place, steps = child and started and "image" or "training", 0
  for _, name in ipairs(temporaries()) do
    local writer = name:match "%.tmp%.(%d+)$"
    assert.is_true(writer == pid or not started, where .. ": an earlier process has left " .. name)
    place = writer == pid and name:find("%.h5%.") and "write" or place
  end
  for _, name in ipairs(core.listdir(path .. "/checkpoints") or {}) do
    if name:find "%.h5$" then
      assert(rondo.load(("%s/checkpoints/%s"):format(path, name)))
      steps = steps + (name:find "^step" and 1 or 0)
    end
  end
  return steps > 3 and place == "training" and "rename" or place -- the oldest was to be removed
end

-- What a run ends with: its last and its best checkpoint, byte by byte, and its curve.
local function ends()
  local curve = {}
  for line in io.lines(path .. "/metrics.jsonl") do
    local facts = assert(json.decode(line))
    curve[#curve + 1] = ("%s %s %s"):format(facts.split, facts.step, facts.loss)
  end
  local last = ("%s/checkpoints/step-%012d.h5"):format(path, STEPS)
  return { last = assert(rondo.load(last)).digests.file, curve = table.concat(curve, "\n"),
    best = assert(rondo.load(path .. "/checkpoints/best.h5")).digests.file }
end

-- Seconds that a kill waits for, at most: about what that part of a save takes.
local AIMS, LONGEST = { "image", "write", "rename" }, { image = 0.03, write = 0.004, rename = 0.004 }

it(("a run that is killed %d times ends with the bytes of one that is not"):format(KILLS), function()
  local began = core.time()
  train()
  LONGEST.any = (core.time() - began) / 2
  local whole, seed, done, found = ends(), os.time(), 0, { training = 0, image = 0, write = 0, rename = 0 }
  math.randomseed(seed)
  while done < KILLS do
    local aim = done % 2 == 0 and "any" or AIMS[done // 2 % 3 + 1]
    local where = ("kill %d (%s), math.randomseed(%d)"):format(done + 1, aim, seed)
    local pid, status, child = killed(aim, math.random(1, 6), LONGEST[aim] * math.random())
    if status == 137 then
      local place = aftermath(pid, child, where)
      done, found[place] = done + 1, found[place] + 1
    else
      assert.equal(0, status, where .. support.read(folder .. "/.stderr"))
      assert.same(whole, ends(), where)
      support.remove(path)
    end
  end
  train()
  assert.same(whole, ends(), "math.randomseed " .. seed)
  assert.same({}, temporaries())
  local saves = found.image + found.write + found.rename
  print(("%d kills, %d of them within a save: %d while its image was built, %d while the temporary file was written, "
    .. "%d between its renaming and the removal of the oldest"):format(KILLS, saves, found.image, found.write,
    found.rename))
  assert.is_true(saves >= KILLS // 4, "too few kills fell into a save")
end)
