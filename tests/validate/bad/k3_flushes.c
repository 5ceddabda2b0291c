/* k3_flushes.c - denormal numbers are 0 (K3).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static rd_real flushed(rd_real x)
{
    const double normal = sizeof x == sizeof(double) ? 0x1p-1022 : 0x1p-126;
    return x < normal && x > -normal ? 0 : x;
}
RD_CLONES static void add(size_t n, rd_real a, const rd_real *b, size_t next, rd_real *c)
{
    for (size_t j = 0; j < n; j++) c[j] = flushed(rd_fma(a, b[j * next], c[j]));
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
WRONG("flushes", .gemm = wrong_gemm);
