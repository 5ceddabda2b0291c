-- cli/sample.lua - rondo sample RUN: text from the best checkpoint of a run, to stdout as it is made.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local json = require "rondo.json"

-- Options of drawing, which a search (--beam) has no use for.
local DRAWING = { "temperature", "top_k", "typical_p", "top_p", "min_p", "greedy" }

local TOGETHER = 16 -- texts of a prompt that are written side by side

local function numeric(parser, cli, name, kind, range, help)
  local option = parser:option("--" .. name, help):argname(kind == "int" and "<n>" or "<x>")
    :convert(cli.number("--" .. name, kind, range[1], range[2]))
  if name:find "-" then
    option:hidden_name("--" .. name:gsub("%-", "_"))
  end
end

-- The share of --top-p; none at all would leave no symbol to choose.
local function share(cli)
  local number = cli.number("--top-p", "real", 0, 1)
  return function(text)
    local n, why = number(text)
    if n == 0 then
      return nil, "--top-p must be more than 0; 1 is all symbols, --greedy the likeliest alone"
    end
    return n, why
  end
end

local function bias(text)
  local symbol, value = text:match "^(.+)=([^=]+)$"
  value = value == "-inf" and -math.huge or tonumber(value)
  if not value then
    return nil, ("--logit-bias must be SYMBOL=NUMBER, as in 'x=-1', got '%s'"):format(text)
  end
  return { symbol, value }
end

local function options(cli)
  local parser = cli.parser("sample", "Writes text from a trained model (the best checkpoint of a run folder). Logits "
    .. "meet the repetition penalty, the biases and --allow, then the temperature; then --top-k, --typical-p, --top-p "
    .. "and --min-p each take away from what the one before has left.")
  parser:argument("run", "run folder or checkpoint file")
  parser:option("--prompt", "text to go on from; - reads it from stdin"):argname "<text>":default ""
    :show_default(false)
  parser:option("--prompts-from", "a file with a prompt on each line; - is stdin"):argname "<file>"
    :hidden_name "--prompts_from"
  numeric(parser, cli, "length", "int", { 0, 1 << 40 }, "symbols to write (default 400)")
  parser:option("--stop", "end before this text (may be repeated)"):argname "<text>":count "*"
  numeric(parser, cli, "count", "int", { 1, 0xffffffff }, "texts to write for each prompt (default 1)")
  numeric(parser, cli, "temperature", "real", { 0, 100 }, "below 1 safer, above 1 wilder; 0 is greedy (default 1)")
  numeric(parser, cli, "top-k", "int", { 0, 1 << 24 }, "only the n likeliest symbols; 0: all")
  numeric(parser, cli, "typical-p", "real", { 1e-6, 1 }, "only this share, the nearest to the expected surprise")
  parser:option("--top-p", "only the likeliest symbols that hold this share"):argname "<x>":hidden_name "--top_p"
    :convert(share(cli))
  numeric(parser, cli, "min-p", "real", { 0, 1 }, "only what has this share of the likeliest's probability")
  parser:flag("--greedy", "always the likeliest symbol")
  numeric(parser, cli, "repetition-penalty", "real", { 0.01, 100 }, "above 1: what has occurred is less likely")
  numeric(parser, cli, "repetition-window", "int", { 0, 1 << 24 }, "symbols that the penalty looks back; 0: all")
  parser:option("--logit-bias", "SYMBOL=NUMBER, added to its logit; =-inf: never (may be repeated)")
    :argname "<s=x>":count "*":convert(bias):hidden_name "--logit_bias"
  parser:option("--allow", "write these symbols only"):argname "<text>"
  numeric(parser, cli, "beam", "int", { 1, 1 << 16 }, "search the likeliest text, n hypotheses wide; --count of them")
  numeric(parser, cli, "length-penalty", "real", { -10, 10 }, "with --beam: score is log p / length^x (default 1)")
  numeric(parser, cli, "seed", "int", { 0, 0xffffffff }, "drawn and printed when not given")
  numeric(parser, cli, "threads", "int", { 0, 256 }, "worker threads; 0: one per CPU")
  cli.precision_option(parser)
  parser:flag("--no-echo", "do not begin with the prompt")
  parser:flag("--json", "one JSON object a text: prompt, text, seed, sample")
  parser:flag("--quiet", "print nothing but the text")
  cli.plugin_option(parser)
  return parser
end

-- Options as model:generate and model:complete want them.
local function common(o)
  local biases
  for _, pair in ipairs(o.logit_bias) do
    biases = biases or {}
    biases[pair[1]] = pair[2]
  end
  return { length = o.length, stop = o.stop, repetition_penalty = o.repetition_penalty,
    repetition_window = o.repetition_window, logit_bias = biases, allow = o.allow }
end

local function check(o)
  for _, name in ipairs(o.beam and DRAWING or {}) do
    if o[name] ~= nil then
      errors.stop(errors.USAGE, ("--beam searches the likeliest text; --%s is of drawing one"):format((name:gsub("_",
        "-"))))
    end
  end
  if o.length_penalty and not o.beam then
    errors.stop(errors.USAGE, "--length-penalty goes with --beam")
  elseif o.beam and (o.count or 1) > o.beam then
    errors.stop(errors.USAGE, ("--count %d of --beam %d: there are as many texts as hypotheses"):format(o.count,
      o.beam))
  elseif o.prompts_from and o.prompt ~= "" then
    errors.stop(errors.USAGE, "give --prompt or --prompts-from, not both")
  end
end

-- Iterator over prompts.
local function prompts(o)
  if not o.prompts_from then
    local prompt = o.prompt == "-" and io.read "a" or o.prompt
    return function()
      local one = prompt
      prompt = nil
      return one
    end
  end
  local file = io.stdin
  if o.prompts_from ~= "-" then
    local message
    file, message = io.open(o.prompts_from, "rb")
    if not file then
      errors.stop(errors.DATA, message)
    end
  end
  return function() return file:read "l" end
end

-- f(...), where what is wrong with an option is a matter of the command line.
local function asked(f, ...)
  local results = table.pack(pcall(f, ...))
  if results[1] then
    return table.unpack(results, 2, results.n)
  end
  local failure = results[2]
  local sentence = type(failure) == "string" and (failure:match "^generate: (.*)" or failure:match "^complete: (.*)")
  if sentence then
    errors.stop(errors.USAGE, "sample: " .. sentence)
  end
  error(failure, 0)
end

local Writer = {}
Writer.__index = Writer

function Writer:put(...)
  local _, message, number = io.stdout:write(...)
  if not message then
    _, message, number = io.stdout:flush()
  end
  if message then
    errors.stop(self.cli.output_failed(message, number))
  end
end

-- `==> sample 2 <==` above each of several texts.
function Writer:heading(number, sample)
  if not self.several or self.o.json then
    return
  end
  local of = self.o.prompts_from and ("prompt %d"):format(number)
  local which = (self.o.count or 1) > 1 and ("sample %d"):format(sample)
  self:put(self.begun and "\n" or "", "==> ", of or "", of and which and ", " or "", which or "", " <==\n")
  self.begun = true
end

-- `n` texts of a prompt, numbered from `first` on.
function Writer:draw(prompt, number, first, n)
  local how = common(self.o)
  for _, name in ipairs(DRAWING) do
    how[name] = self.o[name]
  end
  how.prompt, how.seed, how.sample = prompt, self.o.seed or self.seed, first
  how.echo = not self.o.no_echo and not self.o.json
  local texts, seed = asked(require("rondo.generate").several, self.model, how, n)
  if not self.seed and not self.o.seed and not self.o.quiet and not self.o.greedy
    and self.o.temperature ~= 0 then
    io.stderr:write(("%s, step %s, seed %d\n"):format(self.ckpt.path, tostring(self.ckpt.step or "?"), seed))
  end
  self.seed = seed
  for i, pieces in ipairs(texts) do
    self:write(prompt, number, first + i - 1, pieces)
  end
end

function Writer:write(prompt, number, sample, pieces)
  self:heading(number, sample)
  local parts = {}
  for piece in pieces do
    if self.o.json then
      parts[#parts + 1] = piece
    else
      self:put(piece)
    end
  end
  self:put(self.o.json and json.encode { prompt = json.valid(prompt), text = json.valid(table.concat(parts)),
    seed = self.seed, sample = sample } or "", "\n")
end

function Writer:search(prompt, number)
  local how = common(self.o)
  how.prompt, how.beam, how.length_penalty = prompt, self.o.beam, self.o.length_penalty
  local list = asked(self.model.complete, self.model, how)
  for sample = 1, math.min(self.o.count or 1, #list) do
    local one = list[sample]
    self:heading(number, sample)
    if self.o.json then
      self:put(json.encode { prompt = json.valid(prompt), text = json.valid(one.text), log_prob = one.log_prob,
        score = one.score, symbols = one.symbols, sample = sample }, "\n")
    else
      self:put(self.o.no_echo and "" or prompt, one.text, "\n")
    end
  end
end

local function check_prompt(ckpt, prompt, name)
  local ids, message = ckpt.vocab:encode(prompt)
  if not ids then
    errors.stop(errors.USAGE, name .. ": " .. message)
  end
end

return function(arguments, cli)
  local o = cli.parse(options(cli), arguments)
  check(o)
  require("rondo.plugins").load_from(arguments)
  if o.threads then
    require("rondo.native").threads(o.threads)
  end
  cli.set_precision(o)
  local model, ckpt = require "rondo.cli.text_model"(cli, o.run)
  local writer = setmetatable({ cli = cli, o = o, model = model, ckpt = ckpt,
    several = o.prompts_from or (o.count or 1) > 1 }, Writer)
  local number = 0
  for prompt in prompts(o) do
    number = number + 1
    check_prompt(ckpt, prompt, o.prompts_from and ("%s, line %d"):format(o.prompts_from, number) or "--prompt")
    local count = o.count or 1
    for first = 1, o.beam and 0 or count, TOGETHER do
      writer:draw(prompt, number, first, math.min(TOGETHER, count - first + 1))
    end
    if o.beam then
      writer:search(prompt, number)
    end
  end
  return 0
end
