-- .luacheckrc - what luacheck checks. SPDX-License-Identifier: MIT
std = "lua54"
max_line_length = 120
files["tests"].std = "+busted"
exclude_files = { "build*", "lua/library" } -- the library is annotations, never run
