/* entry.c - the record of the NEON backend, with the flags of every file.
 * SPDX-License-Identifier: MIT */
#include "products.h"

/* Above scalar (1). */
static int score(const rd_cpu *cpu)
{
    (void)cpu;
    return 20;
}

static const rd_kernels record = {
    .size = sizeof(rd_kernels),
    .flags = RD_KERNELS_BF16 | RD_KERNELS_INT8,
    .name = "neon",
    .help = "128-bit registers of 64-bit ARM processors",
    .needs = RD_CPU_NEON | RD_CPU_FMA,
    .score = score,
    .gemm = gemm,
    .pack_bytes = simd_pack_bytes,
    .pack = pack,
    .multiply_adds = simd_multiply_adds,
};
static const rd_kernels *const kernels[] = {&record, NULL};

RD_PLUGIN = {.stamp = RD_STAMP,
             .size = sizeof(rd_plugin),
             .name = "rondo-neon",
             .version = "1.0",
             .license = "MIT",
             .origin = "in tree",
             .kernels = kernels};
