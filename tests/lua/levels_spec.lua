-- levels_spec.lua - vocabularies of every level, and tokenizers.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"
local errors = require "rondo.errors"

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local function text_of(content, options)
  return assert(rondo.data.Text.open(support.write(folder .. "/t.txt", content), options))
end

local function notices(f)
  local list = {}
  errors.on_notice = function(message) list[#list + 1] = message end
  local ok, result = pcall(f)
  errors.on_notice = nil
  assert(ok, result)
  return table.concat(list, "\n"), result
end

describe("the vocabulary", function()
  it("is that of the training part", function()
    local text = text_of "aabbaabbzz"
    local train, valid = text:split(0.8)
    assert.equal(2, #text.vocab)
    assert.equal(0, train:lacking())
    assert.equal(2, valid:lacking())
    assert.same({ 0, 0 }, valid:ids(1, 2))
  end)
  it("maps to <unk> what only the validation part has, and says so", function()
    local _, valid = text_of("aabbaabbzza", { unk = true }):split(0.8)
    local message = notices(function() return valid:sequences { seq_len = 1, batch_size = 1 } end)
    assert.matches("2 of the 3 symbols of the validation part are not in the vocabulary; they are read as <unk>",
      message)
    _, valid = text_of("aabbaabbzza"):split(0.8)
    message = notices(function() return valid:sequences { seq_len = 1, batch_size = 1 } end)
    assert.matches("they do not count %(id 0%)", message)
  end)
  it("that was in use before the split stays, with a notice", function()
    local text = text_of "aabbz"
    assert.equal(3, #text.vocab)
    assert.matches("in use before the text was split like this: it stays that of bytes 1%.%.5", notices(function()
      return text:split(0.8)
    end))
    assert.equal(3, #text.vocab)
  end)
  it("may be one there is", function()
    local text = text_of("b a b", { level = "word" })
    local other = text_of("a b c", { vocab = text.vocab })
    assert.equal("word", other.level)
    assert.same({ 3, 2, 1 }, other:ids(1, 3)) -- <unk> b a
  end)
  it("that there is comes alone", function()
    local text = text_of "ab"
    local function fails(message, options)
      assert.matches(message, support.failure(function() return text_of("ab", options) end))
    end
    fails("a vocabulary has its own level and options; leave out 'level'", { vocab = text.vocab, level = "char" })
    fails("vocab must be a vocabulary .* or a fitted tokenizer, got a string", { vocab = "ab" })
    fails("vocab must be a vocabulary .* or a fitted tokenizer, got a table", { vocab = rondo.data.Tokenizer() })
  end)
  it("of a level refuses the options of another", function()
    local function fails(message, options)
      assert.matches(message, support.failure(function() return text_of("ab", options) end))
    end
    fails("'vocab_size' is of level bpe; 'max_vocab' limits level char", { vocab_size = 300 })
    fails("'max_vocab' is not of level bpe", { level = "bpe", max_vocab = 300 })
    fails("'punctuation' is of level word, not of level char", { punctuation = true })
    fails("'unk' is not of level bpe, which lacks nothing", { level = "bpe", unk = true })
  end)
end)

describe("a text of byte pairs", function()
  it("splits at a border, and its parts have the symbols of the whole", function()
    local text = text_of(support.sentences(200), { level = "bpe", vocab_size = 290 })
    local train, valid = text:split(0.7)
    assert.equal(#text, #train + #valid)
    assert.equal(290, #text.vocab)
    local from, to = valid:range()
    assert.equal(text.vocab:decode(valid:ids(1, #valid)), support.read(folder .. "/t.txt"):sub(from + 1, to))
  end)
  it("comes back from every string", function()
    local tok = rondo.data.Tokenizer { level = "bpe", vocab_size = 300 }:fit { support.sentences(50) }
    local all = {}
    for byte = 0, 255 do all[#all + 1] = string.char(byte) end
    for _, s in ipairs { "", "caf\u{e9} \u{1F3B5}\n", table.concat(all), "\0\xff \xc3", ("x"):rep(999) } do
      assert.equal(s, tok:decode(tok:encode(s)))
    end
  end)
end)

describe("a tokenizer", function()
  it("takes its words from a list of strings", function()
    local tok = rondo.data.Tokenizer { level = "word", lowercase = true, max_vocab = 4 }
    assert.equal(tok, tok:fit { "Not bad", "not good not" })
    assert.equal(4, #tok.vocab) -- <unk> not bad good
    assert.same({ 2, 3, 1 }, tok:encode "NOT bad movie")
    assert.equal("not bad <unk>", tok:decode { 2, 3, 1 })
    assert.same({ { 2, 3 }, { 4 } }, tok:encode_all({ "not bad at all", "good" }, { max_len = 2 }))
  end)
  it("puts <eos> behind, <bos> before what a decoder reads, and reads up to <eos>", function()
    local tok = rondo.data.Tokenizer { level = "word", bos = true, eos = true }:fit { "b a" }
    assert.same({ 4, 5, 3 }, tok:encode "a b")
    assert.same({ { 2, 4, 5 }, { 2 } }, tok:shifted { "a b", "" })
    assert.same({ { 2, 4 } }, tok:shifted({ "a b" }, { max_len = 2 }))
    assert.equal("a b", tok:decode { 2, 4, 5, 3, 4 })
    assert.equal("a b", tok:decode(rondo.tensor { 2, 4, 5, 3 }))
  end)
  it("may have a vocabulary there is", function()
    local first = rondo.data.Tokenizer { level = "word" }:fit { "a b" }
    local second = rondo.data.Tokenizer { vocab = first.vocab }
    assert.equal("word", second.level)
    assert.same(first:encode "b a c", second:encode "b a c")
  end)
  it("goes into a Trainer's checkpoints, and its ids into predict", function()
    local tok = rondo.data.Tokenizer { level = "word" }:fit { "a b" }
    local model = rondo.Sequential { rondo.Embedding { #tok.vocab, 2 }, rondo.Linear { 2 } }
    rondo.Trainer { model = model, tokenizer = tok, loss = rondo.CrossEntropyLoss(),
      optimizer = rondo.optim.SGD { lr = 0.1 }, quiet = true }
    assert.equal(tok.vocab, model.vocab)
    assert.same({ 1, 2, 2 }, model:predict(tok:encode "b a"):size())
    assert.matches("tokenizer must be made by rondo.data.Tokenizer, and fitted", support.failure(function()
      rondo.Trainer { model = model, tokenizer = {}, loss = rondo.CrossEntropyLoss(),
        optimizer = rondo.optim.SGD { lr = 0.1 } }
    end))
  end)
  it("takes its words from a text", function()
    local train = text_of("a b c d", { level = "word" }):split(0.5)
    assert.equal(3, #rondo.data.Tokenizer { level = "word" }:fit(train).vocab)
  end)
  it("says what is wrong with what it was given", function()
    local function fails(message, f)
      assert.matches(message, support.failure(f))
    end
    local tok = rondo.data.Tokenizer { level = "char" }
    local function fresh() return rondo.data.Tokenizer { level = "char" } end
    fails("no vocabulary yet; call tok:fit", function() tok:encode "a" end)
    fails("entry 2 is a number, expected a string", function() tok:fit { "a", 1 } end)
    fails("the list of strings is empty", function() tok:fit {} end)
    fails("expected a list of strings or a Text, got a string", function() tok:fit "abc" end)
    fails("shifted: the tokenizer has no <bos>", function() fresh():fit({ "a" }):shifted { "a" } end)
    fails("encode: character 'b' .* is not in the vocabulary", function() fresh():fit({ "a" }):encode "ab" end)
    fails("encode: expected a string, got a nil", function() tok:encode() end)
    fails("fit: the tokenizer has its vocabulary already", function() fresh():fit({ "a" }):fit { "b" } end)
  end)
end)
