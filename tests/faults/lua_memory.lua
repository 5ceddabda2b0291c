-- lua_memory.lua - what test_lua_memory.c does again and again while an allocation gets nothing. Each function returns
-- a number or a text that is the same every time.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local core = require "rondo.core"
require("rondo.errors").caught = true -- an end of the program is an error here

local folder = os.tmpname()
os.remove(folder)
if core.stat "/dev/shm" then -- a disk has each of a thousand saves synced
  folder = folder:gsub("^/tmp/", "/dev/shm/")
end
assert(core.mkdir(folder))
local function write(name, text)
  local file <close> = assert(io.open(folder .. "/" .. name, "w"))
  file:write(text)
  return folder .. "/" .. name
end
local TEXT = write("t.txt", ("It was the best of times, it was the worst of times.\n"):rep(30))
local rows = { "time,a,b" }
for i = 0, 59 do
  rows[#rows + 1] = ("2020-01-01 %02d:%02d:00,%d,%d"):format(i // 6, i % 6 * 10, i % 7, i % 5)
end
local CSV = write("s.csv", table.concat(rows, "\n") .. "\n")
local runs = {}

function runs.collect()
  collectgarbage()
  collectgarbage()
end

function runs.live()
  return core.memory().live_bytes
end

function runs.tensors()
  rondo.manual_seed(1)
  local x = rondo.randn(3, 4)
  local y = (x:matmul(x:transpose(1, 2)):tanh() * 2 - 1):softmax(-1)
  local z = rondo.concat({ y, rondo.ones(3, 2) }, 2):reshape(5, 3):select(1, 2)
  local w = rondo.parameter(rondo.randn(3, 3))
  rondo.where(y:gt(0.3), y:matmul(w), 0.5):sum():backward()
  return z:sum():item() + w.grad:norm()
end

function runs.modules()
  rondo.manual_seed(1)
  local model = rondo.Sequential { rondo.Embedding { 9, 4 }, rondo.LSTM { 5, num_layers = 2, bidirectional = true },
    rondo.Pool { "mean" }, rondo.Linear { 3 } }
  local y = model(rondo.tensor { { 1, 2, 0 }, { 2, 1, 2 } })
  return y:sum():item() + #tostring(model)
end

local text = assert(rondo.data.Text.open(TEXT, { level = "char" }))
local train, valid = text:split(0.8)
local sizes = { seq_len = 8, batch_size = 4, stateful = true }

local function trainer(options)
  rondo.manual_seed(1)
  local model = rondo.Sequential { rondo.OneHot { #text.vocab }, rondo.GRU { 6 }, rondo.Linear { #text.vocab } }
  local all = { model = model, vocab = text.vocab, loss = rondo.CrossEntropyLoss(),
    optimizer = rondo.optim.Adam { lr = 1e-2 }, clip_grad_norm = 1, max_steps = 3, progress = "none", quiet = true }
  for key, value in pairs(options or {}) do
    all[key] = value
  end
  return rondo.Trainer(all)
end

function runs.training()
  return trainer():fit(train:sequences(sizes), valid:sequences(sizes)).last_loss
end

function runs.saving()
  local t <const> = trainer { run_dir = folder .. "/run", overwrite = true }
  t:fit(train:sequences(sizes), valid:sequences(sizes))
  return t.last_loss
end

local saved = trainer { run_dir = folder .. "/saved" }
saved:fit(train:sequences(sizes), valid:sequences(sizes))

function runs.loading()
  local ckpt = assert(rondo.load(folder .. "/saved"))
  local pieces = {}
  for piece in ckpt.model:generate { prompt = "It", length = 6, seed = 1 } do
    pieces[#pieces + 1] = piece
  end
  return table.concat(pieces)
end

function runs.texts()
  local t = assert(rondo.data.Text.open(TEXT, { level = "word", unk = true }))
  local part = t:split(0.5)
  local x = part:sequences({ seq_len = 4, batch_size = 2 }):batch(1, 1)
  return x:sum():item() + #t.vocab
end

function runs.tables()
  local s = assert(rondo.data.Series.from_csv(CSV))
  local part = s:split { 0.5, 0.5 }
  return rondo.data.StandardScaler():fit(part):transform(part:values()):sum():item() + #s
end

runs.names = { "tensors", "modules", "training", "saving", "loading", "texts", "tables" }
runs.finish = function() os.execute(("rm -rf '%s'"):format(folder)) end
return runs
