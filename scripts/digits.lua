-- digits.lua - handwritten digits of 8 x 8 (optdigits), read row by row: a sequence of 8 steps, then one of 10 classes.
--   rondo run scripts/digits.lua
--   rondo run scripts/digits.lua --cell indrnn --hidden-size 128
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"

local opt = rondo.args { "Digits row by row: share that is right on a fifth held back.",
  data = { help = "64 numbers 0..16 and the digit a line; without it the catalog's", type = "string" },
  cell = { "lstm", choices = rondo.plugins.cells, help = "recurrent cell" },
  runs = { 3, min = 1, help = "trainings, with seeds from --seed on" },
  hidden_size = { 64, min = 1, max = 65536, help = "width of the state" },
  dropout = { 0.2, min = 0, max = 0.99, help = "before the output" },
  lr = { 5e-3, min = 0, max = 1000, help = "learning rate at the start; half a cosine brings it to 0" },
  batch_size = { 32, min = 1, help = "pictures side by side" },
  epochs = 20,
}
local SIDE, CLASSES = 8, 10

-- Pictures (8, 8) in 0..1 and ids 1..10; every fifth line is held back.
local function read(path)
  local train, valid, n = { x = {}, y = {} }, { x = {}, y = {} }, 0
  for line in io.lines(path) do
    local values = {}
    for number in line:gmatch "%d+" do
      values[#values + 1] = number / 16
    end
    local digit = math.tointeger(table.remove(values) * 16)
    n = n + 1
    local part = n % 5 == 0 and valid or train
    part.x[#part.x + 1], part.y[#part.y + 1] = rondo.tensor(values, { SIDE, SIDE }), digit + 1
  end
  return train, valid
end

local function batches(x, part, shuffle)
  return rondo.data.Batches { x = x, y = part.y, batch_size = opt.batch_size, shuffle = shuffle }
end

-- All pictures as rows of 64 numbers.
local function flat(part)
  local rows = {}
  for i, picture in ipairs(part.x) do
    rows[i] = picture:reshape(1, SIDE * SIDE)
  end
  return rondo.concat(rows, 1)
end

-- Share of the held-back pictures whose nearest neighbour (Euclid) shows the same digit.
local function nearest(train, valid)
  local t = flat(train)
  local best = (rondo.matmul(flat(valid), t:transpose(1, 2)) * 2 - (t * t):sum(2)):argmax(-1):table()
  local right = 0
  for i, j in ipairs(best) do
    right = right + (train.y[j] == valid.y[i] and 1 or 0)
  end
  return right / #valid.y
end

local function commonest(train, valid)
  local count = {}
  for _, class in ipairs(train.y) do
    count[class] = (count[class] or 0) + 1
  end
  local best = 1
  for class = 2, CLASSES do
    best = (count[class] or 0) > (count[best] or 0) and class or best
  end
  local right = 0
  for _, class in ipairs(valid.y) do
    right = right + (class == best and 1 or 0)
  end
  return right / #valid.y
end

local FeedForward = rondo.Module "FeedForward"
function FeedForward:init(width)
  self.hidden, self.out = rondo.Linear { SIDE * SIDE, width }, rondo.Linear { width, CLASSES }
end
function FeedForward:forward(x)
  return self.out(self.hidden(x):relu())
end

local function recurrent()
  return rondo.Sequential { rondo.RNN { cell = opt.cell, input_size = SIDE, hidden_size = opt.hidden_size,
    return_sequences = false }, rondo.Dropout { opt.dropout }, rondo.Linear { CLASSES } }
end

-- Trains on the pictures as `shown` makes them; nothing is chosen by the held-back part, whose figure after the last
-- epoch counts.
local function accuracy(model, shown, train, valid)
  local source = batches(shown(train), train, true)
  local trainer = rondo.Trainer { options = opt, model = model, loss = rondo.CrossEntropyLoss(),
    metrics = { "accuracy" }, optimizer = rondo.optim.Adam { lr = opt.lr }, clip_grad_norm = 1,
    schedule = rondo.optim.CosineLR { total_steps = opt.epochs * #source } }
  return trainer:fit(source):evaluate(batches(shown(valid), valid)).accuracy
end

local function report(name, parameters, values, seconds)
  local sum, texts = 0, {}
  for i, value in ipairs(values) do
    sum, texts[i] = sum + value, ("%.1f"):format(100 * value)
  end
  local runs = seconds and ("   seeds %d..%d: %s   %d s"):format(opt.seed, opt.seed + #values - 1,
    table.concat(texts, " "), seconds) or ""
  print(("%-28s %10s %6.2f %%%s"):format(name, parameters or "", 100 * sum / #values, runs))
end

local train, valid = read(opt.data or assert(rondo.data.get "optdigits"))
print(("optdigits, UCI's training part: %d train, %d held back (every fifth line)"):format(#train.x, #valid.x))
report("commonest digit", nil, { commonest(train, valid) })
report("nearest neighbour", nil, { nearest(train, valid) })
local function rows(part) return part.x end
local function feed_forward(parameters) return FeedForward((parameters - CLASSES) // (SIDE * SIDE + 1 + CLASSES)) end
local size
for _, kind in ipairs { { opt.cell, recurrent, rows }, { "feed-forward", feed_forward, flat } } do
  local name, make, shown = table.unpack(kind)
  local started, values = os.time(), {}
  for i = 1, opt.runs do
    rondo.manual_seed(opt.seed + i - 1)
    local model = make(size)
    values[i], size = accuracy(model, shown, train, valid), model:parameter_count()
  end
  report(name, size, values, os.time() - started)
end
print "published, on UCI's test part: nearest neighbour 98.00 % (optdigits.names, Alpaydin and Kaynak 1998)"
