/* k1_beyond_needs.c - a backend for any processor, by its needs, whose gemm() uses AVX2 (K1).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static void wrong_gemm(const rd_gemm *g)
{
#ifdef __x86_64__
    __asm__ volatile("vpaddd %%ymm0, %%ymm0, %%ymm0" ::: "xmm0");
#endif
    gemm(g);
}
WRONG("beyond-needs", .gemm = wrong_gemm);
