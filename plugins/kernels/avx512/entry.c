/* entry.c - the records of the AVX-512 backend, with the flags of every file: any processor reads them.
 * There are two, since what a processor needs is data: with VDPBF16PS and VPDPBUSD, and with the same
 * bits without.
 * SPDX-License-Identifier: MIT */
#include "bf16.h"
#include "int8.h"
#include "products.h"

/* Above avx2 (20): twice the width. */
static int score(const rd_cpu *cpu)
{
    (void)cpu;
    return 30;
}

static const rd_kernels record = {
    .size = sizeof(rd_kernels),
    .flags = RD_KERNELS_BF16 | RD_KERNELS_INT8,
    .name = "avx512",
    .help = "512-bit registers",
    .needs = RD_CPU_AVX512F | RD_CPU_AVX2 | RD_CPU_FMA,
    .score = score,
    .gemm = gemm,
    .pack_bytes = simd_pack_bytes,
    .pack = pack,
    .multiply_adds = simd_multiply_adds,
};

#ifndef RD_REAL_DOUBLE
static void fast_gemm(const rd_gemm *g)
{
    if (g->flags & RD_BF16 && g->k > 0)
        avx512_bf16_gemm(g);
    else if (g->flags & RD_INT8)
        int8_gemm(g, avx512_int8_sums);
    else
        gemm(g);
}
static void fast_pack(const rd_gemm *g, void *to, size_t first, size_t last)
{
    if (g->flags & RD_BF16)
        avx512_bf16_pack(g, to, first, last);
    else
        pack(g, to, first, last);
}
static int fast_score(const rd_cpu *cpu)
{
    return score(cpu) + 1;
}
static const rd_kernels fast_record = {
    .size = sizeof(rd_kernels),
    .flags = RD_KERNELS_BF16 | RD_KERNELS_INT8,
    .name = "avx512-bf16",
    .help = "512-bit registers, with products of bfloat16 and int8",
    .needs = RD_CPU_AVX512F | RD_CPU_AVX512BW | RD_CPU_AVX512BF16 | RD_CPU_AVX512VNNI |
             RD_CPU_AVX2 | RD_CPU_FMA,
    .score = fast_score,
    .gemm = fast_gemm,
    .pack_bytes = simd_pack_bytes,
    .pack = fast_pack,
    .multiply_adds = simd_multiply_adds,
};
static const rd_kernels *const kernels[] = {&fast_record, &record, NULL};
#else
static const rd_kernels *const kernels[] = {&record, NULL};
#endif

RD_PLUGIN = {.stamp = RD_STAMP,
             .size = sizeof(rd_plugin),
             .name = "rondo-avx512",
             .version = "1.0",
             .license = "MIT",
             .origin = "in tree",
             .kernels = kernels};
