-- cli/help.lua - rondo help: the overview, a command's help, or the options of a layer, cell, optimizer, loss ...
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"

local function show_options(reference, title, specs)
  print("\n" .. title)
  for _, spec in ipairs(specs) do
    local default = reference.default(spec)
    local after = default == "" and "" or default == "required" and " (required)" or (" (default %s)"):format(default)
    print(("  %-18s %-24s %s%s"):format(spec.name, reference.range(spec), spec.help or "", after))
  end
  if #specs == 0 then
    print("  none")
  end
end

local titles = { cells = "Options of the cell:", plugin_layers = "Options of the layer:" }

local function show(reference, topics, topic)
  local call = topic.path:find "[{(]" and topic.path or topic.path .. " { ... }"
  print(("%s: %s"):format(call, topic.help or ""))
  show_options(reference, titles[topic.group] or "Options:", topic.specs)
  if #topic.positional > 0 then
    print(("\nIn order, without names: { %s }"):format(table.concat(topic.positional, ", ")))
  end
  if topic.of then
    show_options(reference, topic.of == "RNN" and "Options of every recurrent layer:" or "Options of every such layer:",
      reference.find(topics, topic.of).specs)
  end
end

-- What a cell of a plugin is made of: its states and parameters at some small size.
local function show_cell(cell)
  local rondo = require "rondo"
  local made, layer = pcall(require("rondo.random").undisturbed, rondo.RNN, { cell = cell.name, input_size = 3,
    hidden_size = 8 })
  if made then
    print "\nStates and parameters, with input_size = 3 and hidden_size = 8:"
    local core_layer = layer.stack[1]
    for i, state in ipairs(core_layer:states()) do
      print(("  %-18s (%d)%s"):format(state[1], state[2], i == 1 and ", the output" or ""))
    end
    for _, entry in ipairs(core_layer:parameters()) do
      print(("  %-18s (%s)%s"):format(entry[1], table.concat(entry[2]:size(), ", "),
        entry[2].requires_grad and "" or ", constant"))
    end
  end
end

-- Where a cell or layer comes from.
local function show_origin(found)
  local p = found.plugin
  print(("\n%s, revision %d; of the plugin %s %s (%s, %s)\n  %s"):format(found.name, found.revision, p.name, p.version,
    p.license, p.origin, p.path))
  if not found.trainable then
    print "  It cannot be trained: it has no backward function."
  end
end

return function(arguments, cli)
  local parser = cli.parser("help", "Shows the options of a command, layer, cell, optimizer, loss, schedule, callback.")
  parser:argument("topic", "a command, layer, cell, optimizer, loss ..."):args "?"
  cli.plugin_option(parser)
  local wanted = cli.parse(parser, arguments).topic
  require("rondo.plugins").load_from(arguments)
  if not wanted then
    print(cli.overview())
    return 0
  end
  local names = cli.command_names()
  for _, name in ipairs(names) do
    if name == wanted then
      return cli.command(name)({ "--help" }, cli)
    end
  end
  local reference = require "rondo.reference"
  local topics = reference.topics()
  local topic = reference.find(topics, wanted)
  if topic then
    show(reference, topics, topic)
    local native = require "rondo.native"
    local cell = native.cell(topic.name)
    if cell then
      show_cell(cell)
    end
    local brought = cell or native.layer(topic.name)
    if brought then
      show_origin(brought)
    end
    return 0
  end
  local known = table.move(names, 1, #names, 1, {})
  for _, each in ipairs(topics) do
    known[#known + 1] = each.name
  end
  local near = require("rondo.core").nearest(wanted, known)
  errors.stop(errors.USAGE, ("help: there is nothing called '%s'%s"):format(wanted, near and
    (" (did you mean '%s'?)"):format(near) or "; --plugin FILE loads more; there is " .. table.concat(known, ", ")))
end
