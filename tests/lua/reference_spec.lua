-- reference_spec.lua - help, annotations, man page and completions say what the tables say.
-- SPDX-License-Identifier: MIT
package.path = "tests/lua/?.lua;" .. package.path
local core = require "rondo.core"
local reference = require "rondo.reference"
local rondo = require "rondo"
local support = require "support"

local folder
local source = io.popen("pwd"):read "l"
setup(function()
  folder = support.folder()
  for _, name in ipairs { "runs/a/checkpoints", "runs/b/checkpoints", "runs/notes" } do
    assert(core.mkdir(folder .. "/" .. name))
  end
  support.write(folder .. "/runs/a/best.h5", "")
  support.write(folder .. "/script.lua", "")
  support.write(folder .. "/book.txt", "")
end)
teardown(function() support.remove(folder) end)

local function capture(command)
  local pipe = io.popen(command .. " 2>&1")
  local text = pipe:read "a"
  return text, pipe:close()
end

local function there(program)
  return os.execute("command -v " .. program .. " >/dev/null")
end

-- What editors read, all of it.
local function annotations()
  local texts = {}
  for i, name in ipairs(core.listdir "lua/library") do
    texts[i] = support.read("lua/library/" .. name)
  end
  return table.concat(texts, "\n")
end

describe("the reference", function()
  it("is as scripts/generate_reference.lua makes it now", function()
    assert.equal("", (capture "rondo run scripts/generate_reference.lua --check"))
  end)
  it("has every public name in the annotations", function()
    local text = annotations()
    local missing = {}
    local function need(name)
      if not text:find("\n[^\n]*%f[%w]" .. name:gsub("%.", "%%.") .. "%f[^%w_]") then
        missing[#missing + 1] = name
      end
    end
    for name, value in pairs(rondo) do
      need(name:find "^_" and name:sub(2) or name:find "^abi$" and name or "rondo." .. name)
      local holds = name == "optim" or name == "callbacks" or name == "data"
      for inner in pairs(holds and value or {}) do
        if name == "data" or inner:find "^%u" then
          need(("rondo.%s.%s"):format(name, inner))
        end
      end
    end
    assert.same({}, missing)
  end)
  it("names only classes that are there", function()
    local text = annotations()
    local there_is, missing = {}, {}
    for name in text:gmatch "%-%-%-@%l+ ([%w_.]+)" do
      there_is[name] = text:find("@class " .. name .. "%f[^%w_.]") or text:find("@alias " .. name .. " ")
    end
    for line in text:gmatch "%-%-%-@[^\n]*" do
      local named = line:match "^%-%-%-@%l+ [%w_.?]* ?(rondo%.%u[%w_.]*)"
      if named and not there_is[named] then
        missing[#missing + 1] = named
      end
    end
    assert.same({}, missing)
  end)
  it("has every method of tensors in the annotations", function()
    local text, missing = support.read "lua/library/rondo.lua", {}
    local index = debug.getmetatable(rondo.zeros(1)).__index
    for i = 1, 2 do
      for name, value in pairs(select(2, debug.getupvalue(index, i))) do
        if type(value) == "function" and not text:find("function Tensor:" .. name .. "(", 1, true) then
          missing[#missing + 1] = name
        end
      end
    end
    assert.same({}, missing)
  end)
  it("finds a topic by its name, in full or in any case", function()
    local topics = reference.topics()
    for typed, path in pairs { LSTM = "rondo.LSTM", lstm = 'rondo.RNN { cell = "lstm" }', adam = "rondo.optim.Adam",
      ["optim.SGD"] = "rondo.optim.SGD", ["rondo.trainer"] = "rondo.Trainer", sequences = "text:sequences" } do
      assert.equal(path, reference.find(topics, typed).path)
    end
    assert.is_nil(reference.find(topics, "LSTMs"))
  end)
  it("says of every name and option what it is for", function()
    local silent = {}
    for _, topic in ipairs(reference.topics()) do
      for _, each in ipairs { topic, table.unpack(topic.specs) } do
        if not each.help or each.help == "" then
          silent[#silent + 1] = topic.path .. " " .. each.name
        end
      end
    end
    assert.same({}, silent)
  end)
  it("says values and defaults in a few words", function()
    local says = function(spec) return reference.range(spec) .. ", " .. reference.default(spec) end
    assert.equal("1..8, 3", says { kind = "int", min = 1, max = 8, def = 3 })
    assert.equal("integer >= 1, required", says { kind = "int", min = 1, max = 1 << 24, required = true })
    assert.equal("number <= 1, 0.5", says { kind = "real", min = -math.huge, max = 1, def = 0.5 })
    assert.equal('a|b, "a"', says { kind = "choice", choices = { "a", "b" }, def = "a" })
    assert.equal("true|false, false", says { kind = "bool", def = false })
    assert.equal("value, ", says { kind = "any" })
  end)
end)

describe("rondo help", function()
  local function help(name) return (support.rondo(folder, "help " .. name)) end
  it("shows the options of layers, optimizers and losses", function()
    assert.matches("out_features +integer >= 1 +features of the output %(required%)", help "Linear")
    assert.matches("beta2 +0..1 .*%(default 0.999%)", help "adamw")
    assert.matches("reduction +mean|sum|batch", help "MSELoss")
    local lstm = help "LSTM"
    assert.matches("forget_bias", lstm)
    assert.matches("Options of every recurrent layer:.*num_layers", lstm)
  end)
end)

describe("the man page", function()
  it("has no warning of groff or mandoc", function()
    if there "groff" then
      assert.equal("", (capture "env -u LD_PRELOAD groff -man -ww -z -Tascii lua/command/rondo.1"))
    end
    if there "mandoc" then
      assert.equal("", (capture "env -u LD_PRELOAD mandoc -Tlint -Wwarning lua/command/rondo.1"))
    end
  end)
  it("names every command", function()
    local text = support.read "lua/command/rondo.1"
    for _, name in ipairs(require("rondo.cli").command_names()) do
      assert.is_truthy(text:find("\n.SS rondo " .. name:gsub("%-", "\\-"), 1, true), name)
    end
  end)
end)

describe("completion in bash", function()
  -- What is offered after these words, the last of them begun.
  local function offered(words)
    local quoted = {}
    for i, word in ipairs(words) do
      quoted[i] = "'" .. word .. "'"
    end
    return (capture(([[cd '%s' && bash -c '
      . "%s/lua/command/rondo.bash"
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
      _rondo
      printf "%%s\\n" "${COMPREPLY[@]}" | sort | tr "\\n" " "' - %s]])
      :format(folder, source, table.concat(quoted, " "))):gsub(" $", ""))
  end
  it("offers commands, options and their choices", function()
    assert.equal("sample", offered { "rondo", "sa" })
    assert.equal("--hidden-size", offered { "rondo", "train", "book.txt", "--hid" })
    assert.equal("char", offered { "rondo", "train", "book.txt", "--level", "c" })
    assert.equal("char", offered { "rondo", "train", "book.txt", "--level", "=", "c" })
    assert.equal("", offered { "rondo", "train", "book.txt", "--epochs", "" })
  end)
  it("offers run folders and checkpoints, scripts, and files", function()
    assert.equal("runs/a runs/b", offered { "rondo", "sample", "runs/" })
    assert.equal("runs/a/best.h5", offered { "rondo", "info", "runs/a/b" })
    assert.equal("runs", offered { "rondo", "info", "" })
    assert.equal("runs script.lua", offered { "rondo", "run", "" })
    assert.equal("book.txt", offered { "rondo", "train", "b" })
  end)
  it("offers data sets and topics", function()
    assert.equal("get", offered { "rondo", "data", "g" })
    assert.matches("tinyshakespeare", offered { "rondo", "data", "get", "t" })
    assert.equal("AdamW", offered { "rondo", "help", "AdamW" })
  end)
end)

describe("completion in zsh", function()
  it("is read without a complaint", function()
    if not there "zsh" then
      return pending "zsh is not there"
    end
    assert.equal("", (capture "env -u LD_PRELOAD zsh -n lua/command/rondo.zsh"))
  end)
end)
