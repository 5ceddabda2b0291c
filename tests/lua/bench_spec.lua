-- bench_spec.lua - rondo bench: what it counts, prints and refuses. How fast anything is, no test can say.
-- SPDX-License-Identifier: MIT
local json = require "rondo.json"
local support = dofile "tests/lua/support.lua"

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local SMALL = " --hidden-size 8 --batch-size 3 --seq-len 5 --seconds 0.01 --threads 1"

-- The objects that a command prints, a line each.
local function measured(arguments)
  local out, err, code = support.rondo(folder, "bench --json " .. arguments)
  assert.equal("", err)
  assert.equal(0, code)
  local list = {}
  for line in out:gmatch "[^\n]+" do
    list[#list + 1] = json.decode(line)
  end
  return list
end

-- Operations of one call, out of what is printed.
local function operations(r)
  return r.gflops * 1e9 * r.ms * 1e-3
end
local function counts(expected, r)
  assert.is_true(math.abs(operations(r) / expected - 1) < 1e-9, ("%.1f, expected %.1f"):format(operations(r), expected))
end

local function fails(pattern, arguments)
  local out, err, code = support.rondo(folder, "bench " .. arguments)
  assert.equal(2, code, err)
  assert.matches(pattern, err)
  assert.equal("", out)
end

describe("rondo bench", function()
  it("prints the fields of a case as JSON", function()
    local list = measured("charnn --num-layers 1" .. SMALL)
    assert.equal(2, #list)
    local r = list[1]
    assert.same({ "train", "charnn", "lstm", 1, 8, 3, 5, 1 },
      { r.task, r.shape, r.cell, r.threads, r.H, r.B, r.T, r.layers })
    assert.equal("gru", list[2].cell)
    for _, name in ipairs { "ms", "ms_best", "tok_s", "gflops", "bandwidth", "ns_unit" } do
      assert.is_true(r[name] > 0, name)
    end
    assert.is_true(r.ms >= r.ms_best and r.reps >= 3)
    if r.peak > 0 then -- where a backend here has a loop to measure it by
      assert.is_true(math.abs(r.ratio - r.gflops / r.peak) < 1e-12)
    end
    assert.is_true(math.abs(r.tok_s * r.ms / 1e3 - 3 * 5) < 1e-6)
    assert.is_true(math.abs(r.ns_unit * 8 * 15 - r.ms * 1e6) < 1e-3)
  end)
  -- G gates of H units, N = B T tokens: U is multiplied three times (forward, dh, dU), and so is W of a second layer;
  -- the one-hot first layer's W never; the output's matrix three times.
  it("counts no product with a one-hot input", function()
    local n, u = 3 * 5, 4 * 8 * 8
    counts(2 * n * (3 * u + 3 * 2 * u + 3 * 65 * 8), measured("charnn --cell lstm" .. SMALL)[1])
    u = 3 * 8 * 8
    counts(2 * n * (3 * u + 3 * 2 * u + 3 * 65 * 8), measured("charnn --cell gru" .. SMALL)[1])
  end)
  it("counts the gradient of an embedding, but not that of features", function()
    local n = 3 * 5
    counts(2 * n * (3 * 4 * 8 * (256 + 8) + 3 * 65 * 8), measured("tftext --cell lstm" .. SMALL)[1])
    counts(2 * n * (2 * 4 * 8 * 14 + 3 * 4 * 8 * 8) + 2 * 3 * 3 * 8, measured("series --cell lstm" .. SMALL)[1])
  end)
  it("counts what inference and one symbol need", function()
    local u = 4 * 8 * 8
    counts(2 * 15 * (3 * u + 65 * 8), measured("charnn --task infer --cell lstm" .. SMALL)[1])
    local r = measured("charnn --task sample --cell lstm" .. SMALL)[1]
    counts(2 * (3 * u + 65 * 8), r)
    assert.same({ 1, 1 }, { r.B, r.T })
  end)
  it("measures a cell beside LSTM and GRU", function()
    local cells = {}
    for i, r in ipairs(measured("mgu" .. SMALL)) do
      cells[i] = r.cell
    end
    assert.same({ "mgu", "lstm", "gru" }, cells)
  end)
  it("measures one step of one row by inference and by sampling", function()
    local list = measured("b1 --cell vanilla --hidden-size 8 --seconds 0.01")
    assert.same({ "infer", "sample" }, { list[1].task, list[2].task })
    assert.equal(2, list[1].layers)
  end)
  it("prints a table with the machine below it", function()
    local out, err, code = support.rondo(folder, "bench series --kernel scalar" .. SMALL)
    assert.equal(0, code, err)
    assert.matches("^task +shape +cell ", out)
    assert.matches("\ntrain +series +lstm +8 +3 +5 +1 ", out)
    assert.matches("\nscalar kernels, 1 thread; peak of this machine: ", out)
    assert.matches("MB of native memory at most", out)
  end)
  it("says what it cannot measure", function()
    fails("bench: 'lsmt' is neither a cell nor one of the shapes charnn, char512, tftext, series, b1 "
      .. "%(did you mean 'lstm'%?%)", "lsmt")
    fails("bench: 'lstm' is not one of the shapes charnn,", "lstm --cell gru")
    fails("bench: cell 'xgru' is unknown %(did you mean 'gru'%?%)", "charnn --cell xgru")
    fails("bench: the shape series reads features and writes no text: its tasks are train and infer",
      "series --task sample")
    local core = require "rondo.native"
    local cell = core.cell
    core.cell = function() return { trainable = false } end
    local why = require("rondo.bench").why_not { task = "train", cell = "x", shape = { symbols = 2 } }
    core.cell = cell
    assert.equal("the cell 'x' cannot be trained: it has no backward function", why)
    fails("%-%-hidden%-size must be an integer 1..65536, got '0'", "--hidden-size 0")
    fails("there is no backend 'avx3'", "charnn --kernel avx3")
  end)
end)
