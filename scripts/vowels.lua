-- vowels.lua - who speaks? Japanese Vowels: nine speakers, 12 coefficients a step, 7 to 29 steps; by cross-validation.
--   rondo run scripts/vowels.lua
--   rondo run scripts/vowels.lua --cell lstm --test JapaneseVowels_TEST.ts     (UCI's test part, if you have it)
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"

local opt = rondo.args { "Japanese Vowels: share of utterances whose speaker is found.",
  data = { help = "training part, a .ts file; without it the catalog's", type = "string" },
  test = { help = "test part: also train on all of the training part and say its figure", type = "string" },
  cell = { "gru", choices = rondo.plugins.cells, help = "recurrent cell" },
  folds = { 10, min = 2, help = "parts of the cross-validation: example i is in part i mod folds" },
  runs = { 3, min = 1, help = "cross-validations, with seeds from --seed on" },
  hidden_size = { 64, min = 1, max = 65536, help = "width of the state of each direction" },
  dropout = { 0.5, min = 0, max = 0.99, help = "before the output" },
  lr = { 5e-3, min = 0, max = 1000, help = "learning rate at the start; half a cosine brings it to 0" },
  batch_size = { 16, min = 1, help = "utterances side by side" },
  epochs = 40,
}

-- The cases of a .ts file: lists of steps, each a list of numbers, and ids of the classes.
local function read(path)
  local cases, ids, inside = {}, {}, false
  for line in io.lines(path) do
    if inside and line:find "%S" then
      local steps, channels, label = {}, line:match "^(.*):%s*(%w+)%s*$"
      local c = 0
      for channel in channels:gmatch "[^:]+" do
        local t = 0
        c = c + 1
        for number in channel:gmatch "[^,]+" do
          t = t + 1
          steps[t] = steps[t] or {}
          steps[t][c] = tonumber(number)
        end
      end
      cases[#cases + 1], ids[#ids + 1] = steps, math.tointeger(tonumber(label))
    end
    inside = inside or line:find "^@data" ~= nil
  end
  return cases, ids
end

-- Mean and standard deviation of each coefficient over the steps of some cases.
local function moments(cases)
  local mean, deviation = {}, {}
  for c = 1, #cases[1][1] do
    local sum, squares, n = 0, 0, 0
    for _, steps in ipairs(cases) do
      for _, step in ipairs(steps) do
        sum, squares, n = sum + step[c], squares + step[c] ^ 2, n + 1
      end
    end
    mean[c] = sum / n
    deviation[c] = math.sqrt(math.max(squares / n - mean[c] ^ 2, 1e-12))
  end
  return mean, deviation
end

-- Tensors (time, features) with the moments of the training part taken away.
local function scaled(cases, mean, deviation)
  local list = {}
  for i, steps in ipairs(cases) do
    local rows = {}
    for t, step in ipairs(steps) do
      rows[t] = {}
      for c, value in ipairs(step) do
        rows[t][c] = (value - mean[c]) / deviation[c]
      end
    end
    list[i] = rondo.tensor(rows)
  end
  return list
end

-- How many of `other` the network finds, trained on `part`; nothing is chosen by `other`.
local function found(part, other, classes)
  local mean, deviation = moments(part.x)
  local function batches(of, shuffle)
    return rondo.data.Batches { x = scaled(of.x, mean, deviation), y = of.y, batch_size = opt.batch_size,
      shuffle = shuffle }
  end
  local model = rondo.Sequential { -- the outputs after the last step that counts, of both directions
    rondo.RNN { cell = opt.cell, input_size = #mean, hidden_size = opt.hidden_size, bidirectional = true,
      return_sequences = false },
    rondo.Dropout { opt.dropout }, rondo.Linear { classes } }
  local source = batches(part, true)
  local trainer = rondo.Trainer { options = opt, model = model, loss = rondo.CrossEntropyLoss(),
    metrics = { "accuracy" }, optimizer = rondo.optim.Adam { lr = opt.lr }, clip_grad_norm = 1,
    schedule = rondo.optim.CosineLR { total_steps = opt.epochs * #source } }
  return trainer:fit(source):evaluate(batches(other)).accuracy * #other.y, model:parameter_count()
end

-- How many have a nearest neighbour, by mean and deviation of each coefficient, of the same speaker.
local function nearest(part, other)
  local function features(steps)
    local mean, deviation = moments { steps }
    return table.move(deviation, 1, #deviation, #mean + 1, mean)
  end
  local known, right = {}, 0
  for i, steps in ipairs(part.x) do
    known[i] = features(steps)
  end
  for i, steps in ipairs(other.x) do
    local mine, best, least = features(steps), nil, math.huge
    for j, theirs in ipairs(known) do
      local distance = 0
      for c = 1, #mine do
        distance = distance + (mine[c] - theirs[c]) ^ 2
      end
      if distance < least then
        best, least = j, distance
      end
    end
    right = right + (part.y[best] == other.y[i] and 1 or 0)
  end
  return right
end

-- Share found when each part in turn is left out.
local function cross_validated(cases, ids, find)
  local right, last = 0, nil
  for fold = 0, opt.folds - 1 do
    local part, other = { x = {}, y = {} }, { x = {}, y = {} }
    for i, steps in ipairs(cases) do
      local to = i % opt.folds == fold and other or part
      to.x[#to.x + 1], to.y[#to.y + 1] = steps, ids[i]
    end
    local n
    n, last = find(part, other)
    right = right + n
  end
  return right / #cases, last
end

local cases, ids = read(opt.data or assert(rondo.data.get "japanese_vowels"))
local classes = math.max(table.unpack(ids))
print(("Japanese Vowels, the official training part: %d utterances of %d speakers, %d-fold cross-validation"):format(
  #cases, classes, opt.folds))
print(("%-32s %8s %6.2f %%"):format("commonest speaker", "", 100 / classes))
print(("%-32s %8s %6.2f %%"):format("nearest neighbour, mean and sd", "", 100 * cross_validated(cases, ids, nearest)))
local started, sum, texts, parameters = os.time(), 0, {}, nil
for i = 1, opt.runs do
  rondo.manual_seed(opt.seed + i - 1)
  local share
  share, parameters = cross_validated(cases, ids, function(part, other) return found(part, other, classes) end)
  sum, texts[i] = sum + share, ("%.1f"):format(100 * share)
end
print(("%-32s %8d %6.2f %%   seeds %d..%d: %s   %d s"):format(opt.cell .. ", both directions", parameters,
  100 * sum / opt.runs, opt.seed, opt.seed + opt.runs - 1, table.concat(texts, " "), os.time() - started))
if opt.test then
  local others, theirs = read(opt.test)
  local part, other = { x = cases, y = ids }, { x = others, y = theirs }
  rondo.manual_seed(opt.seed)
  print(("on %d of the test part: nearest neighbour %.2f %%, %s %.2f %%"):format(#others,
    100 * nearest(part, other) / #others, opt.cell, 100 * found(part, other, classes) / #others))
end
print "published, on the test part: passing-through regions 94.1 %, hidden Markov model 96.2 % (Kudo et al. 1999)"
