-- cli/forecast.lua - rondo forecast RUN... --data FILE: what comes next, as CSV on stdout and as a picture.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local json = require "rondo.json"
local whole_file = require "rondo.whole_file"

local TABLE_BYTES = 1 << 20

local function level(text)
  local q = tonumber(text)
  if not q or not (q > 0 and q < 1) then
    return nil, ("--quantiles must be a number between 0 and 1, got '%s'"):format(text)
  end
  return q
end

local function options(cli)
  local parser = cli.parser("forecast", "Forecasts what comes behind the last row of a table by a trained model (the "
    .. "best checkpoint of a run folder): CSV to stdout. Several runs, or a folder of runs with several seeds, are an "
    .. "ensemble: their forecasts are averaged.")
  parser:argument("run", "run folders or checkpoint files"):args "+"
  parser:option("--data", "CSV or HDF5 file with the columns that the run was trained on"):argname "FILE"
  parser:option("--horizon", "steps ahead (default: as trained; more needs form recursive or seq2seq)"):argname "<n>"
    :convert(cli.number("--horizon", "int", 1, 1 << 20))
  parser:option("-o --output", "a picture: x.svg or x.png"):argname "FILE"
  parser:flag("--plot", "a picture in the terminal, in place of the CSV")
  parser:option("--quantiles", "level that is taken of sampled paths (may be repeated; default 0.1, 0.5, 0.9)")
    :argname "<q>":count "*":convert(level)
  parser:option("--paths", "futures that are sampled of distributions (default 200)"):argname "<n>"
    :convert(cli.number("--paths", "int", 2, 65535))
  parser:option("--seed", "of the paths"):argname "<n>":convert(cli.number("--seed", "int", 0, 0xffffffff)):default "1"
  parser:option("--threads", "worker threads; 0: one per CPU"):argname "<n>"
    :convert(cli.number("--threads", "int", 0, 256))
  parser:flag("--json", "one JSON object for each series and target in place of the CSV")
  cli.plugin_option(parser)
  return parser
end

local function known(values)
  local list = {}
  for i, value in ipairs(values or {}) do
    list[i] = value
    if value ~= value then
      return nil
    end
  end
  return #list > 0 and list or nil
end

local function write_json(forecast, list)
  local checkpoints = {}
  for i, run in ipairs(list) do
    checkpoints[i] = run.checkpoint
  end
  for _, entry in ipairs(forecast) do
    local quantiles = entry.quantiles and {}
    for q, values in pairs(entry.quantiles or {}) do
      quantiles[("%.6g"):format(q)] = values
    end
    io.stdout:write(json.encode({ series = entry.series, target = entry.target, origin = entry.origin,
      times = known(entry.times), forecast = entry.point, quantiles = quantiles, truth = known(entry.truth),
      checkpoints = checkpoints }, { "series", "target", "origin", "forecast" }), "\n")
  end
end

-- How runs did on the test part of their training: what was asked and the verdict. Of several seeds it lies above them.
local function say_verdicts(paths)
  local said = {}
  for _, path in ipairs(paths) do
    local folder = path:gsub("/+$", "")
    local text = whole_file.read(folder .. "/table.txt", TABLE_BYTES)
      or whole_file.read((folder:match "^(.*)/seed%-%d+$" or folder) .. "/table.txt", TABLE_BYTES)
    if text and not said[text] then
      io.stderr:write("When it was trained: ", text:match "^[^\n]*\n" or "", text:match "([^\n]*\n)$" or "")
      said[text] = true
    end
  end
end

return function(arguments, cli)
  local o = cli.parse(options(cli), arguments)
  require("rondo.plugins").load_from(arguments)
  if not o.data then
    errors.stop(errors.USAGE, "forecast: give the data to go on from, as in `rondo forecast runs/load --data new.csv`")
  elseif o.output then
    local kind, why = require("rondo.plot.gnuplot").kind_of(o.output)
    if not kind then
      errors.stop(errors.USAGE, why)
    end
  end
  if o.threads then
    require("rondo.native").threads(o.threads)
  end
  local runs = require "rondo.forecast.runs"
  local list = runs.open(cli, o.run)
  local forecast = runs.forecast(list, o.data, { horizon = o.horizon, paths = o.paths, seed = o.seed,
    quantiles = #o.quantiles > 0 and o.quantiles or nil })
  if o.json then
    write_json(forecast, list)
  elseif not (o.plot and not o.output) then
    local ok, message, code = forecast:csv(io.stdout)
    if not ok then
      errors.stop(code, message)
    end
  end
  if o.output or o.plot then
    local title = ("Forecast by %s"):format(table.concat(o.run, ", "))
    local drawn, message, code = require("rondo.plot").forecast(forecast, o.output, { title = title })
    if not drawn then
      errors.stop(code or errors.DATA, message)
    end
  end
  say_verdicts(o.run)
  return 0
end
