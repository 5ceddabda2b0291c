-- core_memory_spec.lua - native memory and Lua's collector: temporaries are given back in time.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
core.open {}

local MIB = 1 << 20

describe("native memory", function()
  it("stays flat over 100,000 temporaries", function()
    local x = core.full({ 64, 64 }, 1) -- 16 KiB each: 1.6 GB go by
    for _ = 1, 2000 do
      local _ = x + x
    end
    local before = core.rss()
    for _ = 1, 100000 do
      local _ = x + x
    end
    assert.is_true(core.rss() - before < 16 * MIB)
    assert.is_true(core.memory().live_bytes < 32 * MIB)
  end)
  it("stays flat with a large Lua heap", function()
    local heap = {}
    for i = 1, 200000 do
      heap[i] = { i }
    end
    collectgarbage()
    local x = core.full({ 512, 512 }, 1) -- 1 MiB each
    for _ = 1, 500 do
      local _ = x + x
    end
    assert.equal(200000, #heap)
    assert.is_true(core.memory().live_bytes < 160 * MIB)
  end)
  it("of tensors that live through several collections is given back too", function()
    collectgarbage()
    local x = core.full({ 512, 512 }, 1)
    for _ = 1, 100 do
      local a = x + x
      local b = a + x
      local c = b + a
      local _ = c + b
    end
    assert.is_true(core.memory().live_bytes < 24 * MIB)
  end)
  it("is given back at once by release and by close", function()
    collectgarbage()
    local live = core.memory().live_bytes
    for _ = 1, 100 do
      local t <close> = core.zeros { 256, 256 }
      t:fill(1)
    end
    core.zeros({ 256, 256 }):release()
    assert.is_true(core.memory().live_bytes <= live + MIB // 2)
  end)
  it("is counted and trimmed", function()
    local t = core.zeros { 1024, 1024 }
    local use = core.memory()
    assert.is_true(use.live_bytes >= 4 * MIB and use.peak_bytes >= use.live_bytes)
    assert.is_true(use.held_bytes >= use.live_bytes and use.system_allocations > 0)
    t:release()
    collectgarbage()
    core.trim()
    assert.is_true(core.memory().held_bytes < use.held_bytes)
  end)
  it("is not held by calls that fail", function()
    local r = core.rnn { cell = "gru", input_size = 4, hidden_size = 4 }
    local a = core.zeros { 2, 4 }
    local function fail_everywhere()
      for _, f in ipairs {
        function() return core.matmul(a, a) end,
        function() return a + core.zeros { 5 } end,
        function() return a + "x" end,
        function() return core.tensor { { 1, 2 }, { 3 } } end,
        function() return core.concat({ a, core.zeros { 1, 2, 3 } }, 1) end,
        function() return r:forward(a) end,
        function() return r:forward(core.zeros { 1, 3, 4 }, { core.zeros { 9, 9 } }) end,
        function() return core.rnn { cell = "gru", input_size = 4, hidden_size = 5, options = { x = 1 } } end,
        function() return core.optimizer("adam", { lrr = 1 }, { a }) end,
        function() return core.cross_entropy(a, core.full({ 2 }, 9)) end,
      } do
        assert.is_false(pcall(f))
      end
      collectgarbage()
      collectgarbage()
    end
    fail_everywhere()
    local live = core.memory().live_bytes
    for _ = 1, 10 do
      fail_everywhere()
    end
    assert.equal(live, core.memory().live_bytes)
  end)
  it("more than the machine has is an error", function()
    assert.has_error(function() core.zeros { 1 << 30, 1 << 20 } end)
  end)
end)
