/* bf16.c - products of bfloat16 for AVX-512 with VDPBF16PS: tiles of 6 rows by 4 registers of float sums.
 *
 * The instruction adds the products of two neighbouring k to each sum, the odd one first, each with one
 * rounding: rule 10 is what it does. So a pair of bfloat16 takes the place of one float. Both operands become
 * pairs, [k / 2][64] in a panel of B, before the loop; what fills up an odd k is -0 in A and +0 in B, whose
 * product changes no sum, not even -0. Pairs descend with K_DOWN, which is then the chain over k itself,
 * whatever its number.
 *
 * Rows are taken in stretches whose block of A is converted once to the stack (ROOM), which costs nothing
 * beside the products; between blocks the sums wait in C.
 * SPDX-License-Identifier: MIT */
#if !defined(__AVX512BF16__) || !defined(__AVX512BW__)
#error "compile this file, and no other of the plugin, with -mavx512bf16 -mavx512bw"
#endif
#include "bf16.h"
#include "rondo/pointmath.h"
#include <immintrin.h>
#include <string.h>

#ifndef RD_REAL_DOUBLE
enum { MR = 6, NV = 4, VL = 16, LINE = 16 };
enum { ROOM = 6144, PAIRS = 128, STRETCH = 48, STRETCH_MAX = 72 };
/* Operands larger than this are asked for ahead; the processor's own prefetch does not cross pages. */
enum { FAR_PAIRS = (384 << 10) / 4, ROWS_AHEAD = 24 };
#define FIRST(n) ((__mmask16)((n) >= VL ? 0xffff : (1u << (n)) - 1))

typedef uint32_t pair; /* the even k in the lower half */

static void ask_for(const void *p, ptrdiff_t ahead)
{
    __builtin_prefetch((const void *)((uintptr_t)p + (uintptr_t)ahead), 0, 3);
}

/* ---- floats to pairs --------------------------------------------------------------------------------- */

/* Pairs of one number of `even` and one of `odd`: where k goes down the rows. */
RD_INLINE __m512i zip(__m512 even, __m512 odd)
{
    const __m512i order =
        _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                         21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return _mm512_permutexvar_epi16(order, (__m512i)_mm512_cvtne2ps_pbh(odd, even));
}
/* to[0 .. m) = m pairs down the columns of two rows; an absent one holds `none` everywhere. */
RD_INLINE void zip_rows(const float *even, const float *odd, float none, size_t m, pair *to)
{
    for (size_t i = 0; i < m; i += VL) {
        const __mmask16 mask = FIRST(m - i);
        const __m512 e = _mm512_maskz_loadu_ps(mask, even + i);
        const __m512 o = odd ? _mm512_maskz_loadu_ps(mask, odd + i) : _mm512_set1_ps(none);
        _mm512_mask_storeu_epi32(to + i, mask, zip(e, o));
    }
}
/* to[0 .. (k + 1) / 2) = the pairs of k numbers of a row. */
RD_INLINE void pair_up(const float *from, size_t k, pair none, pair *to)
{
    for (size_t i = 0; i < k; i += 2 * VL) {
        const size_t left = k - i, more = left > VL ? left - VL : 0;
        const __m512 low = _mm512_maskz_loadu_ps(FIRST(left), from + i);
        const __m512 high = _mm512_maskz_loadu_ps(FIRST(more), from + i + VL);
        const __mmask16 mask = FIRST((left + 1) / 2);
        _mm512_mask_storeu_epi32(to + i / 2, mask, (__m512i)_mm512_cvtne2ps_pbh(high, low));
    }
    if (k % 2) to[k / 2] |= none << 16;
}

/* Pairs [p0, p0 + n) of k. */
typedef struct stretch_of_k {
    size_t p0, n;
} stretch_of_k;
static size_t terms_of(const rd_gemm *g, const stretch_of_k *s)
{
    const size_t left = g->k - 2 * s->p0;
    return left < 2 * s->n ? left : 2 * s->n;
}

/* Rows [i0, i0 + m) of op(A): [m][n] where they lie along k, else [n][m]. */
static void take_a(const rd_gemm *g, const stretch_of_k *s, size_t i0, size_t m, pair *to)
{
    const size_t terms = terms_of(g, s);
    if (!(g->flags & RD_TRANS_A)) {
        for (size_t i = 0; i < m; i++)
            pair_up(g->a + (i0 + i) * g->lda + 2 * s->p0, terms, 0x8000, to + i * s->n);
        return;
    }
    const float *from = g->a + 2 * s->p0 * g->lda + i0;
    for (size_t p = 0; p < s->n; p++, from += 2 * g->lda)
        zip_rows(from, 2 * p + 1 < terms ? from + g->lda : NULL, -0.0f, m, to + p * m);
}

/* 16 x 16 pairs transposed: rows `from_row` apart into rows of a panel. */
RD_INLINE void transpose(const pair *from, size_t from_row, pair *to)
{
    __m512i r[16], h[16];
    UNROLLED
    for (size_t i = 0; i < 16; i++) r[i] = _mm512_loadu_si512(from + i * from_row);
    UNROLLED
    for (size_t i = 0; i < 16; i += 2) {
        h[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        h[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    UNROLLED
    for (size_t i = 0; i < 16; i += 4) {
        r[i] = _mm512_unpacklo_epi64(h[i], h[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(h[i], h[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(h[i + 1], h[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(h[i + 1], h[i + 3]);
    }
    UNROLLED
    for (size_t i = 0; i < 4; i++) { /* r[4 q + i]: in lane l, columns 4 q .. of row 4 l + i */
        const __m512i a = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
        const __m512i b = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
        const __m512i c = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
        const __m512i d = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
        _mm512_storeu_si512(to + i * PANEL, _mm512_shuffle_i32x4(a, b, 0x88));
        _mm512_storeu_si512(to + (i + 8) * PANEL, _mm512_shuffle_i32x4(a, b, 0xdd));
        _mm512_storeu_si512(to + (i + 4) * PANEL, _mm512_shuffle_i32x4(c, d, 0x88));
        _mm512_storeu_si512(to + (i + 12) * PANEL, _mm512_shuffle_i32x4(c, d, 0xdd));
    }
}
/* Columns of op(B) that are rows of k numbers, 16 x 16 pairs at a time. */
static void take_turned_b(const rd_gemm *g, const stretch_of_k *s, size_t j0, pair *to)
{
    pair rows[VL * VL] __attribute__((aligned(64)));
    pair turned[VL * PANEL] __attribute__((aligned(64)));
    const size_t terms = terms_of(g, s);
    for (size_t j = 0; j < PANEL; j += VL)
        for (size_t p = 0; p < s->n; p += VL) {
            const size_t k = terms - 2 * p < 2 * VL ? terms - 2 * p : 2 * VL;
            const size_t n = s->n - p < VL ? s->n - p : VL;
            if (k < 2 * VL || j0 + j + VL > g->n) memset(rows, 0, sizeof rows);
            for (size_t i = 0; i < VL && j0 + j + i < g->n; i++)
                pair_up(g->b + (j0 + j + i) * g->ldb + 2 * (s->p0 + p), k, 0, rows + i * VL);
            transpose(rows, VL, turned);
            for (size_t q = 0; q < n; q++)
                memcpy(to + (p + q) * PANEL + j, turned + q * PANEL, VL * sizeof(pair));
        }
}
/* Columns [j0, j0 + 64) of op(B), zeros beyond its last. */
static void take_b(const rd_gemm *g, const stretch_of_k *s, size_t j0, pair *to)
{
    const size_t width = g->n - j0 < PANEL ? g->n - j0 : PANEL, terms = terms_of(g, s);
    if (g->flags & RD_TRANS_B) {
        take_turned_b(g, s, j0, to);
        return;
    }
    const float *from = g->b + 2 * s->p0 * g->ldb + j0;
    for (size_t p = 0; p < s->n; p++, from += 2 * g->ldb, to += PANEL) {
        if (width < PANEL) memset(to, 0, PANEL * sizeof(pair));
        for (size_t j = 0; j < PANEL; j += LINE) {
            ask_for(from + j, (ptrdiff_t)(ROWS_AHEAD * g->ldb * sizeof(float)));
            ask_for(from + j, (ptrdiff_t)((ROWS_AHEAD + 1) * g->ldb * sizeof(float)));
        }
        zip_rows(from, 2 * p + 1 < terms ? from + g->ldb : NULL, 0, width, to);
    }
}

void avx512_bf16_pack(const rd_gemm *g, void *to, size_t first, size_t last)
{
    const stretch_of_k all = {0, (g->k + 1) / 2};
    for (size_t p = first; p < last; p++)
        take_b(g, &all, p * PANEL, (pair *)to + p * PANEL * all.n);
}

/* ---- tiles --------------------------------------------------------------------------------------------- */

typedef struct tile {
    const pair *a, *b,
        *b_next; /* b_next: what will be read after this panel, a line for each pair; or NULL */
    float *c;
    const float *c_next; /* the next tile's sums */
    ptrdiff_t a_k, b_k;
    size_t a_row, c_row, n, width;
    bool from_zero;
} tile;

RD_INLINE void run(const size_t mr, const size_t nv, const bool far, const tile *t)
{
    __m512 s[MR][NV];
    __m512bh w[NV];
    __mmask16 mask[NV];
    const pair *a = t->a, *b = t->b, *next = t->b_next;
    UNROLLED
    for (size_t j = 0; j < nv; j++) mask[j] = FIRST(t->width > j * VL ? t->width - j * VL : 0);
    UNROLLED
    for (size_t i = 0; i < mr; i++) UNROLLED
    for (size_t j = 0; j < nv; j++)
        s[i][j] = t->from_zero ? _mm512_setzero_ps()
                               : _mm512_maskz_loadu_ps(mask[j], t->c + i * t->c_row + j * VL);
    if (far) {
        UNROLLED
        for (size_t i = 0; i < mr; i++) UNROLLED
        for (size_t j = 0; j < nv; j++)
            ask_for(t->c_next + j * VL, (ptrdiff_t)(i * t->c_row * sizeof(float)));
    }
    for (size_t k = t->n; k > 0; k--, a += t->a_k, b += t->b_k) {
        if (far) {
            __builtin_prefetch(next, 0, 2);
            next += LINE;
        }
        UNROLLED
        for (size_t j = 0; j < nv; j++) w[j] = (__m512bh)_mm512_loadu_si512(b + j * VL);
        UNROLLED
        for (size_t i = 0; i < mr; i++) {
            const __m512bh x = (__m512bh)_mm512_set1_epi32((int)a[i * t->a_row]);
            UNROLLED
            for (size_t j = 0; j < nv; j++) s[i][j] = _mm512_dpbf16_ps(s[i][j], x, w[j]);
        }
    }
    UNROLLED
    for (size_t i = 0; i < mr; i++) UNROLLED
    for (size_t j = 0; j < nv; j++)
        _mm512_mask_storeu_ps(t->c + i * t->c_row + j * VL, mask[j], s[i][j]);
}
/* No more registers than the width fills. */
RD_INLINE void run_rows(const size_t mr, const tile *t)
{
    if (t->width <= VL)
        run(mr, 1, false, t);
    else if (t->width <= 2 * VL)
        run(mr, 2, false, t);
    else if (mr > 3 && t->b_next)
        run(mr, NV, true, t);
    else
        run(mr, NV, false, t);
}
static void run_tile(size_t rows, const tile *t)
{
    switch (rows) {
    case 1:
        run_rows(1, t);
        break;
    case 2:
        run_rows(2, t);
        break;
    case 3:
        run_rows(3, t);
        break;
    case 4:
        run_rows(4, t);
        break;
    case 5:
        run_rows(5, t);
        break;
    case 6:
        run_rows(6, t);
        break;
    }
}

/* One block: rows [i0, i0 + m) by the pairs of a stretch of k by one panel. */
typedef struct block {
    const pair *a, *b, *next;
    size_t a_k, a_row, n, i0, m, j0;
    bool first;
} block;

/* Rows go in even tiles, 25 = 5 x 5, not 4 x 6 + 1. */
static void panel_terms(const rd_gemm *g, const block *w)
{
    const bool down = g->flags & RD_K_DOWN;
    const size_t start = down ? w->n - 1 : 0;
    tile t = {.n = w->n, .a_row = w->a_row, .c_row = g->ldc, .b_next = w->next};
    t.a_k = down ? -(ptrdiff_t)w->a_k : (ptrdiff_t)w->a_k;
    t.b_k = down ? -PANEL : PANEL;
    t.b = w->b + start * PANEL;
    t.width = g->n - w->j0 < PANEL ? g->n - w->j0 : PANEL;
    t.from_zero = w->first && !(g->flags & RD_ACCUMULATE);
    for (size_t i = 0, left = (w->m + MR - 1) / MR; i < w->m; left--) {
        const size_t rows = (w->m - i + left - 1) / left;
        t.a = w->a + i * t.a_row + start * w->a_k;
        t.c = g->c + (w->i0 + i) * g->ldc + w->j0;
        t.c_next = i + rows < w->m ? t.c + rows * g->ldc : t.c;
        run_tile(rows, &t);
        if (t.b_next && t.b_next < w->next + w->n * (PANEL - LINE)) t.b_next += w->n * LINE;
        i += rows;
    }
}

void avx512_bf16_gemm(const rd_gemm *g)
{
    pair rows[ROOM] __attribute__((aligned(64)));
    pair panel[PAIRS * PANEL] __attribute__((aligned(64)));
    const pair *packed = g->packed_b;
    if (g->m == 0 || g->n == 0) return;
    const size_t pairs = (g->k + 1) / 2, most = g->m <= STRETCH_MAX ? STRETCH_MAX : STRETCH;
    const bool down = g->flags & RD_K_DOWN, far = packed && pairs > FAR_PAIRS / g->n;
    block w = {0};
    for (w.i0 = 0; w.i0 < g->m; w.i0 += w.m) {
        w.m = g->m - w.i0 < most ? g->m - w.i0 : most;
        const size_t fit = ROOM / w.m < PAIRS ? ROOM / w.m : PAIRS,
                     blocks = (pairs + fit - 1) / fit;
        stretch_of_k s = {0};
        for (size_t done = 0, left = blocks; done < pairs; done += s.n, left--) {
            s.n = (pairs - done + left - 1) / left;
            s.p0 = down ? pairs - done - s.n : done;
            take_a(g, &s, w.i0, w.m, rows);
            w.a = rows, w.n = s.n, w.first = done == 0;
            w.a_k = g->flags & RD_TRANS_A ? w.m : 1;
            w.a_row = g->flags & RD_TRANS_A ? 1 : s.n;
            for (w.j0 = 0; w.j0 < g->n; w.j0 += PANEL) {
                if (!packed) take_b(g, &s, w.j0, panel);
                w.b = packed ? packed + w.j0 * pairs + s.p0 * PANEL : panel;
                w.next = !far ? NULL : w.j0 + PANEL < g->n ? w.b + PANEL * pairs : w.b;
                panel_terms(g, &w);
            }
        }
    }
}
#endif
