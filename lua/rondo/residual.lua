-- residual.lua - Residual { layer, ... } and Highway { layer, ... }: layers that are added to what they read.
--
-- Residual: y = x + f(x) (He et al. 2016). Highway: y = g f(x) + (1 - g) x, g = sigmoid(W x + b) (Srivastava et al.
-- 2015, eq. 3). f is the list of layers, one after the other, with their states, masks and names as in a Sequential;
-- it must keep the width, and one step out for each step in. A step that does not count gives 0, whatever it holds.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local layers = require "rondo.layers"
local mask = require "rondo.mask"
local options = require "rondo.options"
local random = require "rondo.random"
local Sequential = require "rondo.sequential"

local residual = {}

-- A class of a list of layers; join(self, x, f) makes the output.
local function joining_class(name, specs, join)
  local class = Sequential.list_class(name)

  function class:init(given)
    local named = {}
    for key, value in pairs(type(given) == "table" and given or {}) do
      if math.type(key) ~= "integer" then
        named[key] = value
      end
    end
    self.options = options.resolve(name, specs, named)
    self:take(given, name .. " { LSTM { ... } }")
    self.name = self.options.name
    if self.prepare then
      self:prepare()
    end
    self:try_build()
  end

  function class:build(features, text)
    local width, after = Sequential.build(self, features, text)
    if width and features and width ~= features then
      errors.raise("%s: adds what its layers give to what they read; they give %d features of %d", self:label(), width,
        features)
    end
    width = features or width
    if self.add_gate and width then
      self:add_gate(width)
    end
    return width, after
  end

  function class:advance(x, states, valid)
    valid = mask.read(valid)
    local read, steps = x, (mask.given(valid))
    if steps and x.ndim == 3 then
      read = core.where(core.valid_steps(x, steps, self:label()):unsqueeze(3), x, 0)
    end
    local f, after, remains = Sequential.advance(self, read, states, valid)
    local given, got = layers.shape_text(read), layers.shape_text(f)
    if given ~= got then
      errors.raise("%s: adds what its layers give to what they read; they give %s of %s", self:label(), got, given)
    end
    local y = join(self, read, f)
    for _, t in ipairs { f, read } do
      if not rawequal(t, x) then
        t:release()
      end
    end
    return y, after, remains
  end

  residual[name] = class
  return class
end

local NAME = { name = "name", kind = "string", help = "how messages call the layer" }

joining_class("Residual", { NAME }, function(_, x, f)
  return x + f
end)

local Highway = joining_class("Highway", {
  { name = "gate_bias", kind = "real", def = -1.0, min = -100, max = 100,
    help = "first bias of the gate; below 0 most of x passes" },
  { name = "seed", kind = "int", min = 0, max = 0xffffffff, help = "own seed of the initial values" }, NAME,
}, function(self, x, f)
  local g <close> = core.linear(x, self.gate_weight, self.gate_bias):sigmoid()
  local change <close> = f - x
  local part <close> = g * change
  return x + part -- g f + (1 - g) x
end)

function Highway:prepare()
  self.seed, self.layer = random.claim_layer(self.options.seed)
end

function Highway:add_gate(width)
  if not rawget(self, "gate_weight") then
    self.gate_weight = layers.parameter({ width, width }, { kind = "default" },
      random.init_stream(self.seed, self.layer, 0))
    self.gate_bias = layers.parameter({ width }, { kind = "constant", a = self.options.gate_bias },
      random.init_stream(self.seed, self.layer, 1))
  end
end

return residual
