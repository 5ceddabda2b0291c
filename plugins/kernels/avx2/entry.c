/* entry.c - the record of the AVX2 backend, with the flags of every file: any processor reads it.
 * SPDX-License-Identifier: MIT */
#include "bf16_body.h"
#include "int8_body.h"
#include "simd.h"

static void gemm(const rd_gemm *g)
{
    if (g->flags & RD_BF16)
        bf16_gemm(g);
    else if (g->flags & RD_INT8)
        int8_gemm(g, int8_plain_sums);
    else
        simd_gemm(g);
}
static void pack(const rd_gemm *g, void *to, size_t first, size_t last)
{
    if (g->flags & RD_BF16)
        bf16_pack(g, to, first, last);
    else if (g->flags & RD_INT8)
        int8_pack(g, to, first, last);
    else
        simd_pack(g, to, first, last);
}

/* Above scalar (1), below wider registers. */
static int score(const rd_cpu *cpu)
{
    (void)cpu;
    return 20;
}

static const rd_kernels record = {
    .size = sizeof(rd_kernels),
    .flags = RD_KERNELS_BF16 | RD_KERNELS_INT8,
    .name = "avx2",
    .help = "256-bit registers with fused multiply-add",
    .needs = RD_CPU_AVX2 | RD_CPU_FMA,
    .score = score,
    .gemm = gemm,
    .pack_bytes = simd_pack_bytes,
    .pack = pack,
    .multiply_adds = simd_multiply_adds,
};
static const rd_kernels *const kernels[] = {&record, NULL};

RD_PLUGIN = {.stamp = RD_STAMP,
             .size = sizeof(rd_plugin),
             .name = "rondo-avx2",
             .version = "1.0",
             .license = "MIT",
             .origin = "in tree",
             .kernels = kernels};
