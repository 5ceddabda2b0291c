-- equations_compile_spec.lua - from equations to a plugin: the cache, the command, what is refused on the way.
--
-- The rules of `rondo check` are run once here, by the command; each run of it compiles a cell twice.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local places = require "rondo.places"
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local folder, getenv

setup(function()
  folder, getenv = support.folder(), core.getenv
  core.getenv = function(name)
    return name == "XDG_CACHE_HOME" and folder .. "/cache" or getenv(name)
  end
end)
teardown(function()
  core.getenv = getenv
  support.remove(folder)
end)

local function plain(name, more)
  return rondo.cell { name = name, equations = { h = "tanh(W x + U h + b)" .. (more or "") } }
end

-- With $CC as it is named, whatever the environment of the tests.
local function with_compiler(name, f)
  local own = os.getenv
  os.getenv = function(variable) -- luacheck: ignore 122
    return variable == "CC" and name or variable ~= "CC" and own(variable) or nil
  end
  local results = table.pack(pcall(f))
  os.getenv = own -- luacheck: ignore 122
  assert(results[1], results[2])
  return table.unpack(results, 2, results.n)
end

describe("compile", function()
  it("makes the plugin that the name means from then on, and the same numbers", function()
    local cell, x = plain "compiled.one", rondo.randn(2, 3, 4)
    local function layer()
      return rondo.RNN { cell = "compiled.one", input_size = 4, hidden_size = 5, seed = 2 }
    end
    local interpreted = layer()
    local y = interpreted(x)
    local made = assert(cell:compile { check = false })
    assert.is_false(made.cached)
    assert.is_true(made.difference < 1e-5)
    assert.matches("^" .. folder:gsub("%p", "%%%0") .. "/cache/rondo/cells/compiled%.one%-%x+%.so$", made.plugin)
    assert.matches("^/%* one%.c %- made from equations%.\n %*\n %*     h = tanh%(W x %+ U h %+ b%)\n",
      support.read(made.c))
    assert.equal("userdata", type(layer().stack[1]))
    assert.is_true(layer()(x):allclose(y, { rtol = 1e-5, atol = 1e-6 }))
    assert.is_true(interpreted(x):allclose(y, { rtol = 0, atol = 0 })) -- goes on as it was
    assert.equal(1, select(2, table.concat(rondo.plugins.cells, "\n"):gsub("compiled%.one", "")))
  end)
  it("finds what was built before", function()
    local made = assert(plain("compiled.one"):compile { check = false }) -- the same cell, defined again
    assert.is_true(made.cached)
  end)
  it("opens a model that was saved before", function()
    local cell = plain "compiled.saved"
    local model, path = rondo.Sequential { rondo.RNN { 4, cell = "compiled.saved" } }, folder .. "/model.h5"
    local x = rondo.randn(1, 3, 2)
    local y = model(x)
    assert(rondo.save(path, { model = model }))
    assert(cell:compile { check = false })
    assert.is_true(assert(rondo.load(path)).model(x):allclose(y, { rtol = 1e-5, atol = 1e-6 }))
  end)
  it("may be called in a file that --plugin names", function()
    support.write(folder .. "/plugin.lua", [[
      assert(require("rondo").cell { name = "compiled.plugin", equations = { h = "tanh(W x + U h)" } }:compile {
        check = false })]])
    for _ = 1, 2 do
      assert.same({ "compiled.plugin" }, assert(rondo.plugins.load(folder .. "/plugin.lua")).cells)
    end
    assert.is_truthy(core.cell "compiled.plugin")
  end)
  it("moves no random number", function()
    local function draw(compile)
      rondo.manual_seed(5)
      local cell = plain "compiled.quiet"
      if compile then
        assert(cell:compile { check = false })
      end
      return rondo.Linear { 3, 3 }.weight:clone(), rondo.randn(3)
    end
    local w, r = draw(false)
    local w2, r2 = draw(true)
    support.same(w, w2)
    support.same(r, r2)
  end)
  it("cannot give a name to other equations in one process", function()
    assert.matches("cell 'compiled.one': a plugin has a cell of this name; choose another",
      support.failure(plain, "compiled.one", " + h"))
    local first, second = plain "compiled.twice", plain("compiled.twice", " + h")
    assert(first:compile { check = false })
    local made, message = second:compile { check = false }
    assert.is_nil(made)
    assert.matches("cell 'compiled.twice' has been compiled with other equations before, and a plugin stays until the "
      .. "program ends; give these a name of their own", message)
  end)
  it("says which option it has not", function()
    assert.matches("compile: unknown option 'chek' %(did you mean 'check'%?%)", support.failure(function()
      plain("compiled.three"):compile { chek = false }
    end))
  end)
  it("says that there is no compiler, or what it says", function()
    local cell = plain "compiled.four"
    local made, message, code = with_compiler("no-such-cc", function() return cell:compile { check = false } end)
    assert.is_nil(made)
    assert.matches("^the C compiler 'no%-such%-cc' does not run: .*; %$CC says which one to take$", message)
    assert.equal(errors.DATA, code)
    made, message = with_compiler("false", function() return cell:compile { check = false } end)
    assert.is_nil(made)
    assert.matches("/compiled%.four%-%x+%.c cannot be compiled by false: ", message)
    for _, name in ipairs(core.listdir(folder .. "/cache/rondo/cells")) do
      assert.is_nil(name:find "compiled%.four%-.*so")
    end
  end)
  it("says where it would put the files", function()
    local set = core.getenv
    core.getenv = function() end
    local made, message = plain("compiled.five"):compile { check = false }
    core.getenv = set
    assert.is_nil(made)
    assert.equal("a compiled cell lies in $XDG_CACHE_HOME or ~/.cache, and neither XDG_CACHE_HOME nor HOME is a folder",
      message)
  end)
  it("lets pass that a gradient is stopped on purpose", function()
    local cell = rondo.cell { name = "compiled.stops", equations = { h = "tanh(W x + stop(U h))" } }
    assert(cell:compile { check = places.checker "check-f64" ~= nil })
  end)
  it("says what rondo check finds", function()
    local cell = rondo.cell { name = "compiled.grows", equations = { h = "exp(exp(W x))" } }
    local made, message = cell:compile()
    assert.is_nil(made)
    assert.matches("rondo check refuses .*/compiled%.grows%-%x+%.c:.*C7", message)
  end)
  it("notices a plugin that computes something else", function()
    local prove, write_c = require "rondo.equations.prove", require "rondo.equations.write_c"
    local cell, text = plain "compiled.wrong", write_c.text
    write_c.text = function(...)
      return (text(...):gsub("new_h%[j%] = ", "new_h[j] = 2 * "))
    end
    local made, message = cell:compile { check = false }
    write_c.text = text
    assert.is_nil(made)
    assert.matches("^the compiled cell 'compiled.wrong' does not compute its equations: the .+ differs by ", message)
    assert.is_nil((prove.equal(cell.program)))
  end)
end)

describe("rondo compile-cell", function()
  local SCRIPT = [[
    local rondo = require "rondo"
    rondo.cell { name = "demo.ugrnn", help = "update-gate RNN", license = "MIT", equations = {
      g = "sigmoid(W_g x + U_g h + b_g)", n = "tanh(W_n x + U_n h + b_n)", h = "g*h + (1 - g)*n" } }
  ]]
  local function run(arguments)
    return support.rondo(folder, "compile-cell " .. arguments, "XDG_CACHE_HOME=$PWD/cache")
  end
  it("writes a source and a plugin that needs no equations", function()
    support.write(folder .. "/cell.lua", SCRIPT)
    local out, err, code = run(places.checker "check-f64" and "cell.lua" or "cell.lua --no-check")
    assert.equal(0, code, err)
    assert.matches("^demo%.ugrnn: ugrnn%.c and ugrnn%.so\n  3 equations: 2 lines in 1 phase; outputs and gradients are "
      .. "those of the equations to %de%-%d+\n$", out)
    local source = support.read(folder .. "/ugrnn.c")
    assert.matches("^/%* ugrnn%.c %- update%-gate RNN%.\n", source)
    assert.matches("SPDX%-License%-Identifier: MIT %*/", source)
    local report = assert(rondo.plugins.load(folder .. "/ugrnn.so"))
    assert.same({ "demo.ugrnn" }, report.cells)
  end)
  it("writes where -o says", function()
    local out, err, code = run "cell.lua -o mine.c --no-check"
    assert.equal(0, code, err)
    assert.matches("^demo%.ugrnn: mine%.c and mine%.so\n", out)
    assert.matches("^/%* mine%.c %- ", support.read(folder .. "/mine.c"))
  end)
  it("says what is wrong", function()
    local function refusal(arguments)
      local _, err, code = run(arguments)
      assert.equal(2, code, err)
      return err
    end
    support.write(folder .. "/none.lua", "return 1")
    support.write(folder .. "/two.lua", SCRIPT .. SCRIPT:gsub("ugrnn", "second"))
    assert.matches("compile%-cell: none%.lua makes no cell of equations; rondo%.cell { name = \"me%.cell\"",
      refusal "none.lua")
    assert.matches("compile%-cell: two%.lua has 2 cells; leave %-o out", refusal "two.lua -o mine.c")
    assert.matches("compile%-cell: %-o names a source, FILE%.c, got 'mine%.so'", refusal "cell.lua -o mine.so")
    assert.matches("cannot open.*nothing%.lua", refusal "nothing.lua")
    support.write(folder .. "/hand.c", "/* hand.c - written by hand */")
    assert.matches("compile%-cell: hand%.c is a source in C; it reads a script", refusal "hand.c")
    assert.matches("compile%-cell: hand%.c is there already and was not made from equations; take another folder",
      refusal "cell.lua -o hand.c --no-check")
    assert.equal("/* hand.c - written by hand */", support.read(folder .. "/hand.c"))
    local _, err, code = support.rondo(folder, "compile-cell cell.lua --no-check",
      "CC=no-such-cc XDG_CACHE_HOME=$PWD/cache")
    assert.equal(3, code)
    assert.matches("^rondo: compile%-cell: the C compiler 'no%-such%-cc' does not run: ", err)
  end)
end)
