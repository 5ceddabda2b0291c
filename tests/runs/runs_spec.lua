-- runs_spec.lua - whole runs of the recipe as processes: the same bits on any backend and number of threads,
-- with or without validations, and after every way of being stopped (core/BITS.md, rules 0 and 12).
-- SIGKILL is in kills_spec.lua.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local json = require "rondo.json"
local support = dofile "tests/lua/support.lua"

-- Two layers, dropout, carried state, Adam; rows that do not divide by the threads, and work enough to share.
local MODEL = " --num-layers 2 --dropout 0.2 --ngrams 0 --sample-length 0 --log-every 1 --quiet"
local WIDE = "--hidden-size 96 --seq-len 20 --batch-size 26 --max-steps 8" .. MODEL
-- Saves at every second step, so that a signal often comes in the middle of one; three validations.
local SAVING = "--hidden-size 12 --seq-len 10 --batch-size 11 --save-every 2 --epochs 3" .. MODEL

local folder
setup(function()
  folder = support.folder()
  support.write(folder .. "/t.txt", support.sentences(120))
end)
teardown(function() support.remove(folder) end)

local function digests(run, options)
  local out, err, code = support.rondo(folder, ("info %s --json %s"):format(run, options or "--last"))
  assert.equal(0, code, err)
  local facts = assert(json.decode(out))
  return facts.state_digest, facts.file_digest
end

-- One process; `before` is what stands before the command. Exit code, messages.
local function train(run, options, before)
  local _, err, code = support.rondo(folder, ("train t.txt --run-dir %s %s"):format(run, options), before)
  return code, err
end

local function trained(run, options, before)
  local code, err = train(run, options, before)
  assert.equal(0, code, err)
  return digests(run)
end

describe("a run has the same state", function()
  local reference
  setup(function() reference = trained("wide", WIDE .. " --threads 1", "RONDO_KERNELS=scalar") end)

  for _, kernels in ipairs { "scalar", "avx2", "avx512" } do
    it("by the kernels " .. kernels .. ", on 1, 2, 3 and 5 threads", function()
      local want, got = {}, {}
      for _, threads in ipairs { 1, 2, 3, 5 } do
        local run = ("%s-%d"):format(kernels, threads)
        local code, err = train(run, ("%s --threads %d"):format(WIDE, threads), "RONDO_KERNELS=" .. kernels)
        if code == 2 then -- this processor has none of it, says the only other code
          return pending(err)
        end
        assert.equal(0, code, err)
        assert.matches(('"kernels":"%s"'):format(kernels), support.read(("%s/%s/config.json"):format(folder, run)))
        want[run], got[run] = reference, (digests(run))
      end
      assert.same(want, got)
    end)
  end
  it("with validations in between", function()
    assert.equal(reference, (trained("validated", WIDE .. " --eval-every 4")))
    assert.matches('"step":4,"split":"valid"', (support.read(folder .. "/validated/metrics.jsonl")
      :gsub('"epoch":[^,]*,', "")))
  end)
end)

-- The curve: what metrics.jsonl says without its times, a line for each step and each validation.
local function curve(run)
  local list = {}
  for line in io.lines(("%s/%s/metrics.jsonl"):format(folder, run)) do
    local facts = assert(json.decode(line))
    list[#list + 1] = ("%s %s %s"):format(facts.split, facts.step, facts.loss)
  end
  return table.concat(list, "\n")
end

-- What is the same after a stop: the last checkpoint and the best one, byte by byte, and the curve.
local function files(run)
  local _, last = digests(run)
  local _, best = digests(run, "")
  return { last = last, best = best, curve = curve(run) }
end

local function left_over(run)
  for _, name in ipairs(core.listdir(("%s/%s/checkpoints"):format(folder, run))) do
    if name:find ".tmp." then
      return name
    end
  end
end

describe("a run that is stopped and resumed gives the files of one that is not,", function()
  local reference, seconds
  setup(function()
    seconds = core.time()
    trained("whole", SAVING)
    seconds = core.time() - seconds
    reference = files "whole"
  end)

  -- Starts the run again and again, each time with a signal after a random part of its time.
  local function stopped_by(signal, times, codes)
    local run, done = "stopped-" .. signal, 0
    local seed = os.time()
    math.randomseed(seed)
    local where = ("SIG%s, math.randomseed(%d)"):format(signal, seed)
    while done < times do
      local before = ("timeout --foreground --preserve-status -s %s %.3f"):format(signal, seconds * math.random())
      local code, err = train(run, SAVING .. " --resume", before)
      if codes[code] then
        done = done + 1
      else
        assert.equal(0, code, where .. ": " .. err)
        assert.same(reference, files(run), where)
        support.remove(folder .. "/" .. run)
      end
    end
    local code, err = train(run, SAVING .. " --resume")
    assert.equal(0, code, where .. ": " .. err)
    assert.same(reference, files(run), where)
    assert.is_nil(left_over(run), where)
  end

  -- What is saved then is not the end: the validation, the end of the epoch are not in it.
  it("stopped in the validation behind its last step", function()
    support.write(folder .. "/stops.lua", [[
      local rondo = require "rondo"
      local opt = rondo.args { "Stops once.", stop = false }
      local text = assert(rondo.data.Text.open("t.txt", { level = "char" }))
      local train, valid = text:split(0.9)
      local source = valid:sequences { seq_len = 10, batch_size = 4 }
      local trainer
      local last = setmetatable({ batch = function(_, k, epoch)
        if opt.stop and trainer.step == 46 then os.execute "kill -TERM $PPID" end
        return source:batch(k, epoch)
      end }, { __index = source, __len = function() return #source end })
      trainer = rondo.Trainer { model = rondo.Sequential { rondo.Embedding { #text.vocab, 4 },
        rondo.LSTM { hidden_size = 8 }, rondo.Linear { #text.vocab } }, vocab = text.vocab, options = opt,
        loss = rondo.CrossEntropyLoss(), optimizer = rondo.optim.Adam { lr = 0.01 }, epochs = 2 }
      trainer:fit(train:sequences { seq_len = 10, batch_size = 11, stateful = true }, last)]])
    local function run(name, options)
      local _, err, code = support.rondo(folder, ("run stops.lua --quiet --run-dir %s %s"):format(name, options))
      return code, err
    end
    assert.equal(0, run("not-stopped", ""))
    local code, err = run("in-validation", "--stop")
    assert.equal(75, code, err)
    assert.matches("stopped by SIGTERM after step 46", err)
    assert.equal(0, run("in-validation", "--resume"))
    assert.same(files "not-stopped", files "in-validation")
  end)
  it("stopped by SIGINT at random steps", function() stopped_by("INT", 4, { [130] = true }) end)
  it("stopped by SIGTERM at random steps", function() stopped_by("TERM", 4, { [75] = true, [143] = true }) end)
  -- 138, 143: the signal came before the command listened.
  it("stopped by SIGUSR1 at random steps", function() stopped_by("USR1", 4, { [75] = true, [138] = true }) end)
end)
