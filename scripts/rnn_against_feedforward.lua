-- rnn_against_feedforward.lua - nets with and without a state, of equal size, on tasks that need memory: one table.
--   rondo run scripts/rnn_against_feedforward.lua                             (prints it)
--   rondo run scripts/rnn_against_feedforward.lua --into scripts/README.md    (and puts it there)
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"

local opt = rondo.args { "Recurrent nets against feed-forward nets of equal size.",
  parameters = { 4000, min = 500, help = "parameters of each net, at most; the widest that fits is taken" },
  window = { 8, min = 1, help = "steps that the feed-forward net sees" },
  batch_size = { 50, min = 1, help = "sequences of an update" },
  lr = { 3e-3, min = 0, max = 1000, help = "learning rate of Adam" },
  max_steps = { 8000, min = 1, help = "updates of each net at most" },
  into = { type = "string", help = "a file whose lines between 'memory: begin' and 'memory: end' become the table" },
}

local before, after -- what stands around the table
if opt.into then
  local file = assert(io.open(opt.into))
  before, after = file:read "a":match "^(.-memory: begin[^\n]*\n).-(\n[^\n]*memory: end.*)$"
  file:close()
  if not before then
    error(("--into %s: it has no lines 'memory: begin' and 'memory: end'"):format(opt.into), 0)
  end
end

-- ---- the feed-forward net: at each step it sees the last `window` steps, before the first of them zeros ------------

local Window = rondo.Module "Window"
function Window:init(steps, hidden, out, every_step)
  self.steps, self.every_step = steps, every_step
  self.first, self.second = rondo.Linear { hidden }, rondo.Linear { out }
end
function Window:forward(x)
  local B, T, F = x:size(1), x:size(2), x:size(3)
  local seen = { x }
  for back = 1, math.min(self.steps, T) - 1 do
    seen[back + 1] = rondo.concat({ rondo.zeros(B, back, F), x:slice(2, 1, T - back) }, 2)
  end
  seen = #seen > 1 and rondo.concat(seen, 3) or x
  return self.second(self.first(self.every_step and seen or seen:select(2, -1)):relu())
end

-- ---- the tasks ------------------------------------------------------------------------------------------------------

local function first_symbol(T)
  return { name = ("the first of %d symbols"):format(T), make = rondo.data.tasks.FirstSymbol, seq_len = T, steps = T,
    symbols = 8, out = 8, loss = rondo.CrossEntropyLoss(), guess = 1 / 8, metric = "accuracy" }
end

local tasks = {
  first_symbol(opt.window),
  first_symbol(2 * opt.window),
  { name = "parity so far, 20 bits", make = rondo.data.tasks.Parity, seq_len = 20, steps = 20, features = 1, out = 1,
    every_step = true, loss = rondo.BCEWithLogitsLoss(), guess = 1 / 2,
    metric = "accuracy" },
  { name = "copy ten symbols after 10 steps", make = rondo.data.tasks.CopyMemory, seq_len = 10, steps = 30,
    symbols = 10, out = 9, every_step = true, guess = 1 / 8, metric = "accuracy", loss = function(y, target)
      target:slice(2, 1, 20):fill(0) -- id 0 does not count: only the ten symbols are asked for
      return rondo.CrossEntropyLoss()(y, target)
    end },
  { name = "adding, 50 steps", make = rondo.data.tasks.Adding, seq_len = 50, steps = 50, features = 2, out = 1,
    loss = rondo.MSELoss(), guess = 1 / 6 },
}

local function source(task, split, batches)
  return task.make { split = split, seq_len = task.seq_len, batch_size = opt.batch_size, batches = batches,
    every_step = task.make == rondo.data.tasks.Parity and true or nil }
end

-- ---- the nets: builders by width ------------------------------------------------------------------------------------

local function with_ids(task, ...)
  return rondo.Sequential { task.symbols and rondo.OneHot { task.symbols } or rondo.Dropout { 0 }, ... }
end
local function feedforward(steps)
  return function(task, hidden)
    return with_ids(task, Window(steps or task.steps, hidden, task.out, task.every_step))
  end
end
local function recurrent(cell)
  return function(task, hidden)
    return with_ids(task, rondo.RNN { cell = cell, hidden_size = hidden, return_sequences = task.every_step or false },
      rondo.Linear { task.out })
  end
end
local nets = { { ("feed-forward, %d steps"):format(opt.window), feedforward(opt.window) },
  { "feed-forward, all steps", feedforward() }, { "vanilla", recurrent "vanilla" }, { "LSTM", recurrent "lstm" },
  { "GRU", recurrent "gru" } }

local function sized(build, task, hidden)
  rondo.manual_seed(opt.seed)
  local model = build(task, hidden)
  model((source(task, "valid", 1):batch(1))) -- settles sizes
  return model, model:parameter_count()
end

-- The widest net that has no more parameters than it may.
local function widest(build, task)
  local function fits(hidden)
    return select(2, sized(build, task, hidden)) <= opt.parameters
  end
  local low, high = 1, 2
  while fits(high) do
    low, high = high, 2 * high
  end
  while high - low > 1 do
    local middle = (low + high) // 2
    if fits(middle) then
      low = middle
    else
      high = middle
    end
  end
  return sized(build, task, low)
end

-- ---- the table ------------------------------------------------------------------------------------------------------

local function result(net, task)
  local model, count = widest(net[2], task)
  local trainer = rondo.Trainer { options = opt, model = model, loss = task.loss, quiet = true,
    optimizer = rondo.optim.Adam { lr = opt.lr }, clip_grad_norm = 1, metrics = { task.metric } }
  trainer:on("evaluate_end", function(self, facts)
    if facts.val_loss < 1e-3 then
      self:stop "it is learnt"
    end
  end)
  trainer:fit(source(task, "train", 200), source(task, "valid", 10))
  local facts = trainer:evaluate(source(task, "test", 40))
  local score = task.metric and ("%.1f %%"):format(100 * facts.accuracy) or ("%.4f"):format(facts.loss)
  return ("%s (%d)"):format(score, count)
end

local lines, head, rule = {}, "| task | guessing |", "| --- | ---: |"
for _, net in ipairs(nets) do
  head, rule = ("%s %s |"):format(head, net[1]), rule .. " ---: |"
end
print(head .. "\n" .. rule)
for i, task in ipairs(tasks) do
  local cells = { task.name, task.metric and ("%.1f %%"):format(100 * task.guess) or ("%.4f"):format(task.guess) }
  for k, net in ipairs(nets) do
    cells[k + 2] = result(net, task)
  end
  lines[i] = "| " .. table.concat(cells, " | ") .. " |"
  print(lines[i])
end

if opt.into then
  local file = assert(io.open(opt.into, "w"))
  file:write(before, head, "\n", rule, "\n", table.concat(lines, "\n"), "\n", after)
  file:close()
end
