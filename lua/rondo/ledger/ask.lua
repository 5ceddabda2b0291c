-- ledger/ask.lua - asks the ledger: a condition of the user's over columns that are the runs' options and figures.
--
-- Scripts differ in their options, so these are rows of `facts`; a name that the condition mentions becomes a column of
-- the query. The condition is SQL, and is run by a connection that can only read these two tables by a few functions
-- (lua/ledger/sqlite.c): what a condition or the name of an option contains can do no harm.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local ledger = require "rondo.ledger"
local sqlite = require "rondo.sqlite"

local ask = {}

local WAIT_MS = 5000
local MOST_CONDITION = 10000

local function literal(text)
  return "'" .. text:gsub("'", "''") .. "'"
end

local function identifier(name)
  return '"' .. name:gsub('"', '""') .. '"'
end

-- The ledger, open for reading; nil and a message. A journal that a killed writer left is played back first.
function ask.open(path)
  local db, message = sqlite.open(path, "read", WAIT_MS)
  local ok, why, code
  if db then
    ok, why, code = db:exec "SELECT count(*) AS n FROM runs"
  end
  if code == sqlite.NEEDS_WRITER and pcall(ledger.writing, path, function() end) then
    ok, why = db:exec "SELECT count(*) AS n FROM runs"
  end
  if not ok then
    return nil, ("%s: %s"):format(path, why or message)
  end
  return db
end

-- Names of all columns there are, without regard to case: lower-case name -> { kind = spellings }.
local function columns_of(db)
  local known = { run = { base = { "run" } } }
  for _, name in ipairs(ledger.columns) do
    known[name] = { base = { name } }
  end
  local rows, message = db:exec "SELECT DISTINCT kind, name FROM facts ORDER BY kind, name"
  for _, row in ipairs(rows or error(message, 0)) do
    local lower = row.name:lower()
    if not row.name:find "\0" then -- a statement cannot say it
      known[lower] = known[lower] or {}
      known[lower][row.kind] = known[lower][row.kind] or {}
      table.insert(known[lower][row.kind], row.name)
    end
  end
  return known
end

-- Every name, in order: what a mistyped one may have meant.
function ask.names(db)
  local names = {}
  for name in pairs(columns_of(db)) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

-- True if a name is a column.
function ask.has(db, name)
  return columns_of(db)[name] ~= nil
end

local function fact(kind, spellings)
  local list = {}
  for i, name in ipairs(spellings) do
    list[i] = literal(name)
  end
  return ("(SELECT value FROM facts f WHERE f.run = r.run AND f.kind = '%s' AND f.name IN (%s) LIMIT 1)"):format(kind,
    table.concat(list, ", "))
end

-- The columns that a text mentions, as parts of a SELECT. A name is what the run is, else a figure, else an option;
-- "option.NAME" and "figure.NAME" say which.
local function mentioned(known, text)
  local parts = {}
  text = text:lower()
  text = text .. "\n" .. text:gsub('""', '"') -- a quote within a name is written twice
  for name, kinds in pairs(known) do
    if text:find(name, 1, true) and name ~= "" then
      local first = not kinds.base and (kinds.figure and "figure" or "option")
      if first then
        parts[#parts + 1] = ("%s AS %s"):format(fact(first, kinds[first]), identifier(name))
      end
      for _, kind in ipairs { "figure", "option" } do
        local full = kind .. "." .. name
        if kinds[kind] and text:find(full, 1, true) then
          parts[#parts + 1] = ("%s AS %s"):format(fact(kind, kinds[kind]), identifier(full))
        end
      end
    end
  end
  table.sort(parts)
  return #parts > 0 and ", " .. table.concat(parts, ", ") or ""
end

-- SQLite's message in words that help.
local function explain(message, names)
  local column = message:match "^no such column: (.+)$"
  if column then
    local near = core.nearest(column:lower(), names)
    return ("there is no column '%s'%s"):format(column, near and (" (did you mean '%s'?)"):format(near)
      or "; there are " .. table.concat(names, ", "))
  elseif message == "interrupted" then
    return "it takes too long"
  elseif message:find "not authorized" or message:find "prohibited" then
    return ("it may compare columns by operators and functions like lower, length, round, and no more (%s)"):format(
      message)
  end
  return message
end

-- A column's name as SQL, or nil and a message.
local function column(known, names, name)
  local lower = name:lower()
  local kind, rest = lower:match "^(%l+)%.(.+)$"
  if known[lower] or (known[rest] and known[rest][kind]) then
    return identifier(lower)
  end
  return nil, explain("no such column: " .. name, names)
end

-- Runs that satisfy a condition: a list of tables by column. o: where, sort, descending, limit, show (list of names).
-- nil and a message where the condition or a name is wrong.
function ask.runs(db, o)
  local known, names = columns_of(db), ask.names(db)
  local text = (o.where or "") .. "\n" .. (o.sort or "") .. "\n" .. table.concat(o.show or {}, "\n")
  if #text > MOST_CONDITION then
    return nil, ("it must be at most %d characters long"):format(MOST_CONDITION)
  end
  local wanted, order = { "run" }, "run"
  for _, name in ipairs(o.show or {}) do
    local quoted, message = column(known, names, name)
    if not quoted then
      return nil, message
    end
    wanted[#wanted + 1] = quoted
  end
  if o.sort then
    local by, message = column(known, names, o.sort)
    if not by then
      return nil, message
    end
    order = ("%s IS NULL, %s %s, run"):format(by, by, o.descending and "DESC" or "ASC")
  end
  local rows, why = db:exec(("SELECT %s FROM (SELECT r.*%s FROM runs r) WHERE (\n%s\n) ORDER BY %s LIMIT %d"):format(
    table.concat(wanted, ", "), mentioned(known, text), o.where or "1", order, o.limit or -1))
  if not rows then
    return nil, explain(why, names)
  end
  return rows
end

-- Names of columns that a condition mentions as whole words, for showing them.
function ask.words(db, text)
  local known, list, seen = columns_of(db), {}, {}
  for word in text:gsub("'[^']*'", " "):gmatch "[%w_%.]+" do
    local lower = word:lower()
    if known[lower] and not seen[lower] then
      seen[lower], list[#list + 1] = true, lower
    end
  end
  return list
end

-- Everything about one run: its columns, options = {}, figures = {}.
function ask.facts(db, run)
  local row = assert(db:exec("SELECT * FROM runs WHERE run = ?", run))[1]
  row.options, row.figures = {}, {}
  for _, entry in ipairs(assert(db:exec("SELECT kind, name, value FROM facts WHERE run = ?", run))) do
    row[entry.kind == "option" and "options" or "figures"][entry.name] = entry.value
  end
  return row
end

return ask
