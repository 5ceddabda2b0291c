-- windows_spec.lua - windows of a series: what is in them, and what is not.
--
-- Expected numbers are by hand, or from os.date and the scaler's own formula.
-- SPDX-License-Identifier: MIT
local support = require "tests.lua.support"
local errors = require "rondo.errors"
local native = require "rondo.native"
local rondo = require "rondo"

local from_csv = rondo.data.Series.from_csv
local folder

setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local function write(name, header, n, f)
  return support.write_rows(folder .. "/" .. name, header, n, f)
end

local function month(i) return ("%04d-%02d"):format(1949 + (i - 1) // 12, (i - 1) % 12 + 1) end

-- month, a = i, b = 10 i
local function plain(n, given)
  return assert(from_csv(write("plain.csv", "month,a,b", n, function(i) return month(i), i, 10 * i end), given))
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

describe("windows", function()
  it("have the rows up to their origin, and the truth behind it", function()
    local w = plain(10):windows { input = 3, horizon = 2, target = "a", batch_size = 4 }
    assert.same({ 2, 6, 2, 2 }, { #w, w.count, w.num_features, w.horizon })
    local x, y, how, weight = w:batch(1)
    assert.same({ 4, 3, 2 }, x:size())
    assert.equal("sequence", x.order)
    support.same(rondo.tensor { { 2.0, 20 }, { 3, 30 }, { 4, 40 } }, x:select(1, 2))
    support.same(rondo.tensor { { 4.0, 5 }, { 5, 6 }, { 6, 7 }, { 7, 8 } }, y)
    assert.same({}, { how, weight })
    x, y = w:batch(2)
    assert.same({ 2, 3, 2 }, x:size())
    support.same(rondo.tensor { { 8.0, 9 }, { 9, 10 } }, y)
    assert.equal("6 windows of 3 rows and 2 ahead in 2 batches of up to 4", tostring(w))
  end)
  it("of a later part look back, and never forward", function()
    local train, valid = plain(10):split { 6, 4 }
    local w = valid:windows { input = 3, horizon = 2, target = "a" }
    assert.equal(3, w.count)
    local x, y = w:batch(1)
    support.same(rondo.tensor { 4.0, 5, 6 }, x:select(1, 1):select(2, 1))
    support.same(rondo.tensor { { 7.0, 8 }, { 8, 9 }, { 9, 10 } }, y)
    y = select(2, train:windows { input = 3, horizon = 2, target = "a" }:batch(1))
    support.same(rondo.tensor { { 4.0, 5 }, { 5, 6 } }, y)
    local window = w:window(1, "a")
    assert.same({ "plain", "a", 6 }, { window.series, window.target, window.origin })
    assert.same({ 1.0, 2.0, 3.0, 4.0, 5.0, 6.0 }, history_of(window))
    assert.is_nil(window.history[7])
    assert.same({ 7.0, 8.0 }, window.truth)
    assert.same(plain(10):times(7, 8), window.times)
  end)
  it("have several targets, chosen inputs and a stride", function()
    local w = plain(10):windows { input = 2, horizon = 3, target = { "b", "a" }, past = {}, stride = 2 }
    assert.equal(3, w.count)
    local _, y = w:batch(1)
    assert.same({ 3, 3, 2 }, y:size())
    support.same(rondo.tensor { { 50.0, 5 }, { 60, 6 }, { 70, 7 } }, y:select(1, 2))
    w = plain(10):windows { input = 2, target = "b", past = {} }
    assert.same({ "b" }, w.features)
    assert.same({ 1 }, w.target_features)
    assert.same({ "b", "a" }, { w:window(1).target, plain(10):windows { input = 2, target = { "b", "a" } }:window(1,
      "a").target })
  end)
  it("come in an order of the epoch, and each alone", function()
    local w = plain(40):windows { input = 3, target = "a", batch_size = 5, shuffle = true }
    local function epoch(number)
      local seen, list = {}, {}
      for k = 1, #w do
        for _, row in ipairs(w:rows(k, number)) do
          seen[row], list[#list + 1] = true, row
        end
      end
      assert.equal(w.count, #seen)
      return list
    end
    rondo.manual_seed(3)
    local first, second = epoch(1), epoch(2)
    assert.not_same(first, second)
    assert.same(first, epoch(1))
    local x, y = w:batch(4, 2)
    local rows = w:rows(4, 2)
    for b = 1, 5 do
      support.same(rondo.tensor { rows[b] + 3.0 }, y:select(1, b))
      assert.equal(rows[b] + 2.0, x[{ b, 3, 1 }])
    end
    local n = 0
    for _, target, info in w do
      n = n + target:size(1)
      assert.equal(#info.rows, target:size(1))
    end
    assert.equal(w.count, n)
  end)
end)

describe("missing values in windows", function()
  -- a misses rows 3, 4 and 7.
  local function holes(rule)
    return assert(from_csv(write("holes.csv", "a,b", 9, function(i)
      return (i == 3 or i == 4 or i == 7) and "" or i * i, i
    end), { missing = rule }))
  end
  it("have weight 0 as targets", function()
    local _, y, _, weight = holes "previous":windows { input = 2, horizon = 2, target = "a" }:batch(1)
    support.same(rondo.tensor { { 0.0, 0 }, { 0, 25 }, { 25, 36 }, { 36, 0 }, { 0, 64 }, { 64, 81 } }, y)
    support.same(rondo.tensor { { 0.0, 0 }, { 0, 1 }, { 1, 1 }, { 1, 0 }, { 0, 1 }, { 1, 1 } }, weight)
  end)
  it("are filled from what came before, or from between what is seen at the origin", function()
    local function inputs(rule, i)
      return holes(rule):windows { input = 4, target = "a", past = {} }:batch(1):select(1, i)
    end
    support.same(rondo.tensor { { 1.0 }, { 4 }, { 4 }, { 4 } }, inputs("previous", 1))
    support.same(rondo.tensor { { 1.0 }, { 4 }, { 4 }, { 4 } }, inputs("interpolate", 1))
    support.same(rondo.tensor { { 4.0 }, { 11 }, { 18 }, { 25 } }, inputs("interpolate", 2))
    support.same(rondo.tensor { { 18.0 }, { 25 }, { 36 }, { 36 } }, inputs("interpolate", 4))
    local w = holes "interpolate":windows { input = 4, target = "a" }
    assert.equal("1 4 4 4", shown(history_of(w:window(1))))
    assert.equal("1 4 11 18 25 36", shown(history_of(w:window(3))))
    assert.equal("nan", shown(w:window(3).truth))
    assert.same({ a = 3, b = 0 }, w.filled)
  end)
  it("are told to the model where it is asked for", function()
    local w = holes "previous":windows { input = 3, target = "a", mask = true }
    assert.same({ "a", "b", "a missing", "b missing" }, w.features)
    support.same(rondo.tensor { { 1.0, 1, 0, 0 }, { 4, 2, 0, 0 }, { 4, 3, 1, 0 } }, w:batch(1):select(1, 1))
  end)
end)

describe("what is known ahead", function()
  it("stands at the step before", function()
    local w = plain(10):windows { input = 3, target = "a", known = { "b" } }
    assert.same({ "a", "b ahead" }, w.features)
    support.same(rondo.tensor { { 1.0, 20 }, { 2, 30 }, { 3, 40 } }, w:batch(1):select(1, 1))
  end)
  it("goes on behind the origin to the end of the horizon", function()
    local w = plain(10):windows { input = 2, horizon = 3, target = "a", known = { "b" } }
    local x = w:batch(1)
    assert.same({ 6, 4, 3 }, x:size())
    assert.same({ "a", "b ahead", "behind the origin" }, w.features)
    support.same(rondo.tensor { { 1.0, 20, 0 }, { 2, 30, 0 }, { 0, 40, 1 }, { 0, 50, 1 } }, x:select(1, 1))
  end)
  it("is the calendar, as os.date has it", function()
    local hours = { "1904-02-29 23:30", "1969-12-31 00:15", "1970-01-01 12:00", "1999-12-31 23:00", "2000-02-29 06:00",
      "2000-03-01 18:45", "2023-12-31 00:00", "2024-12-31 21:00", "2100-02-28 03:00", "2100-03-01 09:00" }
    local s = assert(from_csv(write("calendar.csv", "time,a", #hours, function(i) return hours[i], i end)))
    local w = s:windows { input = 1, target = "a", calendar = { "hour", "weekday", "month", "day_of_year" } }
    assert.equal(9, w.num_features)
    for i = 1, w.count do
      local d = os.date("!*t", math.tointeger(s:times(i + 1, i + 1)[1]))
      local days = os.date("!*t", os.time { year = d.year, month = 12, day = 31, hour = 12 }).yday
      local shares = { (d.hour + d.min / 60) / 24, (d.wday - 2) % 7 / 7, (d.month - 1) / 12, (d.yday - 1) / days }
      local x = w:of({ i }):table()[1][1]
      for k, share in ipairs(shares) do
        assert.near(math.sin(2 * math.pi * share), x[2 * k], 1e-6)
        assert.near(math.cos(2 * math.pi * share), x[2 * k + 1], 1e-6)
      end
    end
  end)
end)

describe("the future", function()
  it("is the window behind the last value", function()
    local w = plain(10):windows { input = 3, horizon = 4, target = "a", future = true, calendar = { "month" } }
    assert.equal(1, w.count)
    local window = w:window(1)
    assert.equal("nan nan nan nan", shown(window.truth))
    assert.same({ 10, 10 }, { window.origin, #window.history })
    assert.same(plain(14):times(11, 14), window.times)
    local x, _, _, weight = w:batch(1)
    assert.equal(0.0, weight:sum():item())
    local known = plain(14):windows { input = 3, horizon = 4, target = "a", calendar = { "month" } }:of { 8 }
    support.same(known, x)
  end)
  it("goes on by months of any length, days and seconds", function()
    local function times(rows)
      local s = assert(from_csv(write("steps.csv", "time,a", #rows, function(i) return rows[i], i end)))
      local list = s:windows { input = 1, horizon = 3, future = true }:window(1).times
      for i, time in ipairs(list) do
        list[i] = os.date("!%Y-%m-%d %H:%M", math.tointeger(time))
      end
      return table.concat(list, ", ")
    end
    assert.equal("2024-02-29 00:00, 2024-03-31 00:00, 2024-04-30 00:00", times { "2023-12-31", "2024-01-31" })
    assert.equal("2023-04-01 00:00, 2023-07-01 00:00, 2023-10-01 00:00", times { "2022Q4", "2023Q1" })
    assert.equal("2024-02-29 22:00, 2024-02-29 23:00, 2024-03-01 00:00", times { "2024-02-29 20:00",
      "2024-02-29 21:00" })
  end)
  it("begins where the target ends, and has what is known ahead", function()
    local s = assert(from_csv(write("ahead.csv", "a,b", 8, function(i) return i > 5 and "" or i, i end),
      { missing = "previous" }))
    local w = s:windows { input = 2, horizon = 3, target = "a", known = { "b" }, future = true }
    local x = w:batch(1)
    assert.equal(5, w:window(1).origin)
    support.same(rondo.tensor { { 4.0, 5, 0 }, { 5, 6, 0 }, { 0, 7, 1 }, { 0, 8, 1 } }, x:select(1, 1))
    w = s:windows { input = 2, horizon = 4, target = "a", known = { "b" }, future = true }
    assert.matches("column 'b' is known ahead, and the horizon ends at row 9; it has 8 rows",
      support.failure(w.batch, w, 1), 1, true)
  end)
end)

describe("a scaler in windows", function()
  it("brings x and y to its scale, and values back", function()
    local train, valid = plain(20):split { 12, 8 }
    local scaler = rondo.data.StandardScaler():fit(train)
    local w = valid:windows { input = 3, horizon = 2, target = "b", scaler = scaler }
    local x, y = w:batch(1)
    assert.is_true(x:select(1, 1):allclose(scaler:transform(valid:slice(1, 1):windows { input = 3, target = "b" }
      :batch(1):select(1, 1)), { rtol = 1e-6, atol = 1e-6 }))
    local window = w:window(1)
    local back = w:unscale("b", y:select(1, 1):table(), window)
    for h = 1, 2 do
      assert.near(window.truth[h], back[h], 1e-4)
    end
  end)
  it("that has seen what is to be forecast is told", function()
    local notice
    errors.on_notice = function(message) notice = message end
    local s = plain(20)
    local _, valid = s:split { 12, 8 }
    valid:windows { input = 3, target = "a", scaler = rondo.data.StandardScaler():fit(s) }
    errors.on_notice = nil
    assert.matches("the scaler was fitted on rows 1..20, and this part begins at row 13", notice, 1, true)
  end)
end)

describe("the digest of windows", function()
  it("is of the columns and rows that they are made of", function()
    local function digest(given, row, column)
      local series = assert(from_csv(write("digest.csv", "month,a,b,c", 20, function(i)
        local values = { month(row == "later" and i + 1 or i), i, 10 * i, 3 }
        if i == row then
          values[column] = 99
        end
        return table.unpack(values)
      end)))
      local how = { input = 3, target = "a", past = {} }
      for key, value in pairs(given) do
        how[key] = value
      end
      return series:split { 15, 5 }:windows(how):digest()
    end
    local plainly = digest {}
    assert.equal(plainly, digest {})
    assert.not_equal(plainly, digest({}, 15, 2))
    assert.equal(plainly, digest({}, 16, 2))
    assert.equal(plainly, digest({}, 5, 3))
    assert.equal(plainly, digest({}, "later"))
    for column, given in pairs { [3] = { known = { "b" } }, [4] = { past = { "c" } } } do
      assert.not_equal(digest(given), digest(given, 5, column))
    end
    assert.not_equal(digest { static = { "c" } }, digest({ static = { "c" } }, 1, 4))
    assert.not_equal(digest { calendar = { "month" } }, digest({ calendar = { "month" } }, "later"))
  end)
end)

describe("a Trainer on windows", function()
  local function fit(run_dir, epochs, resume, series)
    rondo.manual_seed(7)
    local train, valid = (series or plain(60)):split { 45, 15 }
    local scaler = rondo.data.StandardScaler():fit(train)
    local function windows(part, shuffle)
      return part:windows { input = 6, horizon = 2, target = "a", scaler = scaler, batch_size = 8, shuffle = shuffle }
    end
    local model = rondo.Sequential { rondo.GRU { input_size = 2, hidden_size = 5, return_sequences = false },
      rondo.Linear { 2 } }
    local trainer = rondo.Trainer { model = model, loss = rondo.HuberLoss(), optimizer = rondo.optim.Adam { lr = 1e-2 },
      epochs = epochs, save_every = 3, run_dir = folder .. "/" .. run_dir, resume = resume, quiet = true }
    return trainer:fit(windows(train, true), windows(valid))
  end
  it("learns, and goes on as if it had not been stopped", function()
    local whole = fit("whole", 3)
    assert.is_true(whole.history.valid.loss[3] < whole.history.valid.loss[1])
    fit("parts", 1)
    fit("parts", 3, true)
    local a, b = rondo.load(folder .. "/whole"), rondo.load(folder .. "/parts")
    assert.same(a.digests, b.digests)
    local c = a.config.series
    assert.same({ "a", 6, 2, "error", "StandardScaler" }, { c.targets[1], c.input, c.horizon, c.missing,
      c.scaler.kind })
    local there = plain(70):windows_like(c, { future = true })
    assert.same({ 6, 2, 1, { "a" }, { "a", "b" } }, { there.input_size, there.horizon, there.count, there.targets,
      there.features })
    local train = plain(60):split { 45, 15 }
    local scaler = rondo.data.StandardScaler():fit(train)
    support.same((plain(70):windows { input = 6, horizon = 2, target = "a", scaler = scaler, future = true }:batch(1)),
      (there:batch(1)))
    local changed = assert(from_csv(write("changed.csv", "month,a,b", 60, function(i)
      return month(i), i == 7 and 8 or i == 8 and 7 or i, 10 * i -- neither mean nor deviation tells
    end)))
    assert.matches("was made with other data, whose digest is %x+, of these %x+; ",
      tostring(support.failure(fit, "parts", 4, true, changed)))
    c.scaler.shared = nil
    assert.matches("windows_like: what the checkpoint says of its scaler is none", support.failure(there.series
      .windows_like, there.series, c), 1, true)
  end)
end)

describe("columns in a file without a name", function()
  it("hold what they are given", function()
    local c = assert(native.numbers(3000, 2, { folder = folder, most_bytes = 0 }))
    c:set(2, 2999, { 1.5, 0 / 0 })
    assert.equal("0 1.5 nan", shown(c:numbers(2, 2998, 3)))
    assert.same({ 1, 1, 2999 }, { c:missing(2, 1, 3000) })
    assert.same({}, require("rondo.core").listdir(folder .. "/none") or {})
  end)
  it("that has no room is refused", function()
    local _, message = native.numbers(3000, 2, { folder = folder .. "/none", most_bytes = 0 })
    assert.equal("cannot keep 48.0 kB of columns in '" .. folder .. "/none': No such file or directory; set TMPDIR to "
      .. "a folder that has room", message)
  end)
end)

describe("windows say", function()
  local function says(text, given, s)
    assert.matches(text, support.failure(s or plain(10).windows, plain(10), given), 1, true)
  end
  it("what is wrong with an option", function()
    says("windows: option 'input' is required", {})
    says("windows: option 'target' is required where there are several columns: a, b", { input = 2 })
    says("windows: option 'target': there is no column 'c'; columns are a, b", { input = 2, target = "c" })
    says("windows: option 'target' must be a name or a list of names, got a number", { input = 2, target = { 1 } })
    says("windows: option 'target' must be a name or a list of at least one, got an empty list", { input = 2,
      target = {} })
    says("windows: column 'a' is named as target and as known; it is one of them", { input = 2, target = "a",
      known = { "a" } })
    says("windows: option 'calendar': there is no 'hours' (did you mean 'hour'?)", { input = 2, target = "a",
      calendar = { "hours" } })
    says("windows: option 'scaler' must be like rondo.data.StandardScaler():fit(train), got a number", { input = 2,
      target = "a", scaler = 1 })
    says("windows: no window has room in rows 1..10: it needs 10 rows before its origin and 1 behind it", { input = 10,
      target = "a" })
    says("StandardScaler: fit it on the training part first", { input = 2, target = "a",
      scaler = rondo.data.StandardScaler() })
    local s = assert(from_csv(write("numbers.csv", "a", 9, function(i) return i end)))
    assert.matches("option 'calendar' needs a column of dates, and the series has no column of times",
      support.failure(s.windows, s, { input = 2, calendar = { "hour" } }), 1, true)
  end)
  it("what is wrong with a call", function()
    local w = plain(10):windows { input = 2, target = "a" }
    assert.matches("windows: there is no window 9; there are 8", support.failure(w.window, w, 9), 1, true)
    assert.matches("windows: 'b' is no target; targets are a", support.failure(w.window, w, 1, "b"), 1, true)
    assert.matches("windows: unscale needs the window that the values are of, windows:window(i), got a nil",
      support.failure(w.unscale, w, "a", { 1 }), 1, true)
    assert.matches("a window's history cannot be written to", support.failure(function()
      w:window(1).history[9] = 1
    end), 1, true)
  end)
end)
