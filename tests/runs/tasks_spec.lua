-- tasks_spec.lua - the scripts of tasks that need memory, run whole and in short.
-- SPDX-License-Identifier: MIT
local support = dofile "tests/lua/support.lua"

local figure = support.figure

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local function run(script, options)
  return support.script(folder, script, options)
end

describe("scripts/adding.lua", function()
  it("learns to add over 10 steps, where saying 1 has 1/6", function()
    local out = run("adding", "--seq-len 10 --max-steps 600 --hidden-size 32 --lr 5e-3")
    assert.matches("always saying 1 +0%.1667", out)
    assert.is_true(figure(out, "gru +([%d.]+)") < 0.02)
  end)
  it("gives the same figures again", function()
    local options = "--seq-len 10 --max-steps 50 --hidden-size 8"
    assert.equal(run("adding", options), run("adding", options))
  end)
end)

describe("scripts/copy_memory.lua", function()
  it("says what who does not know the symbols has, and learns more than that", function()
    local out = run("copy_memory", "--seq-len 2 --max-steps 600 --hidden-size 64 --lr 5e-3")
    assert.matches("known +0%.9452 ", out) -- 10 ln 8 / 22
    assert.is_true(figure(out, "lstm +([%d.]+)") < 0.9)
  end)
end)

describe("scripts/parity.lua", function()
  it("trains on short sequences and asks about longer ones", function()
    local out = run("parity", "--seq-len 8 --test-len 40 --max-steps 1500 --lr 5e-3")
    assert.is_true(figure(out, "vanilla +1 to +8 +([%d.]+) %%") > 99)
    assert.is_true(figure(out, "9 to 40 +([%d.]+) %%") > 90)
  end)
end)

describe("scripts/rnn_against_feedforward.lua", function()
  it("puts a table into a file, with nets of one size", function()
    local path = support.write(folder .. "/t.md", "above\n<!-- memory: begin -->\nold\n<!-- memory: end -->\nbelow\n")
    local out = run("rnn_against_feedforward", "--max-steps 2 --into t.md")
    assert.equal("above\n<!-- memory: begin -->\n" .. out .. "\n<!-- memory: end -->\nbelow\n", support.read(path))
    local cells = 0
    for count in out:gmatch "%((%d+)%)" do
      cells = cells + 1
      assert.is_true(tonumber(count) > 3600 and tonumber(count) <= 4000)
    end
    assert.equal(25, cells)
  end)
  it("says what a file must have", function()
    support.write(folder .. "/no.md", "nothing\n")
    local _, err, code = support.rondo(folder, ("run '%s/scripts/rnn_against_feedforward.lua' --into no.md"):format(
      support.sources()))
    assert.equal(1, code)
    assert.matches("no.md: it has no lines 'memory: begin' and 'memory: end'", err)
  end)
end)
