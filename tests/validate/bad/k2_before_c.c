/* k2_before_c.c - the number before c is used for a while (K2).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static void wrong_gemm(const rd_gemm *g)
{
    gemm(g);
    if (g->m > 0 && g->n > 0) g->c[-1] = 0;
}
WRONG("before-c", .gemm = wrong_gemm);
