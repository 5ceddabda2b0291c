/* int8_body.h - products of 8-bit integers (bit contract, rule 10), included once by each backend: all of it
 * but a fast form of the sums, which integers give exactly in any order.
 *
 * A panel: 64 scales, 64 sums of its columns, then [k / 4][64][4] numbers. A row of A is quantised when it is
 * used, to q + 128 in 0..255, as VPDPBUSD takes it; 128 times the column's sum is taken off at the end.
 * SPDX-License-Identifier: MIT */
#include "rondo/kernel.h"
#include "rondo/pointmath.h"

enum { INT8_PANEL = 64, INT8_MOST = 127, INT8_ZERO = 128, INT8_INFINITE = 0x7f800000 };

typedef struct int8_panel {
    float scale[INT8_PANEL];
    int32_t sum[INT8_PANEL];
    int8_t q[]; /* [k / 4][64][4] */
} int8_panel;
/* acc[j] = sum of a[k] q[k][j] over 4 times `quads` terms. */
typedef void (*int8_sums)(size_t quads, const uint8_t *a, const int8_t *q, int32_t *acc);

RD_INLINE uint32_t int8_size_bits(rd_real x)
{
    return rd_bits_f((float)x) & 0x7fffffff;
}
/* x times the inverse of the scale, to the nearest integer, even of two. */
RD_INLINE int int8_of(float x, float inverse)
{
    const float magic = 0x1.8p23f; /* its last bit counts ones */
    return (int)(int8_t)(uint8_t)(rd_bits_f(x * inverse + magic) & 0xff);
}
/* The scale of numbers of which this is the largest, and its inverse. Next to nothing is 0. */
RD_INLINE float int8_scale(uint32_t largest, float *inverse)
{
    const float most = rd_from_bits_f(largest);
    *inverse = 0;
    if (largest >= INT8_INFINITE) return rd_from_bits_f(0x7fc00000);
    if (most < 0x1p-100f) return 0;
    *inverse = INT8_MOST / most;
    return most / INT8_MOST;
}

static void int8_pack_panel(const rd_gemm *g, size_t j0, int8_panel *to)
{
    const bool trans = g->flags & RD_TRANS_B;
    const size_t next_k = trans ? 1 : g->ldb, next_j = trans ? g->ldb : 1, quads = (g->k + 3) / 4;
    for (size_t j = 0; j < INT8_PANEL; j++) {
        const bool there = j0 + j < g->n;
        const rd_real *from = there ? g->b + (j0 + j) * next_j : NULL;
        uint32_t largest = 0;
        float inverse;
        for (size_t k = 0; k < g->k && there; k++) {
            const uint32_t size = int8_size_bits(from[k * next_k]);
            if (size > largest) largest = size;
        }
        to->scale[j] = int8_scale(largest, &inverse);
        to->sum[j] = 0;
        for (size_t k = 0; k < 4 * quads; k++) {
            const int q = there && k < g->k ? int8_of((float)from[k * next_k], inverse) : 0;
            to->q[(k / 4 * INT8_PANEL + j) * 4 + k % 4] = (int8_t)q;
            to->sum[j] += q;
        }
    }
}
/* From panel to panel: (k + 3) / 4 + 2 rows of 64 reals (kernel.h), of which in double half is not used. */
RD_INLINE size_t int8_panel_bytes(size_t k)
{
    return ((k + 3) / 4 + 2) * INT8_PANEL * sizeof(rd_real);
}
static void int8_pack(const rd_gemm *g, void *to, size_t first, size_t last)
{
    const size_t bytes = int8_panel_bytes(g->k);
    for (size_t p = first; p < last; p++)
        int8_pack_panel(g, p * INT8_PANEL, (int8_panel *)((char *)to + p * bytes));
}

/* A row of k numbers as q + 128, and its scale. */
RD_CLONES static float int8_quantise(const rd_real *a, size_t k, uint8_t *restrict to)
{
    uint32_t largest = 0;
    float inverse;
    for (size_t i = 0; i < k; i++) {
        const uint32_t size = int8_size_bits(a[i]);
        largest = size > largest ? size : largest;
    }
    const float scale = int8_scale(largest, &inverse);
    for (size_t i = 0; i < k; i++) to[i] = (uint8_t)(int8_of((float)a[i], inverse) + INT8_ZERO);
    for (size_t i = k; i < (k + 3) / 4 * 4; i++) to[i] = INT8_ZERO;
    return scale;
}

RD_CLONES static void int8_plain_sums(size_t quads, const uint8_t *a, const int8_t *q, int32_t *acc)
{
    int32_t s[INT8_PANEL] = {0};
    for (size_t p = 0; p < quads; p++, a += 4, q += 4 * INT8_PANEL)
        for (size_t j = 0; j < INT8_PANEL; j++)
            s[j] +=
                a[0] * q[4 * j] + a[1] * q[4 * j + 1] + a[2] * q[4 * j + 2] + a[3] * q[4 * j + 3];
    for (size_t j = 0; j < INT8_PANEL; j++) acc[j] = s[j];
}

/* A product with RD_INT8: each row once through all panels. */
static void int8_gemm(const rd_gemm *g, int8_sums sums)
{
    uint8_t a[RD_INT8_TERMS];
    int32_t acc[INT8_PANEL];
    const size_t quads = (g->k + 3) / 4, bytes = int8_panel_bytes(g->k);
    for (size_t i = 0; i < g->m; i++) {
        rd_real *c = g->c + i * g->ldc;
        const float scale = int8_quantise(g->a + i * g->lda, g->k, a);
        for (size_t j0 = 0; j0 < g->n; j0 += INT8_PANEL) {
            const size_t width = g->n - j0 < INT8_PANEL ? g->n - j0 : INT8_PANEL;
            const int8_panel *panel =
                (const int8_panel *)((const char *)g->packed_b + j0 / INT8_PANEL * bytes);
            sums(quads, a, panel->q, acc);
            for (size_t j = 0; j < width; j++) {
                const float exact = (float)(acc[j] - INT8_ZERO * panel->sum[j]);
                const float add = exact * scale * panel->scale[j];
                c[j0 + j] = g->flags & RD_ACCUMULATE ? c[j0 + j] + add : add;
            }
        }
    }
}
