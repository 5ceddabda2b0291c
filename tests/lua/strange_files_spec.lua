-- strange_files_spec.lua - files of strangers that are no checkpoints: run folders, texts, tables, vectors.
--
-- What views show of a run folder is what can be read of it; a file that is a pipe, a terabyte of holes, a folder or no
-- JSON is as one that is not there, or ends with a sentence. No file is waited for, and none takes memory that it
-- does not have bytes for.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local records = require "rondo.run_records"
local report = require "rondo.report"
local rondo = require "rondo"
local run_facts = require "rondo.run_facts"
local support = dofile "tests/lua/support.lua"

local HEAD = '{"program":"rondo","schema":1,"version":"0.1.0"}\n'
local LINE = '{"t":1.5,"step":1,"epoch":0.5,"split":"train","loss":2.5}\n'
local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

-- How a file of a stranger can be: its path is made to be that.
local STRANGE = {
  pipe = function(path) assert(os.execute(("mkfifo '%s'"):format(path))) end,
  folder = function(path) assert(core.mkdir(path)) end,
  device = function(path) assert(os.execute(("ln -s /dev/zero '%s'"):format(path))) end,
  loop = function(path) assert(os.execute(("ln -s '%s' '%s'"):format(path, path))) end,
  holes = function(path) assert(os.execute(("truncate -s 1T '%s'"):format(path))) end,
  deep = function(path) support.write(path, ("["):rep(1 << 20)) end,
  ["not UTF-8"] = function(path) support.write(path, '{"\xff\xfe":"\xc0\x80"}') end,
  zeros = function(path) support.write(path, ("\0"):rep(1 << 16)) end,
  numbers = function(path) support.write(path, '{"options":7,"trainer":[[]],"state":{},"best":1e999,"trial":{}}') end,
  ["a line without end"] = function(path) support.write(path, '"' .. ("x"):rep(17 << 20)) end,
}

local made = 0
local function run_with(name, make)
  made = made + 1
  local path = ("%s/%d"):format(folder, made)
  assert(core.mkdir(path .. "/checkpoints"))
  support.write(path .. "/metrics.jsonl", HEAD .. LINE)
  os.remove(path .. "/" .. name)
  make(path .. "/" .. name)
  return path
end

describe("a run folder of a stranger", function()
  for how, make in pairs(STRANGE) do
    it(("is shown without what is strange: %s"):format(how), function()
      local _, before = core.rss()
      for _, name in ipairs { "config.json", "status.json", "trial.json", "log.txt", "forecasts.csv", "table.txt" } do
        local path = run_with(name, make)
        local log = assert(records.open(path))
        assert.equal(1, run_facts.of(log).step)
        run_facts.messages(path, 3)
        assert.is_table(require "rondo.ledger.run_facts"(path))
        assert.is_string(report.page { path })
      end
      local _, after = core.rss()
      assert.is_true(after - before < 128 << 20 or os.getenv "ASAN_OPTIONS" ~= nil) -- that keeps what was freed
    end)
  end
  it("whose figures cannot be read is no run", function()
    local function refused(how)
      local path = run_with("metrics.jsonl", STRANGE[how])
      local log, message = records.open(path)
      assert.is_nil(log)
      return (message:gsub(path:gsub("%p", "%%%0"), "RUN"))
    end
    assert.equal("RUN: has no metrics (RUN/metrics.jsonl: it is not a regular file); is it a run folder?",
      refused "pipe")
    assert.equal("RUN: has no metrics (RUN/metrics.jsonl: it is not a regular file); is it a run folder?",
      refused "device")
    assert.equal("RUN: has no metrics (RUN/metrics.jsonl: it is a folder); is it a run folder?", refused "folder")
    assert.equal("RUN: has no metrics (RUN/metrics.jsonl: it has 1099511627776 bytes, allowed are 1073741824); is it a "
      .. "run folder?", refused "holes")
    assert.equal("RUN: has no metrics (RUN/metrics.jsonl: line 1 has more than 16777216 bytes); is it a run folder?",
      refused "a line without end")
  end)
  it("is not waited for when a training would go on in it", function()
    for _, name in ipairs { "config.json", "status.json" } do
      local path = run_with(name, STRANGE.pipe)
      local trainer = rondo.Trainer { model = rondo.Linear { 2, 1 }, loss = rondo.MSELoss(),
        optimizer = rondo.optim.SGD { lr = 0.1 }, run_dir = path, overwrite = true, max_steps = 1, quiet = true }
      trainer:fit { { rondo.ones(2, 2), rondo.ones(2, 1) } }
      assert.equal("file", core.stat(path .. "/" .. name).kind)
    end
  end)
  it("has nothing written elsewhere by links in it", function()
    for _, name in ipairs { "metrics.jsonl", "log.txt", ".lock" } do
      local victim = folder .. "/mine"
      support.write(victim, "mine")
      local path = run_with(name, function(link) assert(os.execute(("ln -s ../mine '%s'"):format(link))) end)
      local trainer = rondo.Trainer { model = rondo.Linear { 2, 1 }, loss = rondo.MSELoss(), run_dir = path,
        optimizer = rondo.optim.SGD { lr = 0.1 }, max_steps = 1, quiet = true, resume = true }
      function trainer.notice() end
      local failure = support.failure(trainer.fit, trainer, { { rondo.ones(2, 2), rondo.ones(2, 1) } })
      assert.equal(("%s/%s: it is a link, to be replaced by a file"):format(path, name), failure.message)
      assert.equal("mine", support.read(victim))
    end
  end)
  it("is not waited for, and ends a training, where its logs are pipes", function()
    for _, name in ipairs { "metrics.jsonl", "log.txt" } do
      local path = run_with(name, STRANGE.pipe)
      local trainer = rondo.Trainer { model = rondo.Linear { 2, 1 }, loss = rondo.MSELoss(), run_dir = path,
        optimizer = rondo.optim.SGD { lr = 0.1 }, max_steps = 1, quiet = true, resume = true }
      function trainer.notice() end
      local failure = support.failure(trainer.fit, trainer, { { rondo.ones(2, 2), rondo.ones(2, 1) } })
      assert.equal(("%s/%s: it is not a regular file"):format(path, name), failure.message)
    end
  end)
end)

it("a run of a stranger forecasts whatever its table of results is", function()
  local path = folder .. "/forecaster"
  assert(core.mkdir(path .. "/checkpoints"))
  support.write(path .. "/checkpoints/step-000000000006.h5", support.read "tests/fixtures/series-1.h5")
  support.write(folder .. "/new.csv", "load,step\n" .. ("1,2\n3,4\n"):rep(20))
  for _, table_ in ipairs { "no end of a line", "", "\n\n" } do
    support.write(path .. "/table.txt", table_)
    local _, err, code = support.rondo(folder, "forecast forecaster --data new.csv")
    assert.equal(0, code, err)
  end
end)

describe("a table of a stranger", function()
  local function both(text)
    local path, list = support.write(folder .. "/t.csv", text), {}
    for i, open in ipairs { rondo.data.Series.from_csv, function(p) return rondo.data.Table.open(p, {}) end } do
      local it, message = open(path)
      list[i] = it and "read" or message:gsub(path:gsub("%p", "%%%0"), "FILE")
    end
    return list[1], list[2]
  end
  it("of one line without end is refused or read", function()
    local none, empty = both(("x"):rep(32 << 20))
    assert.matches("^FILE: there are no rows in it", none)
    assert.matches("^FILE: there are no rows in it", empty)
    local digits = both("a\n" .. ("1"):rep(1 << 20) .. "\n")
    assert.equal("FILE: no column holds numbers; columns are a", digits)
  end)
  it("of more than a million columns is refused", function()
    local series, table_ = both(("a,"):rep(1 << 20) .. "b\n" .. ("1,"):rep(1 << 20) .. "2\n")
    assert.equal("FILE: line 1 has more than 1048576 columns; is this a file of rows?", series)
    assert.equal(series, table_)
  end)
  it("with zeros, or quotes that never end, is refused", function()
    assert.matches("^FILE: the file is UTF%-16 without its mark, or binary", (both("a,b\n1,2\n" .. ("\0"):rep(99))))
    assert.equal("FILE: line 2, column 2: the quote that begins this cell is not closed",
      (both('a,b\n1,"' .. ("y\n"):rep(1 << 20))))
    assert.equal("read", (both("a,b\n1," .. ('""'):rep(1 << 20) .. "\n2,\n")))
  end)
end)

describe("lines of a stranger", function()
  it("without end are refused in word vectors and tagged sentences", function()
    local path = support.write(folder .. "/long.txt", "a 1 2\n" .. ("b 1 "):rep(5 << 20))
    local text = support.write(folder .. "/words.txt", "a b a b a b")
    local vocab = assert(rondo.data.Text.open(text, { level = "word" })).vocab
    local sentence = path .. ": line 2 has more than 16777216 bytes"
    local matrix, message = rondo.data.load_vectors(path, vocab)
    assert.same({ nil, sentence }, { matrix, message })
    local list
    list, message = rondo.data.Conll.open(path)
    assert.same({ nil, sentence }, { list, message })
  end)
end)

it("sentences name twenty columns of a file that has a million", function()
  local names, words = {}, {}
  for i = 1, 1000 do
    names[i], words[i] = "c" .. i, "x"
  end
  support.write(folder .. "/wide.csv", table.concat(names, ",") .. "\n" .. table.concat(words, ",") .. "\n")
  local none, message = rondo.data.Series.from_csv(folder .. "/wide.csv", {})
  assert.is_nil(none)
  assert.matches("no column holds numbers; columns are c1, c2, .-c19, c20, and 980 more$", message)
end)
