-- trainer_bptt.lua - truncated backpropagation through time: which steps an update reads, and which it learns from.
--
-- With bptt = { k1 =, k2 = } an update has the losses of the k1 newest steps, and gradient flows over the k2 newest,
-- which are these and some before them (Williams and Peng 1990; Sutskever 2013, section 2.8.6). The state that a window
-- begins with is a constant: an earlier update has left it, with the weights it had; all of the window is run with the
-- present ones. So a gradient is the exact one of a loss that can be written down, and differences agree with it.
-- A sequence begins anew in each batch; a stateful source is one stream, in which windows reach over the borders of
-- batches. What a run goes on with is the position (batch and steps of it), the steps before it that the next window
-- begins with, and the state there.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local memory_plan = require "rondo.memory_plan"
local evaluation = require "rondo.trainer_evaluation"
local parts = require "rondo.parts"
local playback = require "rondo.playback"
local random = require "rondo.random"
local release_states = require("rondo.sequential").release_states

local bptt = {}

-- ---- batches as parts -----------------------------------------------------------------------------------

-- Gives back the batches before number k; all of them without.
function bptt.forget(self, source, k)
  for i, read in pairs(self.batches_read) do
    if not k or i < k then
      if source.releases and read.x then
        evaluation.release_batch(read.x, read.y, read.how, read.weight)
      end
      self.batches_read[i] = nil
    end
  end
end

-- Batch k of this epoch, read once.
local function parts_of(self, source, k)
  if self.epoch_read ~= self.epoch then
    bptt.forget(self, source)
    self.epoch_read = self.epoch
  end
  local cache = self.batches_read
  if not cache[k] then
    cache[k] = self:parts_of(source, k, self.epoch + 1)
  end
  return cache[k]
end

-- The n steps behind the position, as far as there are any, in ranges of batches.
local function new_steps(self, source, n)
  local list, k, from = {}, self.position + 1, self.offset + 1
  while n > 0 and k <= #source do
    local read = parts_of(self, source, k)
    local to = math.min(read.steps, from + n - 1)
    if to >= from then
      list[#list + 1] = { parts = read, k = k, from = from, to = to, counts = true }
      n = n - (to - from + 1)
    end
    if not source.stateful then
      break
    end
    k, from = k + 1, 1
  end
  return list
end

-- The n steps before it, put before the ranges of a list.
local function old_steps(self, source, n, list)
  local k, to = self.position + 1, self.offset
  while n > 0 do
    if to > 0 then
      local from = math.max(1, to - n + 1)
      table.insert(list, 1, { parts = parts_of(self, source, k), k = k, from = from, to = to, counts = false })
      n = n - (to - from + 1)
    end
    k = k - 1
    to = n > 0 and parts_of(self, source, k).steps or 0
  end
  return list
end

local function steps_of(list)
  local n = 0
  for _, range in ipairs(list) do
    n = n + range.to - range.from + 1
  end
  return n
end

-- Cuts ranges where one of `borders` (steps from the beginning, ascending) lies.
local function cut(list, borders, at)
  local pieces, before, b = { }, 0, 1
  for _, range in ipairs(list) do
    local from, last = range.from, before + range.to - range.from + 1
    while borders[b] and borders[b] <= before do
      b = b + 1
    end
    local begins = before
    while from <= range.to do
      local ends = borders[b] and borders[b] < last and borders[b] or last
      local to = from + ends - begins - 1
      pieces[#pieces + 1] = { parts = range.parts, from = from, to = to, at = at + begins, counts = range.counts }
      from, begins = to + 1, ends
      b = borders[b] == ends and b + 1 or b
    end
    before = last
  end
  return pieces
end

-- The pieces of a window, cut where a state is to be kept and into segments of at most `size` steps.
local function pieces_of(list, keep_at, size, at)
  local n, borders, seen = steps_of(list), {}, {}
  local function border(step)
    if step > 0 and step < n and not seen[step] then
      seen[step] = true
      borders[#borders + 1] = step
    end
  end
  border(keep_at)
  local count = size and (n + size - 1) // size or 1
  for i = 1, count - 1 do
    border(i * n // count)
  end
  table.sort(borders)
  local window = cut(list, borders, at)
  for i, piece in ipairs(window) do
    if piece.at - at + piece.to - piece.from + 1 == keep_at then
      window.keep = i
    end
  end
  return window
end

-- ---- an update --------------------------------------------------------------------------------------------

-- A model with one output for a sequence has one update for each.
local function check_outputs(self, source)
  local o, steps = self.bptt, parts_of(self, source, self.position + 1).steps
  if self.per_step then
    return
  elseif source.stateful then
    errors.raise("Trainer: bptt: the model gives one output for all steps of a batch; a stream needs one for each step")
  elseif o.given_k1 and o.given_k1 < steps then
    errors.raise("Trainer: bptt: the model gives one output for a sequence of %d steps, so there is one update for "
      .. "each; give k2 alone, the steps that gradient flows over, and not k1 = %d", steps, o.given_k1)
  end
end

-- Plays ranges of steps; size: of segments, nil for all at once. Returns sum, count and the states at `keep_at`.
local function play(self, list, how)
  local window = pieces_of(list, how.keep_at, how.size, how.at or 0)
  window.trainer, window.stateful, window.share = self, how.stateful, how.share
  window.budget = self.memory
  window.replays, window.refuse = how.size ~= nil, memory_plan.refuse_holes
  if not self.per_step then
    for i, piece in ipairs(window) do
      piece.counts = i == #window
    end
  end
  return playback.play(window, how.states)
end

-- Trains on a whole batch in segments, as Trainer:train_step does at once.
function bptt.in_segments(self, batch, size)
  local read = batch.parts or parts.of_batch(self.model, batch, self.per_step)
  local list = { { parts = read, from = 1, to = read.steps, counts = true } }
  local sum, count, after = play(self, list, { keep_at = read.steps, size = size, states = batch.states,
    stateful = batch.stateful, share = batch.share })
  if not batch.stateful then
    release_states(after)
    after = nil
  end
  return sum, count, after
end

local LENGTHS = 0x6B31 -- in the numbering of layers: whose numbers are lengths of updates
local SHORTEST = 5     -- as Merity et al. have it

-- Steps of the next update: k1, or (Merity, Keskar and Socher 2018, section 4.1) drawn around it.
local function length_of(self)
  local o = self.bptt
  if o.random == 0 then
    return o.k1
  end
  local stream = { seed = random.seed(), purpose = "shuffle", layer = LENGTHS, update = self.step & 0xffffffff }
  local base = core.uniform(stream, 0, 0) < o.half and o.k1 / 2 or o.k1
  stream.layer = LENGTHS + 1
  local z <close> = core.zeros { 1 }:fill_normal(0, 1, stream)
  return math.max(math.min(SHORTEST, o.k1), math.floor(base + o.random * z:item()))
end

-- At the beginning of a sequence: the states after the steps that only bring them about, and how many these are.
local function burn_in(self, source)
  local n = self.bptt.burn_in
  local first = parts_of(self, source, self.position + 1)
  if not self.per_step and self.bptt.k2 then
    n = math.max(n, first.steps - self.bptt.k2)
  end
  if n == 0 then
    return 0
  end
  local list = new_steps(self, source, n)
  if steps_of(list) < n or not source.stateful and first.steps <= n then
    errors.raise("Trainer: bptt: burn_in is %d, and a sequence has only %d steps", n, steps_of(list))
  end
  local size = self.planned and self.planned:segment(n, first.rows) or n
  local window = pieces_of(list, n, size, 0)
  window.trainer, window.stateful = self, source.stateful
  self.states = playback.pass(window, nil)
  local last = list[#list]
  self.position, self.offset = last.k - 1, last.to
  if last.to == last.parts.steps then
    self.position, self.offset = last.k, 0
  end
  return n
end

-- Moves on behind what was played. Returns whether the sequence has ended.
local function advance(self, source, last)
  self.position, self.offset = last.k - 1, last.to
  if last.to < last.parts.steps then
    return false
  end
  self.position, self.offset = last.k, 0
  return not source.stateful or self.position >= #source
end

-- Steps of the next window that have no loss of its own: k2 less its new ones, of which the end of a sequence may have
-- fewer than k1. A stream's end is not looked for.
local function tail_of(self, source, last)
  local o = self.bptt
  local new = o.k1 or 0
  if not source.stateful and o.random == 0 then
    new = math.min(new, last.parts.steps - last.to)
  end
  return (o.k2 or 0) - new
end

-- Plays one update of a source: the loss's sum and count.
function bptt.one_window(self, source)
  local o = self.bptt
  random.set_update(self.step)
  check_outputs(self, source)
  local starts = self.states == nil and self.tail == 0 and self.offset == 0
  local at = starts and burn_in(self, source) or 0
  local list = new_steps(self, source, self.per_step and length_of(self)
    or parts_of(self, source, self.position + 1).steps - self.offset)
  local n, last = steps_of(list), list[#list]
  self.lr_factor = o.random > 0 and n / o.k1 or nil
  old_steps(self, source, self.tail, list)
  local ended = advance(self, source, last)
  local tail = ended and 0 or math.min(self.tail + n, tail_of(self, source, last))
  local keep_at = self.tail + n - tail
  local size = self.planned and self.planned:segment(self.tail + n, last.parts.rows)
  local sum, count, after = play(self, list, { keep_at = keep_at, size = size, states = self.states, at = at,
    stateful = source.stateful })
  if keep_at > 0 then
    release_states(self.states)
    self.states = after
  else
    release_states(after)
  end
  self.tail = tail
  if ended and not source.stateful then
    release_states(self.states)
    self.states = nil
  end
  bptt.forget(self, source, bptt.first_batch(self, source))
  return sum, count
end

-- The number of the batch that the next window begins in.
function bptt.first_batch(self, source)
  local k, n = self.position + 1, self.tail - self.offset
  while n > 0 do
    k = k - 1
    n = n - parts_of(self, source, k).steps
  end
  return k
end

-- Updates of an epoch, for who watches: of batches that are as long as the first.
function bptt.updates(self, source)
  local steps, o = parts_of(self, source, math.min(self.position + 1, #source)).steps, self.bptt
  if not (self.per_step and o.k1) then
    return #source
  elseif source.stateful then
    return (#source * steps + o.k1 - 1) // o.k1
  end
  return #source * ((steps - o.burn_in + o.k1 - 1) // o.k1)
end

return bptt
