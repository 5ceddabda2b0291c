-- progress.lua - how a training, and whatever else takes long, looks: one redrawn line on a terminal, plain lines of a
-- training elsewhere, all on stderr.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local plain = require "rondo.plain"

local progress = {}

local REDRAW_SECONDS = 0.1 -- at most ten redraws a second
local MEMORY_SECONDS = 3   -- the rate is that of about so long

local Progress = {}
Progress.__index = Progress

-- --color, then NO_COLOR, then FORCE_COLOR, then whether stderr is a terminal.
function progress.colored(choice)
  local set = function(name) return (os.getenv(name) or "") ~= "" end
  if choice == "always" or choice == "never" then
    return choice == "always"
  elseif set "NO_COLOR" then
    return false
  elseif set "CLICOLOR_FORCE" or set "FORCE_COLOR" then
    return true
  end
  return core.isatty(2) and os.getenv "TERM" ~= "dumb"
end

-- mode: auto, bar, lines, none. quiet shows nothing but the end.
function progress.new(mode, color, quiet)
  local bar = mode == "bar" or ((mode or "auto") == "auto" and core.isatty(2) and os.getenv "TERM" ~= "dumb")
  return setmetatable({ bar = bar and not quiet, lines = not bar and mode ~= "none" and not quiet,
    quiet = quiet or mode == "none", color = progress.colored(color or "auto"), drawn = 0, symbols = 0, seconds = 0,
    last = core.time() }, Progress)
end

local function clock(seconds)
  seconds = math.max(0, math.floor(seconds + 0.5))
  if seconds >= 3600 then
    return ("%d:%02d:%02d"):format(seconds // 3600, seconds // 60 % 60, seconds % 60)
  end
  return ("%d:%02d"):format(seconds // 60, seconds % 60)
end
progress.clock = clock

local function count(n)
  if n >= 1e6 then
    return ("%.2fM"):format(n / 1e6)
  elseif n >= 1e4 then
    return ("%.0fk"):format(n / 1e3)
  end
  return ("%.0f"):format(n)
end
progress.count = count

-- Symbols per second; called once a step. What is further back counts less.
function Progress:tick(symbols)
  local now = core.time()
  local elapsed = now - self.last
  self.last = now
  local kept = math.exp(-elapsed / MEMORY_SECONDS)
  self.symbols, self.seconds = self.symbols * kept + symbols, self.seconds * kept + elapsed
  if self.seconds > 0 then
    self.rate = self.symbols / self.seconds
  end
  return self.rate or 0
end

-- Time that was not training (validation, saving) does not count.
function Progress:pause()
  self.last = core.time()
end

-- What a narrow terminal goes without, in this order.
local DISPENSABLE = { "rate", "epoch", "text", "left" }
local ORDER = { "step", "epoch", "loss", "text", "rate", "left" }

local function joined(parts)
  local list = {}
  for _, name in ipairs(ORDER) do
    list[#list + 1] = parts[name]
  end
  return table.concat(list, "  ")
end

-- view: step, steps (or nil), epoch, loss, text (more figures), left (symbols to go, or nil). With a width the line
-- has the parts for which there is room.
local function line_of(self, view, width)
  local parts = { step = "step " .. view.step .. (view.steps and "/" .. view.steps or ""),
    epoch = ("epoch %.2f"):format(view.epoch), loss = ("loss %.4f"):format(view.loss), text = view.text,
    rate = ("%s %s/s"):format(count(self.rate or 0), view.unit or "char") }
  if view.left and self.rate and self.rate > 0 then
    parts.left = clock(view.left / self.rate) .. " left"
  end
  local line = joined(parts)
  for _, name in ipairs(width and DISPENSABLE or {}) do
    if #line <= width then
      break
    end
    parts[name] = nil
    line = joined(parts)
  end
  return line:sub(1, width or #line)
end
progress.line_of = line_of

-- Redraws the line of a terminal; `force` also within the tenth of a second.
function Progress:redraw(view, force)
  local now = core.time()
  if not self.bar or (not force and now - self.drawn < REDRAW_SECONDS) then
    return
  end
  self.drawn = now
  local text = line_of(self, view, math.max(10, core.columns() - 1))
  local painted = self.color and text:gsub("loss [%d%.]+", "\27[1m%0\27[0m") or text
  io.stderr:write("\r", painted, "\27[K")
  io.stderr:flush()
  self.open = true
end

-- A plain line for logs, or nothing on a terminal.
function Progress:report(view)
  if self.lines then
    io.stderr:write(line_of(self, view), "\n")
  end
end

function Progress:clear()
  if self.open then
    io.stderr:write("\r\27[K")
    self.open = false
  end
end

-- A line that stays, above the redrawn one.
function Progress:say(text, always)
  self:clear()
  if always or not self.quiet then
    io.stderr:write(text, "\n")
    io.stderr:flush()
  end
end

-- ---- whatever else takes long -----------------------------------------------------------------------------

local silent = false
local active -- the handle whose line may be drawn: the outermost
local idle = setmetatable({}, { __close = function() end, __index = { at = function() end, close = function() end } })

-- No lines of busy() from here on: --quiet, --progress none.
function progress.silence()
  silent = true
end

local Busy = {}
Busy.__index = Busy

function Busy:at(done, total)
  self.ticker:at(done, total)
end

function Busy:close()
  self.ticker:close()
  active = active ~= self and active or nil
end
Busy.__close = Busy.close

-- A handle for something that may take long: `local busy <close> = progress.busy("reading x.csv")`. After two seconds a
-- line on the terminal says so, and how far it is where busy:at(done, total) was told; closing takes the line away.
-- Nothing in between may write to the terminal. Calls inside one another show the outermost. Elsewhere it does nothing.
function progress.busy(text)
  if silent or active or not core.isatty(2) or os.getenv "TERM" == "dumb" then
    return idle
  end
  active = setmetatable({ ticker = core.ticker(plain(text)) }, Busy)
  return active
end

return progress
