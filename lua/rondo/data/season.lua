-- data/season.lua - series:season(column): how many rows a season has, or nil and why there is none.
--
-- The step of the times says which seasons there can be: an hour, a day, a week, a year; where there are no dates, any
-- lag may be one. Each is tried on the rows of the part alone: a moving average over one season is taken off, which
-- takes trend and slower cycles with it, and what is left must be like itself a season later, and less so half a season
-- later. A cycle that has no fixed length, as that of sunspots, is no season.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"

local season = {}

local ENOUGH = 0.3  -- correlation over a season
local LEAD = 0.2    -- over that of half a season
local LONGER = 0.05 -- by how much a longer season must be better
local SEASONS = 3   -- that the part must have
local ROWS = 50000  -- the last ones, which are looked at
local MOST = 1000   -- lags where nothing is known of the times
local HOUR, DAY = 3600, 86400

-- Seasons in rows by the step of times, and the name of the step; nil: nothing is known.
local function by_step(unit, step)
  local list = {}
  local function add(length)
    local rows = length / step
    local whole = math.floor(rows + 0.5)
    if whole >= 2 and math.abs(rows - whole) < 0.01 * whole then
      list[#list + 1] = whole
    end
  end
  if unit == "months" then
    add(12)
  elseif unit == "seconds" then
    for _, length in ipairs(step < HOUR and { HOUR, DAY, 7 * DAY } or step < DAY and { DAY, 7 * DAY }
      or { 7 * DAY, 365.25 * DAY }) do
      add(length)
    end
  elseif unit == "number" and step < 1 then
    add(1) -- 1949.083: years
  else
    return nil
  end
  return list
end

-- The values of the last rows of a column as numbers, missing ones held.
local function values_of(part, column)
  local numbers, list = part:store(), {}
  local piece = part:pieces()[1]
  local place
  for i, name in ipairs(part.columns) do
    place = name == column and i or place
  end
  if not place then
    errors.raise("season: there is no column '%s'; columns are %s", tostring(column), errors.list(part.columns))
  end
  local last
  for i, value in ipairs(numbers:numbers(place, math.max(piece.first, piece.last - ROWS + 1),
    math.min(ROWS, piece.last - piece.first + 1))) do
    last = value == value and value or last
    list[i] = last or 0.0
  end
  return list
end

-- x without its moving average over s rows (for even s, s + 1 with half weights at the ends).
local function without_trend(x, s)
  local half, sums, rest = s // 2, { [0] = 0.0 }, {}
  for i, value in ipairs(x) do
    sums[i] = sums[i - 1] + value
  end
  for i = half + 1, #x - half do
    local sum = sums[i + half] - sums[i - half - 1]
    if s % 2 == 0 then
      sum = sum - (x[i - half] + x[i + half]) / 2
    end
    rest[#rest + 1] = x[i] - sum / s
  end
  return rest
end

local function correlation(x, lag)
  local mean, above, below = 0.0, 0.0, 0.0
  for _, value in ipairs(x) do
    mean = mean + value / #x
  end
  for i, value in ipairs(x) do
    below = below + (value - mean) ^ 2
    if i > lag then
      above = above + (value - mean) * (x[i - lag] - mean)
    end
  end
  -- Over n - lag products: a season of a third of the rows would look weak otherwise.
  return below > 0 and above / (#x - lag) * #x / below or 0.0
end

-- How alike rows a season apart are; nil where they are no more so than others.
local function strength(x, s)
  if #x < SEASONS * s then
    return nil
  end
  local rest = without_trend(x, s)
  local whole, half = correlation(rest, s), correlation(rest, s // 2)
  local bound = 3 / math.sqrt(#rest)
  return whole >= math.max(ENOUGH, bound) and whole - half >= LEAD and whole or nil
end

-- The best of seasons that there can be.
local function best_of(x, list)
  local best, most
  for _, s in ipairs(list) do
    local found = strength(x, s)
    if found and found > (most and most + LONGER or 0) then
      best, most = s, found
    end
  end
  return best
end

-- Lags at which the differences are most like themselves: the first, and what is better by far.
local function peaks(x)
  local steps, found, r = {}, {}, {}
  for i = 2, #x do
    steps[i - 1] = x[i] - x[i - 1]
  end
  local most = math.min(#x // SEASONS, MOST)
  for lag = 1, most + 1 do
    r[lag] = correlation(steps, lag)
  end
  for lag = 2, most do
    if r[lag] > r[lag - 1] and r[lag] >= r[lag + 1] and r[lag] >= ENOUGH / 2 then
      found[#found + 1] = lag
    end
  end
  return found
end

-- Are the steps of the part alike, but for one in a hundred?
local function is_regular(part, step)
  local times, others = part:times(math.max(1, #part - ROWS + 1)), 0
  for i = 2, #times do
    if math.abs(times[i] - times[i - 1] - step) > 1e-3 * step then
      others = others + 1
    end
  end
  return others * 100 <= #times
end

-- Rows of a season of a column (nil: the first), by the part alone, of many series by the first; or nil, why.
function season.of(part, column)
  part = part:one(part.name)
  local summary, name = part:summary(), column or part.columns[1]
  local x = values_of(part, name)
  if summary.unit == "seconds" and not is_regular(part, summary.step) then
    return nil, ("no season is looked for in '%s': the steps from row to row are not alike"):format(name)
  end
  local list = by_step(summary.unit, summary.step)
  local found = best_of(x, list or peaks(x))
  if found then
    return found
  elseif list and #list == 0 then
    return nil, ("'%s' has no season: its rows are too far apart for one of a day, a week or a year"):format(name)
  elseif list and #x < SEASONS * list[1] then
    return nil, ("'%s' has no season that %d rows show: one of %d rows must be seen %d times"):format(name, #x, list[1],
      SEASONS)
  end
  return nil, ("'%s' has no season: rows %s apart are no more alike than others"):format(name, list
    and table.concat(list, " or ") or "any number")
end

return season
