-- made_series.lua - for specs of forecasts: series from numbers, and numbers that are the same in every run.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local made_series = {}

-- Rows of a CSV file as a Series.
function made_series.series_of(folder, columns, rows, name)
  local lines = { table.concat(columns, ",") }
  for i, row in ipairs(rows) do
    lines[i + 1] = table.concat(row, ",")
  end
  local path = support.write(("%s/%s.csv"):format(folder, name or columns[1]), table.concat(lines, "\n") .. "\n")
  return assert(rondo.data.Series.from_csv(path))
end

-- n normal numbers, the same in every run.
function made_series.normals(n, seed)
  rondo.manual_seed(seed)
  return rondo.randn(n):table()
end

return made_series
