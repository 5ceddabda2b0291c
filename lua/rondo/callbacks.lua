-- callbacks.lua - things that happen during a training.
--
-- A callback is a table with any of the events below, each called as callback:on_...(trainer, facts); a function
-- alone is hooked by trainer:on("step_end", f). What must survive a stop is in state() / restore(state).
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local json = require "rondo.json"
local options = require "rondo.options"

local callbacks = {}

-- What is in `facts`, beside step and epoch where there are any.
callbacks.events = {
  "on_fit_begin",      -- validates
  "on_epoch_begin",    -- epoch
  "on_step_begin",     -- step: the number of the update that begins
  "on_gradients",      -- loss; the gradients are there, not yet clipped
  "on_step_end",       -- loss, lr, grad_norm
  "on_evaluate_begin", -- before a validation
  "on_evaluate_end",   -- val_loss and val_... for each metric
  "on_epoch_end",      -- loss, and the last validation's figures
  "on_save",           -- path, best
  "on_rollback",       -- from, lr, message: the training goes on from `step` again
  "on_fit_end",
}

local MONITOR = { name = "monitor", kind = "string", def = "val_loss", help = "the figure to watch" }
local MODE = { name = "mode", kind = "choice", def = "min", choices = { "min", "max" }, help = "which way is better" }

local function better(value, best, mode, delta)
  if not best then
    return true
  elseif mode == "max" then
    return value > best + delta
  end
  return value < best - delta
end
callbacks.better = better

local function class(name)
  local c = { class_name = name }
  c.__index = c
  return c
end

-- EarlyStopping { monitor =, patience = }: stops when the figure has not become better for `patience` times.
local EarlyStopping = class "EarlyStopping"
function callbacks.EarlyStopping(given)
  local o = options.resolve("EarlyStopping", { MONITOR, MODE,
    { name = "patience", kind = "int", def = 3, min = 1, help = "evaluations without a better figure" },
    { name = "min_delta", kind = "real", def = 0.0, min = 0, help = "what counts as better" } }, given)
  return setmetatable({ options = o, waited = 0 }, EarlyStopping)
end

local function needs_validation(self, _, facts)
  if not facts.validates then
    errors.raise("%s: it watches '%s', but fit was given no validation part", self.class_name, self.options.monitor)
  end
end

local function watched(self, facts)
  local value = facts[self.options.monitor]
  if value == nil then
    errors.raise("%s: there is no figure '%s'; is it among the Trainer's metrics?", self.class_name,
      self.options.monitor)
  end
  return value
end

local function stop(self, trainer)
  trainer:stop(("%s has not become better for %d evaluations"):format(self.options.monitor, self.waited))
end

-- A run that was stopped by this and is resumed has nothing left to do, unless patience is larger now.
function EarlyStopping:on_fit_begin(trainer, facts)
  needs_validation(self, trainer, facts)
  if self.waited >= self.options.patience then
    stop(self, trainer)
  end
end

function EarlyStopping:on_evaluate_end(trainer, facts)
  local o, value = self.options, watched(self, facts)
  if better(value, self.best, o.mode, o.min_delta) then
    self.best, self.waited = value, 0
  else
    self.waited = self.waited + 1
    if self.waited >= o.patience then
      stop(self, trainer)
    end
  end
end

function EarlyStopping:state()
  return { best = self.best, waited = self.waited }
end

function EarlyStopping:restore(state)
  self.best, self.waited = state.best, math.tointeger(state.waited) or 0
end

-- ReduceLROnPlateau { monitor =, factor =, patience =, min_lr = }: multiplies the rate, whatever the schedule makes
-- of it, when the figure has not become better for `patience` evaluations.
local ReduceLROnPlateau = class "ReduceLROnPlateau"
function callbacks.ReduceLROnPlateau(given)
  local o = options.resolve("ReduceLROnPlateau", { MONITOR, MODE,
    { name = "factor", kind = "real", def = 0.1, min = 0, max = 1, help = "what the rate is multiplied by" },
    { name = "patience", kind = "int", def = 10, min = 1, help = "evaluations without a better figure" },
    { name = "min_delta", kind = "real", def = 1e-4, min = 0, help = "what counts as better" },
    { name = "cooldown", kind = "int", def = 0, min = 0, help = "evaluations after a change that do not count" },
    { name = "min_lr", kind = "real", def = 0.0, min = 0, help = "no rate below this" } }, given)
  return setmetatable({ options = o, waited = 0, cooling = 0 }, ReduceLROnPlateau)
end

ReduceLROnPlateau.on_fit_begin = needs_validation

local function reduce(self, trainer)
  local o, before = self.options, trainer.optimizer.lr
  local after = math.max(before * o.factor, o.min_lr)
  if after >= before then
    return
  end
  if trainer.schedule then
    trainer.schedule.scale = trainer.schedule.scale * (after / before)
    trainer.schedule:set(trainer.step)
  else
    trainer.optimizer.lr = after
  end
  trainer:say(("%s has not become better for %d evaluations: the rate goes from %.4g to %.4g"):format(o.monitor,
    self.waited, before, trainer.optimizer.lr))
end

function ReduceLROnPlateau:on_evaluate_end(trainer, facts)
  local o, value = self.options, watched(self, facts)
  if better(value, self.best, o.mode, o.min_delta) then
    self.best, self.waited = value, 0
  elseif self.cooling == 0 then
    self.waited = self.waited + 1
  end
  self.cooling = math.max(self.cooling - 1, 0)
  if self.waited >= o.patience then
    reduce(self, trainer)
    self.waited, self.cooling = 0, o.cooldown
  end
end

function ReduceLROnPlateau:state()
  return { best = self.best, waited = self.waited, cooling = self.cooling }
end

function ReduceLROnPlateau:restore(state)
  self.best, self.waited = state.best, math.tointeger(state.waited) or 0
  self.cooling = math.tointeger(state.cooling) or 0
end

-- Checkpoint { monitor =, keep =, keep_every = }: which figure makes best.h5, and which others stay.
local Checkpoint = class "Checkpoint"
function callbacks.Checkpoint(given)
  local o = options.resolve("Checkpoint", { MONITOR, MODE,
    { name = "keep", kind = "int", min = 1, help = "checkpoints that stay, the newest, beside the best" },
    { name = "keep_every", kind = "int", min = 0, help = "updates between checkpoints that stay for ever" } }, given)
  return setmetatable({ options = o }, Checkpoint)
end

function Checkpoint:on_fit_begin(trainer)
  local o = self.options
  trainer.monitor, trainer.monitor_mode = o.monitor, o.mode
  if o.keep and trainer.run then
    trainer.run.keep = o.keep
  end
  trainer.keep_every = o.keep_every or trainer.keep_every
  if trainer.run then
    trainer.run.keep_every = trainer.keep_every
  end
end

-- Sample { prompt =, length =, temperature = }: a sample of text after each epoch.
local Sample = class "Sample"
function callbacks.Sample(given)
  local o = options.resolve("Sample", {
    { name = "prompt", kind = "string", def = "", help = "text to go on from" },
    { name = "length", kind = "int", def = 200, min = 1, help = "symbols" },
    { name = "temperature", kind = "real", def = 0.8, min = 0, help = "below 1 safer" } }, given)
  return setmetatable({ options = o }, Sample)
end

function Sample:on_epoch_end(trainer, facts)
  local parts = {}
  trainer:with_average(function()
    for piece in trainer.model:generate { prompt = self.options.prompt, length = self.options.length,
      temperature = self.options.temperature, seed = facts.epoch } do
      parts[#parts + 1] = piece
    end
  end)
  trainer:say(("sample after epoch %d:\n%s\n"):format(facts.epoch, table.concat(parts)))
  trainer:record("sample", { text = json.valid(table.concat(parts)) })
end

-- Diagnose { every =, share = }: gradients of the training looked at now and then; see diagnose/sampling.lua.
function callbacks.Diagnose(given)
  return require("rondo.diagnose.sampling")(given)
end

return callbacks
