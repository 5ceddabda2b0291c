-- forecast/forecaster.lua - rondo.Forecaster { form =, output =, ... }: a recurrent network that forecasts.
--
-- It reads windows as part:windows gives them (data/windows.lua): x (batch, window, features), or with what is known
-- ahead (batch, window + horizon - 1, features). What a Trainer knows of its windows, the Forecaster is told by it:
-- sizes, places of targets, season. Its output is (batch, horizon[, targets]) of points, or has one dimension more:
-- quantiles that ascend, or the numbers of a distribution (heads.lua).
--
-- form: direct, an encoder and one linear layer for all steps; recursive, one step, fed back; seq2seq, an encoder
-- and a decoder that is fed its own forecast and what is known ahead (unroll.lua). Where own forecasts are fed,
-- teacher_forcing is the share of steps in training that are fed the truth instead (Williams and Zipser 1989; drawn
-- for each row and step, Bengio et al. 2015). Of one step direct and recursive have the same bits.
--
-- normalize: of each window by its own numbers, undone in the output: mean, over 1 + the mean size (Salinas et al.
-- 2020, section 3.3); standard, to mean 0 and variance 1 (Kim et al. 2022, "RevIN"); last, minus the last value
-- (Zeng et al. 2023, "NLinear"). baseline: what is forecast is the difference from the last value or from that of a
-- season ago.
--
-- ar_window: beside the network a linear autoregression on the last n values, or differences where there is a
-- baseline (Lai et al. 2018, "LSTNet", section 3.6), which begins as 0.
-- SPDX-License-Identifier: MIT
local embedding = require "rondo.embedding"
local errors = require "rondo.errors"
local heads = require "rondo.forecast.heads"
local layers = require "rondo.layers"
local random = require "rondo.random"
local rnn = require "rondo.rnn"
local unroll = require "rondo.forecast.unroll"
local window = require "rondo.forecast.window"

local function count(name, help)
  return { name = name, kind = "int", min = 1, max = 1 << 20, help = help }
end

local specs = {
  { name = "cell", kind = "string", def = "gru", help = "recurrent cell: gru, lstm, ..." },
  { name = "hidden_size", kind = "int", def = 64, min = 1, max = 65536, help = "width of the recurrent layers" },
  { name = "num_layers", kind = "int", def = 1, min = 1, max = 64, help = "recurrent layers, one on the other" },
  { name = "dropout", kind = "real", def = 0.0, min = 0, max = 0.99999, help = "between layers" },
  { name = "form", kind = "choice", def = "direct", choices = { "direct", "recursive", "seq2seq" },
    help = "all steps at once, one step fed back, or encoder and decoder" },
  { name = "output", kind = "choice", def = "point", choices = heads.kinds, help = "what is said of each value" },
  { name = "quantiles", kind = "table", help = "levels of output = \"quantiles\", ascending; default: 0.1, 0.5, 0.9" },
  { name = "baseline", kind = "choice", def = "none", choices = { "none", "last", "seasonal" },
    help = "what the network adds to: nothing, the last value, the value a season ago" },
  { name = "normalize", kind = "choice", def = "none", choices = { "none", "mean", "standard", "last" },
    help = "each window by its own mean size, to mean 0 and variance 1, or minus its last value" },
  { name = "ar_window", kind = "int", def = 0, min = 0, max = 1 << 20,
    help = "values that a linear autoregression beside the network reads; 0: there is none" },
  { name = "teacher_forcing", kind = "real", min = 0, max = 1,
    help = "share of steps in training that are fed the truth; default: recursive 1, seq2seq 0.5" },
  count("horizon", "steps ahead; default: those of the windows"),
  count("window", "steps up to the origin; default: those of the windows"),
  count("season", "steps of a season; default: that of the windows"),
  count("input_size", "features of a step; default: those of the windows"),
  count("targets", "values to forecast at each step; default: those of the windows, 1"),
  { name = "target_features", kind = "table", help = "places of the targets among the features; default: the first" },
  { name = "known", kind = "int", min = 0, max = 1 << 20,
    help = "features at the end that are known ahead; default: those of the windows, 0" },
  count("num_series", "series that a second input of ids tells apart; default: of windows with ids = \"embedding\""),
  { name = "embedding_dim", kind = "int", def = 8, min = 1, max = 65536, help = "numbers that stand for a series" },
  layers.NAME, layers.SEED,
}

local Forecaster = layers.layer_class("Forecaster", specs)

-- ---- sizes and parts ---------------------------------------------------------------------------------------

local function check(self, o)
  local function refuse(...)
    errors.raise("%s: " .. (...), self:label(), select(2, ...))
  end
  if o.output == "negative_binomial" and (o.baseline ~= "none" or o.ar_window > 0
    or o.normalize ~= "none" and o.normalize ~= "mean") then
    refuse("counts have no differences: output = \"negative_binomial\" goes with normalize = \"mean\" or \"none\", "
      .. "without baseline and ar_window")
  elseif o.quantiles and o.output ~= "quantiles" then
    refuse('option \'quantiles\' is for output = "quantiles", got "%s"', o.output)
  elseif o.teacher_forcing and o.form == "direct" then
    refuse 'option \'teacher_forcing\' is for forms that are fed, "recursive" and "seq2seq"'
  elseif o.output == "quantiles" then
    o.quantiles = heads.check_quantiles(self:label(), o.quantiles or heads.DEFAULT)
  end
end

function Forecaster:prepare()
  local o = self.options
  check(self, o)
  self.seed, self.layer = random.claim_layer(o.seed, 2 * o.num_layers + 4)
  self.feeding = self.layer + 2 * o.num_layers + 2 -- of what draws the steps that are fed the truth
  self.width = heads.width(o.output, o.quantiles)
  if o.input_size then
    self:build(o.input_size)
  end
end

function Forecaster:needs_size()
  return rawget(self, "encoder") == nil
end

-- Rows of a window that the baseline and the autoregression need.
local function needed(self, o)
  local least = window.looked_back(o)
  if o.window < least then
    errors.raise("%s: a window of %d steps is too short: baseline = \"%s\" and ar_window = %d look back over %d",
      self:label(), o.window, o.baseline, o.ar_window, least)
  end
end

local function settle(self, o, features)
  o.input_size, o.targets, o.known = features, o.targets or 1, o.known or 0
  if not o.target_features then
    o.target_features = {}
    for m = 1, o.targets do
      o.target_features[m] = m
    end
  end
  for _, name in ipairs { "horizon", "window" } do
    if not o[name] then
      errors.raise("%s: option '%s' is not known yet; give it, or train on windows", self:label(), name)
    end
  end
  if o.baseline == "seasonal" and not o.season then
    errors.raise("%s: baseline = \"seasonal\" needs a season; give season = 12 to it or to the windows", self:label())
  elseif #o.target_features ~= o.targets then
    errors.raise("%s: target_features must be %d places, one for each target, got %d", self:label(), o.targets,
      #o.target_features)
  end
  for _, place in ipairs(o.target_features) do
    if math.type(place) ~= "integer" or place < 1 or place > features then
      errors.raise("%s: target_features are places 1..%d, got %s", self:label(), features, tostring(place))
    end
  end
  if features < o.targets + o.known then
    errors.raise("%s: its input has %d features, with %d targets and %d known ahead", self:label(), features, o.targets,
      o.known)
  end
  needed(self, o)
end

-- Layers have numbers of their own for their initial values, the same whatever the form.
local function part(self, number, class, given)
  given.seed = self.seed
  local made = random.undisturbed(class, given)
  made.seed, made.layer = self.seed, self.layer + number
  made.dropout_layer = made.layer
  return made
end

function Forecaster:build(features)
  local o = self.options
  if not self:needs_size() then
    return o.horizon
  end
  settle(self, o, features)
  local steps = o.form == "direct" and o.horizon or 1
  local function recurrent(number)
    return part(self, number, rnn.RNN, { cell = o.cell, hidden_size = o.hidden_size, num_layers = o.num_layers,
      dropout = o.dropout })
  end
  local beside = o.num_series and o.embedding_dim or 0
  if o.num_series then
    self.embed = part(self, 2 * o.num_layers + 3, embedding.Embedding, { o.num_series, o.embedding_dim })
  end
  self.encoder = recurrent(0)
  self.encoder:build(features + beside)
  if o.form == "seq2seq" then
    self.decoder = recurrent(o.num_layers)
    self.decoder:build(o.targets + o.known + beside)
  end
  self.head = part(self, 2 * o.num_layers, layers.Linear, { steps * o.targets * self.width })
  self.head:build(self.encoder.output_size + steps * o.known)
  if o.ar_window > 0 then
    self.autoregression = part(self, 2 * o.num_layers + 1, layers.Linear, { steps, bias = false, weight_init = "zero" })
    self.autoregression:build(o.ar_window)
  end
  return o.horizon
end

-- ---- windows -----------------------------------------------------------------------------------------------

local function agree(self, name, theirs)
  local o = self.options
  if theirs ~= nil and o[name] == nil then
    o[name] = theirs
  elseif theirs ~= nil and o[name] ~= theirs and name ~= "season" then
    errors.raise("%s: its %s is %d, but the windows have %d", self:label(), name, o[name], theirs)
  end
end

-- Features from the first on that is known ahead; there are none where x ends at the origin.
local function known_of(windows)
  local known, begun = 0, false
  for _, feature in ipairs(windows.steps > windows.input_size and windows.layouts[1].features or {}) do
    begun = begun or feature.known
    known = known + (begun and (feature.kind == "calendar" and 2 or 1) or 0)
  end
  return known
end

-- Takes from windows what has not been given, and sees that the rest fits.
function Forecaster:take_windows(windows)
  if not require("rondo.data.windows").is_windows(windows) then
    errors.raise("%s: take_windows: expected windows of a series, series:windows { ... }, got a %s", self:label(),
      type(windows))
  end
  local o = self.options
  if o.form == "direct" or self:needs_size() then -- what is fed goes on as far as it is asked to
    agree(self, "horizon", windows.horizon)
  end
  agree(self, "window", windows.input_size)
  agree(self, "targets", #windows.targets)
  agree(self, "season", windows.season)
  agree(self, "known", known_of(windows))
  if windows.ids == "embedding" then
    agree(self, "num_series", #windows.names)
  end
  o.target_features = o.target_features or windows.target_features
  if o.output == "negative_binomial" and windows.scaler then
    errors.raise("%s: counts are forecast as they are: give the windows no scaler, and the model normalize = \"mean\"",
      self:label())
  end
  if self:needs_size() and windows.num_features then
    self:build(windows.num_features)
  end
end

-- What a Trainer's loss should be.
function Forecaster:loss(given)
  local o, losses = self.options, require "rondo.loss"
  local names = { point = "MSELoss", quantiles = "QuantileLoss", gaussian = "GaussianLoss", student_t = "StudentTLoss",
    negative_binomial = "NegativeBinomialLoss" }
  local all = { quantiles = o.quantiles }
  for key, value in pairs(given or {}) do
    all[key] = value
  end
  return losses[names[o.output]](all)
end

-- The truth, before a call in training, for what is fed it.
function Forecaster:teach(y, weight)
  if self.options.form ~= "direct" then
    rawset(self, "_taught", { y = y, weight = weight })
  end
end

-- ---- calls -------------------------------------------------------------------------------------------------

-- Steps behind the first one of the horizon that x has, or the horizon where nothing is known ahead.
local function horizon_of(self, x, wanted)
  local o = self.options
  local steps = x.ndim == 3 and x:size(2) or 0
  local given = o.known > 0 and steps - o.window + 1 or wanted or o.horizon
  if x.ndim ~= 3 or x:size(3) ~= o.input_size or steps ~= o.window + (o.known > 0 and given - 1 or 0)
    or given ~= o.horizon and o.form == "direct" then
    local want = o.window + (o.known > 0 and o.horizon - 1 or 0)
    errors.raise("%s: expected input (batch, %d, %d), got %s", self:label(), want, o.input_size, layers.shape_text(x))
  end
  return given
end

-- All steps by one layer.
local function direct(self, x, w, horizon)
  local o, hidden = self.options, self.encoder:advance(unroll.with_series(w, w.input)):select(2, -1)
  return unroll.numbers(self, self.head(unroll.beside(o, unroll.ahead(o, x), hidden, 1, horizon)), w, horizon)
end

-- Rows of the embedding (batch, 1, dim) for the ids of the windows' series, nil where there are none.
local function series_of(self, ids)
  local o = self.options
  if (ids ~= nil) ~= (o.num_series ~= nil) then
    errors.raise("%s: %s", self:label(), ids and "was made without num_series, and is given ids of series"
      or "needs the ids of series beside its input: windows with ids = \"embedding\" give them")
  end
  return ids and self.embed(ids):unsqueeze(2)
end

-- Numbers (batch, horizon, targets[, P]) of each value. ids: of the series (batch), with num_series. how: { horizon =,
-- draw = } in forecasts (unroll.lua).
function Forecaster:numbers(x, ids, how)
  if self:needs_size() then
    self:build(x:size(-1))
  end
  local taught = self.training and rawget(self, "_taught") or nil
  rawset(self, "_taught", nil)
  local horizon = horizon_of(self, x, how and how.horizon)
  local w = window.read(self.options, x)
  w.series = series_of(self, ids)
  if self.options.form == "direct" then
    return direct(self, x, w, horizon)
  end
  return unroll.run(self, x, w, { horizon = horizon, taught = taught, draw = how and how.draw,
    repeats = how and how.repeats })
end

-- The output as a loss takes it: without the dimension of one target.
function Forecaster:forward(x, ids)
  local y = self:numbers(x, ids)
  return self.options.targets == 1 and y:squeeze(3) or y
end

function Forecaster.input_dims()
  return 3
end

function Forecaster:output_text()
  local o = self.options
  return o.horizon and ("(batch, %d%s%s)"):format(o.horizon, (o.targets or 1) > 1 and ", " .. o.targets or "",
    o.output ~= "point" and ", " .. self.width or "") or ""
end

return { Forecaster = Forecaster }
