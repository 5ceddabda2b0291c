/* kernel.c - template.kernel, a backend of matrix products for Rondo. Edit the parts 1 to 3; as they stand
 * they are plain C:
 *
 *     C = [C +] op(A) op(B), for each row i and column j of C one sum:
 *     s = C[i,j] or +0; for each k in order s = fma(a_ik, b_kj, s); C[i,j] = s
 *
 * All backends give the same bits, so every sum is one chain over k. Registers, tiles and blocks go over rows
 * and columns; a block of terms may end and leave its sums in C.
 *
 * SPDX-License-Identifier: MIT */
#include <rondo/kernel.h>
#include <rondo/pointmath.h>

/* Columns that lie together; terms of a block, which has 32 KiB of floats. */
enum { PANEL = 64, TERMS = 128 };

typedef struct block { /* terms k0 to k0 + n of columns j0 to j0 + 63 */
    size_t j0, k0, n;
    const rd_real *b; /* op(B) there, [n][64], zeros beyond its last column */
    bool first;       /* are these the first terms? */
} block;

/* 1. The loop that everything is about: n terms of 64 sums of one row. a and b step to their next term. */
RD_CLONES static void add_terms(size_t n, const rd_real *a, const rd_real *b,
                                const ptrdiff_t step[2], rd_real sums[PANEL])
{
    rd_real s[PANEL];

    for (size_t j = 0; j < PANEL; j++) s[j] = sums[j];
    for (; n > 0; n--, a += step[0], b += step[1])
        for (size_t j = 0; j < PANEL; j++) s[j] = rd_fma(*a, b[j], s[j]);
    for (size_t j = 0; j < PANEL; j++) sums[j] = s[j];
}

/* 2. The way there: all rows by a block, and all blocks. Without RD_ACCUMULATE C is not read. */
static void add_block(const rd_gemm *g, const block *t)
{
    const bool trans = g->flags & RD_TRANS_A, down = g->flags & RD_K_DOWN;
    const size_t next_i = trans ? 1 : g->lda, next_k = trans ? g->lda : 1;
    const size_t width = g->n - t->j0 < PANEL ? g->n - t->j0 : PANEL;
    const bool from_zero = t->first && !(g->flags & RD_ACCUMULATE);
    const size_t start = down && t->n > 0 ? t->n - 1 : 0; /* of the walk over k */
    const ptrdiff_t by_k = (ptrdiff_t)next_k;
    const ptrdiff_t step[2] = {down ? -by_k : by_k, down ? -PANEL : PANEL};

    for (size_t i = 0; i < g->m; i++) {
        const rd_real *b = t->b + start * PANEL;
        rd_real *c = g->c + i * g->ldc + t->j0, s[PANEL] = {0};
        for (size_t j = 0; j < width && !from_zero; j++) s[j] = c[j];
        if (t->n > 0) add_terms(t->n, g->a + i * next_i + (t->k0 + start) * next_k, b, step, s);
        for (size_t j = 0; j < width; j++) c[j] = s[j];
    }
}
static void copy_panel(const rd_gemm *g, const block *t, rd_real *to)
{
    const bool trans = g->flags & RD_TRANS_B;
    const size_t next_k = trans ? 1 : g->ldb, next_j = trans ? g->ldb : 1;

    for (size_t k = t->k0; k < t->k0 + t->n; k++)
        for (size_t j = t->j0; j < t->j0 + PANEL; j++)
            *to++ = j < g->n ? g->b[k * next_k + j * next_j] : 0;
}
static void gemm(const rd_gemm *g)
{
    rd_real copy[TERMS * PANEL] __attribute__((aligned(64)));

    for (size_t j0 = 0; j0 < g->n; j0 += PANEL) {
        size_t done = 0;
        do { /* once where there are no terms, too */
            block t = {.j0 = j0, .n = g->k - done, .b = copy, .first = done == 0};
            if (t.n > TERMS) t.n = TERMS;
            t.k0 = g->flags & RD_K_DOWN ? g->k - done - t.n : done;
            if (g->packed_b)
                t.b = (const rd_real *)g->packed_b + j0 * g->k + t.k0 * PANEL;
            else
                copy_panel(g, &t, copy);
            add_block(g, &t);
            done += t.n;
        } while (done < g->k);
    }
}

/* B ahead of time, for weights that are used again: panel p lies at p * pack_bytes(k, 64). */
static size_t pack_bytes(size_t k, size_t n)
{
    return (n + PANEL - 1) / PANEL * PANEL * k * sizeof(rd_real);
}
static void pack(const rd_gemm *g, void *to, size_t first, size_t last)
{
    for (size_t p = first; p < last; p++)
        copy_panel(g, &(block){.j0 = p * PANEL, .n = g->k}, (rd_real *)to + p * PANEL * g->k);
}

/* 3. What a processor must have (RD_CPU_AVX2 | RD_CPU_FMA, ...) and how good this is beside other backends:
 * scalar has 1, avx2 20, avx512 30; the highest is used, or the one that RONDO_KERNELS names. If needs is
 * not 0, this part goes into a file of its own, so that it runs on processors that lack it. */
static int score(const rd_cpu *cpu)
{
    return cpu->features ? 1 : 0;
}
static const rd_kernels kernels = {.size = sizeof(rd_kernels),
                                   .name = "template.kernel",
                                   .help = "panels of 64 columns in plain C",
                                   .needs = 0,
                                   .score = score,
                                   .gemm = gemm,
                                   .pack_bytes = pack_bytes,
                                   .pack = pack};
static const rd_kernels *const all[] = {&kernels, NULL};
/* What `rondo plugins` says of the file; name, version and licence are yours to choose. */
RD_PLUGIN = {.stamp = RD_STAMP,
             .size = sizeof(rd_plugin),
             .name = "template.kernel",
             .version = "1.0",
             .license = "MIT",
             .origin = "my own",
             .kernels = all};
