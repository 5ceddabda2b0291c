/* k2_reads_c.c - c times 0 instead of no c (K2): a number that is not finite stays.
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static void wrong_gemm(const rd_gemm *g)
{
    rd_gemm added = *g;

    for (size_t i = 0; i < g->m && !(g->flags & RD_ACCUMULATE); i++)
        for (size_t j = 0; j < g->n; j++) g->c[i * g->ldc + j] *= 0;
    added.flags |= RD_ACCUMULATE;
    gemm(&added);
}
WRONG("reads-c", .gemm = wrong_gemm);
