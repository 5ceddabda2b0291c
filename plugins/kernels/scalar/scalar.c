/* scalar.c - matrix products in portable C: the reference that every other backend must equal to the bit.
 *
 * Built twice: as a plugin like any other, and into the core, so that there always is a backend.
 * B is taken as panels of 64 columns. A panel of K rows lies [K][64] where it is packed; one that is not
 * (or that is transposed or narrower) is first copied, KB rows at a time, to the stack. Sums are stored in
 * C between the blocks, which rule 3 allows: a stored rd_real is the sum itself.
 * SPDX-License-Identifier: MIT */
#include "../bf16_body.h"
#include "../int8_body.h"
#include "rondo/kernel.h"
#include "rondo/pointmath.h"

enum { PANEL = 64, KB = 64, ROWS = 4, COLS = 16 };

static const rd_real *op_b(const rd_gemm *g, size_t k, size_t j)
{
    return g->flags & RD_TRANS_B ? g->b + j * g->ldb + k : g->b + k * g->ldb + j;
}

/* Rows [k0, k0 + n) of op(B), columns [j0, j0 + 64), zeros beyond column n of B. */
static void copy_panel(const rd_gemm *g, size_t k0, size_t n, size_t j0, rd_real *to)
{
    const size_t width = g->n - j0 < PANEL ? g->n - j0 : PANEL;
    const size_t next_k = g->flags & RD_TRANS_B ? 1 : g->ldb;
    const size_t next_j = g->flags & RD_TRANS_B ? g->ldb : 1;
    const rd_real *from = op_b(g, k0, j0);

    for (size_t k = 0; k < n; k++, to += PANEL) {
        for (size_t j = 0; j < width; j++) to[j] = from[k * next_k + j * next_j];
        for (size_t j = width; j < PANEL; j++) to[j] = 0;
    }
}

/* One block: `rows` x 16 sums over n terms. a_row and a_k are A's strides, b_k is B's, in the order of the
 * walk, so that descending k is a negative stride. */
typedef struct block {
    const rd_real *a, *b;
    rd_real *c;
    ptrdiff_t a_k, b_k;
    size_t n, a_row, c_row, width;
    bool from_zero;
} block;

RD_INLINE void load_sums(const block *t, size_t i, rd_real s[COLS])
{
    for (size_t j = 0; j < COLS; j++) s[j] = 0;
    for (size_t j = 0; j < t->width && !t->from_zero; j++) s[j] = t->c[i * t->c_row + j];
}
RD_INLINE void add_terms(const rd_real *restrict b, rd_real a, rd_real s[COLS])
{
    for (size_t j = 0; j < COLS; j++) s[j] = rd_fma(a, b[j], s[j]);
}
RD_INLINE void store_sums(const block *t, size_t i, const rd_real s[COLS])
{
    for (size_t j = 0; j < t->width; j++) t->c[i * t->c_row + j] = s[j];
}
RD_CLONES static void four_rows(const block *t)
{
    rd_real s0[COLS], s1[COLS], s2[COLS], s3[COLS];
    const rd_real *a = t->a, *b = t->b;
    const size_t row = t->a_row;

    load_sums(t, 0, s0);
    load_sums(t, 1, s1);
    load_sums(t, 2, s2);
    load_sums(t, 3, s3);
    for (size_t k = t->n; k-- > 0; a += t->a_k, b += t->b_k) {
        add_terms(b, a[0], s0);
        add_terms(b, a[row], s1);
        add_terms(b, a[2 * row], s2);
        add_terms(b, a[3 * row], s3);
    }
    store_sums(t, 0, s0);
    store_sums(t, 1, s1);
    store_sums(t, 2, s2);
    store_sums(t, 3, s3);
}
RD_CLONES static void one_row(const block *t)
{
    rd_real s[COLS];
    const rd_real *a = t->a, *b = t->b;

    load_sums(t, 0, s);
    for (size_t k = t->n; k-- > 0; a += t->a_k, b += t->b_k) add_terms(b, *a, s);
    store_sums(t, 0, s);
}

/* C's columns [j0, j0 + 64) gain the terms [k0, k0 + n); `first`: these are the first ones. panel: op(B)'s
 * rows from k0 on, b_k apart. */
static void panel_terms(const rd_gemm *g, size_t j0, size_t k0, size_t n, const rd_real *panel,
                        bool first)
{
    const bool trans = g->flags & RD_TRANS_A, down = g->flags & RD_K_DOWN;
    const size_t a_row = trans ? 1 : g->lda, a_k = trans ? g->lda : 1;
    const size_t start = down && n > 0 ? n - 1 : 0;
    block t = {.n = n, .a_row = a_row, .c_row = g->ldc};

    t.a_k = down ? -(ptrdiff_t)a_k : (ptrdiff_t)a_k;
    t.b_k = down ? -(ptrdiff_t)PANEL : (ptrdiff_t)PANEL;
    t.from_zero = first && !(g->flags & RD_ACCUMULATE);
    for (size_t j = j0; j < g->n && j < j0 + PANEL; j += COLS) {
        t.b = panel + start * PANEL + (j - j0);
        t.width = g->n - j < COLS ? g->n - j : COLS;
        for (size_t i = 0; i < g->m;) {
            const size_t rows = g->m - i >= ROWS ? ROWS : 1;
            if (n > 0) t.a = g->a + i * a_row + (k0 + start) * a_k;
            t.c = g->c + i * g->ldc + j;
            if (rows == ROWS)
                four_rows(&t);
            else
                one_row(&t);
            i += rows;
        }
    }
}

static void scalar_gemm(const rd_gemm *g)
{
    rd_real copy[KB * PANEL] __attribute__((aligned(64)));

    if (g->flags & RD_BF16) {
        bf16_gemm(g);
        return;
    }
    if (g->flags & RD_INT8) {
        int8_gemm(g, int8_plain_sums);
        return;
    }
    for (size_t j0 = 0; j0 < g->n; j0 += PANEL) {
        if (g->packed_b || g->k == 0) {
            const rd_real *panel = (const rd_real *)g->packed_b + (g->k ? j0 * g->k : 0);
            panel_terms(g, j0, 0, g->k, g->k ? panel : copy, true);
            continue;
        }
        for (size_t done = 0; done < g->k;) {
            const size_t n = g->k - done < KB ? g->k - done : KB;
            const size_t k0 = g->flags & RD_K_DOWN ? g->k - done - n : done;
            copy_panel(g, k0, n, j0, copy);
            panel_terms(g, j0, k0, n, copy, done == 0);
            done += n;
        }
    }
}

static size_t scalar_pack_bytes(size_t k, size_t n)
{
    return (n + PANEL - 1) / PANEL * PANEL * k * sizeof(rd_real);
}

static void scalar_pack(const rd_gemm *g, void *to, size_t first, size_t last)
{
    if (g->flags & RD_BF16) {
        bf16_pack(g, to, first, last);
        return;
    }
    if (g->flags & RD_INT8) {
        int8_pack(g, to, first, last);
        return;
    }
    for (size_t p = first; p < last; p++)
        copy_panel(g, 0, g->k, p * PANEL, (rd_real *)to + p * PANEL * g->k);
}

/* Always there, always last. */
static int scalar_score(const rd_cpu *cpu)
{
    (void)cpu;
    return 1;
}

static const rd_kernels scalar = {
    .size = sizeof(rd_kernels),
    .flags = RD_KERNELS_BF16 | RD_KERNELS_INT8,
    .name = "scalar",
    .help = "portable C, widened by the compiler",
    .score = scalar_score,
    .gemm = scalar_gemm,
    .pack_bytes = scalar_pack_bytes,
    .pack = scalar_pack,
};
static const rd_kernels *const kernels[] = {&scalar, NULL};

RD_PLUGIN = {.stamp = RD_STAMP,
             .size = sizeof(rd_plugin),
             .name = "rondo-scalar",
             .version = "1.0",
             .license = "MIT",
             .origin = "in tree",
             .kernels = kernels};
