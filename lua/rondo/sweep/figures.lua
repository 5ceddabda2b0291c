-- figures.lua - what a run has to show: the curve in its metrics.jsonl, and the JSON object that its output ends with.
--
-- "val_loss" is the field "loss" of lines of the validation, "loss" that of training; what else a script logs goes by
-- its own name. The figure of a run is its best.
-- SPDX-License-Identifier: MIT
local json = require "rondo.json"
local better = require("rondo.callbacks").better

local figures = {}

local TAIL_BYTES = 16384
local PLACE = { t = true, step = true, epoch = true, split = true, final = true, tokens = true, rank = true }

-- A figure's name in a line of metrics.jsonl, as messages and options call it.
local function public_name(split, field)
  return split == "valid" and "val_" .. field or field
end

local function tail(path, bytes)
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  local size = file:seek "end"
  file:seek("set", math.max(0, size - bytes))
  local text = file:read "a"
  file:close()
  return text or ""
end

-- The object at the end of what a script printed, or nil.
function figures.result(folder)
  local text = tail(folder .. "/stdout.log", TAIL_BYTES)
  local last = text and text:gsub("%s+$", ""):match "[^\n]*$"
  local value = last and last:sub(1, 1) == "{" and json.decode(last)
  return type(value) == "table" and value or nil
end

local function finite(value)
  return type(value) == "number" and value == value and math.abs(value) < math.huge and value or nil
end

-- Calls f(name, value, step) for the figures of metrics.jsonl, in order, those up to step `most` (nil: all).
function figures.each(folder, most, f)
  local file = io.open(folder .. "/metrics.jsonl", "r")
  if not file then
    return
  end
  for line in file:lines() do
    local facts = json.decode(line)
    if type(facts) == "table" and facts.split and (not most or (facts.step or 0) <= most) then
      for field, value in pairs(facts) do
        if not PLACE[field] and finite(value) then
          f(public_name(facts.split, field), value, facts.step)
        end
      end
    end
  end
  file:close()
end

-- The best `monitor` of a run and its step; nil and the names of what there is.
function figures.best(folder, monitor, mode, most)
  local best, at, names = nil, nil, {}
  figures.each(folder, most, function(name, value, step)
    names[name] = true
    if name == monitor and better(value, best, mode, 0) then
      best, at = value, step
    end
  end)
  if best then
    return best, at
  end
  local result = not most and figures.result(folder) or {}
  for name, value in pairs(result) do
    if finite(value) then
      names[name] = true
    end
  end
  return finite(result[monitor]), names
end

-- The curve of a figure: lists of steps and values.
function figures.curve(folder, monitor)
  local steps, values = {}, {}
  figures.each(folder, nil, function(name, value, step)
    if name == monitor then
      steps[#steps + 1], values[#values + 1] = step, value
    end
  end)
  return steps, values
end

-- Where a run is: the step of its last line, and its last figures by name.
function figures.last(folder)
  local text = tail(folder .. "/metrics.jsonl", TAIL_BYTES)
  local last = {}
  for line in (text or ""):gmatch "{[^\n]*}\n" do
    local facts = json.decode(line)
    if type(facts) == "table" and facts.split then
      last.step = facts.step or last.step
      if finite(facts.loss) then
        last[public_name(facts.split, "loss")] = facts.loss
      end
    end
  end
  return last
end

-- The last lines of a run's log, without the times the Trainer puts before them.
function figures.log_end(folder, n)
  local lines = {}
  for line in (tail(folder .. "/log.txt", TAIL_BYTES) or ""):gmatch "[^\n]+" do
    line = line:gsub("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ ", "")
    if line ~= lines[#lines] then
      lines[#lines + 1] = line
    end
  end
  return table.move(lines, math.max(1, #lines - n + 1), #lines, 1, {})
end

return figures
