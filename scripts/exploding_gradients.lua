-- exploding_gradients.lua - the deck's second story: a gradient that grows with every step, and clipping against it.
--   rondo run scripts/exploding_gradients.lua
--   rondo run scripts/exploding_gradients.lua --picture scripts/pictures/exploding_gradients.svg
--
-- First without learning: h(t) = f(W h(t-1) + x(t)) with W r times an orthogonal matrix. Without f a radius above 1
-- multiplies dL/dh by it at each step back; tanh holds the state, and the gradient as far as the state is large. Then a
-- network without f learns the adding problem by SGD, with W = 1.05 times the identity: as it is, and with the norm of
-- the gradient clipped (Pascanu et al. 2013).
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"

local opt = rondo.args { "What a spectral radius above 1 does to a gradient, and what clipping does about it.",
  seq_len = { 40, min = 8, max = 1000, help = "T, steps of a sequence" },
  hidden_size = { 32, min = 2, max = 4096, help = "width of the state" },
  updates = { 1000, min = 1, help = "of SGD on the adding problem" },
  lr = { 0.01, min = 0, max = 10, help = "learning rate of SGD" },
  clip = { 1.0, min = 1e-6, help = "largest norm of the gradient, where it is clipped" },
  picture = { "", help = "x.svg or x.png: norms and losses by update, with and without clipping" },
}
local T, H = opt.seq_len, opt.hidden_size

-- ---- r times an orthogonal matrix ---------------------------------------------------------------------------

local function scaled(activation, r)
  rondo.manual_seed(opt.seed)
  local layer = rondo.VanillaRNN { 4, H, activation = activation, bias = "none", recurrent_init = "orthogonal" }
  for name, p in layer:named_parameters() do
    if name == "layer1.a_h" then
      rondo.no_grad(p.copy, p, p * r)
    end
  end
  local batch = { rondo.randn { 4, T, 4 } * 0.1 }
  return rondo.diagnose(layer, batch, { loss = function(y) return y:sum() end, contributions = false }).layers[1]
end

print(("h(t) = f(W h(t-1) + U x(t)), W r times orthogonal, T = %d"):format(T))
print("f         r     per step back  |dh(T)/dh(1)|  Lyapunov exponent")
local by_lag = {}
for _, activation in ipairs { "identity", "tanh" } do
  by_lag[activation] = {}
  for _, r in ipairs { 0.5, 1.0, 1.5 } do
    local one, lags = scaled(activation, r), {}
    for i in ipairs(one.profile) do
      lags[i] = i - 1
    end
    table.insert(by_lag[activation], { name = ("r = %g"):format(r), xs = lags, ys = one.profile })
    print(("%-8s  %-4g  %13.4f  %13.3g  %+17.4f"):format(activation, r, math.exp(one.slope),
      one.jacobian[1] / math.sqrt(H), one.lyapunov))
  end
end

-- ---- learning, with and without clipping --------------------------------------------------------------------

-- Norms and losses by update, and how the training ended, if not as it should.
local function train(clip)
  rondo.manual_seed(opt.seed)
  local task = rondo.data.tasks.Adding { seq_len = T, batch_size = 32, batches = 1000 }
  local model = rondo.Sequential { rondo.VanillaRNN { 2, H, activation = "identity", return_sequences = false,
    recurrent_init = { "identity", 1.05 } }, rondo.Linear { 1 } }
  local trainer = rondo.Trainer { model = model, loss = rondo.MSELoss(), optimizer = rondo.optim.SGD { lr = opt.lr },
    clip_grad_norm = clip, max_steps = opt.updates, quiet = true }
  local seen = { norms = {}, losses = {} }
  trainer:on("step_end", function(_, facts)
    seen.norms[facts.step], seen.losses[facts.step] = facts.grad_norm, facts.loss
  end)
  local ok, message = pcall(trainer.fit, trainer, task)
  seen.message = not ok and tostring(message) or nil
  return seen
end

local function tell(name, seen)
  local n = #seen.losses
  local rest = 0
  for i = math.max(1, n - 49), n do
    rest = rest + seen.losses[i] / (n - math.max(1, n - 49) + 1)
  end
  print(("%-12s |g| at update 1: %.3g, at %d: %.3g; the loss goes from %.3g to %.3g"):format(name, seen.norms[1], n,
    seen.norms[n], seen.losses[1], rest))
  if seen.message then
    print("  " .. seen.message)
  end
end

print(("\nadding problem, T = %d, W begins as 1.05 times the identity, SGD with rate %g"):format(T, opt.lr))
local plain, clipped = train(), train(opt.clip)
tell("as it is", plain)
tell(("clipped at %g"):format(opt.clip), clipped)

-- Places of the updates that are drawn: about 20 in each power of ten.
local function thinned(list)
  local xs, ys, next_x = {}, {}, 1.0
  for i, value in ipairs(list) do
    if i >= next_x then
      xs[#xs + 1], ys[#ys + 1], next_x = i, value, math.max(next_x * 10 ^ 0.05, i + 0.5)
    end
  end
  return xs, ys
end

local function learning(title, field)
  local xs, ys = thinned(clipped[field])
  return { title = title, x = { label = "update", log = true }, y = { log = true },
    marks = plain.message and { { x = #plain.norms + 1, name = "as it is: diverged" } } or nil,
    lines = { { name = ("clipped at %g"):format(opt.clip), xs = xs, ys = ys },
      { name = "as it is", ys = plain[field], style = "points" } } }
end

local function lags(title, activation)
  return { title = title, x = { label = "lag" }, y = { log = true }, lines = by_lag[activation] }
end

if opt.picture ~= "" then
  assert(rondo.plot.draw({ columns = 2, panels = { lags("|dL/dh| by lag, linear", "identity"),
    lags("|dL/dh| by lag, tanh", "tanh"), learning("norm of the gradient, before clipping", "norms"),
    learning("loss", "losses") } }, { path = opt.picture, width = 900, height = 640 }))
end
