-- sqlite_spec.lua - the module under the ledger: values, several processes, and what a reader may not do.
-- SPDX-License-Identifier: MIT
local sqlite = require "rondo.sqlite"
local support = dofile "tests/lua/support.lua"

local folder, path
setup(function()
  folder = support.folder()
  path = folder .. "/it's a ledger.sqlite"
  local db <close> = assert(sqlite.open(path, "write", 0))
  assert(db:exec "CREATE TABLE runs (id INTEGER PRIMARY KEY, folder TEXT)")
  assert(db:exec "CREATE TABLE facts (run INTEGER, name TEXT, value)")
  assert(db:exec "CREATE TABLE other (secret TEXT)")
  assert(db:exec("INSERT INTO runs VALUES (1, ?), (2, 'b')", "a"))
end)
teardown(function() support.remove(folder) end)

local function read(sql, ...)
  local db <close> = assert(sqlite.open(path, "read", 0))
  return db:exec(sql, ...)
end

describe("a database", function()
  it("gives values back as they were", function()
    local db <close> = assert(sqlite.open(":memory:", "write", 0))
    local rows = assert(db:exec("SELECT ? AS i, ? AS r, ? AS t, ? AS b, ? AS none", 1 << 60, 0.1, "a\0'\"", true, nil))
    assert.same({ { i = 1 << 60, r = 0.1, t = "a\0'\"", b = 1 } }, rows)
    assert.equal("float", math.type(rows[1].r))
  end)
  it("takes one statement at a time", function()
    local none, message = read "SELECT 1 FROM runs; SELECT 2 FROM runs"
    assert.is_nil(none)
    assert.equal("exactly one statement expected", message)
    assert.same({ { n = 2 } }, read "SELECT count(*) AS n FROM runs; ")
    none, message = read "  "
    assert.is_nil(none)
    assert.equal("exactly one statement expected", message)
  end)
  it("says what is wrong", function()
    local none, message = sqlite.open(folder .. "/none/x", "write", 0)
    assert.is_nil(none)
    assert.matches("unable to open database file", message)
    none, message = read "SELECT nam FROM runs"
    assert.is_nil(none)
    assert.equal("no such column: nam", message)
    assert.matches('no such column: nam', select(2, read 'SELECT 1 FROM runs WHERE "nam" = 1'))
    local db = assert(sqlite.open(path, "read", 0))
    db:close()
    db:close()
    assert.matches("closed database", support.failure(db.exec, db, "SELECT 1"))
    assert.matches("0..60000 milliseconds expected", support.failure(sqlite.open, path, "read", -1))
    assert.matches("without zero bytes", support.failure(read, "SELECT 1\0"))
  end)
  it("waits for another writer as long as it was told", function()
    local first <close> = assert(sqlite.open(path, "write", 0))
    local second <close> = assert(sqlite.open(path, "write", 50))
    assert(first:exec "BEGIN IMMEDIATE")
    local none, message = second:exec "BEGIN IMMEDIATE"
    assert.is_nil(none)
    assert.equal("database is locked", message)
    assert(first:exec "ROLLBACK")
    assert(second:exec "BEGIN IMMEDIATE")
  end)
end)

describe("a reader", function()
  for what, sql in pairs {
    ["a write"] = "DELETE FROM runs",
    ["a table dropped"] = "DROP TABLE runs",
    ["an insert"] = "INSERT INTO runs VALUES (9, 'x')",
    ["another file"] = "ATTACH '/tmp/x' AS x",
    ["a pragma"] = "PRAGMA user_version",
    ["a table of its own"] = "CREATE TEMP TABLE x (y)",
    ["the schema"] = "SELECT sql FROM sqlite_master",
    ["another table"] = "SELECT secret FROM other",
    ["a pragma's table"] = "SELECT * FROM pragma_database_list",
    ["an extension"] = "SELECT load_extension('/tmp/x.so')",
    ["a file"] = "SELECT readfile('/etc/passwd')",
    ["much memory"] = "SELECT length(zeroblob(1000000000))",
    ["a loop"] = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
    ["a function not listed"] = "SELECT printf('%1000000d', 1)",
    ["a transaction"] = "BEGIN",
    ["a copy"] = "VACUUM INTO '/tmp/x'",
  } do
    it("refuses " .. what, function()
      local none, message = read(sql)
      assert.is_nil(none)
      assert.is_string(message)
    end)
  end
  it("ends what takes too long", function()
    local many = "runs r0"
    for i = 1, 40 do
      many = ("%s, runs r%d"):format(many, i)
    end
    local none, message = read("SELECT count(*) AS n FROM " .. many)
    assert.is_nil(none)
    assert.equal("interrupted", message)
  end)
  it("cannot make a file", function()
    local none, message = sqlite.open(folder .. "/new.sqlite", "read", 0)
    assert.is_nil(none)
    assert.matches("unable to open", message)
  end)
  it("sees texts with quotes as texts", function()
    assert.same({}, read("SELECT * FROM runs WHERE folder = ?", "x' OR 1 = 1 --"))
  end)
end)
