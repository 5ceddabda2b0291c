-- generate_spec.lua - texts written by a chain of layers in C are those of the layers called one by one.
-- SPDX-License-Identifier: MIT
local chain = require "rondo.chain"
local core = require "rondo.native"
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local folder, text
setup(function()
  folder = support.folder()
  text = assert(rondo.data.Text.open(support.write(folder .. "/t.txt", "a cab, a bad cab\na bed, a bee\n\nface\n")))
end)
teardown(function() support.remove(folder) end)

-- A module of the user's round a model: it is no chain.
local Plain = rondo.Module "PlainRound"
function Plain:init(model)
  self.model = model
end
function Plain:advance(x, states)
  return self.model:advance(x, states)
end

local function with_unit(model, unit)
  model.vocab, model.text_unit = text.vocab, unit
  return model
end

local function written(model, options)
  local parts = {}
  for piece in model:generate(options) do
    parts[#parts + 1] = piece
  end
  return table.concat(parts), parts
end

local function both_write(layers, options, unit)
  local model = with_unit(rondo.Sequential(layers), unit)
  options.seed = options.seed or 3
  local ahead, pieces = written(model, options)
  local c <close> = chain.of(model, 1)
  assert.is_truthy(c)
  assert.is_nil(chain.of(Plain(model), 1))
  local plain, plain_pieces = written(with_unit(Plain(model), unit), options)
  assert.equal(plain, ahead)
  assert.same(plain_pieces, pieces)
  return ahead
end

local function layers_of(...)
  return { rondo.OneHot { #text.vocab }, ..., rondo.Linear { #text.vocab } }
end

local function lstm()
  return layers_of(rondo.LSTM { hidden_size = 12, num_layers = 2, seed = 5 })
end

describe("a chain", function()
  it("writes what its layers write, of every cell", function()
    for _, cell in ipairs(support.cells()) do
      both_write(layers_of(rondo.RNN { cell = cell, hidden_size = 8, seed = 2 }), { length = 70, prompt = "a cab" })
    end
  end)
  it("has embeddings, layer norm, dropout, learned first states, zoneout, tied matrices", function()
    local V = #text.vocab
    both_write({ rondo.Embedding { V, 6 }, rondo.Dropout { 0.5 }, rondo.GRU { hidden_size = 10, learn_state = true,
      zoneout = 0.1, recurrent_dropout = 0.2 }, rondo.LayerNorm {}, rondo.LSTM { hidden_size = 6 },
      rondo.Linear { V, tied_to = 1 } }, { length = 80 }, "line")
  end)
  it("begins again after an end of line or document, and stops at stop strings", function()
    for _, unit in ipairs { "line", "document" } do
      both_write(lstm(), { length = 150, temperature = 3 }, unit)
    end
    both_write(lstm(), { length = 150, temperature = 3, stop = { "ab", "fe" } })
  end)
  it("takes filters, penalties, bias and a function of the text so far", function()
    both_write(lstm(), { length = 60, temperature = 1.5, top_k = 7, typical_p = 0.9, top_p = 0.8, min_p = 0.05,
      repetition_penalty = 1.4, repetition_window = 5, logit_bias = { a = -1 } })
    both_write(lstm(), { length = 20, allow = function(so_far) return #so_far % 2 == 0 and "abc" or "def" end })
    both_write(lstm(), { length = 40, greedy = true })
  end)
  it("has products of bfloat16 where those are asked for", function()
    local before = core.precision "bf16"
    local ok, message = pcall(both_write, lstm(), { length = 60 })
    core.precision(before)
    assert(ok, message)
  end)
  it("is no model with other layers, two directions, connections or another number of logits", function()
    local V = #text.vocab
    local function none(list)
      local model = rondo.Sequential(list)
      model(rondo.tensor { { 1, 2 } })
      assert.is_nil(chain.of(model, 1))
    end
    none(layers_of(rondo.LSTM { hidden_size = 4, bidirectional = true }))
    none { rondo.Embedding { V, 4 }, rondo.LSTM { hidden_size = 4, connections = "residual" }, rondo.Linear { V } }
    none { rondo.Embedding { V, 4 }, rondo.LSTM { hidden_size = 4 }, rondo.Linear { V + 1 } }
    none { rondo.Embedding { V, 4 }, rondo.LSTM { hidden_size = V } }
    none { rondo.OneHot { V }, rondo.Linear { V } }
    assert.is_nil(chain.of(rondo.Sequential { rondo.LSTM { hidden_size = 4 } }, 1))
  end)
  it("gives what was written before a step that fails, then the failure", function()
    local model = with_unit(rondo.Sequential { rondo.Embedding { #text.vocab, 4 }, rondo.LSTM { hidden_size = 4 },
      rondo.Linear { #text.vocab } })
    local second = text.vocab:encode "b"[1]
    rondo.no_grad(function()
      model[3].weight:fill(0)
      model[3].bias[second] = 1
      for j = 1, 4 do model[1].weight[{ second, j }] = 0 / 0 end
    end)
    local parts = {}
    local message = support.failure(function()
      for piece in model:generate { prompt = "a", length = 9, greedy = true } do parts[#parts + 1] = piece end
    end)
    assert.matches("generate_spec.lua:%d+: sample: the logit of id 1 in row 1 is not a number", message)
    assert.same({ "a", "b" }, parts)
  end)
end)

describe("several texts of a prompt", function()
  local generate = require "rondo.generate"
  -- All of them, read one after the other or a piece of each in turn.
  local function all(model, options, n, in_turn)
    local list, seed = generate.several(model, options, n)
    local texts, left = {}, n
    for i = 1, n do texts[i] = "" end
    while left > 0 do
      for i = 1, n do
        local piece = list[i] and list[i]()
        while piece do
          texts[i] = texts[i] .. piece
          piece = not in_turn and list[i]()
        end
        if piece == nil and list[i] then
          list[i], left = nil, left - 1
        end
      end
    end
    return texts, seed
  end
  local function each(model, options, n)
    local texts = {}
    for i = 1, n do
      options.sample = i
      texts[i] = written(model, options)
    end
    options.sample = nil
    return texts
  end
  it("are those of their numbers, in whatever order they are read", function()
    local model = with_unit(rondo.Sequential(lstm()), "line")
    for _, o in ipairs { { length = 90, seed = 4, temperature = 2 }, { length = 300, seed = 5, stop = { "ab", "ed" } },
      { length = 30, seed = 6, prompt = "a b", logit_bias = { a = 1 } } } do
      local want = each(model, o, 5)
      assert.same(want, (all(model, o, 5)))
      assert.same(want, (all(model, o, 5, true)))
      assert.same({ want[1] }, (all(model, o, 1)))
      assert.same(want, (all(with_unit(Plain(model), "line"), o, 5)))
    end
  end)
  it("share a seed that is drawn", function()
    local model = with_unit(rondo.Sequential(lstm()))
    local texts, seed = all(model, { length = 20 }, 2)
    assert.same(each(model, { length = 20, seed = seed }, 2), texts)
  end)
end)

describe("a chain of the binding", function()
  local function raises(pattern, f, ...)
    local ok, message = pcall(f, ...)
    assert.is_false(ok)
    assert.matches(pattern, message)
  end
  local function small()
    local rnn = core.rnn { cell = "gru", input_size = 3, hidden_size = 2, seed = 1 }
    return { { kind = "one_hot", classes = 3 }, { kind = "rnn", rnn = rnn },
      { kind = "linear", weight = core.zeros { 3, 2 } } }
  end
  it("says what is wrong with its arguments", function()
    raises("a number of rows expected", core.chain, 0, small())
    raises("field 'kind' must be one_hot, embedding, rnn, linear or layer_norm, got attention", core.chain, 1,
      { { kind = "attention" } })
    raises("field 'rnn' must be a recurrent layer that is open", core.chain, 1, { { kind = "rnn" } })
    raises("chain: expected two links or more", core.chain, 1, {})
    local c <close> = core.chain(2, small())
    local state = core.zeros { 2, 2 }
    raises("rows are counted from 1", c.put, c, 0, { state }, 1)
    raises("rows are counted from 1", c.put, c, 1, { state }, 0)
    raises("the chain has 1 states, got a list of 2", c.put, c, 1, { state, state }, 1)
    raises("next must be a list of ids", c.write, c, {}, {})
    raises("next must have one id for each row", c.write, c, { next = { 1 } }, {})
    raises("streams must be a list with one for each row", c.write, c, { next = { 1, 1 }, streams = {} }, {})
    local streams = { { seed = 1 }, { seed = 2 } }
    raises("chain: ids are 1..3, got %-1 in row 2", c.write, c, { next = { 1, -4 }, streams = streams }, {})
    local next_ids = { 1, 2 }
    local lists = c:write({ next = next_ids, streams = streams, steps = 4 }, { temperature = 0 })
    assert.same({ { 1, 1, 1, 1 }, { 1, 1, 1, 1 } }, lists)
    assert.same({ 1, 1 }, next_ids)
    c:close()
    raises("closed chain", c.write, c, {}, {})
  end)
end)
