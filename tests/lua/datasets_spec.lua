-- datasets_spec.lua - the series that come with Rondo: found by name without a network, and as R has them.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

-- Of each: rows, columns, unit and step of time, and sums of the columns, by sum(AirPassengers) and so on in R.
local sets = {
  airline = { rows = 144, columns = "passengers", time = "month 1 months", sums = { 40363 } },
  sunspots = { rows = 2820, columns = "sunspots", time = "month 1 months", sums = { 144570.0 } },
  nottem = { rows = 240, columns = "temperature", time = "month 1 months", sums = { 11769.5 } },
  co2 = { rows = 468, columns = "co2", time = "month 1 months", sums = { 157741.05 } },
  lynx = { rows = 114, columns = "trapped", sums = { 175334 } },
  eustockmarkets = { rows = 1860, columns = "DAX SMI CAC FTSE", sums = { 4707021.8, 6279776.1, 4143761.0, 6632096.3 } },
}

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

describe("the series that come with Rondo", function()
  it("are found by name, without a download", function()
    for name in pairs(sets) do
      local out, err, code = support.rondo(folder, "data get " .. name, "env -u HOME -u XDG_CACHE_HOME RONDO_DATA=")
      assert.equal(0, code, err)
      assert.matches("/datasets/" .. name .. "%.csv\n$", out)
    end
  end)
  it("are as R has them", function()
    for name, expected in pairs(sets) do
      local columns = name == "lynx" and { "trapped" } or name == "eustockmarkets" and { "DAX", "SMI", "CAC", "FTSE" }
        or nil
      local s = assert(rondo.data.Series.from_csv(assert(rondo.data.get(name)), { columns = columns }))
      local summary = s:summary()
      assert.equal(expected.rows, #s, name)
      assert.equal(expected.columns, table.concat(s.columns, " "), name)
      assert.equal(expected.time, summary.time and ("%s %d %s"):format(summary.time, summary.step, summary.unit), name)
      for i, column in ipairs(s.columns) do
        local sum = 0.0
        for _, value in ipairs(s:values(column):table()) do sum = sum + value end
        assert.is_true(math.abs(sum / expected.sums[i] - 1) < 1e-7, ("%s %s: %.9g"):format(name, column, sum))
      end
    end
  end)
  it("are made again by the script, byte for byte", function()
    if not core.run { "Rscript", "--version" } then
      return pending "Rscript is not there (package r-base-core)"
    end
    local result = assert(core.run { "Rscript", "scripts/make_datasets.R", folder })
    assert.equal("", result.stderr)
    for name in pairs(sets) do
      assert.equal(support.read(("datasets/%s.csv"):format(name)), support.read(("%s/%s.csv"):format(folder, name)))
    end
  end)
end)

describe("a catalog", function()
  it("names bundled files without a folder", function()
    local none, message = require("rondo.data.catalog").read(support.write(folder .. "/bad.lua", [[
      return { { name = "x", what = "w", licence = "l", source = "s", files = { { path = "a/b.csv", bytes = 1,
        bundled = "../b.csv", sha256 = "]] .. ("0"):rep(64) .. [[" } } } }]]))
    assert.is_nil(none)
    assert.matches("file 1: bundled must be the name of a file in Rondo's folder of data sets", message)
  end)
end)
