-- arguments_spec.lua - arguments that nobody meant: a sentence, and nothing that is in use is taken away.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local core = require "rondo.native"
local support = dofile "tests/lua/support.lua"

local function says(pattern, f, ...)
  assert.matches(pattern, tostring(support.failure(f, ...)))
end

describe("objects that are closed while a call works with them", function()
  it("are kept by check.gradients", function()
    local p = rondo.parameter(rondo.rand(3))
    local q = rondo.parameter(rondo.rand(3))
    local report = rondo.check.gradients(function()
      p:close()
      core.trim()
      return (q * q):sum()
    end, { p })
    assert.equal(0, report.analytic)
  end)
  it("are not closed by metamethods of a table of options, which nobody calls", function()
    local t, asked = rondo.rand(4), false
    t:fill_init(setmetatable({ kind = "zero" }, { __index = function()
      asked = true
      t:close()
    end }), { seed = 1 })
    assert.is_false(asked)
    assert.equal(0, t:sum():item())
  end)
  it("are missed by windows of columns that are closed", function()
    local columns = core.numbers(10, 2, {})
    for k = 1, 2 do
      columns:set(k, 1, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 })
    end
    local windows = core.windows(columns, { input = 2, steps = 2, horizon = 1, layouts = { { features = {
      { column = 1 } }, targets = { { column = 2 } } } } })
    assert.same({ { { 4 }, { 5 } } }, windows:batch({ 1, 1, 10, 5 }, true):table())
    columns:close()
    says("the columns of these windows are closed", windows.batch, windows, { 1, 1, 10, 5 }, true)
  end)
  it("are missed by pieces of a text that is closed", function()
    local path = os.tmpname()
    support.write(path, support.sentences(9))
    local text = core.text(path, { level = "byte" })
    local fit = core.vocab_fit { level = "byte" }
    text:fit(fit, 0, text:bytes())
    local pieces = text:pieces(fit:vocab(), { unit = "line" })
    text:close()
    says("the text of these pieces is closed", pieces.look, pieces, { 1 })
    os.remove(path)
  end)
  it("may leave a list while its tensors are played backward", function()
    local p, list = rondo.parameter(rondo.ones(2)), {}
    local twice = rondo.Function { name = "Twice", forward = function(_, x) return x * 2 end,
      backward = function(_, g)
        for i = #list, 1, -1 do
          table.remove(list, i)
        end
        return g * 2
      end }
    list[1], list[2] = twice(p):sum(), twice(p):sum()
    core.backward_all(list, { false, false })
    assert.same({ 4, 4 }, p.grad:table())
  end)
  it("leave a backward that goes on in another coroutine than it began in", function()
    local q = rondo.parameter(rondo.ones(3))
    local checks = rondo.Function { name = "Checks", forward = function(_, x) return x * 1 end,
      backward = function(_, g)
        coroutine.wrap(function() pcall(core.check_gradients, function() return (q * q):sum() end, { q }) end)()
        collectgarbage()
        return g
      end }
    local p = rondo.parameter(rondo.ones(3))
    checks(checks(p)):sum():backward()
    assert.same({ 1, 1, 1 }, p.grad:table())
  end)
end)

describe("arguments of the binding", function()
  it("are lists of the right things", function()
    says("entry 1 must be a recurrent layer, got a number", core.run_layers, { 3 }, rondo.ones(1), nil, { {} })
    says("field 'mask' must be a tensor, got a string", function()
      core.rnn({ cell = "gru", input_size = 1, hidden_size = 1 }):forward(rondo.ones(1, 1, 1), nil, { mask = "x" })
    end)
    says("dense or sequence expected, got 'x'", core.zeros, { 1 }, "x")
    says("mean, sum or batch expected, got table", core.mse, rondo.ones(1), rondo.ones(1), {})
    says("a table with a field 'column' expected, got a number", core.windows, core.numbers(1, 1, {}),
      { input = 1, steps = 1, layouts = { { features = { 1 } } } })
  end)
  it("make windows that fit each other", function()
    local columns = core.numbers(9, 2, {})
    local function windows(given)
      local o = { input = 3, steps = 3, horizon = 2, layouts = { { features = { {} }, targets = { {} } } } }
      for key, value in pairs(given) do
        o[key] = value
      end
      return core.windows(columns, o)
    end
    says("windows of 3 and 2 rows have 3 steps, or 4 with what is known ahead", windows, { steps = 2 })
    says("all layouts have as many features and targets as the first", windows, { layouts = {
      { features = { {} }, targets = { {} } }, { features = { {}, {} }, targets = { {} } } } })
    says("a layout has at least one feature", windows, { layouts = { {} } })
    says("field 'layouts' must be a list, got a number", windows, { layouts = 3 })
  end)
end)

describe("arguments of the library", function()
  it("are numbers of batches that there are", function()
    local batches = rondo.data.Batches { x = { { 1 }, { 2 }, { 3 } }, y = { 1, 2, 1 }, batch_size = 2 }
    says("batch: the number of a batch must be an integer 1..2, got 3", batches.batch, batches, 3)
    says("must be an integer 1..2, got a table", batches.rows, batches, {})
    says("batch: the epoch must be an integer of at least 0, got \"x\"", batches.rows, batches, 1, "x")
    local task = rondo.data.tasks.Adding { seq_len = 4, batch_size = 2, batches = 2 }
    says("must be an integer of at least 1, got 0.5", task.batch, task, 0.5)
  end)
  it("are ids, lists and tokens", function()
    local vocab, labels = rondo.data.Vocab.from { { "a", "b" } }, rondo.data.Labels.from { "x", "y" }
    says("decode: expected ids, a number, a list or a tensor, got a nil", vocab.decode, vocab)
    says("expected ids, a number, a list or a tensor, got true", labels.decode, labels, true)
    says("a list of labels must be a table, got 3", labels.encode_all, labels, 3)
    says("the lists of tokens must be a table, got a nil", vocab.encode_all, vocab)
    says("Vocab.from: list 2 must be a table, got 3", rondo.data.Vocab.from, { { "a" }, 3 })
    local tokenizer = rondo.data.Tokenizer({ level = "word" }):fit { "a b" }
    says("decode: expected ids", tokenizer.decode, tokenizer, print)
    says("id, list of ids or tensor expected, got function$", vocab.decode, vocab, { print })
    says("ngram.table: nats must be a number, got {?a table", rondo.data.ngram.table, { {} })
    says("ngram.table: characters of a symbol must be a number", rondo.data.ngram.table, { 1 }, 1, {})
    says("random: expected integers low <= high, got 1, x", rondo.random, 1, "x")
  end)
  it("are tensors and modules", function()
    local layer = rondo.LSTM { 2, 3 }
    says("predict: expected a tensor, a list of ids or a text, got a nil", layer.predict, layer)
    says("LSTM: advance: expected a tensor, got a number", layer.advance, layer, 3)
    says("save: optimizer must be made by rondo.optim, got a number", rondo.save, "x", { model = layer, optimizer = 3 })
    local sgd = rondo.optim.SGD { lr = 1 }
    says("with_average: what is run must be a function, got a nil", sgd.with_average, sgd)
  end)
end)
