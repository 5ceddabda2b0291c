/* k3_c_last.c - c is added at the end of the sum (K3).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static void wrong_gemm(const rd_gemm *g)
{
    for (size_t i = 0; i < g->m; i++)
        for (size_t j = 0; j < g->n; j += PANEL) {
            rd_real sums[PANEL];
            rd_gemm part = *g;
            part.m = 1, part.n = g->n - j < PANEL ? g->n - j : PANEL;
            part.a += i * (g->flags & RD_TRANS_A ? 1 : g->lda);
            part.b += j * (g->flags & RD_TRANS_B ? g->ldb : 1);
            part.c = sums, part.packed_b = NULL;
            part.flags &= ~(uint32_t)RD_ACCUMULATE;
            gemm(&part);
            for (size_t c = 0; c < part.n; c++)
                g->c[i * g->ldc + j + c] =
                    sums[c] + (g->flags & RD_ACCUMULATE ? g->c[i * g->ldc + j + c] : 0);
        }
}
WRONG("c-last", .gemm = wrong_gemm);
