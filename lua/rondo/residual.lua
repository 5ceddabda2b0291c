-- residual.lua - Residual { layer, ... } and Highway { layer, ... }: layers that are added to what they read.
--
-- The formulas are in connections.lua. f is the list of layers, one after the other, with their states, masks and names
-- as in a Sequential; it must keep the width, and one step out for each step in. A step that does not count gives 0,
-- whatever it holds.
-- SPDX-License-Identifier: MIT
local connections = require "rondo.connections"
local errors = require "rondo.errors"
local layers = require "rondo.layers"
local mask = require "rondo.mask"
local module = require "rondo.module"
local options = require "rondo.options"
local random = require "rondo.random"
local Sequential = require "rondo.sequential"

local residual = {}

-- A class of a list of layers.
local function joining_class(name, specs)
  local class = Sequential.list_class(name)

  function class:init(given)
    local named = {}
    for key, value in pairs(type(given) == "table" and not module.is_module(given) and given or {}) do
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
    local read = connections.counted(x, (mask.given(valid)), self:label())
    local f, after, remains = Sequential.advance(self, read, states, valid)
    local given, got = layers.shape_text(read), layers.shape_text(f)
    if given ~= got then
      errors.raise("%s: adds what its layers give to what they read; they give %s of %s", self:label(), got, given)
    end
    local y = connections.join(read, f, rawget(self, "gate_weight")
      and { weight = self.gate_weight, bias = self.gate_bias })
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

local NAME = layers.NAME

joining_class("Residual", { NAME })

local Highway = joining_class("Highway", {
  { name = "gate_bias", kind = "real", def = connections.FIRST_BIAS + 0.0, min = -100, max = 100,
    help = "first bias of the gate; below 0 most of x passes" },
  layers.SEED, NAME,
})

function Highway:prepare()
  self.seed, self.layer = random.claim_layer(self.options.seed)
end

function Highway:add_gate(width)
  if not rawget(self, "gate_weight") then
    local gate = connections.gate(width, { random.init_stream(self.seed, self.layer, 0),
      random.init_stream(self.seed, self.layer, 1) }, self.options.gate_bias)
    self.gate_weight, self.gate_bias = gate.weight, gate.bias
  end
end

return residual
