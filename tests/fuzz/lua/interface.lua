-- interface.lua - what fuzz_lua_api calls: functions and methods of lua/library, of the binding, and calls of that
-- which the library itself makes. All lists are sorted.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local rondo = require "rondo"
local annotations = require "annotations"
local examples = require "examples"
local left_out = require "left_out"
local makers = require "makers"
local scratch = require "scratch"

local function reach(path)
  local at = rondo
  for name in path:gmatch "[^.]+" do
    at = name == "rondo" and at or at[name]
  end
  return at
end

local function functions_of(api)
  local list = {}
  for _, entry in ipairs(api.functions) do
    if not left_out.public[entry.path] then
      entry.f = reach(entry.path)
      list[#list + 1] = entry
    end
  end
  return list
end

-- Class -> list of methods, those of its base too.
local function methods_of(api)
  local methods = {}
  for name, class in pairs(api.classes) do
    methods[name] = {}
    local at = class
    while at do
      for _, entry in ipairs(at.methods) do
        if not left_out.public[entry.path] then
          table.insert(methods[name], entry)
        end
      end
      at = at.base and api.classes[at.base]
    end
  end
  return methods
end

local function sorted_names(t, wanted)
  local names = {}
  for name, value in pairs(t) do
    if wanted(name, value) then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

return function(sources)
  local api = annotations.read(sources .. "/lua/library")
  scratch.write(makers.files())
  local seen = {}
  for _, example in ipairs(examples.collect()) do
    seen[#seen + 1] = (example.class or not left_out.core[example.name]) and example or nil
  end
  return { api = api, functions = functions_of(api), methods = methods_of(api), examples = seen,
    handle_methods = examples.methods(),
    core_names = sorted_names(core, function(name, f) return type(f) == "function" and not left_out.core[name] end),
    class_names = sorted_names(makers.by_class, function() return true end) }
end
