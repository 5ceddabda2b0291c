-- diagnose/matrices.lua - spectral radius of a matrix, the Jacobian of a step, the largest Lyapunov exponent.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local taps = require "rondo.diagnose.taps"

local matrices = {}

local SQUARINGS = 40 -- 2^40: what the norm is off by, a factor of n at most, is 1e-10 of the logarithm

-- The largest size of an eigenvalue of a square matrix: rho = lim |A^n|^(1/n) (Gelfand 1941), n = 2, 4, 8, ... by
-- squaring, with the size taken out each time. Pairs of complex eigenvalues, which vector iteration does not settle
-- on, are no trouble. nil where the matrix is not finite.
function matrices.spectral_radius(a, squarings)
  local log, share = 0.0, 1.0
  a = a:detach()
  for _ = 1, squarings or SQUARINGS do
    local norm = a:norm()
    if norm ~= norm or norm == math.huge then
      return nil
    elseif norm == 0 then
      return 0.0
    end
    log = log + share * math.log(norm)
    a = a * (1 / norm)
    a, share = a:matmul(a), share / 2
  end
  return math.exp(log)
end

-- The recurrent matrices of a layer that are square, by parameter: what meets a state or a temp.
function matrices.recurrent(one)
  local list = {}
  for _, p in ipairs(one.parameters) do
    local t, source = p.tensor, p.name:match "_([^_]+)$"
    if t.ndim == 2 and source and source ~= "x" and t:size(1) == t:size(2) then
      list[#list + 1] = p
    end
  end
  return list
end

-- Widths of the states that carry a gradient, and their sum.
local function state_width(one)
  local n = 0
  for _, state in ipairs(one.state_list) do
    n = n + state[2]
  end
  return n
end
matrices.state_width = state_width

-- n rows, each a copy of row b.
local function repeated(t, b, n)
  local ids = core.full({ n }, b)
  return core.embedding(ids, t:detach():contiguous())
end

-- ds(t)/ds(t-1) of row b at a step, exactly, (n, n) over all states together: n rows of the same step, each asked for
-- the gradient of one number. nil where the step began with first values.
function matrices.step_jacobian(one, step, b)
  local n = state_width(one)
  if not step.before or step.how.mask or step.how.resets then
    return nil
  end
  local alike = { x = repeated(step.x:select(2, 1), b, n):unsqueeze(2), before = {}, how = { first = step.how.first } }
  for k, state in ipairs(step.before) do
    alike.before[k] = repeated(state, b, n)
  end
  local final, leaves = taps.again(one, alike, true)
  local eye = core.zeros { n, n }
  eye:fill_init({ kind = "identity", a = 1 }, { seed = 1, purpose = "init" })
  local root, at = nil, 0
  for k, state in ipairs(one.state_list) do
    local part = (final[k] * eye:slice(2, at + 1, at + state[2])):sum()
    root, at = root and root + part or part, at + state[2]
  end
  root:backward()
  local columns = {}
  for k, leaf in ipairs(leaves) do
    columns[k] = leaf.grad or core.zeros(leaf:size())
  end
  return #columns > 1 and core.concat(columns, 2) or columns[1]
end

-- Sum of squares of each row over all parts of a state, as a list.
local function squares(list)
  local total
  for _, t in ipairs(list) do
    local part = (t * t):sum(2)
    total = total and total + part or part
  end
  return total
end

local TRANSIENT = 10 -- one step in so many, at the beginning, is for the vector to turn

-- The largest Lyapunov exponent along the trajectory, mean over rows: lambda = lim 1/T sum log |v_k|, where v is taken
-- through the steps' Jacobians and brought back to length 1 each time (Benettin et al. 1980). The vector is taken from
-- the last step to the first, by the transposed Jacobians that backpropagation multiplies with; their product has the
-- same singular values. The second result is how many steps it was measured over.
function matrices.lyapunov(one, direction)
  local v, sum, count = {}, {}, 0
  local first = one.steps[1]
  local rows = first.after[1]:size(1)
  for k, state in ipairs(one.state_list) do
    v[k] = direction(rows, state[2], k)
  end
  local skip = (#one.steps - 1) // TRANSIENT
  for i = #one.steps, 2, -1 do
    local final, leaves = taps.again(one, one.steps[i], true)
    local root
    for k, s in ipairs(final) do
      local part = (s * v[k]):sum()
      root = root and root + part or part
    end
    root:backward()
    local list = {}
    for k, leaf in ipairs(leaves) do
      list[k] = leaf.grad or core.zeros(leaf:size())
    end
    local length = squares(list):sqrt()
    if #one.steps - i >= skip then
      count = count + 1
      for b, size in ipairs(length:table()) do
        sum[b] = (sum[b] or 0) + math.log(size)
      end
    end
    local scale = core.where(length:gt(0), length, 1):unsqueeze(2)
    for k, d in ipairs(list) do
      v[k] = (d / scale):detach()
    end
  end
  if count == 0 then
    return nil, 0
  end
  local total = 0
  for b = 1, rows do
    total = total + sum[b] / count
  end
  return total / rows, count
end

return matrices
