-- forecast/feed_forward.lua - a net without memory as a baseline: does reading the window step by step help at all?
--
-- One hidden layer of tanh over all numbers of the window at once, as many parameters as the network has that it is
-- compared with, trained by the same Trainer on the same windows; the weights of the best validation are kept. What a
-- Forecaster does to a window before its layers (normalize, baseline) is done for it too, so that what is left between
-- the two is the recurrence. Its quantiles come from its errors on the validation windows, or else the training ones.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local forecasts = require "rondo.forecast.forecast"
local layers = require "rondo.layers"
local module = require "rondo.module"
local options = require "rondo.options"
local predict = require "rondo.forecast.predict"
local tensor = require "rondo.tensor"
local window = require "rondo.forecast.window"

local specs = {
  { name = "like", kind = "any", help = "the network whose number of parameters it gets" },
  { name = "hidden_size", kind = "int", min = 1, max = 1 << 20, help = "width of the hidden layer, in place of like" },
  { name = "normalize", kind = "choice", choices = { "none", "mean", "standard", "last" },
    help = "each window by its own numbers, as rondo.Forecaster has it; default: as like does" },
  { name = "baseline", kind = "choice", choices = { "none", "last", "seasonal" },
    help = "what the net adds to, as rondo.Forecaster has it; default: as like does" },
  { name = "epochs", kind = "int", def = 30, min = 1, help = "passes over the training windows" },
  { name = "max_steps", kind = "int", min = 1, help = "updates" },
  { name = "lr", kind = "real", def = 1e-3, min = 0, help = "rate of AdamW" },
  { name = "loss", kind = "any", help = "default: rondo.HuberLoss()" },
}

-- ---- the net -----------------------------------------------------------------------------------------------

local Net = module.library_class "FeedForwardNet"

function Net:init(o)
  local inputs, outputs = o.window * o.features + o.horizon * o.known, o.horizon * o.targets
  -- The width at which inputs x hidden + hidden + hidden x outputs + outputs is nearest the number of parameters.
  local hidden = o.hidden_size
    or math.max(1, math.floor((o.parameters - outputs) / (inputs + 1 + outputs) + 0.5))
  self.hidden, self.out = layers.Linear { inputs, hidden }, layers.Linear { hidden, outputs }
  rawset(self, "sizes", o)
end

-- x may come with ids of its series, which are not read.
function Net:forward(x)
  local o, batch = rawget(self, "sizes"), x:size(1)
  local w = window.read(o, x)
  local parts = { w.input:reshape { batch, o.window * o.features } }
  if o.known > 0 then
    local ahead = x:slice(3, o.features - o.known + 1, o.features):slice(2, o.window, o.window + o.horizon - 1)
    parts[2] = ahead:reshape { batch, o.horizon * o.known }
  end
  local y = self.out(self.hidden(parts[2] and core.concat(parts, 2) or parts[1]):tanh())
  y = y:reshape { batch, o.horizon, o.targets }
  y = w.scale and y * w.scale or y
  local base = window.base(o, w, w.values, o.horizon)
  y = base and y + base or y
  return o.targets == 1 and y:squeeze(3) or y
end

-- ---- the baseline ------------------------------------------------------------------------------------------

local FeedForward = { __name = "rondo.Baseline" }
FeedForward.__index = FeedForward

function FeedForward.__tostring()
  return "baseline: FeedForward"
end

local function new(given)
  local o = options.resolve("FeedForward", specs, given)
  if (o.like == nil) == (o.hidden_size == nil) then
    errors.raise "FeedForward: give either like, the network that it is compared with, or hidden_size"
  elseif o.like ~= nil and not module.is_module(o.like) then
    errors.raise("FeedForward: option 'like' must be a module, got a %s", type(o.like))
  end
  return setmetatable({ options = o, label = "FeedForward" }, FeedForward)
end

local function check_windows(windows, what)
  if not predict.is_windows(windows) then
    errors.raise("FeedForward: %s expects windows of a series, series:windows { input =, horizon = }, got a %s", what,
      type(windows))
  end
end

local function net_for(self, windows)
  local o, roles = self.options, windows.roles
  local theirs = o.like and o.like.class_name == "Forecaster" and o.like.options or {}
  local ahead = windows.steps > windows.input_size
  local sizes = { window = windows.input_size, features = windows.num_features, horizon = windows.horizon,
    targets = #windows.targets, target_features = windows.target_features, season = windows.season,
    known = ahead and #roles.known + 2 * #roles.calendar + 1 or 0, hidden_size = o.hidden_size,
    parameters = o.like and o.like:parameter_count(), normalize = o.normalize or theirs.normalize or "none",
    baseline = o.baseline or theirs.baseline or "none" }
  if sizes.baseline == "seasonal" and not sizes.season then
    errors.raise "FeedForward: baseline = \"seasonal\" needs windows with a season"
  elseif sizes.window < math.max(1, window.lag(sizes)) then
    errors.raise("FeedForward: a window of %d steps is shorter than the season, %d", sizes.window, sizes.season)
  end
  return Net(sizes)
end

-- Keeps a copy of the parameters at the best validation; what it returns puts them back, and gives its loss.
local function keep_best(trainer, model)
  local best, copies
  trainer:on("evaluate_end", function(_, facts)
    if not best or facts.val_loss < best then
      best, copies = facts.val_loss, {}
      for i, p in ipairs(model:parameters()) do
        copies[i] = p:detach():clone()
      end
    end
  end)
  return function()
    tensor.no_grad(function()
      for i, copy in ipairs(copies or {}) do
        model:parameters()[i]:copy(copy)
      end
    end)
    return best
  end
end

local function key_of(entry)
  return ("%s\0%s"):format(entry.series, entry.target)
end

-- Sorted errors by series and target, a list for each step.
local function errors_on(self, windows)
  local lists = {}
  for _, entry in ipairs(predict.windows(self.model, windows)) do
    local key = key_of(entry)
    lists[key] = lists[key] or {}
    for step, f in ipairs(entry.point) do
      local list = lists[key][step] or {}
      lists[key][step] = list
      local e = entry.truth[step] - f
      list[#list + 1] = e == e and e or nil
    end
  end
  for _, by_step in pairs(lists) do
    for _, list in ipairs(by_step) do
      table.sort(list)
    end
  end
  return lists
end

local function fit(self, train, valid)
  check_windows(train, "fit")
  if valid then
    check_windows(valid, "fit")
  end
  local o = self.options
  self.model = net_for(self, train)
  self.name = ("feed-forward net (%d parameters)"):format(self.model:parameter_count())
  local trainer = require("rondo.trainer").Trainer { model = self.model, quiet = true, progress = "none",
    loss = o.loss or require("rondo.loss").HuberLoss(), optimizer = require("rondo.optim").AdamW { lr = o.lr },
    epochs = o.epochs, max_steps = o.max_steps }
  local put_back = keep_best(trainer, self.model)
  trainer:fit(train, valid)
  self.best = put_back()
  self.errors = errors_on(self, valid or train)
  return self
end

-- Trains on windows; returns the baseline. valid may be nil.
function FeedForward:fit(train, valid)
  return errors.blame(fit, self, train, valid)
end

local function made(self, windows, given)
  check_windows(windows, "forecast")
  if not self.model then
    errors.raise "FeedForward: fit it first, on the windows of the training part"
  end
  local levels = require("rondo.forecast.baselines").levels("FeedForward: forecast", given)
  local found = predict.windows(self.model, windows, { name = self.name })
  for _, entry in ipairs(found) do
    local lists = self.errors[key_of(entry)] or {}
    entry.quantiles = levels[1] and {} or nil
    for _, q in ipairs(levels) do
      entry.quantiles[q] = {}
      for step, f in ipairs(entry.point) do
        local list = lists[step] or {}
        entry.quantiles[q][step] = list[1] and f + forecasts.quantile(list, q) or f
      end
    end
  end
  return found
end

function FeedForward:forecast(windows, given)
  return errors.blame(made, self, windows, given)
end

function FeedForward:evaluate(windows, given)
  return errors.blame(require("rondo.forecast.baselines").evaluated, made, self, windows, given)
end

return { new = new }
