/* loss_likelihood.c - losses of quantiles and of the parameters of distributions.
 *
 * One pass gives each row's loss and its slope by every number of the row; backward is the slope times a
 * scale. Logarithms of densities are formed in double and rounded once. A row of weight 0 may hold anything.
 * SPDX-License-Identifier: MIT */
#include "base/profile.h"
#include "engine/reduce.h"
#include "engine/rows.h"
#include "learn/gamma.h"
#include "learn/loss.h"
#include "rondo/pointmath.h"
#include "rondo_forecast.h"

struct rows_pass {
    size_t width;
    const rd_real *y, *target, *weight;
    rd_real *loss, *slope; /* [rows], [rows][width] */
    const double *quantiles;
};

/* ---- the four ---------------------------------------------------------------------------- */

/* rho_q(e) = max(q e, (q - 1) e), e = t - y (Koenker & Bassett 1978, eq. 2.5); slope 0 at e = 0. The row is
 * summed by lanes (rule 7). */
static void quantile_row(const struct rows_pass *s, const rd_real *y, rd_real t, rd_real *slope,
                         rd_real *loss)
{
    const rd_real share = 1 / (rd_real)s->width;
    rd_real lane[RD_LANES] = {0};
    for (size_t k = 0; k < s->width; k++) {
        const rd_real q = (rd_real)s->quantiles[k], e = t - y[k];
        const rd_real over = e < 0 ? (1 - q) * share : e * 0; /* NaN stays */
        lane[k % RD_LANES] += e < 0 ? (q - 1) * e : q * e;
        slope[k] = e > 0 ? -q * share : over;
    }
    *loss = rd_join16(lane) * share;
}

static const double half_log_2pi = 0x1.d67f1c864beb5p-1, log_pi = 0x1.250d048e7a1bdp+0;

/* -log N = z^2 / 2 + log s + log(2 pi) / 2, z = (t - m) / s */
static void gaussian_row(const struct rows_pass *s, const rd_real *y, rd_real t, rd_real *slope,
                         rd_real *loss)
{
    (void)s;
    const double scale = y[1], z = ((double)t - y[0]) / scale;
    *loss = (rd_real)(rd_fma_d(0.5 * z, z, rd_log_d(scale)) + half_log_2pi);
    slope[0] = (rd_real)(-z / scale);
    slope[1] = (rd_real)((1 - z * z) / scale);
}

/* -log t = log Gamma(v/2) - log Gamma((v+1)/2) + log(v pi) / 2 + log s + (v+1)/2 log(1 + z^2 / v) */
static void student_row(const struct rows_pass *s, const rd_real *y, rd_real t, rd_real *slope,
                        rd_real *loss)
{
    (void)s;
    const double scale = y[1], v = y[2], z = ((double)t - y[0]) / scale, zz = z * z;
    const double wide = rd_log1p_d(zz / v), pull = (v + 1) / (v + zz);
    const double norm = 0.5 * (rd_log_d(v) + log_pi) - rdc_lgamma_rise(0.5 * v, 0.5);
    *loss = (rd_real)(norm + rd_log_d(scale) + 0.5 * (v + 1) * wide);
    slope[0] = (rd_real)(-pull * z / scale);
    slope[1] = (rd_real)((1 - pull * zz) / scale);
    slope[2] = (rd_real)(0.5 * ((1 - pull * zz) / v + wide - rdc_digamma_rise(0.5 * v, 0.5)));
}

/* r = 1/a: -log p(k) = log Gamma(k+1) - log(Gamma(r+k) / Gamma(r)) + (r+k) log(1 + a m) - k log(a m)
 * (Salinas et al. 2020, eq. 5, with their alpha) */
static void count_row(const struct rows_pass *s, const rd_real *y, rd_real t, rd_real *slope,
                      rd_real *loss)
{
    (void)s;
    const double m = y[0], a = y[1], k = t, r = 1 / a, wide = rd_log1p_d(a * m);
    const double rise = rdc_lgamma_rise(r, k) - rdc_lgamma(k + 1);
    *loss = (rd_real)((r + k) * wide - k * (rd_log_d(a) + rd_log_d(m)) - rise);
    slope[0] = (rd_real)((m - k) / (m * (1 + a * m)));
    slope[1] = (rd_real)((rdc_digamma_rise(r, k) - wide) * r * r + (m - k) / (a * (1 + a * m)));
}

typedef void (*row_fn)(const struct rows_pass *, const rd_real *, rd_real, rd_real *, rd_real *);

/* Inlined into the four: no call through a pointer for each row. */
RD_INLINE void weighted_rows(const struct rows_pass *s, row_fn row, size_t first, size_t last)
{
    for (size_t r = first; r < last; r++) {
        rd_real *slope = s->slope + r * s->width;
        const rd_real w = s->weight ? s->weight[r] : 1;
        s->loss[r] = 0;
        if (w != 0) {
            row(s, s->y + r * s->width, s->target[r], slope, &s->loss[r]);
            s->loss[r] *= w;
        }
        for (size_t k = 0; k < s->width; k++) slope[k] = w != 0 ? slope[k] * w : 0;
    }
}

static void quantile_rows(void *job, size_t first, size_t last)
{
    weighted_rows(job, quantile_row, first, last);
}

static void gaussian_rows(void *job, size_t first, size_t last)
{
    weighted_rows(job, gaussian_row, first, last);
}

static void student_rows(void *job, size_t first, size_t last)
{
    weighted_rows(job, student_row, first, last);
}

static void count_rows(void *job, size_t first, size_t last)
{
    weighted_rows(job, count_row, first, last);
}

static const struct kind {
    const char *name;
    rdc_range_fn pass;
    size_t width;
    bool positive[3];     /* which numbers must be greater than 0 */
    const char *parts[3]; /* what they are */
} kinds[] = {
    [RD_QUANTILES] = {"quantile_loss", quantile_rows, 0, {false}, {"quantiles"}},
    [RD_GAUSSIAN] = {"gaussian_loss", gaussian_rows, 2, {false, true}, {"mean", "scale"}},
    [RD_STUDENT_T] = {"student_t_loss",
                      student_rows,
                      3,
                      {false, true, true},
                      {"mean", "scale", "degrees of freedom"}},
    [RD_NEGATIVE_BINOMIAL] =
        {"negative_binomial_loss", count_rows, 2, {true, true}, {"mean", "dispersion"}},
};

size_t rd_likelihood_width(const rd_likelihood *how)
{
    return how->kind == RD_QUANTILES ? how->n_quantiles : kinds[how->kind].width;
}

/* ---- backward ---------------------------------------------------------------------------- */

struct scaled {
    const rd_real *slope;
    rd_real *restrict out; /* a block of its own */
    rd_real scale;
};

RD_CLONES static void add_scaled(void *job, size_t first, size_t last)
{
    const struct scaled s = *(const struct scaled *)job;
    for (size_t i = first; i < last; i++) s.out[i] += s.slope[i] * s.scale;
}

static rd_status likelihood_backward(rdc_node *node, rd_error *err)
{
    (void)err;
    if (!node->din[0] || node->number_arg[0] <= 0) return RD_OK;
    const rd_tensor *slope = node->saved[0];
    const uint64_t env = rdc_fp_enter();
    struct scaled s = {.slope = slope->at,
                       .out = node->din[0]->at,
                       .scale = (rd_real)((double)*node->dout[0]->at / node->number_arg[0])};
    rdc_fp_leave(env);
    rdc_pool_range(node->core->pool, rd_tensor_numel(slope), 4096, add_scaled, &s);
    return RD_OK;
}

static const rdc_op likelihood_op = {
    .name = "likelihood", .backward = likelihood_backward, .work = RD_WORK_LOSS};

/* ---- checks ------------------------------------------------------------------------------ */

static rd_status check_shapes(rd_tensor *y, rd_tensor *target, const rd_likelihood *how,
                              rd_error *err)
{
    const char *name = kinds[how->kind].name;
    const size_t width = rd_likelihood_width(how);
    char text[2][128];
    bool fits = y->ndim == target->ndim + 1 && width > 0 && y->shape[y->ndim - 1] == width;
    for (uint32_t d = 0; fits && d < target->ndim; d++) fits = y->shape[d] == target->shape[d];
    if (!fits)
        return rdc_fail(err, RD_E_ARG,
                        "%s: expected an output (..., %zu) and a target (...), got %s and %s", name,
                        width, rdc_shape_text(y, text[0]), rdc_shape_text(target, text[1]));
    for (size_t k = 0; how->kind == RD_QUANTILES && k < width; k++)
        if (!(how->quantiles[k] > 0 && how->quantiles[k] < 1))
            return rdc_fail(err, RD_E_ARG, "%s: quantiles lie between 0 and 1, got %.9g", name,
                            how->quantiles[k]);
    if (rd_requires_grad(target))
        return rdc_fail(err, RD_E_ARG, "%s: the target must not want a gradient; detach it", name);
    return RD_OK;
}

/* Numbers that no distribution has; NaN passes and ends in a loss that is not finite. */
static rd_status check_values(const struct rows_pass *s, size_t n, rd_likelihood_kind kind,
                              rd_error *err)
{
    const struct kind *k = &kinds[kind];
    for (size_t r = 0; r < n && kind != RD_QUANTILES; r++) {
        if (s->weight && s->weight[r] == 0) continue;
        for (size_t j = 0; j < k->width; j++)
            if (k->positive[j] && s->y[r * k->width + j] <= 0)
                return rdc_fail(err, RD_E_ARG, "%s: the %s must be greater than 0, got %.9g",
                                k->name, k->parts[j], (double)s->y[r * k->width + j]);
        if (kind == RD_NEGATIVE_BINOMIAL && s->target[r] < 0)
            return rdc_fail(err, RD_E_ARG,
                            "%s: targets are counts, at least 0 and without a scaler, got %.9g",
                            k->name, (double)s->target[r]);
    }
    return RD_OK;
}

/* ---- the call ---------------------------------------------------------------------------- */

struct call {
    const rd_likelihood *how;
    rd_tensor *y, *target, *weight, *slope;
    rd_loss_total total;
};

static rd_status total_of(struct call *c, rd_error *err)
{
    rd_core *core = c->y->core;
    const size_t width = rd_likelihood_width(c->how), n = rd_tensor_numel(c->target);
    const size_t bytes = n * sizeof(rd_real); /* a tensor's: it fits */
    struct rows_pass s = {.width = width,
                          .y = c->y->at,
                          .target = c->target->at,
                          .weight = c->weight ? c->weight->at : NULL,
                          .slope = c->slope->at,
                          .quantiles = c->how->quantiles};
    RD_TRY(check_values(&s, n, c->how->kind, err));
    rdc_block *losses = rdc_block_new(core->arena, bytes);
    if (!losses) return rdc_no_memory(err, bytes);
    s.loss = losses->at;
    rdc_pool_range(core->pool, n, rdc_rows_grain(width * 16), kinds[c->how->kind].pass, &s);
    c->total.sum = rdc_sum_flat(s.loss, n);
    c->total.count = c->weight ? rdc_sum_flat(s.weight, n) : (double)n;
    rdc_block_release(core->arena, losses);
    return RD_OK;
}

static rd_status result_of(struct call *c, rd_tensor **loss, rd_error *err)
{
    rd_tensor *result = NULL;
    rdc_node *node = NULL;
    RD_TRY(total_of(c, err));
    const double div = rdc_loss_divisor(c->how->reduction, c->total.count, c->target);
    RD_TRY(rdc_loss_scalar(c->y->core, c->total.sum, div, &result, err));
    rd_status status = RD_OK;
    if (rdc_wants_node(&c->y, 1)) {
        status = rdc_record(&likelihood_op, &c->y, 1, &result, 1, &node, err);
        if (status != RD_OK) goto done;
        node->number_arg[0] = div;
        rdc_save(node, 0, c->slope);
    }
    *loss = rd_tensor_retain(result);
done:
    rd_tensor_release(result);
    return status;
}

/* y with the numbers of a row side by side, target and weight as these rows lie. */
static rd_status rows_like(struct call *c, rd_tensor *y, rd_tensor *target, rd_error *err)
{
    const rd_order order = y->ndim <= 2 ? RD_DENSE : rdc_order(y);
    if (y->ndim <= 2 && rdc_order(y) != RD_DENSE)
        RD_TRY(rd_contiguous(y, RD_DENSE, &c->y, err));
    else
        RD_TRY(rdc_loss_operand(y, y, &c->y, err));
    RD_TRY(rd_tensor_new(y->core, target->ndim, target->shape, order, &c->target, err));
    RD_TRY(rdc_loss_weights(c->how->weight, c->target, kinds[c->how->kind].name, &c->weight, err));
    return rd_copy(c->target, target, err);
}

rd_status rd_likelihood_loss(rd_tensor *y, rd_tensor *target, const rd_likelihood *how,
                             rd_tensor **loss, rd_loss_total *total, rd_error *err)
{
    RDC_TIMED(y->core, RD_WORK_LOSS);
    struct call c = {.how = how};
    RD_TRY(check_shapes(y, target, how, err));
    rd_status status = rows_like(&c, y, target, err);
    if (status == RD_OK) status = rdc_tensor_like(c.y, false, &c.slope, err);
    if (status == RD_OK) status = result_of(&c, loss, err);
    rd_tensor_release(c.slope);
    rd_tensor_release(c.weight);
    rd_tensor_release(c.target);
    rd_tensor_release(c.y);
    if (status == RD_OK && total) *total = c.total;
    return status;
}
