-- offline_spec.lua - training, sampling and opening files ask for no network, neither to call nor to listen.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local support = dofile "tests/lua/support.lua"

local TRAIN = "train t.txt --max-steps 3 --hidden-size 4 --seq-len 10 --batch-size 4 --quiet --run-dir "
local folder
setup(function()
  folder = support.folder()
  support.write(folder .. "/t.txt", support.sentences(40))
  support.write(folder .. "/new.csv", "load,step\n" .. ("1,2\n3,4\n"):rep(20))
  support.write(folder .. "/series.h5", support.read "tests/fixtures/series-1.h5")
  local _, err, code = support.rondo(folder, TRAIN .. "run")
  assert.equal(0, code, err)
end)
teardown(function() support.remove(folder) end)

-- Where who asks for a network leaves a mark (faults/no_network.c).
local function before()
  return ("env RD_TEST_MARK='%s/mark' LD_PRELOAD='%s/../../tests/no_network.so'"):format(folder, core.lib_dir())
end

for _, command in ipairs { TRAIN .. "again", "sample run --length 5",
  "evaluate run t.txt", "info run", "forecast series.h5 --data new.csv", "plugins" } do
  it("without a network: rondo " .. command, function()
    local _, err, code = support.rondo(folder, command, before())
    assert.equal(0, code, err)
    assert.is_nil((core.stat(folder .. "/mark")))
  end)
end

it("a program that asks for one leaves a mark", function()
  os.execute(before() .. " bash -c 'true >/dev/tcp/127.0.0.1/9' 2>/dev/null")
  assert.is_truthy(core.stat(folder .. "/mark"))
end)
