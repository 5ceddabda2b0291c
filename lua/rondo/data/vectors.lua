-- data/vectors.lua - word vectors from a text file (those of GloVe, word2vec and fastText) for a vocabulary.
--
-- A line is a word and its numbers; word2vec's first line, two integers, is how many lines and numbers follow. The
-- width is that of the first line. A word of the file is the symbol of the vocabulary that it is read as, so that small
-- letters are found where the vocabulary has them; of several the first counts. Lines of other words are passed over
-- unread. Symbols that the file lacks get numbers drawn around 0, as far spread as those found.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local options = require "rondo.options"
local random = require "rondo.random"
local whole_file = require "rondo.whole_file"

local vectors = {}

local specs = {
  { name = "dim", kind = "int", min = 1, max = 1 << 20, help = "numbers of a line; default: as the first line has" },
  { name = "seed", kind = "int", min = 0, max = 0xffffffff, help = "own seed of the numbers that the file lacks" },
}

local NUMBERS_SHOWN = 24 -- bytes of a field that a message quotes

local function fields_of(line)
  local list = {}
  for field in line:gmatch "[^ \t\r\n]+" do
    list[#list + 1] = field
  end
  return list
end

-- Numbers of a line by its first one, and whether this is a heading (word2vec's) instead.
local function width_of(first)
  local fields = fields_of(first)
  local count, dim = math.tointeger(tonumber(fields[1])), math.tointeger(tonumber(fields[2]))
  if #fields == 2 and count and dim and dim > 1 then
    return dim, true
  end
  return #fields - 1, false
end

-- The id of a word of the file, or nil.
local function id_of(vocab, unk, word)
  local ids = vocab:encode(word)
  if ids and #ids == 1 and ids[1] > 0 and (ids[1] ~= unk or word == "<unk>") then
    return ids[1]
  end
end

-- The numbers of a line, and how many fields its word has (". . ." is one of GloVe's); or nil and what is wrong.
local function vector_of(line, dim)
  local fields = fields_of(line)
  if #fields < dim + 1 or (#fields > dim + 1 and tonumber(fields[2])) then
    return nil, ("a word and %d numbers expected, got %d fields"):format(dim, #fields)
  end
  local numbers = {}
  for k = 1, dim do
    local text = fields[#fields - dim + k]
    local value = tonumber(text)
    if not value or value ~= value or value == math.huge or value == -math.huge then
      return nil, ("'%s' is no finite number"):format(text:sub(1, NUMBERS_SHOWN))
    end
    numbers[k] = value
  end
  return numbers, #fields - dim
end

-- Fills rows[id] from the file's lines; how many, or nil and a message.
local function read(file, path, vocab, dim)
  local rows, found, number, unk = {}, 0, 0, vocab:special().unk
  for line in whole_file.lines(file, path) do
    number = number + 1
    local heading
    if number == 1 then
      local width
      width, heading = width_of(line)
      if dim and heading and width ~= dim then
        return nil, ("%s:1: the file has vectors of %d numbers, not %d"):format(path, width, dim)
      end
      dim = dim or width
      if dim < 1 then
        return nil, ("%s:1: a word and its numbers expected"):format(path)
      end
    end
    local word = not heading and line:match "^[^ \t\r\n]+"
    if word and not utf8.len(word) then
      return nil, ("%s:%d: its word is not UTF-8"):format(path, number)
    end
    local id = word and id_of(vocab, unk, word)
    if id and not rows[id] then
      local numbers, fields = vector_of(line, dim)
      if not numbers then
        return nil, ("%s:%d: %s"):format(path, number, fields)
      elseif fields == 1 then
        rows[id], found = numbers, found + 1
      end
    end
  end
  return rows, found, dim
end

-- The standard deviation of the numbers found, around 0.
local function spread_of(rows, found, dim)
  local flat = {}
  for _, numbers in pairs(rows) do
    table.move(numbers, 1, dim, #flat + 1, flat)
  end
  local t <close> = core.tensor(flat, { found, dim })
  return t:norm() / math.sqrt(found * dim)
end

-- load_vectors(path, vocab [, { dim =, seed = }]): a matrix (#vocab, dim) for Embedding { weights = }, and how many
-- symbols the file has; or nil, message, code.
function vectors.load_vectors(path, vocab, given)
  local o = options.resolve("load_vectors", specs, given)
  local meta = getmetatable(type(vocab) == "table" and vocab.vocab or vocab)
  if type(path) ~= "string" then
    errors.raise("load_vectors: expected a path, got a %s", type(path))
  elseif not meta or meta.__name ~= "rondo.Vocab" then
    errors.raise("load_vectors: expected a vocabulary (text.vocab, model.vocab) or a fitted tokenizer, got a %s",
      type(vocab))
  end
  vocab = type(vocab) == "table" and vocab.vocab or vocab
  local file, message = io.open(path, "rb")
  if not file then
    return errors.outside(message, errors.DATA)
  end
  local seed, layer = random.claim_layer(o.seed)
  local whole, rows, found, dim = pcall(read, file, path, vocab, o.dim)
  file:close()
  if not whole or not rows then
    local named = not whole and rows:sub(1, #path) == path
    return errors.outside(not whole and (named and rows or ("%s: %s"):format(path, rows)) or found, errors.DATA)
  elseif found == 0 then
    return errors.outside(path .. ": has none of the vocabulary's symbols", errors.DATA)
  end
  local matrix = core.zeros { #vocab, dim }
  matrix:fill_normal(0, spread_of(rows, found, dim), random.init_stream(seed, layer, 0))
  for id, numbers in pairs(rows) do
    matrix[id] = core.tensor(numbers)
  end
  return matrix, found
end

return vectors
