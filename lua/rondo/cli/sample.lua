-- cli/sample.lua - rondo sample RUN: text to stdout as it is made.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"

-- The share of --top-p; none at all would leave no symbol to choose.
local function share(cli)
  local number = cli.number("--top-p", "real", 0, 1)
  return function(text)
    local n, why = number(text)
    if n == 0 then
      return nil, "--top-p must be more than 0; 1 is all symbols, --greedy the likeliest alone"
    end
    return n, why
  end
end

local function options(cli)
  local parser = cli.parser("sample", "Writes text from a trained model (the best checkpoint of a run folder).")
  parser:argument("run", "run folder or checkpoint file")
  parser:option("--prompt", "text to go on from; - reads it from stdin"):argname "<text>":default ""
  parser:option("--length", "symbols to write"):argname "<n>":default "400"
    :convert(cli.number("--length", "int", 0, 1 << 40))
  parser:option("--temperature", "below 1 safer, above 1 wilder; 0 is greedy"):argname "<x>":default "1"
    :convert(cli.number("--temperature", "real", 0, 100))
  parser:option("--top-k", "only the n likeliest symbols; 0: all"):argname "<n>":default "0":hidden_name "--top_k"
    :convert(cli.number("--top-k", "int", 0, 1 << 24))
  parser:option("--top-p", "only the likeliest symbols that hold this share"):argname "<x>":default "1"
    :hidden_name "--top_p":convert(share(cli))
  parser:flag("--greedy", "always the likeliest symbol")
  parser:option("--seed", "drawn and printed when not given"):argname "<n>"
    :convert(cli.number("--seed", "int", 0, 0xffffffff))
  parser:option("--threads", "worker threads; 0: one per CPU"):argname "<n>"
    :convert(cli.number("--threads", "int", 0, 256))
  parser:flag("--quiet", "print nothing but the text")
  cli.plugin_option(parser)
  return parser
end

local function load_model(cli, run)
  local rondo = require "rondo"
  local ckpt, message, code = rondo.load(run)
  if not ckpt then
    errors.stop(code, message)
  end
  local model
  model, message = require("rondo.checkpoint").rebuild(ckpt.opened)
  if not model then
    errors.stop(errors.DATA, cli.with_plugin_hint(message))
  elseif not ckpt.vocab then
    errors.stop(errors.DATA, ("%s: holds no vocabulary, so it is no model of text"):format(ckpt.path))
  end
  return model, ckpt
end

return function(arguments, cli)
  local o = cli.parse(options(cli), arguments)
  require("rondo.plugins").load_from(arguments)
  if o.threads then
    require("rondo.native").threads(o.threads)
  end
  local model, ckpt = load_model(cli, o.run)
  local prompt = o.prompt == "-" and io.read "a" or o.prompt
  if prompt ~= "" then
    local ids, message = ckpt.vocab:encode(prompt)
    if not ids then
      errors.stop(errors.USAGE, "--prompt: " .. message)
    end
  end
  local pieces, seed = model:generate { prompt = prompt, length = o.length, temperature = o.temperature,
    top_k = o.top_k, top_p = o.top_p, greedy = o.greedy or false, seed = o.seed }
  if not o.seed and not o.quiet and not o.greedy and o.temperature > 0 then
    io.stderr:write(("%s, step %s, seed %d\n"):format(ckpt.path, tostring(ckpt.step or "?"), seed))
  end
  for piece in pieces do
    local _, message, number = io.stdout:write(piece)
    if not message then
      _, message, number = io.stdout:flush()
    end
    if message then
      return cli.output_failed(message, number)
    end
  end
  io.stdout:write("\n")
  return 0
end
