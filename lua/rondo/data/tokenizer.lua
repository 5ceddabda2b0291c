-- data/tokenizer.lua - Tokenizer { level =, ... }: strings to ids and back.
--
-- A text file is read by Text.open; a tokenizer is for strings: rows of a table, sentences, prompts.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local text = require "rondo.data.text"
local vocabularies = require "rondo.data.vocab"

local Tokenizer = { __name = "rondo.Tokenizer" }
Tokenizer.__index = Tokenizer

local function new(given)
  local o = vocabularies.resolve("Tokenizer", given)
  return setmetatable({ how = o.how, level = o.level }, Tokenizer)
end

local function add_strings(fit, list)
  local n = 0
  for i, s in ipairs(list) do
    if type(s) ~= "string" then
      errors.raise("fit: entry %d is a %s, expected a string", i, type(s))
    end
    fit:add(s)
    n = i
  end
  if n == 0 then
    errors.raise("fit: the list of strings is empty")
  end
end

-- Takes the vocabulary from the training part: a list of strings or a Text. Returns the tokenizer.
function Tokenizer:fit(train)
  if text.is_text(train) then
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

-- Ids of a string, a list: <bos> before it and <eos> behind it where the tokenizer has them.
function Tokenizer:encode(s)
  local ids = ids_of(self, s, "encode")
  local special = self.vocab:special()
  if special.bos then
    table.insert(ids, 1, special.bos)
  end
  if special.eos then
    ids[#ids + 1] = special.eos
  end
  return ids
end

-- Lists of ids of all strings of a list, cut to max_len.
function Tokenizer:encode_all(list, given)
  local max_len = given and given.max_len or math.huge
  local all = {}
  for i, s in ipairs(list) do
    local ids = self:encode(s)
    if #ids > max_len then
      ids = table.move(ids, 1, max_len, 1, {})
    end
    all[i] = ids
  end
  return all
end

-- Text of ids (a number, a list, a tensor), without <bos>, up to the first <eos>.
function Tokenizer:decode(ids)
  local vocab = vocab_of(self)
  local eos = vocab:special().eos
  local list = type(ids) == "table" and ids or type(ids) == "number" and { ids } or ids:reshape(ids:numel()):table()
  local kept = {}
  for i, id in ipairs(list) do
    if id == eos then
      break
    end
    kept[i] = id
  end
  return vocab:decode(kept)
end

function Tokenizer:__tostring()
  return ("tokenizer of level %s, %s"):format(self.level, self.vocab and #self.vocab .. " ids" or "not fitted")
end

return { Tokenizer = new }
