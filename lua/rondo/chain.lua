-- chain.lua - which models are a chain of layers that C runs from symbol to symbol (rondo.h).
--
-- Library layers that map one step to one step: OneHot or Embedding, recurrent layers, Linear, LayerNorm; Dropout is
-- nothing in evaluation. Whatever else a model is, its own advance() is called for each symbol.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local module = require "rondo.module"

local chain = {}

-- By class: adds the links of a layer to a list, and says whether it could.
local adders = {}

function adders.OneHot(layer, list)
  list[#list + 1] = { kind = "one_hot", classes = layer.options.num_classes }
  return true
end

function adders.Embedding(layer, list)
  list[#list + 1] = { kind = "embedding", weight = layer.weight }
  return true
end

function adders.Linear(layer, list)
  list[#list + 1] = { kind = "linear", weight = layer.weight, bias = rawget(layer, "bias") }
  return true
end

function adders.LayerNorm(layer, list)
  list[#list + 1] = { kind = "layer_norm", weight = layer.gain, bias = layer.bias, eps = layer.options.eps }
  return true
end

function adders.Dropout()
  return true
end

local function recurrent(layer, list)
  if layer.options.bidirectional or layer.reads_backward or next(layer.joined) or layer.cell_in_lua then
    return false
  end
  for _, one in ipairs(layer.stack) do
    list[#list + 1] = { kind = "rnn", rnn = one, first = layer.first[one] or nil }
  end
  return true
end

for _, name in ipairs { "RNN", "VanillaRNN", "LSTM", "GRU" } do
  adders[name] = recurrent
end

local function is_library(part)
  return module.kinds[part.class_name] == getmetatable(part)
end

-- The links of a model; nil where it is no chain, or is not built yet.
function chain.links(model)
  if model.class_name ~= "Sequential" or not is_library(model) or model:needs_size() then
    return nil
  end
  local list = {}
  for i = 1, #model do
    local add = is_library(model[i]) and adders[model[i].class_name]
    if not add or not add(model[i], list) then
      return nil
    end
  end
  local first, last = list[1], list[#list]
  local ids = first.kind == "one_hot" and first.classes or first.kind == "embedding" and first.weight:size(1)
  if last.kind ~= "linear" or last.weight:size(1) ~= ids or (first.kind == "one_hot" and list[2].kind ~= "rnn") then
    return nil
  end
  return list
end

-- The model as a chain for so many texts at once, or nil.
function chain.of(model, rows)
  local list = chain.links(model)
  return list and core.chain(rows, list)
end

-- The states of a model's advance() as a chain takes them.
function chain.states(model, states)
  local list = {}
  for i = 1, #model do
    if adders[model[i].class_name] == recurrent then
      table.move(states[i], 1, #states[i], #list + 1, list)
    end
  end
  return list
end

return chain
