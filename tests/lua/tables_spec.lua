-- tables_spec.lua - rondo.data.Table and rondo.data.Conll: files of rows and of tagged words.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local errors = require "rondo.errors"
local spans = require "rondo.spans"
local support = dofile "tests/lua/support.lua"

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local function file(name, text)
  return support.write(folder .. "/" .. name, text)
end

local function open(name, text, given)
  return assert(rondo.data.Table.open(file(name, text), given))
end

-- The file is refused with this sentence behind its path.
local function refuses(what, opener, name, text, given)
  local path = file(name, text)
  local made, message, code = opener(path, given)
  assert.is_nil(made)
  assert.equal(path .. ": " .. what, message)
  assert.equal(errors.DATA, code)
end

describe("a table", function()
  it("of tabs has its cells as they are written", function()
    local t = open("a.tsv", 'pos\tsaid "so what" , twice\nneg\t"\n\npos\t\n', { columns = { "label", "text" } })
    assert.equal(3, #t)
    assert.same({ "pos", "neg", "pos" }, t.label)
    assert.same({ 'said "so what" , twice', '"', "" }, t.text)
    assert.equal(folder .. "/a.tsv: 3 rows of label, text", tostring(t))
  end)
  it("of commas may have cells in quotes, with separators, line breaks and quotes in them", function()
    local t = open("a.csv", '\xEF\xBB\xBFname,"of, what",n\r\n"a, b","one\r\ntwo",1\r\n"say ""hi""",,2\r\n"",x,3')
    assert.same({ "name", "of, what", "n" }, t.columns)
    assert.same({ "a, b", 'say "hi"', "" }, t.name)
    assert.same({ "one\ntwo", "", "x" }, t["of, what"])
    assert.same({ "1", "2", "3" }, t.n)
  end)
  it("takes a first line with the names that are asked for as its header", function()
    local text = "month,passengers,note\n1949-01,112,x\n1949-02,118,y\n"
    local t = open("b.csv", text, { columns = { "passengers", "month" } })
    assert.same({ "112", "118" }, t.passengers)
    assert.same({ "passengers", "month" }, t.columns)
    assert.equal(2, #t)
    assert.same({ "month", "1949-01", "1949-02" }, open("b.csv", text, { columns = { "a", "b", "c" } }).a)
    assert.equal(3, #open("b.csv", text, { columns = { "month", "passengers", "note" }, header = false }))
  end)
  it("may have another separator, and no quotes", function()
    assert.same({ "1", "2" }, open("c.txt", "a;b\n1;x\n2;y\n", { separator = ";" }).a)
    assert.same({ '"1"' }, open("c.csv", 'a,b\n"1",x\n', { quotes = false }).a)
    assert.same({ "1\t2" }, open("c.tsv", 'a\tb\n"1\t2"\tx\n', { quotes = true }).a)
  end)
  it("splits into parts, in order or in one of the seed", function()
    local lines = {}
    for i = 1, 20 do lines[i] = i .. "\t" .. i * i end
    local t = open("d.tsv", table.concat(lines, "\n"), { columns = { "i", "square" } })
    local train, valid = t:split { 0.75, 0.25 }
    assert.same({ 15, 5 }, { #train, #valid })
    assert.equal("15", train.i[15])
    assert.same({ "16", "17", "18", "19", "20" }, valid.i)
    local a, b = t:split { 0.75, 0.25, shuffle = true }
    local c = t:split { 0.75, 0.25, shuffle = true }
    local d = t:split { 0.75, 0.25, shuffle = true, seed = 9 }
    assert.same(a.i, c.i)
    assert.not_same(a.i, train.i)
    assert.not_same(a.i, d.i)
    local seen = {}
    for _, part in ipairs { a, b } do
      for k, i in ipairs(part.i) do
        seen[i] = true
        assert.equal(tostring(i * i):gsub("%.0", ""), part.square[k])
      end
    end
    for i = 1, 20 do assert.is_true(seen[tostring(i)]) end
    assert.same({ 6, 6 }, { #t:split { 0.3, 0.3 }, #select(2, t:split { 0.3, 0.3 }) })
  end)
  it("has columns that are called like its methods", function()
    assert.same({ "1" }, open("e.csv", "split,x\n1,2\n"):column "split")
  end)
  it("says where a file is wrong", function()
    local function no(what, name, text, given) refuses(what, rondo.data.Table.open, name, text, given) end
    no("line 2 has 1 column, expected 2 as in line 1", "f.tsv", "a\tb\nc\n", { columns = { "label", "text" } })
    no("its first row has 1 column, expected 2 (label, text)", "f.tsv", "a\n", { columns = { "label", "text" } })
    no("line 3 has 3 columns, expected 2 as in line 1; a cell that holds the separator stands in quotes", "f.csv",
      "a,b\n1,2\n1,2,3\n")
    no("line 2, column 2: the quote that begins this cell is not closed", "f.csv", 'a,b\n1,"2\n3,4\n')
    no("line 2, column 1: something follows the closing quote", "f.csv", 'a,b\n"1"x,2\n')
    no("column 2: the name of a column is 'a' for the second time", "f.csv", "a,a\n1,2\n")
    no("column 2: the name of a column is missing", "f.csv", "a,\n1,2\n")
    no("the header has no column 'txet' (did you mean 'text'?)", "f.csv", "label,text\n1,2\n",
      { columns = { "txet" }, header = true })
    no("the header has no column 'zzzzzzzz'; it has label, text", "f.csv", "label,text\n1,2\n",
      { columns = { "zzzzzzzz" }, header = true })
    no("without a header its 2 columns need names; give columns = { ... }", "f.csv", "1,2\n", { header = false })
    no("there are no rows in it", "f.csv", "")
    no("there are no rows in it", "f.csv", "a,b\n")
    local made, message = rondo.data.Table.open(folder .. "/none.csv")
    assert.is_nil(made)
    assert.matches("none.csv': No such file or directory", message, 1, true)
  end)
  it("says what is wrong with a call", function()
    local function says(text, f, ...) assert.matches(text, support.failure(f, ...), 1, true) end
    local Table = rondo.data.Table
    says("Table.open: expected a path, got a table", Table.open, {})
    says("Table.open: columns are names, got a number at place 1", Table.open, "x", { columns = { 1 } })
    says('Table.open: the separator is one character of ASCII, no quote or line break; got ""', Table.open, "x",
      { separator = "" })
    local t = open("g.csv", "label,text\n1,2\n")
    says("has no column 'lable' (did you mean 'label'?)", function() return t.lable end)
    says("has no column 'zzzzzzzz'; columns are label, text", function() return t.zzzzzzzz end)
    says("has no column 'x'", t.column, t, "x")
    says("split: expected a list of shares, as in split { 0.9, 0.1, shuffle = true }, got a number", t.split, t, 0.9)
    says("split: share 1 must be a number over 0 and at most 1, got 2", t.split, t, { 2 })
    says("split: expected shares that make at most 1, as in split { 0.9, 0.1 }, got 1.5", t.split, t, { 0.9, 0.6 })
    says("split: expected shares that make at most 1, as in split { 0.9, 0.1 }, got none", t.split, t, {})
  end)
end)

describe("a file of tagged words", function()
  local Conll = rondo.data.Conll
  it("has a sentence between empty lines", function()
    local d = assert(Conll.open(file("a.conll", "Ada\tB-person\nlives\tO\n\n \nin\tO\nLondon\tB-location\r\n"),
      { word = 1, tag = -1 }))
    assert.equal(2, #d)
    assert.same({ { "Ada", "lives" }, { "in", "London" } }, d.words)
    assert.same({ { "B-person", "O" }, { "O", "B-location" } }, d.tags)
    assert.equal(folder .. "/a.conll: 2 sentences, 4 words", tostring(d))
  end)
  it("may have more columns, parted by blanks, and borders of documents", function()
    local d = assert(Conll.open(file("b.conll", "-DOCSTART- -X- O O\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\n"
      .. "-DOCSTART- -X- O O\n\n#1 CD I-NP O\n")))
    assert.same({ { "EU", "rejects" }, { "#1" } }, d.words)
    assert.same({ { "I-ORG", "O" }, { "O" } }, d.tags)
    assert.same({ { "NNP", "VBZ" }, { "CD" } }, assert(Conll.open(folder .. "/b.conll", { tag = 2 })).tags)
  end)
  it("has comments where tabs part the columns", function()
    local d = assert(Conll.open(file("c.conll", "# text = Hi you\n1\tHi\tX\n# in between\n2\t#you\tY\n"),
      { word = 2, tag = 3 }))
    assert.same({ { "Hi", "#you" } }, d.words)
  end)
  it("writes tags in the scheme that is asked for", function()
    local text = "a\tI-x\nb\tI-x\nc\tB-x\nd\tI-y\ne\tO\nf\tI-x\n"
    local function tags(scheme)
      return table.concat(assert(Conll.open(file("d.conll", text), { scheme = scheme })).tags[1], " ")
    end
    assert.equal("I-x I-x B-x I-y O I-x", tags "keep")
    assert.equal("B-x I-x B-x B-y O B-x", tags "iob2")
    assert.equal("B-x E-x S-x S-y O S-x", tags "bioes")
    assert.equal("I-x I-x B-x I-y O I-x", tags "iob1")
  end)
  it("that is wrong is refused by its line", function()
    refuses("line 2: column -1 (the tag) is empty; it has 2", Conll.open, "e.conll", "a\tO\nb\t\n")
    refuses("line 2: column 2 (the tag) is missing; it has 1", Conll.open, "e.conll", "a O\nb\n", { tag = 2 })
    refuses("line 1: column 3 (the word) is missing; it has 2", Conll.open, "e.conll", "a O\n", { word = 3 })
    refuses("there are no sentences in it", Conll.open, "e.conll", "\n\n# nothing\n")
    local made, message = Conll.open(folder .. "/none.conll")
    assert.is_nil(made)
    assert.matches("No such file", message, 1, true)
    assert.matches("Conll.open: expected a path, got a nil", support.failure(Conll.open), 1, true)
    assert.matches("Conll.open: option 'tag' counts columns from 1, or from the last with -1; got 0",
      support.failure(Conll.open, "x", { tag = 0 }), 1, true)
  end)
end)

describe("spans", function()
  it("of any scheme come back from any other", function()
    local tags = { "B-a", "I-a", "B-a", "O", "B-b", "B-c", "I-c", "I-c", "O", "B-a" }
    for _, one in ipairs(spans.schemes) do
      for _, other in ipairs(spans.schemes) do
        assert.same(tags, spans.convert(spans.convert(spans.convert(tags, one), other), "iob2"))
      end
    end
    assert.same({ { "a", 1, 2 }, { "a", 3, 3 }, { "b", 5, 5 }, { "c", 6, 8 }, { "a", 10, 10 } }, spans.of(tags))
  end)
  it("may have types with hyphens, or none", function()
    assert.same({ { "creative-work", 1, 2 } }, spans.of { "B-creative-work", "I-creative-work" })
    assert.same({ { "", 1, 2 }, { "", 3, 3 } }, spans.of { "B", "I", "B" })
    assert.same({ "B", "E", "S" }, spans.convert({ "B", "I", "B" }, "bioes"))
  end)
end)
