-- diagnose/capsule.lua - one update that breaks, in a file: written where it does, and played again.
--
-- A capsule is a checkpoint of the training at the beginning of the update (checkpoint.lua), with the update's batches
-- and what was found in them: capsule/first and n, their numbers, capsule/<i>/x (or x1, x2, ...), y, weight, and
-- lengths, mask, resets; capsule/memory, where they were played in segments; capsule/seeds, JSON: which numbers draw
-- each layer's masks; capsule/trail, JSON. It lies in RUN/capsules/step-<12 digits>.h5.
-- SPDX-License-Identifier: MIT
local checkpoint = require "rondo.checkpoint"
local core = require "rondo.native"
local errors = require "rondo.errors"
local json = require "rondo.json"
local losses = require "rondo.loss"
local memory_plan = require "rondo.memory_plan"
local optim = require "rondo.optim"
local options = require "rondo.options"
local random = require "rondo.random"
local search = require "rondo.diagnose.search"
local trainer_state = require "rondo.trainer_state"

local capsule = {}

-- ---- which numbers a layer draws ------------------------------------------------------------------------------

-- Fields of modules that say it.
local FIELDS = { "seed", "layer", "dropout_seed", "dropout_layer", "number" }

local function each_module(model, path, f)
  f(path, model)
  for key, child in model:children() do
    each_module(child, path .. "/" .. key, f)
  end
end

-- By path of the module and field.
local function seeds_of(model)
  local seeds = {}
  each_module(model, "", function(path, one)
    for _, field in ipairs(FIELDS) do
      if math.type(rawget(one, field)) == "integer" then
        seeds[path .. "." .. field] = one[field]
      end
    end
  end)
  return seeds
end

-- The model built once more so that each layer draws what it drew in the run: layers claim their numbers when they are
-- made, so a first building tells which claim ends up where.
local function with_seeds(opened, seeds)
  local claims, place = {}, {}
  local probe, message, code = random.claiming(function(_, count)
    claims[#claims + 1] = count or 1
    return #claims, #claims
  end, checkpoint.rebuild, opened)
  if not probe then
    return nil, message, code
  end
  for where, i in pairs(seeds_of(probe)) do
    local path, field = where:match "^(.*)%.([%a_]+)$"
    if not field:find "seed" then
      place[i] = { layer = seeds[where], seed = seeds[path .. "." .. (field == "dropout_layer" and "dropout_seed" or
        "seed")] }
    end
  end
  local n = 0
  return random.claiming(function(seed, count, plain)
    n = n + 1
    if place[n] and place[n].layer then
      return place[n].seed, place[n].layer
    end
    return plain(seed, count)
  end, checkpoint.rebuild, opened)
end

-- ---- writing --------------------------------------------------------------------------------------------------

local function put(archive, name, value)
  archive:put(name, type(value) == "table" and core.tensor(value) or value)
end

local function put_batch(archive, i, x, y, how, weight)
  local at = ("capsule/%d/"):format(i)
  if type(x) == "table" then
    for k, one in ipairs(x) do
      put(archive, at .. "x" .. k, one)
    end
  else
    put(archive, at .. "x", x)
  end
  put(archive, at .. "y", y)
  if weight then
    put(archive, at .. "weight", weight)
  end
  for name, value in pairs(how or {}) do
    if value then
      put(archive, at .. name, value)
    end
  end
end

-- An archive of the trainer as it stood when the update began, and the numbers of the batches that it reads.
local function archive_of(trainer, begun)
  local now, first, last = {}, begun.position + 1, begun.position + begun.n
  if trainer.bptt then
    last = trainer.position + (trainer.offset > 0 and 1 or 0) -- where the window has ended
  end
  for _, name in ipairs { "position", "epoch", "offset", "tail" } do
    now[name], trainer[name] = trainer[name], begun[name]
  end
  local states = trainer.states
  trainer.states = begun.states
  if trainer.bptt then
    first = require("rondo.trainer_bptt").first_batch(trainer, begun.source)
  end
  local ok, archive = pcall(trainer_state.archive, trainer)
  for name, value in pairs(now) do
    trainer[name] = value
  end
  trainer.states = states
  return ok and archive, ok and first or archive, math.max(last, first)
end

-- The trainer's update that began as `begun` says, and its trail; the path, or nil, message.
function capsule.write(trainer, begun, trail)
  local archive, first, last = archive_of(trainer, begun)
  if not archive then
    return nil, first
  end
  archive:put("capsule/first", first)
  archive:put("capsule/n", last - first + 1)
  if not begun.whole and trainer.memory then
    archive:put("capsule/memory", trainer.memory)
  end
  for i = 1, last - first + 1 do
    put_batch(archive, i, begun.source:batch(first + i - 1, begun.epoch + 1))
  end
  archive:put("capsule/seeds", json.encode(seeds_of(trainer.model)))
  local list = {}
  for i, entry in ipairs(trail) do
    list[i] = entry
  end
  archive:put("capsule/trail", json.encode(list))
  local folder = trainer.run.path .. "/capsules"
  if not core.stat(folder) then
    local made, message = core.mkdir(folder)
    if not made then
      return nil, message
    end
  end
  local path = ("%s/step-%012d.h5"):format(folder, trainer.step + 1)
  local digests, message = archive:save(path)
  return digests and path, message
end

-- ---- reading --------------------------------------------------------------------------------------------------

local Batches = {}
Batches.__index = Batches

function Batches:__len()
  return self.first + self.n - 1
end

function Batches:describe()
  return self.data
end

function Batches:batch(k)
  k = math.max(k, self.first) -- what the first one of an epoch is asked for, any batch tells
  local archive, at = self.archive, ("capsule/%d/"):format(k - self.first + 1)
  local function get(name)
    return archive:has(at .. name) and archive:get_tensor(at .. name) or nil
  end
  local x = get "x"
  if not x then
    x = {}
    while archive:has(at .. "x" .. #x + 1) do
      x[#x + 1] = get("x" .. #x + 1)
    end
  end
  local y, how = get "y", { lengths = get "lengths", mask = get "mask", resets = get "resets" }
  if type(x) == "table" and #x == 0 or not y then
    errors.raise("replay: batch %d is not whole", k)
  end
  return x, y, next(how) and how or nil, get "weight"
end

local function source_of(opened)
  local archive = opened.archive
  local data = type(opened.config.data) == "table" and opened.config.data or {}
  local stateful = #archive:names "train/state/" > 0 or data.stateful == true
  return setmetatable({ archive = archive, n = archive:get "capsule/n", first = archive:get "capsule/first",
    data = opened.config.data, stateful = stateful }, Batches)
end

local function made(what, description, from, name)
  local given = {}
  if type(description) ~= "table" or type(description[name]) ~= "string" then
    errors.raise("replay: it names no %s", what)
  end
  for key, value in pairs(description) do
    given[key] = key ~= name and value or nil
  end
  local make = from[description[name]]
  if not make then
    errors.raise("replay: there is no %s '%s'", what, tostring(description[name]))
  end
  return make(given)
end

local specs = {
  { name = "model", kind = "any", help = "the model, where it is a class of a script; else it is built from the file" },
  { name = "loss", kind = "any", help = "the loss, where it is a function of a script" },
}

-- Numbers by path and field, as seeds_of has them.
local function seeds_in(archive)
  local seeds = json.decode(archive:get "capsule/seeds")
  for _, seed in pairs(type(seeds) == "table" and seeds or { false }) do
    if math.type(seed) ~= "integer" or seed < 0 or seed > 0xffffffff then
      errors.raise("replay: its seeds are no whole numbers")
    end
  end
  return seeds
end

local function parts_of(opened, o)
  local config = opened.config
  local model, why, code = o.model
  if not model then
    model, why, code = with_seeds(opened, seeds_in(opened.archive))
  end
  if not model then
    return nil, why, code
  end
  local loss = o.loss or config.loss and made("loss", config.loss, losses, "kind")
  if not loss then
    return errors.outside(opened.path .. ": its loss is a function of a script; rondo.replay(path, { loss = ... }) "
      .. "there")
  end
  return model, loss, made("optimizer", config.optimizer, optim, "kind")
end

-- Equal trails, but for what they are called by numbers alone.
local function same(a, b)
  if #a ~= #b then
    return false
  end
  for i, entry in ipairs(a) do
    if search.sentence(entry) ~= search.sentence(b[i]) or entry.phase ~= b[i].phase then
      return false
    end
  end
  return true
end

local PARTS = { "capsule/trail", "capsule/seeds", "capsule/first", "capsule/n", "optimizer/lr" }

local function open(path)
  local opened, message, code = checkpoint.open(path)
  if not opened then
    return nil, message, code
  end
  for _, name in ipairs(PARTS) do
    if not opened.archive:has(name) then
      return errors.outside(path .. ": is no capsule; capsules lie in RUN/capsules")
    end
  end
  return opened
end

-- The trail as people read it, a line each.
function capsule.lines(trail)
  local phases = { before = "before", forward = "forward", backward = "backward", gradient = "gradients",
    update = "update" }
  local lines = {}
  for i, entry in ipairs(trail) do
    lines[i] = ("%3d  %-9s  %s%s"):format(i, phases[entry.phase] or entry.phase, entry.batch
      and ("batch %d: "):format(entry.batch) or "", search.sentence(entry))
  end
  return lines
end

local function play(opened, o)
  local recorded = json.decode(opened.archive:get "capsule/trail")
  if not pcall(capsule.lines, recorded) then
    errors.raise("replay: its trail is unreadable")
  end
  local model, loss, optimizer = parts_of(opened, o)
  if not model then
    return nil, loss, optimizer
  end
  local config, archive = opened.config, opened.archive
  local trainer = require("rondo.trainer").Trainer { model = model, loss = loss, optimizer = optimizer,
    clip_grad_norm = config.clip_grad_norm, clip_grad_value = config.clip_grad_value,
    accumulate = config.accumulate or 1, bptt = config.bptt,
    memory = archive:has "capsule/memory" and archive:get "capsule/memory" or nil, progress = "none", quiet = true,
    max_steps = 1 << 30 }
  function trainer.notice() end
  core.precision(config.precision or "float32")
  local source = source_of(opened)
  trainer:bind(source)
  trainer:prepare_parts(source)
  trainer.planned = trainer.memory and memory_plan.of(trainer, source, { budget = trainer.memory })
  local ok, message, code = trainer_state.restore(trainer, opened)
  if not ok then
    return nil, message, code
  end
  if trainer.position >= #source then
    return errors.outside(("%s: is at batch %d, and it holds batches to %d"):format(opened.path, trainer.position + 1,
      #source))
  end
  ok, message, code = checkpoint.read_rate(opened, trainer.optimizer)
  if not ok then
    return nil, message, code
  end
  model:train()
  local found = trainer:broken_update(source)
  return { step = trainer.step + 1, trail = found or {}, recorded = recorded, same = same(found or {}, recorded) }
end

-- Where all comes from the file, which may be anybody's, what fails is the file's fault; else it may be the script's.
local function replay(path, o)
  if type(path) ~= "string" then
    errors.raise("replay: expected the path of a capsule, got a %s", type(path))
  end
  local opened, why, failure = open(path)
  if not opened then
    return nil, why, failure
  end
  local precision = core.precision()
  local results = table.pack(pcall(play, opened, o))
  core.precision(precision)
  local message = results[2]
  if results[1] then
    return table.unpack(results, 2, results.n)
  elseif o.model or o.loss or type(message) ~= "string" then
    error(message, 0)
  end
  return errors.outside(("%s: cannot be played again: %s"):format(path, errors.sentence(message)))
end

function capsule.options(given)
  return options.resolve("replay", specs, given)
end

-- rondo.replay(path, { model =, loss = }): { step =, trail =, recorded =, same = }, or nil, message, code.
function capsule.replay(path, given)
  return errors.blame(replay, path, capsule.options(given))
end

return capsule
