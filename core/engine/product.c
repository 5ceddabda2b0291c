/* product.c - matrix products shared among the workers, and operands packed ahead.
 *
 * A product is cut into rows or into panels of columns, never along k, so that its bits are those of one
 * call (bit contract, rule 3).
 * SPDX-License-Identifier: MIT */
#include "engine/product.h"
#include "base/profile.h"
#include "rondo_parts.h"
#include <assert.h>

enum {
    PANEL = 64,        /* columns that kernels pack together (kernel.h) */
    ROW_GRAIN = 24,    /* rows a worker gets at least: a few tiles of any kernel */
    ROWS_TO_PACK = 16, /* fewer rows do not win back what packing B costs */
    /* Fused multiply-adds. One row of half as many took 1.3 times as long on two threads, of 1.5 times as
     * many 0.73 times. */
    WORK_TO_SHARE = 1 << 19,
    /* Columns that leave most of a panel empty, and terms that win back turning the product. */
    NARROW = PANEL / 2,
    TERMS_TO_TURN = 64
};

struct shared {
    rd_core *core;
    const rd_gemm *g;
    void *packed; /* or NULL */
};

static void pack_panels(void *job, size_t first, size_t last)
{
    const struct shared *s = job;
    s->core->ops.pack(s->g, s->packed, first, last);
}

static void pack_all(rd_core *core, const rd_gemm *g, void *to)
{
    RDC_TIMED(core, RD_WORK_PACKING);
    struct shared s = {.core = core, .g = g, .packed = to};
    rdc_pool_range(core->pool, (g->n + PANEL - 1) / PANEL, rdc_grain(g->k * PANEL), pack_panels,
                   &s);
}

/* Rows [first, last) of the product. */
static void do_rows(void *job, size_t first, size_t last)
{
    const struct shared *s = job;
    rd_gemm g = *s->g;
    g.m = last - first;
    g.a += g.flags & RD_TRANS_A ? first : first * g.lda;
    g.c += first * g.ldc;
    if (s->packed) g.packed_b = s->packed;
    s->core->ops.gemm(&g);
}

/* Columns [first, last) of the product; first is a multiple of PANEL. */
static void do_columns(void *job, size_t first, size_t last)
{
    const struct shared *s = job;
    rd_gemm g = *s->g;
    g.n = last - first;
    g.b += g.flags & RD_TRANS_B ? first * g.ldb : first;
    g.c += first;
    if (g.packed_b)
        g.packed_b = (const char *)g.packed_b +
                     first / PANEL * s->core->ops.pack_bytes(rdc_packed_terms(&g), PANEL);
    s->core->ops.gemm(&g);
}

static void do_whole(void *job, size_t first, size_t last)
{
    const struct shared *s = job;
    rd_gemm g = *s->g;
    (void)first;
    (void)last;
    if (s->packed) g.packed_b = s->packed;
    s->core->ops.gemm(&g);
}

/* to[j * rows + i] = from[i * columns + j], rows ld apart. */
static void turn(const rd_real *from, size_t ld, size_t rows, size_t columns, rd_real *to,
                 size_t ld_to)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) to[j * ld_to + i] = from[i * ld + j];
}

/* A^T B of few columns: the gradient of weights that a narrow x feeds. B^T A has the same sums of the same
 * factors, and fills the panels: 14 columns of 256 rows and 3072 terms at 89 instead of 32 % of peak. */
static bool is_narrow(const rd_gemm *g)
{
    return (g->flags & (RD_TRANS_A | RD_TRANS_B | RD_BF16 | RD_INT8)) == RD_TRANS_A &&
           !g->packed_b && g->n <= NARROW && g->m >= 2 * g->n && g->k >= TERMS_TO_TURN;
}

static rd_status turned_product(rd_core *core, const rd_gemm *g, rd_error *err)
{
    const size_t bytes = g->m * g->n * sizeof(rd_real);
    rdc_block *block = rdc_block_new(core->arena, bytes);
    if (!block) return rdc_no_memory(err, bytes);
    rd_gemm t = *g;
    t.m = g->n;
    t.n = g->m;
    t.a = g->b;
    t.lda = g->ldb;
    t.b = g->a;
    t.ldb = g->lda;
    t.c = block->at;
    t.ldc = g->m;
    if (g->flags & RD_ACCUMULATE) turn(g->c, g->ldc, g->m, g->n, t.c, t.ldc);
    const rd_status status = rdc_product_shared(core, &t, err);
    if (status == RD_OK) turn(t.c, t.ldc, g->n, g->m, g->c, g->ldc);
    rdc_block_release(core->arena, block);
    return status;
}

/* Terms of a gradient's sum over rows that are packed at once: as many as stay in a cache, and memory does
 * not grow with the length of sequences. 0: all of them. */
static size_t terms_at_once(const rd_core *core, const rd_gemm *g)
{
    const uint32_t way = g->flags & (RD_TRANS_A | RD_TRANS_B | RD_K_DOWN);
    if (way != (RD_TRANS_A | RD_K_DOWN) || g->packed_b || g->m < ROWS_TO_PACK) return 0;
    const size_t bytes = core->ops.pack_bytes(rdc_packed_terms(g), g->n);
    if (bytes <= RD_PACKED_AT_ONCE) return 0;
    const size_t terms = (size_t)((double)g->k * ((double)RD_PACKED_AT_ONCE / (double)bytes));
    return terms > TERMS_TO_TURN ? terms : TERMS_TO_TURN;
}

/* The last stretch of terms first, each continuing on what is there (bit contract, rules 3 and 6). */
static rd_status in_stretches(rd_core *core, const rd_gemm *g, size_t terms, rd_error *err)
{
    for (size_t to = g->k, from; to > 0; to = from) {
        from = to > terms ? to - terms : 0;
        rd_gemm part = *g;
        part.k = to - from;
        part.a = g->a + from * g->lda;
        part.b = g->b + from * g->ldb;
        if (to < g->k) part.flags |= RD_ACCUMULATE;
        RD_TRY(rdc_product_shared(core, &part, err));
    }
    return RD_OK;
}

rd_status rdc_product_shared(rd_core *core, const rd_gemm *g, rd_error *err)
{
    if (g->m == 0 || g->n == 0) return RD_OK;
    if (is_narrow(g)) return turned_product(core, g, err);
    const size_t terms = terms_at_once(core, g);
    if (terms > 0 && terms < g->k) return in_stretches(core, g, terms, err);
    rdc_count_product(core, g->m, g->n, g->k);
    struct shared s = {.core = core, .g = g};
    const size_t threads = rdc_pool_threads(core->pool);
    const bool alone = threads == 1 || g->m * g->n < WORK_TO_SHARE / (g->k + 1);
    const bool by_rows = !alone && g->m >= 2 * ROW_GRAIN;
    rdc_block *packed = NULL;
    if (!g->packed_b && g->m >= ROWS_TO_PACK && (alone || by_rows)) {
        const size_t bytes = core->ops.pack_bytes(rdc_packed_terms(g), g->n);
        packed = rdc_block_new(core->arena, bytes);
        if (!packed) return rdc_no_memory(err, bytes);
        rdc_arena_packed(core->arena, (ptrdiff_t)bytes);
        pack_all(core, g, packed->at);
        s.packed = packed->at;
    }
    if (by_rows)
        rdc_pool_range(core->pool, g->m, ROW_GRAIN, do_rows, &s);
    else if (!alone && g->n >= 2 * PANEL)
        rdc_pool_range(core->pool, g->n, PANEL, do_columns, &s);
    else
        rdc_pool_range(core->pool, 1, 1, do_whole, &s);
    if (packed) rdc_arena_packed(core->arena, -(ptrdiff_t)packed->bytes);
    rdc_block_release(core->arena, packed);
    return RD_OK;
}

rd_status rdc_pack(rd_core *core, const rd_gemm *g, uint64_t version, rdc_packed *packed,
                   rd_error *err)
{
    const uint32_t precision = g->flags & (RD_BF16 | RD_INT8);
    if (packed->block && packed->precision != precision) {
        rdc_block_release(core->arena, packed->block);
        packed->block = NULL;
    }
    if (packed->block && packed->version == version) return RD_OK;
    if (!packed->block) {
        const size_t bytes = core->ops.pack_bytes(rdc_packed_terms(g), g->n);
        packed->block = rdc_block_new(core->arena, bytes);
        if (!packed->block) return rdc_no_memory(err, bytes);
    }
    pack_all(core, g, packed->block->at);
    packed->version = version;
    packed->precision = precision;
    return RD_OK;
}
