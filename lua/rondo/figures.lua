-- figures.lua - losses and metrics as people read them, and sources of batches in one form.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"

local figures = {}

local METRICS = { "perplexity", "bits_per_char", "accuracy" }

function figures.check_metrics(metrics)
  for _, name in ipairs(metrics or {}) do
    local known = false
    for _, metric in ipairs(METRICS) do
      known = known or metric == name
    end
    if not known then
      local near = core.nearest(tostring(name), METRICS)
      errors.raise("Trainer: unknown metric '%s'%s", tostring(name), near and (" (did you mean '%s'?)"):format(near)
        or "; metrics are " .. table.concat(METRICS, ", "))
    end
  end
end

function figures.wants(metrics, name)
  for _, metric in ipairs(metrics) do
    if metric == name then
      return true
    end
  end
  return false
end

-- Positions where the most likely class is the target. Target 0 is masked and never equal.
function figures.count_right(y, target)
  local best = y:argmax(-1)
  local same = best:eq(target)
  local sum = same:sum()
  local right = sum:item()
  sum:release()
  same:release()
  best:release()
  return right
end

-- { loss =, and each metric asked for }. chars: characters of one symbol, where the source knows.
function figures.of(loss, metrics, accuracy, chars)
  local facts = { loss = loss, accuracy = accuracy or nil }
  if figures.wants(metrics, "perplexity") then
    facts.perplexity = math.exp(loss)
  end
  if figures.wants(metrics, "bits_per_char") then
    facts.bits_per_char = loss / math.log(2) / (chars or 1)
  end
  return facts
end

-- Text of a loss with the metrics: "loss 1.5231 - perplexity 4.59".
function figures.text(facts, prefix)
  local parts = { ("%sloss %.4f"):format(prefix, facts.loss) }
  for _, name in ipairs(METRICS) do
    if facts[name] then
      parts[#parts + 1] = ("%s%s %.4g"):format(prefix, name, facts[name])
    end
  end
  return table.concat(parts, " - ")
end

local List = {}
List.__index = List

function List:__len()
  return #self.batches
end

function List:batch(k)
  return self.batches[k][1], self.batches[k][2]
end

-- A source as the Trainer wants it: an object with batch() and a length, or a list of { x, y }.
function figures.source(given)
  if type(given) == "table" and type(given.batch) == "function" then
    return given
  elseif type(given) == "table" and type(given[1]) == "table" then
    return setmetatable({ batches = given }, List)
  end
  errors.raise("fit: expected a source of batches (text:sequences { ... }) or a list of { x, y }, got %s",
    type(given) == "table" and "an empty table" or "a " .. type(given))
end

return figures
