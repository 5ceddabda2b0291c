-- run_facts.lua - what there is to say of a run: how far it is, its best and last figures, its options, its state.
--
-- All of it is read from the run folder: config.json, status.json, metrics.jsonl (run_records.lua), the end of log.txt.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local json = require "rondo.json"
local records = require "rondo.run_records"
local run_folder = require "rondo.run_folder"
local whole_file = require "rondo.whole_file"

local run_facts = {}

local LOG_BYTES = 16384
local QUIET_SECONDS = 600 -- without a new figure for so long a training is called silent

-- The last messages of log.txt, without their times: a list of at most n, the oldest first.
function run_facts.messages(folder, n)
  local file <close> = whole_file.open(folder .. "/log.txt")
  if not file then
    return {}
  end
  local size = file:seek "end"
  file:seek("set", math.max(0, size - LOG_BYTES))
  local list = {}
  for line in (file:read "a" or ""):gmatch "[^\n]+" do
    local text = line:match "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ (.*)$"
    list[#list + 1] = text or nil
  end
  return n < #list and table.move(list, #list - n + 1, #list, 1, {}) or list
end

-- How it ended, as status.json has it; "killed", if that has none and nobody holds the run's lock, which is seen on its
-- own machine alone; "training", or "silent", without a new figure for long.
local function state_of(log, config, status)
  if status.state and status.state ~= "running" then
    return tostring(status.state)
  elseif status.state and config.host == core.hostname() and not run_folder.is_held(log.folder) then
    return "killed"
  end
  local stat = core.stat(log.path)
  return stat and os.time() - stat.mtime > QUIET_SECONDS and "silent" or "training"
end

-- Steps in all: by max_steps, and by epochs, of which the records say how many steps they have.
local function steps_in_all(config, last)
  local settings = type(config.trainer) == "table" and config.trainer or {}
  local epochs, most = tonumber(settings.epochs), tonumber(settings.max_steps)
  if epochs and last and last.epoch and last.epoch > 0 then
    local all = math.floor(epochs * last.step / last.epoch + 0.5)
    most = math.min(most or all, all)
  end
  return most and math.tointeger(most) or nil, epochs
end

-- The lowest of a list of values and its place.
local function lowest(xs, ys)
  local best, at
  for i, y in ipairs(ys) do
    if not best or y < best then
      best, at = y, xs[i]
    end
  end
  return best, at
end

-- The run of a log: step, steps, epoch, epochs, seconds, left (seconds), state, last (figures by name), best
-- { figure, value, step }, options, config.
function run_facts.of(log)
  local last_record = log.list[#log.list]
  local config, status = json.read(log.folder .. "/config.json") or {}, json.read(log.folder .. "/status.json") or {}
  local facts = { name = log.name, folder = log.folder, config = config, last = log.last, seconds = log.seconds,
    options = type(config.options) == "table" and config.options or {},
    step = last_record and last_record.step or 0, epoch = last_record and last_record.epoch }
  facts.steps, facts.epochs = steps_in_all(config, last_record)
  facts.state = state_of(log, config, status)
  for _, figure in ipairs { "val_loss", "loss" } do
    local xs, ys = records.curve(log, figure)
    local value, at = lowest(xs, ys)
    if value then
      facts.best = { figure = figure, value = value, step = at }
      break
    end
  end
  if facts.steps and facts.step > 0 and facts.steps > facts.step and facts.state == "training" then
    facts.left = facts.seconds / facts.step * (facts.steps - facts.step)
  end
  return facts
end

-- The newest diagnosis in a log: { step, layers = { { name, lags, by_lag } } }, |dL/ds| by lag; or nil.
function run_facts.diagnosis(log)
  for i = #log.list, 1, -1 do
    local record = log.list[i]
    if record.split == "diagnosis" and type(record.layers) == "table" then
      local found = { step = record.step, layers = {} }
      for _, layer in ipairs(record.layers) do
        local one = { name = tostring(layer.name), lags = {}, by_lag = {} }
        for k, lag in ipairs(type(layer.lags) == "table" and type(layer.by_lag) == "table" and layer.lags or {}) do
          one.lags[k], one.by_lag[k] = tonumber(lag) or 0, tonumber(layer.by_lag[k]) or 0 / 0
        end
        found.layers[#found.layers + 1] = #one.lags > 0 and one or nil
      end
      return #found.layers > 0 and found or nil
    end
  end
end

return run_facts
