-- trainer_session.lua - what a Trainer does around its loop: run folder, checkpoints, figures, ends.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local baseline = require "rondo.baseline"
local bptt = require "rondo.trainer_bptt"
local callbacks = require "rondo.callbacks"
local checkpoint = require "rondo.checkpoint"
local errors = require "rondo.errors"
local figures = require "rondo.figures"
local json = require "rondo.json"
local metrics = require "rondo.metrics"
local progress = require "rondo.progress"
local random = require "rondo.random"
local run_folder = require "rondo.run_folder"
local trainer_state = require "rondo.trainer_state"

local session = {}

-- A line for people, on stderr and in the log.
function session:say(text, always)
  self.view:say(text, always)
  if self.run then
    self.run:log(text)
  end
end

function session:notice(text)
  self:say("note: " .. text, true)
end

function session:call(event, facts)
  for _, callback in ipairs(self.callbacks) do
    local f = callback[event]
    if f then
      f(callback, self, facts)
    end
  end
end

-- Hooks f(trainer, facts) on an event: trainer:on("epoch_end", function(trainer, facts) ... end).
function session:on(event, f)
  local name = type(event) == "string" and (event:find "^on_" and event or "on_" .. event) or ""
  local known = false
  for _, one in ipairs(callbacks.events) do
    known = known or one == name
  end
  if not known then
    local near = core.nearest(name, callbacks.events)
    errors.raise("Trainer:on: there is no event '%s'%s", tostring(event),
      near and (" (did you mean '%s'?)"):format(near) or "; events are " .. table.concat(callbacks.events, ", "))
  elseif type(f) ~= "function" then
    errors.raise("Trainer:on: expected a function, got a %s", type(f))
  end
  self.callbacks[#self.callbacks + 1] = { [name] = function(_, ...) return f(...) end }
  return self
end

local RESERVED = { t = true, step = true, epoch = true, split = true }

-- A figure of the script's own: a line of metrics.jsonl with split "log".
function session:log(name, value)
  if type(name) ~= "string" or name == "" or RESERVED[name] then
    errors.raise("Trainer:log: expected a name other than t, step, epoch and split, got %s", type(name) == "string"
      and ("'%s'"):format(name) or "a " .. type(name))
  elseif type(value) == "table" or type(value) == "function" or type(value) == "userdata" or value == nil then
    errors.raise("Trainer:log: '%s' must be a number, a string or a boolean, got a %s", name, type(value))
  end
  self:record("log", { [name] = value })
end

-- A line of metrics.jsonl with a split of its own; nothing without a run folder.
function session:record(split, line)
  if self.run then
    line.t, line.step, line.split = core.time() - self.started, self.step, split
    line.epoch = self.epoch + self.position / self.batches
    self.run:metric(line)
  end
end

-- ---- begin ------------------------------------------------------------------------------------------------

local function init_weights(self)
  local file, message, code = run_folder.checkpoint_of(self.init_from)
  local opened
  if file then
    opened, message, code = checkpoint.open(file)
  end
  local ok = opened
  if opened then
    ok, message, code = checkpoint.read_model(opened, self.model)
  end
  if not ok then
    errors.stop(code or errors.DATA, message)
  end
  self:say(("weights from %s"):format(file))
end

-- A run that was killed, or failed, before its first checkpoint is begun again, also over a best.h5 that it had
-- written. One that had ended had checkpoints, which its owner has removed: its best.h5 is what is left of it.
local function keep_best(self)
  local status = json.read(self.run_dir .. "/status.json")
  local ended = type(status) == "table" and (status.state == "done" or status.state == "stopped")
  if ended and core.stat(self.run:best_file()) then
    errors.stop(errors.USAGE, ("%s: only its best.h5 is left, and no checkpoint to go on from; start anew in another "
      .. "folder with %s, or here with %s, which removes it"):format(self.run_dir,
      self.options and "--init-from " .. self.run_dir or ("init_from = %q"):format(self.run_dir),
      self.options and "--overwrite" or "overwrite = true"))
  end
end

local function restore(self)
  local opened, failure
  do
    local _ <close> = progress.busy("loading the last checkpoint of " .. self.run_dir)
    opened, failure = trainer_state.newest(self)
  end
  if not opened then
    if failure then
      errors.stop(errors.DATA, ("%s: none of its checkpoints can be read"):format(self.run_dir))
    end
    keep_best(self)
    self:notice(("%s: no checkpoint to go on from; starting anew"):format(self.run_dir))
    return
  end
  local ok, message, code = trainer_state.restore(self, opened)
  if not ok then
    errors.stop(code or errors.DATA, message)
  end
  self.saved, self.unsaved = self.step, false
  self:say(("going on from step %d (%s)"):format(self.step, opened.path))
end

local function write_config(self, source)
  local given = {}
  for key, value in pairs(self.options or {}) do
    given[key] = value
  end
  local settings = {}
  for _, name in ipairs { "epochs", "max_steps", "log_every", "eval_every", "save_every", "keep", "keep_every",
    "init_from", "accumulate" } do
    settings[name] = self[name]
  end
  self.run:write_config { options = given, trainer = settings, depends_on = self.config,
    data = source.text and source.text.path, script = arg and arg[0], directory = core.realpath "." }
end

local ENDS = { [errors.DIVERGED] = "diverged", [errors.TEMPFAIL] = "stopped", [errors.INTERRUPTED] = "stopped" }

-- How the run stands, for status.json and the ledger; `failure` is what fit ended with.
function session:write_status(state, failure)
  if failure ~= nil then
    state = errors.is_stop(failure) and ENDS[failure.code] or "failed"
  end
  self.run:write_status(state, self.best and { monitor = self.monitor, value = self.best.value, step = self.best.step })
end

-- What a classifier must beat, by the same metrics.
local function say_baselines(self, source, valid)
  self.baselines = baseline.of(source, valid, self.metrics)
  for _, facts in ipairs(self.baselines) do
    local class = facts.class and (self.labels and table.concat(self.labels:decode { facts.class }) or facts.class)
    local parts = { ("baseline: %s%s"):format(facts.what, class and (" (%s)"):format(class) or "") }
    for _, metric in ipairs(self.metrics) do
      if facts[metric] then
        parts[#parts + 1] = ("val_%s %.4f"):format(metric, facts[metric])
      end
    end
    self:say(table.concat(parts, " - "))
  end
end

function session:begin(source, valid)
  self.batches, self.unit = #source, source.symbol_name or "row"
  local alone = not self.run_dir and (self.resume and "resume" or self.overwrite and "overwrite"
    or self.tensorboard and "tensorboard")
  if alone then
    errors.stop(errors.USAGE, ("--%s needs a run folder (--run-dir)"):format(alone))
  elseif self.run_dir then
    self.run = run_folder.open(self.run_dir, self.resume, self.overwrite, not self.options)
    self.run.keep, self.run.keep_every = math.max(1, self.keep), self.keep_every
    self.run.tensorboard = self.tensorboard
    self.run.notice = function(text) self:notice(text) end
  end
  if self.resume and self.run then
    restore(self)
  elseif self.init_from then
    init_weights(self)
  end
  random.set_update(self.step)
  if self.run then
    trainer_state.check(self)
    write_config(self, source)
    self.run:open_logs(self.step)
    self:write_status "running"
  end
  self.started, self.start_step, self.symbols = core.time(), self.step, 0
  self:say(tostring(self.model))
  if valid then
    say_baselines(self, source, valid)
  end
  self:call("on_fit_begin", { step = self.step, validates = valid ~= nil })
  self.view:pause()
end

-- ---- figures ----------------------------------------------------------------------------------------------

local function steps_in_all(self, source)
  local by_epochs = self.epochs and self.epochs * (self.bptt and bptt.updates(self, source)
    or (#source + self.accumulate - 1) // self.accumulate)
  return math.min(by_epochs or math.huge, self.max_steps or math.huge)
end

local function view_of(self, source, loss)
  local all = steps_in_all(self, source)
  local text
  if metrics.wants(self.metrics, "perplexity") then
    text = ("ppl %.2f  bpc %.3f"):format(math.exp(loss), loss / math.log(2) / (source.chars_per_symbol or 1))
  end
  local per_step = self.symbols / math.max(1, self.step - self.start_step)
  return { step = self.step, steps = all < math.huge and all or nil, loss = loss, text = text,
    epoch = self.epoch + self.position / #source, unit = self.unit,
    left = all < math.huge and (all - self.step) * per_step or nil }
end

function session:after_update(source, count)
  self.symbols = self.symbols + count
  local rate = self.view:tick(count)
  if self.view.bar then
    self.smooth = self.smooth and self.smooth + 0.05 * (self.last_loss - self.smooth) or self.last_loss
    self.view:redraw(view_of(self, source, self.smooth))
  end
  if self.log_every > 0 and self.step % self.log_every == 0 then
    local p = self.pending
    local loss = figures.mean(p.sum, p.count)
    p.sum, p.count = 0.0, 0.0
    local line = { step = self.step, loss = loss, lr = self.rate, grad_norm = self.grad_norm }
    trainer_state.append(self.history, "train", line)
    self.view:report(view_of(self, source, loss))
    if self.run then
      line.t, line.epoch, line.split = core.time() - self.started, self.epoch + self.position / #source, "train"
      line.tokens, line.tokens_per_s = self.symbols, rate
      self.run:metric(line)
    end
  end
  self:call("on_step_end", { step = self.step, loss = self.last_loss, lr = self.rate, grad_norm = self.grad_norm })
end

function session:report_validation(facts, final)
  if not self.run then
    return
  end
  local line = { t = core.time() - self.started, step = self.step, split = "valid", final = final,
    epoch = self.epoch + self.position / self.batches }
  for name, value in pairs(facts) do
    line[name] = value
  end
  self.run:metric(line)
end

local MANY_EPOCHS, LINES = 100, 50

function session:report_epoch(facts)
  local every = (self.epochs or 0) > MANY_EPOCHS and not facts.val_loss and self.epochs // LINES or 1
  if facts.epoch % every ~= 0 then
    return -- of many short epochs those with a validation, or some
  end
  local parts = { ("epoch %d%s - step %d - loss %.4f"):format(facts.epoch,
    self.epochs and "/" .. self.epochs or "", self.step, facts.loss) }
  for i = 0, #self.metrics do
    local name = "val_" .. (self.metrics[i] or "loss")
    if facts[name] then
      parts[#parts + 1] = ("%s %.4f"):format(name, facts[name])
    end
  end
  self:say(table.concat(parts, " - "))
end

-- ---- ends -------------------------------------------------------------------------------------------------

local function interrupted(self, signal)
  local code = signal == "SIGINT" and errors.INTERRUPTED or errors.TEMPFAIL
  local message
  if self.run then
    message = ("stopped by %s after step %d; saved %s. Run the same command with %s to go on."):format(
      signal, self.step, self.run:file(self.step), self.options and "--resume" or "resume = true in the Trainer")
    self.run:log(message)
  else
    message = ("stopped by %s after step %d; nothing is saved without a run folder (--run-dir)."):format(signal,
      self.step)
  end
  errors.stop(code, message)
end

-- The validation figures at the end, where the last step is not one that is validated anyway. They are shown,
-- but are no part of the state: a run that goes on longer has none at this step.
local function last_figures(self, valid)
  if not valid or self.step == 0 or self.evaluated == self.step then
    return
  end
  local facts = self:evaluate_source(valid, false)
  self:report_validation(facts, true)
  self:say(("step %d - %s"):format(self.step, figures.text(facts, "val_", self.metrics)))
  self:keep_best(facts)
  self:save_best()
end

function session:finish(valid, signal)
  self.view:clear()
  if self.unsaved then
    local ok, message = self:save()
    if not ok then
      errors.stop(errors.DATA, ("%s; step %d is lost, %s"):format(message, self.step, self:last_good()))
    end
  end
  if signal then
    interrupted(self, signal)
  end
  last_figures(self, valid)
  local seconds = core.time() - self.started
  local steps = self.step - self.start_step
  if steps == 0 then
    self:say(("nothing left to do: step %d, epoch %d; give a larger --epochs or --max-steps"):format(self.step,
      self.epoch))
  end
  local best = self.best and (" - best %s %.4f at step %d"):format(self.monitor, self.best.value, self.best.step) or ""
  self:say(("%s: %d %s in %s (%s %s/s)%s"):format(
    self.stopping and "stopped early, " .. self.stopping or "done", steps, steps == 1 and "step" or "steps",
    progress.clock(seconds), progress.count(self.symbols / math.max(seconds, 1e-9)), self.unit, best))
  self:call("on_fit_end", { step = self.step, epoch = self.epoch })
end

return session
