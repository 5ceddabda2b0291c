/* sample.c - draws ids from logits: adjusts them (adjust.c), temperature, filters (filter.c), one number.
 *
 * Probabilities are exp((x - max) / temperature) in rd_real, which no temperature overflows, their running
 * sum in double by ascending id, so that a filter which keeps everything draws what no filter draws.
 * SPDX-License-Identifier: MIT */
#include "engine/rows.h"
#include "learn/sampling.h"
#include "rondo/pointmath.h"

RD_CLONES static void exponentials(const rd_real *x, size_t n, rd_real temperature, rd_real *p)
{
    const rd_real m = rd_max16(x, n);
    for (size_t j = 0; j < n; j++) p[j] = rd_exp((x[j] - m) / temperature);
}

static size_t first_largest(const rd_real *x, size_t n)
{
    size_t best = 0;
    for (size_t j = 1; j < n; j++)
        if (x[j] > x[best]) best = j;
    return best + 1;
}

/* The first id at which the running sum passes u times the whole. */
static size_t pick(const rd_real *p, size_t n, double u)
{
    double all = 0, sum = 0;
    size_t last = 0;
    for (size_t j = 0; j < n; j++) all += (double)p[j];
    for (size_t j = 0; j < n; j++) {
        if (p[j] <= 0) continue;
        sum += (double)p[j];
        last = j + 1;
        if (sum > u * all) break;
    }
    return last;
}

rd_status rdc_draw_id(const rdc_draw *d, const rd_real *x, const rdc_lot *lot, int32_t *id,
                      rd_error *err)
{
    const rd_sampling *how = d->how;
    rd_real *p = d->p->at, *logits = d->logits->at;
    bool any = false;
    if (rdc_adjusts(how)) {
        rdc_adjust(how, x, d->classes, d->words->at, logits);
        x = logits;
    }
    for (size_t j = 0; j < d->classes; j++) {
        if (x[j] != x[j] || x[j] == (rd_real)__builtin_inf())
            return rdc_fail(err, RD_E_ARG,
                            "sample: the logit of id %zu in row %zu is %s; the model has diverged",
                            j + 1, lot->place + 1, x[j] != x[j] ? "not a number" : "infinite");
        any |= x[j] != (rd_real)-__builtin_inf();
    }
    if (!any)
        return rdc_fail(err, RD_E_ARG, "sample: row %zu allows no id: every logit is -infinity",
                        lot->place + 1);
    if ((rd_real)how->temperature == 0) { /* also what is too small for a rd_real */
        *id = (int32_t)first_largest(x, d->classes);
        return RD_OK;
    }
    exponentials(x, d->classes, (rd_real)how->temperature, p);
    rdc_filter(how, p, d->classes, d->words->at, logits);
    *id = (int32_t)pick(p, d->classes, rd_uniform_at(lot->stream, lot->row, 0));
    return RD_OK;
}

rd_status rdc_draw_open(rdc_draw *d, rd_core *core, size_t classes, rd_error *err)
{
    const size_t bytes = classes * sizeof(rd_real); /* those of a row of logits: no overflow */
    d->classes = classes;
    d->p = rdc_block_new(core->arena, bytes);
    d->logits = rdc_block_new(core->arena, bytes);
    d->words = rdc_block_new(core->arena, classes * sizeof(uint32_t));
    return d->p && d->logits && d->words ? RD_OK : rdc_no_memory(err, bytes);
}

void rdc_draw_close(rdc_draw *d, rd_core *core)
{
    rdc_block_release(core->arena, d->words);
    rdc_block_release(core->arena, d->logits);
    rdc_block_release(core->arena, d->p);
}

static rd_status check(const rd_tensor *logits, const rd_sampling *how, rd_error *err)
{
    char text[128];
    if (logits->ndim != 2 || logits->shape[1] == 0)
        return rdc_fail(err, RD_E_ARG, "sample: expected logits (batch, classes), got %s",
                        rdc_shape_text(logits, text));
    return rdc_check_sampling(how, logits->shape[1], err);
}

/* Number of the stream for (time, row); which of the rows lies first in memory plays no part. */
static rd_status draw_all(const rdc_rows *x, const rdc_draw *d, const rd_stream *stream,
                          rd_tensor *ids, rd_error *err)
{
    const uint64_t before_fp = rdc_fp_enter();
    rd_status status = RD_OK;
    for (size_t r = 0; r < x->n && status == RD_OK; r++) {
        const rdc_lot lot = {stream, (uint32_t)r, r};
        int32_t id = 0;
        status = rdc_draw_id(d, x->x->at + r * x->row, &lot, &id, err);
        ids->at[r] = (rd_real)id;
    }
    rdc_fp_leave(before_fp);
    return status;
}

rd_status rd_sample(rd_tensor *logits, const rd_sampling *how, const rd_stream *stream,
                    rd_tensor **ids, rd_error *err)
{
    rdc_rows x = {0};
    rdc_draw d = {.how = how};
    rd_tensor *found = NULL;
    RD_TRY(check(logits, how, err));
    rd_core *core = logits->core;
    RD_TRY(rdc_rows_of(logits, "sample", &x, err));
    rd_status status = rd_tensor_new(core, 1, &x.n, RD_DENSE, &found, err);
    if (status == RD_OK) status = rdc_draw_open(&d, core, logits->shape[1], err);
    if (status == RD_OK) status = draw_all(&x, &d, stream, found, err);
    if (status == RD_OK) *ids = rd_tensor_retain(found);
    rdc_draw_close(&d, core);
    rd_tensor_release(found);
    rd_tensor_release(x.x);
    return status;
}
