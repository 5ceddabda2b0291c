-- diagnose/sampling.lua - rondo.callbacks.Diagnose: a training's gradients looked at now and then, into metrics.jsonl.
--
-- A few rows and steps of the batch of an update are looked at in evaluation mode, between backward and the optimizer's
-- step: no parameter wants a gradient meanwhile and no random number is drawn, so that the training has the same bits
-- with and without it. When it is due is a matter of time by default: not before what the last look took is `share` of
-- what has passed since.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local options = require "rondo.options"
local tensor = require "rondo.tensor"

local specs = {
  { name = "every", kind = "int", def = 0, min = 0, help = "updates between two looks; 0: as often as `share` allows" },
  { name = "share", kind = "real", def = 0.02, min = 1e-6, max = 1, help = "of the time, at most, where every is 0" },
  { name = "rows", kind = "int", def = 4, min = 1, help = "rows of the batch that are looked at" },
  { name = "steps", kind = "int", def = 64, min = 2, help = "steps of it, from the first on" },
  { name = "lags", kind = "int", def = 4, min = 1, help = "loss times whose gradient is looked at by lag" },
}

local FIRST_GUESS = 0.05 -- seconds that the first look is taken to cost
local SQUARINGS = 12     -- the spectral radius to 1e-3

local Diagnose = { class_name = "Diagnose" }
Diagnose.__index = Diagnose

-- Diagnose { every =, share =, rows =, steps =, lags = }
local function new(given)
  return setmetatable({ options = options.resolve("Diagnose", specs, given) }, Diagnose)
end

function Diagnose:on_fit_begin(_, facts)
  self.cost, self.last, self.steps, self.clipped = FIRST_GUESS, core.time(), 0, 0
  self.last_step, self.next = facts.step, facts.step + 1
end

-- The clock is looked at when by the speed so far half of the wait is over, and so on: a step of a small model takes
-- no longer than a few looks at the clock.
local function waited(self, step)
  local passed, wanted = core.time() - self.last, self.cost / self.options.share
  if passed >= wanted then
    return true
  end
  local done = step - self.last_step - 1
  local half = (wanted - passed) / math.max(passed, 1e-6) * done / 2
  self.next = step + math.max(1, math.min(4 * done, half // 1)) -- the first steps are no measure of the others
  return false
end

function Diagnose:on_step_begin(_, facts)
  local o = self.options
  if o.every > 0 then
    self.due = facts.step % o.every == 0
  elseif facts.step >= self.next then
    self.due = waited(self, facts.step)
  end
end

-- ---- a part of the batch --------------------------------------------------------------------------------------

-- The first rows and steps of what has a row for each of the batch.
local function cut(value, rows, steps)
  if tensor.is_tensor(value) then
    value = value:slice(1, 1, math.min(rows, value:size(1)))
    if steps and value.ndim > 1 and value:size(2) > steps then
      value = value:slice(2, 1, steps)
    end
    return value
  elseif type(value) == "table" then
    local part = {}
    for key, inner in pairs(value) do
      part[key] = cut(inner, rows, steps)
    end
    return part
  end
  return value
end

-- The first batch of the update that is under way. Where an update is a window of steps, or a batch is read in parts,
-- it is the beginning of the batch that it is in, from first states.
local function batch_of(trainer, o)
  local begun, source = trainer.begun, trainer.source
  if begun.whole then
    return begun, begun.source:batch(begun.position + 1, begun.epoch + 1)
  end
  begun = { source = source }
  local k = math.min(trainer.position + 1, #source)
  if source.part then
    return begun, source:part(k, trainer.epoch + 1, 1, o.steps)
  end
  return begun, source:batch(k, trainer.epoch + 1)
end

-- Steps are cut where every one has its target and all of them count.
local function part_of(trainer, o)
  local begun, x, y, how, weight = batch_of(trainer, o)
  local first = type(x) == "table" and x[1] or x
  local by_step = y.ndim > 1 and first.ndim > 1 and y:size(2) == first:size(2) and not how and type(x) ~= "table"
  local steps = by_step and o.steps or nil
  local batch = { x = cut(x, o.rows, steps), y = cut(y, o.rows, steps), how = how and cut(how, o.rows),
    weight = weight and cut(weight, o.rows, steps), stateful = begun.source.stateful, loss = trainer.loss,
    states = begun.states and cut(begun.states, o.rows) }
  function batch.forward()
    return (trainer:forward(batch))
  end
  return batch, begun.source.releases and { x, y, how, weight }
end

-- ---- looking --------------------------------------------------------------------------------------------------

local function look(self, trainer)
  local o = self.options
  local batch, whole = part_of(trainer, o)
  trainer.model:eval()
  local results = table.pack(pcall(require("rondo.diagnose").look, trainer.model, batch, { lags = o.lags, probes = 0,
    gates = true, jacobians = 0, lyapunov = true, squarings = SQUARINGS }))
  trainer.model:train()
  if whole then
    trainer.release_batch(table.unpack(whole, 1, 4))
  end
  if not results[1] then
    error(results[2], 0)
  end
  local line = require("rondo.diagnose.record").of(results[2])
  local first = type(batch.x) == "table" and batch.x[1] or batch.x
  line.rows, line.steps = first:size(1), first.ndim > 1 and first:size(2) or 1
  return line
end

-- Before the optimizer's step.
function Diagnose:on_gradients(trainer)
  if not self.due then
    return
  end
  self.due = false
  local begun = core.time()
  self.line = look(self, trainer)
  self.before = {}
  for i, p in ipairs(trainer.parameters) do
    self.before[i] = p:detach():clone()
  end
  self.took = core.time() - begun
end

local function update_ratios(self, trainer)
  local ratios = {}
  for i, p in ipairs(trainer.parameters) do
    local before = self.before[i]
    local size = before:norm()
    if size > 0 then
      local change <close> = p:detach() - before
      ratios[trainer.names[i]] = change:norm() / size
    end
    before:release()
  end
  return ratios
end

function Diagnose:on_step_end(trainer, facts)
  local limit = trainer.clip_grad_norm or 0
  self.steps, self.clipped = self.steps + 1, self.clipped + (limit > 0 and facts.grad_norm > limit and 1 or 0)
  local line = self.line
  if not line then
    return
  end
  local begun = core.time()
  line.updates, line.clip_rate = update_ratios(self, trainer), self.clipped / self.steps
  self.line, self.before, self.steps, self.clipped = nil, nil, 0, 0
  line.t, line.step = begun - trainer.started, facts.step
  line.epoch = trainer.epoch + trainer.position / trainer.batches
  self.took = self.took + core.time() - begun
  line.seconds = self.took
  trainer.diagnosis = line -- for hooks of a script
  if trainer.run then
    trainer.run:metric(line)
  end
  self.cost, self.last, self.last_step, self.next = self.took, core.time(), facts.step, facts.step + 1
end

return new
