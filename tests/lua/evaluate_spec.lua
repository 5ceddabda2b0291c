-- evaluate_spec.lua - the log-probability of a text, whole, by lines and by documents, against sums by hand; and the
-- command: rondo evaluate, and what rondo sample does with prompts, counts, stops, beams and JSON.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local core = require "rondo.native"
local json = require "rondo.json"
local support = dofile "tests/lua/support.lua"

local folder
local SMALL = "--hidden-size 8 --seq-len 10 --batch-size 4 --ngrams 0 --sample-length 0 --epochs 1 --quiet"

local function command(arguments, before)
  return support.rondo(folder, arguments, before)
end

local function fails(code, pattern, arguments)
  local out, err, got = command(arguments)
  assert.equal(code, got, err)
  assert.matches(pattern, err)
  assert.equal("", out)
end

setup(function()
  folder = support.folder()
  support.write(folder .. "/t.txt", support.sentences(60))
  local _, err, code = command("train t.txt --run-dir run " .. SMALL)
  assert.equal(0, code, err)
  _, err, code = command("train t.txt --run-dir lines --unit line " .. SMALL)
  assert.equal(0, code, err)
  _, err, code = command("train t.txt --run-dir words --level word " .. SMALL)
  assert.equal(0, code, err)
end)
teardown(function() support.remove(folder) end)

local function text_of(content, options)
  return assert(rondo.data.Text.open(support.write(folder .. "/e.txt", content), options))
end

local function model_of(vocab, unit)
  rondo.manual_seed(3)
  local model = rondo.Sequential { rondo.OneHot { #vocab }, rondo.LSTM { 7 }, rondo.Linear { #vocab } }
  model.vocab = vocab
  if unit then model.text_unit = unit end
  return model
end

-- Sum of -log p of ids 2.. of a list, each given those before it; 0 does not count. And how many.
local function nats_plainly(model, ids)
  local log_p = model:evaluating(function() return model(rondo.tensor({ ids })):log_softmax(-1) end)
  local sum, n = 0.0, 0
  for t = 2, #ids do
    if ids[t] > 0 then
      sum, n = sum - log_p[{ 1, t - 1, ids[t] }], n + 1
    end
  end
  return sum, n
end

local function near(want, got)
  assert.is_true(math.abs(want - got) <= 1e-5 * math.max(1, math.abs(want)), ("%g, expected %g"):format(got, want))
end

describe("a text that is evaluated", function()
  local content = support.sentences(30)
  it("as a stream has the nats of all its symbols, after a line feed", function()
    local text = text_of(content)
    local model = model_of(text.vocab)
    local ids = text.vocab:encode("\n" .. content)
    local nats, n = nats_plainly(model, ids)
    local got = model:evaluate(text)
    near(nats, got.nats)
    assert.equal(#content, n)
    assert.equal(n, got.counted)
    assert.equal(n, got.symbols)
    assert.equal("stream", got.unit)
    near(nats / n, got.loss)
    near(math.exp(nats / n), got.perplexity)
    near(nats / n / math.log(2), got.bits_per_char)
  end)
  it("without a symbol to begin with leaves the first one out", function()
    local text = text_of "abcabdabc"
    local model = model_of(text.vocab)
    local nats, n = nats_plainly(model, text.vocab:encode "abcabdabc")
    local got = model:evaluate(text)
    near(nats, got.nats)
    assert.equal(8, n)
    assert.equal(8, got.counted)
  end)
  it("by lines has the nats of the whole", function()
    local text = text_of(content .. "\nand a last one without an end")
    local model, sum, seen = model_of(text.vocab), 0.0, {}
    local whole = model:evaluate(text)
    local got = model:evaluate(text, { on_line = function(line)
      sum, seen[line.line] = sum + line.nats, line.text
    end })
    near(whole.nats, got.nats)
    near(whole.nats, sum)
    assert.equal(32, #seen)
    assert.equal("", seen[31])
    assert.equal("and a last one without an end", seen[32])
  end)
  it("of lines reads each anew, with its end", function()
    local text = text_of "ab\n\nbab\n"
    local model, lines = model_of(text.vocab, "line"), {}
    local got = model:evaluate(text, { on_line = function(line) lines[#lines + 1] = line end })
    local one, n = nats_plainly(model, text.vocab:encode "\nab\n")
    local two, m = nats_plainly(model, text.vocab:encode "\nbab\n")
    near(one, lines[1].nats)
    near(two, lines[2].nats)
    near(one + two, got.nats)
    assert.equal(n + m, got.counted)
    assert.same({ "ab", "bab" }, { lines[1].text, lines[2].text })
    assert.equal("line", got.unit)
    near(got.nats / math.log(2) / 7, got.bits_per_char)
  end)
  it("may be read by another unit", function()
    local text = text_of "ab\n\nbab\n"
    local model = model_of(text.vocab)
    local want = nats_plainly(model, text.vocab:encode "\nab\n") + nats_plainly(model, text.vocab:encode "\nbab\n")
    near(want, model:evaluate(text, { unit = "line" }).nats)
    local documents = model:evaluate(text, { unit = "document" })
    near(nats_plainly(model, text.vocab:encode "\nab\n\n") + nats_plainly(model, text.vocab:encode "\nbab\n\n"),
      documents.nats)
  end)
  it("does not count what the vocabulary lacks", function()
    local vocab = text_of("ab\n").vocab
    local text = text_of("abxb", { vocab = vocab })
    local model = model_of(vocab)
    local nats, n = nats_plainly(model, { 1, 2, 3, 0, 3 })
    local got = model:evaluate(text)
    near(nats, got.nats)
    assert.equal(3, n)
    assert.equal(3, got.counted)
    assert.equal(1, got.lacking)
  end)
  it("of words or byte pairs has bits per character", function()
    for _, level in ipairs { "word", "bpe" } do
      local text = text_of(content, { level = level, vocab_size = level == "bpe" and 280 or nil })
      local model = model_of(text.vocab)
      local nats, n = nats_plainly(model, text.vocab:encode("\n" .. content))
      local got = model:evaluate(text)
      near(nats, got.nats)
      assert.equal(#text, n)
      assert.equal(#content, got.characters)
      near(nats / math.log(2) / #content, got.bits_per_char)
    end
  end)
  it("may be a string, and a Trainer evaluates texts too", function()
    local text = text_of(content)
    local model = model_of(text.vocab)
    local want = model:evaluate(text)
    assert.equal(want.nats, model:evaluate(content).nats)
    local trainer = rondo.Trainer { model = model, loss = rondo.CrossEntropyLoss(), quiet = true,
      optimizer = rondo.optim.SGD { lr = 0.1 } }
    assert.same(want, trainer:evaluate(text))
  end)
  it("is the same on any number of threads", function()
    local text = text_of(content)
    local model, before = model_of(text.vocab), core.threads()
    core.threads(1)
    local one = model:evaluate(text)
    core.threads(3)
    local three = model:evaluate(text)
    core.threads(before)
    assert.same(one, three)
  end)
  it("may be of one symbol", function()
    local model = model_of(text_of("ab\n").vocab)
    local text = text_of("b", { vocab = model.vocab })
    near(nats_plainly(model, { 1, 3 }), model:evaluate(text).nats)
  end)
  it("must be one", function()
    local text = text_of "abc"
    local model = model_of(text.vocab)
    local function raises(pattern, ...)
      assert.matches(pattern, support.failure(model.evaluate, model, ...))
    end
    raises("evaluate: expected a Text or a string, got a number", 3)
    raises("has another vocabulary than the model; open it with { vocab = model.vocab }", text_of "abd")
    raises("evaluate: character 'x' .* is not in the vocabulary", "abx")
    raises("option 'unit' must be one of", "abc", { unit = "word" })
    local part = select(2, text_of("abc\nabc"):split(0.5))
    model.vocab = part.vocab
    raises("lines are those of a whole text, not of its validation part", part, { on_line = print })
  end)
end)

describe("rondo evaluate", function()
  it("prints nats, bits per character and perplexity", function()
    local out, err, code = command "evaluate run t.txt"
    assert.equal(0, code, err)
    local facts = json.decode((command "evaluate run t.txt --json"))
    local model = assert(rondo.load(folder .. "/run")).model
    local want = model:evaluate(support.sentences(60))
    assert.equal(want.nats, facts.nats)
    assert.matches(("nats           %.4f"):format(want.nats), out, 1, true)
    assert.matches(("bits per char  %.4f\nperplexity     %.4f\n"):format(want.bits_per_char, want.perplexity), out, 1,
      true)
    assert.matches("best.h5$", facts.checkpoint)
  end)
  it("prints a line for each line", function()
    local out = command "evaluate run t.txt --per-line"
    assert.equal(61 + 4, select(2, out:gsub("\n", "")))
    assert.matches("^  line +nats bits/char  perplexity  text\n     1 ", out)
    local rows, sum = {}, 0.0
    for line in (command "evaluate lines t.txt --per-line --json"):gmatch "[^\n]+" do
      rows[#rows + 1] = json.decode(line)
    end
    assert.equal(61, #rows)
    for i = 1, 60 do sum = sum + rows[i].nats end
    near(rows[61].nats, sum)
    assert.equal("line", rows[61].unit)
    assert.equal(support.sentences(60):match "[^\n]+", rows[1].text)
  end)
  it("reads standard input", function()
    local from_file = json.decode((command "evaluate words t.txt --json"))
    local _, _, code = os.execute(("cd '%s' && rondo evaluate words - --json <t.txt >out.json"):format(folder))
    assert.equal(0, code)
    local got = json.decode(support.read(folder .. "/out.json"))
    assert.equal(from_file.nats, got.nats)
    assert.equal("stdin", got.path)
    os.execute(("cd '%s' && printf 'the cat\\303\\251.\\na' | rondo evaluate run - --per-line >out.txt 2>err.txt")
      :format(folder))
    assert.matches("^note: stdin: 1 of the 11 symbols", support.read(folder .. "/err.txt"))
    assert.matches("     2 .* a\nstdin: 11 symbols", support.read(folder .. "/out.txt"))
  end)
  it("gives the same figures with other kernels and threads", function()
    local want = command "evaluate run t.txt --json --threads 1"
    assert.equal(want, (command("evaluate run t.txt --json --threads 3", "RONDO_KERNELS=scalar")))
  end)
  it("says what is wrong", function()
    support.write(folder .. "/empty.txt", "")
    support.write(folder .. "/latin1.txt", "caf\xe9 ")
    fails(3, "nosuch: there is no such file or run folder", "evaluate nosuch t.txt")
    fails(3, "'missing.txt': No such file", "evaluate run missing.txt")
    fails(3, "'empty.txt' is empty", "evaluate run empty.txt")
    fails(3, "latin1.txt' is not UTF%-8", "evaluate run latin1.txt")
    fails(3, "^rondo: 'stdin' is empty\n", "evaluate run -")
    fails(2, "missing argument 'file'", "evaluate run")
    fails(2, "unit", "evaluate run t.txt --unit word")
  end)
end)

describe("rondo sample", function()
  it("writes texts by number, each of them a matter of seed and number", function()
    local out = command "sample run --length 20 --seed 3 --count 3"
    local rows = {}
    for line in (command "sample run --length 20 --seed 3 --count 3 --json"):gmatch "[^\n]+" do
      rows[#rows + 1] = json.decode(line)
    end
    assert.equal(3, #rows)
    assert.not_equal(rows[1].text, rows[2].text)
    assert.same({ 3, 2 }, { rows[2].seed, rows[2].sample })
    assert.equal(rows[1].text .. "\n", (command "sample run --length 20 --seed 3"))
    for _, row in ipairs(rows) do
      assert.matches(("==> sample %d <==\n%s\n"):format(row.sample, row.text), out, 1, true)
    end
  end)
  it("draws a seed once for all texts, and says which", function()
    local out, err = command "sample run --length 9 --count 2"
    local seed = err:match "seed (%d+)\n$"
    assert.equal(1, select(2, err:gsub("\n", "")))
    assert.equal(out, (command("sample run --length 9 --count 2 --seed " .. seed)))
  end)
  it("takes prompts from a file or from standard input", function()
    support.write(folder .. "/prompts", "the \na ")
    local out = command "sample run --prompts-from prompts --length 5 --seed 1"
    assert.matches("^==> prompt 1 <==\nthe .-\n\n==> prompt 2 <==\na .-\n$", out)
    local line = "cd '%s' && rondo sample run --length 5 --seed 1 %s <prompts >out.txt 2>&1"
    os.execute(line:format(folder, "--prompts-from -"))
    assert.equal(out, support.read(folder .. "/out.txt"))
    os.execute(line:format(folder, "--prompt - --no-echo"))
    assert.equal(6, #support.read(folder .. "/out.txt"))
    support.write(folder .. "/prompts", "\u{3a9}\nthe ")
    fails(2, "prompts, line 1: character 'Ω'", "sample run --prompts-from prompts --length 5")
  end)
  it("stops, allows, biases and penalises", function()
    local out = command "sample run --prompt 'the ' --length 300 --seed 1 --stop . --stop 'g '"
    assert.is_nil(out:find(".", 1, true))
    assert.is_nil(out:find("g ", 1, true))
    assert.matches("^[abc]+\n$", (command "sample run --allow abc --length 30 --seed 1"))
    assert.equal("aaaa\n", (command "sample run --allow abc --length 4 --logit-bias a=50 --logit-bias b=-inf --seed 1"))
    assert.not_equal(command "sample run --greedy --length 20",
      (command "sample run --greedy --length 20 --repetition-penalty 5 --repetition-window 3"))
  end)
  it("filters by typical-p and min-p", function()
    assert.equal(command "sample run --greedy --length 20", (command "sample run --min-p 1 --length 20 --seed 4"))
    assert.not_equal(command "sample run --length 40 --seed 4",
      (command "sample run --typical-p 0.2 --length 40 --seed 4"))
  end)
  it("searches with a beam", function()
    local out = command "sample run --prompt 'the ' --beam 3 --count 2 --length 20 --stop . --json"
    local rows = {}
    for line in out:gmatch "[^\n]+" do rows[#rows + 1] = json.decode(line) end
    local model = assert(rondo.load(folder .. "/run")).model
    local want = model:complete { prompt = "the ", beam = 3, length = 20, stop = "." }
    assert.equal(2, #rows)
    assert.equal(want[2].text, rows[2].text)
    assert.equal(want[1].score, rows[1].score)
    assert.equal("the " .. want[1].text .. "\n",
      (command "sample run --prompt 'the ' --beam 3 --length 20 --stop ."))
  end)
  it("gives the same texts with other kernels and threads", function()
    for _, options in ipairs { "--seed 5 --count 2 --length 60 --typical-p 0.9 --top-p 0.95 --repetition-penalty 1.1",
      "--beam 4 --count 4 --length 12 --json" } do
      local want = command("sample run --threads 1 " .. options)
      assert.equal(want, (command("sample run --threads 3 " .. options, "RONDO_KERNELS=scalar")))
    end
  end)
  it("says what does not go together", function()
    fails(2, "%-%-beam searches the likeliest text; %-%-top%-p is of drawing one", "sample run --beam 2 --top-p 0.5")
    fails(2, "%-%-length%-penalty goes with %-%-beam", "sample run --length-penalty 1")
    fails(2, "%-%-count 3 of %-%-beam 2", "sample run --beam 2 --count 3")
    fails(2, "give %-%-prompt or %-%-prompts%-from, not both", "sample run --prompt a --prompts-from t.txt")
    fails(2, "%-%-logit%-bias must be SYMBOL=NUMBER", "sample run --logit-bias a")
    fails(3, "nosuch: No such file", "sample run --prompts-from nosuch")
    fails(2, "^rondo: sample: logit_bias: \"the\" is 3 symbols", "sample run --logit-bias the=1")
    fails(2, "^rondo: sample: no text is possible", "sample run --beam 2 --allow a --logit-bias a=-inf")
    fails(2, "^rondo: sample: allow: character 'Ω' .* is not in the vocabulary", "sample run --allow \u{3a9} --seed 1")
  end)
end)

describe("--precision int8", function()
  it("prints what it costs beside float32", function()
    local full = json.decode((command "evaluate run t.txt --json"))
    local facts = json.decode((command "evaluate run t.txt --precision int8 --json"))
    assert.equal("int8", facts.precision)
    assert.equal(full.nats, facts.float32.nats)
    assert.not_equal(full.nats, facts.nats)
    assert.is_true(math.abs(facts.loss - full.loss) < 0.01)
    assert.matches(("int8           %+.5f nats per symbol, "):format(facts.loss - full.loss):gsub("%p", "%%%0"),
      (command "evaluate run t.txt --precision int8"))
  end)
  it("writes the same text with any kernels", function()
    local options = "sample run --precision int8 --length 80 --seed 4 --quiet"
    assert.equal((command(options)), (command(options, "RONDO_KERNELS=scalar")))
  end)
  it("names what there is", function()
    fails(2, "'%-%-precision' must be one of 'float32', 'bf16', 'int8'", "sample run --precision half")
  end)
end)

describe("rondo train --json", function()
  it("ends with one object on stdout", function()
    local out, err, code = command("train t.txt --run-dir other --json --max-steps 3 " .. SMALL
      .. " --ngrams 1 --sample-length 9")
    assert.equal(0, code, err)
    local facts = json.decode(out)
    assert.equal(3, facts.steps)
    assert.equal(9, #facts.sample)
    assert.is_true(facts.val_loss > 0)
    near(facts.val_loss / math.log(2), facts.val_bits_per_char)
    assert.equal(1, #facts.ngrams)
    assert.equal("other", facts.run_dir)
  end)
end)

describe("what JSON holds of a text of bytes", function()
  it("is UTF-8", function()
    assert.equal("a\u{FFFD}\u{e9}\u{FFFD}\u{FFFD}b\u{FFFD}", json.valid "a\xff\u{e9}\xe2\x82b\xc3")
    support.write(folder .. "/bytes.txt", ("\xff\xfe\n"):rep(200))
    local _, err, code = command("train bytes.txt --level byte --run-dir bytes " .. SMALL)
    assert.equal(0, code, err)
    local row = json.decode((command "sample bytes --json --seed 1 --length 3 --allow '\xff'"))
    assert.equal("\u{FFFD}\u{FFFD}\u{FFFD}", row.text)
  end)
end)

describe("rondo plugins --json", function()
  it("prints one object", function()
    local facts = json.decode((command "plugins --json"))
    local cells = {}
    for _, plugin in ipairs(facts.plugins) do
      for _, cell in ipairs(plugin.cells or {}) do cells[cell] = true end
    end
    assert.is_true(cells.lstm)
    assert.is_true(facts.kernels[1].in_use)
  end)
end)
