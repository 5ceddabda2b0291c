-- season_spec.lua - series:season(): known seasons are found, and cycles and noise are none.
-- SPDX-License-Identifier: MIT
local support = require "tests.lua.support"
local rondo = require "rondo"

local from_csv = rondo.data.Series.from_csv
local folder

setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

-- Noise in -0.5..0.5, the same everywhere: a linear congruential generator's high bits.
local generator = { state = 1 }
local function noise()
  generator.state = (generator.state * 6364136223846793005 + 1442695040888963407) & 0x7fffffffffffffff
  return (generator.state >> 33) / (1 << 30) - 0.5
end

before_each(function() generator.state = 1 end)

local function write(n, f)
  local lines = { "time,v" }
  for i = 1, n do lines[i + 1] = ("%s,%.6f"):format(f(i)) end
  return assert(from_csv(support.write(folder .. "/s.csv", table.concat(lines, "\n") .. "\n"), { time = "time" }))
end

local function hour(i) return os.date("!%Y-%m-%d %H:%M", (i - 1) * 3600) end

describe("a season", function()
  it("of a year of months is found in a training part", function()
    for _, name in ipairs { "nottem", "airline", "co2" } do
      local train = assert(from_csv(("datasets/%s.csv"):format(name))):split { 0.66, 0.34 }
      assert.equal(12, train:season(), name)
    end
  end)
  it("is none where a cycle has no fixed length", function()
    local found, why = assert(from_csv "datasets/sunspots.csv"):season()
    assert.is_nil(found)
    assert.equal("'sunspots' has no season: rows 12 apart are no more alike than others", why)
  end)
  it("of a day is found in hours, beside trend and noise", function()
    local s = write(24 * 30, function(i)
      return hour(i), 10 + i / 50 + 3 * math.sin(2 * math.pi * i / 24) + 3 * noise()
    end)
    assert.equal(24, s:season "v")
  end)
  it("of a week is found where days differ", function()
    local s = write(24 * 7 * 8, function(i)
      local day = (i - 1) // 24 % 7
      return hour(i), (day < 5 and 10 or 2) * (1 + math.sin(2 * math.pi * i / 24)) + noise()
    end)
    assert.equal(168, s:season())
    s = write(200, function(i) return os.date("!%Y-%m-%d", i * 86400), i % 7 == 0 and 5 or noise() end)
    assert.equal(7, s:season())
  end)
  it("is found without dates too, and in years with a fraction", function()
    local s = write(120, function(i) return i, ({ 3, 9, 4, 1, 6 })[i % 5 + 1] + noise() end)
    assert.equal(5, s:season "v")
    local years = support.write(folder .. "/y.csv", "t,v\n" .. ("x"):rep(0))
    local lines = { "t,v" }
    for i = 0, 95 do lines[#lines + 1] = ("%.4f,%.3f"):format(1949 + i / 12, math.sin(math.pi * i / 6)) end
    support.write(years, table.concat(lines, "\n"))
    assert.equal(12, assert(from_csv(years, { time = "t" })):season())
  end)
  it("is of the part alone", function()
    local season = function(i) return 5 * math.sin(2 * math.pi * i / 24) end
    local s = write(1200, function(i) return hour(i), i <= 600 and season(i) + noise() or noise() end)
    local a, b = s:split { 600, 600 }
    assert.same({ 24, nil }, { a:season "v", (b:season "v") })
  end)
  it("is none in noise, in a trend or where it is seen too seldom", function()
    local function why(s) return select(2, s:season "v") end
    assert.equal("'v' has no season: rows 24 or 168 apart are no more alike than others",
      why(write(800, function(i) return hour(i), noise() end)))
    assert.equal("'v' has no season: rows any number apart are no more alike than others",
      why(write(300, function(i) return i, i / 3 + noise() end)))
    assert.equal("'v' has no season that 60 rows show: one of 24 rows must be seen 3 times",
      why(write(60, function(i) return hour(i), i % 24 end)))
    assert.equal("'v' has no season: its rows are too far apart for one of a day, a week or a year",
      why(write(40, function(i) return 1900 + i, noise() end)))
    assert.equal("no season is looked for in 'v': the steps from row to row are not alike",
      why(write(90, function(i) return os.date("!%Y-%m-%d", (i + i * i // 9) * 86400), i % 7 end)))
  end)
  it("is of a column that there is", function()
    local s = write(90, function(i) return hour(i), i % 24 end)
    assert.matches("season: there is no column 'w'; columns are v", support.failure(s.season, s, "w"), 1, true)
  end)
end)
