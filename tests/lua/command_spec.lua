-- command_spec.lua - the program `rondo` around its Lua: paths, arguments, exit status, start.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"

local rondo = core.lib_dir() .. "/../../bin/rondo"
local folder

setup(function()
  folder = os.tmpname()
  os.remove(folder)
  assert(core.mkdir(folder))
end)
teardown(function() os.execute("rm -rf '" .. folder .. "'") end)

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

-- Runs the program without the paths this test was found by; returns status, output, errors.
local function run(arguments, program)
  local out, err = folder .. "/out", folder .. "/err"
  local clean = "env -u LUA_PATH -u LUA_CPATH -u LUA_PATH_5_4 -u LUA_CPATH_5_4"
  local _, _, code = os.execute(("cd / && %s '%s' %s >%s 2>%s"):format(clean, program or rondo, arguments, out, err))
  return code, read(out), read(err)
end

local function run_script(text, arguments)
  local path = folder .. "/script.lua"
  assert(core.write_file(path, text))
  return run(("run %s %s"):format(path, arguments or ""))
end

describe("the command", function()
  it("answers --version, and quickly", function()
    local code, out = run "--version"
    assert.equal(0, code)
    assert.equal("rondo " .. core.VERSION .. "\n", out)
    local median = math.huge
    for _ = 1, 5 do -- up to five times: other programs run on this machine
      local seconds = {}
      for i = 1, 20 do
        local t = core.time()
        run "--version"
        seconds[i] = core.time() - t
      end
      table.sort(seconds)
      median = math.min(median, (seconds[10] + seconds[11]) / 2)
      if median < 0.015 then
        break
      end
    end
    local sanitized = os.getenv "LD_PRELOAD" -- and so is every program that the shell starts
    assert.is_truthy(sanitized or median < 0.015, ("median of 20 starts: %.1f ms"):format(median * 1000))
  end)
  it("is linked to neither the core's libraries nor HDF5", function()
    local pipe = io.popen(("ldd '%s'"):format(rondo))
    local libraries = pipe:read "a"
    pipe:close()
    assert.matches("liblua5%.4", libraries)
    assert.is_nil(libraries:find "hdf5")
    assert.is_nil(libraries:find "xxhash")
  end)
  it("finds its own library from anywhere", function()
    local code, out = run_script [[
      local rondo = require "rondo"
      print(package.searchpath("rondo", package.path))
      print(rondo._VERSION and arg[0]:match "[^/]*$", arg[1], #arg)]]
    assert.equal(0, code)
    assert.matches("share/lua/5%.4/rondo/init%.lua\n", out)
    assert.matches("script%.lua\tnil\t0\n$", out)
  end)
  it("writes no globals of its own", function()
    local code, out = run_script [[
      local known = {}
      for name in ("_G _VERSION arg assert collectgarbage coroutine debug dofile error getmetatable io ipairs load " ..
        "loadfile math next os package pairs pcall print rawequal rawget rawlen rawset require select setmetatable " ..
        "string table tonumber tostring type utf8 warn xpcall"):gmatch "%S+" do known[name] = true end
      require "rondo"
      for name in pairs(_G) do if not known[name] then print(name) end end]]
    assert.equal(0, code)
    assert.equal("", out)
  end)
  it("ends with 1 where the script raises, and says why", function()
    local code, _, err = run_script "error 'broken'"
    assert.equal(1, code)
    assert.matches("^rondo: ", err)
    assert.matches("broken", err)
  end)
  it("ends with 2 on an unknown command", function()
    local code, _, err = run "sampel"
    assert.equal(2, code)
    assert.matches("sample", err)
  end)
  it("says so where its library is not beside it", function()
    assert(core.mkdir(folder .. "/bin"))
    os.execute(("cp '%s' %s/bin"):format(rondo, folder))
    local code, _, err = run("env", folder .. "/bin/rondo")
    assert.equal(1, code)
    assert.matches("^rondo: module 'rondo.cli' not found", err)
    assert.matches(folder .. "/share/lua/5%.4/rondo/cli%.lua", err)
    assert.matches("stack traceback", err)
  end)
  it("turns warnings on", function()
    local _, _, err = run_script "warn 'careful'"
    assert.matches("careful", err)
  end)
end)
