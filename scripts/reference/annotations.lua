-- annotations.lua - lua/library/options.lua: constructors with the options they take, for editors.
-- SPDX-License-Identifier: MIT
local reference = require "rondo.reference"

local HEAD = [[
---@meta
-- options.lua - options of constructors, for editors (LuaCATS). Made by scripts/generate_reference.lua; over 400 lines:
-- a table of names. SPDX-License-Identifier: MIT

---@class rondo
local rondo = {}
rondo.optim = {}
rondo.callbacks = {}
rondo.metrics = {}
rondo.data = {}
rondo.data.tasks = {}
rondo.baselines = {}
]]

local WIDTH = 105
local TYPES = { int = "integer", real = "number", bool = "boolean", string = "string", table = "table",
  ["function"] = "function", any = "any",
  init = "string|table" }
-- Options whose kind is `any`: what they are.
local CLASSES = { model = "rondo.Module", loss = "rondo.Loss", optimizer = "rondo.Optimizer",
  schedule = "rondo.Schedule", scaler = "rondo.Scaler", vocab = "rondo.Vocab", weight = "rondo.Tensor",
  class_weights = "rondo.Tensor" }
local RESULTS = { layers = "rondo.Module", losses = "rondo.Loss", callbacks = "rondo.Callback", cell = "rondo.Cell",
  Function = "rondo.Function", forecasts = "rondo.Baseline" }

local BY_HAND = { diagnose = true } -- take more than options: their functions are in rondo.lua

local function type_of(spec)
  if spec.choices then
    return '"' .. table.concat(spec.choices, '"|"') .. '"'
  end
  return spec.kind == "any" and CLASSES[spec.name] or TYPES[spec.kind] or "any"
end

-- Help, values and default in one line.
local function remark(spec)
  local parts = { spec.help }
  if not spec.choices and (spec.kind == "int" or spec.kind == "real") and reference.range(spec):find "%d" then
    parts[#parts + 1] = reference.range(spec)
  end
  local default = reference.default(spec)
  if default ~= "" and default ~= "required" then
    parts[#parts + 1] = "default " .. default
  end
  return #parts > 0 and " " .. table.concat(parts, "; ") or ""
end

local function above(out, text)
  local line = "---"
  for word in text:gmatch "%S+" do
    if #line + #word > WIDTH then
      out[#out + 1], line = line, "---"
    end
    line = line .. (line == "---" and "" or " ") .. word
  end
  out[#out + 1] = line
end

local function fields(out, topic)
  local class = topic.path:gsub("^%a+:", "rondo."):gsub("^rondo%.data%.", "rondo.") .. ".Options"
  out[#out + 1] = ("---@class %s%s"):format(class, topic.of and ": rondo.RNN.Options" or "")
  for i, name in ipairs(topic.positional) do
    out[#out + 1] = ("---@field [%d] any? %s"):format(i, name)
  end
  for _, spec in ipairs(topic.specs) do
    local text = remark(spec)
    local line = ("---@field %s%s %s"):format(spec.name, spec.required and #topic.positional == 0 and "" or "?",
      type_of(spec))
    if #line + #text > WIDTH then -- a remark may stand before its field as well
      above(out, text)
      text = ""
    end
    out[#out + 1] = line .. text
  end
  return class
end

local function result_of(topic)
  if topic.group == "optim" then
    return topic.name:find "LR" and "rondo.Schedule" or "rondo.Optimizer"
  end
  return RESULTS[topic.name] or RESULTS[topic.group] or topic.name:find "Scaler$" and "rondo.Scaler"
    or topic.path:find "%.tasks%." and "rondo.Task" or "rondo." .. topic.name
end

-- The constructor after its options. Used by hand, optimizers take parameters first, schedules an optimizer.
local function constructor(out, topic, class)
  out[#out + 1] = topic.help and "---" .. topic.help or nil
  if topic.group == "optim" then
    local first = topic.name:find "LR" and "rondo.Optimizer" or "rondo.Tensor[]"
    out[#out + 1] = ("---@overload fun(first: %s, options?: %s): %s"):format(first, class, result_of(topic))
  end
  local needed = false
  for _, spec in ipairs(topic.specs) do
    needed = needed or spec.required or false
  end
  out[#out + 1] = ("---@param options%s %s"):format((needed or topic.of) and "" or "?", class)
  out[#out + 1] = "---@return " .. result_of(topic)
  out[#out + 1] = ("function %s(options) end"):format(topic.path)
end

local function annotations(topics)
  local out = { HEAD }
  for _, topic in ipairs(topics) do
    if topic.group ~= "cells" then
      local class = fields(out, topic)
      if topic.path:find "^rondo%." and not topic.name:find ".%." and not BY_HAND[topic.name] then
        constructor(out, topic, class)
      end
      out[#out + 1] = ""
    end
  end
  return table.concat(out, "\n")
end

return { annotations = annotations }
