-- over_time.lua - Pool, Repeat, TimeDistributed, ActivityRegularization: layers about the steps of a sequence.
--
-- A layer with advance(x, states, mask) is given the mask in a Sequential; passes_mask: it returns, third, what the
-- mask is behind it (nil: no sequence, or one where all steps count).
-- SPDX-License-Identifier: MIT
local by_steps = require "rondo.by_steps"
local core = require "rondo.native"
local errors = require "rondo.errors"
local layers = require "rondo.layers"
local mask = require "rondo.mask"
local module = require "rondo.module"
local options = require "rondo.options"
local ids_first = require("rondo.sequential").ids_first

local over_time = {}

local function check_sequence(self, x, ndim)
  if ndim and x.ndim ~= ndim or x.ndim < 2 then
    errors.raise("%s: expected input (batch, time, %s), got %s", self:label(), ndim and "features" or "...",
      layers.shape_text(x))
  end
end

-- ---- Pool ---------------------------------------------------------------------------------------------------

-- Pool { "mean" }: (batch, time, ...) to (batch, ...) over the steps that count; a sequence without any gives 0.
local Pool = layers.layer_class("Pool", { { name = "how", kind = "choice", required = true,
  choices = { "last", "mean", "max" }, help = "the last step that counts, or the mean or maximum of those that do" },
  layers.NAME }, { "how" })
over_time.Pool = Pool
Pool.passes_mask = true

function Pool.build(_, features)
  return features, "(batch"
end

function Pool:advance(x, _, valid)
  if x.ndim < 3 then
    errors.raise("%s: expected input (batch, time, ...), got %s", self:label(), layers.shape_text(x))
  end
  local steps, resets = mask.given(mask.read(valid))
  if resets and self.options.how ~= "last" then
    errors.raise("%s: a reset parts the sequence that it makes one vector of", self:label())
  end
  return core.pool_time(x, self.options.how, steps), nil, nil
end

function Pool:forward(x, states, how)
  local _, valid = mask.arguments(states, how)
  return (self:advance(x, nil, valid))
end

function Pool:reads_ahead()
  if self.options.how ~= "last" then
    return self, module.WHOLE
  end
end

-- ---- Repeat ---------------------------------------------------------------------------------------------------

-- Repeat { n }: (batch, features) to (batch, n, features).
local Repeat = layers.layer_class("Repeat", { layers.size("n", true, "steps of the output"), layers.NAME }, { "n" })
over_time.Repeat = Repeat
Repeat.passes_mask = true

function Repeat:build(features)
  return features, ("(batch, %d"):format(self.options.n)
end

function Repeat:advance(x)
  if x.ndim ~= 2 then
    errors.raise("%s: expected input (batch, features), got %s", self:label(), layers.shape_text(x))
  end
  local ones <close> = core.full({ x:size(1), self.options.n, x:size(2) }, 1, "sequence")
  return ones * x:unsqueeze(2), nil, nil
end

function Repeat:forward(x)
  return (self:advance(x))
end

function Repeat:reads_ahead()
  return self, module.WHOLE
end

-- ---- TimeDistributed --------------------------------------------------------------------------------------------

-- TimeDistributed { layer }: the layer on every step of (batch, time, ...) by itself, as (batch * time, ...). Layers
-- of single steps (Linear, LayerNorm, Embedding, ...) take (batch, time, features) as it is and need it not: it is
-- for what reads a sequence in each step, as letters in words.
local TimeDistributed = module.library_class "TimeDistributed"
over_time.TimeDistributed = TimeDistributed
TimeDistributed.passes_mask = true

local distributed_specs = {
  { name = "layer", kind = "any", required = true, help = "what each step goes through" }, layers.NAME }

function TimeDistributed:init(given)
  local o = options.resolve("TimeDistributed", distributed_specs, given, { "layer" })
  if not module.is_module(o.layer) then
    errors.raise("TimeDistributed: expected a layer, as in TimeDistributed { LSTM { ... } }, got a %s", type(o.layer))
  end
  layers.check_one_output("TimeDistributed", o.layer)
  self.layer, self.name = o.layer, o.name
end

function TimeDistributed:needs_size()
  return self.layer.needs_size ~= nil and self.layer:needs_size()
end

function TimeDistributed:build(features)
  return self.layer.build and self.layer:build(features) or nil
end

-- Steps lie side by side in sequence order: (time * batch, ...) is a view of it.
function TimeDistributed:advance(x, _, valid)
  check_sequence(self, x)
  local dims = x:size()
  local batch, time = dims[1], dims[2]
  local rows <close> = x:transpose(1, 2):reshape { batch * time, table.unpack(dims, 3) }
  local y <close> = self.layer(rows)
  if y:size(1) ~= batch * time then
    errors.raise("%s: its layer gave %s for %d steps", self:label(), layers.shape_text(y), batch * time)
  end
  valid = mask.read(valid)
  if x.ndim == 3 and ids_first(self.layer) then
    valid = mask.of_ids(valid, x:ne(0):max(3)) -- a step without any id is absent
  end
  return y:reshape { time, batch, table.unpack(y:size(), 2) }:transpose(1, 2), nil, valid
end

function TimeDistributed:forward(x)
  return (self:advance(x))
end

function TimeDistributed:input_dims()
  local inner = self.layer.takes_ids and 2 or self.layer:input_dims()
  return inner and inner + 1
end

function TimeDistributed.reads_ahead()
  return nil -- what its layer reads is one step
end

function TimeDistributed:describe()
  local inner = self.layer:describe()
  return inner and { kind = "TimeDistributed", layer = inner, name = self.name }
end

function TimeDistributed.from_description(description)
  return TimeDistributed { module.from_description(description.layer), name = description.name }
end

function TimeDistributed:output_text()
  return rawget(self, "_shape") or ""
end

-- ---- ActivityRegularization ---------------------------------------------------------------------------------------

-- ActivityRegularization { ar = 2, tar = 1 }: passes x on, and adds to the loss of the training
--   ar mean(x_t^2) + tar mean((x_t - x_(t-1))^2)
-- over the steps that count and their features (Merity, Keskar and Socher 2018, section 4.6); model:penalty() is that.
local ActivityRegularization = layers.layer_class("ActivityRegularization", {
  { name = "ar", kind = "real", def = 0.0, min = 0, help = "factor of the mean square" },
  { name = "tar", kind = "real", def = 0.0, min = 0, help = "factor of the mean square of changes from step to step" },
  layers.NAME }, { "ar", "tar" })
over_time.ActivityRegularization = ActivityRegularization
ActivityRegularization.passes_mask = true

function ActivityRegularization.build(_, features)
  return features
end

-- For each step that counts the number of the row (in time * batch) of the one before it, or 0. Resets part steps.
local function steps_before(counts, resets)
  local list, batch, time = {}, counts:size(1), counts:size(2)
  local begins = resets and resets:table()
  for b, row in ipairs(counts:table()) do
    local before = 0
    for t = 1, time do
      before = begins and begins[b][t] == 1 and 0 or before
      list[#list + 1] = row[t] == 1 and before or 0
      before = row[t] == 1 and (t - 1) * batch + b or before
    end
  end
  return core.tensor(list, { batch, time })
end

local function mean_square(x, from, counts)
  return (core.mse(x, from, "mean", counts and counts:unsqueeze(3)))
end

local function mean_change(x, counts, resets)
  if not counts and not resets then
    local last = x:size(2)
    return last > 1 and mean_square(x:slice(2, 2, last), x:slice(2, 1, last - 1))
  end
  counts = counts or core.full({ x:size(1), x:size(2) }, 1)
  local before <close> = steps_before(counts, resets)
  local shifted <close> = by_steps.gather(x, before)
  return mean_square(x, shifted, before:ne(0))
end

function ActivityRegularization:advance(x, _, valid)
  rawset(self, "_penalty", nil)
  valid = mask.read(valid)
  if not self.training or not core.grad_mode() then
    return x, nil, valid
  end
  check_sequence(self, x, 3)
  local steps, resets = mask.given(valid)
  local o, counts = self.options, steps and core.valid_steps(x, steps, self:label())
  local square = o.ar > 0 and mean_square(x, core.zeros(x:size(), "sequence"), counts) * o.ar
  local change = o.tar > 0 and mean_change(x, counts, resets)
  change = change and change * o.tar
  rawset(self, "_penalty", square and change and square + change or square or change or nil)
  return x, nil, valid
end

function ActivityRegularization:forward(x, states, how)
  local _, valid = mask.arguments(states, how)
  return (self:advance(x, nil, valid))
end

return over_time
