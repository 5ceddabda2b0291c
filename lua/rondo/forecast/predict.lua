-- forecast/predict.lua - windows to a Forecast: what a trained model says of each, on the scale of the data.
--
-- Any model that gives (batch, horizon[, targets][, P]) will do; what the P numbers are its Forecaster's options
-- say, or the loss it was trained with, which a Trainer leaves in model.series. Quantiles of a model that may cross
-- them are put in order (Chernozhukov, Fernandez-Val and Galichon 2010).
--
-- Intervals of distributions are those of sampled paths: each number is named by the seed, the series and the row of
-- the window's origin, the path and the step (bit contract, rule 8), so that no batch size is seen in them. A direct
-- model's steps are drawn one apart from the other; a recursive or seq2seq model is fed what was drawn.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local forecast = require "rondo.forecast.forecast"
local heads = require "rondo.forecast.heads"
local options = require "rondo.options"
local progress = require "rondo.progress"

local predict = {}

predict.specs = {
  { name = "paths", kind = "int", def = 200, min = 2, max = 65535, help = "futures that are sampled of distributions" },
  { name = "keep_paths", kind = "bool", def = false, help = "leave them in the forecast" },
  { name = "quantiles", kind = "table", help = "levels that are taken of paths; default: 0.1, 0.5, 0.9" },
  { name = "intervals", kind = "bool", def = true, help = "sample for them where the model gives a distribution" },
  { name = "seed", kind = "int", def = 1, min = 0, max = 0xffffffff, help = "of the paths" },
  { name = "horizon", kind = "int", min = 1, max = 1 << 20, help = "of a series: steps ahead; default: as trained" },
  { name = "name", kind = "string", help = "what tables call the forecast" },
}

local ROWS = 4096 -- side by side in a model: windows, times their paths

-- What a model's output is: { output =, quantiles =, positive = }.
function predict.kind_of(model, loss)
  local o = rawget(model, "options")
  if model.class_name == "Forecaster" then
    return { output = o.output, quantiles = o.quantiles }
  end
  local series = rawget(model, "series")
  if loss == nil and series and series.output then
    return series
  end
  local made = type(loss) == "table" and loss or {}
  return { output = made.output or "point", quantiles = made.quantiles, positive = made.positive }
end

local Collector = {}
Collector.__index = Collector

local function metrics_of(list)
  return require("rondo.metrics").of_forecasts(list)
end

-- ---- numbers of a batch ------------------------------------------------------------------------------------

-- The model's output as (batch, horizon, targets, P).
local function in_order(self, y, batch)
  local kind = self.kind
  local width = heads.width(kind.output, kind.quantiles)
  local shape = { batch, self.windows.horizon, #self.windows.targets, width }
  if y:numel() ~= shape[1] * shape[2] * shape[3] * shape[4] then
    errors.raise("forecast: the model gives %s, and the windows have %d steps of %d %s, %d %s each",
      require("rondo.layers").shape_text(y), shape[2], shape[3], shape[3] == 1 and "target" or "targets", width,
      width == 1 and "number" or "numbers")
  end
  y = y:reshape(shape)
  if kind.positive and kind.positive ~= "given" then
    y = heads.numbers(kind.output, y, kind.quantiles, kind.positive)
  end
  return y
end

-- Keys of the paths of windows: rows are origins; the series is in the upper half of the path's number.
local function keys_of(infos)
  local rows, paths = {}, {}
  for b, info in ipairs(infos) do
    local hash = 0x811c9dc5 -- FNV-1a, folded to 16 bits
    for i = 1, #info.series do
      hash = ((hash ~ info.series:byte(i)) * 0x01000193) & 0xffffffff
    end
    rows[b], paths[b] = info.origin & 0xffffffff, ((hash >> 16 ~ hash) & 0xffff) << 16
  end
  return rows, paths
end

-- Values (batch * paths, targets) of each step.
local function sample(self, x, y, infos)
  local kind, n, horizon = self.kind.output, self.o.paths, self.windows.horizon
  local rows, paths = keys_of(infos)
  local function draw(at, step) -- at: (batch, 1, targets, P), or as many rows as there are paths
    local shape = at:size()
    return core.draw_likelihood(at:reshape { shape[1], shape[3], shape[4] }, kind, { seed = self.o.seed,
      purpose = "paths", time = step }, rows, paths, n)
  end
  local form = self.model.class_name == "Forecaster" and self.model.options.form
  if form == "recursive" or form == "seq2seq" then
    local inputs = type(x) == "table" and x or { x }
    return self.model:numbers(inputs[1], inputs[2], { horizon = horizon, draw = draw, repeats = n })
  end
  local steps = {}
  for step = 1, horizon do
    steps[step] = draw(y:slice(2, step, step), step)
  end
  return steps
end

-- ---- entries -----------------------------------------------------------------------------------------------

-- Brings the lists of an entry to the scale of the data.
local function unscale(self, info, values)
  return self.windows:unscale(info.target, values, info)
end

-- numbers[h][m][k] of a window: the point and, of quantiles, these.
local function of_numbers(self, entry, info, numbers, m)
  local kind = self.kind
  local place = kind.output == "quantiles" and heads.middle(kind.quantiles) or 1
  local point, levels = {}, {}
  for h, step in ipairs(numbers) do
    local row = step[m]
    if kind.output == "quantiles" then
      table.sort(row)
      for k, q in ipairs(kind.quantiles) do
        levels[q] = levels[q] or {}
        levels[q][h] = row[k]
      end
    end
    point[h] = row[place]
  end
  entry.point = unscale(self, info, point)
  if next(levels) then
    entry.quantiles = {}
    for q, values in pairs(levels) do
      entry.quantiles[q] = unscale(self, info, values)
    end
  end
end

-- Is each value of a target brought to the scale of the data by itself? Differences are not.
local function value_by_value(windows, info, m)
  for _, stage in ipairs(windows.layouts[info.piece.layout].targets[m].stages or {}) do
    if stage.kind == "difference" then
      return false
    end
  end
  return true
end

-- Paths of window b, of drawn[h], a list of rows for each step.
local function paths_of(self, info, drawn, b, m)
  local paths, n = {}, self.o.paths
  for p = 1, n do
    local path = {}
    for h, step in ipairs(drawn) do
      path[h] = step[(b - 1) * n + p][m]
    end
    paths[p] = unscale(self, info, path)
  end
  return paths
end

-- Quantiles, of steps[h][b][m][k] where scalers leave values in their order, else of the paths; and these if wanted.
local function add_paths(self, entry, info, found, b, m)
  local levels = self.o.quantiles
  local paths = found.drawn and paths_of(self, info, found.drawn, b, m)
  if not found.steps then
    entry.quantiles = forecast.quantiles_of_paths(paths, self.windows.horizon, levels)
  else
    entry.quantiles = {}
    for k, q in ipairs(levels) do
      local values = {}
      for h, step in ipairs(found.steps) do
        values[h] = step[b][m][k]
      end
      entry.quantiles[q] = unscale(self, info, values)
    end
  end
  entry.paths = self.o.keep_paths and paths or nil
end

-- What was drawn as tables: of all paths where they are asked for or quantiles need them, else quantiles alone.
local function read_draws(self, drawn, info)
  local simple = true
  for m = 1, #self.windows.targets do
    simple = simple and value_by_value(self.windows, info, m)
  end
  local found = { steps = simple and {} or nil, drawn = (self.o.keep_paths or not simple) and {} or nil }
  for h, step in ipairs(drawn) do
    if simple then
      local quantiles <close> = core.path_quantiles(step, self.o.paths, self.o.quantiles)
      found.steps[h] = quantiles:table()
    end
    if found.drawn then
      found.drawn[h] = step:table()
    end
    step:release()
  end
  return found
end

-- Adds the windows of numbers `rows`, which are x, of which the model says y.
function Collector:add(rows, x, y)
  local windows, infos = self.windows, {}
  local targets = windows.targets
  for b, i in ipairs(rows) do
    infos[b] = windows:window(i)
  end
  y = in_order(self, y, #rows)
  local found = self.samples and read_draws(self, sample(self, x, y, infos), infos[1])
  local numbers = y:table()
  for b, i in ipairs(rows) do
    for m, target in ipairs(targets) do
      local info = m == 1 and infos[b] or windows:window(i, target)
      local entry = { series = info.series, target = info.target, origin = info.origin, times = info.times,
        history = info.history, truth = info.truth }
      of_numbers(self, entry, info, numbers[b], m)
      if found then
        add_paths(self, entry, info, found, b, m)
      end
      self.entries[(i - 1) * #targets + m] = entry
    end
  end
end

-- Figures by the names of forecasts in a list, into facts.
function Collector:figures(list, facts)
  for name, value in pairs(self:finish():metrics(metrics_of(list))) do
    facts[name] = value
  end
  return facts
end

-- The Forecast of all windows that were added.
function Collector:finish()
  local windows, made = self.windows, self.entries
  made.name, made.horizon, made.season = self.o.name or "the network", windows.horizon, windows.season
  made.time_unit = windows.time_unit
  return forecast.new(made)
end

-- What gathers a Forecast batch by batch. loss: of the Trainer that asks, or nil.
function predict.collector(model, windows, given, loss)
  local o = options.resolve("forecast", predict.specs, given)
  local kind = predict.kind_of(model, loss)
  o.quantiles = heads.check_quantiles("forecast", o.quantiles or heads.DEFAULT)
  local sampled = kind.output ~= "point" and kind.output ~= "quantiles"
  return setmetatable({ model = model, windows = windows, o = o, kind = kind, entries = {},
    samples = sampled and o.intervals }, Collector)
end

-- ---- calls -------------------------------------------------------------------------------------------------

local function run(self)
  local windows, model = self.windows, self.model
  local size = math.max(1, ROWS // (self.samples and self.o.paths or 16))
  local forecaster = model.class_name == "Forecaster"
  local busy <close> = progress.busy "forecasting"
  for first = 1, windows.count, size do
    local rows = {}
    busy:at(first - 1, windows.count)
    for i = first, math.min(first + size - 1, windows.count) do
      rows[#rows + 1] = i
    end
    local x, truth, _, weight = windows:of(rows)
    local inputs = type(x) == "table" and x or { x } -- a second are ids of series
    local y = forecaster and model:numbers(inputs[1], inputs[2], { horizon = windows.horizon })
      or model(table.unpack(inputs))
    self:add(rows, x, y)
    for _, t in ipairs { y, truth, weight } do
      t:release()
    end
    for _, t in ipairs(inputs) do
      t:release()
    end
  end
  return self:finish()
end

-- The Forecast of windows.
function predict.windows(model, windows, given, loss)
  if model.take_windows then
    model:take_windows(windows)
  end
  return model:evaluating(run, predict.collector(model, windows, given, loss))
end

-- ---- trainers ----------------------------------------------------------------------------------------------

-- Are these windows of a series (data/windows.lua)?
function predict.is_windows(source)
  return require("rondo.data.windows").is_windows(source)
end

-- Tells a model what it is trained on, and keeps with it what a forecast of new data needs (a checkpoint's
-- config.series).
function predict.bind(model, windows, loss)
  if model.take_windows then
    model:take_windows(windows)
  end
  local series = windows.config and windows:config() or {}
  local kind, o = predict.kind_of(model, loss), rawget(model, "options")
  series.output, series.quantiles, series.positive = kind.output, kind.quantiles, kind.positive
  series.form = model.class_name == "Forecaster" and o.form or "direct"
  rawset(model, "series", series)
end

-- The metrics in what a Trainer's evaluate was given, and the rest.
function predict.split(how)
  if how ~= nil and type(how) ~= "table" then
    errors.raise("evaluate: expected a table of options, got a %s", type(how))
  end
  local rest = {}
  for key, value in pairs(how or {}) do
    rest[key] = key ~= "metrics" and value or nil
  end
  return how and how.metrics, rest
end

-- What a collector is given for these metrics: paths are sampled where intervals are asked for.
function predict.needs(list, how)
  local given = { intervals = false }
  for _, name in ipairs(list) do
    given.intervals = given.intervals or name == "coverage" or name == "pinball"
  end
  for key, value in pairs(how or {}) do
    given[key] = value
  end
  return given
end

-- ---- model:forecast ----------------------------------------------------------------------------------------

-- The one window behind the last value of a series, as the model was trained.
local function behind(model, series, horizon)
  local config = rawget(model, "series")
  if not config or not config.input then
    errors.raise("forecast: the model was not trained on windows of a series; give it windows, part:windows { ... }")
  end
  return series:windows_like(config, { future = true, horizon = horizon or config.horizon })
end

-- model:forecast(windows or series [, { paths =, quantiles =, horizon =, ... }]): a Forecast.
function predict.forecast(model, given, how)
  if predict.is_windows(given) then
    return predict.windows(model, given, how)
  elseif not require("rondo.data.series").is_series(given) then
    errors.raise("forecast: expected windows or a series, got a %s", type(given))
  end
  local o = options.resolve("forecast", predict.specs, how)
  return predict.windows(model, behind(model, given, o.horizon), how)
end

return predict
