-- write_layout.lua - the top of the C source of a cell: its equations, its ids, layout().
-- SPDX-License-Identifier: MIT
local c_text = require "rondo.equations.c_text"

local write_layout = {}

-- ---- the comment ----------------------------------------------------------------------------------------------

local function safe(text)
  return (text:gsub("%s+", " "):gsub("%*/", "* /"):gsub("/%*", "/ *"))
end

local function broken(lines, first, text)
  local line = first
  local indent = " *" .. (" "):rep(#first - 2)
  for word in text:gmatch "%S+" do
    if #line + 1 + #word > 98 and #line > #indent then
      lines[#lines + 1] = line
      line = indent
    end
    line = line .. (#line > #indent and " " or "") .. word
  end
  lines[#lines + 1] = line
end

-- The name, the equations, and which parameter is which matrix.
function write_layout.top(p, file)
  local lines = { ("/* %s - %s."):format(file, safe(p.help)), " *" }
  local width = 0
  for _, equation in ipairs(p.equations) do
    width = math.max(width, #equation.name)
  end
  for _, equation in ipairs(p.equations) do
    broken(lines, (" *     %-" .. width .. "s = "):format(equation.name), safe(equation.text))
  end
  lines[#lines + 1] = " *"
  local names = {}
  for _, one in ipairs(p.parameters) do
    if one.kind ~= "vector" then
      names[#names + 1] = ("%s is %s"):format(one.written, one.name)
    end
  end
  broken(lines, " * ", "A state on the right is that of the step before, where its own equation or one that it needs "
    .. "reads it, or with the mark '. Parameters: " .. table.concat(names, ", ")
    .. (#names < #p.parameters and "; the vectors have the names above" or "") .. ".")
  if p.license then
    lines[#lines + 1] = " * SPDX-License-Identifier: " .. p.license
  end
  return table.concat(lines, "\n") .. " */\n"
end

-- ---- ids --------------------------------------------------------------------------------------------------------

local function enum(prefix, names)
  local list = {}
  for i, name in ipairs(names) do
    list[i] = prefix .. name:upper()
  end
  return #list > 0 and c_text.list("enum { ", list, " };\n") or ""
end

local function names_of(list)
  local names = {}
  for i, one in ipairs(list) do
    names[i] = one.name
  end
  return names
end

-- ---- layout() ---------------------------------------------------------------------------------------------------

local KIND = { zero = "ZERO", constant = "CONST", uniform = "UNIFORM", normal = "NORMAL", truncated = "TRUNCATED",
  glorot_uniform = "GLOROT", he_normal = "HE", orthogonal = "ORTHO", identity = "IDENTITY", chrono = "CHRONO" }

local function plain(value)
  return math.type(value) == "integer" and tostring(value) or ("%.17g"):format(value)
end

-- An rd_init of { name, a, b }; columns: C for the width of what the matrix multiplies.
local function init_text(found, columns)
  local name, a, b = table.unpack(found)
  if name == "he_uniform" then -- the limits of He et al. 2015, eq. 10
    return ("{.kind = RD_INIT_UNIFORM, .a = -rd_sqrt_d(6.0 / %s), .b = rd_sqrt_d(6.0 / %s)}"):format(columns, columns)
  elseif name == "glorot_normal" then -- Glorot & Bengio 2010, eq. 12
    return ("{.kind = RD_INIT_NORMAL, .b = rd_sqrt_d(2.0 / (u->hidden + %s))}"):format(columns)
  end
  local text = "{.kind = RD_INIT_" .. KIND[name]
  if a then
    text = text .. ", .a = " .. plain(a)
  end
  if b then
    text = text .. ", .b = " .. plain(b)
  end
  return text .. "}"
end

local function call(kind, fields)
  table.insert(fields, 1, ("rd_%s_decl"):format(kind))
  local text = c_text.list(("    b->%s(b, RD_NEW("):format(kind), fields, "));")
  return text .. "\n"
end

local function bits(prefix, list, set)
  local found = {}
  for i, one in ipairs(list) do
    if set[i] then
      found[#found + 1] = ("RD_BIT(%s%s)"):format(prefix, one.name:upper())
    end
  end
  return table.concat(found, " | ")
end

local function line_text(p, line)
  local fed = next(line.states) or next(line.temps)
  local flags = {}
  flags[#flags + 1] = line.from_x and "RD_FROM_X" or nil
  flags[#flags + 1] = line.bias and "RD_BIAS_X" or nil
  flags[#flags + 1] = line.bias and fed and "RD_BIAS_REC" or nil
  local fields = { ".id = L_" .. line.name:upper(), (".name = \"%s\""):format(line.name), ".width = u->hidden" }
  local function add(format, ...)
    fields[#fields + 1] = format:format(...)
  end
  if line.phase > 0 then
    add(".phase = %d", line.phase)
  end
  if #flags > 0 then
    add(".flags = %s", table.concat(flags, " | "))
  end
  if next(line.states) then
    add(".states = %s", bits("S_", p.states, line.states))
  end
  if next(line.temps) then
    add(".temps = %s", bits("T_", p.temps, line.temps))
  end
  local given = {}
  for _, one in ipairs(p.parameters) do
    if one.line == line and one.init then
      given[one.kind == "bias" and "bias" or one.source == "x" and "x" or "rec"] = one.init
    end
  end
  for _, kind in ipairs { "x", "rec", "bias" } do
    if given[kind] then
      add(".init_%s = %s", kind, init_text(given[kind], kind == "x" and "u->in" or "u->hidden"))
    end
  end
  return call("line", fields)
end

local function vector_text(p, name)
  local fields = { ".id = V_" .. name:upper(), (".name = \"%s\""):format(name), ".width = u->hidden" }
  for _, one in ipairs(p.parameters) do
    if one.kind == "vector" and one.name == name and one.init then
      fields[#fields + 1] = ".init = " .. init_text(one.init, "u->hidden")
    end
  end
  return call("vec", fields)
end

local function state_text(state)
  local fields = { ".id = S_" .. state.name:upper(), (".name = \"%s\""):format(state.name), ".width = u->hidden" }
  local flags = {}
  flags[#flags + 1] = state.stop and "RD_STATE_STOP" or nil
  flags[#flags + 1] = state.whole and "RD_STATE_WHOLE" or nil
  if #flags > 0 then
    fields[#fields + 1] = ".flags = " .. table.concat(flags, " | ")
  end
  if state.first ~= 0 then
    fields[#fields + 1] = ".first = " .. plain(state.first)
  end
  return call("state", fields)
end

-- The enums of ids, and layout().
function write_layout.declaration(p)
  local out = { enum("S_", names_of(p.states)), enum("L_", names_of(p.lines)), enum("T_", names_of(p.temps)),
    enum("V_", p.vectors), enum("K_", names_of(p.saves)),
    "\nstatic rd_status layout(const rd_setup *u, rd_builder *b)\n{\n" }
  for _, state in ipairs(p.states) do
    out[#out + 1] = state_text(state)
  end
  for _, temp in ipairs(p.temps) do
    local fields = { ".id = T_" .. temp.name:upper(), (".name = \"%s\""):format(temp.name), ".width = u->hidden" }
    if temp.phase > 0 then
      fields[#fields + 1] = (".phase = %d"):format(temp.phase)
    end
    out[#out + 1] = call("temp", fields)
  end
  for _, line in ipairs(p.lines) do
    out[#out + 1] = line_text(p, line)
  end
  for _, name in ipairs(p.vectors) do
    out[#out + 1] = vector_text(p, name)
  end
  for _, save in ipairs(p.saves) do
    out[#out + 1] = call("save", { ".id = K_" .. save.name:upper(), ".width = " .. save.width })
  end
  out[#out + 1] = "    return RD_OK;\n}\n\n"
  return table.concat(out)
end

return write_layout
