# check.sh - how the fuzzers are run: the check `fuzz` of tests/checks.sh, `fuzz_hour` of tests/checks_long.sh.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154

fuzz_build() {
    need clang clang
    echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
        clang -x c - -fsanitize=fuzzer,address -o /dev/null || {
        echo "clang has no libFuzzer here (Debian's libclang-rt-dev)"
        exit "$SKIP"
    }
    build fuzz
}
# Was it a busy machine that took so long for this input, and not the program? PROGRAM FLAG... INPUT.
fuzz_quick() (
    seconds=$(printf '%s\n' "$@" | sed -n 's/^-report_slow_units=//p' | tail -n 1)
    ulimit -t $((2 * seconds))
    "$@"
)
# fuzz NAME SECONDS: one of them. The end of its log is a line of figures; what it finds lies in build/fuzz/found.
fuzz() {
    local name=$1 seconds=$2 program=build/fuzz/fuzz/fuzz_$1 log=$logs/fuzz-$1.log flags figures status=0 input
    local new=build/fuzz/corpus/$name found=build/fuzz/found/$name
    rm -rf "$found"
    mkdir -p "$new" "$found" "tests/fuzz/corpus/$name"
    flags=(-timeout=120 -report_slow_units=1 -rss_limit_mb=512 -malloc_limit_mb=64 -max_len=65536)
    if [ -e "tests/fuzz/fuzz_$name.flags" ]; then # of its own
        mapfile -t -O ${#flags[@]} flags < <(grep '^-' "tests/fuzz/fuzz_$name.flags")
    fi
    if [ -e "tests/fuzz/fuzz_$name.dict" ]; then
        flags+=("-dict=tests/fuzz/fuzz_$name.dict")
    fi
    {
        TIMEFORMAT='stat::processor_seconds: %0U %0S'
        time nice timeout -k 5 $((seconds + 300)) "$program" "${flags[@]}" "-max_total_time=$seconds" \
            -print_final_stats=1 "-artifact_prefix=$found/" "$new" "tests/fuzz/corpus/$name" || status=$?
    } >"$log" 2>&1
    [ "$status" -ne 70 ] || status=0 # a timeout
    for input in "$found"/slow-unit-* "$found"/timeout-*; do
        [ -e "$input" ] || continue
        if fuzz_quick "$program" "${flags[@]}" "$input" >>"$log" 2>&1; then
            rm "$input"
        else
            status=1
        fi
    done
    figures=$(awk -v name="$name" '
        /^#[0-9]+\t.* cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") edges = $(i + 1) }
        /^stat::number_of_executed_units/ { runs = $2 }
        /^stat::processor_seconds/ { seconds = $2 + $3 }
        END { printf "%s: %d executions in %d s of processor, %d edges of the program reached", name, runs, seconds,
            edges }' "$log")
    {
        echo "$figures, $(find "$found" -type f | wc -l) findings"
        for input in "$found"/*; do
            [ -e "$input" ] && echo "again: $program ${flags[*]} $input"
        done
        true
    } >>"$log"
    return "$status"
}
# fuzz_all CHECK SECONDS: all of them, or those in RONDO_TEST_FUZZ, three at a time (RONDO_TEST_FUZZ_JOBS), and a
# line for each.
fuzz_all() {
    local check=$1 seconds=$2 name names p=0 f=0
    fuzz_build
    names=${RONDO_TEST_FUZZ:-$(files .c tests/fuzz | sed -n 's,^tests/fuzz/fuzz_\(.*\)\.c$,\1,p')}
    for name in $names; do
        while [ "$(jobs -rp | wc -l)" -ge "${RONDO_TEST_FUZZ_JOBS:-3}" ]; do
            wait -n || true
        done
        rm -f "$logs/fuzz-$name.ok"
        (fuzz "$name" "$seconds" && touch "$logs/fuzz-$name.ok") &
    done
    wait
    for name in $names; do
        sed -n "/^$name: /,\$p" "$logs/fuzz-$name.log"
        if [ -e "$logs/fuzz-$name.ok" ]; then
            p=$((p + 1))
        else
            f=$((f + 1))
            grep -E 'ERROR|runtime error|does not hold|SUMMARY' "$logs/fuzz-$name.log" | head -n 5 || true
        fi
    done
    echo "$p $f 0" >"$logs/$check.count"
    [ "$f" -eq 0 ]
}

# The inputs that are kept, then new ones for 20 seconds each by the clock.
check_fuzz() { fuzz_all fuzz 20; }
