-- samples_spec.lua - scripts as users write them (tests/samples) run as they stand.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local core = require "rondo.core"
local support = dofile "tests/lua/support.lua"

local folder, samples
setup(function()
  folder = support.folder()
  local pwd = io.popen "pwd -P"
  samples = pwd:read "l" .. "/tests/samples/"
  pwd:close()
  support.write(folder .. "/t.txt", "The beginning.\n" .. support.sentences(800))
end)
teardown(function() support.remove(folder) end)

describe("a user's script", function()
  it("trains a language model of a text and writes a sample", function()
    local out, err, code = support.rondo(folder, ("run %s1_chars.lua --data t.txt --epochs 1"):format(samples))
    assert.equal(0, code, err)
    assert.matches("^The ", out)
    assert.equal(405, utf8.len(out)) -- prompt, sample, line feed
    assert.is_truthy(core.stat(folder .. "/runs/chars/checkpoints/best.h5"))
  end)
  it("goes on where it was, and has its options, as its first lines say", function()
    local _, err, code = support.rondo(folder, ("run %s1_chars.lua --data t.txt --epochs 1 --resume"):format(samples))
    assert.equal(0, code, err)
    assert.matches("going on from step %d+", err)
    assert.matches("nothing left to do", err)
    local out
    out, err, code = support.rondo(folder, 'sample runs/chars --prompt "The " --length 40 --temperature 0.8')
    assert.equal(0, code, err)
    assert.equal(45, #out)
    out = support.rondo(folder, ("run %s1_chars.lua --help"):format(samples))
    assert.matches("%-%-hidden%-size.*default 256", out)
    out, err, code = support.rondo(folder, ("run %s1_chars.lua"):format(samples))
    assert.equal(2, code)
    assert.equal("", out)
    assert.matches("option %-%-data is required", err)
  end)
  it("trains with a loop of its own and saves", function()
    local out, err, code = support.rondo(folder, ("run %s7_loop.lua"):format(samples))
    assert.equal(0, code, err)
    local _, lines = out:gsub("step +%d+  loss", "")
    assert.equal(10, lines)
    assert.matches("\n500\tSequential\n", out)
    assert.equal(500, assert(rondo.load(folder .. "/adding.h5")).step)
  end)
end)
