/* gradcheck.c - comparing the tape's gradients with differences.
 *
 * f'(x) = (f(x - 2h) - 8 f(x - h) + 8 f(x + h) - f(x + 2h)) / 12h + O(h^4) (Abramowitz & Stegun, table
 * 25.2). In double, h near eps^(1/5) leaves some twelve digits; in float only two or three.
 * SPDX-License-Identifier: MIT */
#include "rondo_check.h"

#include "base/tensor.h"

#include <math.h>
#include <string.h>

/* A power of two in proportion to x, so that x + h loses as little as can be. */
static double step_of(const rd_gradient_check *c, double x)
{
    const double usual = sizeof(rd_real) == sizeof(double) ? 0x1p-10 : 0x1p-5;
    const double h = c->step > 0 ? c->step : usual;
    int exponent = 0;
    frexp(x, &exponent);
    return exponent > 1 ? ldexp(h, exponent - 1) : h;
}

static rd_status check_scalar(const rd_tensor *y, rd_error *err)
{
    if (rd_tensor_numel(y) == 1) return RD_OK;
    return rdc_fail(err, RD_E_ARG, "check.gradients: the function must give one number");
}

static rd_status value_of(const rd_gradient_check *c, double *value, rd_error *err)
{
    rd_tensor *y = NULL;
    RD_TRY(c->f(c->user, &y, err));
    const rd_status status = check_scalar(y, err);
    *value = status == RD_OK ? (double)y->at[0] : 0;
    rd_tensor_release(y);
    return status;
}

/* The derivative of f by one element; its value is put back, whatever happens. */
static rd_status differentiate(const rd_gradient_check *c, rd_real *x, uint64_t *version,
                               double *slope, rd_error *err)
{
    static const double place[] = {-2, -1, 1, 2}, weight[] = {1, -8, 8, -1};
    const rd_real before = *x;
    const double h = step_of(c, (double)before);
    rd_status status = RD_OK;
    double sum = 0;
    for (int i = 0; i < 4 && status == RD_OK; i++) {
        double value = 0;
        *x = (rd_real)((double)before + place[i] * h);
        ++*version;
        status = value_of(c, &value, err);
        sum += weight[i] * value;
    }
    *x = before;
    ++*version;
    *slope = sum / (12 * h);
    return status;
}

/* The place in memory of element e in logical order. */
static size_t place_of(const rd_tensor *t, size_t e)
{
    size_t offset = 0;
    for (uint32_t d = t->ndim; d-- > 0;) {
        offset += e % t->shape[d] * t->stride[d];
        e /= t->shape[d];
    }
    return offset;
}

static rd_status check_tensor(const rd_gradient_check *c, size_t which, rd_gradient_report *report,
                              rd_error *err)
{
    rd_tensor *const p = c->parameters[which];
    const size_t n = rd_tensor_numel(p);
    rdc_block *const block = rdc_block_new(p->core->arena, n * sizeof(double));
    if (!block) return rdc_no_memory(err, n * sizeof(double));
    double *const numeric = block->at, scale = c->least > 0 ? c->least : 1;
    rd_status status = RD_OK;
    for (size_t e = 0; e < n && status == RD_OK; e++) {
        rd_real *const x = p->at + place_of(p, e);
        status = differentiate(c, x, &p->block->version, &numeric[e], err);
        if (fabs(numeric[e]) > scale) scale = fabs(numeric[e]);
    }
    for (size_t e = 0; e < n && status == RD_OK; e++) {
        const double analytic = p->grad ? (double)p->grad->at[place_of(p->grad, e)] : 0;
        const double error = fabs(analytic - numeric[e]) / scale;
        if (error <= report->worst) continue; /* NaN goes on, as infinitely bad */
        *report =
            (rd_gradient_report){isnan(error) ? INFINITY : error, which, e, analytic, numeric[e]};
    }
    rdc_block_release(p->core->arena, block);
    return status;
}

static rd_status check_all(const rd_gradient_check *c, rd_gradient_report *report, rd_error *err)
{
    rd_tensor *const *const parameters = c->parameters;
    rd_gradient_report found = {0};
    rd_tensor *y = NULL;
    if (c->n == 0)
        return rdc_fail(err, RD_E_ARG, "check.gradients: at least one parameter is needed");
    for (size_t i = 0; i < c->n; i++) {
        if (!parameters[i]->wants_grad)
            return rdc_fail(
                err, RD_E_ARG,
                "check.gradients: parameter %zu must be a leaf that requires a gradient", i + 1);
        rd_zero_grad(parameters[i]);
    }
    RD_TRY(c->f(c->user, &y, err));
    rd_status status = check_scalar(y, err);
    if (status == RD_OK) status = rd_backward(y, NULL, false, err);
    rd_tensor_release(y);
    rd_core *const core = parameters[0]->core;
    const bool before = rd_set_grad_mode(core, false);
    for (size_t i = 0; i < c->n && status == RD_OK; i++) status = check_tensor(c, i, &found, err);
    rd_set_grad_mode(core, before);
    if (status == RD_OK) *report = found;
    return status;
}

/* The function may give up the parameters that it was asked about. */
rd_status rd_check_gradients(const rd_gradient_check *c, rd_gradient_report *report, rd_error *err)
{
    for (size_t i = 0; i < c->n; i++) (void)rd_tensor_retain(c->parameters[i]);
    const rd_status status = check_all(c, report, err);
    for (size_t i = 0; i < c->n; i++) rd_tensor_release(c->parameters[i]);
    return status;
}
