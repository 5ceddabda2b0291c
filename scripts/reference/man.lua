-- man.lua - the man page rondo(1).
-- SPDX-License-Identifier: MIT
local VARIABLES = {
  { "RONDO_THREADS", "worker threads; 0: one per CPU" },
  { "RONDO_KERNELS", "kernel backends that may be used, as in avx2,scalar" },
  { "RONDO_PLUGIN_PATH", "absolute folders with more plugins, separated by colons, searched first" },
  { "RONDO_PLUGIN_TRUST", "1: also load plugins that belong to others or that others may write to" },
  { "RONDO_DATA", "folder in which data sets are looked for first" },
  { "XDG_CACHE_HOME", "downloaded data sets and compiled cells lie in its folder rondo (default ~/.cache)" },
  { "CC", "the C compiler of check, compile-cell and cells of equations (default cc)" },
  { "XDG_DATA_HOME", "your plugins lie in its folder rondo/plugins-1, searched next (default ~/.local/share)" },
  { "XDG_STATE_HOME", "the history of the prompt is in its file rondo/history (default ~/.local/state)" },
}
local STATUSES = {
  { "0", "done" }, { "1", "the script raised an error" }, { "2", "the command line is wrong" },
  { "3", "data or a checkpoint cannot be read" }, { "4", "the training diverged" },
  { "5", "done, but what was asked for does not hold: a plugin breaks a rule, trials failed" },
  { "75", "stopped by a signal, with a checkpoint: run it again with --resume" },
  { "130", "stopped by Ctrl-C, with a checkpoint" },
}

local PROMPT = "is a prompt that runs Lua with the module at hand: a line is run as it is entered, the value of an "
  .. "expression is printed, Ctrl-C drops the line, Ctrl-D ends it. Results go to standard output, everything else to "
  .. "standard error."
local DATE = "2026-11-25" -- of this version, not of the day it is made: equal sources give equal bytes
local WIDTH = 76

-- Lines of at most WIDTH characters.
local function filled(text)
  local lines, line = {}, ""
  for word in text:gmatch "%S+" do
    if line ~= "" and #line + #word >= WIDTH then
      lines[#lines + 1], line = line, word
    else
      line = line == "" and word or line .. " " .. word
    end
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

-- Text as roff reads it.
local function roff(text)
  local safe = filled((text:gsub("\\", "\\e"):gsub("%-", "\\-")))
  return (safe:gsub("^([.'])", "\\&%1"):gsub("\n([.'])", "\n\\&%1"))
end

local function pairs_of(out, list)
  for _, entry in ipairs(list) do
    out[#out + 1] = (".TP\n.B %s\n%s"):format(roff(entry[1]), roff(entry[2]))
  end
end

local function option_lines(out, option)
  local names = {}
  for i, name in ipairs(option.names) do
    names[i] = ("\\fB%s\\fR"):format(roff(name))
  end
  local takes = option.takes and (" \\fI%s\\fR"):format(roff((option.takes:gsub("[<>]", "")))) or ""
  local choices = option.choices and (" (%s)"):format(table.concat(option.choices, ", ")) or ""
  out[#out + 1] = (".TP\n%s%s\n%s"):format(table.concat(names, ", "), takes, roff((option.help or "") .. choices))
end

local function man(commands, version)
  local out = { ".\\\" Made by scripts/generate_reference.lua. SPDX-License-Identifier: MIT",
    (".TH RONDO 1 %s \"rondo %s\" \"User Commands\""):format(DATE, version),
    ".SH NAME", "rondo \\- train and run recurrent neural networks on ordinary CPUs",
    ".SH SYNOPSIS", ".nf", ".B rondo" }
  for _, command in ipairs(commands) do
    out[#out + 1] = (".B rondo %s"):format(roff(command.usage))
  end
  out[#out + 1] = ".fi\n.SH DESCRIPTION\nWithout arguments, on a terminal,\n.B rondo\n" .. roff(PROMPT)
  out[#out + 1] = ".SH COMMANDS"
  for _, command in ipairs(commands) do
    out[#out + 1] = (".SS rondo %s\n%s."):format(roff(command.usage), roff((command.help:gsub("^%l", string.upper))))
    for _, argument in ipairs(command.arguments) do
      option_lines(out, { names = { argument.name:upper() }, help = argument.help, choices = argument.choices })
    end
    for _, option in ipairs(command.options) do
      option_lines(out, option)
    end
  end
  out[#out + 1] = ".SH ENVIRONMENT"
  pairs_of(out, VARIABLES)
  out[#out + 1] = ".SH EXIT STATUS"
  pairs_of(out, STATUSES)
  out[#out + 1] = ".SH SEE ALSO\n.BR lua5.4 (1),\n.BR h5dump (1)"
  return table.concat(out, "\n") .. "\n"
end

return { man = man }
