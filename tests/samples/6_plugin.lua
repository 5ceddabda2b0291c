-- 6_plugin.lua - what a user writes: run as it stands by tests/runs. SPDX-License-Identifier: MIT
-- Use a cell that is not built in: from a shared object, and written in Lua.
local rondo = require "rondo"

-- (a) C: `rondo new-cell demo.mgu` writes mgu.c and a CMakeLists.txt; `cmake --build` makes mgu.so.
--     Plugins are also found along $RONDO_PLUGIN_PATH; `rondo plugins` lists them.
local info = assert(rondo.plugins.load "./mgu.so")       -- nil, message: no file, wrong ABI, bad cell
print(info.name, info.kind, info.version, info.path)   --> demo.mgu  cell  1.0  /.../mgu.so

-- (b) Lua: one time step on tensors; gradients come from the library. Slow, but good for trying
--     an idea before it is written in C.
rondo.cell {
  name   = "demo.mgu_lua",                                  -- minimal gated unit (Zhou and others, 2016)
  state  = { "h" },                                    -- the first is also the output
  params = function(c)
    local I, H = c.input_size, c.hidden_size
    return { f_x = { H, I }, f_h = { H, H }, f_b = { H, init = 1 },   -- names and shapes of the C cell's lines:
             n_x = { H, I }, n_h = { H, H }, n_b = { H } }             -- same seed, same initial values
  end,
  step = function(p, x, s)
    local f = (rondo.linear(x, p.f_x, p.f_b) + rondo.linear(s.h, p.f_h)):sigmoid()
    local n = (rondo.linear(x, p.n_x, p.n_b) + rondo.linear(f * s.h, p.n_h)):tanh()
    return { h = (1 - f) * s.h + f * n }
  end,
}

for _, cell in ipairs { "demo.mgu", "demo.mgu_lua" } do
  local report = rondo.check.cell(cell, { input_size = 3, hidden_size = 5, batch = 2, time = 4 })
  print(("%-13s gradient error %.1e  %s"):format(cell, report.max_rel_error, report.ok and "ok" or "WRONG"))
end
local a = rondo.RNN { cell = "demo.mgu", input_size = 3, hidden_size = 5, seed = 1 }
local b = rondo.RNN { cell = "demo.mgu_lua", input_size = 3, hidden_size = 5, seed = 1 }
local x = rondo.randn(2, 4, 3)
assert(a(x):allclose(b(x), { rtol = 1e-5 }), "the C and the Lua cell differ")
