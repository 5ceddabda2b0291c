-- cli/watch.lua - rondo watch RUN...: a training as a screen in the terminal, drawn anew each second.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local errors = require "rondo.errors"

local LOOK_SECONDS = 0.2 -- how often keys, signals and the size are looked for
local ENTER, LEAVE = "\27[?1049h\27[?25l", "\27[?25h\27[?1049l" -- another screen without a cursor, and back
local GOES_ON = { training = true, silent = true }

local function read_all(logs)
  for _, log in ipairs(logs) do
    log:read() -- one that is gone for a moment (started anew) shows what it had
  end
end

-- True if no run goes on.
local function all_ended(logs)
  for _, log in ipairs(logs) do
    if GOES_ON[require("rondo.run_facts").of(log).state] then
      return false
    end
  end
  return true
end

-- Lines of new records until every run has ended: for pipes and logs.
local function as_lines(logs, interval)
  local watch = require "rondo.watch"
  local shown = {}
  core.catch_signals(true)
  while not core.interrupted() do
    local ended = all_ended(logs)
    read_all(logs)
    for i, log in ipairs(logs) do
      for k = (shown[i] or 0) + 1, #log.list do
        local line = watch.line(log.list[k], #logs > 1 and log.name or nil)
        if line then
          io.stdout:write(line, "\n")
        end
      end
      shown[i] = #log.list
    end
    if not io.stdout:flush() or ended then
      break
    end
    local wake = core.time() + interval
    while core.time() < wake and not core.interrupted() do
      core.pause(math.min(LOOK_SECONDS, interval))
    end
  end
  core.catch_signals(false)
end

local function draw(logs, o)
  local lines = require("rondo.watch").screen(logs, o)
  local parts = { "\27[H" }
  for i, line in ipairs(lines) do
    parts[#parts + 1] = line .. "\27[K" .. (i < #lines and "\r\n" or "")
  end
  parts[#parts + 1] = "\27[J"
  if #lines < o.height then
    parts[#parts + 1] = ("\27[%d;1Hq ends this view; the training does not know of it\27[K"):format(o.height)
  end
  io.stdout:write(table.concat(parts))
  io.stdout:flush()
end

-- The screen, until q or a signal. What the terminal was is restored on every way out.
local function as_screen(logs, o)
  local _ <close> = assert(core.raw_terminal())
  local _ <close> = setmetatable({}, { __close = function()
    io.stdout:write(LEAVE)
    io.stdout:flush()
  end })
  core.catch_signals(true)
  io.stdout:write(ENTER)
  local columns, height, due = 0, 0, 0
  repeat
    local width, lines = core.terminal_size()
    local now = core.time()
    if now >= due then
      read_all(logs)
    end
    if now >= due or width ~= columns or lines ~= height then
      columns, height = width, lines
      draw(logs, { width = math.max(width - 1, 20), height = math.max(lines, 4), plain = o.plain, color = o.color })
      due = now >= due and now + o.interval or due
    end
    local key = core.key(LOOK_SECONDS)
  until core.interrupted() or key and (key == "" or key == "\27" or key:find "[qQ\4]")
  local signal = core.interrupted()
  core.catch_signals(false)
  return signal
end

return function(arguments, cli)
  local parser = cli.parser("watch", "Shows a training in the terminal, drawn anew each second from its metrics: how "
    .. "far it is, its figures and curves; of a folder of runs all of them. q or Ctrl-C ends the view. Into a pipe or "
    .. "file it writes a line for each line of metrics, until the run has ended.")
  parser:argument("run", "run folders, or a folder of runs"):args "+"
  parser:option("--interval", "seconds between two looks"):argname "<x>":default "1"
    :convert(cli.number("--interval", "real", 0.05, 3600))
  parser:option("--color", "colour on the terminal: auto, always or never"):argname "<text>"
    :choices { "auto", "always", "never" }:default "auto"
  local o = cli.parse(parser, arguments)
  local logs, message, code = require("rondo.run_records").open_all(o.run)
  if not logs then
    errors.stop(code, message)
  end
  if not (core.isatty(0) and core.isatty(1)) or os.getenv "TERM" == "dumb" then
    as_lines(logs, o.interval)
    return 0
  end
  local signal = as_screen(logs, { interval = o.interval, plain = not require("rondo.plot.dots").utf8(),
    color = require("rondo.progress").colored(o.color) })
  return signal and signal ~= "SIGINT" and errors.TEMPFAIL or 0
end
