-- strange_checkpoint_spec.lua - well-formed checkpoints and capsules whose entries are not what their names say.
--
-- A seal is easily made, so that everything in a file may be anybody's: each entry of an honest file, and each value of
-- its description, is put in place of by others in turn. What comes is a model, or a sentence that names the file.
-- SPDX-License-Identifier: MIT
local checkpoint = require "rondo.checkpoint"
local core = require "rondo.native"
local errors = require "rondo.errors"
local json = require "rondo.json"
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"
local trainer_state = require "rondo.trainer_state"

local ABSENT = {}
local ENTRIES = { ABSENT, "", "[[1]]", -1, 1 << 53, 0 / 0, { 1, 2 }, core.zeros { 2, 3 } }
local VALUES = { ABSENT, "x", -1, 1 << 40, true, { a = 1 }, { {} } }

local folder, text
local load_archive = core.load_archive
setup(function()
  folder = support.folder()
  text = support.write(folder .. "/t.txt", support.sentences(40))
end)
after_each(function() core.load_archive = load_archive end)
teardown(function() support.remove(folder) end)

local function trainer_of(given)
  rondo.manual_seed(1)
  local o = { optimizer = rondo.optim.Adam { lr = 0.1 }, max_steps = 4, quiet = true, ema = 0.9, clip_grad_norm = 1 }
  for name, value in pairs(given) do
    o[name] = value
  end
  return rondo.Trainer(o)
end

-- A training on a text, and its batches.
local function text_training(given)
  local t = rondo.data.Text.open(text, { level = "word" })
  given.model = rondo.Sequential { rondo.Embedding { #t.vocab, 4 }, rondo.GRU { 4, 5, num_layers = 2 },
    rondo.Linear { 5, #t.vocab } }
  given.loss, given.vocab = rondo.CrossEntropyLoss(), t.vocab
  return trainer_of(given), t:sequences { seq_len = 5, batch_size = 3, stateful = true },
    t:sequences { seq_len = 5, batch_size = 3 }
end

local function text_run()
  local trainer, source, valid = text_training { run_dir = folder .. "/run", eval_every = 2 }
  trainer:fit(source, valid)
  return folder .. "/run/checkpoints/step-000000000004.h5"
end

local function capsule_of_run()
  local x, y = rondo.randn { 3, 4, 2 }, rondo.zeros { 3, 4, 1 }
  local trainer = trainer_of { model = rondo.Sequential { rondo.GRU { 2, 3, dropout = 0.1 }, rondo.Linear { 3, 1 } },
    loss = rondo.MSELoss(), run_dir = folder .. "/broken" }
  assert(not pcall(trainer.fit, trainer, { { x, y }, { x, y + 0 / 0 } }))
  return folder .. "/broken/capsules/step-000000000002.h5"
end

-- Entries of a file as a table.
local function entries_of(path)
  local archive, entries = assert(load_archive(path)), {}
  for _, name in ipairs(archive:names()) do
    local real = archive:kind(name) == "f32" or core.real == "double" and archive:kind(name) == "f64"
      and #archive:shape(name) > 0 and name:find "/" and not name:find "^history"
    entries[name] = real and archive:get_tensor(name) or archive:get(name)
  end
  return entries
end

-- Opens an archive of these entries as if a file held them.
local function opened_with(entries, open)
  local archive <close> = core.archive()
  for name, value in pairs(entries) do
    if value ~= ABSENT then
      archive:put(name, value)
    end
  end
  core.load_archive = function() return archive, { file = ("0"):rep(32), state = ("0"):rep(32) } end
  return pcall(open)
end

-- Calls f(keys of the value) for every value in a table of tables.
local function each_value(value, keys, f)
  for key, inner in pairs(value) do
    local here = table.move(keys, 1, #keys, 1, {})
    here[#here + 1] = key
    f(here)
    if type(inner) == "table" then
      each_value(inner, here, f)
    end
  end
end

local function with_value(config, keys, value)
  local copy = json.decode(json.encode(config))
  local at = copy
  for i = 1, #keys - 1 do
    at = at[keys[i]]
  end
  at[keys[#keys]] = value ~= ABSENT and value or nil
  return json.encode(copy)
end

-- Opens the file with every change; fails with what came that is no sentence of ours. How many were opened. Entries
-- whose names match `pattern` alone, where there is one.
local function try_all(path, open, pattern)
  local entries, n = entries_of(path), 0
  local function try(name, value)
    local changed = setmetatable({ [name] = value }, nil)
    for other, kept in pairs(entries) do
      changed[other] = changed[other] == nil and kept or changed[other]
    end
    local whole, why = opened_with(changed, open)
    n = n + 1
    if not whole and not errors.is_stop(why) then
      error(("%s = %s: %s"):format(name, tostring(value), why))
    end
  end
  for name in pairs(entries) do
    for _, value in ipairs(name:find(pattern or "") and ENTRIES or {}) do
      try(name, value)
    end
  end
  local config = json.decode(entries.config)
  each_value(config, {}, function(keys)
    for _, value in ipairs(VALUES) do
      try("config", with_value(config, keys, value))
    end
  end)
  return n
end

-- A refusal is a sentence that names the file and does not sound like a fault of ours.
local function check_refusal(path, value, message, code)
  if value == nil then
    assert.equal("string", type(message))
    assert.is_truthy(message:find(path, 1, true), message)
    assert.is_true(code == errors.DATA or code == errors.USAGE)
    assert.is_nil(message:match "attempt to [%a ]+" or message:match "bad argument" or message:match "stack overflow",
      message)
  end
end

describe("a checkpoint with an entry that is not what its name says", function()
  it("is refused or a model, and memory is not asked for what it lacks", function()
    local path, _, before = text_run(), core.rss()
    local n = try_all(path, function()
      local loaded, message, code = rondo.load(path)
      check_refusal(path, loaded, message, code)
      if loaded then
        check_refusal(path, checkpoint.rebuild(loaded.opened))
      end
    end)
    assert.is_true(n > 300)
    local _, after = core.rss()
    assert.is_true(after - before < 64 << 20 or os.getenv "ASAN_OPTIONS" ~= nil) -- that keeps what was freed
  end)
  it("is shown by `rondo info`, or refused", function()
    local path, cli = folder .. "/run/checkpoints/step-000000000004.h5", require "rondo.cli"
    local nowhere <close> = assert(io.open("/dev/null", "w"))
    local stdout = io.stdout
    rawset(io, "stdout", nowhere)
    local whole, n = pcall(try_all, path, function() require "rondo.cli.info"({ path }, cli) end, "^[cfhrtv]")
    rawset(io, "stdout", stdout)
    assert.is_true(whole, n)
    assert.is_true(n > 200)
  end)
  it("is gone on with, or refused", function()
    local path = folder .. "/run/checkpoints/step-000000000004.h5"
    local trainer, source = text_training {}
    function trainer.notice() end
    trainer:bind(source)
    local n = try_all(path, function()
      local opened, message, code = checkpoint.open(path)
      check_refusal(path, opened, message, code)
      if opened then
        check_refusal(path, trainer_state.restore(trainer, opened))
      end
    end)
    assert.is_true(n > 300)
  end)
  it("is refused in a recipe too, whose user has no line to blame", function()
    local path = folder .. "/run/checkpoints/step-000000000004.h5"
    local trainer, source = text_training {}
    local entries, caught = entries_of(path), errors.caught
    trainer:bind(source)
    entries["optimizer/lr"] = -1
    errors.recipe, errors.caught = debug.getinfo(1, "S").source:sub(2), true
    local whole, why = opened_with(entries, function()
      local rate, message, code = checkpoint.read_rate(checkpoint.open(path), trainer.optimizer)
      assert.is_nil(rate)
      check_refusal(path, rate, message, code)
    end)
    errors.recipe, errors.caught = nil, caught
    assert.is_true(whole, why)
  end)
  it("says which", function()
    local path = folder .. "/run/checkpoints/step-000000000004.h5"
    local entries = entries_of(path)
    for name, want in pairs { ["train/step"] = "a whole number, 0 or more", ["optimizer/lr"] = "a number",
      ["history/best"] = "two numbers", ["history/train/loss"] = "numbers", ["model/2.layer1.r_h"] = "real numbers",
      ["config"] = "text" } do
      local kept = entries[name]
      entries[name] = want == "text" and 1 or "text"
      opened_with(entries, function()
        local opened, message = checkpoint.open(path)
        assert.is_nil(opened)
        assert.equal(("%s: its entry '%s' is not %s; it was made by another program"):format(path, name, want), message)
      end)
      entries[name] = kept
    end
  end)
end)

describe("a capsule with an entry that is not what its name says", function()
  it("is refused or played", function()
    local path = capsule_of_run()
    local n = try_all(path, function() check_refusal(path, rondo.replay(path)) end)
    assert.is_true(n > 300)
    assert.equal("float32", core.precision())
  end)
end)

describe("a forecaster with a description that is not what it says", function()
  it("forecasts, or is refused", function()
    local path, runs, cli = "tests/fixtures/series-1.h5", require "rondo.forecast.runs", require "rondo.cli"
    local data = support.write(folder .. "/new.csv", "load,step\n" .. ("1,2\n3,4\n"):rep(20))
    local n = try_all(path, function()
      local whole, why = pcall(function()
        for _, run in ipairs(runs.open(cli, { path })) do
          run.model:forecast(runs.windows(run, runs.read(run, data)))
        end
      end)
      why = not whole and tostring(why) or ""
      assert.is_nil(why:match "attempt to [%a ]+" or why:match "bad argument" or why:match "stack overflow", why)
    end, "^config")
    assert.is_true(n > 200)
  end)
end)
