-- forecast/feed_forward.lua - a net without memory as a baseline: does reading the window step by step help at all?
--
-- One hidden layer of tanh over all numbers of the window at once, as many parameters as the network has that it is
-- compared with, trained by the same Trainer on the same windows; the weights of the best validation are kept. Its
-- quantiles come from its errors on the validation windows (the training ones, if there are no others).
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local forecasts = require "rondo.forecast.forecast"
local layers = require "rondo.layers"
local module = require "rondo.module"
local options = require "rondo.options"
local tensor = require "rondo.tensor"

local quantile = forecasts.quantile

local specs = {
  { name = "like", kind = "any", help = "the network whose number of parameters it gets" },
  { name = "hidden_size", kind = "int", min = 1, max = 1 << 20, help = "width of the hidden layer, in place of like" },
  { name = "epochs", kind = "int", def = 30, min = 1, help = "passes over the training windows" },
  { name = "max_steps", kind = "int", min = 1, help = "updates" },
  { name = "lr", kind = "real", def = 1e-3, min = 0, help = "rate of AdamW" },
  { name = "loss", kind = "any", help = "default: rondo.HuberLoss()" },
}

-- ---- the net -----------------------------------------------------------------------------------------------

local Net = module.library_class "FeedForwardNet"

function Net:init(inputs, hidden, outputs, targets)
  self.hidden, self.out = layers.Linear { inputs, hidden }, layers.Linear { hidden, outputs }
  rawset(self, "targets", targets)
end

function Net:forward(x)
  local batch = x:size(1)
  local y = self.out(self.hidden(x:reshape { batch, x:numel() // batch }):tanh())
  local targets = rawget(self, "targets")
  return targets > 1 and y:reshape { batch, y:size(2) // targets, targets } or y
end

-- The width at which inputs x hidden + hidden + hidden x outputs + outputs is nearest a number of parameters.
local function width_for(parameters, inputs, outputs)
  return math.max(1, math.floor((parameters - outputs) / (inputs + 1 + outputs) + 0.5))
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
  if not require("rondo.data.windows").is_windows(windows) then
    errors.raise("FeedForward: %s expects windows of a series, series:windows { input =, horizon = }, got a %s", what,
      type(windows))
  end
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

-- f(window, target, values) for each window and target, in order; values are on the scale of the data.
local function each(self, windows, f)
  local targets = windows.targets
  local function batch(rows)
    local x, y, _, weight = windows:of(rows)
    local said = self.model(x)
    for b, one in ipairs(said:table()) do
      for k, target in ipairs(targets) do
        local values = {}
        for step = 1, windows.horizon do
          values[step] = #targets > 1 and one[step][k] or one[step]
        end
        local window = windows:window(rows[b], target)
        f(window, windows:unscale(target, values, window))
      end
    end
    require("rondo.trainer_evaluation").release_batch(x, y, nil, weight)
    said:release()
  end
  self.model:evaluating(function()
    for first = 1, windows.count, windows.batch_size do
      local rows = {}
      for i = first, math.min(first + windows.batch_size - 1, windows.count) do
        rows[#rows + 1] = i
      end
      batch(rows)
    end
  end)
end

local function key_of(window)
  return ("%s\0%s"):format(window.series, window.target)
end

-- Sorted errors by series and target, a list for each step.
local function errors_on(self, windows)
  local lists = {}
  each(self, windows, function(window, values)
    local key = key_of(window)
    lists[key] = lists[key] or {}
    for step, f in ipairs(values) do
      local list = lists[key][step] or {}
      lists[key][step] = list
      local e = window.truth[step] - f
      list[#list + 1] = e == e and e or nil
    end
  end)
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
  local inputs, outputs = train.steps * train.num_features, train.horizon * #train.targets
  local hidden = o.hidden_size or width_for(o.like:parameter_count(), inputs, outputs)
  self.model = Net(inputs, hidden, outputs, #train.targets)
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
  local baselines = require "rondo.forecast.baselines"
  local levels = baselines.levels("FeedForward: forecast", given)
  local found = { name = self.name, horizon = windows.horizon, season = windows.season or 1,
    time_unit = windows.time_unit }
  each(self, windows, function(window, values)
    local by_step, quantiles = self.errors[key_of(window)], nil
    if by_step and #levels > 0 then
      quantiles = {}
      for _, q in ipairs(levels) do
        quantiles[q] = {}
        for step, f in ipairs(values) do
          quantiles[q][step] = #by_step[step] > 0 and f + quantile(by_step[step], q) or f
        end
      end
    end
    found[#found + 1] = { series = window.series, target = window.target, origin = window.origin, times = window.times,
      history = window.history, truth = window.truth, point = values, quantiles = quantiles }
  end)
  return forecasts.new(found)
end

function FeedForward:forecast(windows, given)
  return errors.blame(made, self, windows, given)
end

function FeedForward:evaluate(windows, given)
  return errors.blame(require("rondo.forecast.baselines").evaluated, made, self, windows, given)
end

return { new = new }
