-- cli/plugins.lua - rondo plugins: what was found and where, what was refused and what to do, who makes the products;
-- and installing.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"

local TITLES = { { "built in", "Built in" }, { "by name", "Named on the command line" },
  { "on the path", "On RONDO_PLUGIN_PATH" }, { "of the user", "Yours" }, { "installed", "Installed with Rondo" } }

-- ---- what there is --------------------------------------------------------------------------------------------

-- The places where plugins are looked for, in that order.
local function searched(core)
  local places, list = require "rondo.places", {}
  for folder in (core.getenv "RONDO_PLUGIN_PATH" or ""):gmatch "[^:]+" do
    list[#list + 1] = { place = "on the path", folder = folder }
  end
  list[#list + 1] = { place = "of the user", folder = places.user_plugins() }
  list[#list + 1] = { place = "installed", folder = places.plugins() }
  for _, entry in ipairs(list) do
    entry.there = entry.folder ~= nil and core.stat(entry.folder) ~= nil
  end
  return list
end

-- The plugins, each with those of its names that a later one has taken over, and by which.
local function plugins_of(core)
  local list = core.plugins()
  for _, p in ipairs(list) do
    for _, kind in ipairs { "cell", "layer" } do
      for _, name in ipairs(p[kind .. "s"] or {}) do
        local now = core[kind](name)
        if now and now.plugin.path ~= p.path then
          p.taken_over = p.taken_over or {}
          p.taken_over[name] = now.plugin.path
        end
      end
    end
  end
  return list
end

local function kernels_of(core)
  local list = {}
  for i, entry in ipairs(core.kernel_list()) do
    list[i] = { name = entry.name, help = entry.help, in_use = not entry.why_not, why_not = entry.why_not,
      inexact = entry.inexact, products = entry.products, score = entry.score }
  end
  return list
end

-- ---- the text -------------------------------------------------------------------------------------------------

local function brings(p)
  local list = {}
  for _, kind in ipairs { "cell", "layer", "kernels" } do
    for _, name in ipairs(p[kind == "kernels" and kind or kind .. "s"] or {}) do
      list[#list + 1] = ("%s %s"):format(kind, name)
    end
  end
  return table.concat(list, ", ")
end

local function show_plugin(p)
  if p.refusal then
    print(("  refused: %s\n    %s"):format(p.path, p.refusal))
    return
  end
  print(("  %-16s %-8s %s\n    %s; %s, %s"):format(p.name, p.version, brings(p), p.path, p.license, p.origin))
  for _, kind in ipairs { "cells", "layers" } do
    for _, name in ipairs(p.taken_over and p[kind] or {}) do
      if p.taken_over[name] then
        print(("    '%s' is that of %s now"):format(name, p.taken_over[name]))
      end
    end
  end
end

local function show_plugins(list)
  for _, title in ipairs(TITLES) do
    local begun = false
    for _, p in ipairs(list) do
      if p.found == title[1] then
        if not begun then
          print(title[2] .. ":")
        end
        begun = true
        show_plugin(p)
      end
    end
  end
end

local function show_kernels(list)
  print "\nKernel backends, best first; the one in use makes all products of layers:"
  for _, entry in ipairs(list) do
    print(("  %-12s %-20s %s"):format(entry.name, table.concat(entry.products, ", "), entry.why_not
      or ("in use%s%s"):format(entry.score > 0 and (": scores %d here"):format(entry.score) or "",
        entry.inexact and "; its products are not the bit contract's" or "")))
  end
end

local function show_searched(list)
  print "\nPlugins are searched, in this order, in:"
  for _, entry in ipairs(list) do
    print(("  %-14s %s%s"):format(entry.place, entry.folder or "nowhere: neither HOME nor XDG_DATA_HOME is set",
      entry.folder and not entry.there and " (not there)" or ""))
  end
end

-- ---- commands -------------------------------------------------------------------------------------------------

local function install_command(arguments, cli)
  local parser = cli.parser("plugins install", "Copies a plugin into your folder, where it is found from then on; one "
    .. "of the same name is replaced. What would be refused there is refused.")
  parser:argument("file", "FILE.so")
  local o = cli.parse(parser, arguments)
  local done = require("rondo.plugin_install").file(o.file)
  print(("installed %s %s (%s): %s"):format(done.name, done.version, brings(done), done.path))
  for _, there in ipairs(done.older) do
    print(("in place of version %s"):format(there.version))
  end
  for _, note in ipairs(done.notes) do
    errors.notice("%s", note)
  end
  return 0
end

local function remove_command(arguments, cli)
  local parser = cli.parser("plugins remove", "Takes a plugin out of your folder.")
  parser:argument("name", "name of the plugin, or of its file")
  local o = cli.parse(parser, arguments)
  print("removed " .. require("rondo.plugin_install").remove(o.name))
  return 0
end

return function(arguments, cli)
  local named = { install = install_command, remove = remove_command }
  if named[arguments[1]] then
    return named[arguments[1]](table.move(arguments, 2, #arguments, 1, {}), cli)
  end
  local parser = cli.parser("plugins", "Lists the plugins, where each was found, their cells, layers and kernels, what "
    .. "was refused and what to do about it. `rondo plugins install FILE` copies one into your folder, `rondo plugins "
    .. "remove NAME` takes it away.")
  parser:argument("file", "also try these plugin files"):args "*"
  parser:flag("--json", "one JSON object: plugins, kernels, searched")
  local o = cli.parse(parser, arguments)
  local core = require "rondo.native"
  local failed
  local word = o.file[1]
  local near = word and not core.stat(word) and core.nearest(word, { "install", "remove" })
  if near then
    errors.stop(errors.USAGE, ("plugins: there is no file '%s' (did you mean '%s'?)"):format(word, near))
  end
  for _, path in ipairs(o.file) do
    local report, message = core.load_plugin(require("rondo.plugins").path_of(path))
    if not report then
      io.stderr:write("rondo: ", message, "\n")
      failed = true
    end
  end
  local list, kernels, where = plugins_of(core), kernels_of(core), searched(core)
  if o.json then
    io.stdout:write(require("rondo.json").encode { plugins = list, kernels = kernels, searched = where }, "\n")
  else
    show_plugins(list)
    show_kernels(kernels)
    show_searched(where)
  end
  return failed and errors.USAGE or 0
end
