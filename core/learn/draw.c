/* draw.c - numbers from the distributions that a forecast is made of, and quantiles of these numbers.
 *
 * Each number has counters of its own (rule 8): its row, its path, the time of its step, its place. Methods
 * that reject go on to the next four words of the same counters, so nothing depends on what others took.
 * All in double with the functions of pointmath.h, rounded once.
 * SPDX-License-Identifier: MIT */
#include "base/rng.h"
#include "base/tensor.h"
#include "learn/gamma.h"
#include "rondo/pointmath.h"
#include "rondo_forecast.h"
#include <stdlib.h>

enum { QUADS = 1 << 20 }; /* of four words, for each place: rejections end far earlier */

struct source {
    rd_stream stream;
    uint32_t row, quad;
};

static void next_quad(struct source *s, uint32_t out[4])
{
    rdc_philox(&s->stream, s->row, 0, s->quad++, out);
}

/* Box & Muller 1958, of two words. */
static double normal(uint32_t a, uint32_t b)
{
    double sine, cosine;
    rd_sincos_d(0x1.921fb54442d18p+2 * rdc_unit(b), &sine, &cosine);
    return rd_sqrt_d(-2 * rd_log_d(1 - rdc_unit(a))) * cosine;
}

/* Gamma of a shape and scale 1: Marsaglia & Tsang 2000; below 1 that of shape + 1 times u^(1/shape). */
static double gamma_number(struct source *s, double shape)
{
    const double above = shape < 1 ? shape + 1 : shape, d = above - 1 / 3.0;
    const double c = 1 / rd_sqrt_d(9 * d);
    for (;;) {
        uint32_t u[4];
        next_quad(s, u);
        const double x = normal(u[0], u[1]), w = 1 + c * x, v = w * w * w;
        if (w <= 0) continue;
        if (rd_log_d(1 - rdc_unit(u[2])) >= 0.5 * x * x + d - d * v + d * rd_log_d(v)) continue;
        return shape < 1 ? d * v * rd_exp_d(rd_log_d(1 - rdc_unit(u[3])) / shape) : d * v;
    }
}

/* By inversion of the sum of probabilities, 48 bits. */
static double poisson_small(struct source *s, double mean)
{
    enum { MOST = 1000 }; /* of a mean below 10 */
    uint32_t u[4];
    next_quad(s, u);
    const double where = ((double)(u[0] >> 8) * 0x1p24 + (double)(u[1] >> 8)) * 0x1p-48;
    double p = rd_exp_d(-mean), sum = p;
    int k = 0;
    while (where >= sum && k < MOST) sum += p *= mean / ++k;
    return k;
}

static double floor_of(double x)
{
    const double whole = (double)(int64_t)x;
    return whole > x ? whole - 1 : whole;
}

/* Transformed rejection with squeeze, PTRS of Hormann 1993. */
static double poisson_large(struct source *s, double mean)
{
    const double b = 0.931 + 2.53 * rd_sqrt_d(mean), a = -0.059 + 0.02483 * b;
    const double inverse = 1.1239 + 1.1328 / (b - 3.4), squeeze = 0.9277 - 3.6224 / (b - 2);
    const double log_mean = rd_log_d(mean);
    for (;;) {
        uint32_t w[4];
        next_quad(s, w);
        const double u = rdc_unit(w[0]) - 0.5, v = 1 - rdc_unit(w[1]), near = 0.5 - rd_abs_d(u);
        if (near <= 0) continue; /* u = -1/2 */
        const double k = floor_of((2 * a / near + b) * u + mean + 0.43);
        if (near >= 0.07 && v <= squeeze) return k;
        if (k < 0 || (near < 0.013 && v > near)) continue;
        const double left = rd_log_d(v) + rd_log_d(inverse) - rd_log_d(a / (near * near) + b);
        if (left <= k * log_mean - mean - rdc_lgamma(k + 1)) return k;
    }
}

static double poisson(struct source *s, double mean)
{
    enum { SMALL = 10 };
    if (!(mean < 0x1p50)) return mean; /* beyond whole numbers of a double's digits; NaN stays */
    return mean < SMALL ? poisson_small(s, mean) : poisson_large(s, mean);
}

static double draw(struct source *s, rd_likelihood_kind kind, const rd_real *y)
{
    const double mean = y[0], second = y[1];
    if (kind == RD_NEGATIVE_BINOMIAL) /* a Poisson of a gamma with mean m and variance a m^2 */
        return poisson(s, mean * second * gamma_number(s, 1 / second));
    uint32_t u[4];
    next_quad(s, u);
    const double z = normal(u[0], u[1]);
    if (kind == RD_GAUSSIAN) return mean + second * z;
    const double half = 0.5 * y[2]; /* Student's t: a normal over the root of chi^2 / v */
    return mean + second * z / rd_sqrt_d(gamma_number(s, half) / half);
}

static rd_status check(const rd_tensor *y, const rd_draws *how, rd_error *err)
{
    const size_t width = rd_likelihood_width(&(rd_likelihood){.kind = how->kind});
    char text[128];
    if (how->kind == RD_QUANTILES)
        return rdc_fail(err, RD_E_ARG, "draw: quantiles are no distribution to draw from");
    if (y->ndim < 2 || y->ndim > 3 || y->shape[y->ndim - 1] != width)
        return rdc_fail(err, RD_E_ARG, "draw: expected (rows, %zu) or (rows, targets, %zu), got %s",
                        width, width, rdc_shape_text(y, text));
    if (y->shape[0] ? how->n_keys % y->shape[0] != 0 : how->n_keys > 0)
        return rdc_fail(err, RD_E_ARG, "draw: %zu keys do not go evenly with %zu rows", how->n_keys,
                        y->shape[0]);
    return RD_OK;
}

/* Is it a row of a distribution? A NaN or a scale of 0 is not, and would be rejected for ever. */
static bool sound(const rd_real *y, rd_likelihood_kind kind)
{
    const bool finite = y[0] - y[0] == 0 && y[1] - y[1] == 0 && y[1] > 0;
    if (kind == RD_STUDENT_T) return finite && y[2] - y[2] == 0 && y[2] > 0;
    return finite && (kind != RD_NEGATIVE_BINOMIAL || y[0] > 0);
}

struct draw_pass {
    const rd_draws *how;
    const rd_real *y;
    rd_real *out;
    size_t width, places, each; /* each: keys of a row */
};

static void draw_keys(void *job, size_t first, size_t last)
{
    const struct draw_pass *p = job;
    for (size_t i = first; i < last; i++)
        for (size_t m = 0; m < p->places; m++) {
            const rd_real *at = p->y + (i / p->each * p->places + m) * p->width;
            struct source s = {.stream = p->how->stream,
                               .row = p->how->keys[i].row,
                               .quad = (uint32_t)(m * QUADS)};
            s.stream.update = p->how->keys[i].path;
            p->out[i * p->places + m] = sound(at, p->how->kind)
                                            ? (rd_real)draw(&s, p->how->kind, at)
                                            : (rd_real)__builtin_nan("");
        }
}

rd_status rd_draw_likelihood(rd_tensor *y, const rd_draws *how, rd_tensor **out, rd_error *err)
{
    enum { GRAIN = 256 }; /* some 10 us */
    rd_tensor *dense = NULL, *result = NULL;
    RD_TRY(check(y, how, err));
    const size_t shape[] = {how->n_keys, y->shape[1]};
    RD_TRY(rd_contiguous(y, RD_DENSE, &dense, err));
    const rd_status status = rd_tensor_new(y->core, y->ndim - 1, shape, RD_DENSE, &result, err);
    if (status == RD_OK) {
        struct draw_pass p = {.how = how,
                              .y = dense->at,
                              .out = result->at,
                              .width = y->shape[y->ndim - 1],
                              .places = y->ndim == 3 ? y->shape[1] : 1,
                              .each = y->shape[0] ? how->n_keys / y->shape[0] : 1};
        rdc_pool_range(y->core->pool, how->n_keys, GRAIN, draw_keys, &p);
        *out = result;
    }
    rd_tensor_release(dense);
    return status;
}

/* ---- quantiles of what was drawn ------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    const rd_real x = *(const rd_real *)a, y = *(const rd_real *)b;
    return (x > y) - (x < y);
}

struct quantile_pass {
    const rd_real *x;
    rd_real *sorted, *out; /* sorted: [groups][n] */
    size_t n, places, n_levels;
    const double *levels;
};

/* Group g is one place of n rows. */
static void quantile_groups(void *job, size_t first, size_t last)
{
    const struct quantile_pass *p = job;
    for (size_t g = first; g < last; g++) {
        const size_t row = g / p->places * p->n, m = g % p->places;
        rd_real *v = p->sorted + g * p->n, nan = 0;
        for (size_t i = 0; i < p->n; i++) {
            v[i] = p->x[(row + i) * p->places + m];
            nan = v[i] == v[i] ? nan : v[i];
        }
        qsort(v, p->n, sizeof *v, ascending);
        for (size_t k = 0; k < p->n_levels; k++) {
            const double at = (double)(p->n - 1) * p->levels[k], low = (double)(size_t)at;
            const rd_real *pair = v + (size_t)at;
            const double up = low < (double)(p->n - 1) ? (double)pair[1] - pair[0] : 0;
            const rd_real q = (rd_real)rd_fma_d(at - low, up, pair[0]);
            p->out[g * p->n_levels + k] = nan == nan ? q : nan;
        }
    }
}

static rd_status check_quantiles(const rd_tensor *x, size_t n, rd_error *err)
{
    char text[128];
    if (x->ndim != 2 || n == 0 || x->shape[0] % n != 0)
        return rdc_fail(err, RD_E_ARG,
                        "path_quantiles: expected (windows times %zu, targets), got %s", n,
                        rdc_shape_text(x, text));
    return RD_OK;
}

rd_status rd_path_quantiles(rd_tensor *x, size_t n, const double *levels, size_t n_levels,
                            rd_tensor **out, rd_error *err)
{
    rd_tensor *dense = NULL, *result = NULL;
    RD_TRY(check_quantiles(x, n, err));
    const size_t shape[] = {x->shape[0] / n, x->shape[1], n_levels};
    const size_t bytes = rd_tensor_numel(x) * sizeof(rd_real); /* a tensor's: it fits */
    rdc_block *sorted = rdc_block_new(x->core->arena, bytes);
    if (!sorted) return rdc_no_memory(err, bytes);
    rd_status status = rd_contiguous(x, RD_DENSE, &dense, err);
    if (status == RD_OK) status = rd_tensor_new(x->core, 3, shape, RD_DENSE, &result, err);
    if (status == RD_OK) {
        struct quantile_pass p = {.x = dense->at,
                                  .sorted = sorted->at,
                                  .out = result->at,
                                  .n = n,
                                  .places = shape[1],
                                  .n_levels = n_levels,
                                  .levels = levels};
        rdc_pool_range(x->core->pool, shape[0] * shape[1], 4, quantile_groups, &p);
        *out = result;
    }
    rd_tensor_release(dense);
    rdc_block_release(x->core->arena, sorted);
    return status;
}
