-- cli/bench.lua - rondo bench [CELL|SHAPE]: how fast training, inference and sampling are, and what that is of the
-- machine.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local json = require "rondo.json"

local TASKS = { "train", "infer", "sample" }

local function options(cli)
  local parser = cli.parser("bench", "Measures whole training steps (gradients set to zero, forward, loss, backward, "
    .. "clipping, Adam), inference or sampling, through the surface that a script uses, beside what the machine can do "
    .. "in the same minute. Shapes: charnn (one-hot 65, 2 x 128, batch 50, 50 steps), char512 (2 x 512, 64, 100), "
    .. "tftext (embedding 256, 1 x 1024, 64, 100), series (14 features, 1 x 64, 32, 96, one number after the last "
    .. "step), b1 (one step of one row, 2 layers of 128, 512 and 1024).")
  parser:argument("subject", "a shape, for LSTM and GRU, or a cell, on charnn beside them; without one: every shape")
    :args "?"
  parser:option("--task", "train, infer or sample (a symbol, drawn); b1 without it: infer and sample"):argname "<task>"
    :choices(TASKS)
  parser:option("--cell", "only this cell"):argname "<name>"
  local function size(option, most, help)
    parser:option(option, help):argname "<n>":convert(cli.number(option, "int", 1, most))
      :hidden_name((option:gsub("^(%-%-%l+)%-", "%1_")))
  end
  size("--hidden-size", 65536, "width of the state, in place of the shape's")
  size("--batch-size", 1 << 20, "rows of a batch")
  size("--seq-len", 1 << 24, "steps of a sequence")
  size("--num-layers", 256, "recurrent layers")
  parser:option("--threads", "worker threads; 0: one per CPU"):argname "<n>"
    :convert(cli.number("--threads", "int", 0, 256))
  parser:option("--kernel", "use only this kernel backend (and scalar)"):argname "<text>"
  parser:option("--seconds", "how long each case is measured (default 2)"):argname "<x>":default(2.0)
    :convert(cli.number("--seconds", "real", 0, 3600))
  parser:flag("--profile", "also what the time goes into, by kind of work")
  parser:flag("--json", "one JSON object for each case")
  cli.plugin_option(parser)
  return parser
end

local function is_one_of(name, list)
  for _, each in ipairs(list) do
    if each == name then
      return true
    end
  end
  return false
end

-- The cell of this name, or the program ends.
local function check_cell(cli, name)
  local cell, message = require("rondo.cells").find(name)
  if not cell then
    errors.stop(errors.USAGE, "bench: " .. cli.with_plugin_hint(message))
  end
  return name
end

-- Shapes and cells that were asked for.
local function asked(o, core, cli)
  local shapes = cli.bench_shapes
  local all = { "lstm", "gru" }
  if not o.subject or is_one_of(o.subject, shapes) then
    return o.subject and { o.subject } or shapes, o.cell and { check_cell(cli, o.cell) } or all
  elseif o.cell then
    errors.stop(errors.USAGE, ("bench: '%s' is not one of the shapes %s"):format(o.subject, table.concat(shapes, ", ")))
  elseif not require("rondo.cells").find(o.subject) then
    local near = core.nearest(o.subject, cli.bench_subjects())
    errors.stop(errors.USAGE, ("bench: '%s' is neither a cell nor one of the shapes %s%s"):format(o.subject,
      table.concat(shapes, ", "), near and (" (did you mean '%s'?)"):format(near) or "; --plugin FILE loads more"))
  end
  local cells = { o.subject }
  for _, name in ipairs(all) do
    if name ~= o.subject then
      cells[#cells + 1] = name
    end
  end
  return { "charnn" }, cells
end

-- Lists of cases that differ in their cell alone.
local function groups_of(o, shape_names, cells)
  local bench = require "rondo.bench"
  local groups = {}
  for _, name in ipairs(shape_names) do
    local shape = bench.shapes[name]
    for _, width in ipairs(o.hidden_size and { o.hidden_size } or shape.widths or { shape.hidden }) do
      for _, task in ipairs(o.task and { o.task } or shape.tasks) do
        local group = {}
        for k, cell in ipairs(cells) do
          group[k] = bench.case(name, { cell = cell, task = task, hidden = width, batch = o.batch_size,
            steps = o.seq_len, layers = o.num_layers })
          local why = bench.why_not(group[k])
          if why then
            errors.stop(errors.USAGE, "bench: " .. why)
          end
        end
        groups[#groups + 1] = group
      end
    end
  end
  return groups
end

local function time_text(ms)
  return ms < 1 and ("%.1f us"):format(1e3 * ms) or ms < 1e4 and ("%.2f ms"):format(ms) or ("%.2f s"):format(ms / 1e3)
end

local LINE = "%-7s %-8s %-10s %5s %5s %5s %2s %11s %11s %10s %8s %6s %8s %7s\n"

local function heading()
  io.stdout:write(LINE:format("task", "shape", "cell", "H", "B", "T", "L", "median", "best", "tokens/s", "GFLOP/s",
    "peak", "ns/unit", "of lstm"))
end

local function show(r)
  io.stdout:write(LINE:format(r.task, r.shape, r.cell, r.H, r.B, r.T, r.layers, time_text(r.ms), time_text(r.ms_best),
    ("%.0f"):format(r.tok_s), ("%.1f"):format(r.gflops), r.ratio and ("%.0f %%"):format(100 * r.ratio) or "-",
    ("%.3f"):format(r.ns_unit), r.of_lstm and ("%.2f"):format(r.of_lstm) or "-"))
  io.stdout:flush()
end

local function show_profile(r)
  for _, work in ipairs(r.profile or {}) do
    io.stdout:write(("    %5.1f %%  %-32s %s%s\n"):format(100 * work.share, work.name, time_text(work.ms),
      work.gflops and (", %.1f GFLOP/s"):format(work.gflops) or ""))
  end
end

local function machine_line(core, peak)
  io.stdout:write(("\n%s kernels, %d thread%s; peak of this machine: %s, memory read at %.1f GB/s\n"):format(
    core.kernels(), core.threads(), core.threads() == 1 and "" or "s",
    peak > 0 and ("%.1f GFLOP/s"):format(peak) or "not known here", core.read_bandwidth()))
  io.stdout:write(("%.1f MB of native memory at most. Shares are of the peak measured around each case;\n"
    .. "ns/unit: of one unit of one layer in one step. of lstm: best times, measured in turn.\n")
    :format(1e-6 * core.memory().peak_bytes))
end

return function(arguments, cli)
  local o = cli.parse(options(cli), arguments)
  require("rondo.plugins").load_from(arguments)
  local core = require "rondo.native"
  if o.threads then
    core.threads(o.threads)
  end
  local bench = require "rondo.bench"
  local groups = groups_of(o, asked(o, core, cli))
  local peak, bandwidth = 0, o.json and core.read_bandwidth()
  if not o.json then
    heading()
  end
  for _, group in ipairs(groups) do
    local busy = require("rondo.progress").busy "measuring"
    local results = bench.run(group, o.seconds, o.profile)
    busy:close()
    for _, r in ipairs(results) do
      peak = math.max(peak, r.peak)
      if o.json then
        r.bandwidth = bandwidth
        io.stdout:write(json.encode(r, { "task", "shape", "cell", "threads", "H", "B", "T", "layers" }), "\n")
        io.stdout:flush()
      else
        show(r)
        show_profile(r)
      end
    end
  end
  if not o.json then
    machine_line(core, peak)
  end
  return 0
end
