-- functions_spec.lua - rondo.Function: gradients, what it keeps, its errors, and that nothing lives for ever.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local function message(...)
  return tostring(support.failure(...))
end

-- x clipped to [-limit, limit]; gradients pass where it is inside.
local clip = rondo.Function {
  name = "clip",
  forward = function(ctx, x, limit)
    ctx.inside = x:le(limit) * x:ge(-limit)
    return rondo.where(ctx.inside, x, rondo.where(x:ge(0), limit, -limit))
  end,
  backward = function(ctx, dy)
    return dy * ctx.inside, nil
  end,
}

-- a b and a + b.
local both = rondo.Function {
  name = "both",
  forward = function(ctx, a, b)
    ctx.a, ctx.b = a, b
    return a * b, a + b
  end,
  backward = function(ctx, dproduct, dsum)
    return dproduct * ctx.b + dsum, dproduct * ctx.a + dsum
  end,
}

local function parameter(values)
  return rondo.parameter(rondo.tensor(values))
end

local function made(backward, forward)
  return rondo.Function { name = "f", forward = forward or function(_, x) return x * 2 end, backward = backward }
end

describe("rondo.Function", function()
  it("has the gradient that backward gives", function()
    local x = parameter { -2, 0.5, 3 }
    local y = clip(x, 1.0)
    assert.same({ -1, 0.5, 1 }, y:table())
    assert.is_true(y.requires_grad)
    y:backward(rondo.tensor { 1, 2, 3 })
    assert.same({ 0, 2, 0 }, x.grad:table())
    assert.equal("function 'clip'", tostring(clip))
  end)

  it("takes and gives several tensors, and a result without gradient counts as zeros", function()
    local a, b = parameter { 2, 3 }, parameter { 5, 7 }
    local product, sum = both(a, b)
    assert.same({ 10, 21 }, product:table())
    sum:sum():backward()
    assert.same({ 1, 1 }, a.grad:table())
    a:zero_grad()
    product, sum = both(a, b)
    product = product + sum
    product:sum():backward()
    assert.same({ 6, 8 }, a.grad:table())
    local one = both(a, a)
    a:zero_grad()
    one:sum():backward()
    assert.same({ 4, 6 }, a.grad:table()) -- 2 a, of two contributions
  end)

  it("agrees with differences among operations of the tape", function()
    local x = rondo.parameter(rondo.rand(2, 3))
    local worst = rondo.check.gradients(function()
      local p, s = both(x:tanh(), x)
      return (clip(p, 0.9) * s):sum()
    end, { x }).worst
    assert.is_true(worst < (core.real == "double" and 1e-8 or 1e-3))
  end)

  it("may leave an argument without gradient", function()
    local x = parameter { 1, 2 }
    made(function() end)(x):sum():backward()
    assert.same({ 0, 0 }, x.grad:table())
  end)

  it("is played again where the graph stays, and records nothing in no_grad", function()
    local x = parameter { 3 }
    local y = clip(x, 5)
    y:backward { retain_graph = true }
    y:backward()
    assert.same({ 2 }, x.grad:table())
    assert.matches("already played backward", message(y.backward, y))
    assert.is_false(rondo.no_grad(function() return clip(x, 5) end).requires_grad)
    assert.is_false(clip(rondo.ones(2), 5).requires_grad)
  end)

  it("is part of a step of a Lua cell", function()
    rondo.cell { name = "test.clipped", state = { "h" },
      params = function(c) return { a_x = { c.hidden_size, c.input_size }, a_h = { c.hidden_size, c.hidden_size } } end,
      step = function(p, x, s) return { h = clip(rondo.linear(x, p.a_x) + rondo.linear(s.h, p.a_h), 0.5) } end }
    local layer = rondo.RNN { cell = "test.clipped", input_size = 2, hidden_size = 3, bidirectional = true }
    local y = layer(rondo.randn(2, 5, 2), { lengths = { 5, 2 } })
    assert.is_true(y:abs():max():item() <= 0.5)
    y:sum():backward()
    assert.is_true(layer:parameters()[1].grad:norm() > 0)
  end)

  it("is played in a coroutine, and its error leaves it", function()
    local x = parameter { 3 }
    local function play(f)
      return coroutine.wrap(function() f(x):backward() end)
    end
    play(function(t) return clip(t, 5) end)()
    assert.same({ 1 }, x.grad:table())
    assert.matches("not today", message(play(made(function() error "not today" end))))
  end)
end)

describe("what a function keeps", function()
  local function live()
    collectgarbage()
    collectgarbage()
    return core.memory().live_bytes
  end

  it("stays while anything can be played, however little of it is held", function()
    local x = parameter { 1, 2, 3 }
    local lstm = rondo.LSTM { input_size = 3, hidden_size = 2 }
    local function result() -- nothing but the last state is left of the graph
      local f = made(function(ctx, dy) return dy * ctx.y end, function(ctx, t)
        ctx.y = t * 2
        return ctx.y
      end)
      local _, states = lstm:advance(f(x):reshape { 1, 1, 3 })
      return states[2]:select(1, 1):sum()
    end
    local loss = result()
    live()
    loss:backward()
    assert.is_true(x.grad:norm() > 0)
  end)

  it("goes with its graph: 100,000 cycles through tensor, node and function", function()
    local x = parameter { 1 }
    local function rounds(n)
      for _ = 1, n do
        local y
        local f = made(function(_, dy) return dy * y end)
        y = f(x):sum()
      end
      return live(), collectgarbage "count"
    end
    local bytes, kilobytes = rounds(1000)
    local more_bytes, more_kilobytes = rounds(100000)
    assert.equal(bytes, more_bytes)
    assert.is_true(more_kilobytes < kilobytes + 16384) -- tables as they were at the peak; a cycle is 1 KB and more
  end)

  it("goes once it was played, whatever is held of the results", function()
    local x, held = parameter { 1 }, {}
    local function round(k)
      held[k] = clip(clip(x, 5) * rondo.ones(1000), 7):sum()
      held[k]:backward()
    end
    round(1)
    local before = live()
    for k = 2, 100 do
      round(k)
    end
    assert.is_true(live() - before < 100 * 1000)
  end)

  it("may be a chain of any length", function()
    local f, y = made(function(_, dy) return dy end), parameter { 1 }
    for _ = 1, 20000 do
      y = f(y)
    end
    y:backward()
    live()
  end)

  it("must not be written before it is needed", function()
    local x = parameter { 1 }
    local y = both(x, x)
    rondo.no_grad(x.fill, x, 3)
    assert.matches("both: a tensor that its gradient needs was written in place", message(y.backward, y))
  end)
end)

describe("rondo.Function refuses", function()
  local x = parameter { 1, 2 }

  it("unknown options, and anything but functions", function()
    assert.matches("did you mean 'backward'", message(rondo.Function, { name = "f", bakward = print }))
    assert.matches("option 'forward' must be a function, got 1", message(rondo.Function, { name = "f", forward = 1,
      backward = print }))
  end)

  for says, forward in pairs {
    ["function 'f': forward must return a tensor, got nothing"] = function() end,
    ["function 'f': forward must return tensors, got a number as result 2"] = function(_, t) return t, 1 end,
    ["functions_spec.lua:%d+: too small %(in forward of function 'f'%)"] = function() error "too small" end,
    ["function 'f': ctx may hold at most 8 tensors, got 9"] = function(ctx, t)
      for k = 1, 9 do
        ctx[k] = t
      end
      return t
    end,
  } do
    it(says, function()
      assert.matches(says, message(made(print, forward), x))
    end)
  end

  for says, backward in pairs {
    ["function 'f': backward must return a tensor or nil for argument 1, got a number"] = function() return 1 end,
    ["function 'f': backward must return nil for argument 2, which is a string"] = function(_, dy) return dy, dy end,
    ["function 'f': backward returned 3 gradients for 2 arguments"] = function(_, dy) return dy, nil, dy end,
    ["function 'f': the gradient of argument 1 must be %(2%) as the argument, got %(%)"] = function(_, dy)
      return dy:sum()
    end,
    ["functions_spec.lua:%d+: too large %(in backward of function 'f'%)"] = function() error "too large" end,
    ["the backward of function 'f' is running, and gradients of gradients are not computed"] = function()
      x:sum():backward()
    end,
  } do
    it(says, function()
      local y = made(backward)(x, "name"):sum()
      assert.matches(says, message(y.backward, y))
    end)
  end

  it("nothing of an error that is no text: it is raised as it is", function()
    local reason = {}
    local y = made(function() error(reason) end)(x):sum()
    assert.equal(reason, support.failure(y.backward, y))
    assert.matches("pass retain_graph", message(function() -- and the next failure has its own text
      local z = clip(x, 1):sum()
      z:backward()
      z:backward()
    end))
  end)
end)
