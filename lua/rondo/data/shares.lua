-- data/shares.lua - parts of a list of rows by their shares: split { 0.8, 0.2 }.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"

local shares = {}

local function check(given)
  local sum = 0
  for i, share in ipairs(given) do
    if type(share) ~= "number" or not (share > 0 and share <= 1) then
      errors.raise("split: share %d must be a number over 0 and at most 1, got %s", i, tostring(share))
    end
    sum = sum + share
  end
  if #given == 0 or sum > 1 + 1e-9 then
    errors.raise("split: expected shares that make at most 1, as in split { 0.9, 0.1 }, got %s", #given == 0 and "none"
      or ("%.6g"):format(sum))
  end
end

-- How many of `count` rows, in their order, end with each part.
function shares.ends(given, count)
  check(given)
  local ends, share = {}, 0
  for i, one in ipairs(given) do
    share = share + one
    ends[i] = math.min(count, math.floor(share * count + 0.5))
  end
  return ends
end

return shares
