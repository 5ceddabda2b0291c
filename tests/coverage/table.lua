-- table.lua - says which lines and branches of core/ and plugins/ the C tests ran, and holds the bounds.
--
-- usage: lua5.4 tests/coverage/table.lua [FOLDER]
--   FOLDER   a part of core/ or plugins/: what is missing there is printed, `file:line  branches  text`
--
-- Reads what tests left in build/coverage (preset `coverage`) as gcc's gcov prints it. A branch is a way out of a
-- condition as gcc sees it in unoptimised code: `a && b` has four, a case of a switch one. Asserts are compiled out. Of
-- code that is compiled several times, a line or branch counts when one of the copies ran it. What is not run is in
-- rest.txt beside this file, under its reason, and counts as missing all the same: every line, and branches where there
-- is more to say than that one way out of a condition is never taken. Exit status 1: below a bound, a line that is
-- missing and not in rest.txt, or a place in rest.txt where nothing is missing (or all is listed by a place above it).
-- SPDX-License-Identifier: MIT
local build = "build/coverage"
local bounds = { { "all", "lines", 95 }, { "core", "branches", 90 } }

local function command_lines(command)
  local pipe <close> = assert(io.popen(command))
  local lines = {}
  for line in pipe:lines() do lines[#lines + 1] = line end
  return lines
end

-- files[path][line] = { text, func, runs, branches = { runs... } }; runs nil: no code.
local files = {}
local root = command_lines("pwd")[1] .. "/"

local function read(graph)
  local file, line, func
  local command = "gcov --stdout --branch-probabilities --branch-counts '%s' 2>/dev/null"
  for _, row in ipairs(command_lines(command:format(graph))) do
    local runs, number, text = row:match("^ *([^ :]+): *(%d+):(.*)")
    if number == "0" then
      local source = text:match("^Source:(.*)")
      if source then
        local path = source:sub(1, #root) == root and source:sub(#root + 1) or ""
        file = (path:find("^core/") or path:find("^plugins/")) and path or nil
        if file then files[file] = files[file] or {} end
      end
    elseif not file then -- a header of the system
      line = nil
    elseif number then
      local at = tonumber(number)
      line = files[file][at] or { at = at, text = text, branches = {} }
      files[file][at] = line
      line.next_branch = 0
      if runs ~= "-" and not text:find("^{$") then -- gcc puts there what leads nowhere in a function that forks
        line.func = func
        line.runs = math.max(line.runs or 0, tonumber((runs:gsub("%*", ""))) or 0)
      end
    elseif row:find("^function ") then
      func = row:match("^function (%S+)")
    elseif line and row:find("^branch ") then
      line.next_branch = line.next_branch + 1
      local taken = tonumber(row:match("taken (%d+)")) or 0
      line.branches[line.next_branch] = math.max(line.branches[line.next_branch] or 0, taken)
    end
  end
end

for _, graph in ipairs(command_lines("find " .. build .. " -name '*.gcno' | sort")) do read(graph) end
assert(next(files), "there is nothing in " .. build .. ": cmake --preset coverage, build it, run the tests")

-- rest.txt: a reason is a line; places below it are lines of `  PATH: TEXT`, where PATH may end with *, and TEXT is
-- in the line or the name of its function and (). The first that fits counts.
local reasons = {}
for row in io.lines("tests/coverage/rest.txt") do
  local path, text = row:match("^  (%S+): (.+)")
  if path then
    local rules = reasons[#reasons].rules
    rules[#rules + 1] = { path = path, prefix = path:match("^(.*)%*$"), text = text }
  elseif row:find("^[^#%s]") then
    reasons[#reasons + 1] = { text = row, rules = {}, places = 0 }
  end
end

local function fits(rule, path, line)
  if rule.path ~= path and not (rule.prefix and path:sub(1, #rule.prefix) == rule.prefix) then return false end
  return rule.text == (line.func or "") .. "()" or line.text:find(rule.text, 1, true) ~= nil
end

local function listed(path, line)
  for _, reason in ipairs(reasons) do
    for _, rule in ipairs(reason.rules) do
      if fits(rule, path, line) then
        rule.used = true
        reason.places = reason.places + 1
        return true
      end
    end
  end
  return false
end

local sums, order = {}, {}
local function add(name, lines, lines_run, branches, branches_taken, unlisted)
  if not sums[name] then
    sums[name] = { lines = 0, lines_run = 0, branches = 0, branches_run = 0, unlisted = 0 }
    order[#order + 1] = name
  end
  local s = sums[name]
  s.lines, s.lines_run = s.lines + lines, s.lines_run + lines_run
  s.branches, s.branches_run = s.branches + branches, s.branches_run + branches_taken
  s.unlisted = s.unlisted + unlisted
end

local paths = {}
for path in pairs(files) do paths[#paths + 1] = path end
table.sort(paths)
local missing, other_branches = {}, 0
for _, path in ipairs(paths) do
  local numbers = {}
  for at in pairs(files[path]) do numbers[#numbers + 1] = at end
  table.sort(numbers)
  local lines, lines_run, branches, branches_taken, unlisted = 0, 0, 0, 0, 0
  for _, at in ipairs(numbers) do
    local line = files[path][at]
    if line.runs then
      local untaken = 0
      for _, taken in ipairs(line.branches) do
        if taken == 0 then untaken = untaken + 1 end
      end
      lines, branches, branches_taken = lines + 1, branches + #line.branches, branches_taken + #line.branches - untaken
      if line.runs > 0 then lines_run = lines_run + 1 end
      if line.runs == 0 or untaken > 0 then
        local known = listed(path, line)
        if not known and line.runs == 0 then unlisted = unlisted + 1 end
        if not known and line.runs > 0 then other_branches = other_branches + 1 end
        missing[#missing + 1] = { path = path, known = known, text = ("%s:%d  %s%s  %s"):format(path, at,
          line.runs == 0 and "never run" or ("%d of %d branches"):format(untaken, #line.branches),
          known and " (listed)" or "", line.text:match("^%s*(.*)")) }
      end
    end
  end
  add(path:match("^(.*)/[^/]*$"), lines, lines_run, branches, branches_taken, unlisted)
  add(path:match("^[^/]*"), lines, lines_run, branches, branches_taken, unlisted)
  add("all", lines, lines_run, branches, branches_taken, unlisted)
end

local wanted = arg[1]
if wanted then
  for _, m in ipairs(missing) do
    if m.path:sub(1, #wanted) == wanted then print(m.text) end
  end
end

local function share(run, of)
  return of == 0 and 100 or 100 * run / of
end
table.sort(order)
print(("%-28s %7s %7s %9s %7s %9s"):format("folder", "lines", "%", "branches", "%", "unlisted"))
for _, name in ipairs(order) do
  local s = sums[name]
  print(("%-28s %7d %7.2f %9d %7.2f %9d"):format(name, s.lines, share(s.lines_run, s.lines), s.branches,
    share(s.branches_run, s.branches), s.unlisted))
end

print("\nmissing, by reason (tests/coverage/rest.txt):")
for _, reason in ipairs(reasons) do print(("%5d  %s"):format(reason.places, reason.text)) end
print(("%5d  One way out of a condition is never taken, no line hangs on it."):format(other_branches))
print(("%5d  Lines without a reason."):format(sums.all.unlisted))

local good = true
local function refuse(...)
  print((...):format(select(2, ...)))
  good = false
end
for _, bound in ipairs(bounds) do
  local name, what, least = table.unpack(bound)
  local s = sums[name]
  local has = share(s[what .. "_run"], s[what])
  if has < least then refuse("%s of %s: %.2f %%, the bound is %d %%", what, name, has, least) end
end
if sums.all.unlisted > 0 then
  refuse("%d lines are never run and not in tests/coverage/rest.txt; with a folder this program prints them",
    sums.all.unlisted)
end
for _, reason in ipairs(reasons) do
  for _, rule in ipairs(reason.rules) do
    if not rule.used then refuse("tests/coverage/rest.txt: nothing is missing at %s: %s", rule.path, rule.text) end
  end
end
os.exit(good)
