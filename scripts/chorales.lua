-- chorales.lua - Bach's chorales (JSB): how well a network expects the next keys, beside what papers report.
--   rondo run scripts/chorales.lua                       (LSTM, GRU and vanilla, seeds 1 to 3)
--   rondo run scripts/chorales.lua --cell mgu --runs 1
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local chorales = require "rondo.data.chorales"

local opt = rondo.args { "JSB chorales: negative log-likelihood in nats a frame, on the validation part.",
  train = { help = "pieces to train on; without it the catalog's", type = "string" },
  valid = { help = "pieces to validate on; without it the catalog's", type = "string" },
  cell = { {}, choices = rondo.plugins.cells, help = "recurrent cell (may be repeated; lstm, gru and vanilla)" },
  runs = { 3, min = 1, help = "trainings of each cell, with seeds from --seed on" },
  hidden_size = { 200, min = 1, max = 65536, help = "width of the state" },
  dropout = { 0.5, min = 0, max = 0.99, help = "before the output" },
  lr = { 5e-3, min = 0, max = 1000, help = "learning rate" },
  ema = { 0.99, min = 0, max = 0.9999999, help = "decay of the averaged weights that are validated" },
  batch_size = { 8, min = 1, help = "pieces side by side" },
  epochs = 60,
  patience = { 8, min = 1, help = "epochs without a better validation before it stops" },
}
local KEYS = chorales.keys

-- What is known without a network: how often each key is down, and how often after it was down or up.
local function counted(train, valid)
  local seen = {} -- [key][1 + before][1 + now]
  local function each(pieces, f)
    for _, piece in ipairs(pieces) do
      local values, steps = piece:table(), piece:size(1)
      for t = 2, steps do
        for key = 1, KEYS do
          f(seen[key], values[t - 1][key], values[t][key])
        end
      end
    end
  end
  for key = 1, KEYS do
    seen[key] = { [0] = { [0] = 1, 1 }, { [0] = 1, 1 } }
  end
  each(train, function(of, before, now) of[before][now] = of[before][now] + 1 end)
  local alone, after, frames = 0, 0, 0
  each(valid, function(of, before, now)
    local row = of[before]
    alone = alone - math.log((of[0][now] + of[1][now]) / (of[0][0] + of[0][1] + of[1][0] + of[1][1]))
    after = after - math.log(row[now] / (row[0] + row[1]))
    frames = frames + 1 / KEYS
  end)
  return alone / frames, after / frames
end

-- Best validation of one training, and the model.
local function trained(cell, seed, train, valid)
  rondo.manual_seed(seed)
  local model = rondo.Sequential { rondo.RNN { cell = cell, input_size = KEYS, hidden_size = opt.hidden_size },
    rondo.Dropout { opt.dropout }, rondo.Linear { KEYS } }
  local trainer = rondo.Trainer { options = opt, model = model, loss = chorales.nats(),
    ema = opt.ema > 0 and opt.ema or nil, optimizer = rondo.optim.Adam { lr = opt.lr }, clip_grad_norm = 1,
    callbacks = { rondo.callbacks.EarlyStopping { patience = opt.patience } } }
  trainer:fit(chorales.batches(train, opt.batch_size, true), chorales.batches(valid, opt.batch_size))
  return trainer.best.value, model
end

local train = chorales.read(opt.train or assert(rondo.data.get("jsb", { part = "train" })))
local valid = chorales.read(opt.valid or assert(rondo.data.get("jsb", { part = "valid" })))
local alone, after = counted(train, valid)
print(("JSB chorales, official split: %d pieces train, %d validate (the test part is not used)"):format(#train, #valid))
print "nats a frame on the validation part, at the best epoch"
print(("%-28s %10s %7.2f"):format("each key by itself", "", alone))
print(("%-28s %10s %7.2f"):format("each key after itself", "", after))
for _, cell in ipairs(#opt.cell > 0 and opt.cell or { "lstm", "gru", "vanilla" }) do
  local started, sum, values, model = os.time(), 0, {}, nil
  for i = 1, opt.runs do
    local value
    value, model = trained(cell, opt.seed + i - 1, train, valid)
    sum, values[i] = sum + value, ("%.3f"):format(value)
  end
  print(("%-28s %10d %7.2f   seeds %d..%d: %s   %d s"):format(cell, model:parameter_count(), sum / opt.runs, opt.seed,
    opt.seed + opt.runs - 1, table.concat(values, " "), os.time() - started))
end
print "published, on the test part, about 300,000 parameters (Bai et al. 2018, table 1): LSTM 8.45, GRU 8.43, RNN 8.91"
