/* k2_no_terms.c - without terms nothing is done, not even c = 0 (K2).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static void wrong_gemm(const rd_gemm *g)
{
    if (g->k > 0) gemm(g);
}
WRONG("no-terms", .gemm = wrong_gemm);
