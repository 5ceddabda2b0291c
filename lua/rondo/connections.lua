-- connections.lua - what goes round layers: what they read is added to what they give, or mixed by a gate.
--
-- residual: y = x + f(x) (He et al. 2016). highway: y = g f(x) + (1 - g) x, g = sigmoid(W x + b), where b starts at -1,
-- so that most of x passes at first (Srivastava et al. 2015, eq. 3 and section 2.2).
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local layers = require "rondo.layers"

local connections = { FIRST_BIAS = -1 }

-- A gate; the streams are those of its matrix and of its vector, which starts at first_bias.
function connections.gate(width, streams, first_bias)
  return { weight = layers.parameter({ width, width }, { kind = "default" }, streams[1]),
    bias = layers.parameter({ width }, { kind = "constant", a = first_bias }, streams[2]) }
end

-- x with 0 in the steps that do not count: what is there is nobody's business. steps: lengths or a mask, or nil.
function connections.counted(x, steps, label)
  if not steps or x.ndim ~= 3 then
    return x
  end
  local counts <close> = core.valid_steps(x, steps, label)
  return core.where(counts:unsqueeze(3), x, 0)
end

-- The output out of what was read and what the layers gave; without a gate both are added.
function connections.join(x, f, gate)
  if not gate then
    return x + f
  end
  local g <close> = core.linear(x, gate.weight, gate.bias):sigmoid()
  local change <close> = f - x
  local part <close> = g * change
  return x + part -- g f + (1 - g) x
end

return connections
