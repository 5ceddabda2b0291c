-- test.lua - does a small LSTM learn with the products of @NAME@? SPDX-License-Identifier: MIT
--
-- RONDO_PLUGIN_PATH=$PWD RONDO_KERNELS=@NAME@ rondo run test.lua
local rondo = require "rondo"
rondo.manual_seed(1)
local kernels = rondo.features().kernels
assert(kernels:find("^@NAME@"), "products are made by " .. kernels .. ", not by @NAME@")

local model = rondo.Sequential {
  rondo.LSTM { input_size = 3, hidden_size = 70, return_sequences = false },
  rondo.Linear { 1 },
}
local optimizer = rondo.optim.Adam(model:parameters(), { lr = 0.01 })
local loss = rondo.MSELoss()
local x = rondo.randn(16, 8, 3)              -- 16 sequences of 8 steps of 3 numbers
local y = x:mean(2):select(2, 1):view(16, 1) -- of each the mean of its first number

local first, last
model:train()
for _ = 1, 100 do
  optimizer:zero_grad()
  local now = loss(model(x), y)
  now:backward()
  optimizer:step()
  first, last = first or now:item(), now:item()
end
print(("loss %.4f at first, %.4f after 100 updates"):format(first, last))
assert(last < first / 4, "it does not learn")
