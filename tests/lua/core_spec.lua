-- core_spec.lua - rondo.core itself: opening, threads, plugins, cells, options, random streams.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
core.open {}

local function raises(expected, f, ...)
  local ok, text = pcall(f, ...)
  assert.is_false(ok)
  assert.matches(expected, text)
end

local function names_of(list)
  local names = {}
  for _, entry in ipairs(list) do
    names[entry.name or entry] = entry
  end
  return names
end

describe("the core", function()
  it("tells its version, numbers and place", function()
    assert.matches("^%d+%.%d+%.%d+$", core.VERSION)
    assert.equal("1.0", core.abi)
    assert.is_true(core.real == "float" or core.real == "double")
    assert.matches("/lib/rondo$", core.lib_dir())
    assert.equal("dir", core.stat(core.lib_dir()).kind)
  end)
  it("is opened once; later calls change the threads", function()
    local before = core.threads()
    core.open { threads = 1 }
    assert.equal(1, core.threads())
    core.open {}
    assert.equal(1, core.threads())
    assert.equal(2, core.threads(2))
    core.threads(before)
    raises("threads must be 0 %(one per CPU%) to 65535, got 100000", core.threads, 100000)
    raises("field 'threads' must be an integer", core.open, { threads = "two" })
  end)
  it("must be open", function()
    local script = [[local core = require "rondo.core"
      local ok, text = pcall(core.zeros, { 1 })
      os.exit(text == "the core is not open: call open {} first" and 7 or 1)]]
    local path = os.tmpname()
    assert(core.write_file(path, script))
    local _, how, code = os.execute("exec lua5.4 " .. path)
    os.remove(path)
    assert.equal("exit", how)
    assert.equal(7, code)
  end)
  it("knows the processor and the kernels", function()
    assert.is_true(core.cpu().threads >= 1)
    assert.equal("string", type(core.kernels()))
    local scalar = names_of(core.kernel_list()).scalar
    assert.equal("string", type(scalar.help))
  end)
  it("knows the nearest name", function()
    assert.equal("lstm", core.nearest("ltsm", { "gru", "lstm" }))
    assert.is_nil(core.nearest("elephant", { "gru", "lstm" }))
    raises("a list of strings expected", core.nearest, "x", { 1 })
  end)
end)

describe("plugins", function()
  it("are listed with what they bring", function()
    local lstm
    for _, plugin in ipairs(core.plugins()) do
      assert.equal("table", type(plugin.kernels))
      if plugin.cells[1] == "lstm" then lstm = plugin end
    end
    assert.is_nil(lstm.refusal)
    assert.matches("/lstm%.so$", lstm.path)
    assert.equal("MIT", lstm.license)
  end)
  it("that cannot be loaded are nil and a sentence", function()
    local none, text, code = core.load_plugin "/nowhere/x.so"
    assert.is_nil(none)
    assert.matches("/nowhere/x%.so", text)
    assert.equal("integer", math.type(code))
  end)
end)

describe("cells", function()
  it("tell their options", function()
    assert.is_truthy(names_of(core.cells()).gru)
    local cell = core.cell "vanilla"
    assert.equal("vanilla", cell.name)
    assert.is_true(cell.trainable)
    assert.equal("integer", math.type(cell.revision))
    local option = names_of(cell.options).activation
    assert.equal("choice", option.kind)
    assert.equal("tanh", option.def)
    assert.equal("tanh", option.choices[1])
  end)
  it("that are unknown are nil and the nearest name", function()
    local none, text = core.cell "lsmt"
    assert.is_nil(none)
    assert.matches("lstm", text)
  end)
end)

describe("random streams", function()
  local stream = { seed = 1, purpose = "user", update = 2 }
  it("give the same number for the same place", function()
    local u = core.uniform(stream, 3, 4)
    assert.is_true(u >= 0 and u < 1)
    assert.equal(u, core.uniform(stream, 3, 4))
    assert.not_equal(u, core.uniform(stream, 3, 5))
    assert.not_equal(u, core.uniform({ seed = 2, purpose = "user", update = 2 }, 3, 4))
    assert.equal(core.bits(stream, 0, 0) >> 8, core.uniform(stream, 0, 0) * (1 << 24) // 1 | 0)
    raises("a row must be 0..4294967295", core.uniform, stream, -1, 0)
    raises("an element must not be negative", core.bits, stream, 0, -1)
  end)
  it("shuffle 1..n without a table", function()
    local named = { seed = 1, purpose = "shuffle" }
    local order = core.permuted(1, 100, 100, named)
    assert.equal(100, #order)
    assert.same(table.move(order, 41, 60, 1, {}), core.permuted(41, 20, 100, named))
    assert.not_same(order, core.permuted(1, 100, 100, { seed = 2, purpose = "shuffle" }))
    table.sort(order)
    assert.equal(1, order[1])
    assert.equal(100, order[100])
    assert.same({}, core.permuted(1, 0, 0, {}))
    raises("places lie in 1..n", core.permuted, 100, 2, 100, {})
    raises("a number of places expected", core.permuted, 1, -1, 100, {})
  end)
  it("are tables of named counters", function()
    raises("table expected", core.uniform, 1, 0, 0)
    raises("field 'layer' must be an integer 0..16777215, got 16777216", core.uniform, { layer = 1 << 24 }, 0, 0)
    raises("field 'time' must be an integer 0..4294967295, got 1.5", core.uniform, { time = 1.5 }, 0, 0)
    raises("field 'purpose' must be a string, got 1", core.uniform, { purpose = 1 }, 0, 0)
  end)
  it("draw ids from logits", function()
    local logits = core.tensor { { 0, 9, 0 }, { 9, 0, 0 } }
    assert.same({ 2, 1 }, core.sample(logits, { temperature = 0 }, { purpose = "sample" }):table())
    local draw = { temperature = 2, top_k = 2, top_p = 0.9 }
    assert.same(core.sample(logits, draw, stream):table(), core.sample(logits, draw, stream):table())
    raises("field 'top_k' must be an integer", core.sample, logits, { top_k = -1 }, stream)
    raises("field 'temperature' must be a number, got hot", core.sample, logits, { temperature = "hot" }, stream)
  end)
end)
