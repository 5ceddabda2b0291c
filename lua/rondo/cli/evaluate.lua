-- cli/evaluate.lua - rondo evaluate RUN FILE: how likely a model finds a text.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local json = require "rondo.json"

local function options(cli)
  local parser = cli.parser("evaluate", "Log-probability of a text under a trained model (the best checkpoint of a run "
    .. "folder): nats, bits per character, perplexity per symbol. The text is read as the model was trained: as one "
    .. "stream, or each line or document by itself.")
  parser:argument("run", "run folder or checkpoint file")
  parser:argument("file", "text file; - is stdin")
  parser:flag("--per-line", "also the figures of each line (of documents: of each document)")
    :hidden_name "--per_line"
  parser:option("--unit", "stream, line or document: what is read from a fresh state"):argname "<unit>"
    :choices { "stream", "line", "document" }
  parser:option("--threads", "worker threads; 0: one per CPU"):argname "<n>"
    :convert(cli.number("--threads", "int", 0, 256))
  cli.precision_option(parser)
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
  local model, ckpt = require "rondo.cli.text_model"(cli, o.run)
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
