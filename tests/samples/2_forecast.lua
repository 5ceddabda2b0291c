-- 2_forecast.lua - what a user writes: run as it stands by tests/runs. SPDX-License-Identifier: MIT
-- Forecast the next 24 hours of a CSV column from the last 168, with a baseline.
--   rondo run forecast.lua --data load.csv --target load
--   rondo forecast runs/load --data new.csv --horizon 24 -o forecast.svg
local rondo = require "rondo"

local opt = rondo.args { "Time-series forecasting.",
  data = { required = true, help = "table with one row a time step" },
  target = { "value", help = "column to forecast" },
  covariates = { {}, help = "further input columns" },      -- --covariates temp --covariates wind
  window = 168, horizon = 24, season = 24, hidden_size = 64, batch_size = 64, epochs = 30, lr = 1e-3,
  run_dir = "runs/load",
}

local series = assert(rondo.data.Series.from_csv(opt.data, {
  columns = { opt.target, table.unpack(opt.covariates) }, missing = "previous" }))  -- looks at no later value
local train, valid, test = series:split { 0.7, 0.15, 0.15 }   -- in time order, never shuffled
local scaler = rondo.data.StandardScaler():fit(train)           -- from the training part alone

local function windows(part, shuffle)
  return part:windows { input = opt.window, horizon = opt.horizon, target = opt.target,
    scaler = scaler, batch_size = opt.batch_size, shuffle = shuffle }   -- figures come back in the column's unit
end

local model = rondo.Sequential {
  rondo.GRU { input_size = series.num_columns, hidden_size = opt.hidden_size, return_sequences = false },
  rondo.Linear { opt.horizon },
}
local trainer = rondo.Trainer { options = opt, model = model, loss = rondo.HuberLoss { delta = 1 },
  optimizer = rondo.optim.AdamW { lr = opt.lr, weight_decay = 1e-2 }, metrics = { "mae" } }
trainer:fit(windows(train, true), windows(valid))

local ours  = trainer:evaluate(windows(test), { metrics = { "mae", "rmse", "smape", "mase" } })
local naive = rondo.baselines.SeasonalNaive { season = opt.season }:evaluate(windows(test))
print(("MAE %.4f; repeating yesterday gives %.4f"):format(ours.mae, naive.mae))
assert(rondo.plot.forecast(trainer:predict(windows(test)), opt.run_dir .. "/forecast.svg"))
