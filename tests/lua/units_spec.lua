-- units_spec.lua - streams, lines and documents: batches, whole runs, what is generated, the recipe.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local folder
local specs = support.sources() .. "/tests/lua"
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local function text_of(content, options)
  return assert(rondo.data.Text.open(support.write(folder .. "/t.txt", content), options))
end

describe("lines", function()
  local function rows_of(x)
    local list = {}
    for i, row in ipairs(x:table()) do list[i] = table.concat(row, " "):gsub("%.0", "") end
    return list
  end
  it("are rows of their own, padded with 0, in order", function()
    local source = text_of("ab\na\n\nbab\n"):sequences { unit = "line", batch_size = 2, shuffle = false,
      bucket_by_length = false }
    assert.equal(2, #source)
    local x, y = source:batch(1, 1)
    assert.same({ "1 2 3", "1 2 0" }, rows_of(x)) -- ids: 1 line feed, 2 a, 3 b
    assert.same({ "2 3 1", "2 1 0" }, rows_of(y))
    assert.same({ "1 3 2 3" }, rows_of((source:batch(2, 1))))
  end)
  it("share a batch with those of their length, each once, in another order each epoch", function()
    local content = {}
    for i = 1, 400 do content[i] = ("x"):rep(1 + i * 7 % 13) end
    local source = text_of(table.concat(content, "\n")):sequences { unit = "line", batch_size = 4 }
    local function all(epoch)
      local lengths, padded = {}, 0
      for k = 1, #source do
        local _, y = source:batch(k, epoch)
        for _, row in ipairs(y:table()) do
          local n = 0
          for _, id in ipairs(row) do n = n + (id > 0 and 1 or 0) end
          lengths[#lengths + 1], padded = n, padded + #row - n
        end
      end
      return lengths, padded
    end
    local one, padded = all(1)
    local two = all(2)
    assert.equal(100, #source)
    assert.is_true(padded < 150, padded) -- of 3,200 symbols; some 2,000 without buckets
    assert.not_same(one, two)
    assert.same(one, (all(1)))
    table.sort(one)
    table.sort(two)
    assert.same(one, two)
    assert.equal(400, #one)
  end)
  it("that are missing are an error", function()
    local valid = select(2, text_of("ab\n\n\n"):split(0.5))
    assert.matches("the validation part has no line", tostring(support.failure(function()
      valid:sequences { unit = "line" }
    end)))
  end)
  it("carry nothing over", function()
    assert.matches("carry_over needs stateful = true and unit", support.failure(function()
      text_of("ab\n"):sequences { unit = "line", stateful = true, carry_over = true }
    end))
  end)
end)

describe("a stream", function()
  it("has no <bos>, and no <eos> but the line feed of words", function()
    local function fails(message, options)
      assert.matches(message, support.failure(function()
        return text_of("ab ab\n", options):sequences { seq_len = 1, batch_size = 1 }
      end))
    end
    fails("<bos> never comes in a stream; use unit = \"line\" or \"document\"", { bos = true })
    fails("<eos> never comes in a stream", { eos = true })
    fails("<bos> never comes in a stream", { level = "word", bos = true })
    assert.equal(2, #text_of("ab ab\n", { level = "word", eos = true }):sequences { seq_len = 1, batch_size = 1 })
  end)
end)

describe("documents", function()
  local content = "abc\nde\n\nfghijklmn\n\nop\n\nqrstu\n"
  -- Rows of a batch as text; > stands where one begins, a line feed is $, what is absent a point.
  local function shown(source, ids, how)
    local begins, rows = how and how.resets and how.resets:table(), {}
    for b, row in ipairs(ids:table()) do
      rows[b] = ""
      for t, id in ipairs(row) do
        local symbol = id == 0 and "." or source.vocab:decode(math.tointeger(id)):gsub("\n", "$")
        rows[b] = rows[b] .. (begins and begins[b][t] == 1 and ">" or "") .. symbol
      end
    end
    return table.concat(rows, "|") .. " " .. table.concat(how and how.lengths or {}, ",")
  end
  it("are read on row by row in full chunks, which say where one begins and where a row ends", function()
    local source = text_of(content):sequences { unit = "document", stateful = true, batch_size = 2, seq_len = 5 }
    local inputs, targets = {}, {}
    for k = 1, #source do
      local x, y, how = source:batch(k, 1)
      inputs[k], targets[k] = shown(source, x, how), shown(source, y)
    end
    assert.same({ ">$abc$|>$op$>$ ", "de$>$f|qrstu ", "ghijk|$.... 5,1", "lmn$.|..... 4,0" }, inputs)
    assert.same({ "abc$d|op$$q ", "e$$fg|rstu$ ", "hijkl|$.... ", "mn$$.|..... " }, targets)
  end)
  it("in rows give the losses that each gives alone", function()
    rondo.manual_seed(3)
    local text = text_of(content)
    local model = rondo.Sequential { rondo.OneHot { #text.vocab }, rondo.LSTM { 7, num_layers = 2 },
      rondo.Linear { #text.vocab } }
    local trainer = rondo.Trainer { model = model, loss = rondo.CrossEntropyLoss { reduction = "sum" },
      optimizer = rondo.optim.SGD { lr = 0.1 }, progress = "none", quiet = true }
    local together = trainer:evaluate(text:sequences { unit = "document", stateful = true, batch_size = 2,
      seq_len = 4 }).loss
    local alone = trainer:evaluate(text:sequences { unit = "document", batch_size = 1, seq_len = 100,
      shuffle = false }).loss
    assert.is_true(math.abs(together - alone) < 1e-6, together - alone)
  end)
end)

describe("a run of words", function()
  local content = support.sentences(120)
  local function trainer_of(text, run, options)
    rondo.manual_seed(4)
    local o = { model = rondo.Sequential { rondo.Embedding { #text.vocab, 6 }, rondo.GRU { 8, learn_state = true },
      rondo.Linear { #text.vocab } }, vocab = text.vocab, loss = rondo.CrossEntropyLoss(),
      optimizer = rondo.optim.Adam { lr = 1e-2 }, metrics = { "perplexity", "bits_per_char" }, epochs = 2,
      run_dir = folder .. "/" .. run, quiet = true }
    for key, value in pairs(options or {}) do o[key] = value end
    return rondo.Trainer(o)
  end
  local function run(level, unit, name, options)
    local text = text_of(content, { level = level, vocab_size = level == "bpe" and 300 or nil,
      eos = level == "word" })
    local train, valid = text:split(0.8)
    local sizes = { unit = unit, seq_len = 8, batch_size = 4, stateful = unit ~= "line" }
    local trainer = trainer_of(text, name, options)
    trainer:fit(train:sequences(sizes), valid:sequences(sizes))
    return trainer, text
  end
  for _, case in ipairs { { "word", "stream" }, { "word", "line" }, { "bpe", "document" }, { "bpe", "stream" } } do
    local level, unit = case[1], case[2]
    it(("stopped and resumed ends as one that was not (%s, %s)"):format(level, unit), function()
      local name = level .. unit
      run(level, unit, name)
      run(level, unit, name .. "2", { max_steps = 5 })
      run(level, unit, name .. "2", { resume = true })
      local a, b = assert(rondo.load(folder .. "/" .. name)), assert(rondo.load(folder .. "/" .. name .. "2"))
      assert.equal(a.digests.state, b.digests.state)
    end)
  end
  it("has its vocabulary in the checkpoint, and writes words", function()
    local _, text = run("word", "stream", "words")
    local ckpt = assert(rondo.load(folder .. "/words"))
    assert.is_true(require("rondo.data.vocab").same(text.vocab, ckpt.vocab))
    assert.same({ level = "word", unk = true, eos = true }, ckpt.vocab:how())
    local model, pieces = ckpt.model, {}
    for piece in model:generate { prompt = "", length = 20, seed = 1 } do pieces[#pieces + 1] = piece end
    assert.equal(20, #pieces)
    assert.same(text.vocab:encode(table.concat(pieces)), ckpt.vocab:encode(table.concat(pieces)))
  end)
  it("of lines says so in its checkpoint", function()
    run("bpe", "line", "of_lines", { max_steps = 1 })
    assert.equal("line", assert(rondo.load(folder .. "/of_lines")).model.text_unit)
  end)
  it("has its merges in the checkpoint", function()
    local _, text = run("bpe", "stream", "pieces")
    local ckpt = assert(rondo.load(folder .. "/pieces"))
    assert.is_true(require("rondo.data.vocab").same(text.vocab, ckpt.vocab))
    assert.same(text.vocab:encode(content), ckpt.vocab:encode(content))
  end)
  it("refuses the weights of a run of another vocabulary", function()
    run("word", "stream", "of_words", { max_steps = 1 })
    local failure = support.failure(function()
      run("bpe", "stream", "of_bytes", { init_from = folder .. "/of_words" })
    end)
    assert.matches("has another vocabulary: its level is word there and bpe here", tostring(failure))
  end)
  it("tells bits per character, not per word", function()
    local trainer, text = run("word", "stream", "figures", { max_steps = 2 })
    local source = text:sequences { seq_len = 8, batch_size = 4, stateful = true }
    local facts = trainer:evaluate(source)
    local chars = utf8.len(content) / #text
    assert.is_true(math.abs(facts.bits_per_char - facts.loss / math.log(2) / chars) < 1e-9)
    assert.is_true(chars > 2)
  end)
end)

describe("lines that are generated", function()
  -- Counts its steps: writes "a" at the first and second, then the end of the line.
  local function counter(unit, options)
    local text = text_of("ab\n", options)
    local ids = { ["\n"] = text.vocab:special().eos or 1, a = text.vocab:encode("a")[1], b = text.vocab:encode("b")[1] }
    local Counter, seen = rondo.Module("Counter" .. unit), {}
    function Counter.advance(_, x, states)
      local n = (states and states[1][1]:item() or 0) + x:size(2)
      for _, id in ipairs(x:table()[1]) do seen[#seen + 1] = math.tointeger(id) end
      local logits = rondo.zeros(1, #text.vocab)
      logits[{ 1, n < 3 and ids.a or ids["\n"] }] = 9
      return logits, { { rondo.full({ 1 }, n) } }
    end
    local model = Counter()
    model.vocab, model.text_unit = text.vocab, unit
    local function write(length, prompt)
      local pieces = {}
      for piece in model:generate { length = length, greedy = true, prompt = prompt } do pieces[#pieces + 1] = piece end
      return table.concat(pieces)
    end
    return write, seen
  end
  it("begin anew after each end", function()
    local write, seen = counter "line"
    assert.equal("aa\naa\na", write(7))
    assert.same({ 1, 2, 2, 1, 2, 2, 1 }, seen)
  end)
  it("go on from a prompt as from the beginning of a line", function()
    local write, seen = counter "line"
    assert.equal("ba\naa", write(4, "b"))
    assert.same({ 1, 3, 2, 1, 2 }, seen)
  end)
  it("with <bos> and <eos> begin and end with them", function()
    local write, seen = counter("line", { bos = true, eos = true })
    assert.equal("aa\na", write(4))
    assert.same({ 1, 4, 4, 1 }, seen)
  end)
  it("of a document end with a blank line", function()
    local write, seen = counter "document"
    assert.equal("aa\n\naa", write(6))
    assert.same({ 1, 2, 2, 1, 1, 2 }, seen)
  end)
end)

describe("words that are generated", function()
  -- Knows "in the beginning" by heart; ids: 1 <unk>, 2 beginning, 3 in, 4 the.
  local function parrot()
    local text = text_of("in the beginning", { level = "word" })
    local follows = { 3, 3, 4, 2 }
    local Parrot = rondo.Module "WordParrot"
    function Parrot.advance(_, x)
      local logits = rondo.zeros(1, 4)
      logits[{ 1, follows[math.tointeger(x[{ 1, x:size(2) }])] }] = 9
      return logits
    end
    local model = Parrot()
    model.vocab = text.vocab
    return function(prompt)
      local pieces = {}
      for piece in model:generate { prompt = prompt, length = 2, greedy = true } do pieces[#pieces + 1] = piece end
      return pieces
    end
  end
  it("come with the space before them", function()
    local write = parrot()
    assert.same({ "in", " the", " beginning" }, write "in")
    assert.same({ "in ", "the", " beginning" }, write "in ")
  end)
end)

describe("the recipe", function()
  local common = "--hidden-size 8 --seq-len 8 --batch-size 4 --max-steps 6 --progress lines --overwrite "
  it("trains on words beside n-grams, validates on another file, and samples words", function()
    support.write(folder .. "/train.txt", support.sentences(120))
    support.write(folder .. "/valid.txt", support.sentences(20) .. "the cow sees the king.\n")
    local out, err, code = support.rondo(folder, "train train.txt --valid valid.txt --level word --punctuation "
      .. "--run-dir w --sample-length 12 --prompt 'the old' " .. common)
    assert.equal(0, code, err)
    assert.matches("1 of the 155 symbols of the text are not in the vocabulary; they are read as <unk>", err)
    assert.matches("all %d+ train, of valid.txt 155 validate", err)
    assert.matches("nats   perplexity   nats/char   bits/char", err)
    assert.matches("^the old", out)
    out, err, code = support.rondo(folder, "sample w --prompt 'the cat' --length 5 --seed 1")
    assert.equal(0, code, err)
    assert.matches("^the cat[ .\n]", out)
    out, err, code = support.rondo(folder, "info w")
    assert.equal(0, code, err)
    assert.matches("vocabulary of %d+ symbols, level word", out)
  end)
  it("trains on lines of byte pairs", function()
    support.write(folder .. "/lines.txt", support.sentences(120))
    local out, err, code = support.rondo(folder, "train lines.txt --level bpe --vocab-size 280 --unit line --run-dir b "
      .. "--sample-length 9 " .. common)
    assert.equal(0, code, err)
    assert.matches("280 different %(bpe level%)", err)
    assert.is_true(#out > 9)
    out, err, code = support.rondo(folder, "train lines.txt --level bpe --vocab-size 200 --run-dir none " .. common)
    assert.equal(2, code)
    assert.equal("", out)
    assert.matches("option 'vocab_size' must be 256..8388607, got 200", err)
  end)
end)

describe("the script of names", function()
  it("writes names and counts those that are not in the list", function()
    local list = {}
    for _, a in ipairs { "an", "be", "ca", "do" } do
      for _, b in ipairs { "na", "lla", "ri", "se", "mo" } do list[#list + 1] = a .. b end
    end
    support.write(folder .. "/names.txt", table.concat(list, "\n") .. "\n")
    local out, err, code = support.rondo(folder, ("run '%s/../../scripts/names.lua' --data names.txt --count 6 "
      .. "--epochs 60 --hidden-size 24 --batch-size 4 --progress none"):format(specs))
    assert.equal(0, code, err)
    local known, new, lines = {}, 0, 0
    for i = 1, 18 do known[list[i]] = true end -- nine tenths of the bytes
    for line in out:gmatch "[^\n]+" do
      local name, mark = line:match "^(%l+)(%s*%(in the list%))$"
      name = name or line:match "^%l+$"
      if name then
        lines, new = lines + 1, new + (known[name] and 0 or 1)
        assert.equal(known[name] or false, mark ~= nil, line)
      end
    end
    assert.equal(6, lines, out)
    assert.matches(("%d of 6 names are not among the 18 of the training list"):format(new), out)
  end)
end)
