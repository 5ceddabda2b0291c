-- forecast/ensemble.lua - rondo.Ensemble { model, model, ... }: several models that forecast as one.
--
-- Points are averaged, and so are quantiles, level by level (Lichtendahl, Grushka-Cockayne and Winkler 2013:
-- narrower and better calibrated than a mixture where each member is); averages of what ascends ascend. Of members
-- that sample, the paths are pooled. Each member has a seed of its own, the first that which was asked for.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local expect = require "rondo.expect"
local forecast = require "rondo.forecast.forecast"
local module = require "rondo.module"

local ensemble = {}

local Ensemble = { __name = "rondo.Ensemble" }
Ensemble.__index = Ensemble

function Ensemble:__len()
  return #self.members
end

function Ensemble:__tostring()
  return ("ensemble of %d models"):format(#self.members)
end

-- ---- averages ----------------------------------------------------------------------------------------------

local function check_same(list, i)
  local first, other = list[1], list[i]
  local same = #first == #other and first.horizon == other.horizon
  for k = 1, same and #first or 0 do
    same = same and first[k].origin == other[k].origin and first[k].series == other[k].series
      and first[k].target == other[k].target
  end
  if not same then
    errors.raise("Ensemble: forecasts 1 and %d are not of the same windows", i)
  elseif table.concat(first:levels(), " ") ~= table.concat(other:levels(), " ") then
    errors.raise("Ensemble: forecasts 1 and %d have not the same quantiles", i)
  end
end

-- Means of lists, number by number.
local function mean_of(lists)
  local mean = {}
  for h = 1, #lists[1] do
    local sum = 0.0
    for _, list in ipairs(lists) do
      sum = sum + list[h]
    end
    mean[h] = sum / #lists
  end
  return mean
end

local function gathered(entries, field, key)
  local lists = {}
  for i, entry in ipairs(entries) do
    lists[i] = key and entry[field][key] or entry[field]
  end
  return lists
end

local function joined(entries, horizon, levels)
  local first = entries[1]
  local entry = { series = first.series, target = first.target, origin = first.origin, times = first.times,
    history = first.history, truth = first.truth, point = mean_of(gathered(entries, "point")) }
  local pooled = {}
  for _, one in ipairs(entries) do
    pooled = pooled and one.paths and table.move(one.paths, 1, #one.paths, #pooled + 1, pooled) or nil
  end
  if pooled then
    entry.paths, entry.quantiles = pooled, forecast.quantiles_of_paths(pooled, horizon, levels)
  elseif first.quantiles then
    entry.quantiles = {}
    for _, q in ipairs(levels) do
      entry.quantiles[q] = mean_of(gathered(entries, "quantiles", q))
    end
  end
  return entry
end

-- Forecasts of the same windows as one.
function ensemble.average(list, name)
  if type(list) ~= "table" or #list == 0 then
    errors.raise("Ensemble: expected a list of forecasts, got %s", type(list) == "table" and "an empty one"
      or "a " .. type(list))
  end
  for i, one in ipairs(list) do
    if not forecast.is_forecast(one) then
      errors.raise("Ensemble: expected forecasts, got a %s at place %d", type(one), i)
    end
    check_same(list, i)
  end
  local first = list[1]
  local made = { name = name or ("mean of %d"):format(#list), horizon = first.horizon, season = first.season,
    time_unit = first.time_unit }
  for k = 1, #first do
    local entries = {}
    for i, one in ipairs(list) do
      entries[i] = one[k]
    end
    made[k] = joined(entries, first.horizon, first:levels())
  end
  return forecast.new(made)
end

-- ---- members -----------------------------------------------------------------------------------------------

-- The Forecast of windows or of a series.
function Ensemble:forecast(given, how)
  expect.kind("forecast: options", how == nil and {} or how, "table")
  local list, keep = {}, (how or {}).keep_paths
  for i, model in ipairs(self.members) do
    local own = { keep_paths = true }
    for key, value in pairs(how or {}) do
      own[key] = key == "keep_paths" or value
    end
    own.seed = ((own.seed or 1) + i - 1) & 0xffffffff
    list[i] = model:forecast(given, own)
  end
  local all = errors.blame(ensemble.average, list, (how or {}).name)
  for _, entry in ipairs(keep and {} or all) do
    entry.paths = nil
  end
  return all
end

-- Figures of its forecast of windows, as forecast:metrics.
function Ensemble:evaluate(windows, how)
  return self:forecast(windows):metrics(how and how.metrics)
end

local function member(given, i)
  if type(given) == "string" then
    local opened, message = require("rondo.checkpoint").load(given)
    if not opened then
      errors.raise("Ensemble: member %d: %s", i, message)
    end
    return opened.model
  elseif not module.is_module(given) then
    errors.raise("Ensemble: member %d must be a model or the path of a run, got a %s", i, type(given))
  end
  return given
end

-- Models, or paths of runs or checkpoints.
function ensemble.Ensemble(given)
  if type(given) ~= "table" or module.is_module(given) or #given == 0 then
    errors.raise 'Ensemble: expected a list of models or runs, as in Ensemble { "runs/a", "runs/b" }'
  end
  local members = {}
  for i, one in ipairs(given) do
    members[i] = errors.blame(member, one, i)
  end
  return setmetatable({ members = members }, Ensemble)
end

return ensemble
