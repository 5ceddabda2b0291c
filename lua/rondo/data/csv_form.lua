-- data/csv_form.lua - what the first rows of a CSV file show: decimal sign, order of dates, names, kinds of columns.
--
-- Where they can be read in two ways nothing is guessed: such cells are left to be refused by the core, which names
-- their line, column and the option that decides.
-- SPDX-License-Identifier: MIT
local form = {}

local LOOKED_AT = 1000 -- rows that decide

-- Cells of the first rows by column: the first row apart.
function form.look(csv)
  local all = {}
  for i = 1, csv:width() do
    all[i] = i
  end
  local cells, n = csv:cells(all, 1, LOOKED_AT)
  if not cells then
    return nil, n
  end
  local head = {}
  for i, list in ipairs(cells) do
    head[i] = table.remove(list, 1)
  end
  return { head = head, cells = cells, width = #all, rows = n - 1 }
end

-- The decimal sign: a comma if a number shows one that parts no group of three digits. With a full stop in another,
-- both may be: then it is what parts the last digits.
function form.find_decimal(found)
  for _, list in ipairs(found.cells) do
    for _, cell in ipairs(list) do
      local whole, fraction = cell:match "^%s*[+-]?(%d*),(%d+)%s*$"
      if whole and (#fraction ~= 3 or #whole > 3 or whole:find "^0" or whole == "")
        or cell:find "^%s*[+-]?%d+,%d+[eE][+-]?%d+%s*$" or cell:find "^%s*[+-]?%d+%.%d%d%d,%d+%s*$" then
        return ","
      end
    end
  end
  return "."
end

-- The order of dates with slashes or hyphens and the year last, or "sure" where none of them tells.
function form.find_dates(found)
  for _, list in ipairs(found.cells) do
    for _, cell in ipairs(list) do
      local a, b = cell:match "^%s*(%d%d?)[/-](%d%d?)[/-]%d%d%d%d"
      if a and tonumber(a) > 12 then
        return "dmy"
      elseif a and tonumber(b) > 12 then
        return "mdy"
      end
    end
  end
  return "sure"
end

-- What a cell was meant to be. Text that was meant to be a number or a date is not passed over: the core refuses it.
local function meant(csv, cell, kind)
  if kind == "number" and cell:find "^%s*[12]%d%d%d[01]%d[0-3]%d%s*$" and csv:time(cell) then
    return "time" -- 20200131
  elseif kind ~= "text" then
    return kind
  end
  if cell:find "^%s*%d%d?[/-]%d%d?[/-]%d%d%d?%d?%s*$" or cell:find "^%s*%d%d?%.%d%d?%.%d%d%s*$" then
    return "time"
  end
  return (cell:find "^%s*[+-]?%d[%d,]*,%d+%.?%d*%s*$" or cell:find "^%s*[+-]?%d[%d.]*,%d+%s*$") and "number" or "text"
end

-- Of a column: "number", "time" or "text", whatever most of its cells are; "missing" where it has nothing.
function form.kind_of(csv, list)
  local counts, kind = { number = 0, time = 0, text = 0, missing = 0 }, "missing"
  for _, cell in ipairs(list) do
    local one = meant(csv, cell, csv:kind(cell))
    counts[one] = counts[one] + 1
  end
  counts.missing = 0
  for _, one in ipairs { "number", "time", "text" } do
    kind = counts[one] > counts[kind] and one or kind
  end
  return kind
end

-- Is the first row the names? nil, message where numbers and words stand in it above numbers.
function form.find_header(csv, path, found)
  local numbers, words_above = false, false
  for i, cell in ipairs(found.head) do
    local kind = csv:kind(cell)
    numbers = numbers or kind == "number" or kind == "time"
    words_above = words_above or kind == "text" and (found.kinds[i] == "number" or found.kinds[i] == "time")
  end
  if numbers and words_above then
    return nil, path .. ": the first row holds numbers, and words above numbers; give header = true if it has the "
      .. "names of the columns, header = false if it is one of values"
  end
  return not numbers
end

-- Names of the columns: a missing one is the column's number.
function form.names_of(found, header, path)
  local names, place = {}, {}
  for i, cell in ipairs(found.head) do
    local name = header and cell:match "^%s*(.-)%s*$" or ""
    if name == "" then
      name = tostring(i)
    end
    if place[name] then
      return nil, ("%s: columns %d and %d are both called '%s'; give them names of their own"):format(path, place[name],
        i, name)
    end
    names[i], place[name] = name, i
  end
  return names, place
end

local function meant_year(cell)
  return cell:find "^%s*[12]%d%d%d%s*$" or cell:find "^%s*[12]%d%d%d[01]%d[0-3]%d%s*$"
end

-- Times that are numbers other than years and days: an index, 1749.04.
function form.plain_times(list)
  local numbers, years = 0, 0
  for _, cell in ipairs(list) do
    if cell:find "^%s*[+-]?%d*%.?%d+%s*$" then
      numbers = numbers + 1
      years = years + (meant_year(cell) and 1 or 0)
    end
  end
  return numbers > years and numbers > #list // 2
end

return form
