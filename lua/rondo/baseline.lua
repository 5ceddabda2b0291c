-- baseline.lua - what a classifier must beat: the most frequent class, or of each word its most frequent tag.
--
-- A baseline is counted on the training part of a Batches and measured on the validation part by the same metrics as
-- the model, so that the two stand side by side.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local metrics = require "rondo.metrics"

local baseline = {}

local MOST_CLASSES = 1000 -- its guesses are written as scores of all classes

local function most_frequent(counts)
  local best
  for class, n in pairs(counts) do
    if not best or n > counts[best] or (n == counts[best] and class < best) then
      best = class
    end
  end
  return best
end

local function add(counts, class)
  counts[class] = (counts[class] or 0) + 1
end

-- Counts of classes, and of classes by word where there are tags.
local function count(train)
  local all, by_word, target = {}, {}, train.target
  local tags = target.kind == "ids"
  for i, value in ipairs(target.list) do
    if not tags then
      add(all, value)
    else
      local words = train.inputs[1].list[i]
      for t, tag in ipairs(value) do
        local word = words[t] or 0
        by_word[word] = by_word[word] or {}
        add(all, tag)
        add(by_word[word], tag)
      end
    end
  end
  all[0] = nil
  return all, by_word
end

-- Metrics that hold for guesses without probabilities.
local function usable(list)
  local kept = { made = list.made }
  for _, name in ipairs(list) do
    if list.made[name] or name == "accuracy" or name:find "^f1_" then
      kept[#kept + 1] = name
    end
  end
  return kept
end

-- Scores of the guesses for a batch, as a classifier gives them.
local function scores(x, y, classes, guess)
  local ids = {}
  if y.ndim == 1 then
    for i = 1, y:size(1) do
      ids[i] = guess()
    end
  else
    for i, row in ipairs(x:table()) do
      ids[i] = {}
      for t, word in ipairs(row) do
        ids[i][t] = guess(math.tointeger(word))
      end
    end
  end
  local guesses <close> = core.tensor(ids)
  return core.one_hot(guesses, classes)
end

-- Is it a source that has ids of classes for its targets: of each example, or of each word of one input of ids?
local function is_classification(source)
  local target, first = source.target, source.inputs and source.inputs[1]
  return target and first and (target.kind == "id"
    or target.kind == "ids" and #source.inputs == 1 and first.kind == "ids")
end

-- Figures of the baseline by metric and what it is, or nil where there is none to speak of.
function baseline.of(train, valid, list)
  list = usable(list)
  if #list == 0 or not (is_classification(train) and is_classification(valid)) then
    return nil
  end
  local all, by_word = count(train)
  local majority, classes = most_frequent(all), 0
  for _, counts in ipairs { all, (count(valid)) } do
    for class in pairs(counts) do
      classes = math.max(classes, class)
    end
  end
  for _, metric in pairs(list.made) do
    classes = math.max(classes, metric.tags and #metric.tags or 0)
  end
  if not majority or classes > MOST_CLASSES then
    return nil
  end
  local best = {}
  for word, counts in pairs(by_word) do
    counts[0] = nil
    best[word] = most_frequent(counts)
  end
  local meter = metrics.meter(list, nil, valid)
  for k = 1, #valid do
    local x, y, how, weight = valid:batch(k, 1)
    local guesses = scores(x, y, classes, function(word) return word and best[word] or majority end)
    meter.add(guesses, y, weight, 0.0, 1)
    guesses:release()
    require("rondo.trainer_evaluation").release_batch(x, y, how, weight)
  end
  local facts = meter.facts()
  facts.loss = nil
  local of_words = train.target.kind == "ids"
  return facts, of_words and "the most frequent tag of each word" or "the most frequent class", majority
end

return baseline
