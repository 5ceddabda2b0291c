-- build.lua - from the C source of a cell to a shared object: the system's compiler, the rules of `rondo check`, and a
-- folder where what has been built and checked once is found again.
--
-- It lies in $XDG_CACHE_HOME/rondo/cells (default ~/.cache), which is made for its owner alone; the loader refuses what
-- others could write. A file is named by a digest of all that it depends on, and appears there whole.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local places = require "rondo.places"
local plugin_flags = require "rondo.plugin_flags"
local progress = require "rondo.progress"

local build = {}

local function compiler()
  local words = {}
  for word in (os.getenv "CC" or "cc"):gmatch "%S+" do
    words[#words + 1] = word
  end
  return #words > 0 and words or { "cc" }
end

local function folder()
  local cache, home = core.getenv "XDG_CACHE_HOME", core.getenv "HOME"
  if not (cache and cache:sub(1, 1) == "/") then
    if not (home and home:sub(1, 1) == "/") then
      return nil, "a compiled cell lies in $XDG_CACHE_HOME or ~/.cache, and neither XDG_CACHE_HOME nor HOME is a folder"
    end
    cache = home .. "/.cache"
  end
  local path = cache .. "/rondo/cells"
  local ok, message = core.mkdir(path)
  return ok and path, message
end

-- FNV-1a, 64 bits: a name for texts that are not made to collide.
local function digest(text)
  local hash = 0xcbf29ce484222325
  for i = 1, #text do
    hash = (hash ~ text:byte(i)) * 0x100000001b3
  end
  return ("%016x"):format(hash)
end

-- What the compiler calls itself; nil, message where it does not run.
local function version(cc)
  local command = table.move(cc, 1, #cc, 1, {})
  command[#command + 1] = "--version"
  local result, message = core.run(command)
  if not result then
    return nil, ("the C compiler '%s' does not run: %s; $CC says which one to take"):format(cc[1], message)
  end
  return result.stdout
end

-- The shared object of a source. true; or nil, message.
local function compile(source, to)
  local flags = plugin_flags()
  local command = compiler()
  for _, list in ipairs { flags.cflags, { "-shared", source, "-o", to }, flags.libs } do
    table.move(list, 1, #list, #command + 1, command)
  end
  local _ <close> = progress.busy("compiling " .. source)
  local result, message = core.run(command)
  if not result or result.code ~= 0 then
    return nil, ("%s cannot be compiled by %s: %s"):format(source, command[1], result and result.stderr or message)
  end
  return true
end

-- Does a source keep the rules of the border? true, or nil, message with what `rondo check` found. Where the equations
-- stop gradients on purpose, those are no differences (C6).
local function check(source, stops)
  local _ <close> = progress.busy("checking " .. source)
  local result, message = core.run { places.prefix() .. "/bin/rondo", "check", source }
  if not result then
    return nil, ("rondo check does not run: %s"):format(message)
  end
  local said, broken = {}, result.code ~= 0 and result.code ~= errors.BROKEN
  for line in (result.stdout .. result.stderr):gmatch "[^\n]+" do
    if not (line:find "^%s+pass" or line:find "^%s+skip" or stops and line:find "^%s+fail%s+C6") then
      said[#said + 1] = line
      broken = broken or line:find "^%s+%l+%s+%u%d" and not line:find "^%s+warn"
    end
  end
  if broken then
    return nil, ("rondo check refuses %s:\n%s"):format(source, table.concat(said, "\n"))
  end
  return true
end

-- Writes a source and builds a shared object beside it, which is there whole or not at all. true, or nil, message.
local function build_files(text, source, object, how)
  local ok, message = core.write_file(source, text)
  if ok and how.check then
    ok, message = check(source, how.stops)
  end
  local partial = object .. ".part"
  if ok then
    ok, message = compile(source, partial)
  end
  if ok then
    ok, message = core.rename(partial, object)
  end
  if not ok then
    core.remove(partial)
    return nil, message
  end
  return true
end

-- The shared object for a source of this name out of the cache, built if it is not there; how: check, with the rules of
-- rondo check; stops, where the equations stop gradients. Returns its path, that of the source, and whether it was
-- there; or nil, message.
function build.cached(name, text, how)
  local where, message = folder()
  local cc = compiler()
  local known = where and nil
  if where then
    known, message = version(cc)
  end
  if not known then
    return errors.outside(message)
  end
  local flags = plugin_flags()
  local key = digest(table.concat({ text, known, table.concat(cc, " "), table.concat(flags.cflags, " "),
    table.concat(flags.libs, " "), core.VERSION, core.real, tostring(how.check) }, "\0"))
  local stem = ("%s/%s-%s"):format(where, name, key)
  if core.stat(stem .. ".so") then
    return stem .. ".so", stem .. ".c", true
  end
  local ok, why = build_files(text, stem .. ".c", stem .. ".so", how)
  if not ok then
    return errors.outside(why)
  end
  return stem .. ".so", stem .. ".c", false
end

return build
