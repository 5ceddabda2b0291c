-- whole_file.lua - small files that may be anybody's, at once or by lines: regular ones, of bounded size and lines.
--
-- A pipe would be waited for, a device has no end, and a file with holes is larger than memory; so kind and size are
-- looked at before a file is opened.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"

local whole_file = {}

local LINE_BYTES, CHUNK = 16 << 20, 64 << 10

-- A regular file of at most `most` bytes (nil: of any size), open for reading, and its size; or nil, message.
function whole_file.open(path, most)
  local stat, message = core.stat(path)
  if not stat then
    return nil, message
  elseif stat.kind ~= "file" then
    return nil, ("%s: it is %s"):format(path, stat.kind == "dir" and "a folder" or "not a regular file")
  elseif most and stat.size > most then
    return nil, ("%s: it has %d bytes, allowed are %d"):format(path, stat.size, most)
  end
  local file, why = io.open(path, "rb")
  return file, file and stat.size or why
end

-- The text of such a file; or nil, message.
function whole_file.read(path, most)
  local file <close>, size = whole_file.open(path, most)
  if not file then
    return nil, size
  end
  local text, why = file:read(size)
  return text or not why and "" or nil, why and ("%s: %s"):format(path, why)
end

-- Lines of an open file, for `for`: each with its line end, which the last one may lack. A line of over 16 MB is an
-- error that names `path`.
function whole_file.lines(file, path)
  local text, from, number = "", 1, 0 -- read, and where its next line begins
  return function()
    number = number + 1
    local stop = text:find("\n", from, true)
    if stop then
      local line = text:sub(from, stop)
      from = stop + 1
      return line
    end
    local parts, bytes = { text:sub(from) }, #text - from + 1
    repeat
      local more, why = file:read(CHUNK)
      if why then
        error(("%s: %s"):format(path, why), 0)
      end
      text, from, stop = more or "", 1, more and more:find("\n", 1, true)
      parts[#parts + 1], bytes = text:sub(1, stop), bytes + (stop or #text)
      if bytes > LINE_BYTES then
        error(("%s: line %d has more than %d bytes"):format(path, number, LINE_BYTES), 0)
      end
    until stop or not more
    from = (stop or #text) + 1
    return bytes > 0 and table.concat(parts) or nil
  end
end

return whole_file
