-- spans.lua - spans of tags: where they begin and end, and how one scheme is written in another.
--
-- A tag is O (outside) or a letter, a hyphen and a type: B-person. What begins or ends a span is what conlleval says
-- (Tjong Kim Sang and Buchholz 2000), which reads IOB1 and IOB2 and, with E and S, BIOES alike: a tag without its
-- beginning still makes a span.
-- SPDX-License-Identifier: MIT
local spans = {}

-- Letter and type of a tag; the type may hold hyphens.
function spans.parse(tag)
  local letter, kind = tag:match "^([^-]*)%-(.*)$"
  return letter or tag, kind or ""
end

local function outside(letter)
  return letter == "O" or letter == "."
end

-- Does a span end between two tags, the first of which is (before, kind_before)?
function spans.ends(before, letter, kind_before, kind)
  if before == "E" or before == "S" or before == "[" or before == "]" then
    return true
  elseif (before == "B" or before == "I") and (letter == "B" or letter == "S" or letter == "O") then
    return true
  end
  return not outside(before) and kind_before ~= kind
end

-- Does a span begin with the second of two tags?
function spans.begins(before, letter, kind_before, kind)
  if letter == "B" or letter == "S" or letter == "[" or letter == "]" then
    return true
  elseif (before == "E" or before == "S" or before == "O") and (letter == "E" or letter == "I") then
    return true
  end
  return not outside(letter) and kind_before ~= kind
end

-- Spans of a list of tags: { kind, first, last } in order.
function spans.of(tags)
  local list, open = {}, nil
  local before, kind_before = "O", ""
  for i = 1, #tags + 1 do
    local letter, kind = spans.parse(tags[i] or "O")
    if open and spans.ends(before, letter, kind_before, kind) then
      open[3], open = i - 1, nil
    end
    if spans.begins(before, letter, kind_before, kind) then
      open = { kind, i }
      list[#list + 1] = open
    end
    before, kind_before = letter, kind
  end
  return list
end

local letters = {}

function letters.iob2(i, first)
  return i == first and "B" or "I"
end

function letters.bioes(i, first, last)
  return first == last and "S" or i == first and "B" or i == last and "E" or "I"
end

-- B only where the span before it touches it and is of the same type.
function letters.iob1(i, first, _, touches)
  return i == first and touches and "B" or "I"
end

spans.schemes = { "iob1", "iob2", "bioes" }

-- The tags written in a scheme: iob1, iob2 or bioes.
function spans.convert(tags, scheme)
  local result, before = {}, nil
  for i = 1, #tags do
    result[i] = "O"
  end
  for _, span in ipairs(spans.of(tags)) do
    local kind, first, last = table.unpack(span)
    local touches = before and before[1] == kind and before[3] == first - 1
    for i = first, last do
      local letter = letters[scheme](i, first, last, touches)
      result[i] = kind == "" and letter or letter .. "-" .. kind
    end
    before = span
  end
  return result
end

return spans
