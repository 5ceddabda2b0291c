--[[ cells_table.lua - trains the text recipe with every cell and keeps the table of plugins/README.md.

usage: rondo run scripts/cells_table.lua [--cells NAME ...] [--speed] [--data FILE] [--readme FILE]

Each row is one `rondo train FILE --cell NAME` with the same width, layers and number of updates. With --cells only
those rows are made anew, with --speed only the column of speeds (a minute, when the machine is quiet); the others stay
as they are in the file. The speed is that of the fastest ten updates on end, which other programs disturb least. Ends
with status 1 where a cell did not train. The text is tiny Shakespeare, as `rondo data get` brings it, unless --data
names another.
SPDX-License-Identifier: MIT ]]
local rondo = require "rondo"
local core = require "rondo.core"
local json = require "rondo.json"

local opt = rondo.args { "Trains the text recipe with every cell; writes the table of plugins/README.md.",
  data = { help = "text file; without it tiny Shakespeare", type = "string" },
  cells = { {}, choices = rondo.plugins.cells, help = "make only the rows of this cell (may be repeated)" },
  speed = { false, help = "measure the speeds alone" },
  readme = { "plugins/README.md", help = "file with the table between its marker lines" },
  hidden_size = 128, num_layers = 2, seq_len = 64, batch_size = 32, dropout = 0.1, lr = 3e-3,
  max_steps = 1500, speed_steps = 100, threads = 1,
}

-- What a cell is tried with, beside its defaults.
local variants = {
  vanilla = { "activation=relu" },
  lstm = { "peephole=true", "coupled=true", "layer_norm=true", "projection=64" },
  gru = { "reset=before" },
  indrnn = { "activation=tanh" },
  mingru = { "candidate=positive" },
  rhn = { "depth=2" },
  slstm = { "forget=exp", "heads=4" },
}
local COLUMNS = "| cell | options | parameters | validation loss | characters per second |\n|---|---|---|---|---|"
local BEGIN, END = "<!%-%- cells table: begin.-%-%->\n", "<!%-%- cells table: end %-%->"

local data = opt.data or assert(rondo.data.get "tinyshakespeare")

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

-- Every row there is to be, in order; `made` are those of this run.
local function all_rows()
  local rows = {}
  for _, cell in ipairs(rondo.features().cells) do
    for i = 0, #(variants[cell] or {}) do
      rows[#rows + 1] = { cell = cell, option = i > 0 and variants[cell][i] or nil }
    end
  end
  return rows
end

local function wanted(cell)
  for _, name in ipairs(opt.cells) do
    if name == cell then
      return true
    end
  end
  return #opt.cells == 0
end

-- The recipe's final figures and the folder's curve; or nil and the last line that it said.
local function train(row, steps, folder)
  local command = { "rondo", "train", data, "--cell", row.cell, "--hidden-size", opt.hidden_size, "--num-layers",
    opt.num_layers, "--seq-len", opt.seq_len, "--batch-size", opt.batch_size, "--dropout", opt.dropout, "--lr", opt.lr,
    "--max-steps", steps, "--seed", opt.seed, "--threads", opt.threads, "--log-every", 10, "--ngrams", 0,
    "--sample-length", 0, "--patience", 0, "--run-dir", folder, "--overwrite", "--json", "--quiet" }
  if row.option then
    command[#command + 1], command[#command + 2] = "--cell-option", row.option
  end
  for i, word in ipairs(command) do
    command[i] = tostring(word)
  end
  local result = assert(core.run(command))
  if result.code ~= 0 then
    return nil, result.stderr:gsub("%s+$", ""):match "[^\n]*$"
  end
  return assert(json.decode(result.stdout)), read(folder .. "/metrics.jsonl")
end

-- Characters per second in the fastest of the stretches between two lines of the curve.
local function speed_of(curve)
  local best, before = 0, nil
  for line in curve:gmatch "[^\n]+" do
    local facts = json.decode(line)
    if facts.split == "train" then
      best = before and math.max(best, (facts.tokens - before.tokens) / (facts.t - before.t)) or best
      before = facts
    end
  end
  return best
end

local function grouped(n)
  local text = ("%d"):format(n)
  repeat
    local count
    text, count = text:gsub("^(%d+)(%d%d%d)", "%1,%2")
  until count == 0
  return text
end

local function key_of(row)
  return ("`%s` | %s"):format(row.cell, row.option and "`" .. row.option .. "`" or "")
end

-- The rows that stand in the file: by their first two columns the other three.
local function old_rows(text)
  local old = {}
  for key, parameters, loss, speed in text:gmatch "\n| (`[%w_]+` | [^|]-) | ([^|]-) | ([^|]-) | ([^|]-) |" do
    old[key] = { parameters, loss, speed }
  end
  return old
end

-- The three figures of a row, as text; the third value is what went wrong.
local function figures(row, old, folder)
  if not wanted(row.cell) then
    return old or { "", "", "" }
  end
  local facts, curve = train(row, opt.speed and opt.speed_steps or opt.max_steps, folder)
  if not facts then
    return { "", "does not train", "" }, curve
  end
  local speed = ("%.1fk"):format(speed_of(curve) / 1000)
  if opt.speed and old then
    return { old[1], old[2], speed }
  end
  return { grouped(facts.parameters), opt.speed and "" or ("%.4f"):format(facts.val_loss), speed }
end

local text = read(opt.readme)
local first, last = select(2, text:find(BEGIN)), (text:find(END))
if not (first and last) then
  require("rondo.errors").stop(2, ("%s: has no marker lines <!-- cells table: begin --> and end"):format(opt.readme))
end
local old = old_rows(text:sub(first, last))
local folder = os.tmpname()
os.remove(folder)
local lines, failed = { "", COLUMNS }, false
for _, row in ipairs(all_rows()) do
  local values, why = figures(row, old[key_of(row)], folder)
  lines[#lines + 1] = ("| %s | %s |"):format(key_of(row), table.concat(values, " | "))
  failed = failed or why
  if why or (wanted(row.cell) and not opt.quiet) then
    io.stderr:write(lines[#lines], why and "  " .. why or "", "\n")
  end
end
os.execute(("rm -rf '%s'"):format(folder))
lines[#lines + 1] = ("\n%s, the first 90 %% to train on; %d layers of %d, Adam %g, dropout %g, %d updates of %d x %d "
  .. "characters, seed %d; %d thread%s, kernels `%s`."):format(data:match "[^/]*$", opt.num_layers, opt.hidden_size,
  opt.lr, opt.dropout, opt.max_steps, opt.batch_size, opt.seq_len, opt.seed, opt.threads,
  opt.threads == 1 and "" or "s", rondo.features().kernels:match "^%w+")
local table_text = table.concat(lines, "\n") .. "\n\n"
assert(assert(io.open(opt.readme, "wb")):write(text:sub(1, first), table_text, text:sub(last))):close()
print(table_text)
return failed and 1 or 0
