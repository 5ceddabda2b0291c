-- metrics.lua - figures of a model on data, gathered batch by batch.
--
-- Names: perplexity, bits_per_char, accuracy, top_<k>_accuracy or { "top_k", k = 5 }, f1_macro (or f1), f1_micro; or a
-- table { name =, meter = function(self) -> { add(y, target, weight), value(), figures() } }, as SpanF1 makes, where
-- figures() is not needed and gives more of them by name. Accuracy is by ids where the target has a dimension less
-- than the output, else by the sign of logits against 0 and 1. A target of 0, or a weight of 0, does not count.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local figures = require "rondo.figures"
local options = require "rondo.options"
local spans = require "rondo.spans"
local tokens = require "rondo.data.tokens"

local metrics = {}

local NAMES = { "perplexity", "bits_per_char", "accuracy", "top_5_accuracy", "f1_macro", "f1_micro" }
local FORECASTS = {} -- figures of a Forecast, on the scale of the data
for _, name in ipairs(require("rondo.forecast.metrics").names) do
  FORECASTS[name], NAMES[#NAMES + 1] = true, name
end

local function name_of(given)
  if type(given) == "table" and given[1] == "top_k" then
    local o = options.resolve("metric top_k", { { name = "name", kind = "string" },
      { name = "k", kind = "int", required = true, min = 1, help = "how many guesses" } }, given, { "name" })
    return ("top_%d_accuracy"):format(o.k)
  end
  return given == "f1" and "f1_macro" or given
end

-- The names of a Trainer's `metrics`; raises for one that is not known. What is no name stands in field `made`.
function metrics.check(list)
  local checked = { made = {} }
  for i, given in ipairs(list or {}) do
    local own = type(given) == "table" and type(given.name) == "string" and type(given.meter) == "function"
    if own then
      checked.made[given.name] = given
    end
    checked[i] = own and given.name or metrics.known(given)
  end
  return checked
end

-- The name of a metric of the library.
function metrics.known(given)
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
  return name
end

function metrics.wants(list, name)
  for _, metric in ipairs(list) do
    if metric == name then
      return true
    end
  end
  return false
end

-- The names among them that are figures of a Forecast, nil where there are none. Only windows of a series have them.
function metrics.of_forecasts(list, source)
  local found = {}
  for _, name in ipairs(list) do
    found[#found + 1] = FORECASTS[name] and name or nil
  end
  if found[1] and source and not require("rondo.data.windows").is_windows(source) then
    errors.raise("metric '%s' is of forecasts on the scale of the data: it needs windows of a series, "
      .. "part:windows { ... }", found[1])
  end
  return found[1] and found or nil
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
    value = function() return figures.mean(hits, positions) end,
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

-- ---- spans of tags ----------------------------------------------------------------------------------------

local SpanF1 = { name = "span_f1" }
SpanF1.__index = SpanF1

-- Compares a row's tags as conlleval does; right, guessed and wanted are counts of spans.
local function compare_spans(tags, counts, guessed, wanted)
  local open, g, w, g_kind, w_kind = false, "O", "O", "", ""
  local function step(guess, want)
    local g2, g2_kind, w2, w2_kind = guess[1], guess[2], want[1], want[2]
    local end_g, end_w = spans.ends(g, g2, g_kind, g2_kind), spans.ends(w, w2, w_kind, w2_kind)
    local begin_g, begin_w = spans.begins(g, g2, g_kind, g2_kind), spans.begins(w, w2, w_kind, w2_kind)
    if open and end_g and end_w and g_kind == w_kind then
      counts.right, open = counts.right + 1, false
    elseif open and (end_g ~= end_w or g2_kind ~= w2_kind) then
      open = false
    end
    open = open or (begin_g and begin_w and g2_kind == w2_kind)
    counts.guessed, counts.wanted = counts.guessed + (begin_g and 1 or 0), counts.wanted + (begin_w and 1 or 0)
    g, g_kind, w, w_kind = g2, g2_kind, w2, w2_kind
  end
  local outside = { "O", "" }
  for t = 1, #wanted do
    if wanted[t] == 0 then
      step(outside, outside)
    else
      step(tags[guessed[t]], tags[wanted[t]])
    end
  end
  step(outside, outside)
end

function SpanF1:meter()
  local counts, tags = { right = 0, guessed = 0, wanted = 0 }, self.tags
  local function facts()
    local precision = counts.right / math.max(counts.guessed, 1)
    local recall = counts.right / math.max(counts.wanted, 1)
    return { span_precision = precision, span_recall = recall,
      span_f1 = 2 * precision * recall / math.max(precision + recall, 1e-300) }
  end
  return {
    add = function(y, target)
      if y.ndim ~= 3 or target.ndim ~= 2 or y:size(3) ~= #tags then
        errors.raise("SpanF1: expected outputs (batch, time, %d), a score for each of the tags, and ids (batch, time)",
          #tags)
      end
      local best <close> = y:argmax(-1)
      local guesses, targets = best:table(), target:table()
      for row = 1, #targets do
        compare_spans(tags, counts, guesses[row], targets[row])
      end
    end,
    value = function() return facts().span_f1 end,
    figures = facts,
  }
end

-- SpanF1 { tags }: precision, recall and F1 of spans of tags, exactly as conlleval counts them, in the schemes IOB1,
-- IOB2 and BIOES. tags: the Vocab of the targets.
function metrics.SpanF1(given)
  local o = options.resolve("SpanF1", { { name = "tags", kind = "any", required = true,
    help = "the Vocab that encoded the tags" } }, given, { "tags" })
  if not tokens.is_vocab(o.tags) and not tokens.is_labels(o.tags) then
    errors.raise("SpanF1: tags must be the Vocab that encoded them, got a %s", type(o.tags))
  end
  local list = {}
  for id = 1, #o.tags do
    list[id] = { "O", "" }
  end
  for id, tag in o.tags:each() do
    list[id] = { spans.parse(tag) }
  end
  return setmetatable({ tags = list }, SpanF1)
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
    value = function() return figures.mean(nats, positions) end,
  }
end

-- A meter over the batches of one source: add(y, target, weight, sum, count), then facts().
function metrics.meter(list, loss, source)
  local sum, count, nats, meters = 0.0, 0.0, nil, {}
  for _, name in ipairs(list) do
    local k = tonumber(name:match "^top_(%d+)_accuracy$") or name == "accuracy" and 1
    local own = list.made and list.made[name]
    if own then
      meters[name] = own:meter()
    elseif k then
      meters[name] = hits_meter(math.tointeger(k))
    elseif name == "f1_macro" or name == "f1_micro" then
      meters[name] = f1_meter(name == "f1_micro")
    elseif not FORECASTS[name] then
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

  -- What counted so far: positions, or the sum of their weights.
  function meter.counted() return count end

  -- { loss =, and each metric asked for }.
  function meter.facts()
    local facts = { loss = figures.mean(sum, count) }
    for name, m in pairs(meters) do
      for more, value in pairs(m.figures and m.figures() or {}) do
        facts[more] = value
      end
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
