--[[ large_hdf5.lua - an HDF5 file of 1 GB is read in under 200 MB of memory, plain and in deflated chunks.

usage: large_hdf5.lua FOLDER [MEGABYTES]

h5py writes the files into FOLDER: six columns of doubles. Opening reads every number once; then windows are taken at
random places. Seconds are by the clock: most of the work is another process's.
SPDX-License-Identifier: MIT ]]
local rondo = require "rondo"

local SIZE, OWN_MB, COLUMNS = (tonumber(arg[2]) or 1000) * 1e6, 200, 6
local rows = math.floor(SIZE / (8 * COLUMNS))

local function write_file(path, how)
  local script = ([[
import h5py, numpy as np
with h5py.File("%s", "w") as f:
    s = f.create_dataset("table", (%d, %d), dtype="f8"%s)
    for i in range(0, %d, 100000):
        n = min(100000, %d - i)
        s[i:i + n] = ((np.arange(i, i + n) %% 10007)[:, None] * np.arange(1, %d + 1)[None, :]).astype("f8")
]]):format(path, rows, COLUMNS, how, rows, rows, COLUMNS)
  local file = assert(io.open(path .. ".py", "w"))
  file:write(script)
  file:close()
  assert(os.execute("/usr/bin/python3 " .. path .. ".py"))
  os.remove(path .. ".py")
end

-- Private memory of the process, in MB.
local function own_memory()
  local file <close> = assert(io.open "/proc/self/status")
  return tonumber(file:read("a"):match "RssAnon:%s*(%d+) kB") / 1000
end

local clock = require("rondo.core").time
local ok = true

for _, case in ipairs { { "plain", "" },
  { "deflated", ', chunks=(8192, 2), compression="gzip", compression_opts=1' } } do
  local path = arg[1] .. "/large.h5"
  write_file(path, case[2])
  local start = clock()
  local series = assert(rondo.data.Series.from_hdf5(path))
  local seconds = clock() - start
  local w = series:windows { input = 168, horizon = 24, target = "table 1", batch_size = 64, shuffle = true }
  start = clock()
  for k = 1, 200 do
    local x, y = w:batch(k)
    ok = ok and (y[{ 64, 24 }] - x[{ 64, 168, 1 }]) % 10007 == 24
    x:release()
    y:release()
  end
  print(("%-8s %d rows, %.0f MB of values in %.2f s: %.0f MB/s; a batch of 64 windows of 192 rows takes %.2f ms; own "
    .. "memory %.1f MB (allowed: %d)"):format(case[1], rows, SIZE / 1e6, seconds, SIZE / 1e6 / seconds,
    (clock() - start) / 200 * 1e3, own_memory(), OWN_MB))
  ok = ok and own_memory() < OWN_MB
  os.remove(path)
end
os.exit(ok and 0 or 1)
