-- data/vocab.lua - options of vocabularies, the same for texts and tokenizers, and how one is fitted.
--
-- Levels: byte and char have the symbols that occur; word has the words between white space, and the line
-- feed; bpe has the 256 bytes and what byte-pair encoding makes of them, so that it can write every text.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local options = require "rondo.options"

local vocab = {}

local LARGEST = (1 << 31) // 256 - 1

vocab.specs = {
  { name = "level", kind = "choice", def = "char", choices = { "char", "byte", "word", "bpe" },
    help = "what a symbol is" },
  { name = "lowercase", kind = "bool", def = false, help = "read letters as small ones" },
  { name = "punctuation", kind = "bool", def = false, help = "level word: marks are words of their own" },
  { name = "unk", kind = "bool", help = "an id for what the vocabulary lacks (default: at level word)" },
  { name = "bos", kind = "bool", def = false, help = "an id that begins a sequence" },
  { name = "eos", kind = "bool", def = false, help = "an id that ends one; at level word it is the line feed" },
  { name = "min_count", kind = "int", def = 1, min = 1, help = "rarer symbols get no id" },
  { name = "max_vocab", kind = "int", min = 1, max = LARGEST, help = "ids in all: the most frequent symbols" },
  { name = "vocab_size", kind = "int", min = 256, max = LARGEST,
    help = "level bpe: ids in all, 256 of them the bytes (default 1000)" },
  { name = "vocab", kind = "any", help = "a vocabulary there is, as that of a model, in place of all others" },
}

-- A vocabulary there is (of a text, a model, a tokenizer) in place of one to be fitted.
local function take(what, given)
  local v = given.vocab
  local meta = getmetatable(type(v) == "table" and v.vocab or v)
  if not meta or meta.__name ~= "rondo.Vocab" then
    errors.raise("%s: vocab must be a vocabulary (text.vocab, model.vocab) or a fitted tokenizer, got a %s", what,
      type(v))
  end
  for name in pairs(given) do
    if name ~= "vocab" then
      errors.raise("%s: a vocabulary has its own level and options; leave out '%s'", what, tostring(name))
    end
  end
  v = type(v) == "table" and v.vocab or v
  return { vocab = v, how = v:how(), level = v:level() }
end

-- Checks options: the values, with `how`, as the core wants them, or with the vocabulary that was given.
function vocab.resolve(what, given)
  if type(given) == "table" and given.vocab ~= nil then
    return take(what, given)
  end
  local o = options.resolve(what, vocab.specs, given, { "level" })
  local bpe = o.level == "bpe"
  if o.vocab_size and not bpe then
    errors.raise("%s: option 'vocab_size' is of level bpe; 'max_vocab' limits level %s", what, o.level)
  elseif o.max_vocab and bpe then
    errors.raise("%s: option 'max_vocab' is not of level bpe; 'vocab_size' says how many ids there are", what)
  elseif o.punctuation and o.level ~= "word" then
    errors.raise("%s: option 'punctuation' is of level word, not of level %s", what, o.level)
  elseif o.unk and bpe then
    errors.raise("%s: option 'unk' is not of level bpe, which lacks nothing", what)
  end
  local unk = o.unk
  if unk == nil then
    unk = o.level == "word"
  end
  o.how = { level = o.level, lowercase = o.lowercase, punctuation = o.punctuation, unk = unk, bos = o.bos,
    eos = o.eos, min_count = o.min_count, max_size = bpe and (o.vocab_size or 1000) or o.max_vocab }
  return o
end

-- A vocabulary of what add(fit) adds.
function vocab.fit(how, add)
  local fit <close> = errors.blame(core.vocab_fit, how)
  add(fit)
  return errors.blame(fit.vocab, fit)
end

-- Do two vocabularies give the same ids? True, or false and the first id that differs.
function vocab.same(a, b)
  local how_a, how_b = a:how(), b:how()
  for _, name in ipairs { "level", "lowercase", "punctuation", "unk", "bos", "eos" } do
    if how_a[name] ~= how_b[name] then
      return false, nil, name
    end
  end
  local left, right = a:parts(), b:parts()
  if type(left) == "string" then
    if left == right then
      return true
    end
  else
    local equal = #left == #right
    for i = 1, equal and #left or 0 do
      equal = equal and left[i] == right[i]
    end
    if equal then
      return true
    end
  end
  for id = 1, math.max(#a, #b) do
    if id > #a or id > #b or a:decode(id) ~= b:decode(id) then
      return false, id
    end
  end
  return false, #a
end

return vocab
