/* series_stages.c - the stages that bring a column to the scale of a model, and back.
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "rondo/pointmath.h"
#include "text/series.h"

#include <math.h>

/* (v^lambda - 1) / lambda  (Box and Cox 1964, eq. 1), by expm1 so that it is right near lambda 0 too. */
static double box_cox(double v, double lambda)
{
    return lambda == 0 ? rd_log_d(v) : rd_expm1_d(lambda * rd_log_d(v)) / lambda;
}

/* The number of one row by a stage that is no difference; false: it has none. */
static bool apply_one(const rd_stage *s, double *v)
{
    if (isnan(*v)) return true;
    switch (s->kind) {
    case RD_STAGE_AFFINE:
        *v = (*v - s->a) / s->b;
        break;
    case RD_STAGE_LOG:
        if (!(*v + s->a > 0)) return false;
        *v = rd_log_d(*v + s->a);
        break;
    case RD_STAGE_BOX_COX:
        if (!(*v + s->a > 0)) return false;
        *v = box_cox(*v + s->a, s->b);
        break;
    case RD_STAGE_DIFFERENCE:
        break;
    }
    return true;
}

bool rdc_stages_apply(const rd_stage *stages, uint32_t n_stages, double *v, size_t *n, size_t *bad,
                      uint32_t *which)
{
    size_t taken = 0; /* rows that differences took from the front */
    for (uint32_t k = 0; k < n_stages; k++) {
        if (stages[k].kind == RD_STAGE_DIFFERENCE) {
            const size_t lag = (size_t)stages[k].a;
            *n = *n > lag ? *n - lag : 0;
            taken += lag;
            for (size_t i = 0; i < *n; i++) v[i] = v[i + lag] - v[i];
            continue;
        }
        for (size_t i = 0; i < *n; i++) {
            if (apply_one(&stages[k], &v[i])) continue;
            *bad = i + taken;
            *which = k;
            return false;
        }
    }
    return true;
}

double rdc_stage_invert(const rd_stage *s, double v)
{
    switch (s->kind) {
    case RD_STAGE_AFFINE:
        return v * s->b + s->a;
    case RD_STAGE_LOG:
        return rd_exp_d(v) - s->a;
    case RD_STAGE_BOX_COX:
        if (s->b == 0) return rd_exp_d(v) - s->a;
        /* What lies beyond the end of the transform's range is its end: 0. */
        if (!(s->b * v > -1)) return isnan(v) ? v : s->b > 0 ? -s->a : (double)INFINITY;
        return rd_exp_d(rd_log1p_d(s->b * v) / s->b) - s->a;
    case RD_STAGE_DIFFERENCE:
        break;
    }
    return v;
}

rd_status rdc_stage_refuse(const rd_feature *f, const rd_stage *stage, uint64_t row, double value,
                           rd_error *err)
{
    const char *kind = stage->kind == RD_STAGE_LOG ? "LogScaler" : "BoxCoxScaler";
    return rdc_fail(err, RD_E_ARG,
                    "column '%s', row %llu: %.9g%s is not above 0 and has no logarithm; give %s { "
                    "offset = a number that makes all of the column's positive }",
                    f->name, (unsigned long long)row + 1, value,
                    stage->a != 0 ? " with the offset" : "", kind);
}

uint64_t rd_stages_lag(const rd_stage *stages, uint32_t n)
{
    uint64_t lag = 0;
    for (uint32_t k = 0; k < n; k++)
        if (stages[k].kind == RD_STAGE_DIFFERENCE) lag += (uint64_t)stages[k].a;
    return lag;
}
