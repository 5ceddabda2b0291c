-- weather.lua - options of time_series.lua: the temperature at an airport an hour ahead, from the weather there.
--   rondo run scripts/time_series.lua --config scripts/series/weather.lua --seeds 3    (downloads 0.5 MB)
--   ... --horizon 24 --output quantiles                                                (a day ahead, with intervals)
-- Chosen by the first four fifths alone, by three folds that each validate the fifth behind them. The file holds one
-- year, so the day of the year is no input: the last months have days that none before them has.
-- SPDX-License-Identifier: MIT
return {
  data = "weather_jfk", target = { "temp" }, covariates = { "dewp", "humid", "wind_speed", "pressure" },
  calendar = { "hour" }, season = "24", window = 24, test = 0.2, valid = 0, batch_size = 64, epochs = 6,
}
