-- plugin_spec.lua - trainings whose plugin gives what is no number, crashes or ends the program: what was saved before
-- is whole, is said, and goes on to the bits of a run that nothing happened to.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local json = require "rondo.json"
local support = dofile "tests/lua/support.lua"

local plugin = core.lib_dir() .. "/../../tests/bad/fails_late.so" -- fails at the n-th sequence of a process
local folder, reference

-- 30 steps of one sequence each, saved every tenth.
local SCRIPT = [[
local rondo = require "rondo"
local opt = rondo.args { run_dir = "run" }
rondo.manual_seed(1)
local x, y = rondo.randn(4, 6, 3), rondo.randn(4, 6, 3)
local model = rondo.Sequential { rondo.RNN { cell = "fails_late", input_size = 3, hidden_size = 5 },
  rondo.Linear { 3 } }
local batches = {}
for i = 1, 10 do batches[i] = { x, y } end
rondo.Trainer { options = opt, model = model, loss = rondo.MSELoss(), optimizer = rondo.optim.Adam { lr = 1e-3 },
  epochs = 3, log_every = 1 }:fit(batches)
]]

local function train(run, fails, more)
  local _, err, code = support.rondo(folder, ("run run.lua --plugin '%s' --run-dir %s --progress none --threads 1 %s")
    :format(plugin, run, more or ""), fails and ("env RD_TEST_FAILS='%s'"):format(fails))
  return err, code
end

local function facts(run)
  local out, err, code = support.rondo(folder, ("info %s --json --last --plugin '%s'"):format(run, plugin))
  assert.equal(0, code, err)
  return json.decode(out)
end

local function status(run)
  return json.decode(support.read(("%s/%s/status.json"):format(folder, run))).state
end

setup(function()
  folder = support.folder()
  support.write(folder .. "/run.lua", SCRIPT)
  local err, code = train "whole"
  assert.equal(0, code, err)
  reference = facts "whole"
end)
teardown(function() support.remove(folder) end)

local function goes_on(run)
  local last = facts(run)
  assert.equal(20, last.step)
  local err, code = train(run, nil, "--resume")
  assert.equal(0, code, err)
  assert.same({ 30, reference.state_digest }, { facts(run).step, facts(run).state_digest })
  assert.equal("done", status(run))
end

it("a plugin that does not start ends no session, and is refused with what it did", function()
  local bad = core.lib_dir() .. "/../../tests/bad/"
  support.write(folder .. "/session.lua", ([[
    local rondo = require "rondo"
    for _, name in ipairs { "init_crashes", "init_exits", "constructor_crashes", "init_hangs" } do
      local _, why = rondo.plugins.load("%s" .. name .. ".so")
      print(why)
    end
    assert(rondo.plugins.load("%sgood.so"))
    print "work goes on"
  ]]):format(bad, bad))
  local out, err, code = support.rondo(folder, "run session.lua")
  assert.equal(0, code, err)
  for _, text in ipairs { "init_crashes.so was refused, L4: opening the file ends badly: SIGABRT\n",
    "init_exits.so was refused, L4: opening the file ends badly: it ended the process with status 3\n",
    "constructor_crashes.so was refused, L4: opening the file ends badly: SIGABRT\n",
    "init_hangs.so was refused, L4: opening the file does not end within 10 s\n", "work goes on\n" } do
    assert.truthy(out:find(text, 1, true), out)
  end
end)

describe("a plugin that gives", function()
  local function diverges(run, fails, what)
    local err, code = train(run, fails)
    assert.equal(4, code, err)
    assert.matches("rondo: diverged at step 25: " .. what, err)
    assert.matches(("The last good checkpoint is %s/checkpoints/step%%-000000000020.h5. `rondo replay %s/capsules/"
      .. "step%%-000000000025.h5` shows the trail. Try a smaller lr or clip_grad_norm.\n$"):format(run, run), err)
    assert.equal("diverged", status(run))
    goes_on(run)
  end
  it("NaN ends the training with status 4, the place and the last good checkpoint", function()
    diverges("nan", "nan 25", "the loss is not finite; first, state 'h' of 1%.layer1 at time step 1, row 1, unit 2 is "
      .. "%-?nan")
  end)
  it("an infinity too", function()
    diverges("inf", "inf 25", "the loss is not finite; first, state 'h' of 1%.layer1 at time step 1, row 1, unit 2 is "
      .. "inf")
  end)
  it("NaN on the way back too", function()
    diverges("gradient", "gradient 25", "the gradient of '1%.layer1%.a_x' is not finite; first, dL/d")
  end)
end)

describe("a plugin that ends the process", function()
  local function ends(run, fails, code)
    local err, got = train(run, fails)
    assert.equal(code, got, err)
    assert.equal("running", status(run)) -- nobody has ended it
    local files = core.listdir(folder .. "/" .. run .. "/checkpoints")
    table.sort(files)
    assert.same({ "step-000000000010.h5", "step-000000000020.h5" }, files)
    goes_on(run)
  end
  it("by SIGSEGV takes nothing that was saved", function() ends("segv", "segv 25", 128 + 11) end)
  it("by abort() too", function() ends("abort", "abort 25", 128 + 6) end)
  it("by SIGKILL too", function() ends("kill", "kill 25", 128 + 9) end)
  it("by exit(0) too, and is not called done", function() ends("exit", "exit 25", 0) end)
end)
