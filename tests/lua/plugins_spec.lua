-- plugins_spec.lua - plugins of the user: where they are found, installed and refused, what `rondo plugins` and `rondo
-- help` say of them, and the surface that a cell outside the tree has without a word of its own.
--
-- The plugin is tests/abi/1.0/demo.c; it brings the cell demo.x, the layer demo.mix and the backend zz-demo.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local json = require "rondo.json"
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local BUILD = core.lib_dir():gsub("/lib/rondo$", "")
local MAJOR = core.abi:match "^%d+"
local folder, demo

setup(function()
  folder = support.folder()
  os.execute(("chmod 700 '%s'"):format(folder))
  demo = folder .. "/demo.so"
  support.write(demo, support.read(BUILD .. "/tests/abi/demo.so"))
  os.execute(("chmod 644 '%s'"):format(demo))
  assert(rondo.plugins.load(demo))
end)
teardown(function() support.remove(folder) end)

local function command(arguments, before)
  return support.rondo(folder, arguments, before)
end

-- What a command prints that must end well.
local function prints(arguments, before)
  local out, err, code = command(arguments, before)
  assert.equal(0, code, err)
  return out, err
end

local function fails(code, pattern, arguments, before)
  local _, err, got = command(arguments, before)
  assert.equal(code, got, err)
  assert.matches(pattern, err, 1, true)
end

local function message(...)
  return tostring(support.failure(...))
end

-- A new folder of the user's, as what stands before a command; and its place for plugins.
local homes = 0
local function home()
  homes = homes + 1
  local path = ("%s/home%d"):format(folder, homes)
  return ("XDG_DATA_HOME='%s'"):format(path), ("%s/rondo/plugins-%s"):format(path, MAJOR)
end

-- ---- the cell ---------------------------------------------------------------------------------------------------

describe("a cell of a plugin", function()
  local function layer(given)
    local o = { cell = "demo.x", input_size = 3, hidden_size = 4, seed = 1 }
    for key, value in pairs(given or {}) do
      o[key] = value
    end
    return rondo.RNN(o)
  end

  it("has its options checked, with suggestions", function()
    assert.matches("RNN: unknown option 'peephol' (did you mean 'peephole'?)", message(layer, { peephol = true }), 1,
      true)
    assert.matches("option 'order' must be 1..4, got 5", message(layer, { order = 5 }), 1, true)
    assert.matches("option 'order' must be an integer 1..4, got 1.5", message(layer, { order = 1.5 }), 1, true)
    assert.matches("option 'gain' must be a number 0..1, got \"x\"", message(layer, { gain = "x" }), 1, true)
    assert.matches("option 'peephole' must be true or false, got 1", message(layer, { peephole = 1 }), 1, true)
    assert.matches('option \'activation\' must be one of "tanh", "identity" (did you mean "identity"?), got "identiy"',
      message(layer, { activation = "identiy" }), 1, true)
    assert.matches("cell 'demo.y' is unknown (did you mean 'demo.x'?)", message(layer, { cell = "demo.y" }), 1, true)
  end)
  it("has no option of a name that all layers have", function()
    assert.matches("cell 'x': its option 'dropout' has the name of one that every recurrent layer has; its author must "
      .. "rename it", message(require("rondo.stack_options").with, { name = "x",
      options = { { name = "dropout" } } }), 1, true)
  end)
  it("has parameters of its shapes, those that are constant among them", function()
    local net = layer { order = 3, peephole = true }
    local shapes = {}
    for name, p in net:named_parameters() do
      shapes[name:match "[^.]*$"] = table.concat(p:size(), "x") .. (p.requires_grad and "" or " constant")
    end
    assert.same({ g_x = "4x3", g_h = "4x4", g_c = "4x3", g_b = "4", e_x = "3x3", k_c = "3x3 constant", m_x = "4x3",
      m_q = "4x4", m_b = "4", p = "4", w = "4" }, shapes)
  end)
  it("has the derivatives that its backward says, through stacks, directions and regularisers", function()
    local x = rondo.randn(2, 4, 3)
    for _, given in ipairs { { peephole = true }, { num_layers = 2, bidirectional = true, learn_state = true },
      { num_layers = 2, connections = "residual", hidden_size = 3, bias = "two" } } do
      local net = layer(given)
      local list = {}
      for _, p in ipairs(net:parameters()) do
        list[#list + 1] = p.requires_grad and p or nil
      end
      local report = rondo.check.gradients(function() return (net(x) * net(x)):sum() end, list)
      assert.is_true(report.worst < (core.real == "double" and 1e-7 or 2e-2), report.worst)
    end
  end)
  it("trains with every kind of dropout", function()
    local net = layer { num_layers = 2, dropout = 0.5, variational = true, input_dropout = 0.3, recurrent_dropout = 0.3,
      weight_drop = 0.3, zoneout = 0.2 }
    local y = net(rondo.randn(2, 5, 3))
    y:sum():backward()
    for name, p in net:named_parameters() do
      assert.is_true(not p.requires_grad or p.grad ~= nil, name)
    end
  end)
  it("gives a sequence in a batch of unequal lengths what it has alone", function()
    local net = layer { num_layers = 2, bidirectional = true }
    local x = rondo.randn(2, 5, 3)
    local both = net(x, { lengths = { 5, 3 } })
    local alone = net(x:slice(1, 2, 2):slice(2, 1, 3))
    support.same(both:slice(1, 2, 2):slice(2, 1, 3), alone)
  end)
  it("has the bits of a sequence in chunks and steps", function()
    local net = layer { num_layers = 2, return_state = true }
    local x = rondo.randn(2, 6, 3)
    local whole, after = net(x)
    local first, state = net(x:slice(2, 1, 2))
    local rest, last = net(x:slice(2, 3, 6), state)
    support.same(whole:slice(2, 1, 2), first)
    support.same(whole:slice(2, 3, 6), rest)
    for k, t in ipairs(after) do
      support.same(t, last[k])
    end
  end)
end)

-- ---- where plugins are found ------------------------------------------------------------------------------------

local function found(cell, before, arguments)
  local facts = json.decode((prints("plugins --json " .. (arguments or ""), before)))
  for _, p in ipairs(facts.plugins) do
    for _, name in ipairs(p.cells or {}) do
      if name == cell then
        return p.found, p, facts
      end
    end
  end
end

describe("the search for plugins", function()
  it("goes through RONDO_PLUGIN_PATH, the user's folder, and the installed one", function()
    local user, place = home()
    assert(core.mkdir(place))
    support.write(place .. "/demo.so", support.read(demo))
    assert.equal("of the user", (found("demo.x", user)))
    local _, p, facts = found("demo.x", ("%s RONDO_PLUGIN_PATH='%s'"):format(user, folder))
    assert.same({ "on the path", core.realpath(demo) }, { p.found, p.path })
    local refused = 0
    for _, each in ipairs(facts.plugins) do
      if each.path == core.realpath(place) .. "/demo.so" then
        assert.matches("L3: cell 'demo.x' is there already, from " .. p.path, each.refusal, 1, true)
        refused = refused + 1
      end
    end
    assert.equal(1, refused)
    local places = {}
    for i, each in ipairs(facts.searched) do
      places[i] = each.place
    end
    assert.same({ "on the path", "of the user", "installed" }, places)
    assert.equal("installed", (found "lstm"))
  end)
  it("takes ~/.local/share where XDG_DATA_HOME is not an absolute path", function()
    assert(core.mkdir(folder .. "/me/.local/share/rondo/plugins-" .. MAJOR))
    support.write(folder .. "/me/.local/share/rondo/plugins-" .. MAJOR .. "/demo.so", support.read(demo))
    assert.equal("of the user", (found("demo.x", ("HOME='%s/me' XDG_DATA_HOME=share"):format(folder))))
    assert.is_nil((found("demo.x", "HOME=me XDG_DATA_HOME=")))
  end)
  it("never looks into the current folder, nor where a checkpoint points", function()
    local archive = core.archive()
    archive:put("format", "rondo-checkpoint 1")
    archive:put("config", json.encode { model = { kind = "RNN", cell = "./demo.so", hidden_size = 1,
      plugin = demo }, plugins = { ["./demo.so"] = { revision = 1, plugin = demo, version = "1", origin = demo } } })
    archive:put("model/layer1.a_x", rondo.ones(1, 1))
    assert(archive:save(folder .. "/forged.h5"))
    assert.is_nil((found("demo.x", "RONDO_PLUGIN_PATH=:.:")))
    fails(3, "forged.h5: needs './demo.so', of plugin '" .. demo .. "' 1", "sample forged.h5")
    local archive2 = core.archive()
    archive2:put("format", "rondo-checkpoint 1")
    archive2:put("config", json.encode { model = { kind = "RNN", cell = "./demo.so", hidden_size = 1 } })
    archive2:put("model/layer1.a_x", rondo.ones(1, 1))
    assert(archive2:save(folder .. "/forged2.h5"))
    fails(3, "cell './demo.so' is unknown", "sample forged2.h5")
  end)
  it("believes no environment where the program runs with another's rights", function()
    local lua = folder .. "/lua"
    local asks = "LUA_CPATH='" .. BUILD .. "/lib/lua/5.4/?.so' RONDO_PLUGIN_PATH=/x '" .. lua
      .. "' -e 'print(require(\"rondo.core\").getenv \"RONDO_PLUGIN_PATH\")'"
    local made = os.execute(("cp \"$(command -v lua5.4)\" '%s' && chmod 755 '%s'"):format(folder .. "/lua", folder))
    assert.is_true(made)
    local function answer() return io.popen(asks .. " 2>&1"):read "a" end
    assert.equal("/x\n", answer())
    if not os.getenv "LD_PRELOAD" -- a sanitizer, which such a program does not take from there
      and os.execute(("chown 65534 '%s' 2>/dev/null && chmod 4755 '%s'"):format(lua, lua)) then
      local said = answer()
      if said:find "module 'rondo.core' not found" then
        return pending "user 65534 cannot read this build"
      end
      assert.is_true(said == "nil\n" or said == "/x\n" and not os.execute("findmnt -no OPTIONS -T '" .. folder
        .. "' | grep -qv nosuid"), said)
    end
    os.execute(("chmod 700 '%s'"):format(folder))
  end)
  it("lists which cell a file that was named takes over", function()
    local user, place = home()
    assert(core.mkdir(place))
    support.write(place .. "/other.so", support.read(demo))
    support.write(folder .. "/another.so", support.read(demo))
    local out = prints("plugins another.so", user)
    assert.matches("Yours:\n  demo +1.0 +cell demo.x, layer demo.mix, kernels zz%-demo\n[^\n]*\n    'demo.x' is "
      .. "that of " .. folder .. "/another.so now\n", out)
  end)
  it("loads what others may write to where RONDO_PLUGIN_TRUST says so", function()
    assert(core.mkdir(folder .. "/open"))
    support.write(folder .. "/open/demo.so", support.read(demo))
    os.execute(("chmod 666 '%s/open/demo.so'"):format(folder))
    fails(2, "was refused, L0: everybody may write to it; end that with: chmod o-w '", "plugins open/demo.so")
    assert.equal("by name", (found("demo.x", "RONDO_PLUGIN_TRUST=1", "open/demo.so")))
  end)
end)

-- ---- rondo plugins ----------------------------------------------------------------------------------------------

describe("rondo plugins", function()
  it("shows where each was found, the backends with their products, and where it looked", function()
    local user, place = home()
    local out = prints("plugins demo.so", user .. " RONDO_KERNELS=scalar")
    assert.matches("Named on the command line:\n  demo +1.0 +cell demo.x, layer demo.mix, kernels zz%-demo\n    [^\n]*"
      .. "/demo.so; MIT, the tests of ABI 1.0\n", out)
    assert.matches("\n  scalar +float32, bf16, int8 +in use: scores 1 here\n", out)
    assert.matches("\n  zz%-demo +float32 +it came after the core was opened; put it on the plugin path\n", out)
    assert.matches("\n  of the user +" .. place:gsub("%p", "%%%0") .. " %(not there%)\n", out)
    out = prints("plugins", ("RONDO_KERNELS=zz-demo,scalar RONDO_PLUGIN_PATH='%s'"):format(folder))
    assert.matches("\n  zz%-demo +float32 +in use: scores 1 here\n", out)
    assert.matches("\n  scalar +float32, bf16, int8 +'zz%-demo' comes first in kernels = 'zz%-demo,scalar'\n", out)
    assert.matches("neither HOME nor XDG_DATA_HOME is set", (prints("plugins", "HOME= XDG_DATA_HOME=")), 1, true)
  end)
  it("says why it refused a file and what to do", function()
    local user, place = home()
    assert(core.mkdir(place))
    support.write(place .. "/demo.so", support.read(demo):sub(1, 5000))
    local out = prints("plugins", user)
    assert.matches("Yours:\n  refused: " .. place:gsub("%p", "%%%0") .. "/demo.so\n    L0: the file is cut "
      .. "short[^\n]*; copy or build it again\n", out)
  end)
  it("installs a file, replaces it, and removes it", function()
    local user, place = home()
    local out = prints("plugins install demo.so", "umask 0; " .. user)
    assert.equal(("installed demo 1.0 (cell demo.x, layer demo.mix, kernels zz-demo): %s/demo.so\n"):format(place), out)
    assert.equal("of the user", (found("demo.x", user)))
    assert.matches("in place of version 1.0\n", (prints("plugins install ./demo.so", user)), 1, true)
    assert.same({ "demo.so" }, core.listdir(place))
    fails(2, "plugins: you have no plugin 'dem' (did you mean 'demo'?)", "plugins remove dem", user)
    assert.equal(("removed %s/demo.so\n"):format(place), (prints("plugins remove demo", user)))
    fails(2, "plugins: you have no plugin 'demo': none is in " .. place, "plugins remove demo", user)
    assert.is_nil((found("demo.x", user)))
  end)
  it("replaces an older file of the plugin, whatever it is called", function()
    local user, place = home()
    assert(core.mkdir(place))
    support.write(place .. "/old.so", support.read(demo))
    prints("plugins install demo.so", user)
    assert.same({ "demo.so" }, core.listdir(place))
  end)
  it("installs nothing that would be refused", function()
    local user, place = home()
    fails(2, "plugins: x.c is a source, not a plugin; `rondo check x.c` builds and checks", "plugins install x.c", user)
    fails(2, "plugins: there is no file 'instal' (did you mean 'install'?)", "plugins instal demo.so", user)
    fails(2, "plugins: x.lua is a script: --plugin x.lua uses its cells", "plugins install x.lua", user)
    fails(2, "was refused, L0: it cannot be reached", "plugins install none.so", user)
    support.write(folder .. "/text.so", ("text "):rep(100))
    fails(2, "was refused, L0: it is not a shared object", "plugins install text.so", user)
    fails(2, "there is no place for it: set HOME or XDG_DATA_HOME", "plugins install demo.so", "HOME= XDG_DATA_HOME=")
    assert.is_nil(core.stat(place))
    assert(core.mkdir(place))
    os.execute(("chmod 777 '%s'"):format(place))
    fails(2, ("plugin %s/demo.so was refused, L0: everybody may write to its folder; end that with: chmod o-w '%s'")
      :format(place, place), "plugins install demo.so", user)
    assert.same({}, core.listdir(place))
  end)
  it("installs no second plugin with a cell of that name, and none in other numbers", function()
    local user = home()
    local function bad(name)
      support.write(folder .. "/bad.so", support.read(("%s/tests/%s.so"):format(BUILD, name)))
    end
    if core.real == "float" then
      bad "abi/f64/demo"
      fails(2, "L2: real_size: expected 4, got 8; this Rondo computes in float: rebuild it without -DRD_REAL_DOUBLE",
        "plugins install bad.so", user)
    end
    if not core.stat(BUILD .. "/tests/bad/twin.so") then
      return -- the C tests were not built
    end
    bad "bad/good"
    prints("plugins install bad.so", user)
    bad "bad/twin"
    fails(2, "plugins: your plugin 'good' has a cell 'good' too; `rondo plugins remove good` first",
      "plugins install bad.so", user)
    assert.matches("It cannot be trained: it has no backward function.", (prints("help good", user)), 1, true)
  end)
  it("notes which cell of Rondo a plugin takes the place of", function()
    local mgu = ("%s/lib/rondo/plugins-%s/%s/mgu.so"):format(BUILD, MAJOR, core.real == "float" and "f32" or "f64")
    support.write(folder .. "/mgu.so", support.read(mgu))
    local user = home()
    local _, err = prints("plugins install mgu.so", user)
    assert.matches("note: its cell 'mgu' comes before that of " .. mgu, err, 1, true)
    assert.equal("of the user", (found("mgu", user)))
    assert.is_true(os.remove(folder .. "/mgu.so"))
  end)
  it("notes what comes before an installed plugin", function()
    local user, path = home(), folder .. "/path"
    assert(core.mkdir(path))
    support.write(path .. "/first.so", support.read(demo))
    local _, err = prints("plugins install demo.so", ("%s RONDO_PLUGIN_PATH='%s'"):format(user, path))
    assert.matches("note: " .. path .. "/first.so on RONDO_PLUGIN_PATH has a cell 'demo.x' too and comes first", err, 1,
      true)
  end)
end)

-- ---- other commands -----------------------------------------------------------------------------------------------

describe("a plugin's cell in the commands", function()
  it("is explained by rondo help, with options, states, parameters and origin", function()
    local out = prints "help demo.x --plugin demo.so"
    assert.matches('^rondo.RNN { cell = "demo.x" }: each part of a cell once\n', out)
    assert.matches("\n  activation +tanh|identity +of m %(default \"tanh\"%)\n", out)
    assert.matches("\n  h +%(8%), the output\n  c +%(2%)\n  n +%(1%)\n  g_x +%(8, 3%)\n", out)
    assert.matches("\n  k_c +%(2, 2%), constant\n", out)
    assert.matches("\ndemo.x, revision 1; of the plugin demo 1.0 (MIT, the tests of ABI 1.0)\n  " .. folder
      .. "/demo.so\n", out, 1, true)
    assert.matches("demo.x, revision 1", (prints("help demo.x", ("RONDO_PLUGIN_PATH='%s'"):format(folder))), 1, true)
    fails(2, "there is nothing called 'demo.x'", "help demo.x")
    assert.matches("\ndemo.mix, revision 1; of the plugin demo 1.0 (MIT, the tests of ABI 1.0)\n  " .. folder
      .. "/demo.so\n", (prints "help demo.mix --plugin demo.so"), 1, true)
  end)
  it("is measured beside LSTM and GRU", function()
    local cells = {}
    for line in prints("bench demo.x --plugin demo.so --json --hidden-size 8 --batch-size 3 --seq-len 5 --seconds 0.01 "
      .. "--threads 1"):gmatch "[^\n]+" do
      cells[#cells + 1] = json.decode(line).cell
    end
    assert.same({ "demo.x", "lstm", "gru" }, cells)
  end)
  it("trains a text model, whose checkpoint says which plugin it needs", function()
    support.write(folder .. "/t.txt", support.sentences(40))
    prints("train t.txt --plugin demo.so --cell demo.x --cell-option order=3 --epochs 1 --hidden-size 8 --seq-len 10 "
      .. "--batch-size 4 --ngrams 0 --sample-length 0 --run-dir run --threads 1")
    fails(3, "needs 'demo.x', of plugin 'demo' 1.0 (the tests of ABI 1.0), revision 1, which is not here. Give its "
      .. "file with --plugin FILE, put it into a folder of RONDO_PLUGIN_PATH, or keep it: rondo plugins install FILE",
      "sample run")
    assert.equal(5, utf8.len((prints "sample run --plugin demo.so --length 5 --seed 1 --quiet --prompt the"):sub(4, 8)))
    local user = home()
    prints("plugins install demo.so", user)
    assert.matches("RNN[^\n]*%(demo.x%)", (prints("info run", user)))
    local facts = json.decode((prints "info run --json"))
    assert.equal("demo.x", facts.config.model.layers[2].cell)
    assert.same({ revision = 1, plugin = "demo", version = "1.0", origin = "the tests of ABI 1.0" },
      facts.config.plugins["demo.x"])
  end)
  it("says which refused file it might be", function()
    assert(core.mkdir(folder .. "/refused"))
    support.write(folder .. "/refused/demo.so", support.read(demo):sub(1, 5000))
    fails(3, "rondo plugins install FILE; refused: " .. folder .. "/refused/demo.so (L0: the file is cut short",
      "sample run", ("RONDO_PLUGIN_PATH='%s/refused'"):format(folder))
  end)
end)

describe("a checkpoint of another revision", function()
  local function forged(path, revision)
    local archive = core.archive()
    archive:put("format", "rondo-checkpoint 1")
    archive:put("config", json.encode { model = { kind = "RNN", cell = "demo.x", input_size = 2, hidden_size = 3 },
      plugins = { ["demo.x"] = { revision = revision, plugin = "demo", version = "0.9", origin = "a\tb" } } })
    local model = rondo.RNN { cell = "demo.x", input_size = 2, hidden_size = 3 }
    for name, p in model:named_parameters() do
      archive:put("model/" .. name, p)
    end
    assert(archive:save(path))
    return model
  end
  it("is refused with both numbers, where it is rebuilt and where its weights are taken", function()
    local path = folder .. "/revised.h5"
    local model = forged(path, 2)
    local wanted = path .. ": was made with revision 2 of 'demo.x', of plugin 'demo' 0.9 (?); here is revision 1, of "
      .. core.realpath(demo) .. ": its weights mean something else. Give the file of that plugin with --plugin FILE, "
      .. "or train anew"
    assert.matches(wanted, message(function() return rondo.load(path).model end), 1, true)
    local ok, why = rondo.load(path):load_into(model)
    assert.is_nil(ok)
    assert.equal(wanted, why)
    forged(path, 1)
    assert.is_true(rondo.load(path):load_into(model))
  end)
end)
