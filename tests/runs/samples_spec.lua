-- samples_spec.lua - scripts as users write them (tests/samples) run as they stand.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local core = require "rondo.core"
local support = dofile "tests/lua/support.lua"

local folder, samples
setup(function()
  folder = support.folder()
  samples = support.sources() .. "/tests/samples/"
  support.write(folder .. "/t.txt", "The beginning.\n" .. support.sentences(800))
end)
teardown(function() support.remove(folder) end)

describe("a user's script", function()
  it("trains a language model of a text and writes a sample", function()
    local out, err, code = support.rondo(folder, ("run %s1_chars.lua --data t.txt --epochs 1"):format(samples))
    assert.equal(0, code, err)
    assert.matches("^The ", out)
    assert.equal(405, utf8.len(out)) -- prompt, sample, line feed
    assert.is_truthy(core.stat(folder .. "/runs/chars/checkpoints/best.h5"))
  end)
  it("goes on where it was, and has its options, as its first lines say", function()
    local _, err, code = support.rondo(folder, ("run %s1_chars.lua --data t.txt --epochs 1 --resume"):format(samples))
    assert.equal(0, code, err)
    assert.matches("going on from step %d+", err)
    assert.matches("nothing left to do", err)
    local out
    out, err, code = support.rondo(folder, 'sample runs/chars --prompt "The " --length 40 --temperature 0.8')
    assert.equal(0, code, err)
    assert.equal(45, #out)
    out = support.rondo(folder, ("run %s1_chars.lua --help"):format(samples))
    assert.matches("%-%-hidden%-size.*default 256", out)
    out, err, code = support.rondo(folder, ("run %s1_chars.lua"):format(samples))
    assert.equal(2, code)
    assert.equal("", out)
    assert.matches("option %-%-data is required", err)
  end)
  it("forecasts a column of a table beside yesterday, as its first lines say", function()
    local lines = { "time,load,temp" }
    for i = 0, 24 * 40 - 1 do
      lines[#lines + 1] = ("%s,%.2f,%d"):format(os.date("!%Y-%m-%d %H:%M", 1704067200 + 3600 * i),
        100 + 20 * math.sin(i * math.pi / 12) + i * 7 % 5, i % 9)
    end
    support.write(folder .. "/load.csv", table.concat(lines, "\n") .. "\n")
    local out, err, code = support.rondo(folder, ("run %s2_forecast.lua --data load.csv --target load --window 48 "
      .. "--covariates temp --hidden-size 8 --epochs 2"):format(samples))
    assert.equal(0, code, err)
    assert.matches("epoch 2/2 .* val_mae %d", err)
    assert.matches("^MAE %d+%.%d%d%d%d; repeating yesterday gives %d+%.%d%d%d%d\n$", out)
    assert.matches("<svg", support.read(folder .. "/runs/load/forecast.svg"))
    out, err, code = support.rondo(folder, "forecast runs/load --data load.csv --horizon 24 -o forecast.svg")
    assert.equal(0, code, err)
    assert.equal(25, select(2, out:gsub("\n", "")))
    assert.matches("<svg", support.read(folder .. "/forecast.svg"))
  end)
  it("rates texts of unequal length", function()
    local lines = {}
    for i = 1, 60 do
      local rest = ("so very "):rep(i % 4) .. ({ "long", "short" })[i % 2 + 1]
      lines[i] = i % 3 == 0 and "neg\tnot a good film , " .. rest or "pos\tA Good film , " .. rest
    end
    local path = support.write(folder .. "/films.tsv", table.concat(lines, "\n") .. "\n")
    local out, err, code = support.rondo(folder, ("run %s3_sentiment.lua --train %s --valid %s --hidden-size 8")
      :format(samples, path, path))
    assert.equal(0, code, err)
    assert.matches("baseline: the most frequent class %(pos%) %- val_accuracy 0.6667 %- val_f1_macro 0.4000", err)
    assert.matches("epoch 5/5 .* val_accuracy %d.%d+ %- val_f1_macro", err)
    assert.matches("\nneg +0%.%d%d%d\npos +0%.%d%d%d\n$", out)
    local ckpt = assert(rondo.load(folder .. "/runs/sentiment"))
    assert.same({ "neg", "pos" }, ckpt.labels:decode { 1, 2 })
    assert.same({ 1, 2 }, ckpt.model:predict("a good film"):size())
  end)
  it("tags words", function()
    local lines = {}
    for i = 1, 40 do
      local name, place = ({ "Ada", "Bob", "Eve" })[i % 3 + 1], ({ "London", "Rome" })[i % 2 + 1]
      lines[i] = ("%s\tB-person\nlives\tO\nin\tO\n%s\tB-location\n"):format(name, place)
        .. (i % 4 == 0 and "now\tO\n" or "")
    end
    local path = support.write(folder .. "/posts.conll", table.concat(lines, "\n"))
    local out, err, code = support.rondo(folder, ("run %s5_tagging.lua --train %s --valid %s --hidden-size 16 "
      .. "--lr 1e-2"):format(samples, path, path))
    assert.equal(0, code, err)
    assert.matches("baseline: the most frequent tag of each word %- val_accuracy 1.0000 %- val_span_f1 1.0000", err)
    assert.matches("\nB%-person O O B%-location\n$", "\n" .. out)
  end)
  it("uses a cell that new-cell wrote, and the same cell in Lua", function()
    local _, err, code = support.rondo(folder, "new-cell demo.mgu")
    assert.equal(0, code, err)
    local flags = table.concat(require("rondo.plugin_flags")().cflags, " ")
    assert(os.execute(("cd '%s' && cc %s -shared mgu/mgu.c -o mgu.so -lm"):format(folder, flags)))
    local out
    out, err, code = support.rondo(folder, ("run %s6_plugin.lua"):format(samples))
    assert.equal(0, code, err)
    assert.matches("^demo.mgu\tcell\t1.0\t/.*/mgu.so\n", out)
    assert.matches("\ndemo.mgu +gradient error %d.%de%-%d%d  ok\ndemo.mgu_lua +gradient error %d.%de%-%d%d  ok\n$", out)
  end)
  it("sweeps over the language model, stops, goes on and reports", function()
    local scripts = { ["chars.lua"] = "1_chars.lua", ["sweep.lua"] = "8_sweep.lua" }
    for name, from in pairs(scripts) do
      support.write(("%s/%s"):format(folder, name), support.read(samples .. from))
    end
    support.write(folder .. "/book.txt", "The beginning.\n" .. support.sentences(120))
    local _, err, code = support.signalled(folder, "run sweep.lua --trials 4 --jobs 2",
      "runs/sweep/trial-002/metrics.jsonl", "INT")
    assert.equal(130, code, err)
    assert.matches("stopped by SIGINT with %d of 4 runs done", err)
    local out
    out, err, code = support.rondo(folder, "run sweep.lua --trials 4 --jobs 2")
    assert.equal(0, code, err)
    assert.matches("^best: trial [1-4], val_loss %d%.%d%d%d%d\n\tcell\t%l+\n\tdropout\t0%.%d+\n"
      .. "\thidden_size\t%d+\n\tlr\t[%d.e-]+\n$", out)
    assert.matches("<html", support.read(folder .. "/runs/sweep/report.html"))
    assert.equal(out, (support.rondo(folder, "run sweep.lua --trials 4 --report")))
    assert.matches("^seq 4 | parallel ", (support.rondo(folder, "run sweep.lua --trials 4 --jobs 2 --submit parallel")))
  end)
  it("trains with a loop of its own and saves", function()
    local out, err, code = support.rondo(folder, ("run %s7_loop.lua"):format(samples))
    assert.equal(0, code, err)
    local _, lines = out:gsub("step +%d+  loss", "")
    assert.equal(10, lines)
    assert.matches("\n500\tSequential\n", out)
    assert.equal(500, assert(rondo.load(folder .. "/adding.h5")).step)
  end)
end)
