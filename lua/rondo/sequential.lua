-- sequential.lua - Sequential { layer, layer, ... }: one layer after the other.
--
-- Sizes are inferred when it is made if the first layer gives its own, else at the first call. Carried
-- state is a table with one entry for each layer that has state: the caller owns it (advance). A mask goes from layer
-- to layer until one gives no sequence; where none is given, an Embedding's ids are it (mask.lua). What is a list of
-- layers besides (residual.lua) has the same methods.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local layers = require "rondo.layers"
local mask = require "rondo.mask"
local module = require "rondo.module"

local Sequential = module.library_class "Sequential"

-- The layers of a constructor's list become parts 1, 2, ... `example` ends the message about one that has none.
function Sequential:take(given, example)
  if type(given) ~= "table" or module.is_module(given) or #given == 0 then
    errors.raise("%s: expected a list of layers, as in %s", self.class_name, example)
  end
  for i = 1, #given do
    if not module.is_module(given[i]) then
      errors.raise("%s: layer %d is a %s, expected a layer", self.class_name, i, type(given[i]))
    end
    layers.check_one_output(self.class_name, given[i])
  end
  for i, layer in ipairs(given) do
    self[i] = layer
    if not layer.name then
      layer.name = "layer " .. i
    end
  end
  rawset(self, "_n", #given)
end

-- Is the size of the input known, and the size, nil for ids?
local function first_features(layer)
  local o = layer.options or {}
  local inner = layer.passes_mask and (layer[1] or layer.layer) -- it holds layers
  if layer.takes_ids then
    return true, nil
  elseif inner then
    return first_features(inner)
  end
  local features = o.input_size or o.in_features or o.features
  return features ~= nil, features
end

-- Is its input ids?
local function ids_first(layer)
  local known, features = first_features(layer)
  return known and not features
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

-- Gives every layer its input size. text: the dimensions before the features, as the summary shows them; a layer
-- whose output has others returns them.
function Sequential:build(features, text)
  text = text or "(batch, time"
  for i = 1, #self do
    local layer, others = self[i], nil
    tie(self, layer, i)
    if layer.build and (features or i == 1 or layer.takes_ids) then
      features, others = layer:build(features, text)
    else
      features = nil -- behind a user's class sizes are known at the first call
    end
    text = others or text
    if layer.options and layer.options.return_sequences == false then
      text = "(batch"
    end
    if features then
      rawset(layer, "_shape", ("%s, %d)"):format(text, features))
    end
  end
  self._built = true
  return features, text
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
  return self._n
end

-- y and the states after: `states` has an entry for each layer with state, or is nil for first values. Third, what
-- the mask has become. last: the layer to end with, where nothing but states is asked for.
function Sequential:advance(input, states, valid, last)
  if self:needs_size() then
    self:build(input:size(-1))
  end
  valid = mask.read(valid)
  local x, after, ours = input, {}, false -- ours: made between two library layers, nobody else holds it
  for i = 1, last or #self do
    local layer, y = self[i]
    local library = module.is_library(layer)
    if layer.masks_ids and x.ndim == 2 then
      valid = mask.of_ids(valid, x)
    end
    if layer.passes_mask and library then
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

-- Releases the tensors of a state, of whatever shape a layer or a script has it.
local function release_states(states)
  if type(states) == "userdata" then
    states:release()
  elseif type(states) == "table" then
    for _, part in pairs(states) do
      release_states(part)
    end
  end
end

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
  local description = { kind = self.class_name, layers = {} }
  for i = 1, #self do
    local inner = self[i]:describe()
    if not inner then
      return nil
    end
    description.layers[i] = inner
  end
  for name, value in pairs(rawget(self, "options") or {}) do
    description[name] = name ~= "seed" and value or nil
  end
  return description
end

function Sequential:output_text()
  return rawget(self, "_shape") or ""
end

-- Rebuilds a class that holds a list of layers from its description, the list beside its options.
local function rebuilt_by(class)
  return function(description)
    local given = {}
    if type(description.layers) ~= "table" or #description.layers == 0 then
      error(("the file describes a %s without layers"):format(class.class_name), 0)
    end
    for key, value in pairs(description) do
      given[key] = key ~= "kind" and key ~= "layers" and value or nil
    end
    for i, inner in ipairs(description.layers) do
      given[i] = module.from_description(inner)
    end
    return class(given)
  end
end

function Sequential:init(given)
  self:take(given, "Sequential { LSTM { ... }, Linear { 1 } }")
  for key in pairs(given) do
    if math.type(key) ~= "integer" then
      errors.raise("Sequential: unknown option '%s'; it takes a list of layers", tostring(key))
    end
  end
  self:try_build()
end

Sequential.passes_mask = true -- advance() returns, third, what the mask has become
Sequential.from_description = rebuilt_by(Sequential)

local OWN = { init = true, from_description = true, summary_name = true }

-- Another class that holds a list of layers: all that a Sequential has but for what is its own.
function Sequential.list_class(name)
  local class = module.library_class(name)
  for key, value in pairs(Sequential) do
    if type(value) == "function" and not OWN[key] then
      class[key] = value
    end
  end
  class.passes_mask, class.from_description = true, rebuilt_by(class)
  return class
end

Sequential.ids_first = ids_first
Sequential.release_states = release_states

function Sequential.summary_name()
  return "Sequential"
end

return Sequential
