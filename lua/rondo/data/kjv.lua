-- data/kjv.lua - a text that needs nothing but Debian packages: the King James Bible, without verse labels.
--
-- The program `bible` (packages bible-kjv, bible-kjv-text) prints it once; the copy is kept in
-- $XDG_CACHE_HOME/rondo/kjv.txt.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"

local PRINTED_BYTES = 4404412 -- what `bible` 4.38 prints; a shorter text is a broken installation
local ADVICE = "install the Debian packages bible-kjv and bible-kjv-text (sudo apt install bible-kjv "
  .. "bible-kjv-text), or give a text with --data FILE"

local function cache_folder()
  local base = os.getenv "XDG_CACHE_HOME"
  if not base or base == "" then
    base = (os.getenv "HOME" or "/tmp") .. "/.cache"
  end
  return base, base .. "/rondo"
end

-- "Ge1:1 In the beginning ..." without its label.
local function strip_labels(text)
  return (("\n" .. text):gsub("\n%S+:%d+ ", "\n"):sub(2))
end

-- Path of the text, or nil, message, code.
local function kjv()
  local base, folder = cache_folder()
  local path = folder .. "/kjv.txt"
  local stat = core.stat(path)
  if stat and stat.size > PRINTED_BYTES // 2 then
    return path
  end
  local pipe = io.popen("bible -f 'Gen1:1-Rev22:21' 2>/dev/null", "r")
  local text = pipe and pipe:read "a" or ""
  if pipe then
    pipe:close()
  end
  if #text < PRINTED_BYTES // 2 then
    return errors.outside("the default text is not there: " .. ADVICE, errors.DATA)
  end
  core.mkdir(base)
  core.mkdir(folder)
  local ok, message = core.write_file(path, strip_labels(text))
  if not ok then
    return errors.outside(message, errors.DATA)
  end
  return path
end

return kjv
