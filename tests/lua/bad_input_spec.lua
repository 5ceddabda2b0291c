-- bad_input_spec.lua - what the outside world gets wrong ends the command with one sentence and a code of its
-- own: files that are no texts, folders that cannot be written, files that are no checkpoints, prompts.
--
-- cli_spec.lua has the everyday cases: missing, empty, short and non-UTF-8 texts, misspelt options.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local support = dofile "tests/lua/support.lua"

local SMALL = " --hidden-size 8 --seq-len 10 --batch-size 4 --ngrams 0 --sample-length 0 --quiet"
local folder

local function rondo(arguments, before)
  return support.rondo(folder, arguments, before)
end

-- One line that matches and the code; nothing on stdout.
local function fails(code, pattern, arguments, before)
  local out, err, got = rondo(arguments, before)
  assert.equal(code, got, err)
  assert.matches(pattern, err)
  assert.matches("^[^\n]*\n$", err)
  assert.equal("", out)
end

setup(function()
  folder = support.folder()
  support.write(folder .. "/t.txt", support.sentences(60))
  local _, err, code = rondo("train t.txt --run-dir run --epochs 1" .. SMALL)
  assert.equal(0, code, err)
end)
teardown(function() support.remove(folder) end)

describe("a text", function()
  it("that is a folder or a device", function()
    fails(3, "run: Is a directory", "train run --run-dir none" .. SMALL)
    fails(3, "/dev/null: is empty", "train /dev/null --run-dir none" .. SMALL)
  end)
  it("of two symbols is too short to be split", function()
    support.write(folder .. "/two.txt", "ab")
    fails(3, "two.txt: the validation part has 1 symbol%(s%), and a sequence needs at least 2",
      "train two.txt --run-dir none" .. SMALL)
  end)
  it("of one symbol repeated is learnt", function()
    support.write(folder .. "/same.txt", ("x"):rep(400))
    local _, err, code = rondo("train same.txt --run-dir none --epochs 1" .. SMALL)
    assert.equal(0, code, err)
  end)
  it("with binary parts names the first byte that is not UTF-8", function()
    support.write(folder .. "/zeros.txt", ("\0text\xff"):rep(200))
    fails(3, "zeros.txt' is not UTF%-8: byte 0xFF at offset 5", "train zeros.txt --run-dir none" .. SMALL)
  end)
end)

describe("a prompt", function()
  it("that the vocabulary lacks is refused before the training, not after it", function()
    fails(2, "%-%-prompt: character 'Ω' %(U%+03A9%) at position 1 is not in the vocabulary",
      "train t.txt --prompt 'Ω' --run-dir prompt" .. SMALL)
    assert.is_nil(core.stat(folder .. "/prompt"))
  end)
  it("that is not UTF-8 is refused", function()
    fails(2, "%-%-prompt: the text is not UTF%-8: byte 0xFF at position 2",
      "sample run --prompt \"$(printf 'a\\377')\"")
  end)
end)

describe("a checkpoint", function()
  local best
  setup(function() best = support.read(folder .. "/run/checkpoints/best.h5") end)

  -- Refused by everything that reads one.
  local function refused(name, bytes, pattern)
    support.write(("%s/%s"):format(folder, name), bytes)
    fails(3, pattern, "sample " .. name)
    fails(3, pattern, "info " .. name)
    fails(3, pattern, ("train t.txt --run-dir none --init-from %s"):format(name) .. SMALL)
  end

  it("that is empty", function() refused("empty.h5", "", "empty.h5': it is empty, not a Rondo checkpoint") end)
  it("that ends in its header, or one byte early", function()
    refused("header.h5", best:sub(1, 100),
      "header.h5': it is truncated %(it has 100 bytes, its header alone takes 512%)")
    refused("short.h5", best:sub(1, -2), "short.h5': it is truncated")
  end)
  it("with more behind it", function() refused("more.h5", best .. "x", "more.h5': it has something behind its end") end)
  it("that is damaged in its header or its body", function()
    for _, at in ipairs { 20, 600, #best - 5 } do
      local byte = string.char(best:byte(at) ~ 1)
      refused("flipped.h5", best:sub(1, at - 1) .. byte .. best:sub(at + 1), "flipped.h5': it is damaged")
    end
  end)
  it("of another program", function()
    refused("foreign.h5", best:sub(513), "foreign.h5': it is an HDF5 file but not a Rondo checkpoint")
  end)
  it("of another model does not go on", function()
    fails(3, "step%-%d+.h5: is of another model: parameter '2.layer1.i_x' is %(8, 22%) there and %(9, 22%)",
      "train t.txt --run-dir run --resume" .. SMALL .. " --hidden-size 9")
    fails(3, "is of another model: it has no parameter '2.layer1.n_h_h'",
      "train t.txt --run-dir run --resume --cell gru" .. SMALL)
  end)
  it("of a model of another text does not go on", function()
    support.write(folder .. "/upper.txt", support.sentences(60):upper())
    fails(3, "has another vocabulary %(22 symbols there, 22 here%): symbol 4 is \"[a-z]\" there and \"[A-Z]\" here",
      "train upper.txt --run-dir run --resume" .. SMALL)
    support.write(folder .. "/few.txt", ("ab"):rep(400))
    fails(3, "symbol 1 is \"\\n\" there and \"a\" here", "train few.txt --run-dir run --resume" .. SMALL)
  end)
  it("that is the last of a run, with none before it", function()
    os.execute(("cp -r %s/run %s/ruined"):format(folder, folder))
    for _, name in ipairs(core.listdir(folder .. "/ruined/checkpoints")) do
      support.write(folder .. "/ruined/checkpoints/" .. name, "no checkpoint")
    end
    local _, err, code = rondo("train t.txt --run-dir ruined --resume" .. SMALL)
    assert.equal(3, code, err)
    assert.matches("\nrondo: ruined: none of its checkpoints can be read\n$", err)
  end)
end)

-- A file system of our own, seen by one command alone: needs root, or users' namespaces.
describe("a run folder", function()
  local function mounted(mount, pattern)
    core.mkdir(folder .. "/space") -- one of the two tests finds it
    local script = ("mount -t tmpfs -o size=64k none space && mkdir space/run && %s exec \"$@\""):format(mount)
    local enter = "unshare -m"
    if os.execute "unshare -m true 2>/dev/null" ~= true then
      enter = "unshare -rm"
    end
    if os.execute(("cd '%s' && %s sh -c '%s' sh true 2>/dev/null"):format(folder, enter, script)) ~= true then
      return pending("no file system can be mounted here")
    end
    local out, err, code = rondo("train t.txt --epochs 1 --hidden-size 60 --seq-len 10 --batch-size 2 --ngrams 0 "
      .. "--sample-length 0 --quiet --run-dir space/run", ("%s sh -c '%s' sh"):format(enter, script))
    assert.equal(3, code, err)
    assert.matches(pattern, err)
    assert.equal("", out)
  end
  it("on a full disk", function() -- runs/disk_spec.lua has what is saved when there is room again
    mounted("", "\nrondo: cannot save 'space/run/checkpoints/step.-%.h5': No space left on device .-; step %d+ is "
      .. "lost, nothing is saved yet\n$")
  end)
  it("on a disk that is read-only", function()
    mounted("mount -o remount,ro space &&", "^rondo: space/run/checkpoints: Read%-only file system\n$")
  end)
end)
