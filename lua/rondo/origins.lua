-- origins.lua - from which plugins a model has its cells and layers: what a checkpoint says of them, and what is said
-- where they are not here.
--
-- A checkpoint names them, { ["demo.x"] = { revision =, plugin =, version =, origin = } }, and never a file: opening
-- one loads nothing that was not found already.
-- SPDX-License-Identifier: MIT
local cells = require "rondo.cells"
local core = require "rondo.native"
local errors = require "rondo.errors"

local origins = {}

local MOST = 200 -- characters of a text out of a file that is shown

-- A module says what it has from a plugin by from_plugin(): "cell" or "layer", and its name.
local function collect(model, into)
  if model.from_plugin then
    local kind, name = model:from_plugin()
    local found = kind and core[kind](name)
    if found then
      into[name] = { revision = found.revision, plugin = found.plugin.name, version = found.plugin.version,
        origin = found.plugin.origin }
    end
  end
  for _, child in model:children() do
    collect(child, into)
  end
  return into
end

-- Of a model's parts, by name.
function origins.of(model)
  return collect(model, {})
end

-- A text out of a file, as it may be shown.
local function shown(text)
  return type(text) == "string" and #text <= MOST and not text:find "%c" and text or "?"
end

local function described(there)
  return ("plugin '%s' %s (%s)"):format(shown(there.plugin), shown(there.version), shown(there.origin))
end

-- The parts named in an opened checkpoint are here in the same revision: true, or nil, message. What is not here is
-- missed only where no model is given, but to be built.
function origins.check(opened, model)
  local path, named, names = opened.path, opened.config.plugins, {}
  for name, there in pairs(type(named) == "table" and named or {}) do
    if type(name) == "string" and type(there) == "table" then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local there = named[name]
    local here = cells.find(name) or core.layer(name)
    if here and here.revision and math.type(there.revision) == "integer" and there.revision ~= here.revision then
      return errors.outside(("%s: was made with revision %d of '%s', of %s; here is revision %d, of %s: its weights "
        .. "mean something else. Give the file of that plugin with --plugin FILE, or train anew"):format(path,
        there.revision, name, described(there), here.revision, here.plugin.path))
    elseif not here and not model then
      local _, message = core.cell(name)
      return errors.outside(("%s: needs '%s', of %s, revision %s, which is not here. Give its file with --plugin FILE, "
        .. "put it into a folder of RONDO_PLUGIN_PATH, or keep it: rondo plugins install FILE%s"):format(path,
        shown(name), described(there), shown(tostring(there.revision)), message:match "; refused: .*" or ""))
    end
  end
  return true
end

return origins
