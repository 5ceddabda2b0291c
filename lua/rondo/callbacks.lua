-- callbacks.lua - things that happen during a training.
--
-- A callback is a table with any of on_fit_begin, on_step_end, on_epoch_end, on_evaluate_end, on_fit_end, each
-- called as callback:on_...(trainer, facts). What must survive a stop is in state() / restore(state).
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local options = require "rondo.options"

local callbacks = {}

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

function EarlyStopping:on_fit_begin(_, facts)
  if not facts.validates then
    errors.raise("EarlyStopping: it watches '%s', but fit was given no validation part", self.options.monitor)
  end
end

function EarlyStopping:on_evaluate_end(trainer, facts)
  local o = self.options
  local value = facts[o.monitor]
  if value == nil then
    errors.raise("EarlyStopping: there is no figure '%s'; is it among the Trainer's metrics?", o.monitor)
  end
  if better(value, self.best, o.mode, o.min_delta) then
    self.best, self.waited = value, 0
  else
    self.waited = self.waited + 1
    if self.waited >= o.patience then
      trainer:stop(("%s has not become better for %d evaluations"):format(o.monitor, self.waited))
    end
  end
end

function EarlyStopping:state()
  return { best = self.best, waited = self.waited }
end

function EarlyStopping:restore(state)
  self.best, self.waited = state.best, math.tointeger(state.waited) or 0
end

-- Checkpoint { monitor =, keep = }: which figure makes best.h5, and how many others stay.
local Checkpoint = class "Checkpoint"
function callbacks.Checkpoint(given)
  local o = options.resolve("Checkpoint", { MONITOR, MODE,
    { name = "keep", kind = "int", min = 1, help = "checkpoints that stay, beside the best" } }, given)
  return setmetatable({ options = o }, Checkpoint)
end

function Checkpoint:on_fit_begin(trainer)
  local o = self.options
  trainer.monitor, trainer.monitor_mode = o.monitor, o.mode
  if o.keep and trainer.run then
    trainer.run.keep = o.keep
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
  for piece in trainer.model:generate { prompt = self.options.prompt, length = self.options.length,
    temperature = self.options.temperature, seed = facts.epoch } do
    parts[#parts + 1] = piece
  end
  trainer:say(("sample after epoch %d:\n%s\n"):format(facts.epoch, table.concat(parts)))
end

return callbacks
