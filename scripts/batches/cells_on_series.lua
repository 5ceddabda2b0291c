--[[ cells_on_series.lua - trains the recipe of time series with several cells on the series that come with Rondo.

usage: rondo run scripts/batches/cells_on_series.lua [--jobs N] [--cells NAME ...] [--data NAME ...] [--into FILE]

A sweep of time_series.lua: a trial is a cell on a series, run with --runs seeds; stopped, it goes on by the same
command. A figure is the mean absolute scaled error on the last part of the series, which nothing was chosen by, with
its standard deviation over the seeds; below them stands the best of the baselines. Ends with status 5 where a training
failed.
SPDX-License-Identifier: MIT ]]
local rondo = require "rondo"
local errors = require "rondo.errors"
local marked = require "rondo.marked"
local result_of = require("rondo.sweep.figures").result

local opt = rondo.args { "Trains several cells on the series that come with Rondo; writes a table.",
  cells = { {}, choices = rondo.plugins.cells, help = "a cell (may be repeated); default vanilla, lstm, gru" },
  data = { {}, choices = { "airline", "co2", "eustockmarkets", "lynx", "nottem", "sunspots" },
    help = "a series (may be repeated); default all" },
  into = { "scripts/README.md", help = "file with the table between its lines 'cells on series: begin' and 'end'; "
    .. "none: print it alone" },
  out = { "runs/cells_on_series", help = "folder of the sweep" },
  jobs = { 1, min = 1, help = "trainings at a time" },
  runs = { 3, min = 1, help = "seeds of each" },
  hidden_size = 32, batch_size = 32, max_steps = 600, threads = 1,
}
local NAME = "cells on series"
local cells = #opt.cells > 0 and opt.cells or { "vanilla", "lstm", "gru" }
-- What is forecast of a series, how many steps ahead, and the steps of its season.
local tasks = {
  airline = { "passengers", 12, "12" }, co2 = { "co2", 12, "12" }, eustockmarkets = { "DAX", 5, "1" },
  lynx = { "trapped", 5, "1" }, nottem = { "temperature", 12, "12" }, sunspots = { "sunspots", 12, "1" },
}
local names = {}
for name in rondo.sorted(tasks) do names[#names + 1] = name end
names = #opt.data > 0 and opt.data or names

if opt.into ~= "none" then
  local ok, message, code = marked.around(opt.into, NAME)
  if not ok then
    errors.stop(code, "--into " .. message)
  end
end

local settings = {}
for _, cell in ipairs(cells) do
  for _, name in ipairs(names) do
    settings[#settings + 1] = { cell = cell, data = name, target = { tasks[name][1] }, horizon = tasks[name][2],
      season = tasks[name][3] }
  end
end
local sweep = rondo.Sweep { script = require("rondo.places").share() .. "/scripts/time_series.lua", out = opt.out,
  space = settings, seeds = opt.runs, monitor = "value", fixed = { metric = "mase", hidden_size = opt.hidden_size,
    batch_size = opt.batch_size, max_steps = opt.max_steps, json = true } }
local failed = sweep:run { jobs = opt.jobs, threads = opt.jobs * math.max(1, opt.threads), quiet = opt.quiet,
  progress = opt.progress, overwrite = opt.overwrite }

-- ---- the table --------------------------------------------------------------------------------------------------

local trials = sweep:table().trials

local function figure(row)
  if not row.value then
    return row.state
  end
  return row.spread and ("%.3f ± %.3f"):format(row.value, row.spread) or ("%.3f"):format(row.value)
end

local head, baselines = { "cell" }, { "best baseline" }
for k, name in ipairs(names) do
  head[k + 1] = ("%s, %d ahead"):format(name, settings[k].horizon)
  local facts = trials[k].state == "done" and result_of(trials[k].runs[1].folder)
  baselines[k + 1] = facts and ("%.3f (%s)"):format(facts.best_value, facts.best_baseline) or ""
end
local lines = { "| " .. table.concat(head, " | ") .. " |", "|" .. ("---|"):rep(#head) }
for i, cell in ipairs(cells) do
  local figures = { ("`%s`"):format(cell) }
  for k in ipairs(names) do
    figures[k + 1] = figure(trials[(i - 1) * #names + k])
  end
  lines[#lines + 1] = "| " .. table.concat(figures, " | ") .. " |"
end
lines[#lines + 1] = "| " .. table.concat(baselines, " | ") .. " |"
lines[#lines + 1] = ("\nMASE on the last fifth; width %d, at most %d updates of %d windows, mean and standard "
  .. "deviation of %d seeds.\n"):format(opt.hidden_size, opt.max_steps, opt.batch_size, opt.runs)
local text = table.concat(lines, "\n")
if opt.into ~= "none" then
  assert(marked.put(opt.into, NAME, text))
end
io.stdout:write(text)
return failed > 0 and errors.BROKEN or 0
