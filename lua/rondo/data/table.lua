-- data/table.lua - Table.open(path, { columns = }): a file of rows as lists of strings by column.
--
-- TSV (a tab between cells, which are as they are written) and CSV (RFC 4180: a cell in quotes may hold separators,
-- line breaks and doubled quotes). Lines end with \n or \r\n; a byte order mark and empty lines are passed over. The
-- core reads (core/text/csv.c); what is a header is said here.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local options = require "rondo.options"
local progress = require "rondo.progress"
local random = require "rondo.random"
local shares = require "rondo.data.shares"

local specs = {
  { name = "columns", kind = "table", help = "names: of the file's columns in order or, by a header, of some of them" },
  { name = "header", kind = "bool", help = "the first line has the names; default: where no columns are given, and "
    .. "where it holds all of those that are" },
  { name = "separator", kind = "string", help = "between cells; default: a comma in *.csv, else a tab" },
  { name = "quotes", kind = "bool", help = "a cell may stand in double quotes; default: unless tabs separate" },
}

local Table, methods = { __name = "rondo.Table" }, {}

function Table.__index(self, key)
  local column = rawget(self, "lists")[key]
  if methods[key] or column then
    return methods[key] or column
  elseif type(key) == "string" and key:sub(1, 1) ~= "_" then
    local near = core.nearest(key, self.columns)
    errors.raise("Table: %s has no column '%s'%s", self.path, key, near and (" (did you mean '%s'?)"):format(near)
      or "; columns are " .. errors.list(self.columns))
  end
end

function Table:__len()
  return self.count
end

function Table:__tostring()
  return ("%s: %d rows of %s"):format(self.path, self.count, table.concat(self.columns, ", "))
end

local function new(path, names, lists, count)
  return setmetatable({ path = path, columns = names, lists = lists, count = count }, Table)
end

-- The column of a name, where a method has the same.
function methods:column(name)
  return rawget(self, "lists")[name] or errors.raise("Table: %s has no column '%s'", self.path, tostring(name))
end

-- Parts with these shares of the rows, in their order or, with shuffle = true, in one that the seed decides.
function methods:split(given)
  if type(given) ~= "table" then
    errors.raise("split: expected a list of shares, as in split { 0.9, 0.1, shuffle = true }, got a %s", type(given))
  end
  local o = options.resolve("split", { { name = "shuffle", kind = "bool", def = false },
    { name = "seed", kind = "int", min = 0, max = 0xffffffff } }, { shuffle = given.shuffle, seed = given.seed })
  local ends = shares.ends(given, self.count)
  local order = o.shuffle and core.permuted(1, self.count, self.count, { seed = o.seed or random.seed(),
    purpose = "shuffle" })
  local parts, from = {}, 0
  for i, to in ipairs(ends) do
    local lists = {}
    for _, name in ipairs(self.columns) do
      local list, all = {}, rawget(self, "lists")[name]
      for k = from + 1, to do
        list[k - from] = all[order and order[k] or k]
      end
      lists[name] = list
    end
    parts[i], from = new(self.path, self.columns, lists, to - from), to
  end
  return table.unpack(parts)
end

-- ---- reading ----------------------------------------------------------------------------------------------

-- Does the row hold all of the names? If not, the first that it lacks, and one that it has.
local function holds(cells, n, names)
  local there, missing, found = {}, nil, nil
  for i = 1, n do
    there[cells[i]] = true
  end
  for _, name in ipairs(names) do
    if there[name] then
      found = found or name
    else
      missing = missing or name
    end
  end
  return not missing, missing, found
end

-- Why the first row, which has only some of the names, is not taken for data.
local function half_header(path, cells, n, missing, found)
  local near = core.nearest(missing, table.move(cells, 1, n, 1, {}))
  return ("%s: the first row has the name '%s', but no '%s'%s; with header = false it is one of data"):format(path,
    found, missing, near and (" (did you mean '%s'?)"):format(near) or "")
end

-- Names of the file's columns, and the places of those that are wanted; or nil, message.
local function plan(path, o, cells, n)
  local header = o.header
  if header == nil then
    local all, missing, found = holds(cells, n, o.columns or {})
    if found and not all then
      return nil, half_header(path, cells, n, missing, found)
    end
    header = all
  end
  local wanted, places = o.columns, {}
  if not header then
    if not wanted then
      return nil, ("%s: without a header its %d columns need names; give columns = { ... }"):format(path, n)
    end
    if #wanted ~= n then
      return nil, ("%s: its first row has %d column%s, expected %d (%s)"):format(path, n, n == 1 and "" or "s", #wanted,
        table.concat(wanted, ", "))
    end
    for i in ipairs(wanted) do
      places[i] = i
    end
    return { names = wanted, places = places, header = false }
  end
  local names, place = table.move(cells, 1, n, 1, {}), {}
  for i, name in ipairs(names) do
    if name == "" or place[name] then
      return nil, ("%s: column %d: the name of a column is %s"):format(path, i, name == ""
        and "missing" or ("'%s' for the second time"):format(name))
    end
    place[name] = i
  end
  wanted = wanted or names
  local all, missing = holds(cells, n, wanted)
  if not all then
    local near = core.nearest(missing, names)
    return nil, ("%s: the header has no column '%s'%s"):format(path, missing,
      near and (" (did you mean '%s'?)"):format(near) or "; it has " .. table.concat(names, ", "))
  end
  for i, name in ipairs(wanted) do
    places[i] = place[name]
  end
  return { names = wanted, places = places, header = true }
end

-- The rows as lists by column, or nil, message.
local function read(path, o)
  local _ <close> = progress.busy("reading " .. path)
  local csv, message = core.csv(path, { separator = o.separator, quotes = o.quotes })
  if not csv then
    return nil, message
  end
  local first, width = {}, csv:width()
  for i = 1, width do
    first[i] = i
  end
  for i, list in ipairs(csv:cells(first, 1, 1)) do
    first[i] = list[1]
  end
  local form, lists, count
  form, message = plan(path, o, first, width)
  if form then
    csv:begin { header = form.header }
    lists, count = csv:cells(form.places, 1, math.maxinteger)
    message = count
  end
  csv:close()
  if not lists then
    return nil, message
  elseif count == 0 then
    return nil, path .. ": there are no rows in it"
  end
  local named = {}
  for i, name in ipairs(form.names) do
    named[name] = lists[i]
  end
  return new(path, form.names, named, count)
end

-- Table.open(path, { columns =, header =, separator =, quotes = }): a table, or nil, message, code.
local function open(path, given)
  if type(path) ~= "string" then
    errors.raise("Table.open: expected a path, got a %s", type(path))
  end
  local o = options.resolve("Table.open", specs, given)
  for i, name in ipairs(o.columns or {}) do
    if type(name) ~= "string" or name == "" then
      errors.raise("Table.open: columns are names, got %s at place %d", type(name) == "string" and '""'
        or "a " .. type(name), i)
    end
  end
  o.separator = o.separator or (path:lower():find "%.csv$" and "," or "\t")
  if #o.separator ~= 1 or o.separator:find '["\r\n]' then
    errors.raise("Table.open: the separator is one character of ASCII, no quote or line break; got %q", o.separator)
  end
  if o.quotes == nil then
    o.quotes = o.separator ~= "\t"
  end
  local made, why = read(path, o)
  if not made then
    return errors.outside(why, errors.DATA)
  end
  return made
end

return { open = open }
