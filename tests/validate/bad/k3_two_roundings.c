/* k3_two_roundings.c - a multiplication and an addition instead of a fused multiply-add (K3).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static void add(size_t n, rd_real a, const rd_real *b, size_t next, rd_real *c)
{
    for (size_t j = 0; j < n; j++) c[j] += a * b[j * next];
}

/* C's rows, term by term: what is wrong is in add(). */
static void wrong_gemm(const rd_gemm *g)
{
    for (size_t i = 0; i < g->m; i++) {
        rd_real *c = g->c + i * g->ldc;
        for (size_t j = 0; j < g->n && !(g->flags & RD_ACCUMULATE); j++) c[j] = 0;
        for (size_t q = 0; q < g->k; q++) {
            const size_t k = g->flags & RD_K_DOWN ? g->k - 1 - q : q;
            const rd_real a = g->flags & RD_TRANS_A ? g->a[k * g->lda + i] : g->a[i * g->lda + k];
            const rd_real *b = g->flags & RD_TRANS_B ? g->b + k : g->b + k * g->ldb;
            add(g->n, a, b, g->flags & RD_TRANS_B ? g->ldb : 1, c);
        }
    }
}
WRONG("two-roundings", .gemm = wrong_gemm);
