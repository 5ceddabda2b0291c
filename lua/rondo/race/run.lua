-- race/run.lua - one run of a race: a cell on a task with a seed, in a folder of its own, within its share.
--
-- A run that is over has left result.json, in one piece; one that is not goes on from its last checkpoint, with the
-- time that it had used by then. Validations are at the same updates in every run of a task, and a run ends at one.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local json = require "rondo.json"
local progress = require "rondo.progress"
local random = require "rondo.random"
local run_folder = require "rondo.run_folder"

local run = {}

-- ---- width ------------------------------------------------------------------------------------------------------

local function model_of(task, cell, hidden)
  return require("rondo").Sequential(task.layers { cell = cell, hidden_size = hidden })
end

-- Parameters that are trained: of the whole model, whatever of it the cell's width changes.
local function trained_count(model)
  local n = 0
  for _, p in ipairs(model:parameters()) do
    n = n + (p.requires_grad and p:numel() or 0)
  end
  return n
end

-- Trained parameters of a model around a cell of this width.
function run.count(task, cell, hidden)
  local model = model_of(task, cell, hidden)
  local n = trained_count(model)
  model:close()
  return n
end

-- The width at which a cell's model has nearest to `wanted` parameters; the smaller one of two that are as near.
function run.width(task, cell, wanted)
  local low, high = 1, 2
  while run.count(task, cell, high) < wanted do
    low, high = high, 2 * high
  end
  while high - low > 1 do
    local middle = (low + high) // 2
    if run.count(task, cell, middle) < wanted then
      low = middle
    else
      high = middle
    end
  end
  return wanted - run.count(task, cell, low) <= run.count(task, cell, high) - wanted and low or high
end

-- ---- memory -----------------------------------------------------------------------------------------------------

local FAR, FELT = 0.1, 0.01

local function last_output(model, x)
  local y = model(x)
  return y.ndim == 3 and y:select(2, -1) or y
end

local function difference(a, b)
  return (a - b):abs():mean():item()
end

-- The memory horizon: the longest lag, of 1, 2, 3, 4, 6, 8, 11, ..., at which other inputs, there and all before, move
-- the last output by a tenth (FAR) of what other inputs everywhere move it. It is 0 where these move it by less than a
-- hundredth of its own size (FELT): such a net gives the same whatever it reads. Other inputs are those of the next
-- row. (The gradient over lags was not taken: it says nothing of a state that latches, as parity's.)
-- lengths: a tensor, or nil; what is longer than the shortest sequence is cut.
local function horizon_of(model, x, lengths)
  local T = x:size(2)
  for _, n in ipairs(lengths and lengths:table() or {}) do
    T = math.min(T, math.tointeger(n))
  end
  x = x:slice(2, 1, T)
  local others = core.concat({ x:slice(1, 2, x:size(1)), x:slice(1, 1, 1) }, 1)
  local y = last_output(model, x)
  local whole = difference(last_output(model, others), y)
  if whole < FELT * y:abs():mean():item() then
    return 0
  end
  local horizon, lag, exact = 0, 1, 1.0
  while lag < T do
    local mixed = core.concat({ others:slice(2, 1, T - lag), x:slice(2, T - lag + 1, T) }, 2)
    if difference(last_output(model, mixed), y) >= FAR * whole then
      horizon = lag
    end
    exact = exact * math.sqrt(2)
    lag = math.max(lag + 1, math.floor(exact + 0.5))
  end
  return horizon
end

function run.horizon(model, task)
  local x, _, how = task.probe:batch(1, 1)
  return model:evaluating(horizon_of, model, x, how and how.lengths)
end

-- ---- the share --------------------------------------------------------------------------------------------------

-- Counts time and keeps the curve; ends the run where the task is solved, or where the time to the next validation,
-- as long as that to the last one, is not there.
local Watch = { class_name = "RaceWatch" }
Watch.__index = Watch

-- share: { seconds = } or { updates = }, which the Trainer counts.
function run.watch(task, share)
  return setmetatable({ task = task, share = share, seconds = 0.0, curve = {}, rate = 0.0, busy = 0.0, updates = 0,
    last = core.time() }, Watch)
end

function Watch:on_fit_begin(trainer)
  self.last = core.time()
  if self.over then
    trainer:stop(self.over)
  end
end

function Watch:on_step_begin()
  self.began = core.time()
end

function Watch:on_step_end()
  self.busy, self.updates = self.busy + core.time() - self.began, self.updates + 1
end

-- Is figure a better than b? Of figures that are no numbers none is.
function run.better(task, a, b)
  if a ~= a or b == nil then
    return a == a
  end
  return task.more and a > b or not task.more and a < b
end

-- A figure that is no number, or infinite, is no point of the curve.
function Watch:add(step, figure)
  if figure - figure == 0 then
    self.curve[#self.curve + 1] = { step, figure }
  end
  return self.task.solved and run.better(self.task, figure, self.task.solved) and "solved" or nil
end

function Watch:on_evaluate_end(trainer, facts)
  local now = core.time()
  local stretch = now - self.last
  self.seconds, self.last = self.seconds + stretch, now
  if self.updates > 0 then
    self.rate = math.max(self.rate, self.updates * self.task.tokens / self.busy)
  end
  self.busy, self.updates = 0.0, 0
  self.over = self:add(facts.step, facts["val_" .. self.task.metric])
    or self.share.seconds and self.seconds + stretch > self.share.seconds and "the time is used up" or nil
  if self.over then
    trainer:stop(self.over)
  end
end

function Watch:state()
  return { seconds = self.seconds + core.time() - self.last, curve = self.curve, rate = self.rate, over = self.over }
end

function Watch:restore(state)
  self.seconds, self.curve, self.rate, self.over = state.seconds, state.curve, state.rate, state.over
  for _, point in ipairs(self.curve) do
    point[1], point[2] = math.tointeger(point[1]), tonumber(point[2])
  end
end

-- ---- a run ------------------------------------------------------------------------------------------------------

local function result_file(folder)
  return folder .. "/result.json"
end

-- The result of a run that is over, or nil.
function run.result(folder)
  return (json.read(result_file(folder)))
end

local function trainer_of(entry, share, folder, model)
  local rondo, task = require "rondo", entry.task
  local state = run.watch(task, share)
  local begun = #run_folder.steps_of(folder) > 0
  local trainer = rondo.Trainer { model = model, loss = task.loss(), optimizer = task.optimizer(),
    clip_grad_norm = task.clip, metrics = task.metric ~= "loss" and { task.metric } or nil, callbacks = { state },
    run_dir = folder, resume = begun, overwrite = not begun, keep = 1, epochs = not share.updates and 1 << 31 or nil,
    max_steps = share.updates, eval_every = task.every, log_every = 0, quiet = true }
  return trainer, state
end

-- Trains within the share. Returns what stopped it before: nil, or a Stop of errors.lua (diverged, a signal).
local function train(trainer, state, task, what)
  local busy <close> = progress.busy(what)
  trainer:on("step_end", function(_, facts)
    busy:at(facts.step, trainer.max_steps or 0)
  end)
  local ok, stop = pcall(trainer.fit, trainer, task.train, task.valid)
  if not ok then
    return errors.is_stop(stop) and stop or error(stop, 0)
  end
  local last = state.curve[#state.curve]
  if not last or last[1] ~= trainer.step then -- the share is no multiple of what lies between validations
    state.over = state:add(trainer.step, trainer:evaluate(task.valid)[task.metric])
  end
end

-- What a finished run leaves.
local function result_of(entry, trainer, state, stop)
  local task, model = entry.task, trainer.model
  local result = { task = task.folder, cell = entry.cell, seed = entry.seed, hidden_size = entry.hidden,
    parameters = trained_count(model), updates = trainer.step, seconds = state.seconds, curve = state.curve,
    solved = state.over == "solved", tokens_per_s = state.rate,
    ns_unit = state.rate > 0 and 1e9 / (state.rate * entry.hidden) or nil,
    diverged = stop and stop.message or nil, horizon = not stop and run.horizon(model, task) or nil }
  for _, point in ipairs(state.curve) do
    if run.better(task, point[2], result.figure) then
      result.figure = point[2]
    end
  end
  return result
end

-- Runs entry { task, cell, hidden, seed } in its folder: its result, or nil; and the exit code, where a signal came.
function run.go(entry, share, folder)
  local task = entry.task
  random.manual_seed(entry.seed)
  local model = model_of(task, entry.cell, entry.hidden)
  local trainer, state = trainer_of(entry, share, folder, model)
  local stop = train(trainer, state, task, ("%s on %s"):format(entry.cell, task.folder))
  if stop and stop.code ~= errors.DIVERGED then
    return nil, stop.code
  end
  core.catch_signals(true) -- as fit does: a signal waits until the result is kept
  local ok, message = core.write_file(result_file(folder), json.encode(result_of(entry, trainer, state, stop),
    { "task", "cell", "seed" }) .. "\n")
  local signal = core.interrupted()
  core.catch_signals(false)
  if not ok then
    errors.stop(errors.DATA, message)
  end
  model:close()
  return run.result(folder), signal and (signal == "SIGINT" and errors.INTERRUPTED or errors.TEMPFAIL)
end

return run
