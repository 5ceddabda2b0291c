# checks.sh - the checks that scripts/test.sh runs, one function each.
#
# A check (see tests/runner.sh) runs in the source folder, uses one core and leaves nothing outside build/.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154

# The order is that of running: the long ones first, so that both cores stay busy to the end.
checks=(tests_sanitize tests_threads bits_aarch64 bits_gcc_o0 bits_clang bits_no_clones clang_tidy tests_release
    tests_double fuzz runs lua_sanitize lua lua_double valgrind readme kit pointmath cppcheck headers style format
    luacheck install setup demo)

export XDG_DATA_HOME=$PWD/build/no-data # plugins of the person who runs the tests are his own
export RONDO_LEDGER=off                 # and so is the ledger of his runs
unset RONDO_PLUGIN_PATH RONDO_PLUGIN_TRUST

werror=OFF
if [ "${CI:-}" = true ]; then
    werror=ON
fi

# need PROGRAM PACKAGE: ends the check as skipped if the program is not there.
need() {
    type -P "$1" >/dev/null || {
        echo "$1 is missing (Debian's $2)"
        exit "$SKIP"
    }
}

# need_version PROGRAM VERSION: a linter of another version has other opinions; Debian 12's is the one that counts.
need_version() {
    "$1" --version | grep -qw "$2" || {
        echo "$1 here is not version $2, the one this project is checked with"
        exit "$SKIP"
    }
}

# files SUFFIX FOLDER...: the project's files, also those not yet committed.
files() {
    local suffix=$1
    shift
    find "$@" -path ./build -prune -o -path ./.git -prune -o -type f -name "*$suffix" -print | sort
}

build() {
    cmake --preset "$1" -DRONDO_WERROR=$werror
    cmake --build --preset "$1"
}

# cmocka NAME PRESET [ARGUMENT...]: runs the C tests of a build through ctest and counts their cases.
cmocka() {
    local name=$1 folder=build/$2 status=0 p f s programs
    shift 2
    if [ ! -d "$folder/tests" ]; then
        echo "the C tests were not built (Debian's libcmocka-dev)"
        return "$SKIP"
    fi
    ${launcher:-} ctest --test-dir "$folder" -V "$@" || status=$?
    p=$(sum_of 'PASSED' "$logs/$name.log")
    f=$(sum_of 'FAILED' "$logs/$name.log")
    s=$(sum_of 'SKIPPED' "$logs/$name.log")
    # A program that crashed or hung has no summary of its own.
    programs=$(sed -n '/^The following tests FAILED/,$p' "$logs/$name.log" | grep -c ' - ' || true)
    if [ "$f" -lt "$programs" ]; then
        f=$programs
    fi
    echo "$p $f $s" >"$logs/$name.count"
    if [ "$f" -gt 0 ]; then # the end of the log is what is shown
        grep -E '\[  (ERROR|FAILED)|error:|Error|FAILED' "$logs/$name.log" | tail -n 50 || true
    fi
    return $status
}
sum_of() {
    sed -nE "s/^[0-9]+: \[ *$1 *\] ([0-9]+) test.*/\1/p" "$2" | awk '{ n += $1 } END { print n + 0 }'
}
check_tests_release() { cmocka tests_release release; }
check_tests_double() { cmocka tests_double double; }
check_tests_sanitize() {
    ASAN_OPTIONS=strict_string_checks=1:detect_stack_use_after_return=1 \
        UBSAN_OPTIONS=print_stacktrace=1 cmocka tests_sanitize sanitize
}

# with_tree PRESET COMMAND...: a build's command on PATH and its modules on Lua's paths.
with_tree() {
    local tree=$PWD/build/$1
    shift
    PATH=$tree/bin:$PATH LUA_PATH="$tree/share/lua/5.4/?.lua;$tree/share/lua/5.4/?/init.lua;;" \
        LUA_CPATH="$tree/lib/lua/5.4/?.so;;" "$@"
}
# busted NAME PRESET FOLDER [VARIABLE=VALUE...]: runs Lua tests with a build's modules and counts their cases. FOLDER:
# several words will do, of files too.
busted() {
    local name=$1 preset=$2 folder=$3 status=0 line
    shift 3
    # shellcheck disable=SC2086
    if [ -z "$(files _spec.lua $folder)" ]; then
        echo "there are no tests in $folder"
        return "$SKIP"
    fi
    need busted lua-busted
    # shellcheck disable=SC2086
    with_tree "$preset" ${launcher:-} timeout "${busted_seconds:-600}" env "$@" ${lua:-lua5.4} "$(type -P busted)" \
        -o plainTerminal $folder || status=$?
    line=$(grep -E '^[0-9]+ success.* / [0-9]+ fail' "$logs/$name.log" | tail -n 1)
    if [ -n "$line" ]; then # "3 successes / 0 failures / 1 error / 0 pending : 0.1 seconds"
        awk '{ print $1, $4 + $7, $10 }' <<<"$line" >"$logs/$name.count"
    fi
    return $status
}
check_lua() { busted lua release tests/lua; }
check_lua_double() { busted lua_double double tests/lua; }
# Whole runs as processes: slow where the arithmetic is, so in the build that people use.
check_runs() { busted runs release tests/runs; }
# The sanitizer has to be in the process before Lua loads the module. Leaks are looked for in the C tests:
# here they would be those of every shell and tool that a test starts. What cannot be had is refused
# by Rondo, with a sentence.
check_lua_sanitize() {
    local busted_seconds=900
    busted lua_sanitize sanitize tests/lua LD_PRELOAD="$(gcc -print-file-name=libasan.so)" \
        ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1
}

# The thread sanitizer: C programs in which several threads work, the checkpoint's child beside them, and runs. Whole
# processes are those of the build's own `rondo`: what the sanitizer is put into from outside (sh) does not bear it.
# gcc 12's finds no place for its memory where addresses have more than 28 random bits.
threaded=(pool threads product rnn_bits rnn_lengths rnn_resets rnn_inputs rnn_observe stack stepper layer optim fill
    loss ops_binary ops_dropout ops_linear ops_matmul ops_rows child)
threaded_specs='tests/lua/trainer_spec.lua tests/lua/progress_spec.lua tests/lua/sampling_spec.lua
    tests/lua/series_hdf5_spec.lua tests/lua/core_store_spec.lua'
races() { # NAME [CTEST-ARGUMENT...]
    local launcher='' lua='rondo run' name=$1 run=$PWD/build/threads/run p f s q g t
    shift
    export TSAN_OPTIONS=exitcode=66
    if [ "$(cat /proc/sys/vm/mmap_rnd_bits)" -gt 28 ]; then
        launcher='setarch --addr-no-randomize'
    fi
    cmocka "$name" threads "$@"
    read -r p f s <"$logs/$name.count"
    # shellcheck disable=SC2086
    with_tree threads $launcher rondo train tests/README.md --threads 3 --hidden-size 96 --num-layers 2 --dropout 0.2 \
        --seq-len 20 --batch-size 26 --max-steps 6 --save-every 3 --eval-every 4 --run-dir "$run" --overwrite \
        --progress none
    # shellcheck disable=SC2086
    with_tree threads $launcher rondo sample "$run" --threads 3 --length 100 --seed 1
    busted "$name" threads "$threaded_specs"
    read -r q g t <"$logs/$name.count"
    echo "$((p + q)) $((f + g)) $((s + t))" >"$logs/$name.count"
}
check_tests_threads() {
    local programs
    programs=$(IFS='|' && echo "${threaded[*]}")
    cmake --preset threads -DRONDO_WERROR=$werror
    cmake --build --preset threads -j 1 --target plugins rondo_hdf5 rondo_lua rondo_command "${threaded[@]/#/test_}"
    races tests_threads -R "^test_($programs)\$"
}

check_format() {
    need clang-format clang-format
    need_version clang-format 14
    { files .c . && files .h .; } | xargs clang-format --dry-run -Werror
}
check_clang_tidy() {
    need clang-tidy clang-tidy
    need_version clang-tidy 14
    # what was compiled here: a backend for another processor cannot be read
    sed -nE "s,^ *\"file\": \"$PWD/((core|plugins|lua)/.*)\".*,\1,p" build/release/compile_commands.json | sort -u |
        xargs -n 6 clang-tidy -p build/release --quiet
}
check_cppcheck() {
    need cppcheck cppcheck
    need_version cppcheck 2.10
    files .c core plugins lua | cppcheck --file-list=- --std=c11 --quiet \
        --enable=warning,performance,portability --suppressions-list=tests/cppcheck.txt \
        --inline-suppr --error-exitcode=1 -Icore -Icore/include -Ilua/src
}
check_luacheck() {
    need luacheck lua-check
    files .lua lua scripts tests | xargs luacheck --quiet --no-color
}
check_style() { lua5.4 scripts/check_style.lua; }

# Every header compiles alone; those that a plugin includes also as later C and as C++.
check_headers() {
    local header compile hdf5
    need clang++ clang
    hdf5=$(pkg-config --cflags hdf5-serial || pkg-config --cflags hdf5)
    for header in $(files .h core plugins lua tests); do
        case $header in
        *_body.h) continue ;; # one source for several instruction sets, included with macros set
        lua/*) compile="gcc -std=c11 $(pkg-config --cflags lua5.4)" ;;
        tests/*) compile="gcc -std=c11 -Itests $hdf5 -DRD_TEST_LIAR_DIR=\"\"" ;;
        plugins/kernels/*) compile='gcc -std=c11 -Iplugins/kernels' ;;
        *) compile='gcc -std=c11' ;;
        esac
        echo "$header"
        $compile -D_GNU_SOURCE -Wall -Wextra -Werror -Wno-unused-function -fsyntax-only -Icore -Icore/include \
            -x c "$header"
        case $header in
        core/include/rondo/*)
            gcc -std=c17 -Wall -Wextra -Werror -Wno-unused-function -fsyntax-only -Icore/include -x c "$header"
            clang -std=c17 -Wall -Wextra -Werror -Wno-unused-function -fsyntax-only -Icore/include -x c "$header"
            clang++ -std=c++17 -Wall -Wextra -Werror -Wno-unused-function -fsyntax-only -Icore/include \
                -x c++ "$header"
            ;;
        esac
    done
}

check_setup() { tests/build/check_setup.sh build/check-setup; }

# What the authors of plugins are given.
check_kit() { tests/build/check_kit.sh build/release build/check-kit; }

# Installed elsewhere the command works from any folder, and uninstalling leaves no file.
check_install() {
    local prefix left file sources=$PWD
    prefix=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "rm -rf '$prefix'" EXIT
    # The build folder remembers its last installation alone, which uninstalling takes back.
    exec 9>build/install.lock
    flock 9
    cmake --install build/release --prefix "$prefix"
    (
        cd /
        env -i "$prefix/bin/rondo" --version
        env -i "$prefix/bin/rondo" plugins
        env -i "$prefix/bin/rondo" check "$prefix"/lib/rondo/plugins-*/f32
        env -i PATH="$PATH" "$prefix/bin/rondo" check "$sources/plugins/cells/mgu.c"
        eval "$(env -i "$prefix/bin/rondo" env)"
        lua5.4 -e 'print(require "rondo"._VERSION)'
    )
    for file in man/man1/rondo.1 bash-completion/completions/rondo zsh/site-functions/_rondo; do
        test -s "$prefix/share/$file"
    done
    cmake --build build/release --target uninstall
    left=$(find "$prefix" ! -type d)
    echo "left: $left"
    [ -z "$left" ]
}

# The bit suite (core/BITS.md, rule 11): other compilers, levels and machines give the same digests.
need_bits() {
    if [ ! -e tests/bits/golden.tsv ]; then
        echo "tests/bits/golden.tsv is not there"
        exit "$SKIP"
    fi
}
bits() { # NAME CMAKE-OPTION...
    need_bits
    local name=$1 tree=build/bits-$1
    shift
    cmake -S . -B "$tree" -G Ninja -DRONDO_WERROR=$werror "$@"
    cmake --build "$tree" -j 1 --target bits_program plugins
    "$tree/tests/bits_program" >"$logs/bits_$name.tsv"
    diff tests/bits/golden.tsv "$logs/bits_$name.tsv"
}
check_bits_gcc_o0() { bits gcc_o0 -DCMAKE_C_COMPILER=gcc -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS=-O0; }
check_bits_no_clones() { bits no_clones -DCMAKE_C_COMPILER=gcc -DRONDO_CLONES=OFF; }
check_bits_clang() {
    need clang clang
    bits clang -DCMAKE_C_COMPILER=clang
}
# Every function of pointmath.h by itself, as each compiler, level and instruction set makes it; what is not
# on this machine is left out by name.
check_pointmath() {
    local program=build/pointmath run cc flags
    mkdir -p build
    while read -r cc flags; do
        case "$cc $flags" in
        aarch64-*) run=qemu-aarch64 ;;
        *x86-64-v3*) if grep -qw avx2 /proc/cpuinfo; then run=; else run=false; fi ;;
        *) run= ;;
        esac
        if [ "$run" = false ] || ! command -v "$cc" >/dev/null ||
            { [ -n "$run" ] && ! command -v "$run" >/dev/null; }; then
            echo "left out: $cc $flags"
            continue
        fi
        echo "$cc $flags"
        # shellcheck disable=SC2086
        "$cc" $flags -D_GNU_SOURCE -DRD_TEST_ALONE -Icore/include tests/base/test_pointmath.c -o "$program" -lm
        $run "$program"
    done <<'END'
gcc -std=c11 -O0
gcc -std=gnu11 -O3
gcc -std=gnu11 -O3 -DRD_NO_CLONES
gcc -std=gnu11 -O3 -DRD_NO_CLONES -march=x86-64-v3
clang -std=c11 -O0
clang -std=c11 -O3
clang -std=c11 -O3 -DRD_NO_CLONES -march=x86-64-v3
aarch64-linux-gnu-gcc -std=gnu11 -O3 -static
END
    rm -f "$program"
}
check_bits_aarch64() {
    need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
    need qemu-aarch64 qemu-user
    need_bits
    tests/qemu/build.sh build/bits-aarch64
    local kernels
    for kernels in neon scalar; do
        qemu-aarch64 build/bits-aarch64/bits_program 1 $kernels >"$logs/bits_aarch64.tsv" 2>"$logs/bits_aarch64.txt"
        diff tests/bits/golden.tsv "$logs/bits_aarch64.tsv"
        grep -x "kernels $kernels" "$logs/bits_aarch64.txt"
    done
    qemu-aarch64 build/bits-aarch64/test_kernels
    qemu-aarch64 build/bits-aarch64/test_kernels_f64
}

# The demo, with a training of a few steps: trained once, then another sample of the same model, then anew.
check_demo() {
    local folder=build/check-demo
    need bible bible-kjv
    export RONDO_DEMO_FOLDER=$folder RONDO_DEMO_STEPS=10
    rm -rf "$folder"
    scripts/demo.sh | tee "$logs/demo-1.txt"
    cp "$folder/run/checkpoints/best.h5" "$folder/first.h5"
    scripts/demo.sh | tee "$logs/demo-2.txt"
    cmp "$folder/run/checkpoints/best.h5" "$folder/first.h5"
    grep -q '^And ' "$logs/demo-1.txt"
    [ "$(wc -m <"$logs/demo-2.txt")" -gt 700 ]
    if cmp "$logs/demo-1.txt" "$logs/demo-2.txt"; then
        echo "two samples are the same"
        return 1
    fi
    rm "$folder/trained" # as if it had been stopped at the end
    scripts/demo.sh 2>&1 | grep 'Going on with the training'
    scripts/demo.sh --again 2>&1 | grep 'step 10 - val_loss'
    if scripts/demo.sh --agian; then
        return 1
    fi
}

# The code blocks of every README run in the build tree.
check_readme() {
    local status=0
    if [ ! -x build/release/bin/rondo ]; then
        echo "the command is not built"
        return "$SKIP"
    fi
    # shellcheck disable=SC2046
    with_tree release lua5.4 tests/readme/run_blocks.lua $(files README.md .) \
        lua/SERIES.md lua/RUNS.md lua/BPTT.md || status=$?
    tail -n 1 "$logs/readme.log" | grep -xE '[0-9]+ [0-9]+ [0-9]+' >"$logs/readme.count"
    return $status
}

# c_tests PRESET: their files, for valgrind; not those that have a malloc of their own, start a thousand children, or
# look at how a child ends, which valgrind changes.
c_tests() {
    ctest --test-dir "build/$1" -N | sed -n "s,^ *Test *#[0-9]*: ,build/$1/tests/,p" |
        grep -vE 'test_(lua_memory|io_faults|memory_faults|hdf5_faults|files|strangers|mutations)'
}
memcheck() {
    RONDO_KERNELS=avx2,scalar valgrind --quiet --error-exitcode=9 --fair-sched=try --leak-check=full \
        --errors-for-leak-kinds=definite --trace-children=no --child-silent-after-fork=yes "$@"
}
# Every tenth C test under valgrind, which knows AVX2 at most.
check_valgrind() {
    local tests
    need valgrind valgrind
    tests=$(c_tests release | awk 'NR % 10 == 1')
    if [ -z "$tests" ]; then
        echo "the C tests were not built (Debian's libcmocka-dev)"
        return "$SKIP"
    fi
    for test in $tests; do
        echo "$test"
        memcheck "$test"
    done
}

# shellcheck source=tests/fuzz/check.sh
. tests/fuzz/check.sh
