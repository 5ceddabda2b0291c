-- results_spec.lua - the scripts that print known results: on small made-up data everywhere, and a short training on
-- the real digits where RONDO_DATA has them. The figures themselves: scripts/test_long.sh results.
-- SPDX-License-Identifier: MIT
local support = dofile "tests/lua/support.lua"

local folder, scripts
setup(function()
  folder = support.folder()
  scripts = support.sources() .. "/scripts/"
end)
teardown(function() support.remove(folder) end)

-- What a script prints; it must end well.
local function printed(script, options)
  local out, err, code = support.rondo(folder, ("run %s%s --quiet --threads 1 %s"):format(scripts, script, options))
  assert.equal(0, code, err)
  assert.equal("", err)
  return out
end

-- The number in the column of figures of a row.
local function figure(out, row)
  return assert(tonumber(out:match("\n" .. row .. " +%d* +([%d.]+)")), out)
end

describe("chorales.lua", function()
  -- Two keys that take turns, a third that is always down, a step of silence.
  local function pieces(n)
    local list = {}
    for i = 1, n do
      list[i] = ("3,87 5,87 "):rep(4 + i % 3) .. "- 87\n"
    end
    return table.concat(list)
  end
  it("beats the keys' own frequencies", function()
    support.write(folder .. "/train.txt", pieces(12))
    support.write(folder .. "/valid.txt", pieces(4))
    local out = printed("chorales.lua", "--train train.txt --valid valid.txt --cell gru --cell vanilla --runs 2 "
      .. "--hidden-size 16 --epochs 20 --lr 0.03 --dropout 0.1")
    assert.matches("^JSB chorales, official split: 12 pieces train, 4 validate", out)
    local alone, after = figure(out, "each key by itself"), figure(out, "each key after itself")
    assert.is_true(after < alone)
    assert.is_true(figure(out, "gru") < alone)
    assert.matches("\nvanilla +3176 +[%d.]+   seeds 1%.%.2: [%d.]+ [%d.]+   %d+ s\n", out)
    assert.matches("\npublished, on the test part, .*LSTM 8.45, GRU 8.43, RNN 8.91\n$", out)
  end)
end)

describe("digits.lua", function()
  it("beats the commonest digit on pictures that are easy to tell", function()
    local lines = {}
    for i = 1, 100 do
      local digit, cells = i % 4, {}
      for k = 0, 63 do
        cells[k + 1] = k // 8 == digit and 16 or (k + i) % 5
      end
      lines[i] = table.concat(cells, ",") .. "," .. digit .. "\n"
    end
    support.write(folder .. "/digits.csv", table.concat(lines))
    local out = printed("digits.lua", "--data digits.csv --runs 1 --hidden-size 16 --epochs 30 --batch-size 8 "
      .. "--cell mgu")
    assert.matches("^optdigits, UCI's training part: 80 train, 20 held back %(every fifth line%)\n", out)
    assert.equal(25, figure(out, "commonest digit"))
    assert.equal(100, figure(out, "nearest neighbour"))
    assert.equal(100, figure(out, "mgu"))
    assert.matches("\nfeed%-forward +%d+ +", out)
  end)
  local real = os.getenv "RONDO_DATA" and io.open(os.getenv "RONDO_DATA" .. "/images/optdigits.train.csv")
  if real then
    real:close()
    it("reads nine in ten of the real ones after three epochs", function()
      assert.is_true(figure(printed("digits.lua", "--runs 1 --epochs 3"), "lstm") > 90)
    end)
  else
    pending "reads nine in ten of the real ones after three epochs (RONDO_DATA names no folder with optdigits)"
  end
end)

describe("vowels.lua", function()
  -- Three speakers, each at a level of its own, of unequal length; two channels.
  local function cases(n)
    local lines = { "#a comment\n@problemName made-up\n@data\n" }
    for i = 1, n do
      local first, second, speaker = {}, {}, (i - 1) * 3 // n + 1
      for t = 1, 3 + i % 4 do
        first[t], second[t] = speaker + 0.1 * ((i * t) % 3), ("%.2f"):format(0.3 * ((i + t) % 2))
      end
      lines[#lines + 1] = table.concat(first, ",") .. ":" .. table.concat(second, ",") .. ":" .. speaker .. "\n"
    end
    return table.concat(lines)
  end
  it("tells speakers apart by cross-validation, and on a test part", function()
    support.write(folder .. "/a.ts", cases(30))
    support.write(folder .. "/b.ts", cases(12))
    local out = printed("vowels.lua", "--data a.ts --test b.ts --folds 3 --runs 1 --hidden-size 8 --epochs 12 "
      .. "--lr 0.03 --dropout 0")
    assert.matches("^Japanese Vowels, the official training part: 30 utterances of 3 speakers, 3%-fold", out)
    assert.equal(33.33, figure(out, "commonest speaker"))
    assert.equal(100, figure(out, "nearest neighbour, mean and sd"))
    assert.equal(100, figure(out, "gru, both directions"))
    assert.matches("\non 12 of the test part: nearest neighbour 100.00 %%, gru 100.00 %%\n", out)
  end)
end)

describe("batches/cells_on_text.lua", function()
  local readme
  local function table_of(options)
    local out = printed("batches/cells_on_text.lua", "--data t.txt --into README.md --hidden-size 8 --num-layers 1 "
      .. "--seq-len 8 --batch-size 4 --max-steps 40 --speed-steps 30 " .. options)
    readme = support.read(folder .. "/README.md")
    assert.is_truthy(readme:find(out:sub(1, -2), 1, true))
    return out
  end
  it("makes the rows that are asked for and keeps the others", function()
    support.write(folder .. "/t.txt", support.sentences(60))
    support.write(folder .. "/README.md", "# A\n<!-- cells on text: begin, x -->\n<!-- cells on text: end -->\nlast\n")
    assert.matches("\n| `mgu` |  | %d+ | %d%.%d%d%d%d | %d+%.%dk |\n", (table_of "--cells mgu"))
    local loss = readme:match "`mgu` |  | %d+ | (%d%.%d+)"
    table_of "--cells sru --cells vanilla"
    assert.equal(loss, readme:match "`mgu` |  | %d+ | (%d%.%d+)")
    assert.matches("\n| `vanilla` | `activation=relu` | %d+ | %d%.%d+ |", readme)
    assert.matches("^# A\n<!%-%- cells on text: begin, x %-%->\n\n| cell |", readme)
    assert.matches("<!%-%- cells on text: end %-%->\nlast\n$", readme)
  end)
  it("measures speeds alone", function()
    local before = readme:match "`mgu` |  | (%d+ | %d%.%d+)"
    table_of "--speed --cells mgu"
    assert.equal(before, readme:match "`mgu` |  | (%d+ | %d%.%d+) | %d+%.%dk |")
  end)
  it("ends with 5 where a cell does not train, and says which", function()
    local _, err, code = support.rondo(folder, ("run %sbatches/cells_on_text.lua --data none.txt --into README.md "
      .. "--quiet --cells mgu --out none"):format(scripts))
    assert.equal(5, code)
    assert.matches("failed: cannot read 'none.txt': No such file", err)
    assert.matches("\n| `mgu` |  |  | does not train |  |\n", support.read(folder .. "/README.md"))
  end)
  it("needs marker lines", function()
    support.write(folder .. "/none.md", "x\n")
    local _, err, code = support.rondo(folder, ("run %sbatches/cells_on_text.lua --data t.txt --into none.md"):format(
      scripts))
    assert.equal(2, code)
    assert.matches("%-%-into none.md: it has no lines 'cells on text: begin' and 'cells on text: end'", err)
  end)
end)

describe("batches/cells_on_series.lua", function()
  it("makes a table of cells and series beside the baselines", function()
    support.write(folder .. "/S.md", "# S\n<!-- cells on series: begin -->\n<!-- cells on series: end -->\nlast\n")
    local out = printed("batches/cells_on_series.lua", "--cells gru --data lynx --runs 2 --max-steps 5 --hidden-size 4 "
      .. "--into S.md")
    assert.matches("^| cell | lynx, 5 ahead |\n|%-%-%-|%-%-%-|\n| `gru` | %d%.%d%d%d ± %d%.%d%d%d |\n"
      .. "| best baseline | %d%.%d%d%d %(.-%) |\n\nMASE on the last fifth; width 4, at most 5 updates", out)
    assert.equal("# S\n<!-- cells on series: begin -->\n\n" .. out .. "\n<!-- cells on series: end -->\nlast\n",
      support.read(folder .. "/S.md"))
  end)
  it("needs marker lines", function()
    local _, err, code = support.rondo(folder, ("run %sbatches/cells_on_series.lua --into none.md"):format(scripts))
    assert.equal(2, code)
    assert.matches("%-%-into none.md: it has no lines 'cells on series: begin' and 'cells on series: end'", err)
  end)
end)
