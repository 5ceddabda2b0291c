-- forecast_loss_spec.lua - losses of quantiles and distributions as scripts use them, and heads that cannot cross;
-- values against R are in tests/learn/test_likelihood.c.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local heads = require "rondo.forecast.heads"
local support = dofile "tests/lua/support.lua"

local function near(want, got, tolerance)
  assert.is_true(math.abs(want - got) < (tolerance or 1e-5), ("%s instead of %s"):format(got, want))
end

describe("the loss of a forecast", function()
  it("of quantiles takes them beside each other or as a dimension of their own", function()
    local flat = rondo.tensor { { 1, 2, 5, 0, 1, 2 } } -- two steps of three quantiles
    local target = rondo.tensor { { 2, 1 } }
    local want = (0.1 * 1 + 0 + 0.1 * 3 + 0.1 * 1 + 0 + 0.1 * 1) / 3
    local loss, sum, count = rondo.QuantileLoss()(flat, target)
    near(want / 2, loss:item())
    near(want, sum)
    assert.equal(2, count)
    near(want / 2, rondo.QuantileLoss { quantiles = { 0.1, 0.5, 0.9 } }(flat:reshape { 1, 2, 3 }, target):item())
  end)
  it("of quantiles makes them ascend where it is asked to", function()
    local raw, target = rondo.tensor { { 0, 2, -1 } }, rondo.tensor { { 2.5 } }
    local up = math.log(1 + math.exp(-1))
    near((0.1 * (2.5 - 2 + math.log(2)) + 0.5 * 0.5 + 0.9 * (0.5 - up)) / 3,
      rondo.QuantileLoss { ascending = true }(raw, target):item())
  end)
  it("of one quantile, the median, is half the absolute error", function()
    local y, target = rondo.tensor { { 1, -2 } }, rondo.tensor { { 0, 2 } }
    near(rondo.L1Loss()(y, target):item() / 2, rondo.QuantileLoss { quantiles = { 0.5 } }(y, target):item())
  end)
  it("makes positive numbers where it is asked to", function()
    local raw, target = rondo.tensor { { 0.5, -1 } }, rondo.tensor { { 1.25 } }
    local s = math.log(1 + math.exp(-1)) + 1e-4
    near(0.5 * (0.75 / s) ^ 2 + math.log(s) + 0.5 * math.log(2 * math.pi),
      rondo.GaussianLoss { positive = "softplus" }(raw, target):item())
    s = math.exp(-1)
    near(0.5 * (0.75 / s) ^ 2 + math.log(s) + 0.5 * math.log(2 * math.pi),
      rondo.GaussianLoss { positive = "log" }(raw, target):item())
  end)
  it("leaves out steps by a mask, and values by a weight", function()
    local y = rondo.tensor { { { 0, 1 }, { 5, 2 } } }
    local target = rondo.tensor { { 0, 1 } }
    local only = rondo.GaussianLoss()(y, target, rondo.tensor { { 1, 0 } })
    near(0.5 * math.log(2 * math.pi), only:item())
    near(only:item(), rondo.GaussianLoss()(y, target, { lengths = { 1 } }):item())
  end)
  it("is least at the quantile of the data", function()
    local target, y = {}, rondo.tensor { { 0.0, 0.0 } }
    for i = 1, 9 do target[i] = i end
    y.requires_grad = true
    local loss = rondo.QuantileLoss { quantiles = { 0.25, 0.75 } }
    for _ = 1, 400 do
      y:zero_grad()
      loss(y * rondo.ones(9, 1), rondo.tensor(target)):backward()
      rondo.no_grad(function() y:copy(y - y.grad * 0.2) end)
    end
    local found = y:table()[1]
    assert.is_true(found[1] > 2.8 and found[1] < 3.2 and found[2] > 6.8 and found[2] < 7.2)
  end)
  it("of counts tells the mean", function()
    local y = rondo.tensor { { 2.0, 1.0 } }
    near(-math.log((1 / 3)), rondo.NegativeBinomialLoss()(y, rondo.tensor { 0 }):item()) -- (1 + a m)^(-1 / a)
    assert.same({ kind = "NegativeBinomialLoss", reduction = "mean", positive = "given" },
      rondo.NegativeBinomialLoss():describe())
  end)
  it("of heavy tails punishes a far value less than the Gaussian does", function()
    local far = rondo.tensor { { 20.0 } }
    local gaussian = rondo.GaussianLoss()(rondo.tensor { { 0, 1 } }, far):item()
    assert.is_true(rondo.StudentTLoss()(rondo.tensor { { 0, 1, 3 } }, far):item() < gaussian / 10)
  end)
  it("says what is wrong", function()
    local function fails(expected, f, ...)
      assert.matches(expected, support.failure(f, ...), 1, true)
    end
    fails("QuantileLoss: quantiles are numbers between 0 and 1, got 1", rondo.QuantileLoss, { quantiles = { 0.5, 1 } })
    fails("QuantileLoss: quantiles ascend, got 0.5 behind 0.9", rondo.QuantileLoss, { quantiles = { 0.9, 0.5 } })
    fails("QuantileLoss: quantiles must be a list of at least one number", rondo.QuantileLoss, { quantiles = {} })
    fails("GaussianLoss: unknown option 'scale'", rondo.GaussianLoss, { scale = 1 })
    fails("expected 2 numbers for each of 3 values, a last dimension of 6 or (..., 3, 2), got 3", function()
      rondo.GaussianLoss()(rondo.zeros(1, 3), rondo.zeros(1, 3))
    end)
    fails("gaussian_loss: the scale must be greater than 0, got 0", function()
      rondo.GaussianLoss()(rondo.zeros(1, 2), rondo.zeros(1))
    end)
  end)
end)

describe("quantiles of a head", function()
  local levels = { 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99 }
  local function crossings(raw)
    local rows = heads.numbers("quantiles", raw, levels):reshape { raw:numel() / #levels, #levels }:table()
    local n = 0
    for _, row in ipairs(rows) do
      for k = 2, #row do
        n = n + ((row[k] >= row[k - 1]) and 0 or 1)
      end
    end
    return n
  end
  it("never cross, whatever the layer gives", function()
    rondo.manual_seed(3)
    for _, size in ipairs { 1e-20, 1e-3, 1, 50, 1e6, 1e30 } do
      assert.equal(0, crossings(rondo.randn(500, #levels) * size))
    end
  end)
  it("never cross at extremes", function()
    local huge = {}
    for i, x in ipairs { 3e38, -3e38, 0, -0.0, 1e-45, 88, -88 } do
      for k = 1, #levels do
        huge[#huge + 1] = k % 2 == 0 and x or i % 2 == 0 and -x or 1e38 * (k - 4)
      end
    end
    assert.equal(0, crossings(rondo.tensor(huge, { 7, #levels })))
  end)
  it("begin at the level nearest the median, which is the layer's own number", function()
    local raw = rondo.randn(4, 3)
    local y = heads.numbers("quantiles", raw, { 0.2, 0.6, 0.9 })
    support.same(raw:slice(2, 2, 2), y:slice(2, 2, 2))
    assert.equal(1, heads.middle { 0.4, 0.7 })
  end)
  it("of other kinds have positive scales and tails with a variance", function()
    local y = heads.numbers("student_t", rondo.full({ 1, 3 }, -1e4)):table()[1]
    assert.is_true(y[2] > 0 and y[3] > 2)
    y = heads.numbers("negative_binomial", rondo.full({ 1, 2 }, -1e4)):table()[1]
    assert.is_true(y[1] > 0 and y[2] > 0)
  end)
end)
