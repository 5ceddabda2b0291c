-- memory_spec.lua - the memory of whole programs: the recipe's, and that of a loop written by hand.
-- SPDX-License-Identifier: MIT
local support = dofile "tests/lua/support.lua"

-- Runs a script of this folder; what it printed and its exit code.
local function run(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local text = pipe:read "a"
  local _, _, code = pipe:close()
  return text, code
end

describe("memory", function()
  it("of the recipe is within its limits, and no step from the third on asks the system for any", function()
    local folder = support.folder()
    local data = support.write(folder .. "/t.txt", support.sentences(3000))
    local text, code = run(("rondo run tests/runs/recipe_memory.lua --data %s --hidden-size 64 --epochs 2 "
      .. "--dropout 0.1 --num-layers 2 --run-dir %s/run --save-every 10 --eval-every 15 --quiet"):format(data, folder))
    support.remove(folder)
    assert.equal(0, code, text)
    assert.matches("%d%d steps: Lua heap at most", text)
  end)
  it("of 3,000 steps of a loop that frees nothing by hand is flat", function()
    local text, code = run "lua5.4 tests/runs/flat_memory.lua 3000"
    assert.equal(0, code, text)
    assert.matches("grown by", text)
  end)
  it("and descriptors of a process that trains, samples, saves and loads in a loop are flat", function()
    local text, code = run "lua5.4 tests/runs/soak.lua 5"
    assert.equal(0, code, text)
    assert.matches("every round ended as %x+\n$", text)
  end)
  it("of 20,000 steps in segments is within its budget and as planned", function()
    local text, code = run "lua5.4 tests/runs/long_sequence.lua 20000 64 8 12MB 50"
    assert.equal(0, code, text)
    assert.matches("T = 20,000 steps of 8 rows need %d+ MB at once", text)
  end)
  it("that a CSV file of 20 MB takes is little, and it is read at over 25 MB/s", function()
    local folder = support.folder()
    local text, code = run("lua5.4 tests/runs/large_csv.lua " .. folder .. " 20 25")
    support.remove(folder)
    assert.equal(0, code, text)
    assert.matches("a window of 192 rows", text)
  end)
end)
