-- screen.lua - how a sweep looks: a line for all and one for each running trial, redrawn; elsewhere one as each ends.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local better = require("rondo.callbacks").better
local figures = require "rondo.sweep.figures"
local plain = require "rondo.plain"
local progress = require "rondo.progress"
local sorted = require("rondo.sorted").sorted
local text_of = require("rondo.sweep.space").text_of

local screen = {}

local REDRAW_SECONDS = 0.5
local MOST_LINES = 16

local Screen = {}
Screen.__index = Screen

local function value_text(value)
  if type(value) ~= "table" then
    return plain(text_of(value))
  end
  local list = {}
  for i, entry in ipairs(value) do
    list[i] = value_text(entry)
  end
  return table.concat(list, " ")
end
screen.value_text = value_text

function screen.params_text(params)
  local parts = {}
  for name, value in sorted(params) do
    parts[#parts + 1] = ("%s %s"):format(name, value_text(value))
  end
  return table.concat(parts, ", ")
end

local function run_name(run)
  return ("trial %d%s"):format(run.trial, run.seed and (", seed %d"):format(run.seed) or "")
end

function screen.new(o)
  local view = progress.new(o.progress, "auto", o.quiet)
  return setmetatable({ bar = view.bar, lines = view.lines, quiet = view.quiet, monitor = o.monitor, mode = o.mode,
    out = o.out, drawn = 0, height = 0, counts = {}, started = core.time() }, Screen)
end

local function count(self, run)
  local state = run.state and run.state.state or "waiting"
  self.counts[state] = (self.counts[state] or 0) + 1
  if state == "done" and better(run.state.value, self.best, self.mode, 0) then
    self.best, self.best_run = run.state.value, run
  end
end

function Screen:begin(list)
  self.list = list
end

local function summary(self)
  self.counts = {}
  for _, run in ipairs(self.list) do
    count(self, run)
  end
  local c = self.counts
  local bad = (c.failed or 0) + (c.diverged or 0)
  return ("%s: %d of %d done%s%s, %s%s"):format(self.out, (c.done or 0) + (c.paused or 0), #self.list,
    c.paused and (" (%d paused)"):format(c.paused) or "", bad > 0 and (", %d failed"):format(bad) or "",
    progress.clock(core.time() - self.started), self.best and (", best %s %.4f (%s)"):format(self.monitor, self.best,
    run_name(self.best_run)) or "")
end

local function running_line(run)
  local last = figures.last(run.folder)
  local parts = { ("  %s: %s"):format(run_name(run), screen.params_text(run.params)) }
  if last.step then
    parts[#parts + 1] = ("step %d"):format(last.step)
  end
  for _, name in ipairs { "loss", "val_loss" } do
    if last[name] then
      parts[#parts + 1] = ("%s %.4f"):format(name, last[name])
    end
  end
  return table.concat(parts, " - ")
end

-- The first columns of a line of UTF-8, a character a column.
local function cut(line, columns)
  local n = utf8.len(line)
  return n and n > columns and line:sub(1, utf8.offset(line, columns + 1) - 1) or n and line or line:sub(1, columns)
end

function Screen:draw(running, force)
  local now = core.time()
  if not self.bar or (not force and now - self.drawn < REDRAW_SECONDS) then
    return
  end
  self.drawn = now
  local lines = { summary(self) }
  for i = 1, math.min(#running, MOST_LINES) do
    lines[#lines + 1] = running_line(running[i].run)
  end
  if #running > MOST_LINES then
    lines[#lines + 1] = ("  and %d more"):format(#running - MOST_LINES)
  end
  self:clear()
  local columns = math.max(10, core.columns() - 1)
  for _, line in ipairs(lines) do
    io.stderr:write(cut(line, columns), "\n")
  end
  io.stderr:flush()
  self.height = #lines
end

function Screen:clear()
  if self.height > 0 then
    io.stderr:write(("\27[%dA\27[J"):format(self.height))
    self.height = 0
  end
end

-- A line that stays.
function Screen:say(text, always)
  if always or not self.quiet then
    self:clear()
    io.stderr:write(text, "\n")
    io.stderr:flush()
  end
end

local function ended_text(run)
  local s = run.state
  if s.state == "done" then
    return nil
  elseif s.state == "paused" then
    return ("paused at step %d"):format(s.step)
  end
  local why = plain(tostring(s.why)):gsub("^rondo: ", "")
  return s.state == "diverged" and why or ("failed: %s"):format(why)
end

function Screen:ended(run)
  local s = run.state
  local text = ended_text(run) or ("%s %.6g"):format(self.monitor, s.value)
  local all = summary(self):match ": (%d+ of %d+ done.-), %d+:"
  self:say(("%s: %s (%s) - %s"):format(run_name(run), text, screen.params_text(run.params), all),
    s.state == "failed")
  if s.state == "failed" and s.log and #s.log > 1 then
    self:say(("  %s/log.txt before that:"):format(run.folder), true)
    for i = 1, #s.log - 1 do
      self:say("    " .. plain(s.log[i]), true)
    end
  end
end

function Screen:restarted(run, how)
  self:say(("%s: %s; going on with it"):format(run_name(run), how.signal and ("ended by signal %d"):format(how.signal)
    or "stopped by a signal"))
end

return screen
