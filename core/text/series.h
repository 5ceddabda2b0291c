/* series.h - what the files of a series share: its columns, stages and the calendar.
 * SPDX-License-Identifier: MIT */
#ifndef RD_SERIES_H
#define RD_SERIES_H
#include "rondo_series.h"

struct rd_series {
    uint64_t rows;
    uint32_t columns;
    double *at; /* column after column */
    size_t bytes;
    int fd; /* of the file without a name, or -1: memory of its own */
};

/* Applies a chain to the *n numbers at v, in place; each difference takes rows from the front. False: *bad
 * is the place, among those given, of a number that the stage *which has no value for. NaN stays NaN. */
bool rdc_stages_apply(const rd_stage *stages, uint32_t n_stages, double *v, size_t *n, size_t *bad,
                      uint32_t *which);
/* One stage that is no difference, the other way. NaN where the stage gives no such number. */
double rdc_stage_invert(const rd_stage *stage, double v);
/* "is not above 0" and what can be done about it. */
rd_status rdc_stage_refuse(const rd_feature *f, const rd_stage *stage, uint64_t row, double value,
                           rd_error *err);
/* Sine and cosine of the share of the unit that has passed at a time. */
void rdc_calendar(rd_calendar unit, double time, double *sine, double *cosine);
/* The time `n` steps behind another. */
double rdc_time_ahead(double time, double step, bool months, uint64_t n);
#endif
