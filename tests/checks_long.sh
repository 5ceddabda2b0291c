# checks_long.sh - the checks that scripts/test_long.sh runs, one function each, as in checks.sh.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2016,SC2034,SC2154

checks=(valgrind_all threads_all fuzz_hour mutations equations flat_memory long_sequence soak kills recipe_memory
    large_text large_csv large_hdf5 results series adding fresh rock deb coverage mutants)

# All C tests under valgrind, but those that c_tests leaves out.
check_valgrind_all() {
    need valgrind valgrind
    for test in $(c_tests release); do
        echo "$test"
        memcheck "$test"
    done
}

# The fuzzers, an hour each. What reaches new code stays in build/fuzz/corpus, for the next time.
check_fuzz_hour() { fuzz_all fuzz_hour "${RONDO_TEST_FUZZ_SECONDS:-3600}"; }

# All C tests under the thread sanitizer, and those of Lua that scripts/test.sh takes.
check_threads_all() {
    build threads
    races threads_all
}

# 20,000 changed HDF5 files through both readers; scripts/test.sh has 400.
check_mutations() {
    /usr/bin/python3 -c 'import h5py' 2>/dev/null || {
        echo "python3-h5py is missing"
        return "$SKIP"
    }
    nice build/release/tests/test_mutations 20000 "${RONDO_TEST_SEED:-1}"
}

# Cells compiled from equations: five hundred at random, and the time of known ones beside those written by hand.
check_equations() {
    local busted_seconds=3000
    build double
    busted equations double tests/lua/equations_random_spec.lua RONDO_TEST_CELLS=500 RONDO_TEST_SEED=1001
    XDG_CACHE_HOME=$PWD/build/cache with_tree release lua5.4 tests/bench/equations.lua
}

# 100,000 steps of a loop written by hand: resident memory stays where it was.
check_flat_memory() {
    with_tree release lua5.4 tests/runs/flat_memory.lua
}

# 100,000 steps through an LSTM of 256 units in a process of less than 256 MB, and what time segments take.
check_long_sequence() {
    with_tree release nice lua5.4 tests/runs/long_sequence.lua 100000 256 8 160MB 256
    with_tree release nice lua5.4 tests/bench/segments.lua
}

# An hour of training, sampling, saving and loading in one process.
check_soak() {
    with_tree release nice lua5.4 tests/runs/soak.lua "${RONDO_TEST_SOAK_SECONDS:-3600}"
}

# 200 SIGKILLs of a run, half of them aimed at its saves; scripts/test.sh has 20.
check_kills() {
    local busted_seconds=3000
    busted kills release tests/runs/kills_spec.lua RONDO_TEST_KILLS=200
}

# char-rnn's recipe, one epoch, on a megabyte of the default text: Lua heap, resident memory, allocations.
check_recipe_memory() {
    local text=build/recipe_memory.txt
    with_tree release lua5.4 -e 'print(assert(require("rondo").data.kjv()))' >build/kjv.path || {
        echo "the King James Bible is missing (Debian's bible-kjv and bible-kjv-text)"
        return "$SKIP"
    }
    head -c 1115394 "$(cat build/kjv.path)" >"$text"
    with_tree release rondo run tests/runs/recipe_memory.lua --data "$text" --config scripts/char_rnn.lua \
        --epochs 1 --sample-length 0 --run-dir none
}

# A text of 300 MB in a process that may have 150 MB of its own (ulimit -d does not count mapped files).
check_large_text() (
    ulimit -d 150000
    with_tree release lua5.4 tests/runs/large_text.lua build
)

# 1 GB of CSV at over 100 MB/s, in a process that may have 200 MB of its own.
check_large_csv() (
    ulimit -d 200000
    with_tree release lua5.4 tests/runs/large_csv.lua build
)

# 1 GB of HDF5, plain and in deflated chunks, in a process that may have 200 MB of its own.
check_large_hdf5() (
    /usr/bin/python3 -c 'import h5py' 2>/dev/null || {
        echo "python3-h5py is missing"
        return "$SKIP"
    }
    ulimit -d 200000
    with_tree release lua5.4 tests/runs/large_hdf5.lua build
)

# The adding problem over 200 steps: a GRU and an LSTM learn it, a vanilla cell says 1 (1/6; 0.1767 in the papers).
check_adding() {
    local cell error
    for cell in gru lstm vanilla; do
        error=$(with_tree release rondo run scripts/adding.lua --cell "$cell" --threads 1 --progress lines |
            awk -v cell="$cell" '$1 == cell { print $2 }')
        echo "$cell $error"
        awk -v cell="$cell" -v e="$error" 'BEGIN {
            exit !(e != "" && (cell == "vanilla" ? e > 0.15 && e < 0.18 : e < 1e-3)) }' || return 1
    done
}

# bound FILE AWK: a program over the rows a script printed says whether the figures are within their bounds.
bound() {
    cat "$1"
    awk "$2" "$1" || {
        echo "out of bounds: $2"
        return 1
    }
}

# The scripts that print known results, three seeds each: the figures keep their bounds.
check_results() {
    local script rows=$logs/results-
    for script in jsb optdigits japanese_vowels; do
        with_tree release rondo data get $script || {
            echo "the data set $script is not here (RONDO_DATA, or a network)"
            return "$SKIP"
        }
    done
    for script in chorales digits vowels; do
        with_tree release nice rondo run scripts/$script.lua --threads 1 --quiet >"$rows$script.txt"
    done
    bound "${rows}chorales.txt" '$3 > 0 { f[$1] = $3 }
        END { exit !(f["lstm"] <= 8.7 && f["gru"] <= 8.7 && f["vanilla"] > f["lstm"] && f["vanilla"] > f["gru"]) }'
    bound "${rows}digits.txt" '$1 == "lstm" { share = $3 } END { exit !(share >= 95) }'
    bound "${rows}vowels.txt" '$1 == "gru," { share = $5 } END { exit !(share >= 95) }'
}

# The series recipe on four data sets, three seeds each: the figures that it is held to.
check_series() {
    local name
    for name in temps weather_jfk; do
        with_tree release rondo data get $name || {
            echo "the data set $name is not here (RONDO_DATA, or a network)"
            return "$SKIP"
        }
    done
    with_tree release nice rondo run scripts/evaluate_series.lua
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

# The rock, made in a clean copy of the last commit, installed, used and removed; no network.
check_rock() {
    need luarocks luarocks
    nice tests/build/check_rock.sh build/check-rock
}

# The Debian package, installed in a minimal Debian 12, used and removed.
check_deb() {
    need debootstrap debootstrap
    need dpkg-shlibdeps dpkg-dev
    if [ "$(id -u)" -ne 0 ]; then
        echo "debootstrap needs root"
        return "$SKIP"
    fi
    nice tests/build/check_deb.sh build/release build/check-deb
}

# Which lines and branches the C tests run; tests/coverage/table.lua has the bounds.
check_coverage() {
    need gcov gcc
    build coverage
    find build/coverage -name '*.gcda' -delete
    cmocka coverage coverage
    lua5.4 tests/coverage/table.lua
}

# Small faults put into core/store one at a time, 200 of them: the tests find nine of ten.
check_mutants() {
    need unshare util-linux
    if [ "$(id -u)" -ne 0 ]; then
        echo "unshare needs root"
        return "$SKIP"
    fi
    nice lua5.4 tests/mutate/mutate.lua
}
