-- plot/picture.lua - a picture as a table (see gnuplot.lua), checked against what it may hold.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local options = require "rondo.options"

local any = function(name, help) return { name = name, kind = "any", help = help } end
local text = function(name, help) return { name = name, kind = "string", help = help } end
local flag = function(name, help) return { name = name, kind = "bool", def = false, help = help } end
local list = function(name, help) return { name = name, kind = "table", help = help } end

local axis_specs = { text("label", "what it shows"), flag("log", "a logarithmic axis"),
  flag("time", "values are seconds since 1970"), { name = "min", kind = "real", help = "where it begins" },
  { name = "max", kind = "real", help = "where it ends" }, list("ticks", "{ { at, label }, ... }") }
local line_specs = { text("name", "its name in the legend; none: it has no entry"), list("xs", "default 1, 2, 3 ..."),
  list("ys", "values; NaN leaves a gap"), list("lower", "of a band"), list("upper", "of a band"),
  { name = "style", kind = "choice", def = "line", choices = { "line", "points", "band", "bars", "steps" } },
  any("color", "1..8, 'muted' or '#rrggbb'"), { name = "width", kind = "real", def = 1.8, min = 0.1, max = 20 },
  flag("dashed", "not for bands, points and bars") }
local heat_specs = { list("matrix", "rows of numbers, the first one at the bottom"), list("xs", "columns' places"),
  list("ys", "rows' places"), text("label", "what the colours mean"), flag("diverging", "colours around 0"),
  flag("log", "logarithmic colours"), { name = "min", kind = "real", help = "value of the first colour" },
  { name = "max", kind = "real", help = "value of the last" } }
local mark_specs = { { name = "x", kind = "real", help = "a vertical line" },
  { name = "y", kind = "real", help = "a level line" }, text("name", "written beside it") }
local specs = { text("title", "above the picture"), list("x", "axis"), list("y", "axis"), list("lines", "lines"),
  list("heat", "a heat map"), list("marks", "{ { x = 3, name = 'here' }, ... }"),
  list("panels", "pictures in place of lines and heat"),
  { name = "columns", kind = "int", min = 1, max = 16, help = "of panels; default 1 of up to 3, else 2" } }

local function check_line(given, i)
  local what = ("plot: line %d"):format(i)
  local line = options.resolve(what, line_specs, given)
  if line.style == "band" then
    if not line.lower or not line.upper or #line.lower ~= #line.upper then
      errors.raise("%s: a band needs lower and upper of one length", what)
    end
  elseif not line.ys then
    errors.raise("%s: needs ys", what)
  end
  local n = #(line.ys or line.lower)
  if line.xs and #line.xs ~= n then
    errors.raise("%s: %d values at %d places", what, n, #line.xs)
  elseif not line.xs then
    line.xs = {}
    for k = 1, n do
      line.xs[k] = k
    end
  end
  return line
end

local function check_heat(given)
  local heat = options.resolve("plot: heat", heat_specs, given)
  local rows = heat.matrix or {}
  for i, row in ipairs(rows) do
    if #row ~= #rows[1] then
      errors.raise("plot: heat: row %d has %d values, the first has %d", i, #row, #rows[1])
    end
  end
  if #rows == 0 or #rows[1] == 0 then
    errors.raise "plot: heat: the matrix is empty"
  end
  return heat
end

-- The picture with every table checked against what it may hold.
local function checked(given)
  local p = options.resolve("plot", specs, given)
  p.x, p.y = options.resolve("plot: x", axis_specs, p.x), options.resolve("plot: y", axis_specs, p.y)
  local lines, panels, marks = {}, {}, {}
  for i, line in ipairs(p.lines or {}) do
    lines[i] = check_line(line, i)
  end
  for i, panel in ipairs(p.panels or {}) do
    panels[i] = checked(panel)
  end
  for i, mark in ipairs(p.marks or {}) do
    marks[i] = options.resolve("plot: mark", mark_specs, mark)
  end
  p.lines, p.panels, p.marks, p.heat = lines, panels, marks, p.heat and check_heat(p.heat)
  return p
end

return checked
