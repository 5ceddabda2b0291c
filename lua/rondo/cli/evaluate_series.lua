-- cli/evaluate_series.lua - rondo evaluate RUN DATA of a series: its forecasts beside the baselines.
--
-- What is evaluated is the end of the data, as many rows or as large a share as tested the run (config.json). Of the
-- data it was trained on that is the part that it has not seen; of any data there are rows before it, on which the
-- baselines are fitted: on a few rows they would be beaten by anything.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local json = require "rondo.json"
local recipe = require "rondo.forecast.recipe"
local runs = require "rondo.forecast.runs"

local FIFTH = 0.2 -- of runs of other scripts

-- Says so where rows of a part are among those that the run was trained on.
local function check_unseen(run, trained, path, part)
  local first = part:pieces()[1].first
  if run.last_trained and first <= run.last_trained and trained.data and recipe.where(trained.data) == path then
    errors.notice("%s was trained on rows up to %d, and row %d and those behind it are evaluated: these are no figures "
      .. "of data that it has not seen", run.path, run.last_trained, first)
  end
end

-- The part of a series that is evaluated, and why.
local function part_of(o, run, path, series)
  local trained = runs.options_of(run) or {}
  local tested = type(trained.test) == "number" and trained.test or nil
  local given = o.test or tested or FIFTH
  local n = recipe.length(series)
  local rows = recipe.rows_of(given, n)
  if rows < 1 or rows > n then
    errors.stop(errors.USAGE, ("--test %g is %d of the %d rows of %s; it is a share, or a number of rows"):format(given,
      rows, n, path))
  end
  local part = recipe.last(series, given)
  check_unseen(run, trained, path, part)
  return part, o.test and "as --test says" or tested and "as large a part as tested the run" or "the last fifth"
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
