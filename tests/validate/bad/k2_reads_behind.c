/* k2_reads_behind.c - b is read to the end of a register, where it has fewer columns (K2).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static void wrong_gemm(const rd_gemm *g)
{
    const volatile rd_real *b = g->b;

    if (g->k > 0 && g->n > 0 && !g->packed_b && !(g->flags & RD_TRANS_B))
        (void)b[(g->k - 1) * g->ldb + (g->n + 7) / 8 * 8 - 1];
    gemm(g);
}
WRONG("reads-behind", .gemm = wrong_gemm);
