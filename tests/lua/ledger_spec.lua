-- ledger_spec.lua - the ledger of runs: what enters it, what can be asked, and what harm is tried.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local json = require "rondo.json"
local support = dofile "tests/lua/support.lua"

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

-- A run folder as a Trainer leaves it.
local function run(name, options, losses, status)
  local path = folder .. "/" .. name
  assert(core.mkdir(path .. "/checkpoints"))
  support.write(path .. "/config.json", json.encode { options = options, version = "0", host = "h", script = "s.lua" })
  support.write(path .. "/status.json", json.encode(status or { state = "done", started = "2026-01-01T00:00:00Z" }))
  local lines = { '{"schema":1}' }
  for i, loss in ipairs(losses) do
    lines[#lines + 1] = ('{"step":%d,"split":"train","loss":%g,"lr":0.5}'):format(i * 10, loss + 1)
    lines[#lines + 1] = ('{"step":%d,"split":"valid","loss":%g,"accuracy":%g}'):format(i * 10, loss, 1 - loss / 10)
  end
  lines[#lines + 1] = ('{"step":%d,"split":"diagnosis","hidden_size":4,"layers":[]}'):format(#losses * 10) -- no figures
  support.write(path .. "/metrics.jsonl", table.concat(lines, "\n") .. "\n")
end

local function runs(arguments, environment)
  return support.rondo(folder, "runs " .. arguments, environment or "RONDO_LEDGER=$PWD/ledger.sqlite")
end

-- Folders that a command lists, in order.
local function listed(arguments)
  local out, err, code = runs(arguments)
  assert.equal(0, code, err)
  local list = {}
  for line in out:gmatch "[^\n]+" do
    list[#list + 1] = line:match "^all/(%S+)"
  end
  return list
end

local HOSTILE = { ["it's"] = 1, ['say "x"'] = 2, ["select"] = 3, ["a; DROP TABLE runs"] = 4, ["nul\0name"] = 5,
  ["<script>"] = "</script><script>alert(1)</script>", ["two words"] = 7, ["esc\27[31m"] = 8, long = ("x"):rep(100000),
  text = "a\0b\27[31m'); DROP TABLE facts; --", list = { "a=1", "b" } }

setup(function()
  run("all/a", { cell = "gru", hidden_size = 8, lr = 0.01 }, { 1.9, 1.5, 1.7 })
  run("all/b", { cell = "lstm", hidden_size = 64, lr = 0.02 }, { 1.4 })
  run("all/c", { cell = "gru", tied = true, other_option = "x" }, { 1.2 })
  run("all/sub/hostile", HOSTILE, { 3 })
  run("all/killed", { cell = "mgu" }, { 2.5 }, { state = "running" })
  local _, err, code = runs "--rescan all --limit 1"
  assert.equal(0, code, err)
  assert.matches("runs: 5 runs below all\n", err)
end)

describe("rondo runs", function()
  it("answers a condition, in an order", function()
    assert.same({ "c", "a" }, listed [[--where "cell = 'gru' and val_loss < 1.6" --sort val_loss]])
    assert.same({ "killed", "a", "b", "c" }, listed [[--where "cell is not null" --sort val_loss --descending]])
    assert.same({ "c" }, listed [[--sort val_loss --limit 1]])
  end)
  it("has the figures of the best validation, and the last of others", function()
    local out = runs [[--where "folder like '%/all/a'" --json]]
    local facts = assert(json.decode(out))
    assert.same({ val_loss = 1.5, val_accuracy = 0.85, loss = 2.7 }, facts.figures)
    assert.same({ cell = "gru", hidden_size = 8, lr = 0.01 }, facts.options)
    assert.same({ 30, "done", "h", "s.lua" }, { facts.step, facts.state, facts.host, facts.script })
  end)
  it("shows the columns of the condition and those asked for", function()
    local out = runs [[--where "hidden_size > 4" --sort lr --show cell]]
    assert.matches("^folder +state +step +val_loss +hidden_size +lr +cell\nall/a +done +30 +1.5 +8 +0.01 +gru\n", out)
  end)
  it("sorts runs without a figure last", function()
    assert.equal("c", listed("--where \"cell = 'gru'\" --sort hidden_size")[2])
  end)
  it("knows options that are true and false", function()
    assert.same({ "c" }, listed "--where tied")
  end)
  it("sees that a run was killed", function()
    assert.same({ "killed" }, listed [[--where "state = 'killed'"]])
  end)
  it("names the nearest column", function()
    local _, err, code = runs [[--where "hiden_size > 4"]]
    assert.equal(2, code)
    assert.matches("there is no column 'hiden_size' %(did you mean 'hidden_size'%?%)", err)
    _, err, code = runs "--sort valloss"
    assert.equal(2, code)
    assert.matches("no column 'valloss' %(did you mean 'val_loss'%?%)", err)
    _, err, code = runs "--show nothing_like_it"
    assert.equal(2, code)
    assert.matches("no column 'nothing_like_it'; there are ", err)
  end)
end)

describe("a condition can do no harm:", function()
  for what, where in pairs {
    ["a second statement"] = "1; DROP TABLE runs", ["a bracket closed"] = "1) ; DROP TABLE runs --",
    ["an attached file"] = "1); ATTACH 'x.db' AS x --", ["an extension"] = "load_extension('x')",
    ["a pragma"] = "(SELECT 1 FROM pragma_table_info('runs'))", ["the schema"] = "(SELECT sql FROM sqlite_master)",
    ["a file"] = "readfile('/etc/passwd') IS NULL", ["much memory"] = "length(randomblob(999999999))",
    ["a loop"] = "(WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c)",
    ["nothing"] = "", ["too much"] = ("1 + "):rep(3000) .. "1",
  } do
    it(what, function()
      local _, err, code = runs(("--where \"%s\""):format(where))
      assert.equal(2, code, err)
      assert.matches("^rondo: runs: %-%-where: [^\n]+\n$", err)
      assert.equal(5, #listed "")
      assert.is_nil(core.stat(folder .. "/x.db"))
    end)
  end
  it("one that takes for ever", function()
    local from = {}
    for i = 1, 30 do
      from[i] = "facts f" .. i
    end
    local _, err, code = runs(("--where \"(SELECT count(*) FROM %s) > 1\""):format(table.concat(from, ",")))
    assert.equal(2, code)
    assert.matches("it takes too long", err)
  end)
end)

describe("an option's name and value", function()
  it("may hold anything and be asked for", function()
    for condition, n in pairs { [ [["it''s" = 1]] ] = 0, [ [[\"it's\" = 1]] ] = 1, [ [[\"say \"\"x\"\"\" = 2]] ] = 1,
      [ [[\"select\" = 3]] ] = 1, [ [[\"a; DROP TABLE runs\" = 4]] ] = 1, [ [[\"two words\" = 7]] ] = 1,
      [ [[\"<script>\" like '</script>%']] ] = 1, [ [[length(long) = 65536]] ] = 1,
      [ [[list = '[\"a=1\",\"b\"]']] ] = 1, [ [[\"option.text\" is not null]] ] = 1 } do
      local out, err, code = runs(('--where "%s" --json'):format(condition))
      assert.equal(n == 0 and 2 or 0, code, err)
      assert.equal(n, select(2, out:gsub("\n", "\n")), condition)
    end
    assert.equal(5, #listed "")
  end)
  it("comes back as it was", function()
    local facts = assert(json.decode((runs [[--where "long is not null" --json]])))
    assert.equal("a\0b\27[31m'); DROP TABLE facts; --", facts.options.text)
    assert.equal(5, facts.options["nul\0name"])
  end)
  it("cannot draw on the terminal", function()
    local out = runs "--where \"long is not null\" --show text"
    assert.matches("a%?b%?%[31m'%); DROP TABLE facts; %-%-", out)
    assert.is_nil(out:find "\27")
    local _, err, code = runs "--where \"no_such = 1\""
    assert.equal(2, code)
    assert.matches("esc%?%[31m", err)
    assert.is_nil(err:find "\27")
  end)
end)

describe("the ledger", function()
  it("is made again from the run folders, and forgets what is gone", function()
    local _, err = runs("--rescan all", "RONDO_LEDGER=$PWD/again.sqlite")
    assert.matches("5 runs below all\n", err)
    support.remove(folder .. "/all/killed")
    _, err = runs("--rescan all", "RONDO_LEDGER=$PWD/again.sqlite")
    assert.matches("4 runs below all, 1 forgotten", err)
    run("all/killed", { cell = "mgu" }, { 2.5 }, { state = "running" })
  end)
  it("has a place of its own, or none", function()
    local _, err, code = runs("", "XDG_STATE_HOME=$PWD/state RONDO_LEDGER=")
    assert.equal(3, code)
    assert.matches("state/rondo/ledger.sqlite: no run has been entered yet", err)
    _, err, code = runs("", "RONDO_LEDGER=off")
    assert.equal(2, code)
    assert.matches("there is no ledger here %(RONDO_LEDGER is off", err)
  end)
  it("says what is wrong with it", function()
    support.write(folder .. "/broken.sqlite", ("no database "):rep(100))
    local _, err, code = runs("", "RONDO_LEDGER=$PWD/broken.sqlite")
    assert.equal(3, code)
    assert.matches("broken.sqlite: file is not a database; move it away, and `rondo runs %-%-rescan FOLDER`", err)
    _, err, code = runs("--rescan nowhere")
    assert.equal(3, code)
    assert.matches("%-%-rescan nowhere: nowhere: there is no such folder", err)
  end)
  it("plays the journal of a killed writer back", function()
    support.write(folder .. "/w.lua", [[
      local db = require("rondo.sqlite").open("ledger.sqlite", "write", 0)
      db:exec "PRAGMA cache_size = 1"
      db:exec "BEGIN IMMEDIATE"
      db:exec "UPDATE facts SET value = value || hex(zeroblob(5000))"
      os.execute "cp ledger.sqlite killed.sqlite; cp ledger.sqlite-journal killed.sqlite-journal"
      db:exec "ROLLBACK"]])
    support.rondo(folder, "run w.lua")
    assert.is_truthy(core.stat(folder .. "/killed.sqlite-journal"))
    local out, err, code = runs([[--where "cell = 'lstm'" --show cell]], "RONDO_LEDGER=$PWD/killed.sqlite")
    assert.equal(0, code, err)
    assert.matches("all/b +done +10 +1.4 +lstm\n$", out)
  end)
end)

describe("a training", function()
  local TOY = [[
    local rondo = require "rondo"
    local opt = rondo.args { "toy", lr = 1e-2, width = 3, end_by = "" }
    local data = {}
    for i = 1, 4 do data[i] = { rondo.randn(2, 3), rondo.zeros(2, 1) } end
    local trainer = rondo.Trainer { options = opt, loss = rondo.MSELoss(), optimizer = rondo.optim.SGD { lr = opt.lr },
      model = rondo.Sequential { rondo.Linear { 3, opt.width }, rondo.Linear { opt.width, 1 } }, epochs = 2 }
    trainer:on("epoch_end", function() if opt.end_by ~= "" then error(opt.end_by) end end)
    trainer:fit(data, data)]]
  local function toy(options, environment)
    support.write(folder .. "/toy.lua", TOY)
    return support.rondo(folder, "run toy.lua --quiet " .. options, environment or "RONDO_LEDGER=$PWD/ledger.sqlite")
  end

  it("enters its run", function()
    local _, err, code = toy "--run-dir t/a --width 5"
    assert.equal(0, code, err)
    local facts = assert(json.decode((runs [[--where "folder like '%/t/a'" --json]])))
    assert.same({ "done", 8, "toy.lua", 5 }, { facts.state, facts.step, facts.script, facts.options.width })
    assert.is_number(facts.figures.val_loss)
    assert.matches("^%d%d%d%d%-%d%d%-%d%dT", facts.ended)
  end)
  it("enters how it ended", function()
    toy "--run-dir t/b --end-by trouble"
    toy "--run-dir t/c --lr 1e6"
    toy "--run-dir t/d --pause-at 3"
    local states = {}
    for line in runs([[--where "folder like '%/t/_'" --json]]):gmatch "[^\n]+" do
      local facts = json.decode(line)
      states[facts.folder:match "%w$"] = facts.state
    end
    assert.same({ a = "done", b = "failed", c = "diverged", d = "stopped" }, states)
  end)
  it("goes on without a ledger that cannot be written", function()
    for _, path in ipairs { "$PWD/broken.sqlite", "/proc/none/x.sqlite" } do
      local _, err, code = toy("--run-dir t/w --overwrite", "RONDO_LEDGER=" .. path)
      assert.equal(0, code, err)
      assert.matches("note: the ledger of runs, [^\n]* cannot be written %([^\n]+%); the run goes on", err)
      assert.equal(1, select(2, err:gsub("the ledger", "")))
    end
  end)
  it("does not wait long for one that another holds", function()
    support.write(folder .. "/hold.lua", [[
      local db = require("rondo.sqlite").open("ledger.sqlite", "write", 0)
      db:exec "BEGIN IMMEDIATE"
      os.execute "RONDO_LEDGER=$PWD/ledger.sqlite rondo run toy.lua --quiet --run-dir t/x"
      db:exec "ROLLBACK"]])
    local started = core.time()
    local _, err, code = support.rondo(folder, "run hold.lua")
    assert.equal(0, code, err)
    assert.matches("cannot be written %(database is locked%)", err)
    assert.is_true(core.time() - started < 30)
  end)
  it("is entered by many at once", function()
    support.write(folder .. "/toy.lua", TOY)
    assert(os.execute(("cd '%s' && for i in 1 2 3 4 5 6 7 8; do RONDO_LEDGER=$PWD/many.sqlite rondo run toy.lua "
      .. "--quiet --run-dir many/$i & done; wait"):format(folder)))
    local out = runs("--json", "RONDO_LEDGER=$PWD/many.sqlite")
    assert.equal(8, select(2, out:gsub('"state":"done"', "")))
  end)
end)
