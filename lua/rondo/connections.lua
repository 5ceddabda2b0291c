-- connections.lua - what goes round a layer of a stack: what it reads is added to what it gives, or mixed by a gate.
--
-- residual: y = x + f(x) (He et al. 2016). highway: y = g f(x) + (1 - g) x, g = sigmoid(W x + b), where b starts at -1,
-- so that most of x passes at first (Srivastava et al. 2015, eq. 3 and section 2.2).
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"

local connections = {}

local FIRST_BIAS = -1
local GATE = 1 << 16 -- in the numbering of a layer's initial values: beyond those of any cell

-- What join() is to be given: true, a gate, or nil where there is none.
function connections.new(kind, width, stream)
  if kind ~= "highway" then
    return kind == "residual" or nil
  end
  local gate = { weight = core.zeros { width, width }, bias = core.full({ width }, FIRST_BIAS) }
  stream.update = GATE
  gate.weight:fill_init({ kind = "default" }, stream)
  gate.weight.requires_grad, gate.bias.requires_grad = true, true
  return gate
end

-- x with 0 in the steps that do not count: what is there is nobody's business.
local function counted(x, valid)
  local mask
  if valid.ndim == 1 then
    local steps = {}
    for t = 1, x:size(2) do
      steps[t] = t
    end
    mask = core.tensor({ steps }):le(valid:unsqueeze(2))
  else
    mask = valid:ne(0)
  end
  return core.where(mask:unsqueeze(3), x, 0)
end

-- The output out of what the layer read and gave; f is done with. valid: the mask, where x may have steps that do
-- not count.
function connections.join(gate, x, f, valid)
  local read = valid and counted(x, valid) or x
  local y
  if gate == true then
    y = read + f
  else
    local g <close> = core.linear(read, gate.weight, gate.bias):sigmoid()
    local change <close> = f - read
    local part <close> = g * change
    y = read + part -- g f + (1 - g) x
  end
  f:release()
  if read ~= x then
    read:release()
  end
  return y
end

return connections
