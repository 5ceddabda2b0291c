-- generate.lua - text from a language model, piece by piece.
--
-- The iterator is a closure over the carried state: it sets evaluation mode and stops recording for the
-- length of each call only. A byte-level model may give half a UTF-8 sequence: it is held back until whole, as
-- is what may become a stop string. Words come with the space before them, where there is one. The number drawn
-- for symbol t of text i is that of the stream (seed, i, t), whatever was drawn before.
--
-- Texts with one prompt are a group: the model reads the prompt once, and where it is a chain of layers (chain.lua)
-- C then writes many symbols of all of them in one call, which wait in `drawn` until they are asked for.
-- SPDX-License-Identifier: MIT
local chain = require "rondo.chain"
local core = require "rondo.native"
local errors = require "rondo.errors"
local language = require "rondo.language"
local options = require "rondo.options"

local generate = { whole = language.whole }

generate.specs = {
  { name = "prompt", kind = "string", def = "", help = "text to go on from" },
  { name = "length", kind = "int", def = 400, min = 0, max = 1 << 40, help = "symbols to write" },
  { name = "temperature", kind = "real", def = 1.0, min = 0, max = 100, help = "below 1 safer; 0 is greedy" },
  { name = "top_k", kind = "int", def = 0, min = 0, max = 1 << 24, help = "only the k most likely; 0: all" },
  { name = "typical_p", kind = "real", def = 1.0, min = 0, max = 1,
    help = "only the share whose surprise is nearest to the expected one; 1: all" },
  { name = "top_p", kind = "real", def = 1.0, min = 0, max = 1, help = "only the likeliest with this share" },
  { name = "min_p", kind = "real", def = 0.0, min = 0, max = 1,
    help = "only what has this share of the likeliest's probability" },
  { name = "greedy", kind = "bool", def = false, help = "always the most likely symbol" },
  { name = "seed", kind = "int", min = 0, max = 0xffffffff, help = "drawn when not given" },
  { name = "sample", kind = "int", def = 1, min = 1, max = 0xffffffff, help = "which of the texts of this seed" },
  { name = "echo", kind = "bool", def = true, help = "begin with the prompt" },
}
table.move(language.adjusting, 1, #language.adjusting, #generate.specs + 1, generate.specs)

local AHEAD = 32 -- symbols of each text that are written in one call
local SIDE_BY_SIDE = 100000 -- symbols at most of texts that are written together

-- Options of the next draw of a text.
local function how_of(self)
  if self.adjust then
    local now = self.adjust(self.ids, self.text)
    self.how.bias, self.how.seen, self.how.allowed = now.bias, now.seen, now.allowed
  end
  return self.how
end

-- One symbol of each text by the layers, one after the other.
local function by_layers(group)
  local logits
  logits, group.states = group.model:evaluating(language.feed, group.model, language.row(group.next), group.states)
  local drawn = {}
  for i, text in ipairs(group.texts) do
    text.stream.time = group.count
    local ids <close> = core.sample(logits, how_of(text), text.stream)
    drawn[i] = math.tointeger(ids:table()[1])
    table.insert(text.drawn, drawn[i])
  end
  logits:release()
  group.count = group.count + 1
  return drawn
end

local function forget(group)
  language.release(group.states)
  group.states = nil
end

-- Symbols by the layers alone: of one text.
local function by_hand(group)
  local before = group.next[#group.next]
  group.next = by_layers(group)
  if group.manner.ended(group.next[1], before) then
    forget(group)
    group.next[1] = group.manner.begin or group.next[1]
  end
end

-- The first symbols, after a prompt of any length; a chain then goes on from copies of the states.
local function begin_group(group)
  group.chain = chain.of(group.model, #group.texts)
  if not group.chain then
    return by_hand(group)
  end
  local before, manner = group.next[#group.next], group.manner
  group.next = by_layers(group)
  local states = chain.states(group.model, group.states)
  for i, id in ipairs(group.next) do
    if manner.ended(id, before) then
      group.next[i] = manner.begin or id
    else
      group.chain:put(i, states, 1)
    end
  end
  forget(group)
end

local function by_chain(group)
  local streams = {}
  for i, text in ipairs(group.texts) do
    text.stream.time, streams[i] = group.count, text.stream
  end
  local lists
  lists, group.failure = group.chain:write({ next = group.next, streams = streams, end_id = group.manner.end_id,
    end_twice = group.manner.end_twice, begin = group.manner.begin, steps = group.texts[1].adjust and 1
    or math.max(1, math.min(AHEAD, group.length - group.count)) }, how_of(group.texts[1]))
  for i, text in ipairs(group.texts) do
    if not text.left_group then
      table.move(lists[i], 1, #lists[i], #text.drawn + 1, text.drawn)
    end
  end
  group.count = group.count + #lists[1]
end

local function next_id(self)
  local group = self.group
  if self.taken == #self.drawn then
    self.drawn, self.taken = {}, 0
    if group.failure then
      errors.raise("%s", group.failure)
    elseif group.count == 0 then
      begin_group(group)
    elseif group.chain then
      by_chain(group)
    else
      by_hand(group)
    end
  end
  self.taken = self.taken + 1
  return self.drawn[self.taken]
end

-- One symbol: its bytes.
local function step(self)
  local id = next_id(self)
  local piece = self.vocab:decode(id, self.left)
  self.count, self.left = self.count + 1, id
  if self.adjust then
    self.ids[#self.ids + 1] = id
    self.text = self.texts and self.text .. piece
  end
  return piece
end

-- What of the text written so far can be given away; self.over where a stop string ended it.
local function ready(self, piece)
  local before = #self.pending
  self.held = self.held .. piece
  local n = language.whole(self.held)
  self.pending, self.held = self.pending .. self.held:sub(1, n), self.held:sub(n + 1)
  local at = self.stops:find(self.pending, before)
  if at then
    self.over = true
    return self.pending:sub(1, at - 1)
  end
  local out = self.pending:sub(1, #self.pending - self.stops:held(self.pending))
  self.pending = self.pending:sub(#out + 1)
  return out
end

-- The last text of a group to be left closes what it is written with.
local function leave(self)
  local group = self.group
  if not self.left_group then
    self.left_group, group.reading = true, group.reading - 1
  end
  if group.reading == 0 then
    forget(group)
    if group.chain then
      group.chain:close()
    end
  end
end

local function next_piece(self)
  if self.echo then
    local piece = self.echo
    self.echo = nil
    return piece
  end
  -- A sequence begun before the last symbol is finished; one that never ends is dropped.
  while not self.over and (self.count < self.o.length or (self.held ~= "" and self.count < self.o.length + 3)) do
    local out = ready(self, step(self))
    if out ~= "" then
      return out
    end
  end
  leave(self)
  if not self.over and self.pending ~= "" then -- it was no stop string after all
    self.over = true
    return self.pending
  end
  return nil
end

-- The next `n` texts of a model, from sample o.sample on, as one group: iterators over their pieces.
local function open(model, o, n)
  local vocab = language.vocab_of(model, "generate")
  local manner = language.manners(model, vocab)
  local begin, skipped = language.encode(vocab, o.prompt, manner, "generate")
  local group = { model = model, manner = manner, next = begin, count = 0, length = o.length, texts = {},
    reading = n }
  local iterators = {}
  for i = 1, n do
    local self = { o = o, vocab = vocab, group = group, stops = language.stops(o.stop, "generate"), count = 0,
      held = "", pending = "", text = o.prompt, ids = table.move(begin, 1, #begin, 1, {}), drawn = {}, taken = 0,
      echo = o.echo and o.prompt ~= "" and o.prompt or nil,
      left = o.prompt ~= "" and not o.prompt:find "%s$" and begin[#begin] or 0 } -- left: what a space follows
    self.how = { temperature = o.greedy and 0 or o.temperature, top_k = o.top_k, typical_p = o.typical_p,
      top_p = o.top_p, min_p = o.min_p, repetition_penalty = o.repetition_penalty }
    self.stream = { seed = o.seed, purpose = "sample", update = o.sample + i - 2 }
    self.adjust, self.texts = language.adjuster(vocab, o, "generate", skipped)
    group.texts[i] = self
    iterators[i] = function() return errors.blame(next_piece, self) end
  end
  return iterators, group
end

local function resolve(given)
  local o = options.resolve("generate", generate.specs, given, { "prompt" })
  if o.typical_p == 0 then
    errors.raise("generate: option 'typical_p' must be greater than 0 and at most 1, got 0")
  end
  o.seed = o.seed or core.random_seed()
  return o
end

-- model:generate { ... }: an iterator over pieces of text, and the seed it uses.
function generate.generate(model, given)
  local o = resolve(given)
  return open(model, o, 1)[1], o.seed
end

-- The same of the n samples from given.sample on: a list of iterators, and the seed. A chain writes them side by side,
-- and what is not read yet waits in memory.
function generate.several(model, given, n)
  local o = resolve(given)
  local list, group = open(model, o, n)
  if not chain.links(model) or group.texts[1].adjust or o.length > SIDE_BY_SIDE then
    for i = 1, n do
      list[i] = open(model, setmetatable({ sample = o.sample + i - 1 }, { __index = o }), 1)[1]
    end
  end
  return list, o.seed
end

return generate
