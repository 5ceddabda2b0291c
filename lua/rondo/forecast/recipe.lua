-- forecast/recipe.lua - what scripts/time_series.lua does around its training: data in, table and picture out.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local heads = require "rondo.forecast.heads"
local json = require "rondo.json"

local recipe = { outputs = heads.kinds }

local LEAST_WINDOW, MOST_WINDOW = 24, 512 -- of those that are chosen here

-- ---- scalers -----------------------------------------------------------------------------------------------

local makers = {
  none = function() return nil end,
  standard = function(data) return data.StandardScaler() end,
  minmax = function(data) return data.MinMaxScaler() end,
  robust = function(data) return data.RobustScaler() end,
  mean = function(data) return data.MeanScaler() end,
  log = function(data, opt)
    return data.ChainScaler { data.LogScaler { offset = opt.offset }, data.StandardScaler() }
  end,
  difference = function(data) return data.ChainScaler { data.DifferenceScaler(), data.StandardScaler() } end,
  growth = function(data, opt)
    return data.ChainScaler { data.LogScaler { offset = opt.offset }, data.DifferenceScaler(), data.StandardScaler() }
  end,
  ["box-cox"] = function(data, opt)
    return data.ChainScaler { data.BoxCoxScaler { offset = opt.offset, lambda = opt.lambda }, data.StandardScaler() }
  end,
}

recipe.scaler_names = { "none", "standard", "minmax", "robust", "mean", "log", "box-cox", "difference", "growth" }

local OTHERS = { log = "standard", ["box-cox"] = "standard", growth = "difference" }

-- Logarithms and powers are for the targets; what else is read is brought to one scale.
local function scaler_of(opt, targets, part)
  local data = require("rondo").data
  local made, others = makers[opt.scaler](data, opt), OTHERS[opt.scaler]
  if made and others and part.num_columns > #targets then
    local by = { makers[others](data, opt) }
    for _, name in ipairs(targets) do
      by[name] = made
    end
    made = data.ColumnScaler(by)
  end
  return made and made:fit(part)
end

-- ---- data --------------------------------------------------------------------------------------------------

local function stop(code, ...)
  errors.stop(code, (...):format(select(2, ...)))
end

-- Where a file, or a data set of that name, lies here; nil if nowhere.
function recipe.where(name)
  if core.stat(name) then
    return name
  end
  local catalog = require "rondo.data.catalog"
  local entries, by_name = catalog.read()
  local entry = entries and by_name[name]
  return entry and catalog.where(entry.files[1])
end

-- The path of --data, and what a run is called after it. A data set that is not here yet is downloaded.
function recipe.find(name)
  if core.stat(name) then
    return name, (name:match("[^/]*$"):gsub("(.)%.[^.]*$", "%1"))
  elseif name:find "[/.]" then
    stop(errors.DATA, "%s: there is no such file", name)
  end
  local path, message, code = require("rondo").data.get(name)
  if not path then
    stop(code or errors.DATA, "%s: there is no such file, and as a data set: %s", name, message)
  end
  return path, name
end

function recipe.is_hdf5(path)
  return path:lower():find "%.h5$" or path:lower():find "%.hdf5$"
end

local function must(value, message, code)
  if not value then
    errors.stop(code or errors.DATA, message)
  end
  return value
end

-- A series of a file; columns: names, or nil for all that hold numbers.
function recipe.read(path, columns, o)
  local Series = require("rondo").data.Series
  local given = { columns = columns, missing = o.missing, time = o.time, id = o.id,
    time_unit = recipe.is_hdf5(path) and o.time_unit or nil }
  return must((recipe.is_hdf5(path) and Series.from_hdf5 or Series.from_csv)(path, given))
end

-- What a reader of the figures should know of a table: values that were filled, steps of time unlike the others.
function recipe.say(series)
  local facts = series:summary()
  for _, name in ipairs(series.columns) do
    local n = facts.missing[name]
    if n > 0 then
      errors.notice("%s: %d of %d values of '%s' are missing", series.path, n, facts.rows, name)
    end
  end
  if (facts.other_steps or 0) > 0 then
    errors.notice("%s: %d %s unlike the first, as before %s %d; rows count as neighbours all the same", series.path,
      facts.other_steps, facts.other_steps == 1 and "step of time is" or "steps of time are",
      facts.separator and "line" or "row", facts.other_line)
  end
end

local function join(...)
  local all = {}
  for _, list in ipairs { ... } do
    table.move(list, 1, #list, #all + 1, all)
  end
  return all
end

-- The series with the columns that are asked for, and the targets.
local function read(opt, path)
  if #opt.target == 0 then
    local series = recipe.read(path, nil, opt)
    if series.num_columns > 1 then
      stop(errors.USAGE, "%s has several columns of numbers; say which is to be forecast: --target %s", path,
        errors.list(series.columns, ", or --target "))
    end
    return series, { series.columns[1] }
  end
  return recipe.read(path, join(opt.target, opt.covariates, opt.known, opt.static), opt), opt.target
end

-- Number of rows of a part, given as a share of n or as such.
function recipe.rows_of(given, n)
  return given < 1 and math.floor(given * n + 0.5) or math.floor(given)
end

-- Rows of a series, of many those of the shortest.
function recipe.length(series)
  local n = math.huge
  for _, name in ipairs(series:names()) do
    n = math.min(n, #series:one(name))
  end
  return n
end

-- The last part of a series, of each of many: a share below 1, or so many rows.
function recipe.last(series, given)
  if given < 1 then
    return (select(2, series:split { 1 - given, given }))
  end
  return series:slice(-recipe.rows_of(given, 0), -1)
end

-- Parts train, valid (nil where there is none) and test.
local function split(opt, series)
  local shares = opt.test < 1 and opt.valid < 1
  local n = recipe.length(series)
  local test, valid = recipe.rows_of(opt.test, n), recipe.rows_of(opt.valid, n)
  if test < 1 then
    stop(errors.USAGE, "--test %g leaves no row to test on; it is a share of the %d rows, or a number of rows",
      opt.test, n)
  elseif n - test - valid < 1 then
    stop(errors.USAGE, "%s has %d rows; --test %g and --valid %g leave none to train on", series.path, n, opt.test,
      opt.valid)
  end
  local parts
  if shares then -- of each series, where there are many
    parts = opt.valid > 0 and { series:split { 1 - opt.test - opt.valid, opt.valid, opt.test } }
      or { series:split { 1 - opt.test, opt.test } }
  else
    parts = { series:slice(1, -1 - test - valid), series:slice(-test, -1) }
    if valid > 0 then
      table.insert(parts, 2, series:slice(-test - valid, -1 - test))
    end
  end
  return parts[1], parts[3] and parts[2] or nil, parts[#parts]
end

local function season_of(opt, train, target)
  if opt.season == "auto" then
    local n, why = train:season(target)
    if not n and not opt.quiet then
      errors.notice("%s; --season N says otherwise", why)
    end
    return n or 1
  end
  local n = math.tointeger(tonumber(opt.season))
  if not n or n < 1 then
    stop(errors.USAGE, "--season must be auto or a number of steps from 1 on, got '%s'", opt.season)
  end
  return n
end

-- The window's steps: as asked for, or two seasons where the training part has room for them.
local function window_of(opt, season, rows)
  if opt.window > 0 then
    return opt.window
  end
  local room = math.max(1, (rows - opt.horizon) // 3)
  return math.min(math.max(LEAST_WINDOW, 2 * season), MOST_WINDOW, room)
end

-- Everything that the training needs of --data.
function recipe.open(opt)
  local path, name = recipe.find(opt.data)
  local series, targets = read(opt, path)
  if not opt.quiet then
    recipe.say(series)
  end
  local data = { path = path, name = name, series = series, targets = targets }
  data.train, data.valid, data.test = split(opt, series)
  data.season = season_of(opt, data.train, targets[1])
  data.window = window_of(opt, data.season, #data.train)
  data.ar_window = opt.output ~= "negative_binomial" and data.window or 0
  data.scaler = scaler_of(opt, targets, data.train)
  opt.run_dir = opt.run_dir or "runs/" .. name
  return data
end

function recipe.quantiles(opt)
  local levels = {}
  for i, text in ipairs(opt.quantiles) do
    levels[i] = tonumber(text) or stop(errors.USAGE, "--quantiles must be a number between 0 and 1, got '%s'", text)
  end
  return #levels > 0 and levels or nil
end

local Folder = {}

-- Takes a folder away, whatever is in it.
local function remove(path)
  for _, name in ipairs(core.listdir(path) or {}) do
    remove(path .. "/" .. name)
  end
  core.remove(path)
end

function Folder:__close()
  if self.temporary then
    remove(self.path)
  end
end

-- The run folder, { path =, kept = }; with --run-dir none it goes when it is closed.
function recipe.folder(opt)
  if opt.run_dir ~= "none" then
    return setmetatable({ path = opt.run_dir, kept = true }, Folder)
  end
  local path = os.tmpname()
  os.remove(path)
  require("rondo.ledger").leave_out(path)
  return setmetatable({ path = path, temporary = true }, Folder)
end

-- ---- what came out -----------------------------------------------------------------------------------------

-- Forecasts of several seeds as one.
function recipe.together(forecasts)
  local first = forecasts[1]
  return #forecasts > 1 and require("rondo.forecast.ensemble").average(forecasts, first.name) or first
end

-- forecast.csv and forecast.svg in a folder; what cannot be drawn here is said.
function recipe.write(forecast, folder)
  must(forecast:csv(folder .. "/forecast.csv"))
  local drawn, message = require("rondo.plot").forecast(forecast, folder .. "/forecast.svg")
  if not drawn then
    errors.notice("no picture: %s", message)
  end
end

-- Figures of a row of the table for JSON.
local function row_of(row)
  return { name = row.name, mean = row.mean, spread = next(row.spread) and row.spread or nil, runs = #row.runs }
end

-- The verdict of a comparison for JSON.
function recipe.verdict(v)
  local rows, by_seed = {}, {}
  for i, row in ipairs(v.rows) do
    rows[i] = row_of(row)
  end
  for i, run in ipairs(v.rows[1].runs) do
    by_seed[i] = run:metrics({ v.metric })[v.metric]
  end
  return { by_seed = by_seed, skill = v.skill, metric = v.metric, verdict = v.text, best_baseline = v.best,
    value = v.value, best_value = v.best_value, gain = v.gain, spread = v.spread, table = rows }
end

-- Ends with status 5 where skill was asked for and there is none.
function recipe.require_skill(v)
  if not v.skill then
    errors.stop(errors.BROKEN, "--require-skill: " .. v.text)
  end
end

-- The line above a table.
function recipe.heading(path, windows, evaluated, rows, why)
  return ("%s: %s, %d %s of %d %s ahead in the last %d of %d rows%s\n"):format(path,
    table.concat(windows.targets, ", "), windows.count, windows.count == 1 and "window" or "windows", windows.horizon,
    windows.horizon == 1 and "step" or "steps", evaluated, rows, why and " (" .. why .. ")" or "")
end

-- The table on stdout, or JSON; it and other files into the run folder. given: opt, data, test, forecasts, baselines,
-- run_dir.
function recipe.report(given)
  local opt, data, test = given.opt, given.data, given.test
  local skill, v = require("rondo.forecast.compare")(given.forecasts, given.baselines, { metric = opt.metric,
    file = false })
  local heading = recipe.heading(data.path, test, #data.test, #data.series)
  if given.run_dir then
    recipe.write(recipe.together(given.forecasts), given.run_dir)
    must(core.write_file(given.run_dir .. "/table.txt", heading .. v.table))
  end
  if opt.json then
    local facts = recipe.verdict(v)
    facts.data, facts.rows, facts.windows, facts.targets = data.path, #data.series, test.count, data.targets
    facts.window, facts.horizon, facts.season = data.window, opt.horizon, data.season
    facts.parameters, facts.run_dir, facts.seeds = given.model:parameter_count(), given.run_dir, opt.seeds
    io.stdout:write(json.encode(facts, { "data", "run_dir", "skill", "verdict" }), "\n")
  else
    io.stdout:write(heading, v.table)
  end
  if opt.require_skill and not skill then
    recipe.require_skill(v)
  end
  return 0
end

return recipe
