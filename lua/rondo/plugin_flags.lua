-- plugin_flags.lua - what a plugin is compiled with: the flags of rondo-plugin.pc, for those who have no pkg-config.
-- SPDX-License-Identifier: MIT
local places = require "rondo.places"

-- Flags of this Rondo, in the numbers that it computes with: { cflags =, libs = }, each one text.
local function plugin_flags()
  local kit = places.kit()
  local variables = { pcfiledir = kit .. "/share/pkgconfig" }
  local found = {}
  for line in io.lines(kit .. "/share/pkgconfig/rondo-plugin.pc") do
    line = line:gsub("%${([%w_]+)}", variables):gsub("/share/pkgconfig/%.%./%.%.", "")
    local name, value = line:match "^([%w_]+)=(.*)$"
    if name then
      variables[name] = value
    end
    local field, text = line:match "^(%u%l+): (.*)$"
    if field then
      found[field:lower()] = text
    end
  end
  return found
end

return plugin_flags
