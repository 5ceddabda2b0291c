/* one_row_body.h - one row by a packed matrix that is larger than the caches; a part of simd_body.h.
 * SPDX-License-Identifier: MIT */
#include "simd.h"

/* Terms and columns of a matrix that lies in memory, not in cache: one row waits for nothing else. */
enum { IN_MEMORY = (8 << 20) / sizeof(rd_real) };

/* One row in two packed panels, read side by side: memory gives two streams faster than one, 81 against
 * 73 GB/s. */
static void pair_of_panels(const rd_gemm *g, size_t j0)
{
    enum { NV = PANEL / VL };
    const rd_real *b = (const rd_real *)g->packed_b + j0 * g->k;
    const size_t a_k = g->flags & RD_TRANS_A ? g->lda : 1, other = PANEL * g->k;
    rd_real *c = g->c + j0;
    vec s[2][NV];
    UNROLLED
    for (size_t j = 0; j < NV; j++) {
        s[0][j] = g->flags & RD_ACCUMULATE ? V_LOAD(c + j * VL) : V_ZERO();
        s[1][j] = g->flags & RD_ACCUMULATE ? V_LOAD(c + PANEL + j * VL) : V_ZERO();
    }
    for (size_t k = 0; k < g->k; k++, b += PANEL) {
        const vec x = V_SET(g->a[k * a_k]);
        UNROLLED
        for (size_t j = 0; j < NV; j++) s[0][j] = V_FMA(x, V_LOAD(b + j * VL), s[0][j]);
        UNROLLED
        for (size_t j = 0; j < NV; j++) s[1][j] = V_FMA(x, V_LOAD(b + other + j * VL), s[1][j]);
    }
    UNROLLED
    for (size_t j = 0; j < NV; j++) {
        V_STORE(c + j * VL, s[0][j]);
        V_STORE(c + PANEL + j * VL, s[1][j]);
    }
}

/* All pairs of panels; what is left of the columns is fewer than two. */
static rd_gemm in_pairs(const rd_gemm *g)
{
    rd_gemm rest = *g;
    size_t j0 = 0;
    for (; j0 + 2 * PANEL <= g->n; j0 += 2 * PANEL) pair_of_panels(g, j0);
    rest.n -= j0;
    rest.c += j0;
    rest.packed_b = (const rd_real *)g->packed_b + j0 * g->k;
    return rest;
}
