-- schedule.lua - schedules of the learning rate: the rate of an update is a pure function of its number.
--
-- `scale` is what a callback has multiplied all rates by since (ReduceLROnPlateau); checkpoints keep it.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local options = require "rondo.options"

local schedule = {}

local real = function(name, def, min, max, help)
  return { name = name, kind = "real", def = def, min = min, max = max, help = help }
end
local count = function(name, def, help, required)
  return { name = name, kind = "int", def = def, min = 0, required = required, help = help }
end
local BASE = real("base_lr", nil, 0, nil, "the rate to start from; the optimizer's lr")
local WARMUP = count("warmup_steps", 0, "updates of linear warm-up")
local AFTER = count("decay_after", 0, "updates before the first factor, warm-up included")
local schedules = {
  ConstantLR = { "constant", BASE, WARMUP },
  ExponentialLR = { "exponential", BASE, WARMUP, AFTER, real("gamma", 0.9999, 0, 1, "factor of each update") },
  StepLR = { "step", BASE, WARMUP, AFTER, real("gamma", 0.1, 0, 1, "factor of each step"),
    count("step_size", nil, "updates between two factors", true) },
  CosineLR = { "cosine", BASE, WARMUP, real("min_lr", 0.0, 0, nil, "floor"),
    count("total_steps", nil, "updates to the floor, warm-up included", true) },
  OneCycleLR = { "one_cycle", real("max_lr", nil, 0, nil, "the peak; the optimizer's lr"),
    count("total_steps", nil, "updates of the whole cycle", true),
    real("pct_start", 0.3, 0, 1, "share of the updates up to the peak"),
    real("div_factor", 25.0, 1, nil, "the first rate is max_lr divided by this"),
    real("final_div_factor", 1e4, 1, nil, "the last rate is the first divided by this") },
}

local Schedule = {}
Schedule.__index = Schedule
Schedule.__name = "rondo.Schedule"

local function settings_of(o)
  if o.kind == "one_cycle" then
    local first = o.max_lr / o.div_factor
    return { kind = o.kind, base_lr = o.max_lr, first_lr = first, min_lr = first / o.final_div_factor,
      total_steps = o.total_steps, pct_start = o.pct_start }
  end
  return o
end

function Schedule:bind(optimizer)
  local o = self.options
  local peak = o.kind == "one_cycle" and "max_lr" or "base_lr"
  self.optimizer = optimizer
  o[peak] = o[peak] or optimizer.lr
  self.settings = settings_of(o)
  self:set(0)
  return self
end

-- Sets the rate of update number `update`; the first is 0.
function Schedule:set(update)
  self.update = update
  self.optimizer.lr = core.schedule(self.settings, update) * self.scale
end

function Schedule:step()
  if not self.optimizer then
    errors.raise("%s has no optimizer yet: optim.%s(optimizer, { ... })", self.class_name, self.class_name)
  end
  self:set(self.update + 1)
end

function Schedule:describe()
  local description = { class = self.class_name }
  for key, value in pairs(self.options) do
    description[key] = value
  end
  return description
end

function schedule.is_schedule(value)
  return getmetatable(value) == Schedule
end

-- Adds the constructors to `optim`: optim.CosineLR { ... }, or optim.CosineLR(optimizer, { ... }).
function schedule.install(optim)
  for name, list in pairs(schedules) do
    optim[name] = function(first, second)
      local optimizer
      if optim.is_optimizer(first) then
        optimizer, first = first, second
      end
      local o = options.resolve(name, table.move(list, 2, #list, 1, {}), first)
      o.kind = list[1]
      local self = setmetatable({ class_name = name, options = o, update = 0, scale = 1.0 }, Schedule)
      return optimizer and self:bind(optimizer) or self
    end
  end
  optim.is_schedule = schedule.is_schedule
end

return schedule
