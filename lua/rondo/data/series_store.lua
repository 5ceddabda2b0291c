-- data/series_store.lua - the columns of a series as numbers that can be read in any order.
--
-- Up to a limit they are in memory; larger ones lie in a file without a name in $TMPDIR (or /tmp), which is mapped, so
-- that a file larger than memory has columns that are.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"

local store = {}

local IN_MEMORY = 64 << 20 -- bytes

local function place()
  return { folder = os.getenv "TMPDIR" or "/tmp", most_bytes = IN_MEMORY }
end

-- Room for rows of columns; or nil, message.
function store.new(rows, columns)
  return core.numbers(rows, columns, place())
end

-- Rows by the number 0, 1, ... in the last column, and how many each number has; or nil, message.
function store.grouped(numbers, n)
  return numbers:grouped(n, place())
end

-- The columns of a CSV file, and behind them its times, where it has any.
function store.of_csv(file)
  local made, message = store.new(file.report.rows, #file.places + (file.time > 0 and 1 or 0))
  local ok = made
  if made then
    ok, message = made:take_csv(file.csv, file.places, file.time > 0 and file.time or nil, file.rule)
  end
  return ok and made or errors.stop(errors.DATA, message)
end

return store
