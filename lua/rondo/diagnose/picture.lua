-- diagnose/picture.lua - pictures of diagnoses: heat maps of lag by time, curves by step and by lag.
--
-- Colours stand for |dL(t)/ds(t - lag)| as a share of its size at lag 0, from 1e-6 to 1e2 in every picture: what
-- vanishes is dark, what explodes is bright, and pictures can be laid side by side.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local parts = require "rondo.diagnose.losses"

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

-- Lag by time of one layer; of at most so many loss times and lags, evenly spread, where `limit` says so.
function picture.heat(one, title, limit)
  local columns, times, most = {}, {}, 0
  for _, i in ipairs(parts.times(#one.lag.norm, limit and limit.times or #one.lag.norm)) do
    local row = one.lag.norm[i]
    columns[#columns + 1], times[#times + 1], most = relative(row), one.lag.times[i], math.max(most, #row)
  end
  local matrix, lags = {}, {}
  for k, place in ipairs(parts.times(most, limit and limit.lags or most)) do
    matrix[k], lags[k] = {}, place - 1
    for i, column in ipairs(columns) do
      matrix[k][i] = column[place] or NAN
    end
  end
  return { title = (title or one.name) .. ": |dL(t)/ds(t-lag)|, share of lag 0", x = { label = "time t of the loss" },
    y = { label = "lag" },
    heat = { matrix = matrix, xs = times, ys = lags, log = true, min = LOW, max = HIGH } }
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
function picture.of(found, limit)
  local panels = table.pack(curves(found))
  panels.n = nil
  for _, one in ipairs(found.layers) do
    panels[#panels + 1] = picture.heat(one, nil, limit)
  end
  return { panels = panels, columns = limit and 1 or 2 }
end

-- Of several, side by side: { { name, diagnosis, layer = number (nil: the last) }, ... }. A heat map of each, and a
-- panel with the curves by lag, each from 1 on.
function picture.beside(list, title, limit)
  local panels, lines, least = {}, {}, math.huge
  for i, entry in ipairs(list) do
    local layers = entry[2].layers
    local one = layers[entry.layer or #layers]
    panels[i] = picture.heat(one, entry[1], limit)
    lines[i] = line(entry[1], one.profile, 0, one.profile[1])
    for _, value in ipairs(lines[i].ys) do
      least = value < least and value or least
    end
  end
  panels[#panels + 1] = { title = "the same, mean over t", x = { label = "lag" },
    y = { log = true, min = least < FLOOR and FLOOR or nil }, lines = lines }
  return { title = title, panels = panels, columns = limit and 1 or 2 }
end

local ROW, WIDTH, LINES = 300, 900, 16
local CHARACTERS = { times = 16, lags = 8 } -- a cell has to be larger than a character

local function draw(found, path, o)
  local limit = not path and CHARACTERS or nil
  local drawn = found.layers and picture.of(found, limit) or picture.beside(found, o and o.title, limit)
  local gnuplot = require "rondo.plot.gnuplot"
  if path then
    return gnuplot.draw(drawn, { path = path, width = o and o.width or WIDTH,
      height = o and o.height or (#drawn.panels + 1) // 2 * ROW })
  end
  for _, panel in ipairs(drawn.panels) do -- one by one: greys and lines have their characters apart
    local ok, message, code = gnuplot.draw(panel, { width = o and o.width, height = o and o.height or LINES })
    if not ok then
      return nil, message, code
    end
  end
  return true
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
