-- plan_spec.lua - rondo plan: what memory a script's training takes, said instead of training.
-- SPDX-License-Identifier: MIT
local support = dofile "tests/lua/support.lua"

local folder
local SCRIPT = [[
local rondo = require "rondo"
local opt = rondo.args { "A test.", seq_len = 60, max_steps = 2 }
local source = rondo.data.tasks.CopyMemory { seq_len = opt.seq_len, batch_size = 4, batches = 2 }
local model = rondo.Sequential { rondo.OneHot { 10 }, rondo.GRU { 8 }, rondo.Linear { 9 } }
local trainer = rondo.Trainer { options = opt, model = model, loss = rondo.CrossEntropyLoss(),
  optimizer = rondo.optim.Adam { lr = 0.01 } }
trainer:fit(source)
print "trained"
]]

local function rondo(arguments)
  return support.rondo(folder, arguments)
end

local function fails(code, sentence, arguments)
  local out, err, got = rondo(arguments)
  assert.equal(code, got, err)
  assert.matches(sentence, err, 1, true)
  assert.equal("", out)
end

setup(function()
  folder = support.folder()
  support.write(folder .. "/copy.lua", SCRIPT)
end)
teardown(function() support.remove(folder) end)

describe("rondo plan", function()
  it("says what a script's training takes, and trains nothing", function()
    local out, err, code = rondo "plan copy.lua --seq-len 380 --memory 300KB"
    assert.equal(0, code, err)
    assert.matches("^T = 400 steps of 4 rows need %d+ KB at once; %d+ KB of it are weights, optimizer and "
      .. "the batch\n"
      .. "  least, in segments of %d+: +%d+ KB, 1.%d times the time\n"
      .. "  for 300 KB, segments of %d+: +%d+ KB, 1.%d times the time\n"
      .. "  besides: the program and its libraries, [%d.]+ MB here\n$", out)
  end)
  it("takes a run folder, whose script and options it has", function()
    local _, err, code = rondo "run copy.lua --seq-len 80 --run-dir run --quiet"
    assert.equal(0, code, err)
    local out
    out, err, code = rondo "plan run"
    assert.equal(0, code, err)
    assert.matches("^T = 100 steps of 4 rows", out)
    assert.matches("^T = 70 steps of 4 rows", (rondo "plan run --seq-len 50"))
  end)
  it("is refused where there is nothing to plan", function()
    fails(2, "plan: give a script or a run folder, as in `rondo plan scripts/adding.lua`", "plan")
    support.write(folder .. "/idle.lua", "local x = 1\nreturn x")
    fails(1, "plan: idle.lua has ended without a training", "plan idle.lua")
    fails(2, "cannot open", "plan missing.lua")
    fails(3, "config.json", "plan .")
    os.execute(("mkdir -p '%s/lost' '%s/odd'"):format(folder, folder))
    support.write(folder .. "/lost/config.json", '{ "script": "gone.lua" }')
    fails(3, "lost: its script gone.lua is not there; give the script itself", "plan lost")
    support.write(folder .. "/odd/config.json", "{}")
    fails(3, "odd: its config.json names no script", "plan odd")
  end)
  it("says why a model cannot be cut", function()
    support.write(folder .. "/both.lua", (SCRIPT:gsub("rondo.GRU { 8 }", "rondo.GRU { 8, bidirectional = true }")))
    fails(1, "Trainer:plan: GRU 'layer 2' reads both ways, and so cannot be read in parts", "plan both.lua")
  end)
end)
