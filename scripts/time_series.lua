-- time_series.lua - forecasts of a column of a table, beside the baselines that they must beat.
--   rondo run time_series.lua                                (airline passengers, which come with Rondo)
--   rondo train load.csv --target load --horizon 24 --season 24 --calendar hour --calendar weekday
--   rondo run time_series.lua --data sunspots --config series/sunspots.lua --seeds 3
--   rondo forecast runs/load --data new.csv -o forecast.svg
-- The rows are in the order of time: the last part tests, what is before it validates, the rest trains. Nothing is
-- chosen by the test part: a checkpoint is the best of the validation part, or the last where there is none.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local recipe = require "rondo.forecast.recipe"

local opt = rondo.args { "Forecasts of columns of a table, in a table with the baselines that they must beat.",
  data = { "airline", help = "CSV or HDF5 file with a row for each step of time, or the name of a data set (`rondo "
    .. "data list`)" },
  target = { {}, help = "column to forecast (may be repeated); default: the only one that holds numbers" },
  covariates = { {}, help = "further column that is an input up to the origin (may be repeated)" },
  known = { {}, help = "further column that is known ahead, as holidays or prices (may be repeated)" },
  calendar = { {}, help = "known ahead too: hour, weekday, month or day_of_year (may be repeated)" },
  time = { help = "column of times; default: the first that holds dates (of an HDF5 file none)", type = "string" },
  time_unit = { help = "of times in an HDF5 file: number, seconds, ...; default number", type = "string" },
  id = { help = "column that says which series a row is of, where the file holds many", type = "string" },
  static = { {}, help = "further column that is the same in all rows of a series (may be repeated)" },
  missing = { "previous", choices = { "error", "previous", "interpolate" }, help = "missing values" },
  season = { "auto", help = "steps of a season, 12 of months; 1: there is none; auto: found on the training part" },
  window = { 0, min = 0, help = "steps up to the origin that the network reads; 0: two seasons, 24 at least" },
  horizon = { 1, min = 1, help = "steps ahead" },
  test = { 0.2, min = 0, help = "last part of the rows: a share below 1, or so many rows" },
  valid = { 0.15, min = 0, help = "the part before it, counted likewise; 0: none, the last weights are taken" },
  scaler = { "standard", choices = recipe.scaler_names, help = "what is done with values before the network; growth: "
    .. "differences of logarithms (log, box-cox and growth are of targets, of other columns standard or difference)" },
  lambda = { help = "power of --scaler box-cox; default: the likeliest", type = "real" },
  offset = { 0.0, help = "added before a logarithm or a power, where values are not positive" },
  cell = { "gru", choices = rondo.plugins.cells, help = "recurrent cell" },
  hidden_size = { 32, min = 1, max = 65536, help = "width of the state" },
  num_layers = { 1, min = 1, max = 64, help = "recurrent layers" },
  dropout = { 0.0, min = 0, max = 0.99, help = "between layers" },
  form = { "direct", choices = { "direct", "recursive", "seq2seq" }, help = "all steps at once, one step fed back, or "
    .. "encoder and decoder" },
  output = { "point", choices = recipe.outputs, help = "what is said of a value" },
  quantiles = { {}, help = "level of --output quantiles (may be repeated); default 0.1, 0.5, 0.9" },
  normalize = { "last", choices = { "none", "mean", "standard", "last" }, help = "each window by its own size, by mean "
    .. "and variance, or minus its last value" },
  baseline = { "none", choices = { "none", "last", "seasonal" }, help = "what the network adds to" },
  ar_window = { -1, min = -1, help = "values that a linear autoregression beside the network reads; -1: the window" },
  loss = { "auto", choices = { "auto", "mse", "mae", "huber" }, help = "auto: that of --output" },
  lr = { 3e-3, min = 0, max = 1000, help = "highest learning rate; it falls as a cosine" },
  weight_decay = { 0.01, min = 0, max = 1000, help = "of all but biases" },
  ema = { 0.99, min = 0, max = 0.9999999, help = "decay of averaged weights; 0: off" },
  clip_norm = { 1.0, min = 0, help = "largest norm of all gradients; 0: off" },
  batch_size = { 32, min = 1, help = "windows side by side" },
  epochs = { 0, min = 0, help = "passes over the data; 0: about 1500 updates" },
  patience = { 0, min = 0, help = "epochs without a better validation before it stops; 0: never" },
  seeds = { 1, min = 1, help = "trainings, from --seed on; their forecasts are averaged in picture and CSV" },
  paths = { 200, min = 2, max = 65535, help = "futures that are sampled of distributions" },
  require_skill = { false, help = "exit status 5 where the network does not beat the best baseline by more than the "
    .. "spread" },
  metric = { choices = { "rmse", "mae", "mase", "pinball" }, help = "what decides; default rmse, of several targets "
    .. "mase" },
  run_dir = { help = "run folder (default runs/<name of the data>), of several seeds with a folder for each; none: "
    .. "keep nothing", type = "string" },
  json = { false, help = "one JSON object on stdout in place of the table" },
}

local data = recipe.open(opt)               -- the parts train, valid (or nil) and test, and a scaler fitted on train
local several = opt.seeds > 1

local function windows(part, shuffle)
  return part and part:windows { input = data.window, horizon = opt.horizon, target = data.targets,
    past = opt.covariates, known = opt.known, static = opt.static, calendar = opt.calendar, season = data.season,
    scaler = data.scaler, batch_size = opt.batch_size, shuffle = shuffle }
end
local train, valid, test = windows(data.train, true), windows(data.valid), windows(data.test)
local epochs = opt.epochs > 0 and opt.epochs or math.max(3, math.min(300, 1500 // #train))
local updates = math.min(epochs * #train, opt.max_steps or math.huge)

-- Of many short epochs not each one validates and saves.
local function every(given, times)
  return given > 0 and given or updates // times > #train and updates // times or 0
end

local losses = { mse = rondo.MSELoss, mae = rondo.L1Loss, huber = rondo.HuberLoss }

local function fit(seed, run_dir)
  rondo.manual_seed(seed)
  local model = rondo.Forecaster { cell = opt.cell, hidden_size = opt.hidden_size, num_layers = opt.num_layers,
    dropout = opt.dropout, form = opt.form, output = opt.output, normalize = opt.normalize, baseline = opt.baseline,
    quantiles = recipe.quantiles(opt), ar_window = opt.ar_window >= 0 and opt.ar_window or data.ar_window }
  model:take_windows(train)
  if model.options.ar_window > 0 then
    rondo.no_grad(function() model.head.weight:fill(0) end) -- what is learnt first is the autoregression
  end
  local callbacks = {}
  if valid and opt.patience > 0 then
    callbacks[1] = rondo.callbacks.EarlyStopping { patience = opt.patience }
  end
  local trainer = rondo.Trainer { options = opt, run_dir = run_dir, model = model, epochs = epochs,
    eval_every = every(opt.eval_every, 50), save_every = every(opt.save_every, 5),
    loss = opt.loss == "auto" and model:loss() or losses[opt.loss](), callbacks = callbacks,
    optimizer = rondo.optim.AdamW { lr = opt.lr, weight_decay = opt.weight_decay,
      groups = { { ndim = 1, weight_decay = 0 } } },
    schedule = rondo.optim.CosineLR { total_steps = updates, warmup_steps = updates // 20 },
    ema = opt.ema > 0 and opt.ema or nil, clip_grad_norm = opt.clip_norm > 0 and opt.clip_norm or nil }
  trainer:fit(train, valid)
  return assert(rondo.load(run_dir)).model, trainer -- of the best validation, if there is one
end

local folder <close> = recipe.folder(opt)
local models, forecasts = {}, {}
for i = 1, opt.seeds do
  local seed = opt.seed + i - 1
  models[i] = fit(seed, several and ("%s/seed-%d"):format(folder.path, seed) or folder.path)
  forecasts[i] = models[i]:forecast(test, { name = "network", paths = opt.paths })
end

local levels = { quantiles = forecasts[1]:levels() }
local baselines = rondo.baselines.all(test, levels)
baselines[#baselines + 1] = rondo.baselines.FeedForward({ like = models[1], epochs = epochs, max_steps = updates })
  :fit(train, valid):forecast(test, levels)
return recipe.report { opt = opt, data = data, test = test, forecasts = forecasts, baselines = baselines,
  run_dir = folder.kept and folder.path or nil, model = models[1] }
