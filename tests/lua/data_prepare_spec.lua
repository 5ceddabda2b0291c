-- data_prepare_spec.lua - what each prepare function makes of a small download.
-- SPDX-License-Identifier: MIT
local inflate = require "rondo.data.inflate"
local prepare = require "rondo.data.prepare"
local support = dofile "tests/lua/support.lua"

local function bytes_of(hex)
  return (hex:gsub("%x%x", function(two) return string.char(tonumber(two, 16)) end))
end

-- A zlib stream that holds bytes as they are: one stored block. Its checksum is left out.
local function stored(bytes)
  return "\x78\x01" .. ("<I1I2I2"):pack(1, #bytes, ~#bytes & 0xffff) .. bytes
end

describe("prepare", function()
  it("puts a header before lines, or in place of them", function()
    assert.equal("h\n1\n2\n", prepare.header({ "1\r\n2" }, { header = "h" }))
    assert.equal("h\n2\n", prepare.header({ "1\n2\n" }, { header = "h", skip = 1 }))
  end)
  it("takes quotes, comments, row numbers and labels away", function()
    assert.equal("a,b\n1,2\n", prepare.unquote({ '"A","B"\n"1",2' }, { header = "a,b" }))
    assert.equal("1\n2\n", prepare.uncomment { "# c\n1\n", "2\n# d\n" })
    assert.equal("a\n7\n8\n", prepare.rows({ '"","A"\n"1",7\n"2",8\n"3",9\n' }, { header = "a", count = 2 }))
    assert.equal("In the\nAnd\n", prepare.verses { "Ge1:1 In the\nGe1:2 And\n" })
    assert.equal("ab", prepare.first_bytes({ "abc" }, { bytes = 2 }))
  end)
  it("picks a station's hours", function()
    local cells = "1,JFK,2013,1,1,1,39.02,26.5,59,260,11.5078,,0,1012,10,T\n"
    assert.equal("h\nT,39.02,26.5,59,260,11.51,0,1012,10\n", prepare.station({ cells .. cells:gsub("JFK", "EWR") },
      { station = "JFK", header = "h" }))
  end)
  it("joins words with tags and labels", function()
    assert.equal("x\tplay it\tO B\n", prepare.tagged({ "play  it \n", "O B\n", " x\n" }, { download = 1 }))
    assert.equal("1\ta b\n0\tf\n", prepare.labelled({ "a  b\t1\n" .. ("c\t0\n"):rep(0) .. "f\t0\n" }, {}))
    assert.equal(("0\tc\n"):rep(5), prepare.labelled({ ("c\t0\n"):rep(6) }, {}))
    assert.equal("a\tO\n\nb\tO\n", prepare.borders { "a\tO\n\t\nb\tO\n" })
  end)
  it("cuts an IDX file", function()
    local images = (">I4I4I4I4"):pack(2051, 3, 1, 2) .. "abcdef"
    assert.equal((">I4I4I4I4"):pack(2051, 2, 1, 2) .. "abcd", prepare.idx_first({ images }, { count = 2 }))
  end)
  it("writes a piano roll of MATLAB as the keys of each step", function()
    local function element(kind, bytes)
      return ("<I4I4"):pack(kind, #bytes) .. bytes .. ("\0"):rep(-#bytes % 8)
    end
    local function matrix(class, rows, columns, name, contents)
      return element(14, element(6, ("<I4I4"):pack(class, 0)) .. element(5, ("<i4i4"):pack(rows, columns)) .. name
        .. contents)
    end
    -- Three steps of four keys, by columns, and one step of four keys, whose four bytes lie in the place of a size.
    local long = matrix(6, 3, 4, element(1, ""), element(2, "\1\0\0" .. "\0\0\0" .. "\1\0\0" .. "\0\0\1"))
    local short = matrix(6, 1, 4, element(1, ""), ("<I4"):pack(2 | 4 << 16) .. "\0\1\0\0")
    local function file(name, ...) -- a packed element is not padded
      local packed = stored(matrix(1, 1, select("#", ...), name, table.concat { ... }))
      return { ("h"):rep(128) .. ("<I4I4"):pack(15, #packed) .. packed }
    end
    assert.equal("0,2 - 3\n1\n", prepare.piano_rolls(file(element(1, "traindata"), long, short),
      { variable = "traindata" }))
    assert.equal("1\n", prepare.piano_rolls(file(("<I4"):pack(1 | 3 << 16) .. "old\0", short), { variable = "old" }))
  end)
end)

-- What Python's zlib packs, by each kind of block.
describe("inflate", function()
  local text = "and the and the and then another and the other "
  it("unpacks bytes that are stored as they are", function()
    assert.equal(text, inflate(stored(text)))
  end)
  it("unpacks codes that are fixed", function()
    assert.equal(text, inflate(bytes_of "78014bcc4b5128c948554844a5f3808c7c205d049780f0008c341092"))
  end)
  it("unpacks codes that come along", function()
    local list = {}
    for i = 0, 59 do
      list[i + 1] = string.char(97 + i * i % 7):rep(i % 5 + 1)
    end
    assert.equal(table.concat(list), inflate(bytes_of("78daad8dc10d00200c0267e50cfbafa025ca04f268023d82c0f67a324882a4"
      .. "c9cf1dab1125f325a4db0fa9dbc70563f56f68039e6145a4")))
  end)
  it("says what is no whole stream", function()
    local packed = bytes_of "78014bcc4b5128c948554844a5f3808c7c205d049780f0008c341092"
    for _, wrong in ipairs { packed:sub(1, 9), "", "\x78\x01\xff\xff", bytes_of "78010302" } do
      assert.equal("inflate: this is not a whole zlib stream", support.failure(inflate, wrong))
    end
    assert.matches("inflate: expected the bytes of a zlib stream, got a nil", support.failure(inflate))
  end)
end)
