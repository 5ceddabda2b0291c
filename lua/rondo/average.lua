-- average.lua - averaged weights: exponential (the Trainer's ema) or the mean of all iterates (optim.ASGD).
--
-- While a training runs the model holds the weights that are trained; evaluation, best checkpoints and samples
-- see the averages, which change places with them for that time. Between trainings the model holds the
-- averages. count is the number of iterates averaged; with 0 there is no average yet.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local expect = require "rondo.expect"

local average = {}

local Average = {}
Average.__index = Average

-- decay: of an exponential average; nil: the mean.
function average.new(parameters, names, decay)
  return setmetatable({ handle = core.average(parameters), names = names, decay = decay, count = 0, shown = false },
    Average)
end

-- Takes the weights in. The first are taken as they are; the decay grows with the number n of iterates,
-- min(decay, (1 + n) / (10 + n)), so that the first weights fade in short trainings too (TensorFlow's rule).
function Average:update()
  local n = self.count
  self.count = n + 1
  if n == 0 then
    self.handle:update(1)
  elseif self.decay then
    self.handle:update(1 - math.min(self.decay, (1 + n) / (10 + n)))
  else
    self.handle:update(1 / self.count)
  end
end

function Average:show()
  if self.count > 0 and not self.shown then
    self.handle:exchange()
    self.shown = true
  end
end

function Average:hide()
  if self.shown then
    self.handle:exchange()
    self.shown = false
  end
end

-- Runs f with the averages in the model; what was there comes back on every way out.
function Average:with(f, ...)
  expect.kind("with_average: what is run", f, "function")
  if self.shown then
    return f(...)
  end
  self:show()
  local results = table.pack(pcall(f, ...))
  self:hide()
  if not results[1] then
    error(results[2], 0)
  end
  return table.unpack(results, 2, results.n)
end

-- The averages into a checkpoint, beside the weights that are trained.
function Average:put(archive)
  archive:put("average/count", self.count)
  if self.count > 0 then
    for i, t in ipairs(self.handle:tensors()) do
      archive:put("average/weights/" .. self.names[i], t)
    end
  end
end

-- true, or nil, message, code. A file without averages: they begin anew.
function Average:restore(archive, path)
  local count = archive:has "average/count" and archive:get "average/count" or 0
  self.count = math.tointeger(count) or -1
  if self.count < 0 then
    return errors.outside(("%s: its count of averaged weights is no count"):format(path))
  end
  for i, t in ipairs(self.count > 0 and self.handle:tensors() or {}) do
    local name = "average/weights/" .. self.names[i]
    if not archive:has(name) then
      return errors.outside(("%s: it has averaged weights, but none for '%s'"):format(path, self.names[i]))
    end
    local ok, message = archive:get_into(name, t)
    if not ok then
      return errors.outside(("%s: %s"):format(path, message))
    end
  end
  return true
end

return average
