-- forecast/window.lua - what a Forecaster makes of a window before its layers read it: its scale, its baseline.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"

local window = {}

local SMALL = 1e-5 -- beside a variance

-- Columns of x (batch, steps, features) by a list of places.
function window.columns(x, places)
  local list = {}
  for i, place in ipairs(places) do
    list[i] = x:slice(3, place, place)
  end
  return #list == 1 and list[1] or core.concat(list, 3)
end

-- x with other numbers (batch, steps, targets) in the places of the targets.
function window.replace(x, places, values)
  local list, at, place_of = {}, 1, {}
  for m, place in ipairs(places) do
    place_of[place] = m
  end
  for f = 1, x:size(3) do
    local m = place_of[f]
    if m then
      if at < f then
        list[#list + 1] = x:slice(3, at, f - 1)
      end
      list[#list + 1], at = values:slice(3, m, m), f + 1
    end
  end
  if at <= x:size(3) then
    list[#list + 1] = x:slice(3, at, x:size(3))
  end
  return #list == 1 and list[1] or core.concat(list, 3)
end

-- Shift and scale (batch, 1, targets) of each window, nil where there is none.
local kinds = {}

function kinds.none()
  return nil, nil
end

function kinds.mean(z)
  return nil, z:abs():mean(2, true) + 1
end

function kinds.standard(z)
  local mean = z:mean(2, true)
  local d = z - mean
  return mean, ((d * d):mean(2, true) + SMALL):sqrt()
end

function kinds.last(z)
  return z:slice(2, -1, -1), nil
end

-- Values of targets on the scale of the window, and back to that of the model.
function window.scaled(w, z)
  z = w.shift and z - w.shift or z
  return w.scale and z / w.scale or z
end

-- { input = steps up to the origin as the encoder reads them, values = the targets', shift =, scale = }
function window.read(o, x)
  local known = x:slice(2, 1, o.window)
  local w = { values = window.columns(known, o.target_features), input = known }
  w.shift, w.scale = kinds[o.normalize](w.values)
  if w.shift or w.scale then
    w.input = window.replace(known, o.target_features, window.scaled(w, w.values))
  end
  return w
end

-- How many rows back the baseline lies; 0: there is none.
function window.lag(o)
  return o.baseline == "last" and 1 or o.baseline == "seasonal" and o.season or 0
end

-- How many of the last rows baseline and autoregression look back over; 1 at least.
function window.looked_back(o)
  local lag = window.lag(o)
  return math.max(1, lag, o.ar_window > 0 and o.ar_window + lag or 0)
end

-- The baseline (batch, steps, targets) of the `steps` rows behind `values`; nil: none. What is not there yet is that
-- of the season before.
function window.base(o, w, values, steps)
  local lag, n = window.lag(o), values:size(2)
  if lag == 0 then
    return w.shift
  elseif lag == 1 or steps == 1 then
    return values:slice(2, n - lag + 1, n - lag + 1)
  end
  local list, left = {}, steps
  while left > 0 do
    list[#list + 1] = values:slice(2, n - lag + 1, n - lag + math.min(lag, left))
    left = left - lag
  end
  return #list == 1 and list[1] or core.concat(list, 2)
end

-- What the autoregression reads, (batch, targets, n): the last n values, or their differences from the baseline.
function window.recent(o, w, values)
  local lag, n, rows = window.lag(o), o.ar_window, values:size(2)
  local z = values:slice(2, rows - n + 1, rows)
  if lag == 0 then
    z = window.scaled(w, z)
  else
    z = z - values:slice(2, rows - n + 1 - lag, rows - lag)
    z = w.scale and z / w.scale or z
  end
  return z:transpose(2, 3):contiguous()
end

return window
