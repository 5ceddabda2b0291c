-- loss_spec.lua - losses and metrics as scripts use them; values against PyTorch are in tests/oracle.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local metrics = require "rondo.metrics"
local support = dofile "tests/lua/support.lua"

local function near(want, got)
  assert.is_true(math.abs(want - got) < 1e-5, ("%s instead of %s"):format(got, want))
end

describe("a loss", function()
  local y, target = rondo.tensor { { 1, -2 }, { 0, 3 } }, rondo.tensor { { 0, 0 }, { 1, 3 } }
  it("of absolute errors", function()
    local loss, sum, count = rondo.L1Loss()(y, target)
    assert.same({ 1, 4, 4 }, { loss:item(), sum, count })
  end)
  it("of Huber ends its square at delta", function()
    near((0.5 + (2 - 0.5) + 0.5) / 4, rondo.HuberLoss { delta = 1 }(y, target):item())
    near((0.5 + 2 + 0.5) / 4, rondo.HuberLoss { delta = 2 }(y, target):item())
  end)
  it("of squares leaves out what has weight 0", function()
    local loss, sum, count = rondo.MSELoss()(y, target, rondo.tensor { { 1, 0 }, { 1, 1 } })
    near(2 / 3, loss:item())
    assert.same({ 2, 3 }, { sum, count })
    near(1, rondo.MSELoss { reduction = "batch" }(y, target, rondo.tensor { 1, 0 }):item())
  end)
  it("of binary logits", function()
    near(math.log(2), rondo.BCEWithLogitsLoss()(rondo.zeros(3), rondo.tensor { 0, 1, 0.5 }):item())
    near(3 * math.log(2), rondo.BCEWithLogitsLoss { pos_weight = 3 }(rondo.zeros(1), rondo.ones(1)):item())
  end)
  it("of directions", function()
    near(1, rondo.CosineLoss()(rondo.tensor { { 1, 0 } }, rondo.tensor { { 0, 5 } }):item())
    near(0, rondo.CosineLoss()(y, y * 3):item())
  end)
  it("of ids is smoothed and weighted", function()
    local logits = rondo.zeros(2, 4)
    near(math.log(4), rondo.CrossEntropyLoss { label_smoothing = 0.1 }(logits, rondo.tensor { 1, 2 }):item())
    local _, sum, count = rondo.CrossEntropyLoss { class_weights = { 1, 3, 1, 1 } }(logits, rondo.tensor { 1, 2 })
    near(4 * math.log(4), sum)
    assert.equal(4, count)
  end)
  it("describes itself for checkpoints", function()
    assert.same({ kind = "HuberLoss", reduction = "mean", delta = 2.0 }, rondo.HuberLoss { delta = 2 }:describe())
    assert.same({ 1, 2 }, rondo.CrossEntropyLoss { class_weights = { 1, 2 } }:describe().class_weights)
  end)
  it("says what is wrong with its options", function()
    local function fails(expected, f, ...)
      assert.matches(expected, support.failure(f, ...))
    end
    fails("CrossEntropyLoss: option 'label_smoothing' must be 0..0.999999, got 1", rondo.CrossEntropyLoss,
      { label_smoothing = 1 })
    fails("class_weights must be numbers at least 0, got %-1 for class 2", rondo.CrossEntropyLoss,
      { class_weights = { 1, -1 } })
    fails("class_weights must be a list with one number for each class", rondo.CrossEntropyLoss, { class_weights = {} })
    fails("HuberLoss: unknown option 'detla' %(did you mean 'delta'%?%)", rondo.HuberLoss, { detla = 1 })
    fails("CrossEntropyLoss: takes no weights of positions; a target of 0 is not counted", function()
      rondo.CrossEntropyLoss()(rondo.zeros(1, 2), rondo.ones(1), rondo.ones(1))
    end)
    fails("class_weights must be one number for each of 2 classes, got %(3%)", function()
      rondo.CrossEntropyLoss { class_weights = { 1, 1, 1 } }(rondo.zeros(1, 2), rondo.ones(1))
    end)
  end)
end)

describe("metrics", function()
  -- Three classes; guesses 1 1 2 3, targets 1 2 2 1, and one position that does not count.
  local logits = rondo.tensor { { 9, 1, 0 }, { 9, 1, 0 }, { 0, 9, 1 }, { 5, 0, 9 }, { 1, 2, 3 } }
  local ids = rondo.tensor { 1, 2, 2, 1, 0 }
  local function facts(list, loss, y, target, weight)
    local meter = metrics.meter(metrics.check(list), loss, {})
    for _ = 1, 2 do -- two equal batches
      local t, sum, count = loss(y or logits, target or ids, weight)
      meter.add(y or logits, target or ids, weight, sum, count)
      t:release()
    end
    return meter.facts()
  end
  local entropy = rondo.CrossEntropyLoss()
  it("count the most likely k", function()
    local f = facts({ "accuracy", "top_2_accuracy", { "top_k", k = 3 } }, entropy)
    assert.same({ 0.5, 1, 1 }, { f.accuracy, f.top_2_accuracy, f.top_3_accuracy })
  end)
  it("weigh right and wrong by class: F1", function()
    local f = facts({ "f1", "f1_micro" }, entropy)
    near((2 * 1 / 4 + 2 * 1 / 3 + 0) / 3, f.f1_macro) -- class 3: guessed once, never wanted
    near(0.5, f.f1_micro)
  end)
  it("measure nats as they are, whatever the training adds", function()
    local plain = facts({ "perplexity", "bits_per_char" }, entropy)
    near(math.exp(plain.loss), plain.perplexity)
    near(plain.loss / math.log(2), plain.bits_per_char)
    local smooth = facts({ "perplexity" }, rondo.CrossEntropyLoss { label_smoothing = 0.5,
      class_weights = { 1, 2, 3 } })
    near(plain.perplexity, smooth.perplexity)
    assert.is_true(smooth.loss ~= plain.loss)
  end)
  it("compare the sign of logits with 0 and 1", function()
    local y, target = rondo.tensor { { 2, -1, 3 } }, rondo.tensor { { 1, 1, 0 } }
    near(1 / 3, facts({ "accuracy" }, rondo.BCEWithLogitsLoss(), y, target).accuracy)
    near(1 / 2, facts({ "accuracy" }, rondo.BCEWithLogitsLoss(), y, target, rondo.tensor { 1, 1, 0 }).accuracy)
  end)
  it("that are not known are named", function()
    assert.matches("unknown metric 'acuracy' %(did you mean 'accuracy'%?%)",
      support.failure(metrics.check, { "acuracy" }))
    assert.matches("metric top_k: option 'k' is required", support.failure(metrics.check, { { "top_k" } }))
    assert.matches("unknown metric 'top_0_accuracy'", support.failure(metrics.check, { "top_0_accuracy" }))
  end)
end)
