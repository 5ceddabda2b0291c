-- plugin_layer.lua - rondo.Layer { layer = NAME }: a layer that a plugin computes as a whole (rondo/layer.h).
--
-- Its own options are below; every other option is the plugin's, checked against its table. State is a list of
-- tensors, the caller's. Lengths, masks and resets: see mask.lua.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local layers = require "rondo.layers"
local mask = require "rondo.mask"
local module = require "rondo.module"
local options = require "rondo.options"
local random = require "rondo.random"
local tensor = require "rondo.tensor"

local own = {
  { name = "layer", kind = "string", required = true, help = "its name, as in \"rondo plugins\"" },
  layers.size("input_size", false, "features of the input; inferred"), layers.NAME, layers.SEED }

local Layer = module.library_class "Layer"
Layer.own_options = own

function Layer:init(given)
  local name = type(given) == "table" and (given.layer or given[1])
  if type(name) ~= "string" then
    options.resolve("Layer", own, given, { "layer" })
  end
  local kind, message = core.layer(name)
  if not kind then
    errors.raise("%s", message)
  end
  local specs = table.move(own, 1, #own, 1, {})
  self.options = options.resolve("Layer", table.move(kind.options, 1, #kind.options, #specs + 1, specs), given,
    { "layer" })
  self.kind, self.name, self.plugin_options = kind, self.options.name, {}
  for _, spec in ipairs(kind.options) do
    self.plugin_options[spec.name] = self.options[spec.name]
  end
  self.seed, self.number = random.claim_layer(self.options.seed)
  if self.options.input_size then
    self:build(self.options.input_size)
  end
end

function Layer.input_dims()
  return 3
end

function Layer:needs_size()
  return not rawget(self, "made")
end

function Layer:build(features)
  local o = self.options
  if rawget(self, "made") then
    if features and features ~= o.input_size then
      errors.raise("%s: input_size is %d, but its input has %d features", self:label(), o.input_size, features)
    end
  elseif not features then
    errors.raise("%s: its input is ids; put an Embedding or a OneHot before it", self:label())
  else
    o.input_size = features
    rawset(self, "made", core.plugin_layer { name = o.layer, input_size = features, options = self.plugin_options,
      label = self:label(), seed = self.seed, layer = self.number })
  end
  return self.made:output_size()
end

function Layer:own_parameters()
  local list = rawget(self, "parameters_of_it")
  if not list then
    list = {}
    for i, entry in ipairs(self.made:parameters()) do
      list[i] = { name = entry[1], tensor = entry[2] }
      module.constants[entry[2]] = not entry[2].requires_grad or nil
    end
    rawset(self, "parameters_of_it", list)
  end
  return list
end

-- What needs the whole sequence cannot be read on from chunk to chunk.
function Layer:reads_ahead()
  if not self.kind.causal then
    return self, module.WHOLE
  end
end

function Layer:advance(x, states, valid)
  if self:needs_size() then
    self:build(x:size(-1))
  end
  if x.ndim ~= 3 or x:size(3) ~= self.options.input_size then
    errors.raise("%s: expected input (batch, time, %d), got %s", self:label(), self.options.input_size,
      layers.shape_text(x))
  elseif states ~= nil and (type(states) ~= "table" or #states ~= #self.made:states()) then
    errors.raise("%s: states are a list of %d tensors, got a %s", self:label(), #self.made:states(),
      tensor.is_tensor(states) and "tensor" or type(states) ~= "table" and type(states) or "list of " .. #states)
  end
  local steps, resets = mask.given(mask.read(valid))
  return self.made:forward(x, states, steps, resets)
end

function Layer:forward(x, states, how)
  local given, valid = mask.arguments(states, how)
  local y, after = self:advance(x, given, valid)
  for _, t in ipairs(after) do
    t:release()
  end
  return y
end

function Layer:state_names()
  return self:needs_size() and {} or self.made:states()
end

function Layer:describe()
  local description = { kind = "Layer", layer = self.options.layer,
    input_size = self.options.input_size, name = self.name }
  for name, value in pairs(self.plugin_options) do
    description[name] = value
  end
  return description
end

function Layer:from_plugin()
  return "layer", self.options.layer
end

function Layer:summary_name()
  return ("%s (%s)"):format(self:label(), self.options.layer)
end

function Layer:output_text()
  return rawget(self, "_shape") or ""
end

function Layer:close()
  rawset(self, "_closed", true)
  if not self:needs_size() then
    for _, entry in ipairs(self:own_parameters()) do
      entry.tensor:release()
    end
  end
end

return { Layer = Layer }
