-- diagnose/gradients.lua - the gradients of states: by step, by lag, between states, and what each step gives to dL/dW.
--
-- One graph is recorded, step by step, with a leaf at each state (taps.lua), and played backward for each question.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local matrices = require "rondo.diagnose.matrices"
local parts = require "rondo.diagnose.losses"
local taps = require "rondo.diagnose.taps"

local gradients = {}

-- Runs f with no parameter wanting a gradient, so that what is played backward is the states' alone.
function gradients.without_parameters(model, f, ...)
  local frozen = {}
  for _, p in ipairs(model:parameters()) do
    if p.requires_grad then
      frozen[#frozen + 1], p.requires_grad = p, false
    end
  end
  local results = table.pack(pcall(f, ...))
  for _, p in ipairs(frozen) do
    p.requires_grad = true
  end
  if not results[1] then
    error(results[2], 0)
  end
  return table.unpack(results, 2, results.n)
end

-- ---- reading the leaves ---------------------------------------------------------------------------------------

local function clear(list)
  for _, one in ipairs(list) do
    for _, step in ipairs(one.steps) do
      for _, probe in ipairs(step.probes) do
        probe:zero_grad()
      end
    end
  end
end

-- Norm of the gradient of a step's states, each and together; 0 where none has come.
local function norms(step, each)
  local sum = 0.0
  for k, probe in ipairs(step.probes) do
    local d = probe.grad
    local norm = d and d:norm() or 0.0
    if each then
      each[k] = norm
    end
    sum = sum + norm * norm
  end
  return math.sqrt(sum)
end

-- ---- questions ------------------------------------------------------------------------------------------------

-- dL/ds of each step, as numbers and, for the contributions, as tensors.
local function by_step(list, loss)
  loss:backward(nil, { retain_graph = true })
  for _, one in ipairs(list) do
    one.gradient = { all = {} }
    for k, state in ipairs(one.state_list) do
      one.gradient[state[1]] = {}
      one.gradient[k] = one.gradient[state[1]]
    end
    for i, step in ipairs(one.steps) do
      local each = {}
      one.gradient.all[i] = norms(step, each)
      step.gradient = {}
      for k, probe in ipairs(step.probes) do
        one.gradient[k][i] = each[k]
        step.gradient[k] = probe.grad and probe.grad:clone() or nil
      end
    end
  end
  clear(list)
end

-- Mean over the loss times of the squares of the norms at each lag, as its root.
local function profile_of(lag)
  local sum, count, profile = {}, {}, {}
  for _, row in ipairs(lag.norm) do
    for i, norm in ipairs(row) do
      sum[i], count[i] = (sum[i] or 0) + norm * norm, (count[i] or 0) + 1
    end
  end
  for i = 1, #sum do
    profile[i] = math.sqrt(sum[i] / count[i])
  end
  return profile
end

-- Where in the order of reading the layer is at time t of the output; nil where it has other steps than that.
local function place_of(one, t, time)
  if #one.steps ~= time then
    return nil
  end
  return one.reverse and time + 1 - t or t
end

-- Gradient of the loss at each of some times with respect to the states before.
local function by_lag(list, batch, y, loss, o)
  local has_time = parts.has_time(batch, y)
  local time = has_time and y:size(2) or 1
  for _, one in ipairs(list) do
    one.lag = { times = {}, norm = {} }
  end
  for _, t in ipairs(parts.times(time, o.lags)) do
    local root = loss
    if has_time then
      root = parts.of_step(batch, y, t)
    end
    if root then
      root:backward(nil, { retain_graph = true })
      for _, one in ipairs(list) do
        local place, row = has_time and place_of(one, t, time) or #one.steps, {}
        for k = place, 1, -1 do
          row[#row + 1] = norms(one.steps[k])
        end
        one.lag.times[#one.lag.times + 1], one.lag.norm[#one.lag.norm + 1] = has_time and t or #one.steps, row
      end
      clear(list)
    end
  end
  for _, one in ipairs(list) do
    one.profile = profile_of(one.lag)
  end
end

-- |ds(T)/ds(k)| over the rows' mean, by random signs: E |v^T J|^2 = |J|^2 (Hutchinson 1990), or exactly, by one row of
-- J after the other.
local function seeds_of(one, index, rows, o)
  local seeds, width = {}, matrices.state_width(one)
  for i = 1, o.exact and width or o.probes do
    seeds[i] = {}
    local at = 0
    for k, state in ipairs(one.state_list) do
      local v
      if o.exact then
        v = core.zeros { rows, state[2] }
        if i > at and i <= at + state[2] then
          v:select(2, i - at):fill(1)
        end
      else
        v = parts.signs(rows, state[2], (index << 8) + k, i)
      end
      seeds[i][k], at = v, at + state[2]
    end
  end
  return seeds
end

local function between_states(list, o)
  for index, one in ipairs(list) do
    local last, sum = one.steps[#one.steps], {}
    local rows = last.after[1]:size(1)
    local seeds = seeds_of(one, index, rows, o)
    for _, seed in ipairs(seeds) do
      local root
      for k, s in ipairs(last.after) do
        local part = (s * seed[k]):sum()
        root = root and root + part or part
      end
      root:backward(nil, { retain_graph = true })
      for k, step in ipairs(one.steps) do
        local norm = norms(step)
        sum[k] = (sum[k] or 0) + norm * norm
      end
      clear(list)
    end
    one.jacobian = {}
    for k = 1, #one.steps do
      one.jacobian[k] = math.sqrt(sum[k] / rows / (o.exact and 1 or #seeds))
    end
  end
end

-- ---- contributions --------------------------------------------------------------------------------------------

-- Step k's own part of dL/dW (the explicit term of the sum over k): the step again, alone, played back from dL/ds(k),
-- which has all that later steps pass on.
local function contribute(one, step, take)
  local final = taps.again(one, step)
  local root
  for k, s in ipairs(final) do
    if step.gradient[k] and s.requires_grad then
      local part = (s * step.gradient[k]):sum()
      root = root and root + part or part
    end
  end
  if not root then
    return
  end
  for _, p in ipairs(one.parameters) do
    p.tensor:zero_grad()
  end
  root:backward()
  for _, p in ipairs(one.parameters) do
    take(p, p.tensor.grad)
  end
end

-- Fills one.contributions[parameter] = { norm = { by step }, sum = tensor, parts = { tensors, where kept } }. Gradients
-- of the parameters are overwritten.
function gradients.contributions(list, keep)
  for _, one in ipairs(list) do
    one.contributions = {}
    for _, p in ipairs(one.parameters) do
      if p.tensor.requires_grad then
        one.contributions[p.name] = { norm = {}, parts = keep and {} or nil, sum = core.zeros(p.tensor:size()) }
      end
    end
    for i, step in ipairs(one.steps) do
      contribute(one, step, function(p, d)
        local c = one.contributions[p.name]
        if c and d then
          c.norm[i], c.sum = d:norm(), c.sum + d
          if keep then
            c.parts[i] = d:clone()
          end
        end
      end)
      for _, c in pairs(one.contributions) do
        c.norm[i] = c.norm[i] or 0.0
        if keep and not c.parts[i] then
          c.parts[i] = core.zeros(c.sum:size())
        end
      end
    end
  end
end

-- ---- all of it ------------------------------------------------------------------------------------------------

-- The layers with their steps and all that the graph tells; the loss, the output.
function gradients.look(model, batch, o)
  return gradients.without_parameters(model, function()
    local list, y = taps.run(model, { probes = true, run = o.run, on_step = o.on_step }, batch.forward)
    batch.loss = batch.loss or parts.default(y, batch.y)
    batch.entropy = type(batch.loss) == "table" and batch.loss.class_name == "CrossEntropyLoss"
    local loss = parts.whole(batch, y)
    by_step(list, loss)
    by_lag(list, batch, y, loss, o)
    if o.probes > 0 or o.exact then
      between_states(list, o)
    end
    return list, loss:item(), y:detach()
  end)
end

return gradients
