#!/bin/bash
# check_setup.sh - what scripts/setup.sh and configure say where something is missing.
#
# usage: tests/build/check_setup.sh FOLDER      FOLDER is for its files
# SPDX-License-Identifier: MIT
set -euo pipefail
cd "$(dirname "$0")/../.."

rm -rf "$1"
folder=$(mkdir -p "$1" && cd "$1" && pwd)
cases=0 failures=0

# expect NAME STATUS PATTERN COMMAND...: the command ends with the status and prints the pattern.
expect() {
    local name=$1 status=$2 pattern=$3 got=0 text
    shift 3
    text=$("$@" 2>&1 </dev/null) || got=$?
    cases=$((cases + 1))
    if [ "$got" -ne "$status" ] || ! grep -q -- "$pattern" <<<"$(tr '\n' ' ' <<<"$text")"; then
        printf 'FAIL %s: exit %d (wanted %d), wanted "%s" in:\n%s\n' "$name" "$got" "$status" "$pattern" "$text"
        failures=$((failures + 1))
    fi
}

# A PATH with only the tools of setup.sh, and what stands in for others.
tools=$folder/tools
mkdir "$tools"
for program in bash env sed tr uname cat; do
    ln -s "$(command -v $program)" "$tools/$program"
done
stub() {
    printf '#!/bin/bash\n%s\n' "$2" >"$tools/$1"
    chmod +x "$tools/$1"
}
setup() { env PATH="$tools" scripts/setup.sh "$@"; }

expect 'an unknown group' 2 "'tests' is not one of run, test, all, bench" scripts/setup.sh tests
expect 'nothing is missing' 0 '' scripts/setup.sh test
expect 'not a Debian system' 0 'not a Debian or Ubuntu system.*Lua 5.4.*liblua5.4-dev' setup run
names=$(setup bench 2>&1 | sed -n '/needs:$/{n;p}')
stub dpkg-query 'exit 0'
stub id 'echo 0'
expect 'no apt-get' 1 'there is no apt-get; as root, run *apt-get update && apt-get install -y.* cmake ' setup run
stub apt-get 'echo "apt-get $*"'
expect 'root installs' 0 'apt-get install -y --no-install-recommends gcc .*bible-kjv-text' setup run
stub id 'echo 1000'
expect 'neither root nor sudo' 1 'there is no sudo; as root, run *apt-get update && apt-get install' setup run
stub sudo 'echo "sudo $*"'
expect 'sudo installs' 0 'sudo -n env DEBIAN_FRONTEND=noninteractive apt-get install' setup run
# shellcheck disable=SC2016
stub dpkg-query 'for p in gcc libc6-dev; do echo "installed $p "; done; echo "config-files cmake "'
expect 'only what is missing' 0 'setup.sh: installing cmake ninja-build' setup run
stub sudo 'exit 100'
mkdir -p "$folder/copy/scripts"
cp scripts/setup.sh "$folder/copy/scripts"
for program in dirname mkdir; do
    ln -s "$(command -v $program)" "$tools/$program"
done
stub dpkg-query "for p in $names; do echo \"installed \$p \"; done"
stub npm 'echo "npm $*"'
expect 'bench asks npm' 0 'onnxruntime-node from npm .*npm install .*--prefix .*/build/peers onnxruntime-node@' \
    env PATH="$tools" "$folder/copy/scripts/setup.sh" bench
stub npm 'exit 1'
expect 'npm fails' 0 'npm could not install onnxruntime-node; bench_peers.sh will skip it' \
    env PATH="$tools" "$folder/copy/scripts/setup.sh" bench
stub dpkg-query 'exit 0'
expect 'apt-get fails' 1 'apt-get failed (see above); as root, run' setup run

mkdir -p "$folder/no-modules"
expect 'configure names the package' 1 'lua5.4 is missing: install liblua5.4-dev' \
    env PKG_CONFIG_LIBDIR="$folder/no-modules" cmake -S . -B "$folder/no-lua" -G Ninja
cp "$(pkg-config --variable=pcfiledir lua5.4)/lua5.4.pc" "$(pkg-config --variable=pcfiledir libxxhash)/libxxhash.pc" \
    "$folder/no-modules"
expect 'configure names HDF5' 1 'hdf5-serial is missing: install libhdf5-dev' \
    env PKG_CONFIG_LIBDIR="$folder/no-modules" cmake -S . -B "$folder/no-hdf5" -G Ninja
cp "$(pkg-config --variable=pcfiledir hdf5-serial || pkg-config --variable=pcfiledir hdf5)"/hdf5*.pc \
    "$(pkg-config --variable=pcfiledir libseccomp)/libseccomp.pc" "$folder/no-modules"
expect 'configure names SQLite' 1 'sqlite3 is missing: install libsqlite3-dev' \
    env PKG_CONFIG_LIBDIR="$folder/no-modules" cmake -S . -B "$folder/no-sqlite" -G Ninja
cp "$(pkg-config --variable=pcfiledir sqlite3)/sqlite3.pc" "$folder/no-modules"
expect 'configure lists what is off' 0 'off: history at the prompt .*off: tests in C (libcmocka-dev is not installed)' \
    env PKG_CONFIG_LIBDIR="$folder/no-modules" cmake -S . -B "$folder/no-cmocka" -G Ninja

echo "$((cases - failures)) of $cases hold"
[ $failures -eq 0 ]
