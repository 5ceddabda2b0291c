-- data/chorales.lua - pieces as keys of a piano that are down (the catalog's jsb): reading them, batches, the loss.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local batches = require "rondo.data.batches"
local loss = require "rondo.loss"

local chorales = { keys = 88 }
local KEYS = chorales.keys

-- A piece a line, a step a word: its keys from 0 on with commas between, or "-". Tensors (steps, keys).
function chorales.read(path)
  local pieces = {}
  for line in io.lines(path) do
    local values, steps = {}, 0
    for step in line:gmatch "%S+" do
      for key = 1, KEYS do
        values[steps * KEYS + key] = 0
      end
      for key in step:gmatch "%d+" do
        values[steps * KEYS + key + 1] = 1
      end
      steps = steps + 1
    end
    pieces[#pieces + 1] = core.tensor(values, { steps, KEYS })
  end
  return pieces
end

-- Every frame but the first is expected from those before it.
function chorales.batches(pieces, batch_size, shuffle)
  local x, y = {}, {}
  for i, piece in ipairs(pieces) do
    x[i], y[i] = piece:slice(1, 1, piece:size(1) - 1), piece:slice(1, 2, piece:size(1))
  end
  return batches.Batches { x = x, y = y, batch_size = batch_size, shuffle = shuffle }
end

-- Binary cross-entropy, summed over the keys: one number a frame.
function chorales.nats()
  local bce = loss.BCEWithLogitsLoss()
  return function(output, target, weight)
    local value, sum, n = bce(output, target, weight)
    return value, sum, n / KEYS
  end
end

return chorales
