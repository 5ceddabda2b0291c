--[[ check_style.lua - the mechanical rules of core/STYLE.md, by number: sizes, includes, names of places.

usage: lua5.4 scripts/check_style.lua [FILE...]     from the source folder; all files if none is named

Prints "file:line: rule N: what is wrong" and ends with status 1 if there is anything to say. The arrows of
the house (who may include whom) are rule 15; core/README.md draws them.
SPDX-License-Identifier: MIT ]]

local findings, guards = 0, {}

local function say(file, line, rule, text)
  findings = findings + 1
  print(("%s:%d: rule %d: %s"):format(file, line, rule, text))
end

local function list_files()
  local git = io.popen("git ls-files --cached --others --exclude-standard 2>/dev/null")
  local files = {}
  for file in git:lines() do files[#files + 1] = file end
  git:close()
  if #files == 0 then -- not a clone
    local find = io.popen("find . -type f -not -path './build/*' | sed 's,^./,,'")
    for file in find:lines() do files[#files + 1] = file end
    find:close()
  end
  return files
end

local function read_lines(path)
  local handle = io.open(path, "rb")
  if not handle then return nil end -- deleted, not yet committed
  local text = handle:read("a")
  handle:close()
  local lines = {}
  for line in (text:sub(-1) == "\n" and text or text .. "\n"):gmatch("(.-)\n") do lines[#lines + 1] = line end
  return lines, text
end

-- C text without comments, strings and characters; every line keeps its number.
local function code_of(text)
  local out, i = {}, 1
  while i <= #text do
    local two, one = text:sub(i, i + 1), text:sub(i, i)
    local last
    if two == "/*" then
      last = select(2, text:find("*/", i + 2, true)) or #text
    elseif two == "//" then
      last = (text:find("\n", i, true) or #text + 1) - 1
    elseif one == '"' or one == "'" then
      last = i + 1
      while last <= #text and text:sub(last, last) ~= one do
        last = last + (text:sub(last, last) == "\\" and 2 or 1)
      end
    end
    if last then
      local start = text:sub(1, i):match("[^\n]*$")
      local blank = text:sub(i, last):gsub("[^\n]", " ")
      out[#out + 1] = start:find("^%s*#%s*include") and text:sub(i, last) or blank
      i = last + 1
    else
      local next_mark = text:find("[/\"']", i + 1) or #text + 1
      out[#out + 1] = text:sub(i, next_mark - 1)
      i = next_mark
    end
  end
  return table.concat(out)
end

-- Rule 54 is for what is written by hand.
local made = { ["lua/library/options.lua"] = true }

-- Rules 2, 7, 14, 54 and white space: every file of code.
local function check_text(file, lines)
  local top = table.concat(lines, "\n", 1, math.min(#lines, 40))
  local name = file:match("[^/]*$")
  if not top:find("SPDX-License-Identifier: MIT", 1, true) then say(file, 1, 7, "no SPDX line at the top") end
  if file:find("%.[ch]$") or file:find("%.lua$") or file:find("%.sh$") then
    if not (lines[1] .. (lines[2] or "")):find(name .. " %- ") then
      say(file, 1, 2, ("opens with '%s - what it is for'"):format(name))
    end
  end
  if #lines > 800 and not made[file] then
    say(file, 801, 54, ("%d lines; 800 is the limit"):format(#lines))
  elseif #lines > 400 and not top:find("400 lines", 1, true) then
    say(file, 401, 54, ("%d lines; over 400 the top comment gives the reason ('over 400 lines: ...')"):format(#lines))
  end
  -- clang-format holds C code to 100 columns; the last word of a comment may stand out to 110.
  local limit = file:find("%.[ch]$") and 110 or 120
  for n, line in ipairs(lines) do
    if line:find("[ \t\r]$") then say(file, n, 1, "white space at the end of the line") end
    if line:find("\t", 1, true) and not file:find("%.tsv$") then say(file, n, 1, "a tab") end
    if (utf8.len(line) or #line) > limit then say(file, n, 1, ("over %d columns"):format(limit)) end
    local mark = line:match("%f[%w]TO" .. "DO%f[%W]") or line:match("%f[%w]FIX" .. "ME%f[%W]")
    if mark and not line:find("#%d") then say(file, n, 14, mark .. " without an issue number (#12)") end
  end
end

-- Rule 23. A C function's body begins and ends with a brace in column 1 (rule 1 puts them there).
local function check_c_functions(file, lines)
  local start
  for n, line in ipairs(lines) do
    if line == "{" then
      start = n
    elseif line == "}" and start then
      if n - start - 1 > 60 then say(file, start, 23, ("a function of %d lines"):format(n - start - 1)) end
      start = nil
    end
  end
end

local function check_lua_functions(file, lines)
  local start
  for n, line in ipairs(lines) do
    if line:find("^local function ") or line:find("^function ") or line:find("^[%w_.]+ = function") then
      start = n
    elseif start and line:find("^end") then
      if n - start - 1 > 60 then say(file, start, 23, ("a function of %d lines"):format(n - start - 1)) end
      start = nil
    end
  end
end

-- Rule 15, the arrows. {files, what they may include in quotes, which <libraries> they may not}
local lua_headers, hdf5 = { "lua.h", "lauxlib.h", "lualib.h" }, { "hdf5.h" }
local arrows = {
  { "^core/include/rondo/", { "^[%w_]+%.h$" }, { lua_headers, hdf5 } },
  { "^core/include/rondo%.h$", { "^rondo/" }, { lua_headers, hdf5 } },
  { "^core/base/", { "^base/", "^core%.h$", "^rondo%.h$", "^rondo/", "^[%w_]+%.h$" }, { lua_headers, hdf5 } },
  { "^core/plugin/", { "^base/", "^plugin/", "^core%.h$", "^rondo%.h$", "^rondo/", "^[%w_]+%.h$" },
    { lua_headers, hdf5 } },
  { "^core/engine/", { "^base/", "^plugin/", "^engine/", "^core%.h$", "^rondo%.h$", "^rondo/", "^[%w_]+%.h$" },
    { lua_headers, hdf5 } },
  { "^core/learn/", { "^base/", "^engine/", "^learn/", "^core%.h$", "^rondo%.h$", "^rondo/", "^[%w_]+%.h$" },
    { lua_headers, hdf5 } },
  { "^core/text/", { "^base/", "^store/files%.h$", "^text/", "^core%.h$", "^rondo%.h$", "^rondo/", "^[%w_]+%.h$" },
    { lua_headers, hdf5 } },
  { "^core/store/hdf5_", { "^base/", "^store/", "^core%.h$", "^rondo%.h$", "^rondo/", "^[%w_]+%.h$" },
    { lua_headers } },
  { "^core/store/", { "^base/", "^text/utf8%.h$", "^store/", "^core%.h$", "^rondo%.h$", "^rondo/", "^[%w_]+%.h$" },
    { lua_headers, hdf5 } },
  { "^core/", { "" }, { lua_headers, hdf5 } },
  { "^plugins/kernels/", { "^rondo/", "^[%w_]+%.h$", "^%.%./[%w_]+%.h$" }, { lua_headers, hdf5 } },
  { "^plugins/", { "^rondo/", "^[%w_]+%.h$" }, { lua_headers, hdf5 } },
  { "^lua/command/", { "^rondo%.h$", "^[%w_]+%.h$" }, { hdf5 } },
  { "^lua/src/", { "^rondo%.h$", "^rondo/", "^[%w_]+%.h$" }, { hdf5 } },
}
-- Arrows that point up, each with its reason.
local exceptions = {
  ["core/base/tensor.c"] = { ["engine/tape.h"] = "a tensor owns the node that made it, and releases it" },
}
-- What a bare name may not be: these are found on the core's own include path.
local core_only = { ["core.h"] = true, ["rondo.h"] = true, ["rondo_custom.h"] = true,
  ["rondo_check.h"] = true }

local function check_include(file, n, arrow, line)
  local quoted, system = line:match('^%s*#%s*include%s+"(.-)"'), line:match("^%s*#%s*include%s+<(.-)>")
  -- A plugin's author finds our headers where they are installed, and may write <rondo/cell.h>.
  if system and system:find("^rondo/") then quoted, system = system, nil end
  if quoted then
    local allowed = (exceptions[file] or {})[quoted] ~= nil
    for _, pattern in ipairs(arrow[2]) do allowed = allowed or quoted:find(pattern) ~= nil end
    if not allowed or (file:find("^plugins/") and core_only[quoted]) then
      say(file, n, 15, ("'%s' may not be included here (the arrows point down)"):format(quoted))
    end
  elseif system then
    for _, list in ipairs(arrow[3]) do
      for _, name in ipairs(list) do
        if system == name then say(file, n, 15, ("<%s> may not be included here"):format(name)) end
      end
    end
  end
end

-- Bit contract, rule 2, and C functions that lead to overruns.
local forbidden = {}
for name in ("exp log log2 log10 log1p expm1 exp2 pow sin cos tan sinh cosh tanh asin acos atan atan2 erf erfc " ..
  "tgamma lgamma cbrt hypot"):gmatch("%S+") do
  local reason = "is a libm function whose bits depend on the machine (bits, rule 2): use rondo/pointmath.h"
  forbidden[name], forbidden[name .. "f"] = reason, reason
end
local unsafe = {}
for name in ("strcpy strcat sprintf vsprintf gets alloca atoi atol atof strtok"):gmatch("%S+") do
  unsafe[name] = "has no bound, no error or hidden state"
end

-- Rule 40.
local may_ask_platform = { ["core/base/cpu.c"] = true, ["core/base/pool.c"] = true,
  ["core/plugin/loader.c"] = true, ["core/include/rondo/pointmath.h"] = true,
  ["core/include/rondo/cell.h"] = true }

local function check_c_code(file, text)
  local product = file:find("^core/") or file:find("^plugins/")
  local bounded = product or file:find("^lua/")
  local n = 0
  for line in (code_of(text) .. "\n"):gmatch("(.-)\n") do
    n = n + 1
    for name in line:gmatch("%f[%w_]([%a_][%w_]*)%s*%(") do
      local reason = (bounded and unsafe[name]) or (product and forbidden[name])
      if reason and not line:find("[.>]" .. name) then say(file, n, 20, ("%s() %s"):format(name, reason)) end
    end
    if product and not may_ask_platform[file] and not file:find("^plugins/kernels/")
      and line:find("^%s*#%s*e?l?if") and (line:find("__x86_64__") or line:find("__aarch64__")
      or line:find("__AVX") or line:find("__linux__") or line:find("_WIN32") or line:find("__APPLE__")) then
      say(file, n, 40, "platform #if outside cpu.c, pool.c, loader.c, pointmath.h, cell.h and kernels/")
    end
    if product and (line:find("include%s*<[%w]*intrin%.h>") or line:find("include%s*<arm_neon%.h>")) then
      if not may_ask_platform[file] and not file:find("^plugins/kernels/") then
        say(file, n, 40, "intrinsics outside cpu.c, pool.c, pointmath.h and kernels/")
      end
    end
  end
end

-- Rule 16. A *_body.h is one source for several instruction sets and is included more than once; the frozen headers of
-- an ABI are those of their time, guards too.
local function check_guard(file, text)
  if file:find("_body%.h$") or file:find("^tests/abi/%d") then return end
  local base = file:match("([^/]*)%.h$"):upper():gsub("[^%w]", "_")
  local guard = text:match("#ifndef%s+([%w_]+)%s*\n%s*#define%s+([%w_]+)")
  if not guard then return say(file, 1, 16, "no header guard") end
  if not guard:find(base .. "_H$") then say(file, 1, 16, ("guard %s does not end in %s_H"):format(guard, base)) end
  if guards[guard] then say(file, 1, 16, ("guard %s is also that of %s"):format(guard, guards[guard])) end
  guards[guard] = file
end

local function check_c(file, lines, text)
  check_c_functions(file, lines)
  check_c_code(file, text)
  if file:find("%.h$") then check_guard(file, text) end
  for _, arrow in ipairs(arrows) do
    if file:find(arrow[1]) then
      for n, line in ipairs(lines) do
        if line:find("^%s*#%s*include") then check_include(file, n, arrow, line) end
      end
      break
    end
  end
end

local function check(file)
  local lines, text = read_lines(file)
  if not lines or #lines == 0 then return end
  if file:find("%.[ch]$") then
    check_text(file, lines)
    check_c(file, lines, text)
  elseif file:find("%.lua$") then
    check_text(file, lines)
    check_lua_functions(file, lines)
  elseif file:find("%.sh$") or file:find("%.py$") or file:find("%.cmake$") or file:find("CMakeLists%.txt$") then
    check_text(file, lines)
  end
end

local files = #arg > 0 and arg or list_files()
for _, file in ipairs(files) do check(file) end
print(("%d files, %d findings"):format(#files, findings))
os.exit(findings == 0)
