-- forecast/compare.lua - the table of a network beside its baselines, and a sentence on whether it is worth having.
--
-- A network has skill if its error, in the mean over its runs, is below that of the best baseline by more than the
-- spread. The spread is the larger of two: the standard deviation over runs with different seeds, and the standard
-- error, over the windows, of the difference between the two (Diebold and Mariano 1995, "Comparing predictive
-- accuracy"), whose autocovariances go back a horizon, weighed as by Newey and West (1987). That the best baseline is
-- chosen by the very figures it is compared by is in the baselines' favour.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local forecasts = require "rondo.forecast.forecast"
local metrics = require "rondo.forecast.metrics"
local options = require "rondo.options"
local score_table = require "rondo.forecast.score_table"

local JUDGES = { "rmse", "mae", "mase", "pinball" }
local TITLES = { rmse = "RMSE", mae = "MAE", mase = "MASE", pinball = "pinball loss" }

local specs = {
  { name = "metric", kind = "choice", choices = JUDGES, help = "what decides; default: rmse, of several targets mase" },
  { name = "file", kind = "any", help = "an open file for the table; default: io.stdout; false: it is not printed" },
}

-- ---- what is compared ---------------------------------------------------------------------------------------

-- A Forecast, or those of several seeds, as a list.
local function runs_of(given, what)
  local runs = forecasts.is_forecast(given) and { given } or given
  for i = 1, type(runs) == "table" and math.max(#runs, 1) or 1 do
    if type(runs) ~= "table" or not forecasts.is_forecast(runs[i]) then
      errors.raise("compare: %s must be a Forecast, or a list of those of several seeds, got a %s", what, type(given))
    end
  end
  return runs
end

local function check_same(a, b)
  local same = #a == #b and a.horizon == b.horizon
  for i = 1, same and #a or 0 do
    same = same and a[i].series == b[i].series and a[i].target == b[i].target and a[i].origin == b[i].origin
  end
  if not same then
    errors.raise("compare: '%s' and '%s' are not of the same windows; make both from one source", a.name, b.name)
  end
end

local function check_all(rows)
  local first = rows[1].runs[1]
  for _, row in ipairs(rows) do
    for _, run in ipairs(row.runs) do
      check_same(first, run)
    end
  end
end

-- Rows of the table, the network first: { name =, runs = }.
local function rows_of(network, baselines)
  local rows = { { runs = runs_of(network, "the network") } }
  if type(baselines) ~= "table" or forecasts.is_forecast(baselines) or #baselines == 0 then
    errors.raise("compare: expected a list of the baselines' forecasts, rondo.baselines.all(windows), got %s",
      type(baselines) == "table" and (forecasts.is_forecast(baselines) and "a Forecast" or "an empty list")
      or "a " .. type(baselines))
  end
  for i, given in ipairs(baselines) do
    rows[i + 1] = { runs = runs_of(given, ("baseline %d"):format(i)) }
  end
  check_all(rows)
  for _, row in ipairs(rows) do
    row.name = row.runs[1].name
  end
  return rows
end

-- The entries of one target as forecasts of their own.
local function of_target(rows, target)
  local part = {}
  for i, row in ipairs(rows) do
    part[i] = { name = row.name, runs = {} }
    for r, run in ipairs(row.runs) do
      local some = { name = run.name, horizon = run.horizon, season = run.season, time_unit = run.time_unit }
      for _, entry in ipairs(run) do
        some[#some + 1] = entry.target == target and entry or nil
      end
      part[i].runs[r] = forecasts.new(some)
    end
  end
  return part
end

local function targets_of(forecast)
  local targets, seen = {}, {}
  for _, entry in ipairs(forecast) do
    if not seen[entry.target] then
      seen[entry.target], targets[#targets + 1] = true, entry.target
    end
  end
  return targets
end

-- ---- figures -----------------------------------------------------------------------------------------------

local function mean_and_deviation(values)
  local n, sum, squares = #values, 0.0, 0.0
  for _, x in ipairs(values) do
    sum = sum + x
  end
  for _, x in ipairs(values) do
    squares = squares + (x - sum / n) ^ 2
  end
  return sum / n, n > 1 and math.sqrt(squares / (n - 1)) or nil
end

-- Sets the row's mean and spread of each figure over its runs; notes go into `notes`, each once.
local function measure(row, season, notes)
  local lists = {}
  for _, run in ipairs(row.runs) do
    run.season = season
    local figures, said = run:metrics()
    for name, value in pairs(figures) do
      lists[name] = lists[name] or {}
      table.insert(lists[name], value)
    end
    for _, text in ipairs(said) do
      if not notes[text] then
        notes[text], notes[#notes + 1] = true, text
      end
    end
  end
  row.mean, row.spread = {}, {}
  for name, values in pairs(lists) do
    row.mean[name], row.spread[name] = mean_and_deviation(values)
  end
end

-- The baseline with the smallest figure.
local function best_of(rows, metric)
  local best
  for i = 2, #rows do
    local value = rows[i].mean[metric]
    if value and value == value and (not best or value < best.mean[metric]) then
      best = rows[i]
    end
  end
  return best
end

-- Loss of each window in the mean over runs; of RMSE its squares.
local function losses_of(row, metric)
  local mean = {}
  for _, run in ipairs(row.runs) do
    for i, loss in ipairs(metrics.losses(run, metric)) do
      mean[i] = (mean[i] or 0.0) + loss / #row.runs
    end
  end
  return mean
end

-- Standard error of the mean of d, whose values depend on each other over `lag` places; nil: one value shows none.
local function standard_error(d, lag)
  local n, mean = #d, mean_and_deviation(d)
  if n < 2 then
    return nil
  end
  local variance = 0.0
  for k = 0, math.min(lag, n - 1) do
    local covariance = 0.0
    for i = k + 1, n do
      covariance = covariance + (d[i] - mean) * (d[i - k] - mean)
    end
    variance = variance + (k == 0 and 1 or 2 * (1 - k / (lag + 1))) * covariance / n
  end
  return math.sqrt(math.max(variance, 0.0) / n)
end

-- Standard error of the difference of two rows in a metric; nil: of one window.
local function error_of_difference(network, best, metric, horizon)
  local a, b, d = losses_of(network, metric), losses_of(best, metric), {}
  for i = 1, #a do
    local difference = a[i] - b[i]
    d[#d + 1] = difference == difference and difference or nil -- no truth in that window
  end
  local se = standard_error(d, math.max(horizon - 1, (#d) ^ (1 / 3) // 1 | 0))
  local both = network.mean[metric] + best.mean[metric]
  return se and metric == "rmse" and both > 0 and se / both or se -- a^2 - b^2 = (a - b) (a + b)
end

-- ---- the verdict -------------------------------------------------------------------------------------------

local function spread_text(row, over_seeds, over_windows)
  local number = score_table.number
  local windows = over_windows and number(over_windows) .. " over the windows" or "of one window"
  return over_seeds and ("spread %s over %d seeds, %s"):format(number(over_seeds), #row.runs, windows)
    or ("spread %s; of one seed"):format(windows)
end

local function judge(rows, metric)
  local network, best = rows[1], best_of(rows, metric)
  local ours = network.mean[metric]
  if not ours or not best then
    return { skill = false, metric = metric,
      text = ("%s cannot be judged: there is no %s of it and of a baseline."):format(network.name, TITLES[metric]) }
  end
  local over_seeds = network.spread[metric]
  local over_windows = error_of_difference(network, best, metric, network.runs[1].horizon)
  local v = { metric = metric, best = best.name, value = ours, best_value = best.mean[metric],
    gain = best.mean[metric] - ours, over_seeds = over_seeds, over_windows = over_windows }
  v.spread = math.max(over_seeds or 0.0, over_windows or 0.0)
  v.skill = v.gain > v.spread -- false where a figure is not a number
  local number = score_table.number
  if not over_seeds and not over_windows then
    v.skill = false
    v.text = ("%s cannot be judged by one window and one seed: %s %s against %s of %s."):format(network.name,
      TITLES[metric], number(ours), number(v.best_value), v.best)
    return v
  end
  local spread = spread_text(network, over_seeds, over_windows)
  if v.skill then
    v.text = ("%s beats the best baseline, %s, by %s: %s %s against %s (%s)."):format(network.name, v.best,
      number(v.gain), TITLES[metric], number(ours), number(v.best_value), spread)
  else
    v.text = ("%s does not beat the best baseline, %s, by more than the spread%s: %s %s against %s (%s)."):format(
      network.name, v.best, v.gain > 0 and ", though it is better" or "", TITLES[metric], number(ours),
      number(v.best_value), spread)
  end
  return v
end

local function judged(rows, metric, notes)
  for _, row in ipairs(rows) do
    measure(row, rows[1].runs[1].season, notes)
  end
  if not (rows[1].mean.mae or rows[1].mean.rmse) then
    errors.raise("compare: the truth of no window is known: there is nothing to compare")
  end
  return judge(rows, metric)
end

local function compare(network, baselines, given)
  local o = options.resolve("compare", specs, given)
  if o.file and io.type(o.file) ~= "file" and not (type(o.file) == "table" and type(o.file.write) == "function") then
    errors.raise("compare: option 'file' must be an open file, or false, got a %s", io.type(o.file) or type(o.file))
  end
  local rows, notes, lines = rows_of(network, baselines), {}, {}
  local targets = targets_of(rows[1].runs[1])
  local verdict
  if #targets == 1 then
    verdict = judged(rows, o.metric or "rmse", notes)
    table.move(score_table.lines(rows), 1, #rows + 1, 1, lines)
  else
    local by_target = {}
    for _, target in ipairs(targets) do
      local part = of_target(rows, target)
      by_target[target] = judged(part, o.metric or "rmse", notes)
      lines[#lines + 1] = target .. ":"
      table.move(score_table.lines(part), 1, #part + 1, #lines + 1, lines)
      lines[#lines + 1] = by_target[target].text
      lines[#lines + 1] = ""
    end
    verdict = judged(rows, o.metric or "mase", notes) -- figures of columns with units of their own do not add up
    verdict.by_target = by_target
    lines[#lines + 1] = ("All %d targets: %s"):format(#targets, verdict.text)
  end
  for _, note in ipairs(notes) do
    lines[#lines + 1] = "note: " .. note
  end
  lines[#lines + 1] = #targets == 1 and verdict.text or nil
  verdict.rows, verdict.table = rows, table.concat(lines, "\n") .. "\n"
  if o.file ~= false then
    (o.file or io.stdout):write(verdict.table)
  end
  return verdict.skill, verdict
end

-- compare(network, baselines [, { metric =, file = }]): prints the table; whether there is skill, and what it rests on.
-- network: a Forecast, or a list of those of several seeds; baselines: a list of such.
return function(...)
  return errors.blame(compare, ...)
end
