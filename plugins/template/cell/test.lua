-- test.lua - does a small layer of @NAME@ learn? SPDX-License-Identifier: MIT
--
-- rondo run test.lua [FILE.so]
local rondo = require "rondo"
rondo.manual_seed(1)
assert(rondo.plugins.load(arg[1] or "./@FILE@.so"))

local model = rondo.Sequential {
  rondo.RNN { cell = "@NAME@", input_size = 3, hidden_size = 12, return_sequences = false },
  rondo.Linear { 1 },
}
local optimizer = rondo.optim.Adam(model:parameters(), { lr = 0.02 })
local loss = rondo.MSELoss()
local x = rondo.randn(16, 8, 3)          -- 16 sequences of 8 steps of 3 numbers
local y = x:mean(2):select(2, 1):view(16, 1) -- of each the mean of its first number

local first, last
model:train()
for _ = 1, 150 do
  optimizer:zero_grad()
  local now = loss(model(x), y)
  now:backward()
  optimizer:step()
  first, last = first or now:item(), now:item()
end
print(("loss %.4f at first, %.4f after 150 updates"):format(first, last))
assert(last < first / 4, "it does not learn: is backward() the derivative of forward()?")
