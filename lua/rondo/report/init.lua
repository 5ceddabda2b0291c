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
local trials = require "rondo.report.trials"
local uplot = require "rondo.report.uplot"

local report = {}

local COLORS = { "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1", "#b8a900" }
local MOST_POINTS, CURVE_POINTS, FEWEST_POINTS = 400000, 2000, 100 -- in the file, and of one curve
local TABLE_ROWS, TABLE_RUNS = 25, 8 -- of the table under a curve
local MOST_SAMPLES, MOST_FORECASTS = 20, 12
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

local function dot(i)
  return ('<svg class="dot" viewBox="0 0 10 10" aria-hidden="true"><circle cx="5" cy="5" r="5" fill="%s"/></svg>')
    :format(COLORS[(i - 1) % #COLORS + 1])
end

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
    local facts, row, n = run.facts, { { html = dot(i) .. page.html(run.name) } }, 1
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

-- Rows of a table under curves: figures of all runs at up to TABLE_ROWS steps.
local function curve_table(runs, group)
  local heads, steps, known, values = { "step" }, {}, {}, {}
  for _, run in ipairs(runs) do
    for _, figure in ipairs(group) do
      local curve = run.curves[figure]
      heads[#heads + 1] = #runs > 1 and run.name .. " " .. figure or figure
      values[#heads] = {}
      for i, step in ipairs(curve and curve.step or {}) do
        values[#heads][step] = curve.y[i]
        if not known[step] then
          known[step], steps[#steps + 1] = true, step
        end
      end
    end
  end
  table.sort(steps)
  local rows, n = {}, math.min(#steps, TABLE_ROWS)
  for k = 1, n do
    local step = steps[n > 1 and 1 + (k - 1) * (#steps - 1) // (n - 1) or 1]
    local row = { step }
    for c = 2, #heads do
      row[c] = values[c][step]
    end
    rows[k] = row
  end
  return page.table(heads, rows), n < #steps
end

-- A picture in the page where uPlot is not there.
local function drawn(self, picture)
  if self.uplot or self.no_gnuplot then
    return ""
  end
  local svg, message = require("rondo.plot.gnuplot").render(picture, { kind = "svg", width = 1000, height = 380 })
  if not svg then
    self.no_gnuplot = true
    errors.notice("the report has tables alone: %s; or `scripts/setup.sh report` for curves", message)
    return ""
  end
  return page.svg(svg)
end

-- Charts of the groups for which `of_it` is true.
local function curves_section(self, all, title, of_it)
  local parts = {}
  for g, group in ipairs(all.groups) do
    if of_it(group) then
      local picture = curves.picture(all.logs, group, { over = "step" })
      picture.title = nil
      parts[#parts + 1] = ("<h3>%s</h3><div class=\"plot\"%s>%s</div>\n"):format(page.html(group.kind),
        self.uplot and (' data-curves="%d"'):format(g - 1) or "", drawn(self, picture))
      if #all.runs <= TABLE_RUNS then
        local rows, some = curve_table(all.runs, group)
        parts[#parts + 1] = ("<details><summary>%s as a table%s</summary>%s</details>\n"):format(page.html(group.kind),
          some and (", %d of its steps"):format(TABLE_ROWS) or "", rows)
      end
    end
  end
  return #parts > 0 and ("<section>%s%s</section>\n"):format(title, table.concat(parts)) or ""
end

local CURVES = '<h2>Curves</h2><div id="controls" class="controls"></div>\n'

local function options_section(runs, common)
  local rows = {}
  for i, name in ipairs(common) do
    rows[i] = { name, page.shown(runs[1].facts.options[name]) }
  end
  for _, name in ipairs { "script", "data", "host", "version", "kernels", "threads" } do
    local value = runs[1].facts.config[name]
    local same = value ~= nil
    for _, run in ipairs(runs) do
      same = same and run.facts.config[name] == value
    end
    rows[#rows + 1] = same and { name, page.shown(value) } or nil
  end
  return #rows > 0 and ("<section><h2>%s</h2>%s</section>\n"):format(#runs > 1 and "Options that all runs have"
    or "Options", page.table({ "option", "value" }, rows)) or ""
end

local function samples_section(runs)
  local parts = {}
  for i, run in ipairs(runs) do
    local list = {}
    for _, record in ipairs(run.log.list) do
      list[#list + 1] = record.split == "sample" and type(record.text) == "string" and record or nil
    end
    if #list > 0 then
      parts[#parts + 1] = ("<details%s><summary>%s%s</summary>\n"):format(#runs == 1 and " open" or "", dot(i),
        page.html(run.name))
    end
    local n = math.min(#list, MOST_SAMPLES)
    for k = 1, n do
      local record = list[n > 1 and 1 + (k - 1) * (#list - 1) // (n - 1) or 1]
      parts[#parts + 1] = ('<p class="soft">step %s, epoch %s</p><pre>%s</pre>\n'):format(page.html(record.step),
        page.html(page.shown(record.epoch)), page.html(record.text))
    end
    parts[#parts + 1] = #list > 0 and "</details>\n" or nil
  end
  return #parts > 0 and ("<section><h2>Samples over time</h2>%s</section>\n"):format(table.concat(parts)) or ""
end

local function forecast_picture(f)
  local lines = {}
  for _, band in ipairs(f.bands) do
    lines[#lines + 1] = { style = "band", xs = f.x, lower = band.lower, upper = band.upper, color = 6,
      name = ("%s to %s"):format(band.lower_name, band.upper_name) }
  end
  lines[#lines + 1] = { name = "truth", xs = f.x, ys = f.truth, color = "muted" }
  lines[#lines + 1] = { name = "forecast", xs = f.x, ys = f.forecast, color = 1 }
  return { lines = lines, x = { time = f.time, label = not f.time and "row" or nil } }
end

local function forecasts_section(self, list)
  local parts = {}
  for i, f in ipairs(list) do
    local heads, rows = { f.time and "time" or "row", "truth", "forecast" }, {}
    for k = math.max(1, #f.x - TABLE_ROWS + 1), #f.x do
      local x = f.time and os.date("!%Y-%m-%d %H:%M", math.floor(f.x[k])) or f.x[k]
      local row = { x, f.truth[k] == f.truth[k] and f.truth[k] or "", f.forecast[k] }
      for b, band in ipairs(f.bands) do
        heads[2 * b + 2], heads[2 * b + 3] = band.lower_name, band.upper_name
        row[2 * b + 2], row[2 * b + 3] = band.lower[k], band.upper[k]
      end
      rows[#rows + 1] = row
    end
    parts[i] = ("<h3>%s</h3><div class=\"plot\"%s>%s</div>\n<details><summary>the last %d steps as a table</summary>%s"
      .. "</details>\n"):format(page.html(f.title), self.uplot and (' data-forecast="%d"'):format(i - 1) or "",
      drawn(self, forecast_picture(f)), #rows, page.table(heads, rows))
  end
  return #parts > 0 and ("<section><h2>Forecasts</h2>%s</section>\n"):format(table.concat(parts)) or ""
end

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
  local body = { ("<header><h1>%s</h1><p class=\"soft\">%d %s, written %s</p></header>\n<main>\n"):format(
    page.html(title), #runs, #runs == 1 and "run" or "runs", os.date "!%Y-%m-%d %H:%M UTC"),
    sweep and trials.section(sweep) or "", lines and trials.parallel(lines) or "",
    runs_section(runs, differing, groups, lines and not sweep),
    curves_section(self, all, CURVES, function(group) return not LATER[group.kind] end),
    forecasts_section(self, all.forecasts), samples_section(runs), options_section(runs, common),
    curves_section(self, all, "<h2>How the training went on</h2>", function(group) return LATER[group.kind] end),
    ("</main>\n<footer>rondo %s%s</footer>\n"):format(page.html(core.VERSION),
      files and "; curves by uPlot " .. uplot.version or "") }
  local data = { colors = COLORS, runs = {}, groups = {}, forecasts = self.uplot and all.forecasts or {},
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
