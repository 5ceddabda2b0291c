-- cli/plot.lua - rondo plot RUN...: curves of runs as SVG, PNG or characters in the terminal.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"

local PANEL_HEIGHT, PANEL_LINES = 420, 22

local function must(value, message, code)
  if not value then
    errors.stop(code or errors.DATA, message)
  end
  return value
end

return function(arguments, cli)
  local parser = cli.parser("plot", "Draws the curves of runs, finished or being trained; a sweep's folder stands for "
    .. "its trials. Without -o in the terminal. Needs gnuplot.")
  parser:argument("run", "run folders"):args "+"
  parser:option("-o --output", "the picture: x.svg or x.png"):argname "FILE"
  parser:option("--metric", "figures by name, separated by commas; default loss,val_loss"):argname "<names>"
  parser:option("--over", "what they are drawn over: step, epoch or time"):argname "<what>"
    :choices { "step", "epoch", "time" }:default "step"
  parser:flag("--log-x", "a logarithmic axis of steps")
  parser:flag("--log-y", "a logarithmic axis of figures")
  parser:option("--smooth", "running mean of training figures: 0 as they are, 0.9 smooth"):argname "<x>"
    :convert(cli.number("--smooth", "real", 0, 0.9999))
  parser:option("--width", "of the picture, in pixels or in columns of the terminal"):argname "<n>"
    :convert(cli.number("--width", "int", 20, 10000))
  parser:option("--height", "of the picture, in pixels or in lines of the terminal"):argname "<n>"
    :convert(cli.number("--height", "int", 8, 10000))
  local o = cli.parse(parser, arguments)
  local records, curves = require "rondo.run_records", require "rondo.plot.curves"
  local logs = must(records.open_all(o.run))
  local figures = must(curves.choose(logs, o.metric))
  local picture, panels = curves.picture(logs, figures, { over = o.over == "time" and "t" or o.over, smooth = o.smooth,
    log_x = o.log_x, log_y = o.log_y })
  local height = o.height or panels * (o.output and PANEL_HEIGHT or PANEL_LINES)
  must(require("rondo.plot.gnuplot").draw(picture, { path = o.output, width = o.width, height = height }))
  return 0
end
