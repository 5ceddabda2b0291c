-- diagnose/init.lua - rondo.diagnose(model, batch, options): the gradient of a model, looked at.
--
-- Any model whose recurrent layers are cells, in C, in Lua or of equations: alone, stacked, both ways, under classes of
-- a script. It is run in evaluation mode, so that the numbers are those of the weights and the batch alone, and left as
-- it was, but for its gradients, which are those of this batch (without `contributions`: as they were).
-- SPDX-License-Identifier: MIT
local cells = require "rondo.cells"
local core = require "rondo.native"
local errors = require "rondo.errors"
local figures = require "rondo.figures"
local gradients = require "rondo.diagnose.gradients"
local inside = require "rondo.diagnose.inside"
local matrices = require "rondo.diagnose.matrices"
local module = require "rondo.module"
local options = require "rondo.options"
local parts = require "rondo.diagnose.losses"
local progress = require "rondo.progress"
local report = require "rondo.diagnose.report"
local taps = require "rondo.diagnose.taps"
local tensor = require "rondo.tensor"
local trainer_evaluation = require "rondo.trainer_evaluation"

local diagnose = {}

local specs = {
  { name = "loss", kind = "any", help = "as the Trainer takes it; default: cross-entropy for ids, else mean "
    .. "square" },
  { name = "lags", kind = "int", def = 32, min = 1, max = 1 << 20, help = "most loss times, evenly spread, whose "
    .. "gradient is looked at by lag" },
  { name = "probes", kind = "int", def = 8, min = 0, max = 1 << 16, help = "random vectors for norms of ds(T)/ds(k)" },
  { name = "exact", kind = "bool", def = false, help = "those norms by every row of the Jacobian instead" },
  { name = "contributions", kind = "bool", def = true, help = "the part of each step in dL/dW, and the check "
    .. "against the engine's gradient" },
  { name = "keep", kind = "bool", def = false, help = "keep the contributions themselves, not their norms alone" },
  { name = "gates", kind = "bool", def = true, help = "how saturated gates and states are" },
  { name = "jacobians", kind = "int", def = 3, min = 0, max = 1 << 20, help = "steps, evenly spread, whose own "
    .. "Jacobian has its spectral radius taken" },
  { name = "lyapunov", kind = "bool", def = true, help = "the largest Lyapunov exponent" },
  { name = "optimizer", kind = "any", help = "bound to the model: one step gives the ratio of update to weight; "
    .. "weights and optimizer are put back" },
  { name = "clip_grad_norm", kind = "real", min = 0, help = "what the Trainer clips by, for that step" },
}
diagnose.specs = specs

local WIDEST_JACOBIAN = 1024 -- of states together: a batch of so many rows is run

function diagnose.options(given)
  return options.resolve("diagnose", specs, given)
end

-- ---- the batch ------------------------------------------------------------------------------------------------

-- { x, y } or { x, y, weight } with lengths, mask, resets, states by name, as sources of the Trainer have them.
local function batch_of(model, given, o)
  if type(given) ~= "table" or tensor.is_tensor(given) or given[1] == nil then
    errors.raise("diagnose: expected a batch { x, y }, got %s", type(given) == "table" and "a table without x"
      or "a " .. type(given))
  elseif not tensor.is_tensor(given[2]) and not (given[2] == nil and type(o.loss) == "function") then
    errors.raise("diagnose: the batch needs its targets, { x, y }; without them give loss = function(y) ... end")
  end
  local x, y, how, weight = figures.source({ given }):batch(1)
  local batch = { x = x, y = y, how = how, weight = weight, states = given.states, stateful = given.states ~= nil,
    loss = o.loss }
  function batch.forward()
    return (trainer_evaluation.forward({ model = model }, batch))
  end
  return batch
end
diagnose.batch_of = batch_of

-- Sizes that are only known from data.
local function settle(model, batch)
  if not pcall(model.parameter_list, model) then
    model:evaluating(batch.forward)
  end
end

-- ---- what is beside the graph ---------------------------------------------------------------------------------

-- Lag at which the gradient has fallen below 1 % of what it is at the loss; nil: it does not within the batch.
local function horizon_of(profile)
  for i = 2, #profile do
    if profile[i] < 0.01 * profile[1] then
      return i - 1
    end
  end
end

-- By least squares: how much the logarithm of the norm changes per step of lag; nil where there are no two to compare.
local function slope_of(profile)
  local n, sx, sy, sxx, sxy = 0, 0.0, 0.0, 0.0, 0.0
  for i, norm in ipairs(profile) do
    if norm > 0 and norm < math.huge then
      local x, y = i - 1, math.log(norm)
      n, sx, sy, sxx, sxy = n + 1, sx + x, sy + y, sxx + x * x, sxy + x * y
    end
  end
  local d = n * sxx - sx * sx
  return d > 0 and (n * sxy - sx * sy) / d or nil
end

local function radii(one, o)
  local radius = {}
  for _, p in ipairs(matrices.recurrent(one)) do
    radius[p.name] = matrices.spectral_radius(p.tensor, o.squarings)
  end
  one.radius = radius
  if o.jacobians == 0 or matrices.state_width(one) > WIDEST_JACOBIAN then
    return
  end
  one.step_radius = {}
  for _, k in ipairs(parts.times(#one.steps, o.jacobians)) do
    local jacobian = matrices.step_jacobian(one, one.steps[k], 1)
    if jacobian then
      one.step_radius[#one.step_radius + 1] = { step = k, radius = matrices.spectral_radius(jacobian, o.squarings) }
    end
  end
end

-- Shares by name of what is bounded: what the cell names inside, and its states.
local function saturations(one)
  local by_name, names = {}, {}
  local function add(name, value)
    if not by_name[name] then
      by_name[name], names[#names + 1] = {}, name
    end
    table.insert(by_name[name], value)
  end
  for _, step in ipairs(one.steps) do
    for _, entry in ipairs(step.inside or {}) do
      add(entry[1], entry[2])
    end
    for k, state in ipairs(one.state_list) do
      add(state[1], step.after[k]:detach())
    end
  end
  one.saturation = {}
  for _, name in ipairs(names) do
    local share, kind = inside.saturation(by_name[name])
    if share then
      one.saturation[#one.saturation + 1] = { name = name, share = share, kind = kind }
    end
  end
end

local function beside(one, index, o)
  radii(one, o)
  one.horizon, one.slope = horizon_of(one.profile), slope_of(one.profile)
  if o.gates then
    saturations(one)
  end
  if o.lyapunov and #one.steps > 1 then
    one.lyapunov = matrices.lyapunov(one, function(rows, width, k)
      return parts.signs(rows, width, (index << 8) + k, 0)
    end)
  end
end

-- ---- against the engine ---------------------------------------------------------------------------------------

-- The gradient of the whole sequence, into the parameters; and how far the sums of the contributions are from it: the
-- largest difference by the norms of what is summed, since terms may cancel (of slstm's i_b they do).
local function engine_gradient(model, batch, list)
  model:zero_grad()
  local y = batch.forward()
  parts.whole(batch, y):backward()
  local worst = { difference = 0.0 }
  for _, one in ipairs(list) do
    for _, p in ipairs(one.parameters) do
      local c, d = one.contributions[p.name], p.tensor.grad
      local size = 0.0
      for _, norm in ipairs(c and d and c.norm or {}) do
        size = size + norm
      end
      if size > 0 then
        local difference = (c.sum - d):abs():max():item() / size
        if difference > worst.difference or difference ~= difference then
          worst = { difference = difference, tensor = p.full }
        end
      end
    end
  end
  return worst
end

local function gradient_norms(model)
  local norms = {}
  for name, p in model:named_parameters() do
    if p.grad then
      norms[#norms + 1] = { name = name, norm = p.grad:norm(), weight = p:norm() }
    end
  end
  return norms
end

-- |W after - W before| / |W before| of each tensor, in place of which the optimizer's step is taken back.
local function update_ratios(model, optimizer, clip)
  local kept, scalars, ratios = {}, optimizer.handle:scalars(), {}
  for _, slot in ipairs(optimizer.handle:slots()) do
    kept[#kept + 1] = { slot.tensor, slot.tensor:clone() }
  end
  local before, lr = {}, optimizer.lr
  for name, p in model:named_parameters() do
    before[#before + 1] = { name = name, tensor = p, value = p:detach():clone() }
  end
  if clip then
    core.clip_grad_norm(optimizer.parameters, clip)
  end
  optimizer:step()
  for _, one in ipairs(before) do
    local size = one.value:norm()
    local change = (one.tensor:detach() - one.value):norm()
    ratios[#ratios + 1] = { name = one.name, ratio = size > 0 and change / size or nil }
    tensor.no_grad(one.tensor.copy, one.tensor, one.value)
  end
  for _, pair in ipairs(kept) do
    pair[1]:copy(pair[2])
  end
  for name, value in pairs(scalars) do
    optimizer.handle:set_scalar(name, value)
  end
  optimizer.lr = lr
  return ratios
end

-- ---- all of it ------------------------------------------------------------------------------------------------

-- What rondo.diagnose does, in the mode that the model is in. o: as resolved, and `squarings`.
function diagnose.look(model, batch, o)
  settle(model, batch)
  if #taps.layers(model) == 0 then
    errors.raise("diagnose: %s has no recurrent layer of a cell", model:label())
  end
  local look, close = { lags = o.lags, probes = o.probes, exact = o.exact }, nil
  if o.gates then
    local read
    look.run, read, close = inside.watch(cells.run_layers)
    look.on_step = function(one, step) step.inside = read(one, step) end
  end
  local results = table.pack(pcall(gradients.look, model, batch, look))
  if close then
    close()
  end
  if not results[1] then
    error(results[2], 0)
  end
  local list, loss, y = table.unpack(results, 2)
  gradients.without_parameters(model, function()
    for index, one in ipairs(list) do
      beside(one, index, o)
    end
  end)
  local found = { layers = list, loss = loss, output = y }
  if o.contributions then
    gradients.contributions(list, o.keep)
    found.check = engine_gradient(model, batch, list)
    found.gradients = gradient_norms(model)
    if o.optimizer then
      found.updates = update_ratios(model, o.optimizer, o.clip_grad_norm)
    end
  end
  return found
end

local function run(model, given, chosen)
  if not module.is_module(model) then
    errors.raise("diagnose: expected a model, got a %s", type(model))
  end
  local o = diagnose.options(chosen)
  local batch = batch_of(model, given, o)
  local _ <close> = progress.busy "looking at gradients"
  local was = model.training
  model:eval()
  local results = table.pack(pcall(diagnose.look, model, batch, o))
  model:train(was)
  if not results[1] then
    error(results[2], 0)
  end
  return report.new(results[2])
end

-- rondo.diagnose(model, { x, y }, { loss =, ... }): see lua/BPTT.md.
function diagnose.diagnose(model, given, chosen)
  return errors.blame(run, model, given, chosen)
end

return diagnose
