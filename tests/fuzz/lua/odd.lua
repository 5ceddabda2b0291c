-- odd.lua - values that no argument was meant to be: for fuzz_lua_api.
-- SPDX-License-Identifier: MIT
local odd = {}

local TOLD = "raised by a function of the caller"
odd.TOLD = TOLD

local function holes()
  return { 1, nil, 3, [7] = 2, [-1] = 4, [2.5] = 1, [true] = false }
end

local function cycle()
  local t = { 1, 2 }
  t.self, t[3], t.layers, t.options = t, t, t, t
  return t
end

local function deep()
  local t = { 1 }
  for _ = 1, 200 do
    t = { t }
  end
  return t
end

local function wide()
  local t = {}
  for i = 1, 3000 do
    t[i] = i
  end
  return t
end

-- A table whose metamethods are `with`, over `base`.
local function meta(with, base)
  return setmetatable(base or {}, with)
end

-- Each is called for a value; `api` has close_one() and pick(), that closes or gives an object of the pool.
odd.makers = {
  function() return nil end,
  function() return false end,
  function() return true end,
  function() return 0 end,
  function() return -1 end,
  function() return 1 end,
  function() return -0.0 end,
  function() return 0.5 end,
  function() return 1.0000001 end,
  function() return 1e-320 end,
  function() return 1e308 end,
  function() return -1e308 end,
  function() return math.huge end,
  function() return -math.huge end,
  function() return 0 / 0 end,
  function() return 65536 end,
  function() return 1 << 20 end,
  function() return (1 << 24) + 1 end,
  function() return (1 << 31) - 1 end,
  function() return 1 << 31 end,
  function() return 1 << 32 end,
  function() return -(1 << 31) end,
  function() return 1 << 40 end,
  function() return 1 << 53 end,
  function() return 1 << 60 end,
  function() return 2.0 ^ 63 end,
  function() return 2.0 ^ 64 end,
  function() return math.maxinteger end,
  function() return math.mininteger end,
  function() return "" end,
  function() return "\0" end,
  function() return "gru\0x" end,
  function() return "1" end,
  function() return "1e3" end,
  function() return "nan" end,
  function() return "%s%n%99d" end,
  function() return "\xff\xfe\xc0\x80" end,
  function() return ("x"):rep(300) end,
  function() return ("long "):rep(20000) end,
  function() return {} end,
  function() return { {} } end,
  function() return { 0 } end,
  function() return { -1, 0 / 0, math.huge } end,
  function() return { "a", "b" } end,
  function() return { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 } end,
  function() return { { 1, 2 }, { 3 } } end,
  function() return { [1] = "x", y = 1 } end,
  holes, cycle, deep, wide,
  function() return print end,
  function() return io.stdout end,
  function() return coroutine.create(function() end) end,
  function() return function() error(TOLD) end end,
  function() return function() error { TOLD } end end,
  function() return function() error(nil) end end,
  function() return function() end end,
  function() return function(...) return ... end end,
  function() return function() return 0 / 0 end end,
  function() return function() return "x", 1, {} end end,
  function() return function() collectgarbage() return 1 end end,
  function(api) return function() return api.pick() end end,
  function() return meta { __index = function() error(TOLD) end } end,
  function() return meta { __index = function(_, k) return k end } end,
  function() return meta({ __len = function() return math.maxinteger end }, { 1 }) end,
  function() return meta({ __len = function() return -1 end }, { 1 }) end,
  function() return meta { __pairs = function() error(TOLD) end } end,
  function() return meta { __eq = function() error(TOLD) end, __lt = function() error(TOLD) end } end,
  function() return meta { __metatable = false } end,
  function() return meta { __name = 7 } end,
  function() return meta { __name = "rondo.Tensor" } end,
  function(api) return api.pick() end,
  function(api) return { api.pick(), api.pick() } end,
}

-- Those that close objects while a call may be using them.
odd.hostile = {
  function(api) return api.closed() end,
  function(api) return { api.closed() } end,
  function(api) return function(...) api.close_one() return ... end end,
  function(api) return function() api.close_one() return api.pick() end end,
  function(api) return function(...) return coroutine.wrap(function(...) api.close_one() return ... end)(...) end end,
  function(api) return meta { __index = function() api.close_one() return 1 end } end,
  function(api) return meta { __index = function() api.close_one() return nil end } end,
  function(api) return meta { __len = function() api.close_one() return 2 end } end,
  function(api) return meta { __tostring = function() api.close_one() return "x" end } end,
  function(api) return meta { __call = function(_, ...) api.close_one() return ... end } end,
}

return odd
