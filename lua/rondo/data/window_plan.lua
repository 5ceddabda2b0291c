-- data/window_plan.lua - which series windows are of, what is read of each, and where their origins lie.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local layout = require "rondo.data.window_layout"

local plan = {}

-- The series of the part: its pieces, or with `separate` one for each target.
local function pieces_of(self)
  if not self.separate then
    return self.series:pieces()
  end
  local pieces = {}
  for _, piece in ipairs(self.series:pieces()) do
    for _, target in ipairs(self.given_targets) do
      local one = setmetatable({ target = target, of = piece.name }, { __index = piece })
      one.name = #self.series.parts > 1 and piece.name .. " " .. target or target
      pieces[#pieces + 1] = one
    end
  end
  return pieces
end

-- Sets the series, and their numbers, 1.., by name: those of the file, or of the run whose windows these are like.
function plan.pieces(self, names)
  local number = {}
  for i, name in ipairs(names or {}) do
    number[name] = i
  end
  self.names, self.pieces = names or {}, pieces_of(self)
  for _, piece in ipairs(self.pieces) do
    if names and not number[piece.name] then
      errors.raise("windows: the model knows series by their ids, and '%s' is not among the %d it was trained on",
        piece.name, #names)
    elseif not names then
      self.names[#self.names + 1] = piece.name
      number[piece.name] = #self.names
    end
    piece.id = number[piece.name]
  end
end

-- The roles of the columns for a piece: its own target, where each is a series.
local function roles_of(self, piece)
  if not piece.target then
    return self.roles
  end
  return setmetatable({ targets = { piece.target } }, { __index = self.roles })
end

-- Sets layouts, which of them each series has, and what reads windows by them.
function plan.layouts(self)
  local series, scaler, known = self.series, self.scaler, {}
  self.layouts = {}
  for _, piece in ipairs(self.pieces) do
    local own = piece.target or scaler and scaler.series or #self.roles.static > 0 or self.ids == "one_hot"
    local key = own and piece.name or ""
    if not known[key] then
      local how = { mask = self.mask, ahead = self.steps > self.input_size, time = self.time, numbers = self.columns,
        begin = piece.begin, id = piece.id, separate = self.separate,
        one_hot = self.ids == "one_hot" and self.names or nil }
      how.stages = function(name) return scaler and scaler:stages(name, piece.of or piece.name) or nil end
      how.shared = function(name) return scaler and scaler:stages(name) or nil end
      self.layouts[#self.layouts + 1] = layout.new(series.columns, roles_of(self, piece), how)
      known[key] = #self.layouts
    end
    piece.layout = known[key]
  end
  self.features, self.target_features = self.layouts[1].names, {}
  for k, target in ipairs(self.targets) do
    for i, name in ipairs(self.features) do
      self.target_features[k] = self.target_features[k] or name == target and i or nil
    end
  end
  local summary = series:summary()
  self.reader = core.windows(self.columns, { rule = series.file.rule, input = self.input_size, horizon = self.horizon,
    steps = self.steps, step = summary.step, months = summary.unit == "months", layouts = self.layouts })
  self.num_features = self.reader:width()
end

-- The last row of a part in which a target has a value: the origin of the future.
local function last_seen(self, piece, from, to)
  local last = 0
  for _, target in ipairs(self.layouts[piece.layout].targets) do
    local _, _, seen = self.columns:missing(target.column, from, to - from + 1)
    last = math.max(last, seen or 0)
  end
  return last
end

-- Sets the first origin of a piece and how many there are.
local function place(self, piece, needs, future)
  local first, last = math.max(piece.begin + needs - 1, piece.first - 1), piece.last - self.horizon
  if future then
    last = last_seen(self, piece, piece.begin, piece.last)
    first = last
    if last < piece.begin + needs - 1 then
      first = last + 1
    end
  end
  piece.origin, piece.count = first, last >= first and (last - first) // self.stride + 1 or 0
end

-- Sets where the origins of each series are, and how many.
function plan.origins(self, future)
  self.count = 0
  local needs = self.input_size
  for _, one in ipairs(self.layouts) do
    needs = math.max(needs, self.input_size + layout.lag(one))
  end
  for _, piece in ipairs(self.pieces) do
    piece.before = self.count
    place(self, piece, needs, future)
    self.count = self.count + piece.count
  end
  if self.count == 0 then
    local piece = self.pieces[1]
    errors.raise("windows: no window has room in rows %d..%d: it needs %d rows before its origin%s and %d behind it",
      piece.first, piece.last, needs, needs > self.input_size and " (with what differences take)" or "",
      future and 0 or self.horizon)
  end
end

return plan
