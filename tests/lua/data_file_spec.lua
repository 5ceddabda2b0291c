-- data_file_spec.lua - files in Lua that are data: what they may do, which is nothing.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local data_file = require "rondo.data_file"
local support = dofile "tests/lua/support.lua"

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local function read(text)
  local path = folder .. "/f.lua"
  support.write(path, text)
  return data_file.read(path)
end

describe("a file of data", function()
  it("returns its table", function()
    assert.same({ lr = 0.5, cell = "gru", list = { 1, 2 } },
      read "local r = 1 / 2\nreturn { lr = r, cell = 'g' .. 'ru', list = { 1, 2 } }")
  end)
  it("sees no names", function()
    local value, message = read "return os.execute 'true'"
    assert.is_nil(value)
    assert.matches("f.lua: it can hold data alone: .-f.lua:1: attempt to index a nil value %(global 'os'%)", message)
  end)
  it("sees no methods of strings, which are back afterwards", function()
    local value, message = read "return { ('x'):rep(1e9) }"
    assert.is_nil(value)
    assert.matches("attempt to index a string value", message)
    assert.equal("xx", ("x"):rep(2))
  end)
  it("ends", function()
    for _, text in ipairs { "while true do end", "local function f() return f() end return f()", "::a:: goto a" } do
      local value, message = read(text)
      assert.is_nil(value)
      assert.matches("it takes more than a million steps", message)
    end
    local _, message = read "local function f() return 1 + f() end return f()"
    assert.matches("it takes more than 16 MB of memory", message)
  end)
  it("is not nested without end", function()
    for _, open in ipairs { "(", "{", "function() return " } do
      local value, message = read("return " .. open:rep(300))
      assert.is_nil(value)
      assert.matches("f.lua: its parentheses, tables or functions lie more than 190 deep in each other", message)
    end
    assert.same({ 1 }, read("return { " .. ("("):rep(180) .. "1" .. (")"):rep(180) .. " }"))
  end)
  it("has little memory", function()
    local value, message = read "local s = 'x' for i = 1, 40 do s = s .. s end return { s }"
    assert.is_nil(value)
    assert.matches("it takes more than 16 MB of memory", message)
    value, message = read "local t = {} for i = 1, 1e6 do t = { t, t } t[i] = { i } end return t"
    assert.is_nil(value)
    assert.matches("it takes more than", message)
  end)
  it("has little memory in a single step too", function()
    local many = ("s .. "):rep(150) .. "s"
    local _, before = core.rss()
    for _, text in ipairs { "local s = 'x' for i = 1, 22 do s = s .. s end return { " .. many .. " }",
      "local s = 'x' while true do s = s .. s end",
      "local t = {} while true do t = { t, {}, {}, {} } end" } do
      local value, message = read(text)
      assert.is_nil(value)
      assert.matches("it takes more than 16 MB of memory", message)
    end
    local _, after = core.rss()
    assert.is_true(after - before < 40 << 20 or os.getenv "ASAN_OPTIONS" ~= nil) -- that keeps what was freed
  end)
  it("has little time", function()
    local clock = os.clock()
    for _, text in ipairs { "local s = 'x' for i = 1, 21 do s = s .. s end while true do local t = s .. 'y' end",
      "local s = 'x' for i = 1, 21 do s = s .. s end local a, b = s .. 'a', s .. 'b' while a < b do end" } do
      local value, message = read(text)
      assert.is_nil(value)
      assert.matches("it takes more than a second", message)
    end
    assert.is_true(os.clock() - clock < 6)
  end)
  it("returns data alone, as a tree", function()
    local function why(text)
      local value, message = read(text)
      assert.is_nil(value)
      return message:match "it can hold data alone: (.*)"
    end
    assert.equal("it holds a function", why "return { function() end }")
    assert.equal("it has tables in tables, more than 100 deep", why "local t = {} t.t = t return t")
    assert.equal("it holds more than a million values",
      why "local t = {} for i = 1, 90 do t = { t, t } end return t")
    assert.equal("it returns nothing", why "return")
    assert.same({ 1, 2.5, true, "x\0", { a = {} } }, read "return { 1, 2.5, true, 'x\\0', { a = {} } }")
    assert.equal("float", math.type(read "return { 1.0 }" [1]))
  end)
  it("is text, of no more than a megabyte, in a regular file", function()
    local _, message = read(string.dump(load "return {}"))
    assert.matches("attempt to load a binary chunk", message)
    _, message = read(("-"):rep(2 << 20))
    assert.matches("f.lua: it has 2097152 bytes, allowed are 1048576", message)
    _, message = data_file.read "/dev/zero"
    assert.equal("/dev/zero: it is not a regular file", message)
    _, message = data_file.read(folder .. "/none.lua")
    assert.matches("none.lua: No such file", message)
    _, message = read "return 7"
    assert.matches("f.lua: it must return a table, got a number", message)
    _, message = read "return {"
    assert.matches("f.lua:1: .- near <eof>", message)
    _, message = read("\27Lua garbage")
    assert.matches("attempt to load a binary chunk", message)
  end)
end)
