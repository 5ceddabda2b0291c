/* rows.h - tensors as rows along their last dimension, and ids that are checked.
 * SPDX-License-Identifier: MIT */
#ifndef RD_ROWS_H
#define RD_ROWS_H
#include "base/tensor.h"

/* x as n rows of `width`, `row` elements apart, in the storage order that rdc_order(x) gives a result.
 * x is the tensor that was asked about (retained) or, where it does not lie so, a copy on the tape. */
typedef struct rdc_rows {
    rd_tensor *x;
    size_t n, width, row;
} rdc_rows;
/* `what` ("softmax") begins the message about a tensor without dimensions. */
rd_status rdc_rows_of(rd_tensor *x, const char *what, rdc_rows *out, rd_error *err);
/* The same of a tensor that rdc_rows_of returned, as saved for backward; nothing is retained. */
rdc_rows rdc_rows_again(rd_tensor *x);
/* A packed result whose rows are those of `like`, `width` wide. */
rd_status rdc_rows_result(const rdc_rows *like, size_t width, rd_tensor **out, rd_error *err);
/* How many rows make a piece of work for one thread, each touching `width` elements. */
size_t rdc_rows_grain(size_t width);

/* Every element is an integer in 0..n; else the message names the first that is not. */
rd_status rdc_check_ids(const rd_tensor *ids, size_t n, const char *what, rd_error *err);
#endif
