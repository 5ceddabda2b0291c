-- options.lua - bytes as what people write for options: what fuzz_options.c runs for each input.
--
-- The first byte picks who reads the rest: rondo.args, a file for --config, a catalog, a command, the options of cells,
-- layers and optimizers, or one of the small languages of values. Returns run(bytes): nothing, or what is wrong.
--
-- Not here: `rondo run`, `train` and `plan`, which run a script before they parse, `sweep`, which asks a script for its
-- options, and --plugin, which loads code. Conditions on the ledger are SQL, of a connection that can do nothing else.
-- SPDX-License-Identifier: MIT
local host = ...
local core = require "rondo.native"
local errors = require "rondo.errors"
local rondo = require "rondo"
local cli = require "rondo.cli"
local makers = require "makers"
local scratch = require "scratch"
local sentences = require "sentences"

errors.caught = true
errors.on_notice = function() end
require("rondo.plugins").load = function() return nil, "plugins are not loaded here" end
local plain_threads = core.threads
core.threads = function(n) return plain_threads(n and math.min(n, 2)) end -- 256 take a while to start

local PARSED = {} -- raised where a command begins to work

-- ---- scripts and files ---------------------------------------------------------------------------------

local scripts = {
  function() return { "A script.", lr = 2e-3, hidden_size = 20, name = "x", fast = false, slow = true } end,
  function() return { data = { required = true, help = "a file" }, cell = { "lstm", choices = rondo.plugins.cells },
    k = { 3, min = 1, max = 10 }, x = { 0.5, min = 0 }, list = {}, seed = 7, no_fast = true, fast = true } end,
  function() return {} end,
}

-- Words of a text, one a line.
local function words_of(text)
  local words = {}
  for word in text:gmatch "[^\n]+" do
    words[#words + 1] = word
  end
  return words
end

local function write(name, text)
  local file <close> = assert(io.open(name, "wb"))
  file:write(text)
  return name
end

local doors = {}

for _, script in ipairs(scripts) do
  doors[#doors + 1] = function(text) rondo.args(script(), words_of(text)) end
  doors[#doors + 1] = function(text) rondo.args(script(), { "--data=x", "--config", write("c.lua", text) }) end
  doors[#doors + 1] = function(text)
    rondo.args(script(), { "--config", write("c.lua", "return {" .. text .. "}"), "--data", "x" })
  end
  doors[#doors + 1] = function(text) rondo.args(script(), { "--config", write("c.json", text) }) end
  doors[#doors + 1] = function(text)
    rondo.args(script(), { "--config", write("c.json", '{"options":{' .. text .. "}}") })
  end
end

doors[#doors + 1] = function(text) require("rondo.data.catalog").read(write("c.lua", text)) end
doors[#doors + 1] = function(text)
  require("rondo.data.catalog").read(write("c.lua", "return{{name='x',what='w',licence='l'," .. text .. "}}"))
end

-- ---- commands ------------------------------------------------------------------------------------------

local parsing = setmetatable({ parse = function(parser, arguments)
  cli.parse(parser, arguments)
  error(PARSED, 0)
end }, { __index = cli })

for _, name in ipairs { "bench", "bptt", "check", "compile-cell", "data", "diagnose", "env", "evaluate", "forecast",
  "help", "info", "new-cell", "new-kernel", "new-layer", "plot", "plugins", "race", "replay", "report", "runs",
  "sample", "verify", "watch" } do
  doors[#doors + 1] = function(text) cli.command(name)(words_of(text), parsing) end
end

-- ---- options of constructors ---------------------------------------------------------------------------

-- "name=value" a line, as a table: numbers, true, false or texts.
local function settings_of(text)
  local t = {}
  for name, value in text:gmatch "([^=\n]*)=([^\n]*)" do
    local number = tonumber(value)
    if number == nil and value == "true" or value == "false" then
      number = value == "true"
    end
    t[name] = number == nil and value or number
  end
  return t
end

local function small(t)
  for _, name in ipairs { "input_size", "hidden_size", "num_layers", "out_features", "in_features", "num_embeddings",
    "embedding_dim" } do
    t[name] = type(t[name]) == "number" and t[name] < 1e6 and t[name] % 9 or t[name]
  end
  return t
end

for _, name in ipairs(core.cells()) do
  doors[#doors + 1] = function(text)
    core.rnn { cell = name, input_size = 2, hidden_size = 2, options = settings_of(text) }
  end
end
for _, name in ipairs(core.optimizer_kinds()) do
  doors[#doors + 1] = function(text) core.optimizer(name, settings_of(text), { rondo.parameter(rondo.ones(2)) }) end
end
for _, name in ipairs { "RNN", "LSTM", "GRU", "VanillaRNN", "Linear", "Embedding", "Dropout", "Pool", "Layer" } do
  doors[#doors + 1] = function(text) rondo[name](small(settings_of(text))) end
end
for _, name in ipairs { "SGD", "Adam", "AdamW", "ASGD", "StepLR", "OneCycleLR" } do
  doors[#doors + 1] = function(text) rondo.optim[name](settings_of(text)) end
end

-- ---- words ---------------------------------------------------------------------------------------------

doors[#doors + 1] = function(text) core.rnn { cell = text, input_size = 2, hidden_size = 2 } end
doors[#doors + 1] = function(text) core.optimizer(text, {}, { rondo.parameter(rondo.ones(2)) }) end
doors[#doors + 1] = function(text) core.precision(text) end
doors[#doors + 1] = function(text) core.nearest(text:match "^[^\n]*", words_of(text)) end
doors[#doors + 1] = function(text) require("rondo.bptt_options").read(text) end
doors[#doors + 1] = function(text) require("rondo.memory_plan").bytes(text) end
doors[#doors + 1] = function(text)
  local space = require "rondo.sweep.space"
  space.text_of(space.parse(text))
end
doors[#doors + 1] = function(text) rondo.init(rondo.zeros(2, 2), text) end
doors[#doors + 1] = function(text) rondo.init(rondo.zeros(2, 2), settings_of(text)) end

scratch.write(makers.files())

-- What Lua says of a file of options, with its line, is right.
local function wrong(message, given)
  local text = errors.is_stop(message) and message.message or message
  local asked_for_help = errors.is_stop(message) and message.code == 0
  return message ~= PARSED and not asked_for_help and not tostring(text):find "c%.lua:%d+: "
    and sentences.problem(message, given)
end

-- nil; or what is wrong.
return function(bytes)
  scratch.restore()
  local door = (bytes:byte(1) or 0) % #doors + 1
  local ok, message = pcall(doors[door], bytes:sub(2))
  local problem = not ok and not host.spent() and wrong(message, bytes)
  core.precision "float32"
  return problem and ("door %d: %s: %s"):format(door, problem, tostring(message)) or nil
end
