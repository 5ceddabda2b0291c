-- init.lua - require "rondo": the public table. Parts are loaded, and the core opened, when they are used.
-- SPDX-License-Identifier: MIT
local names = require "rondo.names"

local rondo = {}

-- Public name -> module that has it; a name of its own where it differs.
local homes = {
  args = "args",
  Module = "module",
  Embedding = "embedding", OneHot = "layers", Linear = "layers", Dropout = "layers", LayerNorm = "layers",
  Pool = "over_time", Repeat = "over_time", TimeDistributed = "over_time", ActivityRegularization = "over_time",
  Residual = "residual", Highway = "residual",
  Layer = "plugin_layer",
  RNN = "rnn", VanillaRNN = "rnn", LSTM = "rnn", GRU = "rnn",
  CrossEntropyLoss = "loss", MSELoss = "loss", L1Loss = "loss", HuberLoss = "loss", BCEWithLogitsLoss = "loss",
  CosineLoss = "loss", QuantileLoss = "loss", GaussianLoss = "loss", StudentTLoss = "loss",
  NegativeBinomialLoss = "loss",
  Trainer = "trainer", Forecaster = "forecast.forecaster", Ensemble = "forecast.ensemble",
  manual_seed = "random", rand = "random", randn = "random", random = "random",
  tensor = "tensor", zeros = "tensor", ones = "tensor", full = "tensor", parameter = "tensor",
  concat = "tensor", where = "tensor", linear = "tensor", matmul = "tensor", gather = "tensor",
  embedding = "tensor", one_hot = "tensor", no_grad = "tensor",
  clip_grad_norm = "tensor", clip_grad_value = "tensor",
  init = "initial", cell = "cells", Function = "functions",
  save = "checkpoint", load = "checkpoint",
  Sweep = "sweep", sorted = "sorted",
  diagnose = "diagnose", replay = "diagnose.capsule",
}
local wholes = { Sequential = "sequential", Bidirectional = "bidirectional", optim = "optim", callbacks = "callbacks",
  plugins = "plugins" }
local tables = { optim = true, callbacks = true } -- those of them whose fields are all they are

local special = {}

function special.data()
  local data = { Text = require "rondo.data.text",
    load_vectors = require("rondo.data.vectors").load_vectors,
    Tokenizer = require("rondo.data.tokenizer").Tokenizer, ngram = require "rondo.ngram",
    tasks = names.strict("rondo.data.tasks", require "rondo.data.tasks"),
    Batches = require("rondo.data.batches").Batches, Table = require "rondo.data.table",
    Conll = require "rondo.data.conll", Series = require "rondo.data.series",
    Vocab = require("rondo.data.tokens").Vocab, Labels = require("rondo.data.tokens").Labels,
    kjv = require "rondo.data.kjv", get = require("rondo.data.catalog").get }
  for name, make in pairs(require("rondo.data.scalers").made) do
    data[name] = make
  end
  return names.strict("rondo.data", data)
end

function special.forecast()
  return names.strict("rondo.forecast", { Forecast = require("rondo.forecast.forecast").new,
    compare = require "rondo.forecast.compare", rolling_origin = require "rondo.forecast.rolling" })
end

function special.baselines()
  return names.strict("rondo.baselines", require("rondo.forecast.baselines").public)
end

function special.check()
  return names.strict("rondo.check", require "rondo.check")
end

function special.plot()
  return names.strict("rondo.plot", require "rondo.plot")
end

function special._VERSION()
  return "rondo " .. require("rondo.core").VERSION
end

function special.abi()
  return require("rondo.core").abi
end

function special.metrics()
  return names.strict("rondo.metrics", { SpanF1 = require("rondo.metrics").SpanF1 })
end

function special.sweep()
  return names.strict("rondo.sweep", require("rondo.sweep.space").makers)
end

-- What this build can do.
function special.features()
  return function()
    local core = require "rondo.native"
    return { real = core.real, kernels = core.kernels(), threads = core.threads(), cpu = core.cpu(),
      cells = require("rondo.cells").names() }
  end
end

-- Native memory of the core: live_bytes, peak_bytes, held_bytes, system_allocations.
function special.memory()
  return require("rondo.native").memory
end

-- precision([name]): numbers that enter the products of layers; the one before.
function special.precision()
  return require("rondo.native").precision
end

-- for name, value in pairs(rondo): every public name, in order.
local function all_names()
  local all, i = {}, 0
  for _, list in ipairs { homes, wholes, special } do
    for name in pairs(list) do
      all[#all + 1] = name
    end
  end
  table.sort(all)
  return function()
    i = i + 1
    return all[i], rondo[all[i]]
  end
end

return setmetatable(rondo, {
  __pairs = all_names,
  __index = function(_, name)
    local value
    if homes[name] then
      value = require("rondo." .. homes[name])[name]
      for _, part in ipairs { "embedding", "over_time", "residual", "rnn", "bidirectional", "plugin_layer",
        "forecast.forecaster" } do
        require("rondo." .. part) -- known by name to checkpoints
      end
    elseif wholes[name] then
      value = require("rondo." .. wholes[name])
      value = tables[name] and names.strict("rondo." .. name, value) or value
    elseif special[name] then
      value = special[name]()
    else
      return names.unknown("rondo", name, homes, wholes, special)
    end
    rawset(rondo, name, value)
    return value
  end,
  __name = "rondo",
})
