-- data/series_groups.lua - many series in one file: the rows of each together, each in the order of time.
-- SPDX-License-Identifier: MIT
local store = require "rondo.data.series_store"

local groups = {}

local ROWS = 4096 -- of which the ids are read at a time
local LOOKED_AT = 10000 -- rows of the first series that tell the step of time

-- Writes the number of each row's series into the last column; names of the series in the order they come.
local function number_rows(file, numbers, column)
  local names, number = {}, {}
  for from = 1, file.report.rows, ROWS do
    local cells, n = file.csv:cells({ file.id }, from, ROWS)
    if not cells then
      return nil, n
    end
    local list = {}
    for i, cell in ipairs(cells[1]) do
      local name = cell:match "^%s*(.-)%s*$"
      if not number[name] then
        if name == "" then
          return nil, ("%s: row %d has no '%s', which says what series it is of"):format(file.path, from + i - 1,
            file.names[file.id])
        end
        names[#names + 1] = name
        number[name] = #names - 1
      end
      list[i] = number[name]
    end
    numbers:set(column, from, list)
  end
  return names
end

-- Months from one time to another, where they are whole; else nil.
local function whole_months(a, b)
  local x, y = os.date("!*t", math.floor(a)), os.date("!*t", math.floor(b))
  local last = function(t) return os.date("!*t", math.floor(t) + 86400).day == 1 end
  local same_day = x.day == y.day or last(a) and last(b)
  if same_day and x.hour == y.hour and x.min == y.min and x.sec == y.sec then
    local months = (y.year - x.year) * 12 + y.month - x.month
    return months > 0 and months or nil
  end
end

-- Step, unit and how many steps differ, from times: of seconds or months, or of plain numbers.
function groups.step_of(times, plain)
  if #times < 2 then
    return {}
  end
  local seconds, months = times[2] - times[1], not plain and whole_months(times[1], times[2]) or nil
  local others, other_months = 0, 0
  for i = 3, #times do
    local step = times[i] - times[i - 1]
    if math.abs(step - seconds) > 1e-9 * math.max(math.abs(times[i]), math.abs(seconds)) then
      others = others + 1
    end
    if months and whole_months(times[i - 1], times[i]) ~= months then
      other_months = other_months + 1
    end
  end
  if months and other_months <= others then
    return { unit = "months", step = months + 0.0, other_steps = other_months }
  end
  return { unit = plain and "number" or "seconds", step = seconds, other_steps = others }
end

-- Where each series begins, passing over rows before all its columns have a value.
local function pieces_of(file, numbers, names, counts)
  local pieces, at = {}, 1
  for g, name in ipairs(names) do
    local begin, last = at, at + counts[g] - 1
    at = last + 1
    for k = 1, #file.places do
      local _, first = numbers:missing(k, begin, last - begin + 1)
      if not first then
        return nil, ("%s: series '%s' has no value of '%s' that it could begin with; leave the column or the series "
          .. "out"):format(file.path, name, file.names[file.places[k]])
      end
      begin = first
    end
    local time = #file.places + 1
    local falls = file.time > 0 and numbers:falls(time, begin, last - begin + 1)
    if falls then
      return nil, ("%s: series '%s': its row %d does not come after the one before it; rows of a series go forward "
        .. "in time"):format(file.path, name, falls - begin + 1)
    end
    pieces[g] = { name = name, begin = begin, first = begin, last = last, id = g }
  end
  return pieces
end

-- Reads the columns of a file with ids, and puts the rows of each series together: true, or nil, message.
function groups.read(file)
  local time = file.time > 0 and 1 or 0
  local column = #file.places + time + 1
  local mixed, message = store.new(file.report.rows, column)
  local ok, names = mixed, nil
  if mixed then
    ok, message = mixed:take_csv(file.csv, file.places, time > 0 and file.time or nil, file.rule)
  end
  if ok then
    names, message = number_rows(file, mixed, column)
  end
  if not names then
    return nil, message
  end
  local numbers, counts = store.grouped(mixed, #names)
  mixed:close()
  if not numbers then
    return nil, counts
  end
  file.numbers = numbers
  file.pieces, message = pieces_of(file, numbers, names, counts)
  if file.pieces and time > 0 then
    local first = file.pieces[1]
    local times = numbers:numbers(column - 1, first.first, math.min(first.last - first.first + 1, LOOKED_AT))
    for key, value in pairs(groups.step_of(times, file.plain_times)) do
      file.report[key] = value
    end
    file.report.first, file.report.last = times[1], numbers:numbers(column - 1, first.last, 1)[1]
  end
  return file.pieces ~= nil, message
end

return groups
