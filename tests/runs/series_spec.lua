-- series_spec.lua - time series by commands: train, forecast, evaluate; what they refuse, and that bits stay.
-- SPDX-License-Identifier: MIT
local json = require "rondo.json"
local support = dofile "tests/lua/support.lua"

local SMALL = " --target load --season 12 --window 12 --hidden-size 4 --threads 1 --progress none"

-- Monthly rows of a season with a trend and something that looks like chance; `rows` of them from 2000 on.
local function rows(n, more)
  local lines = { "month,load,price" .. (more or "") }
  for i = 0, n - 1 do
    lines[#lines + 1] = ("%04d-%02d,%.2f,%d%s"):format(2000 + i // 12, i % 12 + 1,
      100 + i / 2 + 20 * math.sin(i * math.pi / 6) + 4 * math.sin(i * i), i % 5, more and ",x" or "")
  end
  return table.concat(lines, "\n") .. "\n"
end

local folder
setup(function()
  folder = support.folder()
  support.write(folder .. "/load.csv", rows(120))
end)
teardown(function() support.remove(folder) end)

local function rondo(arguments)
  local out, err, code = support.rondo(folder, arguments)
  assert.equal(0, code, err)
  return out, err
end

local function fails(status, message, arguments)
  local out, err, code = support.rondo(folder, arguments)
  assert.equal(status, code, err)
  assert.truthy(err:find(message, 1, true), err)
  assert.equal("", out)
end

-- Lines of a CSV as lists of cells.
local function parsed(text)
  local lines = {}
  for line in text:gmatch "[^\n]+" do
    local cells = {}
    for cell in (line .. ","):gmatch "([^,]*)," do
      cells[#cells + 1] = cell
    end
    lines[#lines + 1] = cells
  end
  return lines
end

local function digest(run)
  return json.decode(rondo("info " .. run .. " --last --json")).state_digest
end

describe("a run of a table", function()
  local table_out
  setup(function()
    table_out = rondo("train load.csv --epochs 6 --run-dir runs/load --horizon 3 --output quantiles" .. SMALL)
  end)
  it("ends with a table of baselines and a sentence", function()
    assert.matches("^load.csv: load, 22 windows of 3 steps ahead in the last 24 of 120 rows\n", table_out)
    for _, name in ipairs { "network", "persistence", "seasonal naive %(12%)", "seasonal naive with growth", "drift",
      "AR%(%d+%)", "Holt%-Winters", "feed%-forward net %(%d+ parameters%)" } do
      assert.matches("\n" .. name, table_out)
    end
    assert.matches("MAE +RMSE +sMAPE +MASE +in 80 %% +pinball", table_out)
    assert.matches("\nnetwork [^\n]* the best baseline, [^\n]*: RMSE [%d.]+ against [%d.]+ [^\n]*\n$", table_out)
  end)
  it("leaves its forecasts as CSV and picture", function()
    local lines = parsed(support.read(folder .. "/runs/load/forecast.csv"))
    assert.same({ "series", "target", "origin", "time", "step", "truth", "forecast", "q0.1", "q0.5", "q0.9" }, lines[1])
    assert.equal(1 + 22 * 3, #lines)
    assert.equal("2008-01", lines[2][4])
    assert.matches("80 %% interval", support.read(folder .. "/runs/load/forecast.svg"))
  end)
  it("forecasts what comes behind the last row, as CSV, JSON and picture", function()
    local out = rondo "forecast runs/load --data load.csv -o next.svg"
    local lines = parsed(out)
    assert.equal(4, #lines)
    assert.same({ "load", "load", "120", "2010-01", "1", "" }, table.move(lines[2], 1, 6, 1, {}))
    assert.is_true(tonumber(lines[4][8]) <= tonumber(lines[4][9]) and tonumber(lines[4][9]) <= tonumber(lines[4][10]))
    assert.matches("history", support.read(folder .. "/next.svg"))
    local _, said = support.rondo(folder, "forecast runs/load --data load.csv")
    assert.matches("When it was trained: load.csv: load, [^\n]*\n[^\n]*best baseline[^\n]*\n$", said)
    local short = parsed(rondo "forecast runs/load --data load.csv --horizon 2")
    assert.same({ lines[1], lines[2], lines[3] }, short)
    local facts = json.decode(rondo "forecast runs/load --data load.csv --json")
    assert.equal(120, facts.origin)
    assert.near(tonumber(lines[2][7]), facts.forecast[1], 1e-3)
    assert.equal("runs/load/checkpoints/best.h5", facts.checkpoints[1])
    assert.is_nil(facts.truth)
  end)
  it("is evaluated on the part that tested it, or on other data", function()
    local again = rondo "evaluate runs/load load.csv"
    assert.matches("in the last 24 of 120 rows %(as large a part as tested the run%)", again)
    local pattern = "\nnetwork +([%d.]+) +([%d.]+) +([%d.]+) +([%d.]+)"
    assert.same({ table_out:match(pattern) }, { again:match(pattern) })
    support.write(folder .. "/other.csv", rows(90))
    assert.matches("16 windows of 3 steps ahead in the last 18 of 90 rows", (rondo "evaluate runs/load other.csv"))
    local facts = json.decode(rondo "evaluate runs/load load.csv --test 30 --json")
    assert.equal(30, facts.evaluated)
    assert.equal("network", facts.table[1].name)
    assert.equal(12, facts.season)
    fails(2, "--test 500 is 500 of the 120 rows of load.csv", "evaluate runs/load load.csv --test 500")
    local _, err = rondo "evaluate runs/load load.csv --test 60"
    assert.truthy(err:find("runs/load was trained on rows up to 78, and row 61 and those behind it are evaluated", 1,
      true), err)
  end)
  it("has status 5 where skill is required and there is none", function()
    local out, err, code = support.rondo(folder, "train load.csv --require-skill --run-dir none --max-steps 1 --valid 0"
      .. SMALL)
    assert.equal(5, code, err)
    assert.matches("\nnetwork does not beat the best baseline", out)
    assert.matches("%-%-require%-skill: network does not beat", err)
    out, err, code = support.rondo(folder, "evaluate runs/load load.csv --require-skill --json")
    assert.equal(json.decode(out).skill and 0 or 5, code, err)
    assert.is_nil(require("rondo.core").stat(folder .. "/none"))
  end)
  it("enters into the ledger what is kept", function()
    local ledger = "RONDO_LEDGER=$PWD/ledger.sqlite"
    for _, run_dir in ipairs { "none", "runs/kept" } do
      local _, err, code = support.rondo(folder, ("train load.csv --seeds 2 --run-dir %s --max-steps 1"):format(run_dir)
        .. SMALL, ledger)
      assert.equal(0, code, err)
    end
    local out = support.rondo(folder, "runs --show seed", ledger)
    assert.matches("^folder [^\n]+\nruns/kept/seed%-1 [^\n]+\nruns/kept/seed%-2 [^\n]+\n$", out)
  end)
  it("says what is wrong with new data", function()
    support.write(folder .. "/short.csv", rows(8))
    fails(3, "short.csv has 8 rows, and runs/load reads 12 before it forecasts", "forecast runs/load --data short.csv")
    support.write(folder .. "/lack.csv", (rows(40):gsub("load", "usage")))
    fails(3, "lack.csv: there is no column 'load'", "forecast runs/load --data lack.csv")
    fails(3, "gone.csv: there is no such file", "forecast runs/load --data gone.csv")
    fails(2, "runs/load forecasts 3 steps at once, and --horizon is 4: train with --horizon 4, or with --form "
      .. "recursive", "forecast runs/load --data load.csv --horizon 4")
    fails(2, "give the data to go on from", "forecast runs/load")
    fails(2, "a picture's name ends in .svg or .png", "forecast runs/load --data load.csv -o x.pdf")
    fails(2, "--quantiles must be a number between 0 and 1", "forecast runs/load --data load.csv --quantiles 7")
    fails(2, "runs/load is of a series: --unit is of no use", "evaluate runs/load load.csv --unit line")
  end)
end)

describe("the recipe of tables", function()
  it("has the same bits after a stop and for other threads", function()
    local common = "train load.csv --batch-size 8 --save-every 7 --valid 24" .. SMALL
    rondo(common .. " --epochs 4 --run-dir runs/whole")
    rondo(common:gsub("threads 1", "threads 2") .. " --epochs 4 --run-dir runs/two")
    assert.equal(digest "runs/whole", digest "runs/two")
    local schedule = " --epochs 4"
    rondo(common .. schedule .. " --run-dir runs/stopped")
    os.execute(("cd '%s/runs/stopped/checkpoints' && ls step-*.h5 | tail -n +2 | xargs rm"):format(folder))
    rondo(common .. schedule .. " --run-dir runs/stopped --resume")
    assert.equal(digest "runs/whole", digest "runs/stopped")
    assert.equal(support.read(folder .. "/runs/whole/forecast.csv"),
      support.read(folder .. "/runs/stopped/forecast.csv"))
  end)
  it("trains several seeds, which forecast and are evaluated together", function()
    local facts = json.decode(rondo("train load.csv --seeds 2 --epochs 2 --run-dir runs/seeds --form recursive --json"
      .. SMALL))
    assert.equal(2, facts.table[1].runs)
    assert.is_number(facts.table[1].spread.rmse)
    local one = parsed(rondo "forecast runs/seeds/seed-1 --data load.csv --horizon 5")
    local two = parsed(rondo "forecast runs/seeds/seed-2 --data load.csv --horizon 5")
    local both = parsed(rondo "forecast runs/seeds --data load.csv --horizon 5")
    assert.equal(6, #both) -- recursive goes on further than it was trained
    assert.near((one[6][7] + two[6][7]) / 2, tonumber(both[6][7]), 1e-3)
    assert.same(both, parsed(rondo "forecast runs/seeds/seed-1 runs/seeds/seed-2 --data load.csv --horizon 5"))
    assert.matches("\nnetwork, 2 seeds", (rondo "evaluate runs/seeds load.csv"))
  end)
  it("takes further columns, what is known ahead and the calendar", function()
    rondo("train load.csv --covariates price --calendar month --horizon 2 --output gaussian --max-steps 3 --paths 20 "
      .. "--scaler log --run-dir runs/more" .. SMALL)
    local lines = parsed(rondo "forecast runs/more --data load.csv --paths 20 --quantiles 0.2 --quantiles 0.8")
    assert.same({ "q0.2", "q0.8" }, { lines[1][8], lines[1][9] })
    rondo("train load.csv --known price --horizon 2 --max-steps 3 --run-dir runs/known --scaler growth" .. SMALL)
    support.write(folder .. "/ahead.csv", rows(60) .. "2005-01,,3\n2005-02,,4\n")
    lines = parsed(rondo "forecast runs/known --data ahead.csv")
    assert.same({ "60", "2005-01" }, { lines[2][3], lines[2][4] })
  end)
  it("learns many series in one model, and draws them in panels", function()
    local lines = { "day,shop,sales,size" }
    for day = 0, 59 do
      for i, shop in ipairs { "north", "south" } do
        lines[#lines + 1] = ("%s,%s,%.2f,%d"):format(os.date("!%Y-%m-%d", 1704067200 + 86400 * day), shop,
          i * (100 + 20 * math.sin(day * 2 * math.pi / 7) + 3 * math.sin(day * day)), i)
      end
    end
    support.write(folder .. "/shops.csv", table.concat(lines, "\n") .. "\n")
    local out = rondo("train shops.csv --target sales --id shop --static size --season 7 --window 14 --hidden-size 4 "
      .. "--max-steps 5 --test 14 --valid 7 --run-dir runs/shops --progress none")
    assert.matches("shops.csv: sales, 28 windows of 1 step ahead in the last 28 of 120 rows\n", out)
    assert.matches("in the last 28 of 120 rows %(as large a part as tested the run%)", (rondo
      "evaluate runs/shops shops.csv"))
    assert.matches("in the last 12 of 120 rows %(as %-%-test says%)", (rondo
      "evaluate runs/shops shops.csv --test 0.1"))
    local next_rows = parsed(rondo "forecast runs/shops --data shops.csv -o shops.svg")
    assert.same({ "north", "south" }, { next_rows[2][1], next_rows[3][1] })
    assert.matches('height="540"', support.read(folder .. "/shops.svg"))
    fails(2, "--test 0.001 leaves no row to test on", "train shops.csv --target sales --id shop --test 0.001 --run-dir "
      .. "none --threads 1")
  end)
  it("reads HDF5, with times", function()
    local archive, load, hour = require("rondo.native").archive(), {}, {}
    for i = 1, 200 do
      load[i], hour[i] = 100 + 9 * math.sin(i / 3) + math.sin(i * i), (i - 1) * 3600.0
    end
    archive:put("load", load)
    archive:put("hour", hour)
    assert(archive:save(folder .. "/load.h5"))
    local out = rondo("train load.h5 --time hour --time-unit seconds --calendar hour --max-steps 5 --run-dir runs/h5"
      .. SMALL)
    assert.matches("^load.h5: load, 40 windows of 1 step ahead in the last 40 of 200 rows\n", out)
    assert.equal("1970-01-09T08:00:00Z", parsed(rondo "forecast runs/h5 --data load.h5")[2][4])
  end)
  it("says what it does not understand", function()
    fails(2, "load.csv has several columns of numbers; say which is to be forecast: --target load, or --target price",
      "train load.csv")
    fails(2, "nowhere: there is no such file, and as a data set: there is no data set 'nowhere'",
      "run '" .. support.sources() .. "/scripts/time_series.lua' --data nowhere")
    fails(2, "--season must be auto or a number of steps from 1 on, got 'week'", "train load.csv --target load "
      .. "--season week")
    fails(2, "--test 0 leaves no row to test on", "train load.csv --test 0" .. SMALL)
    fails(2, "load.csv has 120 rows; --test 100 and --valid 30 leave none to train on",
      "train load.csv --test 100 --valid 30" .. SMALL)
    fails(2, "--quantiles must be a number between 0 and 1, got 'half'",
      "train load.csv --output quantiles --quantiles half --run-dir none" .. SMALL)
    fails(3, "there is no column 'lode'; columns are month, load, price", "train load.csv --target lode")
  end)
  it("is that of a table; other files are texts", function()
    support.write(folder .. "/words.tsv", ("good\twhat a film\nbad\twhat a waste\n"):rep(9))
    local _, err = rondo("train words.tsv --max-steps 1 --run-dir none --sample-length 0 --batch-size 2 --seq-len 4 "
      .. "--ngrams 0")
    assert.truthy(err:find("char level", 1, true), err)
    assert.matches("%-%-horizon", (rondo "train load.csv --help"))
  end)
end)

describe("the evaluation of the recipe", function()
  it("prints figures beside their bounds, and skips by name what is not here", function()
    local script = support.sources() .. "/scripts/evaluate_series.lua"
    local out, err, code = support.rondo(folder, ("run '%s' --only airline --only temps --seeds 1"):format(script),
      "RONDO_DATA= XDG_CACHE_HOME=/nowhere")
    assert.equal(0, code, err)
    assert.matches("skipped: temps is not here", err)
    local figure = support.figure(out, "airline passengers[^|]*| < 20 | ([%d.]+) |")
    assert.is_true(figure < 20)
    assert.matches("| reached, no skill |\n$", out) -- an autoregression on logarithms is better
    support.write(folder .. "/kept.md", "above\n<!-- series: begin (x) -->\nold\n<!-- series: end -->\nbelow\n")
    local _, _, status = support.rondo(folder, ("run '%s' --only temps --into kept.md"):format(script),
      "RONDO_DATA= XDG_CACHE_HOME=/nowhere")
    assert.equal(0, status)
    assert.equal("above\n<!-- series: begin (x) -->\n| | bound | network | per seed | best baseline | persistence | "
      .. "verdict |\n| --- | ---: | ---: | --- | ---: | ---: | --- |\n\n<!-- series: end -->\nbelow\n",
      support.read(folder .. "/kept.md"))
    fails(2, "has no lines <!-- series: begin -->", ("run '%s' --only temps --into t.md"):format(
      (support.write(folder .. "/t.md", "x\n") and script)))
  end)
end)

describe("a model of text", function()
  it("does not forecast", function()
    support.write(folder .. "/t.txt", support.sentences(60))
    rondo "train t.txt --max-steps 1 --hidden-size 4 --seq-len 5 --batch-size 4 --ngrams 0 --sample-length 0"
    fails(3, "was not trained on windows of a series, so it forecasts nothing", "forecast runs/t --data load.csv")
    fails(3, "runs/gone: there is no such file or run folder", "evaluate runs/gone t.txt --test 3")
    fails(2, "runs/t is of no series: --test is of no use", "evaluate runs/t t.txt --test 3")
  end)
end)
