/* k2_writes_a.c - a is put into order for the product, and left so (K2).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static void wrong_gemm(const rd_gemm *g)
{
    rd_real *a = (rd_real *)(uintptr_t)g->a;

    gemm(g);
    if (g->m > 0 && g->k > 0) a[0] = 0;
}
WRONG("writes-a", .gemm = wrong_gemm);
