-- values.lua - bytes into values of the annotations' types, now and then one that is not.
-- SPDX-License-Identifier: MIT
local odd = require "odd"
local makers = require "makers"


local ODD_FROM = 236 -- bytes from here on: any odd value, whatever the type is
local MAX_DEPTH = 5

-- A reader of bytes: 0 behind the end.
local function reader_of(bytes)
  local at = 0
  local self = {}
  function self.byte()
    at = at + 1
    return bytes:byte(at) or 0
  end
  function self.left()
    return #bytes - at
  end
  -- 1..n
  function self.pick(n)
    return self.byte() % n + 1
  end
  return self
end

local words = { "a", "b", "the cat", "gru", "lstm", "vanilla", "char", "word", "bpe", "adam", "tanh", "relu", "mean",
  "last", "concat", "sum", "loss", "val_loss", "accuracy", "perplexity", "epoch_end", "on_step_end", "orthogonal",
  "2020-01-01", "64MB", "full", "35,70", "auto", "h", "c", "weight", "hour", "min", "<unk>", "<eos>", "name", "class",
  "float32", "1" }
-- What is read is never written: a file that is cut while it is mapped ends the process, as the manual says.
local sources = { "t.txt", "s.csv", "many.csv", "t.tsv", "c.conll", "v.vec", "o.lua", "m.h5", "run", "gone/x", ".", "",
  "/dev/null", "t.txt/x" }
local targets = { "new.x", "run", "gone/x", ".", "", "/dev/null", "t.txt/x", "new.svg", "m.h5" }
local integers = { 1, 2, 3, 4, 5, 0, -1, 7, 8, 10, 12, 16, 31, 64, 100, 257 }
local reals = { 0, 1, 0.5, 0.1, -1, 2, 0.9, 0.999, 1e-3, 1e-8, 10, -0.5, 3.25, 1e3 }

local Values = {}
Values.__index = Values

function Values:odd_value()
  local list = self.reader.byte() % 4 == 3 and odd.hostile or odd.makers
  return list[self.reader.pick(#list)](self.for_odd)
end

-- An object of a class: one of the pool, or a new one.
function Values:object_of(class)
  local r = self.reader
  local object = r.byte() % 3 > 0 and self.pool.of(class, r.byte())
  if object then
    return object
  end
  local list = makers.by_class[class]
  local ok, made = pcall(list[r.pick(#list)])
  return ok and self.pool.keep(class, made) or nil
end

-- Most options are left out, those that must be there are not.
function Values:wants(field)
  local b = self.reader.byte()
  local needed = not (field.type.kind == "either" and field.type[1].name == "nil")
  return b % 8 == 0 or needed and b % 8 < 4 or field.help and field.help:find "required" and b % 2 == 0
end

function Values:fill(given, class, depth)
  for _, field in ipairs(class.fields) do
    if self:wants(field) then
      local place = field.name:match "^%[(%d+)%]$"
      given[place and tonumber(place) or field.name:match "^[%w_]+$" or "x"] = self:make(field.type, depth + 1, field)
    end
  end
  local base = class.base and self.api.classes[class.base]
  return base and self:fill(given, base, depth) or given
end

local named = {} -- types that have no parts

named["nil"] = function() return nil end
named["false"] = function() return false end
named["true"] = function() return true end
named["file*"] = function() return io.tmpfile() end

function named.boolean(self)
  return self.reader.byte() % 2 == 0
end

function named.integer(self)
  return integers[self.reader.pick(#integers)]
end

function named.number(self)
  return reals[self.reader.pick(#reals)]
end

function named.string(self, _, field)
  local r, name = self.reader, field and field.name or ""
  local b = r.byte()
  if name:find "path" or name:find "dir" or name == "file" or name == "out" then
    local list = self.reads and sources or targets
    return list[b % #list + 1]
  end
  return b % 8 == 7 and targets[r.pick(#targets)] or words[b % #words + 1]
end

named["table"] = function(self, depth)
  local r, t = self.reader, {}
  for _ = 1, r.byte() % 5 do
    local key = r.byte() % 3 == 0 and words[r.pick(#words)] or #t + 1
    t[key] = self:make({ kind = "name", name = "any" }, depth + 1)
  end
  return t
end

named["function"] = function(self)
  return self:make { kind = "function" }
end

function named.any(self, depth)
  local kinds = { "integer", "number", "string", "boolean", "table", "rondo.Tensor", "rondo.Module", "nil" }
  return self:make({ kind = "name", name = kinds[self.reader.pick(#kinds)] }, depth + 1)
end

local kinds = {} -- of types

function kinds.name(self, kind, depth, field)
  local name = kind.name
  if named[name] then
    return named[name](self, depth, field)
  elseif makers.by_class[name] then
    return self:object_of(name)
  elseif self.api.aliases[name] then
    return self:make(self.api.aliases[name], depth)
  elseif self.api.classes[name] then
    return self:fill({}, self.api.classes[name], depth)
  end
  return named["table"](self, depth)
end

function kinds.either(self, kind, depth, field)
  return self:make(kind[self.reader.pick(#kind)], depth, field)
end

function kinds.literal(_, kind)
  return kind.value
end

function kinds.list(self, kind, depth)
  local list = {}
  for i = 1, self.reader.byte() % 5 do
    list[i] = self:make(kind.of, depth + 1)
  end
  return list
end

function kinds.map(self, kind, depth)
  local t = {}
  for _ = 1, self.reader.byte() % 4 do
    local key = self:make(kind.key, depth + 1)
    if key ~= nil and key == key then
      t[key] = self:make(kind.value, depth + 1)
    end
  end
  return t
end

kinds["table"] = function(self, kind, depth)
  return self:fill({}, kind, depth)
end

kinds["function"] = function(self)
  local b, object = self.reader.byte(), self.pool.any(self.reader.byte())
  if b % 4 == 0 then
    return function() return object end
  elseif b % 4 == 1 then
    return function(...) return ... end
  elseif b % 4 == 2 then
    return function(x) return { x } end
  end
  return function() error(odd.TOLD) end
end

-- A value of a type, or an odd one.
function Values:make(kind, depth, field)
  local b = self.reader.byte()
  if b >= ODD_FROM then
    return self:odd_value()
  elseif (depth or 0) > MAX_DEPTH then
    return nil
  end
  return kinds[kind.kind](self, kind, depth or 0, field)
end

-- What odd.lua may do with the objects of an input.
local function for_odd(reader, pool)
  local function closed()
    local object = pool.any(reader.byte())
    pcall(function() object:close() end)
    return object
  end
  return { closed = closed, close_one = closed, pick = function() return pool.any(reader.byte()) end }
end

-- Values for one input. `pool` has its objects: pool.of(class, byte), pool.any(byte), pool.keep(class, object).
return function(api, pool, bytes)
  local r = reader_of(bytes)
  return setmetatable({ api = api, pool = pool, reader = r, for_odd = for_odd(r, pool) }, Values)
end
