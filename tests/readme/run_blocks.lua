--[[ run_blocks.lua - runs the code blocks of README files, so that they stay true.

usage: lua5.4 tests/readme/run_blocks.lua FILE.md...     from the source folder, with a build's paths set

Blocks tagged sh, lua, python and c run in order in one scratch folder per file, which shows the source tree
as links; any other tag (text, none) is for reading only. A block whose first line is a comment that ends in a
file's name ("-- hello.lua") is saved under that name for the blocks after it. A block of C is compiled. Blocks
that call the two commands or install something are left out: the tests are those commands.
The last line is "passed failed skipped", three numbers.
SPDX-License-Identifier: MIT ]]

local seconds = 120 -- for one block
local left_out = { "scripts/test", "scripts/demo", "scripts/setup", "scripts/check_fresh", "git clone", "apt%-get",
  "cmake " }
-- Debian's modules are seen by Debian's Python, which need not be the first on PATH.
local python = io.open("/usr/bin/python3") and "/usr/bin/python3" or "python3"
local commands = {
  sh = "bash -euo pipefail %s",
  lua = "lua5.4 %s",
  python = python .. " %s",
  c = "${CC:-gcc} -std=c11 -O1 -Wall -Wextra -fsyntax-only -Icore/include %s",
}
local extensions = { sh = "sh", lua = "lua", python = "py", c = "c" }

local function quote(s) return "'" .. s:gsub("'", "'\\''") .. "'" end

local function capture(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read("a")
  local ok, _, code = pipe:close()
  return text, ok and 0 or code
end

-- List of { tag, line, text }.
local function blocks_of(path)
  local blocks, block, n = {}, nil, 0
  for line in io.lines(path) do
    n = n + 1
    local tag = line:match("^```(.*)$")
    if block and tag then
      block.text = table.concat(block, "\n") .. "\n"
      blocks[#blocks + 1], block = block, nil
    elseif block then
      block[#block + 1] = line
    elseif tag then
      block = { tag = tag:lower(), line = n + 1 }
    end
  end
  assert(not block, path .. ": a code block has no end")
  return blocks
end

local function reason_to_skip(block)
  if block.tag == "sh" then
    for _, pattern in ipairs(left_out) do
      if block.text:find(pattern) then return "it calls " .. pattern:gsub("%%", "") end
    end
    if block.text:find "%f[%w]gdb " and not os.execute "command -v gdb >/dev/null" then return "gdb is missing" end
  elseif block.tag == "python" and block.text:find("h5py") then
    if not os.execute(python .. " -c 'import h5py' 2>/dev/null") then return "python3-h5py is missing" end
  elseif block.tag == "c" and not block.text:find("#include", 1, true) then
    return "it is a piece of a file"
  end
end

local function save(path, text)
  local handle = assert(io.open(path, "w"))
  handle:write(text)
  handle:close()
end

local function run(block, scratch, number)
  local first = block.text:match("^[^\n]*")
  local name = first:match("([%w_%-]+%.%w+)[%s*/%-]*$")
  if not (name and first:find("^[%-/#]")) then name = ("block-%d.%s"):format(number, extensions[block.tag]) end
  save(scratch .. "/" .. name, block.text)
  local command = commands[block.tag]:format(quote(name))
  local own = 'RONDO_DATA="${RONDO_DATA:-${XDG_CACHE_HOME:-$HOME/.cache}/rondo}" XDG_CACHE_HOME=$PWD/.cache '
    .. "XDG_DATA_HOME=$PWD/.data RONDO_LEDGER=$PWD/.ledger.sqlite"
  return capture(("cd %s && %s timeout %d %s 2>&1 </dev/null"):format(quote(scratch), own, seconds, command))
end

-- A folder in which the source tree's files are seen, and in which a block may write.
local function make_scratch()
  local scratch = capture("mktemp -d"):match("%S+")
  capture(("ln -s \"$PWD\"/* %s"):format(quote(scratch)))
  return scratch
end

local passed, failed, skipped = 0, 0, 0
for _, path in ipairs(arg) do
  local scratch = make_scratch()
  for number, block in ipairs(blocks_of(path)) do
    local where = ("%s:%d (%s)"):format(path, block.line, block.tag)
    local why = commands[block.tag] and reason_to_skip(block)
    if why then
      print(("skip %s: %s"):format(where, why))
      skipped = skipped + (why:find("missing") and 1 or 0) -- the others are tested elsewhere or not code
    elseif commands[block.tag] then
      local text, code = run(block, scratch, number)
      print(("%s %s"):format(code == 0 and "ok  " or "FAIL", where))
      if code == 0 then
        passed = passed + 1
      else
        failed = failed + 1
        print(text, code == 124 and ("took over %d seconds"):format(seconds) or "exit status " .. code)
      end
    end
  end
  capture("rm -rf " .. quote(scratch))
end
print(("%d %d %d"):format(passed, failed, skipped))
os.exit(failed == 0)
