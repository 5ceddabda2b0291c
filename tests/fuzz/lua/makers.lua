-- makers.lua - objects of each class of the public interface, small and whole, for fuzz_lua_api.
--
-- Names are those of the annotations. A file that a maker reads is one of files(), which lie in the folder the
-- program runs in.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"

local makers = {}

local function csv()
  local rows = { "time,a,b" }
  for i = 0, 47 do
    rows[#rows + 1] = ("2020-01-01 %02d:%02d:00,%d,%s"):format(i // 6, i % 6 * 10, i % 7 + 1,
      i % 11 == 5 and "" or i % 5)
  end
  return table.concat(rows, "\n") .. "\n"
end

-- Name -> text of the files that are there before each input.
function makers.files()
  return {
    ["t.txt"] = ("the cat sees a dog.\n\na dog hears the cat.\n"):rep(8),
    ["s.csv"] = csv(),
    ["many.csv"] = "id,t,v\na,1,2\nb,1,3\na,2,4\nb,2,5\na,3,1\nb,3,9\na,4,4\nb,4,2\n",
    ["t.tsv"] = "name\tclass\nann\tx\nbob\ty\ncid\tx\ndan\ty\n",
    ["c.conll"] = "EU B-ORG\nsays O\n\nPeter B-PER\nBlack I-PER\n",
    ["v.vec"] = "the 1 2\ncat 0.5 -1\n",
    ["o.lua"] = "return { lr = 0.1, hidden = 5, name = 'x' }\n",
  }
end

-- Bytes, because counting characters looks at a million counters.
local function text(options)
  return assert(rondo.data.Text.open("t.txt", options or { level = "byte" }))
end

local function series()
  return assert(rondo.data.Series.from_csv("s.csv", { missing = "previous" }))
end

local function windows()
  return series():windows { input = 4, horizon = 2, target = "a", batch_size = 4, season = 7 }
end

local function language_model()
  local t = text()
  local model = rondo.Sequential { rondo.OneHot { #t.vocab }, rondo.GRU { 3 }, rondo.Linear { #t.vocab } }
  model.vocab = t.vocab
  return model, t
end

local function optimizer()
  return rondo.optim.Adam(rondo.Linear({ 2, 2 }):parameters(), { lr = 0.01 })
end

local function trainer(given)
  local o = { model = rondo.Sequential { rondo.GRU { 1, 2 }, rondo.Linear { 1 } }, loss = rondo.MSELoss(),
    optimizer = rondo.optim.SGD { lr = 0.1 }, quiet = true, progress = "none", max_steps = 2 }
  for key, value in pairs(given or {}) do
    o[key] = value
  end
  return rondo.Trainer(o)
end

local function forecaster()
  local w = windows()
  local model = rondo.Forecaster { hidden_size = 3, form = "direct" }
  rondo.Trainer { model = model, loss = model:loss(), optimizer = rondo.optim.Adam { lr = 0.01 }, quiet = true,
    progress = "none", max_steps = 1 }:fit(w)
  return model, w
end

local function baseline(name)
  return function() return rondo.baselines[name]() end
end

local function checkpoint()
  assert(rondo.save("m.h5", { model = rondo.Sequential { rondo.Linear { 2, 1 } } }))
  return assert(rondo.load "m.h5")
end

local by_class = {}
makers.by_class = by_class

by_class["rondo.Tensor"] = {
  function() return rondo.rand(2, 3) end,
  function() return rondo.randn(3, 4, 2) end,
  function() return rondo.tensor { { 1, 2, 1 }, { 2, 3, 0 } } end,
  function() return rondo.parameter(rondo.rand(3, 3)) end,
  function() return rondo.zeros(0) end,
  function() return rondo.tensor(2) end,
  function() return rondo.parameter(rondo.rand(2, 3)):tanh():sum() end,
  function() return rondo.rand(2, 3, 4):transpose(1, 3) end,
  function() return rondo.LSTM { 2, 3 }(rondo.rand(2, 4, 2)) end,
  function() return rondo.rand(1, 1, 1, 1, 1, 1, 1, 2) end,
  function() return (rondo.parameter(rondo.rand(5)) * 3):narrow(1, 2, 3) end,
  function() return rondo.Function { name = "Twice", forward = function(_, x) return x * 2 end,
    backward = function(_, g) return g * 2 end }(rondo.parameter(rondo.rand(2))) end,
}
by_class["rondo.Module"] = {
  function() return rondo.Sequential { rondo.Linear { 2, 3 }, rondo.LayerNorm {}, rondo.Dropout { 0.3 } } end,
  function() return rondo.LSTM { 2, 3, num_layers = 2, bidirectional = true } end,
  function() return rondo.GRU { 2, 3, zoneout = 0.1, recurrent_dropout = 0.2 } end,
  function() return rondo.RNN { 2, 3, cell = "sru" } end,
  function() return rondo.Sequential { rondo.Embedding { 5, 2 }, rondo.LSTM { 3 }, rondo.Pool { "mean" },
    rondo.Linear { 2 } } end,
  function() return rondo.Bidirectional { rondo.GRU { 2, 2 } } end,
  function() return rondo.TimeDistributed { rondo.Linear { 2, 2 } } end,
  function() return rondo.Residual { rondo.Linear { 2, 2 } } end,
  function() return rondo.Highway { rondo.Linear { 2, 2 } } end,
  function() return rondo.VanillaRNN { 1, 2, weight_drop = 0.2 } end,
  function() return (language_model()) end,
  function() return (forecaster()) end,
}
by_class["rondo.Forecaster"] = { function() return (forecaster()) end }
by_class["rondo.Text"] = { text, function() return text { level = "word" } end,
  function() return text { level = "bpe", vocab_size = 270 } end,
  function() return text { level = "byte", unk = true } end,
  function() return text {} end }
by_class["rondo.Vocab"] = { function() return text().vocab end }
by_class["rondo.Sequences"] = {
  function() return text():sequences { seq_len = 4, batch_size = 2 } end,
  function() return text():sequences { seq_len = 4, batch_size = 2, stateful = true, unit = "document" } end,
  function() return text { level = "word", bos = true, eos = true }:sequences { unit = "line", batch_size = 3 } end,
}
by_class["rondo.Tokenizer"] = { function() return rondo.data.Tokenizer { level = "word" }:fit { "a b", "b c" } end }
by_class["rondo.TokenVocab"] = { function()
  return rondo.data.Vocab.from({ { "a", "b" }, { "b" } }, { unk = true, bos = true, eos = true })
end }
by_class["rondo.Labels"] = { function() return rondo.data.Labels.from { "x", "y", "x" } end }
by_class["rondo.Task"] = {
  function() return rondo.data.tasks.Adding { seq_len = 4, batch_size = 2, batches = 2 } end,
  function() return rondo.data.tasks.CopyMemory { batch_size = 2, batches = 2 } end,
}
by_class["rondo.Table"] = { function() return assert(rondo.data.Table.open "t.tsv") end }
by_class["rondo.Conll"] = { function() return assert(rondo.data.Conll.open "c.conll") end }
by_class["rondo.Batches"] = { function()
  return rondo.data.Batches { x = { { 1, 2 }, { 3 }, { 1, 1, 2 } }, y = { 1, 2, 1 }, batch_size = 2 }
end }
by_class["rondo.Series"] = { series,
  function() return assert(rondo.data.Series.from_csv("many.csv", { id = "id" })) end,
  function() return (series():split { 0.5, 0.5 }) end }
by_class["rondo.Windows"] = { windows, function()
  local part = series():split { 0.7, 0.3 }
  return part:windows { input = 3, horizon = 2, target = { "a", "b" }, scaler = rondo.data.StandardScaler():fit(part),
    calendar = { "hour" }, mask = true }
end }
by_class["rondo.Scaler"] = {
  function() return rondo.data.StandardScaler():fit(series()) end,
  function() return rondo.data.MinMaxScaler() end,
  function()
    return rondo.data.ChainScaler({ rondo.data.LogScaler { 1 }, rondo.data.DifferenceScaler { 1 } }):fit(series())
  end,
}
by_class["rondo.Window"] = { function() return windows():window(1) end }
by_class["rondo.Baseline"] = { baseline "Persistence", baseline "Drift", baseline "AR",
  function() return rondo.baselines.SeasonalNaive { season = 3 } end,
  function() return rondo.baselines.HoltWinters { season = 4 } end }
by_class["rondo.Forecast"] = { function() return rondo.baselines.Persistence():forecast(windows()) end,
  function() local model, w = forecaster() return model:forecast(w) end }
by_class["rondo.Optimizer"] = { optimizer, function() return rondo.optim.SGD { lr = 0.1, momentum = 0.9 } end }
by_class["rondo.Schedule"] = { function() return rondo.optim.StepLR { step_size = 2 } end,
  function() return rondo.optim.CosineLR { total_steps = 5 } end }
by_class["rondo.Callback"] = { function() return rondo.callbacks.EarlyStopping { patience = 1 } end }
by_class["rondo.Trainer"] = { trainer, function()
  local t = trainer()
  return t:fit { { rondo.rand(2, 3, 1), rondo.rand(2, 3, 1) } }
end, function()
  local model, t = language_model()
  local train, valid = t:split(0.8)
  return trainer({ model = model, loss = rondo.CrossEntropyLoss(), ema = 0.9, clip_grad_norm = 1 }):fit(
    train:sequences { seq_len = 5, batch_size = 3, stateful = true }, valid:sequences { seq_len = 5, batch_size = 3 })
end }
by_class["rondo.Plan"] = { function() return trainer():plan { { rondo.rand(2, 3, 1), rondo.rand(2, 3, 1) } } end }
by_class["rondo.Checkpoint"] = { checkpoint }
by_class["rondo.SpanF1"] = { function()
  return rondo.metrics.SpanF1 { rondo.data.Vocab.from { { "B-X", "I-X", "O" } } }
end }
by_class["rondo.Ensemble"] = { function() return rondo.Ensemble { (forecaster()) } end }
by_class["rondo.Function"] = { function()
  return rondo.Function { name = "Half", forward = function(_, x) return x * 0.5 end,
    backward = function(_, g) return g * 0.5 end }
end }
by_class["rondo.Diagnosis"] = { function()
  return rondo.diagnose(rondo.GRU { 1, 2 }, { rondo.rand(1, 4, 1), rondo.rand(1, 4, 2) }, { loss = rondo.MSELoss() })
end }
by_class["rondo.Range"] = { function() return rondo.sweep.int(1, 3) end }
by_class["rondo.Sweep"] = { function()
  return rondo.Sweep { script = "o.lua", space = { lr = { 0.1, 0.2 } }, out = "sweep" }
end }
by_class["rondo.Loss"] = { function() return rondo.CrossEntropyLoss() end, function() return rondo.MSELoss() end,
  function() return rondo.HuberLoss() end, function() return rondo.QuantileLoss() end,
  function() return rondo.GaussianLoss() end }

-- Calls that make nothing, but show how parts of the binding are called.
makers.calls = {
  function() local m = language_model() for _ in m:generate { prompt = "the", length = 5, seed = 1, top_k = 3,
    repetition_penalty = 1.1, min_p = 0.01 } do end end,
  function() local m = language_model() m:complete { prompt = "the", length = 3, beam = 2 } end,
  function() local m, t = language_model() m:evaluate(t) rondo.data.ngram.nats(t, t, 2) end,
  function() rondo.clip_grad_norm({ rondo.parameter(rondo.ones(2)) }, 1) end,
  function()
    local p = rondo.parameter(rondo.rand(2, 2))
    rondo.check.gradients(function() return (p * p):sum() end, { p })
    rondo.concat({ p, p }, 1):sum():backward()
    rondo.where(p:gt(0.5), p, 0.0):mean():backward()
    rondo.embedding(rondo.tensor { 1, 2 }, p):max(1):sum():backward()
    rondo.linear(rondo.rand(3, 2), p, rondo.rand(2)):log_softmax(2):sum():backward()
    rondo.gather(p, 2, rondo.tensor { { 1 }, { 2 } }):sum():backward()
  end,
  function() rondo.data.load_vectors("v.vec", text { level = "word" }.vocab, { dim = 2 }) end,
  function() local m = rondo.LSTM { 2, 3 } m:step(rondo.rand(2, 2)) m:advance(rondo.rand(2, 3, 2), nil,
    { lengths = { 3, 1 }, resets = rondo.zeros(2, 3) }) m:trace(rondo.rand(1, 3, 2)) end,
  function() trainer({ bptt = { k1 = 2, k2 = 4 } }):fit { { rondo.rand(2, 6, 1), rondo.rand(2, 6, 1) } } end,
  function() trainer({ memory = "1MB" }):fit { { rondo.rand(2, 6, 1), rondo.rand(2, 6, 1) } } end,
  function() rondo.init(rondo.zeros(3, 3), "orthogonal") end,
}

return makers
