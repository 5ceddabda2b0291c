-- marked.lua - a file with lines 'NAME: begin' and 'NAME: end', between which a table is kept.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local errors = require "rondo.errors"

local marked = {}

-- What is before (with its marker line) and behind; nil, message and an exit code.
function marked.around(path, name)
  local file, message = io.open(path, "rb")
  local text = file and file:read "a"
  if file then
    file:close()
  end
  if not text then
    return nil, message or path .. ": cannot be read", errors.DATA
  end
  local before, after = text:match(("^(.-%s: begin[^\n]*\n).-([^\n]*%s: end.*)$"):format(name, name))
  if not before then
    return nil, ("%s: it has no lines '%s: begin' and '%s: end'"):format(path, name, name), errors.USAGE
  end
  return before, after
end

-- Replaces what is between the lines: true, or nil, message and an exit code.
function marked.put(path, name, text)
  local before, after, code = marked.around(path, name)
  if not before then
    return nil, after, code
  end
  local ok, message = core.write_file(path, before .. "\n" .. text .. "\n" .. after)
  return ok, message, errors.DATA
end

return marked
