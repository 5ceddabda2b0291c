-- cli/runs.lua - rondo runs: the ledger of runs, asked by options and figures.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local json = require "rondo.json"
local plain = require "rondo.plain"

local SHOWN = { "folder", "state", "step", "val_loss" }

local function options(cli)
  local parser = cli.parser("runs", "Lists the runs of this user that a condition holds for. Columns are folder, "
    .. "script, state (running, done, stopped, killed, failed, diverged), step, started, ended, host, version, sweep, "
    .. "trial, the figures of a run (val_loss and other val_... at its best validation, others the last) and the "
    .. "options of its script. The condition is that of an SQL WHERE, as \"cell = 'gru' and val_loss < 1.6\"; names "
    .. "with other than letters, digits and _ go in double quotes, and \"option.NAME\" is an option a figure hides.")
  parser:option("--where", "the condition"):argname "<condition>"
  parser:option("--sort", "order by this column, the least first; runs without it come last"):argname "<column>"
  parser:flag("--descending", "the greatest first")
  parser:option("--limit", "so many at most"):argname "<n>":default(100)
    :convert(cli.number("--limit", "int", 1, 1000000))
  parser:option("--show", "columns to show besides, with commas between"):argname "<columns>"
  parser:flag("--json", "a JSON object for each run, with all that is known")
  parser:option("--rescan", "first enter all runs below a folder, and forget those that are gone (may be repeated)")
    :argname "<folder>":count "*"
  return parser
end

local function usage(message)
  errors.stop(errors.USAGE, "runs: " .. message)
end

local function ledger_path()
  local path = require("rondo.places").ledger()
  return path or usage("there is no ledger here (RONDO_LEDGER is off, or there is no home folder)")
end

local function rescan(path, folders)
  for _, folder in ipairs(folders) do
    local ok, n, gone = pcall(require("rondo.ledger").rescan, path, folder)
    if not ok then
      errors.stop(errors.DATA, ("runs: --rescan %s: %s"):format(folder, n))
    end
    io.stderr:write(("runs: %d %s below %s%s\n"):format(n, n == 1 and "run" or "runs", folder,
      gone > 0 and (", %d forgotten"):format(gone) or ""))
  end
end

-- A path as it is reached from here.
local function short(path)
  local here = require("rondo.core").realpath "."
  return path:sub(1, #here + 1) == here .. "/" and path:sub(#here + 2) or path
end

local function cell(name, value)
  if value == nil then
    return ""
  elseif name == "folder" or name == "sweep" then
    value = short(value)
  end
  local text = math.type(value) == "float" and ("%.6g"):format(value) or tostring(value)
  text = plain(text)
  return #text > 60 and text:sub(1, (utf8.offset(text, 0, 58) or 58) - 1) .. "..." or text
end

local function print_table(names, rows)
  local lines, widths = { names }, {}
  for _, row in ipairs(rows) do
    local cells = {}
    for i, name in ipairs(names) do
      cells[i] = cell(name, row[name])
    end
    lines[#lines + 1] = cells
  end
  for _, cells in ipairs(lines) do
    for i, text in ipairs(cells) do
      widths[i] = math.max(widths[i] or 0, utf8.len(text) or #text)
    end
  end
  for _, cells in ipairs(lines) do
    local parts = {}
    for i, text in ipairs(cells) do
      parts[i] = text .. (" "):rep(widths[i] - (utf8.len(text) or #text))
    end
    io.stdout:write((table.concat(parts, "  "):gsub("%s+$", "")), "\n")
  end
end

-- Columns to show: the usual ones, those of condition and order, those asked for.
local function shown(ask, db, o)
  local names, seen = {}, {}
  local asked = {}
  for name in (o.show or ""):gmatch "[^,]+" do
    asked[#asked + 1] = name:lower()
  end
  for _, list in ipairs { SHOWN, ask.words(db, (o.where or "") .. " " .. (o.sort or "")), asked } do
    for _, name in ipairs(list) do
      if not seen[name] and (list ~= SHOWN or ask.has(db, name)) then
        seen[name], names[#names + 1] = true, name
      end
    end
  end
  return names
end

return function(arguments, cli)
  local o = cli.parse(options(cli), arguments)
  local path = ledger_path()
  rescan(path, o.rescan)
  local core = require "rondo.core"
  if not core.stat(path) then
    errors.stop(errors.DATA, ("runs: %s: no run has been entered yet; `rondo runs --rescan FOLDER` enters those below "
      .. "a folder"):format(path))
  end
  require("rondo.ledger").refresh(path)
  local ask = require "rondo.ledger.ask"
  local db <close>, message = ask.open(path)
  if not db then
    errors.stop(errors.DATA, ("runs: %s; move it away, and `rondo runs --rescan FOLDER` makes it anew"):format(message))
  end
  local names = shown(ask, db, o)
  local rows, why = ask.runs(db, { where = o.where, sort = o.sort, descending = o.descending, limit = o.limit + 1,
    show = names })
  if not rows then
    usage((o.where and "--where: " or "") .. why)
  end
  local more = #rows > o.limit
  rows[o.limit + 1] = nil
  if o.json then
    for _, row in ipairs(rows) do
      io.stdout:write(json.encode(ask.facts(db, row.run), { "run", "folder", "state" }), "\n")
    end
  else
    print_table(names, rows)
  end
  if more then
    io.stderr:write(("runs: there are more; --limit %d shows so many\n"):format(o.limit))
  end
  return 0
end
