-- progress_spec.lua - the line of figures, and what of it a narrow terminal shows.
-- SPDX-License-Identifier: MIT
local progress = require "rondo.progress"

local view = { step = 87, steps = 252, epoch = 1.04, loss = 2.9141, text = "ppl 18.43  bpc 4.204", left = 9000 }
local function line(width)
  local p = progress.new("none", "never", true)
  p.rate = 1000
  return progress.line_of(p, view, width)
end

describe("the line of figures", function()
  it("has everything where there is room", function()
    assert.equal("step 87/252  epoch 1.04  loss 2.9141  ppl 18.43  bpc 4.204  1000 char/s  0:09 left", line())
    assert.equal(line(), line(200))
  end)
  it("drops the rate, the epoch, the other figures and the time left, in this order", function()
    assert.equal("step 87/252  epoch 1.04  loss 2.9141  ppl 18.43  bpc 4.204  0:09 left", line(80))
    assert.equal("step 87/252  loss 2.9141  ppl 18.43  bpc 4.204  0:09 left", line(60))
    assert.equal("step 87/252  loss 2.9141  0:09 left", line(43))
    assert.equal("step 87/252  loss 2.9141", line(30))
    assert.equal("step 87/25", line(10))
  end)
  it("has a rate of the last few seconds", function()
    local p = progress.new("none", "never", true)
    p.last = p.last - 2
    assert.is_true(math.abs(p:tick(1000) - 500) < 50)
  end)
end)

describe("the line of whatever takes long", function()
  local core = require "rondo.core"
  local support = dofile "tests/lua/support.lua"
  local python = core.run { "python3", "--version" }
  -- What a script shows on a terminal of its own.
  local function shown(folder, script)
    support.write(folder .. "/s.lua", "local core, progress = require 'rondo.core', require 'rondo.progress'\n"
      .. script)
    local pipe = io.popen(("cd '%s' && python3 '%s/tests/support/pty_run.py' rondo run s.lua </dev/null 2>&1"):format(
      folder, support.sources()))
    local text = pipe:read "a"
    pipe:close()
    return text
  end
  local folder
  setup(function() folder = support.folder() end)
  teardown(function() support.remove(folder) end)
  local function on_a_terminal(name, f)
    it(name, python and f or function() pending "python3 is not installed" end)
  end
  on_a_terminal("comes after two seconds, says how far it is, and goes away", function()
    local text = shown(folder, [[
      do
        local busy <close> = progress.busy "reading a\nfile"
        busy:at(1, 4)
        local inner <close> = progress.busy "inner"
        inner:at(1, 1)
        core.pause(2.6)
      end
      print "after it"]])
    assert.matches("\rreading a%?file  25 %%  0:02  0:06 left\27%[K", text)
    assert.matches("\r\27%[Kafter it", text)
    assert.is_nil(text:find "inner")
  end)
  on_a_terminal("goes away where an error comes through, and does not come for what is quick or quiet", function()
    local text = shown(folder, [[
      print(pcall(function()
        local busy <close> = progress.busy "failing"
        core.pause(2.1)
        error("it failed", 0)
      end))
      do local busy <close> = progress.busy "quick" end
      progress.silence()
      local busy <close> = progress.busy "quiet"
      core.pause(2.1)]])
    assert.matches("\rfailing  0:02\27%[K.*\r\27%[Kfalse\tit failed", text)
    assert.is_nil(text:find "quick")
    assert.is_nil(text:find "quiet")
  end)
  it("is not written where there is no terminal", function()
    support.write(folder .. "/s.lua", [[
      local busy <close> = require("rondo.progress").busy "reading"
      require("rondo.core").pause(2.1)]])
    assert.same({ "", "", 0 }, { support.rondo(folder, "run s.lua") })
  end)
end)
