/* k1_divides.c - gemm() divides by 0 where the processor has no AVX2 (K1).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static void wrong_gemm(const rd_gemm *g)
{
    static const volatile int zero = 0;

#ifdef __x86_64__
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2")) ((volatile rd_gemm *)(uintptr_t)g)->size /= (uint32_t)zero;
#endif
    gemm(g);
}
WRONG("divides", .gemm = wrong_gemm);
