# make_datasets.R - writes the small time series in datasets/ from R's own package `datasets` (Debian: r-base-core).
#
# usage: Rscript scripts/make_datasets.R [FOLDER]      from the source folder; FOLDER: datasets
#
# Times of monthly series are ISO months. Numbers are written with as many digits as R has of them. What each series
# is, and where R has it from, is in datasets/README.md; tests/lua/datasets_spec.lua makes the files again and
# compares bytes.
# SPDX-License-Identifier: MIT
folder <- c(commandArgs(trailingOnly = TRUE), "datasets")[1]

write_series <- function(name, columns) {
  columns[] <- lapply(columns, function(x) if (is.character(x)) x else sprintf("%.15g", x))
  lines <- c(paste(names(columns), collapse = ","), do.call(paste, c(columns, sep = ",")))
  file <- file(file.path(folder, name), open = "wb")
  writeLines(lines, file, sep = "\n")
  close(file)
}

months_of <- function(x) {
  month <- round(12 * as.numeric(time(x)))
  sprintf("%04d-%02d", month %/% 12, month %% 12 + 1)
}

monthly <- function(name, x, column) {
  write_series(name, setNames(list(months_of(x), as.numeric(x)), c("month", column)))
}

monthly("airline.csv", datasets::AirPassengers, "passengers")
monthly("sunspots.csv", datasets::sunspots, "sunspots")
monthly("nottem.csv", datasets::nottem, "temperature")
monthly("co2.csv", datasets::co2, "co2")
write_series("lynx.csv", list(year = as.numeric(time(datasets::lynx)), trapped = as.numeric(datasets::lynx)))
stocks <- as.data.frame(unclass(datasets::EuStockMarkets))
write_series("eustockmarkets.csv", c(list(day = seq_len(nrow(stocks))), as.list(stocks)))
