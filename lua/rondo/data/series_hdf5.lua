-- data/series_hdf5.lua - opening an HDF5 file for Series.from_hdf5.
--
-- libhdf5 reads the file in a process of its own, a chunk at a time; what it sends lies in memory or, where it is
-- large, in a file without a name (series_store.lua). A dataset of two dimensions is rows of columns, one of one
-- dimension a column; all have as many rows. NaN is a missing value.
-- SPDX-License-Identifier: MIT
local calendar = require "rondo.calendar"
local core = require "rondo.native"
local errors = require "rondo.errors"
local groups = require "rondo.data.series_groups"
local options = require "rondo.options"
local store = require "rondo.data.series_store"

local series_hdf5 = {}

local specs = {
  { name = "dataset", kind = "any", help = "path of a dataset in the file, or a list; default: all that hold numbers" },
  { name = "names", kind = "table", help = "names of the columns of a dataset of two dimensions; default: its "
    .. "attribute 'columns', or the dataset's name and a number" },
  { name = "columns", kind = "table", help = "names of columns to read; default: all" },
  { name = "time", kind = "string", help = "name of the column of times; default: there are none" },
  { name = "time_unit", kind = "choice", choices = { "number", "seconds", "milliseconds", "microseconds", "nanoseconds",
    "days" }, def = "number", help = "of times since 1970-01-01 in UTC, or plain numbers" },
  { name = "missing", kind = "choice", choices = { "error", "previous", "interpolate" }, def = "error",
    help = "values that are NaN: as in from_csv" },
}

local SECONDS = { seconds = 1, milliseconds = 1e-3, microseconds = 1e-6, nanoseconds = 1e-9, days = 86400 }
local ROWS = 65536 -- of times, at a time
local LOOKED_AT = 10000

-- ---- which columns -----------------------------------------------------------------------------------------

local function find_set(path, sets, name)
  local names = {}
  for i, set in ipairs(sets) do
    if set.name == name:gsub("^/+", "") then
      if set.refused then
        return nil, ("%s: dataset '%s' %s"):format(path, name, set.refused)
      end
      return i
    end
    names[i] = set.name
  end
  local near = core.nearest(name, names)
  return nil, ("%s: there is no dataset '%s'%s"):format(path, name, near and (" (did you mean '%s'?)"):format(near)
    or #names > 0 and "; there are " .. table.concat(names, ", ", 1, math.min(#names, 20)) or "")
end

-- Numbers of the datasets to read.
local function find_sets(path, sets, wanted)
  local found = {}
  for i, name in ipairs(wanted or {}) do
    local message
    found[i], message = find_set(path, sets, name)
    if not found[i] then
      return nil, message
    end
  end
  for i, set in ipairs(wanted and {} or sets) do
    found[#found + 1] = not set.refused and i or nil
  end
  if #found == 0 then
    return nil, path .. ": no dataset of it can be read as numbers" .. (sets[1] and (": '%s' %s"):format(sets[1].name,
      sets[1].refused) or "")
  end
  local first = sets[found[1]]
  for _, i in ipairs(found) do
    if sets[i].rows ~= first.rows then
      return nil, ("%s: '%s' has %d rows and '%s' %d; name those that belong together, as in dataset = { \"%s\" }")
        :format(path, first.name, first.rows, sets[i].name, sets[i].rows, first.name)
    end
  end
  return found
end

-- Names of the columns of a dataset.
local function names_of(path, set, given)
  if set.ndim == 1 then
    return { set.name:match "[^/]*$" }
  end
  local names = given or #set.names > 0 and set.names or nil
  if names and #names ~= set.columns then
    return nil, ("%s: dataset '%s' has %d columns, and %d names are given"):format(path, set.name, set.columns, #names)
  end
  for k = 1, names and 0 or set.columns do
    names = names or {}
    names[k] = ("%s %d"):format(set.name:match "[^/]*$", k)
  end
  return names or {}
end

-- All columns there are: a list of { name =, set =, at = }, and it by name.
local function list_columns(path, sets, found, given)
  local list, place = {}, {}
  for _, i in ipairs(found) do
    local names, message = names_of(path, sets[i], given)
    if not names then
      return nil, message
    end
    for k, name in ipairs(names) do
      if type(name) ~= "string" or place[name] then
        return nil, ("%s: two columns are called '%s'; give names of their own, or one dataset"):format(path,
          tostring(name))
      end
      list[#list + 1] = { name = name, set = i, at = k }
      place[name] = list[#list]
    end
  end
  return list, place
end

local function choose(path, list, place, o)
  local chosen, names = {}, {}
  for i, column in ipairs(list) do
    names[i] = column.name
  end
  local function take(name)
    local near = not place[name] and core.nearest(tostring(name), names)
    chosen[#chosen + 1] = place[name]
    return place[name], not place[name] and ("%s: there is no column '%s'%s"):format(path, tostring(name),
      near and (" (did you mean '%s'?)"):format(near) or "; columns are " .. errors.list(names)) or nil
  end
  for _, name in ipairs(o.columns or names) do
    if name ~= o.time or o.columns then
      local ok, message = take(name)
      if not ok then
        return nil, message
      elseif name == o.time then
        return nil, ("%s: column '%s' is the time; it cannot be one of the columns of values"):format(path, name)
      end
    end
  end
  if #chosen == 0 then
    return nil, path .. ": there is no column of values"
  elseif o.time then
    local ok, message = take(o.time)
    if not ok then
      return nil, message
    end
  end
  return chosen
end

-- ---- reading -----------------------------------------------------------------------------------------------

local function read_sets(file, handle, sets, chosen)
  for i, set in ipairs(sets) do
    local to, any = {}, false
    for k = 1, set.refused and 0 or set.columns do
      to[k] = 0
    end
    for place, column in ipairs(chosen) do
      if column.set == i then
        to[column.at], any = place, true
      end
    end
    if any then
      local ok, message = handle:rows(i, file.numbers, to)
      if not ok then
        return nil, message
      end
    end
  end
  return true
end

-- Missing values by column, and where the series begins.
local function check_values(file)
  local numbers, rows, begin = file.numbers, file.report.rows, 1
  file.report.missing = {}
  for k, name in ipairs(file.columns) do
    local bad = numbers:too_large(k)
    if bad then
      return nil, ("%s: column '%s', row %d: the value is too large for a number"):format(file.path, name, bad)
    end
    local missing, first = numbers:missing(k, 1, rows)
    if not first then
      return nil, ("%s: column '%s' has no value in all its %d rows; leave it out"):format(file.path, name, rows)
    elseif missing > 0 and file.rule == "error" then
      return nil, ("%s: column '%s' has missing values (NaN), %d of them; give missing = \"previous\" or "
        .. "\"interpolate\", or leave the column out"):format(file.path, name, missing)
    end
    file.report.missing[k], begin = missing, math.max(begin, first)
  end
  file.pieces = { { name = file.path:match "([^/]-)%.?%w*$", begin = begin, first = begin, last = rows, id = 1 } }
  return true
end

-- Times to seconds; they go forward.
local function check_times(file, unit)
  local numbers, column, rows = file.numbers, #file.columns + 1, file.report.rows
  local scale = SECONDS[unit]
  for from = 1, scale and scale ~= 1 and rows or 0, ROWS do
    local list = numbers:numbers(column, from, math.min(ROWS, rows - from + 1))
    for i, time in ipairs(list) do
      list[i] = time * scale
    end
    numbers:set(column, from, list)
  end
  local missing = numbers:missing(column, 1, rows)
  local falls = numbers:falls(column, 1, rows)
  if missing > 0 or falls then
    return nil, missing > 0 and ("%s: times are missing (NaN), %d of them; each row has its time"):format(file.path,
      missing)
      or ("%s: the time of row %d does not come after the one before it; rows go forward in time"):format(file.path,
        falls)
  end
  local times = numbers:numbers(column, 1, math.min(rows, LOOKED_AT))
  for key, value in pairs(groups.step_of(times, unit == "number")) do
    file.report[key] = value
  end
  file.report.first, file.report.last = times[1], numbers:numbers(column, rows, 1)[1]
  return true
end

-- "1959-01", "1959-01-31 12:00" in seconds since 1970, or, of plain times, a number.
local function time_of(text, plain)
  if plain then
    return tonumber(text)
  end
  local year, month, day, rest = text:match "^(%d%d%d%d)%-?(%d?%d?)%-?(%d?%d?)[T ]?(.*)$"
  local hour, minute, second = (rest or ""):match "^(%d%d):(%d%d):?(%d?%d?)$"
  if not year or rest ~= "" and not hour then
    return nil
  end
  local function given(digits)
    return digits ~= "" and digits or nil
  end
  return calendar.second_of(year, given(month), given(day), hour, minute, given(second))
end

local function read(path, o)
  local handle, message = core.hdf5(path)
  if not handle then
    return nil, message
  end
  local sets = handle:sets()
  local found, list, place, chosen
  found, message = find_sets(path, sets, o.dataset)
  if found then
    list, place = list_columns(path, sets, found, o.names)
    message = place
  end
  if list then
    chosen, message = choose(path, list, place, o)
  end
  local rows = chosen and sets[found[1]].rows
  if chosen and rows == 0 then
    chosen, message = nil, path .. ": there are no rows in it"
  end
  if not chosen then
    return nil, message
  end
  local file = { path = path, rule = o.missing, kind = "hdf5", report = { rows = rows }, columns = {}, names = {},
    time = o.time and #chosen or 0, time_name = o.time, time_unit = o.time and o.time_unit or nil,
    time_of = function(text) return time_of(text, o.time_unit == "number") end }
  for i, column in ipairs(list) do
    file.names[i] = column.name
    file.time = column.name == o.time and i or file.time
  end
  for i = 1, #chosen - (o.time and 1 or 0) do
    file.columns[i] = chosen[i].name
  end
  file.numbers, message = store.new(rows, #chosen)
  local ok = file.numbers
  if ok then
    ok, message = read_sets(file, handle, sets, chosen)
  end
  if ok then
    ok, message = check_values(file)
  end
  if ok and o.time then
    ok, message = check_times(file, o.time_unit)
  end
  handle:close()
  return ok and file or nil, message
end

-- The record of a file, or nil, message, code.
function series_hdf5.open(path, given)
  if type(path) ~= "string" then
    errors.raise("Series.from_hdf5: expected a path, got a %s", type(path))
  end
  local o = options.resolve("Series.from_hdf5", specs, given)
  o.dataset = type(o.dataset) == "string" and { o.dataset } or o.dataset
  for _, list in ipairs { o.dataset or {}, o.names or {}, o.columns or {} } do
    for i, name in ipairs(type(list) == "table" and list or { false }) do
      if type(name) ~= "string" then
        errors.raise("Series.from_hdf5: dataset, names and columns are lists of strings, got a %s at place %d",
          type(name), i)
      end
    end
  end
  local made, message = read(path, o)
  if not made then
    return errors.outside(message, errors.DATA)
  end
  return made
end

return series_hdf5
