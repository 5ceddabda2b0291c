--[[ large_csv.lua - a CSV file of 1 GB is read at over 100 MB/s in under 200 MB of memory: it stays mapped.

usage: large_csv.lua FOLDER [MEGABYTES] [MEGABYTES_A_SECOND]

Writes the file into FOLDER (times, six columns of numbers, one of text; some values are missing), opens it, which reads
every number once, then all values again in stretches and windows at random places, and batches of windows. Seconds
are those of the processor, since other programs must not decide; what the clock says is printed beside them.
SPDX-License-Identifier: MIT ]]
local rondo = require "rondo"

local SIZE, OWN_MB, SPEED = (tonumber(arg[2]) or 1000) * 1e6, 200, tonumber(arg[3]) or 100
local path = arg[1] .. "/large.csv"

-- A row every ten seconds.
local function write_file()
  local file, written, day = assert(io.open(path, "wb")), 0, 0
  file:setvbuf("full", 1 << 20)
  assert(file:write "time,load,temp,wind,humid,price,count,station\n")
  while written < SIZE do
    local lines, date = {}, os.date("!%Y-%m-%d ", day * 86400)
    for i = 0, 8639 do
      local k = (i * i * 31 + day * 977) % 20011
      lines[#lines + 1] = ("%s%02d:%02d:%02d,%d.%03d,-%d.%d,%s,%d,%d.%06d,%de-3,north %d\n"):format(date, i // 360,
        i // 6 % 60, i % 6 * 10, k, k % 1000, k % 40, k % 10, k % 50 == 7 and "NA" or k % 30, k % 100, k % 7, k, k * 7,
        k % 5)
    end
    local block = table.concat(lines)
    assert(file:write(block))
    written, day = written + #block, day + 1
  end
  file:close()
  return written / 1e6
end

-- Private memory of the process, in MB.
local function own_memory()
  local file <close> = assert(io.open "/proc/self/status")
  return tonumber(file:read("a"):match "RssAnon:%s*(%d+) kB") / 1000
end

local clock = require("rondo.core").time

local function timed(what, megabytes, f)
  local wall, cpu = clock(), os.clock()
  f()
  wall, cpu = clock() - wall, os.clock() - cpu
  print(("%-8s %7.0f MB in %6.2f s of the processor: %5.0f MB/s (%.0f by the clock); own memory %.1f MB (allowed: %d)")
    :format(what, megabytes, cpu, megabytes / cpu, megabytes / wall, own_memory(), OWN_MB))
  return megabytes / cpu > SPEED and own_memory() < OWN_MB
end

local megabytes = write_file()
local series
local ok = timed("opening", megabytes, function()
  series = assert(rondo.data.Series.from_csv(path, { missing = "previous" }))
end)
local rows = #series
ok = timed("values", megabytes, function()
  for from = 1, rows, 50000 do
    series:values(nil, from, math.min(from + 49999, rows))
  end
end) and ok
local windows, width = 10000, 192
local cpu = os.clock()
for i = 1, windows do
  local from = i * 7919 * 104729 % (rows - width) + 1
  series:values({ "load", "temp" }, from, from + width - 1)
end
print(("%d rows; a window of %d rows of two columns takes %.0f us"):format(rows, width, (os.clock() - cpu) / windows
  * 1e6))
local batches
ok = timed("windows", megabytes, function() -- the columns go into a file without a name
  batches = series:windows { input = 168, horizon = 24, target = "load", past = { "temp" }, batch_size = 64,
    shuffle = true }
end) and ok
cpu = os.clock()
for k = 1, 300 do
  local x, y = batches:batch(k)
  x:release()
  y:release()
end
print(("a batch of 64 windows of %d rows of two columns takes %.2f ms; own memory %.1f MB"):format(width, (os.clock()
  - cpu) / 300 * 1e3, own_memory()))
ok = ok and own_memory() < OWN_MB
os.remove(path)
os.exit(ok and 0 or 1)
