-- baseline.lua - what a classifier must beat: the most frequent class, naive Bayes, the usual tag of each word.
--
-- Baselines are counted on the training part of a Batches and measured on the validation part by the same metrics as
-- the model, so that they stand side by side. Words are what the source's ids are: what it reads as <unk>, so do they.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local metrics = require "rondo.metrics"

local baseline = {}

local MOST_CLASSES = 1000 -- guesses are written as scores of all classes
local MOST_LOGS = 2e7     -- of naive Bayes, one for each class and word of the validation part: some seconds

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

-- Counts of classes, and of classes by id of the input, where it is ids.
local function count(source)
  local all, by_word, target, input = {}, {}, source.target, source.inputs[1]
  local tags, words = target.kind == "ids", #source.inputs == 1 and input.kind == "ids"
  for i, value in ipairs(target.list) do
    if not tags then
      add(all, value)
    end
    for t, word in ipairs(words and input.list[i] or {}) do
      local class = tags and value[t] or not tags and value or 0
      by_word[word] = by_word[word] or {}
      add(by_word[word], class)
      if tags then
        add(all, class)
      end
    end
  end
  all[0] = nil
  return all, by_word, words
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

-- Guesses, each a function(row of ids, or nil) -> class or list of classes.

local function majority_guess(all)
  local class = most_frequent(all)
  return function() return class end
end

-- The most frequent tag of each word, of others that of all.
local function tag_guess(all, by_word)
  local usual, best = most_frequent(all), {}
  for word, counts in pairs(by_word) do
    counts[0] = nil
    best[word] = most_frequent(counts)
  end
  return function(row)
    local tags = {}
    for t, word in ipairs(row) do
      tags[t] = best[math.tointeger(word)] or usual
    end
    return tags
  end
end

-- The class with the largest product of the shares of its words in the class (add-one smoothing) and of its own.
local function bayes_guess(all, by_word)
  local classes, words, total = {}, 0, {}
  for class in pairs(all) do
    classes[#classes + 1], total[class] = class, 0
  end
  table.sort(classes)
  for _, counts in pairs(by_word) do
    words = words + 1
    for class, n in pairs(counts) do
      total[class] = total[class] + n
    end
  end
  return function(row)
    local best, most = classes[1], -math.huge
    for _, class in ipairs(classes) do
      local score = math.log(all[class])
      for _, id in ipairs(row) do
        local counts = by_word[math.tointeger(id)]
        score = id > 0 and counts and score + math.log(((counts[class] or 0) + 1) / (total[class] + words)) or score
      end
      if score > most then
        best, most = class, score
      end
    end
    return best
  end
end

-- Figures of a guess on a source.
local function measure(guess, source, list, classes)
  local meter = metrics.meter(list, nil, source)
  for k = 1, #source do
    local x, y, how, weight = source:batch(k, 1)
    local ids, rows = {}, type(x) == "userdata" and x.ndim == 2 and x:table() or {}
    for b = 1, y:size(1) do
      ids[b] = guess(rows[b])
    end
    local guesses <close> = core.tensor(ids)
    local scores <close> = core.one_hot(guesses, classes)
    meter.add(scores, y, weight, 0.0, 1)
    require("rondo.trainer_evaluation").release_batch(x, y, how, weight)
  end
  local facts = meter.facts()
  facts.loss = nil
  return facts
end

-- Has a source ids of classes for its targets: of each example, or of each word of one input of ids?
local function is_classification(source)
  local target, first = source.target, source.inputs and source.inputs[1]
  return target and first and (target.kind == "id"
    or target.kind == "ids" and #source.inputs == 1 and first.kind == "ids")
end

-- Baselines as a list of { what =, class = the only one it says or nil, and figures by metric }.
function baseline.of(train, valid, list)
  list = usable(list)
  if #list == 0 or not (is_classification(train) and is_classification(valid)) then
    return {}
  end
  local all, by_word, words = count(train)
  local classes = 0
  for _, counts in ipairs { all, (count(valid)) } do
    for class in pairs(counts) do
      classes = math.max(classes, class)
    end
  end
  for _, metric in pairs(list.made) do
    classes = math.max(classes, metric.tags and #metric.tags or 0)
  end
  if not next(all) or classes > MOST_CLASSES then
    return {}
  end
  local found = {}
  local function try(what, guess, class)
    local facts = measure(guess, valid, list, classes)
    facts.what, facts.class = what, class
    found[#found + 1] = facts
  end
  if train.target.kind == "ids" then
    try("the most frequent tag of each word", tag_guess(all, by_word))
  else
    try("the most frequent class", majority_guess(all), most_frequent(all))
    if words and classes * valid.steps <= MOST_LOGS then
      try("naive Bayes of the words", bayes_guess(all, by_word))
    end
  end
  return found
end

return baseline
