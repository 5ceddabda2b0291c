-- embedding.lua - Embedding { V, E }: ids 1..V to rows of a (V, E) matrix; id 0 gives zeros.
--
-- The matrix may be given (weights = tensor or table) and left as it is (frozen = true): it stays a parameter and is
-- saved, but gets no gradient until unfreeze(). dropout takes whole rows, for all places of an update at once (Gal and
-- Ghahramani 2016; Merity et al. 2018): the mask is one number for each id, keyed by layer and update.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local layers = require "rondo.layers"
local random = require "rondo.random"
local tensor = require "rondo.tensor"

local Embedding = layers.layer_class("Embedding", {
  layers.size("num_embeddings", false, "ids are 1..num_embeddings; required without weights"),
  layers.size("embedding_dim", false, "features of one id; required without weights"),
  { name = "weights", kind = "any", help = "a matrix (num_embeddings, embedding_dim), tensor or table; it is copied" },
  { name = "frozen", kind = "bool", def = false, help = "the matrix is not trained; model:unfreeze() ends it" },
  { name = "dropout", kind = "real", def = 0.0, min = 0, max = 0.99999,
    help = "probability that an id gives zeros for an update in training" },
  layers.WEIGHT_INIT, layers.NAME, layers.SEED }, { "num_embeddings", "embedding_dim" })

Embedding.takes_ids = true
Embedding.masks_ids = true -- what follows it in a Sequential leaves out steps of id 0

-- The matrix given, checked, or nil.
local function given_weights(self)
  local o = self.options
  local weights = o.weights
  if type(weights) == "table" then
    weights = core.tensor(weights)
  elseif weights ~= nil and not tensor.is_tensor(weights) then
    errors.raise("Embedding: option 'weights' must be a tensor or a table of rows, got a %s", type(weights))
  end
  for i, name in ipairs { "num_embeddings", "embedding_dim" } do
    if not weights and not o[name] then
      errors.raise("Embedding: option '%s' is required", name)
    elseif weights and weights.ndim ~= 2 then
      errors.raise("Embedding: option 'weights' must be (num_embeddings, embedding_dim), got %s",
        layers.shape_text(weights))
    elseif weights and o[name] and o[name] ~= weights:size(i) then
      errors.raise("Embedding: %s is %d, but weights are %s", name, o[name], layers.shape_text(weights))
    end
    o[name] = o[name] or weights:size(i)
  end
  if weights and o.weight_init then
    errors.raise("Embedding: weights are the matrix; leave out weight_init")
  elseif weights and not weights:is_finite() then
    errors.raise("Embedding: option 'weights' holds numbers that are not finite")
  end
  return weights
end

function Embedding:prepare()
  local o = self.options
  local weights = given_weights(self)
  self.seed, self.layer = random.claim_layer(o.seed)
  self.weight = layers.parameter({ o.num_embeddings, o.embedding_dim }, { kind = "normal", a = 0, b = 1 },
    random.init_stream(self.seed, self.layer, 0), o.weight_init)
  if weights then
    tensor.no_grad(self.weight.copy, self.weight, weights)
  end
  self.weight.requires_grad = not o.frozen
  o.weights = nil
end

function Embedding:build()
  return self.options.embedding_dim
end

function Embedding:forward(ids)
  local p = self.options.dropout
  local y = core.embedding(ids, self.weight)
  if not self.training or p == 0 then
    return y
  end
  local ones <close> = core.full({ 1, self.options.num_embeddings }, 1)
  local stream = random.dropout_stream(self.seed, self.layer)
  local kept <close> = core.dropout(ones, p, stream, true) -- whichever steps are run, the mask is one
  local column <close> = kept:reshape { self.options.num_embeddings, 1 }
  local factors <close> = core.embedding(ids, column)
  local dropped = y * factors
  y:release()
  return dropped
end

return { Embedding = Embedding }
