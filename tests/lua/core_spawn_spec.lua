-- core_spawn_spec.lua - core.spawn: programs that run beside this one.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local support = dofile "tests/lua/support.lua"

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local function ended(process)
  local how = process:poll()
  while not how do
    core.pause(0.01)
    how = process:poll()
  end
  return how
end

local function spawn(...)
  return core.spawn({ ... }, folder .. "/out", folder .. "/err")
end

describe("core.spawn", function()
  it("writes results to one file anew and appends errors to another", function()
    local words = { "sh", "-c", "echo $0; echo no >&2; exit 3", "$(x) '" }
    assert.same({ code = 3 }, ended(assert(spawn(table.unpack(words)))))
    assert.same({ code = 3 }, ended(assert(spawn(table.unpack(words)))))
    assert.equal("$(x) '\n", support.read(folder .. "/out"))
    assert.equal("no\nno\n", support.read(folder .. "/err"))
  end)
  it("goes on while the program runs, which has no input", function()
    local started = core.time()
    local process = assert(spawn("sh", "-c", "cat; exec sleep 20"))
    assert.is_nil(process:poll())
    process:stop()
    assert.same({ signal = 15 }, ended(process))
    assert.same({ signal = 15 }, process:poll()) -- and is asked again
    assert.is_true(core.time() - started < 10)
  end)
  it("says what is not there", function()
    local none, message, number = spawn "no-such-program"
    assert.is_nil(none)
    assert.equal("no-such-program: No such file or directory", message)
    assert.equal(2, number)
    none, message = core.spawn({ "true" }, folder .. "/none/out", folder .. "/err")
    assert.is_nil(none)
    assert.matches("No such file or directory", message)
  end)
  it("lets a Ctrl-C of the group pass its children by, and ends them with the parent", function()
    support.write(folder .. "/s.lua", [[
      local core = require "rondo.core"
      local words = "echo $$ >pid; kill -INT $$; echo went on >said; exec sleep 20"
      local process = core.spawn({ "sh", "-c", words }, "o", "e")
      while not core.stat "said" do core.pause(0.01) end
      local file = io.open "/proc/self/stat"
      core.run { "kill", "-KILL", file:read "a":match "^%d+" }]])
    support.rondo(folder, "run s.lua")
    assert.equal("went on\n", support.read(folder .. "/said"))
    local pid = support.read(folder .. "/pid"):match "%d+"
    local started = core.time()
    while core.stat("/proc/" .. pid .. "/fd") and core.listdir("/proc/" .. pid .. "/fd")[1] do
      assert.is_true(core.time() - started < 10)
      core.pause(0.01)
    end
  end)
  it("takes a list of strings and a bounded pause", function()
    assert.matches("argument 2 must be a string, got a table", support.failure(spawn, "echo", {}))
    assert.matches("0..3600 seconds expected", support.failure(core.pause, -1))
  end)
end)
