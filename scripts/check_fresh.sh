#!/bin/bash
# check_fresh.sh - both commands in a fresh Debian 12, first with a network and then without.
#
# usage: scripts/check_fresh.sh [--keep] [FOLDER]      as root; needs debootstrap and git, and some 4 GB
#
# Makes a minimal Debian 12 (debootstrap, minbase) in FOLDER/tree, clones this source folder's last commit
# into it and runs scripts/demo.sh and scripts/test.sh there, then both again under `unshare -n`. Logs lie in
# FOLDER (default: build/fresh); the tree is removed at the end unless --keep is given.
# SPDX-License-Identifier: MIT
set -euo pipefail
cd "$(dirname "$0")/.."

keep=no
case ${1:-} in
--keep)
    keep=yes
    shift
    ;;
-h | --help)
    sed -n '2,/^# SPDX/{/^# SPDX/d;s/^# \{0,1\}//;p}' "$0"
    exit 0
    ;;
-*)
    echo "check_fresh.sh: '$1' is not an option; there is --keep" >&2
    exit 2
    ;;
esac
folder=$(mkdir -p "${1:-build/fresh}" && cd "${1:-build/fresh}" && pwd)
readonly keep folder tree=$folder/tree
if [ "$(id -u)" -ne 0 ]; then
    echo "check_fresh.sh: debootstrap needs root" >&2
    exit 1
fi
for program in debootstrap git unshare; do
    command -v $program >/dev/null || {
        echo "check_fresh.sh: $program is missing" >&2
        exit 1
    }
done

# The mirror this machine uses, in either form of apt's lists.
mirror=$(grep -hsE '^(URIs:|deb ).*/debian( |$)' /etc/apt/sources.list /etc/apt/sources.list.d/* |
    grep -oE 'https?://[^ ]+/debian' | head -n 1 || true)
mirror=${mirror:-http://deb.debian.org/debian}

clean() {
    umount "$tree/dev/pts" "$tree/proc" 2>/dev/null || true
    if [ $keep = no ]; then
        rm -rf --one-file-system "$tree"
    fi
}
trap clean EXIT

# inside LOG COMMAND...: runs in the tree, in the clone, with a bare environment.
inside() {
    local log=$folder/$1 begin=$SECONDS status=0
    shift
    "${isolate[@]}" chroot "$tree" /usr/bin/env -i HOME=/root TERM=dumb CI="${CI:-}" \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        bash -c 'cd /root/rondo && exec "$@"' - "$@" >"$log" 2>&1 </dev/null || status=$?
    printf '%-28s exit %d, %4d s: %s\n' "${log##*/}" "$status" $((SECONDS - begin)) "$(tail -n 1 "$log")"
    if [ "$status" -ne 0 ]; then
        failed=yes
        tail -n 40 "$log" | sed 's/^/    | /'
    fi
}

rm -rf --one-file-system "$tree"
echo "debootstrap from $mirror (log: $folder/debootstrap.log)"
debootstrap --variant=minbase bookworm "$tree" "$mirror" >"$folder/debootstrap.log" 2>&1
cp /etc/resolv.conf "$tree/etc/resolv.conf"
mount -t proc proc "$tree/proc"
mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts "$tree/dev/pts"
git clone -q --no-hardlinks . "$tree/root/rondo"
echo "commit $(git log -1 --format='%h %s')"

failed=no isolate=()
inside demo-with-network.log scripts/demo.sh
inside test-with-network.log scripts/test.sh
isolate=(unshare -n)
inside demo-without-network.log scripts/demo.sh
inside test-without-network.log scripts/test.sh
[ $failed = no ]
