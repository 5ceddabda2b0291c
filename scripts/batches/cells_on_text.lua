--[[ cells_on_text.lua - trains the text recipe with every cell and keeps the table of plugins/README.md.

usage: rondo run scripts/batches/cells_on_text.lua [--jobs N] [--cells NAME ...] [--speed] [--data FILE] [--into FILE]

A sweep of text_generation.lua: each row is a trial with the same width, layers and number of updates; stopped, it
goes on by the same command. With --cells only those rows are made anew, with --speed only the column of speeds (a
minute, when the machine is quiet); the others stay as they are in the file. The speed is that of the fastest ten
updates on end, which other programs disturb least; with several jobs it is not measured. Ends with status 5 where a
cell did not train. The text is tiny Shakespeare, as `rondo data get` brings it, unless --data names another.
SPDX-License-Identifier: MIT ]]
local rondo = require "rondo"
local errors = require "rondo.errors"
local json = require "rondo.json"
local marked = require "rondo.marked"

local opt = rondo.args { "Trains the text recipe with every cell; writes the table of plugins/README.md.",
  data = { help = "text file; without it tiny Shakespeare", type = "string" },
  cells = { {}, choices = rondo.plugins.cells, help = "make only the rows of this cell (may be repeated)" },
  speed = { false, help = "measure the speeds alone" },
  into = { "plugins/README.md", help = "file with the table between its lines 'cells on text: begin' and 'end'" },
  out = { "runs/cells_on_text", help = "folder of the sweep" },
  jobs = { 1, min = 1, help = "cells at a time" },
  hidden_size = 128, num_layers = 2, seq_len = 64, batch_size = 32, dropout = 0.1, lr = 3e-3,
  max_steps = 1500, speed_steps = 100, threads = 1,
}
local NAME = "cells on text"

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

-- Every row there is to be, in order; and the places of those of this run.
local settings, wanted = {}, {}
local named = {}
for _, cell in ipairs(opt.cells) do named[cell] = true end
for _, cell in ipairs(rondo.features().cells) do
  for i = 0, #(variants[cell] or {}) do
    settings[#settings + 1] = { cell = cell, cell_option = i > 0 and { variants[cell][i] } or nil }
    if #opt.cells == 0 or named[cell] then
      wanted[#wanted + 1] = #settings
    end
  end
end

-- Characters per second in the fastest of the stretches between two lines of a run's curve.
local function speed_of(folder)
  local best, before = 0, nil
  for line in io.lines(folder .. "/metrics.jsonl") do
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

local function key_of(setting)
  local option = setting.cell_option and setting.cell_option[1]
  return ("`%s` | %s"):format(setting.cell, option and "`" .. option .. "`" or "")
end

-- The rows that stand in the file: by their first two columns the other three.
local function old_rows()
  local before, after, code = marked.around(opt.into, NAME)
  if not before then
    errors.stop(code, "--into " .. after)
  end
  local file <close> = assert(io.open(opt.into, "rb"))
  local old = {}
  for key, parameters, loss, speed in file:read "a":gmatch "\n| (`[%w_]+` | [^|]-) | ([^|]-) | ([^|]-) | ([^|]-) |" do
    old[key] = { parameters, loss, speed }
  end
  return old
end

-- The three figures of a row as text.
local function figures(row, old)
  local run = row.runs[1]
  if row.state ~= "done" then
    return row.state == "waiting" and old or { "", "does not train", "" }
  end
  local facts = require("rondo.sweep.figures").result(run.folder)
  local speed = opt.jobs == 1 and ("%.1fk"):format(speed_of(run.folder) / 1000) or old and old[3] or ""
  if opt.speed then
    return { old and old[1] or grouped(facts.parameters), old and old[2] or "", speed }
  end
  return { grouped(facts.parameters), ("%.4f"):format(row.value), speed }
end

local data = opt.data or assert(rondo.data.get "tinyshakespeare")
local old = old_rows()
if opt.speed then
  opt.out, opt.max_steps, opt.jobs = opt.out .. "_speed", opt.speed_steps, 1
end
local sweep = rondo.Sweep { script = require("rondo.places").share() .. "/scripts/text_generation.lua", out = opt.out,
  space = settings, fixed = { data = data, hidden_size = opt.hidden_size, num_layers = opt.num_layers,
    seq_len = opt.seq_len, batch_size = opt.batch_size, dropout = opt.dropout, lr = opt.lr, max_steps = opt.max_steps,
    seed = opt.seed, log_every = 10, ngrams = 0, sample_length = 0, patience = 0, json = true } }
local failed = sweep:run { jobs = opt.jobs, threads = opt.jobs * math.max(1, opt.threads), trials = wanted,
  overwrite = opt.speed or opt.overwrite, quiet = opt.quiet, progress = opt.progress }

local lines, of_run = { COLUMNS }, {}
for _, i in ipairs(wanted) do of_run[i] = true end
for i, row in ipairs(sweep:table().trials) do
  local before = old[key_of(settings[i])]
  local values = of_run[i] and figures(row, before) or before or { "", "", "" }
  lines[#lines + 1] = ("| %s | %s |"):format(key_of(settings[i]), table.concat(values, " | "))
end
lines[#lines + 1] = ("\n%s, the first 90 %% to train on; %d layers of %d, Adam %g, dropout %g, %d updates of %d x %d "
  .. "characters, seed %d; %d thread%s, kernels `%s`.\n"):format(data:match "[^/]*$", opt.num_layers, opt.hidden_size,
  opt.lr, opt.dropout, opt.max_steps, opt.batch_size, opt.seq_len, opt.seed, opt.threads,
  opt.threads == 1 and "" or "s", rondo.features().kernels:match "^%w+")
local text = table.concat(lines, "\n")
assert(marked.put(opt.into, NAME, text))
io.stdout:write(text)
return failed > 0 and errors.BROKEN or 0
