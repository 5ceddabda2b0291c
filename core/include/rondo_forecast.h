/* rondo_forecast.h - losses of forecasts with more than one number (quantiles, distributions), and numbers
 * drawn from these distributions. Apart from rondo.h, which is as long as a file may be.
 * SPDX-License-Identifier: MIT */
#ifndef RONDO_FORECAST_H
#define RONDO_FORECAST_H
#include "rondo.h"

/* y (..., P) says of each element of the target (...) what it expects. */
typedef enum rd_likelihood_kind {
    RD_QUANTILES,        /* y_k is the quantile q_k: the mean of max(q e, (q - 1) e), e = t - y_k */
    RD_GAUSSIAN,         /* mean, scale > 0: -log density */
    RD_STUDENT_T,        /* mean, scale > 0, degrees of freedom > 0 */
    RD_NEGATIVE_BINOMIAL /* mean > 0, alpha > 0: counts of variance mean + alpha mean^2 */
} rd_likelihood_kind;
typedef struct rd_likelihood {
    rd_likelihood_kind kind;
    rd_reduction reduction;  /* the mean is over the weights */
    const double *quantiles; /* [n_quantiles], between 0 and 1 */
    size_t n_quantiles;
    rd_tensor *weight; /* broadcasts to the target; 0: not counted, whatever is there. NULL: ones */
} rd_likelihood;
/* How many numbers P a kind has. */
size_t rd_likelihood_width(const rd_likelihood *how);
/* The target is a constant. Fails on shapes that do not go together, a parameter that must be greater than 0
 * and a count below 0. */
rd_status rd_likelihood_loss(rd_tensor *y, rd_tensor *target, const rd_likelihood *how,
                             rd_tensor **loss, rd_loss_total *total, rd_error *err);

/* What names the numbers of one row (rule 8): the window that is forecast and the path through it. */
typedef struct rd_path_key {
    uint32_t row;  /* the window */
    uint32_t path; /* counted as updates are */
} rd_path_key;
typedef struct rd_draws {
    rd_likelihood_kind kind; /* not quantiles */
    rd_stream stream;        /* its time is the step */
    const rd_path_key *keys;
    size_t n_keys; /* a multiple of the rows: each row is drawn from for as many keys in a row */
} rd_draws;
/* y (N, P) or (N, M, P): numbers (n_keys) or (n_keys, M). They depend on the stream, the key, the place in M
 * and the parameters alone; NaN where these are of no distribution. */
rd_status rd_draw_likelihood(rd_tensor *y, const rd_draws *how, rd_tensor **out, rd_error *err);
/* x (N n, M), n numbers after another of each of N: their quantiles (N, M, Q), on the line between the two
 * nearest (Hyndman & Fan 1996, type 7). NaN where one of the numbers is. */
rd_status rd_path_quantiles(rd_tensor *x, size_t n, const double *levels, size_t n_levels,
                            rd_tensor **out, rd_error *err);
#endif
