/* clip.c - bounds on gradients: by their global norm, and by value.
 * SPDX-License-Identifier: MIT */
#include "base/pool.h"
#include "base/profile.h"
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

/* ---- norms ------------------------------------------------------------------------------- */

enum { BLOCK = 4096 }; /* of the bit contract's rule 7 */

RD_CLONES static void absolute(rd_real *restrict to, const rd_real *x, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] = rd_abs(x[i]);
}

RD_CLONES static rd_real largest(const rd_real *x, size_t n)
{
    rd_real most = 0;
    for (size_t i = 0; i < n; i++) most = rd_abs(x[i]) > most ? rd_abs(x[i]) : most;
    return most;
}

/* What a gradient adds to the norm, before the root; not finite where an element is not. */
static double part_of(const rd_tensor *g, rd_norm_kind kind)
{
    const size_t n = rd_tensor_numel(g);
    rd_real block[BLOCK];
    double sum = 0;
    switch (kind) {
    case RD_NORM_2:
        return rdc_square_sum_flat(g->at, n);
    case RD_NORM_1:
        for (size_t at = 0; at < n; at += BLOCK) {
            const size_t m = n - at < BLOCK ? n - at : BLOCK;
            absolute(block, g->at + at, m);
            sum += rdc_sum_flat(block, m);
        }
        return sum;
    case RD_NORM_MAX:
        return rd_all_finite(g) ? (double)largest(g->at, n) : (double)INFINITY;
    }
    return 0;
}

rd_status rd_clip_grad_norm_by(rd_tensor *const *parameters, size_t n, const rd_clip *how,
                               double *norm, size_t *bad, rd_error *err)
{
    RDC_TIMED(n > 0 ? parameters[0]->core : NULL, RD_WORK_CLIP);
    double sum = 0;
    size_t first_bad = n;
    if (!(how->max_norm >= 0))
        return rdc_fail(err, RD_E_ARG, "clip_grad_norm: max_norm must be at least 0, got %.9g",
                        how->max_norm);
    const uint64_t env = rdc_fp_enter();
    /* A square of a finite float is finite in double, so the sum says whether all were; a finite double
     * may overflow when squared and is then looked at. */
    for (size_t i = 0; i < n; i++) {
        const rd_tensor *g = parameters[i]->grad;
        if (!g || !parameters[i]->wants_grad) continue; /* frozen */
        const double part = part_of(g, how->kind);
        if (!isfinite(part) && first_bad == n && !rd_all_finite(g)) first_bad = i;
        if (how->kind != RD_NORM_MAX)
            sum += part;
        else if (part > sum)
            sum = part;
    }
    /* sqrt is correctly rounded by IEEE, unlike libm's transcendentals */
    *norm = how->kind == RD_NORM_2 ? sqrt(sum) : sum;
    *bad = first_bad;
    const double factor = how->max_norm / (*norm + 1e-6);
    rdc_fp_leave(env);
    if (first_bad < n || how->max_norm == 0) return RD_OK;
    if (factor < 1) over_gradients(parameters, n, scale, (rd_real)factor);
    return RD_OK;
}

rd_status rd_clip_grad_norm(rd_tensor *const *parameters, size_t n, double max_norm, double *norm,
                            size_t *bad, rd_error *err)
{
    const rd_clip how = {.kind = RD_NORM_2, .max_norm = max_norm};
    return rd_clip_grad_norm_by(parameters, n, &how, norm, bad, err);
}

/* ---- values ------------------------------------------------------------------------------ */

rd_status rd_clip_grad_value(rd_tensor *const *parameters, size_t n, double limit, rd_error *err)
{
    RDC_TIMED(n > 0 ? parameters[0]->core : NULL, RD_WORK_CLIP);
    if (!(limit > 0))
        return rdc_fail(err, RD_E_ARG,
                        "clip_grad_value: the limit must be greater than 0, got %.9g", limit);
    over_gradients(parameters, n, limit_to, (rd_real)limit);
    return RD_OK;
}
