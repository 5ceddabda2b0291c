-- diagnose/trace.lua - model:trace(x): gates and states of every recurrent layer at every step, while predicting.
-- SPDX-License-Identifier: MIT
local cells = require "rondo.cells"
local core = require "rondo.native"
local errors = require "rondo.errors"
local inside = require "rondo.diagnose.inside"
local module = require "rondo.module"
local taps = require "rondo.diagnose.taps"

local trace = {}

-- (batch, time, width) out of (batch, width) of each step, in the order of time.
local function over_time(list, steps)
  local by_time = {}
  for i, step in ipairs(steps) do
    by_time[i] = { step.call, step.t, list[i] }
  end
  table.sort(by_time, function(a, b) -- a layer that is called step by step goes on from call to call
    if a[1] ~= b[1] then
      return a[1] < b[1]
    end
    return a[2] < b[2]
  end)
  for i, entry in ipairs(by_time) do
    by_time[i] = entry[3]:unsqueeze(1)
  end
  return core.concat(by_time, 1):transpose(1, 2)
end

local function layer_of(one)
  local found = { name = one.name, label = one.label, cell = one.cell, states = {}, gates = {} }
  local gates, lacks = {}, {}
  for i, step in ipairs(one.steps) do
    for _, entry in ipairs(step.inside) do
      gates[entry[1]] = gates[entry[1]] or {}
      gates[entry[1]][i] = entry[2]
    end
  end
  for name, list in pairs(gates) do
    for i = 1, #one.steps do
      lacks[name] = lacks[name] or not list[i]
    end
    if not lacks[name] then -- a local variable that is not there at each step has no sequence
      found.gates[name] = over_time(list, one.steps)
    end
  end
  for k, state in ipairs(one.state_list) do
    local list = {}
    for i, step in ipairs(one.steps) do
      list[i] = step.after[k]
    end
    found.states[state[1]] = over_time(list, one.steps)
  end
  return found
end

local function run(model, x, how)
  local watched, read, close = inside.watch(cells.run_layers)
  local results = table.pack(pcall(model.evaluating, model, function()
    if not pcall(model.parameter_list, model) then
      model:forward(x, nil, how)
    end
    return taps.run(model, { run = watched, on_step = function(one, step) step.inside = read(one, step) end },
      model.forward, model, x, nil, how)
  end))
  close()
  if not results[1] then
    error(results[2], 0)
  end
  local list, y = results[2], results[3]
  if #list == 0 then
    errors.raise("trace: %s has no recurrent layer of a cell", model:label())
  end
  local found = { output = y }
  for i, one in ipairs(list) do
    if #one.steps > 0 then
      found[i] = layer_of(one)
      found[one.name] = found[i]
    end
  end
  return found
end

-- { [1] = { name =, label =, cell =, states = { h = (batch, time, width), ... }, gates = { i =, ... } }, ...,
-- output = }; also by name. x: as predict takes it; the batch dimension is added where it is missing.
function trace.trace(model, x, how)
  x = module.input_of(model, x, "trace")
  local wanted = rawget(model, "predict_dims") or model:input_dims() or x.ndim == 1 and 2
  if wanted and x.ndim == wanted - 1 then
    x = x:unsqueeze(1)
  end
  return run(model, x, how)
end

return trace
