-- progress_spec.lua - the line of figures, and what of it a narrow terminal shows.
-- SPDX-License-Identifier: MIT
local progress = require "rondo.progress"

local view = { step = 87, steps = 252, epoch = 1.04, loss = 2.9141, text = "ppl 18.43  bpc 4.204", left = 9000 }
local function line(width)
  local p = progress.new("none", "never", true)
  p.rate = 1000
  return progress.line_of(p, view, width)
end

describe("the line of figures", function()
  it("has everything where there is room", function()
    assert.equal("step 87/252  epoch 1.04  loss 2.9141  ppl 18.43  bpc 4.204  1000 char/s  0:09 left", line())
    assert.equal(line(), line(200))
  end)
  it("drops the rate, the epoch, the other figures and the time left, in this order", function()
    assert.equal("step 87/252  epoch 1.04  loss 2.9141  ppl 18.43  bpc 4.204  0:09 left", line(80))
    assert.equal("step 87/252  loss 2.9141  ppl 18.43  bpc 4.204  0:09 left", line(60))
    assert.equal("step 87/252  loss 2.9141  0:09 left", line(43))
    assert.equal("step 87/252  loss 2.9141", line(30))
    assert.equal("step 87/25", line(10))
  end)
  it("has a rate of the last few seconds", function()
    local p = progress.new("none", "never", true)
    p.last = p.last - 2
    assert.is_true(math.abs(p:tick(1000) - 500) < 50)
  end)
end)
