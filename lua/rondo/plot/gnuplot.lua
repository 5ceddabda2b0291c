-- plot/gnuplot.lua - pictures by gnuplot: SVG and PNG files, and characters in a terminal.
--
--   local gnuplot = require "rondo.plot.gnuplot"
--   assert(gnuplot.draw({
--     title = "Loss", x = { label = "step" }, y = { label = "loss", log = true },
--     lines = { { name = "train", xs = steps, ys = losses }, { name = "valid", xs = s2, ys = l2, style = "points" } },
--   }, { path = "loss.svg", width = 800, height = 480 }))
--
-- A picture is a table (picture.lua has all fields; an unknown one is an error):
--   title, x, y      axes: { label =, log =, time =, min =, max =, ticks = { { at, "label" }, ... } }
--   lines            { name =, xs =, ys =, style = "line"|"points"|"bars"|"steps", color = 1..8|"muted"|"#rrggbb",
--                    width =, dashed = }, or a band: { style = "band", xs =, lower =, upper = }
--   heat             { matrix = { row, ... }, xs =, ys =, label =, diverging =, log = }, first row at the bottom
--   marks            { { x = 100, name = "forecast" }, { y = 0 } }: lines across
--   panels, columns  pictures side by side, in place of lines and heat
-- Values are numbers, NaN where there is none. Lists may be tables only (tensor:table() of a tensor).
--
-- draw(picture, { path = "x.svg"|"x.png"|nil, width =, height =, color = }): true, or nil, message, code. Without a
-- path it goes to standard output as characters (width and height are columns and lines then). The file is written
-- under another name and renamed. render(picture, { kind = "svg"|"png"|"text", ... }) gives the bytes instead.
-- gnuplot is run without a shell and reads its words from a file without a name; script.lua says what is quoted.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local progress = require "rondo.progress"
local compact = require "rondo.plot.compact"
local script = require "rondo.plot.script"

local gnuplot = {}

local MISSING = "gnuplot is not installed: it draws the pictures. On Debian: apt install gnuplot-nox"
local DEFAULTS = { svg = { 800, 480 }, png = { 800, 480 }, text = { 79, 24 } }
local LIMITS = { svg = { 100, 10000 }, png = { 100, 10000 }, text = { 20, 1000 } }

-- The first line of the program. A PNG has twice the pixels, so that it is sharp where it is enlarged.
local heads = {}

function heads.svg(width, height)
  return ("set terminal svg size %d,%d noenhanced font 'sans-serif,13' background '#ffffff'"):format(width, height)
end

function heads.png(width, height)
  return ("set terminal pngcairo size %d,%d noenhanced font 'sans-serif,11' fontscale 2 linewidth 2 pointscale 2 "
    .. "background '#ffffff'"):format(2 * width, 2 * height)
end

function heads.text(width, height, color)
  return ("set terminal dumb size %d,%d noenhanced %s"):format(width, height, color and "ansi256" or "mono")
end

local RAMP = " .:-=+*#%@" -- for levels of grey

-- gnuplot 5.4 numbers greys from 232 to 263, where terminals have 24 of them, to 255.
local FIRST_GREY, GREYS, TERMINAL_GREYS = 232, 32, 24

-- Cells of a heat map become characters that say the level of grey they had; nothing is coloured.
local function ramped(text)
  text = text:gsub("\27%[38;5;(%d+)m(X+)", function(color, cells)
    local level = math.min(math.max(tonumber(color) - FIRST_GREY, 0), GREYS - 1) * #RAMP // GREYS
    return RAMP:sub(level + 1, level + 1):rep(#cells)
  end)
  return (text:gsub("\27%[[%d;]*m", ""))
end

-- Cells become blocks, greys what terminals call them; colours that are on already go.
local function painted(text)
  local on
  text = text:gsub("(\27%[38;5;%d+m)(X+)", function(color, cells)
    return color .. ("\u{2588}"):rep(#cells)
  end):gsub("(\27%[38;5;)(%d+)m", function(head, n)
    n = math.tointeger(n)
    return n >= FIRST_GREY and ("%s%dm"):format(head, FIRST_GREY + (n - FIRST_GREY) * TERMINAL_GREYS // GREYS) or nil
  end)
  return (text:gsub("\27%[[%d;]*m", function(color)
    local known = color == on
    on = color
    return known and "" or nil
  end))
end

-- Without form feeds and what is blank at the ends of lines.
local function tidy(text, grey)
  text = text:gsub("\f", "")
  text = grey and ramped(text) or painted(text)
  return (text:gsub("[ \t]+\n", "\n"):gsub("^\n+", ""):gsub("%s+$", "\n"))
end

-- True if a picture has a heat map.
local function has_heat(given)
  for _, panel in ipairs(type(given.panels) == "table" and given.panels or {}) do
    if type(panel) == "table" and panel.heat then
      return true
    end
  end
  return given.heat ~= nil
end

local function size_of(o, kind)
  local width, height = o.width or DEFAULTS[kind][1], o.height or DEFAULTS[kind][2]
  local low, high = table.unpack(LIMITS[kind])
  for name, value in pairs { width = width, height = height } do
    if math.type(value) ~= "integer" or value < low and not (kind == "text" and value >= 8) or value > high then
      errors.raise("plot: %s must be an integer %d..%d, got %s", name, low, high, tostring(value))
    end
  end
  return width, height
end

-- The bytes of the picture as "svg", "png" or "text"; or nil, message, code.
function gnuplot.render(picture, o)
  local kind = o.kind or "svg"
  local width, height = size_of(o, kind)
  local grey = kind == "text" and not o.color and has_heat(picture)
  local words = script.of(picture, { head = heads[kind](width, height, o.color or grey), terminal = kind == "text",
    grey = grey, width = width })
  local input <close> = assert(io.tmpfile())
  local output <close> = assert(io.tmpfile())
  input:write(words)
  local result, message, number = core.run({ "gnuplot", "--default-settings", "-" }, output, input)
  if not result then
    return errors.outside(number == 2 and MISSING or message)
  elseif result.interrupted then
    errors.stop(errors.INTERRUPTED)
  elseif result.code ~= 0 then
    return errors.outside("gnuplot could not draw this: " .. (result.stderr:match "line %d+: ([^\n]+)"
      or result.stderr:gsub("%s+", " ")))
  end
  output:seek "set"
  local bytes = output:read "a"
  return kind == "text" and tidy(bytes, grey) or kind == "svg" and compact(bytes) or bytes
end

-- The kind of picture that a name asks for, or nil, message.
function gnuplot.kind_of(path)
  local kind = path:lower():match "%.(%a+)$"
  if kind ~= "svg" and kind ~= "png" then
    return nil, ("%s: a picture's name ends in .svg or .png"):format(path)
  end
  return kind
end

-- Draws into a file, or on standard output.
function gnuplot.draw(picture, o)
  o = o or {}
  local kind, wrong = "text", nil
  if o.path then
    kind, wrong = gnuplot.kind_of(o.path)
  end
  if not kind then
    return errors.outside(wrong, errors.USAGE)
  end
  local color = o.color
  if color == nil then
    color = core.isatty(1) and progress.colored "auto"
  end
  local width = o.width or not o.path and math.max(20, core.columns() - 1) or nil
  local bytes, why, code = gnuplot.render(picture, { kind = kind, width = width, height = o.height, color = color })
  if not bytes then
    return nil, why, code
  elseif o.path then
    local ok, failed = core.write_file(o.path, bytes)
    if not ok then
      return errors.outside(failed)
    end
    return true
  end
  io.stdout:write(bytes)
  return true
end

return gnuplot
