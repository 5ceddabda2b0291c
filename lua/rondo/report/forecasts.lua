-- report/forecasts.lua - forecasts in run folders: the CSV files that forecast:csv() writes, as curves over time.
--
-- Of the windows of a series those are taken that follow each other without overlap, the last one first, so that one
-- line of forecasts runs beside the truth.
-- SPDX-License-Identifier: MIT
local calendar = require "rondo.calendar"
local core = require "rondo.core"
local whole_file = require "rondo.whole_file"

local forecasts = {}

local HEAD = "series,target,origin,time,step,truth,forecast"
local QUOTE = 34
local MOST_POINTS = 3000 -- of one chart

-- The place of the quote that closes the one at `at`; a doubled one is a part of the text.
local function closing(line, at)
  repeat
    at = line:find('"', at + 1, true)
    local doubled = at and line:byte(at + 1) == QUOTE
    at = doubled and at + 1 or at
  until not doubled
  return at
end

-- Cells of a line of CSV, or nil where a quote is left open.
local function cells_of(line)
  local cells, at = {}, 1
  line = line .. ","
  while at <= #line do
    local cell, after = line:match('^([^",]*),()', at)
    if not cell then
      local stop = line:byte(at) == QUOTE and closing(line, at)
      if not stop or line:sub(stop + 1, stop + 1) ~= "," then
        return nil
      end
      cell, after = line:sub(at + 1, stop - 1):gsub('""', '"'), stop + 2
    end
    cells[#cells + 1], at = cell, after
  end
  return cells
end
forecasts.cells_of = cells_of

-- Seconds since 1970 of "1959-01", "1959-01-31" or "1959-01-31T12:00:00Z"; nil for anything else.
local function seconds_of(text)
  local y, m, rest = text:match "^(%d%d%d%d)%-(%d%d)(.*)$"
  if not y then
    return nil
  end
  local d, hour, minute, second = rest:match "^%-(%d%d)T(%d%d):(%d%d):(%d%d)Z$"
  d = d or rest:match "^%-(%d%d)$" or rest == "" and "1" or nil
  if not d then
    return nil
  end
  return calendar.second_of(y, m, d, hour, minute, second)
end
forecasts.seconds_of = seconds_of

-- Windows by series and target: { title =, windows = { [origin] = rows } }, and the names of quantile columns.
local function read(path)
  local file <close> = whole_file.open(path)
  if not file then
    return nil
  end
  local next_line = whole_file.lines(file, path)
  local head = (next_line() or ""):gsub("\n$", "")
  if head:sub(1, #HEAD) ~= HEAD then
    return nil
  end
  local names, parts, by_name = cells_of(head) or {}, {}, {}
  for line in next_line do
    local cells = cells_of((line:gsub("\n$", "")))
    local origin = cells and tonumber(cells[3])
    if origin and #cells == #names then
      local title = cells[1] == cells[2] and cells[1] or cells[1] .. ": " .. cells[2]
      local part = by_name[title]
      if not part then
        part = { title = title, windows = {}, origins = {} }
        by_name[title], parts[#parts + 1] = part, part
      end
      if not part.windows[origin] then
        part.windows[origin], part.origins[#part.origins + 1] = {}, origin
      end
      table.insert(part.windows[origin], cells)
    end
  end
  return parts, table.move(names, 8, #names, 1, {})
end

-- Origins of windows that follow each other, ascending.
local function chained(part)
  table.sort(part.origins)
  local chosen, points = {}, 0
  local first = math.huge -- row of the earliest forecast that was taken
  for i = #part.origins, 1, -1 do
    local origin = part.origins[i]
    local rows = part.windows[origin]
    if origin + #rows < first and points + #rows <= MOST_POINTS then
      table.insert(chosen, 1, origin)
      first, points = origin + 1, points + #rows
    end
  end
  return chosen
end

-- Pairs of quantile columns, the widest interval first: { lower = column, upper = column, name = }.
local function intervals(quantiles)
  local pairs_of, by_level = {}, {}
  for i, name in ipairs(quantiles) do
    by_level[("%.6g"):format(tonumber(name:sub(2)) or -1)] = i
  end
  for i, name in ipairs(quantiles) do
    local q = tonumber(name:sub(2))
    local j = q and q < 0.5 and by_level[("%.6g"):format(1 - q)]
    if j then
      pairs_of[#pairs_of + 1] = { lower = 7 + i, upper = 7 + j, share = 1 - 2 * q, lower_name = name,
        upper_name = quantiles[j] }
    end
  end
  table.sort(pairs_of, function(a, b) return a.share > b.share end)
  return pairs_of
end

local function curves_of(part, quantiles, name)
  local curve = { title = ("%s, %s"):format(name, part.title), truth = {}, forecast = {}, bands = {}, time = true }
  local bands = intervals(quantiles)
  for k, band in ipairs(bands) do
    curve.bands[k] = { lower = {}, upper = {}, lower_name = band.lower_name, upper_name = band.upper_name }
  end
  local value = function(text) return tonumber(text) or 0 / 0 end
  local times, rows = {}, {}
  for _, origin in ipairs(chained(part)) do
    for _, cells in ipairs(part.windows[origin]) do
      local n = #rows + 1
      rows[n], times[n] = origin + (tonumber(cells[5]) or 0), seconds_of(cells[4]) or false
      curve.time = curve.time and times[n] ~= false
      curve.truth[n], curve.forecast[n] = value(cells[6]), value(cells[7])
      for k, band in ipairs(bands) do
        curve.bands[k].lower[n], curve.bands[k].upper[n] = value(cells[band.lower]), value(cells[band.upper])
      end
    end
  end
  curve.x = curve.time and times or rows
  return curve
end

-- Curves of every forecast in a run folder: { title, x, time (x is seconds), truth, forecast, bands = { { lower, upper,
-- lower_name, upper_name } } }.
function forecasts.of(folder, name)
  local found, files = {}, core.listdir(folder) or {}
  table.sort(files)
  for _, file in ipairs(files) do
    local whole, parts, quantiles = false, nil, nil
    if file:find "%.csv$" then
      whole, parts, quantiles = pcall(read, folder .. "/" .. file)
    end
    for _, part in ipairs(whole and parts or {}) do
      found[#found + 1] = curves_of(part, quantiles, ("%s/%s"):format(name, file))
    end
  end
  return found
end

return forecasts
