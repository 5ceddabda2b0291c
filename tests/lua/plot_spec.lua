-- plot_spec.lua - pictures by gnuplot: what is drawn, what is refused, and that no name is ever a command.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local gnuplot = require "rondo.plot.gnuplot"
local script = require "rondo.plot.script"
local support = dofile "tests/lua/support.lua"

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local have = core.run { "gnuplot", "--version" }
local function with_gnuplot(name, f)
  it(name, have and f or function() pending "gnuplot is not installed" end)
end
local function words(picture)
  return script.of(picture, { head = "", width = 800 })
end
local curve = { title = "Loss", x = { label = "step" }, y = { label = "loss", log = true },
  lines = { { name = "a_b", xs = { 1, 2, 3 }, ys = { 4, 2, 1 } } } }

describe("a picture", function()
  with_gnuplot("is an SVG or a PNG file", function()
    assert.is_true(gnuplot.draw(curve, { path = folder .. "/x.svg", width = 400, height = 300 }))
    local svg = support.read(folder .. "/x.svg")
    assert.matches("^<%?xml", svg)
    assert.matches("</svg>%s*$", svg)
    assert.truthy(svg:find(">a_b</text>", 1, true))
    assert.truthy(svg:find('width="400" height="300"', 1, true))
    assert.is_true(gnuplot.draw(curve, { path = folder .. "/x.png" }))
    assert.equal("\x89PNG\r\n\x1a\n", support.read(folder .. "/x.png"):sub(1, 8))
  end)
  with_gnuplot("is characters without a file", function()
    local text = assert(gnuplot.render(curve, { kind = "text", width = 60, height = 20 }))
    assert.matches("%*%*%*%*%*a_b", text)
    assert.matches("\n +Loss\n", "\n" .. text)
    assert.is_nil(text:find "\27")
    assert.matches("\27%[38;5;", (gnuplot.render(curve, { kind = "text", color = true })))
  end)
  with_gnuplot("has panels, bands, bars, marks and heat maps", function()
    local picture = { title = "All", panels = {
      { lines = { { style = "band", lower = { 1, 2 }, upper = { 2, 3 } }, { ys = { 1, 2 }, style = "points" } } },
      { lines = { { ys = { 1, 1 }, style = "bars" } }, marks = { { x = 1, name = "here" }, { y = 0.5 } } },
      { heat = { matrix = { { 1, 2 }, { 3, 4 } }, label = "size" }, y = { ticks = { { 1, "first" } } } },
      { lines = { { xs = { 0, 1e5 }, ys = { 1, 2 }, style = "steps", dashed = true } }, x = { time = true } } } }
    local svg = assert(gnuplot.render(picture, {}))
    for _, text in ipairs { "All", "here", "size", "first", "01 Jan 12:00" } do
      assert.truthy(svg:find(">" .. text .. "<", 1, true), text)
    end
  end)
  with_gnuplot("shows a heat map in characters, with and without colour", function()
    local heat = { heat = { matrix = { { 1, 2, 3, 4 }, { 5, 6, 7, 8 } } } }
    local plain = assert(gnuplot.render(heat, { kind = "text", width = 40, height = 12 }))
    assert.matches("@@@", plain)
    assert.is_nil(plain:find "\27")
    assert.matches("\u{2588}\u{2588}", (gnuplot.render(heat, { kind = "text", width = 40, height = 12, color = true })))
  end)
  with_gnuplot("of nothing says so, and leaves gaps where values are none or not positive on a log axis", function()
    assert.matches(">no values<", (assert(gnuplot.render({ lines = { { ys = {} } } }, {}))))
    assert.matches(">no values<", (assert(gnuplot.render({ y = { log = true }, lines = { { ys = { -1, 0 } } } }, {}))))
    assert.truthy(gnuplot.render({ lines = { { ys = { 1, 0 / 0, 1 / 0, 1 } } } }, {}))
    assert.truthy(gnuplot.render({ y = { log = true }, lines = { { ys = { 0, 1, 10 } } } }, {}))
  end)
  it("thins a long line to the lowest and highest of each pixel", function()
    local ys = {}
    for i = 1, 100000 do
      ys[i] = i == 77777 and 50 or i % 2
    end
    local text = words { lines = { { ys = ys } } }
    assert.matches("\n77777 50\n", text)
    assert.is_true(#text < 50000)
  end)
  with_gnuplot("takes a name of any bytes for what it is: a name", function()
    local evil = "a'; system('touch " .. folder .. "/hit'); `touch " .. folder .. "/hit` \n!touch " .. folder
      .. "/hit\n\xff $(touch " .. folder .. "/hit) %s \\n <script>"
    local svg = assert(gnuplot.render({ title = evil, x = { label = evil, ticks = { { 1, evil } } },
      lines = { { name = evil, ys = { 1, 2 } } }, marks = { { x = 1, name = evil } } }, {}))
    assert.is_nil(core.stat(folder .. "/hit"))
    assert.truthy(svg:find("system(", 1, true))
    assert.is_nil(svg:find("<script>", 1, true))
  end)
  it("is refused where it holds what no picture has", function()
    local function refused(pattern, picture)
      assert.matches(pattern, support.failure(words, picture))
    end
    refused("plot: unknown option 'line' %(did you mean 'lines'%?%)", { line = {} })
    refused("plot: line 1: unknown option 'nam' %(did you mean 'name'%?%)", { lines = { { ys = { 1 }, nam = "x" } } })
    refused("plot: line 1: needs ys", { lines = { {} } })
    refused("plot: line 2: 1 values at 2 places", { lines = { { ys = { 1 } }, { xs = { 1, 2 }, ys = { 1 } } } })
    refused("plot: line 1: a band needs lower and upper of one length",
      { lines = { { style = "band", lower = { 1 } } } })
    refused("plot: heat: row 2 has 1 values, the first has 2", { heat = { matrix = { { 1, 2 }, { 3 } } } })
    refused("plot: heat: the matrix is empty", { heat = { matrix = {} } })
    refused("plot: color must be 1..8, 'muted' or '#rrggbb', got 'red'", { lines = { { ys = { 1 }, color = "red" } } })
  end)
  it("has a name that says its kind, a size with limits, and a place to be written to", function()
    local ok, message, code = gnuplot.draw(curve, { path = "x.gif" })
    assert.same({ nil, "x.gif: a picture's name ends in .svg or .png", 2 }, { ok, message, code })
    assert.matches("plot: width must be an integer 100..10000, got 5",
      support.failure(gnuplot.render, curve, { width = 5 }))
  end)
  with_gnuplot("leaves nothing behind where it cannot be written", function()
    local ok, message = gnuplot.draw(curve, { path = folder .. "/none/x.svg" })
    assert.is_nil(ok)
    assert.matches("/none", message)
  end)
  it("says what to install where gnuplot is missing", function()
    support.write(folder .. "/p.lua", [[
      local ok, message, code = require("rondo").plot.draw({ lines = { { ys = { 1, 2 } } } }, { path = "y.svg" })
      print(ok, message, code)]])
    assert.equal("nil\tgnuplot is not installed: it draws the pictures. On Debian: apt install gnuplot-nox\t3\n",
      (support.rondo(folder, "run p.lua", 'PATH="$(dirname "$(command -v rondo)")"')))
  end)
end)
