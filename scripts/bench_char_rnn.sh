#!/bin/bash
# bench_char_rnn.sh - char-rnn's recipe in Rondo and in a peer, in turn: seconds per epoch, validation losses.
#
# usage: PEER=PROGRAM.py scripts/bench_char_rnn.sh FILE
#   FILE       a text of one byte per character; the first 90 % train, the rest validates
#   PEER       the same recipe in PyTorch. It takes --split nanogpt --epochs N --threads N --seed N --data FILE,
#              prints a line "params ..." before the first epoch and "ep N ... val X ..." after each
#   PYTHON     what runs it (python3);  THREADS ("1 2");  EPOCHS (1) each;  RUNS (2) of each, A B A B
#
# A second is counted from the line before the first epoch to that after the last, so neither start-up nor
# reading of the text is in it; training and validation are. The machine should have nothing else to do.
# SPDX-License-Identifier: MIT
set -euo pipefail

usage() {
    sed -n '2,/^# SPDX/{/^# SPDX/d;s/^# \{0,1\}//;p}' "$0"
}
case ${1:-} in
-h | --help)
    usage
    exit 0
    ;;
esac
if [ $# -ne 1 ]; then
    usage >&2
    exit 2
fi
if [ -z "${PEER:-}" ]; then
    echo "bench_char_rnn.sh: there is nothing to compare with: set PEER to a PyTorch program (--help says which)" >&2
    exit 2
fi
data=$(realpath "$1")
peer=$(realpath "$PEER")
[ -r "$data" ] && [ -r "$peer" ] || {
    echo "bench_char_rnn.sh: cannot read $data or $peer" >&2
    exit 3
}
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
epochs=${EPOCHS:-1} runs=${RUNS:-2}
rondo=build/release/bin/rondo
[ -x "$rondo" ] || {
    echo "bench_char_rnn.sh: build first: cmake --preset release && cmake --build --preset release" >&2
    exit 2
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# timed FIRST LAST COMMAND...: "SECONDS VALUE" from the first line that matches FIRST to the last that matches
# LAST (a bash pattern with one group, the validation loss). All lines go to $work/log.
timed() {
    local first=$1 last=$2 line begin='' end='' value=''
    shift 2
    : >"$work/log"
    while IFS= read -r line; do
        printf '%s %s\n' "$EPOCHREALTIME" "$line" >>"$work/log"
        if [ -z "$begin" ] && [[ $line =~ $first ]]; then
            begin=$EPOCHREALTIME
        elif [[ $line =~ $last ]]; then
            end=$EPOCHREALTIME value=${BASH_REMATCH[1]}
        fi
    done < <("$@" 2>&1)
    if [ -z "$begin" ] || [ -z "$end" ]; then
        echo "bench_char_rnn.sh: this did not train: $*" >&2
        tail -n 5 "$work/log" | cut -d ' ' -f 2- >&2
        return 1
    fi
    awk -v a="$begin" -v b="$end" -v n="$epochs" -v v="$value" 'BEGIN { printf "%.3f %s\n", (b - a) / n, v }'
}
run_rondo() { # THREADS SEED
    timed '^Parameters:' '^epoch .* val_loss ([0-9.]+)' "$rondo" train "$data" --config scripts/char_rnn.lua \
        --level byte --epochs "$epochs" --threads "$1" --seed "$2" --ngrams 0 --sample-length 0 --run-dir none \
        --progress lines --color never
}
run_peer() { # THREADS SEED
    timed '^params' '^ep .* val ([0-9.]+)' "$python" "$peer" --split nanogpt --epochs "$epochs" --threads "$1" \
        --seed "$2" --data "$data"
}

printf '%7s %4s   %12s %10s   %12s %10s   %6s\n' threads run 'rondo s/ep' val_loss 'peer s/ep' val_loss ratio
for threads in ${THREADS:-1 2}; do
    : >"$work/pairs"
    for run in $(seq "$runs"); do
        read -r ours our_loss < <(run_rondo "$threads" "$run") || exit 1
        read -r theirs their_loss < <(run_peer "$threads" "$run") || exit 1
        echo "$ours $theirs" >>"$work/pairs"
        awk -v t="$threads" -v r="$run" -v a="$ours" -v x="$our_loss" -v b="$theirs" -v y="$their_loss" \
            'BEGIN { printf "%7d %4d   %12.3f %10s   %12.3f %10s   %6.2f\n", t, r, a, x, b, y, b / a }'
    done
    awk -v t="$threads" '{ a += $1; b += $2 } END {
        printf "%7d mean   %12.3f %10s   %12.3f %10s   %6.2f  (peer / rondo)\n", t, a / NR, "", b / NR, "", b / a }' \
        "$work/pairs"
done
