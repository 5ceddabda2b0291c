-- forecast/metrics.lua - how far a Forecast is from what came, on the scale of the data.
--
-- y is the truth, f the forecast of one step of one window; sums are over all steps whose truth is known, n of them.
--   mae      sum |y - f| / n
--   rmse     sqrt(sum (y - f)^2 / n)
--   smape    100 / n sum 2 |y - f| / (|y| + |f|), 0 to 200; 0 / 0 is 0 (Makridakis, Spiliotis and Assimakopoulos 2020,
--            "The M4 Competition", section 2.3)
--   mase     sum |y - f| / s / n, s the mean |y_t - y_(t - season)| of the series before its evaluated part (Hyndman
--            and Koehler 2006, "Another look at measures of forecast accuracy", section 3; with seasons: M4); a history
--            has its missing values filled as far as its window's inputs have, else they are left out
--   coverage share of y inside each interval between the quantiles q and 1 - q: coverage_80 between 0.1 and 0.9
--   pinball  mean of q (y - f_q) where y >= f_q, else (1 - q) (f_q - y) (Koenker and Bassett 1978, "Regression
--            quantiles", eq. 3.1): of each quantile, pinball_0.1, and the mean over them, pinball
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"

local metrics = {}

metrics.names = { "mae", "rmse", "smape", "mase", "coverage", "pinball" }
local GROUPS = { "step", "series", "target" }

local function known(name, list, what)
  for _, one in ipairs(list) do
    if one == name then
      return
    end
  end
  local near = core.nearest(tostring(name), list)
  errors.raise("forecast:metrics: unknown %s '%s'%s", what, tostring(name), near
    and (" (did you mean '%s'?)"):format(near) or ("; there are %s"):format(table.concat(list, ", ")))
end

-- A list of names of metrics, checked; nil: those of the point forecast, and with quantiles all.
function metrics.check(list, intervals)
  if list == nil then
    return table.move(metrics.names, 1, intervals and 6 or 4, 1, {})
  elseif type(list) ~= "table" then
    errors.raise("forecast:metrics: expected a list of names, { %s }, got a %s", '"mae", "rmse"', type(list))
  end
  for _, name in ipairs(list) do
    known(name, metrics.names, "metric")
  end
  if list.by ~= nil then
    known(list.by, GROUPS, "group")
  end
  return list
end

-- The mean |y_t - y_(t - season)| of n values, missing ones left out, and of how many.
function metrics.seasonal_error(values, season, n)
  local sum, count = 0.0, 0
  for t = season + 1, n or #values do
    local d = math.abs(values[t] - values[t - season])
    if d == d then
      sum, count = sum + d, count + 1
    end
  end
  return count > 0 and sum / count or nil, count
end

-- The scale of MASE of each series and target: from what was known at its earliest origin. By entry.
local function scales_of(forecast)
  local first, scales, by_key = {}, {}, {}
  local key_of = function(entry) return ("%s\0%s"):format(entry.series, entry.target) end
  for _, entry in ipairs(forecast) do
    local key = key_of(entry)
    if not first[key] or entry.origin < first[key].origin then
      first[key] = entry
    end
  end
  for key, entry in pairs(first) do
    by_key[key] = entry.history and metrics.seasonal_error(entry.history, forecast.season) or 0.0
  end
  for _, entry in ipairs(forecast) do
    scales[entry] = by_key[key_of(entry)]
  end
  return scales
end

-- Pairs { level in percent, lower, upper } of quantiles that enclose an interval, the widest last.
function metrics.intervals(levels)
  local pairs_of = {}
  for _, low in ipairs(levels) do
    for _, high in ipairs(levels) do
      if low < 0.5 and math.abs(low + high - 1) < 1e-9 then
        pairs_of[#pairs_of + 1] = { ("%.6g"):format(100 * (1 - 2 * low)), low, high }
      end
    end
  end
  table.sort(pairs_of, function(a, b) return a[2] > b[2] end)
  return pairs_of
end

local function new_sums()
  return { n = 0, size = 0.0, squares = 0.0, shares = 0.0, scaled = 0.0, n_scaled = 0, zeros = 0, inside = {},
    pinball = {} }
end

local function add_intervals(sums, entry, step, y, levels, intervals)
  for _, interval in ipairs(intervals) do
    local hit = entry.quantiles[interval[2]][step] <= y and y <= entry.quantiles[interval[3]][step]
    sums.inside[interval[1]] = (sums.inside[interval[1]] or 0) + (hit and 1 or 0)
  end
  for _, q in ipairs(levels) do
    local d = y - entry.quantiles[q][step]
    sums.pinball[q] = (sums.pinball[q] or 0.0) + (d >= 0 and q * d or (q - 1) * d)
  end
end

local function add(sums, y, f, scale)
  local e, both = math.abs(y - f), math.abs(y) + math.abs(f)
  sums.n, sums.size, sums.squares = sums.n + 1, sums.size + e, sums.squares + e * e
  if both == 0 then
    sums.zeros = sums.zeros + 1
  else
    sums.shares = sums.shares + 2 * e / both
  end
  if scale > 0 then
    sums.scaled, sums.n_scaled = sums.scaled + e / scale, sums.n_scaled + 1
  end
end

local function figures_of(sums, wanted, levels)
  local n, all = sums.n, {}
  if n == 0 then
    return all
  end
  all.mae, all.rmse, all.smape = sums.size / n, math.sqrt(sums.squares / n), 100 * sums.shares / n
  all.mase = sums.n_scaled > 0 and sums.scaled / sums.n_scaled or nil
  local figures = {}
  for _, name in ipairs(wanted) do
    figures[name] = all[name]
    for level, hits in pairs(name == "coverage" and sums.inside or {}) do
      figures["coverage_" .. level] = hits / n
    end
    local sum = 0.0
    for _, q in ipairs(name == "pinball" and levels or {}) do
      figures[("pinball_%.6g"):format(q)] = sums.pinball[q] / n
      sum = sum + sums.pinball[q] / n
    end
    if name == "pinball" and #levels > 0 then
      figures.pinball = sum / #levels
    end
  end
  return figures
end

-- What a reader of the figures must know about them, as sentences.
local function notes_of(sums, wanted, forecast)
  local asked, notes = {}, {}
  for _, name in ipairs(wanted) do
    asked[name] = true
  end
  local function note(...)
    notes[#notes + 1] = select("#", ...) > 1 and (...):format(select(2, ...)) or ...
  end
  if sums.n == 0 then
    note "no step of the forecast has a known truth: there are no figures"
    return notes
  end
  if asked.smape and sums.zeros > 0 then
    note("sMAPE: %d of %d steps have truth 0 and forecast 0 and count as 0", sums.zeros, sums.n)
  end
  if asked.mase and sums.n_scaled < sums.n then
    note("MASE: %d of %d steps do not count: before the evaluated part of their series no two values %d apart differ",
      sums.n - sums.n_scaled, sums.n, forecast.season)
  end
  if (asked.coverage or asked.pinball) and #forecast:levels() == 0 then
    note "coverage and pinball: the forecast has no quantiles"
  end
  return notes
end

-- Loss of each entry in the mean over its steps with a truth (NaN: none): |e|, e^2 (of "rmse"), |e| / s, or pinball.
function metrics.losses(forecast, metric)
  local levels, scales = forecast:levels(), scales_of(forecast)
  local one = {
    mae = function(y, f) return math.abs(y - f) end,
    rmse = function(y, f) return (y - f) ^ 2 end,
    mase = function(y, f, entry) return scales[entry] > 0 and math.abs(y - f) / scales[entry] or 0 / 0 end,
    pinball = function(y, _, entry, step)
      local sums = new_sums()
      add_intervals(sums, entry, step, y, levels, {})
      local sum = 0.0
      for _, q in ipairs(levels) do
        sum = sum + sums.pinball[q] / #levels
      end
      return sum
    end,
  }
  local losses = {}
  for i, entry in ipairs(forecast) do
    local sum, n = 0.0, 0
    for step, y in ipairs(entry.truth or {}) do
      if y == y then
        sum, n = sum + one[metric](y, entry.point[step], entry, step), n + 1
      end
    end
    losses[i] = n > 0 and sum / n or 0 / 0
  end
  return losses
end

-- Figures of a forecast by name, or, with `by` in the list, a table of them by step, series or target; and notes.
function metrics.figures(forecast, list)
  local levels = forecast:levels()
  local wanted = metrics.check(list, #levels > 0)
  local intervals, scales = metrics.intervals(levels), scales_of(forecast)
  local whole, groups = new_sums(), {}
  local function add_step(sums, entry, step, y)
    add(sums, y, entry.point[step], scales[entry])
    add_intervals(sums, entry, step, y, levels, intervals)
  end
  for _, entry in ipairs(forecast) do
    for step, y in ipairs(entry.truth or {}) do
      if y == y then
        add_step(whole, entry, step, y)
        if wanted.by then
          local key = wanted.by == "step" and step or entry[wanted.by]
          groups[key] = groups[key] or new_sums()
          add_step(groups[key], entry, step, y)
        end
      end
    end
  end
  local notes = notes_of(whole, wanted, forecast)
  if not wanted.by then
    return figures_of(whole, wanted, levels), notes
  end
  for key, sums in pairs(groups) do
    groups[key] = figures_of(sums, wanted, levels)
  end
  return groups, notes
end

return metrics
