/* transpose_body.h - B where it lies transposed: copied into panels, or for few rows used at once.
 *
 * Part of simd_body.h, which says what the includer defines. The rows of B are contiguous along k; VL of
 * them make a strip, of which squares of 16 bytes each way are transposed in registers.
 * SPDX-License-Identifier: MIT */
#include "simd.h"
#include "rondo/pointmath.h"
#include <string.h>

enum { QUAD = 16 / sizeof(rd_real), LINE = 64 / sizeof(rd_real), LANES = VL / QUAD };
/* How far ahead in its row to ask for numbers. */
enum { AHEAD_IN_ROW = 256 / sizeof(rd_real) };

/* Asks for what lies `ahead` numbers from p; there need not be anything. */
RD_INLINE void prefetch(const rd_real *p, ptrdiff_t ahead)
{
    const uintptr_t bytes = (uintptr_t)(ahead * (ptrdiff_t)sizeof(rd_real));
    __builtin_prefetch((const void *)((uintptr_t)p + bytes), 0, 3);
}
/* VL rows that lie ld apart, as a pointer for each lane of 16 bytes: lane i begins
 * with row i * QUAD. */
typedef struct strip {
    const rd_real *at[LANES];
    size_t ld;
} strip;

RD_INLINE strip strip_at(const rd_real *from, size_t ld)
{
    strip s = {.ld = ld};

    UNROLLED
    for (size_t i = 0; i < LANES; i++) s.at[i] = from + i * QUAD * ld;
    return s;
}
/* Asks for numbers k of all rows. */
RD_INLINE void strip_prefetch(const strip *s, size_t k)
{
    UNROLLED
    for (size_t i = 0; i < LANES; i++) UNROLLED
    for (size_t q = 0; q < QUAD; q++) prefetch(s->at[i] + q * s->ld, (ptrdiff_t)k);
}
/* r[q] = number k + q of every row for q < GROUP: loaded row by row, so that a line is not asked
 * for again, then transposed in squares of QUAD numbers, one in each lane. */
RD_INLINE void strip_columns(const strip *s, size_t k, vec r[GROUP])
{
    UNROLLED
    for (size_t i = 0; i < LANES; i++) UNROLLED
    for (size_t q = 0; q < QUAD; q++) UNROLLED
    for (size_t d = 0; d < GROUP; d += QUAD)
        r[d + q] = V_LANE(i, r[d + q], s->at[i] + k + d + q * s->ld);
    UNROLLED
    for (size_t d = 0; d < GROUP; d += QUAD) {
#ifdef RD_REAL_DOUBLE
        const vec first = r[d];
        r[d] = V_ZIP_LOW(first, r[d + 1]);
        r[d + 1] = V_ZIP_HIGH(first, r[d + 1]);
#else
        const vec even_low = V_ZIP_LOW(r[d], r[d + 2]), even_high = V_ZIP_HIGH(r[d], r[d + 2]);
        const vec odd_low = V_ZIP_LOW(r[d + 1], r[d + 3]);
        const vec odd_high = V_ZIP_HIGH(r[d + 1], r[d + 3]);
        r[d] = V_ZIP_LOW(even_low, odd_low);
        r[d + 1] = V_ZIP_HIGH(even_low, odd_low);
        r[d + 2] = V_ZIP_LOW(even_high, odd_high);
        r[d + 3] = V_ZIP_HIGH(even_high, odd_high);
#endif
    }
}
/* to[GROUP][64], its columns [0, VL) = numbers [k, k + GROUP) of the rows. */
RD_INLINE void copy_group(const strip *s, size_t k, rd_real *to)
{
    vec r[GROUP];

    strip_columns(s, k, r);
    UNROLLED
    for (size_t q = 0; q < GROUP; q++) V_STORE(to + q * PANEL, r[q]);
}
static void copy_scalars(const rd_real *from, size_t ld, size_t n, size_t width, rd_real *to)
{
    for (size_t k = 0; k < n; k++)
        for (size_t j = 0; j < width; j++) to[k * PANEL + j] = from[j * ld + k];
}
/* to[n][64], its columns [0, VL) = the VL rows of n numbers at from, transposed. */
static void copy_strip(const rd_real *from, size_t ld, size_t n, rd_real *to)
{
    const strip s = strip_at(from, ld);
    size_t k = 0;

    for (; k + GROUP <= n; k += GROUP) {
        if (k % LINE == 0) strip_prefetch(&s, k + AHEAD_IN_ROW);
        copy_group(&s, k, to + k * PANEL);
    }
    copy_scalars(from + k, ld, n - k, VL, to + k * PANEL);
}
/* The same for fewer rows than VL, by way of a square that has as many. */
static void copy_narrow(const rd_real *from, size_t ld, size_t n, size_t width, rd_real *to)
{
    rd_real square[VL * LINE] = {0};
    const strip s = strip_at(square, LINE);
    size_t k = 0;

    for (; k + LINE <= n; k += LINE) { /* a size the compiler knows: no call */
        for (size_t j = 0; j < width; j++)
            memcpy(square + j * LINE, from + j * ld + k, LINE * sizeof(rd_real));
        UNROLLED
        for (size_t d = 0; d < LINE; d += GROUP) copy_group(&s, d, to + (k + d) * PANEL);
    }
    copy_scalars(from + k, ld, n - k, width, to + k * PANEL);
}
/* to[n][64] = the width rows of n numbers at from, transposed; zeros to where a tile reads. */
static void copy_transposed(const rd_real *from, size_t ld, size_t n, size_t width, rd_real *to)
{
    const size_t whole = width / VL * VL, most = width > 2 * VL ? PANEL : width > VL ? 2 * VL : VL;

    for (size_t k = 0; k < n && whole < width; k++)
        for (size_t j = whole; j < most; j += VL) V_STORE(to + k * PANEL + j, V_ZERO());
    for (size_t j = 0; j < whole; j += VL) copy_strip(from + j * ld, ld, n, to + j);
    if (whole > 0 && whole < width) /* once more what was copied, and the rest */
        copy_strip(from + (width - VL) * ld, ld, n, to + width - VL);
    else if (whole < width)
        copy_narrow(from, ld, n, width, to);
}

/* ---- few rows with B transposed -------------------------------------------------------------- */

/* Columns [j0, j0 + ns * VL) of mr rows, k ascending: numbers of B are used as they are transposed,
 * once. The first `done` columns are another call's, and stay as they are. */
RD_INLINE void run_transposed(const size_t mr, const size_t ns, const rd_gemm *g, size_t j0,
                              size_t done)
{
    const size_t a_k = g->flags & RD_TRANS_A ? g->lda : 1,
                 a_row = g->flags & RD_TRANS_A ? 1 : g->lda;
    rd_real c[3][2 * VL];
    vec s[3][2];
    strip b[2];
    size_t k = 0;

    for (size_t i = 0; i < mr; i++)
        for (size_t j = 0; j < ns * VL; j++)
            c[i][j] = g->flags & RD_ACCUMULATE ? g->c[i * g->ldc + j0 + j] : 0;
    UNROLLED
    for (size_t h = 0; h < ns; h++) {
        b[h] = strip_at(g->b + (j0 + h * VL) * g->ldb, g->ldb);
        UNROLLED
        for (size_t i = 0; i < mr; i++) s[i][h] = V_LOAD(c[i] + h * VL);
    }
    for (; k + GROUP <= g->k; k += GROUP) {
        UNROLLED
        for (size_t h = 0; h < ns; h++) {
            vec r[GROUP];
            if (k % LINE == 0) strip_prefetch(&b[h], k + AHEAD_IN_ROW);
            strip_columns(&b[h], k, r);
            UNROLLED
            for (size_t q = 0; q < GROUP; q++) UNROLLED
            for (size_t i = 0; i < mr; i++)
                s[i][h] = V_FMA(V_SET(g->a[i * a_row + (k + q) * a_k]), r[q], s[i][h]);
        }
    }
    UNROLLED
    for (size_t h = 0; h < ns; h++) UNROLLED
    for (size_t i = 0; i < mr; i++) V_STORE(c[i] + h * VL, s[i][h]);
    for (; k < g->k; k++)
        for (size_t i = 0; i < mr; i++)
            for (size_t j = done; j < ns * VL; j++)
                c[i][j] = rd_fma(g->a[i * a_row + k * a_k], g->b[(j0 + j) * g->ldb + k], c[i][j]);
    for (size_t i = 0; i < mr; i++)
        memcpy(g->c + i * g->ldc + j0 + done, c[i] + done, (ns * VL - done) * sizeof(rd_real));
}
RD_INLINE void rows_transposed(const size_t mr, const rd_gemm *g)
{
    size_t j = 0;

    for (; j + 2 * VL <= g->n; j += 2 * VL) run_transposed(mr, 2, g, j, 0);
    for (; j + VL <= g->n; j += VL) run_transposed(mr, 1, g, j, 0);
    if (j < g->n) run_transposed(mr, 1, g, g->n - VL, VL - (g->n - j));
}
/* At most 3 rows, at least VL columns, k ascending. */
static void few_transposed(const rd_gemm *g)
{
    if (g->m == 1)
        rows_transposed(1, g);
    else if (g->m == 2)
        rows_transposed(2, g);
    else if (g->m == 3)
        rows_transposed(3, g);
}
