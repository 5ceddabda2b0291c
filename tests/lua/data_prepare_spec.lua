-- data_prepare_spec.lua - what each prepare function makes of a small download.
-- SPDX-License-Identifier: MIT
local prepare = require "rondo.data.prepare"

describe("prepare", function()
  it("puts a header before lines, or in place of them", function()
    assert.equal("h\n1\n2\n", prepare.header({ "1\r\n2" }, { header = "h" }))
    assert.equal("h\n2\n", prepare.header({ "1\n2\n" }, { header = "h", skip = 1 }))
  end)
  it("writes years as months", function()
    assert.equal("month,x\n1949-01,112\n1949-12,1.5\n1950-01,3\n", prepare.monthly({
      "rownames,time,value\n1,1949,112\n12,1949.91666666667,1.5\n13,1950,3\n" }, { header = "month,x" }))
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
end)
