-- cli/info.lua - rondo info FILE|RUN: what is in a checkpoint. Opening it runs no code.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"

local function facts_of(ckpt)
  local archive = ckpt.opened.archive
  local parameters, count = {}, 0
  for _, name in ipairs(archive:names "model/") do
    local shape, n = archive:shape(name), 1
    for _, size in ipairs(shape) do
      n = n * size
    end
    count = count + n
    parameters[#parameters + 1] = { name = name:sub(7), shape = shape }
  end
  local train = {}
  for _, name in ipairs { "step", "epoch", "position" } do
    train[name] = archive:has("train/" .. name) and archive:get("train/" .. name) or nil
  end
  local best = archive:has "history/best" and archive:get "history/best"
  local monitor = archive:has "history/monitor" and archive:kind "history/monitor" == "text"
    and archive:get "history/monitor" or "val_loss"
  return { path = ckpt.path, file_digest = ckpt.digests.file, state_digest = ckpt.digests.state,
    step = train.step, epoch = train.epoch, position = train.position, parameters = parameters,
    parameter_count = count, vocabulary = ckpt.vocab and #ckpt.vocab or nil,
    level = ckpt.vocab and ckpt.vocab:level() or nil, config = ckpt.config,
    best = best and { [monitor] = best[1], step = math.tointeger(best[2]) } or nil, monitor = best and monitor or nil }
end

local function show(cli, ckpt, facts)
  local out = io.stdout
  out:write(("%s\nfile digest   %s\nstate digest  %s\n"):format(facts.path, facts.file_digest, facts.state_digest))
  if facts.step then
    out:write(("step %d"):format(facts.step), facts.epoch and (", epoch %d"):format(facts.epoch) or "", "\n")
  end
  if facts.best then
    out:write(("best %s %.4f at step %d\n"):format(facts.monitor, facts.best[facts.monitor], facts.best.step))
  end
  if facts.vocabulary then
    out:write(("vocabulary of %d symbols, level %s\n"):format(facts.vocabulary, facts.level))
  end
  local model, message = require("rondo.checkpoint").rebuild(ckpt.opened)
  out:write(model and tostring(model) or cli.with_plugin_hint(message), "\n")
  for _, p in ipairs(facts.parameters) do
    out:write(("  %-32s (%s)\n"):format(p.name, table.concat(p.shape, ", ")))
  end
end

return function(arguments, cli)
  local parser = cli.parser("info", "Shows what is in a checkpoint (the best of a run folder).")
  parser:argument("path", "checkpoint file or run folder")
  parser:flag("--json", "one JSON object, with file_digest and state_digest")
  parser:flag("--last", "of a run folder the last checkpoint, not the best")
  cli.plugin_option(parser)
  local o = cli.parse(parser, arguments)
  require("rondo.plugins").load_from(arguments)
  local path = o.path
  if o.last then
    local folder = require "rondo.run_folder"
    local steps = folder.steps_of(path)
    path = #steps > 0 and folder.step_file(path, steps[#steps]) or path
  end
  local ckpt, message, code = require("rondo").load(path)
  if not ckpt then
    errors.stop(code, message)
  end
  local facts = facts_of(ckpt)
  if o.json then
    io.stdout:write(require("rondo.json").encode(facts), "\n")
  else
    show(cli, ckpt, facts)
  end
  return 0
end
