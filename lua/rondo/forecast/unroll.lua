-- forecast/unroll.lua - from the output of a Forecaster's layers to numbers on the scale of the model, step by step
-- where a form is fed its own forecast.
--
-- What is fed at a step is one of: the truth (in training, where teacher_forcing draws it), a number drawn from the
-- forecast of the step before (paths), or its middle: the point, the quantile nearest the median, the mean.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local heads = require "rondo.forecast.heads"
local random = require "rondo.random"
local window = require "rondo.forecast.window"

local unroll = {}

local function column(x, k)
  return x:slice(-1, k, k)
end

-- Numbers from the scale of a window to that of the model: location and scale, quantiles all, degrees of freedom not.
local function unscaled(kind, y, base, scale, width)
  base, scale = base and base:unsqueeze(4), scale and scale:unsqueeze(4)
  local function location(x)
    x = scale and x * scale or x
    return base and x + base or x
  end
  if not base and not scale then
    return y
  elseif kind == "point" or kind == "quantiles" then
    return location(y)
  end
  local list = { location(column(y, 1)), column(y, 2), width > 2 and column(y, 3) or nil }
  if scale and kind == "negative_binomial" then
    list[2] = list[2] / scale:sqrt() -- Salinas et al. 2020, section 3.3
  elseif scale then
    list[2] = list[2] * scale
  end
  return core.concat(list, 4)
end

-- Steps (batch, steps, features) with what stands for the series at each of them.
function unroll.with_series(w, steps)
  if not w.series then
    return steps
  end
  local ones = core.full({ steps:size(1), steps:size(2), 1 }, 1, "sequence")
  return core.concat({ steps, ones * w.series }, 3)
end

-- The steps of x that foretell the horizon's rows, with what is known ahead; nil where nothing is.
function unroll.ahead(o, x)
  return o.known > 0 and x:slice(2, o.window, x:size(2)) or nil
end

-- What the linear layer reads: the cell's output (batch, hidden), and what is known ahead of `steps` rows from row
-- `step` of the horizon on.
function unroll.beside(o, ahead, hidden, step, steps)
  if not ahead then
    return hidden
  end
  local known = ahead:slice(3, o.input_size - o.known + 1, o.input_size):slice(2, step, step + steps - 1)
  return core.concat({ hidden, known:reshape { ahead:size(1), steps * o.known } }, 2)
end

-- The output of the linear layer (batch, steps * targets * P) as numbers (batch, steps, targets[, P]). w.values end
-- with the row before the first of these steps.
function unroll.numbers(self, output, w, steps)
  local o, width = self.options, self.width
  local raw = output:reshape { output:size(1), steps, o.targets, width }
  if rawget(self, "autoregression") then
    local more = self.autoregression(window.recent(o, w, w.values)):transpose(2, 3):unsqueeze(4)
    local place = {}
    for k = 1, width do
      place[k] = k == (o.quantiles and heads.middle(o.quantiles) or 1) and 1.0 or 0.0
    end
    raw = raw + (width > 1 and more * core.tensor(place) or more)
  end
  local y = heads.numbers(o.output, raw, o.quantiles)
  y = unscaled(o.output, y, window.base(o, w, w.values, steps), w.scale, width)
  return o.output == "point" and y:squeeze(4) or y
end

-- The middle (batch, steps, targets) of numbers.
function unroll.middle(o, numbers)
  if o.output == "point" then
    return numbers
  end
  return numbers:select(4, o.output == "quantiles" and heads.middle(o.quantiles) or 1)
end

-- Rows of a tensor (batch, ...), each `n` times in a row.
local function repeated(t, n)
  local shape, list = t:size(), {}
  local batch = shape[1]
  for i = 1, batch do
    for _ = 1, n do
      list[#list + 1] = i
    end
  end
  local rows = core.embedding(core.tensor(list), t:contiguous():reshape { batch, t:numel() // batch })
  shape[1] = batch * n
  return rows:reshape(shape)
end
unroll.repeated = repeated

-- The share of truth that is fed.
local function share_of(o)
  return o.teacher_forcing or (o.form == "recursive" and 1.0 or 0.5)
end

-- What is fed behind step `step`: own (batch, 1, targets), or the truth where it is drawn and known.
local function fed(self, own, step, taught)
  local share = taught and share_of(self.options) or 0
  if share == 0 then
    return own
  end
  local batch, targets = own:size(1), self.options.targets
  local function at(t)
    return t:slice(2, step, step):reshape { batch, 1, targets }
  end
  local use = taught.weight and at(taught.weight):ne(0)
  if share < 1 then
    local rows = {}
    for b = 1, batch do
      rows[b] = b - 1
    end
    local drawn = core.keep_mask(rows, step, 1, random.dropout_stream(self.seed, self.feeding), 0, 1 - share, 1)
    drawn = drawn:reshape { batch, 1, 1 }
    use = use and use * drawn or drawn * core.full({ batch, 1, targets }, 1)
  end
  return use and core.where(use, at(taught.y), own) or at(taught.y)
end

-- The input of the step that foretells row `step` of the horizon, from the value of the row before. What is not known
-- ahead stays as it was at the origin.
local function input_of(o, ahead, w, value, step)
  local row = ahead and ahead:slice(2, step, step):slice(3, o.input_size - o.known + 1, o.input_size)
  local z = window.scaled(w, value)
  if o.form == "seq2seq" then
    return unroll.with_series(w, row and core.concat({ z, row }, 3) or z)
  end
  local last = w.last
  row = row and (o.known < o.input_size and core.concat({ last:slice(3, 1, o.input_size - o.known), row }, 3)) or last
  return unroll.with_series(w, window.replace(row, o.target_features, z))
end

-- Everything of a window that is asked for later, `n` times for as many paths.
local function spread(n, w, ahead, states, hidden)
  local many = { values = repeated(w.values, n), shift = w.shift and repeated(w.shift, n),
    scale = w.scale and repeated(w.scale, n), last = repeated(w.last, n),
    series = w.series and repeated(w.series, n) }
  for i, state in ipairs(states) do
    states[i] = repeated(state, n)
  end
  return many, ahead and repeated(ahead, n), states, repeated(hidden, n)
end

-- Forms that are fed. how: horizon; taught, { y =, weight = } in training; draw(numbers, step) -> values and
-- repeats, the paths of each window, in forecasts that are sampled. Returns the numbers of all steps, or the list of
-- values drawn.
function unroll.run(self, x, w, how)
  local o = self.options
  local y, states = self.encoder:advance(unroll.with_series(w, w.input))
  local hidden, all, drawn, ahead = y:select(2, -1), {}, {}, unroll.ahead(o, x)
  local rows = window.looked_back(o)
  w.values, w.last = w.values:slice(2, -rows, -1), x:slice(2, o.window, o.window)
  if how.repeats then
    w, ahead, states, hidden = spread(how.repeats, w, ahead, states, hidden)
  end
  local layer = o.form == "seq2seq" and self.decoder or self.encoder
  local value = w.values:slice(2, -1, -1)
  for step = 1, how.horizon do
    if step > 1 or o.form == "seq2seq" then
      y, states = layer:advance(input_of(o, ahead, w, value, step), states)
      hidden = y:select(2, 1)
    end
    all[step] = unroll.numbers(self, self.head(unroll.beside(o, ahead, hidden, step, 1)), w, 1)
    if how.draw then
      drawn[step] = how.draw(all[step], step)
    end
    if step < how.horizon then
      value = how.draw and drawn[step]:unsqueeze(2) or fed(self, unroll.middle(o, all[step]), step, how.taught)
      w.values = core.concat({ w.values:slice(2, -rows, -1), value }, 2)
    end
  end
  return how.draw and drawn or #all == 1 and all[1] or core.concat(all, 2)
end

return unroll
