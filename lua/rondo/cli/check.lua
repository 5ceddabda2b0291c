-- cli/check.lua - rondo check: does a plugin keep the rules of the border (plugins/README.md)?
--
-- The rules are those of the programs check-f32 and check-f64 (tests/validate): each is a process of its own there.
-- A source is compiled for both; what is compared in double alone is the second's.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local errors = require "rondo.errors"
local places = require "rondo.places"
local progress = require "rondo.progress"

local BAD = { fail = true, crash = true, timeout = true }

local function options(cli)
  local parser = cli.parser("check", "Looks whether plugins keep the rules that plugins/README.md numbers. A source, "
    .. "FILE.c, is compiled first, by $CC or cc, once with numbers in float and once in double: some rules, as that of "
    .. "gradients (C6), are beyond float. Of a shared object alone these are skipped, unless --double names the "
    .. "same plugin built with -DRD_REAL_DOUBLE, which is what rondo_add_plugin() has its test do. A folder stands for "
    .. "the shared objects in it. Ends with 5 if a rule is broken, 3 if a file cannot be read or compiled.")
  parser:argument("file", "FILE.c, FILE.so, or a folder of them"):args "+"
  parser:option("--double", "the plugin FILE.so as built with -DRD_REAL_DOUBLE"):argname "<file>"
  parser:option("--only", "only the rules of this number, as C4 (may be repeated)"):argname "<rule>":count "*"
  parser:option("--time-limit", "seconds that one rule may take"):argname "<x>":default(20.0)
    :convert(cli.number("--time-limit", "real", 0.01, 86400)):hidden_name "--time_limit"
  parser:flag("--json", "one JSON object: files with their results, and counts")
  return parser
end

local function quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

-- ---- files and programs ------------------------------------------------------------------------------------------

local function checker(name)
  return places.checker(name) or
    errors.stop(errors.SCRIPT, ("check: this Rondo was built without %s (RONDO_CHECK=OFF)"):format(name))
end

-- The shared objects of folders, and files as they are.
local function files_of(list)
  local found = {}
  for _, path in ipairs(list) do
    local stat, message = core.stat(path)
    if not stat then
      errors.stop(errors.DATA, message)
    elseif stat.kind == "dir" then
      local names = assert(core.listdir(path))
      table.sort(names)
      for _, name in ipairs(names) do
        if name:find "%.so$" and name:sub(1, 1) ~= "." then
          found[#found + 1] = path .. "/" .. name
        end
      end
    elseif not path:find "%.c$" and not path:find "%.so$" then
      errors.stop(errors.USAGE, ("check: '%s' is neither a source, FILE.c, nor a shared object, FILE.so"):format(path))
    else
      found[#found + 1] = path
    end
  end
  if #found == 0 then
    errors.stop(errors.DATA, "check: there is no shared object in the folder")
  end
  return found
end

local function compiler()
  local words = {}
  for word in (os.getenv "CC" or ""):gmatch "%S+" do
    words[#words + 1] = word
  end
  return #words > 0 and words or { "cc" }
end

-- A new folder, which is gone at the end of its block. Until then signals are noted alone, for stop_if_interrupted().
local function temporary()
  core.catch_signals(true)
  local file = os.tmpname()
  local path = file .. ".check"
  assert(core.mkdir(path))
  return setmetatable({ path = path }, { __close = function()
    for _, name in ipairs(core.listdir(path) or {}) do
      core.remove(path .. "/" .. name)
    end
    core.remove(path)
    os.remove(file)
    core.catch_signals(false)
  end })
end

local function stop_if_interrupted()
  local signal = core.interrupted()
  if signal then
    errors.stop(signal == "SIGINT" and errors.INTERRUPTED or errors.TEMPFAIL, "check: stopped by " .. signal)
  end
end

-- Compiles a source to `to`, or the program ends with what the compiler says.
local function compile(source, to, own_flags)
  local command, flags = compiler(), require "rondo.plugin_flags"()
  for _, list in ipairs { flags.cflags, own_flags, { "-shared", source, "-o", to }, flags.libs } do
    table.move(list, 1, #list, #command + 1, command)
  end
  local busy = progress.busy("compiling " .. source)
  local result, message = core.run(command)
  busy:close()
  stop_if_interrupted()
  if not result then
    errors.stop(errors.DATA, ("check: the compiler does not run: %s ($CC says which one to take)"):format(message))
  end
  io.stderr:write(result.stderr)
  if result.code ~= 0 then
    errors.stop(errors.DATA, ("check: %s cannot be compiled by %s"):format(source, command[1]))
  end
end

-- ---- running -----------------------------------------------------------------------------------------------------

local FIELDS = "^(%S+)\t(%S+)\t(%S+)\t([^\t]*)\t([^\t]*)\t([^\t]*)$"

-- Runs the rules of one shared object, and calls found(result) for each.
local function run(program, path, which, o, found)
  local command = { quote(program), "--lib-dir", quote(core.lib_dir()), "--rules", which, "--time-limit",
    ("%.17g"):format(o.time_limit) }
  for _, rule in ipairs(o.only) do
    table.move({ "--only", quote(rule) }, 1, 2, #command + 1, command)
  end
  command[#command + 1] = quote(path:find "^/" and path or "./" .. path)
  local pipe = io.popen(table.concat(command, " "))
  local lines = pipe:lines()
  -- The line of a rule that takes long is away again before its result is shown.
  local function next_line()
    local _ <close> = progress.busy("checking " .. path)
    return lines()
  end
  for line in next_line do
    local status, rule, kind, name, says, message = line:match(FIELDS)
    if status then
      found { status = status, rule = rule, kind = kind, name = kind ~= "file" and name or nil, says = says,
        message = message ~= "" and message or nil }
    end
    if core.interrupted() then
      break
    end
  end
  local ended, _, code = pipe:close()
  stop_if_interrupted()
  if not ended and code == errors.USAGE then
    errors.stop(errors.USAGE) -- it has said why
  elseif not ended and code ~= errors.BROKEN then
    errors.stop(code == 3 and errors.DATA or errors.SCRIPT, ("check: %s ended with %d"):format(program, code))
  end
end

-- All rules of one file, in whatever form it is.
local function check(file, double, o, found)
  if file:find "%.so$" then
    if core.real == "double" or not double then
      return run(checker(core.real == "double" and "check-f64" or "check-f32"), file, "all", o, found)
    end
    run(checker "check-f32", file, "single", o, found)
    return run(checker "check-f64", double, "double", o, found)
  end
  local folder <close> = temporary()
  local name = file:match "[^/]*$":gsub("%.c$", "")
  local single, in_double = folder.path .. "/" .. name .. ".so", folder.path .. "/" .. name .. "_f64.so"
  -- What double is for needs no speed, and its copies for each instruction set only take time to compile.
  compile(file, in_double, { "-O1", "-DRD_REAL_DOUBLE", "-DRD_NO_CLONES" })
  if core.real == "double" then
    return run(checker "check-f64", in_double, "all", o, found)
  end
  compile(file, single, {})
  run(checker "check-f32", single, "single", o, found)
  run(checker "check-f64", in_double, "double", o, found)
end

-- ---- showing -----------------------------------------------------------------------------------------------------

local function show(r)
  local what = r.message or r.says
  if r.status == "skip" or r.status == "timeout" or r.status == "crash" then
    what = r.says .. ": " .. what
  end
  io.stdout:write(("  %-7s %-3s %s%s\n"):format(r.status, r.rule, r.name and r.name .. ": " or "", what))
  io.stdout:flush()
end

local function counter()
  local counts = { passed = 0, failed = 0, skipped = 0, warnings = 0 }
  return counts, function(r)
    local field = BAD[r.status] and "failed" or r.status == "skip" and "skipped" or "passed"
    counts[field] = counts[field] + 1
    counts.warnings = counts.warnings + (r.status == "warn" and 1 or 0)
  end
end

local function summary(c)
  return ("%d passed, %d failed, %d skipped%s"):format(c.passed, c.failed, c.skipped,
    c.warnings > 0 and (", %d warning%s"):format(c.warnings, c.warnings > 1 and "s" or "") or "")
end

-- Of one of several files: what there is to say.
local function show_in_short(counts, results)
  io.stdout:write(summary(counts), "\n")
  for _, r in ipairs(results) do
    if BAD[r.status] or r.status == "warn" then
      show(r)
    end
  end
end

return function(arguments, cli)
  local o = cli.parse(options(cli), arguments)
  local files = files_of(o.file)
  if o.double and (#files > 1 or not files[1]:find "%.so$") then
    errors.stop(errors.USAGE, "check: --double goes with one FILE.so")
  end
  local all, count_all = counter()
  local reports = {}
  for i, file in ipairs(files) do
    local counts, count = counter()
    local results = {}
    if not o.json then
      io.stdout:write(file, #files == 1 and "\n" or ": ")
    end
    check(file, o.double, o, function(r)
      results[#results + 1] = r
      count(r)
      count_all(r)
      if not o.json and #files == 1 then
        show(r)
      end
    end)
    if #files > 1 and not o.json then
      show_in_short(counts, results)
    end
    reports[i] = { file = file, results = results }
  end
  if o.json then
    all.files = reports
    io.stdout:write(require("rondo.json").encode(all), "\n")
  else
    io.stdout:write(summary(all), "\n")
  end
  return all.failed > 0 and errors.BROKEN or 0
end
