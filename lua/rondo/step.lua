-- step.lua - model:step(x, s): one step of a stream, with the state in the caller's hands.
--
-- x is (batch, features), or ids (batch); the output is that of the step, the state what advance() gives and takes.
-- Nothing is kept in the model, so streams of any number and size may be read side by side.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local module = require "rondo.module"
local shape_text = require("rondo.layers").shape_text
local tensor = require "rondo.tensor"

local step = {}

local function check(self, x, states)
  if not tensor.is_tensor(x) or x.ndim ~= 1 and x.ndim ~= 2 then
    errors.raise("step: expected one step, features (batch, features) or ids (batch), got %s",
      tensor.is_tensor(x) and shape_text(x) or "a " .. type(x))
  elseif states ~= nil and type(states) ~= "table" then
    errors.raise("step: the state is what the step before returned, or nil, got a %s",
      tensor.is_tensor(states) and "tensor" or type(states))
  end
  local ahead, why = self:reads_ahead()
  if ahead then
    errors.raise("%s %s", ahead:label(), why == module.BOTH
      and "reads both ways: it has no output before the whole sequence is there" or why .. ": step by step it has none")
  end
  local first = self.class_name == "Sequential" and self[1] or self
  if first.takes_ids and x.ndim ~= 1 then
    errors.raise("step: %s expects ids (batch), got %s", first:label(), shape_text(x))
  end
end

function step.step(self, x, states)
  check(self, x, states)
  if not self.advance then
    errors.raise("%s carries no state: define advance(x, states)", self:label())
  end
  local y, after = self:advance(x:unsqueeze(2), states)
  if y.ndim == 3 then
    return y:select(2, 1), after
  end
  return y, after -- return_sequences = false: it is the last step's already
end

return step
