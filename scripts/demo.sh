#!/bin/bash
# demo.sh - trains the character text generator on the King James Bible and writes a sample.
#
# usage: scripts/demo.sh [--again]
#
# The first run installs what is missing, builds, trains for about two minutes on two cores and prints
# text of the model's own. Later runs print a new sample; --again trains anew. A training that was stopped
# goes on where it was. Everything lies in build/demo.
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

readonly demo=build/demo
readonly text=$demo/kjv.txt run=$demo/run log=$demo/build.log
readonly rondo=build/release/bin/rondo
mkdir -p $demo

scripts/setup.sh run
if [ ! -x $rondo ]; then
    echo "Building Rondo (log: $log)"
fi
{ cmake --preset release && cmake --build --preset release; } >$log 2>&1 || {
    tail -n 40 $log
    echo "demo.sh: the build failed, see $log" >&2
    exit 1
}

if [ ! -s $text ]; then
    # Each verse is a line that begins with its place: "Ge1:1 In the beginning ...".
    bible -f 'Gen1:1-Rev22:21' </dev/null | sed 's/^[^ ]* //' >$text.new
    mv $text.new $text
fi

if [ $again = yes ]; then
    rm -rf $run
fi
if [ ! -e $run/done ]; then
    mode=()
    if [ -d $run ]; then
        mode=(--resume)
    fi
    echo "Training on $text (Ctrl-C stops, the same command goes on)"
    $rondo train $text --run-dir $run --max-steps 2000 "${mode[@]}"
    touch $run/done
fi

echo "A sample of the model in $run:"
echo
$rondo sample $run --prompt 'And ' --length 700 --temperature 0.7
echo
echo "Run scripts/demo.sh again for another sample, with --again to train anew."
