-- regularisers_spec.lua - variational dropout, zoneout and weight drop of recurrent layers.
--
-- Cells with masks against their equations written with tape operations, to 1e-12 in the double build and 1e-5 in
-- float; the masks are read back from the random function, by the keys that rondo.h names.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local random = require "rondo.random"
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local TOLERANCE = core.real == "double" and 1e-12 or 1e-5
local ROWS, STEPS, INPUT, HIDDEN, SEED, UPDATE = 3, 5, 4, 6, 4, 7
local SOURCE = 1 << 24

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

-- What a call that fails says.
local function message(...)
  return tostring(support.failure(...))
end

local function largest_difference(a, b)
  return (a - b):abs():max():item() / math.max(1, b:abs():max():item())
end

-- rows x width numbers in the order that f(row, unit) gives them, from 0.
local function made(rows, width, f)
  local list = {}
  for b = 1, rows do
    list[b] = {}
    for j = 1, width do
      list[b][j] = f(b - 1, j - 1)
    end
  end
  return core.tensor(list)
end

local function stream(purpose, time)
  return { seed = SEED, purpose = purpose, layer = 0, update = UPDATE, time = time }
end

-- Masks of a layer of seed SEED in update UPDATE. Sources count: x 0, the states, the temps.
local function source_mask(o, source, width)
  local p = o[source == 0 and "input_dropout" or "recurrent_dropout"]
  return p and made(ROWS, width, function(row, j)
    return core.uniform(stream("sources", 0), row, source * SOURCE + j) < p and 0 or 1 / (1 - p)
  end) or 1
end

local function thinned(o, w, parameter)
  local p = o.training and o.weight_drop
  return p and w * made(w:size(1), w:size(2), function(i, j)
    return core.uniform(stream("weights", parameter), i, j) < p and 0 or 1 / (1 - p)
  end) or w
end

-- State number k (0 is the output) after step t.
local function held(o, k, name, t, before, after)
  local p = type(o.zoneout) == "table" and (o.zoneout[name] or 0) or o.zoneout or 0
  if p == 0 then
    return after
  elseif not o.training then
    return before * p + after * (1 - p)
  end
  local hold = made(ROWS, after:size(2), function(row, j)
    return core.uniform(stream("zoneout", t), row, (1 + k) * SOURCE + j) < p and 1 or 0
  end)
  return core.where(hold, before, after)
end

-- Cells: step(w, x, s, o, t) moves the states s; w holds the matrices of states thinned already, x is masked.
local cells = {}

function cells.lstm(line, s, o, t)
  local from = { x = o.x, h = s.h * o.mask(1) }
  local c = line("f", from):sigmoid() * s.c + line("i", from):sigmoid() * line("g", from):tanh()
  local h = line("o", from):sigmoid() * c:tanh()
  s.h, s.c = held(o, 0, "h", t, s.h, h), held(o, 1, "c", t, s.c, c)
end

function cells.gru(line, s, o, t)
  local from = { x = o.x, h = s.h * o.mask(1) }
  local r, z = line("r", from):sigmoid(), line("z", from):sigmoid()
  local n
  if o.reset == "before" then
    n = line("n", { x = o.x, q = r * s.h * o.mask(2) }):tanh()
  else
    n = (line("n_x", from) + r * line("n_h", from)):tanh()
  end
  s.h = held(o, 0, "h", t, s.h, (1 - z) * n + z * s.h)
end

function cells.slstm(line, s, o, t)
  local from = { x = o.x, h = s.h * o.mask(1) }
  local i, f = line("i", from):exp(), line("f", from):sigmoid()
  s.c = f * s.c + i * line("z", from):tanh()
  s.n = f * s.n + i
  s.h = held(o, 0, "h", t, s.h, line("o", from):sigmoid() * s.c / s.n)
end

local function reference(layer, cell, x, o)
  local w, number, states = {}, 0, {}
  for name, p in layer:named_parameters() do
    name = name:gsub("^layer1%.", "")
    local recurrent = p.ndim == 2 and not name:find "_x$"
    w[name] = recurrent and thinned(o, p, number) or p
    number = number + 1
  end
  for _, name in ipairs { "h", "c", "n" } do
    states[name] = rondo.zeros(ROWS, HIDDEN)
  end
  local masks = {}
  function o.mask(source)
    masks[source] = masks[source] or o.training and source_mask(o, source, source == 0 and INPUT or HIDDEN) or 1
    return masks[source]
  end
  local function line(name, sources)
    local sum = w[name .. "_b"] or 0
    for source, value in pairs(sources) do
      local matrix = w[name .. "_" .. source]
      sum = matrix and sum + core.linear(value, matrix) or sum
    end
    return sum
  end
  local list = {}
  for t = 1, STEPS do
    o.x = x:select(2, t) * o.mask(0)
    cell(line, states, o, t - 1)
    list[t] = states.h:unsqueeze(2)
  end
  return rondo.concat(list, 2)
end

local function check(name, given)
  local o = { cell = name, input_size = INPUT, hidden_size = HIDDEN, seed = SEED }
  for key, value in pairs(given) do
    o[key] = value
  end
  o.training = nil
  local layer = rondo.RNN(o)
  layer:train(given.training)
  rondo.no_grad(function()
    for i, p in ipairs(layer:parameters()) do
      p:fill_uniform(-0.8, 0.8, { seed = 11, layer = i })
    end
  end)
  local x = core.zeros { ROWS, STEPS, INPUT }
  x:fill_uniform(-1, 1, { seed = 5 })
  local weights = core.zeros { ROWS, STEPS, HIDDEN }
  weights:fill_uniform(-1, 1, { seed = 6 })
  x.requires_grad = true
  random.set_update(UPDATE)
  local function gradients(y)
    layer:zero_grad()
    x:zero_grad()
    ;(y * weights):sum():backward()
    local list = { x = x.grad:clone() }
    for key, p in layer:named_parameters() do
      list[key] = p.grad:clone()
    end
    return list
  end
  local y = layer(x)
  local got = gradients(y)
  local want_y = reference(layer, cells[name], x, given)
  local off = largest_difference(y, want_y)
  assert.is_true(off <= TOLERANCE, ("%s: output, %g"):format(name, off))
  for key, want in pairs(gradients(want_y)) do
    local difference = largest_difference(got[key], want)
    assert.is_true(difference <= TOLERANCE, ("%s: gradient of %s, %g"):format(name, key, difference))
  end
  random.set_update(0)
end

-- Each regulariser, in training and out of it.
local function check_each(name, fixed)
  local ways = { { input_dropout = 0.4 }, { recurrent_dropout = 0.3 }, { weight_drop = 0.5 }, { zoneout = 0.25 },
    { input_dropout = 0.4, recurrent_dropout = 0.3, weight_drop = 0.5, zoneout = { h = 0.1 } } }
  for _, way in ipairs(ways) do
    for _, training in ipairs { true, false } do
      local given = { training = training }
      for key, value in pairs(way) do
        given[key] = value
      end
      for key, value in pairs(fixed or {}) do
        given[key] = value
      end
      check(name, given)
    end
  end
end

describe("regularisers are what their papers say:", function()
  it("LSTM", function()
    check_each("lstm")
    check("lstm", { zoneout = { c = 0.5, h = 0.05 }, training = true })
  end)
  it("GRU, reset after", function() check_each("gru", { reset = "after" }) end)
  it("GRU, reset before", function() check_each("gru", { reset = "before" }) end)
  it("scalar LSTM, whose c, n and m are never held", function() check_each("slstm") end)
end)

local function noisy(given)
  local o = { input_size = INPUT, hidden_size = HIDDEN, num_layers = 2, seed = 3, dropout = 0.3, variational = true,
    input_dropout = 0.2, recurrent_dropout = 0.2, weight_drop = 0.3, zoneout = { c = 0.3, h = 0.1 },
    connections = "highway" }
  for key, value in pairs(given or {}) do
    o[key] = value
  end
  return rondo.LSTM(o)
end

local function input(rows, steps, width)
  local x = core.zeros { rows or ROWS, steps or STEPS, width or INPUT }
  x:fill_uniform(-1, 1, { seed = 5 })
  return x
end

describe("a layer with regularisers", function()
  it("gives other numbers in each update, and the same in one", function()
    local layer, x = noisy(), input()
    random.set_update(1)
    local a, b = layer(x):table(), layer(x):table()
    random.set_update(2)
    local c = layer(x):table()
    random.set_update(0)
    assert.same(a, b)
    assert.not_same(a, c)
  end)
  it("draws nothing in evaluation", function()
    local layer, x = noisy():eval(), input()
    random.set_update(1)
    local a = layer(x):table()
    random.set_update(0)
    assert.same(a, layer(x):table())
    assert.not_same(a, noisy({ zoneout = 0 }):eval()(x):table()) -- but a state is still held, by its share
    local plain = noisy { zoneout = 0, input_dropout = 0, recurrent_dropout = 0, weight_drop = 0, dropout = 0 }
    assert.same(plain(x):table(), noisy({ zoneout = 0 }):eval()(x):table())
  end)
  it("runs chunks that say where they begin to the bits of the sequence", function()
    local layer, x, list = noisy(), input(), {}
    for _, form in ipairs { { 5 }, { 2, 3 }, { 1, 1, 1, 1, 1 } } do
      local t, parts, states = 0, {}, nil
      for k, n in ipairs(form) do
        random.set_update(3, t)
        parts[k], states = layer:advance(x:slice(2, t + 1, t + n), states)
        t = t + n
      end
      list[#list + 1] = rondo.concat(parts, 2):table()
    end
    random.set_update(0)
    assert.same(list[1], list[2])
    assert.same(list[1], list[3])
  end)
  it("comes back from a checkpoint with all of them", function()
    local path, model = folder .. "/m.h5", rondo.Sequential { noisy { input_size = INPUT }, rondo.Linear { 2 } }
    assert(rondo.save(path, { model = model }))
    local again = assert(rondo.load(path)):load_into(model) and rondo.load(path).model
    assert.same(model:describe(), again:describe())
    assert(rondo.load(path):load_into(again))
    for _, mode in ipairs { "eval", "train" } do
      model[mode](model)
      again[mode](again)
    end
    assert.same(model:eval()(input()):table(), again:eval()(input()):table())
  end)
  it("has masks of its own in each direction and layer", function()
    local layer = noisy { bidirectional = true, merge = "sum", connections = "none" }
    local x, lengths = input(), core.tensor { 5, 0, 2 }
    local y = layer(x, { lengths = lengths })
    assert.equal(0, y:select(1, 2):abs():max():item())
    y:sum():backward()
    for _, p in ipairs(layer:parameters()) do
      assert.is_true(p.grad:is_finite())
    end
  end)
  it("learns its first states through what is held", function()
    local layer = noisy { learn_state = true, zoneout = 0.5, connections = "none", num_layers = 1 }
    layer(input()):sum():backward()
    for name, p in layer:named_parameters() do
      if name:find "_0$" then
        assert.is_true(p.grad:abs():max():item() > 0, name)
      end
    end
  end)
  it("has dropout between its layers with one mask for all steps", function()
    local layer = rondo.VanillaRNN { input_size = 2, hidden_size = 40, num_layers = 2, activation = "identity",
      bias = "none", dropout = 0.5, variational = true, seed = 3 }
    rondo.no_grad(function()
      for name, p in layer:named_parameters() do
        p:fill(name:find "layer2.a_x" and 0 or name:find "a_h" and 0 or 1)
        for i = 1, name:find "layer2.a_x" and 40 or 0 do
          p[{ i, i }] = 1 -- the second layer gives what it reads
        end
      end
    end)
    local y = layer(core.full({ 1, 3, 2 }, 1))
    assert.same(y:select(2, 1):table(), y:select(2, 3):table())
    assert.equal(0, (-y):max():item())
  end)
end)

describe("zoneout", function()
  it("holds the parts of an output where it holds the output", function()
    local layer = rondo.RNN { cell = "slstm", heads = 3, input_size = INPUT, hidden_size = 9, zoneout = 0.5, seed = 3 }
    local y, states = layer:advance(input())
    assert.same(y:select(2, STEPS):table(), states[1]:table())
    assert.same(states[1]:table(), rondo.concat({ states[5], states[6], states[7] }, 2):table())
    assert.is_true((y:select(2, STEPS) - y:select(2, STEPS - 1)):eq(0):sum():item() > 4) -- of 27, half are held
  end)
  it("says what it can be", function()
    local function said(given)
      return message(rondo.LSTM, { input_size = 2, hidden_size = 2, zoneout = given })
    end
    assert.matches("must be a number 0..0.99999, or such numbers by state as in { c = 0.5, h = 0.05 }, got 1", said(1),
      1, true)
    assert.matches("got another table", said { 0.5 }, 1, true)
    assert.matches("got half", said "half", 1, true)
    assert.matches("option 'zoneout' names no state 'm'; there are: h, c", said { m = 0.5 }, 1, true)
  end)
end)
