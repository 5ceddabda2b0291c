-- temps.lua - options of time_series.lua: Melbourne's lowest temperature of a day, a day ahead, the last year to test.
--   rondo run scripts/time_series.lua --config scripts/series/temps.lua --seeds 3      (downloads 60 kB)
-- Chosen by the years before alone, by three folds that each validate the fifth behind them, three seeds each.
-- SPDX-License-Identifier: MIT
return {
  data = "temps", season = "365", window = 24, calendar = { "day_of_year" }, test = 365, valid = 0, normalize = "none",
  hidden_size = 24, epochs = 16,
}
