-- repl.lua - the prompt: `rondo` without arguments on a terminal.
--
-- Every chunk is plain Lua in the global environment, where `rondo` is the module. Ctrl-C at the prompt drops what
-- was typed; while a chunk runs it interrupts it, and twice it ends the program. A training polls for signals
-- itself and stops with a checkpoint, so that it is left alone here.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local errors = require "rondo.errors"

local repl = {}

local POLL = 1000 -- instructions of Lua between two looks for Ctrl-C

-- A chunk, or nil, message, and whether more lines could make it whole.
function repl.compile(text)
  local chunk = load("return " .. text:gsub("^%s*=", "", 1), "=input", "t")
  if chunk then
    return chunk
  end
  local message
  chunk, message = load(text, "=input", "t")
  return chunk, message, message ~= nil and message:find "<eof>$" ~= nil
end

-- One line for whatever was raised.
local function one_line(message)
  if errors.is_stop(message) then
    message = message.message or ("ended with status %d"):format(message.code)
  end
  local ok, text = pcall(tostring, message)
  return ((ok and text or "error without a message"):gsub("%s*\n%s*", " "))
end

local function watch_signals()
  local catch, polled = core.catch_signals, false
  -- In a chunk signals are caught from its beginning to its end, and what asks for that polls them in between.
  core.catch_signals = function(on) -- luacheck: ignore
    polled = on
    catch(true)
  end
  catch(true)
  debug.sethook(function()
    if not polled and core.interrupted() then
      catch(true) -- and this one is forgotten
      error("interrupted", 0)
    end
  end, "", POLL)
  return function()
    debug.sethook()
    core.catch_signals = catch
    catch(false)
  end
end

local SHOWN = 20 -- entries of a list

-- A plain list, as size() and states() return, shows what is in it; everything else is what tostring says.
local function shown(value)
  if type(value) ~= "table" or getmetatable(value) or #value == 0 or next(value, #value) ~= nil then
    return tostring(value)
  end
  local parts = {}
  for i = 1, math.min(#value, SHOWN) do
    parts[i] = type(value[i]) == "string" and ("%q"):format(value[i]) or tostring(value[i])
  end
  return "{ " .. table.concat(parts, ", ") .. (#value > SHOWN and (", ... %d in all }"):format(#value) or " }")
end

local function print_values(...)
  local texts = table.pack(...)
  for i = 1, texts.n do
    texts[i] = shown(texts[i])
  end
  print(table.unpack(texts, 1, texts.n))
end

-- Runs a chunk and prints its values, as lua5.4 does but for lists.
function repl.run(chunk)
  local unwatch = watch_signals()
  local results = table.pack(pcall(chunk))
  if results[1] and results.n > 1 then
    results = table.pack(pcall(print_values, table.unpack(results, 2, results.n)))
  end
  unwatch()
  if not results[1] then
    io.stdout:flush()
    io.stderr:write(one_line(results[2]), "\n")
  end
end

-- The file of the history, its folder made; nil where there is no place for one.
local function history_file()
  local state, home = os.getenv "XDG_STATE_HOME", os.getenv "HOME"
  if not state or state:sub(1, 1) ~= "/" then
    state = home and home ~= "" and home .. "/.local/state"
  end
  return state and core.mkdir(state .. "/rondo") and state .. "/rondo/history" or nil
end

-- Reads lines without an editor: what is there where libedit is not.
local function plain_reader()
  return {
    read = function(_, prompt)
      io.stdout:write(prompt)
      io.stdout:flush()
      return io.stdin:read "l"
    end,
    add = function() end,
  }
end

local function edited_reader()
  local ok, line_editor = pcall(require, "rondo.line_editor")
  if not ok then
    return plain_reader()
  end
  os.setlocale("", "ctype") -- letters are what the terminal takes them for
  local editor = line_editor.new(function(text)
    return require("rondo.complete").at(text, _G)
  end)
  local path = history_file()
  if path then
    editor:load(path) -- the first time there is none
  end
  return {
    read = function(_, prompt) return editor:read(prompt) end,
    add = function(_, line)
      editor:add(line)
      if path then
        editor:save(path) -- at once: a chunk may end the program
      end
    end,
  }
end

-- Lines until they are a chunk: its text, false where it was dropped, nil at the end.
local function read_chunk(reader)
  local text = reader:read "> "
  if text and text:find "%S" then
    reader:add(text)
  end
  while text do
    local chunk, message, open = repl.compile(text)
    if not open then
      return text, chunk, message
    end
    local more = reader:read ">> "
    if not more then
      return more
    end
    if more:find "%S" then
      reader:add(more)
    end
    text = text .. "\n" .. more
  end
  return text
end

function repl.start()
  errors.caught = true
  _G.rondo = require "rondo"
  print(("rondo %s, %s. `rondo` is the module; `rondo help LSTM` in a shell tells options; Ctrl-D ends."):format(
    core.VERSION, _VERSION))
  local reader = edited_reader()
  while true do
    local text, chunk, message = read_chunk(reader)
    if text == nil then
      print()
      return 0
    elseif chunk then
      repl.run(chunk)
    elseif message then
      io.stderr:write(one_line(message), "\n")
    end
  end
end

return repl
