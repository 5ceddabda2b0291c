# checks_long.sh - the checks that scripts/test_long.sh runs, one function each, as in checks.sh.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154

checks=(valgrind_all flat_memory fresh)

# All C tests under valgrind.
check_valgrind_all() {
    need valgrind valgrind
    for test in $(c_tests release); do
        echo "$test"
        memcheck "$test"
    done
}

# 100,000 steps of a loop written by hand: resident memory stays where it was.
check_flat_memory() {
    with_tree release lua5.4 tests/long/flat_memory.lua
}

# Both commands in a minimal Debian 12, with and without a network.
check_fresh() {
    need debootstrap debootstrap
    if [ "$(id -u)" -ne 0 ]; then
        echo "debootstrap needs root"
        return "$SKIP"
    fi
    scripts/check_fresh.sh build/fresh
}
