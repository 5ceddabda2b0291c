-- cli/text_model.lua - the model of text that `rondo sample` and `rondo evaluate` were given.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"

-- The model of a run folder (its best checkpoint) or a file, and the checkpoint; else the program ends.
return function(cli, run)
  local rondo = require "rondo"
  local ckpt, message, code = rondo.load(run)
  if not ckpt then
    errors.stop(code, message)
  end
  local model
  model, message = require("rondo.checkpoint").rebuild(ckpt.opened)
  if not model then
    errors.stop(errors.DATA, cli.with_plugin_hint(message))
  elseif not ckpt.vocab then
    errors.stop(errors.DATA, ("%s: holds no vocabulary, so it is no model of text"):format(ckpt.path))
  end
  return model, ckpt
end
