-- parse.lua - the text of one equation to a tree; and how a fault in one is told, with its column.
--
--     sum     = product { + | - product }                 product = power { * | / power }
--     power   = - power | value [ ^ [-] number or constant ]
--     value   = number | name | name' | function ( sum, ... ) | ( sum ) | MATRIX value
-- A name that begins with a capital letter is a matrix, and multiplies the value behind it. h' is h of the step before.
-- A node of the tree has op, col, and by op: value; name, before; matrix, arg; name, args; a, b.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local functions = require "rondo.equations.functions"

local parse = {}

local Fault = { __name = "rondo.EquationFault" }

-- Raises what is wrong in an equation { name =, text = } at a column; read.lua catches it.
function parse.fault(equation, col, format, ...)
  error(setmetatable({ equation = equation, col = col, text = format:format(...) }, Fault), 0)
end

function parse.is_fault(value)
  return getmetatable(value) == Fault
end

-- "equation 'z', column 3: ..." and below it the equation with a mark.
function parse.told(fault)
  local equation = fault.equation
  return ("equation '%s', column %d: %s\n    %s = %s\n    %s^"):format(equation.name, fault.col, fault.text,
    equation.name, equation.text, (" "):rep(#equation.name + 3 + fault.col - 1))
end

-- How what papers write is said here.
local SAID = { ["⊙"] = "*", ["∘"] = "*", ["·"] = "*", ["×"] = "*", ["σ"] = "sigmoid", ["−"] = "-",
  ["["] = "h' for h of the step before", ["{"] = "h' for h of the step before" }

local function tokens_of(equation)
  local text, list, at = equation.text, {}, 1
  while true do
    at = text:find("%S", at)
    if not at then
      break
    end
    local name = text:match("^%a[%w_]*", at)
    local number = text:match("^%d+%.?%d*[eE][+-]?%d+", at) or text:match("^%.%d+[eE][+-]?%d+", at)
      or text:match("^%d+%.?%d*", at) or text:match("^%.%d+", at)
    local word = name or number or text:sub(at, at)
    if not (name or number or word:find "[-+*/^(),']") then
      local letter = word:byte() < 128 and word or text:match(utf8.charpattern, at)
      parse.fault(equation, at, "'%s' has no meaning in an equation%s", letter,
        SAID[letter] and (": write %s"):format(SAID[letter]) or "")
    end
    list[#list + 1] = { text = word, col = at, kind = name and "name" or number and "number" or word }
    at = at + #word
  end
  list[#list + 1] = { text = "the end", col = #text + 1, kind = "end" }
  return list
end

local Parser = {}
Parser.__index = Parser

function Parser:peek()
  return self.list[self.at]
end

function Parser:take(kind)
  local token = self.list[self.at]
  if kind and token.kind ~= kind then
    return nil
  end
  self.at = self.at + 1
  return token
end

function Parser:fault(token, format, ...)
  parse.fault(self.equation, token.col, format, ...)
end

-- What stands between '(' and its ')'; `open` is the '('.
function Parser:close(open)
  if not self:take ")" then
    local token = self:peek()
    if token.kind == "end" then
      self:fault(open, "'(' is not closed")
    end
    self:misplaced(token)
  end
end

function Parser:misplaced(token)
  local before = self.list[self.at - 1]
  if token.kind == ")" then
    self:fault(token, "')' closes nothing")
  elseif token.kind == "name" or token.kind == "number" or token.kind == "(" then
    self:fault(token, "'%s' and '%s' stand side by side: write * between them; only a matrix, which begins with a "
      .. "capital letter, multiplies what is behind it", before.text, token.text)
  end
  self:fault(token, "'%s' is not expected here", token.text)
end

function Parser:call(name)
  local open = self:take "("
  local args = {}
  repeat
    args[#args + 1] = self:sum()
  until not self:take ","
  self:close(open)
  local n = functions[name.text].n
  if #args ~= n then
    self:fault(name, "%s takes %d value%s, got %d", name.text, n, n == 1 and "" or "s", #args)
  end
  return { op = "call", name = name.text, args = args, col = name.col }
end

local function function_names()
  local names = {}
  for name in pairs(functions) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

function Parser:unknown_function(name)
  local names = function_names()
  local near = core.nearest(name.text, names)
  if #name.text < 3 and not near then
    self:fault(name, "'%s' is no function; write %s*(...) for a product, %s' for its value of the step before",
      name.text, name.text, name.text)
  end
  self:fault(name, "there is no function '%s'%s", name.text, near and (" (did you mean '%s'?)"):format(near)
    or "; there are " .. table.concat(names, ", "))
end

function Parser:name()
  local name = self:take "name"
  if name.text:find "^%u" then
    local next_kind = self:peek().kind
    if next_kind ~= "name" and next_kind ~= "(" and next_kind ~= "number" then
      self:fault(name, "'%s' begins with a capital letter, so it is a matrix, and the vector that it multiplies must "
        .. "stand behind it: %s x", name.text, name.text)
    end
    return { op = "product", matrix = name.text, arg = self:value(), col = name.col }
  elseif self:peek().kind == "(" then
    if not functions[name.text] then
      self:unknown_function(name)
    end
    return self:call(name)
  elseif functions[name.text] then
    self:fault(name, "'%s' is a function: its values stand in parentheses", name.text)
  end
  local prime = self:take "'"
  return { op = "name", name = name.text, before = prime ~= nil, col = name.col }
end

function Parser:value()
  local token = self:peek()
  if token.kind == "name" then
    return self:name()
  elseif token.kind == "number" then
    self:take()
    return { op = "number", value = tonumber(token.text), col = token.col }
  elseif token.kind == "(" then
    self:take()
    local inside = self:sum()
    self:close(token)
    return inside
  elseif token.kind == "end" then
    self:fault(token, #self.list == 1 and "there is nothing" or "something is missing behind '%s'",
      #self.list > 1 and self.list[self.at - 1].text or nil)
  end
  self:fault(token, token.kind == ")" and "')' closes nothing" or "a value is missing before '%s'", token.text)
end

function Parser:power()
  local negative = self:take "-"
  if negative then
    return { op = "neg", a = self:power(), col = negative.col }
  end
  local base = self:value()
  local sign = self:take "^"
  if not sign then
    return base
  end
  local minus, exponent = self:take "-", self:peek()
  if exponent.kind ~= "number" and exponent.kind ~= "name" then
    self:fault(exponent, "an exponent is a number or a constant")
  end
  self:take()
  return { op = "^", a = base, exponent = exponent, minus = minus ~= nil, col = sign.col }
end

function Parser:product()
  local a = self:power()
  while true do
    local sign = self:take "*" or self:take "/"
    if not sign then
      return a
    end
    a = { op = sign.kind, a = a, b = self:power(), col = sign.col }
  end
end

function Parser:sum()
  local a = self:product()
  while true do
    local sign = self:take "+" or self:take "-"
    if not sign then
      return a
    end
    a = { op = sign.kind, a = a, b = self:product(), col = sign.col }
  end
end

-- equation: { name =, text = }. Raises a fault.
function parse.equation(equation)
  local parser = setmetatable({ equation = equation, list = tokens_of(equation), at = 1 }, Parser)
  local tree = parser:sum()
  if parser:peek().kind ~= "end" then
    parser:misplaced(parser:peek())
  end
  return tree
end

return parse
