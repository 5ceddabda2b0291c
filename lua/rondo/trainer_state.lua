-- trainer_state.lua - the state of a training: what a checkpoint keeps of it, and how it comes back.
--
-- Numbers depend on: parameters, optimizer, update number, epoch, position in the data, carried state, seed.
-- Figures (losses so far, best, counters of callbacks) do not change a number: they go under history/. So does the
-- digest of the data, so that equal weights are equal states whatever a source says of itself.
-- SPDX-License-Identifier: MIT
local bptt_options = require "rondo.bptt_options"
local core = require "rondo.native"
local checkpoint = require "rondo.checkpoint"
local errors = require "rondo.errors"
local json = require "rondo.json"
local origins = require "rondo.origins"
local random = require "rondo.random"

local trainer_state = {}

local SERIES = {
  train = { "step", "loss", "lr", "grad_norm" },
  valid = { "step", "loss" },
}

function trainer_state.new_history()
  local history = {}
  for part, fields in pairs(SERIES) do
    history[part] = {}
    for _, field in ipairs(fields) do
      history[part][field] = {}
    end
  end
  return history
end

-- Appends one line of figures to a series.
function trainer_state.append(history, part, line)
  for _, field in ipairs(SERIES[part]) do
    local list = history[part][field]
    list[#list + 1] = field == "step" and line.step or line[field] + 0.0
  end
end

local function frozen_of(trainer)
  local names = {}
  for i, p in ipairs(trainer.parameters) do
    if not p.requires_grad then
      names[#names + 1] = trainer.names[i]
    end
  end
  return #names > 0 and names or nil
end

-- What the numbers of a run depend on, without its weights.
function trainer_state.config(trainer, source)
  return {
    model = trainer.model:describe(), plugins = origins.of(trainer.model),
    optimizer = trainer.optimizer:describe(),
    schedule = trainer.schedule and trainer.schedule:describe(),
    loss = type(trainer.loss) == "table" and trainer.loss.describe and trainer.loss:describe() or nil,
    ema = trainer.ema, accumulate = trainer.accumulate > 1 and trainer.accumulate or nil,
    bptt = bptt_options.describe(trainer.bptt), frozen = frozen_of(trainer),
    clip_grad_norm = trainer.clip_grad_norm, clip_grad_value = trainer.clip_grad_value,
    data = source.describe and source:describe(),
    series = rawget(trainer.model, "series"),
    precision = core.precision() ~= "float32" and core.precision() or nil,
    seed = random.seed(),
  }
end

local function put_states(archive, prefix, states)
  for key, value in pairs(states) do
    local name = ("%s/%s"):format(prefix, tostring(key))
    if type(value) == "table" then
      put_states(archive, name, value)
    else
      archive:put(name, value)
    end
  end
end

local function callback_states(trainer)
  local states = {}
  for i, callback in ipairs(trainer.callbacks) do
    if callback.state then
      states[("%d.%s"):format(i, callback.class_name or "callback")] = callback:state()
    end
  end
  return states
end

local function put_history(archive, trainer)
  for part, fields in pairs(trainer.history) do
    for field, list in pairs(fields) do
      if #list > 0 then
        archive:put(("history/%s/%s"):format(part, field), list)
      end
    end
  end
  local p = trainer.pending
  archive:put("history/pending", { p.sum, p.count, p.epoch_sum, p.epoch_count })
  archive:put("history/evaluated", trainer.evaluated)
  if trainer.digest then
    archive:put("history/data", trainer.digest)
  end
  if trainer.best then
    archive:put("history/best", { trainer.best.value + 0.0, trainer.best.step + 0.0 })
    if trainer.monitor ~= "val_loss" then
      archive:put("history/monitor", trainer.monitor) -- what is best by
    end
  end
  local states = callback_states(trainer)
  if next(states) then
    archive:put("history/callbacks", json.encode(states))
  end
end

-- Averages beside the weights that are trained; where they stand in the model (best.h5), they are the weights.
local function put_average(archive, trainer)
  if trainer.average and not trainer.average.shown then
    trainer.average:put(archive)
  end
  local losses = trainer.optimizer.losses
  if losses and #losses > 0 then
    archive:put("average/losses", losses)
  end
  if trainer.schedule and trainer.schedule.scale ~= 1 then
    archive:put("train/lr_scale", trainer.schedule.scale)
  end
end

-- Raises what a checkpoint cannot hold, before there is work to be lost: names, and more than a file may have.
function trainer_state.check(trainer)
  local ok, failure = pcall(function()
    local archive <close> = checkpoint.begin(trainer.model, trainer.optimizer, trainer.config)
    put_average(archive, trainer)
  end)
  if not ok then
    errors.raise("Trainer: no checkpoint can hold this training: %s; without run_dir it is not kept",
      errors.sentence(failure))
  end
end

-- An archive of the training as it stands. Whoever has written it closes it: it is a copy of all there is.
function trainer_state.archive(trainer)
  local archive = checkpoint.begin(trainer.model, trainer.optimizer, trainer.config)
  archive:put("train/step", trainer.step)
  archive:put("train/epoch", trainer.epoch)
  archive:put("train/position", trainer.position)
  if trainer.bptt then
    archive:put("train/offset", trainer.offset)
    archive:put("train/tail", trainer.tail)
  end
  archive:put("random/calls", random.calls())
  if trainer.states then
    put_states(archive, "train/state", trainer.states)
  end
  put_average(archive, trainer)
  put_history(archive, trainer)
  return archive
end

-- Lists how two descriptions differ: "optimizer.lr is 0.002 there and 0.001 here".
local function differences(there, here, path, list)
  local keys = {}
  for key in pairs(there) do keys[key] = true end
  for key in pairs(here) do keys[key] = true end
  for key in pairs(keys) do
    local a, b = there[key], here[key]
    local name = path == "" and tostring(key) or path .. "." .. tostring(key)
    if type(a) == "table" and type(b) == "table" then
      differences(a, b, name, list)
    elseif a ~= b then
      local show = function(v) return type(v) == "table" and "given" or v == nil and "not given" or tostring(v) end
      list[#list + 1] = ("%s is %s there and %s here"):format(name, show(a), show(b))
    end
  end
  table.sort(list)
  return list
end
trainer_state.differences = differences

local function check_config(trainer, opened)
  local there, here = opened.config, json.decode(json.encode(trainer.config))
  local data = differences({ data = there.data, series = there.series }, { data = here.data, series = here.series },
    "", {})
  if #data > 0 then
    return errors.outside(("%s: was made with other data or batches: %s"):format(opened.path, data[1]), errors.USAGE)
  end
  local digest = opened.archive:has "history/data" and opened.archive:get "history/data"
  if digest and trainer.digest and digest ~= trainer.digest then
    return errors.outside(("%s: was made with other data, whose digest is %s, of these %s; its weights alone are "
      .. "taken with --init-from"):format(opened.path, digest:sub(1, 64), trainer.digest:sub(1, 64)), errors.USAGE)
  end
  there.data, here.data, there.series, here.series, there.model, here.model = nil, nil, nil, nil, nil, nil
  for _, line in ipairs(differences(there, here, "", {})) do
    trainer:notice(("going on with other settings: %s"):format(line))
  end
  return there, here
end

local function get_states(archive)
  local states
  for _, name in ipairs(archive:names "train/state/") do
    states = states or {}
    local at, keys = states, {}
    for key in name:sub(#"train/state/" + 1):gmatch "[^/]+" do
      keys[#keys + 1] = math.tointeger(tonumber(key)) or key
    end
    for i = 1, #keys - 1 do
      at[keys[i]] = at[keys[i]] or {}
      at = at[keys[i]]
    end
    at[keys[#keys]] = archive:get_tensor(name)
  end
  return states
end

local function list_from(archive, name)
  local value = archive:has(name) and archive:get(name) or {}
  return type(value) == "table" and value or { value }
end

local function get_history(trainer, archive)
  for part, fields in pairs(SERIES) do
    for _, field in ipairs(fields) do
      trainer.history[part][field] = list_from(archive, ("history/%s/%s"):format(part, field))
    end
  end
  local p = list_from(archive, "history/pending")
  trainer.pending = { sum = p[1] or 0.0, count = p[2] or 0.0, epoch_sum = p[3] or 0.0, epoch_count = p[4] or 0.0 }
  trainer.evaluated = archive:has "history/evaluated" and archive:get "history/evaluated" or 0
  if archive:has "history/best" then
    local best = archive:get "history/best"
    trainer.best = { value = best[1], step = math.tointeger(best[2]) }
  end
  local states = archive:has "history/callbacks" and json.decode(archive:get "history/callbacks") or {}
  for i, callback in ipairs(trainer.callbacks) do
    local state = states[("%d.%s"):format(i, callback.class_name or "callback")]
    if state and callback.restore then
      callback:restore(state)
    end
  end
end

local function get_average(trainer, archive, path)
  local losses = trainer.optimizer.losses
  for i, loss in ipairs(losses and list_from(archive, "average/losses") or {}) do
    losses[i] = tonumber(loss) -- a file may hold anything
  end
  if trainer.average then
    return trainer.average:restore(archive, path)
  end
  return true
end

-- Puts an opened checkpoint into the trainer: true, or nil, message, code.
function trainer_state.restore(trainer, opened)
  local archive = opened.archive
  local ok, message, code = checkpoint.read_model(opened, trainer.model, true)
  if not ok then
    return nil, message, code
  end
  for _, name in ipairs { "train/step", "train/epoch", "train/position" } do
    if not archive:has(name) then
      return errors.outside(("%s: holds weights but no training to go on with; use --init-from"):format(opened.path))
    end
  end
  local there, here = check_config(trainer, opened)
  if not there then
    return nil, here, errors.USAGE
  end
  ok, message, code = checkpoint.read_optimizer(opened, trainer.optimizer, trainer.names)
  if not ok then
    return nil, message, code
  end
  ok, message, code = get_average(trainer, archive, opened.path)
  if not ok then
    return nil, message, code
  end
  trainer.step, trainer.epoch = archive:get "train/step", archive:get "train/epoch"
  trainer.position = archive:get "train/position"
  trainer.offset = archive:has "train/offset" and archive:get "train/offset" or 0
  trainer.tail = archive:has "train/tail" and archive:get "train/tail" or 0
  trainer.states = get_states(archive)
  random.calls(archive:has "random/calls" and archive:get "random/calls" or 0)
  get_history(trainer, archive)
  if trainer.schedule then
    local scale = archive:has "train/lr_scale" and archive:get "train/lr_scale"
    trainer.schedule.scale = type(scale) == "number" and scale or 1.0
    trainer.schedule:set(trainer.step)
  elseif (there.optimizer or {}).lr == here.optimizer.lr then
    return checkpoint.read_rate(opened, trainer.optimizer)
  end
  return true
end

-- The newest checkpoint of the run that opens, with notices about those that do not; nil if there is none.
function trainer_state.newest(trainer)
  local steps, failure = trainer.run:steps(), nil
  for i = #steps, 1, -1 do
    local opened, message = checkpoint.open(trainer.run:file(steps[i]))
    if opened then
      return opened
    end
    trainer:notice(message)
    failure = message
  end
  if failure then
    return nil, failure
  end
  return nil
end

return trainer_state
