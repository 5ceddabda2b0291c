-- layers_spec.lua - modules and layers: registration, sizes, summary, options, errors on the user's line.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local function names_of(model)
  local names = {}
  for name in model:named_parameters() do
    names[#names + 1] = name
  end
  return names
end

describe("Sequential", function()
  it("infers sizes from the first layer on", function()
    local model = rondo.Sequential { rondo.Embedding { 7, 3 }, rondo.GRU { hidden_size = 4 }, rondo.Linear { 7 } }
    assert.same({ 2, 5, 7 }, model(rondo.ones(2, 5)):size())
    assert.equal(7 * 3 + 3 * 4 * (3 + 4 + 1) + 4 * 7 + 7, model:parameter_count())
  end)
  it("names parameters by layer, stack and line", function()
    local model = rondo.Sequential { rondo.LSTM { 2, 3, num_layers = 2 }, rondo.Linear { 1 } }
    local names = names_of(model)
    assert.equal("1.layer1.i_x", names[1])
    assert.equal("1.layer2.o_b", names[24])
    assert.equal("2.weight", names[25])
    assert.equal("2.bias", names[26])
  end)
  it("knows no width behind a class of a script, inside another Sequential neither", function()
    local Wider = rondo.Module "Wider"
    function Wider.forward(_, x) return rondo.concat({ x, x }, -1) end
    for _, layer in ipairs { Wider(), rondo.Sequential { Wider() }, rondo.TimeDistributed { Wider() } } do
      local model = rondo.Sequential { rondo.Linear { 2, 3 }, layer, rondo.Dropout { 0 }, rondo.Linear { 5 } }
      assert.same({ 1, 4, 5 }, model(rondo.ones(1, 4, 2)):size())
    end
  end)
  it("waits for the first call where no size is given", function()
    local model = rondo.Sequential { rondo.Linear { 4 }, rondo.Linear { 2 } }
    assert.matches("its input size is not known yet", support.failure(model.parameters, model))
    assert.same({ 3, 2 }, model(rondo.ones(3, 5)):size())
    assert.equal(5 * 4 + 4 + 4 * 2 + 2, model:parameter_count())
  end)
  it("has the published numbers of parameters", function()
    local function count(model)
      local n = 0
      for _, p in model:named_parameters() do
        n = n + p:numel()
      end
      return n
    end
    local function char_rnn(bias)
      return count(rondo.Sequential { rondo.OneHot { 65 },
        rondo.LSTM { hidden_size = 128, num_layers = 2, bias = bias }, rondo.Linear { 65 } })
    end
    assert.equal(240321, char_rnn "two") -- char-rnn's own count (Karpathy 2015); one vector a line: 1,024 fewer
    assert.equal(239297, char_rnn "one")
    local function tutorial(bias) -- TensorFlow's text generation tutorial counts 4,018,497
      return count(rondo.Sequential { rondo.Embedding { 65, 256 }, rondo.GRU { hidden_size = 1024, bias = bias },
        rondo.Linear { 65 } })
    end
    assert.equal(4018497, tutorial "one")
    assert.equal(4021569, tutorial "two")
  end)
  it("ties a Linear to an Embedding: one matrix, and the gradients of both uses", function()
    local tied = rondo.Sequential { rondo.Embedding { 5, 3 }, rondo.Linear { 5, tied_to = 1, bias = false } }
    assert.equal(1, #tied:parameters())
    local w, ids = tied[1].weight, rondo.tensor { { 2, 5, 2 } }
    assert.is_true(tied(ids):allclose(rondo.linear(rondo.embedding(ids, w), w), { rtol = 0, atol = 0 }))
    assert.is_true(rondo.check.gradients(function() return (tied(ids):tanh()):sum() end, { w }).worst < 1e-2)
    local path = os.tmpname()
    assert(rondo.save(path, { model = tied }))
    local again = assert(rondo.load(path)).model
    assert.equal(1, #again:parameters())
    assert.is_true(again(ids):allclose(tied(ids), { rtol = 0, atol = 0 }))
    os.remove(path)
  end)
  it("says what cannot be tied", function()
    local function fails(pattern, ...)
      local ok, message = pcall(rondo.Sequential, { ... })
      assert.is_false(ok)
      assert.matches(pattern, message)
    end
    local linear = function(...) return rondo.Linear { ..., tied_to = 1 } end
    fails("tied_to = 1 is a OneHot, expected an Embedding", rondo.OneHot { 5 }, linear(5))
    fails("tied to 5 embeddings, out_features must be 5, got 4", rondo.Embedding { 5, 3 }, linear(4))
    fails("tied to embeddings of 3 features, in_features must be 3, got 2", rondo.Embedding { 5, 3 },
      rondo.Linear { 2, 5, tied_to = 1 })
    fails("tied_to must be the position of a layer before it, 1..1, got 2", rondo.Embedding { 5, 3 },
      rondo.Linear { 5, tied_to = 2 })
    fails("in_features is 3, but its input has 4 features", rondo.Embedding { 5, 3 }, rondo.GRU { hidden_size = 4 },
      linear(5))
    local ok, message = pcall(rondo.Linear { 5, tied_to = 1 }, rondo.zeros(1, 3))
    assert.is_false(ok)
    assert.matches("tied_to names a layer of the same Sequential; this one is in none", message)
  end)
  it("prints layer, shape and parameters", function()
    local text = tostring(rondo.Sequential { rondo.OneHot { 9 }, rondo.VanillaRNN { 4, num_layers = 2 },
      rondo.Linear { 9 } })
    assert.matches("OneHot 'layer 1' +%(batch, time, 9%) +0\n", text)
    assert.matches("VanillaRNN 'layer 2' x 2 +%(batch, time, 4%) +92\n", text)
    assert.matches("Linear 'layer 3' +%(batch, time, 9%) +45\n", text)
    assert.matches("Parameters: 137$", text)
  end)
  it("says what a layer expected, with its place", function()
    local model = rondo.Sequential { rondo.LSTM { input_size = 64, hidden_size = 8 } }
    local message = support.failure(function() model(rondo.zeros(2, 3, 5)) end)
    assert.matches("^tests/lua/layers_spec.lua:%d+: LSTM 'layer 1': expected input", message)
    assert.matches("expected input %(batch, time, 64%), got %(2, 3, 5%)$", message)
  end)
  it("is closed by the end of its block", function()
    local kept
    do
      local model <close> = rondo.Sequential { rondo.Linear { 2, 3 } }
      kept = model
    end
    assert.matches("Sequential is closed", support.failure(kept, rondo.zeros(1, 2)))
    kept:close()
  end)
end)

describe("recurrent layers", function()
  it("give the last output without return_sequences", function()
    local x = rondo.rand(2, 4, 3)
    local all = rondo.GRU { 3, 5, seed = 3 }
    local last = rondo.GRU { 3, 5, seed = 3, return_sequences = false }
    assert.is_true(last(x):allclose(all(x):select(2, -1), { rtol = 0, atol = 0 }))
  end)
  it("carry state: two halves are the whole", function()
    local x = rondo.rand(2, 6, 3)
    local rnn = rondo.LSTM { 3, 5, num_layers = 2, return_state = true }
    local whole = rnn(x)
    local a, state = rnn(x:slice(2, 1, 3))
    local b = rnn(x:slice(2, 4, 6), state)
    assert.equal(4, #state)
    assert.is_true(rondo.concat({ a, b }, 2):allclose(whole, { rtol = 0, atol = 0 }))
  end)
  it("have the vectors that bias asks for", function()
    local count = function(bias) return rondo.LSTM { 3, 5, bias = bias }:parameter_count() end
    assert.equal(4 * 5 * 8, count "none")
    assert.equal(4 * 5 * 9, count "one")
    assert.equal(4 * 5 * 10, count "two")
  end)
  it("with the same seed have the same initial values", function()
    local a, b = rondo.LSTM { 3, 5, seed = 9 }, rondo.RNN { cell = "lstm", input_size = 3, hidden_size = 5, seed = 9 }
    local x = rondo.rand(1, 2, 3)
    assert.is_true(a(x):allclose(b(x), { rtol = 0, atol = 0 }))
  end)
  it("name the nearest option", function()
    local message = support.failure(function() local _ = rondo.LSTM { hiden_size = 3 } end)
    assert.matches("^tests/lua/layers_spec.lua:%d+: LSTM: unknown option 'hiden_size'", message)
    assert.matches("did you mean 'hidden_size'%?%)$", message)
    assert.matches("'forget_bais' %(did you mean 'forget_bias'%?%)",
      support.failure(rondo.LSTM, { 3, 3, forget_bais = 1 }))
  end)
  it("check the kind and the range of an option", function()
    assert.matches("LSTM: option 'hidden_size' must be an integer 1..65536, got 3.5",
      support.failure(rondo.LSTM, { hidden_size = 3.5 }))
    assert.matches("LSTM: option 'hidden_size' must be 1..65536, got 0", support.failure(rondo.LSTM, { 0 }))
    assert.matches("LSTM: option 'forget_bias' must be %-10..10, got 11",
      support.failure(rondo.LSTM, { 4, forget_bias = 11 }))
    assert.matches('VanillaRNN: option \'activation\' must be one of .* %(did you mean "tanh"%?%), got "tanj"',
      support.failure(rondo.VanillaRNN, { 4, activation = "tanj" }))
    assert.matches("LSTM: option 'hidden_size' is required", support.failure(rondo.LSTM, {}))
  end)
  it("name the nearest cell", function()
    assert.matches("lstm", support.failure(rondo.RNN, { cell = "lsmt", hidden_size = 3 }))
  end)
end)

describe("dropout", function()
  it("does nothing in evaluation, and scales what it leaves", function()
    local layer, x = rondo.Dropout { 0.5 }, rondo.ones(4, 50)
    assert.is_true(rawequal(layer:eval()(x), x))
    local y = layer:train()(x)
    local sum = 0
    for _, row in ipairs(y:table()) do
      for _, value in ipairs(row) do
        assert.is_true(value == 0 or value == 2)
        sum = sum + value
      end
    end
    assert.is_true(sum > 100 and sum < 300)
  end)
  it("variational has the same zeros at every step", function()
    local y = rondo.Dropout { 0.5, variational = true }(rondo.ones(2, 3, 50))
    for t = 2, 3 do
      assert.same(y:select(2, 1):table(), y:select(2, t):table())
    end
    assert.is_true(y:sum():item() > 100 and y:sum():item() < 500)
  end)
end)

describe("rondo.Module", function()
  it("registers what is assigned, in order", function()
    local Net = rondo.Module "Net"
    function Net:init(n)
      self.scale = rondo.parameter(rondo.ones(n))
      self.body = rondo.Linear { n, 2 }
      self.note = "not a parameter"
    end
    function Net:forward(x) return self.body(x * self.scale) end
    local net = Net(3)
    assert.same({ "scale", "body.weight", "body.bias" }, names_of(net))
    net(rondo.ones(1, 3)):sum():backward()
    assert.same({ 3 }, net.scale.grad:size())
  end)
  it("sets the mode of its children", function()
    local model = rondo.Sequential { rondo.Dropout { 0.5 } }
    model:eval()
    assert.is_false(model[1].training)
    model:train()
    assert.is_true(model[1].training)
  end)
end)

describe("no_grad", function()
  it("comes back from an error", function()
    local w = rondo.parameter(rondo.ones(2))
    assert.matches("oops", support.failure(rondo.no_grad, function() error "oops" end))
    assert.is_true((w * 2).requires_grad)
    assert.is_false(rondo.no_grad(function() return (w * 2).requires_grad end))
  end)
end)

describe("seeds", function()
  it("repeat numbers and models", function()
    local draw = function()
      rondo.manual_seed(5)
      local weight = rondo.Linear { 2, 2 }.weight:table()
      return rondo.rand(3):table(), rondo.random(), rondo.random(10), weight, math.random()
    end
    assert.same({ draw() }, { draw() })
  end)
end)

it("misuse of the library names the function a script knows", function()
  local message = support.failure(function() rondo.zeros("x") end)
  assert.equal("bad argument #1 to 'rondo.zeros' (size of dimension 1 must be an integer >= 0, got x)",
    (message:gsub("^[^:]+:%d+: ", "")))
end)
