-- tensor.lua - making tensors, and the few functions on them that are not methods.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"

local tensor = {}

local function is_tensor(value)
  local meta = type(value) == "userdata" and getmetatable(value)
  return type(meta) == "table" and meta.__name == "rondo.Tensor"
end
tensor.is_tensor = is_tensor

local function shape_of(...)
  local first = ...
  return type(first) == "table" and first or { ... }
end

function tensor.zeros(...)
  return errors.blame(core.zeros, shape_of(...))
end

function tensor.ones(...)
  return errors.blame(core.full, shape_of(...), 1)
end

function tensor.full(shape, value)
  return errors.blame(core.full, shape, value)
end

-- tensor { {1, 2}, {3, 4} }, tensor(3.5), tensor(flat, { shape }).
function tensor.tensor(values, shape)
  return errors.blame(core.tensor, values, shape)
end

-- A tensor that a module registers as its own: a leaf that wants a gradient.
function tensor.parameter(t)
  if not is_tensor(t) then
    t = tensor.tensor(t)
  end
  t.requires_grad = true
  return t
end

for _, name in ipairs { "concat", "where", "matmul", "gather", "embedding", "one_hot" } do
  tensor[name] = function(...)
    return errors.blame(core[name], ...)
  end
end

local feeds = setmetatable({}, { __mode = "k" }) -- by matrix: f(x) is what it is fed in place of x

-- x W^T + b.
function tensor.linear(x, weight, bias)
  local feed = weight ~= nil and feeds[weight]
  return errors.blame(core.linear, feed and feed(x) or x, weight, bias)
end

-- Until the value that is returned is closed, rondo.linear feeds matrices (by name) what functions (by name) make of x.
function tensor.feed(matrices, functions)
  local before = {}
  for name, f in pairs(functions) do
    before[name] = feeds[matrices[name]]
    feeds[matrices[name]] = f
  end
  return setmetatable({}, { __close = function()
    for name in pairs(functions) do
      feeds[matrices[name]] = before[name]
    end
  end })
end

local function restore(mode, ok, ...)
  core.grad_mode(mode)
  if not ok then
    error((...), 0)
  end
  return ...
end

-- Calls f(...) without recording; the mode comes back on every way out. Cannot be yielded across.
function tensor.no_grad(f, ...)
  if type(f) ~= "function" then
    errors.raise("no_grad: expected a function, got a %s", type(f))
  end
  local mode = core.grad_mode(false)
  return restore(mode, pcall(f, ...))
end

local function list_of(parameters, what)
  if is_tensor(parameters) then
    return { parameters }
  elseif type(parameters) ~= "table" or not is_tensor(parameters[1]) then
    errors.raise("%s: expected a list of parameters (model:parameters())", what)
  end
  return parameters
end
tensor.list_of = list_of

-- Scales all gradients so that their common norm is at most max_norm; returns the norm before. norm_type: 2 (nil), 1
-- or math.huge.
function tensor.clip_grad_norm(parameters, max_norm, norm_type)
  return errors.blame(core.clip_grad_norm, list_of(parameters, "clip_grad_norm"), max_norm, norm_type)
end

-- Cuts every element of every gradient to [-limit, limit].
function tensor.clip_grad_value(parameters, limit)
  return errors.blame(core.clip_grad_value, list_of(parameters, "clip_grad_value"), limit)
end

return tensor
