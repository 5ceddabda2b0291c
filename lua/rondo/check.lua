-- check.lua - rondo.check: gradients against differences, of any function and of any cell.
-- SPDX-License-Identifier: MIT
local cells = require "rondo.cells"
local core = require "rondo.native"
local errors = require "rondo.errors"
local options = require "rondo.options"
local rnn = require "rondo.rnn"
local stack_options = require "rondo.stack_options"
local tensor = require "rondo.tensor"

local check = {}

local Gradients = { __name = "rondo.GradientReport" }

function Gradients:__tostring()
  return ("gradients and differences are at most %.1e apart: of parameter %d, element %d, %.6g, and differences say "
    .. "%.6g"):format(self.worst, self.tensor, self.element, self.analytic, self.numeric)
end

-- Compares the tape's gradients with five-point differences of f(), a scalar built from the parameters: a report with
-- the worst difference, relative to the largest number of its tensor where that is above 1.
function check.gradients(f, parameters)
  return setmetatable(errors.blame(core.check_gradients, f, tensor.list_of(parameters, "check.gradients")), Gradients)
end

-- ---- cells ------------------------------------------------------------------------------------------------------

local sizes = {
  { name = "input_size", kind = "int", def = 3, min = 1, max = 64 },
  { name = "hidden_size", kind = "int", def = 5, min = 1, max = 64 },
  { name = "batch", kind = "int", def = 2, min = 1, max = 64 },
  { name = "time", kind = "int", def = 4, min = 1, max = 64 },
}

local DOUBLE = core.real == "double"
-- Differences of a right cell are well below this (in float 3e-5 to 3e-4); a forgotten term is well above.
local TOLERANCE = DOUBLE and 1e-6 or 3e-3
local LEAST = 0.1 -- a tensor's error is relative to its largest gradient, or to this share of the largest of all
local SPREAD = 0.3 -- what is added to first values at random, so that no term is 0

-- Where one numeric difference is far off, a corner of a function (relu) may lie between: then other numbers are tried,
-- and steps that seldom meet one. A wrong cell is wrong everywhere.
local TRIES = { { seed = 1 }, { seed = 2, step = DOUBLE and 2 ^ -18 or 2 ^ -8 } }
for seed = 3, 6 do
  TRIES[seed] = { seed = seed, step = TRIES[2].step }
end

local function random_like(t, low, high, seed, number)
  local r = core.zeros(t:size())
  r:fill_uniform(low, high, { seed = seed, layer = number })
  return r
end

-- Parameters of the layer near their first values, and what the check is about: { name, tensor } each.
local function spread_parameters(layer, seed)
  local list = {}
  for i, entry in ipairs(layer:parameter_list()) do
    local t = entry.tensor
    if t.requires_grad then
      local columns = t.ndim == 2 and t:size(2) or 1
      local spread = SPREAD * math.min(1, math.sqrt(5 / columns))
      tensor.no_grad(t.copy, t, tensor.no_grad(function() return t + random_like(t, -spread, spread, seed, i) end))
      list[#list + 1] = { name = entry.name:gsub("^layer1%.", ""), tensor = t }
    end
  end
  return list
end

-- States that the cell can be in: those after a few steps, so that what must be positive is.
local function reached_states(layer, o, seed)
  return tensor.no_grad(function()
    local x = core.zeros { o.batch, 3, o.input_size }
    x:fill_uniform(-1, 1, { seed = seed, layer = 1001 })
    return select(2, layer:advance(x))
  end)
end

-- Does a state stop gradients? Others may depend on it, so that the outputs alone are looked at.
local function stops(layer)
  local found = {}
  for _, one in ipairs(layer.stack) do
    for _, state in ipairs(one:states()) do
      found[#found + 1] = state.stops or false
      found.any = found.any or state.stops
    end
  end
  return found
end

-- One try: the report of core.check_gradients, with what its tensors are called.
local function try(o, how)
  local layer = rnn.RNN(o.layer)
  layer:eval()
  local list, fixed = spread_parameters(layer, how.seed), stops(layer)
  local x = tensor.parameter(core.zeros { o.batch, o.time, o.input_size })
  tensor.no_grad(x.fill_uniform, x, -1, 1, { seed = how.seed, layer = 1002 })
  list[#list + 1] = { name = "x", tensor = x }
  local states, names = reached_states(layer, o, how.seed), layer:state_names()
  for k, state in ipairs(states) do
    states[k] = state:contiguous()
    if not fixed[k] then
      states[k].requires_grad = true
      list[#list + 1] = { name = "state " .. names[k]:gsub("^layer1%.", ""), tensor = states[k] }
    end
  end
  local function results()
    local y, after = layer:advance(x, states)
    return fixed.any and { y } or { y, table.unpack(after) }
  end
  local base = tensor.no_grad(results)
  local weights = {}
  for k, y in ipairs(base) do
    weights[k] = random_like(y, -1, 1, how.seed, 1002 + k)
  end
  -- Differences from what the results are now, so that the sum is near 0 and loses nothing.
  local function f()
    local sum
    for k, y in ipairs(results()) do
      local part = ((y - base[k]) * weights[k]):sum()
      sum = sum and sum + part or part
    end
    return sum
  end
  local tensors, largest, numbers = {}, 0, 0
  f():backward()
  for i, one in ipairs(list) do
    tensors[i] = one.tensor
    numbers = numbers + one.tensor:numel()
    largest = math.max(largest, one.tensor.grad and one.tensor.grad:abs():max():item() or 0)
  end
  local report = core.check_gradients(f, tensors, how.step, largest > 0 and largest < math.huge and LEAST * largest
    or 1)
  report.list, report.numbers = list, numbers
  return report
end

-- "f_h[2, 3]" of an element's number, from 1.
local function place(one, element)
  local index, rest, shape = {}, element - 1, one.tensor:size()
  for d = #shape, 1, -1 do
    index[d] = rest % shape[d] + 1
    rest = rest // shape[d]
  end
  return ("%s[%s]"):format(one.name, table.concat(index, ", "))
end

local Report = { __name = "rondo.CellReport" }

function Report:__tostring()
  if self.ok then
    return ("%s: gradients of %d numbers agree with differences to %.1e"):format(self.cell, self.numbers,
      self.max_rel_error)
  end
  return ("%s: gradients are WRONG: of %s %.6g, and differences say %.6g"):format(self.cell, self.worst, self.analytic,
    self.numeric)
end

-- Sizes, and what the layer is told: options of its cell and of stacks.
local function read_options(name, given)
  local specs, taken = table.move(sizes, 1, #sizes, 1, {}), { cell = true, seed = true, name = true }
  for _, spec in ipairs(sizes) do
    taken[spec.name] = true
  end
  for _, list in ipairs { stack_options.list, cells.need(name).options } do
    for _, spec in ipairs(list) do
      specs[#specs + 1] = not taken[spec.name] and spec or nil
    end
  end
  local o = options.resolve("check.cell", specs, given)
  local layer = { cell = name, seed = 1, input_size = o.input_size, hidden_size = o.hidden_size }
  for key, value in pairs(given or {}) do
    layer[key] = value
  end
  layer.batch, layer.time = nil, nil
  o.layer = layer
  return o
end

local function check_cell(name, given)
  if type(name) ~= "string" then
    errors.raise("check.cell: expected the name of a cell, got a %s", type(name))
  end
  local o = read_options(name, given)
  local best
  for _, how in ipairs(TRIES) do
    local found = try(o, how)
    if not best or found.worst < best.worst then
      best = found
    end
    if best.worst <= TOLERANCE then
      break
    end
  end
  return setmetatable({ cell = name, ok = best.worst <= TOLERANCE, max_rel_error = best.worst,
    worst = place(best.list[best.tensor], best.element), analytic = best.analytic, numeric = best.numeric,
    numbers = best.numbers }, Report)
end

-- rondo.check.cell("demo.mgu", { input_size = 3, hidden_size = 5, batch = 2, time = 4, ... }): derivatives of outputs
-- and last states by parameters, input and first states, of any cell with any options, through the public surface.
function check.cell(name, given)
  local _ <close> = setmetatable({ core.precision "float32" }, { __close = function(before)
    core.precision(before[1])
  end })
  return errors.blame(check_cell, name, given)
end

return check
