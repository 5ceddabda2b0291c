-- pool.lua - the objects of an input: what calls have given, by class, and the handles of the binding inside of them.
-- SPDX-License-Identifier: MIT
local examples = require "examples"

local MOST_OBJECTS, MOST_HANDLES = 24, 40

-- Handles of the binding that an object of the library holds.
local function add_handles(handles, value, depth)
  local class = examples.class_of(value)
  if class and #handles < MOST_HANDLES then
    handles[#handles + 1] = { class = class, object = value }
  elseif type(value) == "table" and depth < 4 then
    local keys = {}
    for key in next, value do
      keys[#keys + 1] = type(key) == "string" and key or nil
    end
    table.sort(keys)
    for _, key in ipairs(keys) do
      add_handles(handles, rawget(value, key), depth + 1)
    end
  end
end

-- A pool for one input.
return function()
  local objects, handles, pool = {}, {}, {}

  function pool.keep(class, object)
    if object ~= nil then
      objects[#objects % MOST_OBJECTS + 1] = { class = class, object = object }
      add_handles(handles, object, 0)
    end
    return object
  end

  -- One of a class or nil; `byte` picks.
  local function of(list, class, byte)
    local fitting = {}
    for _, entry in ipairs(list) do
      if entry.class == class then
        fitting[#fitting + 1] = entry.object
      end
    end
    return fitting[#fitting > 0 and byte % #fitting + 1]
  end

  function pool.of(class, byte) return of(objects, class, byte) end

  function pool.handle(class, byte) return of(handles, class, byte) end

  function pool.any(byte)
    local list = byte >= 128 and handles or objects
    local entry = list[#list > 0 and byte % #list + 1]
    return entry and entry.object, entry and entry.class
  end

  function pool.drop(byte)
    objects[byte % MOST_OBJECTS + 1] = nil
  end

  return pool
end
