-- stocks.lua - options of time_series.lua: the DAX of the next day, from its growth and that of three other markets.
--   rondo run scripts/time_series.lua --config scripts/series/stocks.lua --seeds 3
-- It ends with the sentence that the network does not beat the random walk.
-- SPDX-License-Identifier: MIT
return {
  data = "eustockmarkets", target = { "DAX" }, covariates = { "SMI", "CAC", "FTSE" }, season = "1", window = 24,
  scaler = "growth", normalize = "none", hidden_size = 16,
}
