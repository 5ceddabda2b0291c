-- calendar.lua - seconds since 1970, in UTC, of days of the Gregorian calendar; os.time knows the local zone alone.
-- SPDX-License-Identifier: MIT
local DAY = 86400

local calendar = {}

-- The first second of month m, which counts from January of the year 0. Years begin in March, so that the day a leap
-- year has more is its last (Howard Hinnant's days_from_civil).
function calendar.month_begin(m)
  local year, of_year = m // 12 - (m % 12 < 2 and 1 or 0), (m % 12 + 10) % 12
  local era, of_era = year // 400, year % 400
  return (era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + (153 * of_year + 2) // 5 - 719468) * DAY
end

-- The second of a date and a clock, each given as its digits (nil: its first); nil where there is no such day or clock.
function calendar.second_of(year, month, day, hour, minute, second)
  local y, m, d = math.tointeger(year), math.tointeger(month or 1), math.tointeger(day or 1)
  local month_first = calendar.month_begin(y * 12 + m - 1)
  local clock = tonumber(hour or 0) * 3600 + tonumber(minute or 0) * 60 + tonumber(second or 0)
  if m < 1 or m > 12 or d < 1 or month_first + d * DAY > calendar.month_begin(y * 12 + m) or clock >= DAY then
    return nil
  end
  return month_first + (d - 1) * DAY + clock
end

return calendar
