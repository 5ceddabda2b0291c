-- plugin_layer_spec.lua - rondo.Layer: a layer of a plugin, beside those of the library.
-- SPDX-License-Identifier: MIT
package.path = "tests/lua/?.lua;" .. package.path
local rondo = require "rondo"
local support = require "support"
local failure = support.failure

-- Turns a sequence round: it needs all of it.
local mirror = [[
#include <rondo/layer.h>
#include <string.h>
static rd_status setup(const rd_setup *u, rd_layer_builder *b)
{
    (void)u, (void)b;
    return RD_OK;
}
static void forward(const rd_run *r)
{
    for (uint32_t t = 0; t < r->steps; t++)
        memcpy(rd_row(r->y, t), rd_crow(r->x, r->steps - 1 - t), r->in * sizeof(rd_real));
}
static void backward(const rd_run *r)
{
    for (uint32_t t = 0; t < r->steps; t++)
        for (uint32_t j = 0; j < r->in; j++) rd_row(r->dx, r->steps - 1 - t)[j] += rd_crow(r->dy, t)[j];
}
static const rd_layer mirror = {.size = sizeof(rd_layer), .revision = REVISION, .name = "test.mirror",
                                .help = "turned round", .option_size = sizeof(rd_option),
                                .flags = RD_LAYER_NOT_CAUSAL, .setup = setup, .forward = forward,
                                .backward = backward};
static const rd_layer *const layers[] = {&mirror, NULL};
RD_PLUGIN = {.stamp = RD_STAMP, .size = sizeof(rd_plugin), .name = "test.mirror", .version = "1.0", .license = "MIT",
             .origin = "test", .layers = layers};
]]

local folder, checkpoint
local function compile(from, to, flags)
  local cflags = table.concat(require("rondo.plugin_flags")().cflags, " ")
  local command = ("cc %s %s -shared '%s' -o '%s/%s' -lm"):format(cflags, flags or "", from, folder, to)
  assert(os.execute(command), command)
  return folder .. "/" .. to
end
setup(function()
  folder = support.folder()
  local source = support.write(folder .. "/mirror.c", mirror)
  assert(rondo.plugins.load(compile(source, "mirror.so", "-DREVISION=1")))
  local report = assert(rondo.plugins.load(compile("plugins/template/layer/layer.c", "layer.so")))
  assert.equal("layer", report.kind)
  assert.same({ "template.layer" }, report.layers)
end)
teardown(function() support.remove(folder) end)

local function conv(more)
  local given = { layer = "template.layer", width = 4, taps = 3, seed = 1 }
  for key, value in pairs(more or {}) do
    given[key] = value
  end
  return rondo.Layer(given)
end

describe("rondo.Layer", function()
  it("answers what is not there", function()
    assert.matches("layer 'template.layr' is unknown (did you mean 'template.layer'?)",
      failure(rondo.Layer, { "template.layr" }), 1, true)
    assert.matches("'lstm' is a cell, not a layer; rondo.RNN takes it", failure(rondo.Layer, { "lstm" }), 1, true)
    assert.matches("'template.layer' is a layer, not a cell; rondo.Layer takes it",
      failure(rondo.RNN, { cell = "template.layer" }), 1, true)
    assert.matches("Layer: option 'layer' is required", failure(rondo.Layer, {}), 1, true)
    assert.matches("Layer: option 'layer' must be a string, got 3", failure(rondo.Layer, { 3 }), 1, true)
  end)
  it("checks the plugin's options", function()
    assert.matches("Layer: unknown option 'tabs' (did you mean 'taps'?)", failure(conv, { tabs = 2 }), 1, true)
    assert.matches("Layer: option 'taps' must be 2..256, got 1", failure(conv, { taps = 1 }), 1, true)
  end)
  it("is a layer of a Sequential, which infers its size", function()
    local net = rondo.Sequential { rondo.Embedding { 9, 5 }, conv(), rondo.GRU { 6 }, rondo.Linear { 2 } }
    assert.matches("Layer 'layer 2' (template.layer)  (batch, time, 4)          64", tostring(net), 1, true)
    assert.same({ 3, 7, 2 }, net(rondo.ones(3, 7)):size())
    local names = {}
    for name in net:named_parameters() do
      names[#names + 1] = name:match "^2%..*"
    end
    assert.same({ "2.w", "2.b" }, names)
  end)
  it("says which input it takes", function()
    local layer = conv { input_size = 5, name = "taps" }
    assert.matches("Layer 'taps': expected input (batch, time, 5), got (2, 3, 4)", failure(layer, rondo.zeros(2, 3, 4)),
      1, true)
    assert.matches("Layer 'taps': input_size is 5, but its input has 4 features",
      failure(rondo.Sequential, { rondo.Linear { 3, 4 }, layer }), 1, true)
    assert.matches("Layer 'taps': states are a list of 1 tensors, got a list of 2",
      failure(layer.advance, layer, rondo.zeros(2, 3, 5), { rondo.zeros(2, 5), rondo.zeros(2, 5) }), 1, true)
  end)
  it("has the same numbers in one call, in chunks and step by step", function()
    local net = rondo.Sequential { conv { input_size = 3 }, rondo.GRU { 5 } }
    local x = rondo.randn(2, 7, 3)
    local whole = net(x)
    local y, s = net:advance(x:slice(2, 1, 4))
    local list = { y }
    for t = 5, 7 do
      y, s = net:step(x:select(2, t), s)
      list[#list + 1] = y:unsqueeze(2)
    end
    support.same(whole, rondo.concat(list, 2))
  end)
  it("reads sequences of unequal length and masks", function()
    local layer = conv { input_size = 3 }
    local x = rondo.randn(2, 6, 3)
    local y = layer(x, { lengths = { 4, 6 } })
    support.same(layer(x:slice(1, 1, 1):slice(2, 1, 4)), y:slice(1, 1, 1):slice(2, 1, 4))
    assert.equal(0, y:slice(1, 1, 1):slice(2, 5, 6):abs():max():item())
    local holes = layer(x, { mask = { { 0, 1, 0, 1, 1, 0 }, { 1, 1, 1, 1, 1, 1 } } })
    local dense = layer(rondo.concat({ x:slice(2, 2, 2), x:slice(2, 4, 5) }, 2))
    support.same(dense:slice(1, 1, 1):slice(2, 2, 2), holes:slice(1, 1, 1):slice(2, 4, 4))
  end)
  it("learns", function()
    rondo.manual_seed(1)
    local net = rondo.Sequential { conv { input_size = 2, width = 8 }, rondo.Linear { 1 } }
    local x = rondo.randn(4, 20, 2)
    local y = x:slice(3, 1, 1) -- of two steps before
    local target = rondo.concat({ rondo.zeros(4, 2, 1), y:slice(2, 1, 18) }, 2)
    local optimizer, loss = rondo.optim.Adam(net:parameters(), { lr = 0.02 }), rondo.MSELoss()
    local first, last
    for _ = 1, 60 do
      optimizer:zero_grad()
      local now = loss(net(x), target)
      now:backward()
      optimizer:step()
      first, last = first or now:item(), now:item()
    end
    assert.is_true(last < first / 4, ("%g %g"):format(first, last))
  end)
end)

describe("core.plugin_layer", function()
  it("says what it takes", function()
    local core = require "rondo.core"
    assert.matches("field 'name' must be the name of a layer, got nil", failure(core.plugin_layer, {}), 1, true)
    local layer = core.plugin_layer { name = "template.layer", input_size = 2, options = { width = 3 } }
    local x = rondo.zeros(1, 2, 2)
    assert.matches("the layer has 1 states, got a list of 0", failure(layer.forward, layer, x, {}), 1, true)
    assert.matches("state 'past' must be a tensor, got a number", failure(layer.forward, layer, x, { 1 }), 1, true)
    assert.equal("PluginLayer (3)", tostring(layer))
    layer:close()
    assert.equal("PluginLayer (closed)", tostring(layer))
    assert.matches("closed layer", failure(layer.output_size, layer), 1, true)
  end)
end)

describe("a layer that needs the whole sequence", function()
  it("gives it at once", function()
    local x = rondo.randn(2, 5, 3)
    local y = rondo.Layer { "test.mirror" }(x)
    for t = 1, 5 do
      support.same(x:select(2, 6 - t), y:select(2, t))
    end
  end)
  it("turns what counts round where rows are of unequal length", function()
    local x = rondo.randn(2, 5, 3)
    local y = rondo.Layer { "test.mirror" }(x, { lengths = { 3, 5 } })
    support.same(x:slice(1, 1, 1):select(2, 3), y:slice(1, 1, 1):select(2, 1))
  end)
  it("is not stepped, streamed or read in chunks", function()
    local net = rondo.Sequential { rondo.Layer { "test.mirror", input_size = 3 }, rondo.GRU { 2 } }
    assert.matches("Layer 'layer 1' needs the whole sequence at once: step by step it has none",
      failure(net.step, net, rondo.zeros(2, 3)), 1, true)
    assert.matches("Bidirectional: its layers must read step by step, but Layer needs the whole sequence at once",
      failure(rondo.Bidirectional, { rondo.Layer { "test.mirror" }, backward_layer = conv() }), 1, true)
  end)
end)

describe("a checkpoint with a plugin's layer", function()
  local net = function()
    return rondo.Sequential { conv { input_size = 3 }, rondo.Layer { "test.mirror" }, rondo.Linear { 2 } }
  end
  setup(function()
    checkpoint = folder .. "/net.h5"
  end)
  it("builds it again with its options", function()
    local model, x = net(), rondo.randn(2, 5, 3)
    assert.is_true(rondo.save(checkpoint, { model = model }))
    support.same(model(x), assert(rondo.load(checkpoint)).model(x))
  end)
  it("says which plugin is missing", function()
    support.write(folder .. "/open.lua", "local c = require 'rondo'.load(arg[1])\nprint(c.model)\n")
    local _, err = support.rondo(folder, "run open.lua net.h5")
    assert.matches("net.h5: needs 'template.layer', of plugin 'template.layer' 1.0 (", err, 1, true)
  end)
  it("is of the revision that the plugin has", function()
    compile(folder .. "/mirror.c", "mirror2.so", "-DREVISION=2")
    support.write(folder .. "/open.lua", [[
      local rondo = require "rondo"
      assert(rondo.plugins.load "./layer.so" and rondo.plugins.load "./mirror2.so")
      print(rondo.load(arg[1]).model)]])
    local _, err = support.rondo(folder, "run open.lua net.h5")
    assert.matches("net.h5: was made with revision 1 of 'test.mirror', of plugin 'test.mirror' 1.0 (test); here is "
      .. "revision 2, of ", err, 1, true)
  end)
end)

describe("a description of a layer that is forged", function()
  it("makes no large matrix", function()
    local model = rondo.Sequential { conv { input_size = 3 } }
    assert.is_true(rondo.save(folder .. "/forged.h5", { model = model }))
    local opened = assert(rondo.load(folder .. "/forged.h5"))
    opened.config.model.layers[1].width, opened.config.model.layers[1].input_size = 65536, 65536
    assert.matches("describes a model much larger than the parameters it holds",
      failure(function() return opened.model end), 1, true)
  end)
end)

describe("a model that reads ahead", function()
  it("writes no text and reads no stream", function()
    local net = rondo.Sequential { rondo.OneHot { 9 }, rondo.Layer { "test.mirror" }, rondo.Linear { 9 } }
    local layer, why = net:reads_ahead()
    assert.equal(net[2], layer)
    assert.equal("needs the whole sequence at once", why)
    assert.is_nil(rondo.Sequential { conv() }:reads_ahead())
  end)
end)

describe("the command", function()
  it("lists and explains layers of plugins", function()
    local env = ("RONDO_PLUGIN_PATH='%s'"):format(folder)
    assert.matches("template.layer   1.0      layer template.layer", support.rondo(folder, "plugins", env), 1, true)
    local help = support.rondo(folder, "help template.layer", env)
    assert.matches('rondo.Layer { layer = "template.layer" }: convolution over the last steps', help, 1, true)
    assert.matches("Options of the layer:\n  width +1..65536 +numbers in a step", help)
    assert.matches("Options of every such layer:\n  layer ", help, 1, true)
  end)
end)
