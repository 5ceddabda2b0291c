-- trainer.lua - Trainer { model =, loss =, optimizer =, ... }: fit, evaluate, predict.
--
-- fit() is one loop over a state (step, epoch, position, carried state). Everything due at a step is done at
-- the top of the loop and marked in the state, so that a run stopped anywhere goes on as if it had not been.
-- A source of batches has batch(k, epoch) -> x, y and a length; a list of { x, y } will do. x is a tensor or a list of
-- them, the model's inputs. A third value is what stands beside the input in the call of the model, { lengths =,
-- mask =, resets = }, a fourth the loss's weight. An update takes `accumulate` batches, fewer at the end of an epoch:
-- their losses are divided by how many they are, and their gradients are added in the order of the batches.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local average = require "rondo.average"
local bptt = require "rondo.trainer_bptt"
local bptt_options = require "rondo.bptt_options"
local callbacks = require "rondo.callbacks"
local errors = require "rondo.errors"
local figures = require "rondo.figures"
local losses = require "rondo.loss"
local memory_plan = require "rondo.memory_plan"
local metrics = require "rondo.metrics"
local module = require "rondo.module"
local optim = require "rondo.optim"
local predict = require "rondo.forecast.predict"
local options = require "rondo.options"
local progress = require "rondo.progress"
local release_states = require("rondo.sequential").release_states
local evaluation = require "rondo.trainer_evaluation"
local nonfinite = require "rondo.trainer_nonfinite"
local saving = require "rondo.trainer_saving"
local session = require "rondo.trainer_session"
local step = require "rondo.trainer_step"
local tokens = require "rondo.data.tokens"
local trainer_state = require "rondo.trainer_state"

local int = function(name, def, help)
  return { name = name, kind = "int", def = def, min = 0, help = help }
end
local specs = {
  { name = "model", kind = "any", required = true, help = "a module" },
  { name = "loss", kind = "any", required = true, help = "rondo.CrossEntropyLoss() or a function like it" },
  { name = "optimizer", kind = "any", required = true, help = "rondo.optim.Adam { lr = 2e-3 }" },
  { name = "options", kind = "table", help = "what rondo.args returned" },
  { name = "schedule", kind = "any", help = "rondo.optim.CosineLR { ... }" },
  { name = "metrics", kind = "table", help = "perplexity, bits_per_char, accuracy, top_5_accuracy, f1_macro" },
  { name = "clip_grad_norm", kind = "real", min = 0, help = "largest common norm of all gradients" },
  { name = "clip_grad_value", kind = "real", min = 0, help = "largest size of one gradient" },
  { name = "ema", kind = "real", min = 0, max = 0.9999999, help = "decay of averaged weights: 0.999" },
  { name = "accumulate", kind = "int", def = 1, min = 1, max = 1 << 20, help = "batches of one update" },
  { name = "callbacks", kind = "table", help = "rondo.callbacks.EarlyStopping { ... }, ..." },
  { name = "vocab", kind = "any", help = "text.vocab: goes into the checkpoints" },
  { name = "tokenizer", kind = "any", help = "a fitted Tokenizer or a Vocab, in place of vocab" },
  { name = "labels", kind = "any", help = "the Labels or the Vocab of the targets: goes into the checkpoints" },
  { name = "bptt", kind = "any", help = "{ k1 = 35, k2 = 70 }: updates every k1 steps, gradient over k2; \"35,70\"" },
  { name = "memory", kind = "any", help = "\"64MB\": what weights, batch and all that is kept of it may take" },
  { name = "run_dir", kind = "string", help = "the run folder; nothing is kept without" },
  int("epochs", nil, "passes over the data"), int("max_steps", nil, "updates"),
  int("log_every", 100, "updates between two lines of figures"),
  int("eval_every", 0, "updates between two validations; 0: each epoch"),
  int("save_every", 0, "updates between two checkpoints; 0: each epoch"),
  int("keep", 3, "checkpoints that stay, the newest, beside the best"),
  int("keep_every", 0, "updates between checkpoints that stay for ever, beside these; 0: none"),
  int("pause_at", nil, "stop with a checkpoint after so many updates, as a signal does"),
  { name = "resume", kind = "bool", def = false, help = "go on from the run folder's last checkpoint" },
  { name = "overwrite", kind = "bool", def = false, help = "start anew in a used run folder" },
  { name = "init_from", kind = "string", help = "run folder or file to take the weights from" },
  { name = "tensorboard", kind = "bool", def = false, help = "event files for TensorBoard in the run folder" },
  { name = "progress", kind = "choice", def = "auto", choices = { "auto", "bar", "lines", "none" },
    help = "how progress is shown" },
  { name = "color", kind = "choice", def = "auto", choices = { "auto", "always", "never" },
    help = "colour on the terminal" },
  { name = "quiet", kind = "bool", def = false, help = "show nothing but results" },
  { name = "on_nonfinite", kind = "choice", def = "stop", choices = { "stop", "rollback" }, help = "where a number is "
    .. "not finite: end, or go back to the last checkpoint with a lower rate" },
  { name = "rollback_factor", kind = "real", def = 0.5, min = 1e-6, max = 1, help = "what the rate is multiplied by "
    .. "each time" },
  { name = "diagnose_every", kind = "any", help = "updates between two looks at the gradients, or \"auto\": as often "
    .. "as 2 % of the time allow" },
  { name = "rollback_tries", kind = "int", def = 3, min = 1, max = 1000, help = "how often a run may go back" },
}

local FIRST_SHARED = 15 -- bptt and what follows may come from options

local Trainer = {}
Trainer.__index = Trainer
Trainer.__name = "rondo.Trainer"
for _, part in ipairs { session, saving, evaluation, step, nonfinite } do
  for name, method in pairs(part) do
    Trainer[name] = method
  end
end

-- Options of rondo.args that a Trainer understands stand where the Trainer itself was given none.
local function merged(given)
  local from = type(given) == "table" and given.options
  if type(from) ~= "table" then
    return given
  end
  local all = {}
  for key, value in pairs(given) do
    all[key] = value
  end
  for i = FIRST_SHARED, #specs do
    local name = specs[i].name
    if all[name] == nil and from[name] ~= nil then
      all[name] = from[name]
    end
  end
  return all
end

-- Loss and callbacks are things that were made, not what makes them.
local function check_calls(o)
  local meta = getmetatable(o.loss)
  for name, make in pairs(losses) do
    if o.loss == make and name:find "Loss$" then
      errors.raise("Trainer: loss is what makes one; write loss = rondo.%s()", name)
    end
  end
  if type(o.loss) ~= "function" and not (type(meta) == "table" and meta.__call) then
    errors.raise("Trainer: loss must be like rondo.CrossEntropyLoss(), or a function, got a %s", type(o.loss))
  end
  for key, callback in pairs(o.callbacks or {}) do
    if math.type(key) ~= "integer" then
      errors.raise("Trainer: callbacks are a list, as in callbacks = { rondo.callbacks.EarlyStopping {} }")
    elseif type(callback) ~= "table" then
      errors.raise("Trainer: callback %d must be like rondo.callbacks.EarlyStopping {}, or a table of methods, "
        .. "got a %s", key, type(callback))
    end
  end
end

local function check_parts(o)
  if not module.is_module(o.model) then
    errors.raise("Trainer: model must be a module, got a %s", type(o.model))
  elseif not optim.is_optimizer(o.optimizer) then
    errors.raise("Trainer: optimizer must be made by rondo.optim, got a %s", type(o.optimizer))
  elseif o.schedule and not optim.is_schedule(o.schedule) then
    errors.raise("Trainer: schedule must be made by rondo.optim, got a %s", type(o.schedule))
  end
  check_calls(o)
  local tokenizer = o.tokenizer
  if tokenizer and not (type(tokenizer) == "table" and tokenizer.vocab) then
    errors.raise("Trainer: tokenizer must be made by rondo.data.Tokenizer, and fitted, or be a rondo.data.Vocab")
  elseif o.labels and not (tokens.is_labels(o.labels) or tokens.is_vocab(o.labels)) then
    errors.raise("Trainer: labels must be made by rondo.data.Labels or rondo.data.Vocab, got a %s", type(o.labels))
  end
  if o.ema and o.optimizer.asgd then
    errors.raise("Trainer: ema and optim.ASGD are two averages of the weights; choose one")
  end
end

-- diagnose_every as a callback behind the others.
local function add_diagnosis(self)
  local every = self.diagnose_every
  if every == nil or every == 0 or every == "off" then
    return
  end
  local n = every == "auto" and 0 or math.tointeger(tonumber(every))
  if not n or n < 0 then
    errors.raise("Trainer: diagnose_every must be a number of updates, or \"auto\", got %s", tostring(every))
  end
  self.callbacks = table.move(self.callbacks, 1, #self.callbacks, 1, {})
  table.insert(self.callbacks, callbacks.Diagnose { every = n })
end

local function new(given)
  local o = options.resolve("Trainer", specs, merged(given))
  check_parts(o)
  local self = setmetatable(o, Trainer)
  self.metrics, self.callbacks = metrics.check(o.metrics), o.callbacks or {}
  add_diagnosis(self)
  self.step, self.epoch, self.position, self.evaluated = 0, 0, 0, 0
  self.unsaved = true -- the state is not that of the last checkpoint
  self.bptt, self.offset, self.tail, self.batches_read = bptt_options.read(o.bptt), 0, 0, {}
  self.memory = o.memory and memory_plan.bytes(o.memory)
  self.pending = { sum = 0.0, count = 0.0, epoch_sum = 0.0, epoch_count = 0.0 }
  self.history = trainer_state.new_history()
  self.monitor, self.monitor_mode = "val_loss", "min"
  if not self.epochs and not self.max_steps then
    self.epochs = 10
  end
  self.view = progress.new(o.progress, o.color, o.quiet)
  local vocab = o.vocab or (o.tokenizer and o.tokenizer.vocab)
  if vocab then
    rawset(self.model, "vocab", vocab)
  end
  rawset(self.model, "tokenizer", o.tokenizer)
  rawset(self.model, "labels", o.labels)
  return self
end

-- Ends the training after this step; the reason is shown.
function Trainer:stop(reason)
  self.stopping = reason or "a callback asked for it"
end

-- ---- the loop -------------------------------------------------------------------------------------------

local function evaluation_due(self, source, valid)
  return valid and self.step > 0 and self.evaluated ~= self.step
    and (self.eval_every > 0 and self.step % self.eval_every == 0 or self.eval_every == 0 and self.position >= #source)
end

local function complete(self)
  return (self.epochs and self.epoch >= self.epochs) or (self.max_steps and self.step >= self.max_steps)
end

local function end_epoch(self, source)
  self.epoch, self.position = self.epoch + 1, 0
  bptt.forget(self, source)
  if self.states and not source.carry_over then
    release_states(self.states)
    self.states = nil
  end
  local p = self.pending
  local facts = self.facts or { step = self.step }
  facts.epoch, facts.loss = self.epoch, figures.mean(p.epoch_sum, p.epoch_count)
  p.epoch_sum, p.epoch_count = 0.0, 0.0
  self:report_epoch(facts)
  self:call("on_epoch_end", facts)
  self.facts = nil
end

local function loop(self, source, valid)
  while true do
    if evaluation_due(self, source, valid) then
      if not self:validate(valid) then
        return core.interrupted()
      end
      self.unsaved = true
    end
    local due = self.step > 0 and (self.save_every > 0 and self.step % self.save_every == 0
      or self.keep_every > 0 and self.step % self.keep_every == 0)
    if self.position >= #source then
      end_epoch(self, source)
      self.unsaved = true
      due = due or self.save_every == 0
    end
    self:save_best() -- before the checkpoint that calls it the best so far: a kill may come between
    if self.stopping or complete(self) then
      return nil -- the end saves
    elseif core.interrupted() then
      return core.interrupted()
    elseif self.pause_at and self.step >= self.pause_at then
      return "pause_at" -- not an end: no last validation, and the schedule is that of the whole run
    end
    if due and self.unsaved then
      self:save_when_due()
    end
    if self.position == 0 then
      self:call("on_epoch_begin", { epoch = self.epoch + 1, step = self.step })
    end
    self:one_update(source)
    self.unsaved = true
  end
end

-- Sizes that are only known from data: one batch through the model, without recording.
local function settle_sizes(self, source)
  if not pcall(self.model.parameter_list, self.model) then
    local x, _, how = (source.part or source.batch)(source, 1, 1, 1, 1)
    self.model:evaluating(function() self:forward { x = x, how = how } end)
  end
end

-- The averages of an optimizer that was bound by hand, or those of ema, under the model's names.
local function bind_average(self)
  local of_optimizer = rawget(self.optimizer, "average")
  if of_optimizer then
    local name_of = {}
    for i, p in ipairs(self.parameters) do
      name_of[p] = self.names[i]
    end
    of_optimizer.names = {}
    for i, p in ipairs(self.optimizer.parameters) do
      of_optimizer.names[i] = name_of[p] or errors.raise("Trainer: parameter %d of the optimizer is not the model's", i)
    end
  end
  if not self.average then
    self.average = of_optimizer or (self.ema and average.new(self.parameters, self.names, self.ema)) or nil
  end
  if self.average then
    self.average:hide()
  end
end

-- What tells the data of a source from others; nil where it does not say.
local function digest_of(source)
  local digest = type(source.digest) == "function" and source:digest() or nil
  if digest and type(digest) ~= "string" then
    errors.raise("fit: digest() of the source must give a string, got a %s", type(digest))
  end
  return digest
end

function Trainer:bind(source)
  self.source = source
  if predict.is_windows(source) then
    predict.bind(self.model, source, self.loss)
  end
  settle_sizes(self, source)
  self.parameters, self.names = {}, {}
  for i, entry in ipairs(self.model:parameter_list()) do
    self.parameters[i], self.names[i] = entry.tensor, entry.name
  end
  if not rawget(self.optimizer, "handle") then
    self.optimizer:bind(self.parameters, self.names)
  end
  bind_average(self)
  if self.schedule and not self.schedule.optimizer then
    self.schedule:bind(self.optimizer)
  end
  self.config = trainer_state.config(self, source)
  self.digest = self.run_dir and digest_of(source)
end

local function fit(self, train, valid)
  local source = figures.source(train)
  valid = valid and figures.source(valid)
  if #source == 0 then
    errors.raise("fit: the training part has no batches")
  end
  if source.unit and source.unit ~= "stream" then
    rawset(self.model, "text_unit", source.unit) -- so that it writes what it has read
  end
  if memory_plan.asked then
    memory_plan.instead(self, source)
  end
  self:bind(source)
  self:begin(source, valid)
  self.model:train()
  self:prepare_parts(source)
  self.planned = self.memory and memory_plan.of(self, source, { budget = self.memory })
  local signal = self:guarded(loop, source, valid)
  self:finish(valid, signal)
  return self
end

-- Trains; returns the trainer. valid may be nil.
function Trainer:fit(train, valid)
  core.catch_signals(true)
  local results = table.pack(pcall(errors.blame, fit, self, train, valid))
  core.catch_signals(false)
  self.view:clear()
  if self.average then
    self.average:show()
  end
  if self.run then
    if not results[1] and (not errors.is_stop(results[2]) or results[2].code == errors.USAGE) then
      self.run:log("error: " .. tostring(results[2]))
    end
    if self.run.metrics then -- it got as far as that
      self:write_status(results[1] and "done", not results[1] and results[2] or nil)
    end
    self.run:close()
    self.run = nil
  end
  if not results[1] then
    error(results[2], 0)
  end
  return results[2]
end

return { Trainer = new }
