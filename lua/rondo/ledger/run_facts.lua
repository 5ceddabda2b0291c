-- ledger/run_facts.lua - what a run folder says about its run: options, figures, state. The ledger holds nothing else.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local figures = require "rondo.sweep.figures"
local json = require "rondo.json"

local MOST_TEXT = 65536 -- bytes of one value
-- How a step went says nothing of how a run did, and lr is an option to those who ask.
local OF_A_STEP = { lr = true, grad_norm = true, tokens_per_s = true }

local function read_json(path)
  local file = io.open(path, "rb")
  local text = file and file:read "a"
  if file then
    file:close()
  end
  local value = text and json.decode(text)
  return type(value) == "table" and value or {}
end

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

-- Validation figures are those of the best step, as the Trainer has it; others the last.
local function figures_of(folder, best)
  local found, at_step, least = {}, {}, nil
  local last_step
  figures.each(folder, nil, function(name, value, step)
    if name:sub(1, 4) == "val_" and step then
      at_step[step] = at_step[step] or {}
      at_step[step][name] = value
      if name == "val_loss" and (not least or value < at_step[least].val_loss) then
        least = step
      end
    elseif not OF_A_STEP[name] then
      found[name] = value
    end
    last_step = step or last_step
  end)
  for name, value in pairs(at_step[best] or at_step[least] or {}) do
    found[name] = value
  end
  return found, last_step
end

-- A run that is not at an end, and whose lock nobody holds, was killed.
local function state_of(folder, status)
  if status.state ~= "running" then
    return text(status.state)
  end
  local lock, message = core.lock(folder .. "/.lock")
  if lock then
    lock:close()
    return "killed"
  end
  return message:find("another process", 1, true) and "running" or "killed"
end

-- The facts of the run in a folder, or nil if it is none. `state` where it is known.
local function run_facts(folder, state)
  local config, status = read_json(folder .. "/config.json"), read_json(folder .. "/status.json")
  if not core.stat(folder .. "/checkpoints") or (not config.version and not core.stat(folder .. "/metrics.jsonl")) then
    return nil
  end
  local trial = read_json(folder .. "/trial.json")
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
