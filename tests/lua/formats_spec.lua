-- formats_spec.lua - files of every version of the checkpoint format open for ever, and go on to the bits they had.
--
-- tests/fixtures has them and says how they were made. What is expected there is of the float build; in double the
-- same weights give nearly the same numbers.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local json = require "rondo.json"
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"
local trainings = dofile "tests/fixtures/trainings.lua"

local HERE, VERSIONS = "tests/fixtures/", { 1 }
local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

-- The state digest of the run that goes on from a file for one step.
local function next_digest(path, train)
  local run = os.tmpname()
  os.remove(run)
  core.mkdir(run .. "/checkpoints")
  support.write(run .. "/checkpoints/step-000000000006.h5", support.read(path))
  train(folder, { run_dir = run, resume = true, max_steps = 7 })
  local digest = assert(rondo.load(run .. "/checkpoints/step-000000000007.h5")).digests.state
  support.remove(run)
  return digest
end

local function numbers(text)
  local list = {}
  for number in text:gmatch "%S+" do
    list[#list + 1] = tonumber(number)
  end
  return list
end

for _, version in ipairs(VERSIONS) do
  local function file(name)
    return ("%s%s-%d.h5"):format(HERE, name, version)
  end
  local expected = dofile(("%sexpected_%d.lua"):format(HERE, version))
  local exact = core.real == "float" and it or pending

  describe(("files of format %d"):format(version), function()
    it("open with what was saved", function()
      for _, name in ipairs { "text", "series", "capsule" } do
        assert.equal(expected[name], assert(rondo.load(file(name))).digests.state)
      end
      local ckpt = assert(rondo.load(file "text"))
      assert.equal(6, ckpt.step)
      assert.same({ 21, "word" }, { #ckpt.vocab, ckpt.vocab:level() })
      assert.same({ 3, 16, 2 }, ckpt.vocab:encode "the cat\n")
      assert.equal(8, assert(rondo.load(file "series")).model.series.input)
    end)
    exact("write the text they wrote", function()
      assert.equal(expected.written, trainings.written(rondo.load(file "text").model))
    end)
    it("forecast what they forecast", function()
      local got = numbers(trainings.forecast(rondo.load(file "series").model, folder))
      for i, value in ipairs(numbers(expected.forecast)) do
        assert.is_true(math.abs(got[i] - value) <= (core.real == "float" and 0 or 1e-5) * math.abs(value))
      end
    end)
    exact("go on to the same bits", function()
      assert.equal(expected.text_on, next_digest(file "text", trainings.text))
      assert.equal(expected.series_on, next_digest(file "series", trainings.forecaster))
    end)
    it("are played again to the same trail", function()
      local found = assert(rondo.replay(file "capsule"))
      assert.is_true(found.same)
      assert.equal(expected.trail, require("rondo.diagnose.capsule").lines(found.trail)[1])
    end)
  end)
end

describe("what a newer Rondo wrote", function()
  it("is refused as that: a checkpoint", function()
    local path = folder .. "/later.h5"
    local archive <close> = core.archive()
    archive:put("format", "rondo-checkpoint 2")
    assert(archive:save(path))
    local ckpt, message, code = rondo.load(path)
    assert.is_nil(ckpt)
    assert.equal(path .. ": it has format 2, this Rondo reads format 1; a newer Rondo wrote it", message)
    assert.equal(errors.DATA, code)
  end)
  it("is refused as that: a sweep", function()
    core.mkdir(folder .. "/sweep")
    support.write(folder .. "/sweep/sweep.json", json.encode { schema = 2 })
    local failure = support.failure(require("rondo.sweep.folder").claim, folder .. "/sweep", {}, "", {})
    assert.equal(folder .. "/sweep: a newer Rondo has begun a sweep here (its schema is 2, this Rondo's is 1)",
      failure.message)
  end)
end)
