-- ledger/init.lua - the ledger of runs: one SQLite file of the user's, into which every run folder is entered.
--
-- It lies in $XDG_STATE_HOME/rondo (~/.local/state/rondo), or where RONDO_LEDGER says; `off` is none. Everything in it
-- is read from the run folders, so a ledger that is lost is made again (rescan). A training never waits for it longer
-- than WAIT_MS and never fails by it. The journal is a rollback journal: on network file systems a write-ahead log
-- is not safe.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local places = require "rondo.places"
local run_facts = require "rondo.ledger.run_facts"

local ledger = {}

local WAIT_MS = 2000
local SCHEMA = 1
local MOST_DEPTH = 8

-- Columns that every run has.
ledger.columns = { "folder", "script", "state", "step", "started", "ended", "host", "version", "sweep", "trial" }

local function exec(db, ...)
  local rows, message = db:exec(...)
  if not rows then
    error(message, 0)
  end
  return rows
end

local function make_tables(db, path)
  local version = exec(db, "PRAGMA user_version")[1].user_version
  if version > SCHEMA then
    error(("%s was written by a later Rondo"):format(path), 0)
  elseif version == SCHEMA then
    return
  end
  exec(db, "BEGIN IMMEDIATE")
  exec(db, "CREATE TABLE IF NOT EXISTS runs (run INTEGER PRIMARY KEY, folder TEXT NOT NULL UNIQUE, script TEXT, "
    .. "state TEXT, step INTEGER, started TEXT, ended TEXT, host TEXT, version TEXT, sweep TEXT, trial INTEGER)")
  exec(db, "CREATE TABLE IF NOT EXISTS facts (run INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, value, "
    .. "PRIMARY KEY (run, kind, name)) WITHOUT ROWID")
  exec(db, ("PRAGMA user_version = %d"):format(SCHEMA))
  exec(db, "COMMIT")
end

-- Calls f(db) with the ledger open for writing; raises what goes wrong.
local function writing(path, f)
  local sqlite = require "rondo.sqlite"
  core.mkdir(path:match "^(.*)/[^/]*$" or ".")
  local db <close>, message = sqlite.open(path, "write", WAIT_MS)
  if not db then
    error(message, 0)
  end
  make_tables(db, path)
  return f(db)
end
ledger.writing = writing

local function insert(db, facts)
  local names, marks, updates, values = {}, {}, {}, {}
  for i, name in ipairs(ledger.columns) do
    names[i], marks[i], updates[i] = name, "?", ("%s = excluded.%s"):format(name, name)
    values[i] = facts[name]
  end
  local run = exec(db, ("INSERT INTO runs (%s) VALUES (%s) ON CONFLICT (folder) DO UPDATE SET %s RETURNING run"):format(
    table.concat(names, ", "), table.concat(marks, ", "), table.concat(updates, ", ")),
    table.unpack(values, 1, #ledger.columns))[1].run
  exec(db, "DELETE FROM facts WHERE run = ?", run)
  for kind, list in pairs { option = facts.options, figure = facts.figures } do
    for name, value in pairs(list) do
      exec(db, "INSERT OR REPLACE INTO facts VALUES (?, ?, ?, ?)", run, kind, name, value)
    end
  end
end

local function enter(db, facts)
  exec(db, "BEGIN IMMEDIATE")
  local ok, message = pcall(insert, db, facts)
  if not ok then
    db:exec "ROLLBACK"
    error(message, 0)
  end
  exec(db, "COMMIT")
end

local warned = false
local left_out = {}

-- A folder that will not stay: no run in it is entered by this process.
function ledger.leave_out(folder)
  left_out[#left_out + 1] = folder .. "/"
end

local function is_left_out(folder)
  for _, above in ipairs(left_out) do
    if (folder .. "/"):sub(1, #above) == above then
      return true
    end
  end
  return false
end

-- Enters a run folder as it is now; `state` where the caller knows it. What goes wrong is a notice, once.
function ledger.enter(folder, state)
  local path = places.ledger()
  if not path or is_left_out(folder) then
    return
  end
  local ok, message = pcall(function()
    local facts = run_facts(folder, state)
    return facts and writing(path, function(db) enter(db, facts) end)
  end)
  if not ok and not warned then
    warned = true
    errors.notice("the ledger of runs, %s, cannot be written (%s); the run goes on, and `rondo runs --rescan` enters "
      .. "it later", path, (tostring(message):match "^[^\n]*"))
  end
end

-- ---- rescan -----------------------------------------------------------------------------------------------------

local function each_run(folder, depth, seen, f)
  local full = core.realpath(folder)
  if not full or seen[full] or depth > MOST_DEPTH then
    return
  end
  seen[full] = true
  local names = core.listdir(folder) or {}
  table.sort(names)
  local facts = run_facts(folder)
  if facts then
    f(facts)
  end
  for _, name in ipairs(names) do
    local path = folder .. "/" .. name
    local stat = name:sub(1, 1) ~= "." and not (facts and name == "checkpoints") and core.stat(path)
    if stat and stat.kind == "dir" then
      each_run(path, depth + 1, seen, f)
    end
  end
end

-- Enters every run below a folder and forgets those of it that are gone: how many there are, how many were forgotten.
-- Raises what goes wrong.
function ledger.rescan(path, folder)
  local full = core.realpath(folder)
  if not full then
    error(("%s: there is no such folder"):format(folder), 0)
  end
  local _ <close> = require("rondo.progress").busy("reading the runs below " .. folder)
  return writing(path, function(db)
    local n, gone = 0, 0
    each_run(full, 0, {}, function(facts)
      enter(db, facts)
      n = n + 1
    end)
    for _, row in ipairs(exec(db, "SELECT run, folder FROM runs")) do
      local below = row.folder == full or row.folder:sub(1, #full + 1) == full .. "/"
      if below and not core.stat(row.folder .. "/checkpoints") then
        exec(db, "DELETE FROM facts WHERE run = ?", row.run)
        exec(db, "DELETE FROM runs WHERE run = ?", row.run)
        gone = gone + 1
      end
    end
    return n, gone
  end)
end

-- Looks again at the runs that were running: some have been killed. What cannot be written stays as it is.
function ledger.refresh(path)
  pcall(writing, path, function(db)
    for _, row in ipairs(exec(db, "SELECT folder FROM runs WHERE state = 'running'")) do
      local facts = run_facts(row.folder)
      if facts then
        enter(db, facts)
      end
    end
  end)
end

return ledger
