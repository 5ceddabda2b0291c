-- tensorboard.lua - event files for TensorBoard beside metrics.jsonl: figures as scalars, samples as texts.
--
-- A file is a list of records: length (8 bytes), its masked CRC32C, an Event in protocol buffers, the masked CRC32C of
-- that. Each session of a run writes a file of its own. When a run goes on from a checkpoint, what older files hold
-- beyond its step is cut off, as metrics.jsonl is, and the new file tells viewers that have read it to forget it.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local whole_file = require "rondo.whole_file"

local tensorboard = {}

-- ---- protocol buffers (fields by number: event.proto, summary.proto, tensor.proto of TensorFlow) -----------------

local VARINT, DOUBLE, BYTES, FLOAT = 0, 1, 2, 5 -- wire types
local DT_STRING, DATA_CLASS_TENSOR, SESSION_START = 7, 2, 1

local function varint(n)
  local bytes = ""
  while n < 0 or n > 0x7f do
    bytes = bytes .. string.char(n & 0x7f | 0x80)
    n = n >> 7
  end
  return bytes .. string.char(n)
end

local function field(number, wire, value)
  local key = varint(number << 3 | wire)
  if wire == VARINT then
    return key .. varint(value)
  elseif wire == BYTES then
    return key .. varint(#value) .. value
  end
  return key .. (wire == DOUBLE and "<d" or "<f"):pack(value)
end

-- Summary.Value: tag = 1, simple_value = 2; TensorBoard shows a 32-bit float.
local function scalar(tag, value)
  return field(1, BYTES, field(1, BYTES, tag) .. field(2, FLOAT, value))
end

-- Summary.Value with a tensor of one string (8: dtype = 1, shape = 2, string_val = 8) and metadata (9) that name the
-- plugin "text".
local function text(tag, value)
  local shape = field(2, BYTES, field(1, VARINT, 1))
  local tensor = field(1, VARINT, DT_STRING) .. field(2, BYTES, shape) .. field(8, BYTES, value)
  local metadata = field(1, BYTES, field(1, BYTES, "text")) .. field(4, VARINT, DATA_CLASS_TENSOR)
  return field(1, BYTES, field(1, BYTES, tag) .. field(8, BYTES, tensor) .. field(9, BYTES, metadata))
end

-- Event: wall_time = 1, step = 2, and one of file_version = 3, summary = 5, session_log = 7.
local function event(time, step, what, value)
  return field(1, DOUBLE, time) .. (step and field(2, VARINT, step) or "") .. field(what, BYTES, value)
end

-- ---- records ------------------------------------------------------------------------------------------------------

local TABLE = {} -- of CRC32C (Castagnoli), reflected
for byte = 0, 255 do
  local c = byte
  for _ = 1, 8 do
    c = c >> 1 ~ (c & 1) * 0x82f63b78
  end
  TABLE[byte] = c
end

-- CRC32C, turned and moved, so that a sum of bytes that hold sums is none.
local function masked(bytes)
  local crc = 0xffffffff
  for i = 1, #bytes do
    crc = TABLE[(crc ~ bytes:byte(i)) & 0xff] ~ crc >> 8
  end
  crc = crc ~ 0xffffffff
  return ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff
end

local function record(bytes)
  local length = ("<I8"):pack(#bytes)
  return length .. ("<I4"):pack(masked(length)) .. bytes .. ("<I4"):pack(masked(bytes))
end

-- ---- files --------------------------------------------------------------------------------------------------------

local PATTERN = "^events%.out%.tfevents%."
local HEAD, FOOT = 12, 4 -- bytes of a record around its event
local LONGEST = 1 << 24  -- of an event that this module writes

-- Step of an event, 0 where it has none; nil where it is no event of this module (wall_time first).
local function step_of(bytes)
  if bytes:byte(1) ~= 1 << 3 | DOUBLE then
    return nil
  elseif bytes:byte(10) ~= 2 << 3 | VARINT then
    return 0
  end
  local step, shift, at = 0, 0, 11
  repeat
    local byte = bytes:byte(at) or 0
    step, shift, at = step | (byte & 0x7f) << shift, shift + 7, at + 1
  until byte < 0x80
  return step
end

-- Bytes of a file up to the first event beyond `step`, or up to what is torn.
local function kept_bytes(path, step)
  local file <close> = whole_file.open(path)
  local kept = 0
  while file do
    local head = file:read(HEAD)
    local length = head and #head == HEAD and ("<I8"):unpack(head)
    local bytes = length and length >= 0 and length < LONGEST and file:read(length + FOOT)
    if not bytes or #bytes < length + FOOT or (step_of(bytes) or math.maxinteger) > step then
      break
    end
    kept = kept + HEAD + length + FOOT
  end
  return kept
end

-- Cuts the event files of a folder after `step`; true if anything was cut. A file without an event is removed.
local function cut(folder, step)
  local any = false
  for _, name in ipairs(core.listdir(folder) or {}) do
    if name:find(PATTERN) then
      local path = folder .. "/" .. name
      local kept, stat = kept_bytes(path, step), core.stat(path)
      if stat and kept < stat.size then
        any = true
        core.truncate(path, kept)
      end
    end
  end
  return any
end
tensorboard.cut = cut

local Events = {}
Events.__index = Events

-- Event files of `folder`, which begin behind `step`; or nil, message.
function tensorboard.open(folder, step)
  local purged = cut(folder, step)
  local self = setmetatable({ started = os.time() - core.time() }, Events)
  local name = ("%s/events.out.tfevents.%010d.%s"):format(folder, os.time(), core.hostname():gsub("[^%w%.%-]", "-"))
  local path, n = name, 0
  while core.stat(path) do -- another session in the same second
    n = n + 1
    path = ("%s.%d"):format(name, n)
  end
  local message
  self.file, message = core.append(path)
  if not self.file then
    return nil, message
  end
  local first = record(event(self:now(), nil, 3, "brain.Event:2"))
  if purged then
    first = first .. record(event(self:now(), step + 1, 7, field(1, VARINT, SESSION_START)))
  end
  local ok, failed = self.file:write(first)
  return ok and self, failed
end

function Events:now()
  return self.started + core.time()
end

local NOT_FIGURES = { t = true, step = true, epoch = true, split = true, final = true }

-- A line of metrics.jsonl as one event: numbers as SPLIT/NAME, texts as text; true, or nil, message.
function Events:add(line)
  local names, values = {}, {}
  for name, value in pairs(line) do
    local known = type(value) == "number" or type(value) == "string"
    names[#names + 1] = known and not NOT_FIGURES[name] and name or nil
  end
  table.sort(names)
  for i, name in ipairs(names) do
    local tag = ("%s/%s"):format(line.split or "log", name)
    values[i] = type(line[name]) == "number" and scalar(tag, line[name]) or text(tag, line[name])
  end
  if #names == 0 or not line.step then
    return true
  end
  return self.file:write(record(event(self:now(), line.step, 5, table.concat(values))))
end

function Events:close()
  self.file:close()
end

return tensorboard
