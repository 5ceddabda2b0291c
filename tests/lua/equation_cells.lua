-- equation_cells.lua - for the specs of equations: known cells, many cells in one plugin, comparing.
--
-- Compiled cells of the specs are built by one call of the compiler and without optimisation: what they compute is the
-- same, and a hundred of them take seconds.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local rondo = require "rondo"
local read = require "rondo.equations.read"
local write_c = require "rondo.equations.write_c"

local cells = {}

-- Each with the cell of the tree that it must equal, by name and options.
cells.known = {
  { like = "lstm", init = { b_f = 1 }, equations = {
    i = "sigmoid(W_i x + U_i h + b_i)",
    f = "sigmoid(W_f x + U_f h + b_f)",
    g = "tanh(W_g x + U_g h + b_g)",
    o = "sigmoid(W_o x + U_o h + b_o)",
    c = "f*c + i*g",
    h = "o*tanh(c)" } },
  { name = "peephole", like = "lstm", options = { peephole = true }, init = { b_f = 1 }, equations = {
    i = "sigmoid(W_i x + U_i h + p_i*c + b_i)",
    f = "sigmoid(W_f x + U_f h + p_f*c + b_f)",
    g = "tanh(W_g x + U_g h + b_g)",
    c = "f*c + i*g",
    o = "sigmoid(W_o x + U_o h + p_o*c + b_o)",
    h = "o*tanh(c)" } },
  { like = "gru", equations = {
    r = "sigmoid(W_r x + U_r h + b_r)",
    z = "sigmoid(W_z x + U_z h + b_z)",
    n = "tanh(W_n x + b_n + r*(U_n h))",
    h = "(1 - z)*n + z*h" } },
  { name = "gru_before", like = "gru", options = { reset = "before" }, equations = {
    r = "sigmoid(W_r x + U_r h + b_r)",
    z = "sigmoid(W_z x + U_z h + b_z)",
    n = "tanh(W_n x + U_n (r*h) + b_n)",
    h = "(1 - z)*n + z*h" } },
  { like = "mgu", equations = {
    f = "sigmoid(W_f x + U_f h + b_f)",
    n = "tanh(W_n x + U_n (f*h) + b_n)",
    h = "(1 - f)*h + f*n" } },
  { like = "mingru", equations = {
    z = "sigmoid(W_z x + b_z)",
    h = "(1 - z)*h + z*(W_n x + b_n)" } },
  { like = "indrnn", init = { u = { "uniform", 0, 1 } }, equations = {
    h = "relu(W_a x + u*h + b_a)" } },
  { like = "slstm", first = { m = -1e30 }, whole = { "c", "n", "m" }, equations = {
    k = "-softplus(-(W_f x + R_f h + b_f))",
    a = "W_i x + R_i h + b_i",
    m = "stop(max(k + m, a))",
    i = "exp(a - m)",
    f = "exp(k + m' - m)",
    c = "f*c + i*tanh(W_z x + R_z h + b_z)",
    n = "f*n + i",
    h = "sigmoid(W_o x + R_o h + b_o)*c/n" } },
}

-- What rondo.cell is given for one of them.
function cells.given(known)
  return { name = "equations." .. (known.name or known.like), equations = known.equations, init = known.init,
    first = known.first, whole = known.whole }
end

-- ---- many cells in one plugin -----------------------------------------------------------------------------------

local ENDING = [[
static const rd_cell *const cells[] = {%sNULL};
RD_PLUGIN = {.stamp = RD_STAMP, .size = sizeof(rd_plugin), .name = "%s", .version = "1.0", .license = "MIT",
             .origin = "a test", .cells = cells};
]]

-- Writes programs into a folder, compiles them in one call, and loads the plugin.
function cells.load_all(programs, folder, name)
  local main, list, support = { '#include "rondo/cell.h"\n' }, {}, dofile "tests/lua/support.lua"
  for i, p in ipairs(programs) do
    local text = write_c.text(p, name .. ".c"):gsub("static const rd_cell %*const cells.*$", "")
    text = text:gsub("static const rd_cell cell =", ("extern const rd_cell cell_%d;\nconst rd_cell cell_%d "
      .. "="):format(i, i))
    support.write(("%s/%s_%d.c"):format(folder, name, i), text)
    main[i + 1] = ("extern const rd_cell cell_%d;\n"):format(i)
    list[i] = ("&cell_%d, "):format(i)
  end
  main[#main + 1] = ENDING:format(table.concat(list), name)
  support.write(("%s/%s.c"):format(folder, name), table.concat(main))
  local command = ("cc -std=c11 -O0 -DRD_NO_CLONES %s -Wall -Wextra -Werror -Wno-missing-field-initializers "
    .. "-fPIC -shared "
    .. "-fvisibility=hidden -ffp-contract=off -I core/include '%s'/%s*.c -o '%s'/%s.so -lm"):format(
    core.real == "double" and "-DRD_REAL_DOUBLE" or "", folder, name, folder, name)
  assert(os.execute(command))
  assert(rondo.plugins.load(("%s/%s.so"):format(folder, name)))
end

function cells.programs(list)
  local programs = {}
  for i, given in ipairs(list) do
    programs[i] = read.program(given)
  end
  return programs
end

-- ---- comparing --------------------------------------------------------------------------------------------------

cells.TOLERANCE = core.real == "double" and 1e-12 or 1e-5

-- The largest difference of two tensors, relative to the largest number where that is above 1.
function cells.difference(a, b)
  assert(a:is_finite() and b:is_finite())
  return (a - b):abs():max():item() / math.max(1, b:abs():max():item())
end

local IN, HIDDEN, ROWS, STEPS = 3, 21, 3, 5

-- Output, last states and gradients of a layer that core.rnn makes, by name, for numbers that depend on names alone.
function cells.run(layer)
  local function numbers(name, shape)
    local t = core.zeros(shape)
    local key = 0
    for i = 1, #name do
      key = key * 31 % 65521 + name:byte(i)
    end
    t:fill_init({ kind = "normal", a = 0.2, b = 0.5 }, { seed = 3, purpose = "user", layer = 0, update = key })
    return t
  end
  local x, first, leaves = numbers("x", { ROWS, STEPS, IN }), {}, {}
  leaves.x = x
  for _, entry in ipairs(layer:parameters()) do
    rondo.no_grad(function() entry[2]:copy(numbers(entry[1], entry[2]:size())) end)
    leaves[entry[1]] = entry[2]
  end
  for k, state in ipairs(layer:states()) do
    first[k] = numbers("first " .. state[1], { ROWS, HIDDEN })
    leaves["first " .. state[1]] = not state.stops and first[k] or nil
  end
  x.requires_grad = true
  for k, state in ipairs(layer:states()) do
    first[k].requires_grad = not state.stops
  end
  local output, last = core.run_layers({ layer }, x, first, { {} })
  local loss = (output * numbers("weights", { ROWS, STEPS, HIDDEN })):sum()
  for k, state in ipairs(layer:states()) do
    loss = state.stops and loss or loss + (last[k] * numbers("of " .. state[1], { ROWS, HIDDEN })):sum()
  end
  loss:backward()
  local found = { output = output }
  for k, state in ipairs(layer:states()) do
    found["last " .. state[1]] = last[k]
  end
  for name, t in pairs(leaves) do
    found["gradient of " .. name] = t.grad
  end
  return found
end

function cells.layer(name, options)
  return core.rnn { cell = name, input_size = IN, hidden_size = HIDDEN, seed = 1, layer = 0, options = options or {} }
end

return cells
