#!/bin/bash
# check_kit.sh - what `rondo new-cell` and its like write builds in three ways, passes its check, learns and is used,
# for an installed Rondo and for the build tree; and a cell has the same bits from every compiler.
#
# usage: tests/build/check_kit.sh BUILD FOLDER      FOLDER is for its files
# SPDX-License-Identifier: MIT
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$(cd "$1" && pwd)
rm -rf "$2"
folder=$(mkdir -p "$2" && cd "$2" && pwd)

# with ROOT FOLDER COMMAND...: in the folder, with nothing of this shell but one Rondo.
with() {
    local root=$1 place=$2
    shift 2
    # shellcheck disable=SC2016
    env -i HOME="$folder/home" TERM=dumb PATH="$root/bin:/usr/bin:/bin" \
        bash -euo pipefail -c 'eval "$(rondo env)"; cd "$1"; shift; "$@"' _ "$place" "$@" </dev/null
}

# blocks README: its shell blocks, in order.
blocks() { awk '/^```/ { on = $0 == "```sh"; next } on' "$1"; }

# exported FILE: the symbols that it defines for others.
exported() { nm -D --defined-only "$1" | awk '{ print $3 }'; }
entry=$(sed -nE 's/^#define RD_ABI_MAJOR ([0-9]+).*/rd_plugin_v\1/p' core/include/rondo/abi.h)

# kit ROOT FOLDER KIND: the commands of the written README, one by one.
kit() {
    local root=$1 place=$2 kind=$3
    mkdir -p "$place"
    with "$root" "$place" rondo "new-$kind" "demo.my_$kind"
    blocks "$place/my_$kind/README.md" >"$place/commands.sh"
    with "$root" "$place/my_$kind" bash -euxo pipefail "$place/commands.sh"
    [ "$(exported "$place/my_$kind/build/my_$kind.so")" = "$entry" ]
}

# digest SO RUN: of the state after a short training with this plugin.
digest() {
    with "$prefix" "$folder" rondo train "$folder/text.txt" --plugin "$1" --cell demo.my_cell --run-dir "$2" \
        --hidden-size 20 --batch-size 3 --seq-len 30 --max-steps 6 --ngrams 0 --sample-length 0 --quiet >&2
    with "$prefix" "$folder" rondo info "$2" --plugin "$1" --json | grep -o '"state_digest":"[^"]*"'
}

prefix=$folder/prefix
flock build/install.lock cmake --install "$build" --prefix "$prefix" >/dev/null # not while another is taken back
for kind in cell kernel layer; do
    kit "$prefix" "$folder/installed" $kind
    kit "$build" "$folder/tree" $kind
done

for n in $(seq 200); do echo "line $n of a text, and one more word"; done >"$folder/text.txt"
source=$folder/installed/my_cell/my_cell.c
read -ra flags <<<"$(with "$prefix" / pkg-config --cflags rondo-plugin)"
read -ra libs <<<"$(with "$prefix" / pkg-config --libs rondo-plugin)"
gcc "${flags[@]}" -shared "$source" -o "$folder/gcc.so" "${libs[@]}"
of_gcc=$(digest "$folder/gcc.so" "$folder/run-gcc")
if command -v clang >/dev/null; then
    clang "${flags[@]}" -O0 -shared "$source" -o "$folder/clang.so" "${libs[@]}"
    [ "$(exported "$folder/clang.so")" = "$entry" ]
    of_clang=$(digest "$folder/clang.so" "$folder/run-clang")
    [ "$of_gcc" = "$of_clang" ]
    clang -x c++ -std=c++17 -O2 -fPIC -shared -Wall -Wextra -Werror -ffp-contract=off -I "$prefix/include" \
        tests/build/cell.cc -o "$folder/cell_cc.so" -lm
    with "$prefix" "$folder" rondo check cell_cc.so
fi

# Sources that are for float alone: what double is needed for is skipped, by name.
cp -r "$folder/installed/my_cell" "$folder/single"
rm -r "$folder/single/build"
sed -i 's/rondo_add_plugin(my_cell /&NO_DOUBLE /' "$folder/single/CMakeLists.txt"
with "$prefix" "$folder/single" bash -euc \
    'cmake -B build && cmake --build build && ctest --test-dir build -V -R check' >"$folder/single.log"
grep -q 'skip *C6' "$folder/single.log"

# A cell for one processor alone, or with other arithmetic, is refused when it is configured.
for flag in -march=native -mavx2 -ffast-math; do
    if with "$prefix" "$folder/installed/my_cell" env CFLAGS=$flag cmake -B "$folder/refused" \
        >"$folder/refused.log" 2>&1; then
        echo "$flag was not refused"
        exit 1
    fi
    grep -q "my_cell: take $flag away" "$folder/refused.log"
    rm -rf "$folder/refused"
done
