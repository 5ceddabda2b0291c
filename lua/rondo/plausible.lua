-- plausible.lua - could a model of this description have the parameters that are in the file with it?
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"

-- Elements of the file's parameters, and never less than a model that any machine holds.
local function element_limit(archive)
  local total = 1 << 24
  for _, name in ipairs(archive:names "model/") do
    local n = 1
    for _, size in ipairs(archive:shape(name)) do
      n = n * size
    end
    total = total + n
  end
  return total
end

-- The largest number that a layer of a plugin makes matrices of.
local function widest(description)
  local layer = description.kind == "Layer" and type(description.layer) == "string" and core.layer(description.layer)
  local most = 1
  for _, spec in ipairs(layer and layer.options or {}) do
    local value = description[spec.name]
    most = spec.shape and spec.kind == "int" and type(value) == "number" and math.max(most, value) or most
  end
  return most
end

-- A description may be forged: none of its matrices may be larger than what the file holds.
local function fits(description, limit)
  local function size(name)
    local value = description[name]
    return type(value) == "number" and value or 1
  end
  if size "num_embeddings" * size "embedding_dim" > limit or size "in_features" * size "out_features" > limit
    or size "hidden_size" * math.max(size "hidden_size", size "input_size") * size "num_layers" > limit
    or size "horizon" * size "targets" * math.max(size "hidden_size", size "ar_window") > limit
    or size "num_classes" > limit or size "features" > limit or widest(description) * size "input_size" > limit then
    return false
  end
  for _, inner in ipairs(type(description.layers) == "table" and description.layers or {}) do
    if type(inner) ~= "table" or not fits(inner, limit) then
      return false
    end
  end
  return true
end

return function(description, archive)
  return fits(description, element_limit(archive))
end
