-- forecaster_spec.lua - Forecaster: forms, outputs, what is normalised and what is fed.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local function fails(expected, f, ...)
  assert.matches(expected, support.failure(f, ...), 1, true)
end

local function forecaster(more)
  local given = { horizon = 3, window = 12, season = 4, hidden_size = 6, input_size = 2 }
  for key, value in pairs(more) do
    given[key] = value
  end
  rondo.manual_seed(5)
  return rondo.Forecaster(given)
end

local OUTPUTS = { "point", "quantiles", "gaussian", "student_t", "negative_binomial" }

-- Options that go together, one after the other.
local function each(f)
  for _, output in ipairs(OUTPUTS) do
    local counts = output == "negative_binomial"
    for _, baseline in ipairs(counts and { "none" } or { "none", "last", "seasonal" }) do
      for _, normalize in ipairs(counts and { "none", "mean" } or { "none", "mean", "standard", "last" }) do
        f { output = output, baseline = baseline, normalize = normalize, ar_window = counts and 0 or 5 }
      end
    end
  end
end

describe("a Forecaster", function()
  local x = (function() rondo.manual_seed(1) return rondo.randn(5, 12, 2) end)()

  it("of one step is the same in bits, direct or recursive", function()
    each(function(o)
      o.horizon = 1
      o.form = "direct"
      local direct = forecaster(o)
      o.form = "recursive"
      support.same(direct(x), forecaster(o)(x))
    end)
  end)
  it("gives every parameter a gradient, in every form", function()
    for _, form in ipairs { "direct", "recursive", "seq2seq" } do
      each(function(o)
        o.form = form
        local model = forecaster(o)
        model:teach(rondo.ones(5, 3))
        model:loss()(model(x), rondo.ones(5, 3)):backward()
        for name, p in model:named_parameters() do
          assert.is_truthy(p.grad, form .. ": " .. name)
        end
      end)
    end
  end)
  it("has the gradients of its differences", function()
    for _, form in ipairs { "direct", "recursive", "seq2seq" } do
      local model = forecaster { form = form, cell = "lstm", num_layers = 2, output = "gaussian",
        normalize = "standard", ar_window = 3, baseline = "seasonal", teacher_forcing = form ~= "direct" and 0 or nil }
      local loss = model:loss()
      local report = rondo.check.gradients(function() return (loss(model(x), rondo.ones(5, 3))) end, model:parameters())
      assert.is_true(report.worst < (require("rondo.core").real == "double" and 1e-6 or 1e-2), form)
    end
  end)
  it("adds to its baseline what the network says", function()
    local z = rondo.tensor { { { 1 }, { 2 }, { 3 }, { 4 }, { 5 }, { 6 } } }
    local function zero(more)
      local model = forecaster(more)
      for _, p in ipairs(model:parameters()) do
        rondo.no_grad(function() p:fill(0) end)
      end
      return model(z):table()[1]
    end
    for _, form in ipairs { "direct", "recursive", "seq2seq" } do
      local o = { form = form, window = 6, input_size = 1, horizon = 5 }
      o.baseline = "last"
      assert.same({ 6, 6, 6, 6, 6 }, zero(o))
      o.baseline = "seasonal"
      assert.same({ 3, 4, 5, 6, 3 }, zero(o))
      o.baseline, o.normalize = "none", "last"
      assert.same({ 6, 6, 6, 6, 6 }, zero(o))
      o.normalize = "standard"
      assert.same({ 3.5, 3.5, 3.5, 3.5, 3.5 }, zero(o))
    end
  end)
  it("that normalises is not moved by the unit of the series", function()
    for _, form in ipairs { "direct", "recursive", "seq2seq" } do
      local o = { form = form, normalize = "standard", output = "gaussian", input_size = 1, ar_window = 4 }
      local one = x:slice(3, 1, 1)
      local a, b = forecaster(o)(one), forecaster(o)(one * 1024 + 4096)
      local back = rondo.concat({ (b:slice(3, 1, 1) - 4096) / 1024, b:slice(3, 2, 2) / 1024 }, 3)
      assert.is_true(a:allclose(back, { rtol = 2e-3, atol = 2e-3 }), form)
    end
  end)
  it("reads what is known ahead at the step that it foretells", function()
    for _, form in ipairs { "direct", "recursive", "seq2seq" } do
      local model = forecaster { form = form, known = 1 }
      rondo.manual_seed(2)
      local ahead = rondo.randn(1, 14, 2)
      local y = model(ahead):table()[1]
      local other = ahead:clone()
      other[{ 1, 14, 2 }] = 9 -- of the third step alone
      local changed = model(other):table()[1]
      assert.is_true(y[3] ~= changed[3], form)
      if form ~= "direct" then -- one layer for all steps sees all of them
        assert.same({ y[1], y[2] }, { changed[1], changed[2] })
      end
    end
  end)
  it("is fed the truth in training as often as teacher_forcing says", function()
    for _, form in ipairs { "recursive", "seq2seq" } do
      local function trained(share, truth, weight)
        local model = forecaster { form = form, teacher_forcing = share }
        model:teach(truth, weight)
        return model(x)
      end
      local ones, twos = rondo.ones(5, 3), rondo.full({ 5, 3 }, 2)
      support.same(trained(0, ones), trained(0, twos))
      local a, b = trained(1, ones), trained(1, twos)
      support.same(a:slice(2, 1, 1), b:slice(2, 1, 1))
      assert.is_false(a:allclose(b))
      support.same(trained(0, ones), trained(1, rondo.full({ 5, 3 }, 0 / 0), rondo.zeros(5, 3))) -- missing truth
      support.same(trained(0.5, ones), trained(0.5, ones))
      assert.is_false(trained(0.5, ones):allclose(trained(1, ones)))
    end
  end)
  it("of several targets finds them among its features", function()
    for _, form in ipairs { "direct", "recursive", "seq2seq" } do
      local model = forecaster { form = form, targets = 2, target_features = { 2, 1 }, baseline = "last",
        output = "quantiles" }
      assert.same({ 5, 3, 2, 3 }, model(x):size())
      for _, p in ipairs(model:parameters()) do
        rondo.no_grad(function() p:fill(0) end)
      end
      local last, y = x:select(2, -1):table(), model(x):table()
      assert.same({ last[1][2], last[1][1] }, { y[1][1][1][2], y[1][1][2][2] })
    end
  end)
  it("stands still, where it is fed, in what is not known ahead", function()
    local model = forecaster { form = "recursive", known = 0 }
    local other = x:clone()
    other[{ 1, 12, 2 }] = 3 -- at the origin
    assert.is_true(model(x):table()[1][3] ~= model(other):table()[1][3])
  end)
  it("tells series apart by their ids", function()
    for _, form in ipairs { "direct", "recursive", "seq2seq" } do
      local model = forecaster { form = form, num_series = 3, embedding_dim = 4 }
      local one = x:slice(1, 1, 1)
      local a, b = model(one, rondo.tensor { 1 }), model(one, rondo.tensor { 3 })
      assert.is_false(a:allclose(b))
      support.same(a, model(rondo.concat({ one, one }, 1), rondo.tensor { 1, 3 }):slice(1, 1, 1))
      fails("Forecaster: needs the ids of series beside its input", function() model(one) end)
    end
    fails("Forecaster: was made without num_series, and is given ids of series", function()
      forecaster {}(x, rondo.ones(5))
    end)
  end)
  it("is rebuilt from its description", function()
    local module = require "rondo.module"
    local model = forecaster { form = "seq2seq", output = "quantiles", quantiles = { 0.2, 0.5 }, ar_window = 3 }
    local again = module.from_description(model:describe())
    assert.same(model:describe(), again:describe())
    assert.equal(model:parameter_count(), again:parameter_count())
  end)
  it("says what does not go together", function()
    fails('Forecaster: counts have no differences', rondo.Forecaster, { output = "negative_binomial",
      baseline = "last" })
    fails("option 'quantiles' is for output = \"quantiles\", got \"point\"", rondo.Forecaster, { quantiles = { 0.5 } })
    fails("option 'teacher_forcing' is for forms that are fed", rondo.Forecaster, { teacher_forcing = 1 })
    fails("Forecaster: quantiles ascend", rondo.Forecaster, { output = "quantiles", quantiles = { 0.5, 0.1 } })
    fails("a window of 3 steps is too short", rondo.Forecaster, { horizon = 1, window = 3, baseline = "seasonal",
      season = 4, input_size = 1 })
    fails("needs a season", rondo.Forecaster, { horizon = 1, window = 3, baseline = "seasonal", input_size = 1 })
    fails("option 'horizon' is not known yet", rondo.Forecaster, { input_size = 1 })
    fails("target_features must be 1 places, one for each target, got 2", forecaster, { target_features = { 1, 2 } })
    fails("its input has 2 features, with 1 targets and 2 known ahead", forecaster, { known = 2 })
    fails("Forecaster: expected input (batch, 12, 2), got (5, 11, 2)", function() forecaster {}(x:slice(2, 1, 11)) end)
  end)
end)
