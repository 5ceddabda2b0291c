/* sampling.h - what changes logits and what takes classes away, between sample.c, its two halves and chain.c.
 * SPDX-License-Identifier: MIT */
#ifndef RD_SAMPLING_H
#define RD_SAMPLING_H
#include "base/tensor.h"

/* Options and ids within their ranges; `classes` is the number of logits. */
rd_status rdc_check_sampling(const rd_sampling *how, size_t classes, rd_error *err);

/* y = x after repetition penalty, bias and allowed ids; marks: n words of the caller. x may be y. [hot] */
void rdc_adjust(const rd_sampling *how, const rd_real *x, size_t n, uint32_t *marks, rd_real *y);
bool rdc_adjusts(const rd_sampling *how);

/* Top-k, typical, top-p and min-p, in this order, on weights p that need not add up to 1: what goes is set
 * to 0. heap: n words, key: n numbers of the caller. [hot] */
void rdc_filter(const rd_sampling *how, rd_real *p, size_t n, uint32_t *heap, rd_real *key);

/* Scratch for drawing from `classes` logits, a row at a time. */
typedef struct rdc_draw {
    size_t classes;
    const rd_sampling *how; /* checked; the caller sets it */
    rdc_block *p;           /* rd_real [classes]: exponentials, 0 where filtered away */
    rdc_block *logits;      /* rd_real [classes]: adjusted; then for the filters */
    rdc_block *words;       /* uint32_t [classes]: for either */
} rdc_draw;
rd_status rdc_draw_open(rdc_draw *d, rd_core *core, size_t classes, rd_error *err);
void rdc_draw_close(rdc_draw *d, rd_core *core); /* also one that was not opened to the end */
typedef struct
    rdc_lot { /* number 0 of row `row` of a stream; `place` is the row that a message names */
    const rd_stream *stream;
    uint32_t row;
    size_t place;
} rdc_lot;
/* The id drawn from logits x. [hot] Fails where they are no distribution. */
rd_status rdc_draw_id(const rdc_draw *d, const rd_real *x, const rdc_lot *lot, int32_t *id,
                      rd_error *err);
#endif
