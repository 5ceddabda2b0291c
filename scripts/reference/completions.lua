-- completions.lua - what bash and zsh complete after `rondo`.
-- SPDX-License-Identifier: MIT
local completions = {}

local function data_sets()
  local names = {}
  for i, entry in ipairs(assert(require("rondo.data.catalog").read())) do
    names[i] = entry.name
  end
  return names
end

local function topic_names(commands, topics)
  local names, seen = {}, {}
  for _, list in ipairs { commands, topics } do
    for _, each in ipairs(list) do
      if not seen[each.name] then
        seen[each.name] = true
        names[#names + 1] = each.name
      end
    end
  end
  return names
end

local function names_of(command)
  local names = {}
  for _, option in ipairs(command.options) do
    for _, name in ipairs(option.names) do
      names[#names + 1] = name
    end
  end
  return names
end

-- ---- bash -------------------------------------------------------------------------------------------------

local BASH_HEAD = [=[
# rondo.bash - what bash completes after `rondo`. Made by scripts/generate_reference.lua. SPDX-License-Identifier: MIT
# shellcheck shell=bash

# Files that end in $1 (a pattern), and folders on the way.
_rondo_files() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -d -- "$cur"; compgen -f -X "!$1" -- "$cur")
}

# Run folders: those with checkpoints; folders without are ways to them where there is no better.
_rondo_runs() {
    local folder
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(
        compgen -f -X '!*.h5' -- "$cur"
        compgen -d -- "$cur" | while IFS= read -r folder; do
            [ -d "$folder/checkpoints" ] && printf '%s\n' "$folder"
        done
    )
    [ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -d -- "$cur")
}

_rondo_words() {
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

_rondo() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command='' place=0 options='' i
    COMPREPLY=()
    if [ "$cur" = = ]; then # --option=value is three words
        cur=
    elif [ "$prev" = = ]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -* | =) ;;
        *)
            if [ -z "$command" ]; then
                command=${COMP_WORDS[i]}
            elif [[ ${COMP_WORDS[i - 1]} != -* ]]; then
                place=$((place + 1))
            fi
            ;;
        esac
    done
]=]

local BASH_ACTIONS = { run = "_rondo_runs", file = "_rondo_files '*'", script = "_rondo_files '*.lua'",
  plugin = "_rondo_files '*.so'",
  plugin_or_word = "_rondo_files '*.so'; COMPREPLY+=($(compgen -W 'install remove' -- \"$cur\"))" }

local function bash_action(item, known)
  if item.kind == "choice" then
    return ("_rondo_words '%s'"):format(table.concat(item.choices, " "))
  elseif item.kind == "data_set" or item.kind == "topic" then
    return ("_rondo_words '%s'"):format(table.concat(known[item.kind], " "))
  end
  return BASH_ACTIONS[item.kind] or ":"
end

-- What an option's value is: cases of the word before.
local function bash_values(out, command)
  local cases, free = {}, {}
  for _, option in ipairs(command.options) do
    local action = option.takes and bash_action(option, {})
    local names = table.concat(option.names, " | ")
    if action == ":" then
      free[#free + 1] = names
    elseif action then
      cases[#cases + 1] = ("        %s) %s; return ;;"):format(names, action)
    end
  end
  if #free > 0 then
    cases[#cases + 1] = ("        %s) return ;;"):format(table.concat(free, " | "))
  end
  if #cases > 0 then
    out[#out + 1] = "        case $prev in"
    table.move(cases, 1, #cases, #out + 1, out)
    out[#out + 1] = "        esac"
  end
end

function completions.bash(commands, topics)
  local known = { data_set = data_sets(), topic = topic_names(commands, topics) }
  local names, out = {}, { BASH_HEAD .. "    case $command in" }
  for i, command in ipairs(commands) do
    names[i] = command.name
    out[#out + 1] = ("    %s)\n        options='%s'"):format(command.name, table.concat(names_of(command), " "))
    bash_values(out, command)
    if #command.arguments > 0 then
      out[#out + 1] = "        case $cur$place in\n        -*) ;;"
      for k, argument in ipairs(command.arguments) do
        out[#out + 1] = ("        *%s) %s ;;"):format(argument.many and "" or k - 1, bash_action(argument, known))
      end
      out[#out + 1] = "        esac"
    end
    out[#out + 1] = "        ;;"
  end
  out[#out + 1] = ("    '') _rondo_words '%s --help --version' ;;\n    esac"):format(table.concat(names, " "))
  out[#out + 1] = [=[
    if [[ $cur = -* && -n $options ]]; then
        _rondo_words "$options"
    fi
}
complete -F _rondo rondo
]=]
  return table.concat(out, "\n")
end

-- ---- zsh --------------------------------------------------------------------------------------------------

local ZSH_ACTIONS = { run = "_rondo_runs", file = "_files", script = "_files -g '*.lua'", plugin = "_files -g '*.so'",
  plugin_or_word = "{compadd install remove; _files -g '*.so'}", text = " " }

local function zsh_text(text)
  return (text:gsub("([%[%]:\\])", "\\%1"):gsub("'", "'\\''"))
end

local function zsh_action(item, known)
  local words = item.choices or known[item.kind]
  if words then
    return "(" .. table.concat(words, " ") .. ")"
  end
  return (ZSH_ACTIONS[item.kind]:gsub("'", "'\\''"))
end

local function zsh_lines(command, known)
  local lines = {}
  for _, option in ipairs(command.options) do
    for _, name in ipairs(option.names) do
      local value = option.takes and (":%s:%s"):format(zsh_text((option.takes:gsub("[<>]", ""))),
        zsh_action(option, known)) or ""
      lines[#lines + 1] = ("'%s%s[%s]%s'"):format(name, option.takes and name:find "^%-%-" and "=" or "",
        zsh_text(option.help or ""), value)
    end
  end
  for i, argument in ipairs(command.arguments) do
    lines[#lines + 1] = ("'%s:%s:%s'"):format(argument.many and "*" or argument.optional and i .. ":" or i,
      zsh_text(argument.name), zsh_action(argument, known))
  end
  if command.name == "run" or command.name == "plan" then
    lines[#lines + 1] = "'*::argument:_files'"
  end
  return lines
end

function completions.zsh(commands, topics)
  local known = { data_set = data_sets(), topic = topic_names(commands, topics) }
  local out = { "#compdef rondo", "# rondo.zsh - what zsh completes after `rondo`. Made by "
    .. "scripts/generate_reference.lua. SPDX-License-Identifier: MIT", [[

# Checkpoints, run folders, and folders on the way to them.
_rondo_runs() {
    _files -g '*.h5' || _files -/
}

_rondo() {
    local curcontext=$curcontext state line
    local -a commands
    commands=(]] }
  for _, command in ipairs(commands) do
    out[#out + 1] = ("        '%s:%s'"):format(command.name, zsh_text(command.help))
  end
  out[#out + 1] = [[
    )
    _arguments -C '(-h --help)'{-h,--help}'[show this and end]' '--version[show which rondo this is]' \
        '1:command:->command' '*::argument:->argument' && return
    case $state in
    command) _describe command commands ;;
    argument)
        case $words[1] in]]
  for _, command in ipairs(commands) do
    out[#out + 1] = ("        %s)\n            _arguments \\\n                %s\n            ;;"):format(command.name,
      table.concat(zsh_lines(command, known), " \\\n                "))
  end
  out[#out + 1] = [[
        esac
        ;;
    esac
}

_rondo "$@"
]]
  return table.concat(out, "\n")
end

return completions
