-- watch_spec.lua - rondo watch: what the screen shows, at any size, and that the terminal is as it was afterwards.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local dots = require "rondo.plot.dots"
local json = require "rondo.json"
local records = require "rondo.run_records"
local support = dofile "tests/lua/support.lua"
local watch = require "rondo.watch"

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local function run(name, n, more, log, state)
  local path = folder .. "/" .. name
  assert(core.mkdir(path))
  local lines = { '{"schema":1}' }
  for step = 1, n do
    lines[#lines + 1] = json.encode { t = step / 2, step = step, epoch = step / 10, split = step % 5 == 0 and "valid"
      or "train", loss = 8 / step, lr = step % 5 > 0 and 0.01 or nil }
  end
  lines[#lines + 1] = more
  support.write(path .. "/metrics.jsonl", table.concat(lines, "\n") .. "\n")
  support.write(path .. "/config.json", json.encode { trainer = { epochs = 3 } })
  support.write(path .. "/status.json", json.encode { state = state or "running" })
  support.write(path .. "/log.txt", log or "2026-01-01T00:00:00Z epoch 1/3 - step 10\n")
  return path
end
local function open(...) return assert(records.open_all { ... }) end
local function width_of(line) return utf8.len((line:gsub("\27%[[%d;]*m", ""))) end

describe("curves in characters", function()
  it("have eight dots a character, labels and axes", function()
    local lines = dots.lines { lines = { { xs = { 0, 1 }, ys = { 0, 3 } } }, width = 19, height = 4, label = "x" }
    -- by hand: 8 x 2 characters are 16 x 8 dots; the line goes from the lowest on the left to the highest on the right
    assert.same({ "         3|    ⣀⠤⠒⠉", "       1.5|⣀⠤⠒⠉", "          +--------", "           0    1 x" },
      { lines[1], (lines[2]:gsub("^ +0|", "       1.5|")), lines[3], lines[4] })
  end)
  it("are stars where the terminal has no UTF-8, coloured where it has colour", function()
    local picture = { lines = { { xs = { 0, 1 }, ys = { 0, 3 } } }, width = 19, height = 4 }
    assert.matches("%*%*%*%*$", dots.lines(picture, true)[1])
    assert.matches("|    \27%[34m%*%*%*%*\27%[0m$", dots.lines(picture, true, true)[1])
  end)
  it("have gaps where a value is none, and a logarithmic axis", function()
    local lines = dots.lines({ lines = { { xs = { 1, 2, 3, 4, 5 }, ys = { 1, 10, 0 / 0, 0, 100 } } }, width = 30,
      height = 8, log = true }, true)
    assert.matches("^ +100|", lines[1])
    assert.matches("^ +10|", lines[4])
    assert.same({ "          | no figures yet" },
      dots.lines { lines = { { xs = {}, ys = {} } }, width = 30, height = 8 })
  end)
end)

describe("the screen of rondo watch", function()
  it("says how far a run is, its figures, and draws its curves", function()
    local screen = watch.screen(open(run("a", 20)), { width = 79, height = 24 })
    local text = table.concat(screen, "\n")
    assert.matches("/a  training\n", text)
    assert.matches("\n%[#+%-+%]  step 20/30  epoch 2.00/3  0:10  0:05 left\n", text)
    assert.matches("\nbest val_loss 0.4000 at step 20  loss 0.4211  val_loss 0.4  lr 0.01\n", text)
    assert.matches("\nloss, val_loss by step\n", text)
    assert.matches("\nepoch 1/3 %- step 10$", text)
  end)
  it("fits any size", function()
    local long = ("x"):rep(300)
    local logs = open(run("b" .. long:sub(1, 100), 20, nil, "2026-01-01T00:00:00Z " .. long .. "\n"))
    for _, size in ipairs { { 20, 4 }, { 30, 10 }, { 79, 24 }, { 200, 60 } } do
      for _, set in ipairs { logs, open(run("c", 9), run("d", 12)) } do
        local screen = watch.screen(set, { width = size[1], height = size[2], color = true })
        assert.is_true(#screen <= size[2])
        for i = 2, #screen do
          assert.is_true(width_of(screen[i]) <= size[1], screen[i])
        end
      end
    end
  end)
  it("draws the newest diagnosis: gradient by lag", function()
    local layers = { { name = "1.layer1", lags = { 0, 1, 2, 4 }, by_lag = { 1, 0.1, 0.01, 0.0001 } } }
    local path = run("e", 20, json.encode { step = 20, split = "diagnosis", layers = layers })
    local text = table.concat(watch.screen(open(path), { width = 79, height = 30 }), "\n")
    assert.matches("\n1.layer1: gradient by lag at step 20\n +1|", text)
    assert.matches("\n +0.0001|", text)
  end)
  it("shows the runs of a folder, those that are being trained first", function()
    run("sweep/one", 20, nil, nil, "done")
    run("sweep/two", 10)
    local screen = watch.screen(open(folder .. "/sweep"), { width = 79, height = 24 })
    assert.equal("2 runs: 1 done, 1 training", screen[1])
    assert.matches("^two +training +val_loss 0.8000 +step 10/30", screen[2])
    assert.matches("^one +done +val_loss 0.4000 +step 20/30", screen[3])
    assert.equal("val_loss by step", screen[4])
  end)
  it("takes no control character from a name or a message", function()
    local path = run("evil\27[2J", 5, json.encode { step = 5, split = "log", ["x\27]0;t\7"] = 1 },
      "2026-01-01T00:00:00Z \27[31mred\u{9b}31m\n")
    local text = table.concat(watch.screen(open(path), { width = 79, height = 24 }), "\n")
    assert.is_nil(text:find "[\27\7]")
    assert.matches("red%?31m", text) -- a control character of two bytes
    assert.is_nil((watch.line { step = 5, split = "log\27", ["x\27]0;t\7"] = 1 }):find "[\27\7]")
  end)
end)

describe("rondo watch", function()
  local python = core.run { "python3", "--version" }
  -- Types `keys` at `rondo watch ARGUMENTS` on a terminal: what it showed, and the status.
  local function typed(arguments, keys)
    support.write(folder .. "/keys", keys)
    local pipe = io.popen(("cd '%s' && LANG=C.UTF-8 python3 '%s/tests/support/pty_run.py' sh -c 'trap : INT; "
      .. "rondo watch %s; s=$?; stty -a; exit $s' <keys 2>&1"):format(folder, support.sources(), arguments))
    local text = pipe:read "a"
    local _, _, code = pipe:close()
    return text, code
  end
  local function with_python(name, f)
    it(name, python and f or function() pending "python3 is not installed" end)
  end
  with_python("draws, follows the size of the terminal, ends with q and leaves the terminal as it was", function()
    run("live", 20)
    local shown, code = typed("live --interval 0.1",
      "expect does not know\nresize 40 120\nexpect \\x1b[40;1Hq\nsend q\n")
    assert.equal(0, code, shown)
    assert.matches("\27%[%?1049h\27%[%?25l", shown)
    assert.matches("\27%[%?25h\27%[%?1049l", shown)
    assert.matches("[^-]icanon", shown)
    assert.matches(" echo ", shown)
    assert.matches("susp = ^Z", shown)
  end)
  with_python("ends with Ctrl-C, and shows what comes meanwhile", function()
    local path = run("grows", 20)
    os.execute(("(sleep 0.7; echo '%s' >> '%s/metrics.jsonl') &"):format(json.encode { step = 21, split = "train",
      loss = 7.5, t = 11 }, path))
    local shown, code = typed("grows --interval 0.1 --color never", "expect step 20\nexpect step 21\nsend \\x03\n")
    assert.equal(0, code, shown)
    assert.matches("loss 7.5", shown)
    assert.matches("\27%[%?1049l", shown)
    assert.matches("[^-]icanon", shown)
  end)
  it("writes plain lines where it has no terminal, until the run has ended", function()
    run("ended", 5, nil, nil, "done")
    local out, err, code = support.rondo(folder, "watch ended --interval 0.1")
    assert.same({ "", 0 }, { err, code })
    assert.matches("^step 1  train  loss 8  epoch 0.1  lr 0.01\n", out)
    assert.matches("\nstep 5  valid  loss 1.6  epoch 0.5\n$", out)
    run("other", 1, nil, nil, "stopped")
    assert.matches("^ended  step 1  .*\nother  step 1  ", (support.rondo(folder, "watch ended other")))
  end)
  it("says what is no run", function()
    local _, err, code = support.rondo(folder, "watch none")
    assert.same({ "rondo: none: there is no such run folder\n", 3 }, { err, code })
    assert.matches("%-%-interval must be a number 0.05..3600, got '0'", (select(2, support.rondo(folder,
      "watch ended --interval 0"))))
  end)
end)
