---@meta
-- forecaster.lua - annotations of forecasting models, for editors (LuaCATS). Nothing here is run.
-- SPDX-License-Identifier: MIT

---@class rondo
local rondo = {}

---@class rondo.Forecaster: rondo.Module
local Forecaster = {}
---the loss that goes with the output
---@param options table?
---@return rondo.Loss
function Forecaster:loss(options) end
---takes sizes and places of targets from windows, as a Trainer does
---@param windows rondo.Windows
function Forecaster:take_windows(windows) end

---@class rondo.Module
local Module = {}
---what comes behind the origins of windows, or behind a series, on the scale of the data
---@param given rondo.Windows|rondo.Series
---@param how rondo.model.forecast.Options?
---@return rondo.Forecast
function Module:forecast(given, how) end

---several models that forecast as one
---@class rondo.Ensemble
---@operator len: integer
local Ensemble = {}
---@param given rondo.Windows|rondo.Series
---@param how rondo.model.forecast.Options?
---@return rondo.Forecast
function Ensemble:forecast(given, how) end
---@param windows rondo.Windows
---@param how { metrics: string[]? }?
---@return table<string, number>
function Ensemble:evaluate(windows, how) end

---@param members (rondo.Module|string)[] models, or paths of runs or checkpoints
---@return rondo.Ensemble
function rondo.Ensemble(members) end
