-- cli/env.lua - rondo env: for `eval "$(rondo env)"`, so that lua5.4 finds this module, the shell this command, and
-- compilers what plugins are made with.
-- SPDX-License-Identifier: MIT

-- A text in single quotes, as a shell reads it.
local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

return function(arguments, cli)
  cli.parse(cli.parser("env", 'Prints shell lines: eval "$(rondo env)" sets the paths of this rondo.'), arguments)
  local places = require "rondo.places"
  local prefix, kit = places.prefix(), places.kit()
  local share = prefix .. "/share/lua/5.4/"
  print("export PATH=" .. quoted(prefix .. "/bin") .. ':"$PATH"')
  print("export LUA_PATH_5_4=" .. quoted(share .. "?.lua;" .. share .. "?/init.lua;") .. '"${LUA_PATH_5_4:-;}"')
  print("export LUA_CPATH_5_4=" .. quoted(prefix .. "/lib/lua/5.4/?.so;") .. '"${LUA_CPATH_5_4:-;}"')
  print("export PKG_CONFIG_PATH=" .. quoted(kit .. "/share/pkgconfig") .. '"${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"')
  print("export CMAKE_PREFIX_PATH=" .. quoted(kit) .. '"${CMAKE_PREFIX_PATH:+:$CMAKE_PREFIX_PATH}"')
  return 0
end
