-- mask.lua - which steps of a batch count, as it travels with the call of a module.
--
-- A mask is a tensor (batch, time) that is 0 where a step is absent, so ids are one themselves, or (batch) lengths.
-- AUTO stands for "not given": the first Embedding that is called with ids (batch, time) makes it. Only a call of a
-- whole model does so; a stream that is read on from chunk to chunk (advance) takes id 0 as an input of zeros.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local tensor = require "rondo.tensor"

local mask = {}

mask.AUTO = setmetatable({}, { __tostring = function() return "mask of the ids" end })

local function as_tensor(what, value)
  if type(value) == "table" then
    return core.tensor(value)
  elseif not tensor.is_tensor(value) then
    errors.raise("%s must be a tensor or a table of numbers, got a %s", what, type(value))
  end
  return value
end

-- The arguments after a module's input: states, and { lengths = } or { mask = }, which may come alone. Returns the
-- states and the mask: a tensor, nil where mask = false says that all steps count, or AUTO.
function mask.arguments(states, how)
  if how == nil and type(states) == "table" and (states.lengths ~= nil or states.mask ~= nil) then
    states, how = nil, states
  end
  if how == nil then
    return states, mask.AUTO
  elseif type(how) ~= "table" then
    errors.raise("expected { lengths = ... } or { mask = ... } after the states, got a %s", type(how))
  end
  for key in pairs(how) do
    if key ~= "lengths" and key ~= "mask" then
      errors.raise("unknown option '%s' beside the input; options are lengths, mask", tostring(key))
    end
  end
  if how.lengths ~= nil and how.mask ~= nil then
    errors.raise("lengths and mask say the same; give one of them")
  elseif how.lengths ~= nil then
    return states, as_tensor("lengths", how.lengths)
  end
  return states, how.mask and as_tensor("mask", how.mask) or nil
end

-- What a recurrent layer is to use.
function mask.given(value)
  return value ~= mask.AUTO and value or nil
end

return mask
