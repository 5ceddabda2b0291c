-- data/prepare.lua - how the files of a data set are made from its downloads: the functions that a catalog names.
--
-- prepare[name](texts, file): `texts` are the downloads' bytes in the order of the entry, `file` the record of the
-- file to make (with what the function needs beside: header, range, ...). Returns the bytes of the file. The sums in
-- the catalog decide whether it is the right one, so nothing here checks its input twice.
-- SPDX-License-Identifier: MIT
local inflate = require "rondo.data.inflate"

local prepare = {}

-- Lines without their ends (\n or \r\n); a last line without one counts too.
local function lines_of(text)
  if text:sub(-1) ~= "\n" then
    text = text .. "\n"
  end
  return text:gmatch "([^\n]-)\r?\n"
end

local function join(list)
  return table.concat(list, "\n") .. "\n"
end

-- White space at the ends goes, and inside it is one blank.
local function one_line(text)
  return (text:gsub("\u{85}", " "):gsub("%s+", " "):match "^ ?(.-) ?$")
end

-- The download as it is. Named here like the others; fetch.lua moves the file and calls nothing.
function prepare.raw(texts, file)
  return texts[file.download or 1]
end

-- "Ge1:1 In the beginning ..." without the labels of the verses.
function prepare.verses(texts)
  return (("\n" .. texts[1]):gsub("\n%S+:%d+ ", "\n"):sub(2))
end

-- The first `bytes` of the download.
function prepare.first_bytes(texts, file)
  return texts[file.download or 1]:sub(1, file.bytes)
end

-- Lines with a header of the file's own: put before them, or in the place of the first `skip`.
function prepare.header(texts, file)
  local list, n = { file.header }, 0
  for line in lines_of(table.concat(texts)) do
    n = n + 1
    if n > (file.skip or 0) and line:sub(1, 1) ~= "#" then
      list[#list + 1] = line
    end
  end
  return join(list)
end

-- Comment lines taken out of the joined downloads.
function prepare.uncomment(texts)
  local list = {}
  for line in lines_of(table.concat(texts)) do
    if line:sub(1, 1) ~= "#" then
      list[#list + 1] = line
    end
  end
  return join(list)
end

-- Quotes taken away, under a header of the file's own; line ends stay, and the last line gets one.
function prepare.unquote(texts, file)
  local text = texts[1]:gsub('"', "")
  return file.header .. text:sub(text:find "\r?\n", -1) .. "\n"
end

-- The first `count` rows of a table, without its header and the row numbers before each.
function prepare.rows(texts, file)
  local list = { file.header }
  for row in texts[1]:gmatch '\n"?%d+"?,([^\r\n]+)' do
    if #list > file.count then
      break
    end
    list[#list + 1] = row
  end
  return join(list)
end

-- The hours of one station, without the columns that are the same or empty in all of them.
function prepare.station(texts, file)
  local list = { file.header }
  for line in lines_of(texts[1]) do
    local cells = {}
    for cell in (line .. ","):gmatch "([^,]*)," do
      cells[#cells + 1] = cell
    end
    if cells[2] == file.station then
      local row = { cells[16] }
      for _, column in ipairs { 7, 8, 9, 10, 11, 13, 14, 15 } do
        local number = tonumber(cells[column])
        row[#row + 1] = number and ("%.2f"):format(number):gsub("%.?0+$", "") or ""
      end
      list[#list + 1] = table.concat(row, ",")
    end
  end
  return join(list)
end

-- Lines that hold white space alone become empty: the borders of sentences.
function prepare.borders(texts)
  return (texts[1]:gsub("%f[^\n\0][ \t]+%f[\n]", ""))
end

-- Three downloads side by side: words, tags, label -> "label<TAB>words<TAB>tags".
function prepare.tagged(texts, file)
  local first = file.download
  local words, tags = lines_of(texts[first]), lines_of(texts[first + 1])
  local list = {}
  for label in lines_of(texts[first + 2]) do
    list[#list + 1] = table.concat({ one_line(label), one_line(words()), one_line(tags()) }, "\t")
  end
  return join(list)
end

-- "sentence<TAB>label" -> "label<TAB>sentence", without every fifth line, which is for testing.
function prepare.labelled(texts, file)
  local list, n = {}, 0
  for line in lines_of(texts[file.download or 1]) do
    local text, label = line:match "^(.*)\t(.*)$"
    if text then
      n = n + 1
      if n % 5 ~= 0 then
        list[#list + 1] = one_line(label) .. "\t" .. one_line(text)
      end
    end
  end
  return join(list)
end

-- The first n of an IDX file: images (2051, n, rows, columns) or labels (2049, n), big-endian, bytes.
function prepare.idx_first(texts, file)
  local text = texts[file.download or 1]
  local magic = (">I4"):unpack(text)
  local dims = magic % 256
  local rest = text:sub(9, 4 + 4 * dims)
  local size = 1
  for i = 1, dims - 1 do
    size = size * (">I4"):unpack(rest, 4 * i - 3)
  end
  return (">I4I4"):pack(magic, file.count) .. rest .. text:sub(5 + 4 * dims, 4 + 4 * dims + size * file.count)
end

-- One element of a MATLAB 5 file at `at`: its type, where its bytes are and how many, and where the next one begins.
local function element(text, at)
  local kind, size = ("<I4I4"):unpack(text, at)
  if kind > 0xffff then -- four bytes at most, in the place of the size
    return kind & 0xffff, at + 4, kind >> 16, at + 8
  end
  return kind, at + 8, size, at + 8 + (size + 7) // 8 * 8
end

-- Dimensions and name of a matrix whose bytes begin at `at`, and where its contents begin.
local function matrix(text, at)
  local _, _, _, dims = element(text, at)
  local _, where, _, name = element(text, dims)
  local rows, columns = ("<i4i4"):unpack(text, where)
  local _, first, size, contents = element(text, name)
  return rows, columns, text:sub(first, first + size - 1), contents
end

local function piano_roll(text, at)
  local times, keys, _, contents = matrix(text, at)
  local _, first = element(text, contents)
  local steps = {}
  for t = 0, times - 1 do
    local down = {}
    for key = 0, keys - 1 do
      if text:byte(first + key * times + t) ~= 0 then
        down[#down + 1] = key
      end
    end
    steps[t + 1] = #down > 0 and table.concat(down, ",") or "-"
  end
  return table.concat(steps, " ")
end

-- The pieces of one variable of a MATLAB 5 file, a cell array of matrices (time, key) of bytes 0 and 1, by columns: one
-- piece a line, steps parted by a blank, a step the numbers of its keys, the first 0, with commas between, or "-".
function prepare.piano_rolls(texts, file)
  local packed, at, list = texts[1], 129, {}
  while at < #packed do
    local _, first, size = element(packed, at)
    at = first + size
    local text = inflate(packed:sub(first, at - 1))
    local _, whole = element(text, 1)
    local rows, columns, name, where = matrix(text, whole)
    for _ = 1, name == file.variable and rows * columns or 0 do
      local _, piece, _, after = element(text, where)
      list[#list + 1], where = piano_roll(text, piece), after
    end
  end
  return join(list)
end

return prepare
