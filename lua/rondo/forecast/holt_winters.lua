-- forecast/holt_winters.lua - exponential smoothing of level, trend and season (Holt 1957, Winters 1960).
--
-- Additive, with phi = 1 where it is not damped (Gardner 1985):
--   f_t = l + phi b + s_(t-m)                             what is expected
--   l' = alpha (y_t - s_(t-m)) + (1 - alpha) (l + phi b)
--   b' = beta (l' - l) + (1 - beta) phi b
--   s_t = gamma (y_t - l') + (1 - gamma) s_(t-m)
-- multiplicative: f_t = (l + phi b) s_(t-m), y_t / s_(t-m), y_t / l'. Parameters make the sum of (y_t - f_t)^2 least.
-- First values of l, b and s are those of R's HoltWinters(): a line through, and the seasonal figure of, the first two
-- seasons as moving averages decompose them; without a season l = y_2 and b = y_2 - y_1. Which of the two kinds is the
-- better one is tried on the last fifth of the values.
-- SPDX-License-Identifier: MIT
local choose = require "rondo.forecast.choose"
local minimise = require "rondo.forecast.minimise"

local holt_winters = {}

local MOST = 3000  -- values that are fitted, of longer series the last ones; six seasons at least
local START = { { 0.3, 0.1, 0.1, 0.95 }, { 0.8, 0.01, 0.3, 0.9 } }

-- ---- first values ------------------------------------------------------------------------------------------

-- Moving average over one season about value t, the ends of an even one by half (R: decompose).
local function centred(y, t, m)
  local half, sum = m // 2, 0.0
  for i = t - half, t + half do
    sum = sum + y[i]
  end
  return (m % 2 == 0 and sum - (y[t - half] + y[t + half]) / 2 or sum) / m
end

-- The mean of each place of the season in two seasons without their trend; the mean of all is then 0, or 1.
local function figure_of(y, trend, m, multiplicative)
  local figure, sum = {}, 0.0
  for i = 1, m do
    local total, n = 0.0, 0
    for _, t in ipairs { i, i + m } do
      if trend[t] then
        total, n = total + (multiplicative and y[t] / trend[t] or y[t] - trend[t]), n + 1
      end
    end
    figure[i] = total / n
    sum = sum + figure[i]
  end
  for i = 1, m do
    figure[i] = multiplicative and figure[i] * m / sum or figure[i] - sum / m
  end
  return figure
end

-- Intercept and slope of the line through the trend, numbered from 1.
local function line_of(trend, from, to)
  local n, x, y, xx, xy = to - from + 1, 0.0, 0.0, 0.0, 0.0
  for i = 1, n do
    local value = trend[from + i - 1]
    x, y, xx, xy = x + i, y + value, xx + i * i, xy + i * value
  end
  local slope = (n * xy - x * y) / (n * xx - x * x)
  return (y - slope * x) / n, slope
end

local function first_values(y, m, multiplicative)
  if m == 1 then
    return { level = y[2], slope = y[2] - y[1], season = {}, seen = 2 }
  end
  local trend, half = {}, m // 2
  for t = half + 1, 2 * m - half do
    trend[t] = centred(y, t, m)
  end
  local level, slope = line_of(trend, half + 1, 2 * m - half)
  return { level = level, slope = slope, season = figure_of(y, trend, m, multiplicative), seen = m }
end

-- ---- smoothing ---------------------------------------------------------------------------------------------

local State = {}
State.__index = State

local function begin(model)
  local first = model.first
  return setmetatable({ model = model, level = first.level, slope = first.slope, n = 0, at = 0,
    season = table.move(first.season, 1, #first.season, 1, {}) }, State)
end

-- The next value; returns what was expected, once the first values are behind.
function State:add(y)
  local model = self.model
  self.n = self.n + 1
  if self.n <= model.skipped + model.first.seen then
    return nil
  end
  local alpha, beta, gamma, phi = model.alpha, model.beta, model.gamma, model.phi
  local place = self.at + 1
  local s, before, slope = self.season[place], self.level, phi * self.slope
  local level = before + slope
  local expected
  if not s then
    expected = level
    level = alpha * y + (1 - alpha) * level
  elseif model.multiplicative then
    expected = level * s
    level = alpha * (y / s) + (1 - alpha) * level
    self.season[place] = gamma * (y / level) + (1 - gamma) * s
  else
    expected = level + s
    level = alpha * (y - s) + (1 - alpha) * level
    self.season[place] = gamma * (y - level) + (1 - gamma) * s
  end
  self.level, self.slope = level, beta * (level - before) + (1 - beta) * slope
  self.at = place % model.season
  return expected
end

function State:predict(h)
  local model, f, ahead, weight = self.model, {}, 0.0, 1.0
  for k = 1, h do
    weight = weight * model.phi
    ahead = ahead + weight * self.slope
    local s = self.season[(self.at + k - 1) % model.season + 1]
    f[k] = not s and self.level + ahead or model.multiplicative and (self.level + ahead) * s
      or self.level + ahead + s
  end
  return f
end

-- ---- fitting -----------------------------------------------------------------------------------------------

-- Sum of squared errors of one step over y, of a model that skips nothing of it.
local function squares(model, y)
  local state, sum = begin(model), 0.0
  for t = 1, #y do
    local expected = state:add(y[t])
    if expected then
      sum = sum + (y[t] - expected) ^ 2
    end
  end
  return sum
end

local function set(model, x)
  model.alpha, model.beta = x[1], x[2]
  model.gamma = model.season > 1 and x[3] or 0.0
  model.phi = model.damped and x[#x] or 1.0
end

-- The model of one kind whose parameters fit y best, with its sum of squared errors.
local function fitted(y, season, multiplicative, damped)
  local model = { season = season, multiplicative = multiplicative, damped = damped, skipped = 0,
    first = first_values(y, season, multiplicative) }
  local box = { { 1e-4, 1.0 }, { 0.0, 1.0 } }
  box[3] = season > 1 and { 0.0, 1.0 } or nil
  box[#box + 1] = damped and { 0.8, 0.98 } or nil -- below, a trend is gone at once (Hyndman 2021, section 8.2)
  local best
  for _, start in ipairs(START) do
    local x = { start[1], start[2], season > 1 and start[3] or nil }
    x[#x + 1] = damped and start[4] or nil
    local found = minimise(function(at)
      set(model, at)
      return squares(model, y)
    end, x, box)
    best = best and best.value <= found.value and best or found
  end
  set(model, best)
  model.squares = best.value
  return model
end

-- The model with given parameters, as R's HoltWinters(x, alpha, beta, gamma) has it.
function holt_winters.given(values, o)
  local model = { season = o.season, multiplicative = o.seasonal == "multiplicative", skipped = 0,
    first = first_values(values, o.season, o.seasonal == "multiplicative") }
  model.alpha, model.beta, model.gamma, model.phi = o.alpha, o.beta, o.gamma or 0.0, o.phi or 1.0
  model.squares, model.begin = squares(model, values), function() return begin(model) end
  return model
end

local function name_of(model)
  return ("Holt-Winters%s%s"):format(model.season == 1 and " without a season"
    or model.multiplicative and ", multiplicative" or ", additive", model.damped and ", damped" or "")
end

-- How one kind is fitted to fewer values: without a season where there are not two.
local function way_of(season, multiplicative, damped)
  return function(early)
    local m = #early > 2 * season and season or 1
    local model = fitted(early, m, multiplicative and m > 1, damped)
    model.begin = function() return begin(model) end
    return model
  end
end

-- Fits to values; nil where they are too few to smooth.
function holt_winters.fit(values, o)
  local season = #values > 2 * o.season and o.season or 1
  if #values < 4 then
    return nil
  end
  local skipped = math.max(0, #values - math.max(MOST, 6 * season))
  local y, positive = table.move(values, skipped + 1, #values, 1, {}), true
  for _, value in ipairs(values) do
    positive = positive and value > 0
  end
  local multiplicative = season > 1 and positive and o.seasonal ~= "additive"
  if multiplicative and o.seasonal == "auto" then
    multiplicative = choose(y, o.horizon, { way_of(season, false, o.damped), way_of(season, true, o.damped) }) == 2
  end
  local model = fitted(y, season, multiplicative, o.damped)
  model.skipped, model.relative, model.warm = skipped, model.multiplicative, skipped + model.first.seen + 1
  model.name, model.begin = name_of(model), function() return begin(model) end
  return model
end

return holt_winters
