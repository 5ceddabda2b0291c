-- commands.lua - the subcommands of `rondo` with their arguments and options, as their parsers have them.
-- SPDX-License-Identifier: MIT
local cli = require "rondo.cli"
local args = require "rondo.args"
local places = require "rondo.places"
local reference = require "rondo.reference"

-- What an argument of this name is, for completion.
local KINDS = { run = "run", path = "run", file = "file", name = "data_set", what = "choice", part = "text",
  script = "script", topic = "topic", data = "file", text = "file",
  capsule = "file" }
-- The same for an option that takes a value.
local OPTION_KINDS = { ["--run-dir"] = "run", ["--init-from"] = "run", ["--config"] = "script", ["--plugin"] = "plugin",
  ["--data"] = "file", ["--catalog"] = "script", ["--output"] = "file", ["--into"] = "file" }

-- The parser of a command: the command is called with a cli that stops where it would parse.
local function parser_of(name)
  local found
  local stand_in = setmetatable({ parse = function(parser)
    found = parser
    error "found"
  end }, { __index = cli })
  pcall(cli.command(name), {}, stand_in)
  return found
end

local function from_parser(parser)
  local options, arguments = {}, {}
  for _, option in ipairs(parser._options) do
    local takes = (option._maxargs or 0) > 0
    local argname = takes and (type(option._argname) == "table" and option._argname[1] or option._argname)
    options[#options + 1] = { names = option._public_aliases, help = option._description, choices = option._choices,
      takes = takes and (argname or "<text>") or nil }
  end
  for _, argument in ipairs(parser._arguments) do
    if not argument._hidden then
      arguments[#arguments + 1] = { name = argument._name, help = argument._description, choices = argument._choices,
        kind = argument._choices and "choice" or KINDS[argument._name] or "text", many = argument._maxargs > 1,
        optional = argument._minargs == 0 }
    end
  end
  return options, arguments
end

local ARGNAMES = { string = "<text>", int = "<n>", real = "<x>" }

-- Options of a recipe, in the form of a parser's: what it gives to rondo.args.
local function from_recipe(name)
  local rondo = require "rondo"
  local given
  local before = rondo.args
  rondo.args = function(list)
    given = list
    error "found"
  end
  pcall(assert(loadfile(("%s/scripts/%s.lua"):format(places.share(), name))))
  rondo.args = before
  local own, common = args.specs_of(given)
  local options = { { names = { "-h", "--help" }, help = "show this and end" } }
  for _, spec in ipairs(table.move(common, 1, #common, #own + 1, own)) do
    local off = spec.kind == "bool" and spec.def == true
    local help, default = spec.help or spec.name:gsub("_", " "), spec.kind ~= "bool" and reference.default(spec) or ""
    options[#options + 1] = { names = { (off and "--no-" or "--") .. spec.name:gsub("_", "-") }, choices = spec.choices,
      help = default == "" and help or ("%s (default %s)"):format(help, default),
      takes = ARGNAMES[spec.kind] }
  end
  return options
end

local HELP = { names = { "-h", "--help" }, help = "show this and end" }
local by_hand = {}

function by_hand.run()
  return { HELP, { names = { "--traceback" }, help = "show where in the code an error was raised" } },
    { { name = "script", help = "a Lua file; what follows are its own options", kind = "script" } }
end

function by_hand.plan()
  return { HELP }, { { name = "subject", help = "a Lua file, or a run folder; what follows are the script's options",
    kind = "script" } }
end

function by_hand.train()
  return from_recipe "text_generation", { { name = "file", help = "a text", kind = "file" } }
end

-- Every command: { name =, usage =, help =, options =, arguments = }.
local function commands()
  local list = {}
  for i, command in ipairs(cli.commands) do
    local name = command[1]
    local options, arguments
    if by_hand[name] then
      options, arguments = by_hand[name]()
    else
      options, arguments = from_parser(assert(parser_of(name), name .. ": its parser was not found"))
    end
    if name == "plugins" then
      arguments[1].kind = "plugin_or_word"
    elseif name == "bench" then
      arguments[1].kind, arguments[1].choices = "choice", cli.bench_subjects()
    elseif name == "race" then
      arguments[1].kind, arguments[1].choices = "choice", require("rondo.native").cells()
    end
    for _, option in ipairs(options) do
      option.kind = option.choices and "choice" or OPTION_KINDS[option.names[#option.names]] or "text"
    end
    list[i] = { name = name, usage = command[2], help = command[3], options = options, arguments = arguments }
  end
  return list
end

return { commands = commands }
