#!/bin/bash
# demo.sh - trains the character text generator on the King James Bible and writes a sample.
#
# usage: scripts/demo.sh [--again]
#
# The first run installs what is missing, builds, trains for about two minutes on two cores and prints text
# of the model's own. Later runs print a new sample; --again trains anew. A training that was stopped goes
# on where it was. Everything lies in build/demo.
# RONDO_DEMO_FOLDER and RONDO_DEMO_STEPS set another folder and another length (for the tests).
# SPDX-License-Identifier: MIT
set -euo pipefail
cd "$(dirname "$0")/.."

again=no
case ${1:-} in
'') ;;
--again) again=yes ;;
-h | --help)
    sed -n '2,/^# SPDX/{/^# SPDX/d;s/^# \{0,1\}//;p}' "$0"
    exit 0
    ;;
*)
    echo "demo.sh: '$1' is not an option; there is --again" >&2
    exit 2
    ;;
esac

readonly demo=${RONDO_DEMO_FOLDER:-build/demo} steps=${RONDO_DEMO_STEPS:-8000}
readonly run=$demo/run trained=$demo/trained log=$demo/build.log
readonly rondo=build/release/bin/rondo
mkdir -p "$demo"

scripts/setup.sh run
if [ ! -x $rondo ]; then
    echo "Building Rondo (log: $log)" >&2
fi
{ cmake --preset release && cmake --build --preset release; } >"$log" 2>&1 || {
    tail -n 40 "$log" >&2
    echo "demo.sh: the build failed, see $log" >&2
    exit 1
}

if [ $again = yes ]; then
    rm -rf "$run" "$trained"
fi
if [ ! -e "$trained" ]; then
    if compgen -G "$run/checkpoints/*.h5" >/dev/null; then
        mode=--resume
        echo "Going on with the training in $run" >&2
    else
        mode=--overwrite
        echo "Training in $run (Ctrl-C stops it, the same command goes on)" >&2
    fi
    # One layer and no dropout: in two minutes a model does not get to overfit. The recipe's own sample is
    # left out: the one below is the same thing.
    $rondo run scripts/text_generation.lua --run-dir "$run" $mode --max-steps "$steps" --num-layers 1 \
        --dropout 0 --ema 0 --seq-len 64 --lr-decay 0.6 --lr-decay-after 2 --sample-length 200 >"$demo/last-sample.txt"
    touch "$trained"
fi

$rondo sample "$run" --prompt 'And ' --length 700 --temperature 0.7
echo
echo "Run scripts/demo.sh again for another sample, or with --again to train anew." >&2
