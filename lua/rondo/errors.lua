-- errors.lua - who is blamed, and how a program ends.
--
-- Misuse raises, blamed on the first line outside this library. The outside world (files, formats, plugins)
-- returns nil, message, code. A planned end of the program (usage, divergence, Ctrl-C) is a Stop object.
-- SPDX-License-Identifier: MIT
local errors = {}

-- Exit codes of the command (see lua/README.md).
errors.SCRIPT, errors.USAGE, errors.DATA, errors.DIVERGED, errors.BROKEN = 1, 2, 3, 4, 5
errors.TEMPFAIL, errors.INTERRUPTED = 75, 130

local library = debug.getinfo(1, "S").source:match("^(.*)errors%.lua$")

local function inside(source)
  return source:sub(1, #library) == library
end

-- Level, as error() counts inside the caller of this function, of the first Lua frame outside the library; its source.
local function user_level()
  local level = 3
  while true do
    local info = debug.getinfo(level, "S")
    if not info then
      return 0 -- no user frame (a callback from C): no position
    elseif info.what ~= "C" and not inside(info.source) then
      return level - 1, info.source
    end
    level = level + 1
  end
end

-- True if a place, as messages name it, is a file of this library. Lua cuts long paths to "...end/of/path".
local function of_library(place)
  local cut = place:match "^%.%.%.(.*/rondo/)"
  return inside("@" .. place) or (cut ~= nil and library:sub(-#cut) == cut)
end

-- Takes away the position before a message, if it is one of this library.
local function bare(message)
  local place, rest = message:match("^([^\n]-%.lua):%d+: (.*)$")
  return place and of_library(place) and rest or message
end

errors.bare = bare

-- Ends with a sentence what a recipe was given (`rondo train` sets its path): its user has no line of it to blame.
local function stop_recipe(source, message)
  if errors.recipe and source == "@" .. errors.recipe then
    errors.stop(errors.USAGE, message)
  end
end

-- Raises, blaming the user's line.
function errors.raise(format, ...)
  local message = select("#", ...) > 0 and format:format(...) or format
  local level, source = user_level()
  stop_recipe(source, message)
  error(message, level)
end

local depth = 0

local function finish(ok, ...)
  depth = depth - 1
  if ok then
    return ...
  end
  local message = ...
  if type(message) ~= "string" then
    error(message, 0)
  end
  message = message:gsub("to 'rondo%.%a+%.", "to 'rondo.") -- not the name of the binding, but the script's
  message = message:gsub("bad argument #%d+ to '%?' %((.*)%)$", "%1") -- what blame() calls has no name
  local rest = bare(message)
  if rest == message and message:find("^[^\n]-:%d+: ") then
    error(message, 0) -- raised in the user's own code, with its line
  end
  local level, source = user_level()
  stop_recipe(source, rest)
  error(rest, level)
end

-- Calls f(...); an error raised inside the library is blamed on the user's line.
function errors.blame(f, ...)
  if depth > 0 then
    return f(...)
  end
  depth = depth + 1
  return finish(pcall(f, ...))
end

local function outside_again(before, ok, ...)
  depth = before
  if not ok then
    error((...), 0)
  end
  return ...
end

-- Calls a function of the user's from inside the library: what it calls of the library is blamed on its own lines.
function errors.within(f, ...)
  local before = depth
  depth = 0
  return outside_again(before, pcall(f, ...))
end

local Stop = { __tostring = function(stop) return stop.message or "end" end, __name = "rondo.Stop" }

function errors.is_stop(value)
  return getmetatable(value) == Stop
end

local MOST_NAMED = 20

-- Names for a sentence: a file of a stranger may have a million of them.
function errors.list(names, between)
  local more = #names - MOST_NAMED
  return table.concat(names, between or ", ", 1, math.min(#names, MOST_NAMED))
    .. (more > 0 and (", and %d more"):format(more) or "")
end

-- The sentence of what was raised, whoever is blamed for it.
function errors.sentence(raised)
  return (tostring(raised):gsub("^[^\n]-%.lua:%d+: ", ""))
end

-- Ends the program with a code and a sentence. Under the rondo command this is an error that the command
-- catches; in a stock interpreter it exits at once.
function errors.stop(code, message)
  if errors.caught then
    error(setmetatable({ code = code, message = message }, Stop), 0)
  end
  io.stdout:flush()
  if message then
    io.stderr:write(message, "\n")
  end
  os.exit(code, true)
end

-- For functions that meet the outside world: nil, message, code. The last one is remembered, so that
-- `assert(rondo.load(path))` still ends the command with the right exit code.
function errors.outside(message, code)
  errors.last = { message = message, code = code or errors.DATA }
  return nil, message, code or errors.DATA
end

-- The exit code for an error that reached the top.
function errors.code_of(message)
  local last = errors.last
  if errors.is_stop(message) then
    return message.code
  elseif last and type(message) == "string" and message:sub(-#last.message) == last.message then
    return last.code
  end
  return errors.SCRIPT
end

-- A notice: something that goes on, but not as asked. Follows Lua's warn().
function errors.notice(format, ...)
  local message = select("#", ...) > 0 and format:format(...) or format
  if errors.on_notice then
    errors.on_notice(message)
  else
    warn(message)
  end
end

return errors
