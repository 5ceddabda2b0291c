-- lua_steps.lua - a layer of a Lua cell over a batch, step after step on the tape.
--
-- What the engine does for cells of plugins (engine/valid.h): a row that is cut by resets, has holes or is read
-- backward is a list of steps, and such lists lie side by side, the longest first; step k works on those that have one.
-- So padding is never computed, and every row has the bits that it has alone. Regularisers use the engine's random
-- numbers (rondo.h): a matrix is fed a masked copy of its source by rondo.linear, states are held after the step.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local names = require "rondo.names"
local shape_text = require("rondo.layers").shape_text
local tensor = require "rondo.tensor"

local lua_steps = {}

-- ---- which steps --------------------------------------------------------------------------------------------

local function zeros_and_ones(label, resets, batch, time)
  if resets.ndim ~= 2 or resets:size(1) ~= batch or resets:size(2) ~= time then
    errors.raise("%s: expected resets (%d, %d), got %s", label, batch, time, shape_text(resets))
  end
  local list = resets:table()
  for b, row in ipairs(list) do
    for t, v in ipairs(row) do
      if v ~= 0 and v ~= 1 then
        errors.raise("%s: resets hold 0 and 1, got %.9g at (%d, %d)", label, v, b, t)
      end
    end
  end
  return list
end

-- Cuts row b into stretches { row =, times =, anew = } added to a list; returns the one that ends the row.
local function cut(list, b, time, how)
  local stretch, kept, last = { row = b, times = {} }, #list, nil
  for k = 1, time do
    local t = how.reverse and time + 1 - k or k
    local border
    if how.reverse then
      border = k > 1 and how.resets and how.resets[b][t + 1] == 1
    else
      border = how.resets and how.resets[b][t] == 1
    end
    if border then
      if #stretch.times > 0 then
        list[#list + 1], last = stretch, stretch
        stretch = { row = b, times = {} }
      end
      stretch.anew = true
    end
    if not how.counts or how.counts[b][t] == 1 then
      stretch.times[#stretch.times + 1] = t
    end
  end
  if how.reverse and #stretch.times == 0 then
    if #list > kept then
      return last
    end
    stretch.anew = nil -- no step has met the border
  end
  list[#list + 1] = stretch
  return stretch
end

-- Stretches by length, and as numbers for gathers: `from`, which step of x (in (time * batch)) is the next one
-- packed; `to`, where each step of the user's went, 0 where it does not count; `ends`, the stretch of each row's last
-- state. nil where every row is one stretch of all steps.
local function plan(label, x, how)
  if not (how.mask or how.resets or how.reverse) then
    return nil
  end
  local batch, time = x:size(1), x:size(2)
  local read = { reverse = how.reverse, counts = how.mask and core.valid_steps(x, how.mask, label):table(),
    resets = how.resets and zeros_and_ones(label, how.resets, batch, time) }
  local list, ends, ending = {}, {}, {}
  for b = 1, batch do
    ending[b] = cut(list, b, time, read)
  end
  for i, stretch in ipairs(list) do
    stretch.i = i
  end
  table.sort(list, function(a, b)
    if #a.times ~= #b.times then
      return #a.times > #b.times
    end
    return a.i < b.i
  end)
  local p = { list = list, active = {}, first = { 0 }, from = {}, to = {}, steps = #list[1].times }
  for t = 1, time do
    p.to[t] = {}
    for b = 1, batch do
      p.to[t][b] = 0
    end
  end
  for i, stretch in ipairs(list) do
    stretch.place = i
  end
  for b = 1, batch do
    ends[b] = ending[b].place
  end
  local n = #list
  for k = 1, p.steps do
    while #list[n].times < k do
      n = n - 1
    end
    p.active[k] = n
    for i = 1, n do
      local b, t = list[i].row, list[i].times[k]
      p.from[#p.from + 1] = (t - 1) * batch + b
      p.to[t][b] = #p.from
    end
    p.first[k + 1] = #p.from
  end
  p.ends = core.tensor(ends)
  return p
end

-- ---- noise --------------------------------------------------------------------------------------------------

local function stream_of(layer, purpose, how)
  return { seed = layer.seed, purpose = purpose, layer = layer.number, update = how.update or 0, time = how.time or 0 }
end

-- The user's rows, from 0, and the times at step k, from 0.
local function row_list(p, batch)
  local rows = {}
  for i = 1, p and #p.list or batch do
    rows[i] = p and p.list[i].row - 1 or i - 1
  end
  return rows
end

local function times_at(p, k, n)
  local times = {}
  for i = 1, n do
    times[i] = p and p.list[i].times[k] - 1 or k - 1
  end
  return times
end

local SOURCE_BITS = 24 -- as RD_SOURCE_BITS of rondo.h

-- By matrix: what makes the copy of its source that it is fed. `now.n` is how many rows there are at the moment.
local function feeds_of(layer, p, batch, how, now)
  local r, feeds, masks = layer.regularisers, {}, {}
  local stream = stream_of(layer, "sources", how)
  stream.time = 0
  local function feed_of(one)
    local share = one.source == "x" and r.input or r.recurrent
    local width, number = one.shape[2], one.number
    masks[number] = masks[number]
      or core.keep_mask(row_list(p, batch), 0, width, stream, number << SOURCE_BITS, share, 1 / (1 - share))
    return function(x)
      if x.ndim ~= 2 or x:size(1) ~= now.n or x:size(2) ~= width then
        errors.raise("%s: with option '%s' matrix '%s' is fed (%d, %d), got %s", layer.label,
          one.source == "x" and "input_dropout" or "recurrent_dropout", one.name, now.n, width, shape_text(x))
      end
      now.fed[one.name] = true
      return x * masks[number]:slice(1, 1, now.n)
    end
  end
  for _, one in ipairs(layer.parameter_list) do
    local share = one.source == "x" and r.input or r.recurrent
    if one.shape[2] and not one.frozen and share > 0 then
      feeds[one.name] = feed_of(one)
    end
  end
  return feeds
end

-- The parameters as the step sees them: recurrent matrices with zeros, where weights are dropped.
local function weights_of(layer, how)
  local p, share = {}, how.update and layer.regularisers.weights or 0
  for i, one in ipairs(layer.parameter_list) do
    p[one.name] = one.tensor
    if share > 0 and one.shape[2] and one.source ~= "x" and not one.frozen then
      local rows = {}
      for row = 1, one.shape[1] do
        rows[row] = row - 1
      end
      local stream = stream_of(layer, "weights", how)
      stream.time = 0
      p[one.name] = one.tensor * core.keep_mask(rows, i - 1, one.shape[2], stream, 0, share, 1 / (1 - share))
    end
  end
  return names.strict(("p of cell '%s'"):format(layer.definition.name), p)
end

-- State k after zoneout (Krueger et al. 2017).
local function hold(layer, k, old, new, at)
  local share = layer.regularisers.hold[k]
  if share == 0 then
    return new
  elseif not at.how.update then
    return old * share + new * (1 - share)
  end
  local n = at.now.n
  local keep = core.keep_mask(table.move(at.rows, 1, n, 1, {}), times_at(at.plan, at.k, n), new:size(2), at.stream,
    k << SOURCE_BITS, share, 1)
  return core.where(keep, new, old)
end

-- ---- the states ---------------------------------------------------------------------------------------------

local function ids_of(n, id)
  return core.full({ n }, id)
end

-- State k before the first step, a row for each stretch.
local function begin(k, state, x, p, states, how)
  local rows, width = p and #p.list or x:size(1), state[2]
  local given, first = states and states[k], how.first and how.first[k] or state.first or 0
  if not given then
    return tensor.is_tensor(first) and core.embedding(ids_of(rows, 1), first:reshape { 1, width })
      or core.full({ rows, width }, first)
  elseif not p then
    return given
  end
  local ids, anew = {}, false
  for i, stretch in ipairs(p.list) do
    ids[i] = stretch.anew and x:size(1) + 1 or stretch.row
    anew = anew or stretch.anew
  end
  if anew then
    local row = tensor.is_tensor(first) and first:reshape { 1, width } or core.full({ 1, width }, first)
    given = core.concat({ given, row }, 1)
  end
  return core.embedding(core.tensor(ids), given)
end

local function check(layer, x, states)
  if x.ndim ~= 3 or x:size(3) ~= layer.input_size then
    errors.raise("%s: expected input (batch, time, %d), got %s", layer.label, layer.input_size, shape_text(x))
  elseif x:size(1) == 0 or x:size(2) == 0 then
    errors.raise("%s: the input must have at least one row and one step, got %s", layer.label, shape_text(x))
  elseif core.precision() == "int8" then
    errors.raise("%s: precision 'int8' is for cells of plugins; '%s' is written in Lua", layer.label,
      layer.definition.name)
  end
  for k, state in ipairs(layer.state_list) do
    local s = states and states[k]
    if s and (not tensor.is_tensor(s) or s.ndim ~= 2 or s:size(1) ~= x:size(1) or s:size(2) ~= state[2]) then
      errors.raise("%s: expected state '%s' (%d, %d), got %s", layer.label, state[1], x:size(1), state[2],
        tensor.is_tensor(s) and shape_text(s) or "a " .. type(s))
    end
  end
end

-- What step() returned, checked: a tensor (n, width) for each state and nothing else.
local function check_step(layer, new, n)
  if type(new) ~= "table" then
    errors.raise("%s: step() must return a table of the new states, as in { %s = ... }, got a %s", layer.label,
      layer.state_list[1][1], type(new))
  end
  for _, state in ipairs(layer.state_list) do
    local s = new[state[1]]
    if not tensor.is_tensor(s) then
      errors.raise("%s: step() must return state '%s' as a tensor, got a %s", layer.label, state[1], type(s))
    elseif s.ndim ~= 2 or s:size(1) ~= n or s:size(2) ~= state[2] then
      errors.raise("%s: step() must return state '%s' as (%d, %d), got %s", layer.label, state[1], n, state[2],
        shape_text(s))
    end
  end
end

local function check_no_more(layer, new)
  for name in pairs(new) do
    local known = false
    for _, state in ipairs(layer.state_list) do
      known = known or state[1] == name
    end
    if not known then
      errors.raise("%s: step() returned '%s', which is no state of the cell", layer.label, tostring(name))
    end
  end
end

-- ---- running ------------------------------------------------------------------------------------------------

-- A masked matrix that rondo.linear did not meet would not be masked.
local function check_fed(layer, feeds, now)
  for name in pairs(feeds) do
    if not now.fed[name] then
      errors.raise("%s: options 'input_dropout' and 'recurrent_dropout' mask what rondo.linear(..., p.%s) is fed, "
        .. "and step() did not call it", layer.label, name)
    end
  end
end

-- The steps: outputs (rows, width) by step, the last states, and by state the pieces of rows that ended before, the
-- longest first.
local function walk(layer, x, p, s, how)
  local batch = x:size(1)
  local now = { n = p and #p.list or batch, fed = {} }
  local weights = weights_of(layer, how)
  local feeds = how.update and feeds_of(layer, p, batch, how, now) or {}
  local _ <close> = tensor.feed(weights, feeds)
  local at = { how = how, plan = p, now = now, rows = row_list(p, batch), stream = stream_of(layer, "zoneout", how) }
  local outputs, ended, label = {}, {}, ("s of cell '%s'"):format(layer.definition.name)
  local strict = getmetatable(names.strict(label, {}))
  local step, list, c = layer.definition.step, layer.state_list, layer.c
  for _, state in ipairs(list) do
    ended[state[1]] = {}
  end
  for k = 1, p and p.steps or x:size(2) do
    local n = p and p.active[k] or batch
    if n < now.n then
      for _, state in ipairs(list) do
        local whole = s[state[1]]
        table.insert(ended[state[1]], 1, whole:slice(1, n + 1, now.n))
        s[state[1]] = whole:slice(1, 1, n)
      end
      now.n = n
    end
    local read = p and x:slice(1, p.first[k] + 1, p.first[k + 1]) or x:select(2, k)
    local new = errors.within(step, weights, read, setmetatable(s, strict), c)
    check_step(layer, new, n)
    if k == 1 then
      check_no_more(layer, new)
      check_fed(layer, feeds, now)
    end
    local after = {}
    at.k = k
    for i, state in ipairs(list) do
      after[state[1]] = hold(layer, i, s[state[1]], new[state[1]], at)
    end
    outputs[k], s = after[list[1][1]], after
  end
  return outputs, s, ended
end

-- Each state after a row's last step.
local function finals(layer, p, s, ended)
  local list = {}
  for k, state in ipairs(layer.state_list) do
    list[k] = s[state[1]]
    if p then
      local pieces = table.move(ended[state[1]] or {}, 1, #(ended[state[1]] or {}), 2, { list[k] })
      list[k] = core.embedding(p.ends, #pieces > 1 and core.concat(pieces, 1) or list[k])
    end
  end
  return list
end

-- Output (batch, time, width) and last states, out of x and the states before.
local function read_all(layer, x, p, s, how)
  if not p then
    local outputs, last = walk(layer, x, p, s, how)
    for k, y in ipairs(outputs) do
      outputs[k] = y:unsqueeze(1)
    end
    return core.concat(outputs, 1):transpose(1, 2), finals(layer, p, last)
  elseif p.steps == 0 then
    return core.zeros { x:size(1), x:size(2), layer:output_size() }, finals(layer, p, s, {})
  end
  local packed = core.embedding(core.tensor(p.from), x:transpose(1, 2):reshape { x:size(1) * x:size(2), x:size(3) })
  local outputs, last, ended = walk(layer, packed, p, s, how)
  local y = core.embedding(core.tensor(p.to), core.concat(outputs, 1)) -- (time, batch, width)
  return y:transpose(1, 2), finals(layer, p, last, ended)
end

-- Output (batch, time, width) and the list of last states of x (batch, time, features); how: as core.run_layers. They
-- are results of one operation, so that a state, which a loss may not depend on, has no graph left once the chunk was
-- played.
function lua_steps.run(layer, x, states, how)
  check(layer, x, states)
  local p, s = plan(layer.label, x, how), {}
  for k, state in ipairs(layer.state_list) do
    s[state[1]] = begin(k, state, x, p, states, how)
  end
  local y, after = read_all(layer, x, p, s, how)
  local joined = core.join(table.move(after, 1, #after, 2, { y }))
  return joined[1], table.move(joined, 2, #joined, 1, {})
end

return lua_steps
