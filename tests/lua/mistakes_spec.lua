-- mistakes_spec.lua - what people who know other libraries write first, and what they are told.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local function fails(text, f, ...)
  assert.matches(text, support.failure(f, ...), 1, true)
end

describe("a layer", function()
  it("that is given where a table with it is expected says where the braces go", function()
    local gru = rondo.GRU { 3, 4 }
    fails("Bidirectional: expected a table of options, got a GRU; write Bidirectional { ... } with braces",
      rondo.Bidirectional, gru)
    fails("TimeDistributed { ... } with braces", rondo.TimeDistributed, gru)
    fails("Residual: expected a list of layers, as in Residual { LSTM { ... } }", rondo.Residual, gru)
  end)
  it("takes a table, not a number", function()
    fails("GRU: expected a table of options, got 4", rondo.GRU, 4)
  end)
  it("reads tensors", function()
    fails("GRU: expected a tensor, got a table; rondo.tensor { ... } makes one", rondo.GRU { 3, 4 }, { 1, 2 })
    fails("GRU: expected a tensor, got a nil", rondo.GRU { 3, 4 })
    fails("Sequential: expected a tensor, got a string", rondo.Sequential { rondo.Embedding { 5, 3 } }, "abc")
  end)
  it("leaves what a class of the user's reads to it", function()
    local Sum = rondo.Module "Sum"
    function Sum.forward(_, list) return list[1] + list[2] end
    assert.equal(2, Sum() { rondo.ones(1), rondo.ones(1) }:item())
  end)
  it("says what may stand beside its input", function()
    fails("unknown option 'length' beside the input (did you mean 'lengths'?)", rondo.GRU { 3, 4 },
      rondo.randn(2, 6, 3), { length = { 6, 6 } })
    fails("unknown option 'valid' beside the input; options are lengths, mask, resets", rondo.GRU { 3, 4 },
      rondo.randn(2, 6, 3), { valid = { 6, 6 } })
  end)
  it("takes states as a list", function()
    fails("GRU: states are a list of tensors, as in { h }, got a tensor", rondo.GRU { 3, 4 }, rondo.randn(2, 6, 3),
      rondo.zeros(2, 4))
    local gru = rondo.GRU { 3, 4 }
    fails("step: the state is what the step before returned, or nil, got a tensor", gru.step, gru, rondo.randn(2, 3),
      rondo.zeros(2, 4))
  end)
  it("blames the script where advance() fails", function()
    local gru = rondo.GRU { 3, 4 }
    assert.matches("^tests/lua/mistakes_spec.lua:%d+: GRU: expected state 'h' %(2, 4%), got %(2, 5%)", support.failure(
      function() gru:advance(rondo.randn(2, 6, 3), { rondo.zeros(2, 5) }) end))
  end)
  it("that pools needs steps", function()
    fails("Pool: expected input (batch, time, ...), got (2, 3)", rondo.Pool { "mean" }, rondo.randn(2, 3))
    local model = rondo.Sequential { rondo.GRU { 3, 4 }, rondo.Pool { "mean" } }
    fails("Pool 'layer 2' needs the whole sequence at once: step by step it has none", model.step, model,
      rondo.randn(2, 3))
  end)
  it("is frozen by a pattern that is one", function()
    local gru = rondo.GRU { 3, 4 }
    fails("GRU: expected a Lua pattern of names, got '['", gru.freeze, gru, "[")
    fails("GRU: expected a Lua pattern of names, got a number", gru.freeze, gru, 1)
  end)
end)

describe("a Trainer", function()
  local model = rondo.Sequential { rondo.GRU { 3, 4, return_sequences = false }, rondo.Linear { 2 } }
  local function trainer(given)
    local o = { model = model, loss = rondo.CrossEntropyLoss(), optimizer = rondo.optim.Adam {}, progress = "none" }
    for key, value in pairs(given) do
      o[key] = value
    end
    return rondo.Trainer(o)
  end
  it("wants a loss that was made", function()
    fails("Trainer: loss is what makes one; write loss = rondo.MSELoss()", trainer, { loss = rondo.MSELoss })
    fails("Trainer: loss must be like rondo.CrossEntropyLoss(), or a function, got a string", trainer, { loss = "mse" })
    assert.is_truthy(trainer { loss = function() end })
  end)
  it("wants a list of callbacks that were made", function()
    fails("Trainer: callbacks are a list, as in callbacks = { rondo.callbacks.EarlyStopping {} }", trainer,
      { callbacks = rondo.callbacks.EarlyStopping {} })
    fails("Trainer: callback 1 must be like rondo.callbacks.EarlyStopping {}, or a table of methods, got a function",
      trainer, { callbacks = { rondo.callbacks.EarlyStopping } })
  end)
  it("says what it was given for batches", function()
    local t = trainer {}
    fails("or a list of { x, y }, got a list that begins with a tensor", t.fit, t, { rondo.randn(3, 3) })
    fails("or a list of { x, y }, got an empty table", t.fit, t, {})
  end)
end)

describe("an optimizer", function()
  it("needs no options beside parameters", function()
    local model = rondo.GRU { 3, 4 }
    assert.equal(0.001, rondo.optim.Adam(model).lr)
    assert.equal(0.001, rondo.optim.Adam(model:parameters()).lr)
  end)
end)

describe("a text", function()
  local tok = rondo.data.Tokenizer { level = "char" }:fit { "abc" }
  it("is written with as many logits as there are symbols", function()
    local model = rondo.Sequential { rondo.OneHot { 3 }, rondo.GRU { 4 }, rondo.Linear { 5 } }
    model.vocab = tok.vocab
    fails("Sequential: its output has 5 numbers for the 3 symbols of its vocabulary", model:generate { seed = 1 })
  end)
  it("to fit on is UTF-8, and the message names it", function()
    assert.matches("mistakes_spec.lua:%d+: fit: entry 2: the text is not UTF%-8: byte 0xFF at offset 1",
      support.failure(function() rondo.data.Tokenizer { level = "char" }:fit { "a", "a\xFF" } end))
  end)
  it("is a list where all of a list are encoded", function()
    fails("Tokenizer: expected a list of strings, got a string", tok.encode_all, tok, "abc")
  end)
  it("has no ids but its own, and the script is blamed", function()
    assert.matches("mistakes_spec.lua:%d+: an id of this vocabulary is an integer 0..3, got 9", support.failure(
      function() tok:decode { 1, 9 } end))
    local tags = rondo.data.Vocab.from { { "O", "B" } }
    assert.matches("mistakes_spec.lua:%d+: an id of this vocabulary is an integer 0..2, got 9", support.failure(
      function() tags:decode { 9 } end))
    assert.matches("mistakes_spec.lua:%d+: vocabulary: no symbol occurs min_count %(2%) times", support.failure(
      function() rondo.data.Tokenizer { level = "word", min_count = 2 }:fit { "a b" } end))
  end)
end)

describe("a file", function()
  local folder
  setup(function() folder = support.folder() end)
  teardown(function() support.remove(folder) end)
  it("whose header has a column of another name is not read as one without", function()
    local path = support.write(folder .. "/a.csv", "label,text\ngood,a\nbad,b\n")
    local t, message = rondo.data.Table.open(path, { columns = { "label", "txt" } })
    assert.is_nil(t)
    assert.equal(path .. ": the first row has the name 'label', but no 'txt' (did you mean 'text'?); "
      .. "with header = false it is one of data", message)
    assert.equal(3, #assert(rondo.data.Table.open(path, { columns = { "label", "txt" }, header = false })).label)
    assert.equal(2, #assert(rondo.data.Table.open(path, { columns = { "text" } })).text)
  end)
  it("of tags has one beside each word", function()
    local path = support.write(folder .. "/a.conll", "-DOCSTART-\n\nJohn B-PER\nlives\n")
    local d, message = rondo.data.Conll.open(path)
    assert.is_nil(d)
    assert.equal(path .. ": line 4: column 1 would be the word and its tag; it has 1 column", message)
    assert.equal(2, #assert(rondo.data.Conll.open(path, { word = 1, tag = 1 })).words[1])
  end)
end)

describe("an initialiser", function()
  it("of matrices does not fit a vector", function()
    fails("init: expected, for a tensor that is no matrix, one of ",
      rondo.init, rondo.zeros(3), "orthogonal")
  end)
end)
