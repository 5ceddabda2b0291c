-- core_process_spec.lua - core.run: other programs, without a shell.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local support = dofile "tests/lua/support.lua"

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

describe("core.run", function()
  it("passes words as they are, without a shell", function()
    local result = core.run { "printf", "%s|", "a b", "$(echo x)", "*" }
    assert.same({ code = 0, stdout = "a b|$(echo x)|*|", stderr = "" }, result)
  end)
  it("gives exit status, signal and errors", function()
    assert.same({ code = 3, stdout = "", stderr = "no\n" }, core.run { "sh", "-c", "echo no >&2; exit 3" })
    assert.equal(15, core.run({ "sh", "-c", "kill -TERM $$" }).signal)
  end)
  it("gives an empty input, and writes the output to a file", function()
    local path = folder .. "/out"
    assert.equal("", core.run({ "cat" }, path).stdout)
    assert.equal("", support.read(path))
    assert.equal(0, core.run({ "echo", "x" }, path).code)
    assert.equal("x\n", support.read(path))
  end)
  it("reads from and writes to open files of any size", function()
    local input <close> = assert(io.tmpfile())
    local output <close> = assert(io.tmpfile())
    input:write(("x"):rep(300000))
    assert.equal("", core.run({ "cat" }, output, input).stdout)
    output:seek "set"
    assert.equal(("x"):rep(300000), output:read "a")
    local closed = io.tmpfile()
    closed:close()
    assert.matches("closed file", support.failure(core.run, { "cat" }, nil, closed))
  end)
  it("keeps the first 64 KiB of what a program says", function()
    assert.equal(65536, #core.run({ "head", "-c", "300000", "/dev/zero" }).stdout)
  end)
  it("says what is not there", function()
    local none, message, number = core.run { "no-such-program" }
    assert.is_nil(none)
    assert.equal("no-such-program: No such file or directory", message)
    assert.equal(2, number)
  end)
  it("takes a list of strings", function()
    assert.matches("a program and its arguments expected", support.failure(core.run, {}))
    assert.matches("argument 2 must be a string, got a table", support.failure(core.run, { "echo", {} }))
    assert.matches("argument 1 holds a zero byte", support.failure(core.run, { "a\0b" }))
  end)
  it("ends the program when a signal is noted", function()
    support.write(folder .. "/s.lua", [[
      local core = require "rondo.core"
      core.catch_signals(true)
      local t = core.time()
      local result = core.run { "sh", "-c", "kill -TERM $PPID; exec sleep 20" }
      print(result.interrupted, result.signal, core.time() - t < 10)]])
    assert.equal("SIGTERM\t15\ttrue\n", (support.rondo(folder, "run s.lua")))
  end)
end)
