#!/bin/bash
# bench_peers.sh - Rondo beside PyTorch, oneDNN, ONNX Runtime and KANN, in turn: how many times as long a peer takes.
#
# usage: scripts/bench_peers.sh [CASE...]
#   CASE     SHAPE.TASK: charnn.train char512.train tftext.train series.train (the default), charnn.infer ...
#            b1.infer (a step of one row), b1.sample (with softmax and draw)
#
#   CELLS ("lstm gru")  THREADS ("1 2")  PEERS ("torch onednn onnxruntime kann")  WIDTHS ("128 512 1024", of b1)
#   RUNS (5)     rounds of each case: Rondo, then each peer, Rondo, ...
#   EACH (2)     seconds that a case is measured in a round
#   FIGURE (ms)  the median of a round; ms_best: the best
#   KANN         a folder with KANN's source (github.com/attractivechaos/kann): it is no Debian package
#   RONDO        the command (build/release/bin/rondo);  JSON=FILE  also gets every line that was measured
#
# A ratio is that of a round: peer / Rondo, above 1 where Rondo is faster. The median of the rounds is printed, and
# the lowest and highest. PyTorch makes the same whole steps as Rondo. oneDNN runs its recurrent layers alone; beside
# a sample oneDNN and ONNX Runtime make the bare step. A peer that is not there, or cannot do a case, is skipped by
# name; `scripts/setup.sh bench` installs what there is for Debian. The machine should have nothing else to do.
# SPDX-License-Identifier: MIT
set -euo pipefail

case ${1:-} in
-h | --help)
    sed -n '2,/^# SPDX/{/^# SPDX/d;s/^# \{0,1\}//;p}' "$0"
    exit 0
    ;;
esac
kann=${KANN:+$(realpath "$KANN")}
json=${JSON:+$(realpath "$JSON")}
cd "$(dirname "$0")/.."
rondo=${RONDO:-build/release/bin/rondo}
runs=${RUNS:-5} each=${EACH:-2} figure=${FIGURE:-ms}
python=/usr/bin/python3 # Debian's, which has the packages, whatever comes first in PATH
folder=$PWD/build/peers
if ! [ -x "$rondo" ]; then
    echo "bench_peers.sh: there is no $rondo; build it (cmake --build --preset release) or set RONDO" >&2
    exit 2
fi
mkdir -p "$folder"
measured=$(mktemp)
trap 'rm -f "$measured"' EXIT

# ---- peers: why_not_NAME prints why it is not there; run_NAME measures the case in the array `words` ----

why_not_torch() {
    $python -c 'import torch' 2>/dev/null || echo "$python has no torch (Debian: python3-torch)"
}
# OpenBLAS with OpenMP and AVX-512 in the element-wise loops: the fastest that Debian's PyTorch can be made.
run_torch() {
    local blas
    blas=/usr/lib/$(uname -m)-linux-gnu/openblas-openmp
    env LD_LIBRARY_PATH="$blas" ATEN_CPU_CAPABILITY="${ATEN_CPU_CAPABILITY:-avx512}" \
        $python scripts/peers/torch_peer.py "${words[@]}"
}

why_not_onednn() {
    local log=$folder/onednn.log
    [ "$folder/onednn_peer" -nt scripts/peers/onednn_peer.c ] ||
        "${CC:-cc}" -std=gnu11 -O2 -fopenmp scripts/peers/onednn_peer.c -o "$folder/onednn_peer" -ldnnl 2>"$log" ||
        echo "its program does not compile (Debian: libdnnl-dev), see $log"
}
run_onednn() {
    OMP_NUM_THREADS=$threads "$folder/onednn_peer" "${words[@]}"
}

why_not_onnxruntime() {
    if ! command -v node >/dev/null; then
        echo "there is no node"
    elif ! [ -d "$folder/node_modules/onnxruntime-node" ]; then
        echo "there is no $folder/node_modules/onnxruntime-node"
    else
        $python -c 'import onnx, numpy' 2>/dev/null || echo "$python has no onnx (Debian: python3-onnx)"
    fi
}
run_onnxruntime() {
    local model=$folder/$shape-$cell-$H.onnx
    if [ "$task" = train ]; then
        echo "it does not train" >&2
        return 1
    fi
    [ "$model" -nt scripts/peers/onnx_model.py ] || $python scripts/peers/onnx_model.py "$model" "${words[@]}"
    node scripts/peers/onnxruntime_peer.mjs "$folder" "$model" "${words[@]}"
}

why_not_kann() {
    local log=$folder/kann.log
    if [ -z "$kann" ]; then
        echo "there is no Debian package of it, and KANN does not name a folder with its source"
    elif ! [ "$folder/kann_peer" -nt scripts/peers/kann_peer.c ]; then
        "${CC:-cc}" -std=gnu11 -O3 -march=native -DHAVE_CBLAS -DHAVE_PTHREAD -I"$kann" scripts/peers/kann_peer.c \
            "$kann/kann.c" "$kann/kautodiff.c" -o "$folder/kann_peer" -lopenblas -lpthread -lm 2>"$log" ||
            echo "its program does not compile (Debian: libopenblas-dev), see $log"
    fi
}
run_kann() {
    OPENBLAS_NUM_THREADS=1 "$folder/kann_peer" "${words[@]}"
}

# ---- one case ----

field() {
    sed -n "s/.*\"$1\":\"\{0,1\}\([^,\"}]*\).*/\1/p"
}
# Median, lowest and highest of the numbers on stdin, in a format.
spread() {
    sort -g | awk -v format="$1" '{ x[NR] = $1 }
        END { printf format, (x[int((NR + 1) / 2)] + x[int(NR / 2) + 1]) / 2, x[1], x[NR] }'
}

# Says once for each peer and reason that it is skipped.
declare -A said
skip() {
    [ -n "${said[$1 $2]:-}" ] || echo "skipped: $1: $2" >&2
    said[$1 $2]=1
}

# run_case: shape, task, cell, threads, and H where it is not the shape's own.
run_case() {
    local run peer line peers_now=("${peers[@]}") own
    declare -A ratios=()
    local times=() shares=()
    for ((run = 1; run <= runs; run++)); do
        line=$("$rondo" bench "$shape" --json --task "$task" --cell "$cell" --threads "$threads" --seconds "$each" \
            ${width:+--hidden-size "$width"})
        echo "$line" | tee -a "$measured" >/dev/null
        own=$(field "$figure" <<<"$line")
        times+=("$own") shares+=("$(field ratio <<<"$line")")
        H=$(field H <<<"$line")
        words=("task=$task" "shape=$shape" "cell=$cell" "threads=$threads" "H=$H" "B=$(field B <<<"$line")"
            "T=$(field T <<<"$line")" "layers=$(field layers <<<"$line")" "in=${inputs[$shape]}" "seconds=$each")
        for peer in "${peers_now[@]}"; do
            if [ "${ratios[$peer]:-}" = none ]; then
                continue
            elif ! line=$("run_$peer" 2>"$folder/$peer.log"); then
                skip "$peer" "$shape.$task: $(tail -1 "$folder/$peer.log")"
                ratios[$peer]=none
                continue
            fi
            echo "$line" >>"$measured"
            ratios[$peer]+="$(field "$figure" <<<"$line" | awk -v own="$own" '{ print $1 / own }') "
        done
    done
    printf '%-8s %-7s %-5s %2s %5s  %s' "$shape" "$task" "$cell" "$threads" "$H" \
        "$(printf '%s\n' "${times[@]}" | spread '%10.3f ms') $(printf '%s\n' "${shares[@]}" |
            awk '{ print 100 * $1 }' | spread '%3.0f %%')"
    for peer in "${peers[@]}"; do
        if [ "${ratios[$peer]}" = none ]; then
            printf '  %-24s' -
        else
            # shellcheck disable=SC2086
            printf '  %-24s' "$(printf '%s\n' ${ratios[$peer]} | spread '%.2f (%.2f .. %.2f)')"
        fi
    done
    echo
}

# ---- all of them ----

declare -A inputs=([charnn]=65 [char512]=65 [tftext]=256 [series]=14 [b1]=65)
peers=()
for peer in ${PEERS:-torch onednn onnxruntime kann}; do
    if ! declare -F "why_not_$peer" >/dev/null; then
        echo "bench_peers.sh: there is no peer '$peer'; there are torch, onednn, onnxruntime, kann" >&2
        exit 2
    fi
    why=$("why_not_$peer")
    if [ -n "$why" ]; then
        skip "$peer" "$why"
    else
        peers+=("$peer")
    fi
done
[ $# -gt 0 ] || set -- charnn.train char512.train tftext.train series.train
for one in "$@"; do
    shape=${one%%.*} task=${one#*.}
    if [ -z "${inputs[$shape]:-}" ] || ! [[ $task =~ ^(train|infer|sample)$ ]]; then
        echo "bench_peers.sh: '$one' is no case; give SHAPE.TASK, as charnn.train" >&2
        exit 2
    fi
done
printf '%-8s %-7s %-5s %2s %5s  %13s %5s' shape task cell th H Rondo peak
printf '  %-24s' "${peers[@]}"
echo
for one in "$@"; do
    shape=${one%%.*} task=${one#*.}
    for cell in ${CELLS:-lstm gru}; do
        for threads in ${THREADS:-1 2}; do
            if [ "$shape" = b1 ]; then
                for width in ${WIDTHS:-128 512 1024}; do run_case; done
            else
                width='' run_case
            fi
        done
    done
done
[ -z "$json" ] || cp "$measured" "$json"
