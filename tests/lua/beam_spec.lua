-- beam_spec.lua - completions: beam search against every text there is, and against itself written plainly.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local core = require "rondo.native"
local support = dofile "tests/lua/support.lua"

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

-- A model of three symbols with a memory, and weights that make it care: ids 1 line feed, 2 a, 3 b.
local function small_model(unit)
  rondo.manual_seed(5)
  local text = assert(rondo.data.Text.open(support.write(folder .. "/t.txt", "a\nb"), { level = "char" }))
  local model = rondo.Sequential { rondo.OneHot { 3 }, rondo.GRU { 5, num_layers = 2 }, rondo.Linear { 3 } }
  rondo.no_grad(function()
    for i, p in ipairs(model:parameters()) do
      p:fill_normal(0, 1.5, { seed = 6, purpose = "user", layer = i })
    end
  end)
  model.vocab = text.vocab
  if unit then model.text_unit = unit end
  return model
end

-- Log-probabilities of each symbol of `ids` behind `begin`, all at once.
local function log_ps(model, begin, ids)
  local all = table.move(ids, 1, #ids, #begin + 1, table.move(begin, 1, #begin, 1, {}))
  local log_p = model:evaluating(function() return model(rondo.tensor({ all })):log_softmax(-1) end)
  local list = {}
  for t = 1, #ids do list[t] = log_p[{ 1, #begin + t - 1, ids[t] }] end
  return list
end

-- Every text of at most `length` symbols that ends there or before (over(ids)), best first.
local function every_text(model, begin, length, penalty, over)
  local all = {}
  local function go(ids)
    local ended, text = over(ids)
    if #ids > 0 and (ended or #ids == length) then
      local sum = 0.0
      for _, p in ipairs(log_ps(model, begin, ids)) do sum = sum + p end
      all[#all + 1] = { text = ended and text or model.vocab:decode(ids), log_prob = sum, symbols = #ids,
        score = sum / (#ids) ^ penalty }
      return
    end
    for id = 1, 3 do
      local longer = table.move(ids, 1, #ids, 1, {})
      longer[#longer + 1] = id
      go(longer)
    end
  end
  go {}
  table.sort(all, function(a, b) return a.score > b.score end)
  return all
end

local function expect(want, got)
  for i, one in ipairs(got) do
    assert.equal(want[i].text, one.text, i)
    assert.equal(want[i].log_prob, one.log_prob) -- a batch step by step has the bits of a sequence
    assert.equal(want[i].symbols, one.symbols)
    assert.is_true(math.abs(want[i].score - one.score) <= 1e-5 * math.abs(one.score), one.score)
  end
end

local function never() return false end

describe("a beam as wide as there are texts", function()
  it("finds them all, in the order of brute force", function()
    local model = small_model()
    local got = model:complete { prompt = "ab", length = 4, beam = 81 }
    assert.equal(81, #got)
    expect(every_text(model, { 2, 3 }, 4, 1, never), got)
  end)
  for _, penalty in ipairs { 0, 1, 0.6, 2, -1 } do
    it("finds those that end before a stop string, length penalty " .. penalty, function()
      local model = small_model()
      local function over(ids)
        local text = model.vocab:decode(ids)
        local first = text:find("ba", 1, true)
        return first ~= nil, first and text:sub(1, first - 1)
      end
      local want = every_text(model, { 2 }, 4, penalty, over)
      local got = model:complete { prompt = "a", length = 4, beam = 81, length_penalty = penalty, stop = "ba" }
      assert.equal(#want, #got)
      expect(want, got)
    end)
  end
  it("ends lines where the model has learnt lines", function()
    local model = small_model "line"
    local function over(ids)
      return ids[#ids] == 1, model.vocab:decode(ids):sub(1, -2)
    end
    expect(every_text(model, { 1, 2 }, 3, 1, over), model:complete { prompt = "a", length = 3, beam = 27 })
  end)
end)

describe("a narrow beam", function()
  -- Beam search, written plainly, for texts that do not end.
  local function plainly(model, begin, length, width)
    local alive = { { ids = {}, log_prob = 0.0 } }
    for _ = 1, length do
      local all = {}
      for b, h in ipairs(alive) do
        for id = 1, 3 do
          local ids = table.move(h.ids, 1, #h.ids, 1, {})
          ids[#ids + 1] = id
          local p = log_ps(model, begin, ids)
          all[#all + 1] = { ids = ids, log_prob = h.log_prob + p[#p], order = b * 10 + id }
        end
      end
      table.sort(all, function(x, y)
        return x.log_prob > y.log_prob or (x.log_prob == y.log_prob and x.order < y.order)
      end)
      alive = table.move(all, 1, width, 1, {})
    end
    return alive
  end
  for width = 1, 3 do
    it("goes on with the likeliest of each step, width " .. width, function()
      local model = small_model()
      local want = plainly(model, { 2 }, 9, width)
      local got = model:complete { prompt = "a", length = 9, beam = width }
      for i, h in ipairs(want) do
        assert.equal(model.vocab:decode(h.ids), got[i].text)
        assert.equal(h.log_prob, got[i].log_prob)
      end
    end)
  end
  it("of one is greedy writing", function()
    local model, parts = small_model(), {}
    for piece in model:generate { prompt = "a", echo = false, length = 12, greedy = true } do
      parts[#parts + 1] = piece
    end
    assert.equal(table.concat(parts), model:complete({ prompt = "a", length = 12, beam = 1 })[1].text)
  end)
  it("gives the same on any number of threads", function()
    local model = small_model()
    local before = core.threads()
    local one = model:complete { length = 9, beam = 3 }
    core.threads(3)
    local three = model:complete { length = 9, beam = 3 }
    core.threads(before)
    assert.same(one, three)
  end)
end)

describe("a completion", function()
  it("keeps to what is allowed, biased and penalised", function()
    local model = small_model()
    for _, one in ipairs(model:complete { length = 5, beam = 4, allow = "ab" }) do
      assert.matches("^[ab]+$", one.text)
    end
    assert.equal("bbbb", model:complete({ length = 4, logit_bias = { b = 100 } })[1].text)
    assert.equal("", model:complete({ length = 4, beam = 1, logit_bias = { b = 100 }, stop = "b" })[1].text)
    local prefixes = {}
    model:complete { prompt = "a", length = 2, beam = 1, logit_bias = { b = 100 }, allow = function(prefix)
      prefixes[#prefixes + 1] = prefix
    end }
    assert.same({ "a", "ab" }, prefixes)
    local other = model:complete({ prompt = "b", length = 1, beam = 1, repetition_penalty = 100,
      logit_bias = { a = 0.1 } })[1].text
    assert.not_equal("b", other)
  end)
  it("says what is wrong with its options", function()
    local model = small_model()
    local function fails(pattern, options)
      assert.matches(pattern, support.failure(model.complete, model, options))
    end
    fails("complete: option 'beam' must be 1..65536, got 0", { beam = 0 })
    fails("complete: character 'x' .* is not in the vocabulary", { prompt = "x" })
    fails("unknown option 'lenght_penalty' %(did you mean 'length_penalty'%?%)", { lenght_penalty = 1 })
    fails("no text is possible", { allow = "a", logit_bias = { a = -math.huge } })
    model.vocab = nil
    fails("complete: Sequential has no vocabulary; set model.vocab = text.vocab", {})
  end)
end)
