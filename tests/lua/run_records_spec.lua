-- run_records_spec.lua - what is read of metrics.jsonl, also while it is written, and rondo plot.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local json = require "rondo.json"
local records = require "rondo.run_records"
local support = dofile "tests/lua/support.lua"

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local HEAD = '{"program":"rondo","schema":1,"version":"0.1.0"}\n'
local function run(name, lines, head)
  assert(core.mkdir(folder .. "/" .. name))
  support.write(folder .. "/" .. name .. "/metrics.jsonl", (head or HEAD) .. lines)
  return folder .. "/" .. name
end
local function line(step, split, loss)
  return ('{"t":%d.5,"step":%d,"epoch":%d.0,"split":"%s","loss":%.17g}\n'):format(step, step, step // 2, split, loss)
end

describe("metrics.jsonl", function()
  it("is read up to its last whole line, and on from there", function()
    local path = run("torn", line(1, "train", 3.5) .. line(2, "train", 3.25):sub(1, 20))
    local log = assert(records.open(path))
    assert.same({ { t = 1.5, step = 1, epoch = 0.0, split = "train", loss = 3.5 } }, log.list)
    local file <close> = io.open(path .. "/metrics.jsonl", "a")
    file:write(line(2, "train", 3.25):sub(21))
    file:flush()
    assert.equal(1, log:read())
    assert.equal(3.25, log.list[2].loss)
    assert.equal(0, log:read())
  end)
  it("is read anew where a resumed run has cut it, shorter or longer than before", function()
    local path = run("cut", line(1, "train", 3) .. line(2, "train", 2) .. line(3, "train", 1))
    local log = assert(records.open(path))
    support.write(path .. "/metrics.jsonl", HEAD .. line(1, "train", 3))
    log:read()
    assert.equal(1, #log.list)
    support.write(path .. "/metrics.jsonl", HEAD .. line(1, "train", 3) .. line(2, "train", 2))
    log:read()
    support.write(path .. "/metrics.jsonl", HEAD .. line(1, "train", 3) .. line(1, "valid", 5) .. line(2, "train", 7))
    log:read()
    assert.same({ 3, 5, 7 }, { log.list[1].loss, log.list[2].loss, log.list[3].loss })
  end)
  it("is read the fast way as a parser reads it", function()
    for _, record in ipairs { { step = 1, loss = 0.1, note = "a:b,c{}" }, { step = 2, loss = 1e-300, final = true },
      { step = 3, split = "log", name = 'quo"te\\' }, { step = 4, list = { 1, 2, 3 } }, { step = 5, text = "" },
      { step = 6, inner = { loss = 3 } }, { step = 7, split = "sample", text = "a\nb" }, { step = -8, off = false } } do
      local path = run("fast", json.encode(record) .. "\n")
      assert.same(json.decode(json.encode(record)), assert(records.open(path)).list[1])
    end
    local log = records.open(run("nan", '{"step":1,"loss":"nan","lr":"inf"}\nnot json\n{"step":\n'))
    assert.equal(0, #records.open(run("odd", '{"step":"x","loss":1}\n{"step":"nan"}\n{"step":{}}\n')).list)
    assert.is_true(log.list[1].loss ~= log.list[1].loss and log.list[1].lr == math.huge and #log.list == 1)
  end)
  it("gives curves: training as loss, validation as val_loss, figures of the script by their names", function()
    local log = records.open(run("curves", line(2, "train", 3) .. line(2, "valid", 4) .. line(4, "train", 1)
      .. '{"step":4,"split":"log","speed":7,"word":"x"}\n{"step":4,"split":"diagnosis","loss":9}\n'))
    assert.same({ "loss", "speed", "val_loss" }, records.figures { log })
    assert.same({ { 2, 4 }, { 3, 1 } }, { records.curve(log, "loss") })
    assert.same({ { 1.0 }, { 4 } }, { records.curve(log, "val_loss", "epoch") })
    assert.same({ { 4 }, { 7 } }, { records.curve(log, "speed") })
    assert.same({ {}, {} }, { records.curve(log, "step") })
  end)
  it("is smoothed with a mean corrected for its beginning", function()
    -- by hand, a = 0.5: 4/2 / (1/2); (2/2 + 4/4) / (3/4); (1/2 + 2/4 + 4/8) / (7/8)
    local got = records.smoothed({ 4, 2, 1 }, 0.5)
    for i, expected in ipairs { 4, 8 / 3, 12 / 7 } do
      assert.is_true(math.abs(got[i] - expected) < 1e-12)
    end
    assert.same({ 4, 2, 1 }, records.smoothed({ 4, 2, 1 }, 0))
  end)
  it("of a folder of runs is that of each, named by what differs", function()
    run("sweep/trial-02/x", line(1, "train", 1))
    local one, two = run("sweep/trial-01", line(1, "train", 1)), run("sweep/trial-02", line(1, "train", 2))
    local logs = assert(records.open_all { folder .. "/sweep", one })
    assert.same({ one, two }, { logs[1].folder, logs[2].folder })
    assert.same({ "trial-01", "trial-02", 2 }, { logs[1].name, logs[2].name, #logs })
  end)
end)

describe("rondo plot", function()
  local have = core.run { "gnuplot", "--version" }
  local function with_gnuplot(name, f)
    it(name, have and f or function() pending "gnuplot is not installed" end)
  end
  local function plot(arguments) return support.rondo(folder, "plot " .. arguments) end
  local function two_runs()
    run("a", line(1, "train", 4) .. line(2, "train", 2) .. line(2, "valid", 3))
    run("b_2", line(1, "train", 5) .. line(2, "train", 4) .. line(3, "train", 3):sub(1, 9))
  end
  with_gnuplot("draws runs into a file, a panel for each kind of figure", function()
    two_runs()
    local out, err, code = plot "a b_2 -o x.svg --log-x --log-y --smooth 0.5 --metric loss,epoch_x"
    assert.same({ "", 2 }, { out, code })
    assert.equal("rondo: no run has a figure 'epoch_x'; there is loss, val_loss\n", err)
    out, err, code = plot "a b_2 -o x.svg --log-x --log-y --smooth 0.5 --over time"
    assert.same({ "", "", 0 }, { out, err, code })
    local svg = support.read(folder .. "/x.svg")
    for _, name in ipairs { "a loss", "a val_loss", "b_2 loss", "seconds" } do
      assert.truthy(svg:find(">" .. name .. "<", 1, true), name)
    end
  end)
  with_gnuplot("draws in the terminal", function()
    two_runs()
    local out, err, code = plot "a"
    assert.same({ "", 0 }, { err, code })
    assert.matches("%*%*%*loss", out)
    assert.matches("\n +step\n", out)
    for text in out:gmatch "[^\n]+" do
      assert.is_true(utf8.len(text) <= 79)
    end
  end)
  it("says what is no run, and what has no figures yet", function()
    assert.equal("rondo: none: there is no such run folder\n", (select(2, plot "none")))
    support.write(folder .. "/file", "")
    assert.equal("rondo: file: is a file, not a run folder\n", (select(2, plot "file")))
    assert(core.mkdir(folder .. "/empty"))
    local _, err, code = plot "empty"
    assert.matches("^rondo: empty: has no metrics %(.*%); is it a run folder%?\n$", err)
    assert.equal(3, code)
    run("young", "")
    assert.equal("rondo: young: no figures yet; the first come after --log-every updates\n", (select(2, plot "young")))
    two_runs()
    assert.equal("rondo: no run has a figure 'los' (did you mean 'loss'?)\n", (select(2, plot "a --metric los")))
    assert.equal("rondo: x.pdf: a picture's name ends in .svg or .png\n", (select(2, plot "a -o x.pdf")))
    assert.matches("%-%-smooth must be a number 0..0.9999, got '1'", (select(2, plot "a --smooth 1")))
  end)
end)
