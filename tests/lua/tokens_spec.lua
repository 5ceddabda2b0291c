-- tokens_spec.lua - Vocab of tokens, Labels, spans as conlleval counts them, baselines, what a checkpoint keeps.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local metrics = require "rondo.metrics"
local support = dofile "tests/lua/support.lua"

local Vocab, Labels, Batches = rondo.data.Vocab, rondo.data.Labels, rondo.data.Batches
local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local function words(s)
  local list = {}
  for word in s:gmatch "%S+" do list[#list + 1] = word end
  return list
end

local function says(text, f, ...)
  assert.matches(text, support.failure(f, ...), 1, true)
end

describe("a vocabulary of tokens", function()
  it("has the most frequent first, and takes each token as it is", function()
    local v = Vocab.from { { "b", "a", "b" }, { "don't", "b", "a", ".", "B-x" } }
    assert.equal(5, #v)
    assert.same({ "b", "a", ".", "B-x", "don't" }, v:decode { 1, 2, 3, 4, 5 })
    assert.same({ 5, 1 }, v:encode { "don't", "b" })
    assert.same({ { 1 }, { 2, 3 }, {} }, v:encode_all { { "b" }, { "a", "." }, {} })
    assert.same({ { 2 } }, v:encode_all({ { "a", "." } }, { max_len = 1 }))
    assert.equal("vocabulary of 5 tokens", tostring(v))
    local list = {}
    for id, token in v:each() do list[id] = token end
    assert.same({ "b", "a", ".", "B-x", "don't" }, list)
  end)
  it("reads what it lacks as <unk>", function()
    local v = Vocab.from({ { "A", "a", "b" } }, { min_count = 2, unk = true, lowercase = true })
    assert.same({ 1, 2, 2 }, v:encode { "b", "A", "a" })
    assert.same({ "<unk>", "a" }, v:decode(rondo.tensor { { 1, 2, 0 } }))
    assert.equal(2, #Vocab.from({ { "a", "a", "b", "c" } }, { max_vocab = 2 }))
    assert.is_nil(Vocab.from({ { "a" } }):id "b")
  end)
  it("begins and ends sequences for a decoder", function()
    local v = Vocab.from({ { "x", "y" } }, { bos = true, eos = true })
    local special = v:special()
    assert.same({ 3, 4, special.eos }, v:encode { "x", "y" })
    assert.same({ { special.bos, 3, 4 } }, v:shifted { { "x", "y" } })
    assert.same({ { 3, 4, special.eos } }, v:encode_all { { "x", "y" } })
    assert.same({ "x" }, v:decode { special.bos, 3, special.eos, 4 })
    local first = v:each()
    assert.equal(3, (first()))
  end)
  it("says what is wrong", function()
    says("Vocab.from: expected a list of lists of tokens, got a string", Vocab.from, "a b")
    says("Vocab.from: expected a list of lists of tokens, got a list of strings", Vocab.from, { "a" })
    says("Vocab.from: expected a list of lists of tokens, got an empty list", Vocab.from, {})
    says("Vocab.from: list 1: token 2 is a number, expected a string", Vocab.from, { { "a", 1 } })
    says('Vocab.from: list 2: token 1 is "a b": a token is not empty and holds no white space', Vocab.from,
      { { "a" }, { "a b" } })
    local v = Vocab.from { { "a" } }
    says("encode: token 2, 'c', is not in the vocabulary, which has no <unk>", v.encode, v, { "a", "c" })
    says("list 2: token 1, 'c', is not in the vocabulary, which has no <unk>", v.encode_all, v, { {}, { "c" } })
    says("encode: expected a list of tokens, got a string", v.encode, v, "a")
    says("shifted: the vocabulary has no <bos>; make it with bos = true", v.shifted, v, { { "a" } })
  end)
end)

describe("labels", function()
  it("are in the order of the alphabet, or of the numbers they are", function()
    local l = Labels.from { "pos", "neg", "pos" }
    assert.equal(2, #l)
    assert.same({ 2, 1 }, l:encode_all { "pos", "neg" })
    assert.equal("2 labels: neg, pos", tostring(l))
    assert.same({ "neg", "pos" }, l:decode { 1, 2 })
    assert.equal("pos", l:decode(2))
    local list = {}
    for id, name in Labels.from({ "10", "9", "10" }):each() do list[id] = name end
    assert.same({ "9", "10" }, list)
    assert.same({ 1, 2 }, Labels.from({ 3, 5 }):encode_all { 3, 5 })
    assert.same({ "b" }, Labels.from({ "a", "b" }):decode(rondo.tensor { 2 }))
  end)
  it("say what is wrong", function()
    says("Labels.from: expected a list with the label of each example, got a string", Labels.from, "a")
    says("Labels.from: expected a list with the label of each example, got an empty one", Labels.from, {})
    says("Labels.from: entry 2 is a table, expected a string or a number", Labels.from, { "a", {} })
    says('Labels.from: entry 1 is "a\\\nb": a label holds no line break', Labels.from, { "a\nb" })
    local l = Labels.from { "positive", "negative" }
    says("Labels: there is no label 'positiv' (did you mean 'positive'?)", l.encode, l, "positiv")
    says("Labels: there is no label 'zz'; 2 labels: negative, positive", l.encode_all, l, { "zz" })
    says("Labels: ids are 1..2, got 3", l.decode, l, 3)
  end)
end)

describe("SpanF1", function()
  local tags = Vocab.from { words "O B-x I-x E-x S-x B-y I-y E-y S-y" }

  -- Counts of sentences { wanted, guessed }: precision, recall, F1.
  local function figures(...)
    local meter = rondo.metrics.SpanF1 { tags }:meter()
    for _, pair in ipairs { ... } do
      local want, guess = tags:encode(words(pair[1])), tags:encode(words(pair[2]))
      meter.add(rondo.one_hot(rondo.tensor { guess }, #tags), rondo.tensor { want })
    end
    local f = meter.figures()
    assert.equal(f.span_f1, meter.value())
    return { f.span_precision, f.span_recall, f.span_f1 }
  end

  it("counts a span whose ends and type are right", function()
    -- 2 wanted, 3 guessed, 1 right: P 1/3, R 1/2, F 2/5
    local f = figures { "B-x I-x O B-y O", "B-x I-x O B-x B-y" }
    assert.same({ 1 / 3, 1 / 2 }, { f[1], f[2] })
    assert.is_true(math.abs(f[3] - 2 / 5) < 1e-15)
  end)
  it("has no mercy with a border, and none with a type", function()
    assert.same({ 0, 0, 0 }, figures { "B-x I-x I-x", "B-x I-x O" })
    assert.same({ 0, 0, 0 }, figures { "B-x I-x", "B-y I-y" })
    assert.same({ 0, 0, 0 }, figures { "O O", "O O" })
  end)
  it("takes a tag without its beginning for a span, as conlleval does", function()
    assert.same({ 1, 1, 1 }, figures { "B-x I-x O B-y", "I-x I-x O I-y" }) -- IOB1 and IOB2 alike
    assert.same({ 1, 1, 1 }, figures { "B-x B-y I-y", "I-x I-y I-y" })     -- another type begins another span
    assert.same({ 0.5, 1, 2 / 3 }, figures { "B-x O", "B-x I-y" })
    local f = figures { "B-x I-x I-x", "B-x B-x I-x" }                     -- one wanted, two guessed
    assert.same({ 0, 0, 0 }, f)
  end)
  it("reads BIOES", function()
    assert.same({ 1, 1, 1 }, figures { "S-x B-x I-x E-x S-y", "B-x B-x I-x I-x B-y" })
    assert.same({ 0, 0, 0 }, figures { "S-x S-x", "B-x E-x" })
    assert.same({ 1, 1, 1 }, figures { "E-x E-x", "S-x S-x" })             -- an end without its beginning
  end)
  it("ends spans with the sentence, and adds sentences up", function()
    -- wanted 3, guessed 2, right 2
    local f = figures({ "O B-x", "O B-x" }, { "I-x B-y", "I-x O" })
    assert.same({ 1, 2 / 3 }, { f[1], f[2] })
    assert.is_true(math.abs(f[3] - 0.8) < 1e-15)
  end)
  it("leaves padding out", function()
    local meter = rondo.metrics.SpanF1 { tags }:meter()
    local want, guess = tags:encode(words "B-x I-x"), tags:encode(words "B-x I-x I-x I-x")
    want[3], want[4] = 0, 0
    meter.add(rondo.one_hot(rondo.tensor { guess }, #tags), rondo.tensor { want })
    assert.equal(1, meter.value())
  end)
  it("says what it needs", function()
    says("SpanF1: tags must be the Vocab that encoded them, got a number", rondo.metrics.SpanF1, { 3 })
    local meter = rondo.metrics.SpanF1 { tags }:meter()
    says("SpanF1: expected outputs (batch, time, 9), a score for each of the tags, and ids (batch, time)", meter.add,
      rondo.rand(2, 3, 4), rondo.ones(2, 3))
    says("rondo.metrics has no 'SpanF' (did you mean 'SpanF1'?)", function() return rondo.metrics.SpanF end)
  end)
  it("stands beside other metrics of a Trainer, and so does one of a script's own", function()
    local own = { name = "rows", meter = function()
      local n = 0
      return { add = function(y) n = n + y:size(1) end, value = function() return n end }
    end }
    local list = metrics.check { "accuracy", own, rondo.metrics.SpanF1 { tags } }
    assert.same({ "accuracy", "rows", "span_f1" }, { table.unpack(list) })
    says("Trainer: unknown metric 'span_f'", metrics.check, { "span_f" })
  end)
end)

-- A trainer of tags: of each word its own but where another stands before it.
local function tagger(more)
  rondo.manual_seed(1)
  local x, y, random = {}, {}, 1
  for i = 1, 60 do
    x[i], y[i] = {}, {}
    for t = 1, 2 + i % 7 do
      random = (random * 75 + 74) % 65537
      x[i][t] = ({ "the", "Ada", "in", "Rome", "lives" })[random // 7 % 5 + 1]
      y[i][t] = x[i][t]:find "%u" and (x[i][t - 1] == "in" and "B-place" or "B-name") or "O"
    end
  end
  local vocab, tags = Vocab.from(x, { unk = true }), Vocab.from(y)
  local model = rondo.Sequential { rondo.Embedding { #vocab, 6 }, rondo.LSTM { 8, bidirectional = true },
    rondo.Linear { #tags } }
  local given = { model = model, loss = rondo.CrossEntropyLoss(), optimizer = rondo.optim.Adam { lr = 2e-2 },
    metrics = { "accuracy", rondo.metrics.SpanF1 { tags } }, tokenizer = vocab, labels = tags, epochs = 20,
    progress = "none", quiet = true }
  for key, value in pairs(more or {}) do given[key] = value end
  local source = Batches { x = vocab:encode_all(x), y = tags:encode_all(y), batch_size = 8, shuffle = true }
  return rondo.Trainer(given), source, vocab, tags
end

describe("a tagger", function()
  it("is trained, beats the tag that each word has most often, and is asked with words", function()
    local trainer, source, _, tags = tagger()
    trainer:fit(source, source)
    local facts = trainer:evaluate(source)
    assert.is_true(facts.span_f1 > 0.95)
    assert.is_true(trainer.baselines[1].span_f1 < facts.span_f1)
    assert.is_nil(trainer.baselines[1].loss)
    local best = trainer:predict({ "Ada", "lives", "in", "Rome" }):argmax(-1)
    assert.equal("B-name O O B-place", table.concat(tags:decode(best), " "))
  end)
  it("is kept with its words and tags", function()
    local dir = folder .. "/tagger"
    local trainer, source, vocab, tags = tagger { run_dir = dir }
    trainer:fit(source)
    local ckpt = assert(rondo.load(dir))
    assert.same(vocab:encode { "Ada", "new" }, ckpt.tokenizer:encode { "Ada", "new" })
    assert.same(tags:decode { 1, 2, 3 }, ckpt.labels:decode { 1, 2, 3 })
    local y = ckpt.model:predict { "in", "Rome" }
    assert.is_true(y:allclose(trainer:predict { "in", "Rome" }, { rtol = 0, atol = 0 }))
    assert.same({ "O", "B-place" }, ckpt.model.labels:decode(y:argmax(-1)))
    rawset(trainer.model, "labels", Labels.from { "a", "b", "c" })
    local ok, message = ckpt:load_into(trainer.model)
    assert.is_nil(ok)
    assert.matches("has other labels (3 there, 3 here): label 1 is 'O' there and 'a' here", message, 1, true)
  end)
end)

describe("a classifier of texts", function()
  it("is kept with its tokenizer and labels, and is asked with a text", function()
    local texts = { "Good film", "bad film", "so good", "so bad" }
    local tok = rondo.data.Tokenizer { level = "word", lowercase = true }:fit(texts)
    local labels = Labels.from { "pos", "neg", "pos", "neg" }
    local model = rondo.Sequential { rondo.Embedding { #tok.vocab, 4 }, rondo.GRU { 6, return_sequences = false },
      rondo.Linear { #labels } }
    local source = Batches { x = tok:encode_all(texts), y = labels:encode_all { "pos", "neg", "pos", "neg" } }
    local trainer = rondo.Trainer { model = model, loss = rondo.CrossEntropyLoss(), tokenizer = tok, labels = labels,
      optimizer = rondo.optim.Adam { lr = 5e-2 }, metrics = { "accuracy", "f1" }, epochs = 20, progress = "none",
      quiet = true, run_dir = folder .. "/texts" }
    trainer:fit(source, source)
    assert.equal(0.5, trainer.baselines[1].accuracy)
    assert.is_true(math.abs(trainer.baselines[1].f1_macro - 1 / 3) < 1e-15) -- 2/3 of one class, 0 of the other
    local ckpt = assert(rondo.load(folder .. "/texts"))
    assert.equal("neg", ckpt.labels:decode(ckpt.model:predict("a BAD one"):argmax(-1))[1])
    assert.same({ 1, 2 }, ckpt.model:predict(ckpt.tokenizer:encode "so good"):size())
    assert.equal("level word", tostring(ckpt.tokenizer):match "level %a+")
    assert.same({ 1, 2 }, model:predict(rondo.tensor { 1, 2 }):size())
    assert.same({ 2, 2 }, model:predict(rondo.tensor { { 1, 2 }, { 3, 0 } }):size())
    assert.is_true(model:predict(""):allclose(model:predict { 0, 0 }, { rtol = 0, atol = 0 }))
  end)
  it("needs a tokenizer for a text, and labels that are such", function()
    local model = rondo.Sequential { rondo.Embedding { 3, 4 }, rondo.GRU { 4 } }
    says("predict: Sequential has no tokenizer for a text; give ids, or set model.tokenizer", model.predict, model, "a")
    local given = { model = model, loss = rondo.CrossEntropyLoss(), optimizer = rondo.optim.Adam(), labels = { "a" } }
    says("Trainer: labels must be made by rondo.data.Labels or rondo.data.Vocab, got a table", rondo.Trainer, given)
    given.labels, given.tokenizer = nil, "words"
    says("Trainer: tokenizer must be made by rondo.data.Tokenizer, and fitted, or be a rondo.data.Vocab", rondo.Trainer,
      given)
  end)
end)

describe("a run that is best by another figure than the loss", function()
  it("says which", function()
    local trainer, source = tagger { run_dir = folder .. "/by_f1", epochs = 2,
      callbacks = { rondo.callbacks.Checkpoint { monitor = "val_span_f1", mode = "max" } } }
    trainer:fit(source, source)
    local out = support.rondo(folder, "info by_f1")
    assert.matches(("\nbest val_span_f1 %.4f at step %d\n"):format(trainer.best.value, trainer.best.step), out, 1, true)
  end)
end)

describe("predict", function()
  it("adds the dimension of the batch to one sequence of features", function()
    local model = rondo.Sequential { rondo.GRU { 4, input_size = 3, return_sequences = false }, rondo.Linear { 2 } }
    assert.same({ 1, 2 }, model:predict(rondo.rand(7, 3)):size())
    assert.same({ 5, 2 }, model:predict(rondo.rand(5, 7, 3)):size())
    local both = rondo.Bidirectional { rondo.GRU { 4, input_size = 3 } }
    assert.same({ 1, 7, 8 }, both:predict(rondo.rand(7, 3)):size())
    local flat = rondo.Sequential { rondo.Linear { 3, 2 } }
    assert.same({ 1, 2 }, flat:predict(rondo.rand(3)):size())
    assert.same({ 4, 2 }, flat:predict(rondo.rand(4, 3)):size())
  end)
end)

describe("the baseline", function()
  local baseline = require "rondo.baseline"
  it("is the most frequent tag of each word, of others the most frequent of all", function()
    local train = Batches { x = { { 1, 2, 2 }, { 2, 1 } }, y = { { 1, 2, 2 }, { 1, 1 } } }
    local valid = Batches { x = { { 1, 2, 3, 3 } }, y = { { 1, 2, 1, 2 } } }
    assert.same({ { accuracy = 0.75, what = "the most frequent tag of each word" } },
      baseline.of(train, valid, metrics.check { "accuracy", "perplexity" }))
  end)
  it("is the most frequent class, and naive Bayes of the words", function()
    -- class 1: ids 1 1 2, class 2: ids 3 and 2 2; a row of 2 3: log 2/3 2/6 1/6 against log 1/3 3/6 2/6
    local train = Batches { x = { { 1, 1 }, { 2 }, { 3, 2, 2 } }, y = { 1, 1, 2 } }
    local valid = Batches { x = { { 2, 3 }, { 1, 0, 9 } }, y = { 2, 1 }, bucket_by_length = false }
    local all = baseline.of(train, valid, metrics.check { "accuracy", "f1" })
    assert.equal(2, #all)
    assert.same({ 0.5, 1, "the most frequent class" }, { all[1].accuracy, all[1].class, all[1].what })
    assert.is_true(math.abs(all[1].f1_macro - 1 / 3) < 1e-15)
    assert.same({ accuracy = 1, f1_macro = 1, what = "naive Bayes of the words" }, all[2])
  end)
  it("is none where nothing is classified", function()
    local numbers = Batches { x = { { 1 }, { 2 } }, y = { 0.5, 1.5 } }
    assert.same({}, baseline.of(numbers, numbers, metrics.check { "accuracy" }))
    local pairs_of = Batches { x = { { { 1 } }, { { 1 } } }, y = { { 1 } } }
    assert.same({}, baseline.of(pairs_of, pairs_of, metrics.check { "accuracy" }))
    local classes = Batches { x = { { 1 }, { 2 } }, y = { 1, 2 } }
    assert.same({}, baseline.of(classes, classes, metrics.check { "perplexity" }))
  end)
end)
