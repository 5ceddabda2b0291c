-- evaluate_series.lua - does the series recipe reach what it is held to? Three seeds of each data set, and a verdict.
--   RONDO_DATA=folder rondo run scripts/evaluate_series.lua         (a minute; all but two of the sets come with Rondo)
--   ... --into scripts/README.md                                    (keeps the table there)
-- Each training is `scripts/time_series.lua --config scripts/series/NAME.lua` in a process of its own. A data set that
-- is not here is skipped by name, or downloaded with --download. Status 5 where a figure is missed.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local core = require "rondo.core"
local errors = require "rondo.errors"
local json = require "rondo.json"
local recipe = require "rondo.forecast.recipe"

local opt = rondo.args { "Figures of the series recipe beside the bounds that it is held to.",
  only = { {}, help = "name of a row: airline, sunspots, temps, weather, stocks (may be repeated); default: all" },
  seeds = { 3, min = 1, help = "trainings of each" },
  download = { false, help = "download what is not here" },
  into = { help = "a file whose table between the marks `series: begin` and `series: end` is replaced",
    type = "string" },
}

-- RMSE on the last part, one step ahead, in the mean over the seeds.
local rows = {
  { name = "airline", data = "airline", what = "airline passengers, last third (thousands)", below = 20 },
  { name = "sunspots", data = "sunspots", what = "monthly sunspots, last fifth", most = 18.2 },
  { name = "temps", data = "temps", what = "Melbourne's lowest temperature, last 365 days (C)", most = 2.26 },
  { name = "weather", data = "weather_jfk", what = "temperature at JFK an hour ahead, last fifth (F)", below = 1.62 },
  { name = "stocks", data = "eustockmarkets", what = "DAX a day ahead, last fifth: no network beats a random walk" },
}

local function wanted(row)
  for _, name in ipairs(opt.only) do
    if name == row.name then
      return true
    end
  end
  return #opt.only == 0
end

local function train(row)
  local folder = arg[0]:match "^(.*)/[^/]*$" or "."
  local words = { "rondo", "run", folder .. "/time_series.lua", "--config",
    ("%s/series/%s.lua"):format(folder, row.name), "--seeds", tostring(opt.seeds), "--seed", tostring(opt.seed),
    "--threads", "1", "--run-dir", "none", "--quiet", "--json" }
  local result = assert(core.run(words))
  if result.code ~= 0 then
    errors.stop(result.code, ("%s: %s"):format(row.name, result.stderr))
  end
  return json.decode(result.stdout)
end

local head, tail -- of --into, around the table
if opt.into then
  local file = assert(io.open(opt.into))
  head, tail = file:read("a"):match "^(.*<!%-%- series: begin[^\n]*\n).-(<!%-%- series: end %-%->.*)$"
  file:close()
  if not head then
    errors.stop(errors.USAGE, opt.into .. ": has no lines <!-- series: begin --> and <!-- series: end -->")
  end
end

local lines = {
  "| | bound | network | per seed | best baseline | persistence | verdict |",
  "| --- | ---: | ---: | --- | ---: | ---: | --- |",
}
local missed = 0
for _, row in ipairs(rows) do
  if wanted(row) and not opt.download and not recipe.where(row.data) then
    io.stderr:write(("skipped: %s is not here; give RONDO_DATA or --download\n"):format(row.data))
  elseif wanted(row) then
    local v = train(row)
    local value, bound, reached, skill = v.value, row.below or row.most, true, v.skill and "skill" or "no skill"
    if bound then
      reached = row.below and value < bound or row.most and value <= bound or false
    end
    missed = missed + (reached and 0 or 1)
    local by_seed, persistence = {}, nil
    for i, figure in ipairs(v.by_seed) do
      by_seed[i] = ("%.4g"):format(figure)
    end
    for _, one in ipairs(v.table) do
      persistence = one.name == "persistence" and one.mean.rmse or persistence
    end
    lines[#lines + 1] = ("| %s | %s | %.4g | %s | %.4g (%s) | %.4g | %s |"):format(row.what,
      bound and (row.below and "< %g" or "<= %g"):format(bound) or "", value, table.concat(by_seed, ", "), v.best_value,
      v.best_baseline, persistence, bound and (reached and "reached, " or "**missed**, ") .. skill or skill)
  end
end
local text = table.concat(lines, "\n") .. "\n"
io.write(text)
if head then
  assert(core.write_file(opt.into, head .. text .. "\n" .. tail))
end
if missed > 0 then
  errors.stop(errors.BROKEN, ("%d of the figures are missed"):format(missed))
end
return 0
