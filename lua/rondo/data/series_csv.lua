-- data/series_csv.lua - opening a CSV file for Series.from_csv.
--
-- The core maps the file and reads stretches of its rows (core/text/csv.c); here is what a file leaves open: which row
-- has the names, what the decimal sign is, which column is the time. The first rows decide, and where they can be
-- read in two ways the file is refused with the option that says which. Opening reads all rows once, so that what is
-- wrong with a file is said then, by line and column.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local form = require "rondo.data.csv_form"
local groups = require "rondo.data.series_groups"
local options = require "rondo.options"
local progress = require "rondo.progress"

local series_csv = {}

local specs = {
  { name = "columns", kind = "table", help = "names or numbers of columns to read; default: all that hold numbers" },
  { name = "time", kind = "any", help = "name or number of the column of times; false: none; default: the first that "
    .. "holds dates" },
  { name = "id", kind = "any", help = "name or number of a column that says which series a row is of: many in one "
    .. "file, their rows together or mixed" },
  { name = "missing", kind = "choice", choices = { "error", "previous", "interpolate" }, def = "error",
    help = "missing values: refused, the value before, or on a line between the values seen (never from later rows "
    .. "than those asked for)" },
  { name = "missing_values", kind = "table", help = "words that are missing values, beside empty cells; default: NA, "
    .. "N/A, NaN, null, none, ?, -, --, ." },
  { name = "separator", kind = "string", help = "between cells; default: of , ; tab | the one that fits" },
  { name = "decimal", kind = "choice", choices = { ".", "," }, help = "decimal sign; default: as the numbers show" },
  { name = "thousands", kind = "choice", choices = { ",", ".", " ", "'", "_" }, help = "between groups of three "
    .. "digits; default: there are none" },
  { name = "header", kind = "bool", help = "the first row has the names; default: where it has no numbers or dates" },
  { name = "dates", kind = "choice", choices = { "dmy", "mdy" }, help = "of 3/4/2020; default: as the dates show" },
  { name = "skip", kind = "int", min = 0, def = 0, help = "rows of values at the start that are passed over" },
}

-- ---- which columns -----------------------------------------------------------------------------------------

-- The number of a column by name or number, or nil, message.
local function column_of(file, wanted)
  if math.type(wanted) == "integer" and wanted >= 1 and wanted <= #file.names then
    return wanted
  elseif type(wanted) == "string" and file.place[wanted] then
    return file.place[wanted]
  end
  local near = core.nearest(tostring(wanted), file.names)
  return nil, ("%s: there is no column '%s'%s"):format(file.path, tostring(wanted),
    near and (" (did you mean '%s'?)"):format(near) or "; columns are " .. errors.list(file.names))
end

-- The column of times, 0 for none; or nil, message.
local function find_time(file, wanted)
  if wanted == false then
    return 0
  elseif wanted ~= nil then
    return column_of(file, wanted)
  end
  for i, kind in ipairs(file.kinds) do
    if kind == "time" and i ~= file.id then
      return i
    end
  end
  return 0
end

local function find_columns(file, wanted)
  local places = {}
  for i, one in ipairs(wanted or {}) do
    local place, message = column_of(file, one)
    if not place then
      return nil, message
    elseif place == file.time or place == file.id then
      return nil, ("%s: column '%s' is the %s; it cannot be one of the columns of values"):format(file.path,
        file.names[place], place == file.id and "id" or "time")
    end
    places[i] = place
  end
  for i, kind in ipairs(wanted and {} or file.kinds) do
    if kind == "number" and i ~= file.time and i ~= file.id then
      places[#places + 1] = i
    end
  end
  if #places == 0 then
    return nil, ("%s: no column holds numbers; columns are %s"):format(file.path, errors.list(file.names))
  end
  return places
end

-- ---- opening -----------------------------------------------------------------------------------------------

local function begin(file, o, found)
  local csv = file.csv
  local by_groups = { [","] = ".", ["."] = "," }
  local rules = { decimal = o.decimal or by_groups[o.thousands] or form.find_decimal(found), thousands = o.thousands,
    dates = o.dates or form.find_dates(found), missing = o.missing_values }
  if rules.decimal == rules.thousands then
    return nil, ("%s: '%s' cannot be both the decimal sign and what parts thousands"):format(file.path, rules.decimal)
  end
  local ok, message = csv:begin(rules)
  if not ok then
    return nil, message
  end
  found.kinds, file.kinds = {}, {}
  for i, list in ipairs(found.cells) do
    found.kinds[i] = form.kind_of(csv, list)
  end
  rules.header = o.header
  if rules.header == nil then
    rules.header, message = form.find_header(csv, file.path, found)
    if rules.header == nil then
      return nil, message
    end
  end
  if not rules.header then
    for i, list in ipairs(found.cells) do
      table.insert(list, 1, found.head[i])
    end
  end
  if rules.header and found.rows == 0 then
    return nil, file.path .. ": there are no rows in it behind the names of its columns"
  end
  for i, list in ipairs(found.cells) do
    file.kinds[i] = form.kind_of(csv, list)
  end
  file.names, file.place = form.names_of(found, rules.header, file.path)
  if not file.names then
    return nil, file.place
  end
  if o.id ~= nil then
    file.id, message = column_of(file, o.id)
    if not file.id then
      return nil, message
    end
  end
  file.time, message = find_time(file, o.time)
  if not file.time then
    return nil, message
  end
  rules.plain_times, rules.skip = form.plain_times(found.cells[file.time] or {}), o.skip
  file.plain_times = rules.plain_times
  return csv:begin(rules)
end

local function read(path, o)
  local _ <close> = progress.busy("reading " .. path)
  local csv, message = core.csv(path, { separator = o.separator, quotes = true, comments = true })
  if not csv then
    return nil, message
  end
  local file = { csv = csv, path = path, rule = o.missing, kind = "csv" }
  local ok, found
  found, message = form.look(csv)
  if found then
    ok, message = begin(file, o, found)
  end
  if ok then
    file.places, message = find_columns(file, o.columns)
    ok = file.places
  end
  if ok then
    local time = file.time > 0 and not file.id and file.time or nil -- each series has times of its own
    file.report, message = csv:scan(file.places, time, o.missing, file.id ~= nil)
    ok = file.report
  end
  if ok and file.id then
    ok, message = groups.read(file)
  end
  if not ok then
    csv:close()
    return nil, message
  end
  file.columns = {}
  for i, place in ipairs(file.places) do
    file.columns[i] = file.names[place]
  end
  file.time_name, file.time_of = file.names[file.time], function(text) return csv:time(text) end
  return file
end

-- The record of a file, or nil, message, code.
function series_csv.open(path, given)
  if type(path) ~= "string" then
    errors.raise("Series.from_csv: expected a path, got a %s", type(path))
  end
  local o = options.resolve("Series.from_csv", specs, given)
  if o.separator and (#o.separator ~= 1 or o.separator:find '["\r\n%d.+-]') then
    errors.raise("Series.from_csv: option 'separator' must be one character of ASCII that is no quote, line break or "
      .. "part of a number, got %q", o.separator)
  end
  if o.columns and #o.columns == 0 then
    errors.raise "Series.from_csv: option 'columns' must be a list of at least one name or number, got an empty one"
  end
  for i, word in ipairs(o.missing_values or {}) do
    if type(word) ~= "string" then
      errors.raise("Series.from_csv: option 'missing_values' must be a list of strings, got %s at place %d",
        type(word) == "number" and word or "a " .. type(word), i)
    end
  end
  local made, message = read(path, o)
  if not made then
    return errors.outside(message, errors.DATA)
  end
  return made
end

return series_csv
