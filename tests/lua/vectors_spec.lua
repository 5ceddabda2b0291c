-- vectors_spec.lua - word vectors from files for a vocabulary.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local load_vectors = rondo.data.load_vectors
local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local function file(text)
  return support.write(folder .. "/vectors.txt", text)
end

local function words(text, how)
  how = how or {}
  how.level = "word"
  return rondo.data.Tokenizer(how):fit { text }.vocab
end

local function row(matrix, vocab, word)
  return matrix:table()[vocab:encode(word)[1]]
end

describe("load_vectors", function()
  local vocab = words "the cat sat . ."
  it("reads GloVe's lines into the rows of a vocabulary", function()
    local matrix, found = load_vectors(file "dog 9 9\nthe 1 2\ncat -0.5 1e-1\r\nthe 7 7\n", vocab)
    assert.equal(2, found)
    assert.same({ #vocab, 2 }, matrix:size())
    assert.same({ 1, 2 }, row(matrix, vocab, "the"))
    assert.is_true(math.abs(row(matrix, vocab, "cat")[2] - 0.1) < 1e-7)
  end)
  it("reads word2vec's heading", function()
    local matrix = load_vectors(file "2 3\nthe 1 2 3\ncat 4 5 6", vocab)
    assert.same({ 4, 5, 6 }, row(matrix, vocab, "cat"))
  end)
  it("draws what the file lacks, around 0 and as far spread, the same for one seed", function()
    local many = {}
    for i = 1, 400 do
      many[i] = "w" .. i
    end
    local large = words("the " .. table.concat(many, " "))
    local path = file "the 3 -4\n"
    local a, b = load_vectors(path, large, { seed = 5 }), load_vectors(path, large, { seed = 5 })
    assert.same(a:table(), b:table())
    local spread = a:norm() / math.sqrt(a:numel())
    assert.is_true(spread > 3.2 and spread < 3.9) -- sqrt((9 + 16) / 2) = 3.54
    assert.is_true(math.abs(a:mean():item()) < 0.5)
  end)
  it("finds words as the vocabulary reads them, and <unk>", function()
    local small = words("the cat", { lowercase = true })
    local matrix, found = load_vectors(file "<unk> 5 5\nThe 1 2\nthe 3 4\n", small)
    assert.equal(2, found)
    assert.same({ 1, 2 }, row(matrix, small, "the"))
    assert.same({ 5, 5 }, matrix:table()[small:special().unk])
  end)
  it("passes over words with spaces", function()
    local matrix, found = load_vectors(file "the 1 2\n. . . 8 8\n. 3 4\n", vocab)
    assert.equal(2, found)
    assert.same({ 3, 4 }, row(matrix, vocab, "."))
  end)
  it("makes an Embedding", function()
    local tokenizer = rondo.data.Tokenizer { level = "word" }:fit { "the cat" }
    local layer = rondo.Embedding { weights = assert(load_vectors(file "the 1 2\n", tokenizer)), frozen = true }
    assert.same({ { { 1, 2 } } }, layer(rondo.tensor { tokenizer:encode "the" }):table())
  end)
  it("says what is wrong with a file, with its line", function()
    local function says(message, text, how)
      local matrix, why, code = load_vectors(file(text), vocab, how)
      assert.same({ nil, folder .. "/vectors.txt" .. message, 3 }, { matrix, why, code })
    end
    says(":2: a word and 2 numbers expected, got 2 fields", "dog 1 2\nthe 1\n")
    says(":2: a word and 2 numbers expected, got 4 fields", "dog 1 2\nthe 1 2 3\n")
    says(":1: a word and 3 numbers expected, got 3 fields", "the 1 2\n", { dim = 3 })
    says(":1: the file has vectors of 3 numbers, not 2", "5 3\nthe 1 2 3\n", { dim = 2 })
    says(":1: 'x2' is no finite number", "the 1 x2\n")
    says(":1: '1e999' is no finite number", "the 1 1e999\n")
    says(":2: its word is not UTF-8", "dog 1 2\nth\xff 1 2\n")
    says(":1: a word and its numbers expected", "the\n")
    says(": has none of the vocabulary's symbols", "dog 1 2\n")
    says(": has none of the vocabulary's symbols", "")
    assert.matches("nowhere: No such file", select(2, load_vectors(folder .. "/nowhere", vocab)))
    assert.matches("Is a directory", select(2, load_vectors(folder, vocab)))
  end)
  it("says what it expects", function()
    assert.matches("load_vectors: expected a path, got a nil", support.failure(load_vectors))
    assert.matches("load_vectors: expected a vocabulary %(text.vocab, model.vocab%) or a fitted tokenizer, got a n",
      support.failure(load_vectors, "x", 3))
    assert.matches("load_vectors: unknown option 'dims'", support.failure(load_vectors, "x", vocab, { dims = 3 }))
  end)
end)
