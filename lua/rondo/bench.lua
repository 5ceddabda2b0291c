-- bench.lua - the shapes that Rondo is measured on, and measuring one: whole training steps, inference, sampling.
--
-- Everything runs through the surface that a script uses: Sequential, a loss, an optimizer, model:generate. GFLOP/s
-- count the products that the task needs and no others: 2 operations for each element of a matrix and each token
-- forward, as many for the gradient of the matrix and for that of what it is multiplied with, where somebody wants
-- it. A row that an id picks counts nothing. Nothing waits for an idle machine: of its peak and of the times the best
-- of several is taken, and the median of the times is given too. Cells that are compared are measured in turn, best
-- with best: of rounds that others disturb even the median says little.
-- SPDX-License-Identifier: MIT
local cells = require "rondo.cells"
local core = require "rondo.native"
local random = require "rondo.random"
local rondo = require "rondo"

local bench = {}

-- What goes in: the ids of 65 symbols (input "one_hot" or the width of an embedding) or so many features. What comes
-- out: the next symbol at every step, or one number after the last.
bench.shapes = {
  charnn = { input = "one_hot", symbols = 65, layers = 2, hidden = 128, batch = 50, steps = 50,
    tasks = { "train" } },
  char512 = { input = "one_hot", symbols = 65, layers = 2, hidden = 512, batch = 64, steps = 100,
    tasks = { "train" } },
  tftext = { input = "embedding", width = 256, symbols = 65, layers = 1, hidden = 1024, batch = 64, steps = 100,
    tasks = { "train" } },
  series = { input = "features", width = 14, layers = 1, hidden = 64, batch = 32, steps = 96,
    tasks = { "train" } },
  b1 = { input = "one_hot", symbols = 65, layers = 2, hidden = 128, batch = 1, steps = 1,
    widths = { 128, 512, 1024 }, tasks = { "infer", "sample" } },
}

local MAX_TIMES, MIN_TIMES = 50, 3
local LEAST_SECONDS = 0.01 -- of one measurement: shorter ones are repeated within it

-- ---- the model and what it reads ----------------------------------------------------------------------------

-- The model and its recurrent layer.
local function model_of(case)
  local s = case.shape
  local layer = rondo.RNN { cell = case.cell, hidden_size = case.hidden, num_layers = case.layers,
    input_size = s.input == "features" and s.width or nil, return_sequences = s.input ~= "features" }
  if s.input == "features" then
    return rondo.Sequential { layer, rondo.Linear { 1 } }, layer
  end
  local first = s.input == "one_hot" and rondo.OneHot { s.symbols } or rondo.Embedding { s.symbols, s.width }
  local model, symbols = rondo.Sequential { first, layer, rondo.Linear { s.symbols } }, {}
  for i = 1, s.symbols do
    symbols[i] = string.char(0x3e + i) -- "A" is among them
  end
  model.vocab = rondo.data.Tokenizer({ level = "byte" }):fit(symbols).vocab
  return model, layer
end

-- A batch of made-up numbers, in the order in which the library's own batches lie.
local function ids_of(case)
  local list, stream = {}, { seed = 1, purpose = "user" }
  for i = 1, case.batch * case.steps do
    list[i] = core.bits(stream, 0, i) % case.shape.symbols + 1
  end
  return core.tensor(list, { case.batch, case.steps }):contiguous "sequence"
end

local function batch_of(case)
  if case.shape.symbols then
    return ids_of(case), ids_of(case)
  end
  return random.randn(case.batch, case.steps, case.shape.width):contiguous "sequence", random.randn(case.batch, 1)
end

-- ---- operations ---------------------------------------------------------------------------------------------

-- Products of one call: forward, and with the gradients.
local function operations(case, model, layer)
  local forward, back = 0, 0
  local tokens = case.batch * case.steps
  local function add(elements, n, trained, wants_input)
    forward = forward + 2 * elements * n
    back = back + 2 * elements * n * ((trained and 1 or 0) + (wants_input and 1 or 0))
  end
  for i, one in ipairs(layer.stack) do
    for _, entry in ipairs(one:parameters()) do
      local name, matrix = entry[1], entry[2]
      local from_x = name:find "_x$"
      local gathered = from_x and i == 1 and case.shape.input == "one_hot"
      if matrix.ndim == 2 and not gathered then
        add(matrix:numel(), tokens, matrix.requires_grad, not from_x or i > 1 or case.shape.input == "embedding")
      end
    end
  end
  add(model[#model].weight:numel(), case.shape.input == "features" and case.batch or tokens, true, true)
  return forward, forward + back
end

-- ---- tasks --------------------------------------------------------------------------------------------------

-- Each returns a function that does it once, and how many tokens that is.
local tasks = {}

function tasks.train(case, model)
  local x, y = batch_of(case)
  local loss_of = case.shape.symbols and rondo.CrossEntropyLoss() or rondo.MSELoss()
  local optimizer = rondo.optim.Adam(model:parameters(), { lr = 1e-3 })
  local parameters = model:parameters()
  return function()
    optimizer:zero_grad()
    local output = model:forward(x)
    local value = loss_of(output, y)
    value:backward()
    value:release()
    output:release()
    core.clip_grad_norm(parameters, 5)
    optimizer:step()
  end, case.batch * case.steps
end

function tasks.infer(case, model)
  local x = batch_of(case)
  local forward = model.forward
  return function()
    model:evaluating(forward, model, x):release()
  end, case.batch * case.steps
end

-- A text as `rondo sample` writes it; the time is that of a symbol.
function tasks.sample(_, model)
  local length = 200
  return function()
    local pieces = model:generate { prompt = "A", length = length, seed = 1, echo = false }
    for _ in pieces do end -- luacheck: ignore 542
  end, length
end

-- ---- measuring ----------------------------------------------------------------------------------------------

local function median(list)
  table.sort(list)
  local half = #list // 2
  return #list % 2 == 1 and list[half + 1] or 0.5 * (list[half] + list[half + 1])
end

-- A function and how often it is called in one measurement, so that it is long enough.
local function measurable(f)
  f()
  local start = core.time()
  f()
  return { f = f, often = math.max(1, math.ceil(LEAST_SECONDS / math.max(core.time() - start, 1e-9))), times = {} }
end

local function measure(one)
  local start = core.time()
  for _ = 1, one.often do
    one.f()
  end
  one.times[#one.times + 1] = (core.time() - start) / one.often
end

-- Measures functions in turn, each in every round, for `seconds` each: what slows the machine down for a while meets
-- all of them. The order is turned round from round to round.
local function in_turn(list, seconds)
  local finish, rounds = core.time() + seconds * #list, 0
  while rounds < MIN_TIMES or (rounds < MAX_TIMES and core.time() < finish) do
    rounds = rounds + 1
    for k = 1, #list do
      measure(list[rounds % 2 == 1 and k or #list + 1 - k])
    end
  end
  return rounds
end

-- A case is a shape with its sizes, a cell and a task. given: cell, task, and what replaces the shape's sizes.
function bench.case(shape_name, given)
  local shape = bench.shapes[shape_name]
  return { shape = shape, name = shape_name, cell = given.cell, task = given.task,
    hidden = given.hidden or shape.hidden, batch = given.batch or shape.batch, steps = given.steps or shape.steps,
    layers = given.layers or shape.layers }
end

-- Why a case cannot be, as a sentence, or nil.
function bench.why_not(case)
  if case.task == "sample" and not case.shape.symbols then
    return ("the shape %s reads features and writes no text: its tasks are train and infer"):format(case.name)
  elseif case.task == "train" and not cells.need(case.cell).trainable then
    return ("the cell '%s' cannot be trained: it has no backward function"):format(case.cell)
  end
end

-- What the time of a call goes into, most first: lists of name, share of the time, GFLOP/s of its products (nil: it
-- has none), milliseconds of a call.
local function profile_of(f, seconds)
  local calls, start = 0, core.time()
  core.profile(true)
  repeat
    f()
    calls = calls + 1
  until core.time() - start >= seconds
  core.profile(false)
  local total, list = 0, {}
  local found = core.profile()
  for _, work in ipairs(found) do
    total = total + work.seconds
  end
  for _, work in ipairs(found) do
    if work.calls > 0 or work.seconds > 0 then
      list[#list + 1] = { name = work.name, share = work.seconds / total, ms = work.seconds * 1e3 / calls,
        gflops = work.flops > 0 and work.flops / work.seconds * 1e-9 or nil }
    end
  end
  table.sort(list, function(a, b) return a.share > b.share end)
  return list
end

local function prepared(case)
  random.manual_seed(1)
  local model, layer = model_of(case)
  local once, tokens = tasks[case.task](case, model)
  local one = measurable(once)
  one.case, one.model, one.tokens = case, model, tokens
  one.forward, one.train = operations(case, model, layer)
  return one
end

-- The fields that `rondo bench --json` prints. peak: the machine's, around the measurement.
local function result(one, peak)
  local case, sampling = one.case, one.case.task == "sample"
  local times = table.move(one.times, 1, #one.times, 1, {})
  local middle, best, forward = median(times), times[1], one.forward -- sorted: the first is the best
  if sampling then -- of a symbol, whatever the shape's batch
    middle, best = middle / one.tokens, best / one.tokens
    forward = forward / (case.batch * case.steps)
  end
  local gflops = (case.task == "train" and one.train or forward) / middle * 1e-9
  local per_step = sampling and 1 or case.batch * case.steps
  return { task = case.task, shape = case.name, cell = case.cell, threads = core.threads(), H = case.hidden,
    B = sampling and 1 or case.batch, T = sampling and 1 or case.steps, layers = case.layers, ms = middle * 1e3,
    ms_best = best * 1e3, reps = #one.times, tok_s = per_step / middle, gflops = gflops, peak = peak,
    ratio = peak > 0 and gflops / peak or nil, ns_unit = middle * 1e9 / (per_step * case.hidden * case.layers),
    kernels = core.kernels(), lib = "rondo" }
end

-- Measures cases in turn: for each a table with the fields that `rondo bench --json` prints. of_lstm: its best time in
-- shares of that of the LSTM among them. profiled: also its profile.
function bench.run(cases, seconds, profiled)
  local list, results, lstm = {}, {}, nil
  local peak = core.peak_gflops()
  for k, case in ipairs(cases) do
    list[k] = prepared(case)
  end
  in_turn(list, seconds)
  peak = math.max(peak, core.peak_gflops())
  for k, one in ipairs(list) do
    results[k] = result(one, peak)
    results[k].profile = profiled and profile_of(one.f, seconds) or nil
    lstm = one.case.cell == "lstm" and results[k] or lstm
    one.model:close()
  end
  for _, each in ipairs(results) do
    each.of_lstm = lstm and each.ms_best / lstm.ms_best
  end
  return results
end

return bench
