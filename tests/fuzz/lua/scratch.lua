-- scratch.lua - the folder that an input may write in: the one the program runs in.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local list, remove, stat = core.listdir, core.remove, core.stat

local scratch = {}
local files = {}

local function write(name, text)
  local file <close> = assert(io.open(name, "wb"))
  assert(file:write(text))
end

-- These files are there before each input.
function scratch.write(given)
  files = given
  for name, text in pairs(files) do
    write(name, text)
  end
end

local function clear(path)
  local found = stat(path)
  if found and found.kind == "dir" then
    for _, name in ipairs(list(path) or {}) do
      clear(path .. "/" .. name)
    end
  end
  remove(path)
end

function scratch.restore()
  for _, name in ipairs(list "." or {}) do
    if not files[name] then
      clear("./" .. name)
    end
  end
  for name, text in pairs(files) do
    local found = stat(name)
    if not found or found.size ~= #text then
      clear(name)
      write(name, text)
    end
  end
end

return scratch
