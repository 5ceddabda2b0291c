-- forecast/rolling.lua - rolling_origin { ... }: forecasts of a part of a series, each by what was known before it.
--
-- The evaluated rows are cut into blocks; before each one the model is fitted again on all rows before it (refit), or
-- only before the first. Within a block it is asked at every origin. Each seed is a run of its own, so that the list
-- that comes out is what `compare` takes (Tashman 2000, "Out-of-sample tests of forecasting accuracy").
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local forecasts = require "rondo.forecast.forecast"
local options = require "rondo.options"
local random = require "rondo.random"

local specs = {
  { name = "series", kind = "any", required = true, help = "a rondo.data.Series" },
  { name = "from", kind = "any", required = true, help = "the first row that is evaluated, or the share before it" },
  { name = "horizon", kind = "int", def = 1, min = 1, max = 1 << 20, help = "rows ahead, as that of the windows" },
  { name = "blocks", kind = "int", def = 4, min = 1, max = 1 << 20, help = "how often it is fitted again" },
  { name = "refit", kind = "bool", def = true, help = "fit before each block; false: before the first alone" },
  { name = "seeds", kind = "table", help = "seeds of the runs, { 1, 2, 3 }; default: one run with the seed there is" },
  { name = "fit", kind = "function", required = true, help = "function(train, seed, block) that gives function(part), "
    .. "which gives the Forecast of windows of a part" },
}

-- Rows of the series; many of them are cut at the same rows.
local function rows_of(series)
  local rows
  for _, piece in ipairs(series:pieces()) do
    local n = piece.last - piece.first + 1
    if rows and n ~= rows then
      errors.raise("rolling_origin: the series have %d and %d rows; all must have as many, or take one, "
        .. "series:one(name)", rows, n)
    end
    rows = n
  end
  return rows
end

-- The first evaluated row of n.
local function first_row(n, from)
  local row = math.type(from) == "integer" and from
    or type(from) == "number" and from > 0 and from < 1 and math.floor(from * n) + 1
  if not row or row < 2 or row > n then
    errors.raise("rolling_origin: option 'from' must be a row 2..%d or a share between 0 and 1, got %s", n,
      tostring(from))
  end
  return row
end

-- Rows { first, last } of the blocks, the earlier ones the longer.
local function blocks_of(first, last, n)
  local blocks, rows = {}, last - first + 1
  n = math.min(n, rows)
  for i = 1, n do
    blocks[i] = { first + (i - 1) * rows // n, first + i * rows // n - 1 }
  end
  return blocks
end

local function add(all, part)
  if not forecasts.is_forecast(part) then
    errors.raise("rolling_origin: what fit gives must give a Forecast, as baseline:forecast(windows) is, got a %s",
      type(part))
  end
  all.name, all.horizon = all.name or part.name, part.horizon
  all.season, all.time_unit = part.season, part.time_unit
  for _, entry in ipairs(part) do
    all[#all + 1] = entry
  end
end

local function one_run(o, blocks, seed)
  local all = {}
  for i, block in ipairs(blocks) do
    if seed then
      random.manual_seed(seed)
    end
    local ask = errors.within(o.fit, o.series:slice(1, block[1] - 1), seed, i)
    if type(ask) ~= "function" then
      errors.raise("rolling_origin: fit must give a function(part), got a %s", type(ask))
    end
    -- The last origins of a block have their truth in the next one.
    local last = block[2] + o.horizon - 1
    add(all, errors.within(ask, o.series:slice(block[1], last)))
  end
  return forecasts.new(all)
end

local function rolling_origin(given)
  local o = options.resolve("rolling_origin", specs, given)
  if not require("rondo.data.series").is_series(o.series) then
    errors.raise("rolling_origin: option 'series' must be a series (rondo.data.Series.from_csv), got a %s",
      type(o.series))
  end
  local n = rows_of(o.series)
  local first = first_row(n, o.from)
  if first + o.horizon - 1 > n then
    errors.raise("rolling_origin: %d rows from row %d on are fewer than the horizon, %d", n - first + 1, first,
      o.horizon)
  end
  local blocks = blocks_of(first, n - o.horizon + 1, o.refit and o.blocks or 1)
  local runs = {}
  for i, seed in ipairs(o.seeds or { false }) do
    runs[i] = one_run(o, blocks, seed or nil)
  end
  return runs
end

-- rolling_origin { series =, from =, horizon =, blocks =, refit =, seeds =, fit = }: a list of Forecasts, one a seed.
return function(given)
  return errors.blame(rolling_origin, given)
end
