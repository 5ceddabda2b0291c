-- report_spec.lua - a report in a real browser: no error, all drawn, the last values there, and nothing hostile runs.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local json = require "rondo.json"
local report = require "rondo.report"
local support = dofile "tests/lua/support.lua"

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local browser = core.run { "chromium", "--version" }
-- Tests see no HOME (tests/lua/alone.lua); what setup.sh has fetched is no setting.
local uplot = require "rondo.report.uplot"
local cache = ("%s/rondo/uplot-%s"):format(os.getenv "XDG_CACHE_HOME" or (os.getenv "HOME" or "") .. "/.cache",
  uplot.version)
uplot.folder = function() return cache end
local have_uplot = uplot.files()

-- The page after its scripts have run, and what it has written to the console.
local function opened(path)
  local output <close> = assert(io.tmpfile())
  local result = assert(core.run({ "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
    "--user-data-dir=" .. folder .. "/browser", "--window-size=1200,2000", "--virtual-time-budget=3000", "--dump-dom",
    "file://" .. path }, output))
  output:seek "set"
  local console = {}
  for line in result.stderr:gmatch "[^\n]+" do
    console[#console + 1] = line:find "CONSOLE" and line or nil
  end
  return output:read "a", console
end

local EVIL = "</script><script>document.title='hit'</script>\"'><img src=x onerror=\"document.title='hit'\">\u{2028}"

local function runs()
  for i, cell in ipairs { "gru", EVIL, "lstm" } do
    local path = ("%s/sweep/<img src=x onerror=document.title=1> %d"):format(folder, i)
    assert(core.mkdir(path))
    local lines = { '{"schema":1}' }
    for step = 1, 60 do
      lines[#lines + 1] = json.encode { t = step / 2, step = step, epoch = step / 20, split = step % 10 == 0 and "valid"
        or "train", loss = step == 60 and 1.0625 + i or 3 / step + i, [EVIL] = step / 7 }
    end
    lines[#lines + 1] = json.encode { step = 60, split = "sample", text = EVIL }
    lines[#lines + 1] = json.encode { step = 60, split = "diagnosis", layers = { { name = EVIL, lags = { 0, 1, 2 },
      by_lag = { 1, 0.1, 0.01 } } } }
    support.write(path .. "/metrics.jsonl", table.concat(lines, "\n") .. "\n")
    support.write(path .. "/config.json", json.encode { options = { cell = cell, lr = 0.1 ^ i }, script = EVIL })
    support.write(path .. "/f.csv", "series,target,origin,time,step,truth,forecast,q0.1,q0.9\n"
      .. "<b>,y,1,,1,1,2,1,3\n<b>,y,1,,2,2,3,1,4\n")
  end
  return folder .. "/sweep"
end

local function check(path, drawn)
  local page, console = opened(path)
  assert.same({}, console)
  assert.matches("<title>A sweep</title>", page) -- nothing hostile has run
  assert.is_nil(page:find("<img", 1, true))
  for _, last in ipairs { "2.0625", "3.0625", "4.0625" } do -- of each run
    assert.truthy(page:find(last, 1, true), last)
  end
  assert.equal(3, select(2, page:gsub('<path d="M[^>]*><title>', "")))
  drawn(page)
end

describe("a report in a browser", function()
  if not browser then
    it("opens", function() pending "chromium is not installed" end)
    return
  end
  it("shows curves, forecasts and a sweep by uPlot", have_uplot and function()
    assert(report.write({ runs() }, folder .. "/a.html", { title = "A sweep" }))
    check(folder .. "/a.html", function(page)
      assert.is_true(select(2, page:gsub("<canvas", "")) >= 8) -- loss, the hostile figure, forecasts, diagnoses
    end)
  end or function() pending "uPlot is not in the cache: scripts/setup.sh report" end)
  it("shows them by gnuplot without it", core.run { "gnuplot", "--version" } and function()
    local before = uplot.files
    uplot.files = function() end
    assert(report.write({ runs() }, folder .. "/b.html", { title = "A sweep" }))
    uplot.files = before
    check(folder .. "/b.html", function(page)
      assert.is_true(select(2, page:gsub('id="gnuplot_canvas"', "")) >= 8)
    end)
  end or function() pending "gnuplot is not installed" end)
end)
