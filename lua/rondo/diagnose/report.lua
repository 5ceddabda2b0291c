-- diagnose/report.lua - what rondo.diagnose returns: numbers by layer, and a page of text for people.
-- SPDX-License-Identifier: MIT
local report = {}

local Diagnosis = { __name = "rondo.Diagnosis" }
Diagnosis.__index = Diagnosis

local function number(x)
  return x == nil and "-" or ("%.4g"):format(x)
end

local function sorted(t)
  local keys = {}
  for key in pairs(t) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

-- About eight of the lags 0..n-1, each twice the one before.
local function some_lags(n)
  local list, lag = { 0 }, 1
  while lag < n do
    list[#list + 1], lag = lag, 2 * lag
  end
  if list[#list] < n - 1 then
    list[#list + 1] = n - 1
  end
  return list
end
report.some_lags = some_lags

local function lag_lines(one, out)
  local lags, values = some_lags(#one.profile), {}
  for i, lag in ipairs(lags) do
    values[i] = ("%d: %s"):format(lag, number(one.profile[lag + 1]))
  end
  out[#out + 1] = "  |dL/ds| by lag       " .. table.concat(values, "  ")
  out[#out + 1] = ("  memory horizon       %s"):format(one.horizon
    and ("lag %d: there the gradient is below 1 %% of what it is at the loss"):format(one.horizon)
    or ("longer than the %d steps here"):format(#one.steps))
  if one.slope then
    out[#out + 1] = ("  per step of lag      %s times (exp of the slope %s)"):format(number(math.exp(one.slope)),
      number(one.slope))
  end
end

local function step_lines(one, out)
  for _, state in ipairs(one.state_list) do
    local d, n = one.gradient[state[1]], #one.steps
    out[#out + 1] = ("  %-20s first step %s  middle %s  last %s"):format(("|dL/d%s|"):format(state[1]), number(d[1]),
      number(d[(n + 1) // 2]), number(d[n]))
  end
  if one.jacobian then
    local n = #one.jacobian
    out[#out + 1] = ("  |ds(T)/ds(k)|        k = 1: %s  k = T/2: %s  k = T: %s"):format(number(one.jacobian[1]),
      number(one.jacobian[(n + 1) // 2]), number(one.jacobian[n]))
  end
end

local function matrix_lines(one, out)
  local list = {}
  for _, name in ipairs(sorted(one.radius)) do
    list[#list + 1] = ("%s %s"):format(name, number(one.radius[name]))
  end
  out[#out + 1] = "  spectral radius      " .. (#list > 0 and table.concat(list, "  ") or "no square matrix")
  list = {}
  for i, entry in ipairs(one.step_radius or {}) do
    list[i] = ("step %d: %s"):format(entry.step, number(entry.radius))
  end
  if #list > 0 then
    out[#out + 1] = "  of a step's Jacobian " .. table.concat(list, "  ")
  end
  if one.lyapunov then
    out[#out + 1] = ("  Lyapunov exponent    %s per step (%s)"):format(number(one.lyapunov),
      one.lyapunov > 0 and "small differences grow" or "small differences die out")
  end
  list = {}
  for i, entry in ipairs(one.saturation or {}) do
    list[i] = ("%s %.1f %%"):format(entry.name, 100 * entry.share)
  end
  if #list > 0 then
    out[#out + 1] = "  saturated            " .. table.concat(list, "  ")
  end
end

local function contribution_lines(one, out)
  for _, p in ipairs(one.parameters) do
    local c = one.contributions and one.contributions[p.name]
    if c then
      local n = #c.norm
      out[#out + 1] = ("  part of step k in dL/d%-6s k = 1: %s  k = T/2: %s  k = T: %s  sum: %s"):format(p.name,
        number(c.norm[1]), number(c.norm[(n + 1) // 2]), number(c.norm[n]), number(c.sum:norm()))
    end
  end
end

local function update_lines(self, out)
  for _, entry in ipairs(self.updates or {}) do
    out[#out + 1] = ("  update / weight      %-24s %s"):format(entry.name, number(entry.ratio))
  end
end

function Diagnosis:__tostring()
  local out = { ("loss %s"):format(number(self.loss)) }
  for _, one in ipairs(self.layers) do
    out[#out + 1] = ("%s (%s, cell %s, %d steps%s)"):format(one.name, one.label, one.cell, #one.steps,
      one.reverse and ", read backward" or "")
    step_lines(one, out)
    lag_lines(one, out)
    matrix_lines(one, out)
    contribution_lines(one, out)
  end
  update_lines(self, out)
  if self.clip_rate then
    out[#out + 1] = ("clipped: %.1f %% of the updates"):format(100 * self.clip_rate)
  end
  if self.check then
    out[#out + 1] = ("the contributions sum to the engine's gradient within %s%s"):format(
      number(self.check.difference), self.check.tensor and (" (%s)"):format(self.check.tensor) or "")
  end
  return table.concat(out, "\n")
end

-- Draws it: heat maps of lag by time and curves, into x.svg or x.png, else in the terminal; true, or nil, message.
function Diagnosis:plot(path, o)
  return require("rondo.diagnose.picture").draw(self, path, o)
end

function report.new(found)
  return setmetatable(found, Diagnosis)
end

return report
