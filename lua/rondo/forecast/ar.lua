-- forecast/ar.lua - an autoregression by least squares, of the values or of their logarithms.
--
-- y_t = c + b_1 y_(t-1) + ... + b_p y_(t-p), of values less their mean, steps further ahead from forecasts. The order
-- is that of the smallest AIC = N log(RSS / N) + 2 (p + 1) (Akaike 1974), all orders on the same N rows. Whether
-- logarithms help is tried on the last fifth of what it is fitted on. exp of a forecast of logs is a median.
-- SPDX-License-Identifier: MIT
local choose = require "rondo.forecast.choose"
local least_squares = require "rondo.forecast.least_squares"

local ar = {}

local LONGEST = 60     -- the largest order that a season asks for; further back a season is SeasonalNaive's business
local WORK = 8e7       -- rows times squared order: half a second; of longer series the last rows are fitted

local function mean_of(values, from)
  local sum = 0.0
  for t = from, #values do
    sum = sum + values[t]
  end
  return sum / (#values - from + 1)
end

-- Columns 1, lag 1 ... lag p, and y, of rows t = first..n.
local function design(values, p, first, mean)
  local columns, y = { {} }, {}
  for t = first, #values do
    columns[1][t - first + 1], y[t - first + 1] = 1.0, values[t] - mean
  end
  for lag = 1, p do
    local a = {}
    for t = first, #values do
      a[t - first + 1] = values[t - lag] - mean
    end
    columns[lag + 1] = a
  end
  return columns, y
end

local function best_order(values, most, first, mean)
  local columns, y = design(values, most, first, mean)
  local rows = #y
  local _, sums = least_squares.solve(columns, y)
  local floor = 1e-24 * math.max(sums[1], 1e-280) -- what rounding leaves of a series without noise
  local best, order
  for p = 0, most do
    local aic = rows * math.log(math.max(sums[p + 1], floor) / rows) + 2 * (p + 1)
    if not best or aic < best then
      best, order = aic, p
    end
  end
  return order
end

-- Coefficients for values: order (nil: by AIC), mean, constant, and b.
local function coefficients(values, o)
  local n = #values
  local most = o.order or math.max(10 * math.log(n, 10) // 1 | 0, o.season < LONGEST and o.season + 1 or 0)
  most = math.max(0, math.min(most, (n - 2) // 3))
  local from = math.max(0, n - most - (WORK / (most + 1) ^ 2 // 1 | 0)) -- rows before it are not fitted
  local mean = mean_of(values, from + 1)
  local order = o.order and most or best_order(values, most, from + most + 1, mean)
  local b = least_squares.solve(design(values, order, from + order + 1, mean))
  local rows = n - from - order
  return { order = order, mean = mean, constant = table.remove(b, 1), b = b,
    widen = math.sqrt(rows / (rows - order - 1)) } -- in-sample errors are this much too small
end

local State = {}
State.__index = State

function State:add(y)
  local p, model = self.model.order, self.model
  if model.log then
    y = math.log(y > 0 and y or model.least) -- a value that is not positive is new here: the smallest known
  end
  if p > 0 then
    self[self.n % p] = y - model.mean
  end
  self.n = self.n + 1
end

function State:predict(h)
  local model, lags, f = self.model, {}, {}
  local p, b = model.order, model.b
  for lag = 1, p do
    lags[1 - lag] = self[(self.n - lag) % p] or 0.0 -- before the first value: the mean
  end
  for k = 1, h do
    local sum = model.constant
    for lag = 1, p do
      sum = sum + b[lag] * lags[k - lag]
    end
    lags[k] = sum
    f[k] = model.log and math.exp(sum + model.mean) or sum + model.mean
  end
  return f
end

local function model_of(values, o, log)
  local least
  if log then
    local logs = {}
    for t, y in ipairs(values) do
      logs[t] = math.log(y)
      least = math.min(least or y, y)
    end
    values = logs
  end
  local model = coefficients(values, o)
  model.log, model.least, model.relative, model.warm = log, least, log, math.max(model.order, 1)
  model.name = ("AR(%d)%s"):format(model.order, log and " on logs" or "")
  model.begin = function() return setmetatable({ model = model, n = 0 }, State) end
  return model
end

function ar.fit(values, o)
  local positive = true
  for _, y in ipairs(values) do
    positive = positive and y > 0
  end
  local log = o.log
  if log == nil then
    log = positive and choose(values, o.horizon, { function(early) return model_of(early, o, false) end,
      function(early) return model_of(early, o, true) end }) == 2
  end
  return model_of(values, o, log and positive)
end

return ar
