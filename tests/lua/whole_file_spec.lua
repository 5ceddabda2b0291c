-- whole_file_spec.lua - files of anybody's that are read at once or by lines, and JSON: what is read and what is not.
-- SPDX-License-Identifier: MIT
local json = require "rondo.json"
local support = dofile "tests/lua/support.lua"
local whole_file = require "rondo.whole_file"

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local function put(text)
  return support.write(folder .. "/f", text)
end

-- Lines of a text, and how they end: nil, or the message without the file's name.
local function lines_of(text)
  local path, list = put(text), {}
  local file <close> = assert(whole_file.open(path))
  local whole, message = pcall(function()
    for line in whole_file.lines(file, path) do
      list[#list + 1] = line
    end
  end)
  return list, not whole and message:gsub(path:gsub("%p", "%%%0"), "FILE") or nil
end

describe("a file that is read at once", function()
  it("is regular and no larger than it may be", function()
    assert.equal("text", whole_file.read(put "text", 4))
    assert.equal("", whole_file.read(put "", 4))
    local _, message = whole_file.read(put "texts", 4)
    assert.equal(folder .. "/f: it has 5 bytes, allowed are 4", message)
    _, message = whole_file.read(folder, 4)
    assert.equal(folder .. ": it is a folder", message)
    assert(os.execute(("mkfifo '%s/pipe'"):format(folder)))
    _, message = whole_file.read(folder .. "/pipe", 4)
    assert.equal(folder .. "/pipe: it is not a regular file", message)
    _, message = whole_file.read("/dev/zero", 4)
    assert.equal("/dev/zero: it is not a regular file", message)
    _, message = whole_file.read(folder .. "/none", 4)
    assert.equal(folder .. "/none: No such file or directory", message)
  end)
  it("is not read where it is a terabyte of holes", function()
    assert(os.execute(("truncate -s 1T '%s/holes'"):format(folder)))
    local _, message = json.read(folder .. "/holes")
    assert.equal(folder .. "/holes: it has 1099511627776 bytes, allowed are 16777216", message)
  end)
end)

describe("lines", function()
  it("have their ends, which the last one may lack", function()
    assert.same({ "a\n", "\n", "b" }, (lines_of "a\n\nb"))
    assert.same({ "a\n" }, (lines_of "a\n"))
    assert.same({}, (lines_of ""))
  end)
  it("are the same over the borders of what is read at once", function()
    local long, list = ("x"):rep(65535), {}
    for i = 1, 5 do
      list[i] = long:sub(1, 65530 + i) .. "\n"
    end
    assert.same(list, (lines_of(table.concat(list))))
    assert.same({ long .. long .. "\n", "y" }, (lines_of(long .. long .. "\ny")))
  end)
  it("of over 16 MB are refused", function()
    local list, message = lines_of("a\n" .. ("x"):rep(17 << 20) .. "\n")
    assert.same({ "a\n" }, list)
    assert.equal("FILE: line 2 has more than 16777216 bytes", message)
  end)
end)

describe("JSON", function()
  local function refused(text)
    local value, message = json.decode(text)
    assert.is_nil(value)
    return message
  end
  it("is nested to a bounded depth", function()
    assert.is_table(json.decode(("["):rep(100) .. ("]"):rep(100)))
    for _, n in ipairs { 101, 1000, 1000000 } do
      for _, pair in ipairs { { "[", "]" }, { '{"a":', "}" } } do
        local text = pair[1]:rep(n) .. (pair[1] == "[" and "" or "1") .. pair[2]:rep(n)
        assert.equal("it is nested more than 100 deep, or has tables for keys", refused(text))
      end
    end
    assert.equal("it is nested more than 100 deep, or has tables for keys", refused "{[1]:2}")
  end)
  it("ends where its value ends", function()
    assert.same({ 1 }, json.decode "[1] \n")
    assert.equal("there is something behind its end", refused "{} {}")
    assert.equal("unterminated string at line 1, column 1", refused '"a')
    assert.equal("unterminated array at line 1, column 1", refused "[1,")
    assert.equal("no valid JSON value (reached the end)", refused "/* a comment without an end")
    assert.equal("no valid JSON value at line 1, column 1", refused "\0")
  end)
  it("has numbers of any size, and the last of two fields of a name", function()
    assert.equal(math.huge, json.decode("1" .. ("0"):rep(100000)))
    assert.same({ a = 2 }, json.decode '{"a":1,"a":2}')
  end)
  it("of a file that holds something else is refused with its name", function()
    local _, message = json.read(put "7")
    assert.equal(folder .. "/f: neither an object nor a list", message)
    _, message = json.read(put "{")
    assert.equal(folder .. "/f: unterminated object at line 1, column 1", message)
  end)
end)
