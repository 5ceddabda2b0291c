-- bidirectional.lua - Bidirectional { layer, merge = }: a layer with state and its like that reads backward.
--
-- Each direction has parameters of its own; a stack of several layers runs whole in each, unlike the option
-- bidirectional = true of the stack, which merges after every layer. A recurrent layer of a cell reads either way by
-- itself, and its like is made after it; anything else with advance(x, states) is read by by_steps.lua, and its like is
-- given. State is a list: forward, then reverse; { forward, reverse } where one of them is not of a cell.
-- SPDX-License-Identifier: MIT
local by_steps = require "rondo.by_steps"
local core = require "rondo.native"
local errors = require "rondo.errors"
local mask = require "rondo.mask"
local module = require "rondo.module"
local options = require "rondo.options"
local release_states = require("rondo.sequential").release_states

local Bidirectional = module.library_class "Bidirectional"

local specs = {
  { name = "layer", kind = "any", required = true, help = "the layer that reads forward" },
  { name = "backward_layer", kind = "any",
    help = "the layer that reads backward; a recurrent layer of a cell has its like made" },
  { name = "merge", kind = "choice", def = "concat", choices = { "concat", "sum", "mul", "average", "none" },
    help = "how two outputs become one; none: both are returned" },
  { name = "name", kind = "string", help = "how messages call the layer" },
}

local merges = {}

function merges.concat(a, b)
  return core.concat({ a, b }, -1)
end

function merges.sum(a, b)
  return a + b
end

function merges.mul(a, b)
  return a * b
end

function merges.average(a, b)
  return (a + b) * 0.5
end

-- One output out of two, which are done with.
function Bidirectional.merged(how, a, b)
  local y = merges[how](a, b)
  a:release()
  b:release()
  return y
end

-- Does it read backward by itself?
local function is_recurrent(layer)
  return layer.reversed_twin ~= nil
end

local function check_layer(layer)
  local is_module = module.is_module(layer)
  if not is_module or not layer.advance then
    errors.raise("Bidirectional: expected a recurrent layer, as in Bidirectional { LSTM { ... } }, or a module with "
      .. "advance(x, states), got a %s", is_module and layer.class_name or type(layer))
  elseif (layer.options or {}).return_state then
    errors.raise("Bidirectional: its layer is not asked for its state (return_state); advance() returns it")
  end
  local ahead, why = nil, nil
  if not is_recurrent(layer) then
    ahead, why = layer:reads_ahead()
  end
  if ahead then
    errors.raise("Bidirectional: its layers must read step by step, but %s %s", ahead:label(), why)
  end
end

function Bidirectional:init(given)
  local o = options.resolve("Bidirectional", specs, given, { "layer" })
  local layer, back = o.layer, o.backward_layer
  check_layer(layer)
  if back ~= nil then
    check_layer(back)
  elseif not is_recurrent(layer) then
    errors.raise("Bidirectional: a %s is not made again by itself; give the layer that reads backward, "
      .. "backward_layer = ...", layer.class_name)
  end
  if rawequal(layer, back) then
    errors.raise("Bidirectional: layer and backward_layer are the same; each direction has parameters of its own")
  end
  local inner = layer.options or {}
  self.options = { merge = o.merge, name = o.name, return_sequences = inner.return_sequences,
    input_size = inner.input_size, own = back ~= nil }
  self.name = o.name
  self.ahead = layer
  self.reverse = back or layer:reversed_twin()
  if back and is_recurrent(back) then
    back.reads_backward = true
  end
end

function Bidirectional.input_dims()
  return 3
end

local function lacks_size(layer)
  return layer.needs_size ~= nil and layer:needs_size()
end

function Bidirectional:needs_size()
  return lacks_size(self.ahead) or lacks_size(self.reverse)
end

-- The width of the output, nil where a class of a script's own keeps it to itself.
function Bidirectional:build(features)
  local a = self.ahead.build and self.ahead:build(features)
  local b = self.reverse.build and self.reverse:build(features)
  if not (a and b) then
    return nil
  end
  return self.options.merge == "concat" and a + b or a
end

-- The states of both directions out of one list, and back.
local function parted(self, states)
  if not states or not (is_recurrent(self.ahead) and is_recurrent(self.reverse)) then
    return states and states[1], states and states[2]
  end
  local n = #self.ahead:state_names()
  return table.move(states, 1, n, 1, {}), table.move(states, n + 1, #states, 1, {})
end

local function joined(self, ahead, reverse)
  if is_recurrent(self.ahead) and is_recurrent(self.reverse) then
    return table.move(reverse, 1, #reverse, #ahead + 1, ahead)
  end
  return { ahead, reverse }
end

local function read(layer, x, states, valid, backward)
  if is_recurrent(layer) then
    return layer:advance(x, states, valid)
  end
  return by_steps.run(layer, x, states, valid, backward)
end

function Bidirectional:advance(x, states, valid)
  if self:needs_size() then
    self:build(x:size(-1))
  end
  valid = mask.read(valid)
  local first, second = parted(self, states)
  local a, after_a = read(self.ahead, x, first, valid, false)
  local b, after_b = read(self.reverse, x, second, valid, true)
  local after = joined(self, after_a, after_b)
  if self.options.merge == "none" then
    return a, after, b
  end
  if is_recurrent(self.ahead) and is_recurrent(self.reverse) then
    return Bidirectional.merged(self.options.merge, a, b), after
  end
  return merges[self.options.merge](a, b), after -- a script's own class may hold what it gave
end

function Bidirectional:forward(x, states, how)
  local given, valid = mask.arguments(states, how)
  local y, after, second = self:advance(x, given, valid)
  release_states(after)
  return y, second
end

function Bidirectional:describe()
  local description = { kind = "Bidirectional", layer = self.ahead:describe(), merge = self.options.merge,
    name = self.options.name }
  if self.options.own then
    description.backward_layer = self.reverse:describe()
  end
  return description.layer and (description.backward_layer or not self.options.own) and description or nil
end

function Bidirectional.from_description(description)
  local back = description.backward_layer
  return Bidirectional { module.from_description(description.layer), merge = description.merge,
    name = description.name, backward_layer = back and module.from_description(back) }
end

function Bidirectional:output_text()
  return rawget(self, "_shape") or ""
end

return Bidirectional
