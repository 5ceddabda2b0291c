-- equations.lua - how long a training step takes with cells compiled from equations, beside those written by hand.
--
-- usage: lua5.4 tests/bench/equations.lua [NAME...]     in the source folder, on one thread
--
-- A layer of H units reads 64 features in 50 sequences of 50 steps: forward, and backward from the sum of outputs. Both
-- cells take turns; a ratio is the median of those of single turns. Two widths, since pointwise work counts most in
-- narrow layers. Ends with 1 if a ratio is above 1.3.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local rondo = require "rondo"
local cells = dofile "tests/lua/equation_cells.lua"

local FEATURES, ROWS, STEPS, TURNS, MOST = 64, 50, 50, 41, 1.3

local function median(list)
  table.sort(list)
  return list[#list // 2 + 1]
end

-- A training step of a layer.
local function step_of(cell, width, options)
  local given = { cell = cell, input_size = FEATURES, hidden_size = width }
  for name, value in pairs(options or {}) do
    given[name] = value
  end
  local layer, x = rondo.RNN(given), rondo.randn(ROWS, STEPS, FEATURES):contiguous "sequence"
  return function()
    layer:zero_grad()
    local start = core.time()
    layer(x):sum():backward()
    return core.time() - start
  end
end

local function measured(known, name, width)
  local by_hand, compiled = step_of(known.like, width, known.options), step_of(name, width)
  by_hand()
  compiled()
  local ratios, of_hand, of_compiled = {}, {}, {}
  for i = 1, TURNS do
    of_hand[i] = by_hand()
    of_compiled[i] = compiled()
    ratios[i] = of_compiled[i] / of_hand[i]
  end
  return median(of_hand), median(of_compiled), median(ratios)
end

local wanted, worst = {}, 0
for _, name in ipairs(arg) do
  wanted[name] = true
end
core.threads(1)
print(("%-11s %5s %10s %10s %6s"):format("cell", "H", "by hand", "compiled", "ratio"))
for _, known in ipairs(cells.known) do
  local name = known.name or known.like
  if #arg == 0 or wanted[name] then
    local cell = rondo.cell(cells.given(known))
    assert(cell:compile { check = false })
    for _, width in ipairs { 32, 128 } do
      local hand, compiled, ratio = measured(known, cell.name, width)
      worst = math.max(worst, ratio)
      print(("%-11s %5d %7.2f ms %7.2f ms %6.2f"):format(name, width, 1e3 * hand, 1e3 * compiled, ratio))
    end
  end
end
os.exit(worst <= MOST and 0 or 1)
