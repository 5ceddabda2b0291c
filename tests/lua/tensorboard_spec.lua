-- tensorboard_spec.lua - event files: sums by python3-crc32c, fields by protoc, and no curve that doubles back.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local support = dofile "tests/lua/support.lua"
local tensorboard = require "rondo.tensorboard"

local folder
local PROTO = [[
syntax = "proto3";
message Log { repeated Event events = 1; }
message Event { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5;
  SessionLog session_log = 7; }
message SessionLog { int32 status = 1; }
message Summary { repeated Value value = 1; }
message Value { string tag = 1; float simple_value = 2; Tensor tensor = 8; Metadata metadata = 9; }
message Tensor { int32 dtype = 1; Shape tensor_shape = 2; repeated bytes string_val = 8; }
message Shape { repeated Dim dim = 2; }
message Dim { int64 size = 1; }
message Metadata { Plugin plugin_data = 1; int32 data_class = 4; }
message Plugin { string plugin_name = 1; }
]]
-- Checks the sums of every record, by another implementation, and writes the events as one message.
local CHECK = [[
import struct, sys, crc32c
def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])
def masked(b):
    c = crc32c.crc32c(b) & 0xffffffff
    return ((c >> 15 | c << 17) + 0xa282ead8) & 0xffffffff
data, at = open(sys.argv[1], "rb").read(), 0
while at < len(data):
    head = data[at:at + 8]
    (n,), (c,) = struct.unpack("<Q", head), struct.unpack("<I", data[at + 8:at + 12])
    body = data[at + 12:at + 12 + n]
    assert c == masked(head) and struct.unpack("<I", data[at + 12 + n:at + 16 + n])[0] == masked(body), at
    sys.stdout.buffer.write(b"\x0a" + varint(n) + body)
    at += 16 + n
]]

local python = "/usr/bin/python3" -- Debian's, which sees Debian's modules
local have = core.run { "protoc", "--version" } and (core.run { python, "-c", "import crc32c" } or {}).code == 0

setup(function()
  folder = support.folder()
  support.write(folder .. "/event.proto", PROTO)
  support.write(folder .. "/check.py", CHECK)
  support.write(folder .. "/t.lua", [[
    local rondo = require "rondo"
    local opt = rondo.args { "A line.", epochs = 2 }
    local x = rondo.tensor { { 1 }, { 2 } }
    local trainer = rondo.Trainer { options = opt, model = rondo.Sequential { rondo.Linear { 1, 1 } },
      loss = rondo.MSELoss(), optimizer = rondo.optim.SGD { lr = 0.01 }, log_every = 1 }
    trainer:on("epoch_end", function(t, facts)
      t:log("twice", 2 * facts.epoch)
      t:record("sample", { text = "epoch " .. facts.epoch })
    end)
    trainer:fit({ { x, x }, { x, x } }, { { x, x } })]])
end)
teardown(function() support.remove(folder) end)

-- The event files of a run, oldest first, as protoc prints them without spaces.
local function decoded(run)
  local names, texts = {}, {}
  for _, name in ipairs(core.listdir(folder .. "/" .. run)) do
    names[#names + 1] = name:find "^events" and name or nil
  end
  table.sort(names)
  for i, name in ipairs(names) do
    local log <close> = assert(io.tmpfile())
    local checked = core.run({ python, folder .. "/check.py", ("%s/%s/%s"):format(folder, run, name) }, log)
    assert.equal(0, checked.code, checked.stderr)
    local text <close> = assert(io.tmpfile())
    assert.equal(0, core.run({ "protoc", "--decode=Log", "-I" .. folder, "event.proto" }, text, log).code)
    text:seek "set"
    texts[i] = text:read("a"):gsub("%s+", "")
  end
  return texts
end

local function train(arguments)
  local _, err, code = support.rondo(folder, "run t.lua --quiet " .. arguments)
  assert.equal(0, code, err)
end
-- Steps at which a tag has values, in all files.
local function steps(run, tag)
  local list = {}
  for _, text in ipairs(decoded(run)) do
    for event in text:gsub("events{", "\0"):gmatch "[^%z]+" do
      if event:find(('tag:"%s"'):format(tag), 1, true) then
        list[#list + 1] = event:match "step:(%d+)"
      end
    end
  end
  return table.concat(list, " ")
end

describe("TensorBoard", function()
  if not have then
    it("gets event files", function() pending "protobuf-compiler or python3-crc32c is not installed" end)
    return
  end
  it("gets every figure as a scalar and samples as texts", function()
    train "--run-dir a --tensorboard"
    local texts = decoded "a"
    assert.equal(1, #texts)
    assert.matches('^events{wall_time:[%d.e+]+file_version:"brain.Event:2"}', texts[1])
    for _, tag in ipairs { "train/loss", "train/lr", "train/grad_norm", "train/tokens_per_s", "valid/loss" } do
      assert.truthy(texts[1]:find(('value{tag:"%s"simple_value:'):format(tag), 1, true), tag)
    end
    assert.truthy(texts[1]:find('step:4summary{value{tag:"log/twice"simple_value:4}}', 1, true))
    assert.truthy(texts[1]:find('value{tag:"sample/text"tensor{dtype:7tensor_shape{dim{size:1}}string_val:"epoch2"}'
      .. 'metadata{plugin_data{plugin_name:"text"}data_class:2}}', 1, true))
    assert.equal("1 2 3 4", steps("a", "train/loss"))
  end)
  it("gets no figure twice of a run that goes on", function()
    train "--run-dir b --tensorboard --save-every 2"
    os.remove(folder .. "/b/checkpoints/step-000000000004.h5") -- as if it had been killed before it was saved
    train "--run-dir b --tensorboard --resume"
    local texts = decoded "b"
    assert.equal(2, #texts)
    assert.matches("session_log{status:1}", texts[2]) -- forget what is behind step 2
    assert.matches("step:3session_log", texts[2])
    assert.equal("1 2 3 4", steps("b", "train/loss"))
  end)
  it("begins anew with --overwrite, and wants a run folder", function()
    train "--run-dir c --tensorboard"
    train "--run-dir c --tensorboard --overwrite"
    assert.equal(1, #decoded "c")
    local _, err, code = support.rondo(folder, "run t.lua --tensorboard")
    assert.same({ "rondo: --tensorboard needs a run folder (--run-dir)\n", 2 }, { err, code })
  end)
  it("gets steps and texts of any size, and a torn file is cut", function()
    local path = folder .. "/d"
    assert(core.mkdir(path))
    local events = assert(tensorboard.open(path, 0))
    assert(events:add { step = 300, split = "log", x = -1.5 })
    assert(events:add { step = 1 << 40, split = "log", y = 1 / 0, text = ("\xc3\xa4"):rep(200) })
    events:close()
    local text = decoded("d")[1]
    assert.matches('step:300summary{value{tag:"log/x"simple_value:%-1.5}}', text)
    assert.matches('step:1099511627776summary{value{tag:"log/text".*value{tag:"log/y"simple_value:inf}', text)
    for _, name in ipairs(core.listdir(path)) do
      core.truncate(path .. "/" .. name, core.stat(path .. "/" .. name).size - 3)
    end
    assert.is_true(tensorboard.cut(path, math.maxinteger - 1))
    assert.equal("300", decoded("d")[1]:match "step:(%d+)")
    assert.is_nil(decoded("d")[1]:find("1099511627776", 1, true))
    assert.is_false(tensorboard.cut(path, 300))
    assert.is_true(tensorboard.cut(path, 299))
  end)
end)
