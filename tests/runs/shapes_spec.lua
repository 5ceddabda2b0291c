-- shapes_spec.lua - the scripts of the four shapes, run whole on small data made here.
-- SPDX-License-Identifier: MIT
local support = dofile "tests/lua/support.lua"

local figure = support.figure

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local function run(script, options)
  return support.script(folder, script, options)
end

describe("scripts/shapes/", function()
  it("one_to_one tells true from forged", function()
    local lines = { "variance,skewness,curtosis,entropy,class" }
    for i = 1, 100 do
      lines[#lines + 1] = ("%g,%g,1,%g,%d"):format((i % 2 * 2 - 1) * (1 + i % 3), i % 5, i % 7, i % 2)
    end
    support.write(folder .. "/notes.csv", table.concat(lines, "\n") .. "\n")
    local out = run("shapes/one_to_one", "--data notes.csv --epochs 10")
    assert.matches("80 to train on, 20 held back", out)
    assert.is_true(figure(out, "one step +([%d.]+) %%") > 95)
  end)
  it("one_to_many writes the word for a picture", function()
    local lines = {}
    for i = 1, 200 do
      local picture, digit = {}, (i // 5 + i) % 10 -- each on both sides: every fifth is held back
      for k = 1, 64 do
        picture[k] = k % 10 == digit and 16 or i * k % 3
      end
      lines[i] = table.concat(picture, ",") .. "," .. digit
    end
    support.write(folder .. "/digits.csv", table.concat(lines, "\n") .. "\n")
    local out = run("shapes/one_to_many", "--data digits.csv --epochs 20 --lr 1e-2")
    assert.matches("160 to train on, 40 held back", out)
    assert.is_true(figure(out, "gru +([%d.]+) %%") > 90)
  end)
  it("many_to_one tells good from bad", function()
    local lines = {}
    for i = 1, 200 do
      lines[i] = ("%d\tthis %s was %s%s"):format(i % 2, i % 3 == 0 and "film" or "meal",
        i % 2 == 1 and "lovely" or "dreadful", (" indeed"):rep(i % 4))
    end
    support.write(folder .. "/reviews.tsv", table.concat(lines, "\n") .. "\n")
    local out = run("shapes/many_to_one", "--data reviews.tsv --epochs 5")
    assert.matches("160 to train on, 40 held back", out)
    assert.is_true(figure(out, "both ways +([%d.]+) %%") > 95)
  end)
  it("many_to_many tags words by what stands beside them", function()
    local lines = {}
    for i = 1, 200 do
      lines[i] = i % 2 == 0 and "x\tplay blue songs\tO B-color O" or "x\tplay blue by name\tO B-song O B-artist"
    end
    support.write(folder .. "/tags.tsv", table.concat(lines, "\n") .. "\n")
    local out = run("shapes/many_to_many", "--train tags.tsv --valid tags.tsv --epochs 4 --lr 1e-2")
    assert.is_true(figure(out, "both ways +([%d.]+) %%") > figure(out, "of a word +([%d.]+) %%"))
  end)
  it("encoder_decoder shows its dates and counts those that are right", function()
    local out = run("shapes/encoder_decoder", "--examples 100 --epochs 1 --hidden-size 16")
    assert.matches("\n  %d+/%d+/%d%d%d%d +%S*\n", out)
    assert.matches("100 to train on, 500 others held back", out)
    assert.is_true(figure(out, "gru +([%d.]+) %%") < 5)
  end)
end)
