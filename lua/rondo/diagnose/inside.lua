-- diagnose/inside.lua - what a cell computes inside of a step: gates and what else it names.
--
-- A C cell's are its lines, as forward has left them, and its temps, by the names that it has declared. A Lua cell's
-- are the tensors in the local variables of its step() where that returns, by their names. A cell of equations that is
-- not compiled has its lines, behind the function that they are given to.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local interpret = require "rondo.equations.interpret"
local tensor = require "rondo.tensor"

local inside = {}

-- The user's rows out of those that took part: 0 in the others.
local function in_place(value, counts, batch)
  if not counts or value:size(1) == batch then
    return value
  end
  local ids, n = {}, 0
  for b, row in ipairs(counts:table()) do
    n = n + (row[1] ~= 0 and 1 or 0)
    ids[b] = row[1] ~= 0 and n or 0
  end
  return n > 0 and core.embedding(core.tensor(ids), value) or core.zeros { batch, value:size(2) }
end

-- Local variables of the function at a level of the stack that are tensors (rows, width), by name. What the function
-- was given is no news.
local function locals_at(level)
  local found, index = {}, debug.getinfo(level, "u").nparams
  while true do
    index = index + 1
    local name, value = debug.getlocal(level, index)
    if not name then
      return found
    elseif not name:find "^%(" and tensor.is_tensor(value) and value.ndim == 2 then
      found[#found + 1] = { name, value:detach() }
    end
  end
end

-- Runs f; what `step` has in local variables when it returns, or nil if it did not run.
local function with_locals(step, f, ...)
  local found
  local hook, mask, count = debug.gethook()
  debug.sethook(function()
    local info = debug.getinfo(2, "f")
    if info and info.func == step then
      found = locals_at(3)
    end
  end, "r")
  local results = table.pack(pcall(f, ...))
  debug.sethook(hook, mask or "", count or 0)
  if not results[1] then
    error(results[2], 0)
  end
  return found, table.unpack(results, 2, results.n)
end

-- The same of equations: each line as the function that it is given to has left it, or as the sum that it is.
local function with_values(f, ...)
  local found
  interpret.on_values = function(values)
    local by_name = {}
    for node, value in pairs(values) do
      if node.op == "line" then
        by_name[node.line.name] = by_name[node.line.name] or value
      elseif node.op == "call" and node.args[1].op == "line" then
        by_name[node.args[1].line.name] = value
      end
    end
    found = {}
    for name, value in pairs(by_name) do
      found[#found + 1] = { name, value:detach() }
    end
    table.sort(found, function(a, b) return a[1] < b[1] end)
  end
  local results = table.pack(pcall(f, ...))
  interpret.on_values = nil
  if not results[1] then
    error(results[2], 0)
  end
  return found, table.unpack(results, 2, results.n)
end

-- A function like cells.run_layers for one layer of one step, and how to read, after each call, what was inside: a list
-- of { name, tensor (batch, width) }. The third result ends it.
function inside.watch(run)
  local watches, last = {}, {}
  local function watched(list, x, states, hows, both)
    local layer = list[1]
    if type(layer) == "userdata" then
      watches[layer] = watches[layer] or core.watch(layer)
      return run(list, x, states, hows, both)
    end
    local found, y, final
    if layer.definition.program then
      found, y, final = with_values(run, list, x, states, hows, both)
    else
      found, y, final = with_locals(layer.definition.step, run, list, x, states, hows, both)
    end
    last[layer] = found or {}
    return y, final
  end
  local function read(one, step)
    local list = last[one.layer]
    if watches[one.layer] then
      list = watches[one.layer]:take()
    end
    local counts, batch = step.how.mask, step.x:size(1)
    for _, entry in ipairs(list or {}) do
      entry[2] = in_place(entry[2], counts, batch)
    end
    return list or {}
  end
  local function close()
    for _, watch in pairs(watches) do
      watch:close()
    end
  end
  return watched, read, close
end

-- ---- saturation -----------------------------------------------------------------------------------------------

local LOW, HIGH = 0.05, 0.95

-- Values of one name at all steps: the share that is nearly shut or open, and what the values are: "gate" where all lie
-- in 0..1, "squashed" where all lie in -1..1 (a tanh: v stands for the gate (v + 1) / 2); nil for anything else.
function inside.saturation(values)
  local all = core.concat(values, 1)
  local low, high = -(-all):max():item(), all:max():item()
  if low ~= low or high ~= high or low < -1 or high > 1 then
    return nil
  end
  local kind = low >= 0 and "gate" or "squashed"
  local v = kind == "gate" and all or (all + 1) * 0.5
  return (v:lt(LOW) + v:gt(HIGH)):mean():item(), kind
end

return inside
