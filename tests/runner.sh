# runner.sh - runs checks two at a time, counts what they say and prints the summary.
#
# A check is a function check_NAME that prints to its log and returns 0, SKIP with the reason as its last
# line, or anything else for a failure. It counts as one, unless it leaves "passed failed skipped" in
# $logs/NAME.count. The user of this file sets $logs.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154

readonly SKIP=77
passed=0 failed=0 skipped=0
failures=()
declare -A running=()

# report NAME: counts a finished check; a failed one shows the end of its log.
report() {
    local name=$1 status p=0 f=0 s=0 seconds
    read -r status seconds <"$logs/$name.status"
    if [ -e "$logs/$name.count" ]; then
        read -r p f s <"$logs/$name.count"
    fi
    if [ "$status" -eq "$SKIP" ]; then
        printf 'skip  %-22s %s\n' "$name" "$(tail -n 1 "$logs/$name.log")"
        s=$((s + 1))
    elif [ "$status" -eq 0 ]; then
        if [ ! -e "$logs/$name.count" ]; then
            p=1
        fi
        printf 'ok    %-22s %3d s' "$name" "$seconds"
        [ $((p + s)) -gt 1 ] && printf '  %d passed' "$p"
        [ "$s" -gt 0 ] && printf ', %d skipped' "$s"
        echo
    else
        if [ "$f" -eq 0 ]; then
            f=1
        fi
        failures+=("$name")
        printf 'FAIL  %-22s %3d s  (%s)\n' "$name" "$seconds" "$logs/$name.log"
        tail -n 60 "$logs/$name.log" | sed 's/^/    | /'
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# start NAME FUNCTION...: runs a check in the background, its output in its log.
start() {
    local name=$1
    shift
    rm -f "$logs/$name".{log,count,status}
    (
        exec >"$logs/$name.log" 2>&1 </dev/null
        set +e
        begin=$SECONDS
        (
            set -e
            "$@"
        )
        echo "$? $((SECONDS - begin))" >"$logs/$name.status"
    ) &
    running[$!]=$name
}

# finish N: waits until fewer than N checks run.
finish() {
    local pid
    while [ ${#running[@]} -ge "$1" ]; do
        wait -n -p pid "${!running[@]}" || true
        report "${running[$pid]}"
        unset "running[$pid]"
    done
}

summary() {
    if [ ${#failures[@]} -gt 0 ]; then
        echo "failed: ${failures[*]}"
    fi
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
}


# choose NAME...: the checks to run; all of $checks without a name.
choose() {
    local name
    for name in "$@"; do
        declare -F "check_$name" >/dev/null || {
            echo "${0##*/}: there is no check '$name' (--list names them)" >&2
            exit 2
        }
    done
    if [ $# -gt 0 ]; then
        checks=("$@")
    fi
}

# build_presets PRESET...: one after the other, each with all cores; ends the run if one fails.
build_presets() {
    local preset
    for preset in "$@"; do
        start "build-$preset" build "$preset"
        finish 1
        if [ "$failed" -gt 0 ]; then
            summary
            exit 1
        fi
    done
}

run_checks() {
    local name
    for name in "${checks[@]}"; do
        finish 2
        start "$name" "check_$name"
    done
    finish 1
}

# arguments FILE [ARGUMENT...]: --help prints FILE's top comment, --list the checks; else names of checks.
arguments() {
    local file=$1
    shift
    case ${1:-} in
    -h | --help)
        sed -n '2,/^# SPDX/{/^# SPDX/d;s/^# \{0,1\}//;p}' "$file"
        exit 0
        ;;
    --list)
        printf '%s\n' "${checks[@]}"
        exit 0
        ;;
    esac
    choose "$@"
}
trap 'kill $(jobs -p) 2>/dev/null || true; exit 130' INT TERM
