-- valid_spec.lua - a walk over layers, poolings and losses: a padded batch is each sequence alone, bit for bit.
--
-- Padding on the right, on the left, holes, length 0 and none, in one batch. What is absent holds NaN where outputs are
-- compared, and numbers where gradients are: a product with a gradient of 0 keeps NaN.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local MASK = { { 1, 1, 1, 0, 0, 0 }, { 0, 0, 1, 1, 1, 1 }, { 1, 0, 1, 0, 0, 1 }, { 0, 0, 0, 0, 0, 0 },
  { 1, 1, 1, 1, 1, 1 } }
local BATCH, TIME, FEATURES = 5, 6, 4

local same = support.same

local function repeated(value)
  local rows = rondo.rand(BATCH, TIME, FEATURES):table()
  for b, row in ipairs(rows) do
    for t, step in ipairs(row) do
      for k in ipairs(step) do
        step[k] = MASK[b][t] == 1 and step[k] or value
      end
    end
  end
  return rondo.tensor(rows)
end

-- The steps of row b that count, (1, n, ...), and where they are.
local function alone(x, b)
  local places, steps = {}, {}
  for t = 1, TIME do
    if MASK[b][t] == 1 then
      places[#places + 1] = t
      steps[#places] = x:slice(1, b, b):slice(2, t, t)
    end
  end
  return #steps > 0 and rondo.concat(steps, 2) or nil, places
end

-- Layers from (batch, time, 4), with 4 or whatever features.
local layers = {
  { "vanilla", function() return rondo.VanillaRNN { 4, 3 } end },
  { "a stack of lstm", function() return rondo.LSTM { 4, 3, num_layers = 2 } end },
  { "gru both ways", function() return rondo.GRU { 4, 3, bidirectional = true } end },
  { "Bidirectional", function() return rondo.Bidirectional { rondo.LSTM { 4, 3 }, merge = "sum" } end },
  { "Residual", function() return rondo.Residual { rondo.GRU { 4, 4 }, rondo.Linear { 4 } } end },
  { "Highway", function() return rondo.Highway { rondo.LSTM { 4, 4 } } end },
  { "Residual of Bidirectional", function()
    return rondo.Residual { rondo.Bidirectional { rondo.GRU { 4, 2 } } }
  end },
  { "Linear and LayerNorm", function() return rondo.Sequential { rondo.Linear { 4, 3 }, rondo.LayerNorm() } end },
  { "TimeDistributed", function() return rondo.TimeDistributed { rondo.Linear { 4, 3 } } end },
  { "ActivityRegularization", function() return rondo.ActivityRegularization { ar = 1, tar = 1 } end },
}
-- What makes one vector of (batch, time, features).
local poolings = { { "the last output", function(width) return rondo.GRU { width, 3, return_sequences = false } end } }
for _, how in ipairs { "last", "mean", "max" } do
  poolings[#poolings + 1] = { how, function() return rondo.Pool { how } end }
end

describe("a padded batch is each sequence alone:", function()
  for _, entry in ipairs(layers) do
    it("outputs and states of " .. entry[1], function()
      local model, x = rondo.Sequential { entry[2]() }, repeated(0 / 0)
      local y, after = model:advance(x, nil, rondo.tensor(MASK))
      for b = 1, BATCH do
        local own, places = alone(x, b)
        local want, own_after
        if own then
          want, own_after = model:advance(own)
        end
        for i, t in ipairs(places) do
          same(want:select(2, i):select(1, 1), y:select(1, b):select(1, t), ("row %d, step %d"):format(b, t))
        end
        local states, first = after[1], own_after and own_after[1]
        states = states and states[1] and type(states[1]) == "table" and states[1] or states or {}
        first = first and first[1] and type(first[1]) == "table" and first[1] or first or {}
        for k, state in ipairs(states) do
          same(own and first[k]:select(1, 1) or rondo.zeros(state:size(2)), state:select(1, b), "state " .. k)
        end
      end
    end)
  end
  for _, entry in ipairs(poolings) do
    it("one vector by " .. entry[1], function()
      local x = repeated(0 / 0)
      local model = rondo.Sequential { rondo.Residual { rondo.LSTM { 4, 4 } }, entry[2](4) }
      local y = model(x, { mask = MASK })
      for b = 1, BATCH do
        local own = alone(x, b)
        same(own and model(own):select(1, 1) or rondo.zeros(y:size(2)), y:select(1, b), "row " .. b)
      end
    end)
  end
end)

local function gradients(model, loss)
  model:zero_grad()
  loss:backward()
  local list = {}
  for name, p in model:named_parameters() do
    list[#list + 1] = { name, p.grad:clone() }
  end
  return list
end

local function same_gradients(a, b)
  assert.equal(#a, #b)
  for i, entry in ipairs(a) do
    same(entry[2], b[i][2], entry[1])
  end
end

describe("gradients of a padded sequence are those of it alone:", function()
  local sum = rondo.MSELoss { reduction = "sum" }
  for _, entry in ipairs(layers) do
    it(entry[1], function()
      local model, x = rondo.Sequential { rondo.Linear { 4, 4 }, entry[2]() }, repeated(3)
      for b = 1, BATCH do
        local own = alone(x, b)
        if own then
          local here = { mask = { MASK[b] } }
          local y = model(x:slice(1, b, b), here)
          local padded = gradients(model, (sum(y, rondo.zeros(table.unpack(y:size())), here)))
          y = model(own)
          same_gradients(gradients(model, (sum(y, rondo.zeros(table.unpack(y:size()))))), padded)
        end
      end
    end)
  end
  for _, entry in ipairs(poolings) do
    it(entry[1], function()
      local model = rondo.Sequential { rondo.GRU { 4, 4 }, entry[2](4) }
      local x = repeated(3)
      for b = 1, BATCH do
        local own = alone(x, b)
        if own then
          local padded = gradients(model, (model(x:slice(1, b, b), { mask = { MASK[b] } }) * 3):sum())
          same_gradients(gradients(model, (model(own) * 3):sum()), padded)
        end
      end
    end)
  end
  it("more padding behind a batch changes nothing", function()
    local model = rondo.Sequential { rondo.LSTM { 4, 4, bidirectional = true, merge = "sum" }, rondo.Pool { "mean" } }
    local x, how = repeated(3), { lengths = { 3, 6, 0, 2, 5 } }
    local longer = rondo.concat({ x, rondo.ones(BATCH, 2, FEATURES) }, 2)
    local y = model(x, how)
    same(y, model(longer, how))
    same_gradients(gradients(model, (y * y):sum()), gradients(model, (function()
      local z = model(longer, how)
      return (z * z):sum()
    end)()))
  end)
end)

describe("a loss of what counts is that of the steps alone:", function()
  local names = { "CrossEntropyLoss", "MSELoss", "L1Loss", "HuberLoss", "BCEWithLogitsLoss", "CosineLoss" }
  for _, name in ipairs(names) do
    it(name, function()
      local x, loss = rondo.parameter(repeated(0 / 0)), rondo[name]()
      local target = repeated(0.5)
      if name == "CrossEntropyLoss" then
        target = (rondo.rand(BATCH, TIME) * 3.9):gt(2) + 1
      end
      local rows, wanted = {}, {}
      for b = 1, BATCH do
        rows[#rows + 1] = alone(x:detach(), b)
        wanted[#wanted + 1] = alone(target, b)
      end
      local own = rondo.parameter(rondo.concat(rows, 2))
      local want, want_sum, want_count = loss(own, rondo.concat(wanted, 2))
      local got, got_sum, got_count = loss(x, target, { mask = MASK })
      assert.equal(want_count, got_count)
      assert.is_true(math.abs(want_sum - got_sum) < 1e-5 * want_sum)
      assert.is_true(math.abs(want:item() - got:item()) < 1e-5 * want:item())
      want:backward()
      got:backward()
      local n = 0
      for b = 1, BATCH do
        for t = 1, TIME do
          local here = x.grad:select(1, b):select(1, t)
          n = n + MASK[b][t]
          same(MASK[b][t] == 1 and own.grad:select(1, 1):select(1, n) or rondo.zeros(FEATURES), here)
        end
      end
    end)
    it(name .. " of nothing is 0", function()
      local target = name == "CrossEntropyLoss" and rondo.ones(2, 3) or rondo.ones(2, 3, 2)
      local got, sum, count = rondo[name]()(rondo.full({ 2, 3, 2 }, 0 / 0), target, { lengths = { 0, 0 } })
      assert.same({ 0, 0, 0 }, { got:item(), sum, count })
    end)
  end
  it("ids with more dimensions too", function()
    local logits, ids = rondo.rand(2, 3, 2, 4), rondo.full({ 2, 3, 2 }, 3)
    local _, _, count = rondo.CrossEntropyLoss()(logits, ids, { lengths = { 1, 2 } })
    assert.equal(6, count)
  end)
  it("in a Trainer too, where a batch has lengths or a mask", function()
    local model = rondo.Sequential { rondo.GRU { 4, 3, seed = 1 }, rondo.Linear { 2, seed = 1 } }
    local x, y = repeated(0.5), rondo.rand(BATCH, TIME, 2)
    local trainer = rondo.Trainer { model = model, loss = rondo.MSELoss(), optimizer = rondo.optim.SGD { lr = 0 },
      max_steps = 1, quiet = true }
    local want = rondo.MSELoss()(model(x, { mask = MASK }), y, { mask = MASK }):item()
    local batches, reported = { { x, y, mask = rondo.tensor(MASK) } }, nil
    trainer:on("step_end", function(_, facts) reported = facts.loss end)
    trainer:fit(batches)
    assert.is_true(math.abs(want - reported) < 1e-6)
    assert.is_true(math.abs(want - trainer:evaluate(batches).loss) < 1e-6)
  end)
  it("and all of them with mask = false", function()
    local _, _, count = rondo.MSELoss()(rondo.ones(2, 3, 1), rondo.ones(2, 3, 1), { mask = false })
    assert.equal(6, count)
  end)
end)
