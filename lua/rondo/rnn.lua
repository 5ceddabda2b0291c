-- rnn.lua - RNN { cell = } and its short names VanillaRNN, LSTM, GRU: a stack of recurrent layers.
--
-- A stack's own options are below; every other option is the cell's, checked against its plugin's table.
-- State is a list with the tensors of layer 1, then layer 2 ...; of a bidirectional layer forward, then reverse.
-- The caller owns it. Lengths, masks and resets: see mask.lua.
-- SPDX-License-Identifier: MIT
local cells = require "rondo.cells"
local connections = require "rondo.connections"
local core = require "rondo.native"
local errors = require "rondo.errors"
local initial = require "rondo.initial"
local layers = require "rondo.layers"
local mask = require "rondo.mask"
local merged = require("rondo.bidirectional").merged
local module = require "rondo.module"
local options = require "rondo.options"
local random = require "rondo.random"
local stack_options = require "rondo.stack_options"
local tensor = require "rondo.tensor"

local rnn = {}

local BIAS = { none = 0, one = 1, two = 2 }
local FIRST_OF_GATE = 1 << 16 -- in the numbering of a layer's initial values: beyond those of any cell
local own = stack_options.list
rnn.options = own

local function recurrent_class(class_name, cell_name)
  local class = module.library_class(class_name)

  function class:init(given)
    local name = cell_name or (type(given) == "table" and given.cell)
    if type(name) ~= "string" then
      errors.raise("%s: option 'cell' is required; cells are %s", class_name, table.concat(cells.names(), ", "))
    end
    if cell_name and type(given) == "table" and given.cell and given.cell ~= cell_name then
      errors.raise("%s: its cell is '%s'; use RNN { cell = ... } for another", class_name, cell_name)
    end
    local cell = cells.need(name)
    local positional = type(given) == "table" and #given > 1 and { "input_size", "hidden_size" } or { "hidden_size" }
    local o = options.resolve(class_name, stack_options.with(cell), given, positional)
    o.cell = name
    stack_options.check_zoneout(class_name, o.zoneout)
    self.noisy = o.input_dropout > 0 or o.recurrent_dropout > 0 or o.weight_drop > 0 or o.zoneout ~= 0
    self.options, self.name, self.cell_options, self.cell_in_lua = o, o.name, {}, cell.in_lua
    for _, spec in ipairs(cell.options) do
      self.cell_options[spec.name] = o[spec.name]
    end
    self.stack, self.back, self.state_count = {}, {}, {}
    self.joined = {} -- by layer: true, or the gate, where a connection goes round it
    self.first = {} -- with learn_state, by core layer: what a sequence begins with, state by state
    self.seed, self.layer = random.claim_layer(o.seed, o.bidirectional and 2 * o.num_layers or o.num_layers)
    self.dropout_seed, self.dropout_layer = random.claim_layer(o.seed, o.num_layers)
    if o.input_size then
      self:build(o.input_size)
    end
  end

  for key, method in pairs(rnn.methods) do
    class[key] = method
  end
  local rebuild = class.from_description
  class.from_description = function(description) return rebuild(cells.of_description(description)) end
  return class
end

local methods = { reads_backward = false }
rnn.methods = methods

function methods.input_dims()
  return 3
end

function methods:needs_size()
  return #self.stack == 0
end

-- A parameter per state; a number where no gradient could reach one.
local function first_states(layer)
  local list = {}
  for k, state in ipairs(layer:states()) do
    list[k] = state.first or 0
    if not state.stops then
      list[k] = core.full({ state[2] }, list[k])
      list[k].requires_grad = true
    end
  end
  return list
end

function methods:build(features)
  local o = self.options
  if #self.stack > 0 then
    if features and features ~= o.input_size then
      errors.raise("%s: input_size is %d, but its input has %d features", self:label(), o.input_size, features)
    end
    return self.output_size
  elseif not features then
    errors.raise("%s: its input is ids; put an Embedding or a OneHot before it", self:label())
  end
  o.input_size = features
  local width = features
  for i = 1, o.num_layers do
    local label = o.num_layers == 1 and self:label() or ("%s, layer %d"):format(self:label(), i)
    local like = { cell = o.cell, input_size = width, hidden_size = o.hidden_size, bias = BIAS[o.bias],
      options = self.cell_options, label = label, seed = self.seed, layer = self.layer + i - 1,
      input_dropout = o.input_dropout, recurrent_dropout = o.recurrent_dropout, weight_drop = o.weight_drop,
      zoneout = o.zoneout }
    local read = width
    self.stack[i] = cells.layer(like)
    initial.of_layer(label, self.stack[i], o, self.seed, like.layer)
    width = self.stack[i]:output_size()
    self.state_count[self.stack[i]] = #self.stack[i]:states()
    self.first[self.stack[i]] = o.learn_state and first_states(self.stack[i]) or nil
    if o.bidirectional then
      like.label, like.layer = label .. ", reverse", like.layer + o.num_layers
      self.back[i] = cells.layer(like)
      self.state_count[self.back[i]] = self.state_count[self.stack[i]]
      initial.of_layer(label, self.back[i], o, self.seed, like.layer)
      self.first[self.back[i]] = o.learn_state and first_states(self.back[i]) or nil
      width = o.merge == "concat" and 2 * width or width
    end
    if read == width then
      self.joined[i] = self:new_connection(width, self.layer + i - 1)
    end
  end
  self:check_connections()
  self.output_size = width
  return width
end

-- What goes round a layer of this number: true, a gate, or nil.
function methods:new_connection(width, number)
  local kind = self.options.connections
  if kind ~= "highway" then
    return kind == "residual" or nil
  end
  local stream = random.init_stream(self.seed, number, FIRST_OF_GATE)
  return connections.gate(width, { stream, stream }, connections.FIRST_BIAS) -- a constant draws nothing
end

function methods:check_connections()
  local o = self.options
  if o.connections ~= "none" and next(self.joined) == nil then
    errors.raise("%s: option 'connections' is \"%s\", but no layer gives as many features as it reads", self:label(),
      o.connections)
  elseif o.bidirectional and not o.return_sequences and self.joined[#self.stack] then
    errors.raise("%s: with option 'connections' the last steps of two directions have no one input; set "
      .. "return_sequences = true", self:label())
  end
end

-- The same layer, but for its initial values, that reads from the last step to the first.
function methods:reversed_twin()
  local description = self:describe()
  description.kind, description.cell_in = nil, nil
  local class = module.kinds[self.class_name]
  for _, name in ipairs { "input_init", "recurrent_init", "bias_init" } do
    local given = self.options[name]
    description[name] = given and (given.by_line or given)
  end
  description.seed = self.options.seed and (self.options.seed + 1) & 0xffffffff
  local twin = class(description)
  twin.reads_backward = true
  return twin
end

function methods:own_parameters()
  local list = self.own
  if list then
    return list
  end
  list = {}
  local function add(form, i, layer)
    for _, entry in ipairs(layer:parameters()) do
      list[#list + 1] = { name = form:format(i, entry[1]), tensor = entry[2] }
      module.constants[entry[2]] = not entry[2].requires_grad or nil
    end
    for k, first in ipairs(self.first[layer] or {}) do
      if type(first) ~= "number" then
        list[#list + 1] = { name = form:format(i, layer:states()[k][1] .. "_0"), tensor = first }
      end
    end
  end
  for i, layer in ipairs(self.stack) do
    add("layer%d.%s", i, layer)
    if self.back[i] then
      add("layer%d.reverse.%s", i, self.back[i])
    end
    if type(self.joined[i]) == "table" then
      for _, name in ipairs { "weight", "bias" } do
        list[#list + 1] = { name = ("layer%d.gate_%s"):format(i, name), tensor = self.joined[i][name] }
      end
    end
  end
  if #self.stack > 0 then
    self.own = list
  end
  return list
end

local function check_input(self, x, states)
  if self:needs_size() then
    self:build(x:size(-1))
  end
  if x.ndim ~= 3 or x:size(3) ~= self.options.input_size then
    errors.raise("%s: expected input (batch, time, %d), got %s", self:label(), self.options.input_size,
      layers.shape_text(x))
  end
  if states ~= nil and type(states) ~= "table" then
    errors.raise("%s: states are a list of tensors, as in { h }, got a %s", self:label(),
      tensor.is_tensor(states) and "tensor" or type(states))
  end
end

-- Core layers over x: each reads what the one before it gives, or the two of `both` directions read x. Their states are
-- added to `after`; the first of a layer is its output after the last step.
local function run_layers(self, list, both, x, given, after)
  local used, n, mine, hows = #after, 0, nil, {}
  for k, layer in ipairs(list) do
    n = n + self.state_count[layer]
    hows[k] = { mask = given.mask, resets = given.resets, reverse = both and k == 2 or self.reads_backward,
      first = self.first[layer] }
    if self.noisy and self.training then
      hows[k].update, hows[k].time = random.update()
    end
  end
  if given.states then
    mine = table.move(given.states, used + 1, used + n, 1, {})
    if #mine ~= n then
      errors.raise("%s: expected %d state tensors, got %d", self:label(), #self:state_names(), #given.states)
    end
  end
  local function keep(final, ...)
    table.move(final, 1, #final, used + 1, after)
    return ...
  end
  if both then
    local out, back, final = cells.run_layers(list, x, mine, hows, true)
    return keep(final, out, back)
  end
  local out, final = cells.run_layers(list, x, mine, hows)
  return keep(final, out)
end

-- The output of layer i with what goes round it; f, what the layer gave, is done with.
local function join(self, i, x, f, steps)
  local gate = self.joined[i]
  local read = connections.counted(x, steps, self:label())
  local y = connections.join(read, f, gate ~= true and gate or nil)
  f:release()
  if not rawequal(read, x) then
    read:release()
  end
  return y
end

-- Every step's output and the state after the last. Layers with nothing between them are one call, so that with few
-- rows they may run at the same time; so are two directions.
local function run(self, x, given)
  check_input(self, x, given.states)
  local o, y, after = self.options, x, {}
  local drops = self.training and o.dropout > 0
  if not (o.bidirectional or drops or next(self.joined)) then
    y = run_layers(self, self.stack, false, x, given, after)
    return y, after
  end
  for i = 1, #self.stack do
    local read = y -- a connection goes round dropout too
    if i > 1 and drops then
      local stream = random.dropout_stream(self.dropout_seed, self.dropout_layer + i - 2)
      read = core.dropout(y, o.dropout, stream, o.variational)
    end
    local out
    if self.back[i] then
      out = merged(o.merge, run_layers(self, { self.stack[i], self.back[i] }, true, read, given, after))
    else
      out = run_layers(self, { self.stack[i] }, false, read, given, after)
    end
    if self.joined[i] then
      out = join(self, i, y, out, i == 1 and given.mask or nil)
    end
    if read ~= y then
      read:release()
    end
    if y ~= x then
      y:release()
    end
    y = out
  end
  return y, after
end

-- The output after the last step that counts, of each direction in the order it reads.
local function last_output(self, after)
  local function final(back)
    local state = after[#after + 1 - (back or 1) * self.state_count[self.stack[#self.stack]]]
    return state:slice(1, 1, state:size(1)) -- a tensor of its own: states are the caller's
  end
  if self.options.bidirectional then
    return merged(self.options.merge, final(2), final(1))
  end
  return final()
end

function methods:advance(x, states, valid)
  local counts, resets = mask.given(mask.read(valid))
  local plain = not (counts or self.options.bidirectional or self.reads_backward)
  if not (self.options.return_sequences or plain) and self.joined[#self.stack] then
    errors.raise("%s: with option 'connections' the output after the last step that counts is that of Pool "
      .. "{ \"last\" } behind a layer with return_sequences = true", self:label())
  end
  local y, after = run(self, x, { states = states, mask = counts, resets = resets })
  if not self.options.return_sequences then
    local last = plain and y:select(2, -1) or last_output(self, after)
    y:release()
    y = last
  end
  return y, after
end

function methods:forward(x, states, how)
  local given, valid = mask.arguments(states, how)
  local y, after = self:advance(x, given, valid)
  if self.options.return_state then
    return y, after
  end
  for _, t in ipairs(after) do
    t:release()
  end
  return y
end

-- Width and first order of the state, for messages and checkpoints.
function methods:state_names()
  local names = {}
  local function add(form, i, layer)
    for _, entry in ipairs(layer:states()) do
      names[#names + 1] = form:format(i, entry[1])
    end
  end
  for i, layer in ipairs(self.stack) do
    add("layer%d.%s", i, layer)
    if self.back[i] then
      add("layer%d.reverse.%s", i, self.back[i])
    end
  end
  return names
end

function methods:describe()
  local description = { kind = self.class_name, cell_in = self.cell_in_lua and "Lua" or nil }
  for _, spec in ipairs(own) do
    if spec.name ~= "seed" and spec.kind ~= "init" then
      description[spec.name] = self.options[spec.name]
    end
  end
  for name, value in pairs(self.cell_options) do
    description[name] = value
  end
  return description
end

function methods:from_plugin()
  return not self.cell_in_lua and "cell", self.options.cell
end

function methods:summary_name()
  local o = self.options
  local cell = self.class_name == "RNN" and (" (%s)"):format(o.cell) or ""
  return ("%s%s%s"):format(self:label(), cell, o.num_layers > 1 and (" x %d"):format(o.num_layers) or "")
end

function methods:output_text()
  return rawget(self, "_shape") or ""
end

function methods:close()
  rawset(self, "_closed", true)
  for _, entry in ipairs(self:own_parameters()) do
    entry.tensor:release()
  end
end

rnn.RNN = recurrent_class("RNN")
rnn.VanillaRNN = recurrent_class("VanillaRNN", "vanilla")
rnn.LSTM = recurrent_class("LSTM", "lstm")
rnn.GRU = recurrent_class("GRU", "gru")

return rnn
