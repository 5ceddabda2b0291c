-- standings.lua - the trials of a sweep beside each other: figures, their spread over seeds, and the order.
-- SPDX-License-Identifier: MIT
local better = require("rondo.callbacks").better
local figures = require "rondo.sweep.figures"
local folder = require "rondo.sweep.folder"
local screen = require "rondo.sweep.screen"

local standings = {}

local BAD = { failed = true, diverged = true }

-- Mean and standard deviation (n - 1) of what the runs have; nil where they have nothing.
local function mean_of(runs)
  local n, sum, squares = 0, 0.0, 0.0
  for _, run in ipairs(runs) do
    if run.value then
      n, sum = n + 1, sum + run.value
    end
  end
  if n == 0 then
    return nil, nil, 0
  end
  local mean = sum / n
  for _, run in ipairs(runs) do
    squares = squares + (run.value and (run.value - mean) ^ 2 or 0)
  end
  return mean, n > 1 and math.sqrt(squares / (n - 1)) or nil, n
end

-- A trial is as far as the least of its runs.
local function state_of(runs)
  local seen = {}
  for _, run in ipairs(runs) do
    seen[run.state] = true
  end
  for _, state in ipairs { "failed", "diverged", "running", "waiting", "paused" } do
    if seen[state] then
      return state
    end
  end
  return "done"
end

local function run_row(self, run)
  local known = folder.state(run.folder) or {}
  local row = { trial = run.trial, seed = run.seed, folder = run.folder, state = known.state or "waiting",
    step = known.step, why = known.why, value = known.value }
  if row.state == "paused" then
    row.value = figures.best(run.folder, self.monitor, self.mode, row.step)
  end
  return row
end

-- Everything about a sweep that a page or a table shows:
-- { out, script, search, monitor, mode, seeds, names = { options of the space, in order }, best = trial or nil,
--   trials = { [i] = { trial, params, state = "waiting" | "running" | "paused" | "done" | "failed" | "diverged",
--              value = mean over seeds, spread = standard deviation or nil, n = runs that have a figure,
--              runs = { { trial, seed, folder, state, step, value, why }, ... } }, ... } }
function standings.table(self)
  local t = { out = self.out, script = self.script, search = self.search, monitor = self.monitor, mode = self.mode,
    seeds = self.seeds, names = self.names, trials = {} }
  for _, run in ipairs(self:runs()) do
    local row = t.trials[run.trial] or { trial = run.trial, params = run.params, runs = {} }
    t.trials[run.trial] = row
    row.runs[#row.runs + 1] = run_row(self, run)
  end
  for i, row in ipairs(t.trials) do
    row.state = state_of(row.runs)
    row.value, row.spread, row.n = mean_of(row.runs)
    if row.state == "done" and better(row.value, t.best and t.trials[t.best].value, self.mode, 0) then
      t.best = i
    end
  end
  return t
end

-- How many trials have a run that failed or diverged.
function standings.failed(self, trials)
  local bad, n = {}, 0
  for _, run in ipairs(self:runs(trials)) do
    local state = folder.state(run.folder)
    if state and BAD[state.state] and not bad[run.trial] then
      bad[run.trial], n = true, n + 1
    end
  end
  return n
end

-- Order: those with a figure and nothing wrong by their figure, then the others; equal ones by number.
local function sort(rows, mode)
  local function rank(row)
    return BAD[row.state] and 2 or row.value and 0 or 1
  end
  table.sort(rows, function(a, b)
    if rank(a) ~= rank(b) then
      return rank(a) < rank(b)
    elseif rank(a) == 0 and a.value ~= b.value then
      return better(a.value, b.value, mode, 0)
    end
    return a.trial < b.trial
  end)
  return rows
end
standings.sort = sort

-- Of a round of halving: the trials that go on, in order of their numbers.
function standings.best_at(self, list, rung)
  local rows, by = {}, {}
  for _, run in ipairs(list) do
    local row = by[run.trial] or { trial = run.trial, runs = {} }
    if not by[run.trial] then
      by[run.trial], rows[#rows + 1] = row, row
    end
    local state = folder.state(run.folder) or {}
    row.runs[#row.runs + 1] = { state = state.state or "waiting",
      value = figures.best(run.folder, self.monitor, self.mode, rung.step) }
  end
  for _, row in ipairs(rows) do
    row.state, row.value = state_of(row.runs), (mean_of(row.runs))
  end
  local chosen = {}
  for i, row in ipairs(sort(rows, self.mode)) do
    if i <= rung.goes_on and not BAD[row.state] then
      chosen[#chosen + 1] = row.trial
    end
  end
  table.sort(chosen)
  return chosen
end

-- ---- as text ----------------------------------------------------------------------------------------------------

local function state_text(row)
  if row.state == "paused" then
    return ("stopped at %d"):format(row.runs[1].step)
  end
  return row.state
end

local function line_of(t, row)
  local cells = { ("%d"):format(row.trial) }
  for _, name in ipairs(t.names) do
    cells[#cells + 1] = row.params[name] == nil and "" or screen.value_text(row.params[name])
  end
  cells[#cells + 1] = row.value and ("%.6g"):format(row.value) or ""
  if t.seeds and t.seeds > 1 then
    cells[#cells + 1] = row.spread and ("%.2g"):format(row.spread) or ""
    cells[#cells + 1] = ("%d"):format(row.n)
  end
  cells[#cells + 1] = state_text(row)
  return cells
end

-- The table for a terminal, the best first.
function standings.text(t)
  local head = table.move(t.names, 1, #t.names, 2, { "trial" })
  head[#head + 1] = t.monitor
  if t.seeds and t.seeds > 1 then
    head[#head + 1], head[#head + 2] = "±", "seeds"
  end
  head[#head + 1] = "state"
  local lines, widths = { head }, {}
  for _, row in ipairs(sort(table.move(t.trials, 1, #t.trials, 1, {}), t.mode)) do
    lines[#lines + 1] = line_of(t, row)
  end
  for _, cells in ipairs(lines) do
    for i, cell in ipairs(cells) do
      widths[i] = math.max(widths[i] or 0, utf8.len(cell) or #cell)
    end
  end
  for k, cells in ipairs(lines) do
    for i, cell in ipairs(cells) do
      cells[i] = cell .. (" "):rep(widths[i] - (utf8.len(cell) or #cell))
    end
    lines[k] = table.concat(cells, "  "):gsub("%s+$", "")
  end
  return table.concat(lines, "\n") .. "\n"
end

return standings
