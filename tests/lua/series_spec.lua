-- series_spec.lua - rondo.data.Series: what awkward CSV files hold, or why they are refused; splits, missing values.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local errors = require "rondo.errors"
local support = dofile "tests/lua/support.lua"

local from_csv = rondo.data.Series.from_csv
local HERE = "tests/lua/csv/"

local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

-- Columns, their rows, and of the time: name, step, unit. Numbers are those that a float holds exactly.
local ab = { columns = "a b", rows = { { 1, 2 }, { 3, 4 } } }
local function days(time, rows) return { columns = "a", rows = rows or { { 1 }, { 2 }, { 3 } }, time = time } end

local read = {
  { "plain.csv", ab }, { "crlf.csv", ab }, { "no_last_newline.csv", ab }, { "bom.csv", ab }, { "bom_quoted.csv", ab },
  { "tab.csv", ab }, { "pipe.csv", ab }, { "quoted_numbers.csv", ab }, { "comments.csv", ab },
  { "empty_lines.csv", ab },
  { "trailing_separators.csv", ab, unread = "3" }, { "trailing_in_rows.csv", ab }, { "blanks.csv", ab },
  { "row_names.csv", ab, unread = "1" },
  { "semicolon_comma.csv", { columns = "a b", rows = { { 1.5, 2 }, { 3.25, 4 } } } },
  { "quoted_comma_decimals.csv", { columns = "a b", rows = { { 1.5, 2 }, { 3.25, 4 } } } },
  { "quotes_over_lines.csv", { columns = "a", rows = { { 1 }, { 2 } } }, unread = "note" },
  { "separator_in_name.csv", { columns = "a, in m b", rows = ab.rows } },
  { "no_header.csv", { columns = "1 2", rows = ab.rows } },
  { "plain.csv", { columns = "b", rows = { { 2 }, { 4 } } }, { columns = { 2 } }, unread = "a" },
  { "plain.csv", { columns = "a b", rows = { { 3, 4 } } }, { skip = 1 } },
  { "plain.csv", { columns = "b", rows = { { 2 }, { 4 } } }, { time = "a" }, time = "a 2 number" },
  { "pipe.csv", ab, { separator = "|" } },
  { "one_column.csv", { columns = "a", rows = { { 1 }, { 3 } } } },
  { "one_row.csv", { columns = "a b", rows = { { 1, 2 } } } },
  { "text_columns.csv", { columns = "a", rows = { { 1 }, { 3 } } }, unread = "city remark" },
  { "units.csv", { columns = "a", rows = { { 1 }, { 2 } } }, unread = "b" },
  { "latin1.csv", { columns = "a", rows = { { 1 }, { 3 } } }, unread = "Stra\xDFe" },
  { "empty_column.csv", { columns = "a", rows = { { 1 }, { 3 } } }, unread = "b" },
  { "exponents.csv", { columns = "a", rows = { { 1000 }, { -0.0025 }, { 0.5 }, { 4 }, { 0.1 },
    { 123456789012345678901234567890 }, { 0 } } } },
  { "thousands.csv", { columns = "a b", rows = { { 1234567.5, 1 }, { 12000, 2 }, { 999, 3 } } }, { thousands = "," } },
  { "thousands_dot.csv", { columns = "a b", rows = { { 1234567.5, 1 }, { 12000, 2 }, { 999, 3 } } },
    { thousands = "." } },
  { "groups_or_decimals.csv", { columns = "a b", rows = { { 1.234, 1 }, { 2.345, 2 } } }, { decimal = "," } },
  { "groups_or_decimals.csv", { columns = "a b", rows = { { 1234, 1 }, { 2345, 2 } } }, { thousands = "," } },
  { "missing_words.csv", { columns = "a", rows = { { 1 }, { 1 }, { 1 }, { 1 }, { 1 }, { 1 }, { 1 }, { 1 }, { 2 } } },
    { missing = "previous" } },
  { "minus_999.csv", { columns = "a b", rows = { { 1, 5 }, { 2, 6 }, { 3, 7 } } },
    { missing = "interpolate", missing_values = { "-999" } } },
  { "missing_first.csv", { columns = "a b", rows = { { 5, 6 }, { 7, 8 } } }, { skip = 2, missing = "previous" } },
  { "numbers_and_names.csv", { columns = "a 1950", rows = ab.rows }, { header = true } },
  { "months.csv", days "month 1 months" },
  { "quarters.csv", days("quarter 3 months", { { 1 }, { 2 }, { 3 }, { 4 } }) },
  { "years.csv", days "year 12 months", { time = "year" } },
  { "years.csv", { columns = "year a", rows = { { 1949, 1 }, { 1950, 2 }, { 1951, 3 } } } },
  { "dots.csv", { columns = "Wert", rows = { { 1.5 }, { 2.5 }, { 3.5 } }, time = "Datum 86400 seconds" } },
  { "month_first.csv", days "date 86400 seconds" }, { "day_first.csv", days "date 86400 seconds" },
  { "compact.csv", days "date 86400 seconds" }, { "month_ends.csv", days "date 1 months" },
  { "clocks.csv", days "time 3600 seconds" }, { "zones.csv", days "time 3600 seconds" },
  { "half_days.csv", days "time 3600 seconds" }, { "index.csv", days "t 1 number", { time = "t" } },
  { "day_or_month.csv", days("date 1 months", { { 1 }, { 2 } }), { dates = "dmy" } },
  { "day_or_month.csv", days("date 86400 seconds", { { 1 }, { 2 } }), { dates = "mdy" } },
}

local refused = {
  { "empty.csv", "there are no rows in it" }, { "only_bom.csv", "there are no rows in it" },
  { "only_newlines.csv", "there are no rows in it" }, { "only_comments.csv", "there are no rows in it" },
  { "only_header.csv", "there are no rows in it behind the names of its columns" },
  { "one_row.csv", "there are no rows in it behind the names of its columns", { skip = 1 } },
  { "utf16.csv", "the file is UTF-16; make it UTF-8 first: iconv -f UTF-16 -t UTF-8 OLD > NEW" },
  { "utf16_no_mark.csv", "the file is UTF-16 without its mark, or binary; a CSV is text of bytes, as UTF-8" },
  { "binary.csv", "the file is binary: it has bytes that are 0; a CSV is text of bytes, as UTF-8" },
  { "gzip.csv", "the file is compressed; unpack it first: gunzip" },
  { "spreadsheet.csv", "the file is an archive, as spreadsheets are; save its sheet as CSV" },
  { "old_mac.csv", "its lines end with a carriage return alone; make that a line feed: tr '\\r' '\\n' < OLD > NEW" },
  { "short_row.csv", "line 3 has 2 columns, expected 3 as in line 1" },
  { "long_row.csv", "line 3 has 3 columns, expected 2 as in line 1; a cell that holds the separator stands in quotes" },
  { "unquoted_comma_decimals.csv",
    "line 2 has 3 columns, expected 2 as in line 1; a cell that holds the separator stands in quotes" },
  { "open_quote.csv", "line 2, column 2: the quote that begins this cell is not closed" },
  { "behind_quote.csv", "line 2, column 2: something follows the closing quote" },
  { "one_unit.csv", "line 4, column 2 (b): '12 km' is not a number; numbers are as -12.5 or 1.5e-3, missing ones "
    .. "empty, NA, NaN, null, ? or -" },
  { "units.csv", "line 2, column 2 (b): '3 km' is not a number; numbers are as -12.5 or 1.5e-3, missing ones empty "
    .. "or as given", { columns = { "b" }, missing_values = { "x" } } },
  { "hexadecimal.csv", "line 2, column 2 (b): '0x10' is not a number; numbers are as -12.5 or 1.5e-3, missing ones "
    .. "empty, NA, NaN, null, ? or -" },
  { "underscores.csv", "line 3, column 2 (b): '1_000' is not a number; numbers are as -12.5 or 1.5e-3, missing ones "
    .. "empty, NA, NaN, null, ? or -" },
  { "infinity.csv", "line 4, column 1 (a): 'inf' is not a number; numbers are as -12.5 or 1.5e-3, missing ones empty, "
    .. "NA, NaN, null, ? or -" },
  { "too_large.csv", rondo.features().real == "float" and
    "line 3, column 1 (a): '1e400' is too large for a number; the largest is 10^38" or
    "line 3, column 1 (a): '1e400' is too large for a number; the largest is 10^308" },
  { "groups_or_decimals.csv", "line 2, column 1 (a): '1,234' can be read in two ways; if ',' is the decimal sign, give "
    .. 'decimal = ",", if it parts thousands, thousands = ","' },
  { "thousands.csv", "line 2, column 1 (a): '1,234,567.5' has ',' between thousands; give thousands = \",\"" },
  { "thousands_dot.csv", "line 2, column 1 (a): '1.234.567,5' has ',' as the decimal sign, others '.'; give decimal = "
    .. '"," (and thousands, if there are any)', { decimal = "." } },
  { "given_groups_wrong.csv", "line 3, column 1 (a): '12,34' has ',' as the decimal sign, others '.'; give decimal = "
    .. '"," (and thousands, if there are any)', { thousands = "," } },
  { "thousands.csv", "',' cannot be both the decimal sign and what parts thousands",
    { thousands = ",", decimal = "," } },
  { "missing_one.csv", "line 3, column 2 (b): '' is missing; give missing = \"previous\" or \"interpolate\", or leave "
    .. "the column out" },
  { "missing_first.csv", "line 4, column 2 (b): '6' is the first value of its column: missing ones before it have "
    .. "nothing to take theirs from; give skip = 2 to begin here", { missing = "previous" } },
  { "empty_column.csv", "column 2 has no value in all its 2 rows; leave it out",
    { columns = { "a", "b" }, missing = "previous" } },
  { "day_or_month.csv", "line 2, column 1 (date): '3/4/2020' can be read with the day or the month first; give dates = "
    .. '"dmy" or "mdy"' },
  { "short_year.csv", "line 2, column 1 (date): '30.12.20' has a year without four digits" },
  { "no_such_day.csv", "line 4, column 1 (date): '2021-02-29' is no day of the calendar" },
  { "no_such_clock.csv", "line 3, column 1 (time): '2020-01-01 24:10' has no time of day behind its date; clocks are "
    .. "12:00, 12:00:30.5, 1:00 pm, 12:00Z or 12:00+01:00" },
  { "text_columns.csv", "line 2, column 1 (city): 'York' is not a date or time; forms are 1949-01-31, 1949-01, 1949, "
    .. "1949Q1, 19490131, 31.1.1949, 1/31/1949, each day also with a clock, as 12:00, 12:00:30.5Z", { time = "city" } },
  { "newest_first.csv", "line 3, column 1 (date): '2020-01-01' does not come after the row before it; rows go forward "
    .. "in time, each with its own" },
  { "same_time.csv", "line 3, column 1 (date): '2020-01-01' does not come after the row before it; rows go forward "
    .. "in time, each with its own" },
  { "missing_time.csv", "line 3, column 1 (date): '' is missing; each row has its time" },
  { "same_names.csv", "columns 1 and 2 are both called 'a'; give them names of their own" },
  { "numbers_and_names.csv", "the first row holds numbers, and words above numbers; give header = true if it has the "
    .. "names of the columns, header = false if it is one of values" },
  { "only_text.csv", "no column holds numbers; columns are a, b" },
  { "plain.csv", "there is no column 'c'; columns are a, b", { columns = { "c" } } },
  { "changes_to_dates.csv", "line 4, column 1 (t): '2020-01-01' is not a number, as the first time is",
    { time = "t" } },
  { "months.csv", "there is no column 'zzzzzzzz'; columns are month, a", { time = "zzzzzzzz" } },
  { "months.csv", "column 'month' is the time; it cannot be one of the columns of values", { columns = { "month" } } },
}

local function shown_time(s)
  return s.time and ("%s %.14g %s"):format(s.time, s.step, s.unit)
end

describe("a CSV file", function()
  it("is read as what it holds", function()
    for _, case in ipairs(read) do
      local name, expected, given = case[1], case[2], case[3]
      local s, message = from_csv(HERE .. name, given)
      assert.is_truthy(s, message)
      assert.equal(expected.columns, table.concat(s.columns, " "), name)
      support.same(rondo.tensor(expected.rows), s:values(), name)
      local summary = s:summary()
      assert.equal(case.time or expected.time, shown_time(summary), name)
      assert.equal(case.unread or "", table.concat(summary.unread, " "), name)
    end
  end)
  it("that cannot be read is refused by file, line and column", function()
    for _, case in ipairs(refused) do
      local path = HERE .. case[1]
      local s, message, code = from_csv(path, case[3])
      assert.is_nil(s, case[1])
      assert.equal(path .. ": " .. case[2], message)
      assert.equal(errors.DATA, code)
    end
  end)
  it("has times or none as the option says", function()
    local s = assert(from_csv(HERE .. "months.csv", { time = false }))
    assert.is_nil(s:summary().time)
    assert.same({ "month" }, s:summary().unread)
  end)
  it("there are at least forty of, each of them tried", function()
    local tried, n = {}, 0
    for _, list in ipairs { read, refused } do
      for _, case in ipairs(list) do tried[case[1]] = true end
    end
    for _, name in ipairs(require("rondo.core").listdir(HERE)) do
      assert.is_true(tried[name] or name == "irregular.csv", name) -- that one has a test of its own
      n = n + 1
    end
    assert.is_true(n >= 40)
  end)
  it("that is missing, or a folder, is named", function()
    local _, message = from_csv(folder .. "/none.csv")
    assert.equal("cannot read '" .. folder .. "/none.csv': No such file or directory", message)
    _, message = from_csv(folder)
    assert.equal("cannot read '" .. folder .. "': it is a folder", message)
  end)
  it("cut off at any byte is read or refused", function()
    for _, name in ipairs { "quotes_over_lines.csv", "thousands_dot.csv", "clocks.csv", "utf16.csv", "crlf.csv",
      "missing_words.csv", "comments.csv" } do
      local text = support.read(HERE .. name)
      for n = 0, #text do
        local path = support.write(folder .. "/cut.csv", text:sub(1, n))
        local s, message = from_csv(path, { missing = "previous" })
        assert.is_true(s ~= nil or message:find(path, 1, true) ~= nil, name)
      end
    end
  end)
  it("that shrinks while it is in use is refused", function()
    local path = support.write(folder .. "/shrinks.csv", "a\n1\n2\n3\n")
    local s = assert(from_csv(path))
    support.write(path, "a\n1\n")
    assert.matches("the file shrank while it was in use", support.failure(s.values, s), 1, true)
  end)
end)

-- A long file of rows i, 2 i, of which some are missing, over many stretches of the index.
local function long(n, holes)
  local lines = { "i,twice,note" }
  for i = 1, n do
    lines[#lines + 1] = ("%d,%s,%s"):format(i, holes and holes(i) and "" or 2 * i, ("x"):rep(i % 50))
  end
  return support.write(folder .. "/long.csv", table.concat(lines, "\n"))
end

describe("a series", function()
  it("gives any stretch of its rows in any order", function()
    local s = assert(from_csv(long(3000)))
    for _, from in ipairs { 2990, 1, 1500, 700, 2999, 3000 } do
      local to = math.min(from + 3, 3000)
      local expected = {}
      for i = from, to do expected[#expected + 1] = { i, 2 * i } end
      support.same(rondo.tensor(expected), s:values(nil, from, to))
    end
    support.same(rondo.tensor { 5998.0, 6000 }, s:values("twice", -2, -1))
    support.same(rondo.tensor { { 2.0, 1 } }, s:values({ "twice", "i" }, 1, 1))
  end)
  it("says of a later line what is wrong with it", function()
    local path = long(3000)
    support.write(path, support.read(path) .. "\n3001,x,\n")
    local _, message = from_csv(path)
    assert.matches("line 3002, column 2 (twice): 'x' is not a number", message, 1, true)
  end)
  it("holds missing values, however far back the last one is", function()
    local s = assert(from_csv(long(2000, function(i) return i > 10 and i < 1990 end), { missing = "previous" }))
    support.same(rondo.tensor { 20.0, 20, 20 }, s:values("twice", 1500, 1502))
    support.same(rondo.tensor { 20.0, 3980 }, s:values("twice", 1989, 1990))
    assert.equal(1979, s:summary().missing.twice)
  end)
  it("interpolates between values that are seen, and holds the last", function()
    local s = assert(from_csv(long(100, function(i) return i % 10 ~= 1 end), { missing = "interpolate" }))
    support.same(rondo.tensor { 22.0, 24, 26 }, s:values("twice", 11, 21):slice(1, 1, 3))
    support.same(rondo.tensor { 22.0, 22, 22 }, s:values("twice", 11, 13))
    support.same(rondo.tensor { 36.0, 38, 40, 42, 42 }, s:values("twice", 18, 22))
  end)
  it("knows nothing of the rows behind those that are asked for", function()
    local hole = function(i) return i % 7 > 3 end
    for _, rule in ipairs { "previous", "interpolate" } do
      local before = assert(from_csv(long(300, hole), { missing = rule }))
      local windows = {}
      for to = 10, 290, 39 do windows[to] = before:values("twice", to - 9, to) end
      for to = 10, 290, 39 do
        local path = long(300, hole)
        local lines, i = {}, -1
        for line in support.read(path):gmatch "[^\n]+" do
          i = i + 1
          lines[#lines + 1] = i > to and ("%d,%d,"):format(i, -1000 * i) or line -- another future, without holes
        end
        local after = assert(from_csv(support.write(path, table.concat(lines, "\n")), { missing = rule }))
        support.same(windows[to], after:values("twice", to - 9, to), rule .. to)
      end
    end
  end)
  it("splits in the order of time by shares, rows and times", function()
    local s = assert(from_csv(long(200)))
    local a, b, c = s:split { 0.7, 0.15, 0.15 }
    assert.same({ 140, 30, 30 }, { #a, #b, #c })
    support.same(rondo.tensor { 141.0 }, b:values("i", 1, 1))
    a, b = s:split { 150, 20 }
    assert.same({ 150, 20 }, { #a, #b })
    support.same(rondo.tensor { 151.0, 170 }, rondo.concat({ b:values("i", 1, 1), b:values("i", -1, -1) }, 1))
    s = assert(from_csv(HERE .. "months.csv"))
    a, b = s:split { "1950-01" }
    assert.same({ 2, 1 }, { #a, #b })
    a, b = b:values "a", a:slice(2, 2):values "a"
    support.same(rondo.tensor { 3.0 }, a)
    support.same(rondo.tensor { 2.0 }, b)
  end)
  it("has times in seconds since 1970 in UTC, or as they are", function()
    local s = assert(from_csv(HERE .. "clocks.csv")) -- date -u -d '2020-03-01 22:00' +%s
    assert.same({ 1583100000.0, 1583103600.0, 1583107200.0 }, s:times())
    assert.same({ 1583103600.0 }, s:times(2, 2))
    assert.same({ 999.0, 1000.0, 1001.0 }, assert(from_csv(HERE .. "index.csv", { time = "t" })):times())
    assert.is_nil(assert(from_csv(HERE .. "plain.csv")):times())
    assert.same({ -662688000.0 }, assert(from_csv(support.write(folder .. "/t.csv", "t,a\n1949-01,1\n"))):times())
  end)
  it("sums up what its file holds", function()
    local s = assert(from_csv(HERE .. "irregular.csv"))
    assert.same({ rows = 4, missing = { a = 0 }, unread = {}, separator = ",", time = "date", first = 1577836800.0,
      last = 1578355200.0, regular = false, step = 86400.0, unit = "seconds", other_steps = 1, other_line = 4 },
      s:summary())
    assert.is_true(assert(from_csv(HERE .. "months.csv")):summary().regular)
    assert.equal(HERE .. "irregular.csv: 4 rows of a", tostring(s))
    assert.same({ 4, 1 }, { #s, s.num_columns })
  end)
  it("says what is wrong with a call", function()
    local function says(text, f, ...) assert.matches(text, support.failure(f, ...), 1, true) end
    says("Series.from_csv: expected a path, got a table", from_csv, {})
    says("option 'separator' must be one character of ASCII that is no quote, line break or part of a number, got "
      .. '"--"', from_csv, "x", { separator = "--" })
    says("option 'columns' must be a list of at least one name or number, got an empty one", from_csv, "x",
      { columns = {} })
    says("option 'missing_values' must be a list of strings, got 1 at place 1", from_csv, "x",
      { missing_values = { 1 } })
    local s = assert(from_csv(HERE .. "months.csv"))
    says("Series: there is no field 'colums' (did you mean 'columns'?)", function() return s.colums end)
    says("Series: rows are integers, got 1.5 and 3", s.values, s, nil, 1.5)
    says("Series: rows 1..9 do not lie in the series, which has 3", s.values, s, nil, 1, 9)
    says("Series: no column 'b' was read; columns are a", s.values, s, "b")
    says('split: expected shares { 0.7, 0.15, 0.15 }, numbers of rows { 100, 44 } or times { "1959-01" }, got none',
      s.split, s, {})
    says("split: numbers of rows are integers from 1 on, got 0", s.split, s, { 1, 0 })
    says("split: the parts have 4 rows, the series has 3", s.split, s, { 3, 1 })
    says("split: part 1 has no row; the series has 3", s.split, s, { 0.01, 0.99 })
    says("split: 'x' is not a time as the column of times has them", s.split, s, { "x" })
    says("split: no row lies before '1949'", s.split, s, { "1949" })
    says("split: no row lies at or after '1960'", s.split, s, { "1960" })
    says("split: no row lies between '1950-01' and '1949-12'", s.split, s, { "1950-01", "1949-12" })
    local plain = assert(from_csv(HERE .. "plain.csv"))
    says("plain.csv has no column of times to be split by '1949'", plain.split, plain, { "1949" })
  end)
end)

describe("a scaler", function()
  -- Of 2, 4, 4, 6 and 5, 5, 5, 5: by hand; the rows behind are of the test part.
  local function parts()
    local path = support.write(folder .. "/scale.csv", "a,b\n2,5\n4,5\n4,5\n6,5\n1000,-1000\n7,7\n")
    return assert(from_csv(path)):split { 4, 2 }
  end
  local function fitted(name)
    local scaler = rondo.data[name]():fit((parts()))
    return { scaler.shift.a, scaler.scale.a, scaler.shift.b, scaler.scale.b }
  end
  it("is fitted on one part alone", function()
    assert.same({ 4.0, math.sqrt(2), 5.0, 1.0 }, fitted "StandardScaler")
    assert.same({ 2.0, 4.0, 5.0, 1.0 }, fitted "MinMaxScaler")
    assert.same({ 0.0, 4.0, 0.0, 5.0 }, fitted "MeanScaler")
  end)
  it("takes values of one or all columns there and back", function()
    local train, test = parts()
    local scaler = rondo.data.MinMaxScaler():fit(train)
    support.same(rondo.tensor { { 249.5, -1005 }, { 1.25, 2 } }, scaler:transform(test:values()))
    support.same(rondo.tensor { -1005.0, 2 }, scaler:transform(test:values "b", "b"))
    support.same(rondo.tensor { { -1005.0 } }, scaler:transform(test:values({ "b" }, 1, 1), { "b" }))
    support.same(test:values(), scaler:inverse(scaler:transform(test:values())))
    support.same(rondo.tensor { 2.0, 6 }, scaler:inverse(rondo.tensor { 0.0, 1 }, "a"))
    assert.equal("MinMaxScaler of a, b", tostring(scaler))
    assert.equal("MeanScaler, not fitted", tostring(rondo.data.MeanScaler()))
  end)
  it("sees every row of a long part", function()
    local s = assert(from_csv(long(10000)))
    assert.same({ 1.0, 9999.0 }, { rondo.data.MinMaxScaler():fit(s).shift.i, rondo.data.MinMaxScaler():fit(s).scale.i })
    assert.near(5000.5, rondo.data.StandardScaler():fit(s).shift.i, 1e-9)
    assert.near(math.sqrt((10000 ^ 2 - 1) / 12), rondo.data.StandardScaler():fit(s).scale.i, 1e-9) -- of 1..n
  end)
  it("says what is wrong with a call", function()
    local function says(text, f, ...) assert.matches(text, support.failure(f, ...), 1, true) end
    local scaler = rondo.data.StandardScaler()
    says("StandardScaler: fit expects a series (rondo.data.Series.from_csv) or a part of one, got a table", scaler.fit,
      scaler, {})
    says("StandardScaler: fit it on the training part first", scaler.transform, scaler, rondo.tensor { 1.0 })
    scaler:fit((parts()))
    says("StandardScaler: expected a tensor of values, got a number", scaler.transform, scaler, 1)
    says("StandardScaler: it was not fitted on a column 'c'; columns are a, b", scaler.inverse, scaler,
      rondo.tensor { 1.0 }, "c")
    says("StandardScaler: the last dimension of values must be the 2 columns a, b, got 3", scaler.inverse, scaler,
      rondo.tensor { 1.0, 2, 3 })
  end)
end)
