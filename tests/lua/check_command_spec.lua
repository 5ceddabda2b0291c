-- check_command_spec.lua - the command `rondo check`: arguments, output, exit status. Rules: tests/runs/check_spec.lua.
-- SPDX-License-Identifier: MIT
package.path = "tests/lua/?.lua;" .. package.path
local core = require "rondo.core"
local json = require "rondo.json"
local support = require "support"

local plugins = ("%s/plugins-%s/f%d"):format(core.lib_dir(), core.abi:match "^%d+", core.real == "double" and 64 or 32)
local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

local function check(arguments, before)
  return support.rondo(folder, "check " .. arguments, before)
end

describe("rondo check", function()
  it("has a line for each rule and counts them", function()
    local out, err, code = check(plugins .. "/mgu.so")
    assert.equal("", err)
    assert.equal(0, code)
    local lines = {}
    for line in out:gmatch "[^\n]+" do
      lines[#lines + 1] = line
    end
    assert.equal(plugins .. "/mgu.so", lines[1])
    assert.equal("  pass    C4  mgu: any split of the rows gives the same bits", out:match "[^\n]+ C4 [^\n]+")
    local passed, skipped = lines[#lines]:match "^(%d+) passed, 0 failed, (%d+) skipped"
    assert.equal(#lines - 2, passed + skipped)
  end)
  it("takes the rules that are asked for", function()
    local out, _, code = check(plugins .. "/mgu.so --only L1 --only C4")
    assert.equal(0, code)
    local seen = {}
    for rule in out:gmatch "pass +(%u%d)" do
      seen[rule] = true
    end
    assert.same({ L1 = true, C4 = true }, seen)
  end)
  it("gives one JSON object", function()
    local out, _, code = check(plugins .. "/mgu.so --json --only C8")
    assert.equal(0, code)
    local found = assert(json.decode(out))
    assert.same({ passed = 1, failed = 0, skipped = 0, warnings = 0 },
      { passed = found.passed, failed = found.failed, skipped = found.skipped, warnings = found.warnings })
    assert.same({ { rule = "C8", status = "pass", kind = "cell", name = "mgu",
      says = "the cell can be built at all values of its options" } }, found.files[1].results)
  end)
  it("compiles a source and shows what the compiler says", function()
    support.write(folder .. "/broken.c", "#include <rondo/cell.h>\nint x = nowhere;\n")
    local out, err, code = check "broken.c"
    assert.equal("broken.c\n", out)
    assert.matches("broken.c:2:9: error: ", err, 1, true)
    assert.matches("rondo: check: broken.c cannot be compiled by cc\n$", err)
    assert.equal(3, code)
    local _, why, status = check("broken.c", "CC=/nowhere/cc")
    assert.equal("rondo: check: the compiler does not run: /nowhere/cc: No such file or directory "
      .. "($CC says which one to take)\n", why)
    assert.equal(3, status)
  end)
  it("leaves nothing behind where a signal stops it", function()
    support.write(folder .. "/cc.sh", "#!/bin/sh\necho \"$*\" >arguments\nkill -TERM $PPID\nexec sleep 20\n")
    os.execute(("chmod +x '%s/cc.sh'"):format(folder))
    local _, err, code = check("broken.c", "CC=./cc.sh")
    assert.equal("rondo: check: stopped by SIGTERM\n", err)
    assert.equal(75, code)
    local place = support.read(folder .. "/arguments"):match " %-o (%S+)/broken_f64%.so"
    assert.matches("^/.*%.check$", place)
    assert.is_nil(core.stat(place))
    assert.is_nil(core.stat((place:gsub("%.check$", ""))))
  end)
  it("says what it cannot take", function()
    local function refused(arguments, code, message)
      local _, err, status = check(arguments)
      assert.equal("rondo: " .. message .. "\n", err)
      assert.equal(code, status)
    end
    refused("gone.so", 3, "gone.so: No such file or directory")
    support.write(folder .. "/notes.txt", "")
    refused("notes.txt", 2, "check: 'notes.txt' is neither a source, FILE.c, nor a shared object, FILE.so")
    assert(core.mkdir(folder .. "/empty"))
    refused("empty", 3, "check: there is no shared object in the folder")
    refused("broken.c --double x.so", 2, "check: --double goes with one FILE.so")
    refused(plugins .. "/mgu.so --time-limit 0", 2, "--time-limit must be a number 0.01..86400, got '0' (--help lists "
      .. "what it takes)")
  end)
  it("takes any name of a file", function()
    assert(core.mkdir(folder .. "/it's $HOME"))
    os.execute(("cp '%s/mgu.so' \"%s/it's \\$HOME/a b.so\""):format(plugins, folder))
    local out, err, code = check [["it's \$HOME/a b.so" --only L1]]
    assert.equal("", err)
    assert.equal("it's $HOME/a b.so\n  pass    L1  the entry symbol is there\n", out:match "^[^\n]*\n[^\n]*\n")
    assert.equal(0, code)
  end)
  it("refuses what is no rule", function()
    local _, err, code = check(plugins .. "/mgu.so --only C99")
    assert.matches("^rondo: check: there is no rule C99; there are L0, L1, L2, L3, L4, L5, C1, C2, C3, C4, C5, C6, C7, "
      .. "C8, C9, K", err)
    assert.equal(2, code)
  end)
end)
