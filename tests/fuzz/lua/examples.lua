-- examples.lua - how the library calls the binding: calls that were seen while makers.lua made its objects.
--
-- An example is a function of rondo.core, or a method of one of its classes, with a copy of its arguments. Objects of
-- the binding in it are { class = name }, tensors { shape =, values = }, to be made anew.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local makers = require "makers"

local examples = {}

local EACH = 3 -- kept of one function
local LARGEST = 64 -- numbers of a tensor that are kept

local function class_of(value)
  local meta = type(value) == "userdata" and debug.getmetatable(value)
  return meta and rawget(meta, "__name")
end
examples.class_of = class_of

local Placeholder = {}

local function copy(value, depth)
  local class = class_of(value)
  if class == "rondo.Tensor" then
    local ok, shape = pcall(value.size, value)
    if not ok then
      return nil
    end
    local n = value:numel()
    return setmetatable({ class = class, shape = shape, leaf = value.requires_grad,
      values = n <= LARGEST and value:reshape { n }:table() or nil }, Placeholder)
  elseif class then
    return setmetatable({ class = class }, Placeholder)
  elseif type(value) ~= "table" then
    return value
  end
  local t = {}
  for key, v in next, value do
    t[key] = depth < 6 and copy(v, depth + 1) or nil
  end
  return t
end

function examples.is_placeholder(value)
  return getmetatable(value) == Placeholder
end

-- The tables that have the methods of a class: its __index, or what a closure that stands for it refers to.
local function method_tables(meta)
  if type(meta.__index) == "table" then
    return { meta.__index }
  end
  local list = {}
  for i = 1, 8 do
    local name, value = debug.getupvalue(meta.__index, i)
    if not name then
      break
    elseif type(value) == "table" then
      list[#list + 1] = value
    end
  end
  return list
end

-- Class -> { names of methods, sorted; methods by name }.
function examples.methods()
  local classes = {}
  for name, meta in pairs(debug.getregistry()) do
    if type(name) == "string" and name:find "^rondo%." and type(meta) == "table" then
      local class = { names = {}, by_name = {} }
      for _, methods in ipairs(meta.__index and method_tables(meta) or {}) do
        for key, f in pairs(methods) do
          if type(f) == "function" then
            class.names[#class.names + 1] = key
            class.by_name[key] = f
          end
        end
      end
      table.sort(class.names)
      classes[name] = class
    end
  end
  return classes
end

-- Puts recorders in place of functions; gives the way back.
local function record(tables, list)
  local before = {}
  for _, at in ipairs(tables) do
    for name, f in pairs(at.of) do
      if type(f) == "function" then
        local seen = 0
        before[#before + 1] = { at.of, name, f }
        at.of[name] = function(...)
          if seen < EACH then
            seen = seen + 1
            local n = select("#", ...)
            list[#list + 1] = { name = name, class = at.class, f = f, n = n, args = copy({ ... }, 0) }
          end
          return f(...)
        end
      end
    end
  end
  return function()
    for _, entry in ipairs(before) do
      entry[1][entry[2]] = entry[3]
    end
  end
end

-- All examples, in a fixed order. Makers run once; what fails of them is a mistake of the tests.
function examples.collect()
  local tables, list, names = { { of = core } }, {}, {}
  for name, meta in pairs(debug.getregistry()) do
    if type(name) == "string" and name:find "^rondo%." and type(meta) == "table" and meta.__index then
      for _, methods in ipairs(method_tables(meta)) do
        tables[#tables + 1] = { of = methods, class = name }
      end
    end
  end
  local restore = record(tables, list)
  for name in pairs(makers.by_class) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    for _, make in ipairs(makers.by_class[name]) do
      make()
    end
  end
  for _, call in ipairs(makers.calls) do
    call()
  end
  restore()
  for i, example in ipairs(list) do
    example.order = ("%s.%s.%05d"):format(example.class or "", example.name, i)
  end
  table.sort(list, function(a, b)
    return a.order < b.order
  end)
  return list
end

return examples
