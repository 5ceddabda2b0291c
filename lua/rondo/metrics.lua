-- metrics.lua - figures of a model on data, gathered batch by batch.
--
-- Names: perplexity, bits_per_char, accuracy, top_<k>_accuracy or { "top_k", k = 5 }, f1_macro (or f1), f1_micro.
-- Accuracy is by ids where the target has a dimension less than the output, else by the sign of logits against
-- 0 and 1. A target of 0, or a weight of 0, does not count.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local options = require "rondo.options"

local metrics = {}

local NAMES = { "perplexity", "bits_per_char", "accuracy", "top_5_accuracy", "f1_macro", "f1_micro" }

local function name_of(given)
  if type(given) == "table" and given[1] == "top_k" then
    local o = options.resolve("metric top_k", { { name = "name", kind = "string" },
      { name = "k", kind = "int", required = true, min = 1, help = "how many guesses" } }, given, { "name" })
    return ("top_%d_accuracy"):format(o.k)
  end
  return given == "f1" and "f1_macro" or given
end

-- The names of a Trainer's `metrics`; raises for one that is not known.
function metrics.check(list)
  local checked = {}
  for i, given in ipairs(list or {}) do
    local name = name_of(given)
    local known = type(name) == "string" and tonumber(name:match "^top_(%d+)_accuracy$") or 0
    for _, metric in ipairs(NAMES) do
      known = metric == name and 1 or known
    end
    if known < 1 then
      local near = core.nearest(tostring(name), NAMES)
      errors.raise("Trainer: unknown metric '%s'%s", tostring(name), near and (" (did you mean '%s'?)"):format(near)
        or "; metrics are " .. table.concat(NAMES, ", "))
    end
    checked[i] = name
  end
  return checked
end

function metrics.wants(list, name)
  for _, metric in ipairs(list) do
    if metric == name then
      return true
    end
  end
  return false
end

-- ---- what is gathered: each has add(y, target, weight) and a value ---------------------------------------

local function total(t)
  local sum = t:sum()
  local value = sum:item()
  sum:release()
  return value
end

-- Hits and positions of logits against 0 and 1.
local function binary_hits(y, target, weight)
  local same <close> = y:gt(0):eq(target:gt(0.5))
  if not weight then
    return total(same), y:numel()
  end
  local counted <close> = core.full(y:size(), 1) * weight:ne(0)
  return total(same * counted), total(counted)
end

local function hits_meter(k)
  local hits, positions = 0, 0
  return {
    add = function(y, target, weight)
      local h, n
      if y.ndim == target.ndim then
        h, n = binary_hits(y, target, weight)
      else
        h, n = core.count_hits(y, target, k)
      end
      hits, positions = hits + h, positions + n
    end,
    value = function() return hits / math.max(positions, 1) end,
  }
end

-- F1 = 2 right / (guessed + wanted); macro: its mean over the classes that occur on either side.
local function f1_meter(micro)
  local counts, classes = { right = {}, guessed = {}, wanted = {} }, 0
  return {
    add = function(y, target)
      core.count_classes(y, target, counts)
      classes = math.max(classes, y:size(-1))
    end,
    value = function()
      local sum, n, right, both = 0, 0, 0, 0
      for class = 1, classes do
        local here = (counts.guessed[class] or 0) + (counts.wanted[class] or 0)
        if here > 0 then
          local good = counts.right[class] or 0
          sum, n = sum + 2 * good / here, n + 1
          right, both = right + good, both + here
        end
      end
      return micro and 2 * right / math.max(both, 1) or sum / math.max(n, 1)
    end,
  }
end

-- The loss in nats, without the class weights and the smoothing that a training may have.
local function nats_meter(loss)
  local nats, positions = 0.0, 0.0
  local plain = type(loss) ~= "table" or loss.class_name ~= "CrossEntropyLoss" or loss.plain
  return {
    add = function(y, target, _, sum, count)
      if not plain then
        local t
        t, sum, count = core.cross_entropy(y, target, "sum")
        t:release()
      end
      nats, positions = nats + sum, positions + count
    end,
    value = function() return nats / math.max(positions, 1) end,
  }
end

-- A meter over the batches of one source: add(y, target, weight, sum, count), then facts().
function metrics.meter(list, loss, source)
  local sum, count, nats, meters = 0.0, 0.0, nil, {}
  for _, name in ipairs(list) do
    local k = tonumber(name:match "^top_(%d+)_accuracy$") or name == "accuracy" and 1
    if k then
      meters[name] = hits_meter(math.tointeger(k))
    elseif name == "f1_macro" or name == "f1_micro" then
      meters[name] = f1_meter(name == "f1_micro")
    else
      nats = nats or nats_meter(loss)
    end
  end
  local meter = {}

  function meter.add(y, target, weight, batch_sum, batch_count)
    sum, count = sum + batch_sum, count + batch_count
    if nats then
      nats.add(y, target, weight, batch_sum, batch_count)
    end
    for _, m in pairs(meters) do
      m.add(y, target, weight)
    end
  end

  -- { loss =, and each metric asked for }.
  function meter.facts()
    local facts = { loss = sum / math.max(count, 1) }
    for name, m in pairs(meters) do
      facts[name] = m.value()
    end
    if metrics.wants(list, "perplexity") then
      facts.perplexity = math.exp(nats.value())
    end
    if metrics.wants(list, "bits_per_char") then
      facts.bits_per_char = nats.value() / math.log(2) / (source.chars_per_symbol or 1)
    end
    return facts
  end
  return meter
end

return metrics
