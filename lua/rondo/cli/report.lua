-- cli/report.lua - rondo report RUN...|SWEEP: one HTML file with curves, options, samples, forecasts, a sweep's table.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"

return function(arguments, cli)
  local parser = cli.parser("report", "Writes one HTML file about runs, finished or being trained: curves, options, "
    .. "samples, forecasts; for a folder of runs, as a sweep leaves it, also what differs between them. It needs no "
    .. "server and no network, and can be sent by mail.")
  parser:argument("run", "run folders, or the folder of a sweep"):args "+"
  parser:option("-o --output", "the file; default report.html in the folder, of several runs here"):argname "FILE"
  parser:option("--title", "above the page"):argname "<text>"
  local o = cli.parse(parser, arguments)
  local file = o.output or (#o.run == 1 and o.run[1]:gsub("/*$", "/") or "") .. "report.html"
  local ok, message, code = require("rondo.report").write(o.run, file, { title = o.title })
  if not ok then
    errors.stop(code or errors.DATA, message)
  end
  io.stdout:write(file, "\n")
  return 0
end
