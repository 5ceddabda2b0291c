-- plugin_flags.lua - what a plugin is compiled with: the flags of rondo-plugin.pc, for those who have no pkg-config.
-- SPDX-License-Identifier: MIT
local places = require "rondo.places"

-- Flags of this Rondo, in the numbers that it computes with: lists of words for the compiler, { cflags =, libs = }.
local function plugin_flags()
  local folder = places.kit() .. "/share/pkgconfig"
  local values, found = { pcfiledir = folder }, {}
  for line in io.lines(folder .. "/rondo-plugin.pc") do
    local variable, value = line:match "^(%a+)=(.*)$"
    local field, words = line:match "^(%a+): (.*)$"
    if variable then
      values[variable] = value:gsub("%${(%a+)}", values):gsub("/share/pkgconfig/%.%./%.%.", "")
    elseif field then
      local list = {}
      for word in words:gmatch "%S+" do
        list[#list + 1] = word:gsub("%${(%a+)}", values)
      end
      found[field:lower()] = list
    end
  end
  return found
end

return plugin_flags
