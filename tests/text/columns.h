/* columns.h - small series for the tests that read them.
 * SPDX-License-Identifier: MIT */
#ifndef RD_TEST_COLUMNS_H
#define RD_TEST_COLUMNS_H
#include "support/tensors.h"
#include "text/series.h"

/* Rows one behind the other; NULL: zeros. */
static inline rd_series *series_of(uint64_t rows, uint32_t columns, const double *values)
{
    rd_error err;
    rd_series *s = NULL;
    OK(rd_series_new(
        &(rd_series_form){
            .rows = rows, .columns = columns, .folder = "/tmp", .most_bytes = 1 << 20},
        &s, &err));
    for (uint32_t k = 0; values && k < columns; k++)
        for (uint64_t row = 0; row < rows; row++)
            rd_series_column(s, k)[row] = values[row * columns + k];
    return s;
}
#endif
