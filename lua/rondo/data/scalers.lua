-- data/scalers.lua - columns of a series brought to one scale and back: StandardScaler and others, and chains of them.
--
-- A scaler is fitted on one part of a series, the training part, alone, column by column; a missing value has no part
-- in it. What is found is a list of stages (core/include/rondo_series.h), numbers that a checkpoint keeps; windows
-- apply them, and differences, which need the rows before, are done there alone. Where a part has many series each has
-- stages of its own (per_series), and `shared` are those of all together.
-- An inverse is that of a value: right for quantiles and sampled paths, too; of a mean on a log's or Box-Cox's scale it
-- gives the median, not the mean.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local kinds = require "rondo.data.scaler_kinds"
local options = require "rondo.options"
local tensor = require "rondo.tensor"

local MOST = 8 -- RD_MAX_STAGES
local LEAST = 1e-37
local PER_SERIES = { name = "per_series", kind = "bool", help = "numbers of its own for each series; default: where "
  .. "the part has several" }

-- ---- fitting -----------------------------------------------------------------------------------------------

local Scaler = { __name = "rondo.Scaler" }
Scaler.__index = Scaler

local function is_scaler(value)
  return getmetatable(value) == Scaler
end

function Scaler:__tostring()
  local names = { self.by and self.kind }
  for i, member in ipairs(self.by and {} or self.members) do
    names[i] = member.kind
  end
  return table.concat(names, ", ") .. (self.columns and " of " .. table.concat(self.columns, ", ") or ", not fitted")
end

local Seen = {}
Seen.__index = Seen

local function with(self, more)
  return table.move(more or {}, 1, #(more or {}), #self.stages + 1, table.move(self.stages, 1, #self.stages, 1, {}))
end

function Seen:moments(more)
  local m = self.numbers:moments(self.place, self.rows, with(self, more), self.name)
  if m.n == 0 then
    errors.raise("%s: column '%s' has no value in the rows that it is fitted on", self.what, self.name)
  end
  return m
end

function Seen:quantile(q)
  self:moments()
  return self.numbers:quantile(self.place, self.rows, self.stages, self.name, q)
end

-- What is done with a column: a ColumnScaler has its own for some.
local function members_of(self, column)
  return self.by and self.by[column] or self.members
end

-- Stages of each column of some rows: { from, n, first row of the series, ... }.
local function stages_of(self, part, rows)
  local numbers, found = part:store(), {}
  for i, name in ipairs(part.columns) do
    local seen = setmetatable({ numbers = numbers, place = i, rows = rows, name = name, stages = {},
      what = self.kind }, Seen)
    for k, member in ipairs(members_of(self, name)) do
      seen.stages[k] = kinds[member.kind].stage(member.options, seen)
    end
    found[name] = seen.stages
  end
  return found
end

local function check_part(self, part)
  local meta = getmetatable(part)
  if type(meta) ~= "table" or meta.__name ~= "rondo.Series" then
    errors.raise("%s: fit expects a series (rondo.data.Series.from_csv) or a part of one, got a %s", self.kind,
      type(part))
  end
end

-- shift and scale by column, where that is all there is.
local function show_affine(self)
  local only = #self.members == 1 and not self.by and not self.series
  self.shift, self.scale = only and {} or nil, only and {} or nil
  for name, stages in pairs(only and self.shared or {}) do
    if stages[1].kind == "affine" then
      self.shift[name], self.scale[name] = stages[1].a, stages[1].b
    end
  end
end

local function fit(self, part)
  local pieces, all = part:pieces(), {}
  local each = self.per_series
  if each == nil then
    each = #pieces > 1
  end
  self.series, self.rows = each and {} or nil, {}
  for _, piece in ipairs(pieces) do
    local rows = { piece.first, piece.last - piece.first + 1, piece.begin }
    table.move(rows, 1, 3, #all + 1, all)
    self.rows[piece.name] = { first = piece.first, last = piece.last }
    if each then
      self.series[piece.name] = stages_of(self, part, rows)
    end
  end
  self.shared, self.columns = stages_of(self, part, all), part.columns
  show_affine(self)
  return self
end

-- Takes its numbers from a part of a series; the scaler itself.
function Scaler:fit(part)
  check_part(self, part)
  return errors.blame(fit, self, part)
end

-- Takes numbers of their own for series that were not there when it was fitted; the scaler itself.
function Scaler:adapt(part)
  check_part(self, part)
  for _, piece in ipairs(self.series and part:pieces() or {}) do
    if not self.series[piece.name] then
      self.series[piece.name] = stages_of(self, part, { piece.first, piece.last - piece.first + 1, piece.begin })
      self.rows[piece.name] = { first = piece.first, last = piece.last }
    end
  end
  return self
end

-- ---- use ---------------------------------------------------------------------------------------------------

-- What is done with a column in a window. series: its name, or nil for what all have in common.
function Scaler:stages(name, series)
  local all = self.shared
  if not all then
    errors.raise("%s: fit it on the training part first", self.kind)
  elseif not all[name] then
    local near = core.nearest(tostring(name), self.columns)
    errors.raise("%s: it was not fitted on a column '%s'%s", self.kind, tostring(name),
      near and (" (did you mean '%s'?)"):format(near) or "; columns are " .. errors.list(self.columns))
  elseif series and self.series then
    all = self.series[series]
    if not all then
      errors.raise("%s: it was not fitted on a series '%s'; give it numbers of its own by scaler:adapt(part)",
        self.kind, series)
    end
  end
  return all[name]
end

local apply, invert = {}, {}

function apply.affine(x, a, b) return (x - a) / b end
function invert.affine(x, a, b) return x * b + a end
function apply.log(x, a) return (x + a):log() end
function invert.log(x, a) return x:exp() - a end
function apply.box_cox(x, a, b) return (((x + a):log() * b):exp() - 1) / b end
function invert.box_cox(x, a, b)
  local power = x * b + 1 -- what lies beyond the end of the transform's range is its end
  return (core.where(power:gt(0), power, power * 0 + LEAST):log() / b):exp() - a
end

-- a and b of stage k: numbers of one column, tensors along the last dimension of several.
local function numbers_of(lists, k, several)
  local a, b = {}, {}
  for i, stages in ipairs(lists) do
    a[i], b[i] = stages[k].a, stages[k].b or 0
  end
  if several then
    return core.tensor(a), core.tensor(b)
  end
  return a[1], b[1]
end

-- The stages of each column of x (nil: all that were fitted).
local function lists_of(self, x, wanted, series)
  if not tensor.is_tensor(x) then
    errors.raise("%s: expected a tensor of values, got a %s", self.kind, type(x))
  end
  local names, lists = type(wanted) == "string" and { wanted } or wanted or self.columns or { "" }, {}
  for i = 1, type(names) == "table" and #names or 1 do
    if type(names) ~= "table" or type(names[i]) ~= "string" then
      errors.raise("%s: columns must be a name or a list of names, got a %s", self.kind,
        type(names) == "table" and "list of " .. type(names[i]) .. "s" or type(names))
    end
  end
  for i, name in ipairs(names) do
    lists[i] = self:stages(name, series)
  end
  if type(wanted) ~= "string" and (x.ndim == 0 or x:size(-1) ~= #names) then
    errors.raise("%s: the last dimension of values must be the %d columns %s, got %s", self.kind, #names,
      table.concat(names, ", "), x.ndim == 0 and "no dimensions" or tostring(x:size(-1)))
  end
  if #lists > 1 and self.by then
    errors.raise("%s: columns have scalers of their own; take one at a time, by its name", self.kind)
  end
  for _, stage in ipairs(lists[1]) do
    if stage.kind == "difference" then
      errors.raise("%s: differences need the rows before; windows apply them, and windows:unscale takes them back",
        self.kind)
    end
  end
  return lists
end

-- Values of the columns (nil: all that were fitted) on the common scale. Of one column, x has any shape.
function Scaler:transform(x, wanted, series)
  local lists = lists_of(self, x, wanted, series)
  for k, stage in ipairs(lists[1]) do
    x = apply[stage.kind](x, numbers_of(lists, k, type(wanted) ~= "string"))
  end
  return x
end

-- And back in the unit of the columns.
function Scaler:inverse(x, wanted, series)
  local lists = lists_of(self, x, wanted, series)
  for k = #lists[1], 1, -1 do
    x = invert[lists[1][k].kind](x, numbers_of(lists, k, type(wanted) ~= "string"))
  end
  return x
end

-- ---- making one --------------------------------------------------------------------------------------------

local function describe_members(list)
  local members = {}
  for k, member in ipairs(list) do
    members[k] = { kind = member.kind, options = next(member.options) and member.options or nil }
  end
  return members
end

-- What a checkpoint keeps: all that from() needs.
function Scaler:describe()
  local by = self.by and {}
  for name, members in pairs(self.by or {}) do
    by[name] = describe_members(members)
  end
  return { kind = self.kind, members = describe_members(self.members), by = by, per_series = self.per_series,
    columns = self.columns, shared = self.shared, series = self.series }
end

local function new(kind, members, per_series, by)
  return setmetatable({ kind = kind, members = members, per_series = per_series, by = by }, Scaler)
end

local function read_members(list)
  local members = {}
  for k, member in ipairs(type(list) == "table" and list or { false }) do
    if type(member) ~= "table" or not kinds[member.kind] then
      return nil
    end
    members[k] = { kind = member.kind, options = type(member.options) == "table" and member.options or {} }
  end
  return members
end

-- Are these the stages of each column?
local function are_stages(self, by_column)
  for _, name in ipairs(type(by_column) == "table" and self.columns or { false }) do
    for k = 1, name and #members_of(self, name) or 1 do
      local stages = name and by_column[name]
      local stage = type(stages) == "table" and stages[k]
      if type(stage) ~= "table" or (stage.kind ~= "difference" and not apply[stage.kind])
        or type(stage.a) ~= "number" or (stage.b ~= nil and type(stage.b) ~= "number") then
        return false
      end
    end
  end
  return true
end

-- A fitted scaler as describe() said; nil where it is not one.
local function from(description)
  local d = type(description) == "table" and description or {}
  local members, by = read_members(d.members), d.kind == "ColumnScaler" and {} or nil
  if not (kinds[d.kind] or d.kind == "ChainScaler" or by) or not members or type(d.columns) ~= "table" then
    return nil
  end
  for name, list in pairs(by and type(d.by) == "table" and d.by or {}) do
    by[name] = read_members(list) or {}
  end
  local self = new(d.kind, members, d.per_series, by)
  self.columns, self.shared, self.rows = d.columns, d.shared, {}
  self.series = type(d.series) == "table" and d.series or nil
  local sound = are_stages(self, d.shared)
  for _, by_column in pairs(self.series or {}) do
    sound = sound and are_stages(self, by_column)
  end
  if not sound then
    return nil
  end
  show_affine(self)
  return self
end

-- The array part and the rest of a table of options.
local function parts_of(given)
  local list, named = {}, {}
  for key, value in pairs(type(given) == "table" and given or {}) do
    local into = math.type(key) == "integer" and list or named
    into[key] = value
  end
  return list, named
end

local function check_scaler(what, value, where)
  if not is_scaler(value) then
    errors.raise("%s: expected scalers, as in ChainScaler { LogScaler(), StandardScaler() }, got a %s %s", what,
      type(value), where)
  end
  return value.members
end

-- ChainScaler { one, another, ..., per_series = }: one behind the other, each fitted behind those before it.
local function chain(given)
  local list, named = parts_of(given)
  local o = options.resolve("ChainScaler", { PER_SERIES }, named)
  local members = {}
  for i, scaler in ipairs(list) do
    local more = check_scaler("ChainScaler", scaler, "at place " .. i)
    table.move(more, 1, #more, #members + 1, members)
  end
  if #members == 0 or #members > MOST then
    errors.raise("ChainScaler: takes 1..%d scalers, got %d", MOST, #members)
  end
  return new("ChainScaler", members, o.per_series)
end

-- ColumnScaler { for all others, column = scaler, ..., per_series = }: each column by a scaler of its own.
local function by_column(given)
  local list, named = parts_of(given)
  local o = options.resolve("ColumnScaler", { PER_SERIES }, { per_series = named.per_series })
  local by = {}
  named.per_series = nil
  for name, scaler in pairs(named) do
    by[name] = check_scaler("ColumnScaler", scaler, ("for column '%s'"):format(name))
  end
  if #list > 1 then
    errors.raise("ColumnScaler: one scaler is for the columns that are not named, got %d", #list)
  end
  return new("ColumnScaler", list[1] ~= nil and check_scaler("ColumnScaler", list[1], "at place 1") or {}, o.per_series,
    by)
end

local scalers = { ChainScaler = chain, ColumnScaler = by_column }
for name, kind in pairs(kinds) do
  local specs = table.move(kind.options or {}, 1, #(kind.options or {}), 1, {})
  specs[#specs + 1] = PER_SERIES
  scalers[name] = function(given)
    local o = options.resolve(name, specs, given, kind.options and { kind.options[1].name } or nil)
    local per_series = o.per_series
    o.per_series = nil
    return new(name, { { kind = name, options = o } }, per_series)
  end
end

local names = {}
for name in pairs(scalers) do
  names[#names + 1] = name
end
table.sort(names)

return { made = scalers, names = names, from = from, is_scaler = is_scaler }
