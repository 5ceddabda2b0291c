-- data/series.lua - Series: columns of numbers in the order of time, larger than memory; one series or many.
--
-- Files are opened by series_csv.lua and the like, which give a record: path, columns, report, rule, time (a place, or
-- 0), and either the rows themselves (numbers) or a CSV file that is mapped. A series and its parts share it. What a
-- part is of the file are its pieces: one, or one for each of many series.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local cuts = require "rondo.data.series_cuts"
local errors = require "rondo.errors"
local season = require "rondo.data.season"
local series_csv = require "rondo.data.series_csv"
local series_hdf5 = require "rondo.data.series_hdf5"
local store = require "rondo.data.series_store"
local windows = require "rondo.data.windows"

local Series, methods = { __name = "rondo.Series" }, {}

function Series.__index(self, key)
  local method = methods[key]
  if method then
    return method
  elseif key == "num_columns" then
    return #rawget(self, "columns")
  elseif type(key) == "string" then
    local near = core.nearest(key, { "columns", "num_columns", "path", "values", "times", "split", "summary",
      "slice", "windows", "windows_like", "season", "one", "names", "name" })
    errors.raise("Series: there is no field '%s'%s", key, near and (" (did you mean '%s'?)"):format(near) or "")
  end
end

-- Rows, of all series together.
function Series:__len()
  local n = 0
  for _, piece in ipairs(self.parts) do
    n = n + piece.last - piece.first + 1
  end
  return n
end

function Series:__tostring()
  local many = self.file.id and (" of %d series"):format(#self.parts) or ""
  return ("%s: %d rows%s of %s"):format(self.path, #self, many, table.concat(self.columns, ", "))
end

local function part_of(file, pieces)
  local one = pieces[1]
  return setmetatable({ file = file, path = file.path, name = one.name, columns = file.columns, parts = pieces },
    Series)
end

-- Rows first..last of a piece.
local function cut(piece, first, last)
  return { name = piece.name, begin = piece.begin, first = first, last = last, id = piece.id }
end

local function whole(file)
  local name = file.path:match "([^/]-)%.?%w*$"
  return part_of(file, file.pieces or { { name = name, begin = 1, first = 1, last = file.report.rows, id = 1 } })
end

-- The piece of a part that is of one series.
local function only(self)
  if #self.parts > 1 then
    errors.raise("Series: there are %d series in this part; take one by its name, series:one(\"%s\")", #self.parts,
      self.name)
  end
  return self.parts[1]
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

-- Numbers of columns by name; nil: all of the series.
local function columns_of(self, wanted)
  local list = {}
  for i, name in ipairs(type(wanted) == "table" and wanted or { wanted }) do
    for k, column in ipairs(self.columns) do
      list[i] = list[i] or column == name and k or nil
    end
    if not list[i] then
      local near = core.nearest(tostring(name), self.columns)
      errors.raise("Series: no column '%s' was read%s", tostring(name), near and (" (did you mean '%s'?)"):format(near)
        or "; columns are " .. errors.list(self.columns))
    end
  end
  for k = 1, wanted == nil and #self.columns or 0 do
    list[k] = k
  end
  return list
end

-- Values of a column (n) or of some or all (nil) columns (n, columns), rows from..to, by the rule for missing ones:
-- what lies behind row `to` has no part in them.
function methods:values(wanted, from, to)
  local piece, file, list = only(self), self.file, columns_of(self, wanted)
  from, to = range(self, from, to)
  local x
  if file.numbers then
    x = file.numbers:values(list, piece.first + from - 1, to - from + 1, file.rule)
  else
    for i, k in ipairs(list) do
      list[i] = file.places[k]
    end
    x = file.csv:values(list, piece.first + from - 1, to - from + 1, file.rule)
  end
  return type(wanted) == "string" and x:select(2, 1) or x
end

-- Times of rows from..to: seconds since 1970 in UTC, or the numbers that are the times; nil without a column of times.
function methods:times(from, to)
  local piece, file = only(self), self.file
  from, to = range(self, from, to)
  if file.time == 0 then
    return nil
  elseif file.numbers then
    return file.numbers:numbers(#self.columns + 1, piece.first + from - 1, to - from + 1)
  end
  return file.csv:times(file.time, piece.first + from - 1, to - from + 1)
end

-- The columns as numbers in memory, or, where they are large, in a file without a name; and the place of the times
-- among them, or nil. All parts share them.
function methods:store()
  local file = self.file
  file.numbers = file.numbers or store.of_csv(file)
  return file.numbers, file.time > 0 and #self.columns + 1 or nil
end

-- What of the stored rows the part is: for each series { name =, id =, begin = its first row, first =, last = }.
function methods:pieces()
  local pieces = {}
  for i, piece in ipairs(self.parts) do
    pieces[i] = cut(piece, piece.first, piece.last)
  end
  return pieces
end

-- Names of the series that the part has.
function methods:names()
  local names = {}
  for i, piece in ipairs(self.parts) do
    names[i] = piece.name
  end
  return names
end

-- Those of the whole file, in the order of their ids.
function methods:all_names()
  return whole(self.file):names()
end

-- One of many series, by its name.
function methods:one(name)
  for _, piece in ipairs(self.parts) do
    if piece.name == name then
      return part_of(self.file, { piece })
    end
  end
  local near = core.nearest(tostring(name), self:names())
  errors.raise("Series: there is no series '%s'%s", tostring(name), near and (" (did you mean '%s'?)"):format(near)
    or "; it has " .. table.concat(self:names(), ", "))
end

-- Windows of the part: a source of batches for a Trainer.
function methods:windows(given)
  return windows.new(self, given)
end

-- Rows of a season of a column (nil: the first), as the part shows it; or nil, why there is none.
function methods:season(column)
  return season.of(self, column)
end

-- Windows of new data, by config.series of a checkpoint (rondo.load(run).config.series).
function methods:windows_like(config, given)
  return windows.like(self, config, given)
end

-- Rows from..to as a series; of many, those of each.
function methods:slice(from, to)
  local pieces = {}
  for i, piece in ipairs(self.parts) do
    local first, last = range(part_of(self.file, { piece }), from, to)
    pieces[i] = cut(piece, piece.first + first - 1, piece.first + last - 1)
  end
  return part_of(self.file, pieces)
end

-- Parts in the order of time: by shares { 0.7, 0.15, 0.15 }, numbers of rows { 100, 44 }, or the times at which the
-- second part, the third... begin { "1959-01" }. Of many series each is split; a part has those that have rows in it.
function methods:split(given)
  local lists, several = {}, #self.parts > 1
  for _, piece in ipairs(self.parts) do
    local from = 0
    for i, to in ipairs(cuts.ends(part_of(self.file, { piece }), given, several)) do
      lists[i] = lists[i] or {}
      if to > from then
        table.insert(lists[i], cut(piece, piece.first + from, piece.first + to - 1))
      end
      from = math.max(from, to)
    end
  end
  local parts = {}
  for i, pieces in ipairs(lists) do
    if #pieces == 0 then
      errors.raise("split: part %d has no row of any series", i)
    end
    parts[i] = part_of(self.file, pieces)
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
    if not missing[name] and i ~= file.time and i ~= file.id then
      unread[#unread + 1] = name
    end
  end
  local out = { rows = report.rows, missing = missing, unread = unread, separator = file.csv and file.csv:separator(),
    series = file.id and #file.pieces or nil, id = file.names[file.id] }
  if file.time > 0 then
    out.time, out.first, out.last = file.time_name, report.first, report.last
    out.regular = report.step ~= nil and report.other_steps == 0
    out.step, out.unit = report.step, report.unit
    out.other_steps, out.other_line = report.other_steps, report.other_steps ~= 0 and report.other_line or nil
  end
  return out
end

-- Series.from_csv(path, { columns =, time =, missing =, ... }): a series, or nil, message, code.
local function from_csv(path, given)
  local file, message, code = series_csv.open(path, given)
  if not file then
    return nil, message, code
  end
  return whole(file)
end

-- Series.from_hdf5(path, { dataset =, time =, ... }): a series, or nil, message, code.
local function from_hdf5(path, given)
  local file, message, code = series_hdf5.open(path, given)
  if not file then
    return nil, message, code
  end
  return whole(file)
end

return { from_csv = from_csv, from_hdf5 = from_hdf5,
  is_series = function(value) return getmetatable(value) == Series end }
