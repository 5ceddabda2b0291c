-- initial_spec.lua - initial values by name: options of layers, and rondo.init.
--
-- That a kind has its distribution is tested in tests/base/test_fill.c; here, which parameter gets what.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local function named(layer)
  local list = {}
  for name, p in layer:named_parameters() do
    list[name:gsub("^layer1%.", "")] = p
  end
  return list
end

local function fails(pattern, f, ...)
  assert.matches(pattern, support.failure(f, ...))
end

local function deviation(t)
  return math.sqrt((t * t):mean():item())
end

local function same(a, b)
  return a:allclose(b, { rtol = 0, atol = 0 })
end

describe("initial values by name", function()
  it("make the network of relus and an identity (Le et al. 2015) one option", function()
    local w = rondo.VanillaRNN { 3, 5, activation = "relu", recurrent_init = "identity",
      input_init = { "normal", 0, 0.001 } }:weights()
    local identity = rondo.zeros(5, 5)
    for i = 1, 5 do
      identity:select(1, i):slice(1, i, i):fill(1)
    end
    assert.is_true(same(w.W, identity))
    assert.is_true(w.U:abs():max():item() < 0.01)
    assert.equal(0, w.B:abs():max():item())
  end)
  it("are of all lines of a kind, in every layer and direction", function()
    local layer = rondo.LSTM { 3, 4, num_layers = 2, bidirectional = true, input_init = { "constant", 1 },
      recurrent_init = { "constant", 2 }, bias_init = { "constant", 3 } }
    local want = { x = 1, h = 2, b = 3 }
    local n = 0
    for name, p in layer:named_parameters() do
      assert.is_true(same(p, rondo.full(p:size(), want[name:sub(-1)])), name)
      n = n + 1
    end
    assert.equal(48, n)
    local both = rondo.Bidirectional { rondo.VanillaRNN { 3, 4, recurrent_init = { a = "identity" } } }:weights()
    assert.is_true(same(both.W, both.reverse.W))
  end)
  it("by line leave the others as they are", function()
    local plain = named(rondo.LSTM { 3, 4, seed = 1 })
    local w = named(rondo.LSTM { 3, 4, seed = 1, recurrent_init = { g = "orthogonal" },
      bias_init = { f = { "constant", 3 } } })
    assert.is_true(same(w.f_b, rondo.full({ 4 }, 3)))
    for name, p in pairs(w) do
      assert.equal(name ~= "g_h" and name ~= "f_b", same(p, plain[name]), name)
    end
    local i = w.g_h:matmul(w.g_h:transpose(1, 2))
    assert.is_true(math.abs(i:sum():item() - 4) < 1e-5 and math.abs(i:max():item() - 1) < 1e-5)
  end)
  it("draw what the same seed has drawn", function()
    local function made()
      return named(rondo.GRU { 3, 4, seed = 5, recurrent_init = "orthogonal", bias_init = { "uniform", -1, 1 } })
    end
    local a, b = made(), made()
    for name, p in pairs(a) do
      assert.is_true(same(p, b[name]))
    end
    assert.is_false(same(a.r_h, a.z_h))
  end)
  it("go to the first of two bias vectors, which are only ever added", function()
    local w = named(rondo.GRU { 3, 4, bias = "two", bias_init = { "constant", 1 } })
    assert.equal(1, w.r_bx:mean():item())
    assert.equal(0, w.r_bh:abs():max():item())
    assert.equal(1, w.n_h_bh:mean():item()) -- the only one of its line
  end)
  it("name vectors that are no biases, and matrices of temps", function()
    local w = named(rondo.RNN { 3, 4, cell = "indrnn", recurrent_init = { u = { "constant", 1 } } })
    assert.equal(4, w.u:sum():item())
    assert.equal(4, named(rondo.GRU { 3, 4, reset = "before", recurrent_init = { n = "identity" } }).n_q:sum():item())
  end)
  it("leave constants of a cell alone", function()
    local function of(init)
      return named(rondo.RNN { cell = "lmu", input_size = 3, hidden_size = 4, recurrent_init = init, seed = 1 })
    end
    assert.is_true(same(of().a_m, of("zero").a_m))
    assert.equal(0, of("zero").w_h:abs():max():item())
    fails("names line 'a'; it can name e, u, w", of, { a = "zero" })
  end)
  it("chrono: the forget biases of memories of T steps, the input gate's beside them", function()
    local option = rondo.LSTM { 3, 16, seed = 4, chrono = 50 }:weights()
    local w = rondo.LSTM { 3, 16, seed = 4, bias_init = { f = { "chrono", 50 }, i = { "chrono", 50, -1 } } }:weights()
    assert.same(option.f.B:table(), w.f.B:table())
    assert.same(option.i.B:table(), w.i.B:table())
    assert.is_true(w.f.B:max():item() <= math.log(49) and w.f.B:max():item() > 1 and w.i.B:max():item() <= 0)
  end)
  it("are options of Linear and Embedding", function()
    local linear = rondo.Linear { 300, 200, weight_init = "he_uniform", bias_init = { "constant", 2 } }
    local bound = math.sqrt(6 / 300)
    assert.is_true(linear.weight:max():item() <= bound and linear.weight:max():item() > 0.99 * bound)
    assert.equal(2, linear.bias:mean():item())
    local table_ = rondo.Embedding { 300, 200, weight_init = "glorot_normal" }.weight
    assert.is_true(math.abs(deviation(table_) / math.sqrt(2 / 500) - 1) < 0.02)
    local truncated = rondo.Embedding { 30, 20, weight_init = { "truncated", 0, 0.5 } }.weight
    assert.is_true(truncated:abs():max():item() <= 1)
  end)
  it("fill a tensor with rondo.init", function()
    local p = rondo.parameter(rondo.zeros(3, 3))
    assert.equal(p, rondo.init(p, { "identity", 2 }))
    assert.equal(6, p:sum():item())
    assert.is_true(p.requires_grad)
    rondo.manual_seed(3)
    local a = rondo.init(rondo.zeros(4, 5), "he_normal"):clone()
    rondo.manual_seed(3)
    assert.is_true(same(a, rondo.init(rondo.zeros(4, 5), "he_normal")))
    fails("init: expected, for a tensor that is no matrix, one of chrono", rondo.init, rondo.zeros(3),
      "orthogonal")
    fails("init: expected a tensor and an initialiser, got a number", rondo.init, 3, "zero")
  end)
  it("are not part of a checkpoint's description", function()
    local described = rondo.LSTM { 3, 4, bias_init = "zero" }:describe()
    assert.is_nil(described.bias_init)
  end)
  it("say what was meant", function()
    local function lstm(name, value)
      return rondo.LSTM { input_size = 3, hidden_size = 4, [name] = value }
    end
    fails("'recurrent_init' must be one of constant, .*%(did you mean 'identity'%?%), or { name, numbers }",
      lstm, "recurrent_init", "identiti")
    fails("'bias_init' must be one of chrono, constant, normal, truncated, uniform, zero, or", lstm,
      "bias_init", "orthogonal")
    fails("'input_init' must be one of constant, glorot_normal, .*", lstm, "input_init", { "chrono", 9 })
    fails("must be for line 'f' 'chrono' with two numbers, as in { \"chrono\", 100, 1 }", lstm, "bias_init",
      { f = "chrono" })
    fails("must be 'zero' with nothing behind it", lstm, "input_init", { "zero", 1 })
    fails("must be 'constant' with at most 1 number,", lstm, "input_init", { "constant", 1, 2 })
    fails("must be 'uniform' with at most 2 numbers,", lstm, "input_init", { "uniform", low = 1 })
    fails("must be for line 'f' 'constant' with a number, as in { \"constant\", 1 }", lstm, "bias_init",
      { f = "constant" })
    fails("must be 'uniform' with two numbers, as in", lstm, "input_init", { "uniform", "a" })
    fails("must be an initialiser, or a table of them by line, got 3", lstm, "input_init", 3)
    fails("LSTM: option 'input_init' names line 'q'; it can name f, g, i, o", lstm, "input_init", { q = "zero" })
    fails("names line 'f'; it can name none", function()
      rondo.LSTM { 3, 4, bias = "none", bias_init = { f = "zero" } }
    end)
    fails("'identity' is for matrices, and u is a vector", function()
      rondo.RNN { 3, 4, cell = "indrnn", recurrent_init = { u = "identity" } }
    end)
  end)
end)
