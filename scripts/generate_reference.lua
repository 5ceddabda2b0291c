--[[ generate_reference.lua - what readers, editors and shells know of options, made from the tables that count.

usage: rondo run scripts/generate_reference.lua [--check]     from the source folder

Writes the reference in lua/README.md between its marker lines, and whole: the annotations
lua/library/options.lua, the man page lua/command/rondo.1, the completions lua/command/rondo.bash and rondo.zsh.
With --check nothing is written: it names the files that are not as they would be made, and ends with status 1
if there are any.
SPDX-License-Identifier: MIT ]]
package.path = "scripts/?.lua;" .. package.path
local reference = require "rondo.reference"
local commands = require("reference.commands").commands()
local topics = reference.topics()
local version = require("rondo.core").VERSION

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

-- The file's text with what lies between its marker lines replaced.
local function between(path, text)
  local before = read(path)
  local _, first = before:find("[^\n]*generated: begin[^\n]*\n")
  local last = before:find("[^\n]*generated: end[^\n]*\n")
  assert(first and last and first < last, path .. ": has no marker lines")
  return before:sub(1, first) .. text .. "\n" .. before:sub(last)
end

local made = {
  { "lua/README.md", between("lua/README.md", "\n" .. require("reference.readme").readme(topics) .. "\n") },
  { "lua/library/options.lua", require("reference.annotations").annotations(topics) },
  { "lua/command/rondo.1", require("reference.man").man(commands, version) },
  { "lua/command/rondo.bash", require("reference.completions").bash(commands, topics) },
  { "lua/command/rondo.zsh", require("reference.completions").zsh(commands, topics) },
}

local check = arg[1] == "--check"
local stale = false
for _, entry in ipairs(made) do
  local path, text = table.unpack(entry)
  local file = io.open(path, "rb")
  local now = file and file:read "a"
  if file then
    file:close()
  end
  if now ~= text then
    stale = true
    if check then
      print(path .. ": is not as it would be made; run `rondo run scripts/generate_reference.lua`")
    else
      assert(assert(io.open(path, "wb")):write(text)):close()
      print("wrote " .. path)
    end
  end
end
return check and stale and 1 or 0
