-- core_learn_spec.lua - recurrent layers, losses, optimizers, schedules and the gradient check of rondo.core.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
core.open {}

local function raises(expected, f, ...)
  local ok, text = pcall(f, ...)
  assert.is_false(ok)
  assert.matches(expected, text)
end

local function lstm(options)
  local config = { cell = "lstm", input_size = 2, hidden_size = 3, seed = 1 }
  for name, value in pairs(options or {}) do
    config[name] = value
  end
  return core.rnn(config)
end

describe("a recurrent layer", function()
  it("lists parameters, states, options and cell", function()
    local r = lstm()
    local names = {}
    for _, entry in ipairs(r:parameters()) do
      names[entry[1]] = entry[2]
    end
    assert.same({ 3, 2 }, names.i_x:size())
    assert.same({ 3, 3 }, names.f_h:size())
    assert.same({ 3 }, names.o_b:size())
    assert.same({ { "h", 3 }, { "c", 3 } }, r:states())
    assert.equal(3, r:output_size())
    assert.equal("table", type(r:options()))
    local name, revision = r:cell()
    assert.equal("lstm", name)
    assert.equal("integer", math.type(revision))
    assert.equal("Rnn (lstm, 3)", tostring(r))
  end)
  it("says which states stop gradients and which do not start at zero", function()
    local states = core.rnn({ cell = "slstm", input_size = 2, hidden_size = 3 }):states()
    assert.same({ "m", 3, stops = true, first = -1e30 }, states[4])
    assert.same({ "n", 3 }, states[3])
  end)
  it("has the same parameter objects whenever asked", function()
    local r = lstm()
    assert.equal(r:parameters()[1][2], r:parameters()[1][2])
  end)
  it("takes options of the cell", function()
    local r = core.rnn { cell = "vanilla", input_size = 1, hidden_size = 2, options = { activation = "relu" } }
    assert.equal("relu", r:options().activation)
    assert.equal(2, #lstm({ bias = 0 }):states())
    assert.is_true(#lstm({ bias = 2 }):parameters() > #lstm({ bias = 1 }):parameters())
  end)
  it("goes forward over a sequence, from given states", function()
    local r = lstm()
    local x = core.zeros { 4, 5, 2 }
    x:fill_uniform(-1, 1, { seed = 7 })
    local y, states = r:forward(x)
    assert.same({ 4, 5, 3 }, y:size())
    assert.equal("sequence", y.order)
    assert.same({ 4, 3 }, states[2]:size())
    assert.same(y:select(2, 5):table(), states[1]:table())
    local first, between = r:forward(x:slice(2, 1, 2))
    local rest = r:forward(x:slice(2, 3, 5), between)
    assert.same(y:table(), core.concat({ first, rest }, 2):table())
  end)
  it("brings gradients to its parameters", function()
    local r = lstm()
    local y = r:forward(core.full({ 1, 3, 2 }, 0.5))
    y:sum():backward()
    for _, entry in ipairs(r:parameters()) do
      assert.is_true(entry[2].grad:is_finite(), entry[1])
    end
  end)
  it("refuses what it cannot be", function()
    raises("field 'cell' must be the name of a cell, got nil", core.rnn, { input_size = 1, hidden_size = 1 })
    raises("lstm", core.rnn, { cell = "lsmt", input_size = 1, hidden_size = 1 })
    raises("field 'bias' must be an integer 0..2, got 3", lstm, { bias = 3 })
    raises("field 'hidden_size' must be an integer", lstm, { hidden_size = -1 })
    raises("hidden_sizes", lstm, { options = { hidden_sizes = 3 } })
    raises("LSTM 'a': option 'x' must be a number, a boolean or a string, got a table", lstm,
      { label = "LSTM 'a'", options = { x = {} } })
    raises("an option's name must be a string, got 1", lstm, { options = { 3 } })
  end)
  it("refuses states that do not fit", function()
    local r, x = lstm(), core.zeros { 1, 1, 2 }
    raises("lstm has 2 states, got a list of 1", function() r:forward(x, { core.zeros { 1, 3 } }) end)
    raises("state 'c' must be a tensor, got a number", function() r:forward(x, { core.zeros { 1, 3 }, 1 }) end)
    raises("the stack has 4 states, got a list of 1",
      function() core.run_layers({ r, lstm() }, x, { x }, { {}, {} }, true) end)
    raises("a list of layers", function() core.run_layers({}, x, nil, {}) end)
  end)
  it("raises once it is closed", function()
    local r = lstm()
    r:close()
    r:close()
    raises("closed recurrent layer", function() r:states() end)
    assert.equal("Rnn (closed)", tostring(r))
  end)
end)

describe("losses", function()
  it("cross_entropy gives loss, sum and count; id 0 is left out", function()
    local loss, sum, count = core.cross_entropy(core.zeros { 2, 4 }, core.tensor { 1, 0 })
    assert.near(math.log(4), loss:item(), 1e-6)
    assert.near(math.log(4), sum, 1e-6)
    assert.equal(1, count)
  end)
  it("reduce by mean, sum or batch", function()
    local y, target = core.tensor { { 1, 2 }, { 3, 5 } }, core.zeros { 2, 2 }
    local mean, sum, count = core.mse(y, target, "mean")
    assert.equal(39 / 4, mean:item())
    assert.equal(39, sum)
    assert.equal(4, count)
    assert.equal(39, core.mse(y, target, "sum"):item())
    raises("mean, sum or batch expected, got 'average'", core.mse, y, target, "average")
  end)
end)

describe("clipping", function()
  local function with_gradient(values)
    local p = core.zeros { #values }
    p.requires_grad = true
    p:backward(core.tensor(values))
    return p
  end
  it("by the norm of all gradients", function()
    local p, q = with_gradient { 3 }, with_gradient { 4 }
    local norm, bad = core.clip_grad_norm({ p, q }, 1)
    assert.equal(5, norm)
    assert.is_nil(bad)
    assert.near(0.6, p.grad:item(), 1e-6)
  end)
  it("names the gradient that is not finite", function()
    local _, bad = core.clip_grad_norm({ with_gradient { 1 }, with_gradient { 1 / 0 } }, 1)
    assert.equal(2, bad)
  end)
  it("by another norm", function()
    local p = with_gradient { 3, -4 }
    assert.equal(7, core.clip_grad_norm({ p }, 0, 1))
    assert.equal(4, core.clip_grad_norm({ p }, 0, math.huge))
    raises("the type of norm must be 1, 2 or math.huge", core.clip_grad_norm, { p }, 1, 3)
  end)
  it("by value", function()
    local p = with_gradient { 3, -4, 0.5 }
    core.clip_grad_value({ p }, 1)
    assert.same({ 1, -1, 0.5 }, p.grad:table())
    raises("entry 1 must be a tensor, got number", core.clip_grad_value, { 1 }, 1)
  end)
end)

describe("an optimizer", function()
  it("steps and keeps its state", function()
    local p = core.tensor { 1 }
    p.requires_grad = true
    local o = core.optimizer("sgd", { lr = 0.5, momentum = 0.9 }, { p })
    for _ = 1, 2 do
      p:zero_grad()
      local loss = (p * 2):sum()
      loss:backward()
      o:step()
    end
    assert.near(1 - 0.5 * 2 - 0.5 * (0.9 * 2 + 2), p:item(), 1e-6)
    assert.equal(2, o:updates())
    local slot = o:slots()[1]
    assert.equal(1, slot.parameter)
    assert.equal("string", type(slot.name))
    assert.near(3.8, slot.tensor:item(), 1e-6)
    assert.equal(0.5, o:lr())
    assert.equal(0.25, o:lr(0.25))
    assert.equal(2, o:scalars().updates)
    o:set_scalar("updates", 7)
    assert.equal(7, o:updates())
  end)
  it("tells its kinds and options", function()
    assert.is_truthy(table.concat(core.optimizer_kinds(), " "):find "adamw")
    local lr = core.optimizer_options("adam")[1]
    assert.equal("lr", lr.name)
    assert.equal("real", lr.kind)
    raises("no optimizer 'adamm'", core.optimizer_options, "adamm")
  end)
  it("refuses unknown kinds, options, scalars and parameters", function()
    local p = core.tensor { 1 }
    p.requires_grad = true
    raises("adam", core.optimizer, "adamm", {}, { p })
    raises("momentum", core.optimizer, "sgd", { momentun = 1 }, { p })
    raises("this optimizer has no scalar 'x'", function() core.optimizer("sgd", {}, { p }):set_scalar("x", 1) end)
    raises("entry 2 must be a tensor, got number", core.optimizer, "sgd", {}, { p, 1 })
  end)
  it("has groups of parameters", function()
    local p = core.tensor { 1 }
    p.requires_grad = true
    local o = core.optimizer("sgd", { lr = 0.5 }, { p })
    o:group(1, 0.5, 1)
    p:sum():backward()
    o:step()
    assert.equal(1 - 0.25 * (1 + 1), p:item())
    raises("there is no parameter of this number", function() o:group(2, 1, 0) end)
    raises("sgd: a group's 'lr_factor' must be 0..1000000, got %-1", function() o:group(1, -1, 0) end)
  end)
  it("raises once it is closed", function()
    local p = core.tensor { 1 }
    p.requires_grad = true
    local o = core.optimizer("adam", nil, { p })
    o:close()
    raises("closed optimizer", function() o:step() end)
  end)
end)

describe("an average", function()
  it("follows parameters and changes places with them", function()
    local p = core.tensor { 8 }
    local a = core.average { p }
    a:update(1)
    p:fill(0)
    a:update(0.25)
    a:exchange()
    assert.same({ 6, 0 }, { p:item(), a:tensors()[1]:item() })
    raises("the weight must be 0..1", function() a:update(2) end)
    raises("entry 1 must be a tensor, got number", core.average, { 1 })
    a:close()
    raises("closed average", function() a:exchange() end)
  end)
end)

describe("counts of a classifier", function()
  local y, ids = core.tensor { { 3, 1 }, { 3, 1 }, { 1, 3 } }, core.tensor { 1, 2, 0 }
  it("are of hits and of classes", function()
    assert.same({ 1, 2 }, { core.count_hits(y, ids) })
    assert.same({ 2, 2 }, { core.count_hits(y, ids, 2) })
    local counts = { right = {}, guessed = {}, wanted = { 5 } }
    core.count_classes(y, ids, counts)
    assert.same({ right = { 1 }, guessed = { 2 }, wanted = { 6, 1 } }, counts)
  end)
  it("refuse what they cannot count", function()
    raises("k must be at least 1", core.count_hits, y, ids, 0)
    raises("it lacks the list 'guessed'", core.count_classes, y, ids, { right = {} })
    raises("expected logits %(..., classes%) and ids %(...%), got %(3%) and %(3%)", core.count_hits, ids, ids)
  end)
end)

describe("a schedule", function()
  it("is a function of the number of the update", function()
    assert.equal(0.1, core.schedule({ kind = "constant", base_lr = 0.1 }, 5))
    assert.near(0.025, core.schedule({ kind = "step", base_lr = 0.1, gamma = 0.5, step_size = 10 }, 20), 1e-12)
    local cosine = { kind = "cosine", base_lr = 1, total_steps = 100, warmup_steps = 10 }
    assert.near(0.1, core.schedule(cosine, 0), 1e-12)
    assert.is_true(core.schedule(cosine, 99) < 0.01)
    raises("field 'kind' must be constant, exponential, step, cosine or one_cycle, got linear",
      core.schedule, { kind = "linear" }, 0)
    raises("must not be negative", core.schedule, { kind = "constant" }, -1)
  end)
end)

describe("the gradient check", function()
  it("finds a right gradient right", function()
    local p = core.tensor { 0.5, -0.25 }
    p.requires_grad = true
    local report = core.check_gradients(function() return (p * p * p):sum() end, { p })
    assert.is_true(report.worst < (core.real == "double" and 1e-8 or 1e-2))
    assert.is_true(report.tensor == 1 and report.element >= 1)
    assert.near(report.analytic, report.numeric, 1e-2)
  end)
  it("passes on the function's error", function()
    local p = core.tensor { 1 }
    p.requires_grad = true
    raises("broken", core.check_gradients, function() error "broken" end, { p })
    local reason = {}
    local _, raised = pcall(core.check_gradients, function() error(reason) end, { p })
    assert.equal(reason, raised)
    raises("f must return a tensor of one element, got a nil", core.check_gradients, function() end, { p })
    raises("function expected", core.check_gradients, 1, { p })
  end)
end)
