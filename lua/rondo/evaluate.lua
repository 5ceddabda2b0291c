-- evaluate.lua - the log-probability of a given text: in all, per character, and line by line.
--
-- A text is read as the model has read its own: as one stream from first values of the state, or, where it was
-- trained on lines or documents, each of these anew and with its end. A stream begins after <bos> or a line
-- feed where the vocabulary has one; else its first symbol is given and not counted. Ids that the vocabulary
-- lacks do not count (the figures are means of the others). Nats add up in double, in the order of the text.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local language = require "rondo.language"
local options = require "rondo.options"
local predict = require "rondo.forecast.predict"
local progress = require "rondo.progress"
local text_module = require "rondo.data.text"

local evaluate = {}

evaluate.specs = {
  { name = "unit", kind = "choice", choices = { "stream", "line", "document" },
    help = "what is read from a fresh state; default: as the model was trained" },
  { name = "on_line", kind = "function", help = "called with the figures of each line (or document)" },
}

local CHUNK = 256

-- Figures of `nats` over `count` of `symbols` symbols that hold `characters`.
local function figures_of(nats, count, symbols, characters)
  local loss = nats / math.max(count, 1)
  return { nats = nats, counted = math.tointeger(count) or count, symbols = symbols, characters = characters,
    loss = loss, perplexity = math.exp(loss),
    bits_per_char = characters > 0 and loss / math.log(2) * symbols / characters or 0.0 }
end

-- Loss of y given x, both (1, T) and taken, with the state carried on.
local function play(self, x, y)
  local logits, after = self.model:advance(x, self.states)
  language.release(self.states)
  self.states = after
  x:release()
  local shape = logits:size()
  if #shape == 2 then
    logits = logits:reshape { 1, 1, shape[2] } -- a model that gives the last step alone
  end
  local loss, nats, count = core.cross_entropy(logits, y, "sum")
  loss:release()
  logits:release()
  y:release()
  return nats, count
end

-- Reads ids first..last of ids(from, n), each given the one before; self.before is the id before the first.
local function read(self, ids, first, last)
  local nats, count = 0.0, 0.0
  if not self.before and first <= last then
    self.before = ids(first, 1)[1]
    first = first + 1
  end
  while first <= last do
    local y = ids(first, math.min(CHUNK, last - first + 1))
    local x = table.move(y, 1, #y - 1, 2, { self.before })
    self.before, first = y[#y], first + #y
    if self.busy then
      self.busy:at(first - 1, last)
    end
    local sum, n = play(self, language.row(x), language.row(y))
    nats, count = nats + sum, count + n
  end
  return nats, count
end

-- Lines of a text's file (or of the handle that it came with), and the places in its bytes where they end.
local function lines_of(text)
  local file = rawget(text, "file") or assert(io.open(text.path, "rb"))
  local offset = 0
  return function()
    local line = file:read "L"
    if not line then
      file:close()
      return nil
    end
    offset = offset + #line
    return line, offset
  end
end

local function shown(line)
  return (line:gsub("[\r\n]+$", ""))
end

local function stream_by_line(self, text, on_line)
  local nats, count, first, number = 0.0, 0.0, 1, 0
  local ids = function(from, n) return text:ids(from, n) end
  for line, offset in lines_of(text) do
    local last = text.handle:count(offset)
    local sum, n = read(self, ids, first, last)
    nats, count, number = nats + sum, count + n, number + 1
    local one = figures_of(sum, n, math.max(last - first + 1, 0), text.handle:characters(offset - #line, offset))
    one.line, one.text = number, shown(line)
    on_line(one)
    first = last + 1
  end
  return nats, count
end

local function stream(self, text, on_line)
  self.before = self.manner.begin
  local nats, count
  if on_line then
    if text.first ~= 1 then
      errors.raise("evaluate: lines are those of a whole text, not of its %s part", text.part)
    end
    nats, count = stream_by_line(self, text, on_line)
  else
    nats, count = read(self, function(from, n) return text:ids(from, n) end, 1, #text)
  end
  return figures_of(nats, count, #text, text:characters())
end

-- Lines or documents, one after the other.
local function units(self, text, unit, on_line)
  local pieces = text:sequences({ unit = unit, batch_size = 1, seq_len = CHUNK }).pieces
  local total = { nats = 0.0, count = 0.0, symbols = 0, characters = 0 }
  local one, number = nil, 0
  local function close()
    if not one then
      return
    end
    number = number + 1
    local written = self.vocab:decode(one.ids)
    local characters = self.vocab:level() ~= "byte" and utf8.len(written) or #written
    if on_line then
      local figures = figures_of(one.nats, one.count, #one.ids, characters)
      figures.line, figures.text = number, shown(written)
      on_line(figures)
    end
    total.nats, total.count = total.nats + one.nats, total.count + one.count
    total.symbols, total.characters = total.symbols + #one.ids, total.characters + characters
  end
  for k = 1, #pieces do
    if self.busy then
      self.busy:at(k - 1, #pieces)
    end
    local lengths, begins = pieces:look { k }
    local x, y = pieces:batch({ k }, lengths[1])
    if begins[1] then
      close()
      language.release(self.states)
      self.states, one = nil, { nats = 0.0, count = 0.0, ids = {} }
    end
    for _, id in ipairs(y:table()[1]) do
      if id > 0 then
        one.ids[#one.ids + 1] = math.tointeger(id)
      end
    end
    local nats, n = play(self, x, y)
    one.nats, one.count = one.nats + nats, one.count + n
  end
  close()
  return figures_of(total.nats, total.count, total.symbols, total.characters)
end

-- A text in memory, from a beginning of text on.
local function string_of(self, given)
  local list, message = self.vocab:encode(given)
  if not list then
    errors.raise("evaluate: %s", message)
  end
  self.before = self.manner.begin
  local nats, count = read(self, function(from, n) return table.move(list, from, from + n - 1, 1, {}) end, 1, #list)
  return figures_of(nats, count, #list, self.vocab:level() ~= "byte" and utf8.len(given) or #given)
end

local function evaluated(self, given, o)
  if type(given) == "string" then
    return string_of(self, given)
  end
  local unit = o.unit or self.manner.unit or "stream"
  local figures
  if unit == "stream" then
    given:tell_lacking()
    figures = stream(self, given, o.on_line)
  else
    figures = units(self, given, unit, o.on_line)
  end
  figures.unit, figures.lacking = unit, given:lacking()
  return figures
end

-- model:evaluate(text | string [, { unit =, on_line = }]): { nats =, loss =, perplexity =, bits_per_char =, ... }.
-- A Text is one opened with the model's vocabulary, or a part of such a one.
-- Of windows of a series: figures of their forecast, { metrics = }.
function evaluate.evaluate(model, given, how)
  if predict.is_windows(given) then
    local list, rest = predict.split(how)
    return (predict.windows(model, given, rest):metrics(list))
  end
  local o = options.resolve("evaluate", evaluate.specs, how)
  local vocab = language.vocab_of(model, "evaluate")
  if type(given) ~= "string" and not text_module.is_text(given) then
    errors.raise("evaluate: expected a Text or a string, got a %s", type(given))
  elseif type(given) ~= "string" and not require("rondo.data.vocab").same(given.vocab, vocab) then
    errors.raise("evaluate: %s has another vocabulary than the model; open it with { vocab = model.vocab }", given.path)
  end
  local busy <close> = not o.on_line and progress.busy "evaluating" or nil
  local self = { model = model, vocab = vocab, manner = language.manners(model, vocab), busy = busy }
  local figures = model:evaluating(evaluated, self, given, o)
  language.release(self.states)
  return figures
end

return evaluate
