-- test.lua - does a small layer of @NAME@ learn? SPDX-License-Identifier: MIT
--
-- rondo run test.lua [FILE.so]
local rondo = require "rondo"
rondo.manual_seed(1)
assert(rondo.plugins.load(arg[1] or "./@FILE@.so"))

local model = rondo.Sequential {
  rondo.Layer { layer = "@NAME@", input_size = 3 },
  rondo.Linear { 1 },
}
local optimizer = rondo.optim.Adam(model:parameters(), { lr = 0.02 })
local loss = rondo.MSELoss()
local x = rondo.randn(16, 12, 3)                  -- 16 sequences of 12 steps of 3 numbers
local y = (x:slice(2, 1, 11):slice(3, 1, 1) + x:slice(2, 2, 12):slice(3, 2, 2)) / 2 -- of two steps

local first, last
model:train()
for _ = 1, 150 do
  optimizer:zero_grad()
  local now = loss(model(x):slice(2, 2, 12), y)
  now:backward()
  optimizer:step()
  first, last = first or now:item(), now:item()
end
print(("loss %.4f at first, %.4f after 150 updates"):format(first, last))
assert(last < first / 4, "it does not learn: is backward() the derivative of forward()?")
