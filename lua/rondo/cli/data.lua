-- cli/data.lua - rondo data list|get NAME: the data sets of the catalog, and the path of one that is now here.
-- SPDX-License-Identifier: MIT
local catalog = require "rondo.data.catalog"
local core = require "rondo.core"
local errors = require "rondo.errors"

local function size_text(bytes)
  if bytes < 1000000 then
    return ("%.1f kB"):format(bytes / 1000)
  end
  return ("%.1f MB"):format(bytes / 1000000)
end

-- What `list --json` says of an entry.
local function facts_of(entry)
  local files, total = {}, 0
  for i, file in ipairs(entry.files) do
    files[i] = { path = file.path, part = file.part, bytes = file.bytes, sha256 = file.sha256,
      here = catalog.where(file) }
    total = total + file.bytes
  end
  return { name = entry.name, what = entry.what, licence = entry.licence, source = entry.source, bytes = total,
    files = files, downloads = entry.downloads, packages = entry.packages, command = entry.command }
end

local function place_of(facts)
  local first
  for _, file in ipairs(facts.files) do
    if not file.here then
      return facts.downloads and "to download" or facts.packages and "from package " .. facts.packages[1]
        or "only through RONDO_DATA"
    end
    first = first or file.here
  end
  return first
end

local function list(entries, as_json)
  local all = {}
  for i, entry in ipairs(entries) do
    all[i] = facts_of(entry)
  end
  if as_json then
    io.stdout:write(require("rondo.json").encode(all), "\n")
    return
  end
  local line = "%-20s %9s  %-28s %s"
  print(line:format("name", "size", "licence", "where"))
  for _, facts in ipairs(all) do
    print(line:format(facts.name, size_text(facts.bytes), facts.licence, place_of(facts)))
  end
end

return function(arguments, cli)
  local parser = cli.parser("data", "Lists the data sets that Rondo knows, or gets one and prints the path of its "
    .. "file: from the folder that RONDO_DATA names, the cache ($XDG_CACHE_HOME/rondo), or by download.")
  parser:argument("what", "list or get"):choices { "list", "get" }
  parser:argument("name", "get: the name of a data set"):args "?"
  parser:argument("part", "get: one of its files, as valid; without it all"):args "?"
  parser:option("--catalog", "another catalog file"):argname "FILE"
  parser:flag("--json", "list: everything that is known, as JSON; get: a list of paths")
  local o = cli.parse(parser, arguments)
  if o.what == "list" then
    local entries, message, code = catalog.read(o.catalog)
    if not entries then
      errors.stop(code, message)
    end
    list(entries, o.json)
    return 0
  elseif not o.name then
    errors.stop(errors.USAGE, "data get: give a name, as in `rondo data get tinyshakespeare`; "
      .. "`rondo data list` lists them")
  end
  core.catch_signals(true)
  local paths, message, code = catalog.paths(o.name, { part = o.part, catalog = o.catalog })
  core.catch_signals(false)
  if not paths then
    errors.stop(code, message)
  elseif o.json then
    io.stdout:write(require("rondo.json").encode(paths), "\n")
  else
    print(table.concat(paths, "\n"))
  end
  return 0
end
