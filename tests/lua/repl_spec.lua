-- repl_spec.lua - the prompt: what it prints, how lines are edited, and how it ends. SPDX-License-Identifier: MIT
package.path = "tests/lua/?.lua;" .. package.path
local complete = require "rondo.complete"
local core = require "rondo.core"
local repl = require "rondo.repl"
local support = require "support"

local folder
local source = io.popen("pwd"):read "l"
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

-- Types lines at the prompt: what the terminal showed, and the status.
local function type_at(keys)
  support.write(folder .. "/keys", keys)
  local command = "cd '%s' && XDG_STATE_HOME='%s/state' python3 '%s/tests/support/pty_run.py' rondo <keys; echo $?"
  local pipe = io.popen(command:format(folder, folder, source))
  local text = pipe:read "a"
  pipe:close()
  return text, tonumber(text:match "(%d+)\n$")
end

-- A tree without /dev/pts has no terminals to give.
local terminal = core.run { "python3", "-c", "import pty; pty.openpty()" }
local at_terminal = terminal and terminal.code == 0 and it or function(name)
  pending(name .. " (no terminal can be opened here)")
end

describe("the prompt", function()
  at_terminal("prints values and errors, reads on where a line is not whole, and keeps a history", function()
    local shown, status = type_at [==[
expect rondo 0.
send 1 + 2, rondo.ones(1, 2)\r
expect 3\t
expect [[1, 1]]
send rondo.ones(2, 3):size(), { "a" }, {}, { 1, x = 2 }\r
expect { 2, 3 }\t{ "a" }\ttable: 0x
send for i = 6, 7 do\r
expect >>
send print(i * 7) end\r
expect 42
expect 49
send error("boom")\r
expect input:1: boom
send x = = 3\r
expect unexpected symbol near '='
send rondo.Linear { 3, out = 1 }\r
expect unknown option 'out'
expect >
]==]
    assert.equal(0, status, shown)
    local history = support.read(folder .. "/state/rondo/history")
    assert.matches("print", history)
    assert.is_nil(shown:find("traceback", 1, true))
  end)
  at_terminal("drops a line at Ctrl-C, interrupts what runs, and ends at Ctrl-D", function()
    if not pcall(require, "rondo.line_editor") then
      return pending "libedit is not there"
    end
    local shown, status = type_at [==[
expect >
send y = 1 + abandoned\x03
expect ^C
expect >
send print "runs" while true do end\r
expect do end
expect runs
send \x03
expect interrupted
expect >
send tostring(y) .. "!"\r
expect nil!
expect >
send \x1b[A\x1b[A
expect while true
send \x03
expect ^C
expect >
]==]
    assert.equal(0, status, shown)
  end)
  at_terminal("completes the names of fields", function()
    if not pcall(require, "rondo.line_editor") then
      return pending "libedit is not there"
    end
    local shown, status = type_at [==[
expect >
send rondo.manual_s\t(5)\r
expect eed(5)
expect >
]==]
    assert.equal(0, status, shown)
  end)
  it("is not there without a terminal: the overview is", function()
    local out, err, code = support.rondo(folder, "")
    assert.equal("", out)
    assert.matches("Usage:", err)
    assert.equal(2, code)
  end)
  it("tells a line that is wrong from one that goes on", function()
    assert.equal(3, repl.compile "= 1 + 2"())
    assert.is_true(select(3, repl.compile "if x then"))
    assert.is_false(select(3, repl.compile "if if"))
  end)
end)

describe("completion", function()
  local env = { rondo = require "rondo", t = require("rondo").zeros(2), model = require("rondo").Linear { 1, 1 } }
  it("inserts what all names that fit have in common, else shows them", function()
    assert.equal("tchX", (complete.at("a.Ba", { a = { BatchX = 1, other = 2 } })))
    local insert, show = complete.at("print(rondo.optim.AdamW", env)
    assert.equal("", insert .. (show or ""))
    insert, show = complete.at("rondo.optim.Adam", env)
    assert.equal("", insert)
    assert.matches("AdamW", show)
  end)
  it("knows methods of tensors and modules, keywords, and nothing of what is not there", function()
    assert.equal("ze", (complete.at("t:unsquee", env)))
    assert.equal("arameters", (complete.at("model:named_p", env)))
    assert.equal("nction", (complete.at("fu", {})))
    assert.is_nil(complete.at("nothing.here", env))
    assert.is_nil(complete.at("", env))
  end)
end)
