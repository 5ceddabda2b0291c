-- verify_spec.lua - rondo verify: runs are the same once more, and what differs is named.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local support = dofile "tests/lua/support.lua"

local folder
local OPTIONS = " --hidden-size 8 --seq-len 10 --batch-size 4 --ngrams 0 --sample-length 0 --quiet --dropout 0.1"

setup(function()
  folder = support.folder()
  support.write(folder .. "/t.txt", support.sentences(60))
  local _, err, code = support.rondo(folder, "train t.txt --run-dir run --max-steps 30 --save-every 10 --keep 4"
    .. OPTIONS)
  assert.equal(0, code, err)
end)
teardown(function() support.remove(folder) end)

local function verify(arguments)
  return support.rondo("/", ("verify '%s/run' %s"):format(folder, arguments or ""))
end

-- Changes a number of a checkpoint: a file that is whole, but not what the run would give.
local function change(step, name)
  local path = ("%s/run/checkpoints/step-%012d.h5"):format(folder, step)
  local there, here = assert(core.load_archive(path)), core.archive()
  for _, entry in ipairs(there:names "") do
    if there:kind(entry) == "f32" then
      local t = there:get_tensor(entry)
      if entry == name then
        t[{ 3, 2 }] = 0.5
      end
      here:put(entry, t)
    else
      here:put(entry, there:get(entry))
    end
  end
  assert(here:save(path))
end

describe("rondo verify", function()
  it("says of each stretch that it is identical, from any folder", function()
    local out, err, code = verify "--threads 2"
    assert.equal(0, code, err)
    assert.matches("step 10 to 20: identical %(state digest %x+%)\n.-step 20 to 30: "
      .. "identical", out)
  end)
  it("takes as many as it is asked for, the same for a seed", function()
    local one, err, code = verify "--stretches 1 --seed 5"
    assert.equal(0, code, err)
    assert.matches("^[^\n]*identical[^\n]*\n$", one)
    assert.equal(one, (verify "--stretches 1 --seed 5"))
  end)
  it("names the first tensor that differs, with exit status 5", function()
    change(30, "model/2.layer1.i_x")
    local out, err, code = verify()
    assert.equal(5, code, err)
    assert.matches("step 10 to 20: identical.-step 20 to 30: differs: 'model/2.layer1.i_x' %(8, %d+%), number %d+ of "
      .. "%d+: [-%d.e]+, it was 0.5\n$", out)
  end)
  it("leaves nothing behind when it is stopped", function()
    support.write(folder .. "/slow.lua", [[
      local rondo = require "rondo"
      local opt = rondo.args { run_dir = "slow" }
      local x, y = rondo.randn(4, 5, 3), rondo.randn(4, 5, 3)
      local model = rondo.Sequential { rondo.GRU { 3, 3 }, rondo.Linear { 3 } }
      local t = rondo.Trainer { options = opt, model = model, loss = rondo.MSELoss(), epochs = 2,
        optimizer = rondo.optim.Adam {} }
      if opt.pause_at then
        os.execute "touch begun; sleep 3"
      end
      t:fit { { x, y } }
    ]])
    local _, err, code = support.rondo(folder, "run slow.lua --quiet")
    assert.equal(0, code, err)
    _, err, code = support.rondo(folder, "verify slow", [[sh -c 'trap "" INT; "$@" & p=$!
      until [ -e begun ]; do sleep 0.02; done; ls /tmp/lua_*/verify.log >logs; kill -TERM $p; wait $p' sh]])
    assert.equal(75, code, err)
    assert.matches("verify: stopped by SIGTERM", err)
    local logs = support.read(folder .. "/logs")
    assert.matches("verify.log", logs) -- of the temporary folder, while it ran
    for path in logs:gmatch "[^\n]+" do
      assert.is_nil((core.stat(path)))
    end
  end)
  it("says that a training removes what it looks at", function()
    support.write(folder .. "/living.lua", [[
      local rondo = require "rondo"
      local opt = rondo.args { run_dir = "living" }
      local t = rondo.Trainer { options = opt, model = rondo.Linear { 3, 3 }, loss = rondo.MSELoss(), epochs = 2,
        optimizer = rondo.optim.Adam {} }
      if opt.pause_at then -- it is verify that runs it
        os.remove "living/checkpoints/step-000000000002.h5"
      end
      t:fit { { rondo.randn(4, 3), rondo.randn(4, 3) } }
    ]])
    local _, err, code = support.rondo(folder, "run living.lua --quiet")
    assert.equal(0, code, err)
    local lock <close> = assert(core.lock(folder .. "/living/.lock"))
    _, err, code = support.rondo(folder, "verify living")
    assert.equal(3, code)
    assert.matches("step%-000000000002.h5: the training that is at work there has removed it; verify the run when it "
      .. "has ended, or give it %-%-keep%-every\n$", err)
    assert(lock)
  end)
  it("says what it lacks", function()
    local _, err, code = support.rondo(folder, "verify none")
    assert.equal(3, code)
    assert.matches("none: No such file", err)
    core.mkdir(folder .. "/empty")
    _, err, code = support.rondo(folder, "verify empty")
    assert.equal(3, code)
    assert.matches("empty/config.json: No such file", err)
    os.execute(("mv '%s/t.txt' '%s/u.txt'"):format(folder, folder))
    _, err, code = verify "--stretches 1"
    assert.equal(3, code)
    assert.matches("the script did not come to step %d+ %(exit status 3%): .-t.txt", err)
  end)
end)
