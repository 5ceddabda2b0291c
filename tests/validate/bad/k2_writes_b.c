/* k2_writes_b.c - b is put into order for the product, and left so (K2).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static void wrong_gemm(const rd_gemm *g)
{
    rd_real *b = (rd_real *)(uintptr_t)g->b;

    gemm(g);
    if (g->n > 0 && g->k > 0) b[0] = 0;
}
WRONG("writes-b", .gemm = wrong_gemm);
