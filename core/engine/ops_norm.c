/* ops_norm.c - layer normalisation over the last dimension (Ba, Kiros & Hinton 2016, eq. 4).
 *
 * y = gain (x - mean) / sqrt(var + eps) + bias, sums along a row by 16 lanes (bit contract, rule 7).
 * SPDX-License-Identifier: MIT */
#include "base/pool.h"
#include "engine/rows.h"
#include "engine/tape.h"
#include "rondo/pointmath.h"

enum { IN_X, IN_GAIN, IN_BIAS, N_IN };
enum { SAVED_X, SAVED_GAIN, SAVED_STATS };

struct norm {
    size_t rows, width, row;
    rd_real eps;
    const rd_real *x, *gain, *bias, *dy;
    rd_real *y, *stats; /* stats: mean and 1 / sqrt(var + eps) of each row */
    rd_real *dx, *dgain, *dbias;
};

RD_CLONES static void norm_rows(void *job, size_t first, size_t last)
{
    const struct norm *s = job;
    const size_t n = s->width;
    for (size_t r = first; r < last; r++) {
        const rd_real *restrict x = s->x + r * s->row; /* y is another block */
        rd_real *restrict y = s->y + r * n;
        const rd_real mean = rd_sum16(x, n) / (rd_real)n;
        for (size_t j = 0; j < n; j++) y[j] = x[j] - mean;
        const rd_real var = rd_dot16(y, y, n) / (rd_real)n;
        const rd_real scale = 1 / rd_sqrt(var + s->eps);
        for (size_t j = 0; j < n; j++) y[j] *= scale;
        if (s->gain)
            for (size_t j = 0; j < n; j++) y[j] *= s->gain[j];
        if (s->bias)
            for (size_t j = 0; j < n; j++) y[j] += s->bias[j];
        s->stats[2 * r] = mean;
        s->stats[2 * r + 1] = scale;
    }
}

/* v = (x - mean) scale; g = dy gain; dx = scale (g - mean(g) - v mean(g v)). Lanes as in rd_sum16. */
RD_CLONES static void norm_back_x(void *job, size_t first, size_t last)
{
    const struct norm *s = job;
    const size_t n = s->width;
    for (size_t r = first; r < last; r++) {
        const rd_real *x = s->x + r * s->row, *dy = s->dy + r * n;
        rd_real *restrict dx = s->dx + r * n; /* dx is another block */
        const rd_real mean = s->stats[2 * r], scale = s->stats[2 * r + 1];
        rd_real sum_g[RD_LANES] = {0}, sum_gv[RD_LANES] = {0};
        for (size_t e = 0; e < n; e += RD_LANES) {
            const size_t lanes = n - e < RD_LANES ? n - e : RD_LANES;
            for (size_t l = 0; l < lanes; l++) {
                const rd_real g = s->gain ? dy[e + l] * s->gain[e + l] : dy[e + l];
                sum_g[l] += g;
                sum_gv[l] += g * ((x[e + l] - mean) * scale);
            }
        }
        const rd_real mean_g = rd_join16(sum_g) / (rd_real)n;
        const rd_real mean_gv = rd_join16(sum_gv) / (rd_real)n;
        for (size_t j = 0; j < n; j++) {
            const rd_real g = s->gain ? dy[j] * s->gain[j] : dy[j];
            dx[j] += scale * ((g - mean_g) - (x[j] - mean) * scale * mean_gv);
        }
    }
}

/* Columns [first, last), rows from the last to the first (rule 6). */
RD_CLONES static void norm_back_gain(void *job, size_t first, size_t last)
{
    const struct norm *s = job;
    rd_real *restrict dgain = s->dgain; /* dy and x are other blocks */
    for (size_t r = s->rows; r-- > 0;) {
        const rd_real *x = s->x + r * s->row, *dy = s->dy + r * s->width;
        const rd_real mean = s->stats[2 * r], scale = s->stats[2 * r + 1];
        for (size_t j = first; j < last; j++) dgain[j] += dy[j] * ((x[j] - mean) * scale);
    }
}

RD_CLONES static void norm_back_bias(void *job, size_t first, size_t last)
{
    const struct norm *s = job;
    rd_real *restrict dbias = s->dbias; /* dy is another block */
    for (size_t r = s->rows; r-- > 0;) {
        const rd_real *dy = s->dy + r * s->width;
        for (size_t j = first; j < last; j++) dbias[j] += dy[j];
    }
}

static rd_status norm_backward(rdc_node *node, rd_error *err)
{
    (void)err;
    rdc_pool *pool = node->core->pool;
    const rdc_rows x = rdc_rows_again(node->saved[SAVED_X]);
    rd_tensor *gain = node->saved[SAVED_GAIN];
    struct norm s = {.rows = x.n,
                     .width = x.width,
                     .row = x.row,
                     .x = x.x->at,
                     .gain = gain ? gain->at : NULL,
                     .dy = node->dout[0]->at,
                     .stats = node->saved[SAVED_STATS]->at};
    if (node->din[IN_X]) {
        s.dx = node->din[IN_X]->at;
        rdc_pool_range(pool, s.rows, rdc_rows_grain(s.width), norm_back_x, &s);
    }
    if (node->din[IN_GAIN]) {
        s.dgain = node->din[IN_GAIN]->at;
        rdc_pool_range(pool, s.width, 16, norm_back_gain, &s);
    }
    if (node->din[IN_BIAS]) {
        s.dbias = node->din[IN_BIAS]->at;
        rdc_pool_range(pool, s.width, 16, norm_back_bias, &s);
    }
    return RD_OK;
}

static const rdc_op norm_op = {.name = "layer_norm", .backward = norm_backward};

static rd_status check(const rd_tensor *x, const rd_tensor *vector, const char *what, rd_error *err)
{
    char text[128];
    if (!vector || (vector->ndim == 1 && vector->shape[0] == x->shape[x->ndim - 1])) return RD_OK;
    return rdc_fail(err, RD_E_ARG, "layer_norm: expected a %s (%zu), got %s", what,
                    x->shape[x->ndim - 1], rdc_shape_text(vector, text));
}

static rd_status norm_forward(const rdc_rows *x, rd_tensor *gain, rd_tensor *bias, double eps,
                              rd_tensor **out, rd_error *err)
{
    rd_tensor *y = NULL, *stats = NULL, *const in[N_IN] = {x->x, gain, bias};
    rdc_node *node = NULL;
    const size_t shape[] = {x->n, 2};
    RD_TRY(rdc_rows_result(x, x->width, &y, err));
    rd_status status = rd_tensor_new(y->core, 2, shape, RD_DENSE, &stats, err);
    if (status != RD_OK) goto done;
    struct norm s = {.width = x->width,
                     .row = x->row,
                     .eps = (rd_real)eps,
                     .x = x->x->at,
                     .gain = gain ? gain->at : NULL,
                     .bias = bias ? bias->at : NULL,
                     .y = y->at,
                     .stats = stats->at};
    rdc_pool_range(y->core->pool, x->n, rdc_rows_grain(x->width), norm_rows, &s);
    if (rdc_wants_node(in, N_IN)) {
        status = rdc_record(&norm_op, in, N_IN, &y, 1, &node, err);
        if (status != RD_OK) goto done;
        rdc_save(node, SAVED_X, x->x);
        if (gain) rdc_save(node, SAVED_GAIN, gain);
        rdc_save(node, SAVED_STATS, stats);
    }
    *out = rd_tensor_retain(y);
done:
    rd_tensor_release(stats);
    rd_tensor_release(y);
    return status;
}

rd_status rd_layer_norm(rd_tensor *x, rd_tensor *gain, rd_tensor *bias, double eps, rd_tensor **out,
                        rd_error *err)
{
    rdc_rows rows = {0}, g = {0}, b = {0};
    if (!(eps >= 0 && eps <= 1))
        return rdc_fail(err, RD_E_ARG, "layer_norm: eps must be 0..1, got %.9g", eps);
    RD_TRY(rdc_rows_of(x, "layer_norm", &rows, err));
    rd_status status = check(x, gain, "gain", err);
    if (status == RD_OK) status = check(x, bias, "bias", err);
    if (status == RD_OK && gain) status = rdc_rows_of(gain, "layer_norm", &g, err);
    if (status == RD_OK && bias) status = rdc_rows_of(bias, "layer_norm", &b, err);
    if (status == RD_OK) status = norm_forward(&rows, g.x, b.x, eps, out, err);
    rd_tensor_release(b.x);
    rd_tensor_release(g.x);
    rd_tensor_release(rows.x);
    return status;
}
