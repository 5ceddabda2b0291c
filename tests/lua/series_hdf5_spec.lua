-- series_hdf5_spec.lua - Series.from_hdf5: what is read, and what is refused of strangers' files.
--
-- Files are made by h5py where it is there, and by this program's own writer.
-- SPDX-License-Identifier: MIT
local support = require "tests.lua.support"
local core = require "rondo.native"
local errors = require "rondo.errors"
local rondo = require "rondo"

local Series = rondo.data.Series
local folder

setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local has_h5py = os.execute "/usr/bin/python3 -c 'import h5py' 2>/dev/null"

-- A file that a program in Python writes: f is the file, x numbers 0..2999 as (1000, 3).
local function python(name, program)
  local path = folder .. "/" .. name
  local script = support.write(folder .. "/make.py", "import h5py, numpy as np\nx = np.arange(3000.).reshape(1000, 3)\n"
    .. "with h5py.File('" .. path .. "', 'w') as f:\n  " .. program:gsub("^%s+", ""):gsub("\n%s*", "\n  ") .. "\n")
  assert(os.execute("/usr/bin/python3 " .. script))
  return path
end

local function own(name, entries)
  local archive = core.archive()
  for key, value in pairs(entries) do archive:put(key, value) end
  assert(archive:save(folder .. "/" .. name))
  return folder .. "/" .. name
end

local function refused(path, given)
  local s, message, code = Series.from_hdf5(path, given)
  assert.is_nil(s)
  assert.equal(errors.DATA, code)
  return (message:gsub(path:gsub("%p", "%%%0"), "FILE"))
end

local describe_h5py = has_h5py and describe or pending

describe("an HDF5 file of our own writer", function()
  it("is read by datasets", function()
    local path = own("own.h5", { ["data/load"] = { 1.5, 2.5, 3.5, 4.5 }, ["data/t"] = { 0, 3600, 7200, 10800 },
      note = "text" })
    local s = assert(Series.from_hdf5(path, { time = "t", time_unit = "seconds" }))
    assert.same({ "load" }, s.columns)
    assert.equal(path .. ": 4 rows of load", tostring(s))
    support.same(rondo.tensor { 2.5, 3.5 }, s:values("load", 2, 3))
    assert.same({ 3600.0, 7200.0 }, s:times(2, 3))
    assert.same({ "seconds", 3600.0, true, "t", 4 }, { s:summary().unit, s:summary().step, s:summary().regular,
      s:summary().time, s:summary().rows })
    s = assert(Series.from_hdf5(path, { dataset = "/data/load" }))
    assert.is_nil(s:times())
    local x = s:windows { input = 2 }:batch(1)
    support.same(rondo.tensor { { 1.5 }, { 2.5 } }, x:select(1, 1))
  end)
  it("has rows of columns, named as is said", function()
    local path = own("two.h5", { table = rondo.tensor { { 1.0, 2 }, { 3, 4 }, { 5, 6 } } })
    assert.same({ "table 1", "table 2" }, assert(Series.from_hdf5(path)).columns)
    local s = assert(Series.from_hdf5(path, { names = { "a", "b" }, columns = { "b" } }))
    support.same(rondo.tensor { { 2.0 }, { 4 }, { 6 } }, s:values())
    assert.same({ "a" }, s:summary().unread)
    local a, b = s:split { 2, 1 }
    assert.same({ 2, 1 }, { #a, #b })
  end)
  it("splits by times", function()
    local times = {}
    for i = 1, 6 do times[i] = (i - 1) * 86400.0 end
    local path = own("days.h5", { t = times, v = { 1.0, 2, 3, 4, 5, 6 } })
    local function rows(where, unit)
      local s = assert(Series.from_hdf5(path, { time = "t", time_unit = unit or "seconds" }))
      return #s:split { where }
    end
    assert.same({ 3, 1, 2, 2 }, { rows "1970-01-04", rows "1970-01-01 12:00", rows "1970-01-02T00:00:01",
      rows("172800", "number") })
    local s = assert(Series.from_hdf5(path, { time = "t", time_unit = "seconds" }))
    for _, text in ipairs { "soon", "1970-13", "1970-02-29", "1970-01-02 24:00" } do
      assert.matches(("split: '%s' is not a time"):format(text), support.failure(s.split, s, { text }), 1, true)
    end
  end)
  it("is refused where it makes no series", function()
    local path = own("odd.h5", { a = { 1.0, 2, 3 }, b = { 1.0, 2 }, t = { 3.0, 2, 1 }, none = { 0 / 0, 0 / 0, 0 / 0 },
      hole = { 0 / 0, 1, 0 / 0 }, text = "x" })
    assert.equal("FILE: 'a' has 3 rows and 'b' 2; name those that belong together, as in dataset = { \"a\" }",
      refused(path))
    assert.equal("FILE: there is no dataset 'holes' (did you mean 'hole'?)", refused(path, { dataset = "holes" }))
    assert.equal("FILE: dataset 'text' does not have one or two dimensions", refused(path, { dataset = "text" }))
    assert.equal("FILE: column 'none' has no value in all its 3 rows; leave it out",
      refused(path, { dataset = "none" }))
    assert.equal("FILE: column 'hole' has missing values (NaN), 2 of them; give missing = \"previous\" or "
      .. "\"interpolate\", or leave the column out", refused(path, { dataset = "hole" }))
    assert.equal("FILE: the time of row 2 does not come after the one before it; rows go forward in time",
      refused(path, { dataset = { "a", "t" }, time = "t" }))
    assert.equal("FILE: times are missing (NaN), 2 of them; each row has its time",
      refused(path, { dataset = { "a", "hole" }, time = "hole" }))
    assert.equal("FILE: there is no column 'c'; columns are a", refused(path, { dataset = "a", columns = { "c" } }))
    assert.equal("FILE: column 'a' is the time; it cannot be one of the columns of values", refused(path,
      { dataset = "a", columns = { "a" }, time = "a" }))
    assert.equal("FILE: there is no column of values", refused(path, { dataset = "a", time = "a" }))
    local two = own("two.h5", { table = rondo.tensor { { 1.0, 2 } } })
    assert.equal("FILE: dataset 'table' has 2 columns, and 1 names are given", refused(two, { names = { "a" } }))
    assert.equal("FILE: two columns are called 'a'; give names of their own, or one dataset", refused(two,
      { names = { "a", "a" } }))
    assert.equal("FILE: no dataset of it can be read as numbers: 'text' does not have one or two dimensions",
      refused(own("text.h5", { text = "x" })))
    assert.equal("cannot read 'FILE': HDF5 cannot open the image: file signature not found",
      refused(support.write(folder .. "/x.h5", "this is none")))
    assert.equal("'FILE' is empty", refused(support.write(folder .. "/x.h5", "")))
    local s = assert(Series.from_hdf5(path, { dataset = "hole", missing = "previous" }))
    assert.equal(1, s:windows { input = 1 }.count) -- begins at row 2
    assert.matches("Series.from_hdf5: dataset, names and columns are lists of strings, got a number at place 1",
      support.failure(Series.from_hdf5, path, { dataset = { 1 } }), 1, true)
    assert.matches("Series.from_hdf5: expected a path, got a nil", support.failure(Series.from_hdf5), 1, true)
  end)
  it("cut off anywhere is refused, or read as far as it is whole", function()
    local path = own("whole.h5", { a = { 1.0, 2, 3 }, b = rondo.tensor { { 1.0, 2 }, { 3, 4 }, { 5, 6 } } })
    local text = support.read(path)
    for n = 100, #text - 1, #text // 25 do
      local cut = support.write(folder .. "/cut.h5", text:sub(1, n))
      local s, message = Series.from_hdf5(cut)
      assert.is_true(s ~= nil or message:find(cut, 1, true) ~= nil)
    end
  end)
end)

describe_h5py("an HDF5 file of others", function()
  it("is read from chunks, in any width, behind any of three filters", function()
    local plain = python("plain.h5", [[
      f.create_dataset('table', data=x).attrs['columns'] = ['a', 'b', 'c'] ]])
    local chunks = python("chunks.h5", [[
      s = f.create_dataset('g/table', data=x.astype('>i4'), chunks=(128, 2), compression='gzip', shuffle=True,
        fletcher32=True)
      s.attrs['columns'] = np.array([b'a', b'b ', b'c'])]])
    local a, b = assert(Series.from_hdf5(plain)), assert(Series.from_hdf5(chunks))
    assert.same({ "a", "b", "c" }, a.columns)
    assert.same(a.columns, b.columns)
    support.same(a:values(), b:values())
    support.same(rondo.tensor { { 2994.0, 2995, 2996 }, { 2997, 2998, 2999 } }, a:values(nil, -2, -1))
    local w = b:windows { input = 3, target = "b" }
    assert.equal(1 + 3 * 999, w:window(w.count).truth[1])
  end)
  it("has columns of their own, and times in any unit", function()
    local path = python("own.h5", [[
      f['load'] = x[:, 0].astype('f4')
      f['temp'] = x[:, 1].astype('u1')
      f['time'] = np.arange(1000) * 3600 * 10**9]])
    local s = assert(Series.from_hdf5(path, { time = "time", time_unit = "nanoseconds" }))
    assert.same({ "load", "temp" }, s.columns)
    assert.same({ 0.0, 3600.0 }, s:times(1, 2))
    support.same(rondo.tensor { 179.0, 182 }, s:values("temp", -2, -1)) -- modulo 256
  end)
  it("is not led to other files, nor into more memory than it has", function()
    local path = python("stranger.h5", [[
      f['a'] = np.arange(5.)
      f['soft'] = h5py.SoftLink('/a')
      f['elsewhere'] = h5py.ExternalLink('plain.h5', '/table')
      f.create_dataset('outside', (10,), dtype='f8', external=[('/etc/passwd', 0, 80)])
      v = h5py.VirtualLayout((5,), dtype='f8')
      v[:] = h5py.VirtualSource('plain.h5', 'table', shape=(1000, 3))[:5, 0]
      f.create_virtual_dataset('virtual', v)
      f.create_dataset('cube', data=np.zeros((2, 2, 2)))
      f.create_dataset('lzf', data=np.arange(100.), compression='lzf')
      f.create_dataset('huge', (10**12,), dtype='f8', chunks=(1000,))
      f.create_dataset('chunk', (10**7,), dtype='f8', chunks=(10**7,))
      f.create_dataset('pairs', data=np.zeros(3, dtype=[('x', 'f8'), ('y', 'i4')]))
      z = np.arange(8.)
      z[4] = np.inf
      f['infinite'] = z]])
    local function why(name) return (refused(path, { dataset = name }):gsub("^FILE: dataset '%a+' ", "")) end
    assert.equal("is a link to elsewhere", why "soft")
    assert.equal("is a link to elsewhere", why "elsewhere")
    assert.equal("has its values in another file", why "outside")
    assert.equal("is made of parts of other files", why "virtual")
    assert.equal("does not have one or two dimensions", why "cube")
    assert.equal("has a filter other than deflate, shuffle and fletcher32", why "lzf")
    assert.equal("has more values than a file of this size can hold", why "huge")
    assert.equal("has chunks of over 32 MB", why "chunk")
    assert.equal("does not hold numbers", why "pairs")
    assert.equal("FILE: column 'infinite', row 5: the value is too large for a number", why "infinite")
    support.same(rondo.tensor { 0.0, 1 }, assert(Series.from_hdf5(path, { dataset = "a" })):values("a", 1, 2))
  end)
  it("that is damaged is refused, by its own checksum", function()
    local path = python("sum.h5", "f.create_dataset('a', data=x[:, 0], chunks=(1000,), fletcher32=True)")
    local text = support.read(path)
    local at = text:find(("<d"):pack(1500.0), 1, true)
    support.write(path, text:sub(1, at - 1) .. "\255" .. text:sub(at + 1))
    assert.matches("^cannot read 'FILE': HDF5 cannot read 'a'", refused(path))
  end)
end)
