-- forecast/choose.lua - which of several ways to fit a series foretells its last fifth best, fitted on what is before.
--
-- All of it lies before the evaluated part: nothing of that has a share in the choice.
-- SPDX-License-Identifier: MIT
local CHECKED = 500 -- origins that are tried at most, the last ones
local LEAST = 10    -- values on which a choice is worth fitting

-- Squared error of a model fitted on values 1..n over the origins from n on, `horizon` steps each.
local function error_behind(model, values, n, horizon)
  local state, sum = model.begin(), 0.0
  for t = 1, #values - horizon do
    state:add(values[t])
    if t >= n and t > #values - horizon - CHECKED then
      for k, f in ipairs(state:predict(horizon)) do
        sum = sum + (values[t + k] - f) ^ 2
      end
    end
  end
  return sum
end

-- The place of the best in a list of fit(values) -> model, or nil where there are too few values to tell.
return function(values, horizon, ways)
  local n, best, least = #values * 4 // 5, nil, math.huge
  if n < LEAST or #values - n < horizon then
    return nil
  end
  local early = table.move(values, 1, n, 1, {})
  for i, fit in ipairs(ways) do
    local sum = error_behind(fit(early), values, n, horizon)
    if sum < least then -- never where it is not a number
      best, least = i, sum
    end
  end
  return best
end
