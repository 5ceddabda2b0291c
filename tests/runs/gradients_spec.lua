-- gradients_spec.lua - the scripts on vanishing and exploding gradients, in short.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local support = dofile "tests/lua/support.lua"

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

describe("scripts/vanishing_gradients.lua", function()
  it("shows that the radius is what a gradient is multiplied by", function()
    local out = support.script(folder, "vanishing_gradients", "--seq-len 12 --hidden-size 8 --updates 20")
    for _, start in ipairs { "identity", "orthogonal" } do
      assert.matches("0%.5  times " .. start .. " +0%.500 +0%.500000 +%-0%.6931", out)
      assert.matches("1    times " .. start .. " +1%.000 +1%.000000 +[+-]0%.0000", out)
      assert.matches("1%.5  times " .. start .. " +1%.500 +1%.500000 +%+0%.4055", out)
    end
    assert.matches("gru +untrained +below 1 %% at lag ", out)
    assert.matches("right at step 12: %d+ %%", out)
  end)
end)

describe("scripts/exploding_gradients.lua", function()
  it("diverges as it is, and learns with clipping; draws both", function()
    local picture = os.execute "command -v gnuplot >/dev/null" and "--picture x.svg" or ""
    local out = support.script(folder, "exploding_gradients", "--updates 200 " .. picture)
    assert.matches("identity +1%.5 +1%.5000 +7%.37e%+06 +%+0%.4055", out)
    assert.matches("as it is +|g| at update 1: [^\n]*\n  diverged at step 2: the ", out)
    local from, to = out:match "clipped at 1 [^\n]*the loss goes from ([%d.]+) to ([%d.]+)"
    assert.is_true(tonumber(from) > 200 and tonumber(to) < 20)
    assert.is_true(picture == "" or core.stat(folder .. "/x.svg") ~= nil)
  end)
end)
