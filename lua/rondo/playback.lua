-- playback.lua - gradients of a window of steps that is read in pieces: all at once, or the last piece first.
--
-- A window is a list of pieces { parts =, from =, to =, at =, counts = }: steps of a sequence (parts.lua), how many
-- steps of the window come before, and whether their losses count. Gradient flows through the whole window and not
-- beyond. Recorded, the pieces are one graph. Replayed, a first pass keeps the states between pieces alone, without
-- head and loss; then each piece, the last one first, is run again, recorded and played backward from its own loss and
-- from the gradient of the states that the next one began with (Chen et al. 2016, section 3). Parameter gradients sum
-- from the last row to the first (bit contract, rule 6), and every random number is keyed by its place: the bits are
-- those of the whole.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local evaluation = require "rondo.trainer_evaluation"
local losses = require "rondo.loss"
local parts = require "rondo.parts"
local release_states = require("rondo.sequential").release_states
local Sequential = require "rondo.sequential"
local tensor = require "rondo.tensor"

local playback = {}

-- Calls f(tensor, tensor of b at the same place or nil, ...) for each tensor of states a.
local function each(f, a, b)
  if tensor.is_tensor(a) then
    f(a, b)
  elseif type(a) == "table" then
    for key, value in pairs(a) do
      each(f, value, type(b) == "table" and b[key] or nil)
    end
  end
end

-- The loss of a piece, summed, and its share of what the trainer reports.
local function loss_of(window, piece, part, y)
  local weight = evaluation.weight_of({ x = part.x, y = part.y, how = part.how, weight = part.weight }, y)
  local loss, sum, count = window.loss(y, part.y, weight)
  if sum ~= sum or sum == math.huge or sum == -math.huge then
    window.trainer:diverged("the loss")
  end
  window.sum, window.count = window.sum + sum, window.count + count
  local penalty = window.trainer.model:penalty()
  local share = penalty ~= 0 and (piece.to - piece.from + 1) / window.counted
  return loss, penalty ~= 0 and penalty * share or nil
end

-- A seed as the core has it: the share of an update is rounded before it is divided.
local function seed_of(window, all)
  local share = window.share and core.tensor(window.share):item() or 1
  local by = window.trainer.loss:divisor(all, window.rows)
  return by > 0 and share / by or 1 -- nothing counts: every loss is 0
end

local function read(window, piece)
  local part = piece.parts:part(piece.from, piece.to)
  window.rows = piece.parts.rows
  return part
end

local function run(window, piece, part, states, last)
  return parts.advance(window.trainer.model, part, states,
    { at = piece.at, stateful = window.stateful, last = last })
end

local function drop_output(y, part)
  if not rawequal(y, part.x) then
    y:release()
  end
end

-- `after` with tensors of its own: a module may hand a state on as it is.
local function own_states(after, before)
  local there = {}
  each(function(t) there[t] = true end, before)
  local function own(states)
    if tensor.is_tensor(states) then
      return there[states] and states:clone() or states
    elseif type(states) ~= "table" then
      return states
    end
    local copy = {}
    for key, value in pairs(states) do
      copy[key] = own(value)
    end
    return copy
  end
  return own(after)
end

-- Releases the tensors of a state that are in neither of two others.
local function release_but(states, one, other)
  local kept = {}
  each(function(t) kept[t] = true end, one)
  each(function(t) kept[t] = true end, other)
  each(function(t)
    if not kept[t] then
      t:release()
    end
  end, states)
end

-- ---- recorded -------------------------------------------------------------------------------------------

-- All pieces on one graph. Returns the states behind piece `keep` (or the last) beside those at the end.
local function record(window, states)
  local roots, penalties, ended, kept = {}, {}, {}, nil
  local given = states
  for i, piece in ipairs(window) do
    local part = read(window, piece)
    local y
    y, states = run(window, piece, part, states)
    if piece.counts then
      local loss, penalty = loss_of(window, piece, part, y)
      roots[#roots + 1], penalties[#penalties + 1] = loss, penalty
    else
      window.trainer.model:penalty()
    end
    ended[i] = { part = part, y = y, states = states }
    kept = i == window.keep and states or kept
  end
  local seed, seeds = seed_of(window, window.count), {}
  for i = 1, #roots do
    seeds[i] = seed
  end
  for _, penalty in ipairs(penalties) do
    roots[#roots + 1], seeds[#seeds + 1] = penalty, window.share or false
  end
  core.backward_all(roots, seeds)
  release_states(roots)
  kept = own_states(kept or states, given)
  for _, piece in ipairs(ended) do
    drop_output(piece.y, piece.part)
    parts.release(piece.part)
    release_but(piece.states, kept, given)
  end
  return kept
end

-- ---- replayed -------------------------------------------------------------------------------------------

-- The last layer of a Sequential that has a state.
local function last_with_state(model, states)
  if getmetatable(model) ~= Sequential then
    return nil
  end
  local last = 0
  for i in pairs(states) do
    last = math.max(last, math.type(i) == "integer" and i or #model)
  end
  return last > 0 and last or nil
end

local function count_losses(window, piece, part)
  local y, how, weight = part.y, part.how, part.weight
  if weight == nil and how and (how.lengths or how.mask) and y.ndim > 2 then
    local _, counts = losses.counted("Trainer", y, y, { lengths = how.lengths, mask = how.mask })
    weight = counts
  end
  return piece.counts and window.trainer.loss:count(y, weight) or 0
end

-- First pass: states before each piece but the first. Returns how much counts in all.
local function find_borders(window, states, border)
  local model, all, last = window.trainer.model, 0.0, nil
  for i, piece in ipairs(window) do
    local part = read(window, piece)
    if part.holes then
      window.refuse(part)
    end
    all = all + count_losses(window, piece, part)
    if i < #window then
      local y, after = run(window, piece, part, states, last)
      last = last or last_with_state(model, after)
      states = own_states(after, states)
      border[i + 1] = states
      drop_output(y, part)
    end
    parts.release(part)
  end
  return all
end

-- Plays piece i, whose states in have been made leaves, given the gradients of its states out.
local function play_piece(window, i, states, gradients, seed)
  local piece = window[i]
  local part = read(window, piece)
  local y, after = run(window, piece, part, states)
  local roots, seeds = {}, {}
  local loss = piece.counts and loss_of(window, piece, part, y)
  if loss then
    roots[1], seeds[1] = loss, seed
  end
  each(function(t, border)
    if border and border.grad and t.requires_grad then
      roots[#roots + 1], seeds[#seeds + 1] = t, border.grad
    end
  end, after, gradients)
  core.backward_all(roots, seeds)
  if loss then
    loss:release()
  end
  drop_output(y, part)
  parts.release(part)
  return after
end

-- The pool keeps blocks for sizes that may come again; those of another pass do not, where there is no room for them.
local function make_room(window)
  if window.budget and core.memory().held_bytes > window.budget + window.budget // 4 then
    core.trim() -- a quarter: what sizes are rounded up by
  end
end

local function replay(window, given)
  local border, kept = {}, nil
  local all = tensor.no_grad(find_borders, window, given, border)
  local seed = seed_of(window, all)
  for i = #window, 1, -1 do
    make_room(window)
    if border[i] then
      each(function(t) t.requires_grad = true end, border[i])
    end
    local before = border[i] or given
    local after = play_piece(window, i, before, border[i + 1], seed)
    if i == (window.keep or #window) then
      kept = own_states(after, before) -- constants, now that they were played
    end
    release_but(after, kept, before)
    release_states(border[i + 1])
    border[i + 1] = nil
  end
  return kept
end

-- Plays a window: the sum and count of its losses, and the states behind piece `keep` (nil: the last). `replays`: by
-- pieces. Gradients are added to those that are there.
function playback.play(window, states)
  window.sum, window.count, window.loss = 0.0, 0.0, window.trainer.loss:summed()
  window.counted = 0
  for _, piece in ipairs(window) do
    window.counted = window.counted + (piece.counts and piece.to - piece.from + 1 or 0)
  end
  local after = parts.within(window.replays and #window > 1 and replay or record, window, states)
  return window.sum, window.count, after
end

-- Runs pieces without gradient: the states behind them. Those that are given are left alone.
function playback.pass(window, states)
  return parts.within(tensor.no_grad, function()
    local given = states
    for _, piece in ipairs(window) do
      local part = read(window, piece)
      local y, after = run(window, piece, part, states)
      after = own_states(after, states)
      if states ~= given then
        release_states(states)
      end
      states = after
      drop_output(y, part)
      parts.release(part)
    end
    return states
  end)
end

return playback
