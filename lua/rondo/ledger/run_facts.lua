-- ledger/run_facts.lua - what a run folder says about its run: options, figures, state. The ledger holds nothing else.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local json = require "rondo.json"
local records = require "rondo.run_records"
local run_folder = require "rondo.run_folder"

local MOST_TEXT = 65536 -- bytes of one value
-- How a step went says nothing of how a run did, and lr is an option to those who ask.
local NO_COLUMN = { lr = true, grad_norm = true, tokens = true, tokens_per_s = true }

local function text(value)
  return type(value) == "string" and json.valid(value:sub(1, MOST_TEXT)) or nil
end

-- A value as a column has it: a list is its JSON.
local function column(value)
  if type(value) == "table" then
    return next(value) ~= nil and text(json.encode(value)) or nil
  elseif type(value) == "string" then
    return text(value)
  end
  return (type(value) == "number" or type(value) == "boolean") and value or nil
end

-- The step of the best validation: step `best`, else of the least val_loss.
local function validation_at(best, steps, losses)
  local least
  for i, value in ipairs(losses) do
    if steps[i] == best then
      return best
    elseif not least or value < losses[least] then
      least = i
    end
  end
  return least and steps[least]
end

-- Validation figures are those of the best step, as the Trainer has it; others the last. And the last step.
local function figures_of(folder, best)
  local log, found = records.open(folder), {}
  if not log then
    return found
  end
  local at = validation_at(best, records.curve(log, "val_loss"))
  for _, name in ipairs(records.figures { log }) do
    local steps, values = records.curve(log, name)
    local of_validation = name:sub(1, 4) == "val_"
    for i, value in ipairs(NO_COLUMN[name] and {} or values) do
      if not of_validation or steps[i] == at then
        found[name] = value == value and math.abs(value) < math.huge and value or found[name]
      end
    end
  end
  local last = log.list[#log.list]
  return found, last and last.step
end

-- A run that is not at an end, and whose lock nobody holds, was killed.
local function state_of(folder, status)
  if status.state ~= "running" then
    return text(status.state)
  end
  return run_folder.is_held(folder) and "running" or "killed"
end

-- The facts of the run in a folder, or nil if it is none. `state` where it is known.
local function run_facts(folder, state)
  local config, status = json.read(folder .. "/config.json") or {}, json.read(folder .. "/status.json") or {}
  if not core.stat(folder .. "/checkpoints") or (not config.version and not core.stat(folder .. "/metrics.jsonl")) then
    return nil
  end
  local trial = json.read(folder .. "/trial.json") or {}
  local best = type(status.best) == "table" and status.best.step or nil
  local found, step = figures_of(folder, best)
  local options = {}
  for name, value in pairs(type(config.options) == "table" and config.options or {}) do
    options[text(tostring(name)) or ""] = column(value)
  end
  local full = core.realpath(folder) or folder
  return { folder = full, script = text(config.script), state = state or state_of(folder, status) or "unknown",
    step = step, started = text(status.started), ended = text(status.ended), host = text(config.host),
    version = text(config.version), sweep = trial.trial and full:match "^(.*)/[^/]+$" or nil,
    trial = math.tointeger(trial.trial), options = options, figures = found }
end

return run_facts
