-- command_line.lua - what rondo.args and the command share: arguments as argparse wants them, its messages as one
-- sentence.
-- SPDX-License-Identifier: MIT
local command_line = {}

local EXTRA = "what no option takes"

-- A copy of a list of arguments in which `--lr -1` is `--lr=-1`: argparse would look for an option named -1.
function command_line.joined(list)
  local all = {}
  for _, argument in ipairs(list) do
    local before = all[#all]
    if argument:find "^%-%.?%d" and before and before:find "^%-%-[%w_-]+$" then
      all[#all] = before .. "=" .. argument
    else
      all[#all + 1] = argument
    end
  end
  return all
end

-- Names of argparse's suggestions as "'--a' or '--b'"; --a_b is no news beside --a-b.
local function suggestions(names)
  local list, seen = {}, {}
  for name in names:gmatch "'([^']+)'" do
    local kebab = name:gsub("_", "-")
    if not seen[kebab] then
      seen[kebab] = true
      list[#list + 1] = ("'%s'"):format(kebab)
    end
  end
  return table.concat(list, " or ")
end

-- A message of argparse in one line.
function command_line.sentence(message)
  local what, names = message:match "^(.-)\nDid you mean (.*)%?$"
  if what then
    message = ("%s (did you mean %s?)"):format(what, suggestions(names))
  end
  return (message:gsub("\n", " "))
end

-- Lets a parser take arguments that it has no use for, so that extra() can name the first of them.
function command_line.take_extra(parser)
  parser:argument(EXTRA):args "*":hidden(true)
end

-- Of what was parsed: a message about an argument too many, or nil.
function command_line.extra(typed)
  local first = typed[EXTRA] and typed[EXTRA][1]
  typed[EXTRA] = nil
  return first and ("'%s' is one argument too many"):format(first)
end

return command_line
