/* k2_beyond_ldc.c - rows of c are written to the next multiple of 8 (K2).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static void wrong_gemm(const rd_gemm *g)
{
    gemm(g);
    for (size_t i = 0; i < g->m; i++)
        for (size_t j = g->n; j % 8 != 0 && g->n > 0 && (j < g->ldc || i + 1 == g->m); j++)
            g->c[i * g->ldc + j] = 0;
}
WRONG("beyond-ldc", .gemm = wrong_gemm);
