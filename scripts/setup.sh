#!/bin/bash
# setup.sh - installs the Debian packages that Rondo needs, if any is missing.
#
# usage: scripts/setup.sh [run|test|all|bench|report]
#   run    to build and use Rondo (the default)
#   test   run, and what scripts/test.sh needs
#   report what makes the curves of `rondo report`: uPlot from npm, once, into ~/.cache/rondo, or XDG_CACHE_HOME
#   bench  run, and what the comparisons with other libraries need; ONNX Runtime from npm, into build/peers
#   all    everything but uPlot
#
# Asks nothing, needs no network when nothing is missing, and then takes a few hundredths of a second.
# SPDX-License-Identifier: MIT
set -euo pipefail

run=(gcc libc6-dev cmake ninja-build pkg-config lua5.4 liblua5.4-dev libhdf5-dev libxxhash-dev
    libseccomp-dev libedit-dev libsqlite3-dev lua-argparse lua-dkjson bible-kjv bible-kjv-text)
test=(libcmocka-dev lua-busted lua-check clang clang-format clang-tidy libclang-rt-dev cppcheck
    valgrind gdb hdf5-tools python3-h5py curl gnuplot-nox r-base-core parallel)
test+=(chromium) # a browser, in which a report is opened
test+=(protobuf-compiler python3-crc32c) # readers of event files
# The C library of the cross compiler is only recommended by it, and recommendations are not installed.
if [ "$(uname -m)" != aarch64 ]; then
    test+=(qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross)
fi
bench=(python3-torch python3-numpy python3-onnx libopenblas-dev libopenblas0-openmp libdnnl-dev nodejs npm
    gnuplot-nox)

# uPlot, of this version and with these sums; lua/rondo/report/uplot.lua has them too.
uplot=1.6.32
uplot_sums="19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f  uPlot.iife.min.js
df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04  uPlot.min.css
8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd  LICENSE"

report() {
    local cache=${XDG_CACHE_HOME:-} folder scratch
    case $cache in
    /*) ;;
    *) cache=$HOME/.cache ;;
    esac
    folder=$cache/rondo/uplot-$uplot
    if [ -d "$folder" ] && (cd "$folder" && sha256sum --check --quiet --strict) <<<"$uplot_sums" 2>/dev/null; then
        echo "setup.sh: uPlot $uplot is in $folder" >&2
        return
    fi
    if ! command -v npm >/dev/null; then
        echo "setup.sh: npm is missing: as root, apt install npm; without uPlot, reports have SVG curves by gnuplot" >&2
        exit 1
    fi
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' RETURN
    # Packed and unpacked by hand, so that nothing of it is run.
    if ! (cd "$scratch" && npm pack --silent "uplot@$uplot" </dev/null >/dev/null && tar xzf uplot-*.tgz &&
        mkdir files && cp package/dist/uPlot.iife.min.js package/dist/uPlot.min.css package/LICENSE files/); then
        echo "setup.sh: npm could not fetch uplot@$uplot; without it, reports have SVG curves by gnuplot" >&2
        exit 1
    fi
    if ! (cd "$scratch/files" && sha256sum --check --quiet --strict) <<<"$uplot_sums" >&2; then
        echo "setup.sh: npm gave another uplot@$uplot than the one this script knows; it is not used" >&2
        exit 1
    fi
    mkdir -p "$folder"
    cp "$scratch"/files/* "$folder/"
    echo "setup.sh: uPlot $uplot is in $folder" >&2
}

what=${1:-run}
case $what in
report)
    report
    exit 0
    ;;
run) wanted=("${run[@]}") ;;
test) wanted=("${run[@]}" "${test[@]}") ;;
bench) wanted=("${run[@]}" "${bench[@]}") ;;
all) wanted=("${run[@]}" "${test[@]}" "${bench[@]}") ;;
-h | --help)
    sed -n '2,/^# SPDX/{/^# SPDX/d;s/^# \{0,1\}//;p}' "$0"
    exit 0
    ;;
*)
    echo "setup.sh: '$what' is not one of run, test, all, bench, report" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null; then
    cat >&2 <<TEXT
setup.sh: this is not a Debian or Ubuntu system, so nothing is installed. Rondo needs a C compiler (gcc),
CMake >= 3.25, Ninja, pkg-config, and with their headers: Lua 5.4, HDF5 >= 1.10 (C library), xxHash,
libseccomp, SQLite 3; the Lua modules argparse and dkjson; for the demo the program 'bible' (bible-kjv).
Debian's names of everything that '$what' needs:
  ${wanted[*]}
Going on with what is here.
TEXT
    exit 0
fi

# A comparison goes without a peer that is not there, so that a failure here is no reason to stop.
peers() {
    local folder
    case $what in
    run | test) return ;;
    esac
    folder=$(dirname "$0")/../build/peers
    if [ -d "$folder/node_modules/onnxruntime-node" ]; then
        return
    fi
    echo "setup.sh: installing onnxruntime-node from npm into build/peers" >&2
    mkdir -p "$folder"
    # Its own scripts would load what graphics cards need.
    npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
        onnxruntime-node@1.30.0 </dev/null >&2 ||
        echo "setup.sh: npm could not install onnxruntime-node; bench_peers.sh will skip it" >&2
}

# A package counts when it is installed, or when another one provides it under that name.
installed=$(dpkg-query -W -f='${db:Status-Status} ${Package} ${Provides}\n' | sed -n 's/^installed / /p' |
    tr '\n,' '  ')
missing=()
for package in "${wanted[@]}"; do
    case "$installed " in
    *" $package "*) ;;
    *) missing+=("$package") ;;
    esac
done
if [ ${#missing[@]} -eq 0 ]; then
    peers
    exit 0
fi

install=(apt-get install -y --no-install-recommends "${missing[@]}")
sudo=()
if [ "$(id -u)" -ne 0 ]; then
    sudo=(sudo)
    if [ ! -t 0 ]; then
        sudo=(sudo -n)
    fi
fi
refuse() {
    echo "setup.sh: $1; as root, run" >&2
    echo "  apt-get update && ${install[*]}" >&2
    exit 1
}
if ! command -v apt-get >/dev/null; then
    refuse "packages are missing and there is no apt-get"
fi
if [ ${#sudo[@]} -gt 0 ] && ! command -v sudo >/dev/null; then
    refuse "packages are missing, this is not root and there is no sudo"
fi

echo "setup.sh: installing ${missing[*]}" >&2
quiet=(env DEBIAN_FRONTEND=noninteractive)
# A list that cannot be fetched (a third party's, say) is no reason to stop: the install decides.
"${sudo[@]}" "${quiet[@]}" apt-get update -qq </dev/null >&2 ||
    echo "setup.sh: apt-get update had errors, trying with the lists that are here" >&2
"${sudo[@]}" "${quiet[@]}" "${install[@]}" -qq </dev/null >&2 || refuse "apt-get failed (see above)"
peers
