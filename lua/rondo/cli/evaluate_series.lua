-- cli/evaluate_series.lua - rondo evaluate RUN DATA of a series: its forecasts beside the baselines.
--
-- What is evaluated is the part that tested the run where the data are those it was trained on, as its config.json
-- says, else all of them. Rows before it are what is known at its first origin.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local json = require "rondo.json"
local recipe = require "rondo.forecast.recipe"
local runs = require "rondo.forecast.runs"

-- The part of a series that is evaluated, and why.
local function part_of(o, run, path, series)
  local given = o.test
  local trained = runs.options_of(run)
  if not given and trained and type(trained.data) == "string" and type(trained.test) == "number" then
    given = recipe.where(trained.data) == path and trained.test or nil
  end
  if not given then
    return series, "all rows"
  end
  local n = recipe.length(series)
  local rows = recipe.rows_of(given, n)
  if rows < 1 or rows > n then
    errors.stop(errors.USAGE, ("--test %g is %d of the %d rows of %s; it is a share, or a number of rows"):format(given,
      rows, n, path))
  end
  return recipe.last(series, given), o.test and "as --test says" or "the part that tested the run"
end

return function(o, cli)
  local list = runs.open(cli, { o.run })
  local path = recipe.find(o.file)
  local forecasts, windows, series, part, why = {}, nil, nil, nil, nil
  for i, run in ipairs(list) do
    series = runs.read(run, path)
    part, why = part_of(o, run, path, series)
    windows = runs.windows(run, part)
    forecasts[i] = run.model:forecast(windows, { name = "network", paths = o.paths })
  end
  local levels = forecasts[1]:levels()
  local baselines = require("rondo").baselines.all(windows, { quantiles = levels })
  local skill, v = require("rondo.forecast.compare")(forecasts, baselines, { metric = o.metric, file = false })
  if o.json then
    local facts = recipe.verdict(v)
    facts.data, facts.rows, facts.evaluated, facts.windows = path, #series, #part, windows.count
    facts.checkpoint, facts.horizon, facts.season = list[1].checkpoint, windows.horizon, windows.season
    io.stdout:write(json.encode(facts, { "data", "checkpoint", "skill", "verdict" }), "\n")
  else
    io.stdout:write(recipe.heading(path, windows, #part, #series, why), v.table)
  end
  if o.require_skill and not skill then
    recipe.require_skill(v)
  end
  return 0
end
