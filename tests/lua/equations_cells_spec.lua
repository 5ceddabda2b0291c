-- equations_cells_spec.lua - known cells as equations: what the compiled ones compute is what those of the tree do.
--
-- Outputs, last states and all gradients agree to 1e-12 in the double build, 1e-5 in float.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local cells = dofile "tests/lua/equation_cells.lua"
local interpret = require "rondo.equations.interpret"
local prove = require "rondo.equations.prove"
local support = dofile "tests/lua/support.lua"

local folder, programs

setup(function()
  folder = support.folder()
  local list = {}
  for i, known in ipairs(cells.known) do
    list[i] = cells.given(known)
  end
  programs = cells.programs(list)
  cells.load_all(programs, folder, "known")
end)
teardown(function() support.remove(folder) end)

describe("as equations", function()
  for i, known in ipairs(cells.known) do
    local name = known.name or known.like
    it(name .. " has the parameters of the cell in the tree, and its numbers", function()
      local hand = cells.run(cells.layer(known.like, known.options))
      local made = cells.run(cells.layer(programs[i].name))
      for what, value in pairs(hand) do
        local difference = cells.difference(assert(made[what], what), value)
        assert.is_true(difference <= cells.TOLERANCE, ("%s: %g"):format(what, difference))
        made[what] = nil
      end
      assert.is_nil(next(made))
    end)
    it(name .. " computes compiled what it computes interpreted", function()
      local difference, where = assert(prove.equal(programs[i]))
      assert.is_true(difference <= 10 * cells.TOLERANCE, ("%s: %g"):format(where, difference))
    end)
    it(name .. " takes at most 8 lines", function()
      local n = 0
      for _ in pairs(known.equations) do
        n = n + 1
      end
      assert.is_true(n <= 8)
    end)
  end
end)

describe("a cell of equations", function()
  local given = { name = "equations.first_gru", init = { b_z = 1, U_n = "orthogonal", W_r = { "uniform", -1, 1 } },
    equations = cells.known[3].equations }
  it("runs at once, and begins with the same numbers once it is compiled", function()
    local function parameters(layer)
      local list = {}
      for name, p in layer:named_parameters() do
        list[#list + 1] = { name, p }
      end
      return list
    end
    local x = rondo.randn(2, 4, 3)
    rondo.cell(given)
    local interpreted = rondo.RNN { cell = given.name, input_size = 3, hidden_size = 6, seed = 4 }
    local program = cells.programs({ given })[1]
    program.name = "equations.second_gru" -- beside the first
    cells.load_all({ program }, folder, "second")
    local compiled = rondo.RNN { cell = program.name, input_size = 3, hidden_size = 6, seed = 4 }
    local of_c = parameters(compiled)
    for i, entry in ipairs(parameters(interpreted)) do
      assert.equal(entry[1], of_c[i][1])
      support.same(entry[2], of_c[i][2], entry[1])
    end
    assert.is_true(cells.difference(compiled(x), interpreted(x)) <= cells.TOLERANCE)
  end)
  it("has the same parameters and masks interpreted and compiled, states that stop or mean nothing alone too",
    function()
    local slstm = cells.known[8]
    rondo.cell { name = "equations.beside", equations = slstm.equations, first = slstm.first, whole = slstm.whole }
    local x, layers = rondo.randn(3, 4, 3), {}
    for i, name in ipairs { "equations.beside", programs[8].name } do
      layers[i] = rondo.RNN { cell = name, input_size = 3, hidden_size = 6, seed = 4, learn_state = true, zoneout = 0.5,
        recurrent_dropout = 0.2 }
    end
    local names = { {}, {} }
    for i, layer in ipairs(layers) do
      for parameter in layer:named_parameters() do
        table.insert(names[i], parameter)
      end
    end
    assert.same(names[2], names[1])
    assert.is_true(cells.difference(layers[2](x), layers[1](x)) <= 10 * cells.TOLERANCE)
    for _, name in ipairs { "equations.beside", programs[8].name } do
      assert.matches("the state 'm' means nothing apart from others and cannot be held; these can: h", support.failure(
        rondo.RNN, { cell = name, input_size = 3, hidden_size = 6, zoneout = { m = 0.5 } }))
    end
  end)
  it("is found by its name, with its sentence", function()
    local cell = rondo.cell { name = "equations.found", help = "a plain one",
      equations = { h = "tanh(W x + U h + b)" } }
    assert.equal("a plain one", cell.help)
    assert.equal("cell 'equations.found', written in Lua", tostring(cell))
    assert.equal(4, rondo.RNN({ cell = "equations.found", hidden_size = 4 })(rondo.ones(1, 2, 3)):size(3))
  end)
  it("may have constants, another output, numbers for states, powers", function()
    rondo.cell { name = "equations.many", output = "y", constants = { slope = 0.5, p = 3 }, first = { c = 2 },
      equations = {
      c = "slope*c", y = "W x*0 + c^p + c'^-1 + slope*relu(W_r x)*0" } }
    local y = rondo.RNN { cell = "equations.many", input_size = 2, hidden_size = 3 }(rondo.ones(1, 2, 2))
    assert.same({ 1.5, 1.125 }, { y[{ 1, 1, 1 }], y[{ 1, 2, 3 }] }) -- c = 1, 0.5: c^3 + 1 / c'
  end)
  it("keeps what is costly in lines, and computes again what is a function of states", function()
    assert.equal(0, programs[1].n_saves) -- the LSTM's gates lie in their lines; tanh(c) is computed twice
    assert.equal(0, programs[4].n_saves) -- GRU before: z has all of its gradient in the later phase
    assert.equal(1, programs[5].n_saves) -- MGU: n is needed in the first phase, when its line is dL/da already
  end)
  it("lets no gradient through stop", function()
    local p = cells.programs({ { name = "equations.stopped", equations = { h = "stop(s*h + W x) + t" } } })[1]
    assert.is_nil(p.back.vector.s)
    assert.is_truthy(p.back.vector.t)
  end)
end)

describe("an interpreted step", function()
  it("normalises a row as rondo.LayerNorm does", function()
    local p = cells.programs({ { name = "equations.norm", equations = { h = "layernorm(h')*g + s + 0*W x" } } })[1]
    local before = rondo.randn(2, 5)
    local w = { g = rondo.ones(5) * 2, s = rondo.ones(5), h_x = rondo.ones(5, 3) }
    local after = interpret.step(p, w, rondo.ones(2, 3), { h = before }).h
    local centred = before - before:mean(2, true)
    local over = ((centred * centred):mean(2, true) + 1e-5):sqrt()
    assert.is_true(cells.difference(after, centred / over * 2 + 1) <= cells.TOLERANCE)
  end)
end)
