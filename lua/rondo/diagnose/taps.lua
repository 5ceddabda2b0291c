-- diagnose/taps.lua - a model's recurrent layers run step by step, each state within reach.
--
-- Whatever a model does, its cells run through cells.run_layers. While a tap is open that call takes one step of one
-- layer after the other, which has the bits of the whole sequence (bit contract, rule 0), and notes of each step what
-- went in and what came out. With probes, a leaf of zeros is added to each state: its gradient is the complete dL/ds,
-- from later steps, other layers and the loss together. That is all that diagnosing needs of a cell, so it is the same
-- for cells in C, in Lua and of equations.
-- SPDX-License-Identifier: MIT
local cells = require "rondo.cells"
local core = require "rondo.native"

local taps = {}

-- ---- names ----------------------------------------------------------------------------------------------------

local function add_layer(list, by_layer, prefix, number, reverse, module, layer)
  local form = prefix .. ("layer%d"):format(number) .. (reverse and ".reverse" or "")
  local label = module:label()
  if #module.stack > 1 then
    label = ("%s, layer %d"):format(label, number)
  end
  local parameters = {}
  for i, entry in ipairs(layer:parameters()) do
    parameters[i] = { name = entry[1], full = form .. "." .. entry[1], tensor = entry[2] }
  end
  local one = { name = form, label = reverse and label .. ", reverse" or label, cell = module.options.cell,
    layer = layer, module = module, parameters = parameters, state_list = layer:states(), steps = {} }
  list[#list + 1], by_layer[layer] = one, one
end

local function collect(module, prefix, list, by_layer)
  local stack = rawget(module, "stack")
  if stack then
    for i, layer in ipairs(stack) do
      add_layer(list, by_layer, prefix, i, false, module, layer)
      if module.back[i] then
        add_layer(list, by_layer, prefix, i, true, module, module.back[i])
      end
    end
  end
  for key, child in module:children() do
    collect(child, prefix .. key .. ".", list, by_layer)
  end
end

-- The recurrent layers of a model, in order: name (as parameters begin), label, cell, parameters, state_list; and the
-- same by layer.
function taps.layers(model)
  local list, by_layer = {}, {}
  collect(model, "", list, by_layer)
  return list, by_layer
end

-- ---- one step -------------------------------------------------------------------------------------------------

local function column(t, k)
  return t and t:slice(2, k, k) or nil
end

-- How the k-th step of a run that `how` describes is called: step t of the input, read forward.
local function how_of_step(how, t, counts, time)
  local resets
  if how.resets and how.reverse then
    resets = t < time and column(how.resets, t + 1) or nil -- the border lies before the step that is read next
  else
    resets = column(how.resets, t)
  end
  return { mask = column(counts, t), resets = resets, first = how.first, update = how.update,
    time = how.time and how.time + t - 1 }
end

-- A leaf of zeros beside a state.
local function probe_of(state)
  local probe = core.zeros(state:size())
  probe.requires_grad = true
  return probe
end

-- States of layer `one` after step `step` (x, before, how), with a list of leaves that were added.
local function take_step(one, step, o)
  local _, final = o.run({ one.layer }, step.x, step.before, { step.how })
  step.after, step.probes = {}, {}
  for k, state in ipairs(final) do
    if o.probes then
      step.probes[k] = probe_of(state)
      state = state + step.probes[k]
    end
    step.after[k] = state
  end
  if o.on_step then
    o.on_step(one, step)
  end
end

-- What the layer gives at a step: its first state, 0 in rows where the step does not count.
local function output_of(step)
  local y = step.after[1]
  if step.how.mask then
    y = core.where(step.how.mask:gt(0), y, 0)
  end
  return y
end

local function run_steps(one, x, states, how, o)
  local time, outputs = x:size(2), {}
  local counts = how.mask
  if counts and counts.ndim == 1 then
    counts = core.where(counts:gt(time), time, counts) -- lengths go beyond a part of a sequence
  end
  counts = counts and core.valid_steps(x, counts, one.label) or nil
  one.reverse, one.calls = how.reverse or false, (one.calls or 0) + 1
  for k = 1, time do
    local t = how.reverse and time + 1 - k or k
    local step = { call = one.calls, t = t, x = column(x, t), before = states, how = how_of_step(how, t, counts, time) }
    take_step(one, step, o)
    if not o.forget then
      one.steps[#one.steps + 1] = step
    end
    states, outputs[t] = step.after, output_of(step):unsqueeze(1)
  end
  return core.concat(outputs, 1):transpose(1, 2), states
end

-- ---- the tap --------------------------------------------------------------------------------------------------

-- In place of cells.run_layers.
local function tapped(by_layer, o)
  return function(list, x, states, hows, both)
    local outputs, final, used = {}, {}, 0
    for k, layer in ipairs(list) do
      local one = by_layer[layer]
      local n, mine = #one.state_list, nil
      if states then
        mine = table.move(states, used + 1, used + n, 1, {})
      end
      local y, after = run_steps(one, not both and outputs[k - 1] or x, mine, hows[k], o)
      outputs[k] = y
      table.move(after, 1, n, used + 1, final)
      used = used + n
    end
    -- What is handed out may be released by whoever called; the states of the steps are ours.
    for i, state in ipairs(final) do
      final[i] = state:slice(1, 1, state:size(1))
    end
    if both then
      return outputs[1], outputs[2], final
    end
    return outputs[#outputs], final
  end
end

-- Runs f(...) with a tap on the model: the layers with their steps { t, x, before, after, probes, how }, in the order
-- in which they were taken, and what f returns. o: probes; run, in place of cells.run_layers; on_step(layer, step);
-- forget: steps are not kept.
function taps.run(model, o, f, ...)
  local list, by_layer = taps.layers(model)
  local run = cells.run_layers
  cells.run_layers = tapped(by_layer, { run = o.run or run, probes = o.probes, on_step = o.on_step,
    forget = o.forget })
  local results = table.pack(pcall(f, ...))
  cells.run_layers = run
  if not results[1] then
    error(results[2], 0)
  end
  return list, table.unpack(results, 2, results.n)
end

-- A step again, alone: a graph of one step from constants. Returns the last states, and the leaves that the states
-- before it are (nil where it began with first values and `leaves` is not asked for).
function taps.again(one, step, leaves)
  local before
  if step.before then
    before = {}
    for k, state in ipairs(step.before) do
      before[k] = state:detach():clone()
      before[k].requires_grad = leaves or false
    end
  end
  local _, final = cells.run_layers({ one.layer }, step.x:detach(), before, { step.how })
  return final, before
end

return taps
