-- forecast/runs.lua - trained runs and new data: what `rondo forecast` and `rondo evaluate` have in common.
--
-- A run is a run folder or a checkpoint. A folder of runs with several seeds, as scripts/time_series.lua leaves it,
-- stands for all of them.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local errors = require "rondo.errors"
local json = require "rondo.json"
local recipe = require "rondo.forecast.recipe"

local runs = {}

local function stop(code, ...)
  errors.stop(code, (...):format(select(2, ...)))
end

-- Paths with folders of seeds replaced by their runs.
local function expand(paths)
  local all = {}
  for _, path in ipairs(paths) do
    local seeds = {}
    for _, name in ipairs(core.listdir(path) or {}) do
      local n = math.tointeger(tonumber(name:match "^seed%-(%d+)$"))
      seeds[#seeds + 1] = n and { n, ("%s/%s"):format((path:gsub("/+$", "")), name) } or nil
    end
    table.sort(seeds, function(a, b) return a[1] < b[1] end)
    if seeds[1] and not core.stat(path .. "/checkpoints") then
      for _, seed in ipairs(seeds) do
        all[#all + 1] = seed[2]
      end
    else
      all[#all + 1] = path
    end
  end
  return all
end

-- Is this the checkpoint of a forecaster?
function runs.is_series(ckpt)
  return type(ckpt.config.series) == "table" and math.type(ckpt.config.series.input) == "integer"
end

local function open(cli, path)
  local ckpt, message, code = require("rondo").load(path)
  if not ckpt then
    errors.stop(code, message)
  elseif not runs.is_series(ckpt) then
    stop(errors.DATA, "%s: was not trained on windows of a series, so it forecasts nothing", ckpt.path)
  end
  local model
  model, message = require("rondo.checkpoint").rebuild(ckpt.opened)
  if not model then
    errors.stop(errors.DATA, cli.with_plugin_hint(message))
  end
  local data = type(ckpt.config.data) == "table" and not ckpt.config.data.series and ckpt.config.data or {}
  return { path = path, checkpoint = ckpt.path, model = model, config = ckpt.config.series,
    last_trained = math.type(data.last) == "integer" and data.last or nil } -- of one series: its row
end

-- The runs of paths: a list of { path =, checkpoint =, model =, config =, last_trained = }; else the program ends.
function runs.open(cli, paths)
  local list = {}
  for i, path in ipairs(expand(paths)) do
    list[i] = open(cli, path)
  end
  return list
end

-- The options that the recipe had, from the config.json of a run folder; nil where there is none.
function runs.options_of(run)
  local config = json.read(run.path .. "/config.json")
  return config and type(config.options) == "table" and config.options or nil
end

-- ---- new data ----------------------------------------------------------------------------------------------

-- The series of a file with the columns that a run was trained on.
function runs.read(run, path)
  local c = run.config
  local time = (c.calendar or recipe.is_hdf5(path)) and c.time or nil -- a CSV file has another name for it at times
  local series = recipe.read(path, c.columns, { missing = c.missing, time = time, time_unit = c.time_unit, id = c.id })
  local n = recipe.length(series)
  if n < c.input then
    stop(errors.DATA, "%s has %d %s, and %s reads %d before it forecasts", path, n, n == 1 and "row" or "rows",
      run.path, c.input)
  end
  return series
end

-- Windows of a series as the run had them, or the end of the program with what is wrong with the file.
function runs.windows(run, series, given)
  local ok, made = pcall(series.windows_like, series, run.config, given)
  if not ok then
    stop(errors.DATA, "%s: %s", series.path, errors.bare(tostring(made)):gsub("^windows: ", ""))
  end
  return made
end

-- ---- forecasts of what comes next --------------------------------------------------------------------------

local function cut_list(values, n)
  return values and table.move(values, 1, n, 1, {})
end

-- The first n steps of a forecast.
local function cut(forecast, n)
  local made = { name = forecast.name, horizon = n, season = forecast.season, time_unit = forecast.time_unit }
  for i, entry in ipairs(forecast) do
    local quantiles = entry.quantiles and {}
    for level, values in pairs(entry.quantiles or {}) do
      quantiles[level] = cut_list(values, n)
    end
    made[i] = { series = entry.series, target = entry.target, origin = entry.origin, history = entry.history,
      times = cut_list(entry.times, n), truth = cut_list(entry.truth, n), point = cut_list(entry.point, n),
      quantiles = quantiles }
  end
  return require("rondo.forecast.forecast").new(made)
end

-- The forecast of a run behind the last value of a series; o: horizon (nil: as trained), paths, quantiles, seed.
local function ahead(run, series, o)
  local c = run.config
  local horizon, direct = o.horizon or c.horizon, c.form == "direct"
  if direct and horizon > c.horizon then
    stop(errors.USAGE, "%s forecasts %d %s at once, and --horizon is %d: train with --horizon %d, or with --form "
      .. "recursive or seq2seq, which go on as far as they are asked to", run.path, c.horizon,
      c.horizon == 1 and "step" or "steps", horizon, horizon)
  end
  local windows = runs.windows(run, series, { future = true, horizon = direct and c.horizon or horizon })
  local forecast = run.model:forecast(windows, { name = run.path, paths = o.paths, quantiles = o.quantiles,
    seed = o.seed, keep_paths = false })
  return horizon < forecast.horizon and cut(forecast, horizon) or forecast
end

-- The forecast of runs together, of the file at `path`.
function runs.forecast(list, path, o)
  local forecasts = {}
  path = recipe.find(path)
  for i, run in ipairs(list) do
    local own = { horizon = o.horizon, paths = o.paths, quantiles = o.quantiles, seed = o.seed + i - 1 }
    local series = runs.read(run, path)
    if i == 1 then
      recipe.say(series)
    end
    forecasts[i] = ahead(run, series, own)
    for _, entry in ipairs(i > 1 and forecasts[i] or {}) do
      if entry.target ~= forecasts[1][1].target and #forecasts[i] == 1 then
        stop(errors.USAGE, "%s forecasts '%s', and %s '%s': an ensemble is of runs that forecast the same",
          list[1].path, forecasts[1][1].target, run.path, entry.target)
      end
    end
  end
  return recipe.together(forecasts)
end

return runs
