-- report/page.lua - parts of a report as HTML and as JSON in HTML. Everything that comes from outside is escaped here.
-- SPDX-License-Identifier: MIT
local digest = require "rondo.digest"
local json = require "rondo.json"

local page = {}

local LONG_TEXT = 60 -- a longer one may be broken

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

-- A text as HTML, inside elements and inside quoted attributes.
local function html(text)
  return (json.valid(tostring(text)):gsub("[%z\1-\8\11\12\14-\31]", "\u{FFFD}"):gsub("[&<>\"']", ENTITIES))
end
page.html = html

-- A number as a reader wants it, and any other value as a text.
local function shown(value)
  if math.type(value) == "float" then
    return ("%.5g"):format(value)
  elseif type(value) == "table" then
    return json.encode(value)
  end
  return value == nil and "" or tostring(value)
end
page.shown = shown

-- ---- JSON -------------------------------------------------------------------------------------------------

local SAFE = { ["<"] = "\\u003c", [">"] = "\\u003e", ["&"] = "\\u0026", ["\u{2028}"] = "\\u2028",
  ["\u{2029}"] = "\\u2029" }

local function text_json(text)
  return (json.encode(json.valid(text)):gsub("[<>&]", SAFE):gsub("\u{2028}", SAFE):gsub("\u{2029}", SAFE))
end

-- A value as JSON that may stand in a script element: no text ends the element or begins a comment. Numbers have seven
-- digits; what JSON lacks is null.
local function encode(value)
  if type(value) == "string" then
    return text_json(value)
  elseif math.type(value) == "integer" then
    return tostring(value)
  elseif type(value) == "number" then
    return value == value and math.abs(value) < math.huge and ("%.7g"):format(value) or "null"
  elseif type(value) ~= "table" then
    return value == nil and "null" or tostring(value)
  end
  local parts = {}
  if #value > 0 or next(value) == nil then
    for i = 1, #value do
      parts[i] = encode(value[i])
    end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  local keys = {}
  for key in pairs(value) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for i, key in ipairs(keys) do
    parts[i] = text_json(key) .. ":" .. encode(value[key])
  end
  return "{" .. table.concat(parts, ",") .. "}"
end
page.json = encode

-- ---- elements ---------------------------------------------------------------------------------------------

-- A table: heads a list of texts, rows a list of lists of values; cells that are { html = } stand as they are.
-- o: class, id, row (attributes of a row, by its number).
function page.table(heads, rows, o)
  o = o or {}
  local parts = { ('<div class="wide"><table%s%s><thead><tr>'):format(o.class and (' class="%s"'):format(o.class) or "",
    o.id and (' id="%s"'):format(o.id) or "") }
  local numeric = {}
  for c, head in ipairs(heads) do
    numeric[c] = #rows > 0
    for _, row in ipairs(rows) do
      numeric[c] = numeric[c] and (type(row[c]) == "number" or row[c] == nil or row[c] == "")
    end
    parts[#parts + 1] = ('<th scope="col"%s>%s</th>'):format(numeric[c] and ' class="n"' or "", html(head))
  end
  parts[#parts + 1] = "</tr></thead><tbody>"
  for r, row in ipairs(rows) do
    parts[#parts + 1] = ("<tr%s>"):format(o.row and o.row(r) or "")
    for c = 1, #heads do
      local cell = row[c]
      local inner = type(cell) == "table" and cell.html or html(shown(cell))
      local long = type(cell) == "string" and #cell > LONG_TEXT
      local class = numeric[c] and ' class="n"' or long and ' class="wrap"' or ""
      parts[#parts + 1] = ("<td%s>%s</td>"):format(class, inner)
    end
    parts[#parts + 1] = "</tr>"
  end
  parts[#parts + 1] = "</tbody></table></div>\n"
  return table.concat(parts)
end

-- SVG of gnuplot as an element of a page.
function page.svg(text)
  return (text:gsub("^.-<svg", "<svg", 1))
end

local function hash(text)
  return ("'sha256-%s'"):format(digest.base64(digest.sha256(text)))
end

-- The whole page. o: title, style, scripts (a list), data (a table), body, comments (a list).
function page.whole(o)
  local hashes, scripts = {}, {}
  for i, script in ipairs(o.scripts) do
    hashes[i] = hash(script)
    scripts[i] = ("<script>%s</script>\n"):format(script)
  end
  local policy = ("default-src 'none'; script-src %s; style-src %s; img-src data:; base-uri 'none'; form-action 'none'")
    :format(#hashes > 0 and table.concat(hashes, " ") or "'none'", hash(o.style))
  local comments = {}
  for i, comment in ipairs(o.comments or {}) do
    comments[i] = "<!--\n" .. comment:gsub("%-%-+>?", "-") .. "-->\n"
  end
  return table.concat {
    "<!DOCTYPE html>\n", table.concat(comments),
    '<html lang="en">\n<head>\n<meta charset="utf-8">\n',
    ('<meta http-equiv="Content-Security-Policy" content="%s">\n'):format(policy),
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
    ("<title>%s</title>\n<style>%s</style>\n</head>\n<body>\n"):format(html(o.title), o.style), o.body,
    ('<script type="application/json" id="data">%s</script>\n'):format(encode(o.data)), table.concat(scripts),
    "</body>\n</html>\n" }
end

return page
