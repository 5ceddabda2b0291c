-- forecast/residuals.lua - intervals of a baseline from its own errors on what it was fitted on.
--
-- For each step ahead the errors at the last origins before the evaluated part are kept, sorted; the quantile q of a
-- forecast is the forecast plus the quantile q of them (times exp of it, where errors are shares of the level).
-- A step with fewer than ENOUGH errors takes those of the longest step before it that has more. Nothing is assumed of
-- their distribution. A model with many parameters says by `widen` how much too small its in-sample errors are.
-- SPDX-License-Identifier: MIT
local quantile = require("rondo.forecast.forecast").quantile

local residuals = {}

local ORIGINS, ENOUGH = 1000, 10

local function error_of(y, f, model)
  local widen = model.widen or 1.0
  if not model.relative then
    return widen * (y - f)
  end
  return y > 0 and f > 0 and widen * math.log(y / f) or nil
end

-- Sorted errors of each step of a model over values, the earliest origins left out.
function residuals.of(model, values, horizon)
  local n, lists, state = #values, {}, model.begin()
  for k = 1, horizon do
    lists[k] = {}
  end
  for t = 1, n - 1 do
    state:add(values[t])
    if t >= model.warm and t >= n - ORIGINS then
      local f = state:predict(math.min(horizon, n - t))
      for k = 1, #f do
        lists[k][#lists[k] + 1] = error_of(values[t + k], f[k], model)
      end
    end
  end
  for k, list in ipairs(lists) do
    table.sort(list)
    if #list < ENOUGH and k > 1 then
      lists[k] = lists[k - 1]
    end
  end
  return lists
end

-- Shifts of a forecast by level and step: quantiles of the errors; 0 where there are none.
function residuals.shifts(lists, levels)
  local shifts = {}
  for _, q in ipairs(levels) do
    shifts[q] = {}
    for k, list in ipairs(lists) do
      shifts[q][k] = #list > 0 and quantile(list, q) or 0.0
    end
  end
  return shifts
end

-- Quantiles about a point forecast.
function residuals.about(point, shifts, relative)
  local quantiles = {}
  for q, by_step in pairs(shifts) do
    local values = {}
    for k, f in ipairs(point) do
      values[k] = relative and f * math.exp(by_step[k]) or f + by_step[k]
    end
    quantiles[q] = values
  end
  return quantiles
end

return residuals
