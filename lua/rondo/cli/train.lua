-- cli/train.lua - rondo train FILE: the installed recipe for this kind of file.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"

local function recipe_path(name)
  return ("%s/scripts/%s.lua"):format(require("rondo.places").share(), name)
end

local HDF5 = "\137HDF\r\n\26\n"

-- Is this a table with columns of numbers? By its name and its first rows: a text of any kind may hold commas.
local function is_table(path)
  local ending = path:lower():match "%.(%a+)$"
  if ending ~= "csv" and ending ~= "tsv" then
    return false
  end
  return ending == "csv" or require("rondo").data.Series.from_csv(path, { missing = "previous" }) ~= nil
end

-- The recipe for a file, by its name and first bytes.
local function recipe_for(path)
  local stat = require("rondo.core").stat(path)
  if path == "-" or (stat and stat.kind == "pipe") then
    errors.stop(errors.DATA, ("%s: a text is read in pieces as they are needed, so it must be a file"):format(path))
  end
  local file, message = io.open(path, "rb")
  if not file then
    errors.stop(errors.DATA, message)
  end
  local head, why = file:read(1024)
  file:close()
  if head == nil then
    errors.stop(errors.DATA, ("%s: %s"):format(path, why or "is empty"))
  elseif head:sub(1, 8) == HDF5 or head:find(HDF5, 1, true) then
    if require("rondo.checkpoint").open(path) then
      errors.stop(errors.USAGE, ("%s: is a checkpoint, not data; use --init-from for its weights"):format(path))
    end
    return "time_series"
  end
  return is_table(path) and "time_series" or "text_generation"
end

return function(arguments, cli)
  local file = arguments[1]
  if file == "--help" or file == "-h" then
    io.stdout:write("Usage: rondo train FILE [--option value ...]\n\nTrains the recipe for this kind of file: "
      .. "a table of numbers (x.csv, x.tsv, HDF5) gets a forecaster,\nanything else a character language model. "
      .. "`rondo train FILE --help` lists the recipe's options; those of a text:\n\n")
    return require "rondo.cli.run"({ recipe_path "text_generation", "--help" }, cli)
  elseif not file or file:sub(1, 2) == "--" then
    errors.stop(errors.USAGE, "train: give a file first, as in `rondo train book.txt --epochs 5`")
  end
  local path = recipe_path(recipe_for(file))
  errors.recipe = path
  local all = table.move(arguments, 2, #arguments, 4, { path, "--data", file })
  return require "rondo.cli.run"(all, cli)
end
