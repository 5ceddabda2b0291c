/* k2_odd_stride.c - strides are taken to be even (K2).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static void wrong_gemm(const rd_gemm *g)
{
    rd_gemm even = *g;

    even.lda = g->lda > g->k && g->m > 1 ? g->lda & ~(size_t)1 : g->lda;
    gemm(&even);
}
WRONG("odd-stride", .gemm = wrong_gemm);
