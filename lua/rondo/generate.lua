-- generate.lua - text from a language model, piece by piece.
--
-- The iterator is a closure over the carried state: it sets evaluation mode and stops recording for the
-- length of each call only. A byte-level model may give half a UTF-8 sequence: it is held back until whole, as
-- is what may become a stop string. Words come with the space before them, where there is one. The number drawn
-- for symbol t of text i is that of the stream (seed, i, t), whatever was drawn before.
-- SPDX-License-Identifier: MIT
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

-- Draws from the logits and frees them.
local function draw(self, logits)
  local how = self.how
  if self.adjust then
    local now = self.adjust(self.ids, self.text)
    how.bias, how.seen, how.allowed = now.bias, now.seen, now.allowed
  end
  self.stream.time = self.count
  local ids = core.sample(logits, how, self.stream)
  local id = math.tointeger(ids:table()[1])
  ids:release()
  logits:release()
  return id
end

-- One symbol: its bytes.
local function step(self)
  local logits
  logits, self.states = self.model:evaluating(language.feed, self.model, language.row(self.next), self.states)
  local id = draw(self, logits)
  local piece = self.vocab:decode(id, self.left)
  if self.manner.ended(id, self.next[#self.next]) then
    language.release(self.states)
    self.states, self.next = nil, { self.manner.begin or id }
  else
    self.next = { id }
  end
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
  local first = self.stops:find(self.pending, before)
  if first then
    self.over = true
    return self.pending:sub(1, first - 1)
  end
  local out = self.pending:sub(1, #self.pending - self.stops:held(self.pending))
  self.pending = self.pending:sub(#out + 1)
  return out
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
  language.release(self.states)
  self.states = nil
  if not self.over and self.pending ~= "" then -- it was no stop string after all
    self.over = true
    return self.pending
  end
  return nil
end

-- model:generate { ... }: an iterator over pieces of text, and the seed it uses.
function generate.generate(model, given)
  local o = options.resolve("generate", generate.specs, given, { "prompt" })
  if o.typical_p == 0 then
    errors.raise("generate: option 'typical_p' must be greater than 0 and at most 1, got 0")
  end
  local vocab = language.vocab_of(model, "generate")
  local manner = language.manners(model, vocab)
  local begin, skipped = language.encode(vocab, o.prompt, manner, "generate")
  local self = { model = model, o = o, vocab = vocab, manner = manner, seed = o.seed or core.random_seed(),
    stops = language.stops(o.stop, "generate"), next = begin, count = 0, held = "", pending = "", text = o.prompt,
    ids = table.move(begin, 1, #begin, 1, {}), echo = o.echo and o.prompt ~= "" and o.prompt or nil,
    left = o.prompt ~= "" and not o.prompt:find "%s$" and begin[#begin] or 0 } -- left: what a space follows
  self.how = { temperature = o.greedy and 0 or o.temperature, top_k = o.top_k, typical_p = o.typical_p, top_p = o.top_p,
    min_p = o.min_p, repetition_penalty = o.repetition_penalty }
  self.stream = { seed = self.seed, purpose = "sample", update = o.sample - 1 }
  self.adjust, self.texts = language.adjuster(vocab, o, "generate", skipped)
  return function() return errors.blame(next_piece, self) end, self.seed
end

return generate
