/* product.h - matrix products by the composed kernel table, alone or shared among the workers.
 * SPDX-License-Identifier: MIT */
#ifndef RD_PRODUCT_H
#define RD_PRODUCT_H
#include "core.h"

/* The flag of the numbers that products take: of training and of linear, and of lines of cells with so many
 * terms. */
static inline uint32_t rdc_precision(const rd_core *core)
{
    return core->precision & RD_BF16;
}
static inline uint32_t rdc_cell_precision(const rd_core *core, size_t terms)
{
    return terms > RD_INT8_TERMS ? rdc_precision(core) : core->precision;
}
/* Terms of packed numbers (kernel.h, pack). */
static inline size_t rdc_packed_terms(const rd_gemm *g)
{
    if (g->flags & RD_INT8) return (g->k + 3) / 4 + 2;
    return g->flags & RD_BF16 ? (g->k + 1) / 2 : g->k;
}
/* One product on the calling thread. [hot] */
static inline void rdc_product(const rd_core *core, const rd_gemm *g)
{
    core->ops.gemm(g);
}
/* One product split over rows or columns among the workers; the bits are those of rdc_product. Packs B
 * first where that pays (scratch from the arena). Fails when out of memory. */
rd_status rdc_product_shared(rd_core *core, const rd_gemm *g, rd_error *err);
/* How many units of `work` elements each a worker should get at least: less is done before it has woken. */
static inline size_t rdc_grain(size_t work)
{
    return 1 + ((size_t)1 << 15) / (work + 1);
}
/* A matrix packed for op(B), kept until its block changes. */
typedef struct rdc_packed {
    rdc_block *block;   /* NULL: not made yet */
    uint64_t version;   /* of the source block when it was packed */
    uint32_t precision; /* flag of the numbers in it */
} rdc_packed;
/* Packs b of g (b, ldb, k, n, flags) unless `packed` is of this version and precision already. Shared
 * among workers. */
rd_status rdc_pack(rd_core *core, const rd_gemm *g, uint64_t version, rdc_packed *packed,
                   rd_error *err);
#endif
