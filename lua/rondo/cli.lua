-- cli.lua - the command `rondo`: picks the subcommand, turns errors into one sentence and an exit code.
--
-- Results go to stdout, everything else to stderr. Exit codes: 0 done; 1 the script raised; 2 usage; 3 data or
-- checkpoint unreadable; 4 diverged; 5 done, but what was asked for does not hold (a plugin breaks a rule, trials
-- failed); 75 stopped by a signal with a checkpoint; 130 Ctrl-C with a checkpoint.
-- SPDX-License-Identifier: MIT
local command_line = require "rondo.command_line"
local errors = require "rondo.errors"
local plain = require "rondo.plain"

local cli = {}

local HELP = "help was asked for"
local EPIPE = 32

local commands = {
  { "run", "run SCRIPT [--option value ...]", "run a Lua script with require \"rondo\"" },
  { "train", "train FILE [--option value ...]", "train the recipe for this kind of file" },
  { "plan", "plan SCRIPT|RUN [--option value ...]", "what memory a script's training takes, and how little would do" },
  { "sample", "sample RUN [--prompt TEXT ...]", "write text from a trained model" },
  { "forecast", "forecast RUN --data FILE [-o x.svg]", "what comes behind the last row of a table" },
  { "evaluate", "evaluate RUN FILE [--per-line]", "how likely a model finds a text, how good forecasts are" },
  { "plot", "plot RUN... [-o x.svg|x.png]", "curves of runs, also of those being trained; in the terminal without -o" },
  { "diagnose", "diagnose RUN [DATA] [-o x.svg|x.png]", "how far back the gradient of a model reaches" },
  { "bptt", "bptt --explain | --dot", "backpropagation through time on three steps, with every number" },
  { "replay", "replay CAPSULE", "the update that was not finite once more: what came first" },
  { "report", "report RUN...|SWEEP [-o FILE]", "one HTML file: curves, options, samples, forecasts, a sweep's table" },
  { "watch", "watch RUN...", "a training as a screen in the terminal, drawn anew each second" },
  { "verify", "verify RUN [--stretches N]", "stretches of a training once more: the same bits, or what differs" },
  { "info", "info FILE|RUN [--json]", "what is in a checkpoint" },
  { "data", "data list|get NAME [PART]", "data sets to train on: what there is, and the path of one" },
  { "bench", "bench [CELL|SHAPE] [--task TASK ...]", "how fast it is here, and what that is of the machine" },
  { "sweep", "sweep SCRIPT --option VALUES ... [--jobs N]", "many settings of a script's options, and which is best" },
  { "runs", "runs [--where CONDITION] [--sort COLUMN]", "the ledger of runs, asked by options and figures" },
  { "race", "race [CELL ...] [--budget TIME ...]", "cells on the classic tasks, of equal size: tables" },
  { "check", "check FILE.c|FILE.so|FOLDER ...", "does a plugin keep the rules: gradients, bits, memory and all" },
  { "plugins", "plugins [install FILE | remove NAME]", "what plugins were found and refused, and why" },
  { "new-cell", "new-cell NAME", "write a folder with a cell that works, to be edited" },
  { "new-kernel", "new-kernel NAME", "the same with a backend of matrix products" },
  { "new-layer", "new-layer NAME", "the same with a layer that computes whole sequences" },
  { "compile-cell", "compile-cell FILE.lua [-o FILE.c]", "the C source of a cell that is written as equations" },
  { "env", "env", "shell lines that make this rondo the one that is found" },
  { "help", "help [COMMAND|LAYER|...]", "this, or the options of a command, layer, cell, optimizer, loss" },
}

local function overview()
  local lines = { "rondo trains and runs recurrent neural networks on ordinary CPUs.", "", "Usage:" }
  for _, command in ipairs(commands) do
    lines[#lines + 1] = ("  rondo %-34s %s"):format(command[2], command[3])
  end
  lines[#lines + 1] = ""
  lines[#lines + 1] = "Every command takes --help. `rondo --version` says which this is; `rondo` alone is a prompt."
  return table.concat(lines, "\n")
end
cli.overview = overview

cli.commands = commands

function cli.command_names()
  local names = {}
  for i, command in ipairs(commands) do
    names[i] = command[1]
  end
  return names
end

-- The function of a subcommand. Those that write a plugin's folder share a file.
function cli.command(name)
  local kind = name:match "^new%-(%l+)$"
  return kind and require("rondo.cli.new")[kind] or require("rondo.cli." .. name:gsub("%-", "_"))
end

-- An argparse parser for a subcommand whose --help ends the program and whose errors are usage errors.
function cli.parser(name, description)
  local parser = require "argparse"("rondo " .. name, description):add_help(false)
  parser:flag "-h --help":description "show this and end":action(function()
    error(HELP, 0) -- leaves argparse, whatever else is on the command line
  end)
  return parser
end

function cli.parse(parser, arguments)
  command_line.take_extra(parser)
  local whole, ok, result = pcall(parser.pparse, parser, command_line.joined(arguments))
  local why = whole and (ok and command_line.extra(result) or not ok and command_line.sentence(result))
  if not whole and ok:sub(1, #HELP) == HELP then
    io.stdout:write(parser:get_help(), "\n")
    errors.stop(0)
  elseif not whole then
    error(ok, 0)
  elseif why then
    errors.stop(errors.USAGE, ("%s (--help lists what it takes)"):format(why))
  end
  if result.quiet or result.progress == "none" or result.progress == "lines" then
    require("rondo.progress").silence()
  end
  return result
end

-- Text from the world for option `name`: an integer or a number in a range.
function cli.number(name, kind, low, high)
  return function(text)
    local n = tonumber(text)
    n = n and (kind == "int" and math.tointeger(n) or kind == "real" and n)
    if not n or n ~= n or n < low or n > high then
      return nil, ("%s must be %s %s..%s, got '%s'"):format(name, kind == "int" and "an integer" or "a number",
        ("%.14g"):format(low), ("%.14g"):format(high), text)
    end
    return n
  end
end

-- Gives a parser --plugin FILE; what it loads is there before the model is built.
function cli.plugin_option(parser)
  parser:option("--plugin", "load a plugin, or a Lua file of cells, first (may be repeated)"):argname "FILE":count "*"
end

-- --precision of a trained model, and what it does.
function cli.precision_option(parser)
  parser:option("--precision", "numbers that enter the products of layers: float32, bf16, or int8 in recurrent layers")
    :argname "<name>":choices { "float32", "bf16", "int8" }:default "float32"
end

function cli.set_precision(o)
  local ok, why = pcall(require("rondo.native").precision, o.precision)
  if not ok then
    errors.stop(errors.USAGE, ("--precision %s: %s"):format(o.precision, errors.bare(why)))
  end
end

function cli.with_plugin_hint(message)
  return message:find "cell '[^']*' is unknown" and message .. "; --plugin FILE loads more" or message
end

cli.bench_shapes = { "charnn", "char512", "tftext", "series", "b1" }

-- What `rondo bench` takes: shapes and cells.
function cli.bench_subjects()
  local list = require("rondo.cells").names()
  return table.move(list, 1, #list, #cli.bench_shapes + 1, table.move(cli.bench_shapes, 1, #cli.bench_shapes, 1, {}))
end

-- What a failed command shows: one sentence for a user's mistake; a traceback only where it was asked for.
local function handler(message)
  if errors.is_stop(message) then
    return message
  end
  local text = message
  if type(message) ~= "string" then
    local meta = getmetatable(message)
    text = type(meta) == "table" and meta.__tostring and tostring(message)
      or ("error object is a %s"):format(type(message))
  end
  local code = errors.code_of(message)
  if code ~= errors.SCRIPT then
    text = errors.last.message -- of the world, not of the script's line
  end
  return { text = text, code = code, traceback = debug.traceback(nil, 2) }
end

-- The exit code where stdout took nothing more; a reader that went away is no news.
function cli.output_failed(message, number)
  if number ~= EPIPE then
    io.stderr:write("rondo: cannot write to standard output: ", message, "\n")
  end
  return errors.SCRIPT
end

-- A message for people: what names and values hold cannot draw on the terminal.
local function say(what, message)
  io.stderr:write(what, plain(message, true), "\n")
end

local function finish(ok, result, with_traceback)
  local flushed, message, number = io.stdout:flush()
  if ok then
    return flushed and (math.tointeger(result) or 0) or cli.output_failed(message, number)
  end
  if errors.is_stop(result) then
    if result.message then
      say("rondo: ", result.message)
    end
    return result.code
  end
  if type(result) ~= "table" then -- no handler is called where there is no memory
    say("rondo: ", tostring(result))
    return errors.SCRIPT
  end
  say("rondo: ", result.text)
  if with_traceback then
    io.stderr:write(result.traceback, "\n")
  end
  return result.code
end

local function dispatch(name, arguments)
  if name == nil then
    local core = require "rondo.core"
    if core.isatty(0) and core.isatty(1) then
      return require("rondo.repl").start()
    end
    io.stderr:write(overview(), "\n")
    return errors.USAGE
  elseif name == "--help" or name == "-h" then
    io.stdout:write(overview(), "\n")
    return 0
  elseif name == "--version" then
    io.stdout:write("rondo ", require("rondo.core").VERSION, "\n")
    return 0
  end
  for _, command in ipairs(commands) do
    if command[1] == name then
      return cli.command(name)(arguments, cli)
    end
  end
  local names = cli.command_names()
  table.move({ "--help", "--version" }, 1, 2, #names + 1, names)
  local near = require("rondo.core").nearest(name, names)
  errors.stop(errors.USAGE, ("unknown command '%s'%s"):format(name, near and (" (did you mean '%s'?)"):format(near)
    or "; `rondo help` lists them"))
end

-- Runs the command line `argv` (argv[0] is the program); returns the exit status.
function cli.main(argv)
  errors.caught = true
  errors.on_notice = function(message) say("note: ", message) end
  local arguments = table.move(argv, 2, #argv, 1, {})
  local with_traceback = false
  for i = #arguments, 1, -1 do
    if arguments[i] == "--traceback" then
      with_traceback = true
      table.remove(arguments, i)
    end
  end
  local ok, result = xpcall(dispatch, handler, argv[1], arguments)
  return finish(ok, result, with_traceback)
end

return cli
