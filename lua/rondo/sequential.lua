-- sequential.lua - Sequential { layer, layer, ... }: one layer after the other.
--
-- Sizes are inferred when it is made if the first layer gives its own, else at the first call. Carried
-- state is a table with one entry for each layer that has state: the caller owns it (advance). A mask goes from layer
-- to layer until one gives no sequence; where none is given, an Embedding's ids are it (mask.lua).
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local mask = require "rondo.mask"
local module = require "rondo.module"

local Sequential = module.library_class "Sequential"

function Sequential:init(given)
  if type(given) ~= "table" or module.is_module(given) or #given == 0 then
    errors.raise("Sequential: expected a list of layers, as in Sequential { LSTM { ... }, Linear { 1 } }")
  end
  for key, layer in pairs(given) do
    if math.type(key) ~= "integer" then
      errors.raise("Sequential: unknown option '%s'; it takes a list of layers", tostring(key))
    elseif not module.is_module(layer) then
      errors.raise("Sequential: layer %d is a %s, expected a layer", key, type(layer))
    end
  end
  for i, layer in ipairs(given) do
    self[i] = layer
    if not layer.name then
      layer.name = "layer " .. i
    end
  end
  self:try_build()
end

local function first_features(layer)
  local o = layer.options or {}
  if layer.takes_ids then
    return true, nil
  end
  local features = o.input_size or o.in_features or o.features
  return features ~= nil, features
end

-- Dimensions of the output as the summary shows them.
local function shape_after(layer, text, features)
  if layer.options and layer.options.return_sequences == false then
    text = "(batch"
  end
  rawset(layer, "_shape", ("%s, %d)"):format(text, features))
  return text
end

-- A Linear that shares the matrix of an Embedding before it gets it here.
local function tie(self, layer, i)
  local from = layer.options and layer.options.tied_to
  if not from or rawget(layer, "weight") then
    return
  elseif from >= i then
    errors.raise("%s: tied_to must be the position of a layer before it, 1..%d, got %d", layer:label(), i - 1, from)
  end
  layer:tie(self[from])
end

-- Gives every layer its input size.
function Sequential:build(features)
  local text = "(batch, time"
  for i = 1, #self do
    local layer = self[i]
    tie(self, layer, i)
    if layer.build then
      features = layer:build(features) or features
    elseif layer.class_name ~= "Dropout" then
      features = nil -- a user's class: what it gives is known at the first call
    end
    if features then
      text = shape_after(layer, text, features)
    end
  end
  self._built = true
  return features
end

function Sequential:try_build()
  local known, features = first_features(self[1])
  if known then
    self:build(features)
  end
end

function Sequential:needs_size()
  return not rawget(self, "_built")
end

function Sequential:__len()
  return #self._order
end

local function is_library(layer)
  return module.kinds[layer.class_name] == getmetatable(layer)
end

-- y and the states after: `states` has an entry for each layer with state, or is nil for first values. Third, what
-- the mask has become.
function Sequential:advance(input, states, valid)
  if self:needs_size() then
    self:build(input:size(-1))
  end
  valid = mask.read(valid)
  local x, after, ours = input, {}, false -- ours: made between two library layers, nobody else holds it
  for i = 1, #self do
    local layer, y = self[i]
    local library = is_library(layer)
    if layer.masks_ids and x.ndim == 2 then
      valid = mask.of_ids(valid, x)
    end
    if layer.class_name == "Sequential" and library then
      y, after[i], valid = layer:advance(x, states and states[i], valid)
    elseif layer.advance then
      y, after[i] = layer:advance(x, states and states[i], valid)
      valid = (layer.options or {}).return_sequences ~= false and valid or nil
    else
      y = layer:forward(x, nil, not library and valid or nil)
    end
    if not rawequal(y, x) then
      if ours and library then
        x:release()
      end
      ours = library
    end
    x = y
  end
  return x, after, valid
end

function Sequential:input_dims()
  local first = self[1]
  return first.takes_ids and 2 or first:input_dims()
end

local function release_states(states)
  for _, entry in pairs(states) do
    for _, t in pairs(entry) do
      if type(t) == "userdata" then
        t:release()
      else
        release_states({ t })
      end
    end
  end
end
Sequential.release_states = release_states

-- y, and the state of the last layer where it returns one.
function Sequential:forward(x, states, how)
  local given, valid = mask.arguments(states, how)
  local y, after = self:advance(x, given, valid)
  local last = self[#self]
  if last.options and last.options.return_state then
    return y, after[#self]
  end
  release_states(after)
  return y
end

function Sequential:describe()
  local description = { kind = "Sequential", layers = {} }
  for i = 1, #self do
    local inner = self[i]:describe()
    if not inner then
      return nil
    end
    description.layers[i] = inner
  end
  return description
end

function Sequential.from_description(description)
  local list = {}
  if type(description.layers) ~= "table" or #description.layers == 0 then
    error("the file describes a Sequential without layers", 0)
  end
  for i, inner in ipairs(description.layers) do
    list[i] = module.from_description(inner)
  end
  return Sequential(list)
end

function Sequential.summary_name()
  return "Sequential"
end

return Sequential
