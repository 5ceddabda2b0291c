-- plot/compact.lua - gnuplot's SVG in fewer bytes: the same picture, a quarter to a half as long.
--
-- What all groups say alike is said once, empty groups go, level and upright lines are written as such. The cells of a
-- heat map, each a polygon of four corners, become one path for each colour; neighbours in a row are one cell.
-- SPDX-License-Identifier: MIT
local COMMON = ' fill="none" color="black" stroke-linecap="butt" stroke-linejoin="miter" stroke-width="1.00"'
  .. ' font-family="sans-serif" font-size="13.00"'

local function short(number)
  return (number:gsub("(%.%d-)0+$", "%1"):gsub("%.$", ""))
end

-- A tenth of a point is enough for a cell, whose neighbour has the same edge.
local function tenth(number)
  return short(("%.1f"):format(tonumber(number)))
end

local function color(text)
  local r, g, b = text:match "^rgb%(%s*(%d+),%s*(%d+),%s*(%d+)%)$"
  return r and ("#%02x%02x%02x"):format(r, g, b) or text
end

-- The corners of an upright rectangle: left, right, lower and upper edge; or nil.
local function rectangle(points)
  local x1, y1, x2, y2, x3, y3, x4, y4 =
    points:match "^([%d.]+),([%d.]+) ([%d.]+),([%d.]+) ([%d.]+),([%d.]+) ([%d.]+),([%d.]+) *$"
  if x1 and y1 == y2 and x2 == x3 and y3 == y4 and x4 == x1 then
    return { x1, x2, y1, y3 }
  end
end

-- Cells that follow each other as paths, in the order in which their colours come.
local function paths_of(cells)
  local by_color, colors = {}, {}
  for _, cell in ipairs(cells) do
    if not by_color[cell.fill] then
      by_color[cell.fill], colors[#colors + 1] = {}, cell.fill
    end
    table.insert(by_color[cell.fill], ("M%s %sH%sV%sH%sz"):format(tenth(cell[1]), tenth(cell[3]), tenth(cell[2]),
      tenth(cell[4]), tenth(cell[1])))
  end
  for i, fill in ipairs(colors) do
    colors[i] = ("<path fill='%s' d='%s'/>"):format(fill, table.concat(by_color[fill]))
  end
  return table.concat(colors, "\n")
end

local function cells_joined(svg)
  local out, cells = {}, {}
  local function flush()
    if #cells > 0 then
      out[#out + 1], cells = paths_of(cells), {}
    end
  end
  for line in svg:gmatch "[^\n]+" do
    local fill, points = line:match "^%s*<polygon fill = '([^']*)' points = '([^']*)'/>$"
    local cell, last = points and rectangle(points), cells[#cells]
    if cell then
      cell.fill = color(fill)
      if last and last.fill == cell.fill and last[3] == cell[3] and last[4] == cell[4] and last[2] == cell[1] then
        last[2] = cell[2]
      else
        cells[#cells + 1] = cell
      end
    else
      flush()
      out[#out + 1] = line
    end
  end
  flush()
  return table.concat(out, "\n") .. "\n"
end

-- "M1.00,2.00 L3.00,2.00 M..." with H and V where a line is level or upright.
local function lines_shortened(d)
  return (d:gsub("M([%d.]+),([%d.]+) L([%d.]+),([%d.]+)%s*", function(x1, y1, x2, y2)
    if y1 == y2 then
      return ("M%s %sH%s"):format(short(x1), short(y1), short(x2))
    elseif x1 == x2 then
      return ("M%s %sV%s"):format(short(x1), short(y1), short(y2))
    end
  end))
end

return function(svg)
  svg = cells_joined(svg)
  svg = svg:gsub('<g fill="none" color="#?%w+" ([^>]-) stroke%-linecap="butt" stroke%-linejoin="miter">', "<g %1>")
  for _ = 1, 3 do
    svg = svg:gsub("<g [^>]*>%s*</g>%s*", "")
  end
  svg = svg:gsub("\n[ \t]+", "\n"):gsub("(%sd=')([^']*)'", function(head, d)
    return head .. lines_shortened(d:gsub("\n", " ")) .. "'"
  end)
  return (svg:gsub("(['\"])(rgb%([%d%s,]+%))['\"]", function(quote, text) return quote .. color(text) .. quote end)
    :gsub('(<g[^>]-) font%-family="sans%-serif" font%-size="13.00" ', "%1"):gsub(' stroke%-width="1.00">', ">")
    :gsub("%s+'/>", "'/>"):gsub(">[ \t]+<", "><"):gsub("\n\n+", "\n")
    :gsub("(['\"])%s%s+(%l)", "%1 %2"):gsub('<g id="gnuplot_canvas">', '<g id="gnuplot_canvas"' .. COMMON .. ">"))
end
