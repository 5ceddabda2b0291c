-- data_file.lua - what a file in Lua returns that is data only: options (--config), catalogs of data sets.
--
-- Such a file may be anybody's. It is read as text, never as compiled code, sees no name and no method of strings, and
-- has limits of size, steps, time and memory (lua/src/data.c). What it returns is data, for the caller to check.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local whole_file = require "rondo.whole_file"

local data_file = {}

local FILE_BYTES = 1 << 20

-- The table that the file returns; or nil, message.
function data_file.read(path)
  local text, message = whole_file.read(path, FILE_BYTES)
  if not text then
    return nil, message
  end
  local value, why, ran = core.data_of(text, "@" .. path)
  if value == nil then
    return nil, ran and ("%s: it can hold data alone: %s"):format(path, why)
      or why:find(path, 1, true) and why or ("%s: %s"):format(path, why)
  elseif type(value) ~= "table" then
    return nil, ("%s: it must return a table, got a %s"):format(path, type(value))
  end
  return value
end

return data_file
