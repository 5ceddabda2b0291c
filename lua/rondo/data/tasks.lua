-- data/tasks.lua - tasks that are made, not collected: sequences on which memory can be measured.
--
-- A task is a source of batches: batch(k, epoch) -> x, y. Every number is that of (seed, split, number of the batch,
-- row, place), never of the order of calls: a stopped run goes on with the same data, and a split is the same whatever
-- was drawn before. `train` has new sequences in every epoch; the other splits are the same in each.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local expect = require "rondo.expect"
local options = require "rondo.options"
local random = require "rondo.random"

local SPLITS = { train = 1, valid = 2, test = 3 }

local function shared(seq_len, about)
  return {
    { name = "seq_len", kind = "int", def = seq_len, min = 2, max = 1 << 20, help = about },
    { name = "batch_size", kind = "int", def = 50, min = 1, max = 1 << 20, help = "sequences side by side" },
    { name = "batches", kind = "int", def = 100, min = 1, max = 1 << 20, help = "batches of an epoch" },
    { name = "split", kind = "choice", def = "train", choices = { "train", "valid", "test" },
      help = "train: new sequences in every epoch; valid, test: sequences of their own, always the same" },
  }
end

local Task = { __name = "rondo.Task" }
Task.__index = Task

function Task:__len()
  return self.options.batches
end

-- What the numbers of a run depend on.
function Task:describe()
  local description = { kind = "task", name = self.name }
  for key, value in pairs(self.options) do
    description[key] = value
  end
  return description
end

-- Uniform numbers in [0, 1); `part` tells apart what a batch needs them for.
local function uniform(self, part, shape)
  local stream = { seed = random.seed(), purpose = "user", layer = 16 * SPLITS[self.options.split] + part,
    update = self.number }
  return core.zeros(shape):fill_uniform(0, 1, stream)
end

function Task:batch(k, epoch)
  local o = self.options
  k, epoch = expect.batch(k, epoch)
  self.number = (o.split == "train" and (epoch - 1) * o.batches + k or k) & 0xffffffff
  return self:make(o.batch_size, o.seq_len)
end

local tasks = {}

-- make(self, B, T) -> x, y; naive(options): the loss of who has no memory, and whose that is.
local function task(name, specs, naive, make)
  tasks[name] = function(given)
    local o = options.resolve("data.tasks." .. name, specs, given)
    return setmetatable({ name = name, options = o, naive = naive(o), make = make }, Task)
  end
end

-- Le, Jaitly & Hinton 2015, section 4.1, as in Arjovsky, Shah & Bengio 2016, section 5.2: x(t) = (a number in [0, 1),
-- a mark), one mark in each half; y is the sum of the two marked numbers. Always saying 1 has the error 2 var = 1/6.
task("Adding", shared(200, "T, steps"), function() return 1 / 6 end, function(self, B, T)
  local x, y = uniform(self, 0, { B, T, 2 }), {}
  local half = T // 2
  x:select(3, 2):fill(0)
  for b, u in ipairs(uniform(self, 1, { B, 2 }):table()) do
    local i, j = 1 + math.floor(u[1] * half), half + 1 + math.floor(u[2] * (T - half))
    x[{ b, i, 2 }], x[{ b, j, 2 }] = 1, 1
    y[b] = { x[{ b, i, 1 }] + x[{ b, j, 1 }] }
  end
  return x, core.tensor(y)
end)

-- Arjovsky, Shah & Bengio 2016, section 5.1: ten symbols 1..8, T - 1 blanks (9), a delimiter (10), ten blanks; y is
-- T + 10 blanks, then the ten symbols. Who knows all but the symbols has 10 ln 8 / (T + 20) nats a step.
local COPIED, KINDS, BLANK, DELIMITER = 10, 8, 9, 10
task("CopyMemory", shared(100, "T, steps between what is read and what is written; T + 20 in all"), function(o)
  return COPIED * math.log(KINDS) / (o.seq_len + 2 * COPIED)
end, function(self, B, T)
  local x, y = core.full({ B, T + 2 * COPIED }, BLANK), core.full({ B, T + 2 * COPIED }, BLANK)
  local symbols = uniform(self, 0, { B, COPIED }):table()
  for _, row in ipairs(symbols) do
    for i, u in ipairs(row) do
      row[i] = 1 + math.floor(KINDS * u)
    end
  end
  symbols = core.tensor(symbols)
  x:slice(2, 1, COPIED):copy(symbols)
  x:select(2, T + COPIED):fill(DELIMITER)
  y:slice(2, T + COPIED + 1, T + 2 * COPIED):copy(symbols)
  return x, y
end)

-- x(t) is -1 or 1; y is 1 where the number of ones is odd: of all, or with every_step of those so far. With min_len
-- each batch has a length of its own in min_len..seq_len.
local parity_specs = shared(40, "longest sequence")
parity_specs[#parity_specs + 1] = { name = "min_len", kind = "int", min = 1, max = 1 << 20,
  help = "shortest sequence; each batch has one length (default: all are seq_len long)" }
parity_specs[#parity_specs + 1] = { name = "every_step", kind = "bool", def = false, help = "y at every step" }
task("Parity", parity_specs, function() return math.log(2) end, function(self, B, longest)
  local o = self.options
  local shortest = math.min(o.min_len or longest, longest)
  local T = shortest + math.floor(uniform(self, 1, { 1 }):item() * (longest - shortest + 1))
  local ones, y = uniform(self, 0, { B, T, 1 }):lt(0.5), {}
  for b, row in ipairs(ones:table()) do
    local odd, so_far = 0, {}
    for t = 1, T do
      odd = odd ~ math.tointeger(row[t][1])
      so_far[t] = { odd }
    end
    y[b] = o.every_step and so_far or { odd }
  end
  return ones * 2 - 1, core.tensor(y)
end)

-- Ids 1..8; y is the first of them. What follows says nothing about it.
task("FirstSymbol", shared(50, "T, steps"), function() return math.log(KINDS) end, function(self, B, T)
  local u, x = uniform(self, 0, { B, T }), core.full({ B, T }, 1)
  for id = 2, KINDS do
    x = x + u:ge((id - 1) / KINDS)
  end
  return x, x:select(2, 1):contiguous()
end)

return tasks
