-- style_spec.lua - every rule of scripts/check_style.lua finds what it is for, and nothing in good files.
-- SPDX-License-Identifier: MIT

local checker = io.popen("pwd"):read("l") .. "/scripts/check_style.lua"
local folder

local function shell(command)
  local pipe = io.popen(command .. " 2>&1; echo $?")
  local text = pipe:read("a")
  pipe:close()
  return text
end

-- Writes a file in a house of its own and returns what the checker prints.
local function check(path, text)
  shell(("mkdir -p %s/$(dirname %s)"):format(folder, path))
  local handle = assert(io.open(folder .. "/" .. path, "w"))
  handle:write(text)
  handle:close()
  return shell(("cd %s && lua5.4 %s %s"):format(folder, checker, path))
end

local function c_file(path, body)
  return check(path, ("/* %s - for a test. SPDX-License-Identifier: MIT */\n%s"):format(path:match("[^/]*$"), body))
end

describe("check_style", function()
  before_each(function() folder = shell("mktemp -d"):match("%S+") end)
  after_each(function() shell("rm -rf " .. folder) end)

  it("says nothing about a good file", function()
    local text = c_file("core/base/a.c", '#include "base/arena.h"\n#include <math.h>\n\nint f(int x)\n{\n'
      .. '    return x; /* exp(x) in a comment, "tanh(" */\n}\n')
    assert.is_truthy(text:find("1 files, 0 findings\n0\n", 1, true), text)
  end)

  local function finds(name, path, body, expected)
    it(name, function()
      local text = c_file(path, body)
      assert.is_truthy(text:find(expected, 1, true), text)
      assert.is_truthy(text:find("\n1\n$"), text)
    end)
  end

  finds("a core file that includes Lua", "core/base/a.c", "#include <lua.h>\n", "core/base/a.c:2: rule 15: <lua.h>")
  finds("a core file that includes HDF5", "core/store/save.c", "#include <hdf5.h>\n", "rule 15: <hdf5.h>")
  finds("an arrow that points up", "core/base/a.c", '#include "engine/tape.h"\n', "rule 15: 'engine/tape.h'")
  finds("a plugin that includes the core", "plugins/cells/a.c", '#include "core.h"\n', "rule 15: 'core.h'")
  finds("a plugin that includes rondo.h", "plugins/cells/a.c", '#include "rondo.h"\n', "rule 15: 'rondo.h'")
  finds("a binding that reaches into the core", "lua/src/a.c", '#include "base/arena.h"\n', "rule 15: 'base/arena.h'")
  finds("a header in angles all the same", "lua/command/a.c", "#include <rondo/cell.h>\n", "rule 15: 'rondo/cell.h'")
  finds("a libm function", "core/engine/a.c", "double f(double x) { return exp (x); }\n", "rule 20: exp() is a libm")
  finds("an unbounded function", "lua/src/a.c", "void f(char *x) { strcpy(x, x); }\n", "rule 20: strcpy() has no bound")
  finds("a platform test out of place", "core/base/arena.c", "#ifdef __x86_64__\n#endif\n", "rule 40: platform #if")
  finds("intrinsics out of place", "core/learn/a.c", "#include <immintrin.h>\n", "rule 40: intrinsics")
  finds("a note without an issue", "core/a.c", "/* TO" .. "DO: later */\n", "rule 14: TO" .. "DO without an issue")
  finds("a long function", "core/a.c", "int f(void)\n{\n" .. ("    ;\n"):rep(61) .. "}\n", "a function of 61 lines")
  finds("a long file without a reason", "core/a.c", ("int x;\n"):rep(401), "rule 54: 402 lines; over 400")
  finds("a file over 800 lines", "core/a.c", ("int x;\n"):rep(801), "rule 54: 802 lines; 800 is the limit")
  finds("a long line", "core/a.c", "/* " .. ("x"):rep(110) .. " */\n", "rule 1: over 110 columns")
  finds("a tab", "core/a.c", "\tint x;\n", "rule 1: a tab")
  finds("white space at the end", "core/a.c", "int x; \n", "rule 1: white space")
  finds("a header without a guard", "core/base/a.h", "int x;\n", "rule 16: no header guard")
  finds("a guard of another name", "core/base/a.h", "#ifndef RD_B_H\n#define RD_B_H\n#endif\n",
    "guard RD_B_H does not end")

  it("a file without a licence line", function()
    assert.is_truthy(check("core/a.c", "/* a.c - x */\n"):find("rule 7: no SPDX line", 1, true))
  end)
  it("a file that does not say what it is for", function()
    local text = check("lua/rondo/a.lua", "-- SPDX-License-Identifier: MIT\n")
    assert.is_truthy(text:find("rule 2: opens with 'a.lua - ", 1, true), text)
  end)
  it("a long Lua function", function()
    local text = check("lua/rondo/a.lua", "-- a.lua - x SPDX-License-Identifier: MIT\nlocal function f()\n"
      .. ("  x()\n"):rep(61) .. "end\n")
    assert.is_truthy(text:find("a.lua:2: rule 23: a function of 61 lines", 1, true), text)
  end)
end)
