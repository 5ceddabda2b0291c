-- forecast_predict_spec.lua - trained models forecast windows and new data: scale, bits, paths, checkpoints, ensembles.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local made_series = dofile "tests/lua/made_series.lua"
local support = dofile "tests/lua/support.lua"
local series_of, normals = made_series.series_of, made_series.normals

local function fails(expected, f, ...)
  assert.matches(expected, support.failure(f, ...), 1, true)
end

local function same_bits(a, b)
  assert.equal(#a, #b)
  for i = 1, #a do
    assert.same(a[i].point, b[i].point)
    assert.same(a[i].quantiles, b[i].quantiles)
    assert.same(a[i].paths, b[i].paths)
  end
end

describe("a trained model", function()
  local folder, part
  setup(function()
    folder = support.folder()
    local rows, noise, z = {}, normals(400, 3), { 0, 0 }
    for i, e in ipairs(noise) do
      z = { 1.2 * z[1] - 0.5 * z[2] + e, z[1] }
      rows[i] = { ("%.5f"):format(50 + 10 * z[1]), ("%.4f"):format(math.sin(i / 3)) }
    end
    local series = series_of(folder, { "level", "help" }, rows)
    part = { series = series, rows = rows }
    part.train, part.test = series:split { 300, 100 }
    part.scaler = rondo.data.StandardScaler():fit(part.train)
  end)
  teardown(function() support.remove(folder) end)

  local function windows(from, more)
    local given = { input = 8, horizon = 4, target = "level", scaler = part.scaler, batch_size = 32,
      season = 6 }
    for key, value in pairs(more or {}) do
      given[key] = value
    end
    return from:windows(given)
  end
  local function trained(model, loss, more, how)
    rondo.manual_seed(7)
    local options = { model = model, loss = loss, optimizer = rondo.optim.Adam { lr = 1e-2 }, epochs = 1,
      progress = "none", quiet = true }
    for key, value in pairs(more or {}) do
      options[key] = value
    end
    return rondo.Trainer(options):fit(windows(part.train, how), options.metrics and windows(part.test, how) or nil)
  end
  local function small(form, output)
    rondo.manual_seed(4)
    return rondo.Forecaster { form = form, output = output, hidden_size = 8, baseline = output ~= "negative_binomial"
      and "last" or nil }
  end

  it("forecasts each window on the scale of the data", function()
    local model = small("direct", "point")
    local trainer = trained(model, model:loss())
    local forecast = trainer:predict(windows(part.test))
    assert.equal(97, #forecast)
    assert.same({ 4, 6, "level" }, { forecast.horizon, forecast.season, forecast[1].target })
    local sum = 0.0
    for _, entry in ipairs(forecast) do
      sum = sum + entry.point[1] / #forecast
    end
    assert.is_true(math.abs(sum - 50) < 20)
    assert.equal(300, forecast[1].origin)
    assert.same(4, #forecast[1].truth)
  end)
  it("has the same bits for any batch size, form and output", function()
    for _, form in ipairs { "direct", "recursive", "seq2seq" } do
      for _, output in ipairs { "point", "quantiles", "gaussian", "student_t" } do
        local model = small(form, output)
        model:take_windows(windows(part.train, { known = { "help" } }))
        local how = { paths = 5, keep_paths = true, seed = 3 }
        local known = { known = { "help" } }
        local all = model:forecast(windows(part.test, known), how)
        same_bits(all, model:forecast(windows(part.test, { known = { "help" }, batch_size = 7, shuffle = true }), how))
        local later = model:forecast(windows(part.test:slice(11, 100), known), how) -- other batches of the same windows
        for i = 1, #later do
          assert.same(all[i + 10].point, later[i].point)
          assert.same(all[i + 10].paths, later[i].paths)
        end
      end
    end
  end)
  it("draws other paths for another seed, and keeps none unless asked", function()
    local model = small("recursive", "gaussian")
    local test = windows(part.test)
    local a, b = model:forecast(test, { seed = 1, paths = 4 }), model:forecast(test, { seed = 2, paths = 4 })
    assert.is_nil(a[1].paths)
    assert.same(a[1].point, b[1].point)
    assert.is_true(a[1].quantiles[0.9][1] ~= b[1].quantiles[0.9][1])
    assert.same({ 0.25, 0.75 }, model:forecast(test, { paths = 4, quantiles = { 0.25, 0.75 } }):levels())
    assert.same({}, model:forecast(test, { intervals = false }):levels())
  end)
  it("gives figures in the unit of the data, in validation too", function()
    local model = small("direct", "quantiles")
    local trainer = trained(model, model:loss(), { metrics = { "mae", "pinball" } })
    local figures = trainer:evaluate(windows(part.test), { metrics = { "mae", "rmse", "smape", "mase", "coverage" } })
    local again = trainer:predict(windows(part.test)):metrics { "mae", "coverage" }
    assert.equal(again.mae, figures.mae)
    assert.equal(again.coverage_80, figures.coverage_80)
    assert.is_true(figures.mae > 5 and figures.mae < 40 and figures.rmse > figures.mae and figures.loss ~= nil)
    assert.equal(figures.mae, trainer:evaluate(windows(part.test)).mae)
    assert.is_nil(trainer:evaluate(windows(part.test)).rmse)
    fails("metric 'mae' is of forecasts on the scale of the data: it needs windows of a series", function()
      trainer:evaluate { { rondo.zeros(1, 11, 3), rondo.zeros(1, 4) } }
    end)
  end)
  it("may be a plain Sequential, with any loss of forecasts", function()
    rondo.manual_seed(4)
    local model = rondo.Sequential { rondo.GRU { hidden_size = 8, return_sequences = false }, rondo.Linear { 4 } }
    local trainer = trained(model, rondo.HuberLoss { delta = 1 }, { metrics = { "mae" } })
    assert.is_true(trainer:evaluate(windows(part.test), { metrics = { "mase" } }).mase < 4)
    local function plain(n)
      return rondo.Sequential { rondo.GRU { hidden_size = 8, return_sequences = false }, rondo.Linear { n } }
    end
    local forecast = trained(plain(4 * 3), rondo.QuantileLoss()):predict(windows(part.test))
    for _, entry in ipairs(forecast) do
      for h = 1, 4 do
        local q = entry.quantiles
        assert.is_true(q[0.1][h] <= q[0.5][h] and q[0.5][h] <= q[0.9][h])
      end
    end
    local drawn = trained(plain(4 * 2), rondo.GaussianLoss { positive = "softplus" }):predict(windows(part.test),
      { paths = 10 })
    assert.same({ 0.1, 0.5, 0.9 }, drawn:levels())
    fails("the model gives (96, 4), and the windows have 5 steps of 1 target, 1 number each", function()
      model:forecast(windows(part.test, { horizon = 5, batch_size = 97 }))
    end)
  end)
  it("is saved with what it was trained on, and forecasts new data with the same bits", function()
    for _, case in ipairs { { "seq2seq", "student_t" }, { "direct", "quantiles" } } do
      local run = folder .. "/" .. case[1]
      local model = small(case[1], case[2])
      local trainer = trained(model, model:loss(), { run_dir = run, metrics = { "mae" } })
      local opened = assert(rondo.load(trainer.last_file))
      local c = opened.config.series
      assert.same({ case[1], case[2], 8, 4, 6, "level" }, { c.form, c.output, c.input, c.horizon, c.season,
        c.targets[1] })
      local how = { paths = 5, keep_paths = true }
      same_bits(model:forecast(windows(part.test), how), opened.model:forecast(windows(part.test), how))
      local ahead, later = model:forecast(part.series, how), opened.model:forecast(part.series, how)
      assert.equal(400, later[1].origin)
      same_bits(ahead, later)
      assert(rondo.save(run .. "/again.h5", { model = opened.model }))
      same_bits(ahead, assert(rondo.load(run .. "/again.h5")).model:forecast(part.series, how))
    end
  end)
  it("that is fed forecasts further ahead than it was trained", function()
    for _, form in ipairs { "recursive", "seq2seq" } do
      local model = small(form, "gaussian")
      model = trained(model, model:loss()).model
      local far = model:forecast(part.series, { horizon = 9, paths = 8 })
      assert.same({ 9, 9 }, { #far[1].point, #far[1].quantiles[0.1] })
      local near = model:forecast(part.series, { paths = 8 })
      assert.same(near[1].point, table.move(far[1].point, 1, 4, 1, {}))
    end
    local model = small("direct", "point")
    model = trained(model, model:loss()).model
    fails("Forecaster: its horizon is 4, but the windows have 9", function()
      model:forecast(part.series, { horizon = 9 })
    end)
  end)
  it("is the same whether it was stopped and resumed or not", function()
    local files = {}
    for i, epochs in ipairs { { 4 }, { 2, 4 } } do
      local trainer
      for k, last in ipairs(epochs) do
        rondo.manual_seed(7)
        local model = rondo.Forecaster { form = "seq2seq", cell = "lstm", num_layers = 2, dropout = 0.2,
          hidden_size = 5, output = "gaussian", teacher_forcing = 0.3 }
        trainer = rondo.Trainer { model = model, loss = model:loss(), optimizer = rondo.optim.Adam { lr = 1e-2 },
          epochs = last, run_dir = folder .. "/resume-" .. i, resume = k > 1, progress = "none", quiet = true }
        trainer:fit(windows(part.train, { shuffle = true }))
      end
      files[i] = support.read(trainer.last_file)
    end
    assert.is_true(files[1] == files[2])
  end)
  it("says what it cannot forecast", function()
    fails("forecast: expected windows or a series, got a number", function() small("direct", "point"):forecast(3) end)
    fails("was not trained on windows of a series", function() small("direct", "point"):forecast(part.series) end)
    fails("counts are forecast as they are: give the windows no scaler", function()
      small("direct", "negative_binomial"):forecast(windows(part.test))
    end)
    fails("evaluate: expected a table of options, got a string", function()
      trained(small("direct", "point"), rondo.MSELoss()):evaluate(windows(part.test), "mae")
    end)
    fails("forecast: unknown option 'path' (did you mean 'paths'?)", function()
      small("direct", "point"):forecast(windows(part.test), { path = 3 })
    end)
  end)
  it("of several targets says something of each", function()
    for _, form in ipairs { "direct", "recursive", "seq2seq" } do
      rondo.manual_seed(4)
      local model = rondo.Forecaster { form = form, output = "student_t", hidden_size = 6, normalize = "mean" }
      local both = { target = { "help", "level" }, scaler = part.scaler }
      trained(model, model:loss(), nil, both)
      local forecast = model:forecast(windows(part.test, both), { paths = 6 })
      assert.same({ 2 * 97, "help", "level" }, { #forecast, forecast[1].target, forecast[2].target })
      assert.is_true(math.abs(forecast[1].point[1]) < 5 and forecast[2].point[1] > 5)
      local figures = model:evaluate(windows(part.test, both), { metrics = { "mae", "coverage" }, paths = 6 })
      assert.is_true(figures.mae > 0 and figures.coverage_80 > 0)
    end
  end)
  it("sees no more than rows up to the origin, and what is known ahead", function()
    local model = small("seq2seq", "point")
    local rows = {}
    for i, row in ipairs(part.rows) do
      rows[i] = { i > 340 and -1e6 or row[1], row[2] }
    end
    local other = series_of(folder, { "level", "help" }, rows, "other")
    local test = select(2, other:split { 300, 100 })
    local a = model:forecast(windows(part.test, { past = {} }))
    local b = model:forecast(windows(test, { past = {} }))
    for i = 1, 41 do -- origins 300 to 340
      assert.same(a[i].point, b[i].point)
    end
    assert.is_true(a[42].point[1] ~= b[42].point[1])
  end)
  it("of many series is told which one it forecasts", function()
    local rows, noise = {}, normals(240, 11)
    for i, e in ipairs(noise) do
      local k = (i - 1) % 2
      rows[i] = { k == 0 and "a" or "b", ("%.4f"):format(k * 40 + 5 * math.sin(i / 5) + e), i % 4, k + 1 }
    end
    series_of(folder, { "name", "sold", "price", "size" }, rows)
    local all = assert(rondo.data.Series.from_csv(folder .. "/name.csv", { id = "name" }))
    local train, test = all:split { 0.75, 0.25 }
    local scaler = rondo.data.StandardScaler { per_series = true }:fit(train)
    local function w(given, ids)
      return given:windows { input = 6, horizon = 3, target = "sold", past = {}, known = { "price" },
        static = { "size" }, ids = ids, scaler = scaler, batch_size = 16 }
    end
    for _, form in ipairs { "direct", "recursive", "seq2seq" } do
      local model = small(form, "gaussian")
      local trainer = rondo.Trainer { model = model, loss = model:loss(), optimizer = rondo.optim.Adam { lr = 1e-2 },
        epochs = 1, quiet = true, metrics = { "mae", "coverage" } }
      trainer:fit(w(train, "embedding"), w(test, "embedding"))
      assert.same({ 2, 2 }, { model.options.known, model.options.num_series }) -- price, behind the origin
      local mean, n = { a = 0.0, b = 0.0 }, { a = 0, b = 0 }
      for _, entry in ipairs(trainer:predict(w(test, "embedding"), { paths = 5 })) do
        mean[entry.series], n[entry.series] = mean[entry.series] + entry.point[1], n[entry.series] + 1
      end
      assert.is_true(math.abs(mean.b / n.b - mean.a / n.a - 40) < 5)
      fails("needs the ids of series beside its input", function() model:forecast(w(test)) end)
      local plain = small(form, "point")
      assert.is_true(#plain:forecast(w(test, "one_hot")) > 0)
      assert.same(2, plain.options.known)
    end
  end)
  it("is averaged with others in an Ensemble", function()
    local members = {}
    for i = 1, 3 do
      rondo.manual_seed(i)
      members[i] = rondo.Forecaster { output = "quantiles", hidden_size = 4 }
      members[i]:take_windows(windows(part.train))
    end
    local all = rondo.Ensemble(members):forecast(windows(part.test))
    local sum = 0.0
    for i = 1, 3 do
      sum = sum + members[i]:forecast(windows(part.test))[5].quantiles[0.9][2]
    end
    assert.is_true(math.abs(sum / 3 - all[5].quantiles[0.9][2]) < 1e-9)
    assert.equal("mean of 3", all.name)
    assert.is_true(rondo.Ensemble(members):evaluate(windows(part.test), { metrics = { "mae" } }).mae > 0)
  end)
  it("pools the paths of an Ensemble's members", function()
    local members = { small("direct", "gaussian"), small("seq2seq", "gaussian") }
    local how = { paths = 6, keep_paths = true }
    local all = rondo.Ensemble(members):forecast(windows(part.test), how)
    assert.equal(12, #all[1].paths)
    assert.same(members[1]:forecast(windows(part.test), how)[1].paths[6], all[1].paths[6])
    assert.is_nil(rondo.Ensemble(members):forecast(windows(part.test), { paths = 6 })[1].paths)
    fails("Ensemble: member 1 must be a model or the path of a run, got a number", rondo.Ensemble, { 1 })
    fails("Ensemble: expected a list of models or runs", rondo.Ensemble, {})
    fails("Ensemble: member 1: ", rondo.Ensemble, { folder .. "/none" })
    local average = require("rondo.forecast.ensemble").average
    fails("Ensemble: forecasts 1 and 2 are not of the same windows", average, { members[1]:forecast(windows(part.test)),
      members[1]:forecast(windows(part.train)) })
    fails("Ensemble: forecasts 1 and 2 have not the same quantiles", average, { members[1]:forecast(windows(part.test)),
      members[1]:forecast(windows(part.test), { intervals = false }) })
  end)
end)
