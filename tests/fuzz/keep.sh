#!/bin/bash
# keep.sh - makes tests/fuzz/corpus/NAME: the fewest small inputs that reach all that is reached.
#
# usage: tests/fuzz/keep.sh NAME...     from the source folder, after `cmake --build --preset fuzz`
#
# Out of what seeds.py writes, what the fuzzers have found (build/fuzz/corpus/NAME) and what is kept already.
# SPDX-License-Identifier: MIT
set -euo pipefail

seeds=$(mktemp -d)
trap 'rm -rf "$seeds"' EXIT
tests/fuzz/seeds.py "$seeds"
for name in "$@"; do
    kept=tests/fuzz/corpus/$name
    mkdir -p "$kept" "build/fuzz/corpus/$name" "$seeds/$name"
    mv "$kept" "$seeds/kept-$name"
    mkdir "$kept"
    "build/fuzz/fuzz/fuzz_$name" -set_cover_merge=1 -use_counters=0 -timeout=30 -rss_limit_mb=1024 \
        "$kept" "$seeds/$name" "build/fuzz/corpus/$name" "$seeds/kept-$name" 2>&1 | tail -n 1
    echo "$name: $(find "$kept" -type f | wc -l) files, $(du -sb "$kept" | cut -f 1) bytes"
done
