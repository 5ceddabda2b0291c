-- cli/new.lua - rondo new-cell, new-kernel, new-layer NAME: a folder with a plugin that works, to be edited.
--
-- The folder is written from <share>/template: readme.md, and the files of the kind. In all of them @NAME@ is the name,
-- @FILE@ what follows its last dot, @KIND@ the kind, @CFLAGS@ the compiler's flags, @USE@ the kind's use.md, @INCLUDE@
-- and @DOC@ folders of this Rondo. The source, KIND.c, compiles as it lies there: template.KIND is its name.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local places = require "rondo.places"

local PATTERN = "[a-z][a-z0-9_.-]*"
local what = { cell = "recurrent cell", kernel = "backend of matrix products",
  layer = "layer that computes whole sequences" }
local example = { cell = "me.cell", kernel = "me.kernel", layer = "me.layer" }
-- Names of targets that CMake has already.
local taken = { all = true, clean = true, help = true, install = true, package = true, test = true, edit_cache = true,
  rebuild_cache = true, list_install_components = true }
-- Those of a kind that are there, or their names.
local there = { cell = core.cells, kernel = core.kernel_list, layer = core.layers }

local function stop(format, ...)
  errors.stop(errors.USAGE, format:format(...))
end

-- The file's name: what follows the last dot.
local function file_of(command, kind, name)
  if not name:find("^" .. PATTERN .. "$") then
    stop("%s: the name must match %s, as %s does, got '%s'", command, PATTERN, example[kind], name)
  end
  local file = name:match "[^.]*$"
  if not file:find "^[a-z]" or taken[file] then
    stop("%s: the folder and what is built are called after what follows the last dot of '%s', and they cannot be "
      .. "called '%s'; choose another", command, name, file)
  end
  return file
end

local function check_free(command, kind, name, folder)
  for _, each in ipairs(there[kind]()) do
    if each == name or each.name == name then
      stop("%s: a %s named '%s' is there already; give yours a name of its own, as in me.%s", command, kind, name, name)
    end
  end
  if core.stat(folder) then
    stop("%s: %s is there already, and nothing is overwritten; choose another name or another folder", command, folder)
  end
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

local function write(path, text)
  local ok, message = core.write_file(path, text)
  if not ok then
    errors.stop(errors.SCRIPT, message)
  end
end

-- The template's files: name and text.
local function files_of(kind, name, file)
  local template = places.share() .. "/template/"
  local flags = {}
  for i, word in ipairs(require("rondo.plugin_flags")().cflags) do
    flags[i] = word:find "[^%w/._=-]" and "'" .. word:gsub("'", "'\\''") .. "'" or word
  end
  local words = { NAME = name, FILE = file, KIND = kind, CFLAGS = table.concat(flags, " "),
    INCLUDE = places.kit() .. "/include", DOC = places.kit() .. "/share/doc/rondo" }
  words.USE = read(template .. kind .. "/use.md"):gsub("\n$", ""):gsub("@(%u+)@", words)
  local function filled(path)
    return (read(template .. path):gsub("@(%u+)@", words))
  end
  local source = filled(kind .. "/" .. kind .. ".c"):gsub("template%." .. kind, name)
    :gsub("%f[%w_]" .. kind .. "%.c%f[^%w]", file .. ".c")
  return { [file .. ".c"] = source, ["README.md"] = filled "readme.md",
    ["CMakeLists.txt"] = filled(kind .. "/CMakeLists.txt"), ["test.lua"] = filled(kind .. "/test.lua") }
end

-- The command for a kind.
local function new(kind)
  local command = "new-" .. kind
  return function(arguments, cli)
    local parser = cli.parser(command, ("Writes a folder with a %s that works, to be edited: its source, "
      .. "CMakeLists.txt, a test and a README.md with the commands."):format(what[kind]))
    parser:argument("name", ("its name, %s; the folder is called after what follows the last dot"):format(PATTERN))
    local o = cli.parse(parser, arguments)
    local file = file_of(command, kind, o.name)
    check_free(command, kind, o.name, file)
    local files = files_of(kind, o.name, file)
    local made, message = core.mkdir(file)
    if not made then
      errors.stop(errors.SCRIPT, ("%s: the folder cannot be made here: %s"):format(command, message))
    end
    for to, text in pairs(files) do
      write(file .. "/" .. to, text)
    end
    print(("%s/%s.c is the %s %s: it works as it is, and its comments say where to edit. Next:"):format(file, file,
      kind, o.name))
    print(("\n  cd %s\n  rondo check %s.c\n\n%s/README.md has the rest."):format(file, file, file))
    return 0
  end
end

return { cell = new "cell", kernel = new "kernel", layer = new "layer" }
