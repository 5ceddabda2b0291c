-- lua_api.lua - bytes as calls of the whole interface: what fuzz_lua_api.c runs for each input.
--
-- Returns run(bytes): nothing, or a text that says what is wrong. Objects that calls give are kept in a pool for later
-- ones. Three ways to call: functions and methods of the annotations (lua/library) with arguments of their types or any
-- others; functions of the binding with any; calls the library makes itself, with one value changed.
-- SPDX-License-Identifier: MIT
local host = ... -- { sources = folder, spent = function: are the steps of the input used up? }
local core = require "rondo.native"
local errors = require "rondo.errors"
local rondo = require "rondo"
local examples = require "examples"
local makers = require "makers"
local new_pool = require "pool"
local scratch = require "scratch"
local sentences = require "sentences"
local new_values = require "values"

errors.caught = true
errors.on_notice = function() end
require("rondo.progress").silence()

local MOST_CALLS = 12
local ANY = { kind = "name", name = "any" }
local COLLECT_EVERY = 32 -- inputs
local MOST_LEFT = 1 << 20 -- bytes of tensors that may stay when all is collected

collectgarbage("incremental", 1000) -- the library's own heap is large beside what an input leaves
local interface = require "interface" (host.sources)

-- ---- one call -----------------------------------------------------------------------------------------------

-- Raises what is wrong as a table, past every pcall of the library.
local Finding = { __name = "finding" }

local function check_message(label, message)
  local problem = sentences.problem(message)
  if problem then
    error(setmetatable({ ("%s: %s: %s"):format(label, problem, tostring(message)) }, Finding), 0)
  end
end

local function take_results(state, label, results, ok, ...)
  if not ok then
    check_message(label, (...))
    return
  end
  local first, message = ...
  if first == nil and type(message) == "string" then
    check_message(label, message)
  end
  for i = 1, math.min(select("#", ...), 4) do
    local value = select(i, ...)
    local kind = results and results[i]
    while kind and kind.kind == "either" do
      kind = kind[#kind]
    end
    if type(value) == "table" or type(value) == "userdata" or type(value) == "function" then
      state.pool.keep(examples.class_of(value) or kind and kind.name or "any", value)
    end
  end
end

local function all(...)
  return ...
end

-- No tail call: so Lua knows a name for the function that is called, as in a script.
local function invoke(called, ...)
  return all(called(...))
end

local function call(state, label, results, f, ...)
  if host.trace then
    host.trace(label, ...)
  end
  take_results(state, label, results, pcall(invoke, f, ...))
end

-- Arguments of the annotations' types; one more or fewer at times.
local function arguments(state, params)
  local args, n = {}, #params
  local b = state.values.reader.byte()
  n = b >= 240 and n + 1 or b >= 224 and math.max(n - 1, 0) or n
  for i = 1, n do
    local param = params[i] or { name = "", type = ANY }
    args[i] = state.values:make(param.type, 0, param)
  end
  return args, n
end

local function any_arguments(state)
  local args, n = {}, state.values.reader.byte() % 6
  for i = 1, n do
    local b = state.values.reader.byte()
    if b % 4 == 0 then
      args[i] = state.pool.any(state.values.reader.byte())
    elseif b % 4 == 1 then
      args[i] = state.values:odd_value()
    else
      args[i] = state.values:make(ANY, 0)
    end
  end
  return args, n
end

local steps = {}

function steps.public(state)
  local entry = interface.functions[state.values.reader.byte() % #interface.functions + 1]
  state.values.reads = entry.path:find "open" or entry.path:find "from_" or entry.path:find "load"
  local args, n = arguments(state, entry.params)
  call(state, entry.path, entry.results, entry.f, table.unpack(args, 1, n))
end

function steps.method(state)
  local r = state.values.reader
  local class = interface.class_names[r.byte() % #interface.class_names + 1]
  local object = state.values:make({ kind = "name", name = class }, 0)
  local list = interface.methods[class] or {}
  if object == nil or #list == 0 then
    return
  end
  local entry = list[r.byte() % #list + 1]
  local found, f = pcall(function() return object[entry.name] end)
  if found and type(f) == "function" then
    state.values.reads = false
    local args, n = arguments(state, entry.params)
    call(state, entry.path, entry.results, f, object, table.unpack(args, 1, n))
  end
end

function steps.binding(state)
  local name = interface.core_names[state.values.reader.byte() % #interface.core_names + 1]
  local args, n = any_arguments(state)
  call(state, "core." .. name, nil, core[name], table.unpack(args, 1, n))
end

function steps.binding_method(state)
  local object, class = state.pool.any(state.values.reader.byte() | 128)
  local known = interface.handle_methods[class]
  if known and #known.names > 0 then
    local name = known.names[state.values.reader.byte() % #known.names + 1]
    local args, n = any_arguments(state)
    call(state, class .. ":" .. name, nil, known.by_name[name], object, table.unpack(args, 1, n))
  end
end

-- An object of the binding for a place in an example.
local function handle_for(state, wanted)
  local b = state.values.reader.byte()
  if wanted.class == "rondo.Tensor" then
    if b % 4 == 3 then
      return state.pool.of("rondo.Tensor", b) or state.pool.handle("rondo.Tensor", b)
    end
    local made, t = pcall(wanted.values and core.tensor or core.full, wanted.values or wanted.shape,
      wanted.values and wanted.shape or 0.5)
    if made and wanted.leaf then
      t.requires_grad = true
    end
    return made and state.pool.keep("rondo.Tensor", t) or nil
  end
  local object = state.pool.handle(wanted.class, b)
  if object then
    return object
  end
  for i = 1, #interface.class_names do -- one that has such a handle inside
    local class = interface.class_names[(b + i) % #interface.class_names + 1]
    local made, owner = pcall(makers.by_class[class][1])
    if made then
      state.pool.keep(class, owner)
      object = state.pool.handle(wanted.class, b)
      if object then
        return object
      end
    end
  end
end

-- A copy of an example's value with its objects made; place `at` (counted down) gets another value.
local function rebuild(state, value, at)
  at.n = at.n - 1
  if at.n == 0 then
    local b = state.values.reader.byte()
    if b % 4 == 0 then
      return state.values:make(ANY, 0)
    elseif b % 4 == 1 and type(value) == "number" then
      return value + (b % 8 == 1 and 1 or -1)
    end
    return state.values:odd_value()
  elseif examples.is_placeholder(value) then
    return handle_for(state, value)
  elseif type(value) ~= "table" then
    return value
  end
  local keys, t = {}, {}
  for key in pairs(value) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for _, key in ipairs(keys) do
    t[key] = rebuild(state, value[key], at)
  end
  return t
end

function steps.example(state)
  local r = state.values.reader
  local example = interface.examples[(r.byte() * 256 + r.byte()) % #interface.examples + 1]
  local at = { n = r.byte() % 24 }
  local args = {}
  for i = 1, example.n do
    args[i] = rebuild(state, example.args[i], at)
  end
  call(state, (example.class or "core") .. "." .. example.name .. " as seen", nil, example.f,
    table.unpack(args, 1, example.n))
end

local operators = {
  function(a) return #a end,
  function(a) return tostring(a) end,
  function(a, b) return a + b end,
  function(a, b) return a - b end,
  function(a, b) return a * b end,
  function(a, b) return a / b end,
  function(a, b) return a ^ b end,
  function(a) return -a end,
  function(a, b) return a == b end,
  function(a, b) return a[b] end,
  function(a, b, c) a[b] = c end,
  function(a, b, c) return a(b, c) end,
  function(a) return pairs(a)(a) end,
  function(a, b) local _ <close> = a return b end,
  function(a) a.grad = nil end,
  function(a, b) a.requires_grad = b end,
  function(a) return a.grad, a.ndim, a.order, a.requires_grad end,
  function(a) a:sum():backward() end,
}

-- The operators of Lua on any objects: what Lua says of those that have none is no matter.
function steps.operator(state)
  local r = state.values.reader
  local f = operators[r.pick(#operators)]
  local a = state.pool.any(r.byte())
  local b, c = state.values:make(ANY, 0), state.values:make(ANY, 0)
  if host.trace then
    host.trace("operator", a, b, c)
  end
  pcall(f, a, b, c)
end

function steps.house(state)
  local b = state.values.reader.byte()
  if b % 4 == 0 then
    collectgarbage("step", b)
  elseif b % 4 == 1 then
    state.values.for_odd.close_one()
  elseif b % 4 == 2 then
    state.pool.drop(state.values.reader.byte())
  else
    core.trim()
  end
end

local order = { "public", "public", "public", "method", "method", "method", "example", "example", "example", "example",
  "binding", "binding_method", "binding_method", "operator", "house" }

-- ---- one input ----------------------------------------------------------------------------------------------

local function put_back()
  core.precision "float32"
  core.grad_mode(true)
  rondo.manual_seed(1)
end

-- A little of everything, which has the same result however often and after whatever it is done.
local function canary()
  local model = rondo.Sequential { rondo.Embedding { 4, 3 }, rondo.LSTM { 3 }, rondo.Linear { 2 } }
  local y = model(rondo.tensor { { 1, 2, 3 }, { 3, 0, 1 } })
  y:sum():backward()
  return y:sum():item() + model:parameters()[1].grad:norm()
end

local inputs, expected, left = 0, nil, nil

local function look_after()
  put_back()
  local result = canary()
  expected = expected or result
  if result ~= expected then
    error(setmetatable({ ("a training step gives %.17g, it was %.17g"):format(result, expected) }, Finding), 0)
  end
  inputs = inputs + 1
  if inputs % COLLECT_EVERY == 0 then
    collectgarbage()
    collectgarbage()
    local live = core.memory().live_bytes
    left = left or live
    if live > left + MOST_LEFT then
      error(setmetatable({ ("%d bytes of tensors stay, it were %d"):format(live, left) }, Finding), 0)
    end
  end
end

local function play(bytes)
  scratch.restore()
  put_back()
  local state = { pool = new_pool() }
  state.values = new_values(interface.api, state.pool, bytes)
  local calls = 0
  while state.values.reader.left() > 0 and calls < MOST_CALLS do
    calls = calls + 1
    steps[order[state.values.reader.pick(#order)]](state)
  end
end

-- nil; or what is wrong.
return function(bytes)
  local ok, message = pcall(play, bytes)
  if ok then
    ok, message = pcall(look_after)
  end
  if not ok then
    return getmetatable(message) == Finding and message[1] or not host.spent() and tostring(message) or nil
  end
end
