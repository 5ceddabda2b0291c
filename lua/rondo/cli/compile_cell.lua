-- cli/compile_cell.lua - rondo compile-cell FILE.lua: the cells of a script that are equations, as plugins in C.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"

local function options(cli)
  local parser = cli.parser("compile-cell", "Runs a Lua script, and writes the C source of each "
    .. "rondo.cell { equations = ... } in it and the shared object that $CC or cc makes of it: NAME.c and NAME.so in "
    .. "this folder, NAME being what follows the last dot of the cell's name. Nothing is written that does not keep "
    .. "the rules of rondo check, or that does not compute what the equations say.")
  parser:argument("file", "a script that calls rondo.cell"):argname "FILE.lua"
  parser:option("-o --output", "the source to write, where the script has one cell"):argname "FILE.c"
  parser:flag("--no-check", "leave the rules of rondo check out"):hidden_name "--no_check"
  return parser
end

-- Runs the script; its cells by the names of their files.
local function cells_of(path, output)
  local equations = require "rondo.equations"
  if path:find "%.c$" then
    errors.stop(errors.USAGE, ("compile-cell: %s is a source in C; it reads a script that calls rondo.cell { equations "
      .. "= ... }, and `rondo check %s` builds and checks a source"):format(path, path))
  end
  local chunk, message = loadfile(path)
  if not chunk then
    errors.stop(message:find "^cannot %a+ " and errors.USAGE or errors.SCRIPT, message)
  end
  _G.arg = { [0] = path }
  chunk(path)
  local list, by_name = {}, {}
  for _, cell in ipairs(equations.made) do
    local entry = { cell = cell, file = output or equations.file_name(cell) }
    if not by_name[cell.name] then
      list[#list + 1] = entry
    end
    by_name[cell.name] = entry
  end
  if #list == 0 then
    errors.stop(errors.USAGE, ("compile-cell: %s makes no cell of equations; rondo.cell { name = \"me.cell\", "
      .. "equations = { ... } } does"):format(path))
  elseif output and #list > 1 then
    errors.stop(errors.USAGE, ("compile-cell: %s has %d cells; leave -o out, and each has a file of its own name")
      :format(path, #list))
  elseif output and not output:find "%.c$" then
    errors.stop(errors.USAGE, ("compile-cell: -o names a source, FILE.c, got '%s'"):format(output))
  end
  return list
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read "a"
  file:close()
  return bytes
end

local ORIGIN = "made from equations by rondo compile-cell" -- in every source that it writes

-- A source that somebody wrote is not written over; one of this command is.
local function check_free(path)
  if require("rondo.native").stat(path) and not read(path):find(ORIGIN, 1, true) then
    errors.stop(errors.USAGE, ("compile-cell: %s is there already and was not made from equations; take another "
      .. "folder, or another name with -o FILE.c"):format(path))
  end
end

local function must(ok, message)
  return ok or errors.stop(errors.DATA, "compile-cell: " .. tostring(message))
end

-- Builds, checks and proves it in the cache, whose folder is safe to load from, and writes both files where they are
-- wanted.
local function written(entry, o)
  local core, equations = require "rondo.native", require "rondo.equations"
  local cell, object = entry.cell, entry.file:gsub("%.c$", ".so")
  check_free(entry.file)
  local text = equations.source(cell, entry.file:match "[^/]*$")
  local built, source = equations.build(cell, text, not o.no_check)
  must(built, source)
  local ok, difference = equations.load(cell, built, text)
  must(ok, difference)
  must(core.write_file(entry.file, text))
  must(core.write_file(object, read(built)))
  local p = cell.program
  print(("%s: %s and %s"):format(cell.name, entry.file, object))
  print(("  %d equations: %d lines in %d phase%s; outputs and gradients are those of the equations to %.0e"):format(
    #p.equations, #p.lines, p.phases, p.phases > 1 and "s" or "", difference))
end

return function(arguments, cli)
  local o = cli.parse(options(cli), arguments)
  for _, entry in ipairs(cells_of(o.file, o.output)) do
    written(entry, o)
  end
  return 0
end
