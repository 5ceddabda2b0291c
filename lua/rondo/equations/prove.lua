-- prove.lua - is a compiled cell its equations? Outputs, last states and all gradients of both for the same numbers.
--
-- The parameters are those of one layer of the compiled cell, which the interpreted equations read too. Numbers come
-- from streams of their own, so that nobody's random numbers move.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local interpret = require "rondo.equations.interpret"

local prove = {}

local IN, HIDDEN, ROWS, STEPS = 3, 19, 3, 4
-- Of the largest number of a tensor; both compute the same formula in another order.
local MOST = core.real == "double" and 1e-10 or 1e-3

local function normal(shape, key, mean, deviation)
  local t = core.zeros(shape)
  t:fill_init({ kind = "normal", a = mean or 0, b = deviation or 1 }, { seed = 20, purpose = "user", layer = 0,
    update = key })
  return t
end

local function leaf(t)
  t.requires_grad = true
  return t
end

local function flat(t)
  return t:contiguous():reshape(t:numel()):table()
end

-- The largest difference, relative to the largest number.
local function difference(a, b)
  local most, size = 0, 0
  local list = flat(b)
  for i, value in ipairs(flat(a)) do
    local d = math.abs(value - list[i])
    if value == value or list[i] == list[i] then -- of two that are no number none is wrong
      most = d == d and math.max(most, d) or math.huge
    end
    size = math.max(size, math.abs(value))
  end
  return most > 0 and most / math.max(size, 1e-30) or 0
end

-- L = sum of output times weights, and of the squares of last states; 0 x, so that something has a gradient.
local function loss(output, weights, last, x)
  local total = (output * weights):sum() + (x * 0):sum()
  for _, state in ipairs(last) do
    total = total + (state * state):sum()
  end
  return total
end

local function interpreted(p, parameters, x, first)
  local states, outputs = {}, {}
  for k, state in ipairs(p.states) do
    states[state.name] = first[k]
  end
  for t = 1, STEPS do
    states = interpret.step(p, parameters, x:select(2, t), states)
    outputs[t] = states[p.output]:unsqueeze(2)
  end
  local last = {}
  for k, state in ipairs(p.states) do
    last[k] = states[state.name]
  end
  return core.concat(outputs, 2), last
end

-- What moves, by name.
local function inputs(p, layer)
  local leaves, parameters, first = { x = leaf(normal({ ROWS, STEPS, IN }, 0)) }, {}, {}
  for i, entry in ipairs(layer:parameters()) do
    local t = entry[2]
    if t.ndim == 1 then -- zeros would hide what they multiply
      local mode = core.grad_mode(false)
      t:copy(normal(t:size(), 100 + i, 0.3, 0.5))
      core.grad_mode(mode)
    end
    parameters[entry[1]], leaves[entry[1]] = t, t
  end
  for k, state in ipairs(p.states) do
    first[k] = normal({ ROWS, HIDDEN }, 200 + k, state.first, 0.3)
    if not state.stop then
      leaves["first " .. state.name] = leaf(first[k])
    end
  end
  return leaves, parameters, first
end

-- Runs and returns output, last states and gradients by name.
local function measured(leaves, stops, run)
  local output, last = run()
  local weights, moved = normal({ ROWS, STEPS, HIDDEN }, 1), {}
  for k, state in ipairs(last) do
    moved[#moved + 1] = not stops[k] and state or nil
  end
  loss(output, weights, moved, leaves.x):backward()
  local found = { output = output }
  for name, t in pairs(leaves) do
    found["gradient of " .. name] = t.grad and t.grad:clone() or core.zeros(t:size())
    t:zero_grad()
  end
  for k, state in ipairs(last) do
    found["last state " .. k] = state
  end
  return found
end

local function compare(p)
  local layer = core.rnn { cell = p.name, input_size = IN, hidden_size = HIDDEN, seed = 1, layer = 0, options = {} }
  local leaves, parameters, first = inputs(p, layer)
  local stops = {}
  for k, state in ipairs(p.states) do
    stops[k] = state.stop
  end
  local a = measured(leaves, stops, function() return core.run_layers({ layer }, leaves.x, first, { {} }) end)
  local b = measured(leaves, stops, function() return interpreted(p, parameters, leaves.x, first) end)
  local most, where = 0, "output"
  for name, t in pairs(a) do
    local d = difference(t, b[name])
    if d > most then
      most, where = d, name
    end
  end
  return most, where
end

-- The largest relative difference between the loaded cell p.name and the program p, and where it is; nil, a sentence
-- where it is too large.
function prove.equal(p)
  local mode = core.grad_mode(true)
  local ok, most, where = pcall(compare, p)
  core.grad_mode(mode)
  if not ok then
    error(most, 0)
  elseif most > MOST then
    return nil, ("the compiled cell '%s' does not compute its equations: the %s differs by %.2g of its largest number")
      :format(p.name, where, most)
  end
  return most, where
end

return prove
