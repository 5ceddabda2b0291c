/* k2_one_row.c - a way of its own for one row, which forgets the last column (K2).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static void wrong_gemm(const rd_gemm *g)
{
    rd_gemm one = *g;

    if (g->m == 1 && g->n > 64 && !g->packed_b) one.n--;
    gemm(&one);
}
WRONG("one-row", .gemm = wrong_gemm);
