-- checkpoint.lua - what stands in a checkpoint file, and how it comes back. Opening one runs no code.
--
-- Entries: format, config (JSON: what the numbers depend on), model/<parameter>, optimizer/<slot>/<parameter>,
-- optimizer/scalars/<name>, optimizer/lr, average/count, average/weights/<parameter>, train/..., vocab/level,
-- vocab/options (JSON) and what the level has, vocab/symbols (byte, char), vocab/words (one a line) or vocab/merges
-- (bpe), vocab/unit where texts are not read as a stream, vocab/form where a Trainer was given a tokenizer (strings or
-- tokens), labels/names (one a line); history/... is left out of the state digest; history/data is the digest of
-- text or series. No host, time, path, thread count or backend: equal states give equal files.
-- Over 400 lines: writing and reading are of one format.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local entries = require "rondo.checkpoint_entries"
local errors = require "rondo.errors"
local json = require "rondo.json"
local module = require "rondo.module"
local options = require "rondo.options"
local origins = require "rondo.origins"
local plausible = require "rondo.plausible"
local progress = require "rondo.progress"
local random = require "rondo.random"
local tokens = require "rondo.data.tokens"
local vocabularies = require "rondo.data.vocab"

local checkpoint = {}

local FORMAT = "rondo-checkpoint 1"
local VOCAB_PARTS = { byte = "symbols", char = "symbols", word = "words", bpe = "merges" }

-- Names of classes in the order of their ids, from Labels or a Vocab.
local function names_of_labels(labels)
  if tokens.is_labels(labels) then
    return labels.names
  end
  local names = {}
  for id = 1, #labels do
    names[id] = labels.vocab:decode(id)
  end
  return names
end

function checkpoint.put_model(archive, model)
  for name, p in model:named_parameters() do
    archive:put("model/" .. name, p)
  end
  local labels = rawget(model, "labels")
  if labels then
    archive:put("labels/names", table.concat(names_of_labels(labels), "\n"))
  end
  local vocab = rawget(model, "vocab")
  if vocab then
    local how, level = vocab:how(), vocab:level()
    how.level = nil
    archive:put("vocab/level", level)
    if next(how) then
      archive:put("vocab/options", json.encode(how))
    end
    archive:put("vocab/" .. VOCAB_PARTS[level], vocab:parts())
    if rawget(model, "text_unit") then
      archive:put("vocab/unit", model.text_unit)
    end
    local tokenizer = rawget(model, "tokenizer")
    if tokenizer then
      archive:put("vocab/form", tokens.is_vocab(tokenizer) and "tokens" or "strings")
    end
  end
end

function checkpoint.put_optimizer(archive, optimizer, names)
  local handle = rawget(optimizer, "handle")
  for _, slot in ipairs(handle:slots()) do
    archive:put(("optimizer/%s/%s"):format(slot.name, names[slot.parameter]), slot.tensor)
  end
  for name, value in pairs(handle:scalars()) do
    archive:put("optimizer/scalars/" .. name, value + 0.0)
  end
  archive:put("optimizer/lr", optimizer.lr + 0.0)
end

local function names_of(model)
  local names = {}
  for i, entry in ipairs(model:parameter_list()) do
    names[i] = entry.name
  end
  return names
end
checkpoint.names_of = names_of

-- A new archive with the parts that every checkpoint has.
function checkpoint.begin(model, optimizer, config)
  local archive = core.archive()
  archive:put("format", FORMAT)
  archive:put("config", json.encode(config))
  checkpoint.put_model(archive, model)
  if optimizer and rawget(optimizer, "handle") then
    checkpoint.put_optimizer(archive, optimizer, names_of(model))
  end
  return archive
end

-- Opens a file and looks at its entries: { archive=, digests=, config=, path= } | nil, message, code.
function checkpoint.open(path)
  local archive, digests = core.load_archive(path)
  if not archive then
    return errors.outside(digests, errors.DATA)
  end
  local format = archive:has "format" and archive:get "format"
  local later = type(format) == "string" and format:match "^rondo%-checkpoint (%d+)$"
  if later and format ~= FORMAT then
    return errors.outside(("%s: it has format %s, this Rondo reads format %s; a newer Rondo wrote it"):format(path,
      later, FORMAT:match "%d+"), errors.DATA)
  elseif format ~= FORMAT then
    return errors.outside(("%s: not a checkpoint of this program (its format is %s)"):format(path,
      type(format) == "string" and ("%q"):format(format) or "not given"), errors.DATA)
  end
  local sound, why = entries.check(archive)
  if not sound then
    return errors.outside(("%s: %s; it was made by another program"):format(path, why), errors.DATA)
  end
  local config = entries.description(archive)
  if not config then
    return errors.outside(path .. ": its description is unreadable", errors.DATA)
  end
  return { archive = archive, digests = digests, config = config, path = path }
end

local function shape_text(shape)
  return "(" .. table.concat(shape, ", ") .. ")"
end

-- Ids must mean the same symbols there and here: true, or nil and which do not.
local function check_vocab(opened, model)
  local there, here = checkpoint.read_vocab(opened), rawget(model, "vocab")
  if not there or not here then
    return true
  end
  local same, id, option = vocabularies.same(there, here)
  if same then
    return true
  elseif option then
    return errors.outside(("%s: has another vocabulary: its %s is %s there and %s here"):format(opened.path, option,
      tostring(there:how()[option] or false), tostring(here:how()[option] or false)))
  end
  local show = function(v)
    return id <= #v and ("%q"):format(v:decode(id)):gsub("\\\n", "\\n") or "not there" -- on one line
  end
  return errors.outside(("%s: has another vocabulary (%d symbols there, %d here): symbol %d is %s there and %s here")
    :format(opened.path, #there, #here, id, show(there), show(here)))
end

local function check_labels(opened, model)
  local there, here = checkpoint.read_labels(opened), rawget(model, "labels")
  if not there or not here then
    return true
  end
  local names = names_of_labels(here)
  for id = 1, math.max(#there, #names) do
    if there.names[id] ~= names[id] then
      local show = function(name) return name and ("'%s'"):format(name) or "not there" end
      return errors.outside(("%s: has other labels (%d there, %d here): label %d is %s there and %s here"):format(
        opened.path, #there, #names, id, show(there.names[id]), show(names[id])))
    end
  end
  return true
end

-- Fills the model's parameters; true, or nil and how the file's model differs. Averaged weights, where the file
-- has any, stand before those that were trained, unless `trained` are asked for to go on with.
function checkpoint.read_model(opened, model, trained)
  local archive, wanted = opened.archive, {}
  for _, check in ipairs { origins.check, check_vocab, check_labels } do
    local same, why, code = check(opened, model)
    if not same then
      return nil, why, code
    end
  end
  for name, p in model:named_parameters() do
    local entry = "model/" .. name
    wanted[entry] = true
    if not archive:has(entry) then
      return errors.outside(("%s: is of another model: it has no parameter '%s'"):format(opened.path, name))
    end
    local shape = shape_text(archive:shape(entry))
    if shape ~= shape_text(p:size()) then
      return errors.outside(("%s: is of another model: parameter '%s' is %s there and %s here"):format(
        opened.path, name, shape, shape_text(p:size())))
    end
  end
  for _, entry in ipairs(archive:names "model/") do
    if not wanted[entry] then
      return errors.outside(("%s: is of another model: its parameter '%s' is not in this one"):format(
        opened.path, entry:sub(7)))
    end
  end
  for name, p in model:named_parameters() do
    local averaged = "average/weights/" .. name
    local entry = not trained and archive:has(averaged) and averaged or "model/" .. name
    local ok, message = require("rondo.tensor").no_grad(archive.get_into, archive, entry, p)
    if not ok then
      return errors.outside(("%s: %s"):format(opened.path, message))
    end
  end
  return true
end

local function text_of(archive, name)
  return archive:has(name) and archive:kind(name) == "text" and archive:get(name) or nil
end

-- The vocabulary, or nil where the file holds none that is sound.
function checkpoint.read_vocab(opened)
  local archive = opened.archive
  local level = text_of(archive, "vocab/level")
  local entry = level and VOCAB_PARTS[level] and "vocab/" .. VOCAB_PARTS[level]
  if not entry or not archive:has(entry) then
    return nil
  end
  local how = json.decode(text_of(archive, "vocab/options") or "{}")
  if type(how) ~= "table" then
    return nil
  end
  how.level = level
  local ok, vocab = pcall(core.vocab, how, archive:get(entry))
  return ok and vocab or nil
end

-- The tokenizer that the Trainer was given, over the vocabulary; nil where it had none.
function checkpoint.read_tokenizer(opened)
  local form, vocab = text_of(opened.archive, "vocab/form"), checkpoint.read_vocab(opened)
  if not form or not vocab then
    return nil
  elseif form == "tokens" then
    return tokens.over(vocab)
  end
  return require("rondo.data.tokenizer").Tokenizer { vocab = vocab }
end

-- The labels, or nil where the file holds none.
function checkpoint.read_labels(opened)
  local text = text_of(opened.archive, "labels/names")
  if not text then
    return nil
  end
  local names = {}
  for name in (text .. "\n"):gmatch "([^\n]*)\n" do
    names[#names + 1] = name
  end
  return tokens.named(names)
end

function checkpoint.read_optimizer(opened, optimizer, names)
  local archive, handle = opened.archive, rawget(optimizer, "handle")
  for _, slot in ipairs(handle:slots()) do
    local entry = ("optimizer/%s/%s"):format(slot.name, names[slot.parameter])
    if not archive:has(entry) then
      return errors.outside(("%s: holds no optimizer state '%s'; it was made with another optimizer"):format(
        opened.path, entry:sub(11)))
    end
    local ok, message = archive:get_into(entry, slot.tensor)
    if not ok then
      return errors.outside(("%s: %s"):format(opened.path, message))
    end
  end
  for name in pairs(handle:scalars()) do
    local entry = "optimizer/scalars/" .. name
    if archive:has(entry) then
      local ok, why = pcall(handle.set_scalar, handle, name, archive:get(entry))
      if not ok then
        return errors.outside(("%s: %s"):format(opened.path, errors.bare(why)))
      end
    end
  end
  return true
end

-- The rate that was last used; true, or nil, message, code.
function checkpoint.read_rate(opened, optimizer)
  local lr = opened.archive:has "optimizer/lr" and opened.archive:get "optimizer/lr"
  local ok, why = pcall(function() optimizer.lr = lr or errors.raise("it holds no learning rate") end)
  if not ok then
    return errors.outside(("%s: %s"):format(opened.path, errors.sentence(why)))
  end
  return true
end

-- The model of library layers that the file describes, with its weights; nil, message where it has none.
function checkpoint.rebuild(opened)
  local description = opened.config.model
  if type(description) ~= "table" then
    return errors.outside(opened.path
      .. ": its model is a class of a script; build it there and load the weights into it")
  end
  if not plausible(description, opened.archive) then
    return errors.outside(opened.path .. ": describes a model much larger than the parameters it holds")
  end
  local here, why, code = origins.check(opened)
  if not here then
    return nil, why, code
  end
  local ok, model = pcall(random.undisturbed, module.from_description, description)
  if not ok then
    return errors.outside(("%s: its model cannot be built: %s"):format(opened.path, errors.sentence(model)))
  end
  here, why, code = checkpoint.read_model(opened, model)
  if not here then
    return nil, why, code
  end
  rawset(model, "vocab", checkpoint.read_vocab(opened))
  rawset(model, "text_unit", text_of(opened.archive, "vocab/unit"))
  rawset(model, "tokenizer", checkpoint.read_tokenizer(opened))
  rawset(model, "labels", checkpoint.read_labels(opened))
  rawset(model, "series", type(opened.config.series) == "table" and opened.config.series or nil)
  return model
end

-- ---- rondo.save and rondo.load ----------------------------------------------------------------------

local save_specs = {
  { name = "model", kind = "any", required = true },
  { name = "optimizer", kind = "any" },
  { name = "step", kind = "int", min = 0 },
}

local function check_parts(what, model, optimizer)
  if not module.is_module(model) then
    errors.raise("%s: model must be a module, got a %s", what, type(model))
  elseif optimizer ~= nil and not require("rondo.optim").is_optimizer(optimizer) then
    errors.raise("%s: optimizer must be made by rondo.optim, got a %s", what, type(optimizer))
  end
end

-- rondo.save(path, { model =, optimizer =, step = }): true, or nil, message, code.
function checkpoint.save(path, given)
  local o = options.resolve("save", save_specs, given)
  if type(path) ~= "string" then
    errors.raise("save: expected a path, got a %s", type(path))
  end
  check_parts("save", o.model, o.optimizer)
  local archive = checkpoint.begin(o.model, o.optimizer, { model = o.model:describe(), plugins = origins.of(o.model),
    series = rawget(o.model, "series"), seed = random.seed(), optimizer = o.optimizer and o.optimizer:describe() })
  if o.step then
    archive:put("train/step", o.step)
  end
  archive:put("random/calls", random.calls())
  local digests, message = archive:save(path)
  if not digests then
    return errors.outside(message, errors.DATA)
  end
  return true
end

local Checkpoint = {}
Checkpoint.__name = "rondo.Checkpoint"

-- The model is built when it is asked for.
function Checkpoint.__index(self, key)
  if key == "model" then
    local model, message = checkpoint.rebuild(self.opened)
    if not model then
      errors.raise("%s", message)
    end
    rawset(self, "model", model)
    return model
  end
  return Checkpoint[key]
end

-- Puts the weights into a model, the slots into an optimizer bound to it: true, or nil, message, code.
function Checkpoint:load_into(model, optimizer)
  check_parts("load_into", model, optimizer)
  local ok, message, code = checkpoint.read_model(self.opened, model, optimizer ~= nil)
  if ok and optimizer then
    ok, message, code = checkpoint.read_optimizer(self.opened, optimizer, names_of(model))
    if ok then
      ok, message, code = checkpoint.read_rate(self.opened, optimizer)
    end
  end
  return ok, message, code
end

function Checkpoint:__tostring()
  return ("checkpoint %s, step %s"):format(self.path, tostring(self.step or "not given"))
end

-- rondo.load(path | run folder): a checkpoint with step, model, config, digests; or nil, message, code.
function checkpoint.load(path)
  if type(path) ~= "string" then
    errors.raise("load: expected a path, got a %s", type(path))
  end
  local file, message, code = require("rondo.run_folder").checkpoint_of(path)
  if not file then
    return nil, message, code
  end
  local _ <close> = progress.busy("loading " .. file)
  local opened
  opened, message, code = checkpoint.open(file)
  if not opened then
    return nil, message, code
  end
  local archive = opened.archive
  return setmetatable({ opened = opened, path = file, config = opened.config, digests = opened.digests,
    step = archive:has "train/step" and archive:get "train/step" or nil,
    vocab = checkpoint.read_vocab(opened), tokenizer = checkpoint.read_tokenizer(opened),
    labels = checkpoint.read_labels(opened) }, Checkpoint)
end

return checkpoint
