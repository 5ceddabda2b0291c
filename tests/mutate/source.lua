--[[ source.lua - a file of C as tokens, and the small faults that can be put into it (mutate.lua says which).
SPDX-License-Identifier: MIT ]]
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

-- Mutants of a text of C: { from, to, put, name }.
return function(name, text)
  local source = setmetatable({ name = name, text = text, tokens = tokens_of(text), mutants = {} }, Source)
  source.ids = source:identifiers()
  source:outside()
  return source.mutants
end
