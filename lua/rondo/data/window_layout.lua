-- data/window_layout.lua - which columns of a series are what in a window: inputs, known ahead, targets, calendar.
--
-- A layout is what the core's windows take (lua/src/windows.c): lists of features and targets of one series, each
-- with the stages of the scaler. `names` are those of the numbers of a step of x.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"

local layout = {}

layout.units = { "hour", "weekday", "month", "day_of_year" }

-- A list of names, of a string or a list of strings.
local function list_of(given, option)
  local list = type(given) == "string" and { given } or given
  if type(list) ~= "table" then
    errors.raise("windows: option '%s' must be a name or a list of names, got a %s", option, type(list))
  end
  for _, name in ipairs(list) do
    if type(name) ~= "string" then
      errors.raise("windows: option '%s' must be a name or a list of names, got a %s", option, type(name))
    end
  end
  return list
end

local function place_of(columns, name, option)
  for i, column in ipairs(columns) do
    if column == name then
      return i
    end
  end
  local near = core.nearest(name, columns)
  errors.raise("windows: option '%s': there is no column '%s'%s", option, name, near
    and (" (did you mean '%s'?)"):format(near) or "; columns are " .. errors.list(columns))
end

-- Places of columns by name, none of which may have a role already.
local function take(roles, columns, given, option)
  local list = list_of(given, option)
  for _, name in ipairs(list) do
    local place = place_of(columns, name, option)
    if roles[place] then
      errors.raise("windows: column '%s' is named as %s and as %s; it is one of them", name, roles[place], option)
    end
    roles[place] = option
  end
  return list
end

local function check_units(units, time)
  for _, unit in ipairs(list_of(units, "calendar")) do
    local known = false
    for _, name in ipairs(layout.units) do
      known = known or name == unit
    end
    if not known then
      local near = core.nearest(unit, layout.units)
      errors.raise("windows: option 'calendar': there is no '%s'%s", unit, near
        and (" (did you mean '%s'?)"):format(near) or "; there are " .. table.concat(layout.units, ", "))
    end
  end
  if #units > 0 and time ~= "date" then
    errors.raise("windows: option 'calendar' needs a column of dates, and %s", time and "the times are plain numbers"
      or "the series has no column of times")
  end
end

-- What is asked for, by role: { targets =, past =, known =, static =, calendar = }, lists of names. `time`: "date",
-- "number" or nil.
function layout.roles(columns, o, time)
  local roles, target = {}, o.target
  if target == nil then
    if #columns > 1 then
      errors.raise("windows: option 'target' is required where there are several columns: %s",
        table.concat(columns, ", "))
    end
    target = columns[1]
  end
  local found = { targets = take(roles, columns, target, "target"), known = take(roles, columns, o.known or {},
    "known"), static = take(roles, columns, o.static or {}, "static"),
    calendar = type(o.calendar) == "string" and { o.calendar } or o.calendar or {} }
  if #found.targets == 0 then
    errors.raise "windows: option 'target' must be a name or a list of at least one, got an empty list"
  end
  check_units(found.calendar, time)
  if o.past then
    found.past = take(roles, columns, o.past, "past")
  else
    found.past = {}
    for i, name in ipairs(columns) do
      found.past[#found.past + 1] = not roles[i] and name or nil
    end
  end
  return found
end

-- Steps of x: those up to the origin, and where features are known ahead those of the horizon but its last, whose
-- known values stand at the step before.
function layout.steps(roles, input, horizon)
  return (#roles.known > 0 or #roles.calendar > 0) and input + horizon - 1 or input
end

local function value(name, place, stages, known)
  return { kind = "value", name = name, column = place, known = known, stages = stages }
end

-- A number through stages that are no differences: of a static column.
local function scaled(numbers, place, row, stages, name)
  for _, stage in ipairs(stages or {}) do
    if stage.kind == "difference" then
      errors.raise("windows: the scaler takes differences of '%s', which is static; give it one of its own by "
        .. "ColumnScaler", name)
    end
  end
  return numbers:moments(place, { row, 1, row }, stages or {}, "").mean
end

-- What stands the same at all steps: static columns, and which series it is.
local function add_constants(add, columns, roles, how)
  for _, name in ipairs(roles.static) do
    local place = place_of(columns, name, "static")
    add({ kind = "constant", name = name, value = scaled(how.numbers, place, how.begin, how.shared(name), name) }, name)
  end
  for i, name in ipairs(how.one_hot or {}) do
    add({ kind = "constant", name = name, value = i == how.id and 1 or 0 }, "is " .. name)
  end
end

-- Features and targets of one series. `columns` are all of the file in order; how: stages(column) and shared(column) of
-- the scaler, numbers, time (place of the times), begin (first row), mask, ahead (are there steps behind the origin),
-- one_hot (names of all series) and id, separate (the target is one of many such series).
function layout.new(columns, roles, how)
  local features, names, is_input, targets = {}, {}, {}, {}
  local function add(feature, name)
    features[#features + 1] = feature
    names[#names + 1] = name
  end
  for _, list in ipairs { roles.targets, roles.past } do
    for _, name in ipairs(list) do
      is_input[name] = true
    end
  end
  if how.separate then -- first, so that it has the same place for each
    local target = roles.targets[1]
    add(value(target, place_of(columns, target, "target"), how.stages(target)), "target")
  end
  for i, name in ipairs(columns) do
    if is_input[name] and not (how.separate and name == roles.targets[1]) then
      add(value(name, i, how.stages(name)), name)
    end
  end
  for i = 1, how.mask and #features or 0 do
    add({ kind = "missing", name = names[i], column = features[i].column }, names[i] .. " missing")
  end
  add_constants(add, columns, roles, how)
  for _, name in ipairs(roles.known) do -- last is what a decoder reads
    add(value(name, place_of(columns, name, "known"), how.stages(name), true), name .. " ahead")
  end
  for _, unit in ipairs(roles.calendar) do
    add({ kind = "calendar", name = unit, column = how.time, unit = unit, known = true }, "sine of " .. unit)
    names[#names + 1] = "cosine of " .. unit
  end
  if how.ahead then
    add({ kind = "ahead", name = "ahead" }, "behind the origin")
  end
  for i, name in ipairs(roles.targets) do
    targets[i] = value(name, place_of(columns, name, "target"), how.stages(name))
  end
  return { features = features, targets = targets, names = names }
end

-- Rows that differences look back over, at most.
function layout.lag(one)
  local most = 0
  for _, list in ipairs { one.features, one.targets } do
    for _, feature in ipairs(list) do
      local lag = 0
      for _, stage in ipairs(feature.stages or {}) do
        lag = lag + (stage.kind == "difference" and stage.a or 0)
      end
      most = math.max(most, lag)
    end
  end
  return most
end

return layout
