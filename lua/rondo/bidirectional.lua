-- bidirectional.lua - Bidirectional { layer, merge = }: a recurrent layer and its like that reads backward.
--
-- Each direction has parameters of its own; a stack of several layers runs whole in each, unlike the option
-- bidirectional = true of the stack, which merges after every layer. State is a list: forward, then reverse.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local mask = require "rondo.mask"
local module = require "rondo.module"
local options = require "rondo.options"

local Bidirectional = module.library_class "Bidirectional"

local specs = {
  { name = "layer", kind = "any", required = true, help = "the recurrent layer that reads forward" },
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

function Bidirectional:init(given)
  local o = options.resolve("Bidirectional", specs, given, { "layer" })
  local layer = o.layer
  if not module.is_module(layer) or not layer.reversed_twin then
    errors.raise("Bidirectional: expected a recurrent layer, as in Bidirectional { LSTM { ... } }, got a %s",
      module.is_module(layer) and layer.class_name or type(layer))
  elseif layer.options.return_state then
    errors.raise("Bidirectional: its layer is not asked for its state (return_state); advance() returns it")
  end
  self.options = { merge = o.merge, name = o.name, return_sequences = layer.options.return_sequences,
    input_size = layer.options.input_size }
  self.name = o.name
  self.ahead = layer
  self.reverse = layer:reversed_twin()
end

function Bidirectional.input_dims()
  return 3
end

function Bidirectional:needs_size()
  return self.ahead:needs_size()
end

function Bidirectional:build(features)
  local width = self.ahead:build(features)
  self.reverse:build(features)
  return self.options.merge == "concat" and 2 * width or width
end

function Bidirectional:advance(x, states, valid)
  if self:needs_size() then
    self:build(x:size(-1))
  end
  valid = mask.read(valid)
  local n = #self.ahead:state_names()
  local mine = states and table.move(states, n + 1, #states, 1, {})
  local a, after = self.ahead:advance(x, states and table.move(states, 1, n, 1, {}), valid)
  local b, rest = self.reverse:advance(x, mine, valid)
  table.move(rest, 1, #rest, n + 1, after)
  if self.options.merge == "none" then
    return a, after, b
  end
  return Bidirectional.merged(self.options.merge, a, b), after
end

function Bidirectional:forward(x, states, how)
  local given, valid = mask.arguments(states, how)
  local y, after, second = self:advance(x, given, valid)
  for _, t in ipairs(after) do
    t:release()
  end
  return y, second
end

function Bidirectional:describe()
  return { kind = "Bidirectional", layer = self.ahead:describe(), merge = self.options.merge, name = self.options.name }
end

function Bidirectional.from_description(description)
  return Bidirectional { module.from_description(description.layer), merge = description.merge,
    name = description.name }
end

function Bidirectional:output_text()
  return rawget(self, "_shape") or ""
end

return Bidirectional
