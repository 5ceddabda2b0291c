-- diagnose/picture.lua - pictures of diagnoses: heat maps of lag by time, curves by step and by lag.
--
-- Colours stand for |dL(t)/ds(t - lag)| as a share of its size at lag 0, from 1e-6 to 1e2 in every picture: what
-- vanishes is dark, what explodes is bright, and pictures can be laid side by side.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"

local picture = {}

local LOW, HIGH = 1e-6, 1e2
local FLOOR = 1e-8 -- of curves beside each other: what lies below it is as good as nothing
local NAN = 0 / 0

local function relative(row)
  local size, shares = row[1], {}
  for i, norm in ipairs(row) do
    local share = norm / size
    shares[i] = share == share and math.min(math.max(share, LOW), HIGH) or NAN
  end
  return shares
end

-- Lag by time of one layer.
function picture.heat(one, title)
  local matrix, most = {}, 0
  local columns = {}
  for i, row in ipairs(one.lag.norm) do
    columns[i], most = relative(row), math.max(most, #row)
  end
  local lags = {}
  for lag = 0, most - 1 do
    matrix[lag + 1], lags[lag + 1] = {}, lag
    for i, column in ipairs(columns) do
      matrix[lag + 1][i] = column[lag + 1] or NAN
    end
  end
  return { title = (title or one.name) .. ": |dL(t)/ds(t-lag)|, share of lag 0", x = { label = "time t of the loss" },
    y = { label = "lag" },
    heat = { matrix = matrix, xs = one.lag.times, ys = lags, log = true, min = LOW, max = HIGH } }
end

-- Positive values of a list over its places from `first` on.
local function line(name, values, first, share)
  local xs, ys = {}, {}
  for i, value in ipairs(values) do
    xs[i] = first + i - 1
    ys[i] = value > 0 and value < math.huge and value / (share or 1) or NAN
  end
  return { name = name, xs = xs, ys = ys }
end

-- Curves of all layers of a diagnosis: by step, and by lag.
local function curves(found)
  local by_step, by_lag = {}, {}
  for _, one in ipairs(found.layers) do
    for _, state in ipairs(one.state_list) do
      by_step[#by_step + 1] = line(("%s, %s"):format(one.name, state[1]), one.gradient[state[1]], 1)
    end
    by_lag[#by_lag + 1] = line(one.name, one.profile, 0)
  end
  return { title = "|dL/ds(t)|", x = { label = "step t" }, y = { log = true }, lines = by_step },
    { title = "|dL(t)/ds(t-lag)|, mean over t", x = { label = "lag" }, y = { log = true }, lines = by_lag }
end

-- Of one diagnosis: curves, and a heat map for each layer.
function picture.of(found)
  local panels = table.pack(curves(found))
  panels.n = nil
  for _, one in ipairs(found.layers) do
    panels[#panels + 1] = picture.heat(one)
  end
  return { panels = panels, columns = 2 }
end

-- Of several, side by side: { { name, diagnosis, layer = number (nil: the last) }, ... }. A heat map of each, and a
-- panel with the curves by lag, each from 1 on.
function picture.beside(list, title)
  local panels, lines, least = {}, {}, math.huge
  for i, entry in ipairs(list) do
    local layers = entry[2].layers
    local one = layers[entry.layer or #layers]
    panels[i] = picture.heat(one, entry[1])
    lines[i] = line(entry[1], one.profile, 0, one.profile[1])
    for _, value in ipairs(lines[i].ys) do
      least = value < least and value or least
    end
  end
  panels[#panels + 1] = { title = "the same, mean over t", x = { label = "lag" },
    y = { log = true, min = least < FLOOR and FLOOR or nil }, lines = lines }
  return { title = title, panels = panels, columns = 2 }
end

local ROW, WIDTH, LINES = 300, 900, 20

local function height_of(panels, path)
  return (#panels + 1) // 2 * (path and ROW or LINES)
end

local function draw(found, path, o)
  local drawn = found.layers and picture.of(found) or picture.beside(found, o and o.title)
  local how = { path = path, width = o and o.width or path and WIDTH or nil,
    height = o and o.height or height_of(drawn.panels, path) }
  return require("rondo.plot.gnuplot").draw(drawn, how)
end

-- rondo.plot.gradients(diagnosis or { { name, diagnosis }, ... }, path, { title =, width =, height = }): true, or nil,
-- message. Without a path in the terminal.
function picture.draw(found, path, o)
  if type(found) ~= "table" or not found.layers and not (type(found[1]) == "table" and found[1][2]) then
    errors.raise("plot.gradients: expected what rondo.diagnose returned, or { { name, diagnosis }, ... }, "
      .. "got a %s", type(found))
  end
  return errors.blame(draw, found, path, o)
end

return picture
