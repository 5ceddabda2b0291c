/* k3_sum_order.c - the second half of the terms comes first (K3).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static void wrong_gemm(const rd_gemm *g)
{
    rd_gemm half = *g;
    const size_t cut = g->k / 2;

    half.packed_b = NULL;
    half.k = g->k - cut;
    half.a += cut * (g->flags & RD_TRANS_A ? g->lda : 1);
    half.b += cut * (g->flags & RD_TRANS_B ? 1 : g->ldb);
    gemm(&half);
    half.a = g->a, half.b = g->b;
    half.k = cut;
    half.flags |= RD_ACCUMULATE;
    gemm(&half);
}
WRONG("sum-order", .gemm = wrong_gemm);
