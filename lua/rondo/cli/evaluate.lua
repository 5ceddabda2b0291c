-- cli/evaluate.lua - rondo evaluate RUN FILE: how likely a model finds a text; how far a forecast is from what came.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local json = require "rondo.json"

local function options(cli)
  local parser = cli.parser("evaluate", "Figures of a trained model (the best checkpoint of a run folder) on new "
    .. "data. Of a model of text: nats, bits per character, perplexity per symbol; the text is read as the model was "
    .. "trained, as one stream, or each line or document by itself. Of a forecaster: the table of errors beside the "
    .. "baselines.")
  parser:argument("run", "run folder or checkpoint file")
  parser:argument("file", "text file (- is stdin), or the table of a series")
  parser:flag("--per-line", "of a text also the figures of each line (of documents: of each document)")
    :hidden_name "--per_line"
  parser:option("--unit", "of a text: stream, line or document, what is read from a fresh state"):argname "<unit>"
    :choices { "stream", "line", "document" }
  parser:option("--threads", "worker threads; 0: one per CPU"):argname "<n>"
    :convert(cli.number("--threads", "int", 0, 256))
  cli.precision_option(parser)
  parser:option("--test", "of a series the rows at its end that are evaluated: a share below 1, or so many; default: "
    .. "as for the run's own test"):argname "<x>":convert(cli.number("--test", "real", 0, 1 << 40))
  parser:option("--metric", "of a series, what decides: rmse, mae, mase or pinball"):argname "<name>"
    :choices { "rmse", "mae", "mase", "pinball" }
  parser:option("--paths", "of a series: futures that are sampled of distributions (default 200)"):argname "<n>"
    :convert(cli.number("--paths", "int", 2, 65535))
  parser:flag("--require-skill", "of a series: status 5 where the best baseline is not beaten by more than the spread")
    :hidden_name "--require_skill"
  parser:flag("--json", "one JSON object; with --per-line one for each line before it")
  cli.plugin_option(parser)
  return parser
end

-- Standard input as a file, since texts are mapped; it is removed as soon as it is open.
local function spooled()
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  for block in function() return io.read(1 << 16) end do
    if not file:write(block) then
      os.remove(path)
      errors.stop(errors.DATA, path .. ": standard input does not fit here")
    end
  end
  file:close()
  return path
end

local function per_line(as_json)
  if as_json then
    return function(figures)
      figures.text = json.valid(figures.text)
      io.stdout:write(json.encode(figures, { "line", "text" }), "\n")
    end
  end
  io.stdout:write(("%6s %12s %9s %11s  %s\n"):format("line", "nats", "bits/char", "perplexity", "text"))
  return function(figures)
    io.stdout:write(("%6d %12.3f %9.4f %11.4g  %s\n"):format(figures.line, figures.nats, figures.bits_per_char,
      figures.perplexity, (figures.text:gsub("\n", " "))))
  end
end

local function show(figures)
  io.stdout:write(("%s: %d symbols, %d characters, read as %s\n"):format(figures.path, figures.symbols,
    figures.characters, figures.unit == "stream" and "one stream" or figures.unit .. "s"))
  io.stdout:write(("nats           %.4f (%.4f per symbol, of %d)\n"):format(figures.nats, figures.loss,
    figures.counted))
  io.stdout:write(("bits per char  %.4f\nperplexity     %.4f\n"):format(figures.bits_per_char, figures.perplexity))
  local full = figures.float32
  if full then
    io.stdout:write(("%-14s %+.5f nats per symbol, %+.5f bits per char beside float32 (%.4f, %.4f)\n"):format(
      figures.precision, figures.loss - full.loss, figures.bits_per_char - full.bits_per_char, full.loss,
      full.bits_per_char))
  end
end

local TEXT_ONLY, SERIES_ONLY = { "per_line", "unit" }, { "test", "metric", "paths", "require_skill" }

-- Is this the run of a forecaster, or a folder of such?
local function is_series(path)
  local core = require "rondo.core"
  local folders = core.stat(path .. "/checkpoints") and {} or core.listdir(path) or {}
  for _, name in ipairs(folders) do
    if name:find "^seed%-%d+$" then
      return true
    end
  end
  local ckpt = require("rondo").load(path)
  return ckpt and require("rondo.forecast.runs").is_series(ckpt)
end

local function refuse(o, names, what)
  for _, name in ipairs(names) do
    if o[name] then
      errors.stop(errors.USAGE, ("%s %s: --%s is of no use"):format(o.run, what, (name:gsub("_", "-"))))
    end
  end
end

-- The figures that tell what the precision costs.
local function in_float32(model, text, unit)
  require("rondo.native").precision "float32"
  local all = model:evaluate(text, { unit = unit })
  return { nats = all.nats, loss = all.loss, bits_per_char = all.bits_per_char, perplexity = all.perplexity }
end

-- The text in a file, read by the vocabulary of a checkpoint.
local function open(o, ckpt)
  local path = o.file == "-" and spooled() or o.file
  local text, message, code = require("rondo").data.Text.open(path, { vocab = ckpt.vocab })
  if path ~= o.file then
    if text then
      text.file, text.path = assert(io.open(path, "rb")), "stdin"
    else
      message = message:gsub(path:gsub("%p", "%%%0"), "stdin")
    end
    os.remove(path) -- what is open stays readable
  end
  if not text then
    errors.stop(code, message)
  end
  return text
end

return function(arguments, cli)
  local o = cli.parse(options(cli), arguments)
  require("rondo.plugins").load_from(arguments)
  if o.threads then
    require("rondo.native").threads(o.threads)
  end
  cli.set_precision(o)
  if is_series(o.run) then
    refuse(o, TEXT_ONLY, "is of a series")
    return require "rondo.cli.evaluate_series"(o, cli)
  end
  local model, ckpt = require "rondo.cli.text_model"(cli, o.run)
  refuse(o, SERIES_ONLY, "is of no series")
  local text = open(o, ckpt)
  local figures = model:evaluate(text, { unit = o.unit, on_line = o.per_line and per_line(o.json) or nil })
  figures.path, figures.checkpoint = text.path, ckpt.path
  if o.precision ~= "float32" then
    figures.precision, figures.float32 = o.precision, in_float32(model, text, o.unit)
  end
  if o.json then
    io.stdout:write(json.encode(figures, { "path", "nats" }), "\n")
  else
    show(figures)
  end
  return 0
end
