-- c_text.lua - pieces of C: numbers, names that C leaves free, lines of at most 100 columns.
-- SPDX-License-Identifier: MIT
local c_text = {}

local COLUMNS = 100

local taken = {}
for word in ([[auto break case char const continue default do double else enum extern float for goto if inline int long
  register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while bool true
  false NULL j width]]):gmatch "%S+" do
  taken[word] = true
end

-- A name that no other in `used` has; adds it.
function c_text.name(name, used)
  local found, k = name, 1
  while taken[found] or used[found] or found:find "^rd_" do
    k = k + 1
    found = name .. "_" .. k
  end
  used[found] = true
  return found
end

function c_text.number(value)
  if math.type(value) == "integer" and math.abs(value) < 1 << 31 then
    return tostring(value)
  elseif value ~= value or value == math.huge or value == -math.huge then
    return value ~= value and "(rd_real)__builtin_nan(\"\")" or (value < 0 and "-" or "") .. "(rd_real)__builtin_inf()"
  end
  local short = ("%.15g"):format(math.abs(value))
  short = tonumber(short) == math.abs(value) and short or ("%.17g"):format(math.abs(value))
  short = short:find "[.e]" and short or short .. ".0"
  return (value < 0 and "-" or "") .. "(rd_real)" .. short
end

-- `head` and a list of pieces with commas between, broken before column 100 and lined up behind `head`'s parenthesis.
function c_text.list(head, pieces, tail)
  local column = #head:match "[^\n]*$"
  local indent, out, at = (" "):rep(column), { head }, column
  for i, piece in ipairs(pieces) do
    local text = piece .. (i < #pieces and "," or tail)
    if i > 1 and at + 1 + #text > COLUMNS then
      out[#out + 1] = "\n" .. indent .. text
      at = column + #text
    else
      out[#out + 1] = (i > 1 and " " or "") .. text
      at = at + #text + (i > 1 and 1 or 0)
    end
  end
  return table.concat(out)
end

-- A statement, broken at spaces where it is too long.
function c_text.statement(indent, text)
  local lines, line = {}, indent
  local first = true
  for word in text:gmatch "%S+" do
    if #line + 1 + #word > COLUMNS and line:find "%S" then
      lines[#lines + 1] = line
      line, first = indent .. "    ", true
    end
    line, first = line .. (first and "" or " ") .. word, false
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n") .. "\n"
end

return c_text
