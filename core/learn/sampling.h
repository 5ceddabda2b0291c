/* sampling.h - what changes logits and what takes classes away, between sample.c and its two halves.
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
#endif
