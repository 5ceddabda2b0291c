-- sweep_spec.lua - sweeps as processes: the same table after every way of being stopped, rounds that are exact, folders
-- that are refused.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local json = require "rondo.json"
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

-- What --json says, but for the folders' names.
local function rows_of(out, name)
  local text = out:gsub(name:gsub("%-", "%%-"), "OUT")
  return text
end

local function last_state(run)
  local out, err, code = support.rondo(folder, ("info %s --json --last"):format(run))
  assert.equal(0, code, err)
  return assert(json.decode(out)).file_digest
end

describe("a sweep", function()
  local TWELVE = "toy.lua --lr loguniform:1e-3:1e-1 --width 2,3,4 --trials 12 --jobs 2 --pause 0.01 --json --out "
  local whole
  setup(function() whole = rows_of(swept(TWELVE .. "whole"), "whole") end)

  it("runs each trial in a folder of its own, and prints a table", function()
    local out, err = swept(TWELVE:gsub("%-%-json ", "") .. "whole")
    assert.equal("", err) -- nothing was left to do
    assert.matches("^trial  lr +width  val_loss  state\n%d+ +[%d.]+ +[234] +%d%.%d+ +done\n", out)
    assert.matches("\n\nbest: trial %d+, val_loss [%d.]+ %(whole/trial%-0%d%d%)\n"
      .. "rondo run toy.lua %-%-lr=[%d.]+ %-%-pause=0.01 %-%-width=[234]\n$", out)
    local facts = json.decode(support.read(folder .. "/whole/trial-007/config.json"))
    local row = json.decode(whole:match "[^\n]*\"trial\":7[,}][^\n]*")
    assert.equal(row.params.lr, facts.options.lr)
    assert.equal(row.params.width, facts.options.width)
    assert.equal(math.max(1, core.threads() // 2), facts.threads)
  end)
  it("killed three times with all its processes ends with the table of one that was not", function()
    local killed = 0
    math.randomseed(os.time())
    while killed < 3 do
      local _, err, code = sweep(TWELVE .. "killed", ("timeout -s KILL %.2f"):format(0.3 + 0.6 * math.random()))
      if code == 137 then
        killed = killed + 1
      else -- it was done before that
        assert.equal(0, code, err)
        support.remove(folder .. "/killed")
      end
    end
    assert.equal(whole, rows_of(swept(TWELVE .. "killed"), "killed"))
    for _, trial in ipairs { 1, 5, 12 } do
      assert.equal(last_state(("whole/trial-%03d"):format(trial)), last_state(("killed/trial-%03d"):format(trial)))
    end
  end)
  it("stops at a signal with all saved, and goes on by the same command", function()
    local _, err, code = support.signalled(folder, "sweep " .. TWELVE .. "stopped", "stopped/trial-002/metrics.jsonl",
      "INT")
    assert.equal(130, code, err)
    assert.matches("rondo: sweep: stopped by SIGINT with %d+ of 12 runs done; what was running has saved, and the same "
      .. "command goes on\n$", err)
    _, err, code = support.signalled(folder, "sweep " .. TWELVE .. "stopped", "stopped/trial-006/metrics.jsonl", "TERM",
      "-")
    assert.equal(75, code, err)
    assert.matches("stopped by SIGTERM", err)
    assert.equal(whole, rows_of(swept(TWELVE .. "stopped"), "stopped"))
  end)
  it("adds trials to those that are there", function()
    local ADDED = "toy.lua --lr loguniform:1e-3:1e-1 --max-steps 10 --json --out more --trials "
    local function without_best(text)
      return (text:gsub('"best":true,', ""))
    end
    local two = without_best(swept(ADDED .. 2))
    assert.equal(two, without_best(swept(ADDED .. 3)):sub(1, #two))
    assert.is_truthy(core.stat(folder .. "/more/trial-003/checkpoints"))
  end)
end)

describe("a folder", function()
  setup(function() swept "toy.lua --lr 0.01,0.02 --out used" end)

  it("refuses another sweep and says what differs", function()
    local _, err, code = sweep "toy.lua --lr 0.01,0.03 --width 5 --out used"
    assert.equal(2, code)
    assert.matches("used: another sweep is here: fixed.width is not given there and 5 here, space.lr.2 is 0.02 there "
      .. "and 0.03 here; give another folder, or overwrite this one", err)
  end)
  it("refuses a script that was changed and names the line", function()
    support.write(folder .. "/toy2.lua", TOY)
    swept "toy2.lua --lr 0.01 --width 4,5 --out used2"
    support.write(folder .. "/toy2.lua", (TOY:gsub("i = 1, 7", "i = 1, 8")))
    local _, err, code = sweep "toy2.lua --lr 0.01 --width 4,5 --out used2"
    assert.equal(2, code)
    assert.matches("toy2.lua is not what it was, from line 8 on", err)
    swept "toy2.lua --lr 0.01 --width 4,5 --out used2 --overwrite"
  end)
  it("is one sweep's at a time", function()
    local lock <close> = assert(core.lock(folder .. "/used/.lock"))
    local _, err, code = sweep "toy.lua --lr 0.01,0.02 --out used"
    assert.equal(2, code)
    assert.matches("used: another process is sweeping here", err)
    assert.is_truthy(lock)
  end)
  it("goes on by its name", function()
    local out = swept "used"
    assert.matches("done", out)
    local _, err, code = sweep "used --trials 3"
    assert.equal(2, code)
    assert.matches("%-%-trials belongs to a new sweep; used has its own", err)
    _, err, code = sweep "used --width 3"
    assert.equal(2, code)
    assert.matches("%-%-width belongs to a new sweep; used has its own options", err)
    assert(core.mkdir(folder .. "/none"))
    _, err, code = sweep "none"
    assert.equal(3, code)
    assert.matches("none: holds no sweep", err)
    assert(core.mkdir(folder .. "/elsewhere"))
    _, err, code = support.rondo(folder .. "/elsewhere", "sweep ../used")
    assert.equal(2, code)
    assert.matches("this sweep was begun in .*; go there first", err)
  end)
end)

describe("a trial that", function()
  it("fails is reported with the end of its log, and tried again", function()
    local out, err, code = sweep "toy.lua --lr 0.01 --trouble choice:,error --out failing"
    assert.equal(5, code)
    assert.matches("trial 2: failed: toy.lua:14: it cannot be done %(trouble error%) %- 1 of 2 done, 1 failed\n"
      .. "  failing/trial%-002/log.txt before that:\n.*    error: toy.lua:14: it cannot be done\n$", err)
    assert.matches("\n2 +error +failed\n", out)
    local _
    _, err, code = sweep "toy.lua --lr 0.01 --trouble choice:,error --out failing --quiet"
    assert.equal(5, code)
    assert.matches("^trial 2: failed: ", err)
  end)
  it("is killed goes on by itself", function()
    local out, err = swept "toy.lua --lr 0.01 --trouble choice:,kill --out oom --json"
    assert.matches("trial 2: ended by signal 9; going on with it\n", err)
    local values = {}
    for line in out:gmatch "[^\n]+" do
      values[#values + 1] = json.decode(line).value
    end
    assert.equal(values[1], values[2])
  end)
  it("another process still trains is waited for", function()
    swept "toy.lua --lr 0.01,0.02 --max-steps 5 --eval-every 5 --out busy"
    os.remove(folder .. "/busy/trial-001/trial.json")
    support.write(folder .. "/hold.sh", "touch held; until grep -q 'waited for' .stderr; do sleep 0.1; done\n")
    assert(os.execute(("cd '%s' && rm .stderr && (timeout 60 flock busy/trial-001/.lock sh hold.sh 2>/dev/null &) && "
      .. "until [ -e held ]; do sleep 0.02; done"):format(folder)))
    local _, err = swept "toy.lua --lr 0.01,0.02 --max-steps 5 --eval-every 5 --out busy"
    assert.matches("^busy/trial%-001: another process is training here; it is waited for\ntrial 1: val_loss ", err)
  end)
  it("diverges has failed for good", function()
    local out, err, code = sweep "toy.lua --lr 0.01 --trouble choice:,nan --out far"
    assert.equal(5, code, err)
    assert.matches("trial 2: diverged at step 13: ", err)
    assert.matches("\n2 +nan +diverged\n", out)
    out, err, code = sweep "toy.lua --lr 0.01 --trouble choice:,nan --out far"
    assert.equal(5, code)
    assert.equal("", err)
    assert.matches("diverged", out)
  end)
  it("cannot begin stops the sweep with what is wrong", function()
    local _, err, code = sweep "toy.lua --lr 0.01,0.02 --widht 3 --out usage"
    assert.equal(2, code)
    assert.matches("rondo: sweep: trial 1 cannot begin: toy.lua: unknown option '%-%-widht' %(did you mean '%-%-width'",
      err)
    _, err, code = sweep "nowhere.lua --lr 0.01,0.02"
    assert.equal(2, code)
    assert.matches("the script cannot be read: nowhere.lua: No such file or directory", err)
  end)
  it("has no such figure says what there are", function()
    local _, err, code = sweep "toy.lua --lr 0.01,0.02 --out figure --monitor val_los"
    assert.equal(5, code)
    assert.matches("failed: it has no figure 'val_los' %(did you mean 'val_loss'%?%)", err)
  end)
end)

describe("options", function()
  it("reach the script as they are", function()
    local note = [[a b'c"d$(e);{}*\]]
    support.write(folder .. "/odd.lua", ([[
      local rondo = require "rondo"
      local sweep = rondo.Sweep { script = "toy.lua", out = "odd out's",
        fixed = { note = %q, shuffle = false, words = { "--x", "y z" }, lr = 1e-2 }, space = { width = { 2, 3 } } }
      assert(sweep:run { quiet = true } == 0)
      print(sweep:best().params.width)]]):format(note))
    local out, err, code = support.rondo(folder, "run odd.lua")
    assert.equal(0, code, err)
    assert.matches("^[23]\n$", out)
    assert.equal(note .. "\n", support.read(folder .. "/odd out's/trial-002/stdout.log"))
    local options = json.decode(support.read(folder .. "/odd out's/trial-001/config.json")).options
    assert.is_false(options.shuffle)
    assert.same({ "--x", "y z" }, options.words)
  end)
  it("of the sweep's names are given by --set", function()
    local _, err, code = sweep "toy.lua --lr 0.01,0.02 --out set --set progress=lines --set note"
    assert.equal(2, code)
    assert.matches("%-%-set must be NAME=VALUES, got 'note'", err)
    swept "toy.lua --lr 0.01,0.02 --out set --set progress=lines"
    assert.equal("lines", json.decode(support.read(folder .. "/set/trial-001/config.json")).options.progress)
  end)
  it("that are wrong are named", function()
    local _, err, code = sweep "toy.lua --lr uniform:2:1"
    assert.equal(2, code)
    assert.matches("sweep: %-%-lr uniform:2:1: sweep.uniform: expected numbers low < high, got 2, 1", err)
    _, err, code = sweep "toy.lua --lr 0.1"
    assert.equal(2, code)
    assert.matches("give an option of the script several values, as %-%-cell lstm,gru", err)
    _, err, code = sweep "toy.lua --lr uniform:0:1"
    assert.equal(2, code)
    assert.matches('^rondo: sweep: search = "random" needs trials', err)
    _, err, code = sweep "toy.lua --lr 0.1,0.2 --trial 3 --out trial"
    assert.equal(2, code)
    assert.matches("%-%-trial must be 1..2, got 3", err)
  end)
end)

describe("seeds", function()
  it("give a mean and a deviation", function()
    local out = swept "toy.lua --lr 0.01,0.02 --seeds 3 --jobs 2 --out seeds --json"
    local row = json.decode(out:match "[^\n]+")
    local values, sum = {}, 0
    for i, run in ipairs(row.runs) do
      values[i], sum = run.value, sum + run.value
      assert.equal(i, run.seed)
    end
    local mean, squares = sum / 3, 0
    for _, value in ipairs(values) do
      squares = squares + (value - mean) ^ 2
    end
    assert.equal(3, row.n)
    assert.is_true(math.abs(row.value - mean) < 1e-12)
    assert.is_true(math.abs(row.spread - math.sqrt(squares / 2)) < 1e-12)
    assert.matches("trial +lr +val_loss +± +seeds +state\n%d +0.0[12] +[%d.]+ +[%d.e-]+ +3 +done\n",
      (swept "toy.lua --lr 0.01,0.02 --seeds 3 --jobs 2 --out seeds"))
  end)
end)

describe("successive halving", function()
  local NINE = "toy.lua --lr loguniform:1e-3:1e-1 --search halving --trials 9 --max-steps 36 --jobs 2 --pause 0.005 "
    .. "--eval-every 4 --json --out "
  local out
  setup(function() out = swept(NINE .. "halved") end)

  it("pauses the worst and lets the best go on", function()
    local states = {}
    for line in out:gmatch "[^\n]+" do
      local row = json.decode(line)
      local key = row.state .. (row.runs[1].step or "")
      states[key] = (states[key] or 0) + 1
    end
    assert.same({ paused4 = 6, paused12 = 2, done36 = 1 }, states)
  end)
  it("ends with the bits of a run that was never paused", function()
    for line in out:gmatch "[^\n]+" do
      local row = json.decode(line)
      if row.state == "done" then
        local _, err, code = support.rondo(folder, ("run toy.lua --lr=%s --max-steps 36 --eval-every 4 --run-dir "
          .. "straight --quiet"):format(row.params.lr))
        assert.equal(0, code, err)
        assert.equal(last_state "straight", last_state(row.runs[1].folder))
        assert.equal(support.read(folder .. "/straight/checkpoints/best.h5"),
          support.read(folder .. "/" .. row.runs[1].folder .. "/checkpoints/best.h5"))
      end
    end
  end)
  it("killed twice ends with the same table", function()
    for _ = 1, 2 do
      sweep(NINE .. "again", ("timeout -s KILL %.2f"):format(0.3 + 0.7 * math.random()))
    end
    assert.equal(rows_of(out, "halved"), rows_of(swept(NINE .. "again"), "again"))
  end)
end)
