-- sentences.lua - is an error one for people, or one of Lua from inside the library?
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local odd = require "odd"

-- What Lua and its library say of a mistake in the code that runs.
local of_lua = { "attempt to %l+", "stack overflow", "number has no integer representation", "'for' %l+ .*must be",
  "table index is n", "bad argument #%-", "bad argument #%d+ to '%?'",
  "string length overflow", "invalid order function",
  "invalid capture", "malformed pattern", "malformed number", "invalid option '", "invalid conversion", "value out of",
  "invalid value %(", "table overflow", "too many results", "wrong number of arguments", "__gc", "C stack",
  "argument out of range", "assertion failed", "resulting string too large", "invalid key to 'next'",
  "interval is empty",
  "pattern too complex", "unfinished capture", "no loop to break", "error in error", "cannot %l+ .* coroutine",
  "missing '[", "%(null%)" }
for name in ("ipairs pairs next select setmetatable rawset rawget rawlen rawequal tonumber tostring type unpack format "
    .. "gsub gmatch match find rep sub byte char lower upper len concat insert remove sort move floor ceil max min abs "
    .. "fmod tointeger random open lines write read close seek getmetatable error require pcall loadstring load")
  :gmatch "%S+" do
  of_lua[#of_lua + 1] = "bad argument #%d+ to '" .. name .. "'"
end

-- Metamethods that are wrong themselves: the caller's mistake, in Lua's words.
local of_caller = { "'__tostring' must return a string", "'__name'", "object length is not an integer" }

local sentences = {}

-- `given`: what the message may repeat.
local function of_text(message, given)
  if message == "" then
    return "an empty message"
  elseif message:find(odd.TOLD, 1, true) then
    return nil
  end
  for _, pattern in ipairs(of_caller) do
    if message:find(pattern) then
      return nil
    end
  end
  message = message:gsub("(bad argument #%d+ to '[%w_.]+' %()number has no integer representation", "%1an integer")
  for _, pattern in ipairs(of_lua) do
    if message:find(pattern) and not given:find(pattern) then
      return "no sentence for a user"
    end
  end
  return nil
end

-- nil, or what is wrong with an error that a function of the library raised.
function sentences.problem(message, given)
  given = given or ""
  if errors.is_stop(message) then
    return type(message.message) ~= "string" and "an end without a message" or of_text(message.message, given)
  elseif type(message) == "string" then
    return of_text(message, given)
  elseif message == nil or type(message) == "table" and message[1] == odd.TOLD then
    return nil -- the caller's function raised it
  end
  return ("an error that is a %s"):format(type(message))
end

return sentences
