-- data/tokenizer.lua - Tokenizer { level =, ... }: strings to ids and back.
--
-- A text file is read by Text.open; a tokenizer is for strings: rows of a table, sentences, prompts.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local expect = require "rondo.expect"
local options = require "rondo.options"
local progress = require "rondo.progress"
local text = require "rondo.data.text"
local vocabularies = require "rondo.data.vocab"

local Tokenizer = { __name = "rondo.Tokenizer" }
Tokenizer.__index = Tokenizer

local function new(given)
  local o = vocabularies.resolve("Tokenizer", given)
  return setmetatable({ how = o.how, level = o.level, vocab = o.vocab }, Tokenizer)
end

local function add_strings(fit, list)
  local n = 0
  for i, s in ipairs(list) do
    if type(s) ~= "string" then
      errors.raise("fit: entry %d is a %s, expected a string", i, type(s))
    end
    local ok, message = pcall(fit.add, fit, s)
    if not ok then
      errors.raise("fit: entry %d: %s", i, errors.bare(message))
    end
    n = i
  end
  if n == 0 then
    errors.raise("fit: the list of strings is empty")
  end
end

-- Takes the vocabulary from the training part: a list of strings or a Text. Returns the tokenizer.
function Tokenizer:fit(train)
  local _ <close> = progress.busy "learning a vocabulary"
  if self.vocab then
    errors.raise("fit: the tokenizer has its vocabulary already")
  elseif text.is_text(train) then
    local from, to = train:range()
    self.vocab = vocabularies.fit(self.how, function(fit) train.handle:fit(fit, from, to) end)
  elseif type(train) == "table" then
    self.vocab = vocabularies.fit(self.how, function(fit) add_strings(fit, train) end)
  else
    errors.raise("fit: expected a list of strings or a Text, got a %s", type(train))
  end
  return self
end

local function vocab_of(self)
  if not self.vocab then
    errors.raise("Tokenizer: it has no vocabulary yet; call tok:fit(train)")
  end
  return self.vocab
end

local function ids_of(self, s, what)
  if type(s) ~= "string" then
    errors.raise("%s: expected a string, got a %s", what, type(s))
  end
  local ids, message = vocab_of(self):encode(s)
  if not ids then
    errors.raise("%s: %s", what, message)
  end
  return ids
end

-- Ids of a string, a list, with <eos> behind it where the tokenizer has one.
function Tokenizer:encode(s)
  local ids = ids_of(self, s, "encode")
  ids[#ids + 1] = self.vocab:special().eos
  return ids
end

-- f(tokenizer, string) of all strings of a list, cut to max_len.
local function each(self, list, given, f)
  if type(list) ~= "table" then
    errors.raise("Tokenizer: expected a list of strings, got a %s", type(list))
  end
  local o = options.resolve("Tokenizer", { { name = "max_len", kind = "int", min = 1 } }, given)
  local all = {}
  for i, s in ipairs(list) do
    local ids = f(self, s)
    all[i] = o.max_len and #ids > o.max_len and table.move(ids, 1, o.max_len, 1, {}) or ids
  end
  return all
end

-- Lists of ids of all strings of a list, cut to max_len.
function Tokenizer:encode_all(list, given)
  return each(self, list, given, Tokenizer.encode)
end

-- What a decoder reads while it writes encode_all(list): <bos>, and all ids but the last.
function Tokenizer:shifted(list, given)
  local bos = vocab_of(self):special().bos
  if not bos then
    errors.raise("shifted: the tokenizer has no <bos>; make it with bos = true")
  end
  return each(self, list, given, function(_, s)
    local ids = self:encode(s)
    table.insert(ids, 1, bos)
    ids[#ids] = nil
    return ids
  end)
end

-- Text of ids (a number, a list, a tensor), without <bos>, up to the first <eos>.
function Tokenizer:decode(ids)
  local vocab = vocab_of(self)
  local eos = vocab:special().eos
  local list = expect.ids("decode", ids)
  local kept = {}
  for i, id in ipairs(list) do
    if id == eos then
      break
    end
    kept[i] = id
  end
  return errors.blame(vocab.decode, vocab, kept)
end

function Tokenizer:__tostring()
  return ("tokenizer of level %s, %s"):format(self.level, self.vocab and #self.vocab .. " ids" or "not fitted")
end

return { Tokenizer = new }
