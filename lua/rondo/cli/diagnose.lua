-- cli/diagnose.lua - rondo diagnose RUN [DATA]: the gradient of a trained model, looked at.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local json = require "rondo.json"
local whole_file = require "rondo.whole_file"

local function options(cli)
  local parser = cli.parser("diagnose", "How far back the gradient of a trained model reaches: norms of dL/dh by step "
    .. "and by lag, memory horizon, spectral radii, Lyapunov exponent, saturated gates, each step's part of dL/dW, "
    .. "size of the updates, share of clipped updates.")
  parser:argument("run", "run folder (its best checkpoint) or checkpoint file")
  parser:argument("data", "text or table to look at; default: that of the run; other models get noise"):args "?"
  parser:option("--rows", "rows of the batch"):argname "<n>":convert(cli.number("--rows", "int", 1, 65536)):default "8"
  parser:option("--steps", "steps of the batch"):argname "<n>":convert(cli.number("--steps", "int", 2, 1000000))
    :default "100"
  parser:option("--lags", "most loss times whose gradient is looked at by lag"):argname "<n>"
    :convert(cli.number("--lags", "int", 1, 1000000)):default "32"
  parser:flag("--exact", "norms of ds(T)/ds(k) by all rows of the Jacobian, not by 8 random vectors")
  parser:option("-o --output", "a picture, x.svg or x.png; - is the terminal"):argname "FILE"
  parser:flag("--json", "one JSON object")
  parser:option("--threads", "worker threads; 0: one per CPU"):argname "<n>"
    :convert(cli.number("--threads", "int", 0, 256))
  cli.plugin_option(parser)
  return parser
end

local function open(o, cli)
  local ckpt, message, code = require("rondo").load(o.run)
  if not ckpt then
    errors.stop(code, message)
  end
  local model
  model, message = require("rondo.checkpoint").rebuild(ckpt.opened)
  if not model then
    errors.stop(errors.DATA, cli.with_plugin_hint(message))
  end
  return model, ckpt
end

-- The data that the run names in its config.json.
local function data_of(o)
  local config = json.read(o.run .. "/config.json") or {}
  local named = config.data or type(config.options) == "table" and config.options.data
  return o.data or type(named) == "string" and named or nil
end

local function text_batch(o, ckpt)
  local path = data_of(o)
  if not path then
    errors.stop(errors.USAGE, "diagnose: give the text to look at: rondo diagnose RUN FILE")
  end
  local text, message, code = require("rondo").data.Text.open(path, { vocab = ckpt.vocab })
  if not text then
    errors.stop(code, message)
  end
  local ok, source = pcall(text.sequences, text, { seq_len = o.steps, batch_size = o.rows, stateful = true })
  if not ok or #source == 0 then
    errors.stop(errors.USAGE, ("%s: is too short to be looked at"):format(path))
  end
  local x, y = source:batch(1, 1)
  return { x, y }
end

-- Windows of a table, as the run was trained on.
local function series_batch(o, ckpt)
  local path = data_of(o)
  if not path then
    errors.stop(errors.USAGE, "diagnose: give the table to look at: rondo diagnose RUN FILE.csv")
  end
  local series = require("rondo.forecast.runs").read({ path = o.run, config = ckpt.config.series },
    require("rondo.forecast.recipe").find(path))
  local ok, windows = pcall(series.windows_like, series, ckpt.config.series, { batch_size = o.rows })
  if not ok or #windows == 0 then
    errors.stop(errors.DATA, ("%s: cannot be looked at by this model: %s"):format(path,
      ok and "it is too short" or errors.bare(tostring(windows))))
  end
  local x, y, how, weight = windows:batch(1, 1)
  return { x, y, weight, lengths = how and how.lengths, mask = how and how.mask }
end

-- The loss that the run was trained by; nil where a script wrote it.
local function loss_of(ckpt)
  local description = ckpt.config.loss
  local make = type(description) == "table" and require("rondo.loss")[description.kind]
  if not make then
    return nil
  end
  local given = {}
  for key, value in pairs(description) do
    given[key] = key ~= "kind" and value or nil
  end
  local ok, loss = pcall(make, given)
  return ok and loss or nil
end

-- Numbers that mean nothing, for a model whose data the command cannot read; L is the mean of the squares.
local function noise_batch(o, model)
  local rondo, core = require "rondo", require "rondo.native"
  local stream = { seed = 1, purpose = "user", update = 1 }
  local x
  local first = model.class_name == "Sequential" and model[1] or model
  local inner = first.options or {}
  if first.takes_ids then
    local most = inner.num_embeddings or inner.classes or inner[1] or 2
    local ids = core.zeros { o.rows, o.steps }
    ids:fill_uniform(0.5, most + 0.49, stream)
    local list = ids:table()
    for _, row in ipairs(list) do
      for t, id in ipairs(row) do
        row[t] = math.floor(id + 0.5)
      end
    end
    x = core.tensor(list)
  else
    local features = inner.input_size or inner.in_features or inner.features
    if not features then
      errors.stop(errors.DATA, "diagnose: what this model reads is not known here; call rondo.diagnose(model, "
        .. "{ x, y }) in a script")
    end
    x = core.zeros { o.rows, o.steps, features }
    x:fill_normal(0, 1, stream)
  end
  io.stderr:write("note: this is no model of text or of a series; it is looked at on noise\n")
  local loss = function(y) return (y * y):mean() end
  return { x, core.zeros(rondo.no_grad(model.forward, model, x):size()) }, loss
end

-- The optimizer of the checkpoint with its numbers, bound to the model; nil where it has none.
local function optimizer_of(model, ckpt)
  local checkpoint, optim = require "rondo.checkpoint", require "rondo.optim"
  local description = ckpt.config.optimizer
  local make = type(description) == "table" and optim[description.kind]
  if not make then
    return nil
  end
  local given = {}
  for key, value in pairs(description) do
    given[key] = key ~= "kind" and value or nil
  end
  local ok, optimizer = pcall(make, given)
  if not ok then
    return nil
  end
  local names = checkpoint.names_of(model)
  optimizer:bind(model:parameters(), names)
  if not checkpoint.read_optimizer(ckpt.opened, optimizer, names) then
    return nil
  end
  return checkpoint.read_rate(ckpt.opened, optimizer) and optimizer
end

-- Share of the run's logged updates that were clipped, before this checkpoint.
local function clip_rate(o, ckpt)
  local limit, path = ckpt.config.clip_grad_norm, o.run .. "/metrics.jsonl"
  limit = type(limit) == "number" and limit or nil -- infinite: a text
  local file = whole_file.open(path)
  if not file then
    return nil
  end
  local n, clipped = 0, 0
  for line in whole_file.lines(file, path) do
    local found = limit and json.decode(line)
    if type(found) == "table" and found.split == "train" and type(found.grad_norm) == "number" then
      n, clipped = n + 1, clipped + (found.grad_norm > limit and 1 or 0)
    end
  end
  file:close()
  return n > 0 and clipped / n or nil
end

local function as_json(found, ckpt)
  local facts = require("rondo.diagnose.record").of(found)
  facts.split, facts.checkpoint, facts.loss, facts.clip_rate = nil, ckpt.path, found.loss, found.clip_rate
  facts.check, facts.updates = found.check.difference, {}
  for _, entry in ipairs(found.updates or {}) do
    facts.updates[entry.name] = entry.ratio
  end
  facts.updates = next(facts.updates) and facts.updates or nil
  for i, one in ipairs(found.layers) do
    facts.layers[i].by_lag, facts.layers[i].lags = one.profile, nil
    facts.layers[i].gradient, facts.layers[i].at = one.gradient.all, nil
    facts.layers[i].jacobian, facts.layers[i].contributions = one.jacobian, {}
    for name, c in pairs(one.contributions) do
      facts.layers[i].contributions[name] = c.norm
    end
  end
  return json.encode(facts)
end

return function(arguments, cli)
  local o = cli.parse(options(cli), arguments)
  require("rondo.plugins").load_from(arguments)
  if o.threads then
    require("rondo.native").threads(o.threads)
  end
  local rondo = require "rondo"
  local model, ckpt = open(o, cli)
  local batch, noise
  if ckpt.vocab then
    batch = text_batch(o, ckpt)
  elseif type(ckpt.config.series) == "table" then
    batch = series_batch(o, ckpt)
  else
    batch, noise = noise_batch(o, model)
  end
  local found = rondo.diagnose(model, batch, { loss = noise or loss_of(ckpt), lags = o.lags, exact = o.exact,
    optimizer = not noise and optimizer_of(model, ckpt) or nil, clip_grad_norm = ckpt.config.clip_grad_norm })
  found.clip_rate = clip_rate(o, ckpt)
  if o.json then
    io.stdout:write(as_json(found, ckpt), "\n")
  else
    local size = ("%d rows of %d steps"):format(batch[1]:size(1), batch[1]:size(2))
    io.stdout:write(("%s, %s, %s\n"):format(ckpt.path, size, tostring(found)))
  end
  if o.output then
    local ok, message = rondo.plot.gradients(found, o.output ~= "-" and o.output or nil)
    if not ok then
      errors.stop(errors.DATA, message)
    end
  end
  return 0
end
