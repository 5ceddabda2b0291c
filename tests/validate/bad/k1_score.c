/* k1_score.c - a backend whose score(), not only its products, uses what it needs (K1).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static int wrong_score(const rd_cpu *cpu)
{
#ifdef __x86_64__
    __asm__ volatile("vpaddd %%ymm0, %%ymm0, %%ymm0" ::: "xmm0");
#endif
    return score(cpu);
}
WRONG("eager-score", .score = wrong_score, .needs = RD_CPU_AVX2 | RD_CPU_FMA);
