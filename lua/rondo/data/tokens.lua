-- data/tokens.lua - Vocab.from(lists of tokens) and Labels.from(list): names to ids and back.
--
-- Text that is one string is a Tokenizer's; here a token is a string by itself: words and tags of sentences, phones,
-- symbols. A Vocab has a vocabulary of level word beneath it, so that it counts, cuts and is saved as that of a text.
-- Labels are the classes of whole examples: any strings, in the order of the alphabet (numbers in theirs).
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local expect = require "rondo.expect"
local options = require "rondo.options"
local progress = require "rondo.progress"
local vocabularies = require "rondo.data.vocab"

local tokens = {}

-- ---- Vocab ------------------------------------------------------------------------------------------------

local Vocab = { __name = "rondo.TokenVocab" }
Vocab.__index = Vocab

local specs = {
  { name = "min_count", kind = "int", def = 1, min = 1, help = "rarer tokens get no id" },
  { name = "max_vocab", kind = "int", min = 1, max = 1 << 23, help = "ids in all: the most frequent tokens" },
  { name = "unk", kind = "bool", def = false, help = "an id for what the vocabulary lacks" },
  { name = "bos", kind = "bool", def = false, help = "an id that begins a sequence" },
  { name = "eos", kind = "bool", def = false, help = "an id that ends one" },
  { name = "lowercase", kind = "bool", def = false, help = "read letters as small ones" },
}

function tokens.is_vocab(value)
  return getmetatable(value) == Vocab
end

-- A Vocab over a vocabulary of level word.
function tokens.over(vocab)
  return setmetatable({ vocab = vocab, known = {} }, Vocab)
end

local function check_token(token, what, i)
  if type(token) ~= "string" then
    errors.raise("%s: token %d is a %s, expected a string", what, i, type(token))
  elseif token == "" or token:find "[ \t-\r]" then
    errors.raise("%s: token %d is %q: a token is not empty and holds no white space", what, i, token)
  end
end

local function from(lists, given)
  local o = options.resolve("Vocab.from", specs, given)
  if type(lists) ~= "table" or type(lists[1]) ~= "table" then
    errors.raise("Vocab.from: expected a list of lists of tokens, got %s", type(lists) ~= "table"
      and "a " .. type(lists) or lists[1] == nil and "an empty list" or "a list of " .. type(lists[1]) .. "s")
  end
  local how = { level = "word", lowercase = o.lowercase, unk = o.unk, bos = o.bos, eos = o.eos,
    min_count = o.min_count, max_size = o.max_vocab }
  local checked = {}
  local _ <close> = progress.busy "learning a vocabulary"
  local vocab = vocabularies.fit(how, function(fit)
    for k, list in ipairs(lists) do
      expect.kind(("Vocab.from: list %d"):format(k), list, "table")
      for i, token in ipairs(list) do
        if not checked[token] then
          check_token(token, ("Vocab.from: list %d"):format(k), i)
          checked[token] = true
        end
        fit:add(token)
      end
    end
  end)
  return tokens.over(vocab)
end

function Vocab:__len()
  return #self.vocab
end

function Vocab:__tostring()
  return ("vocabulary of %d tokens"):format(#self)
end

-- The ids { unk =, bos =, eos = } that there are.
function Vocab:special()
  return self.vocab:special()
end

-- Id of a token, nil where the vocabulary lacks it and has no <unk>.
function Vocab:id(token)
  local id = self.known[token]
  if id == nil then
    check_token(token, "Vocab", 1)
    local ids = self.vocab:encode(token)
    id = ids and ids[1] or false
    self.known[token] = id
  end
  return id or nil
end

local function encoded(self, list, what)
  if type(list) ~= "table" then
    errors.raise("%s: expected a list of tokens, got a %s", what, type(list))
  end
  local ids = {}
  for i, token in ipairs(list) do
    local id = self.known[token] or self:id(token)
    if not id then
      errors.raise("%s: token %d, '%s', is not in the vocabulary, which has no <unk>", what, i, token)
    end
    ids[i] = id
  end
  return ids
end

-- Ids of a list of tokens, with <eos> behind them where the vocabulary has one.
function Vocab:encode(list)
  local ids = encoded(self, list, "encode")
  ids[#ids + 1] = self.vocab:special().eos
  return ids
end

local function each_list(self, lists, given, f)
  local o = options.resolve("Vocab", { { name = "max_len", kind = "int", min = 1 } }, given)
  local eos, all = self.vocab:special().eos, {}
  for k, list in ipairs(expect.kind("Vocab: the lists of tokens", lists, "table")) do
    local ids = encoded(self, list, ("list %d"):format(k))
    ids[#ids + 1] = eos
    f(ids)
    all[k] = o.max_len and #ids > o.max_len and table.move(ids, 1, o.max_len, 1, {}) or ids
  end
  return all
end

-- Ids of all lists, cut to max_len.
function Vocab:encode_all(lists, given)
  return each_list(self, lists, given, function() end)
end

-- What a decoder reads while it writes encode_all(lists): <bos>, and all ids but the last.
function Vocab:shifted(lists, given)
  local bos = self.vocab:special().bos
  if not bos then
    errors.raise("shifted: the vocabulary has no <bos>; make it with bos = true")
  end
  return each_list(self, lists, given, function(ids)
    table.insert(ids, 1, bos)
    ids[#ids] = nil
  end)
end

-- Tokens of ids (a number, a list, a tensor), without <bos> and 0, up to the first <eos>.
function Vocab:decode(ids)
  local special, list = self.vocab:special(), {}
  for _, id in ipairs(expect.ids("decode", ids)) do
    if id == special.eos then
      break
    elseif id ~= special.bos and id ~= 0 then
      list[#list + 1] = errors.blame(self.vocab.decode, self.vocab, math.tointeger(id) or id)
    end
  end
  return list
end

-- for id, token in vocab:each(): without <bos> and <eos>.
function Vocab:each()
  local id, special = 0, self.vocab:special()
  return function()
    repeat
      id = id + 1
    until id ~= special.bos and id ~= special.eos
    if id <= #self then
      return id, self.vocab:decode(id)
    end
  end
end

tokens.Vocab = { from = from }

-- ---- Labels -----------------------------------------------------------------------------------------------

local Labels = { __name = "rondo.Labels" }
Labels.__index = Labels

function tokens.is_labels(value)
  return getmetatable(value) == Labels
end

-- Labels of names in the order of their ids.
function tokens.named(names)
  local ids = {}
  for id, name in ipairs(names) do
    ids[name] = id
  end
  return setmetatable({ names = names, ids = ids }, Labels)
end

local function name_of(value, what, i)
  if type(value) ~= "string" and not math.type(value) then
    errors.raise("%s: entry %d is a %s, expected a string or a number", what, i, type(value))
  elseif type(value) == "string" and value:find "\n" then
    errors.raise("%s: entry %d is %q: a label holds no line break", what, i, value)
  end
  return tostring(value)
end

-- Labels.from(list): the different ones of a list; ids in the order of the alphabet, or of the numbers they are.
local function labels_from(list)
  if type(list) ~= "table" or #list == 0 then
    errors.raise("Labels.from: expected a list with the label of each example, got %s", type(list) == "table"
      and "an empty one" or "a " .. type(list))
  end
  local seen, names, numbers = {}, {}, true
  for i, value in ipairs(list) do
    local name = name_of(value, "Labels.from", i)
    if not seen[name] then
      seen[name] = true
      names[#names + 1] = name
      numbers = numbers and tonumber(name) ~= nil
    end
  end
  table.sort(names, function(a, b)
    local x, y = numbers and tonumber(a) or a, numbers and tonumber(b) or b
    return x < y or x == y and a < b
  end)
  return tokens.named(names)
end

function Labels:__len()
  return #self.names
end

function Labels:__tostring()
  return ("%d labels: %s"):format(#self, table.concat(self.names, ", ", 1, math.min(#self, 10))
    .. (#self > 10 and ", ..." or ""))
end

-- Id of a label; raises for one that there is not.
function Labels:encode(value)
  local id = self.ids[tostring(value)]
  if not id then
    local near = core.nearest(tostring(value), self.names)
    errors.raise("Labels: there is no label '%s'%s", tostring(value), near and (" (did you mean '%s'?)"):format(near)
      or "; " .. tostring(self))
  end
  return id
end

-- Ids of a list of labels.
function Labels:encode_all(list)
  local ids = {}
  for i, value in ipairs(expect.kind("Labels: a list of labels", list, "table")) do
    ids[i] = self.ids[value] or self:encode(value)
  end
  return ids
end

-- The name of an id, or the list of names of a list or a tensor of ids.
function Labels:decode(ids)
  if math.type(ids) then
    return self.names[ids] or errors.raise("Labels: ids are 1..%d, got %s", #self, tostring(ids))
  end
  local list = {}
  for i, id in ipairs(expect.ids("decode", ids)) do
    list[i] = self:decode(id)
  end
  return list
end

-- for id, name in labels:each().
function Labels:each()
  local id = 0
  return function()
    id = id + 1
    if self.names[id] then
      return id, self.names[id]
    end
  end
end

tokens.Labels = { from = labels_from }

return tokens
