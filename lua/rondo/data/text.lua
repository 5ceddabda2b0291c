-- data/text.lua - a text file as ids: Text.open, parts of it, and their vocabulary.
--
-- The file stays mapped; a part is a range of it. All parts share one vocabulary, which is fitted when it is
-- first asked for: on the training part if the text has been split, else on the whole text.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local progress = require "rondo.progress"
local sequences = require "rondo.data.sequences"
local vocab = require "rondo.data.vocab"

local Text, methods = { __name = "rondo.Text" }, {}

-- Fits the vocabulary on shared.from..shared.to (bytes) if there is none yet.
local function vocab_of(shared)
  if not shared.vocab then
    local _ <close> = progress.busy(("learning the vocabulary of %s"):format(shared.path))
    shared.vocab = vocab.fit(shared.how, function(fit) shared.handle:fit(fit, shared.from, shared.to) end)
    shared.handle:use(shared.vocab)
  end
  return shared.vocab
end

-- A part is known by its symbols; at level bpe, where symbols depend on the vocabulary, by its bytes.
local function part_of(shared, name, bounds)
  local self = { shared = shared, handle = shared.handle, path = shared.path, level = shared.how.level, part = name }
  for key, value in pairs(bounds) do
    self[key] = value
  end
  return setmetatable(self, Text)
end

function Text.__index(self, key)
  if methods[key] then
    return methods[key]
  elseif key == "vocab" then
    return vocab_of(self.shared)
  elseif key == "first" then
    vocab_of(self.shared)
    return self.handle:count(rawget(self, "from")) + 1
  elseif key == "last" then
    vocab_of(self.shared)
    return self.handle:count(rawget(self, "to"))
  end
  return nil
end

function Text:__len()
  return self.last - self.first + 1
end

function Text:__tostring()
  return ("%s %s: %d symbols, vocabulary %d"):format(self.part, self.path, #self, #self.vocab)
end

-- Text.open(path, { level = "char", ... }): a text, or nil, message, code.
local function open(path, given)
  if type(path) ~= "string" then
    errors.raise("Text.open: expected a path, got a %s", type(path))
  end
  local o = vocab.resolve("Text.open", given)
  local how = o.how
  local _ <close> = progress.busy("reading " .. path)
  local handle, message = core.text(path, how)
  if not handle then
    return errors.outside(message, errors.DATA)
  end
  local n = how.level == "bpe" and handle:bytes() or #handle
  if n < 2 and not o.vocab then
    return errors.outside(("%s: the text has %d symbol(s); a model needs at least 2 to learn from"):format(path, n),
      errors.DATA)
  end
  local shared = { handle = handle, how = how, path = path, vocab = o.vocab, given = o.vocab ~= nil, from = 0,
    to = handle:bytes() }
  if o.vocab then
    handle:use(o.vocab)
  end
  return part_of(shared, "text", how.level == "bpe" and { from = 0, to = handle:bytes() } or { first = 1, last = n })
end

-- Its range of bytes: from (counted from 0), to.
function methods:range()
  if rawget(self, "from") then
    return self.from, self.to
  end
  return self.handle:offset(self.first), self.handle:offset(self.last + 1)
end

-- The training part is what the vocabulary is fitted on, unless that has been used already.
local function fit_on(train)
  local shared = train.shared
  local from, to = train:range()
  if not shared.vocab then
    shared.from, shared.to = from, to
  elseif not shared.given and (shared.from ~= from or shared.to ~= to) then
    errors.notice("%s: the vocabulary was in use before the text was split like this: it stays that of bytes %d..%d",
      shared.path, shared.from + 1, shared.to)
  end
end

-- Two parts in the order of the text: the first, floor(fraction * n) symbols, trains (level bpe: as many bytes,
-- up to the next border of its chunks).
function methods:split(fraction)
  if type(fraction) ~= "number" or fraction <= 0 or fraction >= 1 then
    errors.raise("split: expected a fraction between 0 and 1, got %s", tostring(fraction))
  end
  local a, b
  local from, to = rawget(self, "from"), rawget(self, "to")
  if from then
    local cut = math.min(to, self.handle:border(from + math.floor(fraction * (to - from))))
    a, b = { from = from, to = cut }, { from = cut, to = to }
  else
    local cut = self.first + math.floor(fraction * #self)
    a, b = { first = self.first, last = cut - 1 }, { first = cut, last = self.last }
  end
  local train, valid = part_of(self.shared, "training", a), part_of(self.shared, "validation", b)
  fit_on(train)
  return train, valid
end

-- Ids of symbols from..from+n-1 of this part, counted from 1.
function methods:ids(from, n)
  return self.handle:ids(self.vocab, self.first + from - 1, n)
end

-- Characters (level byte: bytes) of this part.
function methods:characters()
  return self.handle:characters(self:range())
end

function methods:digest()
  return self.handle:digest(self:range())
end

-- Symbols of this part that the vocabulary lacks.
function methods:lacking()
  return self.handle:lacking(self.vocab, self.first, #self)
end

-- Says once what the vocabulary lacks of a part that it was not fitted on.
function methods:tell_lacking()
  local from, to = self:range()
  if rawget(self, "told") or (not self.shared.given and from >= self.shared.from and to <= self.shared.to) then
    return
  end
  self.told = true
  local n = self:lacking()
  if n > 0 then
    local whose = self.part == "text" and "text" or self.part .. " part"
    errors.notice("%s: %d of the %d symbols of the %s are not in the vocabulary; they %s", self.path, n, #self,
      whose, self.vocab:special().unk and "are read as <unk>" or "do not count (id 0)")
  end
end

-- Batches (x, y) of symbols, where y is x one symbol on: see sequences.lua.
function methods:sequences(given)
  return sequences.new(self, given)
end

return { open = open, is_text = function(value) return getmetatable(value) == Text end }
