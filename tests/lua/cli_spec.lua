-- cli_spec.lua - the command `rondo` and the text recipe: streams, exit codes, bad input, signals.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local json = require "rondo.json"
local support = dofile "tests/lua/support.lua"

local folder
local SMALL = "--hidden-size 8 --seq-len 10 --batch-size 4 --ngrams 0 --sample-length 0 --run-dir none"

local function rondo(arguments, before)
  return support.rondo(folder, arguments, before)
end

-- The command must fail with this code and one line that matches.
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
  local _, err, code = rondo("train t.txt --epochs 2 " .. SMALL .. " --run-dir run")
  assert.equal(0, code, err)
end)
teardown(function() support.remove(folder) end)

describe("rondo", function()
  it("shows help and version on stdout", function()
    local out, err, code = rondo "--help"
    assert.matches("rondo train FILE", out)
    assert.equal("", err)
    assert.equal(0, code)
    assert.matches("^rondo %d+%.%d+%.%d+\n$", (rondo "--version"))
    for _, name in ipairs(require("rondo.cli").command_names()) do
      out, err, code = rondo(name .. " --help")
      assert.equal(0, code, name .. err)
      assert.matches("Usage:", out)
    end
  end)
  it("names the nearest command", function()
    fails(2, "unknown command 'trian' %(did you mean 'train'%?%)", "trian t.txt")
    fails(2, "unknown command '%-%-verzion' %(did you mean '%-%-version'%?%)", "--verzion")
  end)
  it("says what is wrong with an argument of a command", function()
    fails(2, "'b' is one argument too many", "sample run b c")
    fails(2, "%-%-temperature must be a number 0..100, got '%-1'", "sample run --temperature -1")
    fails(2, "%-%-top%-p must be more than 0; 1 is all symbols", "sample run --top-p 0")
    fails(2, "plugin ./none.so was refused, L0", "sample run --plugin none.so")
    fails(2, "plugin ./none.so was refused, L0", "info run --plugin=none.so")
  end)
  it("says that its output has no room, and not that its reader has gone", function()
    for _, command in ipairs { "--help", "info run", "sample run --quiet" } do
      local _, _, code = os.execute(("cd '%s' && rondo %s >/dev/full 2>.stderr"):format(folder, command))
      assert.equal(1, code)
      assert.equal("rondo: cannot write to standard output: No space left on device\n",
        support.read(folder .. "/.stderr"))
    end
    os.execute(("cd '%s' && (trap '' PIPE; rondo sample run --quiet 2>.stderr) | true"):format(folder))
    assert.equal("", support.read(folder .. "/.stderr"))
  end)
  it("shows a cell's options", function()
    assert.matches("forget_bias +%-10..10", (rondo "help lstm"))
    fails(2, "plugin ./none.so was refused, L0", "help demo.cell --plugin none.so")
    fails(2, "there is nothing called 'demo.cell'; %-%-plugin FILE loads more", "help demo.cell")
    fails(2, "there is nothing called 'lsmt' %(did you mean 'LSTM'%?%)", "help lsmt")
  end)
  it("lists plugins and kernels", function()
    local out = rondo "plugins"
    assert.matches("cell lstm", out)
    assert.matches("kernels scalar", out)
    if not out:find("openblas", 1, true) then return end -- not built where libopenblas-dev is not there
    assert.matches("openblas +float32 +its products are not the bit contract's; name it in kernels to use it", out)
    local pipe = assert(io.popen("RONDO_KERNELS=openblas rondo plugins"))
    assert.matches("openblas +float32 +in use: scores %d+ here; its products are not the bit contract's", pipe:read "a")
    pipe:close()
  end)
  it("env makes stock Lua find the module", function()
    local command = ("eval \"$(cd / && rondo env)\" && cd '%s' && lua5.4 -e 'print(require(\"rondo\")._VERSION)'")
      :format(folder)
    local pipe = assert(io.popen(command))
    assert.matches("^rondo %d", pipe:read "a")
    pipe:close()
  end)
end)

describe("rondo run", function()
  it("passes arguments, and gives a script's error code 1", function()
    support.write(folder .. "/s.lua", "print(arg[0], arg[1], ...) if arg[1] == 'bad' then error 'oops' end")
    assert.equal("s.lua\ta\ta\n", (rondo "run s.lua a"))
    local out, err, code = rondo "run s.lua bad"
    assert.equal("s.lua\tbad\tbad\n", out)
    assert.equal("rondo: s.lua:1: oops\n", err)
    assert.equal(1, code)
    assert.matches("stack traceback", select(2, rondo "run s.lua bad --traceback"))
  end)
  it("says in one line that memory is out", function()
    if os.getenv "ASAN_OPTIONS" then
      return -- its shadow needs more than any limit
    end
    support.write(folder .. "/s.lua", "local all = {} for i = 1, 64 do all[i] = ('x'):rep(1 << 30) end")
    fails(1, "^rondo: not enough memory\n$", "run s.lua", [[sh -c 'ulimit -v 600000; "$@"' sh]])
  end)
  it("reads a script from stdin", function()
    local pipe = assert(io.popen "echo 'print(arg[0], ...)' | rondo run - a b 2>&1")
    assert.equal("-\ta\tb\n", pipe:read "a")
    pipe:close()
  end)
  it("never writes what it says into a file, though its streams were closed", function()
    support.write(folder .. "/c.lua", [[
      local files = {}
      for i = 1, 4 do files[i] = assert(io.open("c" .. i, "w")) end
      print "said"
      io.stderr:write "said" ]])
    os.execute(("cd '%s' && rondo run c.lua <&- >&- 2>&-"):format(folder))
    for i = 1, 4 do assert.equal("", support.read(folder .. "/c" .. i)) end
    local _, _, code = os.execute(("cd '%s' && rondo --help >&- 2>.stderr"):format(folder))
    assert.equal(1, code)
    assert.equal("rondo: cannot write to standard output: Bad file descriptor\n", support.read(folder .. "/.stderr"))
  end)
  it("writes no globals", function()
    support.write(folder .. "/g.lua", [[
      local before = {}
      for name in pairs(_G) do before[name] = true end
      local rondo = require "rondo"
      local model = rondo.Sequential { rondo.LSTM { 2, 3 }, rondo.Linear { 1 } }
      model(rondo.rand(1, 2, 2)):sum():backward()
      local _ = rondo.Trainer, rondo.data, rondo.args, rondo.load
      for name in pairs(_G) do if not before[name] then print(name) end end]])
    assert.equal("", (rondo "run g.lua"))
  end)
  it("without its script is a usage error", function()
    fails(2, "nosuch.lua", "run nosuch.lua")
    fails(2, "cannot read %.", "run .")
    fails(2, "run: give a script", "run")
    fails(2, "train: give a file first", "train")
    fails(2, "RONDO_THREADS must be a number of threads, got 'many'", "plugins", "RONDO_THREADS=many")
  end)
  it("ends an assert on the world with the world's code and sentence", function()
    support.write(folder .. "/a.lua", "assert(require('rondo').load('none.h5'))")
    fails(3, "^rondo: none.h5: there is no such file or run folder\n$", "run a.lua")
  end)
end)

describe("rondo train", function()
  it("says in one line what is wrong with a text", function()
    support.write(folder .. "/empty.txt", "")
    support.write(folder .. "/one.txt", "x")
    support.write(folder .. "/latin1.txt", ("caf\xe9 "):rep(200))
    support.write(folder .. "/short.txt", ("abc "):rep(10))
    fails(3, "missing.txt: No such file", "train missing.txt " .. SMALL)
    fails(3, "empty.txt: is empty", "train empty.txt " .. SMALL)
    fails(3, "one.txt: the text has 1 symbol", "train one.txt " .. SMALL)
    fails(3, "latin1.txt' is not UTF%-8: byte 0xE9 at offset 3", "train latin1.txt " .. SMALL)
    fails(3, "short.txt: the validation part has 4 symbols, and one sequence of seq_len 10 needs 11",
      "train short.txt " .. SMALL)
    fails(2, "best.h5: is a checkpoint, not data", "train run/checkpoints/best.h5 " .. SMALL)
  end)
  it("wants a file, not a pipe", function()
    fails(3, "^rondo: %-: a text is read in pieces as they are needed, so it must be a file", "train - " .. SMALL)
    os.execute(("mkfifo '%s/pipe'"):format(folder))
    fails(3, "^rondo: pipe: a text is read in pieces", "train pipe " .. SMALL)
  end)
  it("reads any file as bytes", function()
    local bytes = {}
    for i = 1, 2000 do
      bytes[i] = string.char(i * 73 % 256)
    end
    support.write(folder .. "/bin.dat", table.concat(bytes))
    fails(3, "is not UTF%-8", "train bin.dat " .. SMALL)
    local _, err, code = rondo("train bin.dat --level byte --epochs 1 --quiet " .. SMALL)
    assert.equal(0, code, err)
  end)
  it("plans a smaller batch with a notice", function()
    local _, err, code = rondo("train t.txt --epochs 1 --quiet " .. SMALL .. " --seq-len 60 --batch-size 9")
    assert.equal(0, code, err)
    assert.matches("note: t.txt: the validation part has %d+ symbols: batch_size is %d instead of 9", err)
  end)
  it("hands --cell-option to the cell", function()
    local _, err, code = rondo("train t.txt --epochs 1 --quiet " .. SMALL .. " --cell gru --cell-option reset=befor")
    assert.equal(2, code)
    assert.matches("^rondo: RNN: option 'reset' must be one of \"after\", \"before\"", err)
  end)
  it("says in one line what is wrong with an option", function()
    fails(2, "%-%-cell must be one of .* got 'lsmt' %(did you mean 'lstm'%?%)", "train t.txt --cell lsmt")
    fails(2, "%-%-epochs must be an integer of at least 1, got '0'", "train t.txt --epochs 0")
    fails(2, "%-%-cell%-option must be NAME=VALUE, got 'before'", "train t.txt --cell-option before")
    fails(2, "%-%-threads must be an integer 0..256, got '257'", "train t.txt --threads 257")
    fails(2, "unknown option '%-%-hiden%-size'", "train t.txt --hiden-size 3")
    fails(2, "kernels: there is no backend 'abacus'", "train t.txt --kernel abacus")
  end)
  it("needs a folder that is new, or a word", function()
    fails(2, "run: a run is here already; go on with %-%-resume",
      "train t.txt " .. SMALL .. " --ngrams 2 --run-dir run")
    fails(2, "run: give %-%-resume to go on or %-%-overwrite to start anew, not both",
      "train t.txt --resume --overwrite " .. SMALL .. " --run-dir run")
    fails(2, "the name of the run folder is empty", "train t.txt " .. SMALL .. " --run-dir ''")
  end)
  it("keeps a run under the name of its text", function()
    support.write(folder .. "/book.txt", support.sentences(60))
    local _, err, code = rondo "train book.txt --max-steps 1 --quiet --hidden-size 8 --ngrams 0 --sample-length 0"
    assert.equal(0, code, err)
    assert.is_truthy(core.stat(folder .. "/runs/book/checkpoints"))
    support.write(folder .. "/.txt", support.sentences(60))
    rondo "train .txt --max-steps 1 --quiet --hidden-size 8 --ngrams 0 --sample-length 0"
    assert.is_truthy(core.stat(folder .. "/runs/.txt/checkpoints"))
    assert.matches("^runs/book/checkpoints/best.h5\n", (rondo "info runs/book/"))
  end)
  it("resumes only where there is a run folder", function()
    fails(2, "%-%-resume needs a run folder", "train t.txt --quiet --resume " .. SMALL)
  end)
  it("does not write over a best.h5 that is all that is left of a run", function()
    local train = "train t.txt --resume --quiet --max-steps 1 " .. SMALL .. " --run-dir tidied"
    assert.equal(0, select(3, rondo(train)))
    os.execute(("rm '%s'/tidied/checkpoints/step-*"):format(folder))
    local best = support.read(folder .. "/tidied/checkpoints/best.h5")
    fails(2, "tidied: only its best.h5 is left, and no checkpoint to go on from; start anew in another folder with "
      .. "%-%-init%-from tidied, or here with %-%-overwrite, which removes it", train)
    assert.equal(best, support.read(folder .. "/tidied/checkpoints/best.h5"))
    support.write(folder .. "/tidied/status.json", '{"state":"running"}') -- killed at its first validation
    local _, err, code = rondo(train)
    assert.equal(0, code, err)
    assert.matches("tidied: no checkpoint to go on from; starting anew", err)
  end)
  it("refuses weights for other symbols", function()
    support.write(folder .. "/upper.txt", support.sentences(60):upper())
    fails(3, "has another vocabulary %(%d+ symbols there, %d+ here%): symbol %d+ is",
      "train upper.txt --quiet --init-from run " .. SMALL)
  end)
  it("says what to install where the default text is missing", function()
    fails(3, "the default text is not there: install the Debian packages bible%-kjv and bible%-kjv%-text",
      "run '" .. core.lib_dir() .. "/../../share/rondo/scripts/text_generation.lua'",
      "export XDG_CACHE_HOME=$PWD; PATH='" .. core.lib_dir() .. "/../../bin':/without-bible;")
  end)
  it("cannot write everywhere", function()
    fails(3, "t.txt/run", "train t.txt --quiet " .. SMALL .. " --run-dir t.txt/run")
    fails(3, "/proc/run", "train t.txt --quiet " .. SMALL .. " --run-dir /proc/run")
  end)
  it("refuses weights of another model", function()
    fails(3, "is of another model: parameter '2.layer1.i_x' is %(8, %d+%) there and %(9, %d+%) here",
      "train t.txt --quiet --init-from run " .. SMALL .. " --hidden-size 9")
  end)
  it("prints n-grams beside its own figures, on stderr", function()
    local out, err = rondo("train t.txt --epochs 1 --hidden-size 8 --seq-len 10 --batch-size 4 --ngrams 2 "
      .. "--sample-length 20 --progress lines --run-dir none")
    assert.matches("n%-gram %(Witten%-Bell%)", err)
    assert.matches("this model +%d%.%d+", err)
    assert.matches("done: %d+ steps in 0:%d%d %(%S+ char/s%)", err)
    assert.is_nil(err:find "\r")
    assert.is_true(#out >= 20)
  end)
  it("takes char-rnn's recipe", function()
    local _, err, code = rondo("train t.txt --config \"$(dirname \"$(command -v rondo)\")/../share/rondo/scripts/"
      .. "char_rnn.lua\" --epochs 1 --seq-len 10 --batch-size 4 --ngrams 0 --sample-length 0 --run-dir none")
    assert.equal(0, code, err)
    assert.matches("RNN 'layer 2' %(lstm%) x 2 +%(batch, time, 128%)", err)
  end)
  for signal, code in pairs { INT = 130, TERM = 75, USR1 = 75, HUP = 75 } do
    it("finishes the step, saves and says how to go on at SIG" .. signal, function()
      local run = "stop" .. signal
      -- A shell in the background ignores SIGINT, so the signal is sent by a shell that the command replaces.
      -- Signals are noted from before metrics.jsonl is there.
      local script = ("(until [ -s %s/metrics.jsonl ] || ! kill -0 $$; do sleep 0.1; done; kill -%s $$) & "
        .. "exec rondo train t.txt --quiet --epochs 100000 --patience 0 %s %s"):format(run, signal, SMALL,
        "--run-dir " .. run)
      local _, _, got = os.execute(("cd '%s' && bash -c '%s' 2>.stderr >/dev/null"):format(folder, script))
      local err = support.read(folder .. "/.stderr")
      assert.equal(code, got, err)
      assert.matches("stopped by SIG" .. signal .. " after step %d+; saved .*Run the same command with %-%-resume", err)
      assert.is_truthy(core.stat(folder .. "/" .. err:match "saved (%S+%.h5)"))
    end)
  end
end)

describe("rondo sample", function()
  it("writes the prompt and the text to stdout, the seed to stderr", function()
    local out, err, code = rondo "sample run --prompt 'the ' --length 50"
    assert.equal(0, code, err)
    assert.equal(55, #out)
    assert.equal("the ", out:sub(1, 4))
    local seed = err:match "best.h5, step %d+, seed (%d+)"
    assert.equal(out, (rondo("sample run --prompt 'the ' --length 50 --seed " .. seed)))
  end)
  it("takes top-k, top-p, temperature and greedy", function()
    local greedy = rondo "sample run --length 30 --greedy"
    assert.equal(greedy, (rondo "sample run --length 30 --top-k 1 --seed 5"))
    assert.equal(greedy, (rondo "sample run --length 30 --temperature 0"))
    assert.equal(31, #rondo "sample run --length 30 --top_p 0.5")
    fails(2, "top%-p.*must be a number 0..1, got '2'", "sample run --top-p 2")
  end)
  it("says what the vocabulary lacks", function()
    fails(2, "character 'Ω' %(U%+03A9%) at position 3 is not in the vocabulary", "sample run --prompt 'ab\u{3a9}'")
  end)
  it("refuses a model that is none of text", function()
    support.write(folder .. "/m.lua", [[local rondo = require "rondo"
      assert(rondo.save("m.h5", { model = rondo.Sequential { rondo.Linear { 1, 1 } } }))]])
    rondo "run m.lua"
    fails(3, "m.h5: holds no vocabulary, so it is no model of text", "sample m.h5")
  end)
  it("says how to go on where a cell is unknown", function()
    local archive = core.archive()
    archive:put("format", "rondo-checkpoint 1")
    archive:put("config", '{"model":{"kind":"RNN","cell":"mine","hidden_size":1}}')
    archive:put("model/layer1.a_x", require("rondo").ones(1, 1))
    assert(archive:save(folder .. "/mine.h5"))
    fails(3, "its model cannot be built: cell 'mine' is unknown; .*; %-%-plugin FILE loads more", "sample mine.h5")
    assert.matches("cell 'mine' is unknown; .*; %-%-plugin FILE loads more\n  layer1.a_x", (rondo "info mine.h5"))
  end)
  it("refuses what is no checkpoint", function()
    local bytes = support.read(folder .. "/run/checkpoints/best.h5")
    support.write(folder .. "/flipped.h5", bytes:sub(1, 3000) .. "\255\254" .. bytes:sub(3003))
    support.write(folder .. "/cut.h5", bytes:sub(1, 5000))
    fails(3, "flipped.h5': it is damaged", "sample flipped.h5")
    fails(3, "cut.h5': it is truncated", "sample cut.h5")
    fails(3, "t.txt': it is not a Rondo checkpoint", "sample t.txt")
    fails(3, "nosuch: there is no such file or run folder", "sample nosuch")
    assert(core.mkdir(folder .. "/hollow"))
    fails(3, "hollow: holds no checkpoint", "sample hollow")
  end)
end)

describe("rondo info", function()
  it("shows digests, model and step", function()
    local out = rondo "info run"
    assert.matches("state digest  %x+", out)
    assert.matches("RNN 'layer 2' %(lstm%)", out)
    assert.matches("2.layer1.i_x +%(8, %d+%)", out)
  end)
  it("prints one JSON object", function()
    local facts = assert(json.decode((rondo "info run --json")))
    assert.matches("^%x+$", facts.file_digest)
    assert.equal(32, #facts.state_digest)
    assert.equal("char", facts.level)
    local last = assert(json.decode((rondo "info run --json --last")))
    assert.equal(2, last.epoch)
  end)
end)
