-- write_rows.lua - forward() and backward() of a cell in C: a row function for each segment, and what calls them.
--
-- A row function reads what lies in lines and saves into variables before it writes any of them, since a value takes
-- the place of the one it was made of.
-- SPDX-License-Identifier: MIT
local c_text = require "rondo.equations.c_text"
local functions = require "rondo.equations.functions"

local write_rows = {}

-- Of C operators: the higher binds.
local CHOICE, SUM, PRODUCT, SIGN, ATOM = 0, 1, 2, 3, 4

local Row = {}
Row.__index = Row

-- ---- what a row function is given -------------------------------------------------------------------------------

-- The parameter for an array; kind: line, save, next, temp, before, vector, dnext, dtemp, dprev, dvec. `of`: its name.
local ARRAYS = {
  line = { "%s", "rd_row(s->line[L_%s], r)" }, save = { "kept_%s", "rd_row(s->save[K_%s], r)" },
  next = { "new_%s", "rd_row(s->next[S_%s], r)" }, temp = { "%s_fed", "rd_row(s->temp[T_%s], r)" },
  before = { "%s_before", "rd_crow(s->prev[S_%s], r)" }, vector = { "%s", "s->vec[V_%s]" },
  dnext = { "d_%s", "rd_crow(s->dnext[S_%s], r)" }, dtemp = { "d_%s_fed", "rd_row(s->dtemp[T_%s], r)" },
  dprev = { "d_%s_before", "rd_row(s->dprev[S_%s], r)" }, dvec = { "d_%s", "s->dvec[V_%s]" },
}
local ORDER = { "line", "save", "next", "temp", "dprev", "dvec", "before", "vector", "dnext", "dtemp" }

-- Where the row of an array begins, in the function that calls row functions.
local function address(p, kind, of)
  if kind == "save" and p.packed then
    return ("rd_row(s->save[K_ROWS], r) + %d * s->hidden"):format(p.packed[of])
  end
  return ARRAYS[kind][2]:format(of:upper())
end

function Row:array(kind, of, written)
  local key = kind .. " " .. of
  local array = self.arrays[key]
  if not array then
    local form = kind == "line" and "at_%s" or ARRAYS[kind][1]
    array = { kind = kind, of = of, name = c_text.name(form:format(of), self.used), value = address(self.p, kind, of) }
    self.arrays[key] = array
    self.arrays[#self.arrays + 1] = array
  end
  array.written = array.written or written
  return array.name
end

local function slot_array(p, slot)
  if slot.line then
    return "line", slot.line.name
  end
  return "save", p.save_names[slot.save + 1]
end

-- Where a node's value can be read in this segment without computing it: kind and name of an array, or nil.
function Row:place_of(node)
  local p, at = self.p, self.segment.at
  if node.op == "before" or node.op == "vector" or node.op == "dnext" or node.op == "dtemp" then
    return node.op, node.name
  elseif node.op == "line" and at <= p.written[node.line] then
    return "line", node.line.name
  elseif self.segment.compute[node] then
    return nil
  end
  local place = p.place[node]
  if place and place.at < at then
    return place.kind, place.of.name
  end
  return slot_array(p, p.kept[node])
end

-- ---- expressions ------------------------------------------------------------------------------------------------

local function needs_atoms(node)
  return node.op == "call" and functions[node.name].twice
end

-- Counts what this segment reads, and finds which nodes become variables: what is read twice, what an equation names,
-- and what lies in a line or save and would be read after something was written.
function Row:survey()
  local reader, written = {}, {}
  local function visit(node, by)
    if node.op == "number" then
      return
    end
    local first = not self.count[node]
    self.count[node] = (self.count[node] or 0) + 1
    reader[node] = by
    self.variable[node] = self.variable[node] or by and needs_atoms(by)
    if first then
      self.nodes[#self.nodes + 1] = node
      if not self:place_of(node) then
        for _, arg in ipairs(node.args) do
          visit(arg, node)
        end
      end
    end
  end
  for _, write in ipairs(self.segment.writes) do
    visit(write.node)
    written[write.node] = write.kind ~= "keep" or nil
  end
  table.sort(self.nodes, function(a, b) return a.id < b.id end)
  local before = {} -- is it read in the formula of a variable alone?
  for i = #self.nodes, 1, -1 do
    local node = self.nodes[i]
    local kind, by = self:place_of(node), reader[node]
    local early = self.count[node] == 1 and by and before[by]
    if kind == "line" or kind == "save" then
      self.variable[node] = not early
    elseif kind then
      self.variable[node] = false
    else
      self.variable[node] = self.variable[node] or self.count[node] > 1 or node.label and not written[node]
    end
    before[node] = self.variable[node] or early
  end
end

local function wrapped(text, binds, least)
  return binds < least and "(" .. text .. ")" or text
end

local binary = { add = { "+", SUM, SUM, PRODUCT }, sub = { "-", SUM, SUM, PRODUCT },
  mul = { "*", PRODUCT, PRODUCT, SIGN }, div = { "/", PRODUCT, PRODUCT, SIGN } }

-- The C of a node whose arguments are at hand, and how tightly it binds.
function Row:formula(node)
  local op = node.op
  if binary[op] then
    local sign, binds, left, right = table.unpack(binary[op])
    return ("%s %s %s"):format(self:text(node.args[1], left), sign, self:text(node.args[2], right)), binds
  elseif op == "neg" then
    return "-" .. self:text(node.args[1], ATOM), SIGN
  elseif op == "choose" then
    return ("%s > %s ? %s : %s"):format(self:text(node.args[1], SUM), self:text(node.args[2], SUM),
      self:text(node.args[3], SUM), self:text(node.args[4], SUM)), CHOICE
  end
  local f = functions[node.name]
  if node.name == "stop" then
    return self:formula_or_name(node.args[1])
  elseif not f.twice then
    return f.c:format(self:text(node.args[1], CHOICE)), ATOM
  end
  local a, b = self:text(node.args[1], ATOM), node.args[2] and self:text(node.args[2], ATOM)
  if b then
    return f.c:format(a, b, a, b), CHOICE
  end
  return f.c:format(a, a), CHOICE
end

function Row:formula_or_name(node)
  if node.op == "number" then
    return c_text.number(node.value), node.value < 0 and SIGN or math.type(node.value) == "integer" and ATOM or SIGN
  elseif self.name[node] then
    return self.name[node], ATOM
  end
  local kind, of = self:place_of(node)
  if kind then
    return self:array(kind, of) .. "[j]", ATOM
  end
  return self:formula(node)
end

function Row:text(node, least)
  local text, binds = self:formula_or_name(node)
  return wrapped(text, binds, least)
end

-- A variable's name: the equation's, or what it is, or a number.
function Row:label(node)
  local label = node.label
  if not label and node.op == "line" then
    label = "sum_" .. node.line.name
  elseif not label and node.op == "normback" then
    label = "d_norm"
  elseif not label and node.op == "call" then
    local of = node.args[1].label or node.args[1].op == "line" and node.args[1].line.name
    label = node.name .. (of and "_" .. of or "")
  end
  if not label then
    self.n_plain = self.n_plain + 1
  end
  return c_text.name(label or "v" .. self.n_plain, self.used)
end

-- ---- a row function ---------------------------------------------------------------------------------------------

function Row:variables()
  local out = {}
  for _, node in ipairs(self.nodes) do
    if self.variable[node] then
      local kind, of = self:place_of(node)
      local text = kind and self:array(kind, of) .. "[j]" or self:formula(node)
      local name = self:label(node)
      self.name[node] = name
      out[#out + 1] = c_text.statement("        ", ("const rd_real %s = %s;"):format(name, text))
    end
  end
  return table.concat(out)
end

local function write_target(row, write)
  local p = row.p
  if write.kind == "keep" then
    local kind, of = slot_array(p, write.slot)
    return row:array(kind, of, true), "="
  elseif write.kind == "before" then
    return row:array("dprev", write.of.name, true), "+="
  elseif write.kind == "vector" then
    return row:array("dvec", write.of, true), "+="
  end
  return row:array(write.kind, write.of.name, true), "="
end

function Row:stores()
  local out = {}
  for _, write in ipairs(self.segment.writes) do
    local text = self:text(write.node, CHOICE)
    local name, sign = write_target(self, write)
    out[#out + 1] = c_text.statement("        ", ("%s[j] %s %s;"):format(name, sign, text))
  end
  return table.concat(out)
end

local rank = {}
for i, kind in ipairs(ORDER) do
  rank[kind] = i
end

-- The row function of a segment, and the arrays that it takes.
local function row_function(p, segment, name)
  local row = setmetatable({ p = p, segment = segment, arrays = {}, used = {}, count = {}, variable = {}, nodes = {},
    name = {}, n_plain = 0 }, Row)
  row:survey()
  local body = row:variables() .. row:stores()
  table.sort(row.arrays, function(a, b)
    if a.written ~= b.written then
      return a.written ~= nil
    elseif a.kind ~= b.kind then
      return rank[a.kind] < rank[b.kind]
    end
    return a.name < b.name
  end)
  local parameters = { "uint32_t width" }
  for i, array in ipairs(row.arrays) do
    parameters[i + 1] = (array.written and "" or "const ") .. "rd_real *restrict " .. array.name
  end
  local text = c_text.list(("RD_INLINE void %s("):format(name), parameters, ")\n{\n")
    .. "    for (uint32_t j = 0; j < width; j++) {\n" .. body .. "    }\n}\n\n"
  return text, row.arrays
end

-- ---- what calls them --------------------------------------------------------------------------------------------

local function call_text(indent, name, arrays)
  local values = { "s->hidden" }
  for i, array in ipairs(arrays) do
    values[i + 1] = array.value
  end
  return c_text.list(indent .. name .. "(", values, ");\n")
end

local function along_text(p, indent, along)
  local node = along.node
  local function row_of(slot)
    return address(p, slot_array(p, slot))
  end
  local function over(of)
    return ("rd_row(s->save[K_STD], r)[%d]"):format(p.norms[of])
  end
  if node.op == "call" then
    return ("%s%s = norm_row(s->hidden, %s);\n"):format(indent, over(node), row_of(along.slot))
  end
  local normed = node.args[2]
  local values = { "s->hidden", row_of(along.slot), row_of(p.kept[normed]), over(normed) }
  return c_text.list(indent .. "norm_back_row(", values, ");\n")
end

local MOST_SAVES = 16 -- core/engine/layout.h

-- Names what is kept by what is first kept there, and lists the saves to declare: one for each, or where those are too
-- many one for all; and one for the numbers of layer norms.
local function name_saves(p)
  local row = setmetatable({ used = { std = true, rows = true }, n_plain = 0 }, Row)
  p.save_names, p.saves = {}, {}
  for i = 1, p.n_saves do
    local first
    for _, node in ipairs(p.graph.nodes) do
      local slot = p.kept[node]
      if slot and slot.save == i - 1 and (not first or slot.from < p.kept[first].from) then
        first = node
      end
    end
    p.save_names[i] = row:label(first)
    p.saves[i] = { name = p.save_names[i], width = "u->hidden" }
  end
  if p.n_saves >= MOST_SAVES then
    p.packed, p.saves = {}, { { name = "rows", width = p.n_saves .. " * u->hidden" } }
    for i, name in ipairs(p.save_names) do
      p.packed[name] = i - 1
    end
  end
  if p.n_norms > 0 then
    p.saves[#p.saves + 1] = { name = "std", width = tostring(p.n_norms) }
  end
end

-- One of the two functions: segments of one direction, by phase.
local function direction(p, forward, out)
  local by_phase, several = {}, p.phases > 1
  for _, segment in ipairs(p.segments) do
    if segment.forward == forward then
      local list = by_phase[segment.phase] or {}
      by_phase[segment.phase] = list
      local name = (forward and "forward_row" or "back_row") .. (several and "_" .. segment.phase or "")
      name = name .. (#list > 0 and "_" .. string.char(("a"):byte() + #list) or "")
      local calls = {}
      for _, along in ipairs(segment.along) do
        calls[#calls + 1] = along_text(p, several and "            " or "        ", along)
      end
      if #segment.writes > 0 then
        local text, arrays = row_function(p, segment, name)
        out[#out + 1] = text
        calls[#calls + 1] = call_text(several and "            " or "        ", name, arrays)
      end
      list[#list + 1] = table.concat(calls)
    end
  end
  out[#out + 1] = ("RD_CLONES static void %s(const rd_step *s)\n{\n    for (uint32_t r = 0; r < s->rows; r++) {\n")
    :format(forward and "forward" or "backward")
  for phase = 0, p.phases - 1 do
    local calls = table.concat(by_phase[phase] or {})
    if several and calls ~= "" then
      calls = ("        if (s->phase == %d) {\n%s        }\n"):format(phase, calls)
    end
    out[#out + 1] = calls
  end
  out[#out + 1] = "    }\n}\n\n"
end

-- All of them. Names the saves of the program.
function write_rows.functions(p)
  name_saves(p)
  local out = {}
  direction(p, true, out)
  direction(p, false, out)
  return table.concat(out)
end

return write_rows
