-- recipes_spec.lua - the recipes of texts and tags run on small files, and say what must be beaten.
-- SPDX-License-Identifier: MIT
local json = require "rondo.json"
local library = require "rondo"
local support = dofile "tests/lua/support.lua"

local folder, scripts
setup(function()
  folder = support.folder()
  scripts = support.sources() .. "/scripts/"
end)
teardown(function() support.remove(folder) end)

local function rondo(arguments)
  local out, err, code = support.rondo(folder, arguments)
  assert.equal(0, code, err)
  return out, err
end

describe("the recipe", function()
  it("of a text learns something with every cell, by --cell NAME", function()
    support.write(folder .. "/t.txt", support.sentences(300))
    for _, cell in ipairs(library.features().cells) do
      local out = rondo(("train t.txt --cell %s --hidden-size 16 --seq-len 20 --batch-size 8 --max-steps 60 --lr 0.01 "
        .. "--seed 1 --threads 1 --ngrams 0 --sample-length 0 --run-dir none --json --quiet"):format(cell))
      local facts = assert(json.decode(out))
      assert.is_true(facts.val_loss < math.log(22), cell) -- 22 characters, all as likely
    end
  end)
  it("of sentiment takes a tenth to validate, or a file", function()
    local lines = {}
    for i = 1, 60 do
      lines[i] = (i % 3 == 0 and "0\tnot a good film , " or "1\ta good film , ") .. ({ "long", "short" })[i % 2 + 1]
    end
    local path = support.write(folder .. "/films.tsv", table.concat(lines, "\n") .. "\n")
    local out, err = rondo(("run %ssentiment.lua --train %s --hidden-size 4 --epochs 2"):format(scripts, path))
    assert.matches("^validation accuracy %d.%d+ after step %d+; the most frequent class has 0.%d+, naive Bayes of the "
      .. "words %d.%d+\n$", out)
    assert.matches("baseline: naive Bayes of the words %- val_accuracy %d.%d+ %- val_f1_macro %d.%d+", err)
    out = rondo(("run %ssentiment.lua --train %s --valid %s --hidden-size 4 --epochs 1 --overwrite --cell gru"):format(
      scripts, path, path))
    assert.matches("the most frequent class has 0.6667, naive Bayes of the words 1.0000\n$", out)
  end)
  it("of tags reads both kinds of files, and tags lines of a run", function()
    local rows = { conll = {}, tsv = {} }
    for i = 1, 30 do
      local name, place = ({ "Ada", "Bob", "Eve" })[i % 3 + 1], ({ "London", "Rome" })[i % 2 + 1]
      rows.conll[i] = ("%s\tB-person\nlives\tO\nin\tO\n%s\tB-location\n"):format(name, place)
      rows.tsv[i] = ("home\t%s lives in %s\tB-person O O B-location"):format(name, place)
    end
    for kind, list in pairs(rows) do
      local path = support.write(folder .. "/posts." .. kind, table.concat(list, "\n") .. "\n")
      local out = rondo(("run %stagger.lua --train %s --valid %s --hidden-size 8 --epochs 8 --overwrite --lr 2e-2")
        :format(scripts, path, path))
      assert.matches("^validation span F1 1.0000 after step %d+; the most frequent tag of each word has 1.0000 "
        .. "%(accuracy 1.0000%)\n$", out)
    end
    support.write(folder .. "/lines.txt", "Ada lives in Rome\n\nBob\n")
    local pipe = io.popen(("cd '%s' && rondo run %stagger.lua --from runs/tagger <lines.txt"):format(folder, scripts))
    local out = pipe:read "a"
    pipe:close()
    assert.equal("Ada\tB-person\nlives\tO\nin\tO\nRome\tB-location\n\n\nBob\tB-person\n\n", out)
    local _, err, code = support.rondo(folder, ("run %stagger.lua"):format(scripts))
    assert.equal(1, code)
    assert.matches("give %-%-train and %-%-valid, or %-%-from", err)
  end)
end)
