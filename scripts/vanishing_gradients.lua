-- vanishing_gradients.lua - the deck's first story: a gradient that gets smaller with every step it goes back.
--   rondo run scripts/vanishing_gradients.lua
--   rondo run scripts/vanishing_gradients.lua --picture scripts/pictures/vanishing_gradients.svg
--
-- First without learning: h(t) = W h(t-1) on zeros, where W is r times the identity or an orthogonal matrix, so that
-- dL/dh is multiplied by r at each step back. Then vanilla, LSTM and GRU on one task: the first of T symbols must be
-- named at each step, so what is asked at time t lies t - 1 steps back.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"

local opt = rondo.args { "What a spectral radius below 1 does to a gradient, and what gates do against it.",
  seq_len = { 40, min = 8, max = 1000, help = "T, steps of a sequence" },
  hidden_size = { 32, min = 2, max = 4096, help = "width of the state" },
  updates = { 600, min = 0, help = "of each cell on the task" },
  lr = { 3e-3, min = 0, max = 10, help = "learning rate of Adam" },
  picture = { "", help = "x.svg or x.png: lag by time of the trained cells, side by side" },
}
local T, H = opt.seq_len, opt.hidden_size

-- ---- r times an orthogonal matrix ---------------------------------------------------------------------------

local function linear(start, r)
  rondo.manual_seed(opt.seed)
  local layer = rondo.VanillaRNN { 1, H, activation = "identity", bias = "none", recurrent_init = start }
  for name, p in layer:named_parameters() do
    if name == "layer1.a_h" then
      rondo.no_grad(p.copy, p, p * r)
    end
  end
  local found = rondo.diagnose(layer, { rondo.zeros(1, T, 1) }, { loss = function(y) return y:sum() end,
    contributions = false })
  return found.layers[1]
end

print(("h(t) = W h(t-1) on zeros, T = %d"):format(T))
print("W                    radius  per step back  log      |dh(T)/dh(1)|  below 1 % at lag")
for _, start in ipairs { "identity", "orthogonal" } do
  for _, r in ipairs { 0.5, 1.0, 1.5 } do
    local one = linear(start, r)
    print(("%-4g times %-10s %6.3f  %13.6f  %+.4f  %13.3g  %16s"):format(r, start, one.radius.a_h, math.exp(one.slope),
      one.slope, one.jacobian[1] / math.sqrt(H), one.horizon or "never"))
  end
end

-- ---- three cells, one task ----------------------------------------------------------------------------------

-- The first symbol, asked for at every step.
local function source(split, batches)
  local task = rondo.data.tasks.FirstSymbol { seq_len = T, batch_size = 32, batches = batches, split = split }
  return setmetatable({ batch = function(_, k, epoch)
    local x, y = task:batch(k, epoch)
    return x, rondo.zeros(x:size()) + y:unsqueeze(2)
  end }, { __len = function() return #task end })
end

local function accuracy(model, x, y)
  local last = model:predict(x):select(2, T):argmax(2)
  return last:eq(y:select(2, T)):mean():item()
end

local function numbers(one)
  return ("below 1 %% at lag %-5s  lag 0: %.2g  lag %d: %.2g"):format(one.horizon or "never", one.profile[1], T - 1,
    one.profile[T])
end

local beside = {}
print(("\nthe first of %d symbols, named at each step; %d updates"):format(T, opt.updates))
for _, cell in ipairs { "vanilla", "lstm", "gru" } do
  rondo.manual_seed(opt.seed)
  local model = rondo.Sequential { rondo.Embedding { 8, 8 }, rondo.RNN { cell = cell, hidden_size = H },
    rondo.Linear { 8 } }
  local test = { source("test", 1):batch(1, 1) }
  local before = rondo.diagnose(model, test, { contributions = false })
  if opt.updates > 0 then
    rondo.Trainer({ model = model, loss = rondo.CrossEntropyLoss(), optimizer = rondo.optim.Adam { lr = opt.lr },
      clip_grad_norm = 1.0, max_steps = opt.updates, quiet = true }):fit(source("train", 1000))
  end
  local after = rondo.diagnose(model, test, { contributions = false, lags = 9 })
  beside[#beside + 1] = { cell, after }
  print(("%-8s untrained  %s"):format(cell, numbers(before.layers[1])))
  print(("%-8s trained    %s  right at step %d: %.0f %%"):format("", numbers(after.layers[1]), T,
    100 * accuracy(model, test[1], test[2])))
end

if opt.picture ~= "" then
  assert(rondo.plot.gradients(beside, opt.picture))
end
