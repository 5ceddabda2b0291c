-- disk_spec.lua - runs on disks that are full, read-only, slow or gone for a while: the training goes on, says so, and
-- what it saves when the disk is back is what it would have saved anyway.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local json = require "rondo.json"
local support = dofile "tests/lua/support.lua"

-- A run of 50 steps that saves each tenth and has a figure each step; at step 15, 25 and 35 a shell does what is asked.
local SCRIPT = [[
local rondo = require "rondo"
local opt = rondo.args { at_15 = "true", at_25 = "true", at_35 = "true", run_dir = "run" }
rondo.manual_seed(1)
local x, y = rondo.randn(8, 6, 12), rondo.randn(8, 6, 12)
local model = rondo.Sequential { rondo.GRU { 12, 12 }, rondo.Linear { 12 } }
local trainer = rondo.Trainer { options = opt, model = model, loss = rondo.MSELoss(),
  optimizer = rondo.optim.Adam { lr = 1e-3 }, epochs = 5, log_every = 1 }
trainer:on("step_end", function(_, facts)
  if opt["at_" .. facts.step] then os.execute(opt["at_" .. facts.step]) end
end)
local batches = {}
for i = 1, 10 do batches[i] = { x, y } end
trainer:fit(batches, { { x, y } })
]]

local folder, enter
setup(function()
  folder = support.folder()
  support.write(folder .. "/run.lua", SCRIPT)
  enter = os.execute "unshare -m true 2>/dev/null" == true and "unshare -m" or "unshare -rm"
end)
teardown(function() support.remove(folder) end)

local function digest(run)
  local out, err, code = support.rondo(folder, ("info %s --json --last"):format(run))
  assert.equal(0, code, err)
  return json.decode(out).state_digest
end

local function curve(run)
  local steps = {}
  for line in io.lines(("%s/%s/metrics.jsonl"):format(folder, run)) do
    local facts = assert(json.decode(line))
    steps[#steps + 1] = ("%s %s %s"):format(facts.split, facts.step, facts.loss)
  end
  return steps
end

local function train(run, options, before)
  local _, err, code = support.rondo(folder, ("run run.lua --run-dir %s --progress none %s"):format(run, options),
    before)
  return err, code
end

local reference
setup(function()
  local err, code = train("whole", "")
  assert.equal(0, code, err)
  reference = { digest = digest "whole", curve = curve "whole" }
end)

-- Runs with a file system of 320 KiB of its own under `space`, and copies the run folder to `run` at the end.
local function on_a_disk(run, options)
  core.mkdir(folder .. "/space")
  local mount = "mount -t tmpfs -o size=320k none space"
  if os.execute(("cd '%s' && %s sh -c '%s' 2>/dev/null"):format(folder, enter, mount)) ~= true then
    return nil
  end
  return train("space/run", options, ([[%s sh -c '%s && "$@"; code=$?; cp -r space/run %s; exit $code' sh]]):format(
    enter, mount, run))
end

local FILL = "'cat /dev/zero >space/noise 2>/dev/null; true'"

describe("a disk that is full for a while", function()
  local err, code
  setup(function() err, code = on_a_disk("filled", "--at-15 " .. FILL .. " --at-35 'rm space/noise'") end)

  it("does not end the training", function()
    if not err then
      return pending "no file system can be mounted here"
    end
    assert.equal(0, code, err)
    assert.same(reference.digest, digest "filled")
  end)
  it("is said, with what is safe and what is tried", function()
    if not err then
      return pending "no file system can be mounted here"
    end
    assert.matches("note: cannot save 'space/run/checkpoints/step%-000000000020.h5': No space left on device %(write "
      .. "of [%d.]+ kB%); the training goes on and tries again at the next checkpoint; the last checkpoint is "
      .. "space/run/checkpoints/step%-000000000010.h5", err)
    assert.matches("metrics.jsonl: No space left on device; the figures wait until it can be written", err)
  end)
  it("loses no line of figures", function()
    if not err then
      return pending "no file system can be mounted here"
    end
    assert.same(reference.curve, curve "filled")
  end)
end)

it("a disk that stays full ends the run with the last checkpoint", function()
  local err, code = on_a_disk("full", "--at-15 " .. FILL)
  if not err then
    return pending "no file system can be mounted here"
  end
  assert.equal(3, code, err)
  assert.matches("rondo: cannot save 'space/run/checkpoints/step%-000000000050.h5': No space left on device .-; step "
    .. "50 is lost, the last checkpoint is space/run/checkpoints/step%-000000000010.h5", err)
  assert.matches("metrics.jsonl: %d+ lines of figures could not be written", err)
  assert.truthy(core.stat(folder .. "/full/checkpoints/step-000000000010.h5"))
  assert.truthy(digest "full")
end)

it("a permission that is lost for a while does not end the training", function()
  core.mkdir(folder .. "/open")
  os.execute(("chmod 777 '%s/open' && chmod 755 '%s'"):format(folder, folder))
  local root = io.popen("id -u"):read "n" == 0
  local change = "--at-15 'chmod a-w open/lost/checkpoints' --at-35 'chmod u+w open/lost/checkpoints'"
  local err, code = train("open/lost", change, root and "setpriv --reuid=65534 --regid=65534 --clear-groups")
  if (err:find "Permission denied" or err:find "module 'rondo.cli' not found") and not err:find "cannot save" then
    return pending "user 65534 cannot read this build"
  end
  assert.equal(0, code, err)
  assert.same(reference.digest, digest "open/lost")
  assert.matches("note: cannot save 'open/lost/checkpoints/step%-000000000020.h5': Permission denied %(open%); the "
    .. "training goes on", err)
end)

it("checkpoints on what is read-only for a while do not end the training", function()
  local frozen = "mount --bind space/run/checkpoints space/run/checkpoints && mount -o remount,ro,bind "
    .. "space/run/checkpoints"
  local err, code = on_a_disk("frozen", ("--at-15 '%s' --at-35 'umount space/run/checkpoints'"):format(frozen))
  if not err then
    return pending "no file system can be mounted here"
  end
  assert.equal(0, code, err)
  assert.same(reference.digest, digest "frozen")
  assert.same(reference.curve, curve "frozen")
  assert.matches("note: cannot save 'space/run/checkpoints/step%-000000000020.h5': Read%-only file system %(open%); "
    .. "the training goes on and tries again at the next checkpoint; the last checkpoint is "
    .. "space/run/checkpoints/step%-000000000010.h5", err)
end)

-- Whether a run folder has no file that is not whole.
local function no_rubbish(run)
  for _, name in ipairs(core.listdir(("%s/%s/checkpoints"):format(folder, run))) do
    assert.matches("^[^.]+%.h5$", name)
  end
end

-- A run whose disk is what the file `disk` says (faults/faulty_disk.c).
local function on_faulty_disk(run, options)
  return train(run, options, ("env RD_TEST_DISK=disk LD_PRELOAD='%s/../../tests/faulty_disk.so'"):format(
    core.lib_dir()))
end

it("a quota that is used up for a while does not end the training", function()
  local err, code = on_faulty_disk("quota", "--at-15 'echo quota >disk' --at-35 'rm disk'")
  assert.equal(0, code, err)
  assert.same(reference.digest, digest "quota")
  assert.same(reference.curve, curve "quota")
  assert.matches("note: cannot save 'quota/checkpoints/step%-000000000020.h5': Disk quota exceeded %(write of [%d.]+ "
    .. "kB%); the training goes on", err)
  assert.matches("metrics.jsonl: Disk quota exceeded; the figures wait until it can be written", err)
  no_rubbish "quota"
end)

it("a limit of file size does not kill the training", function()
  local err, code = train("limited", "", [[sh -c 'ulimit -f 8; "$@"' sh]])
  assert.equal(3, code, err)
  assert.matches("note: cannot save 'limited/checkpoints/step%-000000000010.h5': File too large %(write of [%d.]+ "
    .. "kB%); the training goes on", err)
  assert.matches("rondo: cannot save 'limited/checkpoints/step%-000000000050.h5': File too large .-; step 50 is lost, "
    .. "nothing is saved yet", err)
  no_rubbish "limited"
end)

describe("a disk that is slow for a while", function()
  local err, code
  setup(function() err, code = on_faulty_disk("slow", "--at-15 'echo slow 600 >disk' --at-25 'rm disk'") end)

  it("is said once, and changes nothing else", function()
    assert.equal(0, code, err)
    assert.same(reference.digest, digest "slow")
    assert.matches("^note: saving took %d+%.%d s of the last %d+%.%d s; a larger %-%-save%-every saves less often\n$",
      err)
  end)
  it("does not count as time of training", function()
    for line in io.lines(folder .. "/slow/metrics.jsonl") do
      local facts = json.decode(line)
      if facts.split == "train" and facts.step == 21 then
        assert.is_true(facts.tokens_per_s > 100) -- 48 in a step: with the 2.4 s of saving it would be 20 at most
      end
    end
  end)
end)

describe("keep_every", function()
  it("keeps one checkpoint of so many for ever, beside the newest and the best", function()
    local err, code = train("many", "--save-every 4 --keep 2 --keep-every 15")
    assert.equal(0, code, err)
    local names = core.listdir(folder .. "/many/checkpoints")
    table.sort(names)
    assert.same({ "best.h5", "step-000000000015.h5", "step-000000000030.h5", "step-000000000045.h5",
      "step-000000000048.h5", "step-000000000050.h5" }, names)
    assert.equal(reference.digest, digest "many")
  end)
  it("is what a verification goes back to", function()
    local out, err, code = support.rondo(folder, "verify many --stretches 9")
    assert.equal(0, code, err)
    for _, stretch in ipairs { "15 to 30", "30 to 45", "45 to 48", "48 to 50" } do
      assert.matches(("step %s: identical"):format(stretch), out)
    end
  end)
end)

it("what a killed writer has left is swept when the run goes on, and what else is there is not", function()
  local dead = tostring(io.popen("echo $PPID"):read "n") -- its number is another's by now: this process's own
  local function at(name) return ("%s/whole/%s"):format(folder, name) end
  local whole = support.read(at "checkpoints/step-000000000050.h5")
  support.write(at("checkpoints/step-000000000060.h5.tmp." .. dead), whole:sub(1, 3000))
  support.write(at("checkpoints/step-000000000070.h5.tmp." .. dead), "")
  support.write(at("status.json.tmp." .. dead), "{")
  support.write(at "checkpoints/notes.tmp.txt", "mine")
  local err, code = train("whole", "--resume")
  assert.equal(0, code, err)
  for _, name in ipairs { "checkpoints/step-000000000060.h5.tmp.", "checkpoints/step-000000000070.h5.tmp.",
    "status.json.tmp." } do
    assert.is_nil((core.stat(at(name .. dead))))
  end
  assert.equal("mine", support.read(at "checkpoints/notes.tmp.txt"))
end)

it("a checkpoint folder that was removed is made again, and that is said", function()
  local err, code = train("removed", "--at-15 'rm -r removed/checkpoints'")
  assert.equal(0, code, err)
  assert.same(reference.digest, digest "removed")
  assert.same(reference.curve, curve "removed")
  assert.equal("note: removed/checkpoints was removed; what the run folder lacks is made again\n", err)
end)

it("a run folder that was removed is made again with what comes, and goes on", function()
  local err, code = train("gone", "--at-15 'rm -r gone' --at-25 'flock -n gone/.lock true && touch gone/free'")
  assert.equal(0, code, err)
  assert.equal("note: gone/metrics.jsonl was removed; what the run folder lacks is made again\n", err)
  assert.same(reference.digest, digest "gone")
  local figures, all = curve "gone", reference.curve
  table.remove(figures, 1) -- the head
  assert.matches("^train 21 ", figures[1])
  assert.same(table.move(all, #all - #figures + 1, #all, 1, {}), figures)
  assert.is_nil((core.stat(folder .. "/gone/free")))
  local _, why, status = support.rondo(folder, "verify gone --stretches 9")
  assert.equal(0, status, why)
end)

it("the best that could not be written is not called the best", function()
  local err, code = on_a_disk("second", "--at-15 " .. FILL .. " --at-35 'rm space/noise'")
  if not err then
    return pending "no file system can be mounted here"
  end
  assert.equal(0, code, err)
  assert.matches("cannot save 'space/run/checkpoints/best.h5': .-; the best so far, [%d.]+ at step 20, is not kept",
    err)
  local out = support.rondo(folder, "info second --json")
  assert.equal(50, json.decode(out).step)
end)
