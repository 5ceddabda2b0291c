-- beam.lua - the likeliest continuations of a text: beam search.
--
-- Hypotheses are rows of one batch, so that a wider beam gives each the bits it has alone. Their log-probabilities
-- add up in double, symbol by symbol. A finished one has the score log p / length^A; the search ends when none
-- that goes on can still enter the list, which for A of any sign is known exactly: log p only falls.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local language = require "rondo.language"
local options = require "rondo.options"
local progress = require "rondo.progress"

local beam = {}

beam.specs = {
  { name = "prompt", kind = "string", def = "", help = "text to go on from" },
  { name = "length", kind = "int", def = 100, min = 1, max = 1 << 24, help = "most symbols to write" },
  { name = "beam", kind = "int", def = 4, min = 1, max = 1 << 16, help = "hypotheses side by side" },
  { name = "length_penalty", kind = "real", def = 1.0, min = -10, max = 10,
    help = "score = log p / length^x: 0 favours short texts, 1 is the mean of the symbols" },
}
table.move(language.adjusting, 1, #language.adjusting, #beam.specs + 1, beam.specs)

-- length^exponent through the core's exp and log, which are the same everywhere.
local function power(length, exponent)
  if exponent == 0 then
    return 1.0
  elseif exponent == 1 then
    return length + 0.0
  end
  local log <close> = core.tensor({ length }):log()
  local scaled <close> = log * exponent
  local result <close> = scaled:exp()
  return result:table()[1]
end

-- Rows `parents` of every tensor of a state.
local function rows_of(entry, parents)
  local out = {}
  for key, value in pairs(entry) do
    if type(value) ~= "userdata" then
      out[key] = rows_of(value, parents)
    else
      local shape = value:size()
      local flat <close> = value:reshape { shape[1], value:numel() // shape[1] }
      local chosen <close> = core.embedding(parents, flat)
      shape[1] = parents:size(1)
      out[key] = chosen:reshape(shape)
    end
  end
  return out
end

-- Log-probabilities (B, V) of what may follow each hypothesis.
local function log_probabilities(self, logits)
  if self.adjust then
    local rows = {}
    for b, h in ipairs(self.alive) do
      local row <close> = logits:slice(1, b, b)
      rows[b] = core.adjust(row, self.adjust(h.ids, self.o.prompt .. h.text, true))
      local best <close> = rows[b]:max()
      if best:item() == -math.huge then -- a dead end
        h.log_p = -math.huge
        rows[b]:fill(0)
      end
    end
    logits:release()
    logits = core.concat(rows, 1)
  end
  local result = logits:log_softmax(-1)
  logits:release()
  return result
end

-- Continuations, the likeliest first; equal ones in the order of the hypotheses, then of the ids.
local function candidates(self, log_p)
  local ids, values = core.top(log_p, math.min(2 * self.o.beam, log_p:size(2)))
  local all, id_rows, value_rows = {}, ids:table(), values:table()
  ids:release()
  values:release()
  for b, h in ipairs(self.alive) do
    for j, value in ipairs(value_rows[b]) do
      if h.log_p + value > -math.huge then
        all[#all + 1] = { parent = b, id = math.tointeger(id_rows[b][j]), log_p = h.log_p + value }
      end
    end
  end
  table.sort(all, function(x, y)
    if x.log_p ~= y.log_p then
      return x.log_p > y.log_p
    end
    return x.parent < y.parent or (x.parent == y.parent and x.id < y.id)
  end)
  return all
end

-- The hypothesis one symbol on; `over` where the text has come to an end.
local function extend(self, candidate)
  local h = self.alive[candidate.parent]
  local ids = table.move(h.ids, 1, #h.ids, 1, {})
  local ended = self.manner.ended(candidate.id, ids[#ids])
  ids[#ids + 1] = candidate.id
  local text = ended and h.text or h.text .. self.vocab:decode(candidate.id, h.left)
  local stop = not ended and self.stops:find(text, #h.text)
  return { ids = ids, left = candidate.id, text = stop and text:sub(1, stop - 1) or text, log_p = candidate.log_p,
    parent = candidate.parent, over = ended or (stop or nil) ~= nil }
end

local function finish(self, h, length)
  local text = h.text:sub(1, language.whole(h.text))
  local done = self.done
  done[#done + 1] = { text = text, log_prob = h.log_p, symbols = length, score = h.log_p / power(length, self.penalty),
    order = #done + 1 }
  table.sort(done, function(x, y)
    return x.score > y.score or (x.score == y.score and x.order < y.order)
  end)
  while #done > self.o.beam do
    done[#done] = nil
  end
end

-- Can none of the hypotheses, `length` symbols long, still come among the finished ones?
local function settled(self, length)
  local done = self.done
  if #done < self.o.beam or #self.alive == 0 then
    return #self.alive == 0
  end
  local best = self.alive[1].log_p
  local bound = math.max(best / power(length + 1, self.penalty), best / power(self.o.length, self.penalty))
  return done[#done].score >= bound
end

local function spread(self, all, length)
  local next_alive, place = {}, 0
  for _, candidate in ipairs(all) do
    place = place + 1
    if #next_alive == self.o.beam and place > self.o.beam then
      break
    end
    local h = extend(self, candidate)
    if h.over or length == self.o.length then
      if place <= self.o.beam then
        finish(self, h, length)
      end
    elseif #next_alive < self.o.beam then
      next_alive[#next_alive + 1] = h
    end
  end
  self.alive = next_alive
end

-- Moves states to the hypotheses that go on; returns their last ids.
local function regroup(self, states)
  local parents, last = {}, {}
  for b, h in ipairs(self.alive) do
    parents[b], last[b] = h.parent, h.ids[#h.ids]
  end
  local index <close> = core.tensor(parents, { #parents })
  local chosen = states and rows_of(states, index)
  language.release(states)
  return core.tensor(last, { #last, 1 }), chosen
end

local function search(self, begin)
  local x, states = language.row(begin), nil
  local busy <close> = progress.busy "searching"
  for length = 1, self.o.length do
    busy:at(length - 1, self.o.length)
    local logits
    logits, states = language.feed(self.model, x, states)
    local log_p <close> = log_probabilities(self, logits)
    spread(self, candidates(self, log_p), length)
    if settled(self, length) then
      break
    end
    x, states = regroup(self, states)
  end
  language.release(states)
end

-- model:complete { ... }: a list of { text =, log_prob =, score =, symbols = }, the best first.
function beam.complete(model, given)
  local o = options.resolve("complete", beam.specs, given, { "prompt" })
  local vocab = language.vocab_of(model, "complete")
  local manner = language.manners(model, vocab)
  local begin, skipped = language.encode(vocab, o.prompt, manner, "complete")
  local self = { model = model, o = o, vocab = vocab, manner = manner, penalty = o.length_penalty, done = {},
    stops = language.stops(o.stop, "complete") }
  self.adjust = language.adjuster(vocab, o, "complete", skipped)
  self.alive = { { ids = begin, text = "", log_p = 0.0,
    left = o.prompt ~= "" and not o.prompt:find "%s$" and begin[#begin] or 0 } }
  model:evaluating(search, self, begin)
  if #self.done == 0 then
    errors.raise("complete: no text is possible: every symbol has probability 0")
  end
  for _, one in ipairs(self.done) do
    one.order = nil
  end
  return self.done
end

return beam
