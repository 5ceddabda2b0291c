-- report/init.lua - a report: what happened in runs, as one HTML file that needs nothing else and asks nobody.
--
-- Tables are HTML and read without a script. Curves are drawn by uPlot, which is put into the file, where
-- scripts/setup.sh report has fetched it; else they are SVG by gnuplot; without both there are the tables. The page's
-- security policy lets run what is in the file alone, named by its sum, and loads nothing.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local forecasts = require "rondo.report.forecasts"
local curves = require "rondo.plot.curves"
local page = require "rondo.report.page"
local records = require "rondo.run_records"
local run_facts = require "rondo.run_facts"
local progress = require "rondo.progress"
local script = require "rondo.plot.script"
local sections = require "rondo.report.sections"
local trials = require "rondo.report.trials"
local uplot = require "rondo.report.uplot"

local report = {}

local MOST_POINTS, CURVE_POINTS, FEWEST_POINTS = 400000, 2000, 100 -- in the file, and of one curve
local MOST_FORECASTS = 12
local NOT_SHOWN = { tokens = true } -- it is what the steps say
local LATER = { lr = 1, grad_norm = 2, tokens_per_s = 3 } -- of less interest than losses and metrics
-- Options that say how a run was started, not what it is.
local NOT_OPTIONS = { run_dir = true, resume = true, overwrite = true, quiet = true, progress = true, color = true,
  config = true, tensorboard = true }

-- ---- what runs have --------------------------------------------------------------------------------------

-- Names of options, sorted: those that differ between runs, and those that are the same in all.
local function options_of(runs)
  local seen, differing, common = {}, {}, {}
  for _, run in ipairs(runs) do
    for name in pairs(run.facts.options) do
      if not NOT_OPTIONS[name] then
        seen[name] = true
      end
    end
  end
  for name in pairs(seen) do
    local first, same = page.shown(runs[1].facts.options[name]), true
    for _, run in ipairs(runs) do
      same = same and page.shown(run.facts.options[name]) == first
    end
    table.insert(same and common or differing, name)
  end
  table.sort(differing)
  table.sort(common)
  return differing, common
end

-- Groups of figures: loss first, then metrics, then what the optimizer says.
local function groups_of(logs)
  local names = {}
  for _, name in ipairs(records.figures(logs)) do
    names[#names + 1] = not NOT_SHOWN[name] and name or nil
  end
  local groups = curves.groups(names)
  local rank = function(group) return group.kind == "loss" and 0 or 1 + (LATER[group.kind] or 0) end
  table.sort(groups, function(a, b)
    if rank(a) ~= rank(b) then
      return rank(a) < rank(b)
    end
    return a.kind < b.kind
  end)
  return groups
end

-- Curves of a log for the page, thinned to `most` points: { figure = { step =, epoch =, t =, y = } }.
local function curves_of(log, groups, most)
  local all = {}
  for _, group in ipairs(groups) do
    for _, figure in ipairs(group) do
      local steps, ys = records.curve(log, figure)
      if #ys > 0 then
        local curve = { step = steps, y = ys, epoch = (records.curve(log, figure, "epoch")),
          t = (records.curve(log, figure, "t")) }
        local places = #ys > most and script.thinned(ys, most // 2)
        for name, values in pairs(places and curve or {}) do
          local kept = {}
          for i, place in ipairs(places) do
            kept[i] = values[place] or 0 / 0
          end
          curve[name] = kept
        end
        all[figure] = curve
      end
    end
  end
  return all
end

-- ---- sections --------------------------------------------------------------------------------------------

-- lines: rows belong to the lines of the parallel coordinates.
local function runs_section(runs, differing, groups, lines)
  local heads, rows = { "run" }, {}
  for _, name in ipairs(differing) do
    heads[#heads + 1] = name
  end
  local last = {}
  for _, group in ipairs(groups) do
    for _, figure in ipairs(group) do
      last[#last + 1] = not LATER[figure] and figure or nil
    end
  end
  local best = runs[1].facts.best and runs[1].facts.best.figure or "loss"
  table.move({ "best " .. best, "at step" }, 1, 2, #heads + 1, heads)
  table.move(last, 1, #last, #heads + 1, heads)
  table.move({ "step", "time", "state" }, 1, 3, #heads + 1, heads)
  for i, run in ipairs(runs) do
    local facts, row, n = run.facts, { { html = sections.dot(i) .. page.html(run.name) } }, 1
    local function put(value)
      n = n + 1
      row[n] = value
    end
    for _, name in ipairs(differing) do
      put(facts.options[name])
    end
    put(facts.best and facts.best.value)
    put(facts.best and facts.best.step)
    for _, figure in ipairs(last) do
      put(facts.last[figure])
    end
    put(facts.steps and ("%d/%d"):format(facts.step, facts.steps) or facts.step)
    put(progress.clock(facts.seconds))
    put(facts.state)
    rows[i] = row
  end
  return ("<section><h2>Runs</h2>%s</section>\n"):format(page.table(heads, rows, { class = "sortable", id = "runs",
    row = function(r) return lines and (' data-line="%d"'):format(r - 1) or "" end }))
end

local CURVES = '<h2>Curves</h2><div id="controls" class="controls"></div>\n'

-- ---- the page --------------------------------------------------------------------------------------------

local function own_file(name)
  local folder = debug.getinfo(1, "S").source:match "^@(.*)init%.lua$"
  local file <close> = assert(io.open(folder .. name, "rb"))
  return (file:read "a")
end

local function collect(paths)
  local logs, message, code = records.open_all(paths)
  if not logs then
    return nil, message, code
  end
  local groups = groups_of(logs)
  local figures = 0
  for _, group in ipairs(groups) do
    figures = figures + #group
  end
  local most = math.min(math.max(MOST_POINTS // math.max(1, #logs * figures * 4), FEWEST_POINTS), CURVE_POINTS)
  local runs, found, of_run = {}, {}, {}
  for i, log in ipairs(logs) do
    runs[i] = { name = log.name, log = log, facts = run_facts.of(log), curves = curves_of(log, groups, most) }
    local list = forecasts.of(log.folder, log.name)
    table.move(list, 1, math.min(#list, MOST_FORECASTS - #found), #found + 1, found)
    of_run[log.folder] = true
  end
  for _, path in ipairs(paths) do -- the forecasts of an ensemble lie above its runs
    path = #path > 1 and path:gsub("/+$", "") or path
    local list = not of_run[path] and forecasts.of(path, path) or {}
    table.move(list, 1, math.min(#list, MOST_FORECASTS - #found), #found + 1, found)
  end
  return { logs = logs, groups = groups, runs = runs, forecasts = found }
end

-- The page of run folders (or folders of runs) as a text; or nil, message, code. o: title, sweep (the table of
-- rondo.Sweep, whose trials are then compared in place of the runs).
function report.page(paths, o)
  local all, message, code = collect(paths)
  if not all then
    return nil, message, code
  end
  local runs, groups = all.runs, all.groups
  local files = uplot.files()
  local self = { uplot = files ~= nil }
  local differing, common = options_of(runs)
  local sweep = o and o.sweep
  local lines = sweep and trials.of_sweep(sweep) or #runs > 2 and #differing > 0 and trials.of_runs(runs, differing)
  local title = o and o.title or #paths == 1 and paths[1] or ("%d runs"):format(#runs)
  local diagnoses, diagnosed = sections.diagnoses(self, runs)
  local body = { ("<header><h1>%s</h1><p class=\"soft\">%d %s, written %s</p></header>\n<main>\n"):format(
    page.html(title), #runs, #runs == 1 and "run" or "runs", os.date "!%Y-%m-%d %H:%M UTC"),
    sweep and trials.section(sweep) or "", lines and trials.parallel(lines) or "",
    runs_section(runs, differing, groups, lines and not sweep),
    sections.curves(self, all, CURVES, function(group) return not LATER[group.kind] end),
    sections.forecasts(self, all.forecasts), sections.samples(runs), sections.options(runs, common),
    diagnoses,
    sections.curves(self, all, "<h2>How the training went on</h2>", function(group) return LATER[group.kind] end),
    ("</main>\n<footer>rondo %s%s</footer>\n"):format(page.html(core.VERSION),
      files and "; curves by uPlot " .. uplot.version or "") }
  local data = { colors = sections.colors, runs = {}, groups = {}, forecasts = self.uplot and all.forecasts or {},
    diagnoses = self.uplot and diagnosed or {},
    parallel = lines or nil }
  for i, run in ipairs(runs) do
    data.runs[i] = { name = run.name, curves = self.uplot and run.curves or {} }
  end
  for g, group in ipairs(groups) do
    data.groups[g] = { kind = group.kind, figures = table.move(group, 1, #group, 1, {}) }
  end
  local scripts = { files and files.script, own_file "report.js" }
  return page.whole { title = title, style = (files and files.style .. "\n" or "") .. own_file "report.css",
    scripts = files and scripts or { scripts[2] }, comments = files and { "uPlot " .. uplot.version .. "\n"
    .. files.license }, data = data, body = table.concat(body) }
end

local function write(file, text, message, code)
  if not text then
    return nil, message, code
  end
  local ok, failed = core.write_file(file, text)
  if not ok then
    return errors.outside(failed)
  end
  return true
end

-- The table of the sweep in a folder, or nil where it is none.
local function sweep_in(path)
  if core.stat(path .. "/sweep.json") then
    local sweep, message, code = require("rondo.sweep").open(path)
    if not sweep then
      return nil, message, code
    end
    return sweep:table()
  end
end

-- Writes the report of run folders, or of the folder of a sweep, to a file: true, or nil, message, code.
function report.write(paths, file, o)
  if #paths == 1 then
    local sweep, message, code = sweep_in(paths[1])
    if sweep then
      return report.sweep(sweep, file, o)
    elseif message then
      return nil, message, code
    end
  end
  return write(file, report.page(paths, o))
end

-- Writes the page of a sweep, of which t = sweep:table(), to a file: true, or nil, message, code.
function report.sweep(t, file, o)
  local folders = {}
  for _, trial in ipairs(t.trials) do
    for _, run in ipairs(trial.runs) do
      folders[#folders + 1] = core.stat(run.folder .. "/metrics.jsonl") and run.folder or nil
    end
  end
  if #folders == 0 then
    return errors.outside(("%s: no trial has figures yet"):format(t.out))
  end
  return write(file, report.page(folders, { title = o and o.title or t.out, sweep = t }))
end

return report
