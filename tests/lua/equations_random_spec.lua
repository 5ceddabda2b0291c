-- equations_random_spec.lua - cells that nobody thought of: well-formed equations at random, compiled and interpreted.
--
-- A hundred in the double build, where a wrong formula cannot hide; thirty in others. RONDO_TEST_CELLS is another
-- number, RONDO_TEST_SEED another first seed. What fails is named by its seed, with its equations.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local places = require "rondo.places"
local cells = dofile "tests/lua/equation_cells.lua"
local prove = require "rondo.equations.prove"
local support = dofile "tests/lua/support.lua"

local COUNT = tonumber(os.getenv "RONDO_TEST_CELLS") or core.real == "double" and 100 or 30
local FIRST = tonumber(os.getenv "RONDO_TEST_SEED") or 1
local TOLERANCE = core.real == "double" and 1e-11 or 1e-3

local Writer = {}
Writer.__index = Writer

-- 1..n, from a generator of its own (Numerical Recipes' constants).
function Writer:draw(n)
  self.state = (self.state * 1664525 + 1013904223) & 0xffffffff
  return (self.state >> 8) % n + 1
end

function Writer:pick(list)
  return list[self:draw(#list)]
end

function Writer:matrix()
  self.matrices = self.matrices + 1
  return self:pick { "W", "U", "V" } .. "_" .. self.matrices
end

function Writer:vector()
  self.vectors = self.vectors + 1
  return "p_" .. self.vectors
end

function Writer:before()
  return self:pick(self.kept) .. "'"
end

-- A sum of products with matrices, perhaps with a bias and a peephole.
function Writer:sum()
  local terms = {}
  local function add(one_in, term)
    if self:draw(one_in) == 1 then
      terms[#terms + 1] = term()
    end
  end
  add(1, function() return self:matrix() .. " x" end)
  add(2, function() return self:matrix() .. " " .. self:before() end)
  add(5, function() return self:matrix() .. " (" .. self:value(1) .. ")" end)
  add(2, function() return self:vector() end)
  add(4, function() return self:vector() .. "*" .. self:before() end)
  if #self.defined > 0 then
    add(6, function() return self:matrix() .. " " .. self:pick(self.defined) end)
  end
  local text = terms[1]
  for i = 2, #terms do
    text = text .. (self:draw(6) == 1 and " - " or " + ") .. terms[i]
  end
  return text
end

-- Forms of a vector whose numbers stay small; %v is one like it, %s a simple one, %a a sum, %p a parameter. The first
-- four end the nesting.
local FORMS = { "%b", "%d", "sigmoid(%a)", "tanh(%a)", "%v*%s", "(%v + %v)/2", "(1 - %s)*(%v)", "max(%v, %s)",
  "exp(-abs(%v))", "(%s)/(1 + softplus(%v))", "tanh(layernorm(%v)*%p + %p)", "relu(%v)", "stop(%v)*%s",
  "log(1.5 + (%v)^2)", "sqrt(1 + (%v)^2) - 1", "-(%v)", "min(0.5, %v)^3", "(0.5 + abs(%s))^-1.5" }

function Writer:value(depth)
  local form = FORMS[self:draw(depth > 0 and #FORMS or 4)]
  return (form:gsub("%%(%l)", function(kind)
    if kind == "b" or kind == "d" and #self.defined == 0 then
      return self:before()
    elseif kind == "d" then
      return self:pick(self.defined)
    elseif kind == "a" then
      return self:sum()
    elseif kind == "p" then
      return self:vector()
    end
    return self:value(kind == "v" and depth - 1 or 0)
  end))
end

local function cell_of(seed)
  local w = setmetatable({ state = seed * 2654435761 & 0xffffffff, matrices = 0, vectors = 0, defined = {},
    kept = { "h" } },
    Writer)
  local names, equations, ends = { "a", "c", "d", "e" }, {}, {}
  local n = w:draw(4)
  table.move(names, 1, math.min(w:draw(3) - 1, n), 2, w.kept)
  for i = 1, n do
    local kind = w:draw(10)
    equations[names[i]] = kind == 1 and "stop(" .. w:value(2) .. ")" or kind == 2 and w:sum() .. " + 0.5*" .. w:value(1)
      or "tanh(" .. w:value(2) .. ")"
    w.defined[i], ends[i] = names[i], "tanh(" .. names[i] .. ")"
  end
  ends[n + 1] = w:value(2)
  equations.h = "tanh(" .. table.concat(ends, " + ") .. ")"
  return { name = ("equations.random_%d"):format(seed), equations = equations }
end

local function told(given)
  local lines = {}
  for name, text in pairs(given.equations) do
    lines[#lines + 1] = ("    %s = %s"):format(name, text)
  end
  table.sort(lines)
  return table.concat(lines, "\n")
end

local function stops(given)
  for _, text in pairs(given.equations) do
    if text:find("stop(", 1, true) then
      return true
    end
  end
  return false
end

describe("cells at random", function()
  local folder, list, programs

  setup(function()
    folder, list = support.folder(), {}
    for i = 1, COUNT do
      list[i] = cell_of(FIRST + i - 1)
    end
    programs = cells.programs(list)
    cells.load_all(programs, folder, "random")
  end)
  teardown(function() support.remove(folder) end)

  it("compute compiled what they compute interpreted", function()
    for i, p in ipairs(programs) do
      local difference, where = prove.equal(p)
      assert.is_true((difference or 1) <= TOLERANCE, ("seed %d: %s %s\n%s"):format(FIRST + i - 1, tostring(difference),
        tostring(where), told(list[i])))
    end
  end)
  if core.real == "double" and places.checker "check-f64" then
    it("keep the rules of rondo check, one in ten", function()
      local by_name, n, some = {}, COUNT // 10, {}
      for i = 1, n do
        by_name[list[i].name], some[i] = list[i], programs[i]
      end
      for _, p in ipairs(some) do
        p.name = p.name .. "_ruled" -- the others are loaded
      end
      cells.load_all(some, folder, "ruled")
      local out = support.rondo(folder, "check ruled.so")
      local kept = 0
      for status, rule, name, what in out:gmatch "  (%l+) +(%u%d)  ([%w_.]+): ([^\n]*)" do
        local given = by_name[name:gsub("_ruled$", "")]
        if not (rule == "C6" and stops(given)) then -- a gradient that is stopped on purpose is no difference
          assert.equal("pass", status, ("%s %s: %s\n%s"):format(name, rule, what, told(given)))
          kept = kept + 1
        end
      end
      assert.is_true(kept >= 10 * n, out)
    end)
  end
end)
