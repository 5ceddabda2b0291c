-- forecast/forecast.lua - Forecast: what a model or a baseline says of windows, on the scale of the data.
--
-- An array of entries, one for each window and target:
--   series, target   names           origin  row, in the whole series, of the last value that was known
--   history          values up to the origin           truth  the values that came, NaN where missing, or nil
--   times            of the steps, or nil              point  the forecast, one number a step
--   quantiles        { [0.1] = values, ... }, or nil   paths  sampled futures, a list of lists, or nil
-- and name, horizon (steps), season, time_unit ("seconds", "months" or "number", as Series:summary().unit). Histories
-- may be one array for many windows, or views of one: nothing here writes to them. All entries have the same quantiles.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local metrics = require "rondo.forecast.metrics"

local PATH_LEVELS = { 0.1, 0.5, 0.9 } -- quantiles taken of sampled paths, where none are given

local Forecast = { __name = "rondo.Forecast" }
Forecast.__index = Forecast

-- ---- quantiles ---------------------------------------------------------------------------------------------

-- The quantile q of sorted values, on the line between its neighbours (Hyndman and Fan 1996, type 7: R's default).
local function quantile(sorted, q)
  local at = 1 + (#sorted - 1) * q
  local low = math.floor(at)
  local value = sorted[low]
  return low < #sorted and value + (at - low) * (sorted[low + 1] - value) or value
end

-- Quantiles of each step over sampled paths.
local function of_paths(paths, horizon, levels)
  local found = {}
  for _, q in ipairs(levels) do
    found[q] = {}
  end
  for step = 1, horizon do
    local values = {}
    for i, path in ipairs(paths) do
      values[i] = path[step]
    end
    table.sort(values)
    for _, q in ipairs(levels) do
      found[q][step] = quantile(values, q)
    end
  end
  return found
end

-- Levels of the quantiles there are, ascending.
function Forecast:levels()
  local levels = {}
  for q in pairs(self[1] and self[1].quantiles or {}) do
    levels[#levels + 1] = q
  end
  table.sort(levels)
  return levels
end

-- ---- making one --------------------------------------------------------------------------------------------

local function check_values(values, what, i, horizon)
  if type(values) ~= "table" or #values ~= horizon then
    errors.raise("Forecast: entry %d: %s must be a list of %d numbers, the horizon, got %s", i, what, horizon,
      type(values) == "table" and #values or "a " .. type(values))
  end
end

local function check_quantiles(entry, i, horizon, levels)
  local n = 0
  for q, values in pairs(entry.quantiles or {}) do
    if type(q) ~= "number" or q <= 0 or q >= 1 then
      errors.raise("Forecast: entry %d: quantiles are keyed by numbers between 0 and 1, got %s", i, tostring(q))
    end
    check_values(values, ("quantile %.6g"):format(q), i, horizon)
    n = n + 1
  end
  for _, q in ipairs(levels) do
    n = entry.quantiles and entry.quantiles[q] and n or -1
  end
  if n ~= #levels then
    errors.raise("Forecast: entry %d has other quantiles than the first one", i)
  end
end

local function check_entry(self, i, entry)
  if type(entry) ~= "table" or type(entry.origin) ~= "number" then
    errors.raise("Forecast: entry %d must be a table with series, target, origin, point...", i)
  end
  check_values(entry.point, "point", i, self.horizon)
  if entry.truth then
    check_values(entry.truth, "truth", i, self.horizon)
  end
  entry.series, entry.target = entry.series or "series", entry.target or "value"
  if entry.paths and not entry.quantiles then
    entry.quantiles = of_paths(entry.paths, self.horizon, PATH_LEVELS)
  end
end

-- Takes a table of entries with name, horizon, season and time_unit beside them, which becomes the Forecast.
local function new(given)
  local horizon = type(given) == "table" and math.tointeger(given.horizon)
  if not horizon or horizon < 1 then
    errors.raise("Forecast: expected a list of entries with name =, horizon =, got %s", type(given) == "table"
      and ("horizon %s"):format(tostring(given.horizon)) or "a " .. type(given))
  end
  given.name, given.season = given.name or "forecast", given.season or 1
  local self = setmetatable(given, Forecast)
  local levels
  for i, entry in ipairs(self) do
    check_entry(self, i, entry)
    levels = levels or self:levels()
    check_quantiles(entry, i, horizon, levels)
  end
  return self
end

function Forecast:__tostring()
  return ("forecast by %s: %d windows of %d steps"):format(self.name, #self, self.horizon)
end

-- ---- what can be asked -------------------------------------------------------------------------------------

-- Figures { mae =, rmse =, ... } and a list of notes: forecast:metrics { "mae", "rmse" }. `by = "step"`, "series" or
-- "target" in the list gives a table of figures for each. nil: all that there are.
function Forecast:metrics(list)
  return errors.blame(metrics.figures, self, list)
end

-- ---- CSV ---------------------------------------------------------------------------------------------------

local DIGITS = core.real == "float" and "%.7g" or "%.15g"

local function number(x)
  if not x or x ~= x then
    return ""
  elseif x == math.floor(x) and math.abs(x) < 1e15 then
    return ("%.0f"):format(x)
  end
  return DIGITS:format(x)
end

local function cell(text)
  text = tostring(text)
  return text:find '[",\r\n]' and '"' .. text:gsub('"', '""') .. '"' or text
end

-- How the times of a forecast are written: months where all begin one, days where all begin one, else seconds.
local function time_form(self)
  if self.time_unit ~= "months" and self.time_unit ~= "seconds" then
    return number
  end
  local form, order = self.time_unit == "months" and 1 or 2, { "!%Y-%m", "!%Y-%m-%d", "!%Y-%m-%dT%H:%M:%SZ" }
  for _, entry in ipairs(self) do
    for _, time in ipairs(entry.times or {}) do
      form = math.max(form, time % 86400 ~= 0 and 3 or os.date("!%d", time // 1 | 0) ~= "01" and 2 or 1)
    end
  end
  return function(time) return time and os.date(order[form], time // 1 | 0) or "" end
end

local function lines_of(self, write)
  local levels, time_text = self:levels(), time_form(self)
  local head = { "series", "target", "origin", "time", "step", "truth", "forecast" }
  for _, q in ipairs(levels) do
    head[#head + 1] = ("q%.6g"):format(q)
  end
  if not write(table.concat(head, ","), "\n") then
    return false
  end
  for _, entry in ipairs(self) do
    for step = 1, self.horizon do
      local row = { cell(entry.series), cell(entry.target), number(entry.origin),
        time_text(entry.times and entry.times[step]), tostring(step), number(entry.truth and entry.truth[step]),
        number(entry.point[step]) }
      for i, q in ipairs(levels) do
        row[7 + i] = number(entry.quantiles[q][step])
      end
      if not write(table.concat(row, ","), "\n") then
        return false
      end
    end
  end
  return true
end

-- Writes the forecast as CSV to a path or an open file, a line for each step: true, or nil, message, code.
function Forecast:csv(file)
  local opened, message = file, nil
  if type(file) == "string" then
    opened, message = io.open(file, "wb")
    if not opened then
      return errors.outside(("cannot write the forecast: %s"):format(message), errors.DATA)
    end
  elseif io.type(file) ~= "file" then
    errors.raise("forecast:csv: expected a path or an open file, got a %s", io.type(file) or type(file))
  end
  local ok = lines_of(self, function(...)
    local written
    written, message = opened:write(...)
    return written
  end)
  if ok and type(file) == "string" then
    ok, message = opened:close()
  elseif ok then
    ok, message = opened:flush()
  end
  if not ok then
    return errors.outside(("cannot write the forecast: %s"):format(message), errors.DATA)
  end
  return true
end

return { new = new, is_forecast = function(value) return getmetatable(value) == Forecast end, quantile = quantile,
  quantiles_of_paths = of_paths }
