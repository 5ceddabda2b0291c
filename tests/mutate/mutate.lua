--[[ mutate.lua - small faults put into core/store one at a time: whether the tests find them.

usage: lua5.4 tests/mutate/mutate.lua [SEED] [COUNT] [--survivors] [--list]      from the source folder

A mutant differs in one place: a comparison or an operator is another one, a number is one off, a condition is negated,
a call, an assignment, a return or a goto is missing, something else is returned. COUNT of them (200) are drawn by SEED
(1), from each file in proportion to its lines, and within a file by the seed and its name. One that does not compile,
or whose object code at -O2 is that of the source or of a mutant before it, is replaced by the next. Sizes of arrays,
text and what the preprocessor reads are left alone, and two kinds of change that are none:

  a < b ? a : b, if (a > b) a = b    with <= and >=: where the two are equal either is the smaller one
  id < 0, id >= 0 of a hid_t         with <=, > and 1: HDF5 gives out positive numbers or -1, never 0

Everything happens in a copy of the tree, build/mutate/tree. A mutant is killed if a C test of tests/store or
tests/faults fails, crashes or hangs, or else one of the specs below. Each runs in a process space and a /tmp of its own
(unshare), because a mutant may kill any process or remove any file; and with a malloc that looks at the ends of blocks
and fills them with rubbish, as the sanitizers of the test runs would. Survivors are printed, with the rate; the status
is 1 if less than 90 % are killed. --survivors takes those alone that the last run of this seed has left; --list prints
the mutants and runs nothing.
SPDX-License-Identifier: MIT ]]
local FOLDER, REQUIRED = "core/store", 0.9
local SPECS = { "core_store", "series_hdf5", "bad_input" } -- archives, datasets, files that are not what they should be
local ELSEWHERE = { test_lua_memory = true, test_memory_faults = true } -- of tests/faults, about other folders
local TREE, BUILD = "build/mutate/tree", "build/mutate/build"

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
end

local function output(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  assert(pipe:close(), "failed: " .. command)
  return text
end

local function set(names)
  local s = {}
  for name in names:gmatch "%S+" do s[name] = true end
  return s
end

-- ---- C as tokens ----

local LONG = set "<<= >>= ... -> ++ -- << >> <= >= == != && || += -= *= /= %= &= |= ^="
local TYPES = set [[bool char const double enum float int long short signed size_t ssize_t static struct unsigned void
  int32_t int64_t uint32_t uint64_t hid_t hsize_t herr_t pid_t]]
local WORDS = set "break case continue default do else for goto if return sizeof switch while _Static_assert"
local OPENS, CLOSES = set "( [ {", set ") ] }"

local PATTERNS = { { "^%s+", "blank" }, { "^/%*.-%*/", "blank" }, { "^#.-[^\\]\n", "blank" }, { "^%d[%w.]*", "number" },
  { "^[%a_][%w_]*", "word" } }

-- Where the blank, comment, line of the preprocessor or token at i ends, and what it is.
local function scan(text, i)
  for _, pattern in ipairs(PATTERNS) do
    local _, last = text:find(pattern[1], i)
    if last then return last, pattern[2] end
  end
  local quote, last = text:match("^[\"']", i), i + 1
  if quote then
    while text:sub(last, last) ~= quote do last = last + (text:sub(last, last) == "\\" and 2 or 1) end
    return last, "text"
  end
  last = LONG[text:sub(i, i + 2)] and i + 2 or LONG[text:sub(i, i + 1)] and i + 1 or i
  return last, "sign"
end

-- Tokens with their lines; an opening one knows its closing one (match), and the other way.
local function tokens_of(text)
  local tokens, open, i, line, begin = {}, {}, 1, 1, 1
  while i <= #text do
    local last, kind = scan(text, i)
    if kind ~= "blank" then
      local t = { text = text:sub(i, last), kind = kind, from = i, to = last, place = line .. ":" .. i - begin + 1 }
      tokens[#tokens + 1] = t
      if OPENS[t.text] then
        open[#open + 1] = #tokens
      elseif CLOSES[t.text] then
        t.match = table.remove(open)
        tokens[t.match].match = #tokens
      end
    end
    for at in text:sub(i, last):gmatch "()\n" do line, begin = line + 1, i + at end
    i = last + 1
  end
  return tokens
end

-- ---- mutants of a file ----

local OTHER = { ["<"] = "<=", ["<="] = "<", [">"] = ">=", [">="] = ">", ["=="] = "!=", ["!="] = "==", ["&&"] = "||",
  ["||"] = "&&", ["+="] = "-=", ["-="] = "+=", ["*="] = "/=", ["/="] = "*=", ["++"] = "--", ["--"] = "++" }
local BINARY = { ["+"] = "-", ["-"] = "+", ["*"] = "/", ["/"] = "*", ["%"] = "*" }

local Source = {}
Source.__index = Source

-- Replaces tokens first to last. Line ends stay, so that asserts keep their numbers.
function Source:add(first, last, new)
  local a, b = self.tokens[first], self.tokens[last]
  local old = self.text:sub(a.from, b.to)
  local lines = select(2, old:gsub("\n", "")) - select(2, new:gsub("\n", ""))
  local function short(code) return code:gsub("%s+", " "):gsub("^(" .. ("."):rep(90) .. ").*", "%1...") end
  self.mutants[#self.mutants + 1] = { from = a.from, to = b.to, put = new .. ("\n"):rep(lines),
    name = ("%s:%s: %s  ->  %s"):format(self.name, a.place, short(old), short(new)) }
end

function Source:between(first, last)
  return self.text:sub(self.tokens[first].from, self.tokens[last].to)
end

local STOPS = set "= ; , && || ? : return"

-- The operand that begins (step 1) or ends (step -1) at i, without blanks and casts; the place behind it.
function Source:operand(i, step)
  local first, ends = i, step > 0 and CLOSES or OPENS
  while not STOPS[self.tokens[i].text] and not ends[self.tokens[i].text] do
    i = (self.tokens[i].match or i) + step
  end
  local text = self:between(math.min(first, i - step), math.max(first, i - step))
  return (text:gsub("%s", ""):gsub("^%([%a_][%w_]*%)", "")), i
end

-- Whether the smaller or larger one of two is taken by the comparison at i.
function Source:takes_one_of_two(i)
  local tokens, a, b, stop = self.tokens, self:operand(i - 1, -1), self:operand(i + 1, 1)
  local choice = tokens[stop].text == "?" and ":"
    or tokens[stop].text == ")" and tokens[tokens[stop].match - 1].text == "if" and "="
  if not choice then return false end
  local x, mark = self:operand(stop + 1, 1)
  local y = tokens[mark].text == choice and self:operand(mark + 1, 1)
  return x == a and y == b or x == b and y == a
end

-- Names that are declared as hid_t somewhere in the file, those of functions aside.
function Source:identifiers()
  local names, tokens = {}, self.tokens
  for i, t in ipairs(tokens) do
    local more = t.text == "hid_t"
    while more and tokens[i + 1].kind == "word" and set ", ; = )"[tokens[i + 2].text] do
      names[tokens[i + 1].text] = true
      i = i + 2
      while not CLOSES[tokens[i].text] and tokens[i].text ~= "," and tokens[i].text ~= ";" do
        i = (tokens[i].match or i) + 1
      end
      more = tokens[i].text == ","
    end
  end
  return names
end

-- Whether the comparison at i is of an identifier with 0.
function Source:is_of_identifier(i)
  local text = self.tokens[i].text
  return (text == "<" or text == ">=") and self.tokens[i + 1].text == "0" and self.ids[self.tokens[i - 1].text]
end

-- Operators and numbers of one token.
function Source:token(i)
  local t, before, after = self.tokens[i], self.tokens[i - 1], self.tokens[i + 1]
  if self:is_of_identifier(i) or self:is_of_identifier(i - 1) then return end
  if t.text:find "^[<>]=?$" and self:takes_one_of_two(i) then return end
  if t.kind == "number" then
    local digits, suffix = t.text:match "^(.-)([UuLl]*)$"
    local n = tonumber(digits)
    if n then self:add(i, i, ("%s%s"):format(n == 0 and 1 or n + (i % 2 == 0 and 1 or -1), suffix)) end
  elseif OTHER[t.text] then
    self:add(i, i, OTHER[t.text])
  elseif BINARY[t.text] and (before.kind == "number" or before.text == ")" or before.text == "]"
    or before.kind == "word" and not TYPES[before.text] and not WORDS[before.text])
    and after.text ~= ")" and after.text ~= "," then
    self:add(i, i, BINARY[t.text])
  end
end

function Source:all_tokens(first, last)
  for i = first, last do self:token(i) end
end

-- The condition [first, last] of the parenthesis at `open`, and what else is in that.
function Source:negate(open, first, last)
  if first <= last then self:add(first, last, "!(" .. self:between(first, last) .. ")") end
  self:all_tokens(open, self.tokens[open].match)
end

function Source:is_declaration(i)
  local t, after = self.tokens[i], self.tokens[i + 1]
  if t.kind ~= "word" or WORDS[t.text] then return false end
  return TYPES[t.text] or after.kind == "word" or after.text == "*" and self.tokens[i + 2].kind == "word"
end

-- In a declaration the sizes of arrays are left alone.
function Source:declaration(first, last)
  local i, value = first, false
  while i <= last do
    local t = self.tokens[i]
    value = t.text == "=" or value and t.text ~= ","
    if t.text == "[" and not value then
      i = t.match
    elseif OPENS[t.text] then
      self:all_tokens(i, t.match)
      i = t.match
    else
      self:token(i)
    end
    i = i + 1
  end
end

-- Something else is returned: what that is depends on the type.
function Source:returned(first, last)
  local kind = self.kind
  local value = first <= last and self:between(first, last)
  if not value then return end
  local opposite = { ["true"] = "false", ["false"] = "true", RD_OK = "RD_E_IO" }
  if opposite[value] then
    self:add(first, last, opposite[value])
  elseif kind:find("*", 1, true) then
    if value ~= "NULL" then self:add(first, last, "NULL") end
  elseif kind:find "bool" then
    self:add(first, last, "!(" .. value .. ")")
  elseif kind:find "rd_status" then
    self:add(first, last, "((void)(" .. value .. "), RD_OK)")
  else
    self:add(first, last, "(" .. value .. ") + 1")
  end
end

-- The statement at i; the place behind it.
function Source:statement(i)
  local tokens = self.tokens
  local word = tokens[i].text
  if word == "{" then
    local last = tokens[i].match
    i = i + 1
    while i < last do i = self:statement(i) end
    return last + 1
  elseif word == "if" or word == "while" or word == "switch" then
    self:negate(i + 1, i + 2, word == "switch" and i or tokens[i + 1].match - 1)
    i = self:statement(tokens[i + 1].match + 1)
    return word == "if" and tokens[i].text == "else" and self:statement(i + 1) or i
  elseif word == "for" then
    local close, first = tokens[i + 1].match, i + 2
    while tokens[first - 1].text ~= ";" do first = first + 1 end
    local last = first
    while tokens[last].text ~= ";" do last = last + 1 end
    self:negate(i + 1, first, last - 1)
    return self:statement(close + 1)
  elseif word == "do" then
    i = self:statement(i + 1) -- at its while
    self:negate(i + 1, i + 2, tokens[i + 1].match - 1)
    return tokens[i + 1].match + 2
  elseif word == "case" or word == "default" or tokens[i + 1].text == ":" then
    while tokens[i].text ~= ":" do i = i + 1 end
    return self:statement(i + 1)
  end
  local last = i
  while tokens[last].text ~= ";" do last = (tokens[last].match or last) + 1 end
  if self:is_declaration(i) then
    self:declaration(i, last)
    return last + 1
  end
  if word == "return" then self:returned(i + 1, last - 1) end
  if word ~= "break" and word ~= "continue" and last + 1 ~= (word == "return" and self.last) then
    self:add(i, last, ";")
  end
  self:all_tokens(i, last)
  return last + 1
end

-- Functions and enumerations; what else there is outside of functions is left alone.
function Source:outside()
  local i, first = 1, 1
  while i <= #self.tokens do
    local t = self.tokens[i]
    if t.text == ";" then
      first = i + 1
    elseif t.text == "{" and self.tokens[i - 1].text == ")" then
      self.kind = self:between(first, self.tokens[i - 1].match - 2)
      self.last = t.match
      self:statement(i)
      i, first = t.match, t.match + 1
    elseif t.text == "{" then
      if self.tokens[first].text == "enum" then self:all_tokens(i, t.match) end
      i = t.match
    end
    i = i + 1
  end
end

local function mutants_of(name, seed)
  local text, list, hash = read(TREE .. "/" .. name), {}, 0
  local source = setmetatable({ name = name, text = text, tokens = tokens_of(text), mutants = list }, Source)
  source.ids = source:identifiers()
  source:outside()
  for k = 1, #name do hash = (hash * 31 + name:byte(k)) % (1 << 31) end
  math.randomseed(seed, hash)
  for k = #list, 2, -1 do
    local other = math.random(k)
    list[k], list[other] = list[other], list[k]
  end
  return list, text
end

-- The files, and how many mutants each is to have: in proportion to its lines, rounded so that the sum is right.
local function quotas(count)
  local files, all, sum, before = {}, tonumber(output("cat " .. FOLDER .. "/*.c | wc -l")), 0, 0
  for name in output("ls " .. FOLDER .. "/*.c"):gmatch "[^\n]+" do
    sum = sum + select(2, read(name):gsub("\n", ""))
    files[#files + 1] = { name = name, n = count * sum // all - before }
    before = count * sum // all
  end
  return files
end

-- ---- building and testing ----

local function ninja(targets)
  return (os.execute(("ninja -C %s -j 1 %s >build/mutate/ninja.log 2>&1"):format(BUILD, targets)))
end

-- Sources are touched, because objects of the last mutants are newer.
local function make_tree()
  output(("T=%s; rm -rf $T && mkdir -p $T build/mutate/empty && git ls-files -z -co --exclude-standard | "
    .. "tar --null -T - -cf - | tar -C $T -xf - && touch $T/%s/*.c"):format(TREE, FOLDER))
  output(("cmake -S %s -B %s -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS='-O2 -Werror=return-type' "
    .. "-DRONDO_CHECK=OFF"):format(TREE, BUILD))
end

local function object_code(object)
  output(("strip -o build/mutate/stripped.o %s/%s"):format(BUILD, object))
  return read "build/mutate/stripped.o"
end

-- The tests: { name, target, shell command }.
local function tests()
  local here, list = output("pwd"):gsub("\n", ""), {}
  local build, tree = here .. "/" .. BUILD, here .. "/" .. TREE
  for name in output("ls tests/store && ls tests/faults"):gmatch "(test_[%w_]+)%.c" do
    list[#list + 1] = not ELSEWHERE[name] and { name = name, target = name .. " rondo_hdf5",
      command = ("cd %s/build/mutate/empty && %s/tests/%s"):format(here, build, name) } or nil
  end
  local modules = ("PATH=$B/bin:$PATH LUA_PATH='$B/share/lua/5.4/?.lua;$B/share/lua/5.4/?/init.lua;;' "
    .. "LUA_CPATH='$B/lib/lua/5.4/?.so;;'"):gsub("%$B", build)
  for _, name in ipairs(SPECS) do
    list[#list + 1] = { name = name .. "_spec", target = "rondo_lua rondo_hdf5",
      command = ("cd %s && %s lua5.4 $(command -v busted) tests/lua/%s_spec.lua"):format(tree, modules, name) }
  end
  return list
end

local MALLOC = "export LD_PRELOAD=libc_malloc_debug.so.0 GLIBC_TUNABLES=glibc.malloc.check=3:glibc.malloc.perturb=85"

-- In a process space and a /tmp of its own, all else read-only; the shell is its first process, so the test is not.
local function passes(test)
  write("build/mutate/test.sh", "mount -t tmpfs -o size=512m none /tmp && mount -o remount,bind,ro / && "
    .. "ulimit -d 4000000 && ulimit -c 0 && " .. MALLOC .. " && " .. test.command .. "\nexit $?\n")
  return (os.execute(("timeout -k 1 %d unshare --mount --pid --fork --mount-proc --kill-child sh build/mutate/test.sh "
    .. ">build/mutate/test.log 2>&1 </dev/null"):format(test.seconds)))
end

-- All is well without a mutant, and how long each may take.
local function try_tests(list)
  assert(ninja "all", "the copy of the tree does not build: build/mutate/ninja.log")
  for _, test in ipairs(list) do
    test.seconds = 300
    local start = output "date +%s.%N"
    assert(passes(test), test.name .. " fails without a mutant: build/mutate/test.log (unshare is for root)")
    test.took = output "date +%s.%N" - start
    test.seconds = 15 + math.ceil(5 * test.took)
  end
  table.sort(list, function(a, b) return a.took < b.took end)
end

-- The name of the test that kills what is in the tree now, or nil. It is the first of the list afterwards: what has
-- killed one of a file's mutants may well kill the next.
local function killer(list)
  for k, test in ipairs(list) do
    if not ninja(test.target) or not passes(test) then
      table.insert(list, 1, table.remove(list, k))
      return test.name
    end
  end
end

-- What a run is: mutants tried, those killed, survivors by name.
local Run = {}
Run.__index = Run

function Run:file(file)
  local object = self.object[file.name]
  local list, text = mutants_of(file.name, self.seed)
  local path = TREE .. "/" .. file.name
  assert(ninja(object))
  local seen, taken = { [object_code(object)] = true }, 0
  for _, mutant in ipairs(list) do
    if taken == file.n then break end
    write(path, text:sub(1, mutant.from - 1) .. mutant.put .. text:sub(mutant.to + 1))
    local code = ninja(object) and object_code(object)
    if code and not seen[code] then
      seen[code] = true
      taken = taken + 1
      self:try(mutant.name)
    end
  end
  write(path, text)
end

function Run:try(name)
  if self.only and not self.only[name] then return end
  self.tried = self.tried + 1
  local by = self.list and "" or killer(self.tests)
  if not by then self.survivors[#self.survivors + 1] = name end
  io.write(("%3d %s  %s\n"):format(self.tried, by or "SURVIVES", name)):flush()
end

local function main(args)
  local numbers, flags = {}, {}
  for _, a in ipairs(args) do
    if a:find "^%-%-" then flags[a] = true else numbers[#numbers + 1] = assert(math.tointeger(tonumber(a)), a) end
  end
  local run = setmetatable({ seed = numbers[1] or 1, tests = tests(), tried = 0, survivors = {},
    list = flags["--list"], object = {} }, Run)
  local left = ("build/mutate/survivors-%d.txt"):format(run.seed)
  if flags["--survivors"] then
    run.only = {}
    for line in io.lines(left) do run.only[line] = true end
  end
  make_tree()
  if not run.list then try_tests(run.tests) end
  for object, source in read(BUILD .. "/compile_commands.json"):gmatch '%-o (%S+) %-c %S+/(core/store/[^"]+)"' do
    run.object[source] = run.object[source] or object
  end
  for _, file in ipairs(quotas(numbers[2] or 200)) do run:file(file) end
  if run.list then return true end
  write(left, table.concat(run.survivors, "\n") .. "\n")
  local killed = run.tried - #run.survivors
  print("\nsurvivors:\n" .. read(left))
  print(("%d of %d mutants killed, %.1f %%"):format(killed, run.tried, 100 * killed / run.tried))
  return killed >= REQUIRED * run.tried
end

os.exit(main(arg))
