-- diagnose_command_spec.lua - rondo diagnose and rondo replay as programs, and the pictures.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local rondo = require "rondo"
local json = require "rondo.json"
local support = dofile "tests/lua/support.lua"

local folder
local has_gnuplot = os.execute "command -v gnuplot >/dev/null"

setup(function()
  folder = support.folder()
  local words = {}
  for i = 1, 400 do
    words[i] = ({ "the", "cat", "sat", "down" })[1 + i * i % 7 % 4]
  end
  support.write(folder .. "/text.txt", table.concat(words, " "))
  local text = rondo.data.Text.open(folder .. "/text.txt")
  rondo.manual_seed(1)
  local model = rondo.Sequential { rondo.OneHot { #text.vocab }, rondo.GRU { 6 }, rondo.Linear { #text.vocab } }
  rondo.Trainer({ model = model, loss = rondo.CrossEntropyLoss(), optimizer = rondo.optim.Adam { lr = 0.01 },
    clip_grad_norm = 1e-3, vocab = text.vocab, run_dir = folder .. "/run", max_steps = 4, log_every = 1, quiet = true })
    :fit(text:sequences { seq_len = 8, batch_size = 2, stateful = true })
end)
teardown(function() support.remove(folder) end)

describe("rondo diagnose", function()
  it("prints a page of a run and the text", function()
    local out, err, code = support.rondo(folder, "diagnose run text.txt --rows 2 --steps 20")
    assert.equal("", err)
    assert.equal(0, code)
    assert.matches("^run/checkpoints/step%-000000000004%.h5, 2 rows of 20 steps, loss ", out)
    assert.matches("2%.layer1 %(GRU 'layer 2', cell gru, 20 steps%)", out)
    assert.matches("update / weight +2%.layer1%.r_x ", out)
    assert.matches("clipped: 100%.0 %% of the updates", out)
  end)

  it("gives the same to programs", function()
    local out = support.rondo(folder, "diagnose run text.txt --rows 2 --steps 20 --json")
    local facts = assert(json.decode(out))
    assert.equal(1, facts.clip_rate)
    assert.equal(20, #facts.layers[1].gradient)
    assert.equal(20, #facts.layers[1].contributions.r_h)
    assert.is_true(facts.check < 1e-5)
    assert.is_true(facts.updates["2.layer1.r_h"] > 0)
  end)

  it("says what it lacks", function()
    support.write(folder .. "/short.txt", "t")
    local _, err, code = support.rondo(folder, "diagnose run short.txt")
    assert.equal("rondo: short.txt: is too short to be looked at\n", err)
    assert.equal(2, code)
    _, err, code = support.rondo(folder, "diagnose run/checkpoints/step-000000000004.h5")
    assert.equal("rondo: diagnose: give the text to look at: rondo diagnose RUN FILE\n", err)
    assert.equal(2, code)
  end)

  it("looks at windows of a series as it was trained on", function()
    local rows = { "load,price" }
    for i = 1, 80 do
      rows[i + 1] = ("%.3f,%.3f"):format(i % 7, math.sin(i))
    end
    support.write(folder .. "/load.csv", table.concat(rows, "\n") .. "\n")
    local series = assert(rondo.data.Series.from_csv(folder .. "/load.csv"))
    local windows = series:windows { input = 12, horizon = 2, target = "load", batch_size = 8 }
    rondo.Trainer({ model = rondo.Sequential { rondo.LSTM { 4, return_sequences = false }, rondo.Linear { 2 } },
      loss = rondo.HuberLoss(), optimizer = rondo.optim.SGD { lr = 0.01 }, run_dir = folder .. "/load", max_steps = 3,
      quiet = true }):fit(windows)
    local out, err, code = support.rondo(folder, "diagnose load load.csv --rows 4")
    assert.equal("", err)
    assert.equal(0, code)
    assert.matches(", 4 rows of 12 steps, loss ", out)
    assert.matches("update / weight +2.weight ", out)
    support.write(folder .. "/other.csv", "price\n1\n2\n3\n")
    local _, why, status = support.rondo(folder, "diagnose load other.csv")
    assert.matches("^rondo: other.csv: there is no column 'load'", why)
    assert.equal(3, status)
  end)

  it("looks at a model of other data on noise", function()
    assert(rondo.save(folder .. "/other.h5", { model = rondo.Sequential { rondo.LSTM { 3, 4 }, rondo.Linear { 1 } } }))
    local out, err, code = support.rondo(folder, "diagnose other.h5 --steps 10")
    assert.equal(0, code)
    assert.equal("note: this is no model of text or of a series; it is looked at on noise\n", err)
    assert.matches("memory horizon", out)
  end)
end)

describe("pictures of gradients", function()
  local function diagnosis(cell)
    rondo.manual_seed(1)
    local model = rondo.Sequential { rondo.RNN { cell = cell, input_size = 2, hidden_size = 4 }, rondo.Linear { 1 } }
    return rondo.diagnose(model, { rondo.randn { 2, 10, 2 }, rondo.randn { 2, 10, 1 } }, { contributions = false })
  end

  it("show lag by time, as a share of lag 0, cut to the range of the colours", function()
    local found = diagnosis "gru"
    local drawn = require("rondo.diagnose.picture").of(found)
    local heat = drawn.panels[3].heat
    assert.equal(10, #heat.matrix)
    assert.equal(1, heat.matrix[1][4])
    assert.is_true(heat.matrix[4][3] ~= heat.matrix[4][3]) -- lag 3 at time 3: before the first step
    local one = found.layers[1]
    assert.is_true(math.abs(heat.matrix[3][10] - one.lag.norm[10][3] / one.lag.norm[10][1]) < 1e-12)
    one.lag.norm[10][3] = 0
    assert.equal(1e-6, require("rondo.diagnose.picture").of(found).panels[3].heat.matrix[3][10])
  end)

  it("are drawn side by side", function()
    if not has_gnuplot then
      pending "gnuplot is not here"
      return
    end
    local list = { { "vanilla", diagnosis "vanilla" }, { "lstm", diagnosis "lstm" } }
    assert(rondo.plot.gradients(list, folder .. "/side.svg"))
    local svg = support.read(folder .. "/side.svg")
    assert.matches("vanilla: |dL%(t%)/ds%(t%-lag%)|, share of lag 0", svg)
    assert.matches("lstm", svg)
    assert(list[1][2]:plot(folder .. "/one.png"))
    assert.equal("\137PNG", support.read(folder .. "/one.png"):sub(1, 4))
  end)

  it("need something to show", function()
    assert.matches("plot.gradients: expected what rondo.diagnose returned, or { { name, diagnosis }, ... }, got a "
      .. "table", support.failure(rondo.plot.gradients, {}))
  end)
end)

describe("rondo replay", function()
  it("shows the trail of a capsule, and whether it is as in the training", function()
    rondo.manual_seed(4)
    local model = rondo.Sequential { rondo.VanillaRNN { 2, 3, activation = "identity" }, rondo.Linear { 1 } }
    local x = rondo.ones(2, 4, 2)
    x[{ 2, 3, 1 }] = 1 / 0
    local trainer = rondo.Trainer { model = model, loss = rondo.MSELoss(), optimizer = rondo.optim.SGD { lr = 0.01 },
      run_dir = folder .. "/breaks", quiet = true, epochs = 1 }
    local failure = support.failure(trainer.fit, trainer, { { x, rondo.zeros(2, 4, 1) } })
    local path = failure.message:match "rondo replay (.-)`"
    assert.is_true(core.stat(path).size < 1 << 20)
    local out, err, code = support.rondo(folder, "replay " .. path)
    assert.equal("", err)
    assert.equal(0, code)
    assert.matches("^step 1\n  1  before     the input at time step 3, row 2, unit 1 is inf\n  2  forward    'a' of "
      .. "1%.layer1 at time step 3, row 2, unit %d is ", out)
    assert.matches("as in the training\n$", out)
    local facts = json.decode((support.rondo(folder, "replay --json " .. path)))
    assert.equal("before", facts.trail[1].phase)
    assert.is_true(facts.same)
  end)

  it("ends with 3 for a file that is no capsule", function()
    local _, err, code = support.rondo(folder, "replay run/checkpoints/step-000000000004.h5")
    assert.matches("is no capsule; capsules lie in RUN/capsules", err)
    assert.equal(3, code)
  end)
end)

describe("an SVG", function()
  local compact = require "rondo.plot.compact"

  it("has the cells of a heat map as one path for each colour", function()
    local svg = compact("<g id=\"gnuplot_canvas\">\n"
      .. "  <polygon fill = 'rgb(  1,   2, 255)' points = '1.00,5.00 2.00,5.00 2.00,4.00 1.00,4.00 '/>\n"
      .. "  <polygon fill = 'rgb(  1,   2, 255)' points = '2.00,5.00 3.50,5.00 3.50,4.00 2.00,4.00 '/>\n"
      .. "  <polygon fill = 'rgb(0, 0, 0)' points = '3.50,5.00 4.00,5.00 4.00,4.00 3.50,4.00 '/>\n"
      .. "  <polygon fill = 'rgb(  1,   2, 255)' points = '1.00,4.00 2.00,4.00 2.00,3.00 1.00,3.00 '/>\n</g>\n")
    assert.matches("<path fill='#0102ff' d='M1 5H3%.5V4H1zM1 4H2V3H1z'/>", svg)
    assert.matches("<path fill='#000000' d='M3%.5 5H4V4H3%.5z'/>", svg)
  end)

  it("keeps what is no cell, and loses groups without anything in them", function()
    local svg = compact('<g stroke="a">\n</g>\n<text>a  b</text>\n'
      .. "<path d='M1.00,2.00 L3.00,2.00 M1.50,2.00 L4.00,5.00 '/>\n")
    assert.equal("<text>a  b</text>\n<path d='M1 2H3M1.50,2.00 L4.00,5.00'/>\n", svg)
  end)
end)
