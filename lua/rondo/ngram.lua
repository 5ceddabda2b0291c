-- ngram.lua - what a model must beat: n-grams with Witten-Bell smoothing on the same split.
--
-- p_n(s | h) = (c(h s) + t(h) p_{n-1}(s | h')) / (c(h) + t(h)), where t(h) is the number of different symbols
-- seen after h and h' is h without its first symbol (Witten & Bell 1991, method C, interpolated); p_0 = 1/V.
-- One order at a time: only its counts and one probability per validation symbol are in memory. Symbols that
-- the vocabulary lacks (id 0) are context like any other, and are not predicted.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local expect = require "rondo.expect"
local progress = require "rondo.progress"
local text_module = require "rondo.data.text"

local ngram = {}

local CHUNK = 65536

-- Calls f(id) for every symbol of a text, in order.
local function each(text, f)
  local n = #text
  for from = 1, n, CHUNK do
    local ids = text:ids(from, math.min(CHUNK, n - from + 1))
    for i = 1, #ids do
      f(ids[i])
    end
  end
end

-- Counts of all sequences of n symbols; a sequence is one integer in base `base`.
local function count(text, n, base)
  local counts, key, seen, modulus = {}, 0, 0, math.tointeger(base ^ n)
  each(text, function(id)
    key = (key * base + id) % modulus
    seen = seen + 1
    if seen >= n then
      counts[key] = (counts[key] or 0) + 1
    end
  end)
  return counts
end

-- Totals and kinds of what follows each context.
local function contexts(counts, base)
  local total, kinds = {}, {}
  for key, c in pairs(counts) do
    local h = key // base
    total[h] = (total[h] or 0) + c
    kinds[h] = (kinds[h] or 0) + 1
  end
  return total, kinds
end

-- Replaces p_{n-1} by p_n at each position of the validation part that has n-1 symbols before it.
local function raise_order(text, n, base, counts, p)
  local total, kinds = contexts(counts, base)
  local key, i, modulus = 0, 0, math.tointeger(base ^ n)
  each(text, function(id)
    key = (key * base + id) % modulus
    i = i + 1
    local h = key // base
    local all = i >= n and total[h]
    if all then
      local t = kinds[h]
      p[i] = ((counts[key] or 0) + t * p[i]) / (all + t)
    end
  end)
end

local function mean_nats(p, known)
  local sum, n = 0.0, 0
  for i = 2, #p do -- the first symbol has no context in any model
    if known[i] ~= false then
      sum, n = sum - math.log(p[i]), n + 1
    end
  end
  return sum / math.max(n, 1)
end

-- Largest order whose sequences fit an integer.
local function fitting(base, order)
  while order > 1 and base ^ order >= 2.0 ^ 62 do
    order = order - 1
  end
  return order
end

-- Nats per symbol of the validation part for n = 1..order: a list.
function ngram.nats(train, valid, order)
  order = order or 5
  if math.type(order) ~= "integer" or order < 1 or order > 8 then
    errors.raise("ngram: the order must be an integer 1..8, got %s", tostring(order))
  end
  if not (text_module.is_text(train) and text_module.is_text(valid)) then
    errors.raise("ngram: expected two texts (data.Text.open), got a %s and a %s", type(train), type(valid))
  end
  local base = #train.vocab + 1
  local p, result, known = {}, {}, {} -- known[i] is false where symbol i is lacking
  local last = fitting(base, order)
  local busy <close> = progress.busy "counting n-grams"
  each(valid, function(id)
    p[#p + 1] = 1 / #train.vocab
    known[#p] = id == 0 and false or nil
  end)
  for n = 1, last do
    raise_order(valid, n, base, count(train, n, base), p)
    result[n] = mean_nats(p, known)
    busy:at(n, last)
  end
  return result
end

-- The table that recipes print; `own`: nats of the model, its last line. Nats are per symbol, and, so that levels
-- can be compared, per character; chars: characters of one symbol on the validation part.
function ngram.table(nats, own, chars)
  chars = expect.number("ngram.table: characters of a symbol", chars == nil and 1 or chars)
  local lines = { "n-gram (Witten-Bell)   nats   perplexity   nats/char   bits/char" }
  local function add(name, value)
    lines[#lines + 1] = ("%20s   %.3f   %10.2f   %9.3f   %9.3f"):format(name, value, math.exp(value), value / chars,
      value / chars / math.log(2))
  end
  for n, value in ipairs(expect.kind("ngram.table: the nats", nats, "table")) do
    add(n, expect.number("ngram.table: nats", value))
  end
  if own then
    add("this model", expect.number("ngram.table: nats of the model", own))
  end
  return table.concat(lines, "\n")
end

return ngram
