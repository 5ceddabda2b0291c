-- new_spec.lua - the folders that `rondo new-cell` and its like write, and what they refuse.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local support = dofile "tests/lua/support.lua"

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

-- The sentence that the command ends with.
local function refusal(name, kind)
  local out, err, code = support.rondo(folder, ("new-%s %s"):format(kind or "cell", name))
  assert.equal("", out)
  assert.equal(2, code)
  return err
end

describe("rondo new-cell", function()
  it("writes a folder called after the end of the name, with the name wherever it belongs", function()
    local out, err, code = support.rondo(folder, "new-cell demo.one")
    assert.equal(0, code, err)
    assert.matches("^one/one%.c is the cell demo%.one", out)
    assert.matches("cd one\n  rondo check one%.c\n", out)
    local source = support.read(folder .. "/one/one.c")
    assert.matches("^/%* one%.c %- demo%.one, ", source)
    assert.matches('%.name = "demo%.one"', source)
    assert.matches("rondo_add_plugin%(one one%.c%)", support.read(folder .. "/one/CMakeLists.txt"))
    for _, name in ipairs { "one.c", "CMakeLists.txt", "README.md", "test.lua" } do
      local text = support.read(folder .. "/one/" .. name)
      assert.is_nil(text:find "@%u+@", name)
      assert.is_nil(text:find("template", 1, true), name)
    end
  end)
  it("has like it new-kernel", function()
    local out, err, code = support.rondo(folder, "new-kernel demo.fast")
    assert.equal(0, code, err)
    assert.matches("^fast/fast%.c is the kernel demo%.fast", out)
    assert.matches('%.name = "demo%.fast"', support.read(folder .. "/fast/fast.c"))
    assert.matches("RONDO_KERNELS=demo%.fast", support.read(folder .. "/fast/CMakeLists.txt"))
  end)
  it("overwrites nothing", function()
    assert(core.mkdir(folder .. "/two"))
    assert.matches("new%-cell: two is there already, and nothing is overwritten", refusal "demo.two")
  end)
  it("says what a name looks like", function()
    assert.matches("the name must match %[a%-z%]%[a%-z0%-9_%.%-%]%*, as me%.cell does, got 'Mgu'", refusal "Mgu")
    assert.matches("got '%.%./mgu'", refusal "../mgu")
    assert.matches("the last dot of 'demo%.', and they cannot be called ''; choose another", refusal "demo.")
    assert.matches("cannot be called 'test'; choose another", refusal "demo.test")
  end)
  it("takes no name of a cell that is there", function()
    assert.matches("a cell named 'lstm' is there already; give yours a name of its own, as in me%.lstm", refusal "lstm")
    assert.matches("a kernel named 'scalar' is there already", refusal("scalar", "kernel"))
  end)
  it("says where no folder can be made", function()
    local _, err, code = support.rondo(folder, "new-cell demo.three", "cd /proc &&")
    assert.equal(1, code)
    assert.matches("new%-cell: the folder cannot be made here: three: No such file", err)
  end)
end)

describe("the flags of a plugin", function()
  it("are those of the pkg-config file, with the folders that it means", function()
    local flags = require "rondo.plugin_flags"()
    local words = table.concat(flags.cflags, " ")
    assert.equal("file", core.stat(words:match "^%-I(%S+)" .. "/rondo/abi.h").kind)
    assert.matches("%-std=c11 .*%-ffp%-contract=off", words)
    assert.equal("file", core.stat(flags.libs[1]:match "%-%-version%-script=(%S+)").kind)
  end)
end)
