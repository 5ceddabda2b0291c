-- random.lua - seeds and streams: what each random number is for, never when it was drawn.
--
-- One seed for the process. Initial values are numbered by layer in the order of construction, dropout by
-- layer and update, a user's numbers by call. manual_seed starts all of these anew.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"

local random = {}

local state = { seed = 1, layers = 0, calls = 0, update = 0, time = 0 }

function random.manual_seed(seed)
  local n = math.tointeger(seed)
  if not n or n < 0 or n > 0xffffffff then
    errors.raise("manual_seed: expected an integer 0..4294967295, got %s", tostring(seed))
  end
  state.seed, state.layers, state.calls, state.update, state.time = n, 0, 0, 0, 0
  math.randomseed(n)
end

function random.seed()
  return state.seed
end

-- Seed and layer number for a new layer. An explicit seed numbers from 0, so that two layers with the same
-- seed have the same initial values.
function random.claim_layer(seed, count)
  if seed then
    return seed, 0
  end
  local layer = state.layers
  state.layers = layer + (count or 1)
  return state.seed, layer
end

-- Runs f without moving the numbering of layers (models rebuilt from files).
function random.undisturbed(f, ...)
  local layers = state.layers
  local results = table.pack(pcall(f, ...))
  state.layers = layers
  if not results[1] then
    error(results[2], 0)
  end
  return table.unpack(results, 2, results.n)
end

-- Runs f(...) with layers numbered by claim(seed, count, claim_layer) in place of claim_layer.
function random.claiming(claim, f, ...)
  local plain = random.claim_layer
  random.claim_layer = function(seed, count)
    return claim(seed, count, plain)
  end
  local results = table.pack(pcall(f, ...))
  random.claim_layer = plain
  if not results[1] then
    error(results[2], 0)
  end
  return table.unpack(results, 2, results.n)
end

function random.init_stream(seed, layer, parameter)
  return { seed = seed, purpose = "init", layer = layer, update = parameter }
end

function random.dropout_stream(seed, layer)
  return { seed = seed, purpose = "dropout", layer = layer, update = state.update & 0xffffffff, time = state.time }
end

-- The number of updates made so far, part of the key of every mask, and how many steps of its sequences come before
-- what is run next: chunks of one sequence within one update say it, or else have the masks of the first.
function random.set_update(update, time)
  state.update, state.time = update, (time or 0) & 0xffffffff
end

function random.update()
  return state.update & 0xffffffff, state.time
end

-- Runs f as what comes `steps` steps later in the sequences of this update.
function random.later(steps, f, ...)
  local update, time = state.update, state.time
  random.set_update(update, time + steps)
  local results = table.pack(pcall(f, ...))
  random.set_update(update, time)
  if not results[1] then
    error(results[2], 0)
  end
  return table.unpack(results, 2, results.n)
end

function random.count_update()
  random.set_update(state.update + 1)
end

-- A user's numbers: one call of rand, randn or random is one number of the stream.
local function next_call()
  state.calls = state.calls + 1
  return { seed = state.seed, purpose = "user", update = state.calls & 0xffffffff }
end

random.next_call = next_call

local function shape_of(name, ...)
  local first = ...
  local shape = type(first) == "table" and first or { ... }
  for _, n in ipairs(shape) do
    if not math.tointeger(n) then
      errors.raise("%s: sizes must be integers, got %s", name, tostring(n))
    end
  end
  return shape
end

function random.rand(...)
  local t = core.zeros(shape_of("rand", ...))
  t:fill_uniform(0, 1, next_call())
  return t
end

function random.randn(...)
  local t = core.zeros(shape_of("randn", ...))
  t:fill_normal(0, 1, next_call())
  return t
end

-- Like math.random, but part of what a checkpoint restores: random() in [0, 1), random(n), random(a, b).
function random.random(a, b)
  local stream = next_call()
  if not a then
    return core.uniform(stream, 0, 0)
  end
  local low, high = b and a or 1, b or a
  if not (math.type(low) and math.tointeger(low)) or not (math.type(high) and math.tointeger(high)) or high < low then
    errors.raise("random: expected integers low <= high, got %s, %s", tostring(low), tostring(high))
  end
  return low + (core.bits(stream, 0, 0) * (high - low + 1) >> 32)
end

-- What a checkpoint keeps.
function random.calls(calls)
  if calls then
    state.calls = calls
  end
  return state.calls
end

return random
