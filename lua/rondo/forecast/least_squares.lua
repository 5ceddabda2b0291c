-- forecast/least_squares.lua - the coefficients that make the sum of squared residuals smallest, by Householder's QR.
--
-- Reflections work on the columns themselves (Golub and Van Loan 2013, algorithm 5.2.1): forming X'X would square the
-- condition number, which is large where a series hardly changes from step to step. What is left of y behind the first
-- k reflections is the residual of the first k columns alone, so one pass gives the sums of all nested models. A column
-- that depends on those before it has coefficient 0.
-- SPDX-License-Identifier: MIT
local least_squares = {}

local DEPENDENT = 1e-12 -- a column of which less than this share stays is a sum of those before it

-- Reflects rows k..n of column a by v (with v'v = vv).
local function reflect(v, vv, a, k, n)
  local dot = 0.0
  for i = k, n do
    dot = dot + v[i] * a[i]
  end
  local f = 2 * dot / vv
  for i = k, n do
    a[i] = a[i] - f * v[i]
  end
end

local function squares(a, from, to)
  local sum = 0.0
  for i = from, to do
    sum = sum + a[i] * a[i]
  end
  return sum
end

-- Brings columns (each a list of n numbers, overwritten) and y to triangular form; diagonal[j] = 0: dependent.
-- Row r of the triangle belongs to column rows[r].
local function triangle(columns, y, n)
  local rows, sums, k = {}, { [0] = squares(y, 1, n) }, 1
  for j, a in ipairs(columns) do
    local whole, rest = squares(a, 1, n), squares(a, k, n)
    if k <= n and rest > DEPENDENT * DEPENDENT * whole and rest > 0 then
      local alpha = a[k] > 0 and -math.sqrt(rest) or math.sqrt(rest)
      local v = table.move(a, k, n, k, {})
      v[k] = v[k] - alpha
      local vv = squares(v, k, n)
      for other = j + 1, #columns do
        reflect(v, vv, columns[other], k, n)
      end
      reflect(v, vv, y, k, n)
      a[k], rows[k], k = alpha, j, k + 1
    end
    sums[j] = squares(y, k, n)
  end
  return rows, sums
end

-- Coefficients of columns for y, and the sums of squared residuals of the first j columns, sums[0] of none. Overwrites
-- both.
function least_squares.solve(columns, y)
  local rows, sums = triangle(columns, y, #y)
  local b = {}
  for j = 1, #columns do
    b[j] = 0.0
  end
  for r = #rows, 1, -1 do
    local sum = y[r]
    for s = r + 1, #rows do
      sum = sum - columns[rows[s]][r] * b[rows[s]]
    end
    b[rows[r]] = sum / columns[rows[r]][r]
  end
  return b, sums
end

return least_squares
