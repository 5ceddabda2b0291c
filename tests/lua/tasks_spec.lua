-- tasks_spec.lua - the tasks that are made: what is in them, and that a batch is the same whenever it is drawn.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"
local tasks = rondo.data.tasks

before_each(function() rondo.manual_seed(1) end)

local function same(a, b)
  return a:allclose(b, { rtol = 0, atol = 0 })
end

-- Rows of a tensor of one or two dimensions, as text.
local function text(t)
  local lines = {}
  for i, row in ipairs(t:table()) do
    lines[i] = type(row) == "table" and table.concat(row, " ") or tostring(row)
  end
  return table.concat(lines, "\n")
end

describe("a task", function()
  it("gives the same batch in any order of calls, and new ones in every epoch of train alone", function()
    for name, task in pairs(tasks) do
      local source = task { seq_len = 12, batch_size = 3, batches = 4 }
      local x = source:batch(2, 3)
      rondo.rand(5)
      source:batch(4, 1)
      assert.is_true(same(x, source:batch(2, 3)), name)
      assert.is_true(same(x, source:batch(10, 1)), name)
      assert.is_false(same(x, source:batch(2, 4)), name)
      local valid = task { seq_len = 12, batch_size = 3, batches = 4, split = "valid" }
      x = valid:batch(2, 1)
      assert.is_true(same(x, valid:batch(2, 9)), name)
      local test = task { seq_len = 12, batch_size = 3, batches = 4, split = "test" }
      assert.is_false(same(x, test:batch(2, 1)), name)
      assert.equal(4, #source)
    end
  end)
  it("follows the seed", function()
    local source = tasks.Adding { seq_len = 8, batch_size = 2 }
    local x = source:batch(1, 1)
    rondo.manual_seed(2)
    assert.is_false(same(x, source:batch(1, 1)))
  end)
  it("is described by its options", function()
    local said = tasks.Parity { seq_len = 9, min_len = 2, batches = 7 }:describe()
    assert.same({ kind = "task", name = "Parity", seq_len = 9, min_len = 2, batch_size = 50, batches = 7,
      split = "train", every_step = false }, said)
  end)
  it("names options that it does not have", function()
    assert.matches("data.tasks.Adding: unknown option 'seqlen' %(did you mean 'seq_len'%?%)",
      support.failure(tasks.Adding, { seqlen = 3 }))
    assert.matches("rondo.data.tasks has no 'Ading' %(did you mean 'Adding'%?%)",
      support.failure(function() return tasks.Ading end))
  end)
end)

describe("Adding", function()
  it("marks one number in each half and asks for the sum of the two", function()
    local x, y = tasks.Adding { seq_len = 7, batch_size = 64 }:batch(1, 1)
    local x_table, y_table = x:table(), y:table()
    for b, row in ipairs(x_table) do
      local marks, sum = { 0, 0 }, 0.0
      for t, step in ipairs(row) do
        local half = t <= 3 and 1 or 2
        marks[half] = marks[half] + step[2]
        sum = sum + step[1] * step[2]
      end
      assert.same({ 1.0, 1.0 }, marks)
      assert.is_true(math.abs(sum - y_table[b][1]) < 1e-6) -- a rounding of the sum
    end
  end)
  it("has an error of 1/6 for who always says 1", function()
    local source = tasks.Adding { seq_len = 4, batch_size = 1000 }
    local sum = 0.0
    for k = 1, 20 do
      local _, y = source:batch(k, 1)
      sum = sum + rondo.MSELoss()(rondo.ones(1000, 1), y):item()
    end
    assert.equal(1 / 6, source.naive)
    assert.is_true(math.abs(sum / 20 - 1 / 6) < 0.005) -- three deviations of a mean of 20,000: 0.0042
  end)
end)

describe("CopyMemory", function()
  it("gives ten symbols, blanks, a delimiter, and asks for the symbols at the end", function()
    local x, y = tasks.CopyMemory { seq_len = 3, batch_size = 2 }:batch(1, 1)
    for b, row in ipairs(x:table()) do
      local symbols = table.concat(row, " ", 1, 10)
      assert.matches("^[1-8]%.0 ", symbols)
      assert.equal(symbols .. (" 9.0"):rep(2) .. " 10.0" .. (" 9.0"):rep(10), table.concat(row, " "))
      assert.equal(("9.0 "):rep(13) .. symbols, table.concat(y:table()[b], " "))
    end
  end)
  it("has 10 ln 8 / (T + 20) nats a step for who knows all but the symbols", function()
    assert.is_true(math.abs(tasks.CopyMemory { seq_len = 100 }.naive - 0.173287) < 1e-6) -- 20.79442 / 120
  end)
end)

describe("Parity", function()
  local function odd(row, last)
    local ones = 0
    for t = 1, last do
      ones = ones + (row[t][1] == 1 and 1 or 0)
    end
    return ones % 2
  end
  it("asks whether the number of ones is odd", function()
    local x, y = tasks.Parity { seq_len = 9, batch_size = 8 }:batch(1, 1)
    for b, row in ipairs(x:table()) do
      assert.equal(odd(row, 9), y:table()[b][1])
    end
    assert.equal(math.log(2), tasks.Parity().naive)
  end)
  it("asks at every step", function()
    local x, y = tasks.Parity { seq_len = 6, batch_size = 8, every_step = true }:batch(1, 1)
    for b, row in ipairs(x:table()) do
      for t = 1, 6 do
        assert.equal(odd(row, t), y:table()[b][t][1])
      end
    end
  end)
  it("has batches of every length from min_len to seq_len", function()
    local source, seen = tasks.Parity { seq_len = 4, min_len = 2, batch_size = 1 }, {}
    for k = 1, 40 do
      seen[source:batch(k, 1):size(2)] = true
    end
    assert.same({ [2] = true, [3] = true, [4] = true }, seen)
  end)
end)

describe("FirstSymbol", function()
  it("asks for the first of ids 1 to 8", function()
    local x, y = tasks.FirstSymbol { seq_len = 40, batch_size = 30 }:batch(1, 1)
    assert.equal(text(x:select(2, 1)), text(y))
    assert.equal(1.0, (x:neg():max():item() * -1))
    assert.equal(8.0, x:max():item())
  end)
end)
