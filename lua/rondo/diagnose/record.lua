-- diagnose/record.lua - a short diagnosis of a training as a line of metrics.jsonl.
--
-- { "t", "step", "epoch", "split": "diagnosis",          as lines of other splits
--   "seconds": s, "rows": n, "steps": n,                 what it took, and of how much of the batch it is
--   "clip_rate": share of the updates since the last such line that were clipped,
--   "updates": { "1.layer1.i_x": |dW| / |W|, ... },      of this update, by parameter
--   "layers": [ {
--     "name": "1.layer1", "cell": "lstm",
--     "gradient": [ |dL/ds(t)| for "at" ], "at": [ steps, evenly spread, at most 32 ],
--     "lags": [ 0, 1, 2, 4, ... ], "by_lag": [ |dL(t)/ds(t - lag)| for "lags", by the mean over a few t ],
--     "horizon": lag or null (longer than "steps"), "slope": of log by_lag per step of lag,
--     "radius": { "i_h": spectral radius, ... }, "lyapunov": exponent per step or null,
--     "saturation": { "i": share of values < 0.05 or > 0.95, ... } } ] }
-- Numbers that are not finite are the texts "inf", "-inf", "nan", as everywhere in the file.
-- SPDX-License-Identifier: MIT
local parts = require "rondo.diagnose.losses"
local report = require "rondo.diagnose.report"

local record = {}

local MOST_STEPS = 32

local function picked(list, places)
  local values = {}
  for i, place in ipairs(places) do
    values[i] = list[place]
  end
  return values
end

local function layer_of(one)
  local at, lags, saturation = parts.times(#one.steps, MOST_STEPS), report.some_lags(#one.profile), {}
  local by_lag = {}
  for i, lag in ipairs(lags) do
    by_lag[i] = one.profile[lag + 1]
  end
  for _, entry in ipairs(one.saturation or {}) do
    saturation[entry.name] = entry.share
  end
  return { name = one.name, cell = one.cell, at = at, gradient = picked(one.gradient.all, at), lags = lags,
    by_lag = by_lag, horizon = one.horizon, slope = one.slope, radius = next(one.radius) and one.radius or nil,
    lyapunov = one.lyapunov, saturation = next(saturation) and saturation or nil }
end

-- The fields of the line that are of the diagnosis itself.
function record.of(found)
  local line = { split = "diagnosis", layers = {} }
  for i, one in ipairs(found.layers) do
    line.layers[i] = layer_of(one)
  end
  return line
end

return record
