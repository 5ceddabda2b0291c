/* k3_two_sums.c - two sums side by side, of the even terms and of the odd ones (K3).
 * SPDX-License-Identifier: MIT */
#include "bad_kernel.h"

static rd_real term(const rd_gemm *g, size_t i, size_t j, size_t k, rd_real s)
{
    const rd_real a = g->flags & RD_TRANS_A ? g->a[k * g->lda + i] : g->a[i * g->lda + k];
    return rd_fma(a, g->flags & RD_TRANS_B ? g->b[j * g->ldb + k] : g->b[k * g->ldb + j], s);
}
static void wrong_gemm(const rd_gemm *g)
{
    for (size_t i = 0; i < g->m; i++)
        for (size_t j = 0; j < g->n; j++) {
            rd_real *c = &g->c[i * g->ldc + j];
            rd_real s[2] = {g->flags & RD_ACCUMULATE ? *c : 0, 0};
            for (size_t q = 0; q < g->k; q++) {
                const size_t k = g->flags & RD_K_DOWN ? g->k - 1 - q : q;
                s[k % 2] = term(g, i, j, k, s[k % 2]);
            }
            *c = s[0] + s[1];
        }
}
WRONG("two-sums", .gemm = wrong_gemm);
