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
  it("compares the cells of a run, in the times of its LSTM", function()
    local list = measured("mgu" .. SMALL)
    assert.is_true(list[1].of_lstm > 0 and list[3].of_lstm > 0)
    assert.equal(1.0, list[2].of_lstm)
    assert.is_nil(measured("charnn --cell gru" .. SMALL)[1].of_lstm)
    assert.matches("\ntrain +charnn +gru [^\n]* %-\n", (support.rondo(folder, "bench charnn --cell gru" .. SMALL)))
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
  it("says what the time goes into", function()
    local r = measured("charnn --cell mgu --profile" .. SMALL)[1]
    local sum, seen = 0, {}
    for _, work in ipairs(r.profile) do
      sum, seen[work.name] = sum + work.share, work
    end
    assert.is_true(math.abs(sum - 1) < 1e-9)
    for _, name in ipairs { "recurrent product", "dh product", "dx product", "weight gradients", "linear" } do
      assert.is_true(seen[name].gflops > 0, name)
    end
    for _, name in ipairs { "cell forward", "cell backward", "loss", "clipping", "optimizer", "everything else",
      "gather and scatter of ids", "gradients of biases and vectors", "packing" } do
      assert.is_true(seen[name].share >= 0 and seen[name].gflops == nil, name)
    end
    assert.matches("\n +%d+%.%d %%  recurrent product +%d", (support.rondo(folder, "bench charnn --profile" .. SMALL)))
  end)
  it("says what it cannot measure", function()
    fails("bench: 'lsmt' is neither a cell nor one of the shapes charnn, char512, tftext, series, b1 "
      .. "%(did you mean 'lstm'%?%)", "lsmt")
    fails("bench: 'my.own' is neither a cell nor one of the shapes .*; %-%-plugin FILE loads more", "my.own")
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

describe("bench_peers.sh", function()
  local function script(arguments, settings)
    local command = ("%s RONDO=\"$(command -v rondo)\" scripts/bench_peers.sh %s >'%s/out' 2>'%s/err'"):format(
      settings or "", arguments, folder, folder)
    local _, _, code = os.execute(command)
    return support.read(folder .. "/out"), support.read(folder .. "/err"), code
  end
  it("measures a case, and skips a peer that is not there by name", function()
    local out, err, code = script("series.infer", "KANN= PEERS=kann RUNS=2 EACH=0.01 THREADS=1 CELLS=gru")
    assert.equal(0, code, err)
    assert.equal("skipped: kann: there is no Debian package of it, and KANN does not name a folder with its source\n",
      err)
    assert.matches("\nseries +infer +gru +1 +64 +%d+%.%d+ ms +%d+ %%", out)
  end)
  it("says what is no case and no peer", function()
    local out, err, code = script("charnn", "PEERS=kann")
    assert.same({ "", 2 }, { out, code })
    assert.matches("bench_peers.sh: 'charnn' is no case; give SHAPE.TASK, as charnn.train", err)
    out, err, code = script("", "PEERS=torsh")
    assert.same({ "", 2 }, { out, code })
    assert.matches("there is no peer 'torsh'; there are torch, onednn, onnxruntime, kann", err)
  end)
end)

describe("growth.lua", function()
  local command = "rondo run scripts/growth.lua --longest 10 --seconds 0 --threads 1 --cell vanilla --plot '%s/p.svg'"
  it("prints a table and has gnuplot draw it", function()
    support.write(folder .. "/gnuplot", "#!/bin/sh\ncat >'" .. folder .. "/asked'\n")
    os.execute("chmod +x '" .. folder .. "/gnuplot'")
    local pipe = io.popen(("PATH='%s':\"$PATH\" %s"):format(folder, command:format(folder)))
    local out = pipe:read "a"
    assert.is_true(pipe:close())
    assert.matches("\nsteps, with batch 1, hidden 32, layers 1\n +steps +ms a step", out)
    assert.matches("\nwrote " .. folder:gsub("%p", "%%%0") .. "/p.svg\n", out)
    local asked = support.read(folder .. "/asked")
    assert.matches("set output '" .. folder:gsub("%p", "%%%0") .. "/p.svg'", asked)
    assert.matches("plot '%-' with linespoints[^\n]*\n10 %d", asked)
  end)
  it("says that there is no gnuplot", function()
    os.execute(("mkdir -p '%s/bin' && ln -sf \"$(command -v rondo)\" '%s/bin/rondo'"):format(folder, folder))
    local _, _, code = os.execute(("PATH='%s/bin' %s >/dev/null 2>'%s/err'"):format(folder, command:format(folder),
      folder))
    assert.equal(1, code)
    assert.equal("growth: nothing is drawn: gnuplot is not installed (Debian: gnuplot-nox); the table is all\n",
      support.read(folder .. "/err"))
  end)
end)

describe("a profile", function()
  local core, rondo = require "rondo.native", require "rondo"
  local B, T, IN, H, OUT = 40, 6, 4, 16, 3 -- rows enough that workers share them

  local function flops_of(f)
    core.profile(true)
    f()
    core.profile(false)
    local flops = {}
    for _, work in ipairs(core.profile()) do
      flops[work.name] = work.flops
    end
    return flops
  end
  local function step()
    local model = rondo.Sequential { rondo.LSTM { input_size = IN, hidden_size = H }, rondo.Linear { OUT } }
    local x = rondo.randn(B, T, IN)
    return function() (model(x):sum()):backward() end
  end

  it("counts the operations of each kind of product, whatever the threads", function()
    local threads = core.threads()
    for n = 1, 3 do
      core.threads(n)
      local flops = flops_of(step())
      assert.equal(2.0 * B * T * 4 * H * IN, flops["product with x"])
      assert.equal(2.0 * B * T * 4 * H * H, flops["recurrent product"])
      assert.equal(2.0 * B * T * 4 * H * H, flops["dh product"])
      assert.equal(0.0, flops["dx product"]) -- nobody wants it
      assert.equal(2.0 * B * T * 4 * H * (H + IN), flops["weight gradients"])
      assert.equal(3 * 2.0 * B * T * H * OUT, flops["linear"])
      assert.equal(0.0, flops["everything else"])
    end
    core.threads(threads)
  end)
  it("counts one row that all workers make together once", function()
    local layer = rondo.LSTM { input_size = IN, hidden_size = H }
    local flops = flops_of(function() layer(rondo.randn(1, T, IN)) end)
    assert.equal(2.0 * T * 4 * H * H, flops["recurrent product"])
    assert.equal(2.0 * T * 4 * H * IN, flops["product with x"])
  end)
  it("takes what one kind contains of another from it, and all of it is the time between start and stop", function()
    local once = step()
    once()
    local start = core.time()
    core.profile(true)
    once()
    core.profile(false)
    local took, sum = core.time() - start, 0
    for _, work in ipairs(core.profile()) do
      assert.is_true(work.seconds >= 0, work.name)
      sum = sum + work.seconds
    end
    assert.is_true(sum > 0 and sum <= took)
  end)
  it("keeps what it has counted, and counts no more", function()
    local once = step()
    local flops = flops_of(once)
    once()
    for _, work in ipairs(core.profile()) do
      assert.equal(flops[work.name], work.flops)
    end
  end)
end)
