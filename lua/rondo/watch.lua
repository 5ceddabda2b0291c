-- watch.lua - what `rondo watch` shows: a run, or the runs of a folder, as lines of a screen of any size.
--
-- Fed by run_records.lua and run_facts.lua alone. The training does not know that it is looked at.
-- SPDX-License-Identifier: MIT
local dots = require "rondo.plot.dots"
local json = require "rondo.json"
local plain_of = require "rondo.plain"
local progress = require "rondo.progress"
local records = require "rondo.run_records"
local run_facts = require "rondo.run_facts"

local watch = {}

local FEWEST_LINES, WIDEST_BAR = 6, 40 -- of a picture; of the bar of progress
local MESSAGES = 3
local STATE_PAINT = { training = "32", done = "32", silent = "33", stopped = "33",
  diverged = "31", failed = "31", killed = "31" }

-- A text for one line of the screen: no control characters, at most `width` columns (nil: any).
local function plain(text, width)
  text = plain_of(json.valid(text))
  if width and utf8.len(text) > width then
    text = text:sub(1, utf8.offset(text, width) - 1) .. "…"
  end
  return text
end

local function painted(text, code, o)
  return o.color and code and ("\27[%sm%s\27[0m"):format(code, text) or text
end

local function bar(share, width)
  local full = math.floor(share * width + 0.5)
  return ("[%s%s]"):format(("#"):rep(full), ("-"):rep(width - full))
end

-- "step 120/252  epoch 1.43/3  1:20  0:40 left", with a bar where the end is known.
local function how_far(facts, width)
  local parts = { ("step %d%s"):format(facts.step, facts.steps and "/" .. facts.steps or "") }
  if facts.epoch then
    parts[#parts + 1] = ("epoch %.2f%s"):format(facts.epoch, facts.epochs and ("/%d"):format(facts.epochs) or "")
  end
  parts[#parts + 1] = progress.clock(facts.seconds)
  if facts.left then
    parts[#parts + 1] = progress.clock(facts.left) .. " left"
  end
  local text = table.concat(parts, "  ")
  local room = math.min(width - #text - 4, WIDEST_BAR)
  if facts.steps and facts.steps > 0 and room >= 10 then
    return ("%s  %s"):format(bar(math.min(facts.step / facts.steps, 1), room), text)
  end
  return text
end

local ORDER = { "loss", "val_loss", "lr", "grad_norm", "tokens_per_s" }
local HIDDEN = { loss = true, val_loss = true, lr = true, grad_norm = true, tokens_per_s = true, tokens = true }

-- "loss 1.93  val_loss 2.01  ...  best val_loss 1.98 at step 84", as many as there is room for, over up to two lines.
local function figures_of(facts, width)
  local words, names = {}, {}
  for _, name in ipairs(ORDER) do
    names[#names + 1] = facts.last[name] and name or nil
  end
  local others = {}
  for name in pairs(facts.last) do
    others[#others + 1] = not HIDDEN[name] and name or nil
  end
  table.sort(others)
  table.move(others, 1, #others, #names + 1, names)
  if facts.best then
    words[1] = ("best %s %.4f at step %d"):format(facts.best.figure, facts.best.value, facts.best.step)
  end
  for _, name in ipairs(names) do
    words[#words + 1] = ("%s %.4g"):format(name, facts.last[name])
  end
  local lines = { "" }
  for _, word in ipairs(words) do
    local line = lines[#lines]
    if line ~= "" and #line + 2 + #word > width then
      if #lines == 2 then
        break
      end
      lines[#lines + 1] = word
    else
      lines[#lines] = line == "" and word or line .. "  " .. word
    end
  end
  return lines
end

local function curves_of(log, names)
  local lines = {}
  for i, name in ipairs(names) do
    local xs, ys = records.curve(log, name)
    lines[i] = { xs = xs, ys = ys, color = i }
  end
  return lines
end

local function put(lines, more)
  table.move(more, 1, #more, #lines + 1, lines)
end

-- Lines of a picture below their title: what it is of, and names in the colours of their curves.
local function titled(lines, names, after, o)
  local text = plain(table.concat(names, ", ") .. after, o.width)
  for i, name in ipairs(names) do
    local from, to = text:find(name, 1, true)
    if o.color and from then
      text = text:sub(1, from - 1) .. painted(name, dots.paint(i), o) .. text:sub(to + 1)
    end
  end
  table.insert(lines, 1, text)
  return lines
end

-- The pictures of a run in `height` lines: its loss, and below it the newest diagnosis.
local function pictures(log, o, height)
  local result = {}
  local diagnosis, layers, names = run_facts.diagnosis(log), {}, {}
  for k, layer in ipairs(diagnosis and diagnosis.layers or {}) do
    layers[k], names[k] = { xs = layer.lags, ys = layer.by_lag, color = k }, layer.name
  end
  local half = diagnosis and height >= 2 * (FEWEST_LINES + 1)
  local first = half and height // 2 or height
  if first >= FEWEST_LINES then
    local figures = { "loss", "val_loss" }
    put(result, titled(dots.lines({ lines = curves_of(log, figures), width = o.width, height = first - 1 }, o.plain,
      o.color), figures, " by step", o))
  end
  if half then
    put(result, titled(dots.lines({ lines = layers, width = o.width, height = height - first - 1, log = true }, o.plain,
      o.color), names, (": gradient by lag at step %d"):format(diagnosis.step), o))
  end
  return result
end

-- One run as a screen.
local function one(log, o)
  local facts = run_facts.of(log)
  local lines = { plain(log.folder, o.width - #facts.state - 2) .. "  " .. painted(facts.state,
    STATE_PAINT[facts.state], o), plain(how_far(facts, o.width), o.width) }
  for _, line in ipairs(figures_of(facts, o.width)) do
    lines[#lines + 1] = plain(line, o.width)
  end
  local messages = run_facts.messages(log.folder, o.height >= 16 and MESSAGES or 0)
  put(lines, pictures(log, o, o.height - #lines - #messages - 1))
  for _, message in ipairs(messages) do
    lines[#lines + 1] = plain(message, o.width)
  end
  return lines
end

-- Runs of a folder: a line each, those that are being trained first, and the curves of val_loss (or loss) of all.
local function several(logs, o)
  local rows, counts = {}, {}
  for i, log in ipairs(logs) do
    local facts = run_facts.of(log)
    counts[facts.state] = (counts[facts.state] or 0) + 1
    rows[i] = { log = log, facts = facts, value = facts.best and facts.best.value or math.huge }
  end
  table.sort(rows, function(a, b)
    local first, second = a.facts.state == "training", b.facts.state == "training"
    if first ~= second then
      return first
    end
    return a.value < b.value or a.value == b.value and a.log.name < b.log.name
  end)
  local states = {}
  for state, n in pairs(counts) do
    states[#states + 1] = ("%d %s"):format(n, state)
  end
  table.sort(states)
  local lines = { plain(("%d runs: %s"):format(#logs, table.concat(states, ", ")), o.width) }
  local shown = math.min(#rows, math.max(1, (o.height - 2) // 2))
  for i = 1, shown do
    local facts = rows[i].facts
    local best = facts.best and ("%s %.4f"):format(facts.best.figure, facts.best.value) or ""
    lines[#lines + 1] = plain(("%-20s %-9s %-16s %s"):format(rows[i].log.name, facts.state, best, how_far(facts, 0)),
      o.width)
  end
  if shown < #rows then
    lines[#lines + 1] = ("and %d more"):format(#rows - shown)
  end
  local room = o.height - #lines - 1
  if room >= FEWEST_LINES then
    local curves, name = {}, "val_loss"
    for _, figure in ipairs { "val_loss", "loss" } do
      name, curves = figure, {}
      for i, row in ipairs(rows) do
        curves[i] = curves_of(row.log, { figure })[1]
        curves[i].color = i
      end
      if #curves[1].ys > 0 then
        break
      end
    end
    put(lines, titled(dots.lines({ lines = curves, width = o.width, height = room - 1 }, o.plain, o.color), {},
      name .. " by step", o))
  end
  return lines
end

-- The screen of logs: at most o.height lines of o.width columns. plain: no Braille; color: ANSI colours.
function watch.screen(logs, o)
  local lines = #logs == 1 and one(logs[1], o) or several(logs, o)
  return table.move(lines, 1, math.min(#lines, o.height), 1, {})
end

local NO_FIGURES = { step = true, t = true, tokens = true }

-- A record of log `name` (nil: the only one) as a plain line, for where there is no screen; nil for what is no figure.
function watch.line(record, name)
  if record.split == "sample" or record.split == "diagnosis" then
    return nil
  end
  local names, parts = {}, { ("step %d  %s"):format(record.step, tostring(record.split)) }
  for figure, value in pairs(record) do
    names[#names + 1] = type(value) == "number" and not NO_FIGURES[figure] and figure or nil
  end
  table.sort(names, function(a, b)
    if (a == "loss") ~= (b == "loss") then
      return a == "loss"
    end
    return a < b
  end)
  for i, figure in ipairs(names) do
    parts[i + 1] = ("%s %.5g"):format(figure, record[figure])
  end
  return plain((name and name .. "  " or "") .. table.concat(parts, "  "))
end

return watch
