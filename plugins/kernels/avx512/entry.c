/* entry.c - the record of the AVX-512 backend, with the flags of every file: any processor reads it.
 * SPDX-License-Identifier: MIT */
#include "simd.h"

/* Above avx2 (20): twice the width. */
static int score(const rd_cpu *cpu)
{
    (void)cpu;
    return 30;
}

static const rd_kernels record = {
    .size = sizeof(rd_kernels),
    .name = "avx512",
    .help = "512-bit registers",
    .needs = RD_CPU_AVX512F | RD_CPU_AVX2 | RD_CPU_FMA,
    .score = score,
    .gemm = simd_gemm,
    .pack_bytes = simd_pack_bytes,
    .pack = simd_pack,
    .multiply_adds = simd_multiply_adds,
};
static const rd_kernels *const kernels[] = {&record, NULL};

RD_PLUGIN = {.stamp = RD_STAMP,
             .size = sizeof(rd_plugin),
             .name = "rondo-avx512",
             .version = "1.0",
             .license = "MIT",
             .origin = "in tree",
             .kernels = kernels};
