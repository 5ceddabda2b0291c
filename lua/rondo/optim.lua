-- optim.lua - optimizers and schedules of the learning rate.
--
-- optim.Adam { lr = } is bound by the Trainer; optim.SGD(model:parameters(), { lr = }) is bound at once.
-- Options come from the core's table of each kind. opt.lr is readable and settable; a schedule sets it
-- for the next update as a pure function of the update's number.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local options = require "rondo.options"
local random = require "rondo.random"
local tensor = require "rondo.tensor"

local optim = {}

local names = { sgd = "SGD", rmsprop = "RMSprop", adam = "Adam", adamw = "AdamW", nadam = "NAdam", adagrad = "Adagrad",
  adadelta = "Adadelta", lion = "Lion" }

local Optimizer = {}
Optimizer.__name = "rondo.Optimizer"

function Optimizer.__index(self, key)
  if key == "lr" then
    local bound = rawget(self, "handle")
    return bound and bound:lr() or self.options.lr
  end
  return Optimizer[key]
end

function Optimizer.__newindex(self, key, value)
  if key ~= "lr" then
    errors.raise("%s: only lr can be set, not '%s'", self.class_name, tostring(key))
  end
  local lr = options.check(value, { name = "lr", kind = "real", min = 0 })
  if not lr then
    errors.raise("%s: lr must be a number at least 0, got %s", self.class_name, tostring(value))
  end
  local bound = rawget(self, "handle")
  if bound then
    bound:lr(lr)
  else
    self.options.lr = lr
  end
end

function Optimizer:bind(parameters)
  rawset(self, "parameters", parameters)
  rawset(self, "handle", core.optimizer(self.kind, self.options, parameters))
  return self
end

local function bound(self)
  local handle = rawget(self, "handle")
  if not handle then
    errors.raise("%s has no parameters yet: give them first, optim.%s(model:parameters(), { ... })",
      self.class_name, self.class_name)
  end
  return handle
end

function Optimizer:step()
  bound(self):step()
  random.count_update()
end

function Optimizer:zero_grad()
  bound(self)
  for _, p in ipairs(self.parameters) do
    p:zero_grad()
  end
end

function Optimizer:updates()
  return bound(self):updates()
end

function Optimizer:describe()
  local description = { kind = self.class_name }
  for key, value in pairs(self.options) do
    description[key] = value
  end
  return description
end

function Optimizer:__tostring()
  return ("%s (lr %.6g)"):format(self.class_name, self.lr)
end

function optim.is_optimizer(value)
  return getmetatable(value) == Optimizer
end

local function make(kind, first, second)
  local name = names[kind] or kind
  local parameters
  if type(first) == "table" and tensor.is_tensor(first[1]) or tensor.is_tensor(first) then
    parameters, first = tensor.list_of(first, name), second
  end
  local self = setmetatable({ kind = kind, class_name = name,
    options = options.resolve(name, core.optimizer_options(kind), first, { "lr" }) }, Optimizer)
  return parameters and self:bind(parameters) or self
end

for _, kind in ipairs(core.optimizer_kinds()) do
  optim[names[kind] or kind] = function(first, second)
    return make(kind, first, second)
  end
end

-- ---- schedules ------------------------------------------------------------------------------------

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
}

local Schedule = {}
Schedule.__index = Schedule
Schedule.__name = "rondo.Schedule"

function Schedule:bind(optimizer)
  self.optimizer = optimizer
  self.options.base_lr = self.options.base_lr or optimizer.lr
  self:set(0)
  return self
end

-- Sets the rate of update number `update`; the first is 0.
function Schedule:set(update)
  self.update = update
  self.optimizer.lr = core.schedule(self.options, update)
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

function optim.is_schedule(value)
  return getmetatable(value) == Schedule
end

for name, list in pairs(schedules) do
  optim[name] = function(first, second)
    local optimizer
    if optim.is_optimizer(first) then
      optimizer, first = first, second
    end
    local o = options.resolve(name, table.move(list, 2, #list, 1, {}), first)
    o.kind = list[1]
    local self = setmetatable({ class_name = name, options = o, update = 0 }, Schedule)
    return optimizer and self:bind(optimizer) or self
  end
end

return optim
