-- functions.lua - rondo.Function: a differentiable function whose forward and backward a script writes.
--
--   local clip = rondo.Function { name = "clip",
--     forward = function(ctx, x, limit) ctx.x, ctx.limit = x, limit; return ... end,
--     backward = function(ctx, dy) return ..., nil end }            -- a gradient for each argument
--   local y = clip(x, 1)
--
-- Nothing is recorded inside of either. What backward needs is kept in ctx; a tensor there must not be written before.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local options = require "rondo.options"
local shape_text = require("rondo.layers").shape_text
local tensor = require "rondo.tensor"

local specs = {
  { name = "name", kind = "string", required = true, help = "how messages call it" },
  { name = "forward", kind = "function", required = true, help = "forward(ctx, ...): the result, or several" },
  { name = "backward", kind = "function", required = true,
    help = "backward(ctx, dy, ...): for each argument its gradient, or nil" },
}

local Function = { __name = "rondo.Function" }
Function.__index = Function

function Function:__tostring()
  return ("function '%s'"):format(self.name)
end

-- Calls a function of the script's: its errors say where they come from.
local function call(self, what, f, ...)
  local results = table.pack(pcall(errors.within, f, ...))
  if results[1] then
    return table.unpack(results, 2, results.n)
  end
  local message = results[2]
  error(type(message) == "string" and ("%s (in %s of function '%s')"):format(message, what, self.name) or message, 0)
end

local function check_gradient(self, k, argument, d)
  if d == nil then
    return
  elseif not tensor.is_tensor(d) then
    errors.raise("function '%s': backward must return a tensor or nil for argument %d, got a %s", self.name, k, type(d))
  elseif not tensor.is_tensor(argument) then
    errors.raise("function '%s': backward must return nil for argument %d, which is a %s", self.name, k, type(argument))
  end
  local same = d.ndim == argument.ndim
  for i = 1, same and d.ndim or 0 do
    same = same and d:size(i) == argument:size(i)
  end
  if not same then
    errors.raise("function '%s': the gradient of argument %d must be %s as the argument, got %s", self.name, k,
      shape_text(argument), shape_text(d))
  end
end

-- What the tape calls: gradients of the results to gradients of the arguments that are tensors.
local function player(self, ctx, arguments)
  return function(...)
    local given = table.pack(call(self, "backward", self.backward, ctx, ...))
    if given.n > arguments.n then
      errors.raise("function '%s': backward returned %d gradients for %d arguments", self.name, given.n, arguments.n)
    end
    local list, n = {}, 0
    for k = 1, arguments.n do
      check_gradient(self, k, arguments[k], given[k])
      if tensor.is_tensor(arguments[k]) then
        n = n + 1
        list[n] = given[k]
      end
    end
    return table.unpack(list, 1, n)
  end
end

local function tensors_of(values, n)
  local list = {}
  for k = 1, n do
    if tensor.is_tensor(values[k]) then
      list[#list + 1] = values[k]
    end
  end
  return list
end

local MOST_SAVED = 8

local function apply(self, ...)
  local ctx, arguments = {}, table.pack(...)
  local results = table.pack(tensor.no_grad(call, self, "forward", self.forward, ctx, ...))
  if results.n == 0 then
    errors.raise("function '%s': forward must return a tensor, got nothing", self.name)
  end
  for k = 1, results.n do
    if not tensor.is_tensor(results[k]) then
      errors.raise("function '%s': forward must return tensors, got a %s as result %d", self.name, type(results[k]), k)
    end
  end
  results.n = nil
  local saved = {}
  for _, value in pairs(ctx) do
    saved[#saved + 1] = tensor.is_tensor(value) and value or nil
  end
  if #saved > MOST_SAVED then
    errors.raise("function '%s': ctx may hold at most %d tensors, got %d; concat them, or compute some again",
      self.name, MOST_SAVED, #saved)
  end
  return core.custom { name = self.name, call = player(self, ctx, arguments),
    inputs = tensors_of(arguments, arguments.n), results = results, saved = saved }
end

function Function:__call(...)
  return errors.blame(apply, self, ...)
end

return {
  specs = specs,
  Function = function(given)
    return setmetatable(errors.blame(options.resolve, "Function", specs, given), Function)
  end,
}
