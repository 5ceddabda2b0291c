--[[ segments.lua - the time of a training in segments over that of the whole at once: in turns, so that what else the
machine does falls on both.

usage: lua5.4 tests/bench/segments.lua [most]     fails where the median of a cell is above `most` (1.35)
SPDX-License-Identifier: MIT ]]
local rondo = require "rondo"
local core = require "rondo.core"
local playback = require "rondo.playback"
local parts = require "rondo.parts"
local random = require "rondo.random"
local trainer_of = rondo.Trainer

local most, TIMES = tonumber(arg[1] or 1.35), 7
local ROWS, STEPS, HIDDEN, FEATURES, KINDS, SIZE = 8, 1000, 256, 32, 64, 63
core.threads(1)

local function play(trainer, read, size)
  random.set_update(1)
  local window = { trainer = trainer, replays = size < STEPS, refuse = error }
  for from = 1, STEPS, size do
    window[#window + 1] = { parts = read, from = from, to = math.min(STEPS, from + size - 1), at = from - 1,
      counts = true }
  end
  local start = core.time()
  playback.play(window, nil)
  return core.time() - start
end

local function ratio(cell)
  rondo.manual_seed(1)
  local ids = {}
  for b = 1, ROWS do
    ids[b] = {}
    for t = 1, STEPS do
      ids[b][t] = 1 + (t * t + b) % KINDS
    end
  end
  local x = rondo.tensor(ids):contiguous "sequence"
  local model = rondo.Sequential { rondo.Embedding { KINDS, FEATURES }, rondo.RNN { cell = cell, hidden_size = HIDDEN },
    rondo.Linear { KINDS } }
  local trainer = trainer_of { model = model, loss = rondo.CrossEntropyLoss(), optimizer = rondo.optim.SGD { lr = 0.1 },
    quiet = true }
  local read, list = parts.of_batch(model, { x = x, y = x }, true), {}
  play(trainer, read, STEPS)
  for i = 1, TIMES do
    local whole = play(trainer, read, STEPS)
    list[i] = play(trainer, read, SIZE) / whole
  end
  table.sort(list)
  return list[(TIMES + 1) // 2], list[1], list[TIMES]
end

local failed = false
for _, cell in ipairs { "vanilla", "lstm", "gru" } do
  local median, least, largest = ratio(cell)
  print(("%-8s %.2f times (%.2f to %.2f): %d steps, segments of %d"):format(cell, median, least, largest, STEPS, SIZE))
  failed = failed or median > most
end
assert(not failed, "above " .. most)
