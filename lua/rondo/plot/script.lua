-- plot/script.lua - a picture as a table (see gnuplot.lua) turned into the words of gnuplot.
--
-- What comes from outside is a number, or stands between single quotes without control characters: there gnuplot
-- looks for no command, no `shell` and no escape. Numbers go in data blocks, in which nothing is expanded.
-- SPDX-License-Identifier: MIT
local calendar = require "rondo.calendar"
local errors = require "rondo.errors"
local json = require "rondo.json"
local picture_of = require "rondo.plot.picture"

local script = {}

-- Okabe and Ito (2008): told apart by colour-blind readers too. Yellow is last, being pale on white.
script.colors = { "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#b8a900" }
local COLORS = script.colors
local MUTED = "#888888" -- what is there to compare with: the history before a forecast, say

-- Stops of viridis (Smith and van der Walt 2015) and of a blue-white-red, for values around 0.
local HEAT = { "#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725" }
local GREY = { "#080808", "#eeeeee" } -- for characters without colour
local AROUND_ZERO = { "#2166ac", "#67a9cf", "#d1e5f0", "#f7f7f7", "#fddbc7", "#ef8a62", "#b2182b" }

local POINTS_A_PIXEL = 2 -- longer lines are thinned to lowest and highest of each pixel

local finite = function(x) return x ~= nil and x == x and x ~= math.huge and x ~= -math.huge end

local function quoted(value)
  return "'" .. json.valid(tostring(value)):gsub("%c", " "):gsub("'", "''") .. "'"
end

local function number(x)
  return finite(x) and ("%.10g"):format(x) or "NaN"
end

-- ---- ranges -----------------------------------------------------------------------------------------------

-- Lowest and highest of the lists of values that an axis can show, or nil.
local function extent(axis, lists)
  local low, high
  for _, values in ipairs(lists) do
    for i = 1, #values do
      local v = values[i]
      if finite(v) and (v > 0 or not axis.log) then
        low, high = low and math.min(low, v) or v, high and math.max(high, v) or v
      end
    end
  end
  return low, high
end

local function columns_of(p, names)
  local lists = {}
  for _, line in ipairs(p.lines) do
    for _, name in ipairs(names) do
      lists[#lists + 1] = line[name]
    end
  end
  return lists
end

-- An axis of one value gets room around it; one without values (low is nil) the range 0 to 1 or 1 to 10.
local function range(out, name, axis, low, high)
  local from, to = axis.min, axis.max
  if not low then
    from, to = from or (axis.log and 1 or 0), to or (axis.log and 10 or 1)
  elseif low == high then
    local room = axis.log and 0 or (low == 0 and 1 or math.abs(low) / 10)
    from, to = from or (axis.log and low / 2 or low - room), to or (axis.log and low * 2 or low + room)
  end
  out(("set %srange [%s:%s]%s"):format(name, from and number(from) or "*", to and number(to) or "*",
    name == "x" and " noextend" or ""))
end

-- ---- settings ---------------------------------------------------------------------------------------------

local DAY = 86400
local TIME_STEPS = { 1, 5, 15, 60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, DAY, 2 * DAY, 7 * DAY, 14 * DAY }
-- Forms of times for steps below so many seconds, and how many of them have room side by side.
local TIMES = { { 60, "%H:%M:%S", 7 }, { 3600, "%H:%M", 7 }, { DAY, "%d %b %H:%M", 5 }, { 15 * DAY, "%d %b", 7 } }

local MONTHS = { 1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200 }

-- Steps of a time axis: whole hours, days or weeks; of longer ones months and years, whose places are counted here.
local function time_tics(out, name, low, high)
  local span = high - low
  for _, step in ipairs(TIME_STEPS) do
    for _, form in ipairs(TIMES) do
      if step < form[1] and span / step <= form[3] then
        out(("set %stics time %d format '%s'"):format(name, step, form[2]))
        return
      elseif step < form[1] then
        break
      end
    end
  end
  for _, step in ipairs(MONTHS) do
    if span / (step * 30.4 * DAY) <= 7 or step == MONTHS[#MONTHS] then
      local date, ticks = os.date("!*t", math.floor(low)), {}
      local first = (date.year * 12 + date.month - 1 + step - 1) // step * step
      for month = first, first + 12 * 1000, step do
        local at = calendar.month_begin(month)
        if at > high then
          break
        end
        ticks[#ticks + 1] = ("'%s' %d"):format(step < 12 and ("%04d-%02d"):format(month // 12, month % 12 + 1)
          or ("%d"):format(month // 12), at)
      end
      out(("set %stics (%s)"):format(name, table.concat(ticks, ", ")))
      return
    end
  end
end

local function draw_axis(out, name, axis, low, high)
  if axis.log then
    out(("set logscale %s"):format(name))
  end
  range(out, name, axis, low, high)
  if axis.label then
    out(("set %slabel %s noenhanced"):format(name, quoted(axis.label)))
  end
  if axis.time and low then
    time_tics(out, name, low, high)
  elseif axis.ticks then
    local named = {}
    for i, tick in ipairs(axis.ticks) do
      named[i] = ("%s %s"):format(quoted(tick[2]), number(tick[1]))
    end
    out(("set %stics (%s) noenhanced"):format(name, table.concat(named, ", ")))
  end
end

-- Light lines behind, no box around, and the legend below: it covers nothing, however many lines there are.
local function style(out, p, terminal)
  out "reset"
  out "set encoding utf8"
  out "set key bmargin left horizontal Left reverse samplen 2 noenhanced"
  out "set rmargin 4"
  out(terminal and "set border 3" or "set border 3 lc rgb '#666666'")
  out(terminal and "set tics nomirror" or "set tics nomirror scale 0.5 textcolor rgb '#444444'")
  if not terminal then
    out "set grid lc rgb '#dddddd' lt 1 lw 0.6"
  end
  if p.title then
    out(("set title %s noenhanced"):format(quoted(p.title)))
  end
end

local function color_of(line, place)
  local color = line.color or place
  if math.type(color) == "integer" then
    return COLORS[(color - 1) % #COLORS + 1]
  elseif color == "muted" then
    return MUTED
  elseif type(color) == "string" and color:find "^#%x%x%x%x%x%x$" then
    return color
  end
  errors.raise("plot: color must be 1..%d, 'muted' or '#rrggbb', got '%s'", #COLORS, tostring(color))
end

-- ---- data -------------------------------------------------------------------------------------------------

-- Of a long line the places of lowest and highest value in each of `stretches`, in order.
function script.thinned(ys, stretches)
  local places = {}
  for s = 0, stretches - 1 do
    local from, to = #ys * s // stretches + 1, #ys * (s + 1) // stretches
    local low, high = from, from
    for i = from, to do
      if finite(ys[i]) then
        low = (not finite(ys[low]) or ys[i] < ys[low]) and i or low
        high = (not finite(ys[high]) or ys[i] > ys[high]) and i or high
      end
    end
    places[#places + 1] = math.min(low, high)
    places[#places + 1] = low ~= high and math.max(low, high) or nil
  end
  return places
end

-- Puts a data block of columns and gives its name. A value that an axis cannot show is a gap.
local function block(self, columns, places)
  self.blocks = self.blocks + 1
  local name = "$d" .. self.blocks
  self.out(name .. " << END")
  for k = 1, places and #places or #columns[1] do
    local i, words = places and places[k] or k, {}
    for c, values in ipairs(columns) do
      words[c] = number(values[i])
    end
    self.out(table.concat(words, " "))
  end
  self.out "END"
  return name
end

local function shown(axis, values)
  if not axis.log then
    return values
  end
  local all = {}
  for i = 1, #values do
    all[i] = values[i] > 0 and values[i] or 0 / 0
  end
  return all
end

-- The words of `plot` for a line, in a list: a band on a terminal is its two edges.
local function line_words(self, p, line, place)
  local color = ("lc rgb '%s'"):format(color_of(line, place))
  local title = line.name and "title " .. quoted(line.name) or "notitle"
  local xs = shown(p.x, line.xs)
  if line.style == "band" then
    local name = block(self, { xs, shown(p.y, line.lower), shown(p.y, line.upper) })
    if self.terminal then
      return { ("%s using 1:2 with lines %s %s"):format(name, color, title),
        ("%s using 1:3 with lines %s notitle"):format(name, color) }
    end
    return { ("%s using 1:2:3 with filledcurves fs transparent solid 0.22 noborder %s %s"):format(name, color, title) }
  end
  local ys = shown(p.y, line.ys)
  local most = self.width * POINTS_A_PIXEL
  local thin = line.style == "line" and #ys > most and script.thinned(ys, most // 2) or nil
  local name = block(self, { xs, ys }, thin)
  if line.style == "points" then
    return { ("%s with points pt 7 ps %.3g %s %s"):format(name, line.width / 3, color, title) }
  elseif line.style == "bars" then
    return { ("%s with boxes fs solid 0.8 noborder %s %s"):format(name, color, title) }
  end
  return { ("%s with %s lw %.3g %s %s %s"):format(name, line.style == "steps" and "steps" or "lines", line.width,
    line.dashed and "dt (8,5)" or "", color, title) }
end

-- A heat map is one image; its columns and rows are evenly spaced, as places say.
local function heat_words(self, heat)
  local rows, cells = heat.matrix, { {}, {}, {} }
  local low, high = extent({ log = heat.log }, rows)
  for j, row in ipairs(rows) do
    for i, value in ipairs(row) do
      local k = #cells[1] + 1
      cells[1][k], cells[2][k] = heat.xs and heat.xs[i] or i, heat.ys and heat.ys[j] or j
      cells[3][k] = (value > 0 or not heat.log) and value or 0 / 0
    end
  end
  local stops = {}
  for i, color in ipairs(self.grey and GREY or heat.diverging and AROUND_ZERO or HEAT) do
    stops[i] = ("%d '%s'"):format(i, color)
  end
  self.out(("set palette maxcolors 48 defined (%s)"):format(table.concat(stops, ", ")))
  local most = low and math.max(math.abs(low), math.abs(high))
  if heat.diverging and low then
    self.out(("set cbrange [%s:%s]"):format(number(-(most > 0 and most or 1)), number(most > 0 and most or 1)))
  else
    range(self.out, "cb", { log = heat.log, min = heat.min, max = heat.max }, low, high)
  end
  if heat.log then
    self.out "set logscale cb"
  end
  if heat.label then
    self.out(("set cblabel %s noenhanced"):format(quoted(heat.label)))
  end
  self.out "unset grid"
  self.out "set format cb '%g'"
  self.out "unset rmargin"
  return ("%s using 1:2:3 with image pixels notitle"):format(block(self, cells))
end

local function marks(self, list)
  for i, mark in ipairs(list) do
    local x, y = mark.x and "first " .. number(mark.x) or "graph 0", mark.y and "first " .. number(mark.y) or "graph 0"
    local to = ("%s, %s"):format(mark.x and x or "graph 1", mark.y and y or "graph 1")
    self.out(("set arrow %d from %s, %s to %s nohead %s"):format(i, x, y, to,
      self.terminal and "" or ("lw 1 dt (4,4) lc rgb '%s'"):format(MUTED)))
    if mark.name then
      self.out(("set label %d %s at %s, %s offset 0.6,-0.8 noenhanced %s"):format(i, quoted(mark.name), x,
        mark.y and y or "graph 1", self.terminal and "" or ("textcolor rgb '%s'"):format(MUTED)))
    end
  end
end

-- Bars stand on 0.
local function room_for_bars(out, p, low, high)
  for _, line in ipairs(p.lines) do
    if line.style == "bars" and low and not p.y.log then
      out "set boxwidth 0.8 relative"
      out "set offsets graph 0.04, graph 0.04, 0, 0"
      p.y.min = p.y.min or low >= 0 and 0 or nil
      return math.min(low, 0), math.max(high, 0)
    end
  end
  return low, high
end

local function picture(self, p)
  style(self.out, p, self.terminal)
  local low, high = extent(p.x, columns_of(p, { "xs" }))
  local y_low, y_high = extent(p.y, columns_of(p, { "ys", "lower", "upper" }))
  y_low, y_high = room_for_bars(self.out, p, y_low, y_high)
  local words = {}
  if p.heat then
    words[1] = heat_words(self, p.heat)
    self.out "set autoscale fix"
    low, high, y_low, y_high = 0, 1, 0, 1 -- the image says it
  end
  draw_axis(self.out, "x", p.x, low, high)
  draw_axis(self.out, "y", p.y, y_low, y_high)
  marks(self, p.marks)
  for i, line in ipairs(p.lines) do
    if #(line.ys or line.lower) > 0 then
      local some = line_words(self, p, line, i)
      table.move(some, 1, #some, #words + 1, words)
    end
  end
  if not (low and y_low) then
    self.out "set label 1 'no values' at graph 0.5, 0.5 center"
    words = { "NaN notitle" }
  end
  self.out("plot " .. table.concat(words, ", "))
end

-- The program that draws picture `given`. o: head (its first line), terminal (for characters), grey (colours are
-- levels of grey), width (in pixels).
function script.of(given, o)
  local p = picture_of(given)
  local words = { o.head }
  local self = { blocks = 0, terminal = o.terminal, grey = o.grey, width = o.width,
    out = function(word) words[#words + 1] = word end }
  if #p.panels > 0 then
    local columns = p.columns or (#p.panels <= 3 and 1 or 2)
    self.out "set encoding utf8"
    self.out(("set multiplot layout %d,%d%s"):format((#p.panels + columns - 1) // columns, columns,
      p.title and (" title %s noenhanced"):format(quoted(p.title)) or ""))
    for _, panel in ipairs(p.panels) do
      picture(self, panel)
    end
    self.out "unset multiplot"
  else
    picture(self, p)
  end
  return table.concat(words, "\n") .. "\n"
end

return script
