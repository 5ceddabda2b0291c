-- functions.lua - what an equation may call: a function's value in C and on tensors, and its derivative.
--
-- n: how many arguments. c: its C, with %s for arguments; twice: an argument stands there more than once, so it must be
-- a variable. tensor(a, b): the value on tensors or numbers. number(a, b): of numbers alone. back(g, d, y, a, b): what
-- dL/dy = d adds to each argument. costly: kept for backward rather than computed again.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"

local functions = {}

local function greater(a, b)
  if type(a) == "number" then
    return b:lt(a)
  end
  return a:gt(b)
end

functions.sigmoid = { n = 1, costly = true, c = "rd_sigmoid(%s)",
  tensor = function(a) return a:sigmoid() end,
  number = function(a) return 1 / (1 + math.exp(-a)) end,
  back = function(g, d, y) return g:mul(g:mul(d, y), g:sub(g:number(1), y)) end }

functions.tanh = { n = 1, costly = true, c = "rd_tanh(%s)",
  tensor = function(a) return a:tanh() end,
  number = function(a) return 1 - 2 / (math.exp(2 * a) + 1) end,
  back = function(g, d, y) return g:mul(d, g:sub(g:number(1), g:mul(y, y))) end }

functions.exp = { n = 1, costly = true, c = "rd_exp(%s)",
  tensor = function(a) return a:exp() end,
  number = math.exp,
  back = function(g, d, y) return g:mul(d, y) end }

functions.log = { n = 1, costly = true, c = "rd_log(%s)",
  tensor = function(a) return a:log() end,
  number = math.log,
  back = function(g, d, _, a) return g:div(d, a) end }

functions.sqrt = { n = 1, costly = true, c = "rd_sqrt(%s)",
  tensor = function(a) return a:sqrt() end,
  number = math.sqrt,
  back = function(g, d, y) return g:div(g:mul(g:number(0.5), d), y) end }

functions.softplus = { n = 1, costly = true, c = "rd_softplus(%s)",
  tensor = function(a) return a:softplus() end,
  number = function(a) return math.log(1 + math.exp(a)) end,
  back = function(g, d, _, a) return g:mul(d, g:call("sigmoid", a)) end }

functions.relu = { n = 1, c = "%s <= 0 ? 0 : %s", twice = true,
  tensor = function(a) return a:relu() end,
  number = function(a) return math.max(a, 0) end,
  back = function(g, d, y) return g:choose(y, g:number(0), d, g:number(0)) end }

functions.abs = { n = 1, c = "rd_abs(%s)",
  tensor = function(a) return a:abs() end,
  number = math.abs,
  back = function(g, d, _, a)
    local zero = g:number(0)
    return g:choose(a, zero, d, g:choose(zero, a, g:neg(d), zero))
  end }

functions.max = { n = 2, c = "%s > %s ? %s : %s", twice = true,
  tensor = function(a, b) return core.where(greater(a, b), a, b) end,
  number = math.max,
  back = function(g, d, _, a, b)
    local zero = g:number(0)
    return g:choose(a, b, d, zero), g:choose(a, b, zero, d)
  end }

functions.min = { n = 2, c = "%s < %s ? %s : %s", twice = true,
  tensor = function(a, b) return core.where(greater(b, a), a, b) end,
  number = math.min,
  back = function(g, d, _, a, b)
    local zero = g:number(0)
    return g:choose(b, a, d, zero), g:choose(b, a, zero, d)
  end }

-- Its value, and no gradient.
functions.stop = { n = 1, c = "%s",
  tensor = function(a) return a:detach() end,
  number = function(a) return a end,
  back = function() end }

-- Mean 0 and variance 1 along the row (Ba, Kiros & Hinton 2016, eq. 4). along: not element by element; write_c.lua and
-- differentiate.lua know it.
functions.layernorm = { n = 1, costly = true, along = true,
  tensor = function(a) return core.layer_norm(a) end }

return functions
