-- optim_spec.lua - optimizers and schedules as scripts use them.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

describe("an optimizer", function()
  it("follows the gradient: SGD by hand", function()
    local w = rondo.parameter(rondo.tensor { 1, 2 })
    local opt = rondo.optim.SGD({ w }, { lr = 0.5 })
    local loss = (w * w):sum()
    loss:backward()
    opt:step()
    assert.same({ 0, 0 }, w:table()) -- w - 0.5 * 2w
    opt:zero_grad()
    assert.same({ 0, 0 }, w.grad:table())
  end)
  it("has a rate that is read and set", function()
    local opt = rondo.optim.Adam({ rondo.parameter(rondo.ones(1)) }, { lr = 0.25 })
    assert.equal(0.25, opt.lr)
    opt.lr = 0.125
    assert.equal(0.125, opt.lr)
    assert.matches("lr must be a number at least 0, got fast", support.failure(function() opt.lr = "fast" end))
    assert.matches("only lr can be set", support.failure(function() opt.momentum = 1 end))
  end)
  it("says that it has no parameters", function()
    assert.matches("Adam has no parameters yet", support.failure(function() rondo.optim.Adam { lr = 1 }:step() end))
  end)
  it("names the nearest option", function()
    assert.matches("SGD: unknown option 'momentun' %(did you mean 'momentum'%?%)",
      support.failure(rondo.optim.SGD, { momentun = 0.9 }))
  end)
end)

describe("a schedule", function()
  local function rates(make, steps)
    local opt = rondo.optim.SGD({ rondo.parameter(rondo.ones(1)) }, { lr = 1 })
    local sched, list = make(opt), {}
    for i = 1, steps do
      list[i] = opt.lr
      sched:step()
    end
    return list
  end
  it("warms up in a line", function()
    assert.same({ 0.25, 0.5, 0.75, 1, 1 }, rates(function(opt)
      return rondo.optim.ConstantLR(opt, { warmup_steps = 4 })
    end, 5))
  end)
  it("steps after its wait", function()
    assert.same({ 1, 1, 0.5, 0.5, 0.25 }, rates(function(opt)
      return rondo.optim.StepLR(opt, { gamma = 0.5, step_size = 2, decay_after = 2 })
    end, 5))
  end)
  it("needs its options", function()
    assert.matches("CosineLR: option 'total_steps' is required", support.failure(rondo.optim.CosineLR, {}))
  end)
end)

describe("clipping", function()
  it("by norm and by value are two things", function()
    local w = rondo.parameter(rondo.zeros(2));
    (w * rondo.tensor { 30, 40 }):sum():backward()
    assert.equal(50, rondo.clip_grad_norm({ w }, 5))
    assert.is_true(w.grad:allclose(rondo.tensor { 3, 4 }))
    rondo.clip_grad_value({ w }, 3.5)
    assert.is_true(w.grad:allclose(rondo.tensor { 3, 3.5 }))
  end)
end)
