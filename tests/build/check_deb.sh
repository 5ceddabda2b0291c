#!/bin/bash
# check_deb.sh - `cpack -G DEB` makes a package that a minimal Debian 12 installs, uses and removes without a trace.
#
# usage: tests/build/check_deb.sh BUILD FOLDER      as root; needs debootstrap, dpkg-dev and the machine's mirror
#
# Makes the package of the build folder BUILD, and a tree (debootstrap, minbase) in FOLDER.
# SPDX-License-Identifier: MIT
set -euo pipefail
cd "$(dirname "$0")/../.."

build=$(cd "$1" && pwd)
folder=$(mkdir -p "$2" && cd "$2" && pwd)
tree=$folder/tree
# The mirror this machine uses, in either form of apt's lists.
mirror=$(grep -hsE '^(URIs:|deb ).*/debian( |$)' /etc/apt/sources.list /etc/apt/sources.list.d/* |
    grep -oE 'https?://[^ ]+/debian' | head -n 1 || true)
mirror=${mirror:-http://deb.debian.org/debian}

clean() {
    umount "$tree/proc" 2>/dev/null || true
    rm -rf --one-file-system "$tree"
}
trap clean EXIT
inside() {
    chroot "$tree" /usr/bin/env -i HOME=/root TERM=dumb DEBIAN_FRONTEND=noninteractive \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@" </dev/null
}

clean
rm -f "$folder"/*.deb
(cd "$build" && cpack -G DEB -B "$folder")
rm -rf "$folder/_CPack_Packages"
dpkg-deb -I "$folder"/rondo_*.deb
debootstrap --variant=minbase bookworm "$tree" "$mirror" >"$folder/debootstrap.log" 2>&1
cp /etc/resolv.conf "$tree/etc/resolv.conf"
mount -t proc proc "$tree/proc"
cp "$folder"/rondo_*.deb "$tree/root/rondo.deb"

inside find / -xdev ! -path '/proc/*' ! -path '/var/*' ! -path '/root/*' | sort >"$folder/before.txt"
inside apt-get install -y -qq --no-install-recommends /root/rondo.deb
inside rondo --version
inside rondo plugins
inside sh -c 'rondo check /usr/lib/rondo/plugins-*/f32'
# shellcheck disable=SC2016
inside bash -c 'cd /root; for n in $(seq 200); do echo "line $n of a text, and one more word"; done >text.txt
    rondo train text.txt --run-dir run --hidden-size 8 --max-steps 4 --ngrams 0 --progress none
    rondo sample run --length 20 --seed 1
    rondo help LSTM
    test -s /usr/share/bash-completion/completions/rondo'
inside apt-get install -y -qq --no-install-recommends gcc libc6-dev pkg-config
# shellcheck disable=SC2016
inside bash -c 'cd /root; rondo new-cell demo.mgu; cd mgu; rondo check mgu.c
    cc $(pkg-config --cflags rondo-plugin) -shared mgu.c -o mgu.so $(pkg-config --libs rondo-plugin)
    rondo run test.lua
    test -s /usr/share/cmake/rondo/rondoConfig.cmake'
grep -q '/usr/share/man/man1/rondo.1.gz' <(inside dpkg -L rondo) # minbase itself leaves manuals out
inside apt-get purge -y -qq --auto-remove rondo
inside find / -xdev ! -path '/proc/*' ! -path '/var/*' ! -path '/root/*' | sort >"$folder/after.txt"
left=$(comm -13 "$folder/before.txt" "$folder/after.txt" | grep -i rondo || true)
echo "left: $left"
[ -z "$left" ]
