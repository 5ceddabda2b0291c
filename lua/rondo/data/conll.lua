-- data/conll.lua - Conll.open(path, { word = 1, tag = -1 }): sentences with a tag a word.
--
-- A word a line, in columns; an empty line ends a sentence, and so does one of -DOCSTART-. Columns are parted by tabs
-- where the first line of words has one, else by blanks. With tabs a line without one that begins with # is a comment
-- (in columns parted by blanks such a line is a word like #this).
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local options = require "rondo.options"
local spans = require "rondo.spans"
local whole_file = require "rondo.whole_file"

local specs = {
  { name = "word", kind = "int", def = 1, min = -256, max = 256, help = "column of the word; -1 is the last" },
  { name = "tag", kind = "int", def = -1, min = -256, max = 256, help = "column of the tag; -1 is the last" },
  { name = "scheme", kind = "choice", def = "keep", choices = { "keep", table.unpack(spans.schemes) },
    help = "how tags of spans are to be written" },
}

local Conll = { __name = "rondo.Conll" }
Conll.__index = Conll

function Conll:__len()
  return #self.words
end

function Conll:__tostring()
  return ("%s: %d sentences, %d words"):format(self.path, #self, self.word_count)
end

local function columns_of(line, tabs)
  local list = {}
  if tabs then
    for cell in (line .. "\t"):gmatch "([^\t]*)\t" do
      list[#list + 1] = cell
    end
  else
    for cell in line:gmatch "[^ \t]+" do
      list[#list + 1] = cell
    end
  end
  return list
end

local function place(list, column)
  return column < 0 and #list + 1 + column or column
end

-- Adds a line to the sentence; or nil and what is wrong.
local function add_line(sentence, line, o, tabs)
  local cells = columns_of(line, tabs)
  local word, tag = cells[place(cells, o.word)], cells[place(cells, o.tag)]
  if not word or not tag or word == "" or tag == "" then
    local what, column = "word", o.word
    if word and word ~= "" then
      what, column = "tag", o.tag
    end
    return nil, ("column %d (the %s) is %s; it has %d"):format(column, what, cells[place(cells, column)] and "empty"
      or "missing", #cells)
  end
  if word == "-DOCSTART-" then
    return "border"
  elseif o.word ~= o.tag and place(cells, o.word) == place(cells, o.tag) then
    return nil, ("column %d would be the word and its tag; it has %d column%s"):format(place(cells, o.word), #cells,
      #cells == 1 and "" or "s")
  end
  sentence.words[#sentence.words + 1], sentence.tags[#sentence.tags + 1] = word, tag
  return "word"
end

local function read(file, path, o)
  local self = setmetatable({ path = path, words = {}, tags = {}, word_count = 0 }, Conll)
  local sentence, number, tabs = { words = {}, tags = {} }, 0, nil
  local function close()
    local n = #sentence.words
    if n > 0 then
      self.words[#self + 1] = sentence.words
      self.tags[#self.words] = o.scheme == "keep" and sentence.tags or spans.convert(sentence.tags, o.scheme)
      self.word_count = self.word_count + n
      sentence = { words = {}, tags = {} }
    end
  end
  for line in whole_file.lines(file, path) do
    number = number + 1
    line = line:gsub("\r?\n?$", "")
    if line:find "^[ \t]*$" then
      close()
    elseif not (line:sub(1, 1) == "#" and not line:find("\t", 1, true) and tabs ~= false) then
      if tabs == nil then
        tabs = line:find("\t", 1, true) ~= nil
      end
      local added, wrong = add_line(sentence, line, o, tabs)
      if not added then
        return nil, ("%s: line %d: %s"):format(path, number, wrong)
      elseif added == "border" then
        close()
      end
    end
  end
  close()
  if #self == 0 then
    return nil, path .. ": there are no sentences in it"
  end
  return self
end

-- Conll.open(path, { word =, tag =, scheme = }): lists of words and of tags by sentence, or nil, message, code.
local function open(path, given)
  if type(path) ~= "string" then
    errors.raise("Conll.open: expected a path, got a %s", type(path))
  end
  local o = options.resolve("Conll.open", specs, given)
  for _, name in ipairs { "word", "tag" } do
    if o[name] == 0 then
      errors.raise("Conll.open: option '%s' counts columns from 1, or from the last with -1; got 0", name)
    end
  end
  local file, message = io.open(path, "rb")
  if not file then
    return errors.outside(message, errors.DATA)
  end
  local whole, made, why = pcall(read, file, path, o)
  file:close()
  if not whole or not made then
    return errors.outside(whole and why or made, errors.DATA)
  end
  return made
end

return { open = open }
