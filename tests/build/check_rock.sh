#!/bin/bash
# check_rock.sh - the rock is made in a copy of the last commit, installed into a tree of its own, used, and removed.
#
# usage: tests/build/check_rock.sh FOLDER      FOLDER is for its files; needs luarocks, no network
# SPDX-License-Identifier: MIT
set -euo pipefail
cd "$(dirname "$0")/../.."

rm -rf "$1"
folder=$(mkdir -p "$1" && cd "$1" && pwd)
rock=("$(command -v luarocks)" --lua-version 5.4 --tree "$folder/tree")
mkdir "$folder/source"
git archive HEAD | tar -x -C "$folder/source"
cd "$folder/source"
"${rock[@]}" make --deps-mode none rondo-*.rockspec
"${rock[@]}" show rondo

# Stock Lua and the command, from another folder, with nothing of the source folder left.
cd "$folder"
mv source gone
for n in $(seq 200); do echo "line $n of a text, and one more word"; done >text.txt
export LUA_PATH="$folder/tree/share/lua/5.4/?.lua;$folder/tree/share/lua/5.4/?/init.lua;;"
export LUA_CPATH="$folder/tree/lib/lua/5.4/?.so;;"
lua5.4 -e 'local rondo = require "rondo"; assert(#rondo.plugins.cells >= 3); print(rondo._VERSION, rondo.LSTM { 2, 3 })'
unset LUA_PATH LUA_CPATH
tree/bin/rondo plugins
tree/bin/rondo check gone/plugins/cells/mgu.c
tree/bin/rondo train text.txt --run-dir run --hidden-size 8 --max-steps 4 --ngrams 0 --progress none
tree/bin/rondo sample run --length 20 --seed 1
tree/bin/rondo data list
eval "$(tree/bin/rondo env)"
lua5.4 -e 'print(assert(require("rondo").load "run").step)'
rondo new-cell demo.mgu
cmake -S mgu -B mgu/build
cmake --build mgu/build
ctest --test-dir mgu/build --output-on-failure
cmake --install mgu/build
rondo help demo.mgu
rm "$(pkg-config --variable=plugindir rondo-plugin)/mgu.so"

"${rock[@]}" remove rondo
left=$(find tree -path '*rondo*' ! -type d)
echo "left: $left"
[ -z "$left" ]
