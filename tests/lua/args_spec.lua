-- args_spec.lua - rondo.args: types by default value, both spellings, config files, one sentence for a mistake.
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"
local args = require("rondo.args").args

local function parse(list)
  return args({ "A script.", hidden_size = 8, lr = 0.5, verbose = false, extra = {}, also = { {}, help = "more" },
    run_dir = "runs/x", cell = { "lstm", choices = rondo.plugins.cells }, rate = { 1.0, min = 0, max = 2 } }, list)
end

local function usage(list)
  local failure = support.failure(parse, list)
  assert.equal(2, failure.code)
  return failure.message
end

describe("rondo.args", function()
  it("has the defaults and the common options", function()
    local opt = parse {}
    assert.equal(8, opt.hidden_size)
    assert.equal(0.5, opt.lr)
    assert.is_false(opt.verbose)
    assert.same({}, opt.extra)
    assert.equal("lstm", opt.cell)
    assert.equal(1, opt.seed)
    assert.equal(3, opt.keep)
    assert.equal("runs/x", opt.run_dir)
  end)
  it("takes both spellings and the type of the default", function()
    local opt = parse { "--hidden-size", "9", "--hidden_size", "10", "--lr=1", "--verbose", "--extra", "a",
      "--extra", "b", "--also", "c" }
    assert.equal(10, opt.hidden_size)
    assert.equal("float", math.type(opt.lr))
    assert.is_true(opt.verbose)
    assert.same({ "a", "b" }, opt.extra)
    assert.same({ "c" }, opt.also)
  end)
  it("takes either way of a flag", function()
    local specs = { verbose = false, shuffle = true, color_it = false, no_color_it = false }
    local opt = args(specs, { "--no-verbose", "--shuffle" })
    assert.same({ false, true }, { opt.verbose, opt.shuffle })
    opt = args(specs, { "--verbose", "--no-shuffle", "--no-color-it" })
    assert.same({ true, false, false, true }, { opt.verbose, opt.shuffle, opt.color_it, opt.no_color_it })
  end)
  it("refuses with one sentence", function()
    assert.matches("unknown option '%-%-hiden%-size' %(did you mean '%-%-hidden%-size'%?%)",
      usage { "--hiden-size", "9" })
    assert.matches("%-%-hidden%-size must be an integer, got '3.5'", usage { "--hidden-size", "3.5" })
    assert.matches("%-%-rate must be a number 0..2, got '3'", usage { "--rate", "3" })
    assert.matches("%-%-cell must be one of .*, got 'lsmt' %(did you mean 'lstm'%?%)", usage { "--cell", "lsmt" })
    assert.matches("%-%-cell must be one of .*, got 'my.own'; %-%-plugin FILE loads more", usage { "--cell", "my.own" })
    assert.matches("%-%-progress must be one of auto, bar, lines, none", usage { "--progress", "loud" })
  end)
  it("takes a number below 0 for a value, not for an option", function()
    assert.equal(-1.5, parse({ "--lr", "-1.5" }).lr)
    assert.equal(-0.5, parse({ "--lr", "-.5" }).lr)
    assert.matches("%-%-rate must be a number 0..2, got '%-1'", usage { "--rate", "-1" })
  end)
  it("suggests one spelling of a name, and all names that are near", function()
    assert.matches("unknown option '%-%-hiddensize' %(did you mean '%-%-hidden%-size'%?%)",
      usage { "--hiddensize", "9" })
    local failure = support.failure(args, { "A script.", tone = 1, tune = 2 }, { "--tine", "1" })
    assert.matches("%(did you mean '%-%-t[ou]ne' or '%-%-t[ou]ne'%?%)", failure.message)
  end)
  it("names an argument that belongs to no option", function()
    assert.matches("'more' is one argument too many", usage { "--lr", "1", "more" })
  end)
  it("wants what is required", function()
    local failure = support.failure(args, { "A script.", data = { required = true, help = "a file" } }, {})
    assert.equal(2, failure.code)
    assert.equal("option --data is required (a file)", failure.message)
  end)
  it("puts a config file below the command line and above the defaults", function()
    local path = support.write(os.tmpname(), "return { hidden_size = 20, lr = 0.25 }")
    local opt = parse { "--config", path, "--lr", "2" }
    assert.equal(20, opt.hidden_size)
    assert.equal(2.0, opt.lr)
    support.write(path, "return { hiden_size = 20 }")
    assert.matches("unknown option 'hiden_size' %(did you mean 'hidden_size'%?%)", usage { "--config", path })
    for _, name in ipairs { "plugin", "config" } do
      support.write(path, ("return { %s = { 'x.so' } }"):format(name))
      assert.matches(("option '%s' is for the command line alone"):format(name), usage { "--config", path })
    end
    support.write(path, "return { extra = 'a' }")
    assert.matches("extra must be a list", usage { "--config", path })
    support.write(path, "return { extra = { 'a', {} } }")
    assert.matches("extra must be", usage { "--config", path })
    support.write(path, "return os.exit(0)")
    assert.matches("it can hold data alone", usage { "--config", path })
    os.remove(path)
  end)
  it("takes the options of an earlier run from its config.json, but for its folder", function()
    local path = support.write(os.tmpname() .. ".json",
      '{"options":{"hidden_size":20,"run_dir":"runs/old","resume":true,"extra":["a"],"lr":0.25}}')
    local opt = parse { "--config", path, "--lr", "2" }
    assert.equal(20, opt.hidden_size)
    assert.equal(2.0, opt.lr)
    assert.same({ "a" }, opt.extra)
    assert.equal("runs/x", opt.run_dir)
    assert.is_false(opt.resume)
    support.write(path, "[1")
    assert.matches(path .. ": unterminated array at line 1, column 1", usage { "--config", path }, 1, true)
    support.write(path, "1")
    assert.matches(path .. ": neither an object nor a list", usage { "--config", path }, 1, true)
    support.write(path, "{}")
    assert.matches("this is not the config.json of a run: it has no options", usage { "--config", path })
    os.remove(path)
    assert.matches("No such file or directory", usage { "--config", path })
  end)
  it("seeds everything", function()
    parse { "--seed", "11" }
    local a = rondo.rand(2):table()
    parse { "--seed", "11" }
    assert.same(a, rondo.rand(2):table())
  end)
end)
