-- weights.lua - model:weights(): the parameters of a model by the letters that formulas give them.
--
-- h = f(U x + W h' + B), y = g(V h + C). The tensors are the model's own parameters, not copies. A recurrent layer of
-- one line has U, W, B itself; one with gates has them by line, and by gate where the gate has a name: w.forget.U is
-- w.f.U. A matrix on anything but x and h' keeps the name of what it is multiplied with: W_q. Vectors that are no bias
-- (peepholes, gains) keep theirs.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local names = require "rondo.names"

local weights = {}

-- What the lines of the well-known cells are called in words; of a gate in two lines, all of them.
local gates = {
  lstm = { input = { "i" }, forget = { "f" }, candidate = { "g" }, output = { "o" } },
  gru = { reset = { "r" }, update = { "z" }, candidate = { "n", "n_x", "n_h" } },
}

local letters = { x = "U", h = "W", b = "B", bx = "B_x", bh = "B_h" }

-- A finished table: what it does not have is a mistake, whose reason may be in `why`.
local function answer(label, t, why)
  local known = {}
  for name in pairs(t) do
    if type(name) == "string" then
      known[name] = true
    end
  end
  return setmetatable(t, { __index = function(_, key)
    if type(key) == "string" and why and why[key] then
      errors.raise("%s: %s", label, why[key])
    end
    return names.unknown(label, key, known)
  end })
end

-- The lines of one direction of one layer: name -> { U =, W =, B = }, and vectors by their name.
local function lines_of(parameters)
  local lines, vectors = {}, {}
  for name, tensor in pairs(parameters) do
    local line, source = name:match "^(.*)_([^_]*)$"
    if line and (tensor.ndim == 2 or source:find "^b[xh]?$") then
      lines[line] = lines[line] or {}
      lines[line][letters[source] or "W_" .. source] = tensor
    else
      vectors[name] = tensor
    end
  end
  return lines, vectors
end

local function missing_bias(bias)
  if bias == "two" then
    return { B = "with bias = \"two\" B is the sum of B_x and B_h, which are the parameters" }
  end
  return bias == "none" and { B = "the layer was made with bias = \"none\"" } or nil
end

-- One direction of layer `label`.
local function direction(label, parameters, options)
  local lines, found = lines_of(parameters)
  local why = missing_bias(options.bias)
  local count, only = 0, nil
  for line, of_line in pairs(lines) do
    found[line] = answer(("%s: line '%s'"):format(label, line), of_line, why)
    count, only = count + 1, of_line
  end
  for gate, parts in pairs(gates[options.cell] or {}) do
    local whole = {}
    for _, part in ipairs(parts) do
      for letter, tensor in pairs(lines[part] or {}) do
        whole[letter] = tensor
      end
    end
    if next(whole) then
      found[gate] = answer(("%s: gate '%s'"):format(label, gate), whole, why)
    end
  end
  if count == 1 then
    for letter, tensor in pairs(only) do
      found[letter] = tensor
    end
    found.W_xh, found.W_hh = only.U, only.W
  end
  return found, why or {}
end

-- The parameters of a stack by layer and direction, by their names within it.
local function parameters_of(stack)
  local ahead, reverse = {}, {}
  for _, entry in ipairs(stack:own_parameters()) do
    local k, name = entry.name:match "^layer(%d+)%.(.*)$"
    local back = name:match "^reverse%.(.*)$"
    local side = back and reverse or ahead
    k = math.tointeger(k)
    side[k] = side[k] or {}
    side[k][back or name] = entry.tensor
  end
  return ahead, reverse
end

-- Recurrent layers from the input on, and the first Linear behind the last of them.
local function walk(self, found)
  local stack = self.class_name == "Bidirectional" and self.ahead or self
  if rawget(stack, "stack") then
    local ahead, reverse = parameters_of(stack)
    if stack ~= self then
      reverse = rawget(self.reverse, "stack") and parameters_of(self.reverse) or {}
    end
    for k, parameters in ipairs(ahead) do
      found.layers[#found.layers + 1] = { label = ("weights of %s, layer %d"):format(self:label(), k),
        parameters = parameters, reverse = reverse[k], options = stack.options }
    end
    found.linear = nil
  elseif self.class_name == "Linear" then
    found.linear = found.linear or self
  else
    for _, child in self:children() do
      walk(child, found)
    end
  end
end

-- [k] is recurrent layer k; where there is one, its names are there as well. V and C are the first Linear behind.
function weights.of(self)
  local found = { layers = {} }
  self:parameter_list() -- what has no size yet, or is closed, says so
  walk(self, found)
  local result, why = {}, {}
  local label = "weights of " .. self:label()
  for k, layer in ipairs(found.layers) do
    local ahead, reasons = direction(layer.label, layer.parameters, layer.options)
    if layer.reverse then
      ahead.reverse = answer(layer.label .. ", reverse", direction(layer.label, layer.reverse, layer.options))
    end
    result[k] = answer(layer.label, ahead, reasons)
    if #found.layers == 1 then
      for name, value in pairs(ahead) do
        result[name] = value
      end
      why = reasons
    end
  end
  for _, letter in ipairs(#found.layers > 1 and { "U", "W", "B", "W_xh", "W_hh" } or {}) do
    why[letter] = ("there are %d recurrent layers; take weights()[1].%s"):format(#found.layers, letter)
  end
  if found.linear then
    result.V, result.C = found.linear.weight, rawget(found.linear, "bias")
    result.W_hy = result.V
  end
  return answer(label, result, why)
end

return weights
