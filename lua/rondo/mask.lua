-- mask.lua - which steps of a batch count, and where sequences begin, as it travels with the call of a module.
--
-- A mask is a tensor (batch, time) that is 0 where a step is absent, so ids are one themselves, or (batch) lengths.
-- Resets are a tensor (batch, time) that is 1 where a step begins another sequence than the one before.
-- AUTO stands for "not given": the first Embedding that is called with ids (batch, time) makes the mask. Only a call of
-- a whole model does so; a stream that is read on from chunk to chunk (advance) takes id 0 as an input of zeros.
-- What travels from layer to layer is nil (all steps count), a mask, AUTO, or one of these with resets.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local tensor = require "rondo.tensor"

local mask = {}

mask.AUTO = setmetatable({}, { __tostring = function() return "mask of the ids" end })

local WithResets = { __name = "rondo.WithResets" } -- { mask = what travels without, resets = tensor }

local function as_tensor(what, value)
  if type(value) == "table" then
    return core.tensor(value)
  elseif not tensor.is_tensor(value) then
    errors.raise("%s must be a tensor or a table of numbers, got a %s", what, type(value))
  end
  return value
end

local function travels(how)
  return how == mask.AUTO or tensor.is_tensor(how) or getmetatable(how) == WithResets
end

-- What is to travel: of { lengths =, mask =, resets = }, or what travels already. `otherwise` stands where no mask is
-- given; mask = false says that all steps count.
function mask.read(how, otherwise)
  if how == nil then
    return otherwise
  elseif travels(how) then
    return how
  elseif type(how) ~= "table" then
    errors.raise("expected { lengths =, mask =, resets = } after the states, got a %s", type(how))
  end
  for key in pairs(how) do
    if key ~= "lengths" and key ~= "mask" and key ~= "resets" then
      local near = core.nearest(tostring(key), { "lengths", "mask", "resets" })
      errors.raise("unknown option '%s' beside the input%s", tostring(key), near
        and (" (did you mean '%s'?)"):format(near) or "; options are lengths, mask, resets")
    end
  end
  local valid = otherwise
  if how.lengths ~= nil and how.mask ~= nil then
    errors.raise("lengths and mask say the same; give one of them")
  elseif how.lengths ~= nil then
    valid = as_tensor("lengths", how.lengths)
  elseif how.mask ~= nil then
    valid = how.mask and as_tensor("mask", how.mask) or nil
  end
  if how.resets ~= nil then
    return setmetatable({ mask = valid, resets = as_tensor("resets", how.resets) }, WithResets)
  end
  return valid
end

-- The arguments after a module's input: states, and what mask.read takes, which may come alone.
function mask.arguments(states, how)
  local alone = type(states) == "table" and type(next(states)) == "string" -- states are a list, or by layer
  if how == nil and alone then
    states, how = nil, states
  end
  return states, mask.read(how, mask.AUTO)
end

-- What travels on behind a layer that makes a mask of its ids.
function mask.of_ids(valid, ids)
  if valid == mask.AUTO then
    return ids
  elseif getmetatable(valid) == WithResets and valid.mask == mask.AUTO then
    return setmetatable({ mask = ids, resets = valid.resets }, WithResets)
  end
  return valid
end

-- The mask and the resets that a recurrent layer is to use; nil where there are none.
function mask.given(valid)
  if getmetatable(valid) == WithResets then
    return mask.given(valid.mask), valid.resets
  end
  return valid ~= mask.AUTO and valid or nil, nil
end

return mask
