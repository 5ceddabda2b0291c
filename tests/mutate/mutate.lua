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
local mutants_in = dofile "tests/mutate/source.lua"
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

local function mutants_of(name, seed)
  local text, hash = read(TREE .. "/" .. name), 0
  local list = mutants_in(name, text)
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
