-- language.lua - what writing, completing and scoring a text share: where texts begin and end, feeding ids, what
-- a symbol may be, strings that end a text.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local module = require "rondo.module"

local language = {}

-- Options that change logits before anything is drawn, in the order in which they are applied.
language.adjusting = {
  { name = "repetition_penalty", kind = "real", def = 1.0, min = 0.01, max = 100,
    help = "above 1: symbols that have occurred are less likely" },
  { name = "repetition_window", kind = "int", def = 0, min = 0, max = 1 << 24,
    help = "symbols that the penalty looks back; 0: all, the prompt too" },
  { name = "logit_bias", kind = "table",
    help = "added to logits, { [\"x\"] = -1 }, by symbol or id; -math.huge: never" },
  { name = "allow", kind = "any",
    help = "symbols allowed: a text, ids, or a function of the text so far that returns such, or nil for all" },
  { name = "stop", kind = "any", help = "a text, or a list of texts, before which writing ends" },
}

-- Length of the longest prefix of s that ends between two UTF-8 sequences (or where s is not UTF-8).
function language.whole(s)
  for back = 1, math.min(3, #s) do
    local byte = s:byte(#s - back + 1)
    if byte >= 0xC2 and byte <= 0xF4 then
      local need = byte >= 0xF0 and 4 or byte >= 0xE0 and 3 or 2
      return need > back and #s - back or #s
    elseif byte < 0x80 or byte >= 0xC0 then
      return #s
    end
  end
  return #s
end

function language.release(states)
  if states then
    require("rondo.sequential").release_states(states)
  end
end

-- The model's vocabulary; raises where it is no model of text.
function language.vocab_of(model, what)
  local vocab = rawget(model, "vocab")
  if not vocab then
    errors.raise("%s: %s has no vocabulary; set model.vocab = text.vocab", what, model:label())
  elseif not model.advance then
    errors.raise("%s: %s carries no state; define advance(x, states)", what, model:label())
  end
  local ahead, why = model:reads_ahead()
  if ahead then
    errors.raise("%s: %s %s, %s", what, ahead:label(), why, why == module.BOTH
      and "so that it sees what it is to predict" or "and a text is read piece by piece")
  end
  return vocab
end

-- Logits of the symbols after ids x (B, T), as (B, V), and the states then. Takes x and the states before.
function language.feed(model, x, states)
  local y, after = model:advance(x, states)
  x:release()
  language.release(states)
  if y:size(-1) ~= #model.vocab then
    errors.raise("%s: its output has %d numbers for the %d symbols of its vocabulary", model:label(), y:size(-1),
      #model.vocab)
  end
  if y.ndim == 2 then
    return y, after
  end
  local last = y:select(2, -1)
  y:release()
  return last, after
end

-- ---- where texts begin and end ------------------------------------------------------------------------------

-- How a model's texts begin and end. What was read line by line or by documents (model.text_unit, as the Trainer
-- notes it) has seen each from first values of the state: begin() puts them back, and ended(id, before) tells where.
function language.manners(model, vocab)
  local special = vocab:special()
  local line_feed = vocab:encode "\n"
  line_feed = line_feed and line_feed[1] ~= special.unk and line_feed[1] or nil
  local unit = rawget(model, "text_unit")
  local begin, stop = special.bos or line_feed, special.eos or line_feed
  local twice = unit ~= "line" and stop == line_feed
  local function ended(id, before)
    return id == stop and (not twice or before == stop)
  end
  return { begin = begin, unit = unit, end_id = unit and stop or nil, end_twice = twice,
    ended = unit and stop and ended or function() return false end }
end

-- Ids to begin with, and how many of them (0 or 1) are not of the prompt. Without one it is a beginning of text: <bos>,
-- or a line break, or the first symbol.
function language.encode(vocab, prompt, how, what)
  local ids, message = vocab:encode(prompt)
  if not ids then
    errors.raise("%s: %s", what, message)
  elseif #ids == 0 then
    return { how.begin or 1 }, 1
  elseif how.begin and (how.unit or vocab:special().bos) then
    table.insert(ids, 1, how.begin)
    return ids, 1
  end
  return ids, 0
end

-- ---- what a symbol may be -----------------------------------------------------------------------------------

-- The id that a key of logit_bias means.
local function id_of(vocab, key, what)
  if math.type(key) == "integer" then
    return key
  elseif type(key) ~= "string" then
    errors.raise("%s: logit_bias is by symbol or id, got a %s as a key", what, type(key))
  end
  local special = vocab:special()
  local named = special[key:match "^<(%l+)>$"]
  if named then
    return named
  end
  local ids, message = vocab:encode(key)
  if not ids then
    errors.raise("%s: logit_bias: %s", what, message)
  elseif #ids ~= 1 then
    errors.raise("%s: logit_bias: %q is %d symbols of this vocabulary; give one, or its id", what, key, #ids)
  elseif ids[1] == special.unk then
    errors.raise("%s: logit_bias: %q is not in the vocabulary", what, key)
  end
  return ids[1]
end

local function bias_of(vocab, given, what)
  if not given or not next(given) then
    return nil
  end
  local bias = {}
  for key, value in pairs(given) do
    local id = id_of(vocab, key, what)
    if type(value) ~= "number" or value ~= value or value == math.huge then
      errors.raise("%s: logit_bias of %q must be a number or -math.huge, got %s", what, tostring(key), tostring(value))
    elseif id < 1 or id > #vocab then
      errors.raise("%s: logit_bias: ids are 1..%d, got %d", what, #vocab, id)
    end
    bias[id] = value + 0.0
  end
  return bias
end

-- List of ids from what `allow` is or returned; nil: all.
local function allowed_of(vocab, given, what)
  local ids = given
  if type(given) == "string" then
    local message
    ids, message = vocab:encode(given)
    if not ids then
      errors.raise("%s: allow: %s", what, message)
    end
  elseif given ~= nil and type(given) ~= "table" then
    errors.raise("%s: allow must be a text of symbols, a list of ids or a function that returns one, got a %s", what,
      type(given))
  end
  if ids and #ids == 0 then
    errors.raise("%s: allow leaves no symbol to write", what)
  end
  for _, id in ipairs(ids or {}) do
    if math.type(id) ~= "integer" or id < 1 or id > #vocab then
      errors.raise("%s: allow: ids are 1..%d, got %s", what, #vocab, tostring(id))
    end
  end
  return ids
end

-- The different ids among the last `window` (0: all) of a list behind its first `skipped`.
local function different(ids, window, skipped)
  local list, known = {}, {}
  for i = math.max(skipped + 1, window > 0 and #ids - window + 1 or 1), #ids do
    local id = ids[i]
    if id > 0 and not known[id] then
      known[id] = true
      list[#list + 1] = id
    end
  end
  return list
end

-- A function(ids, text) -> fields for core.sample and core.adjust, of the ids and the text so far (prompt and
-- what was written); nil where the options ask for nothing. The first `skipped` ids are nobody's text. Second: does it
-- look at the text?
function language.adjuster(vocab, o, what, skipped)
  local bias, allow = bias_of(vocab, o.logit_bias, what), o.allow
  local fixed = type(allow) ~= "function" and allowed_of(vocab, allow, what)
  local penalty = o.repetition_penalty ~= 1 and o.repetition_penalty
  if not bias and allow == nil and not penalty then
    return nil, false
  end
  local seen, known, counted = {}, {}, skipped
  return function(ids, text, branching)
    local how = { bias = bias, repetition_penalty = penalty or nil, allowed = fixed or nil }
    if type(allow) == "function" then
      how.allowed = allowed_of(vocab, allow(text), what)
    end
    if penalty and (branching or o.repetition_window > 0) then
      how.seen = different(ids, o.repetition_window, skipped)
    elseif penalty then -- one text that only grows
      for i = counted + 1, #ids do
        if ids[i] > 0 and not known[ids[i]] then
          known[ids[i]] = true
          seen[#seen + 1] = ids[i]
        end
      end
      how.seen, counted = seen, #ids
    end
    return how
  end, type(allow) == "function"
end

-- ---- strings that end a text --------------------------------------------------------------------------------

local Stops = {}
Stops.__index = Stops

-- Stop strings from an option: a text, a list of texts or nil.
function language.stops(given, what)
  local list = type(given) == "string" and { given } or given or {}
  if type(list) ~= "table" then
    errors.raise("%s: stop must be a text or a list of texts, got a %s", what, type(given))
  end
  for _, stop in ipairs(list) do
    if type(stop) ~= "string" or stop == "" then
      errors.raise("%s: stop: expected texts that are not empty, got %s", what, type(stop) == "string" and '""'
        or "a " .. type(stop))
    end
  end
  return setmetatable({ list = list }, Stops)
end

-- Where the stop string begins that is the first to be complete in s behind byte `after` (of several the
-- longest), or nil: what is before `after` has been looked at.
function Stops:find(s, after)
  for last = after + 1, #self.list > 0 and #s or 0 do
    local first
    for _, stop in ipairs(self.list) do
      local from = last - #stop + 1
      if from >= 1 and from < (first or math.huge) and s:sub(from, last) == stop then
        first = from
      end
    end
    if first then
      return first
    end
  end
  return nil
end

-- How many bytes at the end of s may be the beginning of a stop string.
function Stops:held(s)
  local most = 0
  for _, stop in ipairs(self.list) do
    for n = math.min(#stop - 1, #s), most + 1, -1 do
      if s:sub(-n) == stop:sub(1, n) then
        most = n
        break
      end
    end
  end
  return most
end

-- The id as one row of ids.
function language.row(ids)
  return core.tensor(ids, { 1, #ids })
end

return language
