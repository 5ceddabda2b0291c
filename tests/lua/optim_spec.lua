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

describe("groups of parameters", function()
  local function model()
    return rondo.Sequential { rondo.Linear { 2, 2, seed = 1 }, rondo.Linear { 2, 1, seed = 2 } }
  end
  -- The parameters after one step from ones, with gradient 1 everywhere.
  local function stepped(make)
    local m = model()
    rondo.no_grad(function()
      for _, p in m:named_parameters() do p:fill(1) end
    end)
    local opt, after = make(m), {}
    for _, p in ipairs(m:parameters()) do p:sum():backward() end
    opt:step()
    for name, p in m:named_parameters() do
      after[name] = p:reshape(p:numel())[{ 1 }]
    end
    return after, opt
  end
  local near = function(want, got) assert.is_true(math.abs(want - got) < 1e-6, want .. " " .. got) end
  it("have rates and decays of their own, by name", function()
    local after, opt = stepped(function(m)
      return rondo.optim.SGD(m, { lr = 0.1, weight_decay = 0.5, groups = { { match = "bias", weight_decay = 0 },
        { match = { "^2%.", "^3%." }, lr_factor = 2 } } })
    end)
    near(1 - 0.1 * 1.5, after["1.weight"])
    near(1 - 0.1, after["1.bias"])
    near(1 - 0.2 * 1.5, after["2.weight"])
    near(1 - 0.1, after["2.bias"]) -- the first group that fits
    assert.same({ "1.bias", "2.bias" }, opt:describe().groups[1].of)
  end)
  it("may be lists of parameters, or be told by their dimensions", function()
    local after = stepped(function(m)
      return rondo.optim.SGD(m:parameters(), { lr = 0.1, groups = {
        { parameters = { m:parameters()[1] }, lr_factor = 3 }, { ndim = 1, lr_factor = 0 } } })
    end)
    near(0.7, after["1.weight"])
    near(1, after["2.bias"])
    near(0.9, after["2.weight"])
  end)
  it("that are mistaken are named", function()
    local function fails(expected, groups, list)
      assert.matches(expected, support.failure(function()
        return rondo.optim.SGD(list and model():parameters() or model(), { groups = groups })
      end))
    end
    fails("SGD: group 1 %(match 'gain'%) has no parameter; they are 1.weight, 1.bias", { { match = "gain" } })
    fails("SGD: group 1: say which parameters", { { lr_factor = 2 } })
    fails("SGD: group 1: match must be a Lua pattern .*malformed", { { match = "[" } })
    fails("SGD: group 2: unknown option 'weight_decai' %(did you mean 'weight_decay'%?%)",
      { { ndim = 1 }, { ndim = 2, weight_decai = 0 } })
    fails("groups by name need the names: optim.SGD%(model, { ... }%)", { { match = "bias" } }, true)
  end)
end)

describe("frozen parameters", function()
  it("get no gradient, are left alone, and come back", function()
    local m = rondo.Sequential { rondo.Linear { 2, 3, seed = 1 }, rondo.Linear { 3, 1, seed = 2 } }
    local opt = rondo.optim.AdamW(m, { lr = 0.1, weight_decay = 0.5 })
    local function step()
      opt:zero_grad()
      m(rondo.ones(4, 2)):sum():backward()
      opt:step()
    end
    local first, last = m[1]:parameters()[1], m[2]:parameters()[1]
    step()
    local before = { first:table(), last:table() }
    assert.equal(m[1], m[1]:freeze())
    assert.is_false(first.requires_grad)
    step()
    assert.same(before[1], first:table())
    assert.not_same(before[2], last:table())
    m:unfreeze()
    step()
    assert.not_same(before[1], first:table())
  end)
  it("may be chosen by a pattern", function()
    local m = rondo.Sequential { rondo.Linear { 2, 3 }, rondo.Linear { 3, 1 } }
    m:freeze "bias$"
    for name, p in m:named_parameters() do
      assert.equal(name:find "bias" == nil, p.requires_grad)
    end
    assert.matches("Sequential: no parameter matches 'gain'", support.failure(m.freeze, m, "gain"))
  end)
  it("may be a recurrent layer", function()
    local m = rondo.Sequential { rondo.LSTM { input_size = 2, hidden_size = 3 }, rondo.Linear { 1 } }
    m[1]:freeze()
    m(rondo.ones(2, 4, 2)):sum():backward()
    assert.is_nil(m[1]:parameters()[1].grad)
    assert.is_not_nil(m[2]:parameters()[1].grad)
  end)
end)

describe("averaged SGD", function()
  local function run(options)
    local w = rondo.parameter(rondo.zeros(1))
    options.lr = 1
    local opt = rondo.optim.ASGD({ w }, options)
    return w, opt, function(slope)
      opt:zero_grad();
      (w * slope):sum():backward()
      opt:step()
    end
  end
  it("averages the iterates from where it is told on", function()
    local w, opt, step = run { average_from = 2 }
    for _, slope in ipairs { -1, -1, -1, -3 } do step(slope) end -- 1, 2, 3, 6
    assert.equal(6, w:item())
    assert.is_true(math.abs(opt:with_average(function() return w:item() end) - 11 / 3) < 1e-6)
    assert.equal(6, w:item())
    assert.matches("oops", support.failure(opt.with_average, opt, function() error "oops" end))
    assert.equal(6, w:item())
  end)
  it("begins when the loss is worse than one that is long past", function()
    local w, opt, step = run { nonmono = 2 }
    step(-1)
    for _, loss in ipairs { 3, 2, 2.5, 2.6 } do
      assert.is_false(opt:validated(loss)) -- none is worse than what came three or more before
    end
    assert.is_true(opt:validated(2.4)) -- 3, 2 | 2.5, 2.6
    step(-2)
    assert.is_true(math.abs(opt:with_average(function() return w:item() end) - 2) < 1e-6) -- of 1 and 3
    assert.is_false(opt:validated(9))
  end)
  it("is not what other optimizers do", function()
    local opt = rondo.optim.SGD({ rondo.parameter(rondo.zeros(1)) }, {})
    assert.matches("SGD keeps no average", support.failure(opt.start_average, opt))
    assert.equal(7, opt:with_average(function() return 7 end))
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
  it("goes up and down in one cycle", function()
    local list = rates(function(opt)
      return rondo.optim.OneCycleLR(opt, { total_steps = 10, max_lr = 2, div_factor = 4, final_div_factor = 10 })
    end, 11)
    assert.same({ 0.5, 2, 0.05, 0.05 }, { list[1], list[3], list[10], list[11] })
    assert.is_true(math.abs(list[2] - 1.25) < 1e-12)
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
