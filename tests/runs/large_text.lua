--[[ large_text.lua - a text of 300 MB is trained on in a third of its size of memory: it stays mapped.

usage: large_text.lua FOLDER      run under `ulimit -d` (checks_long.sh does), which counts all but mapped files

Writes the text into FOLDER, reads it at each level and in each unit, and says what Lua and the process hold.
SPDX-License-Identifier: MIT ]]
local rondo = require "rondo"

local SIZE, HEAP_MB, OWN_MB = 300e6, 10, 100
local path = arg[1] .. "/large.txt"

-- 64 different blocks of lines and documents, with characters of several bytes, over and over.
local function write_text()
  local file = assert(io.open(path, "wb"))
  local blocks = {}
  for b = 1, 64 do
    local words = {}
    for i = 1, 40000 do
      local k = (i * i * 31 + b * 977) % 20011
      local behind = i % 300 == 0 and "\n\n" or i % 12 == 0 and "\n" or " "
      words[i] = (k % 7 == 0 and "\u{e9}" or "") .. ("w%d"):format(k) .. behind
    end
    blocks[b] = table.concat(words)
  end
  local written = 0
  while written < SIZE do
    for _, block in ipairs(blocks) do
      assert(file:write(block))
      written = written + #block
    end
  end
  file:close()
end

-- Private memory of the process now, in MB.
local function own_memory()
  local file <close> = assert(io.open "/proc/self/status")
  return tonumber(file:read("a"):match "RssAnon:%s*(%d+) kB") / 1000
end

local function train(level, unit)
  local started = os.time()
  local text = assert(rondo.data.Text.open(path, { level = level, vocab_size = level == "bpe" and 1000 or nil,
    max_vocab = level == "word" and 5000 or nil }))
  local part = text:split(0.9)
  local source = part:sequences { unit = unit, seq_len = 32, batch_size = 16, stateful = unit == "document" }
  local model = rondo.Sequential { rondo.Embedding { #text.vocab, 16 }, rondo.GRU { 16 }, rondo.Linear { #text.vocab } }
  local loss, opt = rondo.CrossEntropyLoss(), rondo.optim.Adam(model:parameters(), { lr = 1e-3 })
  local heap = 0
  for i = 1, 200 do
    local x, y = source:batch(i * 7919 % #source + 1, 1)
    opt:zero_grad()
    loss(model(x), y):backward()
    opt:step()
    heap = math.max(heap, collectgarbage "count" * 1024 / 1e6)
  end
  local own = own_memory()
  print(("%-5s %-9s %9d symbols, %8d batches: Lua heap %.1f MB (allowed: %d), own memory %.1f MB (allowed: %d), %d s")
    :format(level, unit, #text, #source, heap, HEAP_MB, own, OWN_MB, os.time() - started))
  return heap <= HEAP_MB and own <= OWN_MB
end

write_text()
collectgarbage()
local ok = true
for _, case in ipairs { { "byte", "stream" }, { "char", "stream" }, { "char", "line" }, { "word", "stream" },
  { "word", "document" }, { "bpe", "stream" }, { "bpe", "line" } } do
  ok = train(case[1], case[2]) and ok
  collectgarbage()
end
os.remove(path)
os.exit(ok)
