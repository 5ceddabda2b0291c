#!/bin/bash
# keep.sh - adds to tests/fuzz/corpus/NAME the fewest small inputs that reach what is not reached by it yet.
#
# usage: tests/fuzz/keep.sh NAME...     from the source folder, after `cmake --build --preset fuzz`
#
# Out of what seeds.py writes and what the fuzzers have found (build/fuzz/corpus/NAME). What is kept stays: inputs of
# findings are among it.
# SPDX-License-Identifier: MIT
set -euo pipefail

seeds=$(mktemp -d)
trap 'rm -rf "$seeds"' EXIT
tests/fuzz/seeds.py "$seeds"
for name in "$@"; do
    kept=tests/fuzz/corpus/$name
    mkdir -p "$kept" "build/fuzz/corpus/$name" "$seeds/$name"
    flags=(-rss_limit_mb=1024)
    if [ -e "tests/fuzz/fuzz_$name.flags" ]; then # of its own
        mapfile -t -O ${#flags[@]} flags < <(grep -v close_fd_mask "tests/fuzz/fuzz_$name.flags")
    fi
    # The program starts itself again by the name it was given, from a folder that it may have left.
    "$PWD/build/fuzz/fuzz/fuzz_$name" "${flags[@]}" -merge=1 -use_counters=0 -timeout=30 \
        "$kept" "$seeds/$name" "build/fuzz/corpus/$name" 2>&1 | tail -n 1
    echo "$name: $(find "$kept" -type f | wc -l) files, $(du -sb "$kept" | cut -f 1) bytes"
done
