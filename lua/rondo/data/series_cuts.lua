-- data/series_cuts.lua - where the parts of a series end: by shares, numbers of rows or times.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local shares = require "rondo.data.shares"

local cuts = {}

local function by_counts(self, given, several)
  local ends, sum = {}, 0
  for i, n in ipairs(given) do
    if math.type(n) ~= "integer" or n < 1 then
      errors.raise("split: numbers of rows are integers from 1 on, got %s", tostring(n))
    end
    sum = sum + n
    ends[i] = sum
  end
  if several then
    for i, to in ipairs(ends) do
      ends[i] = math.min(to, #self)
    end
  elseif sum > #self then
    errors.raise("split: the parts have %d rows, the series has %d", sum, #self)
  end
  return ends
end

-- Rows of the series before a time, found by halving.
local function rows_before(self, time)
  local low, high = 0, #self
  while low < high do
    local middle = (low + high) // 2
    if self:times(middle + 1, middle + 1)[1] < time then
      low = middle + 1
    else
      high = middle
    end
  end
  return low
end

local function by_times(self, given, several)
  local file, ends, before = self.file, {}, 0
  if file.time == 0 then
    errors.raise("split: %s has no column of times to be split by '%s'", self.path, tostring(given[1]))
  end
  for i, text in ipairs(given) do
    local time = type(text) == "string" and file.time_of(text)
    if not time then
      errors.raise("split: '%s' is not a time as the column of times has them", tostring(text))
    end
    ends[i] = rows_before(self, time)
    if not several and (ends[i] <= before or ends[i] >= #self) then
      errors.raise("split: no row lies %s '%s'", ends[i] >= #self and "at or after"
        or i == 1 and "before" or ("between '%s' and"):format(given[i - 1]), text)
    end
    before = ends[i]
  end
  ends[#ends + 1] = #self
  return ends
end

local function by_shares(self, given, several)
  local ends, before = shares.ends(given, #self), 0
  for i, at in ipairs(ends) do
    if at == before and not several then
      errors.raise("split: part %d has no row; the series has %d", i, #self)
    end
    before = at
  end
  return ends
end

-- How many rows end with each part. several: the series is one of many, and parts may have none of its rows.
function cuts.ends(self, given, several)
  if type(given) ~= "table" or #given == 0 then
    errors.raise('split: expected shares { 0.7, 0.15, 0.15 }, numbers of rows { 100, 44 } or times { "1959-01" }, '
      .. "got %s", type(given) == "table" and "none" or "a " .. type(given))
  elseif type(given[1]) == "string" then
    return by_times(self, given, several)
  elseif math.type(given[1]) == "integer" then
    return by_counts(self, given, several)
  end
  return by_shares(self, given, several)
end

return cuts
