/* product.c - matrix products shared among the workers, and operands packed ahead.
 *
 * A product is cut into rows or into panels of columns, never along k, so that its bits are those of one
 * call (bit contract, rule 3).
 * SPDX-License-Identifier: MIT */
#include "engine/product.h"
#include "base/profile.h"
#include <assert.h>

enum {
    PANEL = 64,        /* columns that kernels pack together (kernel.h) */
    ROW_GRAIN = 24,    /* rows a worker gets at least: a few tiles of any kernel */
    ROWS_TO_PACK = 16, /* fewer rows do not win back what packing B costs */
    /* Fused multiply-adds. One row of half as many took 1.3 times as long on two threads, of 1.5 times as
     * many 0.73 times. */
    WORK_TO_SHARE = 1 << 19
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

rd_status rdc_product_shared(rd_core *core, const rd_gemm *g, rd_error *err)
{
    if (g->m == 0 || g->n == 0) return RD_OK;
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
        pack_all(core, g, packed->at);
        s.packed = packed->at;
    }
    if (by_rows)
        rdc_pool_range(core->pool, g->m, ROW_GRAIN, do_rows, &s);
    else if (!alone && g->n >= 2 * PANEL)
        rdc_pool_range(core->pool, g->n, PANEL, do_columns, &s);
    else
        rdc_pool_range(core->pool, 1, 1, do_whole, &s);
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
