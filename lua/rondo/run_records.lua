-- run_records.lua - reads the metrics.jsonl of runs, also of those being trained: the one source of every view.
--
-- A file is read on from where the last look ended, up to its last whole line; where what was read
-- last is no longer there (a resumed run drops what lies past its checkpoint) it is read anew. Nothing
-- here writes, locks or waits.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"
local json = require "rondo.json"
local whole_file = require "rondo.whole_file"

local records = {}

local MOST_BYTES = 1 << 30
local NEWLINE = 10
local TAIL_BYTES = 256 -- a line or two; its times tell it from any other

local Log = {}
Log.__index = Log

-- A line as a record. What json.lua writes of numbers and names alone is read without a parser, which is twenty times
-- as fast; lines that are no record (a torn one) are nil.
local function record_of(line)
  if not line:find '[%[%]\\]' and not line:find('{', 2, true) and not line:find '":"[^"]*[,:{}]' then
    local record = {}
    for key, value in line:gmatch '"([^"]+)":([^,}]+)' do
      local n = tonumber(value)
      if n == nil then
        n = value:match '^"(.*)"$'
        n = n and (({ nan = 0 / 0, ["-nan"] = 0 / 0, inf = math.huge, ["-inf"] = -math.huge })[n] or n)
        if n == nil then
          n = value == "true"
        end
      end
      record[key] = n
    end
    return line:sub(-1) == "}" and record or nil
  end
  local record = json.decode(line)
  return type(record) == "table" and record or nil
end

local NOT_FIGURES = { t = true, step = true, epoch = true, split = true, rank = true, final = true }
local PREFIX = { valid = "val_" }
local OVER = { "step", "epoch", "t" }

local function forget(self)
  self.offset, self.tail, self.list, self.curves, self.last, self.seconds, self.before = 0, "", {}, {}, {}, 0.0, 0.0
end

-- Puts a record where it belongs: loss of a training line is "loss", of a validation "val_loss".
local function add(self, record)
  self.list[#self.list + 1] = record
  local t = tonumber(record.t) or self.before
  self.seconds, self.before = self.seconds + (t >= self.before and t - self.before or t), t -- from 0 where resumed
  local prefix = PREFIX[record.split] or ""
  for name, value in pairs(record.split ~= "diagnosis" and record or {}) do
    if type(value) == "number" and not NOT_FIGURES[name] then
      name = prefix .. name
      local curve = self.curves[name] or { y = {}, step = {}, epoch = {}, t = {} }
      local n = #curve.y + 1
      self.curves[name], self.last[name], curve.y[n] = curve, value, value
      for _, over in ipairs(OVER) do
        curve[over][n] = tonumber(record[over]) or 0 / 0
      end
    end
  end
end

-- Reads what has come; returns the number of new records, or nil, message.
local function read_on(self)
  local file <close>, message = whole_file.open(self.path, MOST_BYTES)
  if not file then
    return nil, message
  end
  file:seek("set", self.offset - #self.tail)
  if (file:read(#self.tail) or "") ~= self.tail then
    forget(self)
    file:seek "set"
  end
  local before = #self.list
  for line in whole_file.lines(file, self.path) do
    if line:byte(-1) ~= NEWLINE then
      break -- its end is to come
    end
    self.offset, self.tail = self.offset + #line, #line < TAIL_BYTES and self.tail .. line or line
    self.tail = #self.tail > TAIL_BYTES and self.tail:sub(-TAIL_BYTES) or self.tail
    local record = record_of(line:sub(1, -2))
    if record and math.type(record.step) == "integer" then
      add(self, record)
    end
  end
  return #self.list - before
end

function Log:read()
  local whole, n, message = pcall(read_on, self)
  if whole then
    return n, message
  end
  return nil, n
end

-- The metrics of run folder `path`, read once; or nil, message, code. Fields: folder, name, list (the records), last
-- (figures by name), seconds (of training, over all sessions).
function records.open(path)
  local folder = #path > 1 and path:gsub("/+$", "") or path
  local log = setmetatable({ folder = folder, name = folder, path = folder .. "/metrics.jsonl" }, Log)
  forget(log)
  local ok, message = log:read()
  if not ok then
    local there = core.stat(folder)
    return errors.outside(not there and ("%s: there is no such run folder"):format(folder)
      or there.kind ~= "dir" and ("%s: is a file, not a run folder"):format(folder)
      or ("%s: has no metrics (%s); is it a run folder?"):format(folder, message))
  end
  return log
end

-- Names of the runs inside a folder (trials of a sweep), in order.
local function runs_inside(path)
  local found = {}
  for _, name in ipairs(core.listdir(path) or {}) do
    local inner = path .. "/" .. name
    if core.stat(inner .. "/metrics.jsonl") then
      found[#found + 1] = inner
    end
  end
  table.sort(found)
  return found
end
records.runs_inside = runs_inside

-- The logs of run folders; a folder that holds runs stands for them. Names are what tells the folders apart.
function records.open_all(paths)
  local logs, seen = {}, {}
  for _, path in ipairs(paths) do
    local inside = not core.stat(path .. "/metrics.jsonl") and runs_inside(path) or {}
    for _, run in ipairs(#inside > 0 and inside or { path }) do
      local log, message, code = records.open(run)
      if not log then
        return nil, message, code
      elseif not seen[log.folder] then
        seen[log.folder], logs[#logs + 1] = true, log
      end
    end
  end
  local common = logs[1] and logs[1].folder:match "^(.*/)" or ""
  for _, log in ipairs(logs) do
    while log.folder:sub(1, #common) ~= common do
      common = common:match "^(.*/)[^/]*/$" or ""
    end
  end
  for _, log in ipairs(logs) do
    log.name = log.folder:sub(#common + 1)
  end
  return logs
end

-- ---- figures ----------------------------------------------------------------------------------------------

-- Names of all figures of some logs, sorted.
function records.figures(logs)
  local known, names = {}, {}
  for _, log in ipairs(logs) do
    for name in pairs(log.curves) do
      names[#names + 1] = not known[name] and name or nil
      known[name] = true
    end
  end
  table.sort(names)
  return names
end

-- The curve of a figure: xs (of `over`: step, epoch or t) and ys, which are the log's own.
function records.curve(log, figure, over)
  local curve = log.curves[figure] or { y = {}, step = {}, epoch = {}, t = {} }
  return curve[over or "step"], curve.y
end

-- Exponential moving average of weight `a`, from 0 (as it is) to below 1, corrected for its beginning as Adam is
-- (Kingma and Ba 2015, section 3).
function records.smoothed(ys, a)
  local result, mean, weight = {}, 0.0, 1.0
  for i, y in ipairs(ys) do
    if y == y and y ~= math.huge and y ~= -math.huge then
      mean, weight = a * mean + (1 - a) * y, weight * a
      y = mean / (1 - weight)
    end
    result[i] = y
  end
  return result
end

return records
