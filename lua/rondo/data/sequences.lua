-- data/sequences.lua - batches of a text for language models.
--
-- A source of batches is addressed by number: batch(k, epoch) gives the k-th of an epoch, whatever was read
-- before. Its position is all that a resumed run needs. Unit `stream` reads a part as one sequence. Units `line` and
-- `document` read each line or document (what lies between blank lines) from first values of the state: as
-- sequences of their own, padded with id 0, or, stateful, row by row, one after the other in full chunks. batch()
-- then says, third, what is to stand beside the input: { resets = } where units begin, inside a chunk too, and
-- { lengths = } where a row has come to its end. Every number is as if each unit had been read alone.
-- SPDX-License-Identifier: MIT
local buckets = require "rondo.data.buckets"
local errors = require "rondo.errors"
local expect = require "rondo.expect"
local options = require "rondo.options"

local sequences = {}

local specs = {
  { name = "unit", kind = "choice", def = "stream", choices = { "stream", "line", "document" },
    help = "what is read from first values of the state" },
  { name = "seq_len", kind = "int", min = 1, max = 1 << 20,
    help = "steps of one sequence (default 64); of a line, after which it is cut (default 256)" },
  { name = "batch_size", kind = "int", def = 32, min = 1, max = 1 << 20, help = "sequences side by side" },
  { name = "stateful", kind = "bool", def = false,
    help = "each row reads its own stretch of the text, and state is carried along it" },
  { name = "carry_over", kind = "bool", def = false, help = "stateful: keep the state from epoch to epoch too" },
  { name = "shuffle", kind = "bool", help = "not stateful: sequences in a new order each epoch (default)" },
  { name = "bucket_by_length", kind = "bool", def = true,
    help = "lines and documents: similar lengths share a batch, so that little is padded" },
}

local NAMES = { char = "char", byte = "byte", word = "word", bpe = "piece" }

local Sequences = { __name = "rondo.Sequences" }
local methods = {} -- of all units; each unit has its own batch()

function Sequences.__index(self, key)
  return methods[key] or rawget(self, "unit_methods")[key]
end

-- Batches of an epoch.
function Sequences:__len()
  return self.per_row
end

function methods:symbols_per_batch()
  return self.batch_size * self.seq_len
end

-- What the numbers of a run depend on.
function methods:describe()
  local stream = self.unit == "stream"
  return { kind = "text", level = self.text.level, length = #self.text, first = self.text.first,
    seq_len = self.seq_len, batch_size = self.batch_size, stateful = self.stateful,
    carry_over = self.carry_over, shuffle = self.shuffle, unit = not stream and self.unit or nil,
    bucket_by_length = not stream and self.bucket or nil }
end

-- What tells its text from others.
function methods:digest()
  return self.text:digest()
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
  local x, y, how = self:batch(self.cursor, self.epoch)
  return x, y, { index = self.cursor, count = self.per_row, epoch = self.epoch, first = self.cursor == 1, how = how }
end

local function fewer(self, rows, what, count)
  errors.notice("%s: the %s part has %d %s: batch_size is %d instead of %d", self.text.path, self.text.part, count,
    what, rows, self.batch_size)
  self.batch_size = rows
end

-- ---- stream ---------------------------------------------------------------------------------------------

local stream = {}

-- Fits the batch to a short text, with a notice, or refuses with the numbers. What is left over at the end of
-- the part (less than one batch) is not read.
function stream:plan()
  local text, n = self.text, #self.text
  if n < 2 then
    errors.stop(errors.DATA, ("%s: the %s part has %d symbol(s), and a sequence needs at least 2; use a longer text")
      :format(text.path, text.part, n))
  elseif n - 1 < self.seq_len then
    errors.stop(errors.DATA, ("%s: the %s part has %d symbols, and one sequence of seq_len %d needs %d; "
      .. "use a longer text or seq_len %d or less"):format(text.path, text.part, n, self.seq_len, self.seq_len + 1,
      n - 1))
  end
  local rows = (n - 1) // self.seq_len
  if rows < self.batch_size then
    fewer(self, rows, "symbols", n)
  end
  self.per_row = (n - 1) // (self.batch_size * self.seq_len)
end

-- First symbol of each row of batch k. Stateful: row b reads stretch b. Else: numbers of sequences in order.
local function firsts(self, k, epoch)
  local T, B, first = self.seq_len, self.batch_size, self.text.first
  local list = {}
  if self.stateful then
    for b = 1, B do
      list[b] = first + ((b - 1) * self.per_row + k - 1) * T
    end
    return list
  end
  list = buckets.in_order(self, (k - 1) * B + 1, B, self.per_row * B, epoch)
  for b = 1, B do
    list[b] = first + (list[b] - 1) * T
  end
  return list
end

-- Batch k of an epoch: ids x and y, both (B, T).
function stream:batch(k, epoch)
  local list = firsts(self, expect.batch(k, epoch, #self))
  local x = self.text.handle:batch(self.vocab, list, self.seq_len)
  for b = 1, #list do
    list[b] = list[b] + 1
  end
  return x, self.text.handle:batch(self.vocab, list, self.seq_len)
end

-- ---- lines and documents --------------------------------------------------------------------------------

local function find_pieces(self, steps)
  local text = self.text
  local from, to = text:range()
  self.pieces = text.handle:pieces(self.vocab, { unit = self.unit, from = from, to = to, steps = steps })
  if #self.pieces == 0 then
    errors.stop(errors.DATA, ("%s: the %s part has no %s"):format(text.path, text.part, self.unit))
  end
end

-- One after the other in a row: row b has the steps starts[b] .. starts[b + 1] - 1 of all units, whole units of them.
local rows = {}

function rows:plan()
  find_pieces(self, 1)
  local units, all = self.pieces:units(), #self.pieces
  if units < self.batch_size then
    fewer(self, units, self.unit .. "(s)", units)
  end
  local longest = 0
  self.starts = { 1 }
  for b = 1, self.batch_size do
    self.starts[b + 1] = b == self.batch_size and all + 1 or self.pieces:first(all * b // self.batch_size + 1)
    longest = math.max(longest, self.starts[b + 1] - self.starts[b])
  end
  self.per_row = (longest + self.seq_len - 1) // self.seq_len
end

-- Batch k: x, y (B, T), and what stands beside x: where units begin, and lengths where a row has come to its end.
function rows:batch(k)
  local first, last, T = {}, {}, self.seq_len
  k = expect.batch(k, 1, #self)
  for b = 1, self.batch_size do
    first[b], last[b] = self.starts[b] + (k - 1) * T, self.starts[b + 1] - 1
    if first[b] > last[b] then
      first[b], last[b] = 0, 0
    end
  end
  local x, y, resets, lengths = self.pieces:flow(first, last, T)
  return x, y, (resets or lengths) and { resets = resets, lengths = lengths } or nil
end

-- Sequences of their own, in batches of buckets.lua.
local alone = {}

function alone:plan()
  find_pieces(self, self.seq_len)
  if #self.pieces < self.batch_size then
    fewer(self, #self.pieces, self.unit .. "(s)", #self.pieces)
  end
  self.per_row = (#self.pieces + self.batch_size - 1) // self.batch_size
  self.count, self.lengths = #self.pieces, function(list) return (self.pieces:look(list)) end
end

function alone:batch(k, epoch)
  k, epoch = expect.batch(k, epoch, #self)
  local list, longest = buckets.batch(self, k, epoch), 1
  for _, length in ipairs((self.pieces:look(list))) do
    longest = math.max(longest, length)
  end
  return self.pieces:batch(list, longest)
end

-- <bos> and <eos> stand around lines and documents. A model of a stream would never see them, and yet begin with
-- one when it writes.
local function check_special(text, unit)
  local special = text.vocab:special()
  local name = special.bos and "bos" or (text.level ~= "word" and special.eos and "eos")
  if unit == "stream" and name then
    errors.raise("sequences: <%s> never comes in a stream; use unit = \"line\" or \"document\", or open the text "
      .. "without it", name)
  end
end

-- Batches of a part of a text.
function sequences.new(text, given)
  local o = options.resolve("sequences", specs, given)
  if o.carry_over and not (o.stateful and o.unit == "stream") then
    errors.raise("sequences: carry_over needs stateful = true and unit = \"stream\"")
  end
  check_special(text, o.unit)
  local self = setmetatable({ text = text, vocab = text.vocab, unit = o.unit,
    seq_len = o.seq_len or (o.unit == "line" and 256 or 64), batch_size = o.batch_size, stateful = o.stateful,
    carry_over = o.carry_over, shuffle = not o.stateful and o.shuffle ~= false, bucket = o.bucket_by_length,
    releases = true, cursor = 0, epoch = 1, symbol_name = NAMES[text.level],
    unit_methods = o.unit == "stream" and stream or o.stateful and rows or alone }, Sequences)
  self:plan()
  text:tell_lacking()
  self.chars_per_symbol = (text.level == "word" or text.level == "bpe") and text:characters() / #text or 1
  return self
end

return sequences
