#!/bin/bash
# build.sh - compiles the bit suite's program and the kernel test for aarch64, static.
#
# usage: tests/qemu/build.sh FOLDER      makes in it bits_program (core, cells and kernels in one file),
#                                        test_kernels and test_kernels_f64; run them with qemu-aarch64
#
# A static program has no dynamic loader, so the cells and the NEON backend are linked in under names of their own
# (core/plugin/builtin.c) and libxxhash is compiled from its header. The HDF5 module is left out.
# SPDX-License-Identifier: MIT
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=${1:?usage: tests/qemu/build.sh FOLDER}
compiler=${CROSS_CC:-aarch64-linux-gnu-gcc}
flags=(-std=c11 -O2 -Wall -ffp-contract=off -fno-math-errno -fno-trapping-math -D_GNU_SOURCE
    -DXXH_INLINE_ALL -DRD_TEST_SOURCE_DIR="\"$PWD\"" -DRD_TEST_LIB_DIR='"/nowhere"'
    -Icore -Icore/include -I"$folder/include")
mkdir -p "$folder/include"
ln -sf /usr/include/xxhash.h "$folder/include/xxhash.h"

# job SOURCE [FLAG...]: one line for the compilers below.
jobs=()
job() {
    jobs+=("$(printf '%q ' "$compiler" "${flags[@]}" "${@:2}" -c "$1" -o "$folder/${1//\//_}.o")")
}
rm -f "$folder"/*.o
for source in plugins/kernels/neon/*.c; do
    job "$source" -O3 -Iplugins/kernels -DRD_PLUGIN_LINKED=rdc_linked_neon
done
names=(rdc_linked_neon)
for source in plugins/cells/*.c; do
    name=$(basename "$source" .c)
    names+=("rdc_linked_$name")
    job "$source" "-DRD_PLUGIN_LINKED=rdc_linked_$name"
done
{
    echo '#include "rondo.h"'
    printf 'extern const rd_plugin %s;\n' "${names[@]}"
    echo 'extern const rd_plugin *const rdc_linked_plugins[];'
    printf 'const rd_plugin *const rdc_linked_plugins[] = {%s NULL};\n' "$(printf '&%s, ' "${names[@]}")"
} >"$folder/linked.c"
for source in plugins/kernels/scalar/*.c; do
    job "$source" -DRD_PLUGIN_LINKED=rdc_scalar_plugin
done
for source in core/*.c core/*/*.c tests/bits/bits_*.c; do
    case $source in
    core/store/hdf5_*) ;;
    *) job "$source" ;;
    esac
done
printf '%s\0' "${jobs[@]}" | xargs -0 -P "${JOBS:-1}" -n 1 sh -c
# dlopen in a static program is warned of; nothing is there to be opened.
"$compiler" "${flags[@]}" -static "$folder/linked.c" "$folder"/*.o -o "$folder/bits_program" -lm -pthread \
    2> >(grep -v 'dlopen\|in function' >&2 || true)
# The test of kernels needs no core: the backend alone, with numbers of both sizes.
for real in "" -DRD_REAL_DOUBLE; do
    # shellcheck disable=SC2086
    "$compiler" "${flags[@]}" -O3 $real -DRD_PLUGIN_LINKED=rdc_linked_neon -Iplugins/kernels -Itests -DRD_TEST_ALONE \
        -DRD_TEST_PLUGIN=rdc_linked_neon -static plugins/kernels/neon/*.c tests/plugin/test_kernels.c \
        tests/validate/kernel_{bench,guard,numbers,reference,rules}.c -o "$folder/test_kernels${real:+_f64}" -lm
done
