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
  local text, from, number, more, why = "", 1, 0, true, nil
  return function()
    local stop = text:find("\n", from, true)
    while not stop and more do
      text, from = text:sub(from), 1
      more, why = file:read(CHUNK)
      if why then
        error(("%s: %s"):format(path, why), 0)
      end
      stop = more and more:find("\n", 1, true)
      stop, text = stop and #text + stop, text .. (more or "")
      if not stop and #text > LINE_BYTES then
        error(("%s: line %d has more than %d bytes"):format(path, number + 1, LINE_BYTES), 0)
      end
    end
    local line = text:sub(from, stop)
    from, number = from + #line, number + 1
    return line ~= "" and line or nil
  end
end

return whole_file
