-- leaks_spec.lua - whatever comes behind an origin, all that a forecast there could be made of has the same bits.
--
-- Rows behind the origin are replaced by others: huge, missing, zero, at other times. Compared are inputs, histories
-- that baselines are given, numbers of scalers, what they take back, and the season that is found.
-- SPDX-License-Identifier: MIT
local support = require "tests.lua.support"
local json = require "rondo.json"
local rondo = require "rondo"

local from_csv = rondo.data.Series.from_csv
local folder

setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local function write(name, header, n, f)
  return support.write_rows(folder .. "/" .. name, header, n, f)
end

local function history_of(window)
  return table.move(window.history, 1, #window.history, 1, {})
end

-- NaN is not equal to itself.
local function shown(list)
  local parts = {}
  for i, value in ipairs(list) do
    parts[i] = value == value and ("%.14g"):format(value) or "nan"
  end
  return table.concat(parts, " ")
end

-- Scalers of all kinds, each for both columns (values are above -2).
local function scalers()
  local data = rondo.data
  return { data.StandardScaler(), data.RobustScaler(), data.MinMaxScaler(), data.MeanScaler(),
    data.ChainScaler { data.LogScaler { offset = 3 }, data.DifferenceScaler { lag = 5 }, data.StandardScaler() },
    data.ChainScaler { data.BoxCoxScaler { offset = 3 }, data.RobustScaler() } }
end

-- Everything that a forecast at an origin could be made of, as one string of bits. calendar: the future has its days.
local function all_of(s, cut, origin, calendar)
  local train, test = s:split { cut, #s - cut }
  local parts = { tostring(train:season "a") }
  local function add_window(w, i)
    local window = w:window(i, "a")
    parts[#parts + 1] = shown(history_of(window)) .. shown(history_of(w:window(i, "b")))
    for _, row in ipairs(w:of({ i }):table()[1]) do
      for _, value in ipairs(row) do
        parts[#parts + 1] = ("%a"):format(value)
      end
    end
    parts[#parts + 1] = shown(w:unscale("a", { 0.5, 0.25, 0.125 }, window))
  end
  for _, scaler in ipairs(scalers()) do
    scaler:fit(train)
    parts[#parts + 1] = json.encode(scaler:describe())
    for _, part in ipairs { train, test } do
      local w = part:windows { input = 9, horizon = 3, target = { "a", "b" }, scaler = scaler, mask = true,
        calendar = calendar and { "weekday", "month" } or nil }
      for i = 1, w.count do
        if w:window(i).origin <= origin then
          add_window(w, i)
        end
      end
    end
  end
  return table.concat(parts, "\n")
end

describe("nothing leaks", function()
  -- Values of a and b, with holes, up to the origin; behind it others, other holes and other times.
  local function file(name, origin, future)
    return write(name, "time,a,b", 90, function(i)
      local day = os.date("!%Y-%m-%d", (i - 1 + (i > origin and future.days or 0)) * 86400)
      local a, b = (i * i) % 17 + i / 7, i % 5 > 2 and "" or i % 11
      if i > origin then
        a, b = future.a(i), future.b(i)
      end
      return day, i % 7 == 4 and "" or a, b
    end)
  end
  local none = function() return "" end
  local huge = function(i) return 1e9 * i end
  local futures = { { days = 3, a = huge, b = huge }, { days = 0, a = none, b = huge },
    { days = 7, a = huge, b = none }, { days = 0, a = function() return 0 end, b = function(i) return i % 3 - 1 end } }
  for _, rule in ipairs { "previous", "interpolate" } do
    it("from behind the origin, by rule " .. rule, function()
      for _, origin in ipairs { 60, 66, 75 } do -- the training part has 60
        local expected
        for k, future in ipairs(futures) do
          local s = assert(from_csv(file("leak.csv", origin, future), { missing = rule }))
          local found = all_of(s, 60, origin, false)
          expected = expected or found
          assert.is_true(expected == found, ("origin %d, future %d"):format(origin, k))
        end
      end
      local with_calendar = {}
      for k = 1, 2 do -- of futures on the same days, the calendar is known
        local s = assert(from_csv(file("leak.csv", 64, futures[2 * k]), { missing = rule }))
        with_calendar[k] = all_of(s, 60, 64, true)
      end
      assert.is_true(with_calendar[1] == with_calendar[2])
    end)
  end
  it("where the training part is followed by a value that has no logarithm", function()
    local s = assert(from_csv(write("zero.csv", "a", 30, function(i) return i > 20 and -1 or i end)))
    local train = s:split { 20, 10 }
    local w = train:windows { input = 3, scaler = rondo.data.LogScaler():fit(train) }
    assert.equal(17, w.count)
    assert.equal(17, w:batch(1):size(1))
  end)
end)
