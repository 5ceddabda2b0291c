-- precision_spec.lua - products of bfloat16: what is rounded and what is not, who says so.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local json = require "rondo.json"
local support = dofile "tests/lua/support.lua"
local args = require("rondo.args").args

local FINE = 1 + 2 ^ -10 -- 11 significant bits; a bfloat16 has 8

local function linear_of_one()
  local layer = rondo.Linear { 1, bias = false }
  layer(rondo.ones { 1, 1 })
  rondo.init(layer.weight, { "constant", FINE })
  return layer
end

describe("rondo.precision", function()
  after_each(function() rondo.precision "float32" end)
  it("tells what it was before", function()
    assert.equal("float32", rondo.precision())
    assert.equal("float32", rondo.precision "bf16")
    assert.equal("bf16", rondo.precision "float32")
  end)
  it("refuses another name", function()
    assert.has_error(function() rondo.precision "half" end, "precision must be 'float32', 'bf16' or 'int8', got 'half'")
  end)
  it("rounds what enters a product, not the parameter", function()
    local layer, x = linear_of_one(), rondo.ones { 1, 1 }
    assert.equal(FINE, layer(x):item())
    rondo.precision "bf16"
    assert.equal(1.0, layer(x):item())
    assert.equal(FINE, layer.weight:item())
    rondo.precision "float32"
    assert.equal(FINE, layer(x):item())
  end)
  it("packs a layer's weights anew when it changes", function()
    local x = rondo.tensor { { { 0.3, -0.7 }, { 0.9, 0.2 } } }
    local layer = rondo.LSTM { input_size = 2, hidden_size = 5 }
    local function run() return json.encode(layer(x):table()) end
    local full = run()
    rondo.precision "bf16"
    local half = run()
    assert.not_equal(full, half)
    rondo.precision "float32"
    assert.equal(full, run())
    rondo.precision "bf16"
    assert.equal(half, run())
  end)
  it("takes recurrent matrices as integers of 8 bits", function()
    local x = rondo.tensor { { { 1.0, 0.5 } } }
    local layer = rondo.RNN { cell = "vanilla", input_size = 2, hidden_size = 1, activation = "identity", bias = "none",
      input_init = { "constant", 0.7 } }
    rondo.precision "int8"
    -- x: 127 and, of 63.5, 64 (to even); w: 127 each, scale 0.7 / 127
    local y = rondo.no_grad(function() return (layer(x)):item() end)
    assert.near((127 + 64) / 127 * 0.7, y, 1e-6)
  end)
  it("has no gradients with int8", function()
    local layer = rondo.LSTM { input_size = 2, hidden_size = 3 }
    rondo.precision "int8"
    local ok, why = pcall(layer, rondo.ones { 1, 2, 2 })
    assert.is_false(ok)
    assert.matches("LSTM.*precision 'int8' has no gradients; use another to train, or no_grad", tostring(why))
  end)
  it("is an option of every script", function()
    args({ "A script." }, { "--precision", "bf16" })
    assert.equal("bf16", rondo.precision())
    args({ "A script." }, {})
    assert.equal("float32", rondo.precision())
    local failure = support.failure(args, { "A script." }, { "--precision", "fp8" })
    assert.matches("%-%-precision must be one of float32, bf16, got 'fp8'", failure.message)
  end)
  it("is kept by checkpoints, and told where a run goes on with another", function()
    local folder = support.folder()
    local pairs_of = { { rondo.ones { 2, 1 }, rondo.ones { 2, 1 } } }
    local function fit(o)
      local said = {}
      o.model, o.loss, o.optimizer = linear_of_one(), rondo.MSELoss(), rondo.optim.SGD { lr = 0.1 }
      o.run_dir, o.progress = folder .. "/run", "none"
      local trainer = rondo.Trainer(o)
      trainer.view.say = function(_, line) said[#said + 1] = line end
      trainer:fit(pairs_of)
      return table.concat(said, "\n")
    end
    rondo.precision "bf16"
    fit { epochs = 1 }
    assert.equal("bf16", rondo.load(folder .. "/run").opened.config.precision)
    rondo.precision "float32"
    assert.matches("going on with other settings: precision is bf16 there and not given here",
      fit { epochs = 2, resume = true })
  end)
end)
