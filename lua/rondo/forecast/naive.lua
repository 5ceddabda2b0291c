-- forecast/naive.lua - baselines without parameters: the last value, the last season, both with what they grow by.
--
-- A method gives fit(values, o) -> model; a model begins states, each with add(y), for the next value, and predict(h).
-- `warm` is how many values a state wants before it is asked; `relative` says that errors are shares of the level.
-- Formulas: Hyndman and Athanasopoulos 2021, "Forecasting: principles and practice", section 5.2.
-- SPDX-License-Identifier: MIT
local naive = {}

-- A model whose states are made by `begin`.
local function model(fields, state)
  state.__index = state
  fields.begin = function() return setmetatable({ n = 0 }, state) end
  return fields
end

-- f_(n+k) = y_n
function naive.persistence()
  return model({ name = "persistence", warm = 1 }, {
    add = function(s, y) s.last = y end,
    predict = function(s, h)
      local f = {}
      for k = 1, h do
        f[k] = s.last
      end
      return f
    end,
  })
end

-- f_(n+k) = y_n + k (y_n - y_1) / (n - 1)
function naive.drift()
  return model({ name = "drift", warm = 2 }, {
    add = function(s, y) s.first, s.last, s.n = s.first or y, y, s.n + 1 end,
    predict = function(s, h)
      local f, slope = {}, s.n > 1 and (s.last - s.first) / (s.n - 1) or 0.0
      for k = 1, h do
        f[k] = s.last + k * slope
      end
      return f
    end,
  })
end

-- A ring of the last values: value i back (1: the last) is at (n - i) % size.
local function keep(s, y, size)
  s[s.n % size] = y
  s.n = s.n + 1
end

-- f_(n+k) = y_(n+k-m), of the last season there is; before a whole season has been seen the last value.
function naive.seasonal(_, o)
  local m = o.season
  return model({ name = ("seasonal naive (%d)"):format(m), warm = m }, {
    add = function(s, y) keep(s, y, m) end,
    predict = function(s, h)
      local f = {}
      for k = 1, h do
        f[k] = s[(s.n + (k - 1) % m) % m] or s[(s.n - 1) % m]
      end
      return f
    end,
  })
end

-- The last season, times what it grew by against the one before (or plus that, where values are not all positive):
-- f_(n+k) = g^c y_(n+k-cm), g = sum of the last m / sum of the m before, c = ceil(k / m) seasons ahead.
function naive.growth(values, o)
  local m, positive = o.season, true
  for _, y in ipairs(values) do
    positive = positive and y > 0
  end
  local size = 2 * m
  local function sums(s)
    local new, old = 0.0, 0.0
    for i = 1, m do
      new, old = new + s[(s.n - i) % size], old + s[(s.n - m - i) % size]
    end
    return new, old
  end
  return model({ name = ("seasonal naive with growth (%d)"):format(m), warm = size, relative = positive }, {
    add = function(s, y) keep(s, y, size) end,
    predict = function(s, h)
      local f, factor, step = {}, 1.0, 0.0
      if s.n >= size then
        local new, old = sums(s)
        if positive and new > 0 and old > 0 then
          factor = new / old
        else
          step = (new - old) / m
        end
      end
      for k = 1, h do
        local ahead = (k - 1) // m + 1
        local base = s[(s.n - m + (k - 1) % m) % size] or s[(s.n - 1) % size]
        f[k] = base * factor ^ ahead + step * ahead
      end
      return f
    end,
  })
end

return naive
