/* clip.c - bounds on gradients: by their global norm, and by value.
 * SPDX-License-Identifier: MIT */
#include "base/pool.h"
#include "base/tensor.h"
#include "engine/reduce.h"
#include "rondo/pointmath.h"
#include <math.h>

struct clip {
    rd_real *g, value; /* value: the factor, or the limit */
};

RD_CLONES static void scale(void *job, size_t first, size_t last)
{
    const struct clip *c = job;
    for (size_t i = first; i < last; i++) c->g[i] *= c->value;
}

/* Ordered so that NaN passes. */
RD_CLONES static void limit_to(void *job, size_t first, size_t last)
{
    const struct clip *c = job;
    const rd_real high = c->value;
    for (size_t i = first; i < last; i++) {
        const rd_real g = c->g[i] > high ? high : c->g[i];
        c->g[i] = g < -high ? -high : g;
    }
}

static void over_gradients(rd_tensor *const *parameters, size_t n, rdc_range_fn fn, rd_real value)
{
    for (size_t i = 0; i < n; i++) {
        rd_tensor *g = parameters[i]->grad;
        if (!g || !parameters[i]->wants_grad) continue;
        struct clip c = {.g = g->at, .value = value};
        g->block->version++;
        rdc_pool_range(g->core->pool, rd_tensor_numel(g), 16384, fn, &c);
    }
}

rd_status rd_clip_grad_norm(rd_tensor *const *parameters, size_t n, double max_norm, double *norm,
                            size_t *bad, rd_error *err)
{
    double sum = 0;
    size_t first_bad = n;
    if (!(max_norm >= 0))
        return rdc_fail(err, RD_E_ARG, "clip_grad_norm: max_norm must be at least 0, got %.9g",
                        max_norm);
    /* A square of a finite float is finite in double, so the sum says whether all were; a finite double
     * may overflow when squared and is then looked at. */
    for (size_t i = 0; i < n; i++) {
        const rd_tensor *g = parameters[i]->grad;
        if (!g || !parameters[i]->wants_grad) continue; /* frozen */
        const double square = rdc_square_sum_flat(g->at, rd_tensor_numel(g));
        if (!isfinite(square) && first_bad == n && !rd_all_finite(g)) first_bad = i;
        sum += square;
    }
    *norm = sqrt(sum); /* correctly rounded by IEEE, unlike libm's transcendentals */
    *bad = first_bad;
    if (first_bad < n || max_norm == 0) return RD_OK;
    const double factor = max_norm / (*norm + 1e-6);
    if (factor < 1) over_gradients(parameters, n, scale, (rd_real)factor);
    return RD_OK;
}

rd_status rd_clip_grad_value(rd_tensor *const *parameters, size_t n, double limit, rd_error *err)
{
    if (!(limit > 0))
        return rdc_fail(err, RD_E_ARG,
                        "clip_grad_value: the limit must be greater than 0, got %.9g", limit);
    over_gradients(parameters, n, limit_to, (rd_real)limit);
    return RD_OK;
}
