-- figures.lua - what a run has to show: the curve in its metrics.jsonl, and the JSON object that its output ends with.
--
-- "val_loss" is the field "loss" of lines of the validation, "loss" that of training; what else a script logs goes by
-- its own name. The figure of a run is its best.
-- SPDX-License-Identifier: MIT
local json = require "rondo.json"
local better = require("rondo.callbacks").better
local records = require "rondo.run_records"
local whole_file = require "rondo.whole_file"

local figures = {}

local TAIL_BYTES = 16384

local function tail(path, bytes)
  local file = whole_file.open(path)
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

-- The names of a run's figures, sorted: those of its metrics and of its result.
local function names_of(folder, result)
  local log, names = records.open(folder), {}
  local known = log and records.figures { log } or {}
  for _, name in ipairs(known) do
    known[name] = true
  end
  table.move(known, 1, #known, 1, names)
  for name, value in pairs(result) do
    names[#names + 1] = finite(value) and not known[name] and name or nil
  end
  table.sort(names)
  return names
end

-- The best `monitor` of a run up to step `most` (nil: all) and its step; nil and the names of what there is.
function figures.best(folder, monitor, mode, most)
  local best, at
  local steps, values = figures.curve(folder, monitor)
  for i, value in ipairs(values) do
    if finite(value) and (not most or steps[i] <= most) and better(value, best, mode, 0) then
      best, at = value, steps[i]
    end
  end
  if best then
    return best, at
  end
  local result = not most and figures.result(folder) or {}
  return finite(result[monitor]), names_of(folder, result)
end

-- The curve of a figure: lists of steps and values.
function figures.curve(folder, monitor)
  local log = records.open(folder)
  if not log then
    return {}, {}
  end
  return records.curve(log, monitor)
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
        last[facts.split == "valid" and "val_loss" or "loss"] = facts.loss
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
