-- reference.lua - what can be given to what: the options of every constructor and command, for those who read them.
--
-- Nothing is listed here twice: options are the tables that constructors check against (options.of), those of
-- commands the parsers that read the command line. Help, annotations, completions and the man page are made of it.
-- SPDX-License-Identifier: MIT
local cells = require "rondo.cells"
local core = require "rondo.native"
local options = require "rondo.options"

local reference = {}

-- What a name is for, where its table cannot say it. Cells bring their own sentence.
local sentences = {
  Embedding = "ids to rows of a matrix; id 0 gives zeros",
  OneHot = "ids to vectors with a single 1",
  Linear = "y = x W' + b over the last dimension",
  Dropout = "zeroes at random in training and scales the rest up",
  LayerNorm = "to mean 0 and variance 1 over the last dimension, then gain and bias",
  Pool = "a sequence to one vector: last step that counts, mean or maximum; length 0 gives 0",
  Repeat = "a vector to a sequence of n like it",
  TimeDistributed = "a layer on each step by itself; Linear and others of single steps need it not",
  ActivityRegularization = "adds squares of activities and of their changes to the loss (Merity et al. 2018)",
  Residual = "y = x + f(x), f a list of layers",
  Highway = "y = g f(x) + (1 - g) x with a gate g = sigmoid(W x + b) (Srivastava et al. 2015)",
  Bidirectional = "a layer with state and its like that reads backward",
  RNN = "a stack of recurrent layers of any cell",
  Layer = "a layer that a plugin computes as a whole",
  CrossEntropyLoss = "of logits (..., V) and ids; id 0 does not count",
  MSELoss = "squared error",
  L1Loss = "absolute error",
  MAELoss = "absolute error",
  HuberLoss = "squared error near 0, absolute error beyond delta",
  BCEWithLogitsLoss = "binary cross-entropy of logits",
  CosineLoss = "1 - cosine of output and target",
  QuantileLoss = "pinball loss of several quantiles of each value, their mean (Koenker and Bassett 1978)",
  GaussianLoss = "-log density of a mean and a scale of each value",
  StudentTLoss = "-log density of a mean, a scale and degrees of freedom of each value",
  NegativeBinomialLoss = "-log probability of counts, of a mean and a dispersion: variance mean + a mean^2",
  CosineEmbeddingLoss = "1 - cosine of output and target",
  NLLLoss = "of log-probabilities and ids",
  SGD = "stochastic gradient descent, with momentum",
  RMSprop = "steps over the root of the mean squared gradient",
  Adam = "moments of the gradient and its square (Kingma and Ba 2015)",
  AdamW = "Adam with weight decay beside the step (Loshchilov and Hutter 2019)",
  NAdam = "Adam with Nesterov's momentum (Dozat 2016)",
  Adagrad = "steps over the root of the summed squares (Duchi et al. 2011)",
  Adadelta = "steps in the units of the parameters (Zeiler 2012)",
  Lion = "the sign of a momentum (Chen et al. 2023)",
  NTASGD = "SGD that averages once validation stops falling (Merity et al. 2018)",
  ASGD = "averaged SGD (Polyak and Juditsky 1992)",
  EMA = "exponential moving average of the weights",
  ConstantLR = "the rate as it is, after a warm-up",
  ExponentialLR = "a factor at every update",
  StepLR = "a factor every step_size updates",
  CosineLR = "half a cosine down to min_lr",
  OneCycleLR = "up and down once (Smith 2018)",
  ReduceLROnPlateau = "a factor when the validation stops getting better",
  Diagnose = "gradients looked at during the training, for under 3 % of its time",
  EarlyStopping = "ends the training when a figure has stopped getting better",
  Checkpoint = "which figure makes best.h5, and how many others stay",
  Sample = "a sample of text after each epoch",
  Function = "a differentiable function with a gradient of its own",
  cell = "a recurrent cell as one step in Lua or as equations, for rondo.RNN { cell = name }",
  Trainer = "fit, evaluate, predict",
  Sweep = "many settings of a script's options, and which is best",
  ["Sweep.run"] = "sweep:run { ... }: runs what is not done; how many trials failed",
  Forecaster = "a recurrent network that forecasts windows of a series: points, quantiles or distributions",
  forecast = "model:forecast(windows or series, { ... }): a Forecast on the scale of the data",
  generate = "text, piece by piece",
  complete = "the likeliest continuations, by beam search",
  evaluate = "the log-probability of a text",
  diagnose = "rondo.diagnose(model, { x, y }, { ... }): the gradient, looked at",
  ["Text.open"] = "rondo.data.Text.open(path, { ... }): a text file as ids",
  Tokenizer = "rondo.data.Tokenizer { ... }: texts to ids and back",
  sequences = "text:sequences { ... }: batches of a text",
  Adding = "the sum of two marked numbers among many (Le et al. 2015)",
  CopyMemory = "ten symbols, to be written after a delay (Arjovsky et al. 2016)",
  Parity = "is the number of ones odd",
  FirstSymbol = "which symbol came first",
  Batches = "rondo.data.Batches { x =, y =, ... }: examples of unequal length as batches",
  ["Table.open"] = "rondo.data.Table.open(path, { ... }): a TSV or CSV file as lists by column",
  ["Series.from_csv"] = "rondo.data.Series.from_csv(path, { ... }): columns of numbers in the order of time",
  StandardScaler = "mean 0 and standard deviation 1",
  MinMaxScaler = "from 0 to 1",
  MeanScaler = "a mean size of 1; 0 stays 0",
  RobustScaler = "median 0 and distance of the quartiles 1",
  LogScaler = "logarithms",
  DifferenceScaler = "differences from a row before, in windows",
  BoxCoxScaler = "a power, the likeliest on the training part (Box and Cox 1964)",
  ChainScaler = "one scaler behind the other",
  ColumnScaler = "each column by a scaler of its own",
  windows = "part:windows { input =, horizon =, ... }: windows of a series as batches",
  ["Series.from_hdf5"] = "rondo.data.Series.from_hdf5(path, { ... }): the same from datasets of an HDF5 file",
  ["Conll.open"] = "rondo.data.Conll.open(path, { ... }): sentences with a tag a word",
  ["Vocab.from"] = "rondo.data.Vocab.from(lists, { ... }): tokens to ids and back",
  Persistence = "the last value",
  SeasonalNaive = "the value a season ago",
  SeasonalNaiveGrowth = "the value a season ago, grown as that season grew from the one before",
  Drift = "the line from the first value through the last",
  AR = "an autoregression by least squares",
  HoltWinters = "exponential smoothing of level, trend and season (Holt 1957, Winters 1960)",
  FeedForward = "a net of one hidden layer over the whole window, trained by a Trainer",
  all = "the Forecasts of windows by all baselines that need no training",
  compare = "prints a network's figures beside its baselines'; whether there is skill",
  rolling_origin = "Forecasts of a part of a series, fitted again before each of its blocks, a run for each seed",
  SpanF1 = "precision, recall and F1 of spans of tags, as conlleval counts them",
}

-- A topic: what can be given to one name. `of` is for cells: the options that every recurrent layer has besides.
local function topic(group, path, name, f, given)
  local found = options.of(f, given)
  if not found then
    return nil
  end
  return { group = group, path = path, name = name, help = sentences[name], specs = found.specs,
    positional = found.positional }
end

-- Topics of the constructors in a table, those with a capital, in order.
local function capitals(group, prefix, from)
  local names, list = {}, {}
  for name in pairs(from) do
    if type(name) == "string" and name:find "^%u" then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    list[#list + 1] = topic(group, prefix .. name, name, from[name])
  end
  return list
end

local function cell_topics(rondo, list)
  local own = #require("rondo.rnn").options
  for _, name in ipairs(cells.names()) do
    local cell = cells.find(name)
    list[#list + 1] = { group = "cells", path = ('rondo.RNN { cell = "%s" }'):format(name), name = name,
      help = cell.help, specs = cell.options, positional = {}, of = "RNN" }
  end
  for _, entry in ipairs { { "VanillaRNN", "vanilla" }, { "LSTM", "lstm" }, { "GRU", "gru" } } do
    local name, cell = table.unpack(entry)
    local found = topic("layers", "rondo." .. name, name, rondo[name])
    found.specs = table.move(found.specs, own + 1, #found.specs, 1, {})
    found.help, found.of = core.cell(cell).help .. ", one layer or several", "RNN"
    list[#list + 1] = found
  end
end

local function layer_topics(list)
  for _, name in ipairs(core.layers()) do
    local layer = core.layer(name)
    list[#list + 1] = { group = "plugin_layers", path = ('rondo.Layer { layer = "%s" }'):format(name), name = name,
      help = layer.help, specs = layer.options, positional = {}, of = "Layer" }
  end
end

-- rondo.cell is given steps or equations, and nothing of one belongs to the other.
local function cell_topic(rondo)
  local found = topic("layers", "rondo.cell", "cell", rondo.cell)
  local own, specs = {}, {}
  for _, list in ipairs { found.specs, require("rondo.equations.read").specs } do
    for _, spec in ipairs(list) do
      if not own[spec.name] then
        own[spec.name], specs[#specs + 1] = true, setmetatable({ required = spec.name == "name" }, { __index = spec })
      end
    end
  end
  found.specs = specs
  return found
end

local function special_topics(rondo, list)
  local data = rondo.data
  list[#list + 1] = cell_topic(rondo)
  list[#list + 1] = topic("layers", "rondo.Function", "Function", rondo.Function)
  list[#list + 1] = topic("training", "rondo.Trainer", "Trainer", rondo.Trainer)
  list[#list + 1] = topic("training", "rondo.Sweep", "Sweep", rondo.Sweep)
  list[#list + 1] = topic("training", "sweep:run", "Sweep.run", function(given)
    require("rondo.sweep").run(nil, given)
  end)
  list[#list + 1] = topic("training", "model:generate", "generate", function(given)
    require("rondo.generate").generate(nil, given)
  end)
  list[#list + 1] = topic("training", "model:complete", "complete", function(given)
    require("rondo.beam").complete(nil, given)
  end)
  list[#list + 1] = topic("training", "model:evaluate", "evaluate", function(given)
    require("rondo.evaluate").evaluate(nil, "", given)
  end)
  list[#list + 1] = topic("training", "rondo.diagnose", "diagnose", function(given)
    require("rondo.diagnose").options(given)
  end)
  list[#list + 1] = topic("training", "model:forecast", "forecast", function(given)
    require("rondo.forecast.predict").collector(nil, nil, given)
  end)
  list[#list + 1] = topic("data", "rondo.data.Text.open", "Text.open", function() data.Text.open("", {}) end)
  list[#list + 1] = topic("data", "rondo.data.Tokenizer", "Tokenizer", data.Tokenizer)
  list[#list + 1] = topic("data", "rondo.data.Batches", "Batches", data.Batches)
  list[#list + 1] = topic("data", "rondo.data.Table.open", "Table.open", function() data.Table.open("", {}) end)
  list[#list + 1] = topic("data", "rondo.data.Series.from_csv", "Series.from_csv", function()
    data.Series.from_csv("", {})
  end)
  list[#list + 1] = topic("data", "rondo.data.Series.from_hdf5", "Series.from_hdf5", function()
    data.Series.from_hdf5("", {})
  end)
  local scalers = require "rondo.data.scalers"
  for _, name in ipairs(scalers.names) do
    list[#list + 1] = topic("data", "rondo.data." .. name, name, scalers.made[name])
  end
  list[#list + 1] = topic("data", "part:windows", "windows", function(given)
    require("rondo.data.windows").new(nil, given)
  end)
  list[#list + 1] = topic("data", "rondo.data.Conll.open", "Conll.open", function() data.Conll.open("", {}) end)
  list[#list + 1] = topic("data", "rondo.data.Vocab.from", "Vocab.from", function() data.Vocab.from({}, {}) end)
  list[#list + 1] = topic("training", "rondo.metrics.SpanF1", "SpanF1", rondo.metrics.SpanF1)
  list[#list + 1] = topic("data", "text:sequences", "sequences", function(given)
    require("rondo.data.sequences").new(nil, given)
  end)
  table.move(capitals("data", "rondo.data.tasks.", data.tasks), 1, 4, #list + 1, list)
end

local GROUPS = { "layers", "cells", "plugin_layers", "losses", "optim", "callbacks", "training", "data", "forecasts" }
reference.titles = { layers = "Layers", cells = "Cells", plugin_layers = "Layers of plugins", losses = "Losses",
  optim = "Optimizers and schedules", callbacks = "Callbacks", training = "Training and generation", data = "Data",
  forecasts = "Forecasts" }

-- Every topic, by groups.
function reference.topics()
  local rondo = require "rondo"
  local list, public, losses = {}, {}, {}
  for name, value in pairs(rondo) do
    if name:find "Loss$" then
      losses[name] = value
    elseif type(value) == "table" and rawget(value, "is_module_class") and not require("rondo.rnn")[name] then
      public[name] = value
    end
  end
  for _, found in ipairs { capitals("layers", "rondo.", public), capitals("losses", "rondo.", losses),
    capitals("optim", "rondo.optim.", rondo.optim), capitals("callbacks", "rondo.callbacks.", rondo.callbacks),
    capitals("forecasts", "rondo.baselines.", rondo.baselines) } do
    table.move(found, 1, #found, #list + 1, list)
  end
  list[#list + 1] = { group = "layers", path = "rondo.RNN", name = "RNN", help = sentences.RNN,
    specs = require("rondo.rnn").options, positional = { "hidden_size" } }
  cell_topics(rondo, list)
  layer_topics(list)
  special_topics(rondo, list)
  list[#list + 1] = topic("forecasts", "rondo.baselines.all", "all", function(given)
    rondo.baselines.all(nil, given)
  end)
  list[#list + 1] = topic("forecasts", "rondo.forecast.compare", "compare", function(given)
    rondo.forecast.compare(nil, nil, given)
  end)
  list[#list + 1] = topic("forecasts", "rondo.forecast.rolling_origin", "rolling_origin", rondo.forecast.rolling_origin)
  local sorted = {}
  for _, group in ipairs(GROUPS) do
    for _, found in ipairs(list) do
      if found.group == group then
        sorted[#sorted + 1] = found
      end
    end
  end
  return sorted
end

-- The topic of a name as a user types it: as it is, or in full or in any case.
function reference.find(topics, name)
  local wanted = name:lower()
  local found
  for _, each in ipairs(topics) do
    local path = each.path:lower()
    if each.name == name then
      return each
    elseif each.name:lower() == wanted or path == wanted or path == "rondo." .. wanted then
      found = found or each
    end
  end
  return found
end

function reference.number(x)
  return math.type(x) == "integer" and tostring(x) or ("%.6g"):format(x)
end

-- The values that an option takes, in a few words.
function reference.range(spec)
  local kind, low, high = spec.kind, spec.min, spec.max
  if kind == "choice" or spec.choices then
    return table.concat(spec.choices, "|")
  elseif kind == "bool" then
    return "true|false"
  elseif kind ~= "int" and kind ~= "real" then
    return kind == "any" and "value" or kind == "init" and "initialiser" or kind
  end
  low, high = low and low > -math.huge and low, high and high < math.huge and high < 1 << 24 and high
  local what = kind == "int" and "integer" or "number"
  if low and high then
    return ("%s..%s"):format(reference.number(low), reference.number(high))
  end
  return low and ("%s >= %s"):format(what, reference.number(low))
    or high and ("%s <= %s"):format(what, reference.number(high)) or what
end

-- Its default, or "required", or nothing.
function reference.default(spec)
  if spec.required then
    return "required"
  elseif spec.def == nil then
    return ""
  elseif type(spec.def) == "number" then
    return reference.number(spec.def)
  end
  return type(spec.def) == "string" and ("%q"):format(spec.def) or tostring(spec.def)
end

return reference
