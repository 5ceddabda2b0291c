-- data_file.lua - what a file in Lua returns that is data only: options (--config), catalogs of data sets.
--
-- Such a file may be anybody's. It is read as text, never as compiled code, sees no name and no method of strings, and
-- has limits of size, steps and memory. What it returns is the caller's to check.
-- SPDX-License-Identifier: MIT
local whole_file = require "rondo.whole_file"

local data_file = {}

local FILE_BYTES, STEPS, KILOBYTES = 1 << 20, 1000000, 16 << 10

-- Looks at each step, because one step can double a string.
local function watch()
  local steps, most = 0, collectgarbage "count" + KILOBYTES
  return function()
    steps = steps + 1
    if steps > STEPS then
      error("it takes more than a million steps", 0)
    elseif collectgarbage "count" > most then
      collectgarbage()
      if collectgarbage "count" > most then
        error("it takes more than 16 MB of memory", 0)
      end
    end
  end
end

-- Runs a chunk without the methods of strings, which are there in any environment. In a coroutine, which has a hook of
-- its own.
local function run(chunk)
  local strings, thread = debug.getmetatable "", coroutine.create(chunk)
  debug.sethook(thread, watch(), "", 1)
  debug.setmetatable("", nil)
  local ok, value = coroutine.resume(thread)
  debug.setmetatable("", strings)
  return ok, value
end

-- The table that the file returns; or nil, message.
function data_file.read(path)
  local text, message = whole_file.read(path, FILE_BYTES)
  local chunk
  if text then
    chunk, message = load(text, "@" .. path, "t", {})
  end
  if not chunk then
    return nil, message
  end
  local ok, value = run(chunk)
  if not ok then
    return nil, ("%s: it can hold data alone: %s"):format(path, tostring(value))
  elseif type(value) ~= "table" then
    return nil, ("%s: it must return a table, got a %s"):format(path, type(value))
  end
  return value
end

return data_file
