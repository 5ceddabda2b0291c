-- forecast/baselines.lua - rondo.baselines: what a network must beat, on the same windows.
--
-- A baseline is fitted, series by series, on the values up to the first origin of the windows it is asked about, and
-- on nothing else. From there its state is carried along the origins: each value is read once, however many windows
-- there are. Missing values of a history count as the value before them.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local forecast = require "rondo.forecast.forecast"
local metrics = require "rondo.forecast.metrics"
local options = require "rondo.options"
local progress = require "rondo.progress"
local residuals = require "rondo.forecast.residuals"

local LEVELS = { 0.1, 0.5, 0.9 }

local Baseline = { __name = "rondo.Baseline" }
Baseline.__index = Baseline

function Baseline:__tostring()
  return "baseline: " .. self.label
end

local forecast_specs = {
  { name = "quantiles", kind = "table", help = "levels, as { 0.1, 0.5, 0.9 }, the default; {}: none" },
}
local evaluate_specs = {
  { name = "metrics", kind = "table", help = "names, as { \"mae\", \"rmse\" }; default: all that there are" },
  { name = "quantiles", kind = "table", help = "levels, as { 0.1, 0.5, 0.9 }, the default; {}: none" },
}

local function check_windows(windows, what)
  if type(windows) ~= "table" or math.type(windows.count) ~= "integer" or type(windows.window) ~= "function"
    or math.type(windows.horizon) ~= "integer" then
    errors.raise("%s: expected windows of a series, series:windows { input =, horizon = }, got a %s", what,
      type(windows))
  elseif windows.count == 0 then
    errors.raise("%s: there are no windows", what)
  end
end

-- Levels of quantiles from the options of a forecast.
local function levels_of(what, given)
  local levels = options.resolve(what, forecast_specs, given).quantiles or LEVELS
  for _, q in ipairs(levels) do
    if type(q) ~= "number" or q <= 0 or q >= 1 then
      errors.raise("%s: option 'quantiles' must be a list of numbers between 0 and 1, got %s", what, tostring(q))
    end
  end
  return levels
end

-- Windows by series and target, each list in the order of origins; and all in the order of the source.
local function tracks_of(windows)
  local tracks, all, by_key = {}, {}, {}
  for i = 1, windows.count do
    for _, target in ipairs(windows.targets or { false }) do
      local window = windows:window(i, target or nil)
      local key = ("%s\0%s"):format(window.series, window.target)
      local track = by_key[key]
      if not track then
        track = {}
        tracks[#tracks + 1], by_key[key] = track, track
      end
      track[#track + 1], all[#all + 1] = window, window
    end
  end
  for _, track in ipairs(tracks) do
    table.sort(track, function(a, b) return a.origin < b.origin end)
  end
  return tracks, all
end

-- Known values of a history, from the first one on, missing ones held.
local function held(history)
  local values, last = {}, nil
  for _, y in ipairs(history) do
    last = y == y and y or last
    values[#values + 1] = last
  end
  return values
end

-- Feeds a state what a history has beyond the first `from` values.
local function read(state, history, from, last)
  for t = from + 1, #history do
    local y = history[t]
    last = y == y and y or last
    if last then
      state:add(last)
    end
  end
  return last
end

local function forecast_track(self, track, horizon, levels, o)
  local values = held(track[1].history)
  if #values == 0 then
    errors.raise("%s: series '%s' has no value before row %d; give it a longer history", self.label, track[1].series,
      track[1].origin + 1)
  end
  local model = self.model_of(values, o)
  local shifts = levels[1] and residuals.shifts(residuals.of(model, values, horizon), levels)
  local state, n, last = model.begin(), 0, nil
  local entries = {}
  for _, window in ipairs(track) do
    last = read(state, window.history, n, last)
    n = #window.history
    local point = state:predict(horizon)
    entries[window] = { series = window.series, target = window.target, origin = window.origin, times = window.times,
      history = window.history, truth = window.truth, point = point,
      quantiles = shifts and residuals.about(point, shifts, model.relative) or nil }
  end
  return entries, model
end

-- Names of the models that were fitted, if few.
local function name_of(self, models)
  local names, seen = {}, {}
  for _, model in ipairs(models) do
    if not seen[model.name] then
      seen[model.name], names[#names + 1] = true, model.name
    end
  end
  return #names == 1 and names[1] or self.label:gsub("^HoltW", "Holt-W") .. ", one for each series"
end

local function made(self, windows, given)
  local what = self.label .. ": forecast"
  check_windows(windows, what)
  local levels = levels_of(what, given)
  local fit_options = { horizon = windows.horizon, season = self.options.season or windows.season or 1 }
  for name, value in pairs(self.options) do
    fit_options[name] = value
  end
  local tracks, all = tracks_of(windows)
  local found, models = { horizon = windows.horizon, season = windows.season or 1 }, {}
  local by_window = {}
  local busy <close> = progress.busy("forecasting by " .. self.label)
  for i, track in ipairs(tracks) do
    local entries
    busy:at(i - 1, #tracks)
    entries, models[i] = forecast_track(self, track, windows.horizon, levels, fit_options)
    for window, entry in pairs(entries) do
      by_window[window] = entry
    end
  end
  for i, window in ipairs(all) do
    found[i] = by_window[window]
  end
  found.name, found.time_unit = name_of(self, models), windows.time_unit
  found.models = models
  return forecast.new(found)
end

-- The Forecast of windows: baseline:forecast(windows [, { quantiles = { 0.1, 0.9 } }]).
function Baseline:forecast(windows, given)
  return errors.blame(made, self, windows, given)
end

local function evaluated(make, self, windows, given)
  local o = options.resolve(self.label .. ": evaluate", evaluate_specs, given)
  metrics.check(o.metrics)
  return make(self, windows, { quantiles = o.quantiles }):metrics(o.metrics)
end

-- Figures on the scale of the data, and notes on them: baseline:evaluate(windows [, { metrics = { "mae" } }]).
function Baseline:evaluate(windows, given)
  return errors.blame(evaluated, made, self, windows, given)
end

-- ---- the methods -------------------------------------------------------------------------------------------

local naive = require "rondo.forecast.naive"

local season = { name = "season", kind = "int", min = 1, max = 1 << 20,
  help = "steps of a season, 12 of months; default: that of the windows" }

-- A constructor: its name, its options, fit(values, options) -> model.
local function baseline(label, specs, fit, positional)
  return function(given)
    local o = options.resolve(label, specs, given, positional)
    return setmetatable({ label = label, options = o, model_of = fit }, Baseline)
  end
end

local function feed_forward(given)
  return require("rondo.forecast.feed_forward").new(given)
end

local function fit_holt_winters(values, o)
  local found = require("rondo.forecast.holt_winters").fit(values, o)
  return found or naive.persistence()
end

local baselines = {
  Persistence = baseline("Persistence", {}, naive.persistence),
  SeasonalNaive = baseline("SeasonalNaive", { season }, naive.seasonal, { "season" }),
  SeasonalNaiveGrowth = baseline("SeasonalNaiveGrowth", { season }, naive.growth, { "season" }),
  Drift = baseline("Drift", {}, naive.drift),
  AR = baseline("AR", {
    { name = "order", kind = "int", min = 0, max = 1000, help = "values back; default: the smallest AIC" },
    { name = "log", kind = "bool", help = "of logarithms; default: where all values are positive and it helps" },
    season }, function(...) return require("rondo.forecast.ar").fit(...) end, { "order" }),
  HoltWinters = baseline("HoltWinters", { season,
    { name = "seasonal", kind = "choice", def = "auto", choices = { "auto", "additive", "multiplicative" },
      help = "how seasons and level go together; auto: what foretells better" },
    { name = "damped", kind = "bool", def = false, help = "a trend that fades" } }, fit_holt_winters, { "season" }),
  FeedForward = feed_forward,
}

-- Forecasts of windows by all baselines that need no training: a list.
local function all(windows, given)
  local o = options.resolve("baselines.all", { season, forecast_specs[1] }, given)
  check_windows(windows, "baselines.all")
  local made_by, list, m = { quantiles = o.quantiles }, {}, o.season or windows.season or 1
  list[1] = baselines.Persistence {}
  if m > 1 then
    list[2], list[3] = baselines.SeasonalNaive { m }, baselines.SeasonalNaiveGrowth { m }
  end
  for _, one in ipairs { baselines.Drift {}, baselines.AR { season = m }, baselines.HoltWinters { m } } do
    list[#list + 1] = one
  end
  for i, one in ipairs(list) do
    list[i] = made(one, windows, made_by)
  end
  return list
end

baselines.all = function(...) return errors.blame(all, ...) end

return { public = baselines, levels = levels_of, evaluated = evaluated }
