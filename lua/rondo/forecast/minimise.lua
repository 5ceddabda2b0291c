-- forecast/minimise.lua - the smallest value of a function of a few numbers in a box, by Nelder and Mead's simplex.
--
-- Nelder and Mead 1965, "A simplex method for function minimization", with their coefficients 1, 2, 1/2. It needs no
-- derivatives, and takes what is no number as worse than any. Points are pushed back to the border of the box.
-- SPDX-License-Identifier: MIT
local ROUNDS, RESTARTS, CLOSE = 400, 2, 1e-10

local function clamp(x, low, high)
  return math.max(low, math.min(high, x))
end

-- a + (b - a) t, in the box; with its value.
local function point(f, box, a, b, t)
  local x = {}
  for i = 1, #a do
    x[i] = clamp(a[i] + (b[i] - a[i]) * t, box[i][1], box[i][2])
  end
  local value = f(x)
  x.value = value == value and value or math.huge
  return x
end

local function middle(simplex)
  local c = {}
  for i = 1, #simplex - 1 do
    local sum = 0.0
    for k = 1, #simplex - 1 do
      sum = sum + simplex[k][i]
    end
    c[i] = sum / (#simplex - 1)
  end
  return c
end

local function shrink(f, box, simplex)
  for k = 2, #simplex do
    simplex[k] = point(f, box, simplex[1], simplex[k], 0.5)
  end
end

local function one_round(f, box, simplex)
  local n = #simplex
  local worst, c = simplex[n], middle(simplex)
  local reflected = point(f, box, c, worst, -1)
  if reflected.value < simplex[1].value then
    local expanded = point(f, box, c, worst, -2)
    simplex[n] = expanded.value < reflected.value and expanded or reflected
  elseif reflected.value < simplex[n - 1].value then
    simplex[n] = reflected
  else
    local nearer = reflected.value < worst.value and reflected or worst
    local contracted = point(f, box, c, nearer, 0.5)
    if contracted.value < nearer.value then
      simplex[n] = contracted
    else
      shrink(f, box, simplex)
    end
  end
end

local function by_value(a, b)
  return a.value < b.value
end

-- The best point from `start` on, with its value. box: { low, high } of each number.
return function(f, start, box)
  local best = point(f, box, start, start, 0)
  for _ = 0, RESTARTS do
    local simplex = { best }
    for i = 1, #start do
      local other = table.move(best, 1, #best, 1, {})
      local step = 0.2 * (box[i][2] - box[i][1])
      other[i] = best[i] + (best[i] + step <= box[i][2] and step or -step)
      simplex[i + 1] = point(f, box, other, other, 0)
    end
    for _ = 1, ROUNDS do
      table.sort(simplex, by_value)
      local spread = simplex[#simplex].value - simplex[1].value
      if spread ~= spread or spread <= CLOSE * math.abs(simplex[1].value) then
        break
      end
      one_round(f, box, simplex)
    end
    table.sort(simplex, by_value)
    best = simplex[1]
  end
  return best, best.value
end
