-- generate.lua - text from a language model, piece by piece.
--
-- The iterator is a closure over the carried state: it sets evaluation mode and stops recording for the
-- length of each call only. A byte-level model may give half a UTF-8 sequence: it is held back until whole.
-- Words come with the space before them, where there is one.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local options = require "rondo.options"

local generate = {}

generate.specs = {
  { name = "prompt", kind = "string", def = "", help = "text to go on from" },
  { name = "length", kind = "int", def = 400, min = 0, max = 1 << 40, help = "symbols to write" },
  { name = "temperature", kind = "real", def = 1.0, min = 0, max = 100, help = "below 1 safer; 0 is greedy" },
  { name = "top_k", kind = "int", def = 0, min = 0, max = 1 << 24, help = "only the k most likely; 0: all" },
  { name = "top_p", kind = "real", def = 1.0, min = 0, max = 1, help = "only the likeliest with this share" },
  { name = "greedy", kind = "bool", def = false, help = "always the most likely symbol" },
  { name = "seed", kind = "int", min = 0, max = 0xffffffff, help = "drawn when not given" },
  { name = "echo", kind = "bool", def = true, help = "begin with the prompt" },
}

-- Length of the longest prefix of s that ends between two UTF-8 sequences (or where s is not UTF-8).
local function whole(s)
  for back = 1, math.min(3, #s) do
    local byte = s:byte(#s - back + 1)
    if byte >= 0xC0 then
      local need = byte >= 0xF0 and 4 or byte >= 0xE0 and 3 or 2
      return need > back and #s - back or #s
    elseif byte < 0x80 then
      return #s
    end
  end
  return #s
end
generate.whole = whole

local function release(states)
  if states then
    require("rondo.sequential").release_states(states)
  end
end

-- Logits of the symbol after `ids` (one row), (1, V).
local function feed(self, memory, ids)
  local x = core.tensor(ids, { 1, #ids })
  local y, after = self.model:advance(x, memory.states)
  x:release()
  release(memory.states)
  memory.states = after
  if y.ndim == 2 then
    return y
  end
  local last = y:select(2, -1)
  y:release()
  return last
end

local function draw(self, memory)
  local how = { seed = self.seed, purpose = "sample", time = memory.count }
  local ids = core.sample(memory.logits, self.how, how)
  local id = math.tointeger(ids:table()[1])
  ids:release()
  memory.logits:release()
  memory.logits = nil
  return id
end

-- How a model's texts begin and end. What was read line by line or by documents (model.text_unit, as the Trainer
-- notes it) has seen each from first values of the state: begin() puts them back, and ended(id, before) tells where.
local function manners(model, vocab)
  local special = vocab:special()
  local line_feed = vocab:encode "\n"
  line_feed = line_feed and line_feed[1] ~= special.unk and line_feed[1] or nil
  local unit = rawget(model, "text_unit")
  local begin, stop = special.bos or line_feed, special.eos or line_feed
  local function ended(id, before)
    return id == stop and (unit == "line" or stop ~= line_feed or before == stop)
  end
  return { begin = begin, unit = unit, ended = unit and stop and ended or function() return false end }
end

-- Ids to begin with. Without a prompt it is a beginning of text: <bos>, or a line break, or the first symbol.
local function encode(vocab, prompt, how)
  local ids, message = vocab:encode(prompt)
  if not ids then
    errors.raise("generate: %s", message)
  elseif #ids == 0 then
    return { how.begin or 1 }
  elseif how.begin and (how.unit or vocab:special().bos) then
    table.insert(ids, 1, how.begin)
  end
  return ids
end

-- model:generate { ... }: an iterator over pieces of text, and the seed it uses.
function generate.generate(model, given)
  local o = options.resolve("generate", generate.specs, given, { "prompt" })
  local vocab = rawget(model, "vocab")
  if not vocab then
    errors.raise("generate: %s has no vocabulary; set model.vocab = text.vocab", model:label())
  elseif not model.advance then
    errors.raise("generate: %s carries no state; define advance(x, states)", model:label())
  end
  local self = { model = model, seed = o.seed or core.random_seed(),
    how = { temperature = o.greedy and 0 or o.temperature, top_k = o.top_k, top_p = o.top_p } }
  local manner = manners(model, vocab)
  local memory, held = { count = 0, ids = encode(vocab, o.prompt, manner) }, ""
  memory.left = o.prompt ~= "" and not o.prompt:find "%s$" and memory.ids[#memory.ids] or 0 -- what a space follows
  local echo = o.echo and o.prompt ~= "" and o.prompt or nil

  local function step()
    memory.logits = feed(self, memory, memory.ids)
    local id = draw(self, memory)
    local piece = vocab:decode(id, memory.left)
    if manner.ended(id, memory.ids[#memory.ids]) then
      release(memory.states)
      memory.states, memory.ids = nil, { manner.begin or id }
    else
      memory.ids = { id }
    end
    memory.count, memory.left = memory.count + 1, id
    return piece
  end

  local function next_piece()
    if echo then
      local piece = echo
      echo = nil
      return piece
    end
    -- A sequence begun before the last symbol is finished; one that never ends is dropped.
    while memory.count < o.length or (held ~= "" and memory.count < o.length + 3) do
      held = held .. model:evaluating(step)
      local n = whole(held)
      if n > 0 then
        local piece = held:sub(1, n)
        held = held:sub(n + 1)
        return piece
      end
    end
    release(memory.states)
    memory.states = nil
    return nil
  end
  return function() return errors.blame(next_piece) end, self.seed
end

return generate
