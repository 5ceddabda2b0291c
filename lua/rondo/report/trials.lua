-- report/trials.lua - what differs and what came of it: the table of a sweep's trials, lines for parallel coordinates.
-- SPDX-License-Identifier: MIT
local page = require "rondo.report.page"
local standings = require "rondo.sweep.standings"

local trials = {}

local NAN = 0 / 0 -- null on the page

-- One axis: what value each line has there.
local function column(name, n, value_of)
  local values = {}
  for i = 1, n do
    local value = value_of(i)
    values[i] = value == nil and NAN or type(value) == "number" and value or page.shown(value)
  end
  return { name = name, values = values }
end

-- Lines for runs that have no sweep: axes are the options in which they differ, but for seeds, and the best figure; or
-- nil.
function trials.of_runs(runs, differing)
  local lines = { mode = "min", names = {}, columns = {} }
  for i, run in ipairs(runs) do
    lines.names[i] = run.name
  end
  for _, name in ipairs(differing) do
    if name ~= "seed" then
      table.insert(lines.columns, column(name, #runs, function(i) return runs[i].facts.options[name] end))
    end
  end
  local figure = runs[1].facts.best and runs[1].facts.best.figure or "loss"
  table.insert(lines.columns, column("best " .. figure, #runs, function(i)
    local best = runs[i].facts.best
    return best and best.value
  end))
  return #lines.columns > 1 and lines or nil
end

local function sorted(t)
  return standings.sort(table.move(t.trials, 1, #t.trials, 1, {}), t.mode)
end

-- Lines of a sweep's trials, in the order of the table of section().
function trials.of_sweep(t)
  local rows = sorted(t)
  local lines = { mode = t.mode, names = {}, columns = {} }
  for i, row in ipairs(rows) do
    lines.names[i] = ("trial %d"):format(row.trial)
  end
  for _, name in ipairs(t.names) do
    table.insert(lines.columns, column(name, #rows, function(i) return rows[i].params[name] end))
  end
  table.insert(lines.columns, column(t.monitor, #rows, function(i) return rows[i].value end))
  return #lines.columns > 1 and lines or nil
end

-- The table of a sweep, the best trial first.
function trials.section(t)
  local heads, rows = { "trial" }, {}
  table.move(t.names, 1, #t.names, 2, heads)
  table.move({ t.monitor, "spread", "runs", "state" }, 1, 4, #heads + 1, heads)
  for i, trial in ipairs(sorted(t)) do
    local row, why = { trial.trial }, nil
    for k, name in ipairs(t.names) do
      local value = trial.params[name]
      row[k + 1] = type(value) == "number" and value or page.shown(value)
    end
    for _, run in ipairs(trial.runs) do
      why = why or run.why
    end
    local n = #t.names + 1
    row[n + 1], row[n + 2], row[n + 3] = trial.value, trial.spread, ("%d of %d"):format(trial.n or 0, #trial.runs)
    row[n + 4] = why and ("%s: %s"):format(trial.state, why) or trial.state
    rows[i] = row
  end
  local text = ('<section><h2>Trials</h2><p class="soft">%s of %s, by %s search; spread is the standard deviation over '
    .. 'seeds.</p>%s</section>\n')
  return text:format(page.html(t.monitor), page.html(t.script), page.html(t.search), page.table(heads, rows,
    { class = "sortable", row = function(r) return (' data-line="%d"'):format(r - 1) end }))
end

-- The place of the parallel coordinates.
function trials.parallel(lines)
  return ('<section><h2>What differs, and what came of it</h2><p class="soft">Orange is the %s figure. Click lines or '
    .. 'rows of the table to keep them in view.</p><div id="parallel" class="parallel"></div></section>\n'):format(
    lines.mode == "max" and "highest" or "lowest")
end

return trials
