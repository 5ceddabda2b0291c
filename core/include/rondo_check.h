/* rondo_check.h - gradients against differences. Apart from rondo.h, which is as long as a file may be.
 * SPDX-License-Identifier: MIT */
#ifndef RONDO_CHECK_H
#define RONDO_CHECK_H
#include "rondo.h"

/* Five-point differences against the tape. Worst: of |analytic - numeric| / max(least, max |numeric|
 * of its tensor). */
typedef rd_status (*rd_scalar_fn)(void *user, rd_tensor **out, rd_error *err);
typedef struct rd_gradient_check {
    rd_scalar_fn f; /* builds a scalar from the parameters anew at each call */
    void *user;
    rd_tensor *const *parameters;
    size_t n;
    double step, least; /* 0: what suits the precision; 1 */
} rd_gradient_check;
typedef struct rd_gradient_report {
    double worst;
    size_t tensor, element; /* where */
    double analytic, numeric;
} rd_gradient_report;
rd_status rd_check_gradients(const rd_gradient_check *check, rd_gradient_report *report,
                             rd_error *err);
#endif
