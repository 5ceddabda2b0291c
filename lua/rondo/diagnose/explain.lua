-- diagnose/explain.lua - backpropagation through time on one unit and three steps, with every number.
--
-- The numbers are those of the engine, by rondo.diagnose on a layer of one unit; the formulas beside them are evaluated
-- apart, with math.*, so that the page is a check as well.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local diagnose = require "rondo.diagnose"
local rnn = require "rondo.rnn"
local tensor = require "rondo.tensor"

local explain = {}

local VALUES = { U = 0.8, W = 0.6, B = 0.1, h0 = 0.5, y = 1.0 }
local X = { 1.0, 0.5, -1.0 }

local slopes = {} -- f'(a) by f(a)
function slopes.sigmoid(h) return h * (1 - h) end
function slopes.tanh(h) return 1 - h * h end
function slopes.identity() return 1 end

local function layer_of(activation)
  local layer = rnn.VanillaRNN { input_size = 1, hidden_size = 1, activation = activation, seed = 1 }
  local by_name = { ["layer1.a_x"] = VALUES.U, ["layer1.a_h"] = VALUES.W, ["layer1.a_b"] = VALUES.B }
  for name, p in layer:named_parameters() do
    tensor.no_grad(p.fill, p, by_name[name])
  end
  return layer
end

-- The example by numbers: states h[0..n], terms by parameter and step, their sums, the engine's gradients, quotients.
function explain.numbers(activation, n)
  local layer, x = layer_of(activation), {}
  for t = 1, n do
    x[t] = { X[(t - 1) % #X + 1] }
  end
  x = core.tensor { x }
  local function loss(y)
    local d = y:select(2, -1) - VALUES.y
    return (d * d):sum() * 0.5
  end
  local h0 = core.tensor { { VALUES.h0 } }
  local found = diagnose.diagnose(layer, { x, states = { h0 } }, { loss = loss, keep = true, gates = false,
    probes = 0, lyapunov = false, jacobians = 0 })
  local one, h = found.layers[1], { [0] = VALUES.h0 }
  for k, step in ipairs(one.steps) do
    h[k] = step.after[1]:item()
  end
  local facts = { n = n, activation = activation, h = h, x = x:table()[1], loss = found.loss, terms = {}, sum = {},
    dL = h[n] - VALUES.y, check = found.check.difference, engine = {} }
  for letter, name in pairs { U = "a_x", W = "a_h", B = "a_b" } do
    local c = one.contributions[name]
    facts.terms[letter], facts.sum[letter] = {}, c.sum:item()
    for k, part in ipairs(c.parts) do
      facts.terms[letter][k] = part:item()
    end
    for _, p in ipairs(one.parameters) do
      facts.engine[letter] = p.name == name and p.tensor.grad:item() or facts.engine[letter]
    end
  end
  -- Factors of the product, by formula.
  facts.slope, facts.through = {}, { [n] = 1.0 }
  for k = n, 1, -1 do
    facts.slope[k] = slopes[activation](h[k])
    if k > 1 then
      facts.through[k - 1] = facts.through[k] * facts.slope[k] * VALUES.W
    end
  end
  return facts
end

-- ---- text -----------------------------------------------------------------------------------------------------

local function graph(f)
  local top, under, inputs = "  h0", "    ", "    "
  for k = 1, f.n do
    top = top .. (" --W--> h%d"):format(k)
    under = under .. "        ^ "
    inputs = inputs .. ("      U x%d"):format(k)
  end
  return { top .. " ----> L", under .. "      ^", inputs .. "      y" }
end

local function header(f)
  local xs, hs = {}, {}
  for k = 1, f.n do
    xs[k], hs[k] = ("x%d = %g"):format(k, f.x[k][1]), ("h%d = %.6f"):format(k, f.h[k])
  end
  local name = f.activation == "identity" and "" or f.activation
  local out = { ("h(t) = %s(U x(t) + W h(t-1) + B),  L = (h%d - y)^2 / 2"):format(name, f.n),
    ("U = %g, W = %g, B = %g, h0 = %g, y = %g, %s"):format(VALUES.U, VALUES.W, VALUES.B, VALUES.h0, VALUES.y,
      table.concat(xs, ", ")), "", "Unfolded, each step is a layer with the same weights:", "" }
  table.move(graph(f), 1, 3, #out + 1, out)
  out[#out + 1] = ""
  out[#out + 1] = ("forward:  %s,  L = %.6f"):format(table.concat(hs, ", "), f.loss)
  return out
end

-- "dh3/dh2 dh2/dh1 = ": the steps that a change of h(k) goes through, where they are several.
local function product(f, k)
  local parts = {}
  for j = f.n, k + 1, -1 do
    parts[#parts + 1] = ("dh%d/dh%d"):format(j, j - 1)
  end
  return #parts > 1 and table.concat(parts, " ") .. " = " or ""
end

local function w_terms(f, out)
  for k = 1, f.n do
    out[#out + 1] = ("k = %d"):format(k)
    out[#out + 1] = ("  d+h%d/dW  = f'(a%d) h%d = %.6f * %.6f = %.6f"):format(k, k, k - 1, f.slope[k], f.h[k - 1],
      f.slope[k] * f.h[k - 1])
    out[#out + 1] = ("  dh%d/dh%d  = %s%.6f"):format(f.n, k, product(f, k), f.through[k])
    out[#out + 1] = ("  term     = %.6f * %.6f * %.6f = %+.6f    engine: %+.6f"):format(f.dL, f.through[k],
      f.slope[k] * f.h[k - 1], f.dL * f.through[k] * f.slope[k] * f.h[k - 1], f.terms.W[k])
  end
end

function explain.text(f)
  local out = header(f)
  local function add(form, ...)
    out[#out + 1] = form:format(...)
  end
  add("")
  add("backward:  dL/dh%d = h%d - y = %+.6f", f.n, f.n, f.dL)
  for k = f.n, 2, -1 do
    add("           dh%d/dh%d = f'(a%d) W = %.6f * %g = %.6f", k, k - 1, k, f.slope[k], VALUES.W, f.slope[k] * VALUES.W)
  end
  add("")
  add("dL/dW = dL/dh%d * sum over k = 1..%d of dh%d/dhk * d+hk/dW,  d+: the explicit part, h(k-1) held still", f.n, f.n,
    f.n)
  add("")
  w_terms(f, out)
  add("")
  add("%-6s %s %12s %12s", "", ("%12s "):rep(f.n):format(table.unpack((function()
    local names = {}
    for k = 1, f.n do
      names[k] = "k = " .. k
    end
    return names
  end)())), "sum", "engine")
  for _, letter in ipairs { "W", "U", "B" } do
    local cells = {}
    for k = 1, f.n do
      cells[k] = ("%+12.6f"):format(f.terms[letter][k])
    end
    add("dL/d%s  %s  %+12.6f %+12.6f", letter, table.concat(cells, " "), f.sum[letter], f.engine[letter])
  end
  return table.concat(out, "\n")
end

-- The same graph for graphviz, with the numbers at its edges.
function explain.dot(f)
  local out = { "digraph bptt {", "  rankdir=LR;", "  node [shape=circle, fontname=\"sans-serif\"];",
    "  edge [fontname=\"sans-serif\", fontsize=10];", ("  h0 [label=\"h0\\n%.4g\"];"):format(f.h[0]) }
  for k = 1, f.n do
    out[#out + 1] = ("  h%d [label=\"h%d\\n%.4f\"];"):format(k, k, f.h[k])
    out[#out + 1] = ("  x%d [label=\"x%d\\n%g\", shape=box];"):format(k, k, f.x[k][1])
    out[#out + 1] = ("  h%d -> h%d [label=\"W: dh%d/dh%d = %.4f\"];"):format(k - 1, k, k, k - 1, f.slope[k] * VALUES.W)
    out[#out + 1] = ("  x%d -> h%d [label=\"U\"];"):format(k, k)
    out[#out + 1] = ("  w%d [label=\"term k = %d\\n%+.5f\", shape=box, style=rounded];"):format(k, k, f.terms.W[k])
    out[#out + 1] = ("  { rank=same; x%d; h%d; w%d; }"):format(k, k, k)
    out[#out + 1] = ("  h%d -> w%d [style=dashed, label=\"d+h%d/dW\"];"):format(k, k, k)
    out[#out + 1] = ("  w%d -> %s [style=dashed, label=\"+\"];"):format(k, k < f.n and "w" .. k + 1 or "W")
  end
  out[#out + 1] = ("  L [label=\"L\\n%.4f\", shape=doublecircle];"):format(f.loss)
  out[#out + 1] = ("  W [label=\"dL/dW\\n%+.5f\", shape=box, style=rounded];"):format(f.sum.W)
  out[#out + 1] = "  { rank=same; L; W; }"
  out[#out + 1] = ("  h%d -> L [label=\"dL/dh%d = %+.4f\"];"):format(f.n, f.n, f.dL)
  out[#out + 1] = "}"
  return table.concat(out, "\n")
end

return explain
