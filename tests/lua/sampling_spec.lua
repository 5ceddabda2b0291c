-- sampling_spec.lua - writing a text: filters in order, penalties, bias, allowed symbols, stop strings, samples.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local core = require "rondo.native"
local support = dofile "tests/lua/support.lua"

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local function text_of(content, options)
  return assert(rondo.data.Text.open(support.write(folder .. "/t.txt", content), options))
end

-- A model whose logits are a fixed table by the last id: logits[id] = { ... }.
local function model_of(text, logits)
  local Table = rondo.Module "Table"
  function Table.advance(_, x)
    local row = logits[math.tointeger(x[{ 1, x:size(2) }])]
    return rondo.tensor(row, { 1, #row })
  end
  local model = Table()
  model.vocab = text.vocab
  return model
end

local function written(model, options)
  local parts = {}
  for piece in model:generate(options) do
    assert.is_truthy(utf8.len(piece), "a character was cut")
    parts[#parts + 1] = piece
  end
  return table.concat(parts), parts
end

local function fails(pattern, model, options)
  assert.matches(pattern, support.failure(function()
    model:generate(options)()
  end))
end

-- ---- all of it, plainly: Lua's doubles ------------------------------------------------------------------

local function sorted(key)
  local order = {}
  for id = 1, #key do order[id] = id end
  table.sort(order, function(a, b) return key[a] > key[b] or (key[a] == key[b] and a < b) end)
  return order
end

local function keep(p, key, most, share)
  local all, sum, kept = 0, 0, {}
  for _, x in ipairs(p) do all = all + x end
  for n, id in ipairs(sorted(key)) do
    if n > most or (n > 1 and sum >= share * all) then break end
    kept[id], sum = true, sum + p[id]
  end
  for id = 1, #p do p[id] = kept[id] and p[id] or 0 end
end

local function drawn_plainly(row, seen, o, u)
  local x, p, key, all, entropy, largest = {}, {}, {}, 0, 0, 0
  for id, logit in ipairs(row) do
    x[id] = seen[id] and (logit > 0 and logit / o.repetition_penalty or logit * o.repetition_penalty) or logit
    x[id] = x[id] + (o.logit_bias[id] or 0)
    x[id] = o.allowed[id] and x[id] or -math.huge
    p[id] = math.exp(x[id] / o.temperature)
  end
  keep(p, p, o.top_k, math.huge)
  for _, w in ipairs(p) do all = all + w end
  for id, w in ipairs(p) do entropy = entropy - (w > 0 and w / all * math.log(w / all) or 0); key[id] = 0 end
  for id, w in ipairs(p) do key[id] = w > 0 and -math.abs(-math.log(w / all) - entropy) or -math.huge end
  keep(p, key, #p, o.typical_p)
  keep(p, p, #p, o.top_p)
  for _, w in ipairs(p) do largest = math.max(largest, w) end
  all = 0
  for id, w in ipairs(p) do p[id] = w < o.min_p * largest and 0 or w; all = all + p[id] end
  local sum = 0
  for id, w in ipairs(p) do
    sum = sum + w
    if w > 0 and sum > u * all then return id end
  end
end

describe("a text that is drawn", function()
  it("is that of a plain reference, with all filters in the documented order", function()
    local text = text_of "abcdefghijklmnop"
    local logits = {}
    for i = 1, 16 do
      logits[i] = {}
      for j = 1, 16 do
        logits[i][j] = 6 * core.uniform({ seed = 9, purpose = "user", time = i }, 0, j) - 2
      end
    end
    local allowed = {}
    for id = 1, 14 do allowed[id] = true end
    local o = { temperature = 1.3, top_k = 11, typical_p = 0.9, top_p = 0.85, min_p = 0.1, repetition_penalty = 1.2,
      logit_bias = { [3] = 1.5, [5] = -math.huge }, allowed = allowed }
    local seen, last, want = { true }, 1, {}
    for t = 1, 300 do
      last = drawn_plainly(logits[last], seen, o, core.uniform({ seed = 4, purpose = "sample", time = t - 1 }, 0, 0))
      want[t], seen[last] = text.vocab:decode(last), true
    end
    local got = written(model_of(text, logits), { prompt = "a", echo = false, length = 300, seed = 4,
      temperature = o.temperature, top_k = o.top_k, typical_p = o.typical_p, top_p = o.top_p, min_p = o.min_p,
      repetition_penalty = o.repetition_penalty, logit_bias = { c = 1.5, [5] = -math.huge }, allow = "abcdefghijklmn" })
    assert.equal(table.concat(want), got)
    assert.is_true(#got:gsub("(.)", function(c) return got:find(c, 1, true) and "" end) == 0)
  end)
  it("is another for each sample of a seed, and the first is that without a number", function()
    local model = model_of(text_of "abcd", { { 0, 0, 0, 0 }, { 0, 0, 0, 0 }, { 0, 0, 0, 0 }, { 0, 0, 0, 0 } })
    local one = written(model, { length = 40, seed = 7 })
    local two = written(model, { length = 40, seed = 7, sample = 2 })
    assert.equal(one, (written(model, { length = 40, seed = 7, sample = 1 })))
    assert.equal(two, (written(model, { length = 40, seed = 7, sample = 2 })))
    assert.not_equal(one, two)
    assert.not_equal(two, (written(model, { length = 40, seed = 8 })))
  end)
end)

describe("the repetition penalty", function()
  local flat = { { 2, 2, 2 }, { 2, 2, 2 }, { 2, 2, 2 } }
  it("keeps off what has occurred, the prompt too", function()
    local model = model_of(text_of "abc", flat)
    assert.equal("abca", (written(model, { prompt = "a", length = 3, greedy = true, repetition_penalty = 2 })))
  end)
  it("does not count the symbol that a text begins after", function()
    local model = model_of(text_of "\nab", flat)
    assert.equal("\nab", (written(model, { length = 3, greedy = true, repetition_penalty = 2 })))
  end)
  it("looks back over a window", function()
    local model = model_of(text_of "abc", flat)
    assert.equal("ababab", (written(model, { prompt = "a", length = 5, greedy = true, repetition_penalty = 2,
      repetition_window = 1 })))
  end)
end)

describe("the bias of logits", function()
  it("is by symbol, also of words and byte pairs, by name and by id", function()
    local words = text_of("in the beginning", { level = "word", eos = true })
    local row = { 0, 0, 0, 0, 0 }
    local model = model_of(words, { row, row, row, row, row })
    local n = words.vocab:encode("the")[1]
    assert.equal(" the", (written(model, { prompt = "in", echo = false, length = 1, greedy = true,
      logit_bias = { the = 1 } })))
    assert.equal(" the", (written(model, { prompt = "in", echo = false, length = 1, greedy = true,
      logit_bias = { [n] = 1 } })))
    assert.equal("\n", (written(model, { prompt = "in", echo = false, length = 1, greedy = true,
      logit_bias = { ["<eos>"] = 1 } })))
  end)
  it("says what is wrong with it", function()
    local model = model_of(text_of "abc", { { 1, 1, 1 } })
    fails('logit_bias: "ab" is 2 symbols of this vocabulary; give one, or its id', model, { logit_bias = { ab = 1 } })
    fails("logit_bias: character 'x' .* is not in the vocabulary", model, { logit_bias = { x = 1 } })
    fails('logit_bias of "a" must be a number or %-math.huge, got inf', model, { logit_bias = { a = math.huge } })
    fails("logit_bias: ids are 1..3, got 4", model, { logit_bias = { [4] = 1 } })
    fails("logit_bias is by symbol or id, got a boolean as a key", model, { logit_bias = { [true] = 1 } })
    local words = model_of(text_of("a b", { level = "word" }), { { 1, 1, 1 } })
    fails('logit_bias: "c" is not in the vocabulary', words, { logit_bias = { c = 1 } })
  end)
end)

describe("allowed symbols", function()
  local flat = { { 3, 2, 1 }, { 3, 2, 1 }, { 3, 2, 1 } }
  it("are asked for before each symbol, with the text so far", function()
    local seen = {}
    local model = model_of(text_of "abc", flat)
    local out = written(model, { prompt = "c", length = 4, greedy = true, allow = function(prefix)
      seen[#seen + 1] = prefix
      if #prefix == 4 then return nil end
      return #prefix % 2 == 0 and "bc" or { 3 }
    end })
    assert.equal("ccbca", out)
    assert.same({ "c", "cc", "ccb", "ccbc" }, seen)
  end)
  it("may be a text of them or a list of ids", function()
    local model = model_of(text_of "abc", flat)
    assert.equal("bbb", (written(model, { length = 3, greedy = true, allow = "cb" })))
    assert.equal("ccc", (written(model, { length = 3, greedy = true, allow = { 3 } })))
  end)
  it("say what is wrong with them", function()
    local model = model_of(text_of "abc", flat)
    fails("allow: character 'x' .* is not in the vocabulary", model, { allow = "x" })
    fails("allow leaves no symbol to write", model, { allow = function() return {} end })
    fails("allow: ids are 1..3, got 4", model, { allow = { 4 } })
    fails("allow must be a text of symbols, a list of ids or a function that returns one, got a number", model,
      { allow = 3 })
    fails("sampling_spec.lua:%d+: mine", model, { allow = function() error "mine" end })
  end)
end)

describe("a stop string", function()
  -- Writes the symbols of `list` over and over.
  local function parrot(content, options)
    local text = text_of(content, options)
    local ids, at = text.vocab:encode(content), 0
    local Parrot = rondo.Module "Parrot"
    function Parrot.advance()
      at = at % #ids + 1
      local logits = rondo.zeros(1, #text.vocab)
      logits[{ 1, ids[at] }] = 9
      return logits
    end
    local model = Parrot()
    model.vocab = text.vocab
    return function(stop, length)
      at = 0
      return written(model, { stop = stop, length = length or 30, greedy = true })
    end
  end
  it("ends the text before it, across pieces", function()
    local write = parrot "abcabdab"
    assert.equal("abc", (write "abd"))
    assert.equal("abcabda", (write("bab", 12)))
    assert.equal("", (write "abc"))
    local text, pieces = write("abd", 30)
    assert.equal("abc", text)
    assert.same({ "a", "b", "c" }, { pieces[1]:sub(1, 1), text:sub(2, 2), text:sub(3, 3) })
  end)
  it("that does not come about is written after all", function()
    local write = parrot "abcabdab"
    assert.equal("abcab", (write("abx", 5)))
    assert.equal("abcabdab", (write("zz", 8)))
  end)
  it("of several is the first to be complete, the longest of those", function()
    local write = parrot "abcabdab"
    assert.equal("abca", (write { "cabdab", "bd" }))
    assert.equal("a", (write { "c", "bc" }))
    assert.equal("ab", (write { "cabd", "ca" }))
  end)
  it("may be of several bytes and never leaves half a character", function()
    local write = parrot("\u{e9}\u{f3}a", { level = "byte" })
    assert.equal("\u{e9}", (write("\u{f3}", 6)))
    assert.equal("\u{e9}\u{f3}a\u{e9}", (write("\u{f3}\u{e9}", 7)))
  end)
  it("lies across words and within pieces", function()
    assert.equal("in", (parrot("in the beginning", { level = "word" })(" the b")))
    local text = ("in the beginning "):rep(40)
    assert.equal("in the be", (parrot(text, { level = "bpe", vocab_size = 290 })("gin", 200)))
  end)
  it("that is none is an error", function()
    local model = model_of(text_of "abc", { { 1, 1, 1 } })
    fails("stop must be a text or a list of texts, got a number", model, { stop = 3 })
    fails('stop: expected texts that are not empty, got ""', model, { stop = { "a", "" } })
    fails("stop: expected texts that are not empty, got a number", model, { stop = { 3 } })
  end)
end)

describe("options of drawing", function()
  it("have their ranges", function()
    local model = model_of(text_of "abc", { { 1, 1, 1 } })
    fails("'typical_p' must be greater than 0 and at most 1, got 0", model, { typical_p = 0 })
    fails("'min_p' must be 0..1, got 2", model, { min_p = 2 })
    fails("'repetition_penalty' must be 0.01..100, got 0", model, { repetition_penalty = 0 })
    fails("'sample' must be 1..4294967295, got 0", model, { sample = 0 })
    fails("unknown option 'typical' %(did you mean 'typical_p'%?%)", model, { typical = 1 })
  end)
end)
