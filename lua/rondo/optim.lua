-- optim.lua - optimizers, with groups of parameters. Schedules of the rate are in schedule.lua.
--
-- optim.Adam { lr = } is bound by the Trainer; optim.SGD(model:parameters(), { lr = }) or optim.SGD(model, { ... })
-- at once. Options come from the core's table of each kind. opt.lr is readable and settable; a schedule sets
-- it for the next update. groups = { { match = "_b$", weight_decay = 0 }, ... }: rates and decays of their own.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local average = require "rondo.average"
local errors = require "rondo.errors"
local expect = require "rondo.expect"
local module = require "rondo.module"
local options = require "rondo.options"
local random = require "rondo.random"
local tensor = require "rondo.tensor"

local optim = {}

local names = { sgd = "SGD", rmsprop = "RMSprop", adam = "Adam", adamw = "AdamW", nadam = "NAdam", adagrad = "Adagrad",
  adadelta = "Adadelta", lion = "Lion" }

local GROUPS = { name = "groups", kind = "table",
  help = "{ match = pattern(s) | parameters = list | ndim = n, lr_factor =, weight_decay = }, the first that fits" }
local group_specs = {
  { name = "match", kind = "any", help = "a Lua pattern of names, or a list of patterns" },
  { name = "parameters", kind = "table", help = "a list of parameters" },
  { name = "ndim", kind = "int", min = 0, max = 8, help = "parameters of so many dimensions (1: biases and gains)" },
  { name = "lr_factor", kind = "real", def = 1.0, min = 0, max = 1e6, help = "the rate is lr times this" },
  { name = "weight_decay", kind = "real", min = 0, max = 1e6, help = "instead of the optimizer's" },
}
local asgd_specs = {
  { name = "nonmono", kind = "int", def = 5, min = 1, help = "validations that may pass without a better loss" },
  { name = "average_from", kind = "int", min = 0, help = "average from this update on, whatever the validation says" },
}

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

-- ---- groups ---------------------------------------------------------------------------------------------

local function fits(self, group, parameter, name)
  if group.parameters then
    for _, p in ipairs(group.parameters) do
      if rawequal(p, parameter) then
        return true
      end
    end
    return false
  elseif group.ndim and parameter.ndim ~= group.ndim then
    return false
  elseif group.match == nil then
    return true
  elseif not name then
    errors.raise("%s: groups by name need the names: optim.%s(model, { ... })", self.class_name, self.class_name)
  end
  for _, pattern in ipairs(type(group.match) == "table" and group.match or { group.match }) do
    if name:find(pattern) then
      return true
    end
  end
  return false
end

local function check_group(class_name, i, given)
  local what = ("%s: group %d"):format(class_name, i)
  local group = options.resolve(what, group_specs, given)
  local match = group.match
  for _, pattern in ipairs(type(match) == "table" and match or { match }) do
    local ok, message = pcall(string.find, "", pattern)
    if type(pattern) ~= "string" or not ok then
      errors.raise("%s: match must be a Lua pattern or a list of them%s", what, ok and "" or ": " .. tostring(message))
    end
  end
  if not match and not group.parameters and not group.ndim then
    errors.raise("%s: say which parameters: match = pattern, parameters = list or ndim = number", what)
  end
  return group
end

-- Gives each parameter the numbers of the first group that fits; a group without any is a mistake.
local function apply_groups(self, parameters, parameter_names)
  local used, described = {}, {}
  for i, p in ipairs(parameters) do
    for k, group in ipairs(self.groups) do
      if fits(self, group, p, parameter_names and parameter_names[i]) then
        self.handle:group(i, group.lr_factor, group.weight_decay or self.options.weight_decay)
        used[k] = used[k] or { lr_factor = group.lr_factor, weight_decay = group.weight_decay, of = {} }
        table.insert(used[k].of, parameter_names and parameter_names[i] or i)
        break
      end
    end
  end
  for k, group in ipairs(self.groups) do
    if not used[k] then
      errors.raise("%s: group %d (%s) has no parameter%s", self.class_name, k, type(group.match) == "string"
        and ("match '%s'"):format(group.match) or "as described", parameter_names and "; they are "
        .. table.concat(parameter_names, ", ") or "")
    end
    described[k] = used[k]
  end
  rawset(self, "described_groups", #described > 0 and described or nil)
end

-- ---- the optimizer --------------------------------------------------------------------------------------

-- parameter_names may be nil.
function Optimizer:bind(parameters, parameter_names)
  rawset(self, "parameters", parameters)
  rawset(self, "handle", core.optimizer(self.kind, self.options, parameters))
  apply_groups(self, parameters, parameter_names)
  if self.asgd then
    rawset(self, "average", average.new(parameters, parameter_names))
  end
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
  local handle = bound(self)
  handle:step()
  random.count_update()
  local a = rawget(self, "average")
  if a and (a.count > 0 or handle:updates() >= (self.asgd.average_from or math.huge)) then
    a:update()
  end
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

-- ASGD: averages from here on, this iterate included. Without effect where it has begun.
function Optimizer:start_average()
  local a = rawget(self, "average")
  if not a then
    errors.raise("%s keeps no average: use optim.ASGD, or the Trainer's ema", self.class_name)
  elseif a.count == 0 then
    a:update()
  end
end

-- ASGD: runs f with the averages in the parameters.
function Optimizer:with_average(f, ...)
  expect.kind("with_average: what is run", f, "function")
  local a = rawget(self, "average")
  if a then
    return a:with(f, ...)
  end
  return f(...)
end

-- ASGD: takes note of a validation's loss; true if it begins the average. The trigger is that of Merity et al.
-- 2018, algorithm 1: the loss is larger than the best one that is more than `nonmono` validations old.
function Optimizer:validated(loss)
  local a, losses = rawget(self, "average"), self.losses
  local begins = false
  if not a or a.count > 0 then
    return false
  end
  for i = 1, #losses - self.asgd.nonmono do
    begins = begins or loss > losses[i]
  end
  losses[#losses + 1] = loss + 0.0
  if begins then
    a:update()
  end
  return begins
end

function Optimizer:describe()
  local description = { kind = self.class_name, groups = rawget(self, "described_groups") }
  for _, set in ipairs { self.options, self.asgd or {} } do
    for key, value in pairs(set) do
      description[key] = value
    end
  end
  return description
end

function Optimizer:__tostring()
  return ("%s (lr %.6g)"):format(self.class_name, self.lr)
end

function optim.is_optimizer(value)
  return getmetatable(value) == Optimizer
end

-- The option list of a kind, as the reference prints it.
function optim.specs(kind)
  local list = core.optimizer_options(kind == "asgd" and "sgd" or kind)
  list[#list + 1] = GROUPS
  return kind == "asgd" and table.move(asgd_specs, 1, #asgd_specs, #list + 1, list) or list
end

local function parameters_of(first, name)
  if module.is_module(first) then
    local parameters, parameter_names = {}, {}
    for i, entry in ipairs(first:parameter_list()) do
      parameters[i], parameter_names[i] = entry.tensor, entry.name
    end
    return parameters, parameter_names
  elseif type(first) == "table" and tensor.is_tensor(first[1]) or tensor.is_tensor(first) then
    return tensor.list_of(first, name)
  end
end

local function make(kind, first, second)
  local name = kind == "asgd" and "ASGD" or names[kind] or kind
  local parameters, parameter_names = parameters_of(first, name)
  if parameters then
    first = second
  end
  local o = options.resolve(name, optim.specs(kind), first, { "lr" })
  local self = { kind = kind, class_name = name, options = o, groups = {} }
  for i, group in ipairs(o.groups or {}) do
    self.groups[i] = check_group(name, i, group)
  end
  o.groups = nil
  if kind == "asgd" then
    self.kind, self.losses = "sgd", {}
    self.asgd = { nonmono = o.nonmono, average_from = o.average_from }
    o.nonmono, o.average_from = nil, nil
  end
  setmetatable(self, Optimizer)
  return parameters and self:bind(parameters, parameter_names) or self
end

for _, kind in ipairs(core.optimizer_kinds()) do
  optim[names[kind] or kind] = function(first, second)
    return make(kind, first, second)
  end
end

-- SGD whose average takes over when the validation does not become better (NT-ASGD, Merity et al. 2018).
function optim.ASGD(first, second)
  return make("asgd", first, second)
end

require("rondo.schedule").install(optim)

return optim
