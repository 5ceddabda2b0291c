-- args.lua - rondo.args: a script's options from one table of defaults.
--
-- A default gives name and type: 20 an integer, 2e-3 a number, "x" a text, false a flag, {} a repeatable
-- option, { "lstm", choices = list } one of a list, { required = true } must be given. On the command line
-- hidden_size is --hidden-size or --hidden_size. Order of precedence: command line, --config, defaults.
-- SPDX-License-Identifier: MIT
local command_line = require "rondo.command_line"
local core = require "rondo.native"
local data_file = require "rondo.data_file"
local errors = require "rondo.errors"
local json = require "rondo.json"
local plugins = require "rondo.plugins"
local progress = require "rondo.progress"
local random = require "rondo.random"

-- Options that every script has. A script that names one gives it another default.
local common = {
  { name = "seed", def = 1, help = "seed of initial values, dropout and shuffling" },
  { name = "threads", kind = "int", min = 0, max = 256, help = "worker threads; 0: one per CPU" },
  { name = "kernel", kind = "string", help = "use only this kernel backend (and scalar)" },
  { name = "precision", def = "float32", choices = { "float32", "bf16" },
    help = "numbers that enter the products of layers" },
  { name = "run_dir", kind = "string", help = "run folder: checkpoints, metrics, log" },
  { name = "resume", def = false, help = "go on from the run folder's last checkpoint" },
  { name = "overwrite", def = false, help = "start anew in a used run folder" },
  { name = "init_from", kind = "string", help = "take the weights of a run folder or checkpoint" },
  { name = "plugin", list = true, help = "load a plugin, or a Lua file of cells (may be repeated)" },
  { name = "epochs", kind = "int", min = 1, help = "passes over the data" },
  { name = "max_steps", kind = "int", min = 1, help = "stop after so many updates" },
  { name = "pause_at", kind = "int", min = 1, help = "stop with a checkpoint after so many updates, as a signal does" },
  { name = "bptt", kind = "string", help = "35 or 35,70: steps between updates, and steps back; full: whole batches" },
  { name = "memory", kind = "string", help = "64MB: what numbers may take; long sequences are cut into segments" },
  { name = "log_every", kind = "int", min = 0, def = 100, help = "updates between two lines of figures" },
  { name = "eval_every", kind = "int", min = 0, def = 0, help = "updates between validations; 0: each epoch" },
  { name = "save_every", kind = "int", min = 0, def = 0, help = "updates between checkpoints; 0: each epoch" },
  { name = "on_nonfinite", def = "stop", choices = { "stop", "rollback" },
    help = "where a number is not finite: end, or back to the last checkpoint with a lower rate" },
  { name = "diagnose_every", kind = "string", help = "updates between two looks at the gradients, or auto" },
  { name = "keep", kind = "int", min = 1, def = 3, help = "checkpoints that stay, the newest, beside the best" },
  { name = "keep_every", kind = "int", min = 0, def = 0,
    help = "updates between checkpoints that stay for ever, beside these; 0: none" },
  { name = "tensorboard", def = false, help = "figures for TensorBoard too, as event files in the run folder" },
  { name = "progress", def = "auto", choices = { "auto", "bar", "lines", "none" }, help = "how progress is shown" },
  { name = "color", def = "auto", choices = { "auto", "always", "never" }, help = "colour on the terminal" },
  { name = "quiet", def = false, help = "show nothing but results" },
  { name = "config", kind = "string", help = "a Lua file that returns a table of options, or a run's config.json" },
}

local function kind_of(value)
  if type(value) == "number" then
    return math.type(value) == "integer" and "int" or "real"
  elseif type(value) == "boolean" then
    return "bool"
  end
  return "string"
end

-- One option from the script's table.
local function spec_of(name, value)
  if type(value) ~= "table" then
    return { name = name, def = value, kind = kind_of(value) }
  end
  local spec = { name = name, def = value[1], choices = value.choices, required = value.required,
    help = value.help, min = value.min, max = value.max }
  spec.list = next(value) == nil or type(spec.def) == "table"
  if spec.list then -- {} or { {}, help = ... }: none at first, and may be repeated
    spec.def = nil
  end
  spec.kind = value.type or (spec.def ~= nil and kind_of(spec.def)) or "string"
  if plugins.is_cell_list(spec.choices) then
    spec.choices, spec.cells = plugins.cells, true
  end
  return spec
end

local function specs_of(given)
  local own, named = {}, {}
  for name, value in pairs(given) do
    if type(name) == "string" then
      own[#own + 1] = spec_of(name, value)
      named[name] = own[#own]
    end
  end
  table.sort(own, function(a, b)
    if (a.required or false) ~= (b.required or false) then
      return a.required or false
    end
    return a.name < b.name
  end)
  for _, spec in ipairs(own) do
    spec.has_opposite = named["no_" .. spec.name] ~= nil
  end
  local rest = {}
  for _, spec in ipairs(common) do
    if not named[spec.name] then
      local copy = {}
      for key, value in pairs(spec) do copy[key] = value end
      copy.kind = copy.kind or kind_of(copy.def)
      rest[#rest + 1] = copy
    else
      local mine = named[spec.name]
      mine.help, mine.min, mine.max = mine.help or spec.help, mine.min or spec.min, mine.max or spec.max
    end
  end
  return own, rest
end

local function number_error(spec, text)
  local what = spec.kind == "int" and "an integer" or "a number"
  local range = spec.min and spec.max and (" %s..%s"):format(spec.min, spec.max)
    or spec.min and (" of at least %s"):format(spec.min) or spec.max and (" of at most %s"):format(spec.max) or ""
  return ("must be %s%s, got '%s'"):format(what, range, tostring(text))
end

-- A text from the command line, or a value from a config file, in the option's type; or nil and a message.
local function convert(spec, value)
  if spec.kind == "int" or spec.kind == "real" then
    local n = tonumber(value)
    n = n and (spec.kind == "int" and math.tointeger(n) or spec.kind == "real" and n + 0.0)
    if not n or n ~= n or (spec.min and n < spec.min) or (spec.max and n > spec.max) then
      return nil, number_error(spec, value)
    end
    return n
  elseif spec.kind == "bool" then
    if type(value) ~= "boolean" then
      return nil, ("must be true or false, got '%s'"):format(tostring(value))
    end
    return value
  elseif type(value) ~= "string" then
    return nil, ("must be a text, got %s"):format(tostring(value))
  end
  for _, choice in ipairs(spec.choices or {}) do
    if choice == value then
      return value
    end
  end
  if spec.choices then
    local near = core.nearest(value, spec.choices)
    return nil, ("must be one of %s, got '%s'%s"):format(table.concat(spec.choices, ", "), value,
      near and (" (did you mean '%s'?)"):format(near) or spec.cells and "; --plugin FILE loads more" or "")
  end
  return value
end

local function help_text(spec)
  local parts = { spec.help or spec.name:gsub("_", " ") }
  if spec.choices then
    parts[#parts + 1] = "(" .. table.concat(spec.choices, ", ") .. ")"
  end
  if spec.required then
    parts[#parts + 1] = "(required)"
  elseif spec.def ~= nil and spec.def ~= false and spec.def ~= "" then
    parts[#parts + 1] = ("(default %s)"):format(spec.kind == "real" and ("%.6g"):format(spec.def) or tostring(spec.def))
  end
  return table.concat(parts, " ")
end

-- The other way of a flag, for those who give every option (a sweep): it says what holds anyway.
local function add_opposite(parser, spec, off)
  local name = (off and "--" or "--no-") .. spec.name:gsub("_", "-")
  parser:flag(name):target(spec.name):hidden(true):action(off and "store_true" or "store_false")
end

local function add_option(parser, spec)
  local kebab = spec.name:gsub("_", "-")
  if spec.kind == "bool" then
    local off = spec.def == true
    local flag = parser:flag((off and "--no-" or "--") .. kebab):target(spec.name):description(help_text(spec))
    flag:action(off and "store_false" or "store_true")
    if kebab ~= spec.name then
      flag:hidden_name((off and "--no_" or "--") .. spec.name)
    end
    if not spec.has_opposite then
      add_opposite(parser, spec, off)
    end
    return flag
  end
  local option = parser:option("--" .. kebab):target(spec.name):argname("<" .. (spec.kind == "string" and "text"
    or spec.kind == "int" and "n" or "x") .. ">"):description(help_text(spec))
  option:convert(function(text)
    local value, why = convert(spec, text)
    return value, why and ("--%s %s"):format(kebab, why)
  end)
  if kebab ~= spec.name then
    option:hidden_name("--" .. spec.name)
  end
  if spec.list then
    option:count "*"
  end
  return option
end

local function usage(message)
  errors.stop(errors.USAGE, message)
end

local function read_table(path)
  local values, message = data_file.read(path)
  if not values then
    usage("--config " .. message)
  end
  return values
end

-- The options of an earlier run from its config.json, but for those that say where a run lies and how it starts.
local function read_run(path)
  local config, message = json.read(path)
  if not config or type(config.options) ~= "table" then
    usage("--config " .. (message or path .. ": this is not the config.json of a run: it has no options"))
  end
  for _, name in ipairs { "run_dir", "resume", "overwrite", "pause_at", "config", "plugin" } do
    config.options[name] = nil
  end
  return config.options
end

local function convert_list(spec, values)
  if type(values) ~= "table" then
    return nil, "must be a list"
  end
  local list = {}
  for i, value in ipairs(values) do
    local converted, why = convert(spec, value)
    if converted == nil then
      return nil, why
    end
    list[i] = converted
  end
  return list
end

-- Values of a config file.
local function read_config(path, by_name)
  local values = (path:find "%.json$" and read_run or read_table)(path)
  local names = {}
  for name in pairs(by_name) do
    names[#names + 1] = name
  end
  local result = {}
  for name, value in pairs(values) do
    local spec = by_name[name]
    if not spec then
      local near = core.nearest(tostring(name), names)
      usage(("--config %s: unknown option '%s'%s"):format(path, tostring(name),
        near and (" (did you mean '%s'?)"):format(near) or ""))
    elseif name == "plugin" or name == "config" then -- data loads no code
      usage(("--config %s: option '%s' is for the command line alone"):format(path, name))
    end
    local converted, why = (spec.list and convert_list or convert)(spec, value)
    if converted == nil then
      usage(("--config %s: %s %s"):format(path, name, why))
    end
    result[name] = converted
  end
  return result
end

-- Every option's value: command line, then config file, then default.
local function settle(specs, typed)
  local by_name, opt = {}, {}
  for _, spec in ipairs(specs) do
    by_name[spec.name] = spec
  end
  local config = typed.config and read_config(typed.config, by_name) or {}
  for _, spec in ipairs(specs) do
    local value = typed[spec.name]
    if value == nil or (spec.list and #value == 0) then
      value = config[spec.name]
    end
    if value == nil then
      value = spec.list and {} or spec.def
    end
    if value == nil and spec.required then
      usage(("option --%s is required%s"):format(spec.name:gsub("_", "-"),
        spec.help and " (" .. spec.help .. ")" or ""))
    end
    opt[spec.name] = value
  end
  return opt
end

local function apply(opt)
  if opt.quiet or opt.progress == "none" or opt.progress == "lines" then
    progress.silence()
  end
  random.manual_seed(opt.seed)
  local started, why = pcall(core.threads, opt.threads)
  if not started then
    usage(("--threads %d: %s"):format(opt.threads, errors.bare(why)))
  end
  if opt.kernel and not ("," .. core.kernels() .. ","):find(opt.kernel, 1, true) then
    local names = {}
    for i, entry in ipairs(core.kernel_list()) do
      names[i] = entry.name .. (entry.why_not and " (" .. entry.why_not .. ")" or "")
    end
    usage(("--kernel %s: not in use here; backends are %s"):format(opt.kernel, table.concat(names, ", ")))
  end
  local known, why_not = pcall(core.precision, opt.precision)
  if not known then
    usage(("--precision %s: %s"):format(opt.precision, errors.bare(why_not)))
  end
end

-- rondo.args { "What the script does.", name = default, ... } -> table of values. `list`: arguments instead
-- of the command line's.
local function args(given, list)
  if type(given) ~= "table" then
    errors.raise("args: expected a table of options with their defaults")
  end
  local own, rest = specs_of(given)
  list = list or arg or {}
  plugins.load_from(list)
  for _, spec in ipairs(own) do
    if plugins.is_cell_list(spec.choices) then
      spec.choices = plugins.cells
    end
  end
  local script = (arg and arg[0] or "script"):match("[^/]*$")
  local parser = require "argparse"(script, given[1]):add_help(false)
  local helped = false
  parser:flag "-h --help":description "show this and end":action(function()
    helped = true
    error "help" -- leaves argparse, whatever else is on the command line
  end)
  local mine, others = {}, {}
  for i, spec in ipairs(own) do
    mine[i] = add_option(parser, spec)
  end
  for i, spec in ipairs(rest) do
    others[i] = add_option(parser, spec)
  end
  parser:group("Options of this script", table.unpack(mine))
  parser:group("Common options", table.unpack(others))
  command_line.take_extra(parser)
  local whole, ok, typed = pcall(parser.pparse, parser, command_line.joined(list))
  local why = whole and (ok and command_line.extra(typed) or not ok and command_line.sentence(typed))
  if helped then
    io.stdout:write(parser:get_help(), "\n")
    errors.stop(0)
  elseif not whole then
    error(ok, 0)
  elseif why then
    usage(("%s: %s (--help lists the options)"):format(script, why))
  end
  local specs = table.move(rest, 1, #rest, #own + 1, table.move(own, 1, #own, 1, {}))
  local opt = settle(specs, typed)
  apply(opt)
  return opt
end

return { args = args, specs_of = specs_of }
