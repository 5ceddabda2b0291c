-- freezing.lua - model:freeze(pattern) and model:unfreeze(pattern): which parameters are trained.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local module = require "rondo.module"

local freezing = {}

function freezing.set(self, pattern, wants)
  if pattern ~= nil and (type(pattern) ~= "string" or not pcall(string.find, "", pattern)) then
    errors.raise("%s: expected a Lua pattern of names, got %s", self:label(), type(pattern) == "string"
      and ("'%s'"):format(pattern) or "a " .. type(pattern))
  end
  local n = 0
  for name, p in self:named_parameters() do
    if not pattern or name:find(pattern) then
      p.requires_grad = wants and not module.constants[p]
      n = n + 1
    end
  end
  if n == 0 and pattern then
    errors.raise("%s: no parameter matches '%s'", self:label(), pattern)
  end
  return self
end

return freezing
