-- memory_plan.lua - what memory a training takes, and how long its segments may be: trainer:plan(), rondo plan.
--
-- Nothing here knows what a layer keeps. A few steps of the model itself are trained, and the core says what was asked
-- of its pool meanwhile: what a step more takes, and what a border between segments. Both grow evenly, so that these
-- few steps tell the memory of any number; the length that is chosen is then tried as it is. With n steps, of a bytes
-- each, and borders of b bytes, segments of s steps take a s + b n / s: at least 2 sqrt(a b n), at s = sqrt(b n / a).
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local expect = require "rondo.expect"
local figures = require "rondo.figures"
local options = require "rondo.options"
local parts = require "rondo.parts"
local playback = require "rondo.playback"
local random = require "rondo.random"
local release_states = require("rondo.sequential").release_states

local memory_plan = {}

local MOST_STEPS = 1 << 40
local UNITS = { B = 1, KB = 1 << 10, MB = 1 << 20, GB = 1 << 30 }

-- "64MB", "1.5 GB" or a number of bytes, as bytes.
function memory_plan.bytes(given)
  if math.type(given) == "integer" and given > 0 then
    return given
  end
  local number, unit
  if type(given) == "string" then
    number, unit = given:upper():match "^%s*([%d.]+)%s*([KMG]?I?B)%s*$"
    unit = unit and unit:gsub("I", "")
  end
  number = tonumber(number)
  if not number or number <= 0 or not UNITS[unit] then
    errors.raise("Trainer: memory must be like \"64MB\" or \"1.5GB\", got %s", type(given) == "string"
      and "'" .. given .. "'" or tostring(given))
  end
  return math.floor(number * UNITS[unit])
end

-- 28 MB, 1.4 MB, 410 KB.
function memory_plan.text(bytes)
  for _, unit in ipairs { "GB", "MB", "KB" } do
    local n = bytes / UNITS[unit]
    if n >= 0.9995 then
      return ((n < 9.95 and "%.1f %s" or "%.0f %s"):format(n, unit):gsub("%.0 ", " "))
    end
  end
  return ("%d bytes"):format(bytes)
end

local function thousands(n)
  return (("%d"):format(n):reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", ""))
end

-- ---- measuring ----------------------------------------------------------------------------------------------

-- Trains on `count` pieces of `size` steps, replayed or at once. Its gradients are of no use.
local function train_on(self, read, size, count)
  local window = { trainer = self, stateful = read.stateful, replays = count > 1, refuse = function() end }
  for i = 1, count do
    window[i] = { parts = read, from = (i - 1) * size + 1, to = math.min(i * size, read.steps), at = (i - 1) * size,
      counts = self.per_step or i == count }
  end
  local _, _, after = playback.play(window, nil)
  release_states(after)
end

-- The most that is asked of the pool while f runs, beyond what was there, and what of it is packed for a product.
local function peak_of(f, ...)
  local before = core.memory().asked_bytes
  core.new_peaks()
  f(...)
  local seen = core.memory()
  return seen.asked_peak - before, seen.packed_at_peak
end

-- Steps that are tried first, and rows of all of them: fewer have products of another kind.
local FEW, SHORT, LEAST_ROWS, ROWS = 4, 16, 128, 512
local LEAST_STEPS = 6       -- of a sequence that is cut: three segments tell of any number

-- Memory of one batch, with its rows: of a step and of a border, and what comes on top.
local function measure(self, read, budget)
  local plan = { steps = read.steps, rows = read.rows }
  local enough = math.max(SHORT, ROWS // read.rows)
  local few = math.min(FEW, read.steps)
  train_on(self, read, few, 1) -- now gradients, packed weights and the like are there
  if budget then -- what is tried is to stay within it too
    local step = peak_of(train_on, self, read, few, 1) / few
    enough = math.min(enough, math.max(SHORT, LEAST_ROWS // read.rows, math.floor(0.45 * budget / step)))
  end
  local short = math.max(1, math.min(enough, read.steps // 2))
  local one, packed = peak_of(train_on, self, read, short, 1)
  local long = math.min(read.steps, 2 * short)
  local more, more_packed = peak_of(train_on, self, read, long, 1)
  local d = math.max(1, long - short)
  if packed == 0 or more_packed < packed then -- the two peaks are not of one moment
    packed, more_packed = 0, 0
  end
  plan.packed_step = (more_packed - packed) / d
  plan.packed_fixed = packed - plan.packed_step * short
  plan.step = (more - one) / d - plan.packed_step
  plan.fixed = one - packed - plan.step * short
  if read.steps >= LEAST_STEPS then
    short = math.min(enough, read.steps // 6)
    long = 2 * short
    local three, four = peak_of(train_on, self, read, short, 3), peak_of(train_on, self, read, short, 4)
    local larger = peak_of(train_on, self, read, long, 3)
    plan.border = four - three
    -- what little that few steps take may be less than what there is besides; a segment takes what a whole does
    plan.segment_step = math.max((larger - three) / (long - short), plan.step + plan.packed_step)
    plan.segment_fixed = three - plan.segment_step * short - 3 * plan.border
  end
  return plan
end

-- ---- the plan -----------------------------------------------------------------------------------------------

local Plan = {}
Plan.__index = Plan

-- Bytes of a batch of so many steps played at once, and in segments. What is packed for a product has a limit.
local function whole_bytes(self, steps, rows)
  local packed = math.min(self.packed_fixed + self.packed_step * steps, core.packed_at_once)
  return self.kept + (self.fixed + self.step * steps + packed) * rows / self.rows + self.input * steps * rows
end

local function bytes_in_segments(self, steps, size, rows)
  local count = (steps + size - 1) // size
  size = (steps + count - 1) // count -- they are of equal length
  local tried = self.tried[size]
  local segment = tried and tried.bytes - tried.count * self.border or self.segment_fixed + self.segment_step * size
  return self.kept + (segment + self.border * count) * rows / self.rows + self.input * steps * rows
end

-- The length of segments that takes least: by the formula, or one that was tried and takes less.
local function least_size(self, steps, rows)
  local formula = math.sqrt(self.border * steps / math.max(1, self.segment_step))
  local least = math.max(1, math.min(steps // 2, math.floor(formula + 0.5)))
  local bytes = bytes_in_segments(self, steps, least, rows)
  for size in pairs(self.tried) do
    local b = bytes_in_segments(self, steps, size, rows)
    if size * 2 <= steps + 1 and (b < bytes or b == bytes and size < least) then
      least, bytes = size, b
    end
  end
  return least
end

local function largest_size(self, steps, rows, least)
  local room = self.budget - self.kept - self.input * steps * rows
  local size = math.floor((room * self.rows / rows - self.segment_fixed) / math.max(1, self.segment_step))
  size = math.max(least, math.min(size, (steps + 1) // 2))
  while size > least and bytes_in_segments(self, steps, size, rows) > self.budget do
    local n = (steps + size - 1) // size -- one segment more
    size = math.max(least, math.min(size - 1, (steps + n) // (n + 1)))
  end
  return size
end

-- The length of segments for a batch, or nil where all of it may be played at once.
function Plan:segment(steps, rows)
  steps = expect.integer("plan: the number of steps", steps, 1, MOST_STEPS)
  rows = expect.integer("plan: the number of rows", rows == nil and self.rows or rows, 1, MOST_STEPS)
  if not self.budget or whole_bytes(self, steps, rows) <= self.budget then
    return nil
  end
  if self.sure and self.sure.steps == steps and rows == self.rows then
    return self.sure.size
  end
  local least = self.border and least_size(self, steps, rows) or steps
  local size = self.border and largest_size(self, steps, rows, least) or steps
  local bytes = self.border and bytes_in_segments(self, steps, size, rows) or whole_bytes(self, steps, rows)
  if bytes > self.budget then
    errors.raise("Trainer: memory: %s are too little: %s steps of %d rows need at least %s (%s)",
      memory_plan.text(self.budget), thousands(steps), rows, memory_plan.text(bytes), self.border
      and ("in segments of %d steps"):format(size) or "there is nothing to be cut")
  end
  return size
end

-- The longest of those that were tried and fit: of these the memory is known, not expected.
local function longest_tried(self, steps, rows)
  local longest
  for size in pairs(self.tried) do
    if bytes_in_segments(self, steps, size, rows) <= self.budget and size > (longest or 0) then
      longest = size
    end
  end
  return longest and { steps = steps, size = longest }
end

-- What a batch of so many steps takes, in numbers.
function Plan:of(steps)
  steps = expect.integer("plan: the number of steps", steps == nil and self.steps or steps, 1, MOST_STEPS)
  local facts = { steps = steps, rows = self.rows, budget = self.budget, whole = whole_bytes(self, steps, self.rows),
    kept = self.kept + self.input * steps * self.rows }
  if self.border then
    facts.least = { steps = least_size(self, steps, self.rows) }
    facts.least.bytes = bytes_in_segments(self, steps, facts.least.steps, self.rows)
    local fits, size = pcall(self.segment, self, steps)
    if self.budget then
      facts.fits = fits
      facts.segment = fits and size and { steps = size, bytes = bytes_in_segments(self, steps, size, self.rows) } or nil
    end
    facts.time = self.time
  end
  return facts
end

local function line_of(what, segment, time)
  return ("  %-28s %s%s"):format(what:format(segment.steps), memory_plan.text(segment.bytes),
    time and (", %.1f times the time"):format(time) or "")
end

function Plan:__tostring()
  local f = self:of(self.asked_steps)
  local lines = { ("T = %s steps of %d rows need %s at once; %s of it are weights, optimizer and the batch"):format(
    thousands(f.steps), f.rows, memory_plan.text(f.whole), memory_plan.text(f.kept)) }
  if f.least then
    lines[#lines + 1] = line_of("least, in segments of %d:", f.least, f.time)
  end
  if f.budget and f.segment then
    lines[#lines + 1] = line_of("for " .. memory_plan.text(f.budget) .. ", segments of %d:", f.segment, f.time)
  elseif f.budget and f.whole <= f.budget then
    lines[#lines + 1] = ("  %s are enough for all at once"):format(memory_plan.text(f.budget))
  elseif f.budget then
    lines[#lines + 1] = ("  %s are too little"):format(memory_plan.text(f.budget))
  end
  return table.concat(lines, "\n")
end
Plan.__name = "rondo.Plan"

-- A length as it is played (segments are of equal length), and how many of them tell all.
local function played(steps, size)
  local count = (steps + size - 1) // size
  return (steps + count - 1) // count, math.min(count, 3)
end

-- Tries a length as it is. Two of them tell what a step more takes better than few steps do.
local function try_size(self, trainer, read, steps, size)
  local count
  size, count = played(steps, size)
  if self.tried[size] or size * (count - 1) >= read.steps then
    return
  end
  local bytes = peak_of(train_on, trainer, read, size, count)
  self.tried[size] = { bytes = bytes, count = count }
  local here = bytes - count * self.border
  local near
  for other in pairs(self.tried) do
    local distance = math.abs(other - size)
    near = distance > 0 and (not near or distance < math.abs(near - size)) and other or near
  end
  local known = near and self.tried[near]
  local step = near and (here - known.bytes + known.count * self.border) / (size - near) or 0
  if step > 0 then
    self.segment_step, self.segment_fixed = step, here - step * size
  end
end

-- Multiplications of products while f runs.
local function work_of(f, ...)
  core.profile(true)
  f(...)
  core.profile(false)
  local sum = 0
  for _, kind in ipairs(core.profile()) do
    sum = sum + kind.flops
  end
  return sum
end

-- What the work in segments is of that at once: the time follows it, and it does not depend on who else is at work.
local function time_of(trainer, read, steps, size)
  local count
  size, count = played(steps, size)
  if size * count > read.steps then
    return nil
  end
  local at_once = work_of(train_on, trainer, read, size, 1)
  local first = work_of(train_on, trainer, read, size, count) - count * at_once -- all but the last one twice
  return at_once > 0 and 1 + first / (count - 1) / at_once or nil
end

-- The memory that training on batches like `read` takes. `kept`: bytes that are there all the time.
local function new(trainer, read, how)
  random.set_update(trainer.step)
  local calls = random.calls()
  local self = setmetatable(measure(trainer, read, how.budget), Plan)
  self.budget, self.asked_steps, self.tried = how.budget, how.steps, {}
  collectgarbage()
  self.kept = core.memory().asked_bytes - how.input_bytes
  self.input = how.input_bytes / (read.steps * read.rows) -- of a step of a row
  if self.border then
    local steps = how.steps or read.steps
    local chosen = least_size(self, steps, read.rows)
    try_size(self, trainer, read, steps, chosen)
    for i = 1, 4 do
      local fits, size = pcall(self.segment, self, steps)
      chosen = fits and size or chosen
      if not fits then -- the formula is of even growth, and some products come with a length
        local least = least_size(self, steps, read.rows)
        chosen = math.max(1, i % 2 == 1 and least * 2 // 3 or least * 3 // 2)
      end
      try_size(self, trainer, read, steps, chosen)
    end
    self.sure = self.budget and longest_tried(self, steps, read.rows)
    self.time = time_of(trainer, read, steps, chosen)
      or time_of(trainer, read, steps, least_size(self, steps, read.rows))
  end
  if self.budget and (read.holes or read.resets) and whole_bytes(self, read.steps, read.rows) > self.budget then
    memory_plan.refuse_holes()
  end
  local fits, size = pcall(self.segment, self, read.steps)
  self.cuts = self.budget and (not fits or size) and true or false
  random.calls(calls)
  random.set_update(trainer.step)
  for _, p in ipairs(trainer.parameters) do
    p:zero_grad()
  end
  collectgarbage()
  core.trim()
  return self
end

function memory_plan.refuse_holes()
  errors.raise("Trainer: memory: resets, and masks with holes inside a sequence, part its rows in a way that only the "
    .. "whole sequence has; leave the option memory out, or give lengths")
end

-- The plan for the first batch of a source, or for updates of `window` steps of it. input_bytes: what the batch itself
-- holds, where it is as long as what is planned.
function memory_plan.of(trainer, source, how)
  parts.check(how.what or "Trainer: memory", trainer.model, trainer.loss)
  if parts.has(trainer.model, "ActivityRegularization") then
    errors.raise("Trainer: memory: ActivityRegularization adds a mean over the whole sequence to the loss, which "
      .. "cannot be read in segments")
  end
  collectgarbage()
  collectgarbage() -- what a finalizer has let go of
  local before = core.memory().asked_bytes
  local read = trainer:parts_of(source, trainer.position % #source + 1, trainer.epoch + 1)
  read.stateful = source.stateful
  local window = how.window and (source.stateful and how.window or math.min(how.window, read.steps))
  local inputs = (source.part or window) and 0 or math.max(core.memory().asked_bytes - before, 0)
  local plan = new(trainer, read, { budget = how.budget, steps = how.steps or window, input_bytes = inputs })
  trainer:release_parts(source, read)
  return plan
end

local plan_specs = {
  { name = "steps", kind = "int", min = 1, max = 1 << 40, help = "T, where it is not that of the first batch" },
  { name = "memory", kind = "any", help = "\"64MB\": the budget, where it is not the Trainer's" },
}

-- Instead of a training, what it would take: fit() asks for it (`rondo plan`).
function memory_plan.instead(trainer, source)
  local plan = memory_plan.ask(trainer, source)
  print(plan)
  local rest = core.rss() - core.memory().held_bytes
  print(("  besides: the program and its libraries, %s here"):format(memory_plan.text(math.max(rest, 1))))
  errors.stop(0)
end

-- trainer:plan(): the plan for a source, which nothing is trained on. With bptt it is that of an update.
function memory_plan.ask(trainer, source, given)
  local o = options.resolve("Trainer:plan", plan_specs, given)
  source = source and figures.source(source) or trainer.source
  if not source then
    errors.raise("Trainer:plan: give a source of batches, as fit() gets one")
  end
  if not trainer.parameters then
    trainer:bind(source)
  end
  local model, was = trainer.model, trainer.model.training
  model:train()
  trainer:prepare_parts(source, "Trainer:plan")
  local plan = memory_plan.of(trainer, source, { what = "Trainer:plan", steps = o.steps,
    window = not o.steps and trainer.bptt and trainer.bptt.k2 or nil,
    budget = o.memory and memory_plan.bytes(o.memory) or trainer.memory })
  model:train(was)
  return plan
end

return memory_plan
