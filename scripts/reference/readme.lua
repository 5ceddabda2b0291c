-- readme.lua - the tables of options in lua/README.md.
-- SPDX-License-Identifier: MIT
local reference = require "rondo.reference"

local function cell(text)
  return (text:gsub("|", "\\|"))
end

local function rows(out, topic)
  out[#out + 1] = "| option | values | default | |"
  out[#out + 1] = "| --- | --- | --- | --- |"
  for _, spec in ipairs(topic.specs) do
    local default = reference.default(spec)
    out[#out + 1] = ("| `%s` | %s | %s | %s |"):format(spec.name, cell(reference.range(spec)),
      cell(default == "" and " " or default), cell(spec.help or ""))
  end
end

local function heading(out, topic)
  local call = topic.path:find "[{(]" and topic.path
    or ("%s { %s }"):format(topic.path, #topic.positional > 0 and table.concat(topic.positional, ", ") or "...")
  out[#out + 1] = ("**`%s`**%s%s"):format(call, topic.help and ": " .. topic.help or "",
    topic.of and "; beside the options of `rondo.RNN`" or "")
  out[#out + 1] = ""
end

local function readme(topics)
  local out, group = {}, nil
  for _, topic in ipairs(topics) do
    if topic.group ~= group then
      group = topic.group
      out[#out + 1] = "### " .. reference.titles[group]
      out[#out + 1] = ""
    end
    heading(out, topic)
    if #topic.specs > 0 then
      rows(out, topic)
      out[#out + 1] = ""
    end
  end
  out[#out] = nil
  return table.concat(out, "\n")
end

return { readme = readme }
