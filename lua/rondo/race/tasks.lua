-- race/tasks.lua - the tasks of `rondo race`: data, the model around a cell, loss, measure, what stands beside it.
--
-- A task is opened for a length and gives: title; layers(recurrent), what a model is made of; train, valid and probe
-- (on which the horizon is measured), sources of batches; tokens of a batch; loss(); optimizer(); clip; every, the
-- updates between two looks at the validation part; metric of the race and whether more of it is better; solved,
-- where a run has nothing more to learn; naive, the figure of who knows nothing, and published, what papers say.
-- All is made of what the scripts use; that training is short and small is for the race.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local errors = require "rondo.errors"

local tasks = { names = { "adding", "copy", "parity", "jsb", "text" }, default = "adding,copy,parity" }

tasks.WIDTH = 32 -- of the LSTM whose parameters the cells of a race are given

local open = {} -- by name: open(rondo, T, given) -> task; or nil, why it cannot be raced here

-- A source's first n batches.
local function first_of(source, n)
  return setmetatable({ batch = function(_, ...) return source:batch(...) end },
    { __index = source, __len = function() return math.min(n, #source) end })
end

local function adam(rondo, lr)
  return function() return rondo.optim.Adam { lr = lr } end
end

function open.adding(rondo, T)
  local function source(split, batches)
    return rondo.data.tasks.Adding { split = split, seq_len = T, batch_size = 32, batches = batches }
  end
  return { title = ("adding, T = %d: mean squared error"):format(T), form = "%.5f", metric = "loss", solved = 1e-3,
    naive = 1 / 6, naive_says = "always 1",
    published = "T = 600, 70,000 parameters: GRU 0.00005, LSTM 0.164, RNN 0.177 (Bai et al. 2018, table 1)",
    layers = function(recurrent)
      recurrent.input_size, recurrent.return_sequences = 2, false
      return { rondo.RNN(recurrent), rondo.Linear { 1 } }
    end,
    train = source("train", 100), valid = source("valid", 20), tokens = 32 * T, every = 100,
    loss = rondo.MSELoss, optimizer = adam(rondo, 1e-2), clip = 1 }
end

function open.copy(rondo, T)
  local function source(split, batches)
    return rondo.data.tasks.CopyMemory { split = split, seq_len = T, batch_size = 32, batches = batches }
  end
  local valid = source("valid", 10)
  return { title = ("copy memory, T = %d: nats a step"):format(T), form = "%.4f", metric = "loss", solved = 1e-3,
    naive = valid.naive, naive_says = "all but the symbols",
    published = "T = 1000, where that is 0.0204: LSTM 0.0204, GRU 0.0197, RNN 0.0202 (Bai et al. 2018, table 1)",
    layers = function(recurrent)
      return { rondo.OneHot { 10 }, rondo.RNN(recurrent), rondo.Linear { 9 } }
    end,
    train = source("train", 100), valid = valid, tokens = 32 * (T + 20), every = 100,
    loss = rondo.CrossEntropyLoss, optimizer = adam(rondo, 1e-2), clip = 1 }
end

function open.parity(rondo, T)
  local function source(split, batches, shortest, longest)
    return rondo.data.tasks.Parity { split = split, min_len = shortest, seq_len = longest, batch_size = 32,
      batches = batches }
  end
  return { title = ("parity, trained on 1 to %d bits: right of %d to %d bits"):format(T, T + 1, 5 * T), form = "%.4f",
    metric = "accuracy", more = true, solved = 0.999, naive = 0.5, naive_says = "guessing",
    published = "41 to 500 bits: RNN and LSTM 100 %, transformer 52.3 % (Deletang et al. 2023, table 1)",
    layers = function(recurrent)
      recurrent.input_size, recurrent.return_sequences = 1, false
      return { rondo.RNN(recurrent), rondo.Linear { 1 } }
    end,
    train = source("train", 200, 1, T), valid = source("valid", 20, T + 1, 5 * T),
    probe = source("valid", 1, 5 * T, 5 * T), tokens = 32 * (T + 1) / 2, every = 200,
    loss = rondo.BCEWithLogitsLoss, optimizer = adam(rondo, 4e-3), clip = 1 }
end

-- Path of a part of a data set that is here; nothing is downloaded for a race.
local function there(name, part)
  local catalog = require "rondo.data.catalog"
  local _, by_name = assert(catalog.read())
  for _, file in ipairs(by_name[name].files) do
    if file.part == part then
      return catalog.find(by_name[name], file)
    end
  end
end

function open.jsb(rondo)
  local chorales = require "rondo.data.chorales"
  local train, valid = there("jsb", "train"), there("jsb", "valid")
  if not (train and valid) then
    return nil, "its data are not here; `rondo data get jsb` brings them"
  end
  local pieces, frames = chorales.read(train), 0
  for _, piece in ipairs(pieces) do
    frames = frames + piece:size(1) - 1
  end
  local source = chorales.batches(pieces, 8, true)
  return { title = "Bach's chorales (JSB), validation part: nats a frame", form = "%.3f", metric = "loss",
    naive = 10.99, naive_says = "each key by itself",
    published = "test part, 300,000 parameters: LSTM 8.45, GRU 8.43, RNN 8.91 (Bai et al. 2018, table 1)",
    layers = function(recurrent)
      recurrent.input_size = chorales.keys
      return { rondo.RNN(recurrent), rondo.Dropout { 0.2 }, rondo.Linear { chorales.keys } }
    end,
    train = source, valid = chorales.batches(chorales.read(valid), 8), tokens = frames / #source, every = #source,
    loss = chorales.nats, optimizer = adam(rondo, 5e-3), clip = 1 }
end

function open.text(rondo, _, given)
  local path, message = given.data, nil
  if not path then
    path, message = rondo.data.kjv() -- of Debian packages, not downloaded
  end
  if not path then
    return nil, message
  end
  local text, why, code = rondo.data.Text.open(path, { level = "char" })
  if not text then
    errors.stop(code, why)
  end
  local train, valid = text:split(0.9)
  local symbols, how = #text.vocab, { seq_len = 64, batch_size = 32, stateful = true }
  return { title = ("%s by characters, last tenth: nats a character"):format(path:match "[^/]*$"), form = "%.4f",
    metric = "loss", naive = math.log(symbols), naive_says = "all symbols alike",
    published = "none at this size; `rondo train` prints n-grams of the same text",
    layers = function(recurrent)
      return { rondo.OneHot { symbols }, rondo.RNN(recurrent), rondo.Linear { symbols } }
    end,
    train = train:sequences(how), valid = first_of(valid:sequences(how), 10), tokens = 32 * 64, every = 100,
    loss = rondo.CrossEntropyLoss, optimizer = adam(rondo, 5e-3), clip = 5 }
end

local LENGTHS = { adding = 200, copy = 30, parity = 20 }

-- What `adding:600` or `jsb` says: name, T, and the name of its folder. Ends the program where it says nothing.
function tasks.read(word)
  local name, given = word:match "^([^:]*):?(.*)$"
  if not open[name] then
    local near = core.nearest(name, tasks.names)
    errors.stop(errors.USAGE, ("race: there is no task '%s'%s"):format(name, near and (" (did you mean '%s'?)"):format(
      near) or "; tasks are " .. table.concat(tasks.names, ", ")))
  end
  local T = given == "" and LENGTHS[name] or math.tointeger(tonumber(given))
  if word:find ":" and not LENGTHS[name] then
    errors.stop(errors.USAGE, ("race: task '%s' has no length to set; adding:600 has"):format(name))
  elseif LENGTHS[name] and not (T and T >= 2 and T <= 1 << 16) then
    errors.stop(errors.USAGE, ("race: the length of task '%s' must be an integer 2..65536, got '%s'"):format(name,
      given))
  end
  return { name = name, T = T, folder = T and ("%s-%d"):format(name, T) or name }
end

-- The task itself; or nil, why it cannot be raced here.
function tasks.open(read, given)
  local task, why = open[read.name](require "rondo", read.T, given)
  if task then
    task.name, task.T, task.folder, task.probe = read.name, read.T, read.folder, task.probe or task.valid
  end
  return task, why
end

return tasks
