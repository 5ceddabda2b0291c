-- module.lua - rondo.Module: classes whose instances hold parameters and other modules.
--
-- Assigning a module or a parameter to a field registers it, in the order of first assignment. A module's
-- protocol: forward(...); for models with carried state also advance(x, states) -> y, states. Library
-- layers describe themselves (kind and options), so that a checkpoint can rebuild them without code.
-- over 400 lines: one class, and all its methods.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local tensor = require "rondo.tensor"

-- constants: parameters that are no one's to train, as a cell declares them; freeze and unfreeze leave them alone.
local module = { kinds = {}, constants = setmetatable({}, { __mode = "k" }) }

local Base = {}
Base.__index = Base

local function is_module(value)
  local meta = type(value) == "table" and getmetatable(value)
  return type(meta) == "table" and rawget(meta, "is_module_class") == true
end
module.is_module = is_module

-- Is it a layer of the library, not of a script's own class?
function module.is_library(layer)
  return module.kinds[layer.class_name] == getmetatable(layer)
end

local function register(self, key, value)
  if is_module(value) or (tensor.is_tensor(value) and value.requires_grad and value:is_leaf()) then
    local order = rawget(self, "_order")
    order[#order + 1] = key
  end
  rawset(self, key, value)
end

local function call(self, x, ...)
  if rawget(self, "_closed") then
    errors.raise("%s is closed", self:label())
  elseif not tensor.is_tensor(x) and module.kinds[self.class_name] == getmetatable(self) then
    errors.raise("%s: expected a tensor, got a %s%s", self:label(), type(x), type(x) == "table"
      and "; rondo.tensor { ... } makes one" or "")
  end
  return errors.blame(self.forward, self, x, ...)
end

-- What raises while a layer of the library reads on is blamed on the user's line, as in a call.
local function define(class, key, value)
  if key == "advance" and module.kinds[class.class_name] == class then
    rawset(class, key, function(self, x, ...)
      if not tensor.is_tensor(x) and not (type(x) == "table" and tensor.is_tensor(x[1])) then
        errors.raise("%s: advance: expected a tensor, got a %s", self:label(), type(x))
      end
      return errors.blame(value, self, x, ...)
    end)
  else
    rawset(class, key, value)
  end
end

local function construct(class, ...)
  local self = setmetatable({ _order = {}, training = true }, class)
  if class.init then
    errors.blame(class.init, self, ...)
  end
  return self
end

-- A library layer is rebuilt from its description (its kind and options) by its own constructor.
local function rebuilt_by(class)
  return function(description)
    local given = {}
    for key, value in pairs(description) do
      if key ~= "kind" then
        given[key] = value
      end
    end
    return class(given)
  end
end

-- A class. `library` layers are found by name when a checkpoint is opened.
local function new_class(name, library)
  local class = { is_module_class = true, class_name = name }
  for key, value in pairs(Base) do
    class[key] = value
  end
  class.__index = class
  class.__newindex = register
  class.__call = call
  class.__close = Base.close
  class.__name = "rondo." .. name
  if library then
    module.kinds[name] = class
    class.from_description = rebuilt_by(class)
  end
  return setmetatable(class, { __call = construct, __newindex = define, __name = "rondo.class" })
end

-- rondo.Module "Name": a class; define init and forward, then call it.
function module.Module(name)
  if type(name) ~= "string" or name == "" then
    errors.raise('Module: expected a name, as in rondo.Module "Encoder"')
  end
  return new_class(name, false)
end

function module.library_class(name)
  return new_class(name, true)
end

-- How messages call it: LSTM 'layer 2'.
function Base:label()
  local name = rawget(self, "name")
  return name and ("%s '%s'"):format(self.class_name, name) or self.class_name
end

function Base:forward()
  errors.raise("%s has no forward(): define function %s:forward(x)", self:label(), self.class_name)
end

-- Children in order: for key, child in m:children().
function Base:children()
  local order, i = self._order, 0
  return function()
    while i < #order do
      i = i + 1
      local value = rawget(self, order[i])
      if is_module(value) then
        return tostring(order[i]), value
      end
    end
  end
end

local function collect(self, prefix, list)
  if self.needs_size and self:needs_size() then
    errors.raise("%s: its input size is not known yet; give it, or call the model once", self:label())
  end
  for _, key in ipairs(self._order) do
    local value = rawget(self, key)
    if is_module(value) then
      collect(value, prefix .. key .. ".", list)
    elseif tensor.is_tensor(value) then
      list[#list + 1] = { name = prefix .. key, tensor = value }
    end
  end
  if self.own_parameters then
    for _, entry in ipairs(self:own_parameters()) do
      list[#list + 1] = { name = prefix .. entry.name, tensor = entry.tensor }
    end
  end
end

-- List of { name=, tensor= }, a tensor used twice once, under its first name.
function Base:parameter_list()
  if rawget(self, "_closed") then
    errors.raise("%s is closed", self:label())
  end
  local list, seen, unique = {}, {}, {}
  collect(self, "", list)
  for _, entry in ipairs(list) do
    if not seen[entry.tensor] then
      seen[entry.tensor] = true
      unique[#unique + 1] = entry
    end
  end
  return unique
end

-- List of tensors, in order of registration.
function Base:parameters()
  local list = {}
  for i, entry in ipairs(self:parameter_list()) do
    list[i] = entry.tensor
  end
  return list
end

-- for name, p in model:named_parameters()
function Base:named_parameters()
  local list, i = self:parameter_list(), 0
  return function()
    i = i + 1
    if list[i] then
      return list[i].name, list[i].tensor
    end
  end
end

-- Parameters by the letters of formulas: U, W, B, V, C; see weights.lua.
function Base:weights()
  return errors.blame(require("rondo.weights").of, self)
end

function Base:parameter_count()
  local n = 0
  for _, p in ipairs(self:parameters()) do
    n = n + p:numel()
  end
  return n
end

function Base:train(mode)
  self.training = mode ~= false
  for _, child in self:children() do
    child:train(mode)
  end
  return self
end

function Base:eval()
  return self:train(false)
end

function Base:zero_grad()
  for _, p in ipairs(self:parameters()) do
    p:zero_grad()
  end
end

-- Frozen parameters collect no gradient and are left alone by optimizers; checkpoints hold them all the same.
-- With a Lua pattern: those whose name matches.
function Base:freeze(pattern)
  return require("rondo.freezing").set(self, pattern, false)
end

function Base:unfreeze(pattern)
  return require("rondo.freezing").set(self, pattern, true)
end

module.BOTH, module.WHOLE = "reads both ways", "needs the whole sequence at once"

-- The first part that reads sequences from their end or as a whole, and which of the two, or nil: what has one cannot
-- be read on from chunk to chunk.
function Base:reads_ahead()
  local o = rawget(self, "options")
  if self.class_name == "Bidirectional" or type(o) == "table" and o.bidirectional then
    return self, module.BOTH
  end
  for _, child in self:children() do
    local found, why = child:reads_ahead()
    if found then
      return found, why
    end
  end
end

-- One step of a stream: y, s = model:step(x, s); see step.lua.
function Base:step(x, states)
  return errors.blame(require("rondo.step").step, self, x, states)
end

-- What layers (ActivityRegularization) add to the loss of the last call in training: a tensor, or 0. It is given once,
-- and is to be added before backward().
function Base:penalty()
  local sum = rawget(self, "_penalty") or 0
  rawset(self, "_penalty", nil)
  for _, child in self:children() do
    local more = child:penalty()
    sum = more == 0 and sum or sum == 0 and more or sum + more
  end
  return sum
end

-- Runs f with evaluation mode and without recording; both come back on every way out.
function Base:evaluating(f, ...)
  local was = self.training
  self:eval()
  local results = table.pack(pcall(tensor.no_grad, f, ...))
  self:train(was)
  if not results[1] then
    error(results[2], 0)
  end
  return table.unpack(results, 2, results.n)
end

-- Dimensions of its input, where they are known: ids (batch, time), sequences (batch, time, features).
function Base.input_dims() return nil end

-- Input of predict and trace as a tensor: ids as they are, text and tokens by the model's tokenizer.
function module.input_of(self, x, what)
  local tokenizer = rawget(self, "tokenizer")
  if type(x) == "string" or type(x) == "table" and type(x[1]) == "string" then
    if not tokenizer then
      errors.raise("%s: %s has no tokenizer for a text; give ids, or set model.tokenizer", what, self:label())
    end
    x = tokenizer:encode(x)
  end
  if type(x) == "table" then
    return tensor.tensor(#x > 0 and x or { 0 }) -- a text without words is one absent step
  elseif not tensor.is_tensor(x) then
    errors.raise("%s: expected a tensor, a list of ids or a text, got a %s", what, type(x))
  end
  return x
end

-- Output for one example or a batch: a tensor, a list of ids, a text or a list of tokens. Evaluation mode; the batch
-- dimension is added where it is missing.
function Base:predict(x)
  return errors.blame(self.evaluating, self, function()
    x = module.input_of(self, x, "predict")
    local wanted = rawget(self, "predict_dims") or self:input_dims() or (x.ndim == 1 and 2)
    if wanted and x.ndim == wanted - 1 then
      return (self:forward(x:unsqueeze(1)))
    end
    return (self:forward(x))
  end)
end

-- Gates and states of every recurrent layer at every step, while predicting; see diagnose/trace.lua.
function Base:trace(x, how)
  return errors.blame(require("rondo.diagnose.trace").trace, self, x, how)
end

-- Streams text from a language model; see generate.lua.
function Base:generate(given)
  return errors.blame(require("rondo.generate").generate, self, given)
end

-- The likeliest continuations of a text; see beam.lua.
function Base:complete(given)
  return errors.blame(require("rondo.beam").complete, self, given)
end

-- Log-probability of a text; see evaluate.lua.
function Base:evaluate(text, how)
  return errors.blame(require("rondo.evaluate").evaluate, self, text, how)
end

-- What it says of windows, or of what comes behind a series; see forecast/predict.lua.
function Base:forecast(given, how)
  return errors.blame(require("rondo.forecast.predict").forecast, self, given, how)
end

-- Frees the parameters now. Closing twice is fine.
function Base:close()
  if rawget(self, "_closed") then
    return
  end
  rawset(self, "_closed", true)
  for _, key in ipairs(self._order) do
    local value = rawget(self, key)
    if is_module(value) then
      value:close()
    elseif tensor.is_tensor(value) then
      value:release()
    end
  end
end

-- { kind=, options } of a library layer; nil for a user's class, which its own script must rebuild.
function Base.describe() return nil end

-- A module from a description read from a file: data only, checked like options typed by hand.
function module.from_description(description)
  local class = type(description) == "table" and module.kinds[description.kind]
  if not class then
    error("the file describes no model of library layers", 0)
  end
  return class.from_description(description)
end

-- Lines of the summary: { depth, label, shape, parameters }.
local function rows(self, depth, list)
  local shape = self.output_text and self:output_text() or ""
  local ok, count = pcall(self.parameter_count, self)
  list[#list + 1] = { ("  "):rep(depth) .. self:summary_name(), shape, ok and tostring(count) or "?" }
  for _, child in self:children() do
    rows(child, depth + 1, list)
  end
end

function Base:summary_name()
  return self:label()
end

local function blanks(text, width) return (" "):rep(width - (utf8.len(text) or #text)) end

function Base:__tostring()
  if rawget(self, "_closed") then
    return self:label() .. " (closed)"
  end
  local list, width = {}, { 5, 5, 10 }
  rows(self, 0, list)
  local lines = { { "Layer", "Shape", "Parameters" } }
  for i = (#list > 1 and self.class_name == "Sequential") and 2 or 1, #list do
    lines[#lines + 1] = list[i]
  end
  for _, line in ipairs(lines) do
    for k = 1, 3 do
      width[k] = math.max(width[k], utf8.len(line[k]) or #line[k])
    end
  end
  local out = { self:label() }
  for i, line in ipairs(lines) do -- by hand: string.format takes widths up to 99, and nesting knows no such limit
    out[#out + 1] = line[1] .. blanks(line[1], width[1] + 2) .. line[2] .. blanks(line[2], width[2] + 2)
      .. blanks(line[3], width[3]) .. line[3]
    if i == 1 then
      out[#out + 1] = ("-"):rep(width[1] + width[2] + width[3] + 4)
    end
  end
  out[#out + 1] = "Parameters: " .. list[1][3]
  return table.concat(out, "\n")
end

return module
