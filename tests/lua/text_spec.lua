-- text_spec.lua - texts, batches of them, n-grams, generation.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"
local errors = require "rondo.errors"

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local function text_of(content, level)
  return assert(rondo.data.Text.open(support.write(folder .. "/t.txt", content), { level = level }))
end

describe("a text", function()
  it("has symbols in ascending order as ids from 1", function()
    local text = text_of "cab\u{e9}a"
    assert.equal(5, #text)
    assert.equal(4, #text.vocab)
    assert.same({ 3, 1, 2, 4, 1 }, text:ids(1, 5))
  end)
  it("splits in its order with one vocabulary", function()
    local train, valid = text_of("abcdefghba"):split(0.8)
    assert.equal(8, #train)
    assert.equal(2, #valid)
    assert.same({ 2, 1 }, valid:ids(1, 2))
  end)
  it("that cannot be read gives nil, a sentence and 3", function()
    local text, message, code = rondo.data.Text.open(folder .. "/nothing.txt")
    assert.is_nil(text)
    assert.matches("nothing.txt", message)
    assert.equal(3, code)
    support.write(folder .. "/empty.txt", "")
    assert.is_nil(rondo.data.Text.open(folder .. "/empty.txt"))
    support.write(folder .. "/one.txt", "x")
    assert.matches("has 1 symbol", select(2, rondo.data.Text.open(folder .. "/one.txt")))
    support.write(folder .. "/latin1.txt", "caf\xe9")
    assert.matches("not UTF%-8.*offset 3", select(2, rondo.data.Text.open(folder .. "/latin1.txt")))
    assert.equal(4, #rondo.data.Text.open(folder .. "/latin1.txt", { level = "byte" }))
  end)
end)

describe("stateful batches", function()
  it("read one stretch a row, and y is x one symbol on", function()
    local seen = {}
    for x, y, info in text_of("abcdefghijklm"):sequences { seq_len = 3, batch_size = 2, stateful = true } do
      seen[#seen + 1] = { x:table(), y:table(), info.index }
    end
    assert.same({
      { { { 1, 2, 3 }, { 7, 8, 9 } }, { { 2, 3, 4 }, { 8, 9, 10 } }, 1 },
      { { { 4, 5, 6 }, { 10, 11, 12 } }, { { 5, 6, 7 }, { 11, 12, 13 } }, 2 },
    }, seen)
  end)
end)

describe("shuffled batches", function()
  it("hold each sequence once, in another order each epoch", function()
    local source = text_of("abcdefghijklmnopqrstu"):sequences { seq_len = 2, batch_size = 2 }
    local function firsts(epoch)
      local list = {}
      for k = 1, #source do
        for _, row in ipairs(source:batch(k, epoch):table()) do
          list[#list + 1] = row[1]
        end
      end
      return list
    end
    local one, two = firsts(1), firsts(2)
    assert.not_same(one, two)
    assert.same(one, firsts(1))
    table.sort(one)
    table.sort(two)
    assert.same({ 1, 3, 5, 7, 9, 11, 13, 15, 17, 19 }, one)
    assert.same(one, two)
  end)
end)

describe("a short text", function()
  it("gets a smaller batch, with a notice", function()
    local notice
    errors.on_notice = function(message) notice = message end
    local source = text_of("abcdefghijk"):sequences { seq_len = 3, batch_size = 8 }
    errors.on_notice = nil
    assert.matches("has 11 symbols: batch_size is 3 instead of 8", notice)
    assert.same({ 3, 3 }, source:batch(1, 1):size())
  end)
  it("is refused with the numbers where no sequence fits", function()
    local failure = support.failure(function() text_of("abcdef"):sequences { seq_len = 10 } end)
    assert.matches("has 6 symbols, and one sequence of seq_len 10 needs 11", tostring(failure))
    assert.equal(3, failure.code)
  end)
end)

describe("n-grams", function()
  -- By hand: training "aab", validation "ab", V = 2. n = 1: p(b) = (1 + 2/2) / (3 + 2) = 2/5.
  -- n = 2: after a come a and b once each: p(b | a) = (1 + 2 * 2/5) / (2 + 2) = 9/20.
  it("are Witten and Bell's", function()
    local text = text_of "aabab"
    local train = text:split(0.6)
    local _, valid = text:split(0.6)
    local nats = rondo.data.ngram.nats(train, valid, 2)
    assert.is_true(math.abs(nats[1] + math.log(2 / 5)) < 1e-12)
    assert.is_true(math.abs(nats[2] + math.log(9 / 20)) < 1e-12)
  end)
end)

describe("generation", function()
  local function model_of(text)
    rondo.manual_seed(2)
    local model = rondo.Sequential { rondo.OneHot { #text.vocab }, rondo.GRU { 6 }, rondo.Linear { #text.vocab } }
    model.vocab = text.vocab
    return model
  end
  local function write(model, options)
    local pieces = {}
    for piece in model:generate(options) do
      pieces[#pieces + 1] = piece
    end
    return table.concat(pieces), pieces
  end
  it("is the same for the same seed, and begins with the prompt", function()
    local model = model_of(text_of "abcdef")
    local a = write(model, { prompt = "abc", length = 30, seed = 7 })
    assert.equal(a, write(model, { prompt = "abc", length = 30, seed = 7 }))
    assert.not_equal(a, write(model, { prompt = "abc", length = 30, seed = 8 }))
    assert.equal("abc", a:sub(1, 3))
    assert.equal(33, #a)
  end)
  it("greedy needs no seed", function()
    local model = model_of(text_of "abcdef")
    assert.equal(write(model, { prompt = "a", length = 20, greedy = true }),
      write(model, { prompt = "a", length = 20, temperature = 0 }))
  end)
  it("never cuts a character of a byte-level model", function()
    -- A model that knows one text by heart: after each byte of "x\u{e9}\u{20ac}" the next one.
    local text = text_of("x\u{e9}\u{20ac}x", "byte")
    local follows = { [1] = 5, [5] = 3, [3] = 6, [6] = 2, [2] = 4, [4] = 1 }
    local Parrot = rondo.Module "Parrot"
    function Parrot.advance(_, x)
      local logits = rondo.zeros(1, 6)
      logits[{ 1, follows[math.tointeger(x[{ 1, x:size(2) }])] }] = 9
      return logits
    end
    local model = Parrot()
    model.vocab = text.vocab
    local all, pieces = write(model, { prompt = "x", length = 4, greedy = true })
    assert.equal("x\u{e9}\u{20ac}", all)
    assert.same({ "x", "\u{e9}", "\u{20ac}" }, pieces)
  end)
  it("knows where a character ends", function()
    local whole = require("rondo.generate").whole
    assert.equal(0, whole "\xe2\x82")
    assert.equal(3, whole "\xe2\x82\xac")
    assert.equal(1, whole "a\xf0\x9f\x98")
    assert.equal(2, whole "ab")
  end)
  it("leaves training mode and recording as they were", function()
    local model = model_of(text_of "abc")
    for _ in model:generate { prompt = "a", length = 1, seed = 1 } do
      assert.is_true(model.training)
      assert.is_true(model(rondo.ones(1, 1)).requires_grad)
    end
  end)
  it("says which symbol the vocabulary lacks", function()
    local model = model_of(text_of "abc")
    assert.matches("'z' %(U%+007A%) at position 2 is not in the vocabulary",
      support.failure(function() return model:generate { prompt = "az" } end))
  end)
end)
