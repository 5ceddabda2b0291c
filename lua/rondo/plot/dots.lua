-- plot/dots.lua - curves in characters without any other program: eight dots a character (Braille), or stars.
--
-- For screens that are drawn each second. A picture is { lines = { { xs =, ys =, color = 1..8 } }, width =, height =,
-- log =, label = }; the result is a list of `height` lines of at most `width` columns.
-- SPDX-License-Identifier: MIT
local script = require "rondo.plot.script"

local dots = {}

local WIDE, HIGH = 2, 4 -- dots of a character
local BITS = { { 0x01, 0x02, 0x04, 0x40 }, { 0x08, 0x10, 0x20, 0x80 } } -- by column and row (Unicode 2800)
local BRAILLE = 0x2800
local DENSE = 8  -- points of a column; of more, the lowest and highest of each stretch are drawn
local LABEL = 10 -- columns of numbers on the left
local PAINT = { "34", "33", "32", "35", "36", "31", "37", "90" } -- ANSI colours of lines 1 to 8

local function finite(v)
  return v == v and v ~= math.huge and v ~= -math.huge
end

-- True if the terminal's texts are UTF-8.
function dots.utf8()
  for _, name in ipairs { "LC_ALL", "LC_CTYPE", "LANG" } do
    local value = os.getenv(name) or ""
    if value ~= "" then
      return value:lower():find "utf%-?8" ~= nil
    end
  end
  return false
end

-- Lowest and highest x and y that can be shown; nil without any.
local function extent(lines, log)
  local x1, x2, y1, y2
  for _, line in ipairs(lines) do
    for i, y in ipairs(line.ys) do
      local x = line.xs[i]
      if finite(y) and finite(x) and (y > 0 or not log) then
        x1, x2 = math.min(x1 or x, x), math.max(x2 or x, x)
        y1, y2 = math.min(y1 or y, y), math.max(y2 or y, y)
      end
    end
  end
  if not x1 then
    return nil
  end
  if y1 == y2 then
    local room = log and 0 or math.max(math.abs(y1) / 10, 1e-9)
    y1, y2 = log and y1 / 2 or y1 - room, log and y2 * 2 or y2 + room
  end
  return x1, x2 > x1 and x2 or x1 + 1, y1, y2
end

-- Sets dots from one point to the next.
local function draw(set, x0, y0, x1, y1)
  local n = math.max(math.abs(x1 - x0), math.abs(y1 - y0))
  for k = 0, n do
    local share = n > 0 and k / n or 0
    set(math.floor(x0 + share * (x1 - x0) + 0.5), math.floor(y0 + share * (y1 - y0) + 0.5))
  end
end

-- Cells of the picture: bits and the colour of the last line that touched each.
local function raster(o, columns, rows, x1, x2, y1, y2)
  local bits, colors = {}, {}
  local scale = o.log and math.log or function(v) return v end
  local low, high = scale(y1), scale(y2)
  for i, line in ipairs(o.lines) do
    local function set(x, y)
      local cell = (y // HIGH) * columns + x // WIDE + 1
      bits[cell] = (bits[cell] or 0) | BITS[x % WIDE + 1][y % HIGH + 1]
      colors[cell] = line.color or i
    end
    local last_x, last_y
    local thinned = #line.ys > DENSE * columns and script.thinned(line.ys, WIDE * columns)
    for k = 1, thinned and #thinned or #line.ys do
      local place = thinned and thinned[k] or k
      local value, at = line.ys[place], line.xs[place]
      if finite(value) and finite(at) and (value > 0 or not o.log) then
        local x = math.floor((at - x1) / (x2 - x1) * (columns * WIDE - 1) + 0.5)
        local y = math.floor((high - scale(value)) / (high - low) * (rows * HIGH - 1) + 0.5)
        draw(set, last_x or x, last_y or y, x, y)
        last_x, last_y = x, y
      else
        last_x = nil
      end
    end
  end
  return bits, colors
end

-- The ANSI colour of line i.
function dots.paint(i)
  return PAINT[(i - 1) % #PAINT + 1]
end

local function number(v)
  return ("%.4g"):format(v)
end

-- The lines of the picture. plain: stars in place of Braille; color: ANSI colours.
function dots.lines(o, plain, color)
  local columns, rows = math.max(o.width - LABEL - 1, 8), math.max(o.height - 2, 2)
  local result = {}
  local x1, x2, y1, y2 = extent(o.lines, o.log)
  if not x1 then
    return { (" "):rep(LABEL) .. "| no figures yet" }
  end
  local bits, colors = raster(o, columns, rows, x1, x2, y1, y2)
  local middle = o.log and math.sqrt(y1 * y2) or (y1 + y2) / 2
  local labels = { [1] = number(y2), [rows // 2 + 1] = number(middle), [rows] = number(y1) }
  for row = 1, rows do
    local parts, on = { ("%" .. LABEL .. "s|"):format(labels[row] or "") }, nil
    for column = 1, columns do
      local cell = (row - 1) * columns + column
      local wanted = color and bits[cell] and dots.paint(colors[cell]) or nil
      if wanted ~= on then
        parts[#parts + 1] = wanted and ("\27[%sm"):format(wanted) or "\27[0m"
        on = wanted
      end
      parts[#parts + 1] = not bits[cell] and " " or plain and "*" or utf8.char(BRAILLE + bits[cell])
    end
    result[row] = table.concat(parts):gsub(" +$", "") .. (on and "\27[0m" or "")
  end
  result[rows + 1] = (" "):rep(LABEL) .. "+" .. ("-"):rep(columns)
  local left, right = number(x1), number(x2) .. (o.label and " " .. o.label or "")
  result[rows + 2] = (" "):rep(LABEL + 1) .. left .. (" "):rep(math.max(1, columns - #left - #right)) .. right
  return result
end

return dots
