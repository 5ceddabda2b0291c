-- race_spec.lua - `rondo race` in parts: widths of equal size, the horizon, figures of several runs, what is refused.
-- SPDX-License-Identifier: MIT
local support = dofile "tests/lua/support.lua"
local core = require "rondo.core"
local rondo = require "rondo"
local run = require "rondo.race.run"
local standings = require "rondo.race.standings"
local tasks = require "rondo.race.tasks"

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

describe("widths of equal size", function()
  local adding = tasks.open(tasks.read "adding:5", {})
  it("are those whose parameters are nearest to the LSTM's", function()
    assert.equal(4 * 32 * (2 + 32 + 1) + 32 + 1, run.count(adding, "lstm", 32))
    assert.equal(32, run.width(adding, "lstm", 4513))
    assert.equal(37, run.width(adding, "gru", 4513))     -- 3 37 (2 + 37 + 1) + 38 = 4478; of 38: 4713
    assert.equal(65, run.width(adding, "vanilla", 4513)) -- 65 (2 + 65 + 1) + 66 = 4486; of 66: 4621
  end)
  it("are so for every cell that is here", function()
    for _, cell in ipairs(rondo.plugins.cells) do
      local wanted = 1000
      local width = run.width(adding, cell, wanted)
      local off = math.abs(run.count(adding, cell, width) - wanted)
      assert.is_true(off <= math.abs(run.count(adding, cell, width + 1) - wanted), cell)
      assert.is_true(width == 1 or off <= math.abs(run.count(adding, cell, width - 1) - wanted), cell)
    end
  end)
  it("count what is trained alone", function()
    local n = 0
    for _, p in ipairs(rondo.Sequential(adding.layers { cell = "lmu", hidden_size = 3 }):parameters()) do
      n = n + (p.requires_grad and 0 or p:numel())
    end
    assert.equal(32 * 32 + 32, n) -- A and B, of order 32, are constants
    assert.equal(1, run.width(adding, "lmu", 1))
  end)
end)

describe("the memory horizon", function()
  -- A net that gives back what came `lag` steps before the last one, or a number.
  local function horizon(lag, T)
    local model = setmetatable({ evaluating = function(_, f, ...) return f(...) end }, { __call = function(_, x)
      return lag and x:select(2, x:size(2) - lag) or x:select(2, 1) * 0 + 3
    end })
    return run.horizon(model, { probe = rondo.data.tasks.Adding { seq_len = T, batch_size = 6, batches = 1 } })
  end
  it("is the longest lag of 1, 2, 3, 4, 6, 8, 11 ... that counts", function()
    assert.equal(6, horizon(6, 20))
    assert.equal(8, horizon(10, 20))
    assert.equal(11, horizon(11, 20))
    assert.equal(64, horizon(70, 80))
  end)
  it("is 0 where nothing before the last step counts, or nothing at all", function()
    assert.equal(0, horizon(0, 20))
    assert.equal(0, horizon(nil, 20))
  end)
end)

describe("a share of time", function()
  local native, now = require "rondo.native", 0.0
  local time, stopped = native.time, nil
  local trainer = { stop = function(_, why) stopped = why end }
  before_each(function()
    native.time, now, stopped = function() return now end, 0.0, nil
  end)
  after_each(function() native.time = time end)
  local function watch(seconds)
    return run.watch({ metric = "loss", solved = 0.1, tokens = 50 }, { seconds = seconds })
  end
  -- A stretch of ten updates of half a second each, and a validation.
  local function stretch(w, step, loss)
    for _ = 1, 10 do
      w:on_step_begin()
      now = now + 0.5
      w:on_step_end()
    end
    now = now + 1.0
    w:on_evaluate_end(trainer, { step = step, val_loss = loss })
  end
  it("ends before a stretch like the last would not fit", function()
    local w = watch(18)
    w:on_fit_begin(trainer)
    stretch(w, 10, 3.0)
    stretch(w, 20, 2.0)
    assert.is_nil(stopped) -- 12 and 6 are 18
    stretch(w, 30, 2.5)
    assert.equal("the time is used up", stopped)
    assert.same({ { 10, 3.0 }, { 20, 2.0 }, { 30, 2.5 } }, w.curve)
    assert.equal(100.0, w.rate) -- 500 tokens in 5 s: validations are no part of it
  end)
  it("goes on after a stop with what had been used", function()
    local w = watch(14)
    w:on_fit_begin(trainer)
    stretch(w, 10, 3.0)
    now = now + 1.5 -- of the next stretch
    local state = w:state()
    now = now + 1000
    w = watch(14)
    w:restore(state)
    w:on_fit_begin(trainer)
    assert.is_nil(stopped)
    stretch(w, 20, 2.0)
    assert.equal(13.5, w.seconds)
    assert.equal("the time is used up", stopped)
    stopped = nil
    state = w:state()
    w = watch(14)
    w:restore(state)
    w:on_fit_begin(trainer)
    assert.equal("the time is used up", stopped) -- a run that was over stays so
  end)
  it("is left where the task is solved, and has no figures that are none", function()
    local w = watch(100)
    w:on_fit_begin(trainer)
    stretch(w, 10, 0 / 0)
    stretch(w, 20, math.huge)
    assert.is_nil(stopped)
    assert.same({}, w.curve)
    stretch(w, 30, 0.05)
    assert.equal("solved", stopped)
  end)
end)

describe("the standings", function()
  local function result(curve, more)
    local r = { hidden_size = 10, parameters = 100, updates = curve[#curve][1], solved = false, tokens_per_s = 1e6,
      curve = curve, horizon = 7, figure = curve[#curve][2] }
    for key, value in pairs(more or {}) do
      r[key] = value
    end
    return r
  end
  local error_task = { folder = "t", form = "%.2f", solved = 0.1, title = "T", naive = 1, naive_says = "nothing",
    published = "none" }
  local by = { a = { result { { 10, 5.0 }, { 20, 1.0 } }, result { { 10, 4.0 }, { 20, 3.0 } } },
    b = { result { { 10, 2.0 } }, result({ { 10, 0.0 } }, { solved = true, tokens_per_s = 2e6 }) } }
  it("have mean and standard deviation, the best cell first", function()
    local rows = standings.rows(error_task, { "a", "b" }, by)
    assert.same({ "b", "a" }, { rows[1].cell, rows[2].cell })
    assert.equal(2.0, rows[2].mean)
    assert.is_true(math.abs(rows[2].sd - math.sqrt(2)) < 1e-12) -- of 1 and 3
    assert.equal(1, rows[1].solved)
    assert.equal(50.0, rows[1].ns_unit) -- 1e9 / (2e6 x 10)
    assert.equal(7.0, rows[1].horizon)
  end)
  it("compare at the updates that all have made", function()
    local rows = standings.rows(error_task, { "a", "b" }, by)
    assert.equal(10, rows[1].equal_updates)
    assert.equal(4.5, rows[2].equal_mean)
    assert.matches("| `a` +|    10 |        100 | 2.00 ± 1.41 | +4.50 ± 0.71 | 0 of 2 |      20 |       7 |",
      (standings.task_text(error_task, rows)))
  end)
  it("put larger figures first where more is better", function()
    local rows = standings.rows({ folder = "t", more = true }, { "a", "b" }, by)
    assert.same({ "a", "b" }, { rows[1].cell, rows[2].cell })
    assert.equal(5.0, rows[1].equal_mean + 0.5) -- the best up to 10: 5 and 4
  end)
  it("say what diverged, and put what has no figure last", function()
    local none = result({ { 10, 9.0 } }, { diverged = "why", curve = {}, horizon = false })
    none.figure, none.horizon = nil, nil
    local rows = standings.rows(error_task, { "a", "c" }, { a = by.a, c = { none } })
    assert.equal("c", rows[2].cell)
    assert.matches("| `c` +|    10 |        100 | none %(1 of 1 diverged%) |", (standings.task_text(error_task, rows)))
  end)
  it("give equal figures the same place", function()
    local rows = standings.rows(error_task, { "c", "a", "b" }, { a = by.a, b = by.b, c = by.a })
    assert.same({ "b", 1, "a", 2, "c", 2 }, { rows[1].cell, rows[1].place, rows[2].cell, rows[2].place, rows[3].cell,
      rows[3].place })
  end)
  it("make one table with a column for each cell, by mean place", function()
    local rows = standings.rows(error_task, { "a", "b" }, by)
    assert.equal([[
| task       |         `b` |         `a` |
| ---------- | ----------: | ----------: |
| t          | 1.00 ± 1.41 | 2.00 ± 1.41 |
| mean place |         1.0 |         2.0 |
]], standings.summary_text({ error_task }, { "a", "b" }, { [error_task] = rows }))
  end)
end)

describe("rondo race refuses", function()
  local function refused(arguments, pattern, code)
    local _, err, status = support.rondo(folder, "race " .. arguments, "RONDO_DATA= XDG_CACHE_HOME=" .. folder)
    assert.matches(pattern, err)
    assert.equal(code or 2, status)
  end
  it("budgets that are none", function()
    for _, text in ipairs { "10", "10days", "0s", "1.5updates", "min" } do
      refused("gru --budget " .. text, "%-%-budget must be a time, as 90s, 10min or 2h, or updates of each run, as "
        .. "2000updates, got '" .. text .. "'")
    end
  end)
  it("tasks and lengths that are none", function()
    refused("gru --tasks ading", "race: there is no task 'ading' %(did you mean 'adding'%?%)")
    refused("gru --tasks xyzzy", "there is no task 'xyzzy'; tasks are adding, copy, parity, jsb, text")
    refused("gru --tasks adding:1", "the length of task 'adding' must be an integer 2..65536, got '1'")
    refused("gru --tasks jsb:5", "task 'jsb' has no length to set")
  end)
  it("tasks without data, by name", function()
    refused("gru --tasks jsb", "task jsb is left out: its data are not here; `rondo data get jsb` brings them\n"
      .. ".*%-%-tasks jsb: there is nothing to race on")
    refused("gru --tasks text --data none.txt", "none.txt.: No such file", 3)
  end)
  it("cells, plugins and scripts that are not there", function()
    refused("gruu", "cell 'gruu' is unknown %(did you mean 'gru'%?%); %-%-plugin FILE loads more")
    refused("gru --plugin none.so", "none.so")
    refused("gru --plugin none.lua", "none.lua")
  end)
  it("a folder in which another race is running", function()
    local lock <close> = core.lock(folder .. "/.lock")
    assert.is_truthy(lock)
    refused("gru --run-dir .", "race: .: another race is running here")
  end)
  it("files without marker lines", function()
    support.write(folder .. "/plain.md", "x\n")
    refused("gru --into plain.md", "%-%-into plain.md: it has no lines 'race: begin' and 'race: end'")
    refused("gru --into none.md", "%-%-into none.md: No such file", 3)
  end)
end)
