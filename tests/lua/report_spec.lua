-- report_spec.lua - the page of a report: what is in it, that everything from outside is escaped, and its sums.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local digest = require "rondo.digest"
local forecasts = require "rondo.report.forecasts"
local json = require "rondo.json"
local page = require "rondo.report.page"
local report = require "rondo.report"
local run_facts = require "rondo.run_facts"
local records = require "rondo.run_records"
local support = dofile "tests/lua/support.lua"

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local EVIL = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{2028}&amp;<!--"

-- A run with n steps of which every fifth is validated.
local function run(name, n, options, more)
  local path = folder .. "/" .. name
  assert(core.mkdir(path))
  local lines = { '{"schema":1,"program":"rondo"}' }
  for step = 1, n do
    lines[#lines + 1] = json.encode { t = step / 2, step = step, epoch = step / 10, split = "train", loss = 8 / step,
      lr = 0.01, tokens = 100 * step }
    lines[#lines + 1] = step % 5 == 0 and json.encode { t = step / 2, step = step, epoch = step / 10, split = "valid",
      loss = 9 / step } or nil
  end
  lines[#lines + 1] = more
  support.write(path .. "/metrics.jsonl", table.concat(lines, "\n") .. "\n")
  support.write(path .. "/config.json", json.encode { options = options, trainer = { epochs = 3 }, host = EVIL })
  support.write(path .. "/status.json", '{"state":"done"}\n')
  return path
end

describe("sums", function()
  it("are those of coreutils", function()
    for _, n in ipairs { 0, 1, 54, 55, 56, 63, 64, 65, 1000 } do
      local text = ("\xfe\0ab"):rep(n):sub(1, n)
      support.write(folder .. "/sum", text)
      assert.equal(core.run({ "sha256sum", folder .. "/sum" }).stdout:match "^%x+", digest.hex(digest.sha256(text)))
      assert.equal((core.run({ "base64", "-w0", folder .. "/sum" }).stdout), digest.base64(text))
    end
  end)
end)

describe("what a run says of itself", function()
  it("is how far it is, its best and last figures, its state", function()
    local path = run("facts", 10, { cell = "gru" })
    local facts = run_facts.of(records.open(path))
    assert.same({ 10, 30, 5.0, "done" }, { facts.step, facts.steps, facts.seconds, facts.state })
    assert.same({ figure = "val_loss", value = 0.9, step = 10 }, facts.best)
    assert.equal(0.8, facts.last.loss)
    for status, state in pairs { ['{"state":"running"}'] = "training", [""] = "training", ["[1"] = "training",
      ['{"state":"diverged"}'] = "diverged" } do
      support.write(path .. "/status.json", status)
      assert.equal(state, run_facts.of(records.open(path)).state)
    end
    support.write(path .. "/status.json", "{}")
    assert.equal(10.0, run_facts.of(records.open(path)).left)
    os.execute(("touch -d '1 hour ago' '%s/metrics.jsonl'"):format(path))
    assert.equal("silent", run_facts.of(records.open(path)).state)
  end)
  it("is killed where nobody holds the lock of a run of this machine", function()
    local path = run("held", 10, { cell = "gru" })
    support.write(path .. "/status.json", '{"state":"running"}')
    for host, state in pairs { [core.hostname()] = "killed", ["another-host"] = "training" } do
      support.write(path .. "/config.json", json.encode { host = host })
      assert.equal(state, run_facts.of(records.open(path)).state)
    end
    support.write(path .. "/config.json", json.encode { host = core.hostname() })
    local _ <close> = assert(core.lock(path .. "/.lock"))
    assert.equal("training", run_facts.of(records.open(path)).state)
  end)
end)

describe("forecasts in a run folder", function()
  it("are read from CSV, windows that follow each other", function()
    assert.same({ "a", 'b "c", d', "", "e" }, forecasts.cells_of 'a,"b ""c"", d",,e')
    assert.same({ "a", "" }, forecasts.cells_of "a,")
    assert.is_nil(forecasts.cells_of 'a,"b')
    for text, seconds in pairs { ["1970-01"] = 0, ["1970-01-02"] = 86400, ["2024-03-01T01:02:03Z"] = 1709254923,
      ["1959-12-31"] = -315705600 } do -- by date -u +%s
      assert.equal(seconds, forecasts.seconds_of(text))
    end
    assert.is_nil(forecasts.seconds_of "12")
    local path = run("series", 5, {})
    support.write(path .. "/f.csv", "series,target,origin,time,step,truth,forecast,q0.1,q0.5,q0.9\n"
      .. "s,load,4,1970-01-05,1,1,2,1,2,3\ns,load,4,1970-01-06,2,2,3,1,3,3\n"
      .. "s,load,5,1970-01-06,1,2,9,1,9,3\ns,load,5,1970-01-07,2,,9,1,9,3\n"
      .. "s,load,6,1970-01-07,1,3,4,1,4,5\ns,load,6,1970-01-08,2,,5,1,5,6\n")
    support.write(path .. "/other.csv", "a,b\n1,2\n")
    local list = forecasts.of(path, "series")
    assert.equal(1, #list)
    assert.same({ "series/f.csv, s: load", { 4 * 86400, 5 * 86400, 6 * 86400, 7 * 86400 }, { 2, 3, 4, 5 }, true },
      { list[1].title, list[1].x, list[1].forecast, list[1].time })
    assert.same({ 1, 1, 1, 1 }, list[1].bands[1].lower)
    assert.equal("q0.9", list[1].bands[1].upper_name)
    assert.matches("series/f.csv, s: load", (assert(report.page { path })))
    run("ensemble/seed-1", 5, {})
    support.write(folder .. "/ensemble/f.csv", support.read(path .. "/f.csv")) -- above its runs
    assert.matches("ensemble/f.csv, s: load", (assert(report.page { folder .. "/ensemble/" })))
  end)
end)

describe("a report", function()
  it("has tables that need no script: runs, what differs, options, samples, the last values", function()
    run("sweep/a", 10, { cell = "gru", lr = 0.5, batch_size = 7 }, json.encode { step = 10, epoch = 1.0,
      split = "sample", text = "Once upon" })
    run("sweep/b", 20, { cell = "lstm", lr = 0.25, batch_size = 7 })
    run("sweep/c", 20, { cell = "lstm", lr = 0.125, batch_size = 7 })
    local text = assert(report.page { folder .. "/sweep" })
    assert.matches("<td>lstm</td><td class=\"n\">0.125</td><td class=\"n\">0.45</td><td class=\"n\">20</td>", text)
    assert.matches("<tr><td>batch_size</td><td>7</td></tr>", text)
    assert.matches("<pre>Once upon</pre>", text)
    assert.matches('id="parallel"', text)
    assert.matches("<td class=\"n\">20</td>.*<td class=\"n\">0.4</td>", text)
  end)
  it("of a sweep has its trials, the best first, and what came of those without figures", function()
    run("s/trial-001", 5, { lr = 0.5 })
    support.write(folder .. "/s/sweep.json", "{}")
    local t = { out = folder .. "/s", script = "a<b.lua", search = "grid", monitor = "val_loss", mode = "min",
      names = { "lr" }, best = 2, trials = { { trial = 1, params = { lr = 0.5 }, state = "done", value = 2.5, n = 1,
        runs = { { folder = folder .. "/s/trial-001", state = "done", value = 2.5 } } },
      { trial = 2, params = { lr = 0.25 }, state = "done", value = 1.5, spread = 0.125, n = 2,
        runs = { { folder = folder .. "/s/trial-001", state = "done", value = 1.5 }, { folder = "none" } } },
      { trial = 3, params = { lr = 4 }, state = "failed", n = 0, runs = { { folder = "none", state = "failed",
        why = "<no>" } } } } }
    assert.is_true(report.sweep(t, folder .. "/s.html"))
    local text = support.read(folder .. "/s.html")
    assert.matches('data%-line="0"><td class="n">2</td><td class="n">0.25</td><td class="n">1.5</td>', text)
    assert.matches('<td class="n">0.125</td><td>2 of 2</td>', text)
    assert.matches("<td>0 of 1</td><td>failed: &lt;no&gt;</td>", text)
    assert.matches("val_loss of a&lt;b.lua, by grid search", text)
    local data = json.decode(text:match '<script type="application/json" id="data">(.-)</script>').parallel
    assert.same({ "trial 2", "trial 1", "trial 3" }, data.names)
    assert.same({ { name = "lr", values = { 0.25, 0.5, 4 } } }, { data.columns[1] })
    t.trials = { t.trials[3] }
    local ok, message = report.sweep(t, folder .. "/s.html")
    assert.same({ nil, folder .. "/s: no trial has figures yet" }, { ok, message })
  end)
  it("has the newest diagnosis, gradients by lag", function()
    local layers = { { name = "1.<b>", lags = { 0, 4 }, by_lag = { 1, 0.25 } } }
    local path = run("diagnosed", 5, {}, json.encode { step = 4, split = "diagnosis", layers = {} } .. "\n"
      .. json.encode { step = 5, split = "diagnosis", layers = layers })
    local text = assert(report.page { path })
    assert.matches("<h3>diagnosed, step 5</h3>", text)
    assert.matches('<td>1.&lt;b&gt;</td><td class="n">4</td><td class="n">0.25</td>', text)
  end)
  it("escapes what comes from outside, in HTML and in JSON", function()
    local path = run("<b>&'x", 5, { ["<i>"] = EVIL, cell = EVIL },
      json.encode { step = 5, split = "sample", text = EVIL })
    local text = assert(report.page({ path, path .. "/" }, { title = EVIL }))
    local _, scripts = text:gsub("</script>", "")
    local _, opened = text:gsub("<script[ >]", "")
    assert.same({ opened, true }, { scripts, opened <= 3 })
    assert.is_nil(text:find("<img", 1, true))
    assert.is_nil(text:find("<i>", 1, true))
    local data = text:match '<script type="application/json" id="data">(.-)</script>'
    assert.is_nil(data:find "[<>&]")
    assert.is_nil(data:find("\u{2028}", 1, true))
    assert.equal("<b>&'x", json.decode(data).runs[1].name)
    assert.same({ "\u{2028}\u{2029}</script>" }, json.decode(page.json { "\u{2028}\u{2029}</script>" }))
    assert.equal('[1,0.1,null,null,true]', page.json { 1, 0.1, 0 / 0, 1 / 0, true })
    assert.equal("\u{FFFD}&lt;\u{FFFD}", page.html "\xff<\1")
  end)
  it("lets run what is in it alone, by its sum", function()
    local text = assert(report.page { run("policy", 5, {}) })
    local policy = text:match 'http%-equiv="Content%-Security%-Policy" content="([^"]*)"'
    assert.matches("^default%-src 'none'; script%-src 'sha256%-", policy)
    assert.is_nil(policy:find "unsafe")
    for script in text:gmatch "<script>(.-)</script>" do
      assert.truthy(policy:find(digest.base64(digest.sha256(script)), 1, true))
    end
    assert.truthy(policy:find(digest.base64(digest.sha256(text:match "<style>(.-)</style>")), 1, true))
    assert.is_nil(text:find '%ssrc="') -- nothing is loaded
    assert.is_nil(text:find 'href="http')
  end)
  it("thins long curves and long tables", function()
    local text = assert(report.page { run("long", 8000, {}) })
    assert.is_true(#text < 300000)
    assert.matches("loss as a table, 25 of its steps", text)
  end)
  it("is written by the command, beside the run", function()
    run("one", 5, { cell = "gru" })
    local out, err, code = support.rondo(folder, "report one", "XDG_CACHE_HOME=/nowhere")
    assert.same({ "one/report.html\n", 0 }, { out, code }, err)
    assert.matches("^<!DOCTYPE html>", support.read(folder .. "/one/report.html"))
    assert.equal("x.html\n", (support.rondo(folder, "report one one -o x.html --title T")))
    assert.matches("<title>T</title>", support.read(folder .. "/x.html"))
    out, err, code = support.rondo(folder, "report none")
    assert.same({ "", "rondo: none: there is no such run folder\n", 3 }, { out, err, code })
    assert.matches("^rondo: cannot save 'none/x.html': No such file",
      (select(2, support.rondo(folder, "report one -o none/x.html"))))
  end)
  it("goes without uPlot where its file is another one, and without gnuplot where that is missing", function()
    local uplot = require "rondo.report.uplot"
    local cache = ("%s/cache/rondo/uplot-%s"):format(folder, uplot.version)
    assert(core.mkdir(cache))
    for _, name in ipairs { "uPlot.iife.min.js", "uPlot.min.css", "LICENSE" } do
      support.write(cache .. "/" .. name, "alert(1)")
    end
    run("bare", 5, {})
    local _, err = support.rondo(folder, "report bare",
      ('XDG_CACHE_HOME="%s/cache" PATH="$(dirname "$(command -v rondo)")"'):format(folder))
    assert.matches("is not the file of uPlot 1.6.32; `scripts/setup.sh report` fetches it anew", err)
    assert.matches("the report has tables alone: gnuplot is not installed.*; or `scripts/setup.sh report` for curves",
      err)
    local text = support.read(folder .. "/bare/report.html")
    assert.is_nil(text:find("<script>alert", 1, true))
    assert.matches("loss as a table", text)
  end)
end)
