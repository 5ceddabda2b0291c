-- diagnose/search.lua - where the first number that is not finite comes from.
--
-- The batches of an update are played once more, step by step, with the masks of that update; what each layer gives at
-- each time step, and on the way back the gradient of each, is looked at in the order of computation. What is found is
-- a trail: the first bad number of each tensor, the very first of all at its beginning.
-- SPDX-License-Identifier: MIT
local cells = require "rondo.cells"
local core = require "rondo.native"
local inside = require "rondo.diagnose.inside"
local random = require "rondo.random"
local taps = require "rondo.diagnose.taps"
local tensor = require "rondo.tensor"

local search = {}

local function is_bad(x)
  return x ~= x or x == math.huge or x == -math.huge
end

-- The sign of what is no number says nothing (bit contract, rule 0).
local function name_of(x)
  return x ~= x and "nan" or tostring(x)
end

-- ---- the first bad number of a tensor -------------------------------------------------------------------------

local function first_in(values, place)
  if type(values) == "number" then
    return is_bad(values) and { place = place, value = values } or nil
  end
  for i, inner in ipairs(values) do
    local here = table.move(place, 1, #place, 1, {})
    here[#here + 1] = i
    local found = first_in(inner, here)
    if found then
      return found
    end
  end
end

-- { place = { positions }, value = } of the first in logical order, or nil.
local function first_bad(t)
  if not t or t:is_finite() then
    return nil
  end
  return first_in(t:table(), {})
end

-- The same of a sequence (batch, time, ...), by time first; `back`: from the last time on. Else row and unit.
local function first_by_time(t, back)
  if not t or t:is_finite() then
    return nil
  elseif t.ndim < 3 then
    local found = first_bad(t)
    return { row = found.place[1], unit = found.place[2], value = found.value }
  end
  local time = t:size(2)
  for i = 1, time do
    local k = back and time + 1 - i or i
    local found = first_bad(t:select(2, k):contiguous())
    if found then
      return { time = k, row = found.place[1], unit = found.place[2], value = found.value }
    end
  end
end

-- ---- the trail ------------------------------------------------------------------------------------------------

local Trail = {}
Trail.__index = Trail

-- Adds what was found of a tensor, once.
function Trail:add(phase, layer, name, found)
  local key = ("%s %s %s"):format(phase, layer, name)
  if found and not self.seen[key] then
    self.seen[key] = true
    self[#self + 1] = { phase = phase, layer = layer, tensor = name, time = found.time, row = found.row,
      unit = found.unit, place = found.place, value = name_of(found.value), batch = self.batch }
  end
end

-- "state 'c' of 1.layer1 at time step 3, row 2, unit 5 is inf"
function search.sentence(entry)
  local where = {}
  for _, name in ipairs { "time", "row", "unit" } do
    where[#where + 1] = entry[name] and ("%s %d"):format(name == "time" and "time step" or name, entry[name]) or nil
  end
  if entry.place then
    where[1] = ("element (%s)"):format(table.concat(entry.place, ", "))
  end
  return ("%s%s%s is %s"):format(entry.tensor, entry.layer ~= "" and " of " .. entry.layer or "",
    #where > 0 and " at " .. table.concat(where, ", ") or "", entry.value)
end

-- ---- forward --------------------------------------------------------------------------------------------------

local function has_children(module)
  return module:children()() ~= nil
end

-- Calls `see` with what each module that holds no others gives, and lets it change that; returns how to stop.
local function hook(module, path, see, undo)
  if rawget(module, "stack") then
    return -- its cells are tapped
  elseif not has_children(module) then
    for _, name in ipairs { "forward", "advance" } do
      local plain = module[name]
      if plain then
        undo[#undo + 1] = function() rawset(module, name, nil) end
        rawset(module, name, function(self, ...)
          local results = table.pack(plain(self, ...))
          results[1] = see(path ~= "" and path or module:label(), results[1])
          return table.unpack(results, 1, results.n)
        end)
      end
    end
  end
  for key, child in module:children() do
    hook(child, path == "" and key or path .. "." .. key, see, undo)
  end
end

local function look_at_step(trail, one, step)
  for _, entry in ipairs(step.inside) do
    local found = first_bad(entry[2])
    trail:add("forward", one.name, ("'%s'"):format(entry[1]), found and { time = step.t, row = found.place[1],
      unit = found.place[2], value = found.value })
  end
  for k, state in ipairs(one.state_list) do
    local found = first_bad(step.after[k])
    trail:add("forward", one.name, ("state '%s'"):format(state[1]), found and { time = step.t, row = found.place[1],
      unit = found.place[2], value = found.value })
  end
end

-- Plays one batch forward with taps; returns the loss to be played back, its sum, the states after, and what was
-- computed, in order.
local function forward(trainer, batch, trail)
  local events, undo = {}, {}
  local function see(path, y)
    if not tensor.is_tensor(y) then
      return y
    end
    trail:add("forward", path, "the output", first_by_time(y))
    if y.requires_grad then
      local probe = core.zeros(y:size())
      probe.requires_grad = true
      events[#events + 1] = { path = path, probe = probe }
      return y + probe
    end
    return y
  end
  local watched, read, close = inside.watch(cells.run_layers)
  hook(trainer.model, "", see, undo)
  local results = table.pack(pcall(taps.run, trainer.model, { probes = true, run = watched,
    on_step = function(one, step)
      step.inside = read(one, step)
      look_at_step(trail, one, step)
      events[#events + 1] = { one = one, step = step }
    end }, trainer.forward, trainer, batch))
  close()
  for _, f in ipairs(undo) do
    f()
  end
  if not results[1] then
    error(results[2], 0)
  end
  local y, after = results[3], results[4]
  trail:add("forward", "", "the model's output", first_by_time(y))
  local loss, sum = trainer.loss(y, batch.y, trainer.weight_of(batch, y))
  sum = sum or loss:item()
  trail:add("forward", "", "the loss", is_bad(sum) and { value = sum } or nil)
  local penalty = trainer.model:penalty()
  return penalty == 0 and loss or loss + penalty, after, events
end

-- ---- backward -------------------------------------------------------------------------------------------------

local function look_back(trail, events)
  for i = #events, 1, -1 do
    local event = events[i]
    if event.probe then
      trail:add("backward", event.path, "dL/d(output)", first_by_time(event.probe.grad, true))
    else
      for k, state in ipairs(event.one.state_list) do
        local found = first_bad(event.step.probes[k].grad)
        trail:add("backward", event.one.name, ("dL/d%s"):format(state[1]), found and { time = event.step.t,
          row = found.place[1], unit = found.place[2], value = found.value })
      end
    end
  end
end

local function look_at_parameters(trail, trainer, phase, form, of)
  for i, p in ipairs(trainer.parameters) do
    trail:add(phase, "", form:format(trainer.names[i]), first_bad(of(p)))
  end
end

-- What the optimizer holds.
function search.slots(trail, trainer)
  for _, slot in ipairs(trainer.optimizer.handle:slots()) do
    local name = ("the optimizer's '%s' of '%s'"):format(slot.name, trainer.names[slot.parameter])
    trail:add("update", "", name, first_bad(slot.tensor))
  end
end

-- ---- all of it ------------------------------------------------------------------------------------------------

function search.trail()
  return setmetatable({ seen = {} }, Trail)
end

local function look_at_input(trail, batch)
  for i, x in ipairs(type(batch.x) == "table" and batch.x or { batch.x }) do
    trail:add("before", "", i == 1 and "the input" or ("input %d"):format(i), first_by_time(x))
  end
  if tensor.is_tensor(batch.y) then
    trail:add("before", "", "the target", first_by_time(batch.y))
  end
end

-- The trail of an update of the trainer. begun: { source, position, epoch, n, states } at its beginning. The model must
-- have the weights of then; gradients are overwritten.
function search.update(trainer, begun)
  local trail = search.trail()
  look_at_parameters(trail, trainer, "before", "the parameter '%s'", function(p) return p end)
  search.slots(trail, trainer)
  local states = begun.states
  trainer.optimizer:zero_grad()
  for index = 1, begun.n do
    local x, y, how, weight = begun.source:batch(begun.position + index, begun.epoch + 1)
    random.set_update(trainer.step * trainer.accumulate + index - 1)
    local batch = { x = x, y = y, how = how, weight = weight, states = states, stateful = begun.source.stateful }
    trail.batch = begun.n > 1 and index or nil
    look_at_input(trail, batch)
    local loss, after, events = forward(trainer, batch, trail)
    loss:backward(begun.n > 1 and 1 / begun.n or nil)
    look_back(trail, events)
    states = after
  end
  trail.batch = nil
  look_at_parameters(trail, trainer, "gradient", "the gradient of '%s'", function(p) return p.grad end)
  return trail
end

-- The same of a window of steps, or of a batch in segments: played by the Trainer itself, each cell step by step. Where
-- a layer is seen twice, as segments are, the first time counts; time steps are those of the window. Of the way back
-- only the gradients of the weights are seen.
function search.window(trainer, begun)
  local trail, stop, steps = search.trail(), {}, {}
  look_at_parameters(trail, trainer, "before", "the parameter '%s'", function(p) return p end)
  search.slots(trail, trainer)
  local now = { position = trainer.position, offset = trainer.offset, tail = trainer.tail, states = trainer.states }
  trainer.position, trainer.offset, trainer.tail = begun.position, begun.offset, begun.tail
  trainer.states = trainer.copied_states(begun.states)
  trainer.optimizer:zero_grad()
  local watched, read, close = inside.watch(cells.run_layers)
  trainer.searching = stop
  local ok, message = pcall(taps.run, trainer.model, { run = watched, forget = true, on_step = function(one, step)
    steps[one] = (steps[one] or 0) + 1
    step.inside = read(one, step)
    step.t = steps[one]
    look_at_step(trail, one, step)
  end }, trainer.play, trainer, begun.source, begun.n)
  trainer.searching = nil
  close()
  for name, value in pairs(now) do
    trainer[name] = value
  end
  trainer.states = now.states
  if not ok and message == stop then
    trail:add("forward", "", "the loss", { value = 0 / 0 })
  elseif not ok then
    error(message, 0)
  end
  look_at_parameters(trail, trainer, "gradient", "the gradient of '%s'", function(p) return p.grad end)
  return trail
end

-- What is to be seen of the optimizer and the weights after its step.
function search.after_update(trail, trainer)
  search.slots(trail, trainer)
  look_at_parameters(trail, trainer, "update", "the parameter '%s', updated,", function(p) return p end)
end

return search
