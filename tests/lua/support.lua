-- support.lua - what the specs of the library share: messages, a folder of their own, the command.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local luassert = require "luassert"
local support = {}

-- Ends of programs (usage, divergence) come as errors in the specs.
require("rondo.errors").caught = true

-- Error object or text of a call that must fail.
function support.failure(f, ...)
  local ok, message = pcall(f, ...)
  if ok then
    error("it did not fail", 2)
  end
  return message
end

-- Two tensors have the same shape and numbers.
function support.same(a, b, what)
  luassert.same(a:size(), b:size(), what)
  luassert.is_true(a:allclose(b, { rtol = 0, atol = 0 }), what)
end

-- The cells of the tree; those that specs define or load have a dot in their names.
function support.cells()
  local list = {}
  for _, name in ipairs(require("rondo.native").cells()) do
    list[#list + 1] = not name:find(".", 1, true) and name or nil
  end
  return list
end

-- A new folder; remove it with support.remove.
function support.folder()
  local path = os.tmpname()
  os.remove(path)
  assert(core.mkdir(path))
  return path
end

function support.remove(path)
  os.execute("rm -rf '" .. path .. "'")
end

function support.write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

function support.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

-- A text with structure, the same everywhere: n sentences.
function support.sentences(n)
  local subjects = { "the cat", "a dog", "my aunt", "the old king", "one bird" }
  local verbs = { "sees", "hears", "likes", "finds" }
  local list = {}
  for i = 1, n do
    list[i] = ("%s %s %s.\n"):format(subjects[i * 7 % 5 + 1], verbs[i * 11 % 4 + 1], subjects[(i * 3 + i // 5) % 5 + 1])
  end
  return table.concat(list)
end

-- A table of n rows as CSV, f(i) -> cells of row i.
function support.write_rows(path, header, n, f)
  local lines = { header }
  for i = 1, n do
    lines[i + 1] = table.concat({ f(i) }, ",")
  end
  return support.write(path, table.concat(lines, "\n") .. "\n")
end

-- The bytes of some tensors' numbers.
function support.bits(tensors)
  local list = {}
  for _, t in ipairs(tensors) do
    for _, v in ipairs(t:contiguous():reshape { t:numel() }:table()) do
      list[#list + 1] = string.pack("n", v)
    end
  end
  return table.concat(list)
end

-- Normal numbers, time-major: the same for a seed.
function support.sequences(seed, ...)
  local rondo = require "rondo"
  rondo.manual_seed(seed)
  return rondo.randn(...):contiguous "sequence"
end

-- A function that makes a model of three numbers a step, from sequences of `given.input_size` features.
function support.tagger(cell, given)
  return function()
    local rondo = require "rondo"
    local o = { cell = cell, hidden_size = 8 }
    for key, value in pairs(given) do
      o[key] = value
    end
    return rondo.Sequential { rondo.RNN(o), rondo.Linear { 3 } }
  end
end

-- The folder of the sources, in which tests are started.
function support.sources()
  local pwd <close> = io.popen "pwd -P"
  return pwd:read "l"
end

-- What scripts/NAME.lua prints, run in a folder to its end, as a test wants it: one thread, no progress line.
function support.script(folder, name, options)
  local out, err, code = support.rondo(folder, ("run '%s/scripts/%s.lua' --progress none --threads 1 %s"):format(
    support.sources(), name, options))
  if code ~= 0 then
    error(err, 2)
  end
  return out
end

-- The figure that a pattern captures in an output.
function support.figure(out, pattern)
  return tonumber(out:match(pattern)) or error("not there: " .. pattern .. " in " .. out, 2)
end

-- Runs the command in a folder: stdout, stderr, exit code.
function support.rondo(folder, arguments, before)
  local out, err = folder .. "/.stdout", folder .. "/.stderr"
  local _, _, code = os.execute(("cd '%s' && %s rondo %s >'%s' 2>'%s' </dev/null"):format(folder, before or "",
    arguments, out, err))
  return support.read(out), support.read(err), code
end

-- The same with a signal as soon as a file is there: to the command, or with "-" to all of its process group.
function support.signalled(folder, arguments, path, signal, group)
  local out, err, script = folder .. "/.stdout", folder .. "/.stderr", folder .. "/.signalled"
  support.write(script, ("cd '%s'\nset -m\nrondo %s >'%s' 2>'%s' </dev/null &\nuntil [ -e '%s' ]; do sleep 0.02; done\n"
    .. "kill -%s -- %s$!\nwait $!\n"):format(folder, arguments, out, err, path, signal, group or ""))
  local _, _, code = os.execute(("timeout 100 bash '%s'"):format(script))
  return support.read(out), support.read(err), code
end

return support
