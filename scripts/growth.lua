--[[ growth.lua - how the time of a training step grows with its sizes: a table, and a picture by gnuplot.

usage: rondo run scripts/growth.lua [--cell NAME] [--longest N] [--seconds X] [--plot FILE.svg]

Time per character of whole training steps, as `rondo bench` measures them (the shape charnn with other sizes),
against the length of the sequence (one row), the rows of a batch, the width, the layers and the threads; beside it
the same of the sizes before, as a factor. Time linear in the length is one that stays per character. With --plot
gnuplot draws the table.
SPDX-License-Identifier: MIT ]]
local rondo = require "rondo"
local bench = require "rondo.bench"
local core = require "rondo.native"

local opt = rondo.args {
  "How the time of a training step grows with its sizes.",
  cell = { "lstm", choices = rondo.plugins.cells, help = "the recurrent cell" },
  longest = { 100000, min = 10, max = 1 << 24, help = "the longest sequence" },
  seconds = { 1.0, min = 0, max = 3600, help = "how long each size is measured" },
  plot = { type = "string", help = "an SVG file for gnuplot to draw" },
}

local function powers(base, last)
  local list = { base }
  while list[#list] * base <= last do
    list[#list + 1] = list[#list] * base
  end
  return list
end

-- The name of a size, its values, and the sizes that stay as they are.
local sweeps = {
  { name = "steps", values = powers(10, opt.longest), fixed = { batch = 1, hidden = 32, layers = 1 } },
  { name = "batch", values = { 1, 2, 4, 8, 16, 32, 64, 128 }, fixed = { steps = 50, hidden = 128, layers = 1 } },
  { name = "hidden", values = { 16, 32, 64, 128, 256, 512 }, fixed = { batch = 50, steps = 50, layers = 1 } },
  { name = "layers", values = { 1, 2, 4, 8 }, fixed = { batch = 50, steps = 50, hidden = 128 } },
  { name = "threads", values = {}, fixed = { batch = 50, steps = 50, hidden = 128, layers = 2 } },
}
for n = 1, core.cpu().threads do
  sweeps[5].values[n] = n
end
for _, sweep in ipairs(sweeps) do -- a short --longest makes all of it short
  for i = #sweep.values, 2, -1 do
    if sweep.values[i] > opt.longest then
      table.remove(sweep.values, i)
    end
  end
end

local function measure(sweep)
  print(("\n%s, with %s"):format(sweep.name, sweep.text))
  print(("%10s %12s %14s %8s"):format(sweep.name, "ms a step", "us a character", "factor"))
  sweep.micro = {}
  local threads = core.threads()
  for i, value in ipairs(sweep.values) do
    local given = { cell = opt.cell, task = "train" }
    for name, fixed in pairs(sweep.fixed) do
      given[name] = fixed
    end
    if sweep.name == "threads" then
      core.threads(value)
    else
      given[sweep.name] = value
    end
    local r = bench.run({ bench.case("charnn", given) }, opt.seconds)[1]
    local micro = 1e6 / r.tok_s
    local factor = i > 1 and ("%.2f"):format(micro / sweep.micro[i - 1]) or ""
    sweep.micro[i] = micro
    print(("%10d %12.3f %14.3f %8s"):format(value, r.ms, micro, factor))
  end
  core.threads(threads)
end

local function text_of(fixed)
  local list = {}
  for name, value in pairs(fixed) do
    list[#list + 1] = ("%s %d"):format(name, value)
  end
  table.sort(list)
  return table.concat(list, ", ")
end

local function quoted(text)
  return "'" .. text:gsub("'", "''") .. "'"
end

-- The commands that draw a table, its numbers among them.
local function commands(path)
  local list = { "set terminal svg size 1080,640 dynamic background rgb 'white'", "set output " .. quoted(path),
    ("set multiplot layout 2,3 title %s"):format(quoted("Training " .. opt.cell .. ": time per character")),
    "set logscale xy", "set ylabel 'microseconds'", "set grid", "unset key" }
  for _, sweep in ipairs(sweeps) do
    list[#list + 1] = ("set xlabel %s"):format(quoted(sweep.name))
    list[#list + 1] = ("set title %s"):format(quoted(sweep.text))
    list[#list + 1] = ("set xrange [%g:%g]"):format(0.8 * sweep.values[1], 1.25 * sweep.values[#sweep.values])
    list[#list + 1] = ("set xtics font ',9' (%s)"):format(table.concat(sweep.values, ", "))
    list[#list + 1] = "set yrange [*:*]"
    list[#list + 1] = "plot '-' with linespoints pointtype 7 linewidth 2"
    for i, value in ipairs(sweep.values) do
      list[#list + 1] = ("%d %.6g"):format(value, sweep.micro[i])
    end
    list[#list + 1] = "e"
  end
  list[#list + 1] = "unset multiplot"
  return table.concat(list, "\n") .. "\n"
end

local function draw(path)
  if not os.execute "command -v gnuplot >/dev/null 2>&1" then
    io.stderr:write("growth: nothing is drawn: gnuplot is not installed (Debian: gnuplot-nox); the table is all\n")
    return 1
  end
  local pipe = assert(io.popen("gnuplot", "w"))
  pipe:write(commands(path))
  if not pipe:close() then
    io.stderr:write("growth: gnuplot could not draw " .. path .. "\n")
    return 1
  end
  print("\nwrote " .. path)
  return 0
end

print(("%s, %s kernels, threads %d"):format(opt.cell, core.kernels(), core.threads()))
for _, sweep in ipairs(sweeps) do
  sweep.text = text_of(sweep.fixed)
  measure(sweep)
end
return opt.plot and draw(opt.plot) or 0
