-- report/sections.lua - sections of a report: curves, forecasts, samples, gradients by lag and options of runs.
--
-- Each is a text of HTML. `self` says how pictures come about: uplot (true: by the page's script), no_gnuplot.
-- SPDX-License-Identifier: MIT
local curves = require "rondo.plot.curves"
local errors = require "rondo.errors"
local page = require "rondo.report.page"
local run_facts = require "rondo.run_facts"

local sections = {}

local COLORS = { "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1", "#b8a900" }
local TABLE_ROWS, TABLE_RUNS = 25, 8 -- of the table under a curve
local MOST_SAMPLES, MOST_DIAGNOSES = 20, 4

sections.colors = COLORS

-- A dot in the colour of run i.
local function dot(i)
  return ('<svg class="dot" viewBox="0 0 10 10" aria-hidden="true"><circle cx="5" cy="5" r="5" fill="%s"/></svg>')
    :format(COLORS[(i - 1) % #COLORS + 1])
end
sections.dot = dot

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
function sections.curves(self, all, title, of_it)
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


function sections.options(runs, common)
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

function sections.samples(runs)
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

function sections.forecasts(self, list)
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

-- The newest diagnosis of each run: |dL/ds| by lag, a line for each layer.
function sections.diagnoses(self, runs)
  local parts, data = {}, {}
  for _, run in ipairs(runs) do
    local found = #data < MOST_DIAGNOSES and run_facts.diagnosis(run.log)
    if found then
      local picture, rows = { lines = {}, x = { label = "lag" }, y = { label = "gradient", log = true } }, {}
      for k, layer in ipairs(found.layers) do
        picture.lines[k] = { name = layer.name, xs = layer.lags, ys = layer.by_lag, width = 1.4 }
        for j, lag in ipairs(layer.lags) do
          rows[#rows + 1] = { layer.name, lag, layer.by_lag[j] }
        end
      end
      data[#data + 1] = found.layers
      parts[#parts + 1] = ('<h3>%s, step %s</h3><div class="plot"%s>%s</div>\n<details><summary>as a table</summary>'
        .. '%s</details>\n'):format(page.html(run.name), page.html(found.step), self.uplot
        and (' data-diagnosis="%d"'):format(#data - 1) or "", drawn(self, picture),
        page.table({ "layer", "lag", "gradient" }, rows))
    end
  end
  return #parts > 0 and ("<section><h2>Gradient by lag</h2>%s</section>\n"):format(table.concat(parts)) or "", data
end

return sections
