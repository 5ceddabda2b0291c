-- race/standings.lua - the results of a race as tables, which are Markdown and text at once.
-- SPDX-License-Identifier: MIT
local run = require "rondo.race.run"

local standings = {}

-- ---- figures ----------------------------------------------------------------------------------------------------

-- Mean and standard deviation (of a sample) of the numbers in a list, and how many they are.
local function spread(list)
  local n, sum, squares = #list, 0.0, 0.0
  for _, x in ipairs(list) do
    sum = sum + x
  end
  for _, x in ipairs(list) do
    squares = squares + (x - sum / n) ^ 2
  end
  return n > 0 and sum / n or nil, n > 1 and math.sqrt(squares / (n - 1)) or nil, n
end
standings.spread = spread

-- The updates that every run of a task has made which was not over before.
local function equal_updates(results)
  local fewest, over
  for _, r in ipairs(results) do
    if not (r.solved or r.diverged) then
      fewest = math.min(fewest or math.huge, r.updates)
    end
    over = math.min(over or math.huge, r.updates)
  end
  return math.tointeger(fewest or over)
end

-- The best figure of a run up to so many updates.
local function figure_at(task, result, updates)
  local best
  for _, point in ipairs(result.curve) do
    if point[1] <= updates and run.better(task, point[2], best) then
      best = point[2]
    end
  end
  return best
end

local function row_of(task, cell, results, updates)
  local row = { task = task.folder, cell = cell, seeds = #results, hidden_size = results[1].hidden_size,
    parameters = results[1].parameters, solved = 0, diverged = 0, tokens_per_s = 0.0, equal_updates = updates }
  local final, equal, horizon, made = {}, {}, {}, {}
  for _, r in ipairs(results) do
    final[#final + 1], equal[#equal + 1] = r.figure, figure_at(task, r, updates)
    horizon[#horizon + 1], made[#made + 1] = r.horizon, r.updates
    row.solved, row.diverged = row.solved + (r.solved and 1 or 0), row.diverged + (r.diverged and 1 or 0)
    row.tokens_per_s = math.max(row.tokens_per_s, r.tokens_per_s)
  end
  row.mean, row.sd = spread(final)
  row.equal_mean, row.equal_sd = spread(equal)
  row.horizon, row.updates = spread(horizon), spread(made)
  row.ns_unit = row.tokens_per_s > 0 and 1e9 / (row.tokens_per_s * row.hidden_size) or nil
  return row
end

-- Rows of a task, the best first. by_cell: lists of results by cell; cells: their names in order.
function standings.rows(task, cells, by_cell)
  local all, rows = {}, {}
  for _, cell in ipairs(cells) do
    table.move(by_cell[cell], 1, #by_cell[cell], #all + 1, all)
  end
  local updates = equal_updates(all)
  for i, cell in ipairs(cells) do
    rows[i] = row_of(task, cell, by_cell[cell], updates)
  end
  table.sort(rows, function(a, b)
    if a.mean == b.mean then
      return a.cell < b.cell
    end
    return b.mean == nil or (a.mean ~= nil and run.better(task, a.mean, b.mean))
  end)
  for i, row in ipairs(rows) do
    local before = rows[i - 1]
    row.place = before and before.mean == row.mean and before.place or i -- equal figures share a place
  end
  return rows
end

-- ---- text -------------------------------------------------------------------------------------------------------

-- Lists of words as the lines of a table; the first is its head. Columns but the first are flush right.
local function aligned(lines)
  local widths, rule, out = {}, {}, {}
  for _, words in ipairs(lines) do
    for i, word in ipairs(words) do
      widths[i] = math.max(widths[i] or 4, utf8.len(word))
    end
  end
  for i, words in ipairs(lines) do
    local padded = {}
    for k, word in ipairs(words) do
      local space = (" "):rep(widths[k] - utf8.len(word))
      padded[k] = k == 1 and word .. space or space .. word
      rule[k] = k == 1 and ("-"):rep(widths[k]) or ("-"):rep(widths[k] - 1) .. ":"
    end
    out[#out + 1] = "| " .. table.concat(padded, " | ") .. " |"
    if i == 1 then
      out[2] = "| " .. table.concat(rule, " | ") .. " |"
    end
  end
  return table.concat(out, "\n")
end

local function figure_text(task, mean, sd)
  local text = mean and task.form:format(mean) or "none"
  return sd and ("%s ± %s"):format(text, task.form:format(sd)) or text
end

local function count_text(n)
  return n and ("%.0f"):format(n) or "-"
end

local function words_of(task, row, differ)
  local figure = figure_text(task, row.mean, row.sd)
  if row.diverged > 0 then
    figure = ("%s (%d of %d diverged)"):format(figure, row.diverged, row.seeds)
  end
  local words = { "`" .. row.cell .. "`", count_text(row.hidden_size), count_text(row.parameters), figure }
  if differ then
    words[#words + 1] = figure_text(task, row.equal_mean, row.equal_sd)
  end
  for _, word in ipairs { task.solved and ("%d of %d"):format(row.solved, row.seeds) or "-", count_text(row.updates),
    count_text(row.horizon), count_text(row.tokens_per_s),
    row.ns_unit and ("%.2f"):format(row.ns_unit) or "-" } do
    words[#words + 1] = word
  end
  return words
end

-- The table of a task.
function standings.task_text(task, rows)
  local differ, updates = false, rows[1].equal_updates
  for _, row in ipairs(rows) do
    differ = differ or row.updates > updates
  end
  local head = { "cell", "width", "parameters", "figure" }
  head[#head + 1] = differ and ("at %d updates"):format(updates) or nil
  table.move({ "solved", "updates", "horizon", "tokens/s", "ns/unit" }, 1, 5, #head + 1, head)
  local lines = { head }
  for _, row in ipairs(rows) do
    lines[#lines + 1] = words_of(task, row, differ)
  end
  return ("%s; %s: %s. Published: %s.\n\n%s\n"):format(task.title, task.naive_says, task.form:format(task.naive),
    task.published, aligned(lines))
end

-- One table of all: tasks are lines, cells are columns, from the best mean place on.
function standings.summary_text(tasks, cells, rows_of)
  local place, row_by = {}, {}
  for _, cell in ipairs(cells) do
    place[cell] = 0
  end
  for _, task in ipairs(tasks) do
    row_by[task] = {}
    for _, row in ipairs(rows_of[task]) do
      place[row.cell], row_by[task][row.cell] = place[row.cell] + row.place / #tasks, row
    end
  end
  local order = table.move(cells, 1, #cells, 1, {})
  table.sort(order, function(a, b)
    if place[a] == place[b] then
      return a < b
    end
    return place[a] < place[b]
  end)
  local head, last, lines = { "task" }, { "mean place" }, {}
  for _, cell in ipairs(order) do
    head[#head + 1], last[#last + 1] = "`" .. cell .. "`", ("%.1f"):format(place[cell])
  end
  lines[1] = head
  for _, task in ipairs(tasks) do
    local words = { task.folder }
    for _, cell in ipairs(order) do
      local row = row_by[task][cell]
      words[#words + 1] = figure_text(task, row.mean, row.sd)
    end
    lines[#lines + 1] = words
  end
  lines[#lines + 1] = last
  return aligned(lines) .. "\n"
end

return standings
