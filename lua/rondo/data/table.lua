-- data/table.lua - Table.open(path, { columns = }): a file of rows as lists of strings by column.
--
-- TSV (a tab between cells, which are as they are written) and CSV (RFC 4180: a cell in quotes may hold separators,
-- line breaks and doubled quotes). Lines end with \n or \r\n; a byte order mark and empty lines are passed over.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local options = require "rondo.options"
local random = require "rondo.random"

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
      or "; columns are " .. table.concat(self.columns, ", "))
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

local function check_shares(given)
  local sum = 0
  for i, share in ipairs(given) do
    if type(share) ~= "number" or not (share > 0 and share <= 1) then
      errors.raise("split: share %d must be a number over 0 and at most 1, got %s", i, tostring(share))
    end
    sum = sum + share
  end
  if #given == 0 or sum > 1 + 1e-9 then
    errors.raise("split: expected shares that make at most 1, as in split { 0.9, 0.1 }, got %s", #given == 0 and "none"
      or ("%.6g"):format(sum))
  end
end

-- Parts with these shares of the rows, in their order or, with shuffle = true, in one that the seed decides.
function methods:split(given)
  if type(given) ~= "table" then
    errors.raise("split: expected a list of shares, as in split { 0.9, 0.1, shuffle = true }, got a %s", type(given))
  end
  local o = options.resolve("split", { { name = "shuffle", kind = "bool", def = false },
    { name = "seed", kind = "int", min = 0, max = 0xffffffff } }, { shuffle = given.shuffle, seed = given.seed })
  check_shares(given)
  local order = o.shuffle and core.permuted(1, self.count, self.count, { seed = o.seed or random.seed(),
    purpose = "shuffle" })
  local parts, from, share = {}, 0, 0
  for i, one in ipairs(given) do
    share = share + one
    local to = math.min(self.count, math.floor(share * self.count + 0.5))
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

-- Cells of a line without quotes.
local function cut(line, separator, cells)
  local n, at = 0, 1
  while true do
    local first, last = line:find(separator, at, true)
    n = n + 1
    cells[n] = line:sub(at, first and first - 1)
    if not first then
      return n
    end
    at = last + 1
  end
end

-- A cell in quotes that begins at `at`: its text, the place behind it, and the line, which may have grown by others;
-- or nil and what is wrong.
local function quoted(line, at, more)
  local parts, from = {}, at + 1
  while true do
    local quote = line:find('"', from, true)
    if not quote then
      local next_line = more()
      if not next_line then
        return nil, "the quote that begins this cell is not closed"
      end
      line = line .. "\n" .. next_line
    elseif line:byte(quote + 1) == 34 then
      parts[#parts + 1] = line:sub(from, quote)
      from = quote + 2
    else
      parts[#parts + 1] = line:sub(from, quote - 1)
      return table.concat(parts), quote + 1, line
    end
  end
end

-- Cells of a line where some may be quoted: how many, or nil, column, what is wrong.
local function cut_quoted(line, separator, cells, more)
  local n, at = 0, 1
  while true do
    n = n + 1
    if line:byte(at) == 34 then
      local text, behind, whole = quoted(line, at, more)
      if not text then
        return nil, n, behind
      end
      line, at, cells[n] = whole, behind, text
      if at <= #line and line:sub(at, at + #separator - 1) ~= separator then
        return nil, n, "something follows the closing quote"
      end
    else
      local first = line:find(separator, at, true)
      cells[n] = line:sub(at, first and first - 1)
      at = first or #line + 1
    end
    if at > #line then
      return n
    end
    at = at + #separator
  end
end

-- next() -> n cells in `cells`, number of the line; nil at the end; false and a message where the file is wrong.
local function reader(file, path, o)
  local number, cells = 0, {}
  local function line_of()
    local line = file:read "l"
    if line then
      number = number + 1
      if line:byte(-1) == 13 then
        line = line:sub(1, -2)
      end
      return number == 1 and line:gsub("^\xEF\xBB\xBF", "") or line
    end
  end
  local function next_row()
    local line
    repeat
      line = line_of()
    until line ~= ""
    local first = number
    if not line then
      return nil
    elseif not (o.quotes and line:find('"', 1, true)) then
      return cut(line, o.separator, cells), first
    end
    local n, column, wrong = cut_quoted(line, o.separator, cells, line_of)
    if not n then
      return false, ("%s: line %d, column %d: %s"):format(path, first, column, wrong)
    end
    return n, first
  end
  return next_row, cells
end

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

-- Why the first line, which has only some of the names, is not taken for data.
local function half_header(path, cells, n, line, missing, found)
  local near = core.nearest(missing, table.move(cells, 1, n, 1, {}))
  return ("%s: line %d has the name '%s', but no '%s'%s; with header = false it is a row"):format(path, line, found,
    missing, near and (" (did you mean '%s'?)"):format(near) or "")
end

-- Names of the file's columns, and the places of those that are wanted; or nil, message.
local function plan(path, o, cells, n, first_line)
  local header = o.header
  if header == nil then
    local all, missing, found = holds(cells, n, o.columns or {})
    if found and not all then
      return nil, half_header(path, cells, n, first_line, missing, found)
    end
    header = all
  end
  local wanted, places = o.columns, {}
  if not header then
    if not wanted then
      return nil, ("%s: without a header its %d columns need names; give columns = { ... }"):format(path, n)
    end
    for i in ipairs(wanted) do
      places[i] = i
    end
    return { names = wanted, places = places, width = #wanted }
  end
  local names, place = table.move(cells, 1, n, 1, {}), {}
  for i, name in ipairs(names) do
    if name == "" or place[name] then
      return nil, ("%s: line %d, column %d: the name of a column is %s"):format(path, first_line, i, name == ""
        and "missing" or ("'%s' for the second time"):format(name))
    end
    place[name] = i
  end
  wanted = wanted or names
  local all, missing = holds(cells, n, wanted)
  if not all then
    local near = core.nearest(missing, names)
    return nil, ("%s: line %d: the header has no column '%s'%s"):format(path, first_line, missing,
      near and (" (did you mean '%s'?)"):format(near) or "; it has " .. table.concat(names, ", "))
  end
  for i, name in ipairs(wanted) do
    places[i] = place[name]
  end
  return { names = wanted, places = places, width = n, header = true }
end

local function read(file, path, o)
  local next_row, cells = reader(file, path, o)
  local n, line = next_row()
  if not n then
    return nil, n == false and line or path .. ": there are no rows in it"
  end
  local form, message = plan(path, o, cells, n, line)
  if not form then
    return nil, message
  end
  local lists, count, places = {}, 0, form.places
  for i in ipairs(form.names) do
    lists[i] = {}
  end
  if form.header then
    n, line = next_row()
  end
  while n do
    if n ~= form.width then
      return nil, ("%s: line %d has %d column%s, expected %d (%s)"):format(path, line, n, n == 1 and "" or "s",
        form.width, form.header and "as in the header" or table.concat(form.names, ", "))
    end
    count = count + 1
    for i = 1, #places do
      lists[i][count] = cells[places[i]]
    end
    n, line = next_row()
  end
  if n == false then
    return nil, line
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
  if o.separator == "" then
    errors.raise("Table.open: the separator is not empty")
  end
  if o.quotes == nil then
    o.quotes = o.separator ~= "\t"
  end
  local file, message = io.open(path, "rb")
  if not file then
    return errors.outside(message, errors.DATA)
  end
  local made, why = read(file, path, o)
  file:close()
  if not made then
    return errors.outside(why, errors.DATA)
  end
  return made
end

return { open = open }
