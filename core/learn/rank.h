/* rank.h - classes of a row in order, the largest key first, as many as are asked for.
 * SPDX-License-Identifier: MIT */
#ifndef RD_RANK_H
#define RD_RANK_H
#include "base/tensor.h"

/* A heap over places of `key`, which must not change while it is read. Equal keys come by place, so that the
 * order is total. What has been taken lies behind the heap, the first last. */
typedef struct rdc_rank {
    const rd_real *key; /* [n], none of them NaN */
    uint32_t *heap;     /* [n], the caller's */
    size_t left;        /* places that have not been taken */
} rdc_rank;

rdc_rank rdc_rank_begin(const rd_real *key, uint32_t *heap, size_t n);
/* The next place; there must be one left. */
uint32_t rdc_rank_next(rdc_rank *r);
#endif
