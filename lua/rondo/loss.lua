-- loss.lua - CrossEntropyLoss and MSELoss: callables that return the loss, its exact sum and its count.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local options = require "rondo.options"

local loss = {}

local specs = { { name = "reduction", kind = "choice", def = "mean", choices = { "mean", "sum", "batch" },
  help = "mean over what counts, sum, or sum over time and mean over the batch" } }

local function loss_class(name, f, metric)
  local class = { class_name = name, metric = metric }
  class.__index = class
  class.__name = "rondo." .. name

  -- loss tensor, sum (nats or squared errors), count of positions that counted.
  function class:__call(output, target)
    return errors.blame(f, output, target, self.reduction)
  end

  function class:describe()
    return { kind = name, reduction = self.reduction }
  end

  return function(given)
    return setmetatable(options.resolve(name, specs, given, { "reduction" }), class)
  end
end

loss.CrossEntropyLoss = loss_class("CrossEntropyLoss", core.cross_entropy, "nats")
loss.MSELoss = loss_class("MSELoss", core.mse, "mse")

return loss
