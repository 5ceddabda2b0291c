/* adjust.c - logits as a caller wants them: repetition penalty, bias, allowed ids.
 *
 * Element by element and in this order, so that a bias or a ban means what it says whatever has been seen.
 * SPDX-License-Identifier: MIT */
#include "engine/rows.h"
#include "learn/sampling.h"
#include <string.h>

bool rdc_adjusts(const rd_sampling *how)
{
    const bool penalty = how->penalty != 0 && (rd_real)how->penalty != 1 && how->n_seen > 0;
    return penalty || how->n_bias > 0 || how->allowed;
}

/* Keskar et al. 2019, section 4.1: x_i / theta for the ids that have been seen. Where x_i is negative that
 * would make them likelier, so there it is x_i theta, as everybody has it since. */
static void penalise(const rd_sampling *how, rd_real *y)
{
    const rd_real theta = (rd_real)how->penalty;
    for (size_t i = 0; i < how->n_seen; i++) {
        rd_real *const x = &y[how->seen[i] - 1];
        *x = *x > 0 ? *x / theta : *x * theta;
    }
}

void rdc_adjust(const rd_sampling *how, const rd_real *x, size_t n, uint32_t *marks, rd_real *y)
{
    if (y != x) memcpy(y, x, n * sizeof *y);
    if (how->penalty != 0) penalise(how, y);
    for (size_t i = 0; i < how->n_bias; i++) y[how->bias[i].id - 1] += (rd_real)how->bias[i].value;
    if (!how->allowed) return;
    memset(marks, 0, n * sizeof *marks);
    for (size_t i = 0; i < how->n_allowed; i++) marks[how->allowed[i] - 1] = 1;
    for (size_t j = 0; j < n; j++)
        if (!marks[j]) y[j] = (rd_real)-__builtin_inf();
}

static rd_status check_id(const char *what, int32_t id, size_t classes, rd_error *err)
{
    if (id >= 1 && (size_t)id <= classes) return RD_OK;
    return rdc_fail(err, RD_E_ARG, "sample: %s: ids are 1..%zu, got %d", what, classes, (int)id);
}

/* In (0, 1], or 0 for off. */
static rd_status check_share(const char *name, double value, rd_error *err)
{
    if (value >= 0 && value <= 1) return RD_OK;
    return rdc_fail(err, RD_E_ARG, "sample: %s must be at least 0 and at most 1, got %.9g", name,
                    value);
}

rd_status rdc_check_sampling(const rd_sampling *how, size_t classes, rd_error *err)
{
    if (!(how->temperature >= 0 && how->temperature <= 1e6))
        return rdc_fail(err, RD_E_ARG, "sample: temperature must be 0 (greedy) or more, got %.9g",
                        how->temperature);
    if (!(how->top_p > 0 && how->top_p <= 1))
        return rdc_fail(err, RD_E_ARG,
                        "sample: top_p must be greater than 0 and at most 1, got %.9g", how->top_p);
    RD_TRY(check_share("typical_p", how->typical_p, err));
    RD_TRY(check_share("min_p", how->min_p, err));
    if (how->penalty != 0 && !(how->penalty >= 0.01 && how->penalty <= 100))
        return rdc_fail(err, RD_E_ARG, "sample: repetition penalty must be 0.01..100, got %.9g",
                        how->penalty);
    for (size_t i = 0; i < how->n_seen; i++) RD_TRY(check_id("seen", how->seen[i], classes, err));
    for (size_t i = 0; i < how->n_allowed; i++)
        RD_TRY(check_id("allowed", how->allowed[i], classes, err));
    for (size_t i = 0; i < how->n_bias; i++) {
        const double value = how->bias[i].value;
        RD_TRY(check_id("bias", how->bias[i].id, classes, err));
        if (value != value || value == __builtin_inf())
            return rdc_fail(err, RD_E_ARG, "sample: a bias must be a number or -infinity, got %.9g",
                            value);
    }
    return RD_OK;
}

rd_status rd_adjust(rd_tensor *logits, const rd_sampling *how, rd_tensor **out, rd_error *err)
{
    char text[128];
    rdc_rows x = {0};
    rd_tensor *y = NULL;
    if (logits->ndim != 2 || logits->shape[1] == 0)
        return rdc_fail(err, RD_E_ARG, "sample: expected logits (batch, classes), got %s",
                        rdc_shape_text(logits, text));
    RD_TRY(rdc_check_sampling(how, logits->shape[1], err));
    rd_core *core = logits->core;
    RD_TRY(rdc_rows_of(logits, "sample", &x, err));
    const size_t marks_bytes = x.width * sizeof(uint32_t);
    rdc_block *marks = NULL;
    rd_status status = rd_tensor_new(core, 2, (size_t[]){x.n, x.width}, RD_DENSE, &y, err);
    if (status != RD_OK) goto done;
    marks = rdc_block_new(core->arena, marks_bytes);
    if (!marks) {
        status = rdc_no_memory(err, marks_bytes);
        goto done;
    }
    const uint64_t before_fp = rdc_fp_enter();
    for (size_t r = 0; r < x.n; r++)
        rdc_adjust(how, x.x->at + r * x.row, x.width, marks->at, y->at + r * x.width);
    rdc_fp_leave(before_fp);
    *out = rd_tensor_retain(y);
done:
    rdc_block_release(core->arena, marks);
    rd_tensor_release(y);
    rd_tensor_release(x.x);
    return status;
}
