-- by_steps.lua - a module with advance(x, states), read over the steps that count, from either end.
--
-- A layer of a plugin does this by itself; here it is done to a module that knows of no mask. The steps of each row
-- that count are laid side by side, in the order in which they are read; a row that has ended keeps its state. So
-- padding is never seen, and every row has what it would have alone. A row without any step has the state that it was
-- given, or 0.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local layers = require "rondo.layers"
local mask = require "rondo.mask"
local random = require "rondo.random"
local tensor = require "rondo.tensor"

local by_steps = {}

-- Steps of x (batch, time, features) by their numbers in (time * batch), with zeros where the number is 0.
function by_steps.gather(x, numbers)
  local rows <close> = x:transpose(1, 2):reshape { x:size(1) * x:size(2), x:size(3) }
  return core.embedding(numbers, rows)
end

-- How many steps of each row count, and as numbers for gather: from, (batch, longest), which step of x is read when;
-- to, (batch, time), when each step of x has been read.
local function plan(x, counts, backward)
  local batch, time = x:size(1), x:size(2)
  local lengths, from, to, shortest, longest = {}, {}, {}, time, 1
  for b = 1, batch do
    local n, list, when = 0, {}, {}
    for k = 1, time do
      local t = backward and time + 1 - k or k
      when[t] = 0
      if not counts or counts[b][t] == 1 then
        n = n + 1
        list[n], when[t] = (t - 1) * batch + b, (n - 1) * batch + b
      end
    end
    lengths[b], from[b], to[b] = n, list, when
    shortest, longest = math.min(shortest, n), math.max(longest, n)
  end
  for _, list in ipairs(from) do
    for k = #list + 1, longest do
      list[k] = 0
    end
  end
  return { ends = core.tensor(lengths), shortest = shortest, from = core.tensor(from), to = core.tensor(to) }
end

-- The new value where a row goes on, else the old one; of a tensor (batch, ...) or a table of such.
local function blend(goes_on, new, old)
  if tensor.is_tensor(new) then
    local which = goes_on
    for d = 2, new.ndim do
      which = which:unsqueeze(d)
    end
    return core.where(which, new, old or 0)
  elseif type(new) ~= "table" then
    return new
  end
  local both = {}
  for key, value in pairs(new) do
    both[key] = blend(goes_on, value, old and old[key])
  end
  return both
end

-- Step after step, where rows end apart: what it gave, (batch, longest, ...) or the last (batch, ...), and the states.
local function advance(layer, x, how, states)
  local outputs, last = {}, nil
  for k = 1, x:size(2) do
    local y, after = random.later(k - 1, layer.advance, layer, x:slice(2, k, k), states)
    local goes_on = k > how.shortest and how.ends:ge(k)
    states = goes_on and blend(goes_on, after, states) or after
    if y.ndim > 2 then
      outputs[k] = y
    else
      last = goes_on and blend(goes_on, y, last) or y
    end
  end
  return last or core.concat(outputs, 2), states
end

-- The module's output and states after x (batch, time, features); valid: as it travels (mask.lua).
function by_steps.run(layer, x, states, valid, backward)
  local steps, resets = mask.given(valid)
  if x.ndim ~= 3 then
    errors.raise("%s: expected input (batch, time, features), got %s", layer:label(), layers.shape_text(x))
  elseif resets then
    errors.raise("%s: resets are for recurrent layers of cells (RNN, LSTM, ...)", layer:label())
  elseif not steps and not backward then
    return layer:advance(x, states)
  end
  local counts = steps and core.valid_steps(x, steps, layer:label())
  local how = plan(x, counts and counts:table(), backward)
  local read <close> = by_steps.gather(x, how.from)
  local y, after
  if steps then
    y, after = advance(layer, read, how, states)
  else
    y, after = layer:advance(read, states)
  end
  return y.ndim == 3 and by_steps.gather(y, how.to) or y, after
end

return by_steps
