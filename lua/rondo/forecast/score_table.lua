-- forecast/score_table.lua - figures of several forecasts as lines of text, one a forecast, all columns aligned.
-- SPDX-License-Identifier: MIT
local score_table = {}

local COLUMNS = { { "mae", "MAE" }, { "rmse", "RMSE" }, { "smape", "sMAPE" }, { "mase", "MASE" } }

-- Digits behind the point with which a number has four that count; nil: it is written with an exponent.
local function digits_of(x)
  local size = math.abs(x)
  if size ~= size or size ~= 0 and (size < 1e-4 or size >= 1e7) then
    return nil
  end
  return size >= 1 and math.max(0, 3 - math.floor(math.log(size, 10))) or 4
end

local function written(x, digits)
  return digits and ("%%.%df"):format(digits):format(x) or ("%.3e"):format(x)
end

function score_table.number(x)
  return written(x, digits_of(x))
end

-- A row's figure and its spread, with the digits that the column's smallest figure asks for.
local function cell(row, name, digits)
  local mean, spread = row.mean[name], row.spread[name]
  if not mean then
    return "", ""
  elseif name:find "^coverage" then
    return ("%.1f %%"):format(100 * mean), spread and (" ± %.1f"):format(100 * spread) or ""
  end
  digits = digits_of(mean) and digits
  return written(mean, digits), spread and " ± " .. written(spread, digits) or ""
end

-- Texts of a column, one a row: figures below each other, spreads behind them.
local function column_of(rows, name, title)
  local least
  for _, row in ipairs(rows) do
    local size = row.mean[name] and digits_of(row.mean[name]) and math.abs(row.mean[name])
    least = size and (not least or size < least) and size or least
  end
  local texts, width = {}, 0
  for i, row in ipairs(rows) do
    local figure, spread = cell(row, name, least and digits_of(least))
    texts[i] = { figure, spread }
    width = math.max(width, utf8.len(spread))
  end
  local column = { title .. (" "):rep(width) }
  for i, pair in ipairs(texts) do
    column[i + 1] = pair[1] .. pair[2] .. (" "):rep(width - utf8.len(pair[2]))
  end
  return column
end

-- Columns of the metrics that any row has: { name, title }.
local function columns_of(rows)
  local seen, levels = {}, {}
  for _, row in ipairs(rows) do
    for name in pairs(row.mean) do
      local level = name:match "^coverage_(.*)"
      if level and not seen[name] then
        levels[#levels + 1] = tonumber(level)
      end
      seen[name] = true
    end
  end
  local columns = {}
  for _, column in ipairs(COLUMNS) do
    columns[#columns + 1] = seen[column[1]] and column or nil
  end
  table.sort(levels)
  for _, level in ipairs(levels) do
    columns[#columns + 1] = { ("coverage_%.6g"):format(level), ("in %.6g %%"):format(level) }
  end
  columns[#columns + 1] = seen.pinball and { "pinball", "pinball" } or nil
  return columns
end

-- Texts of one width, filled up at their left or right.
local function aligned(texts, left)
  local width = 0
  for _, text in ipairs(texts) do
    width = math.max(width, utf8.len(text) or #text)
  end
  for i, text in ipairs(texts) do
    local blanks = (" "):rep(width - (utf8.len(text) or #text))
    texts[i] = left and text .. blanks or blanks .. text
  end
  return texts
end

-- The lines of a table of rows { name =, runs =, mean =, spread = }; the first is the head.
function score_table.lines(rows)
  local names = { "" }
  for i, row in ipairs(rows) do
    names[i + 1] = row.name .. (#row.runs > 1 and (", %d seeds"):format(#row.runs) or "")
  end
  local columns = { aligned(names, true) }
  for _, column in ipairs(columns_of(rows)) do
    columns[#columns + 1] = aligned(column_of(rows, column[1], column[2]))
  end
  local lines = {}
  for i = 1, #rows + 1 do
    local cells = {}
    for k, column in ipairs(columns) do
      cells[k] = column[i]
    end
    lines[i] = table.concat(cells, "  "):gsub(" +$", "")
  end
  return lines
end

return score_table
