-- data/series.lua - Series.from_csv(path, { ... }): columns of numbers in the order of time, larger than memory.
--
-- The core maps the file and reads stretches of its rows (core/text/csv.c); here is what a file leaves open: which row
-- has the names, what the decimal sign is, which column is the time. The first rows decide, and where they can be
-- read in two ways the file is refused with the option that says which. Opening reads all rows once, so that what is
-- wrong with a file is said then, by line and column. A series and its parts share the mapped file.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local options = require "rondo.options"
local cuts = require "rondo.data.series_cuts"
local form = require "rondo.data.csv_form"
local store = require "rondo.data.series_store"
local windows = require "rondo.data.windows"

local specs = {
  { name = "columns", kind = "table", help = "names or numbers of columns to read; default: all that hold numbers" },
  { name = "time", kind = "any", help = "name or number of the column of times; false: none; default: the first that "
    .. "holds dates" },
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

local Series, methods = { __name = "rondo.Series" }, {}

function Series.__index(self, key)
  local method = methods[key]
  if method then
    return method
  elseif key == "num_columns" then
    return #rawget(self, "columns")
  elseif type(key) == "string" then
    local near = core.nearest(key, { "columns", "num_columns", "path", "values", "times", "split", "summary",
      "slice", "windows", "windows_like", "name" })
    errors.raise("Series: there is no field '%s'%s", key, near and (" (did you mean '%s'?)"):format(near) or "")
  end
end

function Series:__len()
  return self.last - self.first + 1
end

function Series:__tostring()
  return ("%s: %d rows of %s"):format(self.path, #self, table.concat(self.columns, ", "))
end

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
    near and (" (did you mean '%s'?)"):format(near) or "; columns are " .. table.concat(file.names, ", "))
end

-- The column of times, 0 for none; or nil, message.
local function find_time(file, wanted)
  if wanted == false then
    return 0
  elseif wanted ~= nil then
    return column_of(file, wanted)
  end
  for i, kind in ipairs(file.kinds) do
    if kind == "time" then
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
    elseif place == file.time then
      return nil, ("%s: column '%s' is the time; it cannot be one of the columns of values"):format(file.path,
        file.names[place])
    end
    places[i] = place
  end
  for i, kind in ipairs(wanted and {} or file.kinds) do
    if kind == "number" and i ~= file.time then
      places[#places + 1] = i
    end
  end
  if #places == 0 then
    return nil, ("%s: no column holds numbers; columns are %s"):format(file.path, table.concat(file.names, ", "))
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
  file.time, message = find_time(file, o.time)
  if not file.time then
    return nil, message
  end
  rules.plain_times, rules.skip = form.plain_times(found.cells[file.time] or {}), o.skip
  return csv:begin(rules)
end

local function part_of(file, first, last)
  local names = {}
  for i, place in ipairs(file.places) do
    names[i] = file.names[place]
  end
  return setmetatable({ file = file, path = file.path, name = file.path:match "([^/]-)%.?%w*$", columns = names,
    first = first, last = last }, Series)
end

local function read(path, o)
  local csv, message = core.csv(path, { separator = o.separator, quotes = true, comments = true })
  if not csv then
    return nil, message
  end
  local file = { csv = csv, path = path, rule = o.missing }
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
    file.report, message = csv:scan(file.places, file.time > 0 and file.time or nil, o.missing)
    ok = file.report
  end
  if not ok then
    csv:close()
    return nil, message
  end
  return part_of(file, 1, file.report.rows)
end

-- Series.from_csv(path, { columns =, time =, missing =, ... }): a series, or nil, message, code.
local function from_csv(path, given)
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

-- ---- a series ----------------------------------------------------------------------------------------------

-- Rows from..to of the series, counted from 1; negative ones from the end.
local function range(self, from, to)
  from, to = from or 1, to or #self
  if math.type(from) ~= "integer" or math.type(to) ~= "integer" then
    errors.raise("Series: rows are integers, got %s and %s", tostring(from), tostring(to))
  end
  from = from < 0 and from + #self + 1 or from
  to = to < 0 and to + #self + 1 or to
  if from < 1 or to > #self or from > to + 1 then
    errors.raise("Series: rows %d..%d do not lie in the series, which has %d", from, to, #self)
  end
  return from, to
end

-- Places in the file of columns by name; nil: all of the series.
local function places_of(self, wanted)
  if wanted == nil then
    return self.file.places
  end
  local places = {}
  for i, name in ipairs(type(wanted) == "table" and wanted or { wanted }) do
    for k, column in ipairs(self.columns) do
      places[i] = places[i] or column == name and self.file.places[k] or nil
    end
    if not places[i] then
      local near = core.nearest(tostring(name), self.columns)
      errors.raise("Series: no column '%s' was read%s", tostring(name), near and (" (did you mean '%s'?)"):format(near)
        or "; columns are " .. table.concat(self.columns, ", "))
    end
  end
  return places
end

-- Values of a column (n) or of some or all (nil) columns (n, columns), rows from..to, by the rule for missing ones:
-- what lies behind row `to` has no part in them.
function methods:values(wanted, from, to)
  from, to = range(self, from, to)
  local x = self.file.csv:values(places_of(self, wanted), self.first + from - 1, to - from + 1, self.file.rule)
  return type(wanted) == "string" and x:select(2, 1) or x
end

-- Times of rows from..to: seconds since 1970 in UTC, or the numbers that are the times; nil without a column of times.
function methods:times(from, to)
  from, to = range(self, from, to)
  return self.file.time > 0 and self.file.csv:times(self.file.time, self.first + from - 1, to - from + 1) or nil
end

-- The columns as numbers in memory, or, where they are large, in a file without a name; and the place of the times
-- among them, or nil. All parts share them.
function methods:store()
  local file = self.file
  if not file.store then
    file.store = store.of_csv(file)
  end
  return file.store, file.time > 0 and #file.places + 1 or nil
end

-- What of the stored rows the part is: for each series { name =, begin = its first row, first =, last = }.
function methods:pieces()
  return { { name = self.name, begin = 1, first = self.first, last = self.last } }
end

-- Windows of the part: a source of batches for a Trainer.
function methods:windows(given)
  return windows.new(self, given)
end

-- The same for new data, by config.series of a checkpoint (rondo.load(run).config.series).
function methods:windows_like(config, given)
  return windows.like(self, config, given)
end

-- Rows from..to as a series.
function methods:slice(from, to)
  from, to = range(self, from, to)
  return part_of(self.file, self.first + from - 1, self.first + to - 1)
end

-- Parts in the order of time: by shares { 0.7, 0.15, 0.15 }, numbers of rows { 100, 44 }, or the times at which the
-- second part, the third... begin { "1959-01" }.
function methods:split(given)
  local parts, from = {}, 0
  for i, to in ipairs(cuts.ends(self, given)) do
    parts[i] = part_of(self.file, self.first + from, self.first + to - 1)
    from = to
  end
  return table.unpack(parts)
end

-- What opening found, of the whole file: rows, missing values by column, columns that are not read, the step of time.
function methods:summary()
  local file, report = self.file, self.file.report
  local missing, unread = {}, {}
  for i, name in ipairs(self.columns) do
    missing[name] = report.missing[i]
  end
  for i, name in ipairs(file.names) do
    if not missing[name] and i ~= file.time then
      unread[#unread + 1] = name
    end
  end
  local out = { rows = report.rows, missing = missing, unread = unread, separator = file.csv:separator() }
  if file.time > 0 then
    out.time, out.first, out.last = file.names[file.time], report.first, report.last
    out.regular = report.step ~= nil and report.other_steps == 0
    out.step, out.unit = report.step, report.unit
    out.other_steps, out.other_line = report.other_steps, report.other_steps ~= 0 and report.other_line or nil
  end
  return out
end

return { from_csv = from_csv, is_series = function(value) return getmetatable(value) == Series end }
