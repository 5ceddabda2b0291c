-- checkpoint_entries.lua - is each entry of a checkpoint what its name says?
--
-- A file may be anybody's: a step that is a text would be a fault much later. Shapes of weights and slots are compared
-- with the model's where they are read.
-- SPDX-License-Identifier: MIT
local json = require "rondo.json"

local entries = {}

local MOST = 1 << 53

local function of_kinds(archive, name, a, b)
  local kind = archive:kind(name)
  return kind == a or kind == b
end

-- What is wanted of an entry, in words, and whether it is that.
local KINDS = {
  ["a whole number, 0 or more"] = function(archive, name)
    local n = archive:kind(name) == "i64" and #archive:shape(name) == 0 and archive:get(name)
    return n and n >= 0 and n <= MOST
  end,
  ["a number"] = function(archive, name)
    return of_kinds(archive, name, "f64", "i64") and #archive:shape(name) == 0
  end,
  ["two numbers"] = function(archive, name)
    local shape = archive:shape(name)
    return of_kinds(archive, name, "f64", "i64") and #shape == 1 and shape[1] == 2
  end,
  ["numbers"] = function(archive, name) return of_kinds(archive, name, "f64", "i64") end,
  ["real numbers"] = function(archive, name) return of_kinds(archive, name, "f32", "f64") end,
  ["text"] = function(archive, name) return archive:kind(name) == "text" end,
}

-- Entries by name, and by what the names of many begin with.
local ENTRIES = { config = "text", ["train/step"] = "a whole number, 0 or more",
  ["train/epoch"] = "a whole number, 0 or more", ["train/position"] = "a whole number, 0 or more",
  ["train/offset"] = "a whole number, 0 or more", ["train/tail"] = "a whole number, 0 or more",
  ["train/lr_scale"] = "a number", ["random/calls"] = "a whole number, 0 or more", ["optimizer/lr"] = "a number",
  ["average/count"] = "a whole number, 0 or more", ["history/evaluated"] = "a whole number, 0 or more",
  ["history/best"] = "two numbers", ["history/pending"] = "numbers", ["history/callbacks"] = "text",
  ["history/data"] = "text", ["capsule/first"] = "a whole number, 0 or more",
  ["capsule/n"] = "a whole number, 0 or more", ["capsule/seeds"] = "text", ["capsule/trail"] = "text" }
local MANY = { ["model/"] = "real numbers", ["average/weights/"] = "real numbers", ["train/state/"] = "real numbers",
  ["optimizer/scalars/"] = "a number", ["history/train/"] = "numbers", ["history/valid/"] = "numbers" }
-- Of the description: what is a table where it is there.
local TABLES = { "plugins", "optimizer", "schedule", "loss", "series", "frozen" }

-- Is every entry what its name says? Nil and what is wrong, where not.
function entries.check(archive)
  local function wrong(name, wanted)
    return ("its entry '%s' is not %s"):format(name, wanted)
  end
  for name, wanted in pairs(ENTRIES) do
    if archive:has(name) and not KINDS[wanted](archive, name) then
      return nil, wrong(name, wanted)
    end
  end
  for prefix, wanted in pairs(MANY) do
    for _, name in ipairs(archive:names(prefix)) do
      if not KINDS[wanted](archive, name) then
        return nil, wrong(name, wanted)
      end
    end
  end
  return true
end

-- The description in `config`: a table, or nil.
function entries.description(archive)
  local config = archive:has "config" and json.decode(archive:get "config")
  for _, name in ipairs(type(config) == "table" and TABLES or {}) do
    if config[name] ~= nil and type(config[name]) ~= "table" then
      return nil
    end
  end
  return type(config) == "table" and config or nil
end

return entries
