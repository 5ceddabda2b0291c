-- disk_spec.lua - runs on disks that are full, read-only, slow or gone for a while: the training goes on, says so, and
-- what it saves when the disk is back is what it would have saved anyway.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local json = require "rondo.json"
local support = dofile "tests/lua/support.lua"

-- A run of 50 steps that saves each tenth and has a figure each step; at step 15 and 35 a shell does what is asked.
local SCRIPT = [[
local rondo = require "rondo"
local opt = rondo.args { at_15 = "true", at_35 = "true", run_dir = "run" }
rondo.manual_seed(1)
local x, y = rondo.randn(8, 6, 12), rondo.randn(8, 6, 12)
local model = rondo.Sequential { rondo.GRU { 12, 12 }, rondo.Linear { 12 } }
local trainer = rondo.Trainer { options = opt, model = model, loss = rondo.MSELoss(),
  optimizer = rondo.optim.Adam { lr = 1e-3 }, epochs = 5, log_every = 1 }
trainer:on("step_end", function(_, facts)
  if facts.step == 15 or facts.step == 35 then os.execute(opt["at_" .. facts.step]) end
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
  if err:find "Permission denied" and not err:find "cannot save" then
    return pending "user 65534 cannot read this build"
  end
  assert.equal(0, code, err)
  assert.same(reference.digest, digest "open/lost")
  assert.matches("note: cannot save 'open/lost/checkpoints/step%-000000000020.h5': Permission denied %(open%); the "
    .. "training goes on", err)
end)

it("a checkpoint folder that was removed is made again", function()
  local err, code = train("removed", "--at-15 'rm -r removed/checkpoints'")
  assert.equal(0, code, err)
  assert.same(reference.digest, digest "removed")
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
