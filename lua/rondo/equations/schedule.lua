-- schedule.lua - when each value of a step is computed, and where those lie that are needed again later.
--
-- A step is a row of segments, each one loop over the units: of forward phase by phase, then of backward from the last
-- phase to the first. A phase has one segment, and one more behind each layer norm in it, which needs a whole row. What
-- is costly (functions, quotients) is computed once and kept for later segments: in the line whose sum nobody needs any
-- more, as long as it is not dL/da yet, or in a save. A function of what is there anyway, as tanh(c), is computed again
-- rather than kept in a save: memory costs more (an LSTM of 32 units took 1.0 to 1.2 times as long with the save). So
-- is all else.
--
-- Adds to the program
--   segments   each at (its time), forward (or not), phase; along: layer norms that precede the loop, each node, slot;
--              writes: what the loop leaves, each kind (next, temp, line, before, vector or keep), of or slot, node;
--              compute: set of nodes
--   kept       by node: its slot, { line = } or { save = k }
--   n_saves    how many rows are kept; norms, n_norms: by layer norm its place among the numbers 1 / deviation
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local functions = require "rondo.equations.functions"

local schedule = {}

-- ---- when -----------------------------------------------------------------------------------------------------

-- Times are { phase, stage } forward, and later ones backward; as one number so that they compare. STAGES in a phase.
local STAGES = 64

local function times(p)
  local time = {}
  local middle = p.phases * STAGES
  local function back_start(phase)
    return middle + (p.phases - 1 - phase) * STAGES
  end
  local function time_of(node)
    local found = time[node]
    if found then
      return found
    end
    found = 0
    if node.op == "line" then
      found = node.line.phase * STAGES
    elseif node.op == "dnext" then
      found = back_start(p.phases - 1)
    elseif node.op == "dtemp" then
      for _, temp in ipairs(p.temps) do
        if temp.name == node.name then
          found = back_start(temp.phase)
        end
      end
    end
    for _, arg in ipairs(node.args) do
      found = math.max(found, time_of(arg))
    end
    if node.op == "normback" or node.op == "call" and functions[node.name].along then
      found = found + 1
      if found % STAGES == STAGES - 1 then
        errors.raise("cell '%s': more than %d layer norms follow one another", p.name, STAGES - 2)
      end
    end
    time[node] = found
    return found
  end
  return time_of, back_start
end

-- ---- what each loop writes --------------------------------------------------------------------------------------

-- A sum as its parts by the time at which they can be had: what is added to may be added to early.
local function parts_by_time(g, node, time)
  local parts = {}
  local function visit(term, minus)
    if term.op == "add" or term.op == "sub" then
      visit(term.args[1], minus)
      visit(term.args[2], minus ~= (term.op == "sub"))
    elseif term.op == "neg" then
      visit(term.args[1], not minus)
    else
      local at = time(term)
      local sum = parts[at] or g:number(0)
      parts[at] = minus and g:sub(sum, term) or g:add(sum, term)
    end
  end
  visit(node, false)
  local one = next(parts)
  return next(parts, one) and parts or { [time(node)] = node }
end

local function list_writes(p, time_of, back_start)
  local list = {}
  local function add(kind, of, node, at)
    list[#list + 1] = { kind = kind, of = of, node = node, at = at }
  end
  local function backward_time(node)
    return math.max(time_of(node), back_start(p.phases - 1))
  end
  local function add_to(kind, of, node)
    local when = {}
    local parts = parts_by_time(p.graph, node or p.graph:number(0), backward_time)
    for at in pairs(parts) do
      when[#when + 1] = at
    end
    table.sort(when)
    for _, at in ipairs(when) do
      if not p.graph.is_number(parts[at], 0) then
        add(kind, of, parts[at], at)
      end
    end
  end
  for _, temp in ipairs(p.temps) do
    add("temp", temp, temp.node, time_of(temp.node))
  end
  for _, state in ipairs(p.states) do -- a leaf may be written whenever, and is in the last phase
    local is_leaf = state.root.op ~= "line" and #state.root.args == 0
    add("next", state, state.root, math.max(time_of(state.root), is_leaf and (p.phases - 1) * STAGES or 0))
  end
  for _, line in ipairs(p.lines) do
    add("line", line, p.back.line[line], backward_time(p.back.line[line]))
  end
  for _, state in ipairs(p.states) do
    add_to("before", state, p.back.before[state.name])
  end
  for _, name in ipairs(p.vectors) do
    add_to("vector", name, p.back.vector[name])
  end
  return list
end

-- ---- what is needed when ----------------------------------------------------------------------------------------

local FREE = { number = true, vector = true, before = true, x = true, dnext = true, dtemp = true }

local function is_costly(node)
  return node.op == "div" or node.op == "normback" or node.op == "call" and functions[node.name].costly
end

local function is_along(node)
  return node.op == "normback" or node.op == "call" and functions[node.name].along
end
schedule.is_along = is_along

-- Marks all that the writes need: compute[at][node], and items that must be kept from a time to a time. again: set of
-- costly nodes that are computed again all the same.
local function find_needs(writes, time_of, again)
  local needs = { compute = {}, item = {}, items = {}, raw = {}, place = {}, written = {} }
  for _, write in ipairs(writes) do
    if write.kind == "next" or write.kind == "temp" then -- what lies where it is written anyway
      needs.place[write.node] = needs.place[write.node] or write
    elseif write.kind == "line" then
      needs.written[write.of] = write.at
    end
  end
  local need
  local function keep(node, at)
    local item = needs.item[node]
    if not item then
      item = { node = node, from = time_of(node), to = at }
      needs.item[node], needs.items[#needs.items + 1] = item, item
      if is_along(node) then -- it is made in the place of what it is made of
        item.from = time_of(node) - 1
        need(node.args[1], item.from)
        if node.op == "normback" then
          need(node.args[2], time_of(node))
        end
      else
        need(node, time_of(node))
      end
    end
    item.to = math.max(item.to, at)
  end
  function need(node, at)
    if FREE[node.op] then
      return
    elseif node.op == "line" then
      if at > needs.written[node.line] then
        return keep(node, at)
      end
      needs.raw[node.line] = math.max(needs.raw[node.line] or 0, at)
      return
    elseif is_along(node) then
      return keep(node, at)
    elseif time_of(node) < at then
      local place = needs.place[node]
      if place and place.at < at then
        return
      elseif is_costly(node) and not again[node] then
        return keep(node, at)
      end
    end
    needs.compute[at] = needs.compute[at] or {}
    if not needs.compute[at][node] then
      needs.compute[at][node] = true
      for _, arg in ipairs(node.args) do
        need(arg, at)
      end
    end
  end
  for _, write in ipairs(writes) do
    need(write.node, write.at)
  end
  return needs
end

-- ---- where ----------------------------------------------------------------------------------------------------

-- The line whose sum a value is a function of, if it is near.
local function own_line(node)
  for _, arg in ipairs(node.args) do
    if arg.op == "line" then
      return arg.line
    end
  end
  for _, arg in ipairs(node.args) do
    for _, inner in ipairs(arg.args) do
      if inner.op == "line" then
        return inner.line
      end
    end
  end
end

local function is_free(slot, item)
  for _, other in ipairs(slot.items) do
    if item.from < other.to and other.from < item.to or item.from == other.from then
      return false
    end
  end
  return true
end

-- May a line hold the item: its sum is there already and needed no more, and it is not dL/da yet?
local function fits_line(slot, item, needs)
  local begins = slot.line.phase * STAGES
  local raw = needs.raw[slot.line]
  return item.from >= begins and item.to <= slot.written and (not raw or raw <= item.from) and is_free(slot, item)
end

-- Is it a function of values that are there anyway, as tanh(c)?
local function can_repeat(node, needs)
  if is_along(node) then
    return false
  end
  for _, arg in ipairs(node.args) do
    if not (FREE[arg.op] or needs.place[arg]) then
      return false
    end
  end
  return #node.args > 0
end

-- Saves for what finds no line; nil where `again` has got more nodes.
local function place_items(p, needs, again)
  local lines, by_line, saves, more = {}, {}, {}, false
  for i, line in ipairs(p.lines) do
    lines[i] = { line = line, items = {}, written = needs.written[line] }
    by_line[line] = lines[i]
  end
  table.sort(needs.items, function(a, b) return a.node.id < b.node.id end)
  local function put(slot, item)
    slot.items[#slot.items + 1] = item
    item.slot = slot
  end
  for _, item in ipairs(needs.items) do
    local line = own_line(item.node)
    if line and fits_line(by_line[line], item, needs) then
      put(by_line[line], item)
    end
  end
  for _, item in ipairs(needs.items) do
    for _, slot in ipairs(item.slot and {} or lines) do
      if not item.slot and fits_line(slot, item, needs) then
        put(slot, item)
      end
    end
    for _, slot in ipairs(item.slot and {} or saves) do
      if not item.slot and is_free(slot, item) then
        put(slot, item)
      end
    end
    if not item.slot and can_repeat(item.node, needs) then
      again[item.node], more = true, true
    elseif not item.slot then
      saves[#saves + 1] = { save = #saves, items = {} }
      put(saves[#saves], item)
    end
  end
  return not more and saves or nil
end

-- ---- the whole ------------------------------------------------------------------------------------------------

local function segment_list(p, at_most)
  local list, by_time = {}, {}
  for at = 0, 2 * p.phases * STAGES - 1 do
    if at_most[at] then
      local forward = at < p.phases * STAGES
      local phase = at // STAGES % p.phases
      local segment = { at = at, forward = forward, phase = forward and phase or p.phases - 1 - phase, along = {},
        writes = {} }
      list[#list + 1], by_time[at] = segment, segment
    end
  end
  return list, by_time
end

function schedule.run(p)
  local time_of, back_start = times(p)
  local writes = list_writes(p, time_of, back_start)
  local needs, saves
  local again = {}
  repeat
    needs = find_needs(writes, time_of, again)
    saves = place_items(p, needs, again)
  until saves
  local used = {}
  for _, write in ipairs(writes) do
    used[write.at] = true
  end
  for _, item in ipairs(needs.items) do
    used[item.from] = true
    used[time_of(item.node)] = true
  end
  local segments, by_time = segment_list(p, used)
  p.kept, p.n_saves, p.norms, p.n_norms = {}, #saves, {}, 0
  for _, item in ipairs(needs.items) do
    local node, slot = item.node, item.slot
    p.kept[node] = { line = slot.line, save = slot.save, from = item.from, to = item.to }
    if is_along(node) then
      local along = { node = node, slot = p.kept[node] }
      if node.op == "call" then
        p.norms[node] = p.n_norms
        p.n_norms = p.n_norms + 1
      end
      table.insert(by_time[time_of(node)].along, along)
    end
    local source = is_along(node) and node.args[1] or node
    if not (source.op == "line" and source.line == slot.line) then
      table.insert(by_time[item.from].writes, { kind = "keep", slot = p.kept[node], node = source })
    end
  end
  for _, write in ipairs(writes) do
    table.insert(by_time[write.at].writes, write)
  end
  for _, segment in ipairs(segments) do
    segment.compute = needs.compute[segment.at] or {}
  end
  p.segments, p.time_of, p.place, p.written = segments, time_of, needs.place, needs.written
end

return schedule
