-- data/catalog.lua - the data sets that Rondo knows: where a file of one is, and how it gets here.
--
-- A catalog is a Lua table read with an empty environment (datasets/catalog.lua; its top comment has the form). A file
-- is looked for in Rondo's own folder, if it comes with Rondo, in the folder that RONDO_DATA names, then in the cache
-- ($XDG_CACHE_HOME/rondo); what is nowhere is downloaded (data/fetch.lua). A file counts only with the sha256 that the
-- catalog gives.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local data_file = require "rondo.data_file"
local errors = require "rondo.errors"
local options = require "rondo.options"

local catalog = {}

local function own_folder()
  return require("rondo.places").share() .. "/datasets/"
end

local function default_path()
  return own_folder() .. "catalog.lua"
end

-- Rondo's folder in the user's cache, or nil where the environment names no place: a shared one, such as /tmp, could
-- hold another user's files.
function catalog.cache_folder()
  local base, home = os.getenv "XDG_CACHE_HOME", os.getenv "HOME"
  if base and base ~= "" then
    return base .. "/rondo"
  end
  return home and home ~= "" and home .. "/.cache/rondo" or nil
end

-- ---- reading a catalog ----

local function check_sum(record, what)
  if type(record.sha256) ~= "string" or #record.sha256 ~= 64 or record.sha256:find "[^%da-f]" then
    return what .. ": sha256 must be 64 digits 0-9a-f"
  elseif math.type(record.bytes) ~= "integer" or record.bytes < 0 then
    return what .. ": bytes must be a whole number"
  end
end

local function check_file(file, what)
  local path = file.path
  if type(path) ~= "string" or not path:find "^[%w_%-.][%w_%-./]*$" or path:find("..", 1, true) then
    return what .. ": path must be relative, of letters, digits and _-./, without '..'"
  end
  if file.bundled ~= nil and not tostring(file.bundled):find "^%w[%w_%-.]*$" then
    return what .. ": bundled must be the name of a file in Rondo's folder of data sets"
  end
  return check_sum(file, what .. " (" .. path .. ")")
end

local function check_downloads(entry)
  for i, download in ipairs(entry.downloads or {}) do
    if type(download.url) ~= "string" or not download.url:find "^https?://" then
      return ("download %d: url must begin with https:// or http://"):format(i)
    end
    local wrong = check_sum(download, ("download %d"):format(i))
    if wrong then
      return wrong
    end
  end
end

local function check_entry(entry)
  if type(entry.name) ~= "string" or not entry.name:find "^[%w_]+$" then
    return "name must be letters, digits and _"
  end
  for _, field in ipairs { "what", "licence", "source" } do
    if type(entry[field]) ~= "string" then
      return field .. " is missing"
    end
  end
  if type(entry.files) ~= "table" or #entry.files == 0 then
    return "files is missing"
  end
  for i, file in ipairs(entry.files) do
    local wrong = check_file(file, ("file %d"):format(i))
    local prepare = file.prepare or entry.prepare
    if not wrong and entry.downloads and not require("rondo.data.prepare")[prepare] then
      wrong = ("there is no prepare function '%s'"):format(tostring(prepare))
    end
    if wrong then
      return wrong
    end
  end
  return check_downloads(entry)
end

-- The entries of a catalog file in its order, and by name; or nil, message, code.
function catalog.read(path)
  path = path or default_path()
  local entries, message = data_file.read(path)
  if not entries then
    return errors.outside(message, errors.DATA)
  end
  local by_name = {}
  for i, entry in ipairs(entries) do
    local wrong = type(entry) ~= "table" and "must be a table" or check_entry(entry)
    if not wrong and by_name[entry.name] then
      wrong = "the name is taken"
    end
    if wrong then
      return errors.outside(("%s: entry %d ('%s'): %s"):format(path, i, tostring(type(entry) == "table" and entry.name
        or entry), wrong), errors.DATA)
    end
    by_name[entry.name] = entry
  end
  return entries, by_name
end

-- ---- what is here ----

-- sha256 of a file by the program of coreutils; or nil, message.
function catalog.sha256(path)
  local result, message = core.run { "sha256sum", "--", path }
  if not result then
    return nil, message:find "^sha256sum" and "cannot check sums: the program sha256sum is missing (package coreutils)"
      or message
  end
  local sum = result.stdout:match "^\\?(%x+)"
  if result.code ~= 0 or not sum then
    return nil, result.interrupted and "stopped by " .. result.interrupted or result.stderr:match "^[^\n]*"
  end
  return sum
end

-- Paths at which a file of the catalog may lie, the first before the others.
local function places(file)
  local own, list = os.getenv "RONDO_DATA", {}
  if file.bundled then
    list[1] = own_folder() .. file.bundled
  end
  if own and own ~= "" then
    list[#list + 1] = own .. "/" .. file.path
  end
  local cache = catalog.cache_folder()
  list[#list + 1] = cache and cache .. "/" .. file.path -- or nothing
  return list
end

-- Path of a file where it lies, without looking at its sum, or nil.
function catalog.where(file)
  for _, path in ipairs(places(file)) do
    local stat = core.stat(path)
    if stat and stat.kind == "file" then
      return path
    end
  end
end

-- Path of a file whose sum is right, or nil; a file with another sum is left where it is, with a notice (unless
-- `quiet`). What a package's program prints is taken as it is: other versions of it print something else.
function catalog.find(entry, file, quiet)
  for _, path in ipairs(places(file)) do
    local stat = core.stat(path)
    if stat and stat.kind == "file" then
      local sum, message = catalog.sha256(path)
      if sum == file.sha256 or entry.packages and stat.size > file.bytes // 2 then
        return path
      elseif not quiet then
        errors.notice("%s is not used: %s", path, sum and ("its sha256 is %s, expected %s"):format(sum, file.sha256)
          or message)
      end
    end
  end
end

-- ---- getting ----

local get_specs = {
  { name = "part", kind = "string", help = "one of the set's files, as 'valid'; without it the first" },
  { name = "catalog", kind = "string", help = "another catalog file than Rondo's own" },
}

local function unknown(kind, name, names, hint)
  local near = core.nearest(tostring(name), names)
  return errors.outside(("there is no %s '%s'%s"):format(kind, tostring(name), near
    and (" (did you mean '%s'?)"):format(near) or "; " .. hint:format(table.concat(names, ", "))), errors.USAGE)
end

local function names_of(list, field)
  local names = {}
  for _, record in ipairs(list) do
    names[#names + 1] = record[field]
  end
  return names
end

-- The files of an entry that are wanted: all, or the one of that part.
local function select_files(entry, part)
  if not part then
    return entry.files
  end
  for _, file in ipairs(entry.files) do
    if file.part == part then
      return { file }
    end
  end
  local parts = names_of(entry.files, "part")
  return unknown("part", part, parts, #parts > 0 and entry.name .. " has %s" or entry.name .. " is one file")
end

-- Paths of the files of set `name`, made to be there; or nil, message, code.
function catalog.paths(name, given)
  local o = options.resolve("data.get", get_specs, given)
  local entries, by_name, code = catalog.read(o.catalog)
  if not entries then
    return nil, by_name, code
  end
  local entry = by_name[name]
  if not entry then
    return unknown("data set", name, names_of(entries, "name"), "`rondo data list` lists them")
  end
  local files, message, status = select_files(entry, o.part)
  if not files then
    return nil, message, status
  end
  local paths = {}
  for i, file in ipairs(files) do
    local path = catalog.find(entry, file)
    if not path then
      path, message, status = require("rondo.data.fetch")(entry, file)
      if not path then
        return errors.outside(message, status)
      end
    end
    paths[i] = path
  end
  return paths
end

-- rondo.data.get(name [, { part = "valid" }]): path of the (first) file, or nil, message, code.
function catalog.get(name, given)
  if type(name) ~= "string" then
    errors.raise("data.get: expected the name of a data set, got a %s", type(name))
  end
  local paths, message, code = catalog.paths(name, given)
  if not paths then
    return nil, message, code
  end
  return paths[1]
end

return catalog
