-- core_system_spec.lua - files, terminal, time and signals of rondo.core.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"

local folder

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

setup(function()
  folder = os.tmpname()
  os.remove(folder)
  assert(core.mkdir(folder))
end)

teardown(function()
  os.execute("rm -rf '" .. folder .. "'")
end)

describe("folders", function()
  it("mkdir makes what is missing and accepts what is there", function()
    assert.is_true(core.mkdir(folder .. "/a/b/c"))
    assert.is_true(core.mkdir(folder .. "/a/b/c/"))
    assert.equal("dir", core.stat(folder .. "/a/b/c").kind)
  end)
  it("mkdir says what is in the way", function()
    assert(core.write_file(folder .. "/file", "x"))
    local ok, text, code = core.mkdir(folder .. "/file")
    assert.is_nil(ok)
    assert.equal(folder .. "/file: Not a directory", text)
    assert.equal("integer", math.type(code))
    assert.is_nil((core.mkdir(folder .. "/file/below")))
  end)
  it("listdir names what is in it", function()
    assert(core.mkdir(folder .. "/list"))
    assert(core.write_file(folder .. "/list/one", ""))
    assert(core.mkdir(folder .. "/list/two"))
    local names = core.listdir(folder .. "/list")
    table.sort(names)
    assert.same({ "one", "two" }, names)
    local none, text = core.listdir(folder .. "/nowhere")
    assert.is_nil(none)
    assert.equal(folder .. "/nowhere: No such file or directory", text)
  end)
end)

describe("files", function()
  it("write_file replaces the whole and leaves nothing beside it", function()
    assert(core.mkdir(folder .. "/w"))
    assert.is_true(core.write_file(folder .. "/w/x", "old"))
    assert.is_true(core.write_file(folder .. "/w/x", "new\0bytes"))
    assert.equal("new\0bytes", read(folder .. "/w/x"))
    assert.same({ "x" }, core.listdir(folder .. "/w"))
    local ok, text = core.write_file(folder .. "/none/x", "")
    assert.is_nil(ok)
    assert.equal("cannot save '" .. folder .. "/none/x': No such file or directory (open)", text)
  end)
  it("stat, rename, remove, realpath, truncate", function()
    local path = folder .. "/s"
    assert(core.write_file(path, "12345"))
    local st = core.stat(path)
    assert.equal("file", st.kind)
    assert.equal(5, st.size)
    assert.is_true(math.abs(st.mtime - os.time()) < 100)
    assert.is_true(core.truncate(path, 2))
    assert.equal("12", read(path))
    assert.is_true(core.rename(path, path .. "2"))
    assert.equal(core.realpath(folder) .. "/s2", core.realpath(folder .. "/./s2"))
    assert.is_true(core.remove(path .. "2"))
    for _, f in ipairs { core.stat, core.remove, core.realpath } do
      local none, text = f(path)
      assert.is_nil(none)
      assert.equal(path .. ": No such file or directory", text)
    end
    assert.is_nil((core.rename(path, path .. "2")))
    assert.is_nil((core.truncate(path, 1)))
    local ok, why = pcall(core.truncate, path, -1)
    assert.is_false(ok)
    assert.matches("a length must not be negative", why)
  end)
  it("append writes lines at the end", function()
    local path = folder .. "/log"
    local log = assert(core.append(path))
    assert.is_true(log:write "one\n")
    log:close()
    log:close()
    local ok, why = pcall(log.write, log, "more\n")
    assert.is_false(ok)
    assert.matches("closed file", why)
    do
      local again <close> = assert(core.append(path))
      again:write "two\n"
    end
    assert.equal("one\ntwo\n", read(path))
    assert.is_nil((core.append(folder .. "/none/log")))
  end)
  it("truncate, append and lock follow no link and wait for no pipe", function()
    local victim, link, pipe = folder .. "/victim", folder .. "/link", folder .. "/unread"
    assert(core.write_file(victim, "12345"))
    assert(os.execute(("ln -s victim '%s' && ln -s created '%s/new' && mkfifo '%s'"):format(link, folder, pipe)))
    for _, f in ipairs { core.append, core.lock, function(path) return core.truncate(path, 0) end } do
      for _, path in ipairs { link, folder .. "/new" } do
        local none, text = f(path)
        assert.is_nil(none)
        assert.equal(path .. ": it is a link, to be replaced by a file", text)
      end
    end
    assert.equal("12345", read(victim))
    assert.is_nil((core.stat(folder .. "/created")))
    local none, text = core.append(pipe)
    assert.is_nil(none)
    assert.equal(pipe .. ": it is not a regular file", text)
  end)
  it("append notices a full disk", function()
    local full = assert(core.append "/dev/full")
    local ok, text = full:write "line\n"
    assert.is_nil(ok)
    assert.equal("/dev/full: No space left on device", text)
  end)
  it("lock is held by one", function()
    local path = folder .. "/lock"
    local lock = assert(core.lock(path))
    local none, text = core.lock(path)
    assert.is_nil(none)
    assert.equal(path .. ": another process holds the lock", text)
    lock:close()
    assert(core.lock(path)):close()
    assert.is_nil((core.lock(folder .. "/none/lock")))
  end)
  it("locked says whether one is held, and makes none", function()
    local path = folder .. "/looked_at"
    assert.is_nil((core.locked(path)))
    assert.is_nil((core.stat(path)))
    local lock = assert(core.lock(path))
    assert.is_true(core.locked(path))
    lock:close()
    assert.is_false(core.locked(path))
    assert(os.execute(("mkfifo '%s/pipe'"):format(folder)))
    assert.is_false(core.locked(folder .. "/pipe"))
  end)
  it("lock waits a moment for what a killed process left behind", function()
    local path = folder .. "/left"
    os.execute(("flock '%s' sleep 0.3 & sleep 0.1"):format(path))
    assert(core.lock(path)):close()
  end)
end)

describe("the process", function()
  it("knows its terminal, time, host and memory", function()
    assert.equal("boolean", type(core.isatty(2)))
    local ok, why = pcall(core.isatty, 7)
    assert.is_false(ok)
    assert.matches("0 %(input%), 1 %(output%) or 2 %(errors%) expected", why)
    assert.is_true(core.columns() >= 1)
    local t = core.time()
    assert.is_true(core.time() >= t)
    assert.is_true(#core.hostname() > 0)
    local now, peak = core.rss()
    assert.is_true(now > 1e5 and peak >= now // 2)
    local seed = core.random_seed()
    assert.is_true(seed >= 0 and seed < 1 << 32)
  end)
end)

-- Runs a script that may kill itself; returns how it ended.
local function run(script)
  local path = folder .. "/signals.lua"
  assert(core.write_file(path, "local core = require 'rondo.core'\n" .. script))
  local _, how, code = os.execute("exec lua5.4 " .. path)
  return how, code
end

describe("signals", function()
  it("are noted by name", function()
    for _, name in ipairs { "INT", "TERM", "HUP", "USR1" } do
      local how, code = run(([[
        assert(core.interrupted() == nil)
        core.catch_signals(true)
        local pid = io.open("/proc/self/stat"):read("n")
        io.popen("kill -%s " .. pid):close()
        os.exit(core.interrupted() == "SIG%s" and 7 or 1)]]):format(name, name))
      assert.equal("exit", how)
      assert.equal(7, code)
    end
  end)
  it("a second SIGINT takes the default action", function()
    local how, code = run [[
      core.catch_signals(true)
      local pid = io.open("/proc/self/stat"):read("n")
      io.popen("kill -INT " .. pid):close()
      io.popen("kill -INT " .. pid):close()
      os.exit(1)]]
    assert.equal("signal", how)
    assert.equal(2, code)
  end)
  it("stay ignored where they were, as nohup wants it", function()
    local path = folder .. "/nohup.lua"
    assert(core.write_file(path, [[
      local core = require 'rondo.core'
      core.catch_signals(true)
      io.popen("kill -HUP " .. io.open("/proc/self/stat"):read("n")):close()
      local seen = core.interrupted()
      core.catch_signals(false)
      io.popen("kill -HUP " .. io.open("/proc/self/stat"):read("n")):close()
      os.exit(seen == nil and 7 or 1)]]))
    local _, how, code = os.execute("trap '' HUP; exec lua5.4 " .. path)
    assert.equal("exit", how)
    assert.equal(7, code)
  end)
  it("are forgotten and restored", function()
    local how, code = run [[
      core.catch_signals(true)
      local pid = io.open("/proc/self/stat"):read("n")
      io.popen("kill -USR1 " .. pid):close()
      core.catch_signals(true)
      if core.interrupted() then os.exit(1) end
      core.catch_signals(false)
      io.popen("kill -TERM " .. pid):close()
      os.exit(1)]]
    assert.equal("signal", how)
    assert.equal(15, code)
  end)
end)
