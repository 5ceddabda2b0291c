-- data/text.lua - a text file as ids, and batches of it for language models.
--
-- A source of batches is addressed by number: batch(k, epoch) gives the k-th of an epoch. Its position is
-- all that a resumed run needs. The file stays mapped; a split is two ranges of it with one vocabulary.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local options = require "rondo.options"
local random = require "rondo.random"

local Text = {}
Text.__index = Text
Text.__name = "rondo.Text"

local open_specs = {
  { name = "level", kind = "choice", def = "char", choices = { "char", "byte" }, help = "what a symbol is" },
}

-- Text.open(path, { level = "char" }): a text, or nil, message, code.
local function open(path, given)
  if type(path) ~= "string" then
    errors.raise("Text.open: expected a path, got a %s", type(path))
  end
  local o = options.resolve("Text.open", open_specs, given, { "level" })
  local handle, message = core.text(path, o.level)
  if not handle then
    return errors.outside(message, errors.DATA)
  elseif #handle < 2 then
    return errors.outside(("%s: the text has %d symbol(s); a model needs at least 2 to learn from"):format(
      path, #handle), errors.DATA)
  end
  return setmetatable({ handle = handle, vocab = handle:vocab(), path = path, level = o.level,
    first = 1, last = #handle, part = "text" }, Text)
end

function Text:__len()
  return self.last - self.first + 1
end

function Text:__tostring()
  return ("%s %s: %d symbols, vocabulary %d"):format(self.part, self.path, #self, #self.vocab)
end

local function range(self, first, last, part)
  return setmetatable({ handle = self.handle, vocab = self.vocab, path = self.path, level = self.level,
    first = first, last = last, part = part }, Text)
end

-- Two parts in the order of the text: the first holds floor(fraction * n) symbols.
function Text:split(fraction)
  if type(fraction) ~= "number" or fraction <= 0 or fraction >= 1 then
    errors.raise("split: expected a fraction between 0 and 1, got %s", tostring(fraction))
  end
  local n = math.floor(fraction * #self)
  return range(self, self.first, self.first + n - 1, "training"), range(self, self.first + n, self.last, "validation")
end

-- Ids of symbols from..from+n-1 of this part, counted from 1.
function Text:ids(from, n)
  return self.handle:ids(self.vocab, self.first + from - 1, n)
end

local sequence_specs = {
  { name = "seq_len", kind = "int", def = 64, min = 1, max = 1 << 20, help = "steps of one sequence" },
  { name = "batch_size", kind = "int", def = 32, min = 1, max = 1 << 20, help = "sequences side by side" },
  { name = "stateful", kind = "bool", def = false,
    help = "each row reads its own stretch of the text, and state is carried along it" },
  { name = "carry_over", kind = "bool", def = false, help = "stateful: keep the state from epoch to epoch too" },
  { name = "shuffle", kind = "bool", help = "not stateful: sequences in a new order each epoch (default)" },
  { name = "vocab", kind = "any", help = "another vocabulary than the text's own" },
}

local Sequences = {}
Sequences.__name = "rondo.Sequences"

-- Fits the batch to a short text, with a notice, or refuses with the numbers.
local function plan(self, o)
  local n = #self
  if n < 2 then
    errors.stop(errors.DATA, ("%s: the %s part has %d symbol(s), and a sequence needs at least 2; use a longer text")
      :format(self.path, self.part, n))
  elseif n - 1 < o.seq_len then
    errors.stop(errors.DATA, ("%s: the %s part has %d symbols, and one sequence of seq_len %d needs %d; "
      .. "use a longer text or seq_len %d or less"):format(self.path, self.part, n, o.seq_len, o.seq_len + 1,
      n - 1))
  end
  local rows = (n - 1) // o.seq_len
  if rows < o.batch_size then
    errors.notice("%s: the %s part has %d symbols: batch_size is %d instead of %d", self.path, self.part, n,
      rows, o.batch_size)
    o.batch_size = rows
  end
end

-- Batches (x, y, info) of consecutive symbols; y is x one symbol on.
function Text:sequences(given)
  local o = options.resolve("sequences", sequence_specs, given)
  if o.carry_over and not o.stateful then
    errors.raise("sequences: carry_over needs stateful = true")
  end
  plan(self, o)
  local per_row = (#self - 1) // (o.batch_size * o.seq_len)
  return setmetatable({ text = self, vocab = o.vocab or self.vocab, seq_len = o.seq_len,
    batch_size = o.batch_size, stateful = o.stateful, carry_over = o.carry_over, per_row = per_row,
    shuffle = not o.stateful and o.shuffle ~= false, releases = true, cursor = 0, epoch = 1 }, Sequences)
end

local methods = {}

function Sequences.__index(_, key)
  return methods[key]
end

-- Batches of an epoch. What is left over at the end (less than one batch) is not read.
function Sequences:__len()
  return self.per_row
end

-- First symbol of each row of batch k. Stateful: row b reads stretch b. Else: sequence numbers, shuffled
-- with a key of the epoch alone.
local function firsts(self, k, epoch)
  local list, T, B = {}, self.seq_len, self.batch_size
  if self.stateful then
    for b = 1, B do
      list[b] = self.text.first + ((b - 1) * self.per_row + k - 1) * T
    end
    return list
  end
  local order = self.order
  if self.shuffle and (not order or self.order_epoch ~= epoch) then
    order = core.permutation(self.per_row * B, { seed = random.seed(), purpose = "shuffle", update = epoch })
    self.order, self.order_epoch = order, epoch
  end
  for b = 1, B do
    local number = (k - 1) * B + b
    list[b] = self.text.first + ((order and order[number] or number) - 1) * T
  end
  return list
end

-- Batch k of an epoch: ids x and y, both (B, T).
function methods:batch(k, epoch)
  local list = firsts(self, k, epoch or 1)
  local x = self.text.handle:batch(self.vocab, list, self.seq_len)
  for b = 1, #list do
    list[b] = list[b] + 1
  end
  return x, self.text.handle:batch(self.vocab, list, self.seq_len)
end

function methods:symbols_per_batch()
  return self.batch_size * self.seq_len
end

-- What the numbers of a run depend on.
function methods:describe()
  return { kind = "text", level = self.text.level, length = #self.text, first = self.text.first,
    seq_len = self.seq_len, batch_size = self.batch_size, stateful = self.stateful,
    carry_over = self.carry_over, shuffle = self.shuffle }
end

-- for x, y, info in source: one epoch from its beginning; the next loop is the next epoch.
function Sequences:__call(_, control)
  if control == nil then
    self.cursor = 0
  end
  self.cursor = self.cursor + 1
  if self.cursor > self.per_row then
    self.epoch = self.epoch + 1
    return nil
  end
  local x, y = self:batch(self.cursor, self.epoch)
  return x, y, { index = self.cursor, count = self.per_row, epoch = self.epoch, first = self.cursor == 1 }
end

return { open = open }
