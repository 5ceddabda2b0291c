/* reduce.h - sums in the orders that the bit contract fixes.
 * SPDX-License-Identifier: MIT */
#ifndef RD_REDUCE_H
#define RD_REDUCE_H
#include "base/tensor.h"

/* Whole tensors and adjacent memory (rule 7): blocks of 4,096 consecutive elements in storage order, 16
 * double lanes each, block sums added in order. Strides are walked without a copy. */
double rdc_sum_all(const rd_tensor *t);
double rdc_square_sum_all(const rd_tensor *t);
double rdc_sum_flat(const rd_real *x, size_t n);
double rdc_square_sum_flat(const rd_real *x, size_t n);

/* Adds `sign` (1 or -1) times `from` (packed) to `to` (packed), which broadcasts to its shape: rows from the
 * last in storage order to the first, each added to what is in the buffer (rule 6). A row is the last
 * dimension; where it is broadcast too, its 16-lane sum is added (rule 7). */
void rdc_reduce_to(const rd_tensor *from, rd_real sign, rd_tensor *to);
#endif
