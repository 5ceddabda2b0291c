-- layers.lua - OneHot, Linear, Dropout, LayerNorm, and what all layers share.
--
-- build(features) gives a layer its input size (nil: ids) and returns the size of its output; Sequential
-- calls it from the first layer to the last, when it is made or, where the first size is unknown, at the
-- first call.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local initial = require "rondo.initial"
local module = require "rondo.module"
local options = require "rondo.options"
local random = require "rondo.random"

local layers = {}

local size = function(name, required, help)
  return { name = name, kind = "int", min = 1, max = 1 << 24, required = required, help = help }
end
layers.size = size
local NAME = { name = "name", kind = "string", help = "how messages call the layer" }
local WEIGHT_INIT = { name = "weight_init", kind = "init", help = "initial values of the matrix" }
local BIAS_INIT = { name = "bias_init", kind = "init", vector = true, help = "initial values of the vector" }
local SEED = { name = "seed", kind = "int", min = 0, max = 0xffffffff, help = "own seed of the initial values" }

layers.NAME, layers.SEED, layers.WEIGHT_INIT = NAME, SEED, WEIGHT_INIT

local function shape_text(t)
  return "(" .. table.concat(t:size(), ", ") .. ")"
end
layers.shape_text = shape_text

-- A class with an option list. Its description, of which a constructor makes it again, leaves out what is data: tensors
-- and tables, which are in the checkpoint.
local function layer_class(name, specs, positional)
  local class = module.library_class(name)
  class.specs = specs
  function class:init(given)
    self.options = options.resolve(name, specs, given, positional)
    self.name = self.options.name
    if self.prepare then
      self:prepare()
    end
  end
  function class:describe()
    local description = { kind = name }
    for _, spec in ipairs(specs) do
      if spec.name ~= "seed" and spec.kind ~= "init" and spec.kind ~= "any" then
        description[spec.name] = self.options[spec.name]
      end
    end
    return description
  end
  function class:output_text()
    return rawget(self, "_shape") or ""
  end
  return class
end
layers.layer_class = layer_class

-- A layer inside another must have one output, since only one is handed on.
function layers.check_one_output(what, layer)
  if (rawget(layer, "options") or {}).merge == "none" then
    errors.raise("%s: a %s with merge = \"none\" has two outputs, and one is handed on; call it in a class of your own",
      what, layer:label())
  end
end

-- The size of the last dimension must be the layer's; says what was expected otherwise.
local function check_features(self, x, features)
  if features and x:size(-1) ~= features then
    errors.raise("%s: expected input (..., %d), got %s", self:label(), features, shape_text(x))
  end
end

-- A new parameter with its initial values: those of an option, or what it has by default.
local function parameter(shape, init, stream, given)
  local t = core.zeros(shape)
  t:fill_init(given and initial.values(given, shape) or init, stream)
  t.requires_grad = true
  return t
end
layers.parameter = parameter

-- OneHot { V }: ids 1..V to vectors with a single 1; products with them are gathers.
layers.OneHot = layer_class("OneHot", { size("num_classes", true, "ids are 1..num_classes"), NAME },
  { "num_classes" })

function layers.OneHot:build()
  return self.options.num_classes
end

function layers.OneHot:forward(ids)
  return core.one_hot(ids, self.options.num_classes)
end

layers.OneHot.takes_ids = true

-- Linear { out } or Linear { in, out }: y = x W^T + b.
layers.Linear = layer_class("Linear", { size("in_features", false, "features of the input; inferred"),
  size("out_features", true, "features of the output"),
  { name = "bias", kind = "bool", def = true, help = "add a vector" },
  { name = "tied_to", kind = "int", min = 1, help = "position, in the same Sequential, of the Embedding whose matrix "
    .. "this layer shares" }, WEIGHT_INIT, BIAS_INIT, NAME, SEED })

function layers.Linear:init(given)
  local positional = type(given) == "table" and #given > 1 and { "in_features", "out_features" } or { "out_features" }
  self.options = options.resolve("Linear", layers.Linear.specs, given, positional)
  self.name = self.options.name
  self.seed, self.layer = random.claim_layer(self.options.seed)
  if self.options.in_features and not self.options.tied_to then
    self:build(self.options.in_features)
  end
end

-- Shares the matrix of an Embedding (Press & Wolf 2017): it stays the Embedding's parameter, and its gradient is the
-- sum of both uses.
function layers.Linear:tie(embedding)
  local o, from = self.options, embedding.options or {}
  if embedding.class_name ~= "Embedding" then
    errors.raise("%s: tied_to = %d is a %s, expected an Embedding", self:label(), o.tied_to, embedding.class_name)
  elseif from.num_embeddings ~= o.out_features then
    errors.raise("%s: tied to %d embeddings, out_features must be %d, got %d", self:label(), from.num_embeddings,
      from.num_embeddings, o.out_features)
  elseif o.in_features and o.in_features ~= from.embedding_dim then
    errors.raise("%s: tied to embeddings of %d features, in_features must be %d, got %d", self:label(),
      from.embedding_dim, from.embedding_dim, o.in_features)
  end
  o.in_features = from.embedding_dim
  rawset(self, "weight", embedding.weight) -- not registered here a second time
  self:add_bias()
end

function layers.Linear:needs_size()
  return not rawget(self, "weight")
end

function layers.Linear:build(features)
  local o = self.options
  if rawget(self, "weight") then
    if features and features ~= o.in_features then
      errors.raise("%s: in_features is %d, but its input has %d features", self:label(), o.in_features, features)
    end
    return o.out_features
  end
  if o.tied_to then
    errors.raise("%s: tied_to names a layer of the same Sequential; this one is in none", self:label())
  end
  o.in_features = features
  self.weight = parameter({ o.out_features, features }, { kind = "default" },
    random.init_stream(self.seed, self.layer, 0), o.weight_init)
  self:add_bias()
  return o.out_features
end

function layers.Linear:add_bias()
  local o = self.options
  if o.bias then
    self.bias = parameter({ o.out_features }, { kind = "zero" }, random.init_stream(self.seed, self.layer, 1),
      o.bias_init)
  end
end

function layers.Linear:forward(x)
  if self:needs_size() then
    self:build(x:size(-1))
  end
  check_features(self, x, self.options.in_features)
  return core.linear(x, self.weight, rawget(self, "bias"))
end

-- Dropout { p }: in training zeroes with probability p and scales the rest by 1 / (1 - p).
layers.Dropout = layer_class("Dropout", { { name = "p", kind = "real", def = 0.5, min = 0, max = 0.99999,
  help = "probability of zero" }, { name = "variational", kind = "bool", def = false,
  help = "the same zeros at every step of a sequence (Gal & Ghahramani 2016)" }, NAME, SEED }, { "p" })

function layers.Dropout:prepare()
  self.seed, self.layer = random.claim_layer(self.options.seed)
end

function layers.Dropout.build(_, features)
  return features
end

function layers.Dropout:forward(x)
  local p = self.options.p
  if not self.training or p == 0 then
    return x
  end
  return core.dropout(x, p, random.dropout_stream(self.seed, self.layer), self.options.variational)
end

-- LayerNorm {}: over the last dimension, with gain and bias.
layers.LayerNorm = layer_class("LayerNorm", { size("features", false, "size of the last dimension; inferred"),
  { name = "eps", kind = "real", def = 1e-5, min = 0, help = "added to the variance" }, NAME }, { "features" })

function layers.LayerNorm:prepare()
  if self.options.features then
    self:build(self.options.features)
  end
end

function layers.LayerNorm:needs_size()
  return not rawget(self, "gain")
end

function layers.LayerNorm:build(features)
  if not rawget(self, "gain") then
    self.options.features = features
    self.gain = parameter({ features }, { kind = "constant", a = 1 }, random.init_stream(0, 0, 0))
    self.bias = parameter({ features }, { kind = "zero" }, random.init_stream(0, 0, 1))
  elseif features and features ~= self.options.features then
    errors.raise("%s: features is %d, but its input has %d", self:label(), self.options.features, features)
  end
  return self.options.features
end

function layers.LayerNorm:forward(x)
  if self:needs_size() then
    self:build(x:size(-1))
  end
  check_features(self, x, self.options.features)
  return core.layer_norm(x, self.gain, self.bias, self.options.eps)
end

return layers
