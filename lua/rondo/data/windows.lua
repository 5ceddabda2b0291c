-- data/windows.lua - part:windows { input =, horizon =, ... }: windows of a series as batches for a Trainer.
--
-- A window has an origin, the last row whose values are known. Its truth is the `horizon` rows behind it, which lie in
-- the part; its inputs are the `input` rows up to it, which may lie in the part before. Nothing behind the origin has a
-- share in x: missing values are filled from rows up to it, scalers were fitted on the part that they were given.
-- Windows are made when they are asked for, batch(k, epoch), and depend on nothing but these, the data and the seed.
--
-- x is (batch, input, features), or, where columns or the calendar are known ahead, (batch, input + horizon - 1,
-- features): the features that are known ahead stand, at step t, for row t + 1, the row that the step is to foretell.
-- So the steps up to `input` are all that a forecast of one step or the first of a recursive one needs; those behind it
-- have 0 for what is not known ahead, and 1 for the last feature, which is 0 at the others. A Sequential reads all of
-- them; an encoder the first `input`, and its decoder, x:slice(2, input, -1), one step for each row of the horizon; a
-- recursive model puts its own forecast in the place of the zeros (target_features says where).
-- What is the same for all steps of a series (static, ids = "one_hot") stands at each of them; with ids = "embedding" x
-- is a list of two, the second the number of each row's series, (batch). Windows of many series never cross from one
-- into another; each has the scaler's numbers of its own, where that was fitted so. separate = true makes a series of
-- each target: all are forecast by one model, whose target feature is called "target".
-- y is (batch, horizon), or (batch, horizon, targets) where there are several; weight, like y, is 0 where the truth is
-- missing, and nil where none is.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local buckets = require "rondo.data.buckets"
local errors = require "rondo.errors"
local expect = require "rondo.expect"
local layout = require "rondo.data.window_layout"
local options = require "rondo.options"
local plan = require "rondo.data.window_plan"
local scalers = require "rondo.data.scalers"

local specs = {
  { name = "input", kind = "int", required = true, min = 1, max = 1 << 20, help = "rows up to the origin that a model "
    .. "is shown" },
  { name = "horizon", kind = "int", def = 1, min = 1, max = 1 << 20, help = "rows behind it that are to be forecast" },
  { name = "target", kind = "any", help = "name of the column to forecast, or a list; default: the only one" },
  { name = "past", kind = "table", help = "further columns that are inputs up to the origin; default: all others" },
  { name = "known", kind = "table", help = "columns whose values are known ahead, as holidays or prices" },
  { name = "static", kind = "table", help = "columns that are the same for all rows of a series: its first is taken" },
  { name = "ids", kind = "choice", choices = { "embedding", "one_hot" }, help = "tells the model which series a window "
    .. "is of: by a second input of ids, or by a feature for each" },
  { name = "separate", kind = "bool", def = false, help = "each target is a series of its own, and one model is "
    .. "for all" },
  { name = "calendar", kind = "any", help = "known ahead, as sine and cosine: a list of hour, weekday, month, "
    .. "day_of_year" },
  { name = "mask", kind = "bool", def = false, help = "for each input column one more that is 1 where its value was "
    .. "missing" },
  { name = "scaler", kind = "any", help = "a scaler fitted on the training part; default: values as they are" },
  { name = "batch_size", kind = "int", def = 32, min = 1, max = 1 << 20, help = "windows side by side" },
  { name = "shuffle", kind = "bool", def = false, help = "a new order each epoch" },
  { name = "stride", kind = "int", def = 1, min = 1, help = "rows from one origin to the next" },
  { name = "season", kind = "int", min = 1, help = "rows of a season, for baselines and figures" },
  { name = "future", kind = "bool", def = false, help = "the one window behind the last value, whose truth nobody "
    .. "knows, in place of those that have it" },
}

local Windows, methods = { __name = "rondo.Windows" }, {}

function Windows.__index(self, key)
  if methods[key] then
    return methods[key]
  elseif key == "filled" then
    return methods.count_filled(self)
  end
end

-- Batches of an epoch.
function Windows:__len()
  return (self.count + self.batch_size - 1) // self.batch_size
end

function Windows:__tostring()
  return ("%d windows of %d rows and %d ahead in %d batches of up to %d"):format(self.count, self.input_size,
    self.horizon, #self, self.batch_size)
end

-- What the numbers of a run depend on, beside config().
function methods:describe()
  local first, last = self.pieces[1], self.pieces[#self.pieces]
  return { kind = "windows", first = first.first, last = last.last, count = self.count, batch_size = self.batch_size,
    shuffle = self.shuffle, stride = self.stride, series = #self.pieces > 1 and #self.pieces or nil }
end

-- What tells the numbers that windows are made of from others; rows before the part too, as they fill what is missing.
function methods:digest()
  local parts = {}
  for _, piece in ipairs(self.pieces) do
    local of = self.layouts[piece.layout]
    for _, list in ipairs { of.features, of.targets } do
      for _, feature in ipairs(list) do
        parts[#parts + 1] = feature.column and self.columns:digest(feature.column, piece.begin,
          piece.last - piece.begin + 1) or ("%a"):format(feature.value or 0)
      end
    end
  end
  return core.digest(table.concat(parts, " "))
end

-- What a checkpoint keeps of the series: all that a forecast of new data needs beside the model.
function methods:config()
  local roles, summary = self.roles, self.series:summary()
  local function some(list)
    return #list > 0 and list or nil
  end
  return { columns = self.series.columns, targets = self.given_targets, past = some(roles.past),
    known = some(roles.known), calendar = some(roles.calendar), static = some(roles.static), ids = self.ids,
    names = self.ids and self.names, separate = self.separate or nil, mask = self.mask or nil,
    input = self.input_size, horizon = self.horizon,
    season = self.season, missing = self.series.file.rule, time = summary.time, time_unit = self.series.file.time_unit,
    id = summary.id, scaler = self.scaler and self.scaler:describe() }
end

-- ---- batches -----------------------------------------------------------------------------------------------

-- The series of window i, and the row of its origin.
local function locate(self, i)
  local low, high = 1, #self.pieces
  while low < high do
    local middle = (low + high + 1) // 2
    if self.pieces[middle].before < i then
      low = middle
    else
      high = middle - 1
    end
  end
  local piece = self.pieces[low]
  return piece, piece.origin + (i - piece.before - 1) * self.stride
end

-- Numbers of the windows of batch k of an epoch.
function methods:rows(k, epoch)
  k, epoch = expect.batch(k, epoch, #self)
  local first = (k - 1) * self.batch_size + 1
  return buckets.in_order(self, first, math.min(self.batch_size, self.count - first + 1), self.count, epoch)
end

-- The windows of a list of numbers: x, y, how, weight.
function methods:of(rows)
  local list, ids, n = {}, {}, 0
  for b, i in ipairs(expect.kind("of: the numbers of windows", rows, "table")) do
    local piece, origin = locate(self, expect.integer("of: the number of a window", i, 1, self.count))
    list[n + 1], list[n + 2], list[n + 3], list[n + 4] = piece.layout, piece.begin, piece.last, origin
    n, ids[b] = n + 4, piece.id
  end
  local x, y, weight = errors.blame(self.reader.batch, self.reader, list, true)
  if self.ids == "embedding" then
    x = { x, core.tensor(ids) }
  end
  return x, y, nil, weight
end

-- Batch k of an epoch: x, y, how (nil), weight (nil where no truth is missing).
function methods:batch(k, epoch)
  return self:of(self:rows(k, epoch))
end

-- for x, y, info in windows: one epoch from its beginning; the next loop is the next epoch.
function Windows:__call(_, control)
  self.cursor = control == nil and 1 or self.cursor + 1
  if self.cursor > #self then
    self.epoch = self.epoch + 1
    return nil
  end
  local x, y, how, weight = self:batch(self.cursor, self.epoch)
  return x, y, { index = self.cursor, count = #self, epoch = self.epoch, first = self.cursor == 1,
    rows = self:rows(self.cursor, self.epoch), weight = weight, how = how }
end

-- ---- windows one by one ------------------------------------------------------------------------------------

-- Values of a target up to the origin, missing ones filled as they are known there: an array that is read from the
-- series when it is looked at.
local History = { __name = "rondo.History" }

function History.__index(view, row)
  if math.type(row) == "integer" and row >= 1 and row <= rawget(view, "rows") then
    return view.reader:known(view.layout, view.begin, view.last, view.origin, view.column, view.begin + row - 1)
  end
end

function History:__len()
  return self.rows
end

function History.__pairs(view)
  return ipairs(view)
end

function History.__newindex()
  errors.raise "a window's history cannot be written to"
end

local function target_of(self, target)
  if target == nil then
    return 1
  end
  for k, name in ipairs(self.targets) do
    if name == target or self.separate then
      return k
    end
  end
  errors.raise("windows: '%s' is no target; targets are %s", tostring(target), table.concat(self.targets, ", "))
end

-- Window i for one target (nil: the first): { series =, target =, origin =, history =, truth =, times = }, on the scale
-- of the data. Rows count in the whole series; truth is NaN where it is missing or lies behind the part.
function methods:window(i, target)
  if math.type(i) ~= "integer" or i < 1 or i > self.count then
    errors.raise("windows: there is no window %s; there are %d", tostring(i), self.count)
  end
  local piece, origin = locate(self, i)
  local k = target_of(self, target)
  local column = self.layouts[piece.layout].targets[k].column
  local place = { reader = self.reader, layout = piece.layout, begin = piece.begin, last = piece.last, origin = origin,
    column = column, rows = origin - piece.begin + 1 }
  local truth = self.columns:numbers(column, origin + 1, math.min(self.horizon, piece.last - origin))
  for h = #truth + 1, self.horizon do
    truth[h] = 0 / 0
  end
  return { series = piece.name, target = piece.target or self.targets[k], origin = place.rows,
    history = setmetatable(place, History), truth = truth,
    times = self.time and self.reader:times(piece.layout, piece.begin, piece.last, origin, self.time)
    or nil, row = origin, piece = piece }
end

-- A list of numbers of the steps behind a window's origin, from the scale of the model to that of the data.
function methods:unscale(target, values, window)
  local piece = type(window) == "table" and window.piece
  if not piece then
    errors.raise("windows: unscale needs the window that the values are of, windows:window(i), got a %s", type(window))
  end
  return errors.blame(self.reader.invert, self.reader, piece.layout, piece.begin, piece.last, window.row,
    target_of(self, target), values)
end

-- How many values of the part are missing, and so filled where they are inputs, by column.
function methods:count_filled()
  local counts = {}
  for i, name in ipairs(self.series.columns) do
    counts[name] = 0
    for _, piece in ipairs(self.pieces) do
      counts[name] = counts[name] + self.columns:missing(i, piece.first, piece.last - piece.first + 1)
    end
  end
  return counts
end

-- ---- making one --------------------------------------------------------------------------------------------

local function check_scaler(scaler)
  if scaler ~= nil and not scalers.is_scaler(scaler) then
    errors.raise("windows: option 'scaler' must be like rondo.data.StandardScaler():fit(train), got a %s",
      type(scaler))
  end
end

-- Figures of what a scaler has seen are no figures: it says so.
local function check_fitted(self)
  for _, piece in ipairs(self.pieces) do
    local seen, first = self.scaler and self.scaler.rows[piece.of or piece.name], piece.first
    if seen and first > seen.first and first <= seen.last then
      local from = piece.begin - 1
      errors.notice("windows: the scaler was fitted on rows %d..%d, and this part begins at row %d: what is to be "
        .. "forecast has been looked at; fit it on the training part alone", seen.first - from, seen.last - from,
        first - from)
      return
    end
  end
end

-- Windows of a part of a series.
local function new(part, given, names)
  local o = options.resolve("windows", specs, given)
  check_scaler(o.scaler)
  local file = part.file
  local time = file.time > 0 and (file.report.unit == "number" and "number" or "date") or nil
  local self = setmetatable({ series = part, input_size = o.input, horizon = o.horizon, scaler = o.scaler,
    season = o.season, mask = o.mask, batch_size = o.batch_size, shuffle = o.shuffle, stride = o.stride, ids = o.ids,
    separate = o.separate, releases = true, cursor = 0, epoch = 1, symbol_name = "window",
    time_unit = file.report.unit }, Windows)
  self.roles = layout.roles(part.columns, o, time)
  self.given_targets = self.roles.targets
  self.targets = o.separate and { "target" } or self.roles.targets
  self.steps = layout.steps(self.roles, o.input, o.horizon)
  self.columns, self.time = part:store()
  plan.pieces(self, names or o.ids and not o.separate and part:all_names() or nil)
  plan.layouts(self)
  plan.origins(self, o.future)
  check_fitted(self)
  return self
end

-- Windows of another series as those of a run whose checkpoint has this config.series; given: batch_size, future, ...
local function like(part, config, given)
  expect.kind("windows_like: the config of a series", config, "table")
  local o = { input = config.input, horizon = config.horizon, target = config.targets, past = config.past or {},
    known = config.known, calendar = config.calendar, static = config.static, ids = config.ids,
    separate = config.separate, mask = config.mask, season = config.season,
    scaler = config.scaler and scalers.from(config.scaler) or nil }
  if config.scaler and not o.scaler then
    errors.raise "windows_like: what the checkpoint says of its scaler is none"
  elseif type(config.targets) ~= "table" then
    errors.raise "windows_like: what the checkpoint says of its targets is none"
  end
  for key, value in pairs(given or {}) do
    o[key] = value
  end
  return new(part, o, config.names)
end

return { new = new, like = like, is_windows = function(value) return getmetatable(value) == Windows end }
