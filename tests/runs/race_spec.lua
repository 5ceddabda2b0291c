-- race_spec.lua - whole races, of seconds: stopped, killed, added to; cells of Lua, of equations; time as a budget.
-- SPDX-License-Identifier: MIT
local json = require "rondo.json"
local support = dofile "tests/lua/support.lua"

local CELLS = "me.leaky me.equations gru --plugin leaky.lua "
local SMALL = "--tasks adding:8,parity:5 --budget 120updates --seeds 2 --threads 1 "

local folder
setup(function()
  folder = support.folder()
  support.write(folder .. "/leaky.lua", [[
    local rondo = require "rondo"
    rondo.cell { name = "me.leaky", state = { "h" },
      params = function(c)
        local n = c.hidden_size
        return { a_x = { n, c.input_size }, a_h = { n, n }, a_b = { n } }
      end,
      step = function(p, x, s)
        local a = rondo.linear(x, p.a_x, p.a_b) + rondo.linear(s.h, p.a_h)
        return { h = s.h + (a:tanh() - s.h) * 0.25 }
      end }
    rondo.cell { name = "me.equations", equations = { h = "0.75 * h + 0.25 * tanh(W_a x + U_a h + b_a)" } }]])
end)
teardown(function() support.remove(folder) end)

local function race(arguments, before)
  return support.rondo(folder, "race " .. arguments, before)
end

-- JSON lines of a race: those of the runs, those of the standings.
local function lines_of(out)
  local runs, rows = {}, {}
  for line in out:gmatch "[^\n]+" do
    local facts = assert(json.decode(line))
    table.insert(facts.seed and runs or rows, facts)
  end
  return runs, rows
end

-- Without what a clock says.
local function timeless(out)
  for _, name in ipairs { "seconds", "tokens_per_s", "ns_unit" } do
    out = out:gsub('"' .. name .. '":[%d.e+-]+,?', "")
  end
  return (out:gsub(",}", "}"))
end

-- Starts a race, and sends it a signal as soon as a checkpoint lies in a run's folder.
local function stopped(arguments, signal, run)
  local path = support.write(folder .. "/stop.sh", ([[
    cd '%s'
    env --default-signal=INT rondo race %s 2>.err >.out </dev/null &
    for _ in $(seq 1000); do
      if ls %s/checkpoints/step-* >.ls 2>&1; then break; fi
      sleep 0.01
    done
    kill -%s $!
    wait $!
  ]]):format(folder, arguments, run, signal))
  local _, _, code = os.execute(("bash '%s' 2>'%s/.said'"):format(path, folder))
  return code, support.read(folder .. "/.err")
end

describe("a race", function()
  local whole
  it("puts cells of a script beside others, of equal size", function()
    local out, err, code = race(CELLS .. SMALL .. "--run-dir whole")
    assert.equal(0, code, err)
    assert.matches("race: 12 of 12: parity%-5, gru, seed 2: 0%.%d+ after 120 updates, %d+ s\n$", err)
    assert.matches("\nadding, T = 8: mean squared error; always 1: 0%.16667%. Published: .-%(Bai et al", "\n" .. out)
    assert.matches("| `me%.leaky` +|    65 |       4486 |", out)
    assert.matches("| `me%.equations` +|    65 |       4486 |", out)
    assert.matches("| `gru` +|    37 |       4478 | 0%.%d+ ± 0%.%d+ | %d of 2 |     120 |", out)
    assert.matches("\n| mean place | +%d%.%d | +%d%.%d | +%d%.%d |\n", out)
    assert.matches("\n2 seeds from 1, equal parameters, at most 120 updates a run; .*, 1 thread, kernels `%w+`:\n"
      .. "`rondo race me%.leaky me%.equations gru %-%-plugin leaky%.lua %-%-tasks", out)
  end)
  it("makes no run twice, and gives JSON lines", function()
    local err, code
    whole, err, code = race(CELLS .. SMALL .. "--run-dir whole --json")
    assert.equal(0, code, err)
    local runs, rows = lines_of(whole)
    assert.same({ 12, 6 }, { #runs, #rows })
    local r = runs[1]
    assert.same({ "adding-8", 1, 120, 4486 }, { r.task, r.seed, r.updates, r.parameters })
    assert.same({ 100, 120 }, { r.curve[1][1], r.curve[2][1] })
    assert.equal(math.min(r.curve[1][2], r.curve[2][2]), r.figure)
    assert.is_true(r.seconds > 0 and r.tokens_per_s > 0 and r.ns_unit > 0 and r.horizon <= 8)
    assert.same({ "adding-8", 1, 2, 120 }, { rows[1].task, rows[1].place, rows[1].seeds, rows[1].updates })
    assert.is_true(rows[1].mean <= rows[2].mean and rows[4].mean >= rows[5].mean) -- parity: more is better
  end)
  it("that was killed ends with the same figures by the same command", function()
    local command = CELLS .. SMALL .. "--run-dir killed --json"
    for _, run in ipairs { "killed/adding-8/me.leaky/1", "killed/parity-5/gru/1" } do
      assert.equal(128 + 9, (stopped(command, "KILL", run)))
    end
    local out, err, code = race(command)
    assert.equal(0, code, err)
    assert.equal(timeless(whole), timeless(out))
  end)
  it("that is stopped by a signal ends with 130, or 75, and says how to go on", function()
    local command = "vanilla gru --tasks adding:100 --budget 3000updates --seeds 1 --threads 1 --run-dir "
    for signal, expected in pairs { INT = 130, TERM = 75 } do
      local code, err = stopped(command .. signal, signal, signal .. "/adding-100/vanilla/1")
      assert.matches("race: stopped at run 1 of 2 %(adding%-100, vanilla, seed 1%); the same command goes on\n$", err)
      assert.equal(expected, code)
    end
  end)
  it("is not mixed with one of another budget, and starts anew if told", function()
    local command = CELLS .. "--tasks adding:8 --seeds 1 --threads 1 --run-dir whole --budget 100updates "
    local _, err, code = race(command)
    assert.equal(2, code)
    assert.matches("whole: a race with %-%-budget 120updates is here; give the same, another %-%-run%-dir, or "
      .. "%-%-overwrite", err)
    local out
    out, err, code = race(command .. "--overwrite --json")
    assert.equal(0, code, err)
    assert.equal(100, lines_of(out)[1].updates)
  end)
end)

describe("the order of the literature", function()
  it("is there: a GRU adds over 200 steps, vanilla does not (Bai et al. 2018, table 1)", function()
    local out, err, code = race("vanilla gru --tasks adding --seeds 1 --budget 800updates --threads 1 --run-dir adding "
      .. "--json")
    assert.equal(0, code, err)
    local _, rows = lines_of(out)
    assert.same({ "gru", 1, "vanilla", 0 }, { rows[1].cell, rows[1].solved, rows[2].cell, rows[2].solved })
    assert.is_true(rows[1].horizon > 100 and rows[1].mean < 0.001)
    assert.is_true(rows[2].mean > 0.1) -- 1/6 is nothing learnt
  end)
end)

describe("a budget of time", function()
  it("is shared equally, and cells that come later get the same", function()
    local command = "--tasks adding:20 --seeds 1 --threads 1 --run-dir time --budget 3s --quiet "
    local out, err, code = race("gru vanilla mgu " .. command)
    assert.equal("", err)
    assert.equal(0, code)
    assert.matches("3s in all, at most 1 s a run;", out)
    out = race("gru vanilla mgu sru " .. command .. "--json")
    local runs = lines_of(out)
    assert.equal(4, #runs)
    for _, r in ipairs(runs) do
      assert.equal(r.updates, r.curve[#r.curve][1]) -- it ends at a validation
    end
    assert.equal(1.0, json.decode(support.read(folder .. "/time/race.json")).share)
  end)
end)

describe("--into", function()
  it("puts the tables between the marker lines of a file", function()
    support.write(folder .. "/t.md", "above\n<!-- race: begin, x -->\nold\n<!-- race: end -->\nbelow\n")
    local out, err, code = race("vanilla gru --tasks adding:4 --seeds 1 --budget 1updates --match width --threads 1 "
      .. "--run-dir into --into t.md")
    assert.equal(0, code, err)
    assert.matches("equal width", out)
    assert.matches("| `gru` +|    32 |", out)
    assert.equal("above\n<!-- race: begin, x -->\n\n" .. out .. "\n<!-- race: end -->\nbelow\n",
      support.read(folder .. "/t.md"))
  end)
end)

describe("the text task", function()
  it("reads a file, by characters", function()
    support.write(folder .. "/t.txt", support.sentences(2000))
    local out, err, code = race("vanilla gru --tasks text --data t.txt --seeds 1 --budget 110updates --threads 1 "
      .. "--run-dir text --json")
    assert.equal(0, code, err)
    local runs = lines_of(out)
    assert.is_true(runs[1].figure < 3)
    assert.same({ "text", 110, false }, { runs[1].task, runs[1].updates, runs[1].solved }) -- nothing solves it
  end)
end)

describe("the chorales", function()
  it("are read where they are", function()
    local data = os.getenv "RONDO_DATA"
    if not data or not io.open(data .. "/music/jsb.train.txt") then
      pending "RONDO_DATA names no folder with jsb"
      return
    end
    local out, err, code = race("vanilla gru --tasks jsb --seeds 1 --budget 3updates --threads 1 --run-dir jsb --json")
    assert.equal(0, code, err)
    assert.is_true(lines_of(out)[1].figure < 62) -- 88 ln 2: every key as likely as not
  end)
end)
